//! Which Calls agents may place.

use super::parse::{numbers, prefixes};
use super::reader::VariableReader;
use super::variables as var;
use crate::sid::WorkflowSid;

const MOST_CALLER_IDS: usize = 100;

/// The rules for Calls; without `TWILIO_OUTBOUND_WORKFLOW_SID` agents can place none.
#[derive(Debug, Clone)]
pub struct DiallingConfig {
    /// `TWILIO_OUTBOUND_WORKFLOW_SID`: where answered Calls go.
    pub workflow: WorkflowSid,
    /// `OUTBOUND_CALLER_IDS`: the numbers that may be shown.
    pub caller_ids: Vec<String>,
    /// `OUTBOUND_PREFIXES`: how the numbers that may be called begin. There is no default, since calls to some numbers are
    /// expensive, and a stolen token must not reach them.
    pub prefixes: Vec<String>,
    /// `OUTBOUND_CALLS_PER_MINUTE`: limit for each agent, default 10.
    pub calls_per_minute: u16,
}

impl DiallingConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        let per_minute = |s: &str| s.parse().ok().filter(|n| (1..=600).contains(n));
        let calls_per_minute = reader.or_default(&var::OUTBOUND_CALLS_PER_MINUTE, 10, per_minute);
        let caller_ids = |s: &str| numbers(s, MOST_CALLER_IDS);
        if !reader.is_set(&var::TWILIO_OUTBOUND_WORKFLOW_SID) {
            // Checked all the same, so that a mistake shows before Calls are switched on.
            let _ = reader.optional(&var::OUTBOUND_CALLER_IDS, caller_ids);
            let _ = reader.optional(&var::OUTBOUND_PREFIXES, prefixes);
            return None;
        }
        let workflow = reader.optional(&var::TWILIO_OUTBOUND_WORKFLOW_SID, |s| s.parse().ok());
        let missing: Vec<&str> = [&var::OUTBOUND_CALLER_IDS, &var::OUTBOUND_PREFIXES]
            .into_iter()
            .filter(|variable| !reader.is_set(variable))
            .map(|variable| variable.name)
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            reader.warn(format!(
                "agents can't place Calls: TWILIO_OUTBOUND_WORKFLOW_SID is set, but {missing} is not"
            ));
        }
        let caller_ids = reader.optional(&var::OUTBOUND_CALLER_IDS, caller_ids);
        let prefixes = reader.optional(&var::OUTBOUND_PREFIXES, prefixes);
        Some(Self { workflow: workflow?, caller_ids: caller_ids?, prefixes: prefixes?, calls_per_minute })
    }
}
