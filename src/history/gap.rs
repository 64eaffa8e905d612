//! Times of which nothing is known.

use serde::Serialize;

/// Why nothing is known. The numbers stand in stored data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum GapReason {
    #[serde(rename = "not running")]
    NotRunning,
    #[serde(rename = "not read")]
    NotRead,
    #[serde(rename = "not stored")]
    NotStored,
}

impl GapReason {
    const ALL: [Self; 3] = [Self::NotRunning, Self::NotRead, Self::NotStored];

    pub(super) fn number(self) -> i64 {
        Self::ALL.iter().position(|reason| *reason == self).and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
    }

    pub(super) fn of(number: i64) -> Self {
        let known = usize::try_from(number).ok().and_then(|at| Self::ALL.get(at));
        known.copied().unwrap_or(Self::NotStored)
    }
}

/// From the last known moment to the next, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    pub from: i64,
    pub to: i64,
    pub reason: GapReason,
}

impl Gap {
    /// Whether nothing is known of this moment: the gap's ends are known.
    pub(super) fn hides(&self, moment: i64) -> bool {
        self.from < moment && moment < self.to
    }
}
