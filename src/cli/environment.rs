//! Where values come from: the process environment, and behind it a `.env` file in the working directory.

use super::env_file::{self, EnvFile, EnvFileProblem};
use crate::config::{Config, ConfigError, ConfigProblem, Unread, shadowed, unread};
use crate::server;

/// The variables of the process, and those of `.env`.
#[derive(Default)]
pub struct Environment {
    file: EnvFile,
}

/// The `.env` file exists but can't be used.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// A line is malformed.
    #[error(".env: {0}")]
    Problem(#[from] EnvFileProblem),
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
        Ok(Self { file: env_file::parse(text)? })
    }

    /// The service's configuration.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        let config = Config::read(&|name| self.value(name))?;
        let prefix = config.server.public_url.prefix();
        if server::is_own_path(prefix) {
            let problem = ConfigProblem {
                variable: "PUBLIC_URL",
                found: format!("a URL with the path {prefix}, which is one of the service's own"),
                expected: "what stands before those, such as https://hooks.example.com".to_owned(),
            };
            return Err(ConfigError { problems: vec![problem] });
        }
        Ok(config)
    }

    /// The names that are set without effect.
    pub(super) fn unread(&self) -> Unread {
        let names: Vec<String> =
            std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
        let is_set = |name: &str| self.value(name).is_some_and(|value| !value.trim().is_empty());
        let unread =
            unread(names.iter().map(String::as_str), self.file.values.keys().map(String::as_str), is_set);
        Unread { shadowed: shadowed(|name| self.value(name)), ..unread }
    }

    /// A sentence for each name that `.env` sets several times.
    pub(super) fn repeated(&self) -> impl Iterator<Item = String> {
        self.file.repeated.iter().map(|(name, lines)| {
            let all: Vec<String> = lines.iter().map(usize::to_string).collect();
            let last = all.last().map_or("", String::as_str);
            format!(".env sets {name} in lines {}; line {last} counts", all.join(", "))
        })
    }

    /// The value of a variable; the environment wins over the file. Bytes that are not UTF-8 come as U+FFFD, which the
    /// configuration refuses: a value that counted as absent would leave the default in force.
    pub fn value(&self, name: &str) -> Option<String> {
        let set = std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        set.or_else(|| self.file.values.get(name).cloned())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("from_file", &self.file.values.len()).finish()
    }
}
