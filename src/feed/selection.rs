//! A watcher's selection: all TaskQueues or some, all TaskChannels or some.
//!
//! A TaskQueue that is not wanted is left out whole. Of a TaskChannel that is not wanted the members
//! `realTimeStats_<channel>` and `cumulativeStats_<channel>` are left out of every item; the sum over the channels stays.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::sid::TaskQueueSid;

/// TaskQueues that one watcher may name: as many as a Workspace can have (Twilio's limit).
const MOST_QUEUES: usize = 5_000;
/// Characters of an unknown name in the error message.
const LONGEST_SHOWN: usize = 64;
const MEMBERS: [&str; 2] = ["realTimeStats_", "cumulativeStats_"];
const SUM: &str = "all";

/// A choice; by default everything. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    queues: Option<Arc<BTreeSet<TaskQueueSid>>>,
    channels: Option<Arc<BTreeSet<String>>>,
}

/// The invalid part of a selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSelection {
    #[error("queues must be SIDs of TaskQueues (WQ and 32 hexadecimal digits), at most {MOST_QUEUES}")]
    Queues,
    #[error("channels: there are no statistics of {unknown:?}; STATS_CHANNELS names {}", .known.join(", "))]
    Channel {
        /// The first one, shortened.
        unknown: String,
        known: Vec<String>,
    },
}

impl Selection {
    /// Only these, where given. A TaskQueue that is not there is no error, since it may come to be; a
    /// TaskChannel must be `known`.
    pub fn of<S: AsRef<str>>(
        queues: Option<&[S]>,
        channels: Option<&[S]>,
        known: &[String],
    ) -> Result<Self, BadSelection> {
        let sids = |sids: &[S]| sids.iter().map(|sid| sid.as_ref().parse()).take(MOST_QUEUES + 1).collect();
        let queues: Option<Result<BTreeSet<TaskQueueSid>, _>> = queues.map(sids);
        let queues = queues.transpose().map_err(|_| BadSelection::Queues)?;
        let name = |name: &S| match name.as_ref() {
            SUM => Ok(SUM.to_owned()),
            name if known.iter().any(|known| known == name) => Ok(name.to_owned()),
            name => {
                let unknown = name.chars().take(LONGEST_SHOWN).collect();
                Err(BadSelection::Channel { unknown, known: known.to_vec() })
            }
        };
        let channels = channels.map(|names| names.iter().map(name).collect::<Result<BTreeSet<_>, _>>());
        let channels = channels.transpose()?;
        if queues.as_ref().is_some_and(|queues| queues.len() > MOST_QUEUES) {
            return Err(BadSelection::Queues);
        }
        Ok(Self { queues: queues.map(Arc::new), channels: channels.map(Arc::new) })
    }

    pub(super) fn wants(&self, queue: &TaskQueueSid) -> bool {
        self.queues.as_ref().is_none_or(|queues| queues.contains(queue))
    }

    pub(super) fn shown<'a>(&self, item: &'a str) -> Cow<'a, str> {
        let Some(channels) = &self.channels else { return Cow::Borrowed(item) };
        let wanted = |member: &str| {
            let channel = MEMBERS.iter().find_map(|prefix| member.strip_prefix(prefix));
            channel.is_none_or(|channel| channel == SUM || channels.contains(channel))
        };
        let cut = || {
            let mut members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(item)?;
            members.retain(|member, _| wanted(member));
            serde_json::to_string(&members)
        };
        // Items are our own objects, so this does not fail; if it did, more would be shown and not less.
        cut().map_or(Cow::Borrowed(item), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(queues: Option<&'static str>, channels: Option<&'static str>) -> Result<Selection, BadSelection> {
        let parts = |text: Option<&'static str>| text.map(|text| text.split(',').collect::<Vec<_>>());
        let known = ["voice", "chat"].map(str::to_owned);
        Selection::of(parts(queues).as_deref(), parts(channels).as_deref(), &known)
    }

    #[test]
    fn leaves_out_what_is_not_wanted() {
        let [a, b] = ["WQ00000000000000000000000000000001", "WQ00000000000000000000000000000002"];
        let some = of(Some(a), Some("voice")).unwrap();
        assert!(some.wants(&a.parse().unwrap()) && !some.wants(&b.parse().unwrap()));
        let item = json!({
            "sid": a, "realTimeStats_all": {"x": 1}, "realTimeStats_voice": 1, "realTimeStats_chat": 2,
            "cumulativeStats_chat": 3, "realTimeStatsMessage": "m",
        });
        let shown: Value = serde_json::from_str(&some.shown(&item.to_string())).unwrap();
        let kept = json!({ "sid": a, "realTimeStats_all": {"x": 1}, "realTimeStats_voice": 1, "realTimeStatsMessage": "m" });
        assert_eq!(shown, kept);
        let all = Selection::default();
        assert_eq!((all.wants(&b.parse().unwrap()), &*all.shown("{}")), (true, "{}"));
    }

    #[test]
    fn refuses_what_names_nothing() {
        assert_eq!(of(Some("WQ1"), None), Err(BadSelection::Queues));
        let told = of(None, Some("voice,nope")).unwrap_err().to_string();
        assert_eq!(told, "channels: there are no statistics of \"nope\"; STATS_CHANNELS names voice, chat");
        assert!(of(None, Some("chat,all")).is_ok(), "the sum is always there");
    }
}
