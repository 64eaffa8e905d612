//! Requests and write budgets, from the emulator's journal.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use twilio_emulator::{Api, Entry};

use crate::limits::is_write;

/// Twilio's burst window.
const WINDOW: Duration = Duration::from_secs(10);

/// Requests within a time, and how far budgets were used.
#[derive(Debug, Default)]
pub(super) struct Cost {
    pub(super) reads_a_second: f64,
    pub(super) writes_a_second: f64,
    /// The most cost-weighted writes of one object in any ten seconds, refused ones left out.
    pub(super) fullest: f64,
}

impl Cost {
    /// Rates are those of the measured time; the fullest window is sought in all of it.
    pub(super) fn of(entries: &[Entry], measured: (Instant, Instant)) -> Self {
        let seconds = (measured.1 - measured.0).as_secs_f64();
        let within = |entry: &&Entry| entry.at >= measured.0 && entry.at < measured.1;
        let count = |kind: fn(&Entry) -> bool| {
            entries.iter().filter(within).filter(|entry| kind(entry)).count() as f64 / seconds
        };
        let mut objects: HashMap<&str, Vec<(Instant, f64)>> = HashMap::new();
        for entry in entries.iter().filter(|entry| is_write(entry) && entry.status < 300) {
            if let Some(object) = &entry.sync_object {
                objects.entry(object).or_default().push((entry.at, cost(entry.payload_bytes)));
            }
        }
        Self {
            reads_a_second: count(|entry| entry.api == Api::TaskRouter),
            writes_a_second: count(is_write),
            fullest: objects.into_values().map(fullest_window).fold(0.0, f64::max),
        }
    }
}

/// 20 a second up to 1 KiB, 2 from 10 KiB on, a straight line between.
fn cost(bytes: usize) -> f64 {
    let along = ((bytes as f64 - 1024.0) / 9216.0).clamp(0.0, 1.0);
    1.0 / (1.0 - 0.9 * along)
}

fn fullest_window(mut writes: Vec<(Instant, f64)>) -> f64 {
    writes.sort_by_key(|(at, _)| *at);
    let (mut first, mut sum, mut most) = (0, 0.0, 0.0f64);
    for (at, cost) in &writes {
        sum += cost;
        while *at - writes[first].0 >= WINDOW {
            sum -= writes[first].1;
            first += 1;
        }
        most = most.max(sum);
    }
    most
}
