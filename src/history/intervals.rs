//! Makes quarter hours from what was known at each moment. Pure arithmetic.
//!
//! Twilio counts from the beginning of its window (the day). What happened in an interval is the difference between the
//! counts at its end and at its beginning, so the intervals of a day always add up to Twilio's figure:
//!
//! - A later window begins at 0, so its first count is all that happened in it.
//! - A count that Twilio corrects downwards makes a negative difference, which stays in the interval that shows it.
//! - Over a gap the count is taken to have risen evenly. Each interval gets its share, and the seconds that the service
//!   covered say which shares are estimates.
//!
//! Means are weighted by time, over covered seconds only: a value lasts until the next one or until a gap begins.

use super::figures::{Figures, field, is_counter, name_of, named};
use super::gap::Gap;

/// What was known from a moment on.
pub(super) type Known = (i64, Figures);

/// What happened from `start` to `end`. `known` is in the order of time, and reaches from the last moment before `start`
/// to the first after `end` that there are; `all` is whether it is of all channels, which alone have Workers.
pub(super) fn interval(known: &[Known], gaps: &[Gap], start: i64, end: i64, all: bool) -> Figures {
    let mut shown = Figures::default();
    let mut before = counts_at(known, gaps, start);
    let after = known.partition_point(|(time, _)| *time <= start);
    let until = known.partition_point(|(time, _)| *time < end).max(after);
    let last = counts_at(known, gaps, end);
    for now in known[after..until].iter().map(|(_, figures)| counts(figures)).chain([last]) {
        for (counter, value) in now.counters() {
            let earlier = if now.window == before.window { before.figures.count(counter) } else { 0 };
            shown.add(counter, value.saturating_sub(earlier));
        }
        // A field that Twilio leaves out once keeps its last count.
        if now.window == before.window {
            let kept: Vec<(u32, i64)> =
                before.counters().filter(|(counter, _)| now.figures.get(*counter).is_none()).collect();
            let mut next = now;
            kept.into_iter().for_each(|(counter, value)| next.figures.set(counter, Some(value)));
            before = next;
        } else if now.window.is_some() {
            before = now;
        }
    }
    let until = known.partition_point(|(time, _)| *time <= end);
    weigh(&known[after.saturating_sub(1).min(until)..until], gaps, start, end, all, &mut shown);
    shown
}

#[derive(Debug, Clone, Default)]
struct WindowCounts {
    window: Option<i64>,
    figures: Figures,
}

impl WindowCounts {
    fn counters(&self) -> impl Iterator<Item = (u32, i64)> {
        self.figures.iter().filter(|(counter, _)| is_counter(*counter))
    }
}

fn counts(figures: &Figures) -> WindowCounts {
    WindowCounts { window: figures.get(field::WINDOW), figures: figures.clone() }
}

/// The counts at a moment; within a gap, as if they had risen evenly.
fn counts_at(known: &[Known], gaps: &[Gap], moment: i64) -> WindowCounts {
    let next = known.partition_point(|(time, _)| *time <= moment);
    let last = next.checked_sub(1).and_then(|at| known.get(at)).map(|(_, figures)| counts(figures));
    let last = last.unwrap_or_default();
    let Some(gap) = gaps.iter().find(|gap| gap.hides(moment)) else { return last };
    let Some((_, after)) = known.get(known.partition_point(|(time, _)| *time < gap.to)) else { return last };
    let after = counts(after);
    let Some(window) = after.window else { return last };
    let same = last.window == Some(window);
    let from = if same { gap.from } else { gap.from.max(window) };
    if moment < from || gap.to <= from {
        return last;
    }
    let share = |risen: i64| {
        let risen = i128::from(risen) * i128::from(moment - from) / i128::from(gap.to - from);
        i64::try_from(risen).unwrap_or(0)
    };
    let figures = after.counters().map(|(counter, value)| {
        let base = if same { last.figures.count(counter) } else { 0 };
        (counter, base.saturating_add(share(value.saturating_sub(base))))
    });
    WindowCounts { window: Some(window), figures: figures.collect() }
}

/// Adds what is weighted by time.
fn weigh(known: &[Known], gaps: &[Gap], start: i64, end: i64, all: bool, shown: &mut Figures) {
    let (mut covered, mut waiting, mut most, mut oldest) = (0_i64, 0_i64, 0_i64, 0_i64);
    let mut workers: Vec<(u32, i64)> = Vec::new();
    let mut longest = None;
    for (at, (time, figures)) in known.iter().enumerate() {
        let until = known.get(at + 1).map_or(end, |(next, _)| *next).min(end);
        let from = (*time).max(start);
        if from >= until && *time != end {
            continue;
        }
        let lasted = lasts(from, until, gaps);
        if *time >= start && *time <= end {
            // Twilio's longest wait of the day is one of this interval when it rises within it.
            let of_day = figures.get(field::WAIT_ACCEPTED_MAX).max(figures.get(field::WAIT_ABANDONED_MAX));
            let of_window = (figures.get(field::WINDOW), of_day.unwrap_or(0));
            if let Some((window, before)) = longest
                && (window == of_window.0 && of_window.1 > before)
            {
                oldest = oldest.max(of_window.1 / 10);
            }
            longest = Some(of_window);
        } else if *time < start {
            let of_day = figures.get(field::WAIT_ACCEPTED_MAX).max(figures.get(field::WAIT_ABANDONED_MAX));
            longest = Some((figures.get(field::WINDOW), of_day.unwrap_or(0)));
        }
        if lasted == 0 {
            continue;
        }
        covered += lasted;
        let waits = figures.count(field::PENDING).saturating_add(figures.count(field::RESERVED));
        waiting = waiting.saturating_add(waits.saturating_mul(lasted));
        most = most.max(waits);
        if let Some(since) = figures.get(field::OLDEST) {
            oldest = oldest.max((from + lasted).saturating_sub(since));
        }
        if all {
            for (field, count) in figures.iter() {
                let Some((id, field::ACTIVITY)) = name_of(field) else { continue };
                let time = count.saturating_mul(lasted);
                match workers.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, sum)) => *sum = sum.saturating_add(time),
                    None => workers.push((id, time)),
                }
            }
        }
    }
    if covered < end - start {
        shown.set(field::COVERED, Some(covered));
    }
    if covered == 0 {
        return;
    }
    let mean = |sum: i64| (sum.saturating_mul(100) + covered / 2) / covered;
    let set = |shown: &mut Figures, field, value: i64| shown.set(field, (value != 0).then_some(value));
    set(shown, field::WAITING_MEAN, mean(waiting));
    set(shown, field::WAITING_MAX, most);
    set(shown, field::WAIT_MAX, oldest);
    for (id, sum) in workers {
        shown.set(named(id, field::ACTIVITY), Some(mean(sum)));
    }
}

/// The seconds from one moment to another before the first gap, and after gaps that began earlier.
fn lasts(from: i64, until: i64, gaps: &[Gap]) -> i64 {
    let hidden: i64 = gaps.iter().map(|gap| (gap.to.min(until) - gap.from.max(from)).max(0)).sum();
    (until - from - hidden).max(0)
}

#[cfg(test)]
#[path = "intervals_tests.rs"]
mod tests;
