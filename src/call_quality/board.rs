//! The dashboard's view of poor call quality: the newest reports, and each agent's number today (pure).

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const MOST_RECENT: usize = 50;
/// Most agents that are counted a day: a Workspace may have 15,000 Workers, and the view must stay small.
const MOST_AGENTS: usize = 2_000;

/// One report. Its numbers are masked already.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    pub(super) at: Timestamp,
    pub(super) agent: String,
    pub(super) caller_id: String,
    pub(super) dnis: String,
    pub(super) issues: String,
    pub(super) action: Cow<'static, str>,
}

#[derive(Debug, Default)]
pub(super) struct AlertBoard {
    recent: VecDeque<Alert>,
    /// When the counted day began.
    since: Option<Timestamp>,
    today: u64,
    agents: BTreeMap<String, u64>,
}

impl AlertBoard {
    /// Resets the counters on a new day.
    pub(super) fn turn(&mut self, today: Timestamp) {
        if self.since != Some(today) {
            (self.since, self.today) = (Some(today), 0);
            self.agents.clear();
        }
    }

    pub(super) fn add(&mut self, alert: Alert) {
        // One that another replica took may be of the day before.
        let of_today = self.since.is_none_or(|since| alert.at >= since);
        self.today += u64::from(of_today);
        if of_today && (self.agents.len() < MOST_AGENTS || self.agents.contains_key(&alert.agent)) {
            *self.agents.entry(alert.agent.clone()).or_default() += 1;
        }
        self.recent.truncate(MOST_RECENT - 1);
        self.recent.push_front(alert);
    }

    /// The part of the feed: agents with most alerts first, newest alerts first.
    pub(super) fn shown(&self) -> Value {
        let mut agents: Vec<_> = self.agents.iter().collect();
        agents.sort_by_key(|(_, today)| std::cmp::Reverse(**today));
        let agents: Vec<_> =
            agents.iter().map(|(agent, today)| json!({ "agent": agent, "today": today })).collect();
        json!({ "today": self.today, "agents": agents, "recent": self.recent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(agent: &str, n: usize) -> Alert {
        Alert {
            at: Timestamp::from_second(86_400).unwrap(),
            agent: agent.to_owned(),
            caller_id: "…0100".to_owned(),
            dnis: "…0199".to_owned(),
            issues: format!("{n}"),
            action: "log-call".into(),
        }
    }

    #[test]
    fn the_newest_first_the_most_first_and_each_day_from_nought() {
        let mut board = AlertBoard::default();
        let day = |n: i64| Timestamp::from_second(n * 86_400).unwrap();
        board.turn(day(1));
        for n in 0..60 {
            board.add(alert(if n % 3 == 0 { "ann" } else { "bob" }, n));
        }
        let shown = board.shown();
        assert_eq!((&shown["today"], shown["recent"].as_array().unwrap().len()), (&json!(60), 50));
        assert_eq!(
            (&shown["recent"][0]["issues"], &shown["recent"][0]["callerId"]),
            (&json!("59"), &json!("…0100"))
        );
        assert_eq!(shown["agents"], json!([{"agent": "bob", "today": 40}, {"agent": "ann", "today": 20}]));
        board.turn(day(1));
        assert_eq!(board.shown(), shown);
        board.turn(day(2));
        let shown = board.shown();
        assert_eq!((&shown["today"], &shown["agents"]), (&json!(0), &json!([])));
        assert_eq!(shown["recent"].as_array().unwrap().len(), 50, "recent is recent");
    }
}
