//! TaskRouter's events: they say only *that* something changed, and what to read again.
//!
//! A verified body comes in, as an event callback's form or as an Event Streams batch of CloudEvents; out come the
//! few identifiers that say what to re-read ([`Event`]), and from those the stale scopes ([`Invalidation`]). No number is
//! ever taken from an event, so a duplicate, a reordering or a loss delays statistics but never makes them wrong.

mod cloud;
mod invalidation;
mod trace;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use cloud::{BatchError, decode_batch, fields_of_last};
pub use invalidation::{Invalidation, Queues};
pub use trace::{Carried, EventId, Trace};

use crate::form::Form;
use crate::sid::{AccountSid, EventSid, TaskQueueSid, WorkspaceSid};

/// One event, as far as it says what became stale. Anything may be missing; unknown types are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// `Sid`, where it is well-formed; Twilio does not document that it is there.
    pub sid: Option<EventSid>,
    /// `EventType`, such as `reservation.accepted`.
    pub event_type: Option<String>,
    /// `AccountSid` as sent, not validated.
    account_sid: Option<String>,
    /// `WorkspaceSid` as sent, not validated.
    workspace_sid: Option<String>,
    /// `TaskQueueSid`, where it is well-formed.
    pub task_queue: Option<TaskQueueSid>,
    /// The TaskQueue that a Task has left, where an event names it.
    pub previous_task_queue: Option<TaskQueueSid>,
    /// `TaskChannelUniqueName`, such as `voice`.
    pub channel: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event is for {what} {found}, and this service is for {expected}")]
pub struct ForeignEvent {
    what: &'static str,
    found: String,
    expected: String,
}

impl Event {
    /// Reads an event callback's form (Twilio, "TaskRouter Events reference").
    pub fn from_form(form: &Form<'_>) -> Self {
        Self::from_fields(|callback_name, _| form.value(callback_name).map(Cow::Borrowed))
    }

    /// `field` gets the callback's name of a field and Event Streams' name of the same.
    fn from_fields<'f>(field: impl Fn(&str, &str) -> Option<Cow<'f, str>>) -> Self {
        let text = |callback, stream| field(callback, stream).map(Cow::into_owned);
        let queue = |callback, stream| field(callback, stream)?.parse().ok();
        Self {
            sid: field("Sid", "sid").and_then(|sid| sid.parse().ok()),
            event_type: text("EventType", "eventtype"),
            account_sid: text("AccountSid", "account_sid"),
            workspace_sid: text("WorkspaceSid", "workspace_sid"),
            task_queue: queue("TaskQueueSid", "task_queue_sid"),
            previous_task_queue: queue("PreviousTaskQueueSid", "previous_task_queue_sid"),
            channel: text("TaskChannelUniqueName", "task_channel_unique_name"),
        }
    }

    pub fn fields_of(form: &Form<'_>) -> BTreeMap<String, String> {
        form.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Refuses an event that names another Account or Workspace; one that names none is taken.
    pub fn check_owner(&self, account: AccountSid, workspace: WorkspaceSid) -> Result<(), ForeignEvent> {
        let check = |what, found: &Option<String>, expected: &str| match found {
            Some(found) if found != expected => {
                // Bounded, because the text is the sender's.
                let found = found.chars().take(crate::sid::SID_LENGTH).collect();
                Err(ForeignEvent { what, found, expected: expected.to_owned() })
            }
            _ => Ok(()),
        };
        check("Account", &self.account_sid, account.as_str())?;
        check("Workspace", &self.workspace_sid, workspace.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "WQ00000000000000000000000000000001";

    #[test]
    fn reads_what_is_there_and_misses_nothing_else() {
        let body =
            format!("EventType=task-queue.entered&TaskQueueSid={QUEUE}&TaskChannelUniqueName=voice&New=1");
        let event = Event::from_form(&Form::parse(body.as_bytes()).unwrap());
        assert_eq!(event.event_type.as_deref(), Some("task-queue.entered"));
        assert_eq!(event.task_queue.unwrap().as_str(), QUEUE);
        assert_eq!(event.channel.as_deref(), Some("voice"));
        let bare = Event::from_form(&Form::parse(b"TaskQueueSid=nonsense").unwrap());
        assert_eq!(bare, Event::default());
    }

    proptest::proptest! {
        #[test]
        fn whatever_an_event_says_it_only_marks(
            pairs in proptest::collection::vec(("(EventType|AccountSid|TaskQueueSid|TaskChannelUniqueName|\\PC{0,9})", "(WQ[0-9a-f]{32}|\\PC{0,40})"), 0..12),
        ) {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let form = Form::parse(body.as_bytes()).unwrap();
            let event = Event::from_form(&form);
            let _ = event.touch();
            proptest::prop_assert!(Event::fields_of(&form).len() <= pairs.len());
        }
    }

    #[test]
    fn belongs_to_the_account_and_workspace_it_names() {
        let account = "AC00000000000000000000000000000001".parse().unwrap();
        let workspace = "WS00000000000000000000000000000001".parse().unwrap();
        let check = |body: &str| {
            Event::from_form(&Form::parse(body.as_bytes()).unwrap()).check_owner(account, workspace)
        };
        assert_eq!(check("EventType=x"), Ok(()));
        assert_eq!(check(&format!("AccountSid={account}&WorkspaceSid={workspace}")), Ok(()));
        let error = check("AccountSid=AC00000000000000000000000000000002").unwrap_err().to_string();
        assert!(error.contains("AC00000000000000000000000000000002"), "{error}");
        assert!(check("WorkspaceSid=WS00000000000000000000000000000002").is_err());
    }
}
