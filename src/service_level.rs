//! Service levels have three common meanings, which differ by who counts as served; so each has a name, and a number
//! never stands without it.

use serde::{Deserialize, Serialize};

/// The share of accepted Tasks that were accepted within a threshold, of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceLevel {
    #[default]
    Accepted,
    /// Of those that were accepted, and those abandoned after the threshold.
    AcceptedOrLateAbandoned,
    /// Of all that waited, but those abandoned before the threshold.
    AllWaited,
}

impl ServiceLevel {
    pub const ALL: [Self; 3] = [Self::Accepted, Self::AcceptedOrLateAbandoned, Self::AllWaited];

    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedOrLateAbandoned => "accepted-or-late-abandoned",
            Self::AllWaited => "all-waited",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted in time / accepted",
            Self::AcceptedOrLateAbandoned => "accepted in time / accepted or abandoned late",
            Self::AllWaited => "accepted in time / all who waited, short abandons left out",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Which one a formula shows, if it shows any: the one it names, or else the usual one.
    pub fn shown_by(formula: &str, usual: Self) -> Option<Self> {
        let named = || Self::ALL.into_iter().rev().find(|level| names(formula, level.name()));
        formula.contains("sla(").then(|| named().unwrap_or(usual))
    }
}

fn names(formula: &str, name: &str) -> bool {
    ['\'', '"', '`'].into_iter().any(|quote| formula.contains(&format!("{quote}{name}{quote}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_names_the_service_level_it_shows() {
        let shown = |formula| ServiceLevel::shown_by(formula, ServiceLevel::Accepted);
        assert_eq!(shown("data.queues.length"), None);
        assert_eq!(shown("sla(data.workspace, 60)"), Some(ServiceLevel::Accepted));
        assert_eq!(shown("sla(data.workspace, 60, 'all-waited')"), Some(ServiceLevel::AllWaited));
        assert_eq!(
            shown("sla(data.workspace, 60, \"accepted-or-late-abandoned\")"),
            Some(ServiceLevel::AcceptedOrLateAbandoned)
        );
        for level in ServiceLevel::ALL {
            assert_eq!(ServiceLevel::named(level.name()), Some(level));
        }
    }
}
