//! The connections to Redis.
//!
//! Two connections for commands: renewals of the lease must not wait behind a feed state of some megabytes. Both
//! reconnect by themselves. A command without an answer within its time limit has failed; whether Redis ran it is
//! unknown, so all our commands may be repeated. Its connection is replaced: one that a firewall has forgotten, or
//! whose other end has died, stays silent for ever.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{FromRedisValue, IntoConnectionInfo, Script};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::timeout;

use super::keys::RedisKey;
use super::refusal::RedisRefusal;
use super::timing::Timing;

const SLOWEST_RECONNECT: Duration = Duration::from_millis(250);
/// The time limit of commands with much data.
const LARGE: Duration = Duration::from_secs(5);

/// Connections to Redis, opened when first used. Cheap to clone.
#[derive(Clone)]
pub struct Link(Arc<LinkInner>);

struct LinkInner {
    client: redis::Client,
    quick: CommandConnection,
    large: CommandConnection,
    space: Arc<str>,
    timing: Timing,
    reach: watch::Sender<Reach>,
}

/// A connection for commands, replaced when it goes silent.
struct CommandConnection {
    config: ConnectionManagerConfig,
    open: Mutex<(u64, ConnectionManager)>,
}

impl CommandConnection {
    fn new(client: &redis::Client, config: &ConnectionManagerConfig) -> Result<Self, LinkError> {
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())?;
        Ok(Self { config: config.clone(), open: Mutex::new((0, connection)) })
    }

    fn current(&self) -> (u64, ConnectionManager) {
        self.open.lock().clone()
    }

    /// Replaces the connection of this number, unless another command has done so.
    fn replace(&self, client: &redis::Client, number: u64) {
        let mut open = self.open.lock();
        if open.0 == number
            && let Ok(next) = ConnectionManager::new_lazy_with_config(client.clone(), self.config.clone())
        {
            *open = (number + 1, next);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The last command was answered.
    Answers,
    /// The last command was not answered.
    Silent,
}

/// A command failed. Never shows `REDIS_URL`, which has a password in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Slow(Duration),
    #[error("Redis is unreachable: {0}")]
    Connection(String),
    #[error("Redis refuses a command: {0}")]
    Refused(RedisRefusal),
    #[error("REDIS_URL is not the URL of a Redis")]
    Url,
}

impl From<redis::RedisError> for LinkError {
    fn from(error: redis::RedisError) -> Self {
        match RedisRefusal::of(&error) {
            Some(refusal) => Self::Refused(refusal),
            None => Self::Connection(error.to_string()),
        }
    }
}

impl LinkError {
    /// Whether Redis did not answer at all.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Slow(_) | Self::Connection(_))
    }

    /// Whether one of our keys holds foreign data.
    pub(super) fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_wrong_type())
    }
}

impl Link {
    /// Connects when first used. `space` tells services apart that share a Redis.
    pub fn new(url: &SecretString, space: &str, timing: Timing) -> Result<Self, LinkError> {
        let info = url.expose_secret().into_connection_info().map_err(|_| LinkError::Url)?;
        // A user with the documented rights may not run CLIENT SETINFO.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = redis::Client::open(info.set_redis_settings(settings)).map_err(|_| LinkError::Url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timing.command()))
            // Longer than our own time limits, which decide.
            .set_response_timeout(Some(LARGE * 2))
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(SLOWEST_RECONNECT);
        let (quick, large) =
            (CommandConnection::new(&client, &config)?, CommandConnection::new(&client, &config)?);
        let (reach, _) = watch::channel(Reach::Answers);
        Ok(Self(Arc::new(LinkInner { client, quick, large, space: space.into(), timing, reach })))
    }

    pub fn timing(&self) -> Timing {
        self.0.timing
    }

    /// Whether the last command was answered.
    pub fn reach(&self) -> watch::Receiver<Reach> {
        self.0.reach.subscribe()
    }

    pub fn key(&self, key: RedisKey) -> String {
        key.name(&self.0.space)
    }

    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[RedisKey],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        let limit = self.0.timing.command();
        self.invoke(&self.0.quick, limit, script, keys, arguments).await
    }

    pub(super) async fn run_large<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[RedisKey],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        self.invoke(&self.0.large, LARGE, script, keys, arguments).await
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        connection: &CommandConnection,
        limit: Duration,
        script: &Script,
        keys: &[RedisKey],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(self.key(*key));
        }
        for argument in arguments {
            invocation.arg(*argument);
        }
        let (number, mut manager) = connection.current();
        let done = self.within(limit, invocation.invoke_async(&mut manager)).await;
        self.replace_silent(connection, number, &done);
        done
    }

    pub(super) async fn command<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, LinkError> {
        let connection = &self.0.large;
        let (number, mut manager) = connection.current();
        let done = self.within(LARGE, command.query_async(&mut manager)).await;
        self.replace_silent(connection, number, &done);
        done
    }

    /// Sends one short command, which does not wait behind those with much data.
    pub(super) async fn short_command<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
    ) -> Result<T, LinkError> {
        let (connection, limit) = (&self.0.quick, self.0.timing.command());
        let (number, mut manager) = connection.current();
        let done = self.within(limit, command.query_async(&mut manager)).await;
        self.replace_silent(connection, number, &done);
        done
    }

    fn replace_silent<T>(&self, connection: &CommandConnection, number: u64, done: &Result<T, LinkError>) {
        if matches!(done, Err(LinkError::Slow(_))) {
            connection.replace(&self.0.client, number);
        }
    }

    pub(super) async fn listening(&self) -> Result<redis::aio::PubSub, LinkError> {
        let connecting = async {
            let mut listening = self.0.client.get_async_pubsub().await?;
            listening.subscribe(self.key(RedisKey::News)).await?;
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

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("space", &self.0.space).finish_non_exhaustive()
    }
}
