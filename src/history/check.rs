//! Compares days of the history with Twilio's cumulative statistics of those days.

use std::collections::BTreeMap;
use std::fmt;

use super::archive::{Archive, HistoryError};
use super::calendar::timestamp;
use super::report::ReportQuery;
use super::series::Range;
use crate::stats::day::iso_seconds;
use crate::twilio::taskrouter::{TaskRouter, Window};

/// One TaskQueue's day: counts of the history and of Twilio.
#[derive(Debug, Clone, PartialEq)]
pub struct DayCheck {
    /// With the zone's offset.
    pub day: String,
    pub queue: String,
    pub friendly_name: String,
    /// By name: of the history, of Twilio.
    pub counts: BTreeMap<&'static str, (i64, i64)>,
    /// The share of the day in which the service was there.
    pub covered: f64,
}

impl DayCheck {
    pub fn agrees(&self) -> bool {
        self.counts.values().all(|(ours, twilios)| ours == twilios)
    }
}

impl fmt::Display for DayCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, queue, friendly_name, counts, covered } = self;
        let word = if self.agrees() { "ok  " } else { "DIFF" };
        write!(f, "{word} {day} {queue} {friendly_name}")?;
        for (name, (ours, twilios)) in counts {
            match ours == twilios {
                true => write!(f, "  {name} {ours}")?,
                false => write!(f, "  {name} {ours}, Twilio {twilios}")?,
            }
        }
        write!(f, "  covered {:.0} %", covered * 100.0)
    }
}

/// Compares the days before today, newest first, with what Twilio counts of them now.
pub async fn check(
    archive: &Archive,
    taskrouter: &TaskRouter,
    days: u8,
) -> Result<Vec<DayCheck>, HistoryError> {
    let calendar = &archive.shared().calendar;
    let mut checked = Vec::new();
    let mut end = calendar.day(jiff::Timestamp::now().as_second());
    for _ in 0..days {
        let start = calendar.day(end - 1);
        let window = Window {
            start: iso_seconds(timestamp(start)),
            end: Some(iso_seconds(timestamp(end))),
            split: "30".to_owned(),
        };
        let query = ReportQuery {
            range: Range { from: start, to: end },
            step: 86_400,
            queues: Vec::new(),
            channels: vec!["all".to_owned()],
            skip: 0,
            limit: usize::MAX,
        };
        let report = archive.report(&query).await?;
        let twilios = taskrouter.task_queues_statistics(None, &window).await;
        let twilios = twilios.map_err(|error| HistoryError::Unreadable(format!("Twilio: {error}")))?;
        let twilios: BTreeMap<String, _> =
            twilios.read.into_iter().map(|read| (read.task_queue_sid.to_string(), read.cumulative)).collect();
        for row in report.rows {
            let Some((queue, twilio)) =
                row.queue.as_ref().and_then(|queue| Some((queue, twilios.get(queue)?)))
            else {
                continue;
            };
            let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            let mut counts = BTreeMap::from([
                ("accepted", (row.accepted, whole(twilio.reservations_accepted))),
                ("abandoned", (row.abandoned, whole(twilio.tasks_canceled))),
            ]);
            counts.extend(twilio.tasks_entered.map(|entered| ("entered", (row.entered, whole(entered)))));
            checked.push(DayCheck {
                day: row.start.clone().unwrap_or_default(),
                queue: queue.clone(),
                friendly_name: row.friendly_name.clone().unwrap_or_default(),
                counts,
                covered: row.covered,
            });
        }
        end = start;
    }
    Ok(checked)
}
