//! The formulas' data, told to the engine piece by piece: only what changed since it was told last.

use std::sync::Arc;

use crate::formula::process::Source;
use crate::formula::protocol::Data;
use crate::layout::FormulaData;
use crate::stats::Snapshot;

/// What the engine was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    snapshot: Option<Arc<Snapshot>>,
    with_queues: bool,
}

/// One telling.
#[derive(Debug)]
pub(super) struct Telling<'a> {
    pub(super) told: &'a mut Told,
    pub(super) data: &'a FormulaData,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) with_queues: bool,
}

impl Source for Telling<'_> {
    fn all(&mut self) -> Data {
        *self.told = Told::default();
        self.changes().unwrap_or_default()
    }

    fn changes(&mut self) -> Option<Data> {
        // Once told of, TaskQueues are kept up to date: going back would only mean telling of them again.
        let with_queues = self.with_queues || self.told.with_queues;
        if with_queues != self.told.with_queues {
            self.told.snapshot = None;
        }
        let data = self.data.since(self.told.snapshot.as_deref(), self.snapshot, with_queues);
        *self.told = Told { snapshot: Some(self.snapshot.clone()), with_queues };
        data
    }
}

/// Whether a formula may look at TaskQueues; when in doubt it does.
pub(super) fn looks_at_queues(formula: &str) -> bool {
    let elsewhere = |(at, word): (usize, &str)| {
        let rest = formula[at + word.len()..].trim_start().trim_start_matches('?').trim_start();
        !rest.strip_prefix('.').is_some_and(|rest| rest.trim_start().starts_with("workspace"))
    };
    // `\u` can spell any name.
    formula.contains("queues") || formula.contains("\\u") || formula.match_indices("data").any(elsewhere)
}

#[cfg(test)]
mod tests {
    use super::looks_at_queues;

    #[test]
    fn only_what_surely_looks_at_the_workspace_alone_goes_without_queues() {
        for formula in
            ["data.workspace.realtime", "data?.workspace_statistics", "1 + 1", "data . workspace.x"]
        {
            assert!(!looks_at_queues(formula), "{formula}");
        }
        for formula in
            ["data.queues", "data['que' + 'ues']", "Object.values(data)", "d\\u0061ta.workspace", "(data)"]
        {
            assert!(looks_at_queues(formula), "{formula}");
        }
    }
}
