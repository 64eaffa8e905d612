//! What a replica remembers and the others have to know as well: who guessed, who signed out, whose Call is whose, which call
//! was bad to hear.
//!
//! Whoever learns of something says it through a [`Speaker`], and never waits. With one process nobody listens. Where several
//! share the work, each hears what the others say a moment later: what is counted or remembered here goes on holding
//! when a browser or an agent comes to another replica.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::sid::{CallSid, WorkerSid};

/// Words that may wait to be passed on; further ones are lost, and only this replica knows.
const MOST_WAITING: usize = 1024;

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Credentials were wrong.
    Wrong {
        /// From where.
        address: IpAddr,
        /// For which account: a hash of its name.
        account: [u8; 16],
    },
    /// A session was ended.
    SignedOut {
        /// Which.
        nonce: u64,
    },
    /// A Call was placed.
    Placed {
        /// Which.
        call: CallSid,
        /// By whom.
        worker: WorkerSid,
        /// How it is.
        status: String,
    },
    /// Twilio told how a Call goes.
    Call {
        /// Which.
        call: CallSid,
        /// How.
        status: String,
        /// Which of Twilio's callbacks said so.
        sequence: Option<u32>,
    },
    /// A call was bad to hear. Numbers in it are masked.
    Alert(serde_json::Value),
}

impl Word {
    /// Whether a replica that starts later has to know it as well.
    pub fn is_kept(&self) -> bool {
        // Wrong credentials cost their sender nothing, so they must not push out what is worth more.
        !matches!(self, Self::Wrong { .. })
    }
}

/// Says words. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Speaker(Option<mpsc::Sender<Word>>);

impl Speaker {
    /// One that is heard there.
    pub fn heard() -> (Self, mpsc::Receiver<Word>) {
        let (said, heard) = mpsc::channel(MOST_WAITING);
        (Self(Some(said)), heard)
    }

    /// Whether there are other replicas.
    pub fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Says it, if anybody listens; never waits.
    pub fn say(&self, word: Word) {
        if let Some(said) = &self.0 {
            // Full: so much is said that what is lost is known here at least.
            let _ = said.try_send(word);
        }
    }
}
