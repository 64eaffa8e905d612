//! When "today" began: a local time of day in a time zone, also on days of 23 or 25 hours.

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// The last moment at or before `now` at which the local clock reached `day_start`. Where daylight saving skips that
/// time, the day begins when the clock jumps past it; where the time comes twice, it begins at the first.
pub fn start_of_day(now: Timestamp, zone: &TimeZone, day_start: Time) -> Timestamp {
    let date = now.to_zoned(zone.clone()).date();
    let candidates = [Some(date), date.checked_sub(1.day()).ok()];
    let candidates = candidates.into_iter().flatten();
    let started = candidates.filter_map(|date| reached(zone, date.to_datetime(day_start)));
    started.filter(|start| *start <= now).max().unwrap_or(now)
}

/// When the local clock first showed this time, or jumped past it. `None` beyond jiff's years -9999 to 9999.
fn reached(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            // Read with the offset after the jump, a skipped time lies before it.
            let before = ambiguous.earlier().ok()?;
            zone.following(before).next().map(|jump| jump.timestamp())
        }
        _ => ambiguous.compatible().ok(),
    }
}

/// The next moment after `now` at which a new day begins.
pub fn next_start_of_day(now: Timestamp, zone: &TimeZone, day_start: Time) -> Timestamp {
    // Half an hour at a time: no two days are closer, and 60 steps reach past the longest day.
    let steps = (1..=60).filter_map(|step| now.checked_add((30 * step).minutes()).ok());
    let today = start_of_day(now, zone, day_start);
    steps
        .map(|later| start_of_day(later, zone, day_start))
        .find(|start| *start > today.max(now))
        .unwrap_or(now)
}

/// Formats a moment for Twilio's `StartDate`: ISO 8601 in UTC with whole seconds.
pub fn iso_seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start(now: &str, zone: &str, hour: i8) -> String {
        let zone = TimeZone::get(zone).unwrap();
        start_of_day(now.parse().unwrap(), &zone, Time::constant(hour, 0, 0, 0)).to_string()
    }

    #[test]
    fn before_the_hour_the_day_before_is_still_today() {
        assert_eq!(start("2026-06-10T03:59:59Z", "Europe/Berlin", 6), "2026-06-09T04:00:00Z");
        assert_eq!(start("2026-06-10T04:00:00Z", "Europe/Berlin", 6), "2026-06-10T04:00:00Z");
        assert_eq!(start("2026-01-10T00:00:00Z", "UTC", 0), "2026-01-10T00:00:00Z");
        assert_eq!(start("2026-06-10T19:00:00Z", "Asia/Kathmandu", 0), "2026-06-10T18:15:00Z");
    }

    #[test]
    fn a_skipped_and_a_repeated_hour_begin_the_day_once() {
        // Berlin jumps from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
        assert_eq!(start("2026-03-29T12:00:00Z", "Europe/Berlin", 2), "2026-03-29T01:00:00Z");
        assert_eq!(start("2026-10-25T12:00:00Z", "Europe/Berlin", 2), "2026-10-25T00:00:00Z");
        assert_eq!(start("2026-10-25T01:30:00Z", "Europe/Berlin", 2), "2026-10-25T00:00:00Z");
    }

    #[test]
    fn says_it_as_twilio_reads_it() {
        assert_eq!(iso_seconds("2026-06-10T04:00:00.5Z".parse().unwrap()), "2026-06-10T04:00:00Z");
    }

    proptest! {
        #[test]
        fn today_is_right_everywhere(
            second in 1_767_225_600_i64..2_082_758_400,
            zone in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Asia/Kolkata",
                "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "America/Santiago",
            ]),
            hour in 0..24_i8,
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let day_start = Time::constant(hour, 0, 0, 0);
            let now = Timestamp::from_second(second).unwrap();
            let start = start_of_day(now, &zone, day_start);
            prop_assert!(start <= now);
            prop_assert!(now.duration_since(start) <= jiff::SignedDuration::from_hours(25));
            prop_assert_eq!(start_of_day(start, &zone, day_start), start, "a day begins on its own day");
            let next = next_start_of_day(now, &zone, day_start);
            prop_assert!(next > now);
            prop_assert_eq!(start_of_day(next, &zone, day_start), next);
            prop_assert_eq!(next_start_of_day(start, &zone, day_start), next);
            let just_before = Timestamp::from_second(next.as_second() - 1).unwrap();
            prop_assert_eq!(start_of_day(just_before, &zone, day_start), start, "and nothing begins in between");
        }
    }
}

#[cfg(test)]
#[path = "day_tests.rs"]
mod everywhere;
