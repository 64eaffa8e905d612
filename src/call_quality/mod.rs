//! Poor call quality: an agent's browser reports a Call, an action follows, and the dashboard shows the report.
//!
//! The Flex user of a report is verified by then. A report that repeats within a minute is ignored, so a page may
//! retry. Nothing here keeps or logs a whole telephone number: the board holds their last four digits, logs none.

mod board;
mod limits;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{info, warn};

pub use webhook::{AlertSender, webhook_signatures};

use board::{Alert, AlertBoard};
use limits::{OF_A_CUSTOMER, OF_A_REPORT, OF_ALL, OF_AN_AGENT, ReportLimits, Seen};
use webhook::Parcel;

use crate::config::{StatisticsConfig, VoiceConfig, is_e164};
use crate::coordination::gossip::{Broadcaster, SharedFact};
use crate::coordination::rate_limit::Quota;
use crate::twilio::flex_token::FlexUser;
use crate::twilio::messages::Messages;
use crate::twilio::{ClientError, TwilioError};

/// Longest text of issues that is kept.
const LONGEST_ISSUES: usize = 500;
/// Longest name of an action that is kept.
const LONGEST_ACTION: usize = 64;
/// The issues that the agent's browser reports; anything else is logged as "other".
const KNOWN_ISSUES: [&str; 3] = ["short call", "call ended under warning", "call warning condition pct"];

/// The taker of reports, its task, and the board as it is shown.
pub type CallQualityParts = (Arc<Voice>, AlertSender, watch::Receiver<Value>);

#[derive(Debug)]
pub struct Voice {
    config: VoiceConfig,
    statistics: StatisticsConfig,
    messages: Messages,
    state: Mutex<CallQualityState>,
    shown: watch::Sender<Value>,
    parcels: mpsc::Sender<Parcel>,
    logged: AtomicU64,
    broadcaster: Broadcaster,
    /// The limits of all replicas together.
    quota: Quota,
}

#[derive(Debug, Default)]
struct CallQualityState {
    board: AlertBoard,
    limits: ReportLimits,
}

/// What an agent's browser says about a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallReport {
    pub issues: String,
    pub caller_id: String,
    pub dnis: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    LogCall,
    SendSms,
    Webhook,
    /// An action of the user's own, such as an alarm in a network's management: the webhook carries it out.
    Own(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    AsAsked,
    /// The alert is only on the board and in the log: the action is unknown here.
    OnlyRecorded,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    #[error("messages may not be sent from dnis: it is not in VOICE_SMS_NUMBERS")]
    Sender,
    #[error("callerId is not a telephone number with + and the country code")]
    Recipient,
    #[error("messages may not be sent to callerId: none of VOICE_SMS_PREFIXES is how it begins")]
    Destination,
    #[error("messages are sent for Workers only")]
    NoWorker,
    #[error("this customer, or customers of this agent, got messages enough for now")]
    TooMany,
    #[error("the message could not be sent: {0}")]
    Twilio(TwilioError),
    #[error("there is no webhook: set VOICE_WEBHOOK_URL and VOICE_WEBHOOK_SECRET")]
    NoWebhook,
    #[error("too many webhooks wait to be delivered; try again later")]
    Full,
}

impl Action {
    /// Parses an action's name; an empty one is the plugin's default.
    pub fn named(name: &str) -> Self {
        let known = [Self::LogCall, Self::SendSms, Self::Webhook];
        let name = name.trim();
        if name.is_empty() {
            return Self::LogCall;
        }
        let own = || {
            let length = name.chars().count();
            if length > LONGEST_ACTION {
                warn!(length, most = LONGEST_ACTION, "An action's name is too long and was shortened");
            }
            Self::Own(name.chars().take(LONGEST_ACTION).collect())
        };
        known.into_iter().find(|action| action.name() == name).unwrap_or_else(own)
    }

    pub fn name(&self) -> &str {
        match self {
            Self::LogCall => "log-call",
            Self::SendSms => "send-sms-to-customer",
            Self::Webhook => "webhook",
            Self::Own(name) => name,
        }
    }

    /// The action's name, unless it is a text that a page sent.
    fn loggable(&self) -> &str {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.name().chars().all(plain) { self.name() } else { "other" }
    }
}

impl Voice {
    /// The taker of reports, the task that delivers webhooks and turns the day, and the board as it is shown.
    pub fn new(
        config: VoiceConfig,
        statistics: StatisticsConfig,
        messages: Messages,
        broadcaster: Broadcaster,
        quota: Quota,
    ) -> Result<CallQualityParts, ClientError> {
        let (parcels, queue) = mpsc::channel(webhook::MOST_WAITING);
        let (shown, board) = watch::channel(AlertBoard::default().shown());
        let target = config.webhook.clone();
        let voice = Self {
            config,
            statistics,
            messages,
            state: Mutex::default(),
            shown,
            parcels,
            logged: AtomicU64::new(0),
            broadcaster,
            quota,
        };
        let voice = Arc::new(voice);
        Ok((voice.clone(), AlertSender::new(voice, target, queue)?, board))
    }

    /// Does what a report asks for, once.
    pub async fn respond(
        &self,
        user: &FlexUser,
        report: &CallReport,
        action: &Action,
    ) -> Result<Done, VoiceError> {
        let of = |kind: &str| {
            limits::key(&[kind, &user.name, &report.caller_id, &report.dnis, &report.issues, action.name()])
        };
        let key = of("report");
        let seen = self.state().limits.begin(key, Instant::now());
        // Another replica may have had it, or have it now.
        if seen == Seen::Done || !self.quota.take(key, OF_A_REPORT).await {
            return Ok(self.would_do(action));
        }
        if seen == Seen::Never && self.quota.take(of("alert"), OF_A_REPORT).await {
            self.show(user, report, action);
        }
        let done = match action {
            Action::LogCall => Ok(()),
            Action::SendSms => self.send_sms(user, report).await,
            Action::Webhook => self.enqueue(user, report, action),
            Action::Own(_) if self.config.webhook.is_none() => Ok(()),
            Action::Own(_) => self.enqueue(user, report, action),
        };
        self.log(user, report, action, &done);
        if done.is_err() {
            self.state().limits.failed(key);
            self.quota.give_back(key);
        }
        done.map(|()| self.would_do(action))
    }

    fn would_do(&self, action: &Action) -> Done {
        let unknown = matches!(action, Action::Own(_)) && self.config.webhook.is_none();
        if unknown { Done::OnlyRecorded } else { Done::AsAsked }
    }

    /// Resets today's counts for a new day.
    fn turn_day(&self) {
        let today = self.today();
        let mut state = self.state();
        state.board.turn(today);
        self.shown.send_replace(state.board.shown());
    }

    fn show(&self, user: &FlexUser, report: &CallReport, action: &Action) {
        let alert = Alert {
            at: Timestamp::now(),
            agent: user.name.to_string(),
            caller_id: masked(&report.caller_id),
            dnis: masked(&report.dnis),
            issues: report.issues.chars().take(LONGEST_ISSUES).collect(),
            action: action.name().to_owned().into(),
        };
        self.broadcaster.broadcast(SharedFact::Alert(json!(alert)));
        self.put_up(alert);
    }

    /// Takes in another replica's report.
    pub fn hear(&self, alert: Value) {
        // A newer version may show what this one does not know.
        if let Ok(alert) = serde_json::from_value::<Alert>(alert) {
            self.put_up(alert);
        }
    }

    fn put_up(&self, alert: Alert) {
        let today = self.today();
        let mut state = self.state();
        state.board.turn(today);
        state.board.add(alert);
        self.shown.send_replace(state.board.shown());
    }

    async fn send_sms(&self, user: &FlexUser, report: &CallReport) -> Result<(), VoiceError> {
        if !self.config.sms_numbers.contains(&report.dnis) {
            return Err(VoiceError::Sender);
        }
        if !is_e164(&report.caller_id) {
            return Err(VoiceError::Recipient);
        }
        if !self.config.sms_prefixes.iter().any(|prefix| report.caller_id.starts_with(prefix)) {
            return Err(VoiceError::Destination);
        }
        if user.worker.is_none() {
            return Err(VoiceError::NoWorker);
        }
        if !self.state().limits.take_sms(&report.caller_id, &user.name, Instant::now()) {
            return Err(VoiceError::TooMany);
        }
        let customer = limits::key(&["customer", &report.caller_id]);
        if !self.quota.take(customer, OF_A_CUSTOMER).await {
            return Err(VoiceError::TooMany);
        }
        let agent = limits::key(&["agent", &user.name]);
        if !self.quota.take(agent, OF_AN_AGENT).await {
            self.quota.give_back(customer);
            return Err(VoiceError::TooMany);
        }
        if !self.quota.take(limits::key(&["messages"]), OF_ALL).await {
            self.quota.give_back(customer);
            self.quota.give_back(agent);
            return Err(VoiceError::TooMany);
        }
        let sent = self.messages.send(&report.caller_id, &report.dnis, &self.config.sms_text).await;
        sent.map_err(VoiceError::Twilio)
    }

    fn enqueue(&self, user: &FlexUser, report: &CallReport, action: &Action) -> Result<(), VoiceError> {
        if self.config.webhook.is_none() {
            return Err(VoiceError::NoWebhook);
        }
        self.parcels.try_send(Parcel::new(user, report, action.name())).map_err(|_| VoiceError::Full)
    }

    /// Neither numbers nor names, nor free text.
    fn log(&self, user: &FlexUser, report: &CallReport, action: &Action, done: &Result<(), VoiceError>) {
        let known = KNOWN_ISSUES.into_iter().filter(|issue| report.issues.contains(issue));
        let known: Vec<&str> = known.collect();
        let issues = if known.is_empty() { "other".to_owned() } else { known.join(", ") };
        let worker = user.worker.map(|worker| worker.to_string()).unwrap_or_default();
        let count = self.logged.fetch_add(1, Ordering::Relaxed) + 1;
        let action = action.loggable();
        match done {
            Ok(()) => info!(worker.sid = worker, action, issues, count, "Poor call quality reported"),
            Err(error) => {
                // Twilio's own words may name the customer's number.
                let reason = match error {
                    VoiceError::Twilio(TwilioError::Status { status, code, .. }) => {
                        format!("Twilio answered {status} (code {code:?})")
                    }
                    error => error.to_string(),
                };
                warn!(
                    worker.sid = worker,
                    action, issues, count, reason, "Poor call quality reported; the action failed"
                );
            }
        }
    }

    fn today(&self) -> Timestamp {
        let StatisticsConfig { time_zone, day_start, .. } = &self.statistics;
        crate::stats::day::start_of_day(Timestamp::now(), time_zone, *day_start)
    }

    fn state(&self) -> MutexGuard<'_, CallQualityState> {
        self.state.lock()
    }
}

/// A number's last four digits: enough to know it again, not enough to call it.
fn masked(number: &str) -> String {
    let shown: Vec<char> = number.chars().rev().take(4).collect();
    if number.chars().count() <= 4 {
        return if number.is_empty() { String::new() } else { "…".to_owned() };
    }
    std::iter::once('…').chain(shown.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Action, LONGEST_ACTION, masked};

    #[test]
    fn an_action_of_the_users_own_is_kept_and_logged_only_where_it_is_a_name() {
        let own = Action::named(" raise-snmp-alarm ");
        assert_eq!((own.name(), own.loggable()), ("raise-snmp-alarm", "raise-snmp-alarm"));
        assert_eq!(Action::named("call +14155550100 back").loggable(), "other");
        assert_eq!((Action::named(""), Action::named("webhook")), (Action::LogCall, Action::Webhook));
        assert_eq!(Action::named(&"x".repeat(500)).name().len(), LONGEST_ACTION);
    }

    #[test]
    fn numbers_are_masked_but_for_four_digits() {
        assert_eq!(masked("+14155550100"), "…0100");
        assert_eq!((masked("1234").as_str(), masked("").as_str()), ("…", ""));
        assert_eq!(masked("anonymous"), "…mous");
    }
}
