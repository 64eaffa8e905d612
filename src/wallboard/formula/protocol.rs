//! The protocol between the service and the formula process: one JSON object per line. A request for values is answered by
//! one line per formula, so that the service knows which formula ran when the process died.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The fault of a formula that takes too much memory.
pub const OUT_OF_MEMORY: &str = "the formula takes more than 8 MiB of memory";
/// The fault of a formula that takes too much time.
pub const TOO_LONG: &str = "the formula takes longer than 10 ms (and 10 ms for each 1,000 TaskQueues)";
/// The fault of a formula that does not return.
pub const NO_END: &str = "the formula does not end";
/// The fault of an asynchronous formula.
pub const LATER: &str = "the formula is asynchronous; its result must be there at once";
pub const CRASHED: &str = "the formula crashed the formula engine; it is tried again later and later";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum FormulaRequest {
    /// Replaces the formulas. Not answered: an invalid one reports its error when it is evaluated.
    Formulas(Vec<Formula>),
    Data(DataChange),
    /// Evaluate the formulas at these places. Answered by a [`Reply::Value`] for each in turn; or by [`Reply::Lost`] or
    /// [`Reply::Failed`], after which the process ends.
    Evaluate(Vec<usize>),
    /// Compile this one and forget it. Answered like an evaluation of one, with nothing for a good formula.
    Check(Formula),
    /// Compile and evaluate this one, and forget it. Answered like an evaluation of one.
    Try(Formula),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formula {
    /// An ECMAScript expression over `data`.
    pub source: Arc<str>,
    /// The default rule of `sla(…)`, if neither the formula nor the TaskQueue has one.
    pub usual_sla: Arc<str>,
    /// The rule of `sla(…)` in this formula, whatever the TaskQueue's.
    pub own_sla: Option<Arc<str>>,
}

/// The data of formulas; absent parts stay as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DataChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Box<RawValue>>,
    /// TaskQueues that changed, by SID.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<String, Box<RawValue>>,
    /// SIDs of all TaskQueues, in order; absent when they are the same as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
    /// Whether more pieces follow; formulas see the data once the last has arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    Value(usize, Result<FormulaOutcome, Fault>),
    /// The formula at this place of the request forced the process to end.
    Lost(usize, Fault),
    /// The process can't continue, through no formula's fault.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FormulaOutcome {
    /// `null`: no value, which is not a fault.
    Nothing,
    /// A flag: `true` or `false`.
    Flag(bool),
    Number(f64),
    Text(String),
    /// A value that ECMAScript makes no number of, such as `NaN` or a list, and how it is shown: it passes no threshold.
    NoNumber {
        shown: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub message: String,
    /// Line in the formula, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Column in that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

impl Fault {
    /// A fault without a place in the formula.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: None, column: None }
    }

    /// Whether the formula used too much to be tried again at once.
    pub fn overstayed(&self) -> bool {
        matches!(self.message.as_str(), OUT_OF_MEMORY | TOO_LONG)
    }

    /// Whether the process ended because of the formula; such a formula is not stored.
    pub fn ended_the_process(&self) -> bool {
        matches!(self.message.as_str(), NO_END | LATER | CRASHED)
    }
}
