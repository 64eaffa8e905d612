//! What can go wrong between us and Twilio's REST APIs, and what to do next.

use std::time::Duration;

use serde::Deserialize;

/// Longest part of Twilio's own error text that is kept.
const LONGEST_MESSAGE: usize = 200;

/// A REST call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwilioError {
    #[error("Twilio answered {status}{} to {call}{}", code_text(*.code), message_text(.message))]
    Status {
        /// What was asked, such as `GET TaskQueues/Statistics`.
        call: String,
        status: u16,
        /// Twilio's own error code, where the body had one.
        code: Option<u32>,
        message: String,
        /// `Retry-After`, where the answer had one.
        retry_after: Option<Duration>,
    },
    #[error("Twilio did not answer {call} within {} ms", .limit.as_millis())]
    TimedOut { call: String, limit: Duration },
    #[error("the connection to Twilio failed during {call}: {reason}")]
    Connection { call: String, reason: String },
    #[error("Twilio's answer to {call} can't be understood: {reason}")]
    Answer {
        call: String,
        /// Where reading it failed; never the data itself.
        reason: String,
    },
    /// It was not sent: the name is a SID, and no object has it. An object *named* like a SID would hide the mistake.
    #[error("{call} was not sent: no object has the SID {name}; set the SID of one that is there, or a name")]
    NamedLikeSid { call: String, name: String },
    /// It was not sent: as a URL the path would lead elsewhere, such as from a Map to its whole Service.
    #[error("{call} was not sent: {segment:?} can't be part of a path; choose another name")]
    FoldedPath { call: String, segment: String },
    /// This process must neither read nor write any more.
    #[error("{call} was not sent: another replica leads by now")]
    LeaseOver { call: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask again, not before this time where Twilio named one.
    Retry(Option<Duration>),
    Missing,
    Exists,
    /// Another writer wrote in between.
    Conflict,
    /// The payload is too large for Sync.
    TooLarge,
    /// The same call would fail again.
    GiveUp,
}

impl TwilioError {
    /// What to do about it. Decided on the status and not on the code: which code a TaskRouter 429 carries is not
    /// documented, and Sync answers 20404 for any missing object.
    pub fn next(&self) -> Next {
        match self {
            Self::Status { status: 429, retry_after, .. } => Next::Retry(*retry_after),
            Self::Status { status: 500.. | 408, retry_after, .. } => Next::Retry(*retry_after),
            Self::Status { status: 404, .. } => Next::Missing,
            Self::Status { status: 409, .. } => Next::Exists,
            Self::Status { status: 412, .. } => Next::Conflict,
            Self::Status { status: 413, .. } => Next::TooLarge,
            Self::Status { .. } => Next::GiveUp,
            // A broken or unintelligible answer is most often a gateway in trouble; the next one may be right.
            Self::TimedOut { .. } | Self::Connection { .. } | Self::Answer { .. } => Next::Retry(None),
            Self::LeaseOver { .. } | Self::NamedLikeSid { .. } | Self::FoldedPath { .. } => Next::GiveUp,
        }
    }

    /// Whether Twilio said that we ask too much.
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Status { status: 429, .. })
    }

    pub fn is_bad_credentials(&self) -> bool {
        matches!(self, Self::Status { status: 401, .. })
    }

    /// Whether Twilio said that the object does not exist. A wrong address and a proxy answer 404, too, without this code.
    pub fn is_twilios_404(&self) -> bool {
        matches!(self, Self::Status { status: 404, code: Some(20404), .. })
    }

    /// An error status, with Twilio's own words where the body has its documented form.
    pub(super) fn from_status(call: String, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        #[derive(Deserialize, Default)]
        struct ErrorBody {
            #[serde(default)]
            code: Option<u32>,
            #[serde(default)]
            message: Option<String>,
        }
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let message = body.message.unwrap_or_default().chars().take(LONGEST_MESSAGE).collect();
        Self::Status { call, status, code: body.code, message, retry_after }
    }
}

fn code_text(code: Option<u32>) -> String {
    code.map_or_else(String::new, |code| format!(" (code {code})"))
}

fn message_text(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_twilios_code_and_words() {
        let body = br#"{"code":20404,"message":"The requested resource was not found","status":404}"#;
        let error = TwilioError::from_status("GET Documents/x".into(), 404, None, body);
        assert_eq!(
            error.to_string(),
            "Twilio answered 404 (code 20404) to GET Documents/x: The requested resource was not found"
        );
        assert_eq!(error.next(), Next::Missing);
        assert!(error.is_twilios_404());
        for other in [&b"<html>404</html>"[..], br#"{"message":"no route"}"#, br#"{"code":404}"#] {
            let error = TwilioError::from_status("GET Releases/Active".into(), 404, None, other);
            assert!(!error.is_twilios_404(), "{error}");
        }
    }

    #[test]
    fn survives_a_body_that_is_not_twilios() {
        for body in [&b"<html>"[..], b"", b"[]", br#"{"code":"x"}"#, br#"{"code":null,"message":null}"#] {
            let error = TwilioError::from_status("GET x".into(), 503, Some(Duration::from_secs(2)), body);
            assert_eq!(error.to_string(), "Twilio answered 503 to GET x");
            assert_eq!(error.next(), Next::Retry(Some(Duration::from_secs(2))));
        }
    }
}
