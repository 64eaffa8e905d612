//! Facts that every replica has to know: wrong credentials, sign-outs, Calls and reports of poor call quality.
//!
//! A part broadcasts through a [`Broadcaster`], and never waits. A process alone has no listeners. Of several replicas each
//! hears of the others' facts a moment later, so counts and sessions hold when a browser or an agent reaches another replica.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::sid::{CallSid, WorkerSid};

/// Facts that wait to be sent; further ones stay unknown to the other replicas.
const MOST_WAITING: usize = 1024;

/// A fact. The names on the wire are those of the first version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedFact {
    #[serde(rename = "wrong")]
    WrongCredentials {
        address: IpAddr,
        account: [u8; 16],
    },
    SignedOut {
        nonce: u64,
    },
    #[serde(rename = "placed")]
    CallPlaced {
        call: CallSid,
        worker: WorkerSid,
        /// Twilio's word for its state.
        status: String,
    },
    #[serde(rename = "call")]
    CallProgress {
        call: CallSid,
        /// Twilio's word for it.
        status: String,
        sequence: Option<u32>,
    },
    /// Poor call quality was reported. Numbers in it are masked.
    Alert(serde_json::Value),
}

impl SharedFact {
    /// Whether replicas that start later need it.
    pub fn is_kept(&self) -> bool {
        // Wrong credentials cost their sender nothing, so they must not displace other facts.
        !matches!(self, Self::WrongCredentials { .. })
    }
}

/// Broadcasts facts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Broadcaster(Option<mpsc::Sender<SharedFact>>);

impl Broadcaster {
    /// One with other replicas to listen; the receiver is for the task that sends.
    pub fn shared() -> (Self, mpsc::Receiver<SharedFact>) {
        let (facts, outgoing) = mpsc::channel(MOST_WAITING);
        (Self(Some(facts)), outgoing)
    }

    pub fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    pub fn broadcast(&self, fact: SharedFact) {
        if let Some(facts) = &self.0 {
            // Where the channel is full, this replica alone knows of it.
            let _ = facts.try_send(fact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_stay_as_they_were() {
        let wrong = SharedFact::WrongCredentials { address: [127, 0, 0, 1].into(), account: [0; 16] };
        assert!(serde_json::to_string(&wrong).unwrap().starts_with(r#"{"wrong":{"address":"127.0.0.1","#));
        let out = SharedFact::SignedOut { nonce: 7 };
        assert_eq!(serde_json::to_string(&out).unwrap(), r#"{"signed_out":{"nonce":7}}"#);
        let call: CallSid = format!("CA{}", "0".repeat(32)).parse().unwrap();
        let progress = SharedFact::CallProgress { call, status: "ringing".to_owned(), sequence: None };
        assert!(serde_json::to_string(&progress).unwrap().starts_with(r#"{"call":{"call":"CA"#));
    }
}
