//! Standing for election, extending the lease, releasing it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;

use super::keys::RedisKey;
use super::message::Message;
use super::redis::{Link, LinkError};
use crate::coordination::lease::{Lease, Moment};

static ELECT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lua/born.lua"), include_str!("lua/elect.lua"))));
static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lua/born.lua"), include_str!("lua/renew.lua"))));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/release.lua")));

#[derive(Debug)]
pub enum Election {
    Won {
        leadership: Leadership,
        /// Whether the previous leader's requests may still be in flight.
        after_another: bool,
    },
    Held {
        /// How long Redis keeps its lease unless it is extended.
        left: Duration,
        /// Whether it is cut off from Twilio and asks for another leader.
        asks_for_help: bool,
    },
    /// Quarantine: Redis is new and may have forgotten a lease, so no replica is elected for this time.
    Quarantine(Duration),
    /// No replica leads, and this one does not stand, or another has precedence.
    Free,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    Extended,
    /// The lease is extended, and another replica offers to lead instead.
    Challenged,
    Lost,
}

#[derive(Debug)]
pub struct Candidate {
    link: Link,
    id: Arc<str>,
    greatest_term: u64,
    /// By how many milliseconds Redis's clock is ahead of this machine's, at most.
    ahead: Option<i64>,
}

/// A leader's hold on one term. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Leadership {
    link: Link,
    id: Arc<str>,
    /// The value of the lease in Redis: the replica and the term.
    value: Arc<str>,
    term: u64,
    lease: Lease,
}

impl Candidate {
    /// `id` is unique to this process.
    pub fn new(link: Link, id: Arc<str>) -> Self {
        Self { link, id, greatest_term: 0, ahead: None }
    }

    pub fn id(&self) -> Arc<str> {
        self.id.clone()
    }

    /// Takes the lease if it is free and wanted; says who leads otherwise.
    pub async fn stand(&mut self, wants: bool) -> Result<Election, LinkError> {
        let timing = self.link.timing();
        // Counted from before the command: however long the answer takes, Redis keeps the lease longer than we hold it.
        let asked = Moment::now();
        let (kept, term) = (millis(timing.kept()), self.greatest_term.to_string());
        let wants: &[u8] = if wants { b"1" } else { b"0" };
        let now = i64::try_from(asked.millis()).unwrap_or(i64::MAX);
        let limit = i64::try_from(timing.command().as_millis()).unwrap_or(i64::MAX);
        let until = self.ahead.map_or_else(String::new, |ahead| (now + ahead + limit).to_string());
        let keys = [RedisKey::Lease, RedisKey::Term, RedisKey::Born, RedisKey::Candidate, RedisKey::Help];
        let arguments = [self.id.as_bytes(), kept.as_bytes(), term.as_bytes(), wants, until.as_bytes()];
        let (found, value, left, help, time): (String, String, i64, String, i64) =
            self.link.run(&ELECT, &keys, &arguments).await?;
        self.ahead = Some(time - now);
        let left = Duration::from_millis(left.try_into().unwrap_or(0));
        Ok(match found.as_str() {
            "won" => {
                let term = value.parse().unwrap_or(self.greatest_term + 1);
                self.greatest_term = term;
                let lease = Lease::of_term(term, asked.plus(timing.own()), timing.late());
                let value = format!("{}/{term}", self.id).into();
                let leadership =
                    Leadership { link: self.link.clone(), id: self.id.clone(), value, term, lease };
                Election::Won { leadership, after_another: left.is_zero() }
            }
            "held" => {
                let term = value.rsplit_once('/').and_then(|(_, term)| term.parse().ok());
                self.greatest_term = self.greatest_term.max(term.unwrap_or(0));
                Election::Held { left, asks_for_help: !help.is_empty() && *help != *self.id }
            }
            "young" => Election::Quarantine(left),
            _ => Election::Free,
        })
    }

    /// Offers to lead instead of a leader that is cut off from Twilio.
    pub async fn volunteer(&self) -> Result<(), LinkError> {
        let mut set = redis::cmd("SET");
        set.arg(self.link.key(RedisKey::Candidate)).arg(&*self.id);
        set.arg("NX").arg("PX").arg(millis(self.link.timing().kept()));
        self.link.command::<Option<String>>(&set).await.map(drop)
    }
}

impl Leadership {
    /// Permits reads and writes while this replica leads.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    pub fn term(&self) -> u64 {
        self.term
    }

    /// The replica and the term, as in the lease; the fencing token of every later write to Redis.
    pub fn name(&self) -> Arc<str> {
        self.value.clone()
    }

    /// Extends the lease, and sets or clears the call for another leader.
    pub async fn renew(&self, asks_for_help: bool) -> Result<Renewed, LinkError> {
        let timing = self.link.timing();
        let asked = Moment::now();
        let (kept, term) = (millis(timing.kept()), self.term.to_string());
        let help: &[u8] = if asks_for_help { b"1" } else { b"0" };
        let keys = [RedisKey::Lease, RedisKey::Term, RedisKey::Born, RedisKey::Candidate, RedisKey::Help];
        let (value, id) = (self.value.as_bytes(), self.id.as_bytes());
        let arguments = [value, kept.as_bytes(), term.as_bytes(), help, id];
        let (found, candidate): (String, String) = self.link.run(&RENEW, &keys, &arguments).await?;
        // An answer that arrives after the lease has expired by our clock is too late, whatever it says.
        if found != "kept" || !self.lease.prolong(asked.plus(timing.own())) {
            self.lease.end();
            return Ok(Renewed::Lost);
        }
        let challenged = !candidate.is_empty() && *candidate != *self.id;
        Ok(if challenged { Renewed::Challenged } else { Renewed::Extended })
    }

    /// Ends the lease, so that another replica may lead at once.
    pub async fn release(&self) -> Result<(), LinkError> {
        self.lease.end();
        let keys = [RedisKey::Lease, RedisKey::News, RedisKey::Help, RedisKey::Born];
        let (message, term) = (Message::LeaseReleased.encode(), self.term.to_string());
        let arguments = [self.value.as_bytes(), &message, term.as_bytes()];
        self.link.run::<i64>(&RELEASE, &keys, &arguments).await.map(drop)
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}
