//! The names of our keys in Redis.
//!
//! The lease and the marks have one form for ever, since old and new versions have to agree on them while one replaces the
//! other. Everything else has the version of its form in its name: a version that changes a form takes another name and
//! ignores what the others wrote.

use crate::config::Config;

const FORM: &str = "v1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisKey {
    /// Who leads, as `replica/term`; expires.
    Lease,
    /// The last term's number.
    Term,
    Born,
    /// Set while the leader is cut off from Twilio.
    Help,
    /// The replica that offers to lead instead.
    Candidate,
    /// What is stale: a hash of invalidations, with a number each.
    Marks,
    MarkNumber,
    Event,
    Recordings,
    Picture,
    History,
    /// Shared facts for replicas that start later, but for sign-outs.
    Facts,
    /// Ended sessions, for replicas that start later.
    SignOuts,
    Settings,
    News,
    Quota([u8; 32]),
    Probe {
        run: u32,
        part: u8,
    },
}

impl RedisKey {
    /// Its name. What stands in braces puts all keys of a space onto one node of a Redis Cluster, as scripts need it.
    pub(super) fn name(self, space: &str) -> String {
        let plain = |name: &str| format!("tr:{{{space}}}:{name}");
        let versioned = |name: &str| format!("tr:{FORM}:{{{space}}}:{name}");
        match self {
            Self::Lease => plain("lease"),
            Self::Term => plain("term"),
            Self::Born => plain("born"),
            Self::Help => plain("help"),
            Self::Candidate => plain("candidate"),
            Self::Marks => plain("marks"),
            Self::MarkNumber => plain("mark-number"),
            Self::Event => versioned("event"),
            Self::Recordings => versioned("recordings"),
            Self::Picture => versioned("picture"),
            Self::History => versioned("history"),
            Self::Facts => versioned("words"),
            Self::SignOuts => versioned("sign-outs"),
            Self::Settings => versioned("settings"),
            Self::News => versioned("news"),
            Self::Quota(name) => {
                let hash: String = name[..16].iter().map(|byte| format!("{byte:02x}")).collect();
                versioned(&format!("quota:{hash}"))
            }
            Self::Probe { run, part } => plain(&format!("probe-{run:08x}:{part}")),
        }
    }
}

/// Tells services apart that share a Redis: the Workspace and the Sync Service.
pub fn space(config: &Config) -> String {
    let twilio = &config.core.twilio;
    format!("{}:{}", twilio.workspace_sid, twilio.sync_service)
}
