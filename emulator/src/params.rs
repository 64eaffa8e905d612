//! Query and form parameters, read strictly.
//!
//! An endpoint names the parameters that Twilio documents for it (`only`) before reading any. Twilio itself ignores
//! what it does not know; the emulator refuses it, so that a client's invented parameter is caught in a test instead
//! of silently doing nothing in production.

use std::ops::RangeInclusive;

use crate::error::ApiError;
use crate::sid::{Kind, Sid};

/// Decoded parameters in the order received.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text (a query or a body).
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(crate) fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Refuses any parameter not in `names`.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), ApiError> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, _)) => Err(ApiError::unknown_parameter(name)),
            None => Ok(()),
        }
    }

    /// The first value of a parameter.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first value, if there is one and it is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.one(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.one(name).is_some()
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.one(name).ok_or_else(|| ApiError::invalid(format!("Missing required parameter {name}")))
    }

    /// A whole number within a range.
    pub(crate) fn integer(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.filled(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(ApiError::invalid(format!(
                "{name} must be an integer from {} to {}",
                range.start(),
                range.end()
            ))),
        }
    }

    /// A boolean, printed `true` or `false`.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.filled(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid(format!("{name} must be true or false"))),
        }
    }

    pub(crate) fn sid(&self, name: &str, kind: Kind) -> Result<Option<Sid>, ApiError> {
        let Some(text) = self.filled(name) else { return Ok(None) };
        match Sid::parse(kind, text) {
            Some(sid) => Ok(Some(sid)),
            None => Err(ApiError::invalid(format!("{name} is not a valid {} SID", kind.prefix()))),
        }
    }

    /// A point in time, ISO 8601, in milliseconds.
    pub(crate) fn date(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.filled(name) else { return Ok(None) };
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Some(at.as_millisecond())),
            Err(_) => Err(ApiError::invalid(format!("{name} must be an ISO 8601 date and time in GMT"))),
        }
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    #[test]
    fn refuses_what_is_not_documented() {
        let params = Params::parse(b"PageSize=5&Foo=1");
        let error = params.only(&["PageSize"]).unwrap_err();
        assert_eq!((error.status, error.refusal), (400, Refusal::UnknownParameter));
        assert!(params.only(&["PageSize", "Foo"]).is_ok());
    }

    #[test]
    fn reads_values() {
        let params = Params::parse(b"A=1&A=2&B=&C=2026-01-01T00%3A00%3A00Z&D=nope");
        assert_eq!(params.all("A").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(params.integer("A", 1..=5).unwrap(), Some(1));
        assert!(params.integer("A", 2..=5).is_err());
        assert_eq!(params.filled("B"), None);
        assert!(params.has("B"));
        assert_eq!(params.date("C").unwrap(), Some(1_767_225_600_000));
        assert!(params.date("D").is_err() && params.boolean("D").is_err());
    }
}
