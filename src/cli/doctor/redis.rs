//! What the Redis that replicas share says: whether it can be reached and used, whether it may forget, and who leads.

use crate::cluster::{
    Link, LinkError, Refusal, Server, Settings, Timing, leading, missing_rights, server, space,
};
use crate::config::{Config, SharingConfig, Variable, variables as var};

use super::report::Check;

const CONNECTION: &str = "redis connection";
const RIGHTS: &str = "redis rights";
const VERSION: &str = "redis version";
const MEMORY: &str = "redis memory";
const LEADER: &str = "leader";

/// Scripts that ask what time it is before they write.
const OLDEST: (u32, u32) = (5, 0);

/// Asks, where there is one; each thing once.
pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let Some(sharing) = &config.sharing else { return Vec::new() };
    let link = Link::new(&sharing.redis_url, &space(config), Timing::of(sharing.lease));
    let looked = match &link {
        Ok(link) => missing_rights(link).await.map(|missing| (link, missing)),
        Err(error) => Err(error.clone()),
    };
    let (link, missing) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            let others = [RIGHTS, VERSION, MEMORY, LEADER].map(|name| Check::skipped(name, CONNECTION));
            return [unusable(&error)].into_iter().chain(others).collect();
        }
    };
    let answers = if sharing.is_encrypted() { "it answers, over TLS" } else { "it answers" };
    let mut checks = vec![Check::right(CONNECTION, answers), rights(sharing, &missing)];
    match server(link).await {
        Ok(server) => checks.extend([version(&server), memory(&server)]),
        Err(_) => checks.extend([VERSION, MEMORY].map(|name| Check::skipped(name, RIGHTS))),
    }
    checks.push(leader(config, link).await);
    checks
}

/// Where settings of Redis itself are made. Whoever `REDIS_URL` names may not make them.
const ITS_OWN: &str = "in Redis's own start arguments or redis.conf, as deploy/scaled does it, or in the managed service's \
                       parameters; the user of REDIS_URL may not set it";

fn unusable(error: &LinkError) -> Check {
    let ping = r#"redis-cli -u "$REDIS_URL" ping"#;
    let mend = match error {
        LinkError::Connection(reason) if reason.contains("certificate") => {
            format!("set SSL_CERT_FILE to the authority's certificate\n{ping}")
        }
        LinkError::Connection(_) | LinkError::Slow(_) => {
            format!("see whether this machine reaches it, by the right scheme (rediss:// over TLS)\n{ping}")
        }
        LinkError::Url => "set REDIS_URL, such as redis://user:password@host:6379".to_owned(),
        LinkError::Refused(Refusal::Memory) => format!("maxmemory 256mb\n{ITS_OWN}"),
        LinkError::Refused(Refusal::Disk) => format!("save \"\"\n{ITS_OWN}"),
        LinkError::Refused(Refusal::WrongType) => {
            "redis-cli --scan --pattern 'tr:*', and del for what is not ours\nas an administrator of Redis; where there is \
             none, start it anew with nothing in it".to_owned()
        }
        LinkError::Refused(_) => ping.to_owned(),
    };
    Check::wrong(CONNECTION, error.to_string(), mend)
}

fn rights(sharing: &SharingConfig, missing: &[&str]) -> Check {
    let user = sharing.user().unwrap_or_else(|| "default".to_owned());
    if missing.is_empty() {
        return Check::right(RIGHTS, format!("the user {user} may do all that is needed"));
    }
    let words = missing.iter().map(|right| match *right {
        right if right.starts_with(['~', '&']) => right.to_owned(),
        right => format!("+{right}"),
    });
    let rule = words.collect::<Vec<_>>().join(" ");
    Check::wrong(
        RIGHTS,
        format!("the user {user} may not do all that is needed: {rule} is missing"),
        format!(
            "ACL SETUSER {user} {rule}\nas an administrator of Redis, or in its start arguments where there is none, as deploy/scaled does it; \
             docs/scaling.md has the whole rule"
        ),
    )
}

fn version(server: &Server) -> Check {
    let Some(version) = &server.version else {
        return Check::note(VERSION, "it does not say", "see that it is as Redis 5 or newer: INFO server");
    };
    match server.behaves_as {
        Some(known) if known < OLDEST => {
            Check::wrong(VERSION, format!("{version} can't run our scripts"), "install Redis 5 or newer")
        }
        _ => Check::right(VERSION, version.clone()),
    }
}

/// A Redis that throws keys away when it is full throws the lease away, or marks.
fn memory(server: &Server) -> Check {
    let mend = format!("maxmemory-policy noeviction\n{ITS_OWN}");
    match (server.policy.as_deref(), server.most_memory) {
        (Some("noeviction"), _) => Check::right(MEMORY, "it forgets nothing for want of memory (noeviction)"),
        (Some(policy), Some(0)) => {
            let found = format!("its policy is {policy}; while maxmemory is 0 nothing is thrown away by it");
            Check::note(MEMORY, found, mend)
        }
        (Some(policy), _) => {
            let found = format!("its policy is {policy}: when it is full it throws the lease or marks away");
            Check::wrong(MEMORY, found, mend)
        }
        (None, _) => Check::note(MEMORY, "it does not say what it does when its memory is full", mend),
    }
}

async fn leader(config: &Config, link: &Link) -> Check {
    let found = match leading(link).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let mend = "taskrouter-sync serve, with the same REDIS_URL at each replica";
            return Check::note(LEADER, "no replica leads", mend);
        }
        Err(LinkError::Refused(Refusal::Command | Refusal::Keys)) => return Check::skipped(LEADER, RIGHTS),
        Err(error) => return unusable(&error).named(LEADER),
    };
    let left = found.left.as_secs_f64();
    let leads = format!(
        "replica {} leads in its term {}, for {left:.1} s unless it goes on",
        found.replica, found.term
    );
    let Some(told) = found.told else {
        let of = if found.draws {
            "an older version"
        } else {
            "another version, whose pictures this one can't show"
        };
        return Check::note(LEADER, format!("{leads}; it is of {of}"), "bring all replicas to one version");
    };
    let differing = Settings::of(&config.in_common()).differing(&told.settings);
    if !differing.is_empty() {
        return configured_otherwise(&leads, &differing);
    }
    Check::right(LEADER, format!("{leads}; it is of version {}, configured as here", told.version))
}

/// Of most settings the leader's values hold. By those of the lease replicas agree on who leads.
fn configured_otherwise(leads: &str, differing: &[String]) -> Check {
    let names = differing.join(", ");
    let found = format!("{leads}; it has other values of {names}");
    let differs = |variable: &Variable| differing.iter().any(|name| name == variable.name);
    let comes_to = if differs(&var::LEADER_LEASE) {
        "two replicas may lead at once"
    } else {
        return Check::note(LEADER, found, format!("set {names} to the same at all replicas, and here"));
    };
    let mend = format!("stop all replicas, and set {names} to the same at all of them, and here");
    Check::wrong(LEADER, format!("{found}: {comes_to}"), mend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::State;

    #[test]
    fn a_redis_that_forgets_or_is_too_old_is_wrong() {
        let state = |policy: Option<&str>, most: Option<u64>| {
            memory(&Server { policy: policy.map(str::to_owned), most_memory: most, ..Server::default() })
                .state
        };
        assert_eq!(state(Some("noeviction"), Some(1)), State::Right);
        for policy in ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"] {
            assert_eq!(state(Some(policy), Some(1)), State::Wrong);
            assert_eq!(state(Some(policy), Some(0)), State::Note);
        }
        assert_eq!(state(None, None), State::Note);
        let of = |version: &str, numbers| {
            version_state(&Server {
                version: Some(version.to_owned()),
                behaves_as: Some(numbers),
                ..Server::default()
            })
        };
        assert_eq!(of("Redis 4.0.14", (4, 0)), State::Wrong);
        assert_eq!(of("Redis 5.0.0", (5, 0)), State::Right);
        assert_eq!(version_state(&Server::default()), State::Note);
    }

    fn version_state(server: &Server) -> State {
        version(server).state
    }
}
