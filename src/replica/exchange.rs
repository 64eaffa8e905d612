//! What a replica gets from the parts beside it: what it shows, what it tells other replicas, and what it does with what
//! they tell.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::call_quality::Voice;
use crate::coordination::gossip::Word;
use crate::coordination::rate_limit::Ask;
use crate::dialling::Dialler;
use crate::feed::Pictures;
use crate::server::Access;
use crate::telemetry::metrics::Monitor;

/// What is shown of the work, and where it is counted.
#[derive(Debug, Clone)]
pub struct Watched {
    /// For all watchers.
    pub pictures: Pictures,
    /// Reports of poor call quality.
    pub alerts: watch::Receiver<Value>,
    /// Whether `/readyz` says so.
    pub ready: watch::Sender<bool>,
    /// Counts.
    pub monitor: Monitor,
}

/// What goes to other replicas, what takes in what they say, and limits that hold for all of them together.
#[derive(Debug)]
pub struct Exchanged {
    /// Facts for the others.
    pub said: mpsc::Receiver<Word>,
    /// Takes in the others' facts.
    pub hearing: Hearing,
    /// Requests for a share of the common limits.
    pub asked: mpsc::Receiver<Ask>,
}

/// The parts that have to know what other replicas say.
#[derive(Debug, Clone)]
pub struct Hearing {
    /// Sessions and wrong credentials.
    pub access: Arc<Access>,
    /// Calls.
    pub dialler: Option<Arc<Dialler>>,
    /// Reports of poor call quality.
    pub voice: Arc<Voice>,
}

impl Hearing {
    /// Takes in what another replica said so many seconds ago.
    pub fn hear(&self, word: Word, ago: u64) {
        match (word, &self.dialler) {
            (Word::Wrong { address, account }, _) => self.access.hear_wrong(address, account),
            (Word::SignedOut { nonce }, _) => self.access.hear_signed_out(nonce),
            (Word::Alert(alert), _) => self.voice.hear(alert),
            (Word::Placed { call, worker, status }, Some(dialler)) => {
                dialler.hear_placed(call, worker, &status, Duration::from_secs(ago));
            }
            (Word::Call { call, status, sequence }, Some(dialler)) => {
                dialler.hear_call(call, &status, sequence);
            }
            (Word::Placed { .. } | Word::Call { .. }, None) => {}
        }
    }
}
