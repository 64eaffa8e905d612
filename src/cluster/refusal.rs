//! What Redis says no with, in our words: its own may quote commands' arguments, which are nobody's business.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why Redis does not do what it is asked to, and what mends that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// WRONGPASS, or AUTH where none is set.
    #[error(
        "it takes neither this user nor this password; mend both in REDIS_URL: redis://user:password@host:6379"
    )]
    Credentials,
    /// NOAUTH.
    #[error("it wants a password; put it into REDIS_URL: redis://:password@host:6379")]
    NoCredentials,
    /// NOPERM, of a command.
    #[error("this user may not use a command that is needed; docs/scaling.md has the ACL rule")]
    Command,
    /// NOPERM, of a key.
    #[error("this user may not use our keys, which begin with tr: (~tr:* in its ACL rule)")]
    Keys,
    /// NOPERM, of a channel.
    #[error("this user may not use our channel, whose name begins with tr: (&tr:* in its ACL rule)")]
    Channels,
    /// OOM.
    #[error("it has no memory left; raise its maxmemory")]
    Memory,
    /// MISCONF.
    #[error(
        "it takes no writes because it can't save to its disk; free the disk, or switch saving off (save \"\")"
    )]
    Disk,
    /// READONLY.
    #[error("it is a replica of another Redis and takes no writes; name the primary in REDIS_URL")]
    Replica,
    /// NOREPLICAS.
    #[error("it takes no writes because too few of its replicas are there (min-replicas-to-write)")]
    NoReplicas,
    /// LOADING.
    #[error("it has just started and loads its data; wait")]
    Loading,
    /// MASTERDOWN.
    #[error("it is a replica that has lost its primary; name the primary in REDIS_URL")]
    Orphan,
    /// CLUSTERDOWN.
    #[error("its cluster is down; look at CLUSTER INFO")]
    Cluster,
    /// MOVED, ASK.
    #[error(
        "another node of its cluster has our keys; name that node in REDIS_URL, or use a Redis without cluster mode"
    )]
    Elsewhere,
    /// BUSY.
    #[error("a script of somebody else's keeps it busy; SCRIPT KILL ends that")]
    Busy,
    /// DENIED.
    #[error("it takes connections of its own machine only (protected mode); give it a password")]
    Protected,
    /// No place for one more connection.
    #[error("it takes no more connections; raise its maxclients")]
    Full,
    /// SELECT.
    #[error("it has no database of the number in REDIS_URL, or this user may not choose one (+select)")]
    Database,
    /// WRONGTYPE.
    #[error("somebody has written something else into a key of ours; delete what begins with tr: there")]
    WrongType,
    /// A command or a form of it that it does not know.
    #[error("it does not know a command that is needed; Redis 5 or newer is")]
    Unknown,
    /// An answer that is none.
    #[error(
        "it answers something else than is asked; is it a Redis, and has nobody written into keys that begin with tr: there?"
    )]
    Unexpected,
    /// Anything else.
    #[error("it refuses a command; its own log may say why")]
    Other,
}

impl Refusal {
    /// What an answer of Redis' means; `None` where the error is none of Redis', but the connection's.
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let kind = error.kind();
        match kind {
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => return None,
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => return Some(Self::Unexpected),
            ErrorKind::AuthenticationFailed => return Some(Self::Credentials),
            ErrorKind::Server(ServerErrorKind::NoPerm) => return Some(Self::forbidden(error)),
            _ => {}
        }
        Some(match error.code() {
            Some("NOAUTH") => Self::NoCredentials,
            Some("WRONGPASS") => Self::Credentials,
            Some("OOM") => Self::Memory,
            Some("MISCONF") => Self::Disk,
            Some("READONLY") => Self::Replica,
            Some("NOREPLICAS") => Self::NoReplicas,
            Some("LOADING") => Self::Loading,
            Some("MASTERDOWN") => Self::Orphan,
            Some("CLUSTERDOWN") => Self::Cluster,
            Some("MOVED" | "ASK" | "CROSSSLOT" | "TRYAGAIN") => Self::Elsewhere,
            Some("BUSY") => Self::Busy,
            Some("DENIED") => Self::Protected,
            Some("WRONGTYPE") => Self::WrongType,
            _ => Self::told(error),
        })
    }

    fn forbidden(error: &RedisError) -> Self {
        // Redis has one code for all three.
        match error.detail() {
            Some(detail) if detail.contains("channel") => Self::Channels,
            Some(detail) if detail.contains("a key") || detail.contains("the keys") => Self::Keys,
            _ => Self::Command,
        }
    }

    /// Where the code says nothing, as before Redis 7 of all that happens in scripts, the text does.
    fn told(error: &RedisError) -> Self {
        let text = error.to_string();
        let says = |part: &str| text.contains(part);
        match () {
            // Of a long command, which it does not read to its end.
            () if says("unauthenticated") => Self::NoCredentials,
            () if says("max number of clients") => Self::Full,
            () if says("switch database") || says("DB index") => Self::Database,
            () if says("executing the script can't access") => Self::Keys,
            () if says("executing the script can't") => Self::Command,
            () if says("WRONGTYPE") => Self::WrongType,
            () if says("OOM ") => Self::Memory,
            () if says("READONLY") || says("read only replica") => Self::Replica,
            () if says("MISCONF") => Self::Disk,
            () if says("unknown command") || says("Unknown Redis command") => Self::Unknown,
            () => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{ServerError, Value, parse_redis_value};

    use super::*;

    /// As it comes over the wire.
    fn of(line: &str) -> Refusal {
        let read = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        let Value::ServerError(error) = read else { panic!("{read:?}") };
        let error: ServerError = error;
        Refusal::of(&error.into()).unwrap()
    }

    #[test]
    fn what_redis_says_no_with_is_told_in_words_of_ours() {
        for (line, refusal) in [
            ("NOAUTH Authentication required.", Refusal::NoCredentials),
            ("WRONGPASS invalid username-password pair or user is disabled.", Refusal::Credentials),
            ("NOPERM User x has no permissions to run the 'incr' command", Refusal::Command),
            (
                "NOPERM this user has no permissions to run the 'incr' command or its subcommand",
                Refusal::Command,
            ),
            ("NOPERM No permissions to access a key", Refusal::Keys),
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments",
                Refusal::Keys,
            ),
            ("NOPERM No permissions to access a channel", Refusal::Channels),
            (
                "NOPERM this user has no permissions to access one of the channels used as arguments",
                Refusal::Channels,
            ),
            ("OOM command not allowed when used memory > 'maxmemory'.", Refusal::Memory),
            ("MISCONF Redis is configured to save RDB snapshots", Refusal::Disk),
            ("READONLY You can't write against a read only replica.", Refusal::Replica),
            ("NOREPLICAS Not enough good replicas to write.", Refusal::NoReplicas),
            ("LOADING Redis is loading the dataset in memory", Refusal::Loading),
            ("MASTERDOWN Link with MASTER is down", Refusal::Orphan),
            ("CLUSTERDOWN Hash slot not served", Refusal::Cluster),
            ("MOVED 3999 127.0.0.1:6381", Refusal::Elsewhere),
            ("BUSY Redis is busy running a script.", Refusal::Busy),
            ("DENIED Redis is running in protected mode", Refusal::Protected),
            ("ERR Protocol error: unauthenticated multibulk length", Refusal::NoCredentials),
            ("ERR max number of clients reached", Refusal::Full),
            ("ERR DB index is out of range", Refusal::Database),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Refusal::WrongType),
            (
                "ERR Error running script (call to f_1): @user_script:3: WRONGTYPE Operation against",
                Refusal::WrongType,
            ),
            (
                "ERR Error running script (call to f_1): @user_script:4: The user executing the script can't run this command or subcommand",
                Refusal::Command,
            ),
            ("ERR unknown command `EVALSHA`, with args beginning with: `secret`", Refusal::Unknown),
            ("ERR a secret is wrong", Refusal::Other),
        ] {
            let found = of(line);
            assert_eq!(found, refusal, "{line}");
            assert!(!found.to_string().contains("secret"), "{line}");
        }
    }
}
