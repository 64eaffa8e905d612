//! Which numbers may be called, and which may be shown.

use crate::config::{DiallingConfig, is_e164};

/// The rules.
#[derive(Debug)]
pub(super) struct Rules {
    caller_ids: Vec<String>,
    prefixes: Vec<String>,
}

/// Against the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a number.
    #[error("\"to\" is not a telephone number: write it with + and the country code, digits only")]
    To,
    /// Not a number.
    #[error("\"from\" is not a telephone number: write it with + and the country code, digits only")]
    From,
    /// Not one of ours.
    #[error("\"from\" is not one of the caller ids that may be used here")]
    CallerId,
    /// Not to be called.
    #[error("numbers like this may not be called from here")]
    Prefix,
    /// Too fast.
    #[error("too many calls within a minute; wait a little")]
    TooMany,
}

impl Rules {
    pub(super) fn new(config: &DiallingConfig) -> Self {
        Self { caller_ids: config.caller_ids.clone(), prefixes: config.prefixes.clone() }
    }

    pub(super) fn check(&self, to: &str, from: &str) -> Result<(), Refused> {
        if !is_e164(to) {
            return Err(Refused::To);
        }
        if !is_e164(from) {
            return Err(Refused::From);
        }
        if !self.caller_ids.iter().any(|id| id == from) {
            return Err(Refused::CallerId);
        }
        if !self.prefixes.iter().any(|prefix| to.starts_with(prefix)) {
            return Err(Refused::Prefix);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_only_what_may_be_called_and_shows_only_what_may_be_shown() {
        let of = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let rules = Rules { caller_ids: of(&["+14155550100"]), prefixes: of(&["+1", "+4930"]) };
        let check = |to: &str| rules.check(to, "+14155550100");
        assert_eq!((check("+15005550006"), check("+493012345")), (Ok(()), Ok(())));
        assert_eq!(check("+494012345"), Err(Refused::Prefix));
        for bad in [
            "15005550006",
            "+0150055500",
            "+1500555000a",
            "+1 500 555 0006",
            "+1234567890123456",
            "+",
            "",
            "client:x",
        ] {
            assert_eq!(check(bad), Err(Refused::To), "{bad}");
        }
        assert_eq!(rules.check("+15005550006", "+14155550101"), Err(Refused::CallerId));
        assert_eq!(rules.check("+15005550006", "anonymous"), Err(Refused::From));
    }
}
