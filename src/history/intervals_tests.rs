use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::history::gap::GapReason;
use crate::stats::day::{next_start_of_day, start_of_day};

const QUARTER: i64 = 900;

fn at(time: i64, window: i64, entered: i64, waiting: i64) -> Known {
    let figures = [(field::WINDOW, window), (field::ENTERED, entered), (field::PENDING, waiting)];
    (time, figures.into_iter().collect())
}

fn gap(from: i64, to: i64) -> Gap {
    Gap { from, to, reason: GapReason::NotRunning }
}

fn entered(known: &[Known], gaps: &[Gap], start: i64) -> (i64, Option<i64>) {
    let shown = interval(known, gaps, start, start + QUARTER, true);
    (shown.count(field::ENTERED), shown.get(field::COVERED))
}

#[test]
fn an_interval_shows_the_difference_of_counts_and_means_by_time() {
    let known = [at(-5, -5000, 10, 2), at(300, -5000, 12, 5), at(900, -5000, 15, 0), at(1000, -5000, 20, 0)];
    let shown = interval(&known, &[], 0, 900, true);
    assert_eq!(shown.get(field::ENTERED), Some(5), "the count at the end is the interval's");
    assert_eq!(shown.get(field::WAITING_MEAN), Some(400), "2 for a third of the time, 5 for the rest");
    assert_eq!(shown.get(field::WAITING_MAX), Some(5));
    assert_eq!(shown.get(field::COVERED), None, "all of it");
    assert_eq!(entered(&known, &[], 900).0, 5);
}

#[test]
fn a_new_day_counts_from_zero() {
    let known = [at(-20, -86_400, 500, 0), at(10, -86_400, 503, 0), at(40, 0, 2, 0), at(600, 0, 7, 0)];
    assert_eq!(entered(&known, &[], 0), (3 + 7, None));
}

#[test]
fn over_a_gap_counts_rise_evenly_and_the_covered_time_says_so() {
    let known = [at(0, -5000, 100, 1), at(3600, -5000, 140, 1)];
    let gaps = [gap(0, 3600)];
    let shares: Vec<_> = (0..4).map(|quarter| entered(&known, &gaps, quarter * QUARTER)).collect();
    assert_eq!(shares, [(10, Some(0)); 4]);
    let known = [at(0, -86_400, 100, 1), at(3600, 1800, 20, 1)];
    let shares: Vec<_> = (0..4).map(|quarter| entered(&known, &gaps, quarter * QUARTER).0).collect();
    assert_eq!(shares, [0, 0, 10, 10], "of the day that ended nothing more is known");
}

#[test]
fn a_correction_shows_as_a_negative_difference() {
    let known = [at(0, -5000, 100, 0), at(100, -5000, 97, 0)];
    assert_eq!(entered(&known, &[], 0).0, -3);
}

#[test]
fn the_longest_wait_is_the_oldest_seen_or_a_new_longest_of_the_day() {
    let wait = |time: i64, max: i64, oldest: Option<i64>| {
        let figures = [(field::WINDOW, -5000), (field::WAIT_ACCEPTED_MAX, max)];
        (time, figures.into_iter().chain(oldest.map(|since| (field::OLDEST, since))).collect::<Figures>())
    };
    let longest = |known: &[Known]| interval(known, &[], 0, 900, true).get(field::WAIT_MAX);
    assert_eq!(
        longest(&[wait(-10, 3000, None), wait(100, 3000, Some(60)), wait(200, 3000, None)]),
        Some(140)
    );
    assert_eq!(longest(&[wait(-10, 3000, None), wait(200, 4000, None)]), Some(400));
    assert_eq!(longest(&[wait(-10, 3000, None), wait(200, 3000, None)]), None);
}

/// Twilio's figure: how many Tasks entered since the day's start.
fn count(entries: &[i64], window: i64, now: i64) -> i64 {
    let before = |moment| entries.partition_point(|entry| *entry < moment);
    i64::try_from(before(now).saturating_sub(before(window))).unwrap()
}

const ZONES: [&str; 6] =
    ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC", "Asia/Kathmandu"];
/// Around the changes of the clocks of 2026 in these zones, and one without.
const DATES: [&str; 7] =
    ["2026-03-27", "2026-10-23", "2026-04-03", "2026-10-02", "2026-03-06", "2026-10-30", "2026-07-01"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Over days of 23, 24 and 25 hours, in zones of half hours too, with absences at random.
    #[test]
    fn the_intervals_of_a_day_add_up_to_twilios_figure(
        zone in prop::sample::select(&ZONES[..]),
        first in prop::sample::select(&DATES[..]),
        mut entries in proptest::collection::vec(0_i64..4 * 86_400, 600),
        lags in proptest::collection::vec(any::<bool>(), 101),
        absences in proptest::collection::vec((0_i64..4 * 86_400, 20_i64..30_000), 0..5),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let begin = format!("{first}T00:00:00Z").parse::<Timestamp>().unwrap();
        let mut days = vec![start_of_day(begin, &zone, Time::midnight())];
        while days.len() < 6 {
            days.push(next_start_of_day(days[days.len() - 1], &zone, Time::midnight()));
        }
        let days: Vec<i64> = days.into_iter().map(Timestamp::as_second).collect();
        let (origin, length) = (days[0], 4 * 86_400);
        let window = |time: i64| days[days.partition_point(|day| *day <= time) - 1];
        entries.iter_mut().for_each(|entry| *entry += origin);
        entries.sort_unstable();
        let away = |time: i64| absences.iter().any(|(from, lasts)| (origin + from..origin + from + lasts).contains(&time));
        let (mut known, mut gaps): (Vec<Known>, Vec<Gap>) = (Vec::new(), Vec::new());
        let (mut last_sample, mut shown) = (origin, (origin, 0));
        let mut last_of_day = std::collections::BTreeMap::new();
        for (number, time) in (origin..=origin + length).step_by(15).enumerate().filter(|(_, time)| !away(*time)) {
            // What is known may have been read half a minute ago.
            let read = if lags[number % 101] { time } else { (time - time.rem_euclid(30)).max(origin) };
            let figure = (window(read), count(&entries, window(read), read)).max(shown);
            let missed = time - last_sample > 15;
            if missed {
                gaps.push(gap(last_sample, time));
            }
            if figure != shown || missed || time == origin {
                known.push(at(time, figure.0, figure.1, 0));
            }
            (last_sample, shown) = (time, figure);
            last_of_day.insert(figure.0, figure.1);
        }
        let mut sums = std::collections::BTreeMap::new();
        for day in days.windows(2).take_while(|day| day[0] < last_sample) {
            let quarters = (day[1] - day[0]) / QUARTER;
            prop_assert_eq!(quarters * QUARTER, day[1] - day[0]);
            let sum: i64 = (0..quarters).map(|quarter| entered(&known, &gaps, day[0] + quarter * QUARTER).0).sum();
            sums.insert(day[0], sum);
        }
        let (all, truth): (i64, i64) = (sums.values().sum(), last_of_day.values().sum());
        prop_assert_eq!(all, truth, "{:?} {:?}", &sums, &last_of_day);
        for (day, figure) in last_of_day {
            // A last figure that is read just after the day's end shows in the next interval.
            let late = sums.get(&day).copied().unwrap_or_default() - figure;
            prop_assert!(late.abs() <= 3, "{day}: {sums:?}, Twilio's figure {figure}");
        }
    }
}
