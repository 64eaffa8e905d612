//! One Call as data: its status, its resource, and the parameters of its status callbacks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::formatted;
use crate::clock::rfc2822;
use crate::json::{JsonObject, object};
use crate::sid::Sid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    Queued,
    Ringing,
    InProgress,
    /// Ended after having been answered.
    Completed,
    Busy,
    /// Could not be placed.
    Failed,
    NoAnswer,
    /// Given up before it was answered.
    Canceled,
}

impl CallStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::NoAnswer => "no-answer",
            Self::Canceled => "canceled",
        }
    }

    pub(super) const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Ringing | Self::InProgress)
    }

    /// The `StatusCallbackEvent` that requests a callback for this status.
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Queued => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "answered",
            _ => "completed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallView {
    /// The Call's SID, `CA…`.
    pub sid: String,
    pub to: String,
    pub from: String,
    pub status: CallStatus,
    pub params: Vec<(String, String)>,
    /// The Task that it was enqueued as, `WT…`.
    pub task: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) sid: Sid,
    pub(super) status: CallStatus,
    pub(super) params: Vec<(String, String)>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) answered: Option<i64>,
    pub(super) ended: Option<i64>,
    /// Milliseconds until it is placed, as estimated at its creation.
    pub(super) queue_time: i64,
    /// `SequenceNumber` of the next status callback.
    pub(super) sequence: u32,
    pub(super) task: Option<String>,
}

/// Resources below a Call that `subresource_uris` names: the name there, and the one in the path.
const SUBRESOURCES: [(&str, &str); 9] = [
    ("notifications", "Notifications"),
    ("recordings", "Recordings"),
    ("payments", "Payments"),
    ("events", "Events"),
    ("siprec", "Siprec"),
    ("streams", "Streams"),
    ("transcriptions", "Transcriptions"),
    ("user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"),
    ("user_defined_messages", "UserDefinedMessages"),
];

impl Call {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn view(&self) -> CallView {
        CallView {
            sid: self.sid.to_string(),
            to: self.param("To").unwrap_or_default().to_owned(),
            from: self.param("From").unwrap_or_default().to_owned(),
            status: self.status,
            params: self.params.clone(),
            task: self.task.clone(),
        }
    }

    pub(super) fn move_to(&mut self, status: CallStatus, now: i64) {
        self.status = status;
        self.updated = now;
        if status == CallStatus::InProgress {
            self.answered = Some(now);
        }
        if status.is_final() {
            self.ended = Some(now);
        }
    }

    /// Seconds between answer and end.
    fn seconds(&self) -> i64 {
        self.answered.zip(self.ended).map_or(0, |(answered, ended)| (ended - answered) / 1000)
    }

    /// Whether the Call wants a callback for its present status; without `StatusCallbackEvent` only for its end.
    pub(super) fn wants_callback(&self) -> bool {
        let event = self.status.event();
        let mut asked = self.params.iter().filter(|(name, _)| name == "StatusCallbackEvent").peekable();
        if asked.peek().is_none() {
            return event == "completed";
        }
        // Helper libraries repeat the parameter; one value may also hold several words.
        asked.any(|(_, value)| value.split([' ', ',']).any(|word| word == event))
    }

    pub(super) fn callback(&self, account: &str) -> Vec<(String, String)> {
        let mut params = self.webhook(account);
        let own = [
            ("Timestamp", rfc2822(self.updated)),
            ("SequenceNumber", self.sequence.to_string()),
            ("CallbackSource", "call-progress-events".to_owned()),
        ];
        params.extend(own.map(|(name, value)| (name.to_owned(), value)));
        if self.status.is_final() {
            let seconds = self.seconds();
            params.push(("Duration".to_owned(), (seconds + 59).div_euclid(60).to_string()));
            params.push(("CallDuration".to_owned(), seconds.to_string()));
            params.push(("SipResponseCode".to_owned(), "200".to_owned()));
        }
        params
    }

    /// The parameters of every request about it. Geographic fields are often empty or not ASCII, and belong to the
    /// signature all the same.
    pub(super) fn webhook(&self, account: &str) -> Vec<(String, String)> {
        let (to, from) = (self.param("To").unwrap_or_default(), self.param("From").unwrap_or_default());
        let mut params: Vec<(String, String)> = [
            ("CallSid", self.sid.to_string().as_str()),
            ("AccountSid", account),
            ("ApiVersion", "2010-04-01"),
            ("From", from),
            ("To", to),
            ("Caller", from),
            ("Called", to),
            ("Direction", "outbound-api"),
            ("CallStatus", self.status.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for party in ["From", "To", "Caller", "Called"] {
            for (part, value) in [("City", ""), ("State", ""), ("Zip", ""), ("Country", "US")] {
                let value = if (party, part) == ("Called", "City") { "São Paulo" } else { value };
                params.push((format!("{party}{part}"), value.to_owned()));
            }
        }
        params
    }

    pub(super) fn render(&self, account: &str) -> JsonObject {
        let folder = format!("/2010-04-01/Accounts/{account}/Calls/{}", self.sid);
        let mut uris = JsonObject::default();
        for (name, path) in SUBRESOURCES {
            uris.set(name, &format!("{folder}/{path}.json"));
        }
        let (to, from) = (self.param("To").unwrap_or_default(), self.param("From").unwrap_or_default());
        object!({
            "account_sid": account,
            "answered_by": Value::Null,
            "api_version": "2010-04-01",
            "caller_name": Value::Null,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "direction": "outbound-api",
            "duration": self.ended.map(|_| self.seconds().to_string()),
            "end_time": self.ended.map(rfc2822),
            "forwarded_from": Value::Null,
            "from": from,
            "from_formatted": formatted(from),
            "group_sid": Value::Null,
            "parent_call_sid": Value::Null,
            "phone_number_sid": Value::Null,
            "price": Value::Null,
            "price_unit": "USD",
            "sid": self.sid,
            "start_time": self.answered.map(rfc2822),
            "status": self.status,
            "subresource_uris": uris,
            "to": to,
            "to_formatted": formatted(to),
            "trunk_sid": Value::Null,
            "uri": format!("{folder}.json"),
            "queue_time": self.queue_time.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Kind;

    fn call(events: &[&str]) -> Call {
        Call {
            sid: Sid::fixed(Kind::Call, 1),
            status: CallStatus::Queued,
            params: events.iter().map(|e| ("StatusCallbackEvent".to_owned(), (*e).to_owned())).collect(),
            created: 0,
            updated: 0,
            answered: None,
            ended: None,
            queue_time: 0,
            sequence: 0,
            task: None,
        }
    }

    #[test]
    fn tells_what_was_asked_for_and_by_default_only_the_end() {
        let wants = |events: &[&str], status| {
            let mut call = call(events);
            call.move_to(status, 0);
            call.wants_callback()
        };
        assert!(!wants(&[], CallStatus::Ringing) && wants(&[], CallStatus::Busy));
        assert!(wants(&["ringing", "answered"], CallStatus::InProgress));
        assert!(!wants(&["ringing", "answered"], CallStatus::Completed));
    }

    #[test]
    fn lasts_from_the_answer_to_the_end() {
        let mut call = call(&[]);
        call.move_to(CallStatus::InProgress, 5_000);
        call.move_to(CallStatus::Completed, 66_000);
        let params = call.callback("AC1");
        let value = |name: &str| params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!((value("CallDuration"), value("Duration")), (Some("61"), Some("2")));
        assert_eq!((value("CalledCity"), value("ToZip")), (Some("São Paulo"), Some("")));
    }
}
