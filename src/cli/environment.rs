//! Where values come from: the process environment, and behind it a `.env` file in the working directory.

use std::collections::HashMap;

use crate::config::{Config, ConfigError, Problem, Unread, unread};
use crate::server;

/// The values.
#[derive(Default)]
pub struct Environment {
    file: HashMap<String, String>,
}

/// The `.env` file is there and can't be read. Its text is never shown, since it holds secrets.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// A line is not an assignment.
    #[error(".env: line {0} can't be understood; expected NAME=value, with quotes around values with spaces")]
    Line(usize),
    /// It is not text.
    #[error(".env can't be understood; expected lines of NAME=value, in UTF-8")]
    Unclear,
    /// The file can't be opened.
    #[error(".env can't be read: {0}")]
    Unreadable(std::io::Error),
}

impl Environment {
    /// Reads `.env` where there is one.
    pub fn load() -> Result<Self, EnvFileError> {
        let text = match std::fs::read(".env") {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(EnvFileError::Unreadable(error)),
        };
        Self::read(&text)
    }

    fn read(text: &[u8]) -> Result<Self, EnvFileError> {
        let entries = dotenvy::from_read_iter(text).collect::<Result<_, _>>();
        Ok(Self { file: entries.map_err(|error| unclear(text, &error))? })
    }

    /// The service's configuration.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        let config = Config::read(&|name| self.value(name))?;
        let prefix = config.server.public_url.prefix();
        if server::is_own_path(prefix) {
            let problem = Problem {
                variable: "PUBLIC_URL",
                found: format!("a URL with the path {prefix}, which is one of the service's own"),
                expected: "what stands before those, such as https://hooks.example.com".to_owned(),
            };
            return Err(ConfigError { problems: vec![problem] });
        }
        Ok(config)
    }

    /// Which names were set in vain.
    pub(super) fn unread(&self) -> Unread {
        let names: Vec<String> =
            std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
        let is_set = |name: &str| self.value(name).is_some_and(|value| !value.trim().is_empty());
        unread(names.iter().map(String::as_str), self.file.keys().map(String::as_str), is_set)
    }

    /// The value of a variable; the environment wins over the file.
    pub fn value(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().or_else(|| self.file.get(name).cloned())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("from_file", &self.file.len()).finish()
    }
}

/// Finds the line that the library stumbled over, which it tells by its text alone.
fn unclear(text: &[u8], error: &dotenvy::Error) -> EnvFileError {
    let dotenvy::Error::LineParse(line, _) = error else { return EnvFileError::Unclear };
    let text = String::from_utf8_lossy(text);
    // One with an open quote goes on over the lines below it, and is told with them.
    let first = line.lines().next().unwrap_or_default().trim();
    let place = |is_it: fn(&str, &str) -> bool| {
        text.lines().position(|line| !first.is_empty() && is_it(line.trim(), first))
    };
    // Of some lines it tells the value alone.
    place(|line, told| line == told)
        .or_else(|| place(|line, told| line.ends_with(told)))
        .map_or(EnvFileError::Unclear, |place| EnvFileError::Line(place + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_assignment_is_named_by_its_number() {
        for (text, line) in [
            ("A=1\n\ngarbage line\nB=2", 3),
            ("A=1\nSLA_THRESHOLDS=30, 60, 120", 2),
            ("# c\nA=1\nB='open\nC=3", 3),
            ("A=1\r\nX=a b\r\n", 2),
        ] {
            let error = Environment::read(text.as_bytes()).unwrap_err();
            assert!(matches!(error, EnvFileError::Line(found) if found == line), "{text:?}: {error}");
        }
    }

    #[test]
    fn values_may_be_quoted() {
        let read = Environment::read(b"TASKROUTER_A='a $b #c'\n# comment\nTASKROUTER_B=\"x y\"").unwrap();
        assert_eq!(read.value("TASKROUTER_A").as_deref(), Some("a $b #c"));
        assert_eq!(read.value("TASKROUTER_B").as_deref(), Some("x y"));
    }
}
