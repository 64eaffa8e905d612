//! What replicas that share the work need to have in common, by the variables' names and their values as they were read.
//!
//! Whichever replica leads writes by its own configuration, so what is in Sync would change with the leader. Only what
//! anybody may see is listed: no secrets, no numbers, and not where Twilio is, which may differ by the way there.

use std::time::Duration;

use super::Config;
use super::variables as var;

impl Config {
    /// Each such variable with its value, written the same however it was given.
    pub fn in_common(&self) -> Vec<(&'static str, String)> {
        let (statistics, sync, refresh) = (&self.core.statistics, &self.core.sync, &self.core.refresh);
        let listed = |parts: &mut dyn Iterator<Item = String>| parts.collect::<Vec<_>>().join(",");
        let mut layouts = sync.layouts.clone();
        layouts.sort_unstable();
        let of_queues = &mut statistics.service_levels.iter();
        let mut values = vec![
            (&var::PUBLIC_URL, self.server.public_url.to_string()),
            (&var::TWILIO_ACCOUNT_SID, self.core.twilio.account_sid.to_string()),
            (
                &var::TWILIO_API_KEY,
                if self.core.twilio.api_key.is_some() { "some" } else { "none" }.to_owned(),
            ),
            (&var::DASHBOARD_TIMEZONE, statistics.time_zone.iana_name().unwrap_or("UTC").to_owned()),
            (&var::STATS_DAY_START, statistics.day_start.to_string()),
            (&var::STATS_CHANNELS, statistics.channels.join(",")),
            (&var::SLA_THRESHOLDS, listed(&mut statistics.sla_thresholds.iter().map(u32::to_string))),
            (&var::SLA_NAME, statistics.service_level.name().to_owned()),
            (
                &var::SLA_NAMES_OF_QUEUES,
                listed(&mut of_queues.map(|(queue, level)| format!("{queue}={}", level.name()))),
            ),
            (&var::SYNC_LAYOUTS, listed(&mut layouts.iter().map(|layout| layout.as_str().to_owned()))),
            (&var::QUEUE_STATS_MAP, sync.queue_stats_map.clone()),
            (&var::DASHBOARD_DATA_DOCUMENT, sync.dashboard_data_document.clone()),
            (&var::DASHBOARD_DEFINITIONS_DOCUMENT, sync.dashboard_definitions_document.clone()),
            (&var::DASHBOARD_METRICS_DOCUMENT, sync.dashboard_metrics_document.clone()),
            (&var::DASHBOARD_MAP, sync.dashboard_map.clone()),
            (&var::TASKROUTER_STATS_DOCUMENT, sync.taskrouter_stats_document.clone()),
            (&var::TASKROUTER_EVENTS_DOCUMENT, sync.taskrouter_events_document.clone()),
            (&var::TASKROUTER_TASKS_MAP, sync.taskrouter_tasks_map.clone()),
            (&var::TASK_QUEUES_MAP, sync.task_queues_map.clone()),
        ];
        let mut times = vec![
            (&var::REALTIME_INTERVAL, refresh.realtime_interval),
            (&var::CUMULATIVE_INTERVAL, refresh.cumulative_interval),
            (&var::DIRECTORY_INTERVAL, refresh.directory_interval),
            (&var::REFRESH_SPACING, refresh.spacing),
            (&var::SETTLE_STEP, refresh.settle_step),
            (&var::SETTLE_WINDOW, refresh.settle_window),
            (&var::TASKS_KEPT, refresh.tasks_kept),
            (&var::DEFINITIONS_INTERVAL, sync.definitions_interval),
            (&var::SYNC_AUDIT_INTERVAL, sync.audit_interval),
            (&var::TWILIO_TIMEOUT, self.core.twilio.timeout),
        ];
        times.extend(self.sharing.iter().map(|sharing| (&var::LEADER_LEASE, sharing.lease)));
        values.extend(times.into_iter().map(|(variable, time)| (variable, milliseconds(time))));
        values.into_iter().map(|(variable, value)| (variable.name, value)).collect()
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let base = [
            ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
            ("TWILIO_AUTH_TOKEN", "a-token"),
            ("TWILIO_WORKSPACE_SID", "WS00000000000000000000000000000001"),
            ("PUBLIC_URL", "https://hooks.example.com/tr"),
            ("REDIS_URL", "redis://:a-password@localhost"),
        ];
        let value = |name: &str| {
            let found = more.iter().chain(&base).find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::read(&value).unwrap().in_common()
    }

    #[test]
    fn the_same_in_other_words_is_the_same() {
        let same = [
            ("LEADER_LEASE", "5000ms"),
            ("REALTIME_INTERVAL", "5s"),
            ("SLA_THRESHOLDS", "120, 30,60"),
            ("SYNC_LAYOUTS", "dashboard-metrics,queue-map,dashboard-document"),
            ("DASHBOARD_TIMEZONE", "UTC"),
        ];
        assert_eq!(read(&[]), read(&same));
    }

    #[test]
    fn whatever_changes_what_is_read_and_written_is_listed_and_no_secret() {
        let listed = read(&[]);
        let is_listed = |name: &str| listed.iter().any(|(other, _)| *other == name);
        let from = var::ALL.iter().position(|variable| variable.name == "DASHBOARD_TIMEZONE").unwrap();
        for variable in &var::ALL[from..] {
            assert_eq!(is_listed(variable.name), !variable.name.ends_with("_URL"), "{}", variable.name);
        }
        assert!(is_listed("LEADER_LEASE"));
        for variable in var::ALL.iter().filter(|variable| variable.secret) {
            assert!(!is_listed(variable.name), "{}", variable.name);
        }
        assert!(!format!("{listed:?}").contains("a-token"));
        for (name, value) in [("SLA_NAME", "all-waited"), ("STATS_CHANNELS", "none"), ("LEADER_LEASE", "6s")]
        {
            let other = read(&[(name, value)]);
            let differing: Vec<_> = listed.iter().zip(&other).filter(|(a, b)| a != b).collect();
            assert_eq!(differing.len(), 1, "{name}");
        }
    }
}
