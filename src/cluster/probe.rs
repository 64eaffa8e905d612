//! The doctor's check of a Redis before replicas use it. It writes only keys that expire within seconds; it only reads the
//! lease, the marks and the feed.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use redis::{Script, Value, cmd};

use super::config_drift::{self, Identity};
use super::keys::RedisKey;
use super::redis::{Link, LinkError};

static PROBE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/probe.lua")));

/// How long the keys that are tried stay, where they cannot be deleted.
const TRIED_MILLISECONDS: &str = "10000";

/// A Redis server's version and settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// The server's name and version, such as `Redis 7.0.15`.
    pub version: Option<String>,
    /// The version of Redis that it behaves as, without its last part.
    pub behaves_as: Option<(u32, u32)>,
    /// Its eviction policy when its memory is full.
    pub policy: Option<String>,
    /// Its `maxmemory` in bytes; 0 without a limit.
    pub most_memory: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Leading {
    pub replica: String,
    pub term: u64,
    /// How long its lease lasts unless it is extended.
    pub left: Duration,
    /// Its program and configuration; `None` where its version does not say.
    pub identity: Option<Identity>,
    pub draws: bool,
}

/// Whether Redis can be reached and accepts the user.
pub async fn connects(link: &Link) -> Result<(), LinkError> {
    link.command::<Value>(&cmd("PING")).await.map(drop)
}

/// Whether the user may do everything that replicas do.
pub async fn permits(link: &Link) -> Result<(), LinkError> {
    let run = rand::random();
    let keys = [0, 1, 2, 3].map(|part| RedisKey::Probe { run, part });
    let keys: Vec<RedisKey> = keys.into_iter().chain([RedisKey::Picture, RedisKey::News]).collect();
    // Explicitly: the probe itself may be loaded already.
    link.command::<Value>(cmd("SCRIPT").arg("LOAD").arg("return 1")).await?;
    link.run::<Value>(&PROBE, &keys, &[TRIED_MILLISECONDS.as_bytes()]).await?;
    link.listening().await.map(drop)
}

pub async fn server(link: &Link) -> Result<Server, LinkError> {
    Ok(read(&link.command::<String>(&cmd("INFO")).await?))
}

fn read(info: &str) -> Server {
    let lines = info.lines().filter_map(|line| line.trim().split_once(':'));
    let told: BTreeMap<&str, &str> = lines.collect();
    let known = |name: &str| told.get(name).map(|value| (*value).to_owned());
    let redis = known("redis_version");
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok());
    let behaves_as = redis.as_deref().and_then(|version| {
        let mut parts = version.split('.');
        number(parts.next()).zip(number(parts.next()))
    });
    let valkey = known("valkey_version").map(|version| format!("Valkey {version}"));
    Server {
        version: valkey.or_else(|| redis.map(|version| format!("Redis {version}"))),
        behaves_as,
        policy: known("maxmemory_policy"),
        most_memory: known("maxmemory").and_then(|bytes| bytes.parse().ok()),
    }
}

/// The present leader, if there is one.
pub async fn leading(link: &Link) -> Result<Option<Leading>, LinkError> {
    let (mut lease, mut left, mut by) = (cmd("GET"), cmd("PTTL"), cmd("HGET"));
    lease.arg(link.key(RedisKey::Lease));
    left.arg(link.key(RedisKey::Lease));
    by.arg(link.key(RedisKey::Picture)).arg("by");
    let lease: Option<String> = link.command(&lease).await?;
    let left: i64 = link.command(&left).await?;
    let by: Option<String> = link.command(&by).await?;
    let identity = config_drift::leader(link).await?;
    let Some(lease) = lease else { return Ok(None) };
    let (replica, term) = lease.rsplit_once('/').unwrap_or((&lease, "0"));
    let (replica, term) = (replica.to_owned(), term.parse().unwrap_or(0));
    let left = Duration::from_millis(left.try_into().unwrap_or(0));
    Ok(Some(Leading { replica, term, left, identity, draws: by.as_ref() == Some(&lease) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_redis_says_of_itself_is_read() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:1\r\n\r\n# Memory\r\nmaxmemory:1024\r\nmaxmemory_policy:noeviction\r\n";
        let told = Server {
            version: Some("Redis 7.0.15".to_owned()),
            behaves_as: Some((7, 0)),
            policy: Some("noeviction".to_owned()),
            most_memory: Some(1024),
        };
        assert_eq!(read(info), told);
        let valkey = read("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\n");
        assert_eq!((valkey.version.as_deref(), valkey.behaves_as), (Some("Valkey 8.1.3"), Some((7, 2))));
        assert_eq!(read("something else"), Server::default());
    }
}
