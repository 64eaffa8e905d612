//! Facts that every replica has to know: wrong credentials, sign-outs, Calls and reports of poor call quality.
//!
//! A part broadcasts through a [`Broadcaster`], and never waits. A process alone has no listeners. Of several replicas each
//! hears of the others' facts a moment later, so counts and sessions hold when a browser or an agent reaches another replica.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::sid::{CallSid, WorkerSid};

/// Facts of each kind that wait to be sent; further ones stay unknown to the other replicas.
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

/// Where replicas that start later find a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIn {
    /// Nowhere. Anyone can send wrong credentials, so they must not displace other facts.
    Nothing,
    SignOuts,
    Facts,
}

impl SharedFact {
    pub fn kept_in(&self) -> KeptIn {
        match self {
            Self::WrongCredentials { .. } => KeptIn::Nothing,
            // Apart from Calls, which make several facts each and would displace sign-outs within hours.
            Self::SignedOut { .. } => KeptIn::SignOuts,
            Self::CallPlaced { .. } | Self::CallProgress { .. } | Self::Alert(_) => KeptIn::Facts,
        }
    }
}

/// Broadcasts facts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Broadcaster(Option<Senders>);

#[derive(Debug, Clone)]
struct Senders {
    facts: mpsc::Sender<SharedFact>,
    guesses: mpsc::Sender<SharedFact>,
}

/// Facts that wait to be sent to the other replicas. Guesses of credentials wait apart, so that a flood of them displaces
/// nothing else.
#[derive(Debug)]
pub struct OutgoingFacts {
    facts: mpsc::Receiver<SharedFact>,
    guesses: mpsc::Receiver<SharedFact>,
}

impl OutgoingFacts {
    /// The next one; guesses come last. `None` once no part can broadcast any more. Cancel safe.
    pub async fn next(&mut self) -> Option<SharedFact> {
        tokio::select! {
            biased;
            Some(fact) = self.facts.recv() => Some(fact),
            Some(guess) = self.guesses.recv() => Some(guess),
            else => None,
        }
    }
}

impl Broadcaster {
    /// One with other replicas to listen; the outgoing facts are for the task that sends.
    pub fn shared() -> (Self, OutgoingFacts) {
        let (facts, outgoing_facts) = mpsc::channel(MOST_WAITING);
        let (guesses, outgoing_guesses) = mpsc::channel(MOST_WAITING);
        let outgoing = OutgoingFacts { facts: outgoing_facts, guesses: outgoing_guesses };
        (Self(Some(Senders { facts, guesses })), outgoing)
    }

    pub fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    pub fn broadcast(&self, fact: SharedFact) {
        let Some(Senders { facts, guesses }) = &self.0 else { return };
        let sender = if fact.kept_in() == KeptIn::Nothing { guesses } else { facts };
        // Where the channel is full, this replica alone knows of it.
        let _ = sender.try_send(fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_of_guesses_displaces_no_sign_out() {
        let (broadcaster, mut outgoing) = Broadcaster::shared();
        let guess = SharedFact::WrongCredentials { address: [192, 0, 2, 1].into(), account: [0; 16] };
        for _ in 0..2 * MOST_WAITING {
            broadcaster.broadcast(guess.clone());
        }
        let out = SharedFact::SignedOut { nonce: 7 };
        broadcaster.broadcast(out.clone());
        drop(broadcaster);
        assert_eq!(outgoing.next().await, Some(out), "it goes before the guesses");
        for _ in 0..MOST_WAITING {
            assert_eq!(outgoing.next().await.as_ref(), Some(&guess));
        }
        assert_eq!(outgoing.next().await, None);
    }

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
