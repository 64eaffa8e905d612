//! "Today" in every zone of the IANA database, held to a definition that knows nothing but each zone's offset from UTC.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{next_start_of_day, start_of_day};

const DAY: i64 = 86_400;

/// A stretch of time with one offset from UTC, in seconds: from when, until when, which.
type Stretch = (i64, i64, i64);

fn second(date: &str) -> i64 {
    format!("{date}T00:00:00Z").parse::<Timestamp>().unwrap().as_second()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn offset(zone: &TimeZone, second: i64) -> i64 {
    zone.to_offset(at(second)).seconds().into()
}

/// The stretches between two moments, found by looking every six hours and halving where the offset differs.
fn stretches(zone: &TimeZone, from: i64, until: i64) -> Vec<Stretch> {
    let mut found = Vec::new();
    let (mut since, mut here) = (from, offset(zone, from));
    let mut now = from;
    while now < until {
        let next = (now + DAY / 4).min(until);
        if offset(zone, next) == here {
            now = next;
            continue;
        }
        let (mut same, mut other) = (now, next);
        while other - same > 1 {
            let middle = i64::midpoint(same, other);
            if offset(zone, middle) == here { same = middle } else { other = middle }
        }
        found.push((since, other, here));
        (since, here, now) = (other, offset(zone, other), other);
    }
    found.push((since, until, here));
    found
}

/// The moments at which a day begins: when the clock on the wall first shows its date at `day_start` seconds after
/// midnight, or a later time where that one is skipped.
fn beginnings(stretches: &[Stretch], day_start: i64) -> BTreeSet<i64> {
    let date = |wall: i64| (wall - day_start).div_euclid(DAY);
    let mut begun = stretches.first().map_or(0, |(from, _, offset)| date(from + offset));
    let mut moments = BTreeSet::new();
    for (from, until, offset) in stretches {
        if date(from + offset) > begun {
            begun = date(from + offset);
            moments.insert(*from);
        }
        loop {
            let next = (begun + 1) * DAY + day_start - offset;
            if next >= *until {
                break;
            }
            begun += 1;
            moments.insert(next);
        }
    }
    moments
}

/// Holds all days of one zone to the definition; returns the lengths of the days, in seconds.
fn check(name: &str, stretches: &[Stretch], day_start: i64) -> BTreeSet<i64> {
    let zone = TimeZone::get(name).unwrap();
    let time = Time::midnight() + SignedDuration::from_secs(day_start);
    let moments: Vec<i64> = beginnings(stretches, day_start).into_iter().collect();
    let mut lengths = BTreeSet::new();
    for pair in moments.windows(2) {
        let (begin, end) = (pair[0], pair[1]);
        for now in [begin, end - 1] {
            let told = start_of_day(at(now), &zone, time);
            assert_eq!(told, at(begin), "{name}, day from {day_start} s, at {}", at(now));
        }
        // Looking ahead takes long, and a usual day is like another.
        if lengths.insert(end - begin) || end - begin != DAY {
            let told = next_start_of_day(at(begin), &zone, time);
            assert_eq!(told, at(end), "{name}, day from {day_start} s, after {}", at(begin));
        }
    }
    lengths
}

#[test]
fn today_is_right_in_every_zone_for_ten_years() {
    let (from, until) = (second("2024-01-01"), second("2034-01-03"));
    // Many names are of one zone: those whose clocks agree all the time are looked at once.
    let mut zones: BTreeMap<Vec<Stretch>, String> = BTreeMap::new();
    let mut names = 0;
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        names += 1;
        zones.entry(stretches(&zone, from, until)).or_insert_with(|| name.to_string());
    }
    assert!(names > 400 && zones.len() > 50, "{names} names, {} zones", zones.len());
    let zones: Vec<_> = zones.into_iter().collect();
    let lengths = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, Into::into);
        let parts = zones.chunks(zones.len().div_ceil(threads));
        let workers: Vec<_> = parts
            .map(|part| {
                scope.spawn(move || {
                    let mut lengths = BTreeSet::new();
                    for (stretches, name) in part {
                        lengths.extend(check(name, stretches, 0));
                        // Where no clock is ever moved one beginning of the day is like another.
                        if stretches.len() > 1 {
                            lengths.extend(check(name, stretches, 2 * 3600 + 1800));
                        }
                    }
                    lengths
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<BTreeSet<i64>>()
    });
    // Lord Howe moves its clocks by half an hour.
    let expected = [23 * 3600, DAY - 1800, DAY, DAY + 1800, 25 * 3600];
    assert!(expected.iter().all(|length| lengths.contains(length)), "{lengths:?}");
}

#[test]
fn a_whole_day_that_was_skipped_is_no_day() {
    // Samoa went from the end of 29 December 2011 to 31 December.
    let zone = TimeZone::get("Pacific/Apia").unwrap();
    let stretches = stretches(&zone, second("2011-06-01"), second("2012-06-01"));
    for day_start in [0, 6 * 3600] {
        check("Pacific/Apia", &stretches, day_start);
    }
    assert_eq!(
        start_of_day("2011-12-30T12:00:00Z".parse().unwrap(), &zone, Time::midnight()).to_string(),
        "2011-12-30T10:00:00Z"
    );
}
