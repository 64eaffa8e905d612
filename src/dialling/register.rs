//! Which agent each Call belongs to, and the updates that wait for agents (pure: the clock is passed in).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{DialError, RuleViolation};
use crate::bucket::Bucket;
use crate::sid::{CallSid, WorkerSid};

const MOST_CALLS: usize = 10_000;
/// Twilio ends a Call after four hours by default; no update comes after that.
const LONGEST_CALL: Duration = Duration::from_secs(4 * 3600 + 600);
/// How long the end of a Call is kept for an agent without an open stream.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Most updates that wait for a socket.
const MOST_UPDATES: usize = 64;
/// Most callbacks that are kept before their Call is known.
const MOST_EARLY: usize = 256;
/// How long they are kept; Twilio's answer to a new Call takes no longer.
const LONGEST_EARLY: Duration = Duration::from_secs(30);
/// Agents whose budgets are remembered; with more of them the full ones are forgotten.
const MOST_BUDGETS: usize = 20_000;
/// The line of a Call that no agent follows; real lines are numbered from 1.
const NO_LINE: u64 = 0;
/// The status of a Call that the other side has picked up.
const ANSWERED: &str = "in-progress";
/// Longest status that is passed on; Twilio's are short words.
const LONGEST_STATUS: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub call: CallSid,
    /// `queued`, `ringing`, `in-progress`, `completed`, …
    pub status: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct Register {
    calls: HashMap<CallSid, Placed>,
    lines: HashMap<u64, (WorkerSid, mpsc::Sender<Update>)>,
    budgets: HashMap<WorkerSid, Bucket>,
    early: VecDeque<Early>,
    placing: usize,
    next_line: u64,
    /// Whether other replicas place Calls, too.
    shares: bool,
}

#[derive(Debug)]
struct Placed {
    worker: WorkerSid,
    line: u64,
    status: Box<str>,
    sequence: Option<u32>,
    /// Whether this status has been sent to a line, by this replica or, presumably, by the one that has the line.
    told: bool,
    answered: bool,
    forget_at: Instant,
}

#[derive(Debug)]
struct Early {
    call: CallSid,
    status: Box<str>,
    sequence: Option<u32>,
    at: Instant,
}

impl Register {
    /// An empty register; `shares`: other replicas place Calls whose updates arrive here.
    pub(super) fn new(shares: bool) -> Self {
        Self { shares, ..Self::default() }
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_of(&self, call: CallSid, worker: WorkerSid) -> bool {
        self.calls.get(&call).is_some_and(|placed| placed.worker == worker && !is_final(&placed.status))
    }

    /// A line for an agent. It takes over the agent's Calls whose line is gone and hears where they stand, as far as
    /// [`may_repeat`] allows.
    pub(super) fn open(&mut self, worker: WorkerSid, now: Instant) -> (u64, mpsc::Receiver<Update>) {
        self.forget(now);
        let (sender, receiver) = mpsc::channel(MOST_UPDATES);
        self.next_line += 1;
        let line = self.next_line;
        self.lines.insert(line, (worker, sender));
        let orphans = self
            .calls
            .iter_mut()
            .filter(|(_, placed)| placed.worker == worker && !self.lines.contains_key(&placed.line));
        let orphans: Vec<CallSid> = orphans
            .map(|(call, placed)| {
                placed.move_to(line);
                *call
            })
            .collect();
        orphans.into_iter().for_each(|call| self.tell(call));
        (line, receiver)
    }

    /// Closes a line, of which these updates had not been taken.
    pub(super) fn close(&mut self, worker: WorkerSid, line: u64, untold: Vec<Update>) {
        self.lines.remove(&line);
        for Update { call, status } in untold {
            // An end that was put into the line is forgotten already; it has to be told again.
            let now = Instant::now();
            let placed = self.calls.entry(call).or_insert_with(|| Placed {
                worker,
                line,
                status: status.clone(),
                sequence: None,
                told: false,
                answered: true,
                forget_at: now + LONGEST_WAIT,
            });
            placed.told = false;
        }
        // The agent may have come back before the old socket was seen to be gone.
        let other = self.lines.iter().filter(|(_, (of, _))| *of == worker).map(|(number, _)| *number).max();
        let Some(other) = other else { return };
        let orphans =
            self.calls.iter_mut().filter(|(_, placed)| placed.worker == worker && placed.line == line);
        let orphans: Vec<CallSid> = orphans
            .map(|(call, placed)| {
                placed.move_to(other);
                *call
            })
            .collect();
        orphans.into_iter().for_each(|call| self.tell(call));
    }

    pub(super) fn take_budget(
        &mut self,
        worker: WorkerSid,
        a_minute: u16,
        now: Instant,
    ) -> Result<(), RuleViolation> {
        let most = f64::from(a_minute);
        if self.budgets.len() >= MOST_BUDGETS {
            self.budgets.retain(|_, budget| budget.level(now) < most - 0.5);
        }
        let full = || Bucket::new(most, most / 60.0, most, now);
        let budget = self.budgets.entry(worker).or_insert_with(full);
        if budget.take(1.0, 0.0, now) { Ok(()) } else { Err(RuleViolation::TooMany) }
    }

    pub(super) fn placing(&mut self, now: Instant) -> Result<(), DialError> {
        self.forget(now);
        if self.calls.len() + self.placing >= MOST_CALLS {
            return Err(DialError::Full);
        }
        self.placing += 1;
        Ok(())
    }

    pub(super) fn not_placing(&mut self) {
        self.placing = self.placing.saturating_sub(1);
    }

    /// Another replica has placed a Call, so long ago. No line here is its own, so it waits for the agent's next one.
    pub(super) fn heard(
        &mut self,
        call: CallSid,
        status: &str,
        worker: WorkerSid,
        ago: Duration,
        now: Instant,
    ) {
        self.forget(now);
        let left = LONGEST_CALL.saturating_sub(ago);
        if left.is_zero() || self.calls.len() >= MOST_CALLS || self.calls.contains_key(&call) {
            return;
        }
        let forget_at = now + left;
        let placed = Placed {
            worker,
            line: NO_LINE,
            status: shortened(status),
            sequence: None,
            told: false,
            answered: false,
            forget_at,
        };
        self.calls.insert(call, placed);
        self.take_early(call, now);
    }

    pub(super) fn placed(&mut self, call: CallSid, status: &str, worker: WorkerSid, line: u64, now: Instant) {
        // The line may have gone while Twilio was asked, and the agent be back already.
        let newest = self.lines.iter().filter(|(_, (of, _))| *of == worker).map(|(number, _)| *number).max();
        let line = if self.lines.contains_key(&line) { line } else { newest.unwrap_or(line) };
        let forget_at = now + LONGEST_CALL;
        let placed = Placed {
            worker,
            line,
            status: shortened(status),
            sequence: None,
            told: false,
            answered: false,
            forget_at,
        };
        self.calls.insert(call, placed);
        self.tell(call);
        self.take_early(call, now);
    }

    /// Applies callbacks that arrived before their Call was known.
    fn take_early(&mut self, call: CallSid, now: Instant) {
        let (mut ours, others): (Vec<Early>, Vec<Early>) =
            self.early.drain(..).partition(|early| early.call == call);
        self.early = others.into();
        ours.sort_by_key(|early| early.sequence);
        for early in ours {
            self.told(call, &early.status, early.sequence, now);
        }
    }

    pub(super) fn told(&mut self, call: CallSid, status: &str, sequence: Option<u32>, now: Instant) {
        let status = shortened(status);
        let Some(placed) = self.calls.get_mut(&call) else {
            // Another replica's word that it placed the Call may come later than Twilio's that it rings.
            if self.placing > 0 || self.shares {
                self.early.retain(|early| now < early.at + LONGEST_EARLY);
                if self.early.len() >= MOST_EARLY {
                    self.early.pop_front();
                }
                self.early.push_back(Early { call, status, sequence, at: now });
            }
            return;
        };
        let older = sequence.is_some() && placed.sequence.is_some() && sequence <= placed.sequence;
        // Callbacks without numbers: after the answer only the end is news, and a second answer is a repetition.
        if older || is_final(&placed.status) || (placed.answered && may_precede_answer(&status)) {
            return;
        }
        placed.sequence = sequence.or(placed.sequence);
        placed.answered |= status.as_ref() == ANSWERED;
        if is_final(&status) {
            placed.forget_at = now + LONGEST_WAIT;
        }
        // Another replica may hold the agent's socket and pass the answer on; a second one from here would do harm.
        let elsewhere = self.shares && !self.lines.contains_key(&placed.line);
        placed.told = elsewhere && !may_repeat(&status);
        placed.status = status;
        self.tell(call);
    }

    /// Passes on a Call's status, if its line is open.
    fn tell(&mut self, call: CallSid) {
        let Some(placed) = self.calls.get_mut(&call).filter(|placed| !placed.told) else { return };
        let Some((_, line)) = self.lines.get(&placed.line) else { return };
        match line.try_send(Update { call, status: placed.status.clone() }) {
            Ok(()) => {
                placed.told = true;
                if is_final(&placed.status) {
                    self.calls.remove(&call);
                }
            }
            // A client this far behind does not read. Without its sender the stream ends.
            Err(_) => drop(self.lines.remove(&placed.line)),
        }
    }

    fn forget(&mut self, now: Instant) {
        self.calls.retain(|_, placed| now < placed.forget_at);
    }
}

impl Placed {
    /// Hands the Call to another line, which hears the last status again where it may: what went into a broken socket
    /// may have reached no client.
    fn move_to(&mut self, line: u64) {
        self.line = line;
        self.told &= !may_repeat(&self.status);
    }
}

/// Whether an agent may hear this status twice. The older plugin takes each `in-progress` for a fresh answer: it closes
/// its dialog, sets the agent available in mid-call, and rejects the next Reservation.
pub(super) fn may_repeat(status: &str) -> bool {
    matches!(status, "queued" | "ringing") || is_final(status)
}

/// Whether this status belongs to the time up to the answer.
fn may_precede_answer(status: &str) -> bool {
    matches!(status, "queued" | "initiated" | "ringing" | ANSWERED)
}

fn is_final(status: &str) -> bool {
    matches!(status, "completed" | "busy" | "failed" | "no-answer" | "canceled")
}

fn shortened(status: &str) -> Box<str> {
    status.chars().take(LONGEST_STATUS).collect::<String>().into()
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;
