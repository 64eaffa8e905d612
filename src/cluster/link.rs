//! The connections to Redis, what our keys are called, and the scripts that run there.
//!
//! Two connections for commands: renewals of the lease must not wait behind a picture of some megabytes. Both come back by
//! themselves. A command that gets no answer in time has failed; whether Redis did it is not known, so all of them may be
//! repeated. Its connection is given up then: what a firewall has forgotten, or a dead machine, answers nobody and tells
//! nobody either.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{FromRedisValue, IntoConnectionInfo, Script};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::timeout;

use super::refusal::Refusal;
use super::timing::Timing;
use crate::config::Config;

/// What the lease and the marks look like never changes, since old and new versions have to agree on them while one is
/// replaced by the other. All else has the version of its form in its name: a version that changes a form takes another name,
/// and what the others wrote is nothing to it.
const FORM: &str = "v1";
const SLOWEST_RECONNECT: Duration = Duration::from_millis(250);
/// For commands with much data.
const LARGE: Duration = Duration::from_secs(5);

/// One of our keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Who leads, as `replica/term`; runs out.
    Lease,
    /// The last term's number.
    Term,
    /// Which Redis this is, and since when.
    Born,
    /// Set while the leader is cut off from Twilio.
    Help,
    /// Who would lead instead.
    Candidate,
    /// What is stale: a hash of touches, with a number each.
    Marks,
    /// The last mark's number.
    MarkNumber,
    /// The latest event as it came.
    Event,
    /// Where Tasks' recordings are.
    Recordings,
    /// The parts of the picture.
    Picture,
    /// The metrics' curves.
    History,
    /// What replicas that start later have to know.
    Words,
    /// How the leader is configured.
    Settings,
    /// The channel of news.
    News,
    /// What is left of a limit.
    Quota([u8; 32]),
}

/// Our way to Redis. Cheap to clone.
#[derive(Clone)]
pub struct Link(Arc<Parts>);

struct Parts {
    client: redis::Client,
    quick: Door,
    large: Door,
    space: Arc<str>,
    timing: Timing,
    reach: watch::Sender<Reach>,
}

/// A connection for commands, and the next one where it has gone silent.
struct Door {
    config: ConnectionManagerConfig,
    /// Each with its number.
    open: Mutex<(u64, ConnectionManager)>,
}

impl Door {
    fn new(client: &redis::Client, config: &ConnectionManagerConfig) -> Result<Self, LinkError> {
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        Ok(Self { config: config.clone(), open: Mutex::new((0, connection)) })
    }

    fn connection(&self) -> (u64, ConnectionManager) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives this connection up, unless somebody else has done so.
    fn replace(&self, client: &redis::Client, number: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.0 == number
            && let Ok(next) = ConnectionManager::new_lazy_with_config(client.clone(), self.config.clone())
        {
            *open = (number + 1, next);
        }
    }
}

/// Whether Redis answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The last command was answered.
    Answers,
    /// The last command was not.
    Silent,
}

/// Redis could not be asked, or said no. Says nothing of `REDIS_URL`, which has a password in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// No answer.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Slow(Duration),
    /// There is no connection, in the network's own words, or those of TLS.
    #[error("Redis can't be used: {0}")]
    Connection(String),
    /// It says no.
    #[error("Redis can't be used: {0}")]
    Refused(Refusal),
    /// `REDIS_URL` is not one.
    #[error("REDIS_URL can't be used")]
    Url,
}

impl From<redis::RedisError> for LinkError {
    fn from(error: redis::RedisError) -> Self {
        match Refusal::of(&error) {
            Some(refusal) => Self::Refused(refusal),
            None => Self::Connection(error.to_string()),
        }
    }
}

impl LinkError {
    /// Whether Redis could not be asked at all.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Slow(_) | Self::Connection(_))
    }

    /// Whether a key of ours holds something else than we put there.
    pub(super) fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Refused(Refusal::WrongType))
    }
}

/// What those who share a Redis are told apart by.
pub fn space(config: &Config) -> String {
    let twilio = &config.core.twilio;
    format!("{}:{}", twilio.workspace_sid, twilio.sync_service)
}

impl Link {
    /// A link that connects when it is first used. `space` tells those who share a Redis apart.
    pub fn new(url: &SecretString, space: &str, timing: Timing) -> Result<Self, LinkError> {
        let info = url.expose_secret().into_connection_info().map_err(|_| LinkError::Url)?;
        // Who uses it is no concern of Redis', and a user that may do no more than is needed may not say so.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = redis::Client::open(info.set_redis_settings(settings)).map_err(|_| LinkError::Url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timing.command()))
            // Ours is shorter, so that it is seen.
            .set_response_timeout(Some(LARGE * 2))
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(SLOWEST_RECONNECT);
        let (quick, large) = (Door::new(&client, &config)?, Door::new(&client, &config)?);
        let (reach, _) = watch::channel(Reach::Answers);
        Ok(Self(Arc::new(Parts { client, quick, large, space: space.into(), timing, reach })))
    }

    /// How the lease's time is divided.
    pub fn timing(&self) -> Timing {
        self.0.timing
    }

    /// Whether Redis answers, as far as commands tell.
    pub fn reach(&self) -> watch::Receiver<Reach> {
        self.0.reach.subscribe()
    }

    /// A key's name. What stands in braces puts all of ours onto one node of a Redis Cluster, as scripts need it.
    pub fn key(&self, key: Key) -> String {
        let space = &self.0.space;
        let versioned = |name: &str| format!("tr:{FORM}:{{{space}}}:{name}");
        match key {
            Key::Lease => format!("tr:{{{space}}}:lease"),
            Key::Term => format!("tr:{{{space}}}:term"),
            Key::Born => format!("tr:{{{space}}}:born"),
            Key::Help => format!("tr:{{{space}}}:help"),
            Key::Candidate => format!("tr:{{{space}}}:candidate"),
            Key::Marks => format!("tr:{{{space}}}:marks"),
            Key::MarkNumber => format!("tr:{{{space}}}:mark-number"),
            Key::Event => versioned("event"),
            Key::Recordings => versioned("recordings"),
            Key::Picture => versioned("picture"),
            Key::History => versioned("history"),
            Key::Words => versioned("words"),
            Key::Settings => versioned("settings"),
            Key::News => versioned("news"),
            Key::Quota(name) => versioned(&format!("quota:{}", hex(&name[..16]))),
        }
    }

    /// The name of a key that no replica uses.
    pub(super) fn trial_key(&self, name: &str) -> String {
        format!("tr:{{{}}}:{name}", self.0.space)
    }

    /// Runs a script that does little.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[Key],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        let limit = self.0.timing.command();
        self.invoke(&self.0.quick, limit, script, keys, arguments).await
    }

    /// Runs a script with much data.
    pub(super) async fn run_large<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[Key],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        self.invoke(&self.0.large, LARGE, script, keys, arguments).await
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        door: &Door,
        limit: Duration,
        script: &Script,
        keys: &[Key],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(self.key(*key));
        }
        for argument in arguments {
            invocation.arg(*argument);
        }
        let (number, mut connection) = door.connection();
        let done = self.within(limit, invocation.invoke_async(&mut connection)).await;
        self.give_up_silent(door, number, &done);
        done
    }

    /// Sends one command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, LinkError> {
        let door = &self.0.large;
        let (number, mut connection) = door.connection();
        let done = self.within(LARGE, command.query_async(&mut connection)).await;
        self.give_up_silent(door, number, &done);
        done
    }

    /// Sends one command that does little, and does not wait behind those with much data.
    pub(super) async fn short_command<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
    ) -> Result<T, LinkError> {
        let (door, limit) = (&self.0.quick, self.0.timing.command());
        let (number, mut connection) = door.connection();
        let done = self.within(limit, command.query_async(&mut connection)).await;
        self.give_up_silent(door, number, &done);
        done
    }

    fn give_up_silent<T>(&self, door: &Door, number: u64, done: &Result<T, LinkError>) {
        if matches!(done, Err(LinkError::Slow(_))) {
            door.replace(&self.0.client, number);
        }
    }

    /// A connection that listens.
    pub(super) async fn listening(&self) -> Result<redis::aio::PubSub, LinkError> {
        let connecting = async {
            let mut listening = self.0.client.get_async_pubsub().await?;
            listening.subscribe(self.key(Key::News)).await?;
            Ok(listening)
        };
        timeout(self.0.timing.command(), connecting)
            .await
            .map_err(|_| LinkError::Slow(self.0.timing.command()))?
    }

    async fn within<T>(
        &self,
        limit: Duration,
        asking: impl Future<Output = Result<T, redis::RedisError>>,
    ) -> Result<T, LinkError> {
        let result = timeout(limit, asking).await.map_err(|_| LinkError::Slow(limit));
        let result = result.and_then(|result| result.map_err(LinkError::from));
        let reach = if result.is_ok() { Reach::Answers } else { Reach::Silent };
        self.0.reach.send_if_modified(|last| std::mem::replace(last, reach) != reach);
        result
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("space", &self.0.space).finish_non_exhaustive()
    }
}
