//! Whether Redis can be reached and used, whether it may evict keys, and which replica leads.

use crate::cluster::{
    Drift, Identity, Link, LinkError, Server, Timing, connects, leading, permits, server, space,
};
use crate::config::{Config, SharingConfig, variables as var};

use super::report::Check;

const CONNECTION: &str = "redis connection";
const RIGHTS: &str = "redis rights";
const VERSION: &str = "redis version";
const MEMORY: &str = "redis memory";
const LEADER: &str = "leader";

/// The first version whose scripts may read the time before they write.
const OLDEST: (u32, u32) = (5, 0);

/// No checks where no Redis is configured.
pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let Some(sharing) = &config.sharing else { return Vec::new() };
    let link = Link::new(&sharing.redis_url, &space(config), Timing::of(sharing.lease));
    let connected = match &link {
        Ok(link) => connects(link).await.map(|()| link),
        Err(error) => Err(error.clone()),
    };
    let link = match connected {
        Ok(link) => link,
        Err(error) => {
            let others = [RIGHTS, VERSION, MEMORY, LEADER].map(|name| Check::skipped(name, CONNECTION));
            return [unusable(CONNECTION, sharing, &error)].into_iter().chain(others).collect();
        }
    };
    let answers = if sharing.is_encrypted() { "answers over TLS" } else { "answers" };
    let mut checks = vec![Check::right(CONNECTION, answers), rights(sharing, permits(link).await)];
    match server(link).await {
        Ok(server) => checks.extend([version(&server), memory(&server)]),
        Err(_) => checks.extend([VERSION, MEMORY].map(|name| Check::skipped(name, RIGHTS))),
    }
    checks.push(leader(config, sharing, link).await);
    checks
}

/// Where an operator changes Redis's settings: the user of `REDIS_URL` may not.
const ITS_OWN: &str = "in redis.conf, in Redis's start arguments (as in deploy/scaled) or in the managed service's parameters; the \
                       user of REDIS_URL may not set it";

fn unusable(check: &'static str, sharing: &SharingConfig, error: &LinkError) -> Check {
    let ping = sharing.without_password().map_or_else(String::new, |url| {
        format!("redis-cli -u {url} --askpass ping\n(it asks for the password)")
    });
    let mend = match error {
        LinkError::Connection(reason) if reason.contains("certificate") => {
            format!("set SSL_CERT_FILE to a PEM file with the authority's certificate\n{ping}")
        }
        LinkError::Connection(_) | LinkError::Slow(_) => {
            format!("check that this machine reaches it, and the scheme (rediss:// for TLS)\n{ping}")
        }
        LinkError::Url => "set REDIS_URL, such as redis://user:password@host:6379".to_owned(),
        LinkError::Refused(_) => {
            format!(
                "docs/scaling.md, \"Its user\", has the ACL rule; Redis documents its error codes\n{ping}"
            )
        }
    };
    Check::wrong(check, error.to_string(), mend)
}

fn rights(sharing: &SharingConfig, permitted: Result<(), LinkError>) -> Check {
    let user = sharing.user().unwrap_or_else(|| "default".to_owned());
    match permitted {
        Ok(()) => Check::right(RIGHTS, format!("the user {user} may run all commands that replicas need")),
        Err(error) => unusable(RIGHTS, sharing, &error),
    }
}

fn version(server: &Server) -> Check {
    let Some(version) = &server.version else {
        return Check::note(VERSION, "unknown", "check that INFO server reports Redis 5 or newer");
    };
    match server.behaves_as {
        Some(known) if known < OLDEST => {
            Check::wrong(VERSION, format!("{version} is too old"), "install Redis 5 or newer")
        }
        _ => Check::right(VERSION, version.clone()),
    }
}

/// A Redis that evicts keys when its memory is full may evict the lease or marks.
fn memory(server: &Server) -> Check {
    let mend = format!("maxmemory-policy noeviction\n{ITS_OWN}");
    match (server.policy.as_deref(), server.most_memory) {
        (Some("noeviction"), _) => Check::right(MEMORY, "evicts no keys (noeviction)"),
        (Some(policy), Some(0)) => {
            let found = format!("policy {policy}, which has no effect while maxmemory is 0");
            Check::note(MEMORY, found, mend)
        }
        (Some(policy), _) => {
            let found =
                format!("policy {policy}: when its memory is full, Redis may evict the lease or marks");
            Check::wrong(MEMORY, found, mend)
        }
        (None, _) => Check::note(MEMORY, "its eviction policy is unknown", mend),
    }
}

async fn leader(config: &Config, sharing: &SharingConfig, link: &Link) -> Check {
    let found = match leading(link).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let mend = "taskrouter-sync serve\nwith the same REDIS_URL on each replica";
            return Check::note(LEADER, "no replica leads", mend);
        }
        Err(LinkError::Refused(_)) => return Check::skipped(LEADER, RIGHTS),
        Err(error) => return unusable(LEADER, sharing, &error),
    };
    let left = found.left.as_secs_f64();
    let leads =
        format!("replica {} leads in term {}; its lease lasts {left:.1} s", found.replica, found.term);
    let Some(leader) = found.identity else {
        let of = if found.draws {
            "an older version"
        } else {
            "another version, whose feed this version cannot show"
        };
        return Check::note(LEADER, format!("{leads}; it runs {of}"), "run the same version everywhere");
    };
    let version = &leader.version;
    match Identity::new("", config).drift(&leader) {
        Drift::None => Check::right(LEADER, format!("{leads}; same version ({version}) and configuration")),
        Drift::OtherVersion => {
            let found = format!("{leads}; it runs version {version}, this is {}", env!("CARGO_PKG_VERSION"));
            Check::note(LEADER, found, "run the same version everywhere")
        }
        Drift::Configuration => {
            let found = format!("{leads}; its configuration differs from this one");
            Check::note(
                LEADER,
                found,
                "set the same variables on all replicas and here; docs/scaling.md lists those that count",
            )
        }
        Drift::Lease => {
            let name = var::LEADER_LEASE.name;
            let found = format!("{leads}; its {name} differs: two replicas may lead at once");
            Check::wrong(
                LEADER,
                found,
                format!("stop all replicas and set the same {name} on all of them and here"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::CheckState;

    #[test]
    fn a_redis_that_forgets_or_is_too_old_is_wrong() {
        let state = |policy: Option<&str>, most: Option<u64>| {
            memory(&Server { policy: policy.map(str::to_owned), most_memory: most, ..Server::default() })
                .state
        };
        assert_eq!(state(Some("noeviction"), Some(1)), CheckState::Right);
        for policy in ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"] {
            assert_eq!(state(Some(policy), Some(1)), CheckState::Wrong);
            assert_eq!(state(Some(policy), Some(0)), CheckState::Note);
        }
        assert_eq!(state(None, None), CheckState::Note);
        let of = |version: &str, numbers| {
            version_state(&Server {
                version: Some(version.to_owned()),
                behaves_as: Some(numbers),
                ..Server::default()
            })
        };
        assert_eq!(of("Redis 4.0.14", (4, 0)), CheckState::Wrong);
        assert_eq!(of("Redis 5.0.0", (5, 0)), CheckState::Right);
        assert_eq!(version_state(&Server::default()), CheckState::Note);
    }

    fn version_state(server: &Server) -> CheckState {
        version(server).state
    }
}
