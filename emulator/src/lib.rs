//! An in-process Twilio.
