//! Stores a quarter hour that is over as an interval of its day, made from the details around it.

use std::collections::{BTreeMap, HashMap};

use super::calendar::{Calendar, QUARTER, quarter};
use super::encoding::{entries, put_entry, whole};
use super::figures::{Figures, field, is_counter, name_of};
use super::gap::Gap;
use super::intervals::interval;
use super::names::{NameKind, StoredNames};
use super::pack::{day_entries, unpacked};
use super::store::{Batch, DayOfIntervals, DetailPart, HistoryStore, StoreFault};
use super::timeline::{Timeline, by_subject};
use super::worker::FINAL_UNTIL;

/// The figures of one subject in a quarter hour, by scope.
pub(super) type FinishedScopes = (u32, Vec<(u32, Figures)>);

/// Stores the quarter hour from `start` on; returns the beginning of the next one that is not stored.
pub(super) async fn finish(
    store: &HistoryStore,
    calendar: &Calendar,
    names: &StoredNames,
    start: i64,
) -> Result<i64, StoreFault> {
    let end = start + QUARTER;
    // A leader that takes over may meet the last one's.
    if let Some(stored) = store.fact(FINAL_UNTIL).await?.filter(|stored| *stored > start) {
        return Ok(stored);
    }
    // An absence of days has no intervals: what happened then is not known.
    if let Some(next) = store.detail_from(start).await? {
        let begins = quarter(calendar.day(next));
        if begins > start {
            let facts = vec![(FINAL_UNTIL, begins)];
            store.write(&Batch { facts, ..Batch::default() }).await?;
            return Ok(begins);
        }
    }
    let finished = compute(store, names, start, end, None).await?;
    let day = calendar.day(start);
    let index = u64::try_from((start - quarter(day)) / QUARTER).unwrap_or(0);
    let known = store.intervals(day, day, None).await?;
    let mut known: HashMap<u32, Vec<u8>> =
        known.into_iter().map(|row| (row.subject, unpacked(&row.data).into_owned())).collect();
    let mut days = Vec::new();
    for (subject, scopes) in finished {
        let mut data = known.remove(&subject).unwrap_or_default();
        if append(&mut data, index, &scopes) {
            days.push(DayOfIntervals { day, subject, data });
        }
    }
    store.write(&Batch { days, facts: vec![(FINAL_UNTIL, end)], ..Batch::default() }).await?;
    Ok(end)
}

/// The quarter hour from `start` on, or its part up to `end`, of one subject or of all, from details.
pub(super) async fn compute(
    store: &HistoryStore,
    names: &StoredNames,
    start: i64,
    end: i64,
    subject: Option<u32>,
) -> Result<Vec<FinishedScopes>, StoreFault> {
    let before = store.detail_before(start).await?;
    let after = store.detail_from(start + QUARTER).await?;
    let mut parts: Vec<DetailPart> = Vec::new();
    for at in [before, Some(start), after].into_iter().flatten() {
        parts.append(&mut store.details(at, at, subject).await?);
    }
    parts.sort_by_key(|part| (part.subject, part.quarter, part.part));
    let gaps = store.gaps(before.unwrap_or(start - QUARTER), after.unwrap_or(end) + QUARTER).await?;
    let is_tile = |subject: u32| names.name(NameKind::Subject, subject).starts_with("tile:");
    let mut finished = Vec::new();
    for (number, (subject, parts)) in by_subject(&parts).filter(|(subject, _)| !is_tile(*subject)).enumerate()
    {
        finished.push((subject, scopes(parts, &gaps, start, end)));
        if number % 50 == 49 {
            // A thousand TaskQueues take tens of milliseconds, in which other tasks have their turn.
            tokio::task::yield_now().await;
        }
    }
    Ok(finished)
}

fn scopes(parts: &[DetailPart], gaps: &[Gap], start: i64, end: i64) -> Vec<(u32, Figures)> {
    let timeline = Timeline::of(parts);
    let scopes = timeline.scopes.iter();
    scopes.map(|(scope, known)| (*scope, interval(known, gaps, start, end, *scope == 0))).collect()
}

/// Adds an interval to its day. Left out are scopes in which nothing happened, and Workers that are as in the entry before.
pub(super) fn append(data: &mut Vec<u8>, index: u64, scopes: &[(u32, Figures)]) -> bool {
    let written = data.len();
    let mut last: Figures = Figures::default();
    for entry in entries(data, 0).filter(|entry| entry.scope == Some(0)) {
        last.apply(&entry.fields);
    }
    let counters = |figures: &Figures| -> Vec<(u32, i64)> {
        figures.iter().filter(|(number, _)| !is_workers(*number)).collect()
    };
    let of_all = scopes.iter().find(|(scope, _)| *scope == 0).map(|(_, figures)| counters(figures));
    for (scope, figures) in scopes {
        let mut fields = whole(figures);
        if *scope == 0 {
            fields.retain(|(number, value)| !is_workers(*number) || last.get(*number) != *value);
            if figures.get(field::COVERED) != Some(0) {
                let left = last.iter().filter(|(number, count)| is_workers(*number) && *count != 0);
                fields.extend(
                    left.filter(|(number, _)| figures.get(*number).is_none()).map(|(n, _)| (n, Some(0))),
                );
            }
        } else {
            let own = counters(figures);
            let happened = own.iter().any(|(number, _)| !matches!(*number, field::COVERED | field::SOURCE));
            if !happened {
                continue;
            }
            if of_all.as_ref() == Some(&own) {
                fields = vec![(field::SAME_AS_ALL, Some(1))];
            }
        }
        if !fields.is_empty() || (*scope == 0 && written == 0) {
            put_entry(data, index, u64::from(*scope), &fields, 0);
        }
    }
    data.len() > written
}

type EntryFields = Vec<(u32, Option<i64>)>;

/// A day's data with more in one interval.
pub(super) fn with_more(data: &[u8], index: u64, more: &[(u32, Figures)]) -> Vec<u8> {
    // By interval and scope.
    let mut day: BTreeMap<_, EntryFields> =
        entries(data, 0).filter_map(|entry| Some(((entry.step, entry.scope?), entry.fields))).collect();
    let of_all = day.get(&(index, 0)).cloned().unwrap_or_default();
    // What stands as "the same as all" is no longer that.
    for ((_, scope), fields) in day.range_mut((index, 1)..(index + 1, 0)) {
        if *scope != 0 && fields.iter().any(|(number, _)| *number == field::SAME_AS_ALL) {
            *fields = of_all.iter().filter(|(number, _)| !is_workers(*number)).copied().collect();
        }
    }
    for (scope, more) in more {
        let fields = day.entry((index, *scope)).or_default();
        fields.sort_unstable_by_key(|(number, _)| *number);
        for (number, count) in more.iter() {
            match fields.binary_search_by_key(&number, |(number, _)| *number) {
                Ok(at) => fields[at].1 = Some(fields[at].1.unwrap_or(0).saturating_add(count)),
                Err(at) => fields.insert(at, (number, Some(count))),
            }
        }
    }
    let mut out = Vec::with_capacity(data.len());
    for ((step, scope), fields) in &day {
        put_entry(&mut out, *step, u64::from(*scope), fields, 0);
    }
    out
}

pub(super) fn is_workers(number: u32) -> bool {
    name_of(number).is_some_and(|(_, slot)| slot == field::ACTIVITY)
}

/// Reads a day of intervals: every quarter hour up to `until` for all channels, and those of channels in which something
/// happened. Scopes that are not wanted may be left out, but for that of all channels.
pub(super) fn read_day(
    row: &DayOfIntervals,
    until: i64,
    from: i64,
    wanted: &dyn Fn(u32) -> bool,
) -> Vec<(i64, u32, Figures)> {
    let first = quarter(row.day);
    let mut found: Vec<(i64, u32, Figures)> = Vec::new();
    let mut workers = Figures::default();
    let mut next = first;
    let idle = |found: &mut Vec<(i64, u32, Figures)>, time: i64, workers: &Figures| {
        if time >= from {
            found.push((time, 0, workers.clone()));
        }
    };
    for entry in day_entries(&row.data, &|scope| scope == 0 || wanted(scope)) {
        let time = first + i64::try_from(entry.step).unwrap_or(0) * QUARTER;
        while next < time {
            idle(&mut found, next, &workers);
            next += QUARTER;
        }
        let Some(scope) = entry.scope else { continue };
        let known: Figures =
            entry.fields.into_iter().filter_map(|(number, value)| Some((number, value?))).collect();
        let figures = if scope == 0 {
            known
                .iter()
                .filter(|(number, _)| is_workers(*number))
                .for_each(|(number, v)| workers.set(number, Some(v)));
            next = time + QUARTER;
            let absent = known.get(field::COVERED) == Some(0);
            let kept = workers.iter().filter(|_| !absent).chain(known.iter());
            kept.collect()
        } else if known.get(field::SAME_AS_ALL).is_some() {
            let all = found.iter().rev().find(|(at, scope, _)| *at == time && *scope == 0);
            all.map(|(_, _, all)| all.iter().filter(|(number, _)| !is_workers(*number)).collect())
                .unwrap_or_default()
        } else {
            known
        };
        if scope != 0 && next == time {
            idle(&mut found, time, &workers);
            next = time + QUARTER;
        }
        if time >= from {
            found.push((time, scope, figures));
        }
    }
    while next < until {
        idle(&mut found, next, &workers);
        next += QUARTER;
    }
    found
}

/// Whether a number adds up over intervals.
pub(super) fn adds_up(number: u32) -> bool {
    is_counter(number)
}
