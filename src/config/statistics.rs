//! Which statistics are kept: since when, for which channels, with which service levels.

use std::collections::BTreeMap;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::parse::{all_different, list};
use super::reader::VariableReader;
use super::variables as var;
use crate::service_level::ServiceLevel;
use crate::sid::TaskQueueSid;

/// Twilio accepts any number of `SplitByWaitTime` values; the front ends show three at most.
const MOST_THRESHOLDS: usize = 3;
/// TaskChannels per Workspace (Twilio, TaskRouter limits).
const MOST_CHANNELS: usize = 15;

#[derive(Debug, Clone, Serialize)]
pub struct StatisticsConfig {
    /// `DASHBOARD_TIMEZONE`, default UTC.
    #[serde(serialize_with = "super::fingerprint::zone_name")]
    pub time_zone: TimeZone,
    /// `STATS_DAY_START`: the local time at which "today" begins, default midnight.
    pub day_start: Time,
    /// `STATS_CHANNELS`: unique names of TaskChannels with statistics of their own, where they exist; default
    /// `voice,chat,video`.
    pub channels: Vec<String>,
    /// How these channels were chosen.
    pub channel_choice: ChannelChoice,
    /// `SLA_THRESHOLDS` in seconds, rising; Twilio's `SplitByWaitTime`. Default 30, 60, 120.
    pub sla_thresholds: Vec<u32>,
    /// `SLA_NAME`: the rule of service levels that have none of their own, default `accepted`.
    pub service_level: ServiceLevel,
    /// `SLA_NAMES_OF_QUEUES`: the rules of single TaskQueues.
    pub service_levels: BTreeMap<TaskQueueSid, ServiceLevel>,
}

/// How TaskChannels were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ChannelChoice {
    /// By default: those of the list that exist.
    Default,
    /// By name: a channel that does not exist is a mistake.
    Named,
    /// `auto`: those of the default, and any other on which Tasks are seen.
    Auto,
}

impl StatisticsConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Self {
        let usual = ["voice", "chat", "video"].map(str::to_owned).to_vec();
        let chosen = |text: &str| match text {
            "auto" => Some((ChannelChoice::Auto, usual.clone())),
            // The default written out, as in .env.example, counts as the default.
            names => match channel_names(names)? {
                names if names == usual => Some((ChannelChoice::Default, names)),
                names => Some((ChannelChoice::Named, names)),
            },
        };
        let default = (ChannelChoice::Default, usual.clone());
        let (channel_choice, channels) = reader.or_default(&var::STATS_CHANNELS, default, chosen);
        Self {
            channels,
            channel_choice,
            time_zone: reader.or_default(&var::DASHBOARD_TIMEZONE, TimeZone::UTC, |s| TimeZone::get(s).ok()),
            day_start: reader.or_default(&var::STATS_DAY_START, Time::midnight(), time_of_day),
            sla_thresholds: reader.or_default(&var::SLA_THRESHOLDS, vec![30, 60, 120], thresholds),
            service_level: reader.or_default(&var::SLA_NAME, ServiceLevel::default(), ServiceLevel::named),
            service_levels: reader.or_default(&var::SLA_NAMES_OF_QUEUES, BTreeMap::new(), service_levels),
        }
    }
}

fn service_levels(text: &str) -> Option<BTreeMap<TaskQueueSid, ServiceLevel>> {
    let pairs = list(text);
    let of_queue = |pair: &str| {
        let (queue, name) = pair.split_once('=')?;
        Some((queue.trim().parse().ok()?, ServiceLevel::named(name.trim())?))
    };
    let levels: BTreeMap<_, _> = pairs.iter().map(|pair| of_queue(pair)).collect::<Option<_>>()?;
    (levels.len() == pairs.len()).then_some(levels)
}

fn time_of_day(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    let number =
        |s: &str| (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok()).flatten();
    Time::new(number(hours)?, number(minutes)?, 0, 0).ok()
}

fn channel_names(text: &str) -> Option<Vec<String>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let names: Vec<String> = list(text).into_iter().map(str::to_owned).collect();
    let plain = |name: &String| {
        let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        // The front ends call the sum over the channels "all".
        (1..=64).contains(&name.len()) && fits && !matches!(name.as_str(), "all" | "none" | "auto")
    };
    (names.len() <= MOST_CHANNELS && names.iter().all(plain) && all_different(&names)).then_some(names)
}

fn thresholds(text: &str) -> Option<Vec<u32>> {
    let mut seconds: Vec<u32> = list(text).into_iter().map(|s| s.parse().ok()).collect::<Option<_>>()?;
    let fits = (1..=MOST_THRESHOLDS).contains(&seconds.len())
        && seconds.iter().all(|s| (1..=86_400).contains(s))
        && all_different(&seconds);
    seconds.sort_unstable();
    fits.then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_channels_and_thresholds() {
        assert_eq!(time_of_day("06:30"), Time::new(6, 30, 0, 0).ok());
        assert_eq!(channel_names("voice, chat"), Some(vec!["voice".to_owned(), "chat".to_owned()]));
        assert_eq!(channel_names("none"), Some(Vec::new()));
        assert_eq!(thresholds("120,30"), Some(vec![30, 120]));
    }

    #[test]
    fn refuses_what_it_can_not_mean() {
        for bad in ["6", "24:00", "6:30", "06:60", "-1:00"] {
            assert_eq!(time_of_day(bad), None, "{bad}");
        }
        for bad in ["voice,voice", "all", "a b", "voice,,chat", "none,voice", "voice,auto"] {
            assert_eq!(channel_names(bad), None, "{bad}");
        }
        for bad in ["", "0", "1,2,3,4", "30,30", "x", "86401"] {
            assert_eq!(thresholds(bad), None, "{bad}");
        }
    }
}
