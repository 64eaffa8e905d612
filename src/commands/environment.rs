//! Where values come from: the process environment, and behind it a `.env` file in the working directory.

use std::collections::HashMap;

/// The values.
#[derive(Default)]
pub struct Environment {
    file: HashMap<String, String>,
}

/// The `.env` file is there and can't be read. Its text is never shown, since it holds secrets.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// A line is not an assignment.
    #[error(".env: a line can't be understood; expected NAME=value, with quotes around values with spaces")]
    Line,
    /// The file can't be opened.
    #[error(".env can't be read: {0}")]
    Unreadable(std::io::Error),
}

impl Environment {
    /// Reads `.env` where there is one.
    pub fn load() -> Result<Self, EnvFileError> {
        let entries = match dotenvy::from_path_iter(".env") {
            Ok(entries) => entries,
            Err(error) if error.not_found() => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { file: entries.collect::<Result<_, _>>()? })
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

impl From<dotenvy::Error> for EnvFileError {
    fn from(error: dotenvy::Error) -> Self {
        match error {
            dotenvy::Error::Io(error) => Self::Unreadable(error),
            _ => Self::Line,
        }
    }
}
