//! The doctor's report: a line for each check, and below each fault the command that fixes it; or the same as JSON.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::VERSION;

/// Column width: the longest name fits.
const NAME_WIDTH: usize = 20;
const STATE_WIDTH: usize = 7;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CheckState {
    /// The thing checked is as it should be.
    Right,
    /// It works, but an operator may want to change it.
    Note,
    /// It does not work.
    Wrong,
    /// Not checked, because an earlier check failed.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) state: CheckState,
    /// What was found; no secrets.
    pub(super) found: String,
    /// Lines that mend it: each is a remark, or a command or setting that can be copied as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

/// All checks, in the order of the report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The version of this program.
    version: &'static str,
    /// Whether nothing is wrong.
    healthy: bool,
    checks: Vec<Check>,
}

impl Check {
    pub(super) fn right(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: CheckState::Right, found: found.into(), mend: None }
    }

    /// With the lines that change what is right as it is.
    pub(super) fn with_way(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }

    pub(super) fn note(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, state: CheckState::Note, found: found.into(), mend: Some(mend.into()) }
    }

    pub(super) fn wrong(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, state: CheckState::Wrong, found: found.into(), mend: Some(mend.into()) }
    }

    pub(super) fn skipped(name: &'static str, because: &str) -> Self {
        Self {
            name,
            state: CheckState::Skipped,
            found: format!("not checked, because of the {because}"),
            mend: None,
        }
    }

    pub(super) fn unknown(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: CheckState::Skipped, found: found.into(), mend: None }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.state == CheckState::Wrong
    }
}

impl Report {
    pub(super) fn new(checks: Vec<Check>) -> Self {
        Self { version: VERSION, healthy: !checks.iter().any(Check::is_wrong), checks }
    }

    /// How many things are wrong.
    pub(super) fn wrong(&self) -> usize {
        self.count(CheckState::Wrong)
    }

    fn count(&self, state: CheckState) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }

    /// The report as JSON, for programs.
    pub(super) fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, state, found, mend } in &self.checks {
            let state = match state {
                CheckState::Right => "ok",
                CheckState::Note => "warn",
                CheckState::Wrong => "FAIL",
                CheckState::Skipped => "skipped",
            };
            writeln!(f, "{state:STATE_WIDTH$}  {name:NAME_WIDTH$}  {found}")?;
            if let Some(mend) = mend {
                let mut lines = String::new();
                for line in mend.lines() {
                    write!(lines, "\n{:1$}    {line}", "", STATE_WIDTH + NAME_WIDTH)?;
                }
                writeln!(f, "{}", lines.trim_start_matches('\n'))?;
            }
        }
        let [right, notes, wrong] =
            [CheckState::Right, CheckState::Note, CheckState::Wrong].map(|state| self.count(state));
        write!(f, "taskrouter-sync {VERSION}: {right} ok, {notes} warn, {wrong} fail")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_with_what_mends_it() {
        let report =
            Report::new(vec![Check::right("clock", "fine"), Check::wrong("workspace", "gone", "do this")]);
        assert_eq!(
            report.to_string(),
            format!(
                "ok       clock                 fine\n\
                 FAIL     workspace             gone\n                               do this\n\
                 taskrouter-sync {VERSION}: 1 ok, 0 warn, 1 fail"
            )
        );
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["healthy"], false);
        assert_eq!(json["checks"][1]["mend"], "do this");
    }
}
