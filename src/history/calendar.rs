//! Quarter hours, and the days of `DASHBOARD_TIMEZONE` that begin at `STATS_DAY_START`.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::config::StatisticsConfig;
use crate::stats::day::{next_start_of_day, start_of_day};

pub(super) const QUARTER: i64 = 900;

/// The beginning of a moment's quarter hour. All time zones of today are whole quarters of an hour from UTC.
pub(super) fn quarter(moment: i64) -> i64 {
    moment - moment.rem_euclid(QUARTER)
}

#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) zone: TimeZone,
    pub(super) day_start: Time,
}

impl Calendar {
    pub(super) fn new(statistics: &StatisticsConfig) -> Self {
        Self { zone: statistics.time_zone.clone(), day_start: statistics.day_start }
    }

    #[cfg(test)]
    pub(super) fn of(zone: TimeZone) -> Self {
        Self { zone, day_start: Time::midnight() }
    }

    pub(super) fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// When the day of this moment began.
    pub(super) fn day(&self, moment: i64) -> i64 {
        start_of_day(timestamp(moment), &self.zone, self.day_start).as_second()
    }

    pub(super) fn next_day(&self, moment: i64) -> i64 {
        next_start_of_day(timestamp(moment), &self.zone, self.day_start).as_second().max(moment + 1)
    }

    /// The beginning of the interval of `step` seconds (900, 1800, 3600 or 86400) that a moment is in. Half hours and hours
    /// are those of the local clock.
    pub(super) fn interval(&self, moment: i64, step: i64) -> i64 {
        if step >= 86_400 {
            return self.day(moment);
        }
        let local = timestamp(moment).to_zoned(self.zone.clone());
        let into = (i64::from(local.minute()) * 60 + i64::from(local.second())).rem_euclid(step);
        moment - into
    }

    /// With the zone's offset, as in `2026-10-25T02:15:00+01:00`.
    pub(super) fn shown(&self, moment: i64) -> String {
        timestamp(moment).to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

pub(super) fn timestamp(second: i64) -> Timestamp {
    let fallback = if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX.saturating_sub(1.hours()).unwrap_or_default()
    };
    Timestamp::from_second(second).unwrap_or(fallback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str) -> Calendar {
        Calendar::of(TimeZone::get(zone).unwrap())
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn hours_and_days_are_those_of_the_local_clock() {
        let kolkata = calendar("Asia/Kolkata");
        assert_eq!(
            kolkata.shown(kolkata.interval(at("2026-01-01T00:10:00Z"), 3600)),
            "2026-01-01T05:00:00+05:30"
        );
        let berlin = calendar("Europe/Berlin");
        for (day, hours) in
            [("2026-03-29T12:00:00Z", 23), ("2026-10-25T12:00:00Z", 25), ("2026-07-01T12:00:00Z", 24)]
        {
            let start = berlin.day(at(day));
            assert_eq!(berlin.next_day(start) - start, hours * 3600, "{day}");
        }
        let hours: std::collections::BTreeSet<String> = (0..25)
            .map(|hour| berlin.shown(berlin.interval(at("2026-10-24T22:00:00Z") + hour * 3600 + 1800, 3600)))
            .collect();
        assert_eq!(hours.len(), 25, "the hour from two comes twice");
        assert!(hours.contains("2026-10-25T02:00:00+02:00") && hours.contains("2026-10-25T02:00:00+01:00"));
    }
}
