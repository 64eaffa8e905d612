//! Taking the lease, keeping it, giving it back.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;

use super::link::{Key, Link, LinkError};
use super::news::News;
use crate::coordination::lease::{Lease, Moment};

static STAND: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lua/born.lua"), include_str!("lua/stand.lua"))));
static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lua/born.lua"), include_str!("lua/renew.lua"))));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/release.lua")));

/// What Redis says to whoever would lead.
#[derive(Debug)]
pub enum Stand {
    /// It leads from now on.
    Won {
        /// Its place.
        seat: Seat,
        /// Whether the one before may have requests under way.
        after_another: bool,
    },
    /// Another one does, for so long unless it prolongs that; whether it asks for another to lead.
    Held {
        /// What Redis keeps the lease for.
        left: Duration,
        /// Whether the leader is cut off from Twilio.
        asks_for_help: bool,
    },
    /// Redis may have forgotten a leader, so nobody gets the lease for so long.
    Young(Duration),
    /// Nobody leads, and this one does not want to or is not meant to.
    Free,
}

/// What became of a lease that was to be prolonged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It goes on.
    Kept,
    /// It goes on, and another would lead instead.
    Wanted,
    /// It is over.
    Lost,
}

/// Somebody who would lead.
#[derive(Debug)]
pub struct Candidate {
    link: Link,
    id: Arc<str>,
    greatest_term: u64,
    /// By how many milliseconds Redis' clock is ahead of this machine's; a little more than that.
    ahead: Option<i64>,
}

/// A leader's place. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Seat {
    link: Link,
    id: Arc<str>,
    /// What stands in Redis: who, and in which term.
    value: Arc<str>,
    term: u64,
    lease: Lease,
}

impl Candidate {
    /// Of this name, which nobody else has.
    pub fn new(link: Link, id: Arc<str>) -> Self {
        Self { link, id, greatest_term: 0, ahead: None }
    }

    /// Its name in the lease.
    pub fn id(&self) -> Arc<str> {
        self.id.clone()
    }

    /// Takes the lease if it is free and wanted; says who has it otherwise.
    pub async fn stand(&mut self, wants: bool) -> Result<Stand, LinkError> {
        let timing = self.link.timing();
        // From before the question on: however long the answer takes, Redis keeps the lease longer than we hold it.
        let asked = Moment::now();
        let (kept, term) = (millis(timing.kept()), self.greatest_term.to_string());
        let wants: &[u8] = if wants { b"1" } else { b"0" };
        let now = i64::try_from(asked.millis()).unwrap_or(i64::MAX);
        let patience = i64::try_from(timing.command().as_millis()).unwrap_or(i64::MAX);
        let until = self.ahead.map_or_else(String::new, |ahead| (now + ahead + patience).to_string());
        let keys = [Key::Lease, Key::Term, Key::Born, Key::Candidate, Key::Help];
        let arguments = [self.id.as_bytes(), kept.as_bytes(), term.as_bytes(), wants, until.as_bytes()];
        let (found, value, left, help, time): (String, String, i64, String, i64) =
            self.link.run(&STAND, &keys, &arguments).await?;
        self.ahead = Some(time - now);
        let left = Duration::from_millis(left.try_into().unwrap_or(0));
        Ok(match found.as_str() {
            "won" => {
                let term = value.parse().unwrap_or(self.greatest_term + 1);
                self.greatest_term = term;
                let lease = Lease::of_term(term, asked.plus(timing.own()), timing.late());
                Stand::Won { seat: self.seat(term, lease), after_another: left.is_zero() }
            }
            "held" => {
                let term = value.rsplit_once('/').and_then(|(_, term)| term.parse().ok());
                self.greatest_term = self.greatest_term.max(term.unwrap_or(0));
                Stand::Held { left, asks_for_help: !help.is_empty() && *help != *self.id }
            }
            "young" => Stand::Young(left),
            _ => Stand::Free,
        })
    }

    fn seat(&self, term: u64, lease: Lease) -> Seat {
        let value = format!("{}/{term}", self.id).into();
        Seat { link: self.link.clone(), id: self.id.clone(), value, term, lease }
    }

    /// Says that this one can reach Twilio, and would lead.
    pub async fn volunteer(&self) -> Result<(), LinkError> {
        let mut set = redis::cmd("SET");
        set.arg(self.link.key(Key::Candidate)).arg(&*self.id);
        set.arg("NX").arg("PX").arg(millis(self.link.timing().kept()));
        self.link.command::<Option<String>>(&set).await.map(drop)
    }
}

impl Seat {
    /// Holds as long as this one leads.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The term's number.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Which replica it is, and in which term, as it stands in the lease.
    pub fn name(&self) -> Arc<str> {
        self.value.clone()
    }

    /// What every write to Redis has to name.
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// Extends the lease, and tells others whether this leader asks for another one in its place.
    pub async fn renew(&self, asks_for_help: bool) -> Result<Kept, LinkError> {
        let timing = self.link.timing();
        let asked = Moment::now();
        let (kept, term) = (millis(timing.kept()), self.term.to_string());
        let help: &[u8] = if asks_for_help { b"1" } else { b"0" };
        let keys = [Key::Lease, Key::Term, Key::Born, Key::Candidate, Key::Help];
        let (value, id) = (self.value.as_bytes(), self.id.as_bytes());
        let arguments = [value, kept.as_bytes(), term.as_bytes(), help, id];
        let (found, candidate): (String, String) = self.link.run(&RENEW, &keys, &arguments).await?;
        // An answer that arrives after the lease has expired by our clock is too late, whatever it says.
        if found != "kept" || !self.lease.prolong(asked.plus(timing.own())) {
            self.lease.end();
            return Ok(Kept::Lost);
        }
        Ok(if candidate.is_empty() || *candidate == *self.id { Kept::Kept } else { Kept::Wanted })
    }

    /// Ends the lease and lets others have it at once.
    pub async fn release(&self) -> Result<(), LinkError> {
        self.lease.end();
        let keys = [Key::Lease, Key::News, Key::Help, Key::Born];
        let (news, term) = (News::Free.encode(), self.term.to_string());
        self.link
            .run::<i64>(&RELEASE, &keys, &[self.value.as_bytes(), &news, term.as_bytes()])
            .await
            .map(drop)
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}
