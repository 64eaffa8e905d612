//! Calls that agents place: which are allowed, and which agent gets each update.
//!
//! An agent's socket is a [`Line`]. A Call remembers the line that placed it; Twilio's status callbacks come in by the
//! Call's SID and go to that line. Where the line is gone they wait, the newest only, for the agent's next one. A Call is
//! forgotten once its end was told, or has waited long enough, or after the longest time that a Call can take.

mod register;
mod rules;
mod twiml;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};

pub use register::Update;
pub use rules::RuleViolation;

use register::Register;
use rules::Rules;

use crate::config::{DiallingConfig, PublicUrl};
use crate::coordination::gossip::{Broadcaster, SharedFact};
use crate::coordination::rate_limit::{Quota, Rate};
use crate::lenient_json;
use crate::sid::{CallSid, WorkerSid};
use crate::twilio::calls::{Calls, NewCall};
use crate::twilio::taskrouter::TaskRouter;
use crate::twilio::{Next, TwilioError};

/// The path at which Twilio requests TwiML for an answered Call.
pub const TWIML_PATH: &str = "/twilio-webhook/callHandlerTwiml";
/// The path of Twilio's status callbacks.
pub const STATUS_PATH: &str = "/twilio-webhook/callStatusCallbackHandler";
/// The query parameter with the contact URI of the agent whom an answered Call is for.
pub const CONTACT_PARAMETER: &str = "workerContactUri";

/// The time limit of reads for an agent who waits.
const LONGEST_READ: Duration = Duration::from_secs(10);

/// Places Calls and routes their updates to agents.
#[derive(Debug)]
pub struct Dialler {
    calls: Calls,
    taskrouter: TaskRouter,
    config: DiallingConfig,
    public_url: PublicUrl,
    rules: Rules,
    register: Mutex<Register>,
    broadcaster: Broadcaster,
    /// The limits of agents at all replicas together.
    quota: Quota,
}

#[derive(Debug)]
pub struct Line {
    dialler: Arc<Dialler>,
    worker: WorkerSid,
    number: u64,
    updates: mpsc::Receiver<Update>,
    untold: Vec<Update>,
}

/// Why a Call could not be placed or ended, worded for the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    #[error(transparent)]
    Refused(#[from] RuleViolation),
    #[error("workerContactUri is not the contact_uri of your Worker")]
    OtherWorker,
    #[error("too many calls are under way; try again later")]
    Full,
    #[error("this call is not one of yours, or it has ended")]
    NotYours,
    #[error("Twilio refuses the call: {0}")]
    Twilio(String),
    #[error("Twilio can't be reached now; try again in a moment")]
    Unreachable,
    #[error(
        "Twilio did not confirm the call; it may ring all the same, so wait a moment before you dial again"
    )]
    Unconfirmed,
}

impl Dialler {
    /// The caller IDs that Calls may show.
    pub fn caller_ids(&self) -> &[String] {
        &self.config.caller_ids
    }

    /// A dialler with these rules; it shares facts with other replicas.
    pub fn new(
        calls: Calls,
        taskrouter: TaskRouter,
        config: DiallingConfig,
        public_url: PublicUrl,
        broadcaster: Broadcaster,
        quota: Quota,
    ) -> Self {
        let rules = Rules::new(&config);
        let register = Mutex::new(Register::new(broadcaster.is_shared()));
        Self { calls, taskrouter, config, public_url, rules, register, broadcaster, quota }
    }

    /// Opens a line for an agent's socket; waiting updates come at once.
    pub fn line(self: &Arc<Self>, worker: WorkerSid) -> Line {
        let (number, updates) = self.register().open(worker, Instant::now());
        Line { dialler: self.clone(), worker, number, updates, untold: Vec::new() }
    }

    /// Takes a status callback. Twilio does not promise their order, but numbers them.
    pub fn told(&self, call: CallSid, status: &str, sequence: Option<u32>) {
        self.hear_call(call, status, sequence);
        self.broadcaster.broadcast(SharedFact::CallProgress { call, status: status.to_owned(), sequence });
    }

    /// Takes a status callback that another replica received.
    pub fn hear_call(&self, call: CallSid, status: &str, sequence: Option<u32>) {
        self.register().told(call, status, sequence, Instant::now());
    }

    /// Another replica has placed a Call: it waits here for the agent's next line.
    pub fn hear_placed(&self, call: CallSid, worker: WorkerSid, status: &str, ago: Duration) {
        self.register().heard(call, status, worker, ago, Instant::now());
    }

    /// What to do with an answered Call to `to`: make it a Task for that contact.
    pub fn instructions(&self, contact: &str, to: &str) -> std::io::Result<String> {
        twiml::enqueue(self.config.workflow, contact, to)
    }

    pub fn remembered(&self) -> usize {
        self.register().calls()
    }

    async fn place(
        &self,
        worker: WorkerSid,
        line: u64,
        to: &str,
        from: &str,
        contact: &str,
    ) -> Result<(), DialError> {
        let (to, from) = self.rules.check(to, from)?;
        self.take_budget(worker).await?;
        self.check_contact(worker, contact).await?;
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair(CONTACT_PARAMETER, contact).finish();
        let url = format!("{}{TWIML_PATH}?{query}", self.public_url);
        let status_callback = format!("{}{STATUS_PATH}", self.public_url);
        let new = NewCall { to: &to, from: &from, url: &url, status_callback: &status_callback };
        // Callbacks may come before the answer that says whose Call it is.
        let placing = Placing::begin(self)?;
        let placed = self.calls.place(new).await;
        drop(placing);
        match placed {
            Ok(call) => {
                info!(worker.sid = %worker, call.sid = %call.sid, "Call placed");
                self.register().placed(call.sid, &call.status, worker, line, Instant::now());
                self.broadcaster.broadcast(SharedFact::CallPlaced {
                    call: call.sid,
                    worker,
                    status: call.status.to_string(),
                });
                Ok(())
            }
            Err(error) => {
                warn!(worker.sid = %worker, %error, "A Call could not be placed");
                Err(failed(error, DialError::Unconfirmed))
            }
        }
    }

    /// Takes one Call from what an agent may place, here and at all replicas together.
    async fn take_budget(&self, worker: WorkerSid) -> Result<(), RuleViolation> {
        let most = self.config.calls_per_minute;
        self.register().take_budget(worker, most, Instant::now())?;
        let rate = Rate { most: most.into(), every: Duration::from_secs(60) / u32::from(most).max(1) };
        let name = Sha256::new().chain_update("calls").chain_update(worker.to_string()).finalize().into();
        if self.quota.take(name, rate).await { Ok(()) } else { Err(RuleViolation::TooMany) }
    }

    /// Refuses a Call for another agent than the one who places it.
    async fn check_contact(&self, worker: WorkerSid, contact: &str) -> Result<(), DialError> {
        let reading = tokio::time::timeout(LONGEST_READ, self.taskrouter.worker(worker)).await;
        let found = reading.map_err(|_| DialError::Unreachable)?.map_err(|error| match error.next() {
            Next::Missing => DialError::OtherWorker,
            _ => {
                warn!(worker.sid = %worker, %error, "A Worker can't be read");
                DialError::Unreachable
            }
        })?;
        if is_contact_of(&found.attributes, contact) { Ok(()) } else { Err(DialError::OtherWorker) }
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock()
    }
}

impl Line {
    pub async fn call(&self, to: &str, from: &str, contact: &str) -> Result<(), DialError> {
        self.dialler.place(self.worker, self.number, to, from, contact).await
    }

    pub async fn hang_up(&self, call: CallSid) -> Result<(), DialError> {
        if !self.dialler.register().is_of(call, self.worker) {
            return Err(DialError::NotYours);
        }
        self.dialler.calls.complete(call).await.map_err(|error| {
            warn!(call.sid = %call, %error, "A Call could not be ended");
            failed(error, DialError::Unreachable)
        })
    }

    /// The next update of this agent's Calls; `None` when too many waited, so that the stream was closed.
    pub async fn next(&mut self) -> Option<Update> {
        self.updates.recv().await
    }

    /// Gives an update back that could not be sent; it waits for the agent's next line. A failed send may have reached
    /// the agent all the same, so what must not come twice stays away.
    pub fn give_back(&mut self, update: Update) {
        if register::may_repeat(&update.status) {
            self.untold.push(update);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // What was not taken out any more waits for the agent's next line.
        let mut untold = std::mem::take(&mut self.untold);
        self.updates.close();
        while let Ok(update) = self.updates.try_recv() {
            untold.push(update);
        }
        self.dialler.register().close(self.worker, self.number, untold);
    }
}

struct Placing<'a>(&'a Dialler);

impl<'a> Placing<'a> {
    fn begin(dialler: &'a Dialler) -> Result<Self, DialError> {
        dialler.register().placing(Instant::now())?;
        Ok(Self(dialler))
    }
}

impl Drop for Placing<'_> {
    fn drop(&mut self) {
        self.0.register().not_placing();
    }
}

/// The text for the agent: Twilio's own message where it refused, since that names the fault of the number.
fn failed(error: TwilioError, otherwise: DialError) -> DialError {
    match error {
        TwilioError::Status { status: 400..=499, message, .. } if !message.is_empty() => {
            DialError::Twilio(message)
        }
        TwilioError::Status { status: 400..=499, .. } => DialError::Twilio("no reason given".to_owned()),
        _ => otherwise,
    }
}

/// Whether a Worker's attributes have this as `contact_uri`.
fn is_contact_of(attributes: &str, contact: &str) -> bool {
    let attributes = lenient_json::attributes(attributes);
    let own = attributes.get("contact_uri").and_then(serde_json::Value::as_str);
    own.is_some_and(|own| !own.is_empty() && own == contact)
}

#[cfg(test)]
mod tests {
    use super::is_contact_of;

    #[test]
    fn a_worker_can_dial_whatever_else_its_attributes_hold() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for other in [r#""\ud83d""#, "1e400", &deep, "null"] {
            let attributes = format!(r#"{{"x":{other},"contact_uri":"client:alice"}}"#);
            assert!(is_contact_of(&attributes, "client:alice"), "{other}");
            assert!(!is_contact_of(&attributes, "client:bob"), "{other}");
        }
        assert!(!is_contact_of(r#"{"contact_uri":""}"#, "") && !is_contact_of("no JSON", ""));
    }
}
