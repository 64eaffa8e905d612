//! The formulas' data, sent to the engine in pieces: only what changed since the last time, and only what any formula uses.

use std::sync::Arc;

use super::formula_data::FormulaData;
use crate::sid::TaskQueueSid;
use crate::stats::Snapshot;
use crate::wallboard::formula::process::Source;
use crate::wallboard::formula::protocol::DataChange;

const PIECE: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum LookUp {
    #[default]
    Workspace,
    /// The Workspace and TaskQueues' realtime values.
    Realtime,
    All,
}

#[derive(Debug, Default)]
pub(super) struct Told {
    snapshot: Option<Arc<Snapshot>>,
    look: LookUp,
}

#[derive(Debug)]
pub(super) struct Telling<'a> {
    told: &'a mut Told,
    data: &'a FormulaData,
    snapshot: &'a Arc<Snapshot>,
    look: LookUp,
    first: Option<DataChange>,
    moved: std::vec::IntoIter<TaskQueueSid>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(
        told: &'a mut Told,
        data: &'a FormulaData,
        snapshot: &'a Arc<Snapshot>,
        look: LookUp,
    ) -> Self {
        Self { told, data, snapshot, look, first: None, moved: Vec::new().into_iter() }
    }
}

impl Source for Telling<'_> {
    fn begin(&mut self, all: bool) {
        if all {
            *self.told = Told::default();
        }
        // Data once sent to the engine is kept current: to leave it out would only mean sending it again.
        let look = self.look.max(self.told.look);
        let last = self.told.snapshot.take();
        let (last, next) = (last.as_deref(), &**self.snapshot);
        let workspace = self.data.workspace_since(last, next);
        let last = last.filter(|_| look == self.told.look);
        let (mut moved, mut order) = (Vec::new(), None);
        if look > LookUp::Workspace {
            moved = FormulaData::moved(last, next);
            let same = last.is_some_and(|last| last.queues.keys().eq(next.queues.keys()));
            order = (!same).then(|| next.queues.keys().map(ToString::to_string).collect());
        }
        let news = all || workspace.is_some() || order.is_some() || !moved.is_empty();
        self.first = news.then(|| DataChange { workspace, order, ..DataChange::default() });
        self.moved = moved.into_iter();
        *self.told = Told { snapshot: Some(self.snapshot.clone()), look };
    }

    fn next(&mut self) -> Option<DataChange> {
        let mut piece = match self.first.take() {
            Some(first) => first,
            None if self.moved.len() == 0 => return None,
            None => DataChange::default(),
        };
        let with_cumulative = self.told.look == LookUp::All;
        for sid in self.moved.by_ref().take(PIECE) {
            let state = self.snapshot.queues.get(&sid);
            let text = state.and_then(|state| self.data.queue_text(state, with_cumulative));
            piece.queues.extend(text.map(|text| (sid.to_string(), text)));
        }
        piece.more = self.moved.len() > 0;
        Some(piece)
    }
}

/// Which data a formula may use; more rather than less where that is unclear.
pub(super) fn look_of(formula: &str) -> LookUp {
    // Escapes can spell any name.
    if formula.contains("\\u") || formula.contains("\\x") {
        return LookUp::All;
    }
    let after = |(at, word): (usize, &str)| {
        formula[at + word.len()..].trim_start().trim_start_matches('?').trim_start().strip_prefix('.')
    };
    let looks = formula.match_indices("data").map(|found| match after(found).map(str::trim_start) {
        Some(rest) if rest.starts_with("workspace") => LookUp::Workspace,
        Some(rest) if rest.starts_with("queues") || rest.starts_with("realtime") => LookUp::Realtime,
        _ => LookUp::All,
    });
    let furthest = looks.max().unwrap_or_default();
    // `queue("WQ…")` returns all of a TaskQueue's data.
    if formula
        .match_indices("queue")
        .any(|(at, word)| formula[at + word.len()..].trim_start().starts_with('('))
    {
        return LookUp::All;
    }
    let named = if formula.contains("queue") { LookUp::Realtime } else { LookUp::Workspace };
    match furthest.max(named) {
        // A service level is computed from cumulative values.
        LookUp::Realtime if formula.contains("sla") => LookUp::All,
        look => look,
    }
}

#[cfg(test)]
mod tests {
    use super::{LookUp, look_of};

    #[test]
    fn only_what_surely_looks_no_further_goes_without() {
        for formula in
            ["data.workspace.realtime", "data?.workspace_statistics", "1 + 1", "data . workspace.x"]
        {
            assert_eq!(look_of(formula), LookUp::Workspace, "{formula}");
        }
        assert_eq!(look_of("sla(data.workspace, 60)"), LookUp::Workspace);
        for formula in ["data.queues.length", "data.queues.map((q) => q.data?.realtime.total_tasks)"] {
            assert_eq!(look_of(formula), LookUp::Realtime, "{formula}");
        }
        for formula in [
            "data.queues[0].data.cumulative.tasks_entered",
            "data.queues.map((q) => sla(q, 60))",
            "data['que' + 'ues']",
            "Object.values(data)",
            "d\\u0061ta.workspace",
            "data.queues.map(({ data: d }) => d)",
            "data.queues.map((q) => q['data'])",
            "queue('WQ1').data.realtime.total_tasks",
            "queue ('WQ1').friendlyName",
        ] {
            assert_eq!(look_of(formula), LookUp::All, "{formula}");
        }
    }
}
