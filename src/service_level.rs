//! Service levels have three common meanings, which differ by who counts as served; so each has a name, and a number
//! never stands without it.

use serde::{Deserialize, Serialize};

/// Which Tasks form the denominator of the share that was accepted within a threshold.
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

/// The threshold in seconds of the first service level in a formula, where it stands there as a number or is chosen as the
/// default metric does: the second of those that are configured.
pub fn threshold_in(formula: &str, configured: &[u32]) -> Option<u32> {
    let (_, arguments) = formula.split_once("sla(")?;
    let mut depth = 0;
    let comma = arguments.find(|c: char| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        depth == 0 && c == ','
    })?;
    let threshold = arguments[comma + 1..].trim_start();
    if threshold.starts_with("t[1] ?? t[0]") {
        return configured.get(1).or(configured.first()).copied();
    }
    let digits = threshold.find(|c: char| !c.is_ascii_digit()).unwrap_or(threshold.len());
    threshold[..digits].parse().ok()
}

fn names(formula: &str, name: &str) -> bool {
    ['\'', '"', '`'].into_iter().any(|quote| formula.contains(&format!("{quote}{name}{quote}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_that_a_formula_shows() {
        let threshold = |formula| threshold_in(formula, &[20, 60, 120]);
        assert_eq!(threshold("sla(data.workspace, 45)"), Some(45));
        assert_eq!(threshold("100 - sla(queue('WQ1', 2)[0], 30, 'all-waited')"), Some(30));
        assert_eq!(threshold("((t) => sla(data.workspace, t[1] ?? t[0]))(x)"), Some(60));
        assert_eq!(threshold_in("sla(data.workspace, t[1] ?? t[0])", &[20]), Some(20));
        assert_eq!(threshold("sla(data.workspace, limit)"), None);
        assert_eq!(threshold("data.queues.length"), None);
    }

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
            let (_, all) = level.label().split_once("accepted in time / ").unwrap();
            let mut others = ServiceLevel::ALL.into_iter().filter(|other| *other != level);
            assert!(!all.is_empty() && others.all(|other| other.label() != level.label()), "{all}");
        }
    }
}
