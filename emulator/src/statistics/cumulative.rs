//! What happened within a window: the cumulative statistics of the Workspace and of a queue.
//!
//! Choices where the documentation is silent: the window's start is cut to the whole second that is printed, so that
//! an answer and its `start_time` agree; `avg_task_acceptance_time` is the mean wait from creation to acceptance, an
//! integer in the separate answers (OpenAPI) and `0.0` in the combined ones (examples); a wait is counted in whole
//! seconds, and its mean is cut to one; only a Task's first acceptance takes part in the
//! split ("time after a transfer is not counted").

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::log::{Log, Split, Sums, Waits, Window};
use crate::clock::iso;
use crate::error::ApiError;
use crate::params::Params;

/// Default look-back in minutes (TaskQueue Statistics documentation).
const DEFAULT_MINUTES: i64 = 15;
/// History reaches back 30 days.
const HISTORY_MINUTES: i64 = 30 * 24 * 60;
pub(crate) const WINDOW_PARAMETERS: [&str; 3] = ["Minutes", "StartDate", "EndDate"];

/// Cumulative fields; those that an answer does not have are `None` and left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cumulative {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) avg_task_acceptance_time: Option<Average>,
    pub(crate) start_time: String,
    pub(crate) end_time: String,
    pub(crate) reservations_created: u32,
    pub(crate) reservations_accepted: u32,
    pub(crate) reservations_rejected: u32,
    pub(crate) reservations_timed_out: u32,
    pub(crate) reservations_canceled: u32,
    pub(crate) reservations_rescinded: u32,
    pub(crate) tasks_canceled: u32,
    pub(crate) tasks_deleted: u32,
    pub(crate) tasks_moved: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks_created: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks_timed_out_in_workflow: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks_entered: Option<u32>,
    #[serde(flatten)]
    pub(crate) more: Option<More>,
}

/// Whole seconds, printed as an integer (`12`) or as a fraction (`12.0`).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Average {
    Integer(u64),
    Fraction(u64),
}

impl Serialize for Average {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(seconds) => serializer.serialize_u64(*seconds),
            #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
            Self::Fraction(seconds) => serializer.serialize_f64(*seconds as f64),
        }
    }
}

/// Fields that the published examples of the combined answers lack.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct More {
    pub(crate) tasks_completed: u32,
    pub(crate) wait_duration_until_accepted: WaitDuration,
    pub(crate) wait_duration_until_canceled: WaitDuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait_duration_in_queue_until_accepted: Option<WaitDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) split_by_wait_time: Option<BTreeMap<u32, SplitByWait>>,
    #[serde(flatten)]
    pub(crate) recorded: Recorded,
}

/// Fields that only recordings of the combined answers have.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Recorded {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks_assigned: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reservations_wrapup: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reservations_completed: Option<u32>,
}

/// Seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct WaitDuration {
    pub(crate) avg: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) total: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct SplitByWait {
    pub(crate) above: Side,
    pub(crate) below: Side,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Side {
    pub(crate) tasks_canceled: u32,
    pub(crate) reservations_accepted: u32,
}

impl Cumulative {
    pub(crate) fn workspace(log: &Log, window: Window, channel: Option<usize>, thresholds: &[u32]) -> Self {
        let sums = log.sums(window, channel, thresholds);
        let mut cumulative = Self::common(&sums, window);
        cumulative.tasks_created = Some(sums.tasks_created);
        cumulative.tasks_timed_out_in_workflow = Some(sums.tasks_timed_out);
        cumulative
    }

    /// A queue's fields from its log; none is an unknown queue, all zeros.
    pub(crate) fn queue(
        log: Option<&Log>,
        window: Window,
        channel: Option<usize>,
        thresholds: &[u32],
    ) -> Self {
        let sums = log.map(|log| log.sums(window, channel, thresholds)).unwrap_or_default();
        let mut cumulative = Self::common(&sums, window);
        cumulative.tasks_entered = Some(sums.tasks_entered);
        if let Some(more) = &mut cumulative.more {
            more.wait_duration_in_queue_until_accepted = Some(sums.in_queue_until_accepted.into());
        }
        cumulative
    }

    /// For the separate answers, where OpenAPI has an integer.
    pub(crate) fn with_integer_average(mut self) -> Self {
        if let Some(Average::Fraction(seconds)) = self.avg_task_acceptance_time {
            self.avg_task_acceptance_time = Some(Average::Integer(seconds));
        }
        self.without_recorded()
    }

    /// All documented fields and no other.
    pub(crate) fn without_recorded(mut self) -> Self {
        if let Some(more) = &mut self.more {
            more.recorded =
                Recorded { tasks_assigned: None, reservations_wrapup: None, reservations_completed: None };
        }
        self
    }

    /// All fields but the mean wait and the split.
    pub(crate) fn without_averages(mut self) -> Self {
        self.avg_task_acceptance_time = None;
        if let Some(more) = &mut self.more {
            more.split_by_wait_time = None;
        }
        self.without_recorded()
    }

    fn common(sums: &Sums, window: Window) -> Self {
        let waits = sums.until_accepted;
        Self {
            avg_task_acceptance_time: Some(Average::Fraction(WaitDuration::from(waits).avg)),
            start_time: iso(window.start),
            end_time: iso(window.end),
            reservations_created: sums.created,
            reservations_accepted: sums.accepted,
            reservations_rejected: sums.rejected,
            reservations_timed_out: sums.timed_out,
            reservations_canceled: sums.canceled,
            reservations_rescinded: sums.rescinded,
            tasks_canceled: sums.tasks_canceled,
            tasks_deleted: sums.tasks_deleted,
            tasks_moved: sums.tasks_moved,
            tasks_created: None,
            tasks_timed_out_in_workflow: None,
            tasks_entered: None,
            more: Some(More {
                tasks_completed: sums.tasks_completed,
                wait_duration_until_accepted: waits.into(),
                wait_duration_until_canceled: sums.until_canceled.into(),
                wait_duration_in_queue_until_accepted: None,
                split_by_wait_time: Some(
                    sums.splits.iter().map(|(at, split)| (*at, (*split).into())).collect(),
                ),
                recorded: Recorded {
                    tasks_assigned: Some(sums.accepted),
                    reservations_wrapup: Some(sums.wrapping_up),
                    reservations_completed: Some(sums.completed),
                },
            }),
        }
    }
}

impl From<Waits> for WaitDuration {
    fn from(waits: Waits) -> Self {
        Self { avg: waits.total / waits.count.max(1), min: waits.min, max: waits.max, total: waits.total }
    }
}

impl From<Split> for SplitByWait {
    fn from(split: Split) -> Self {
        Self {
            above: Side { tasks_canceled: split.above_canceled, reservations_accepted: split.above_accepted },
            below: Side { tasks_canceled: split.below_canceled, reservations_accepted: split.below_accepted },
        }
    }
}

impl Window {
    /// Reads `Minutes`, or `StartDate` and `EndDate`. Both at once is refused, as the queue documentation says; a
    /// start more than 30 days ago is moved to 30 days ago.
    pub(crate) fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let minutes = params.integer("Minutes", 1..=HISTORY_MINUTES)?;
        let (start, end) = (params.date("StartDate")?, params.date("EndDate")?);
        if minutes.is_some() && (start.is_some() || end.is_some()) {
            return Err(ApiError::invalid("Minutes cannot be combined with StartDate or EndDate"));
        }
        let end = end.map_or(now, |end| end.min(now));
        let start = start.unwrap_or(end - minutes.unwrap_or(DEFAULT_MINUTES) * 60_000);
        if start > end {
            return Err(ApiError::invalid("StartDate must not be after EndDate"));
        }
        Ok(Self::from(start.max(now - HISTORY_MINUTES * 60_000), end))
    }

    /// A window from a moment, cut to its second, to another.
    pub(crate) fn from(start: i64, end: i64) -> Self {
        Self { start: start.div_euclid(1000) * 1000, end }
    }
}

/// Reads `SplitByWaitTime=5,30`.
pub(crate) fn thresholds(params: &Params) -> Result<Vec<u32>, ApiError> {
    let Some(text) = params.filled("SplitByWaitTime") else { return Ok(Vec::new()) };
    let parse = |part: &str| part.trim().parse::<u32>();
    text.split(',')
        .map(parse)
        .collect::<Result<_, _>>()
        .map_err(|_| ApiError::invalid("SplitByWaitTime must be a comma-separated list of seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_612_345;

    #[test]
    fn looks_back_fifteen_minutes_by_default() {
        let window = Window::read(&Params::default(), NOW).unwrap();
        assert_eq!(window, Window { start: 1_767_224_712_000, end: NOW });
        let window = Window::read(&Params::parse(b"Minutes=1"), NOW).unwrap();
        assert_eq!(window.start, 1_767_225_552_000);
    }

    #[test]
    fn refuses_minutes_with_dates_and_a_window_that_ends_before_it_starts() {
        for bad in [
            "Minutes=5&StartDate=2026-01-01T00:00:00Z",
            "Minutes=0",
            "StartDate=yesterday",
            "StartDate=2026-01-01T00:00:10Z&EndDate=2026-01-01T00:00:00Z",
        ] {
            assert_eq!(Window::read(&Params::parse(bad.as_bytes()), NOW).unwrap_err().status, 400, "{bad}");
        }
    }

    #[test]
    fn reads_thresholds() {
        assert_eq!(thresholds(&Params::parse(b"SplitByWaitTime=5,30")).unwrap(), [5, 30]);
        assert!(thresholds(&Params::parse(b"SplitByWaitTime=5,x")).is_err());
    }
}
