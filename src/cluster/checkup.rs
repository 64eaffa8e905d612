//! Whether a Redis will do: for the doctor, who asks before replicas do. What is tried is tried on keys of its own, which are
//! gone within seconds; the lease, the marks and what is shown are only looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{Cmd, Value, cmd};

use super::link::{Key, Link, LinkError};
use super::refusal::Refusal;
use super::settings::{Told, told_by_leader};

/// How long what is tried stays, where it can't be deleted.
const TRIED_MILLISECONDS: u64 = 10_000;

/// What the user of `REDIS_URL` has to be permitted, as its ACL rule has it; `docs/scaling.md` shows the whole rule.
pub const RIGHTS: [&str; 25] = [
    "ping",
    "info",
    "time",
    "evalsha",
    "script|load",
    "get",
    "set",
    "incr",
    "del",
    "pttl",
    "pexpire",
    "hset",
    "hget",
    "hmget",
    "hgetall",
    "hlen",
    "hdel",
    "rpush",
    "lpush",
    "lrange",
    "ltrim",
    "publish",
    "subscribe",
    KEYS,
    CHANNELS,
];
const KEYS: &str = "~tr:*";
const CHANNELS: &str = "&tr:*";

/// What a Redis says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// Its name and version, such as `Redis 7.0.15`.
    pub version: Option<String>,
    /// The version of Redis that it behaves as, without its last part.
    pub behaves_as: Option<(u32, u32)>,
    /// What it does when its memory is full.
    pub policy: Option<String>,
    /// How many bytes it may use; nought where it knows no limit.
    pub most_memory: Option<u64>,
}

/// Who leads.
#[derive(Debug, Clone)]
pub struct Leading {
    /// The replica's name in the lease.
    pub replica: String,
    /// The number of its term.
    pub term: u64,
    /// For how long, unless it prolongs the lease.
    pub left: Duration,
    /// What it says of itself; versions before this one said nothing.
    pub told: Option<Told>,
    /// Whether it draws pictures that this version can show.
    pub draws: bool,
}

/// What of [`RIGHTS`] the user does not have. An error where something else than that is wrong.
pub async fn missing_rights(link: &Link) -> Result<Vec<&'static str>, LinkError> {
    let mut missing = Vec::new();
    let mut note = |right: &'static str, done: Result<(), LinkError>| {
        let lacks = match done {
            Ok(()) => return Ok(()),
            Err(LinkError::Refused(Refusal::Command)) => right,
            Err(LinkError::Refused(Refusal::Keys)) => KEYS,
            Err(LinkError::Refused(Refusal::Channels)) => CHANNELS,
            Err(error) => return Err(error),
        };
        if !missing.contains(&lacks) {
            missing.push(lacks);
        }
        Ok(())
    };
    for (right, command) in trials(link) {
        note(right, link.command::<Value>(&command).await.map(drop))?;
    }
    note("subscribe", link.listening().await.map(drop))?;
    Ok(missing)
}

/// Each command once, as replicas and their scripts use it.
fn trials(link: &Link) -> Vec<(&'static str, Cmd)> {
    let tried = format!("doctor-{:08x}", rand::random::<u32>());
    let [text, number, hash, list] =
        ["text", "number", "hash", "list"].map(|name| link.trial_key(&format!("{tried}:{name}")));
    // What a script of one word comes to, by its hash.
    const NOTHING: &str = "return 1";
    let of_nothing = redis::Script::new(NOTHING);
    let trial = |name: &str, arguments: &[&str]| {
        let mut command = cmd(name);
        command.arg(arguments);
        command
    };
    let kept = TRIED_MILLISECONDS.to_string();
    let (picture, news) = (link.key(Key::Picture), link.key(Key::News));
    vec![
        ("ping", trial("PING", &[])),
        ("info", trial("INFO", &["server"])),
        ("time", trial("TIME", &[])),
        ("script|load", trial("SCRIPT", &["LOAD", NOTHING])),
        ("evalsha", trial("EVALSHA", &[of_nothing.get_hash(), "0"])),
        ("set", trial("SET", &[&text, "1", "PX", &kept])),
        ("get", trial("GET", &[&text])),
        ("pttl", trial("PTTL", &[&text])),
        ("incr", trial("INCR", &[&number])),
        ("pexpire", trial("PEXPIRE", &[&number, &kept])),
        ("hset", trial("HSET", &[&hash, "a", "1", "b", "2"])),
        ("pexpire", trial("PEXPIRE", &[&hash, &kept])),
        ("hget", trial("HGET", &[&hash, "a"])),
        ("hmget", trial("HMGET", &[&hash, "a", "b"])),
        ("hgetall", trial("HGETALL", &[&hash])),
        ("hlen", trial("HLEN", &[&hash])),
        ("hdel", trial("HDEL", &[&hash, "a"])),
        ("rpush", trial("RPUSH", &[&list, "1"])),
        ("pexpire", trial("PEXPIRE", &[&list, &kept])),
        ("lpush", trial("LPUSH", &[&list, "0"])),
        ("lrange", trial("LRANGE", &[&list, "0", "-1"])),
        ("ltrim", trial("LTRIM", &[&list, "0", "0"])),
        ("del", trial("DEL", &[&text, &number, &hash, &list])),
        // Of the other form of our keys' names.
        ("hlen", trial("HLEN", &[&picture])),
        // Replicas pass over news that they do not know.
        ("publish", trial("PUBLISH", &[&news, "\"checkup\""])),
    ]
}

/// What it says of itself.
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

/// Who leads now, if anybody does.
pub async fn leading(link: &Link) -> Result<Option<Leading>, LinkError> {
    let (mut lease, mut left, mut by) = (cmd("GET"), cmd("PTTL"), cmd("HGET"));
    lease.arg(link.key(Key::Lease));
    left.arg(link.key(Key::Lease));
    by.arg(link.key(Key::Picture)).arg("by");
    let lease: Option<String> = link.command(&lease).await?;
    let left: i64 = link.command(&left).await?;
    let by: Option<String> = link.command(&by).await?;
    let told = told_by_leader(link).await?;
    let Some(lease) = lease else { return Ok(None) };
    let (replica, term) = lease.rsplit_once('/').unwrap_or((&lease, "0"));
    let (replica, term) = (replica.to_owned(), term.parse().unwrap_or(0));
    let left = Duration::from_millis(left.try_into().unwrap_or(0));
    Ok(Some(Leading { replica, term, left, told, draws: by.as_ref() == Some(&lease) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    #[test]
    fn every_command_of_a_script_is_among_the_rights() {
        let mut used = BTreeSet::new();
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cluster/lua")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for (at, _) in text.match_indices("redis.call('") {
                let name = text[at + "redis.call('".len()..].split('\'').next().unwrap();
                used.insert(name.to_lowercase());
            }
        }
        assert!(used.len() > 10, "the search has gone blind");
        for name in used {
            assert!(RIGHTS.contains(&name.as_str()), "{name}");
        }
    }
}
