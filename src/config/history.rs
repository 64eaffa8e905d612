//! Where the history is stored, and for how long.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::reader::VariableReader;
use super::variables as var;

const SQLITE: &str = "sqlite:";
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];
/// Ten years.
const LONGEST: u16 = 3660;

#[derive(Debug, Clone)]
pub struct HistoryConfig {
    /// `HISTORY_URL`, default `sqlite:data/history.db`; `None` for `off`.
    pub place: Option<HistoryPlace>,
    /// `HISTORY_DETAIL`: days for which each change is kept, default 35.
    pub detail_days: u16,
    /// `HISTORY_INTERVALS`: days for which quarter hours are kept, default 400.
    pub interval_days: u16,
}

/// The database of the history.
#[derive(Clone)]
pub enum HistoryPlace {
    /// One file; a relative path begins in the working directory.
    Sqlite(PathBuf),
    /// A URL, which may hold a password.
    Postgres(SecretString),
}

impl fmt::Debug for HistoryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres"),
        }
    }
}

impl PartialEq for HistoryPlace {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(a), Self::Sqlite(b)) => a == b,
            (Self::Postgres(a), Self::Postgres(b)) => a.expose_secret() == b.expose_secret(),
            _ => false,
        }
    }
}

impl HistoryConfig {
    pub fn is_a_file(&self) -> bool {
        matches!(self.place, Some(HistoryPlace::Sqlite(_)))
    }

    pub(super) fn read(reader: &mut VariableReader<'_>) -> Self {
        let usual = Some(HistoryPlace::Sqlite(PathBuf::from("data/history.db")));
        let days = |text: &str| text.parse().ok().filter(|days| (1..=LONGEST).contains(days));
        Self {
            place: reader.or_default(&var::HISTORY_URL, usual, place),
            detail_days: reader.or_default(&var::HISTORY_DETAIL, 35, days),
            interval_days: reader.or_default(&var::HISTORY_INTERVALS, 400, days),
        }
    }
}

fn place(text: &str) -> Option<Option<HistoryPlace>> {
    if text == "off" {
        return Some(None);
    }
    if let Some(path) = text.strip_prefix(SQLITE) {
        let path = path.strip_prefix("//").unwrap_or(path);
        let is_file = !path.is_empty() && !path.ends_with('/') && !path.contains([':', '?', '\0']);
        return is_file.then(|| Some(HistoryPlace::Sqlite(path.into())));
    }
    let is_postgres =
        POSTGRES.iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    is_postgres.then(|| Some(HistoryPlace::Postgres(text.to_owned().into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_a_postgres_or_off() {
        let file = |path: &str| Some(Some(HistoryPlace::Sqlite(path.into())));
        assert_eq!(place("off"), Some(None));
        assert_eq!(place("sqlite:data/history.db"), file("data/history.db"));
        assert_eq!(place("sqlite:/var/lib/h.db"), file("/var/lib/h.db"));
        assert_eq!(place("sqlite:///var/lib/h.db"), file("/var/lib/h.db"));
        assert!(matches!(place("postgres://u:p@db/h"), Some(Some(HistoryPlace::Postgres(_)))));
        for bad in
            ["", "on", "sqlite:", "sqlite::memory:", "sqlite:data/", "mysql://x", "postgres://", "data/x.db"]
        {
            assert_eq!(place(bad), None, "{bad}");
        }
        let shown = format!("{:?}", place("postgres://u:hidden@db/h"));
        assert!(!shown.contains("hidden"));
    }
}
