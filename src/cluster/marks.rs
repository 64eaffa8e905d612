//! Carries marks (invalidations) from the replica that an event reached, through Redis, to the leader.
//!
//! A mark stays in Redis until the leader has read what it invalidates. One that is set again meanwhile has a new
//! number by then, and stays. So each is read at least once, whatever fails; twice does no harm. The message of a mark
//! carries the event's id; a leader that missed the message finds the mark without it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::keys::RedisKey;
use super::message::{Marked, Message, next};
use super::redis::{Link, LinkError};
use crate::event::{Carried, Invalidation, Trace};
use crate::refresh::{Outgoing, Refresher, Sent};
use crate::stats::LatestEvent;

static MARK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/mark.lua")));
static UNMARK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/unmark.lua")));

/// Different marks in Redis; with more of them one that invalidates everything replaces them.
const MOST_MARKS: usize = 10_000;
/// The newest recordings that Redis keeps.
const MOST_RECORDINGS: usize = 1_000;
/// The delay before a mark that could not be sent is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Sends the marks of this replica to Redis until `stop`. What cannot be sent waits, merged with newer marks, and is tried
/// again.
pub async fn carry(link: Link, outgoing: Outgoing, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let sent = tokio::select! {
            // Marks from before the stop are sent before it.
            biased;
            sent = outgoing.next() => sent,
            () = stop.cancelled() => return,
        };
        let Err(error) = send_or_mend(&link, &sent).await else {
            if std::mem::take(&mut failing) {
                info!("Sending marks to the leader succeeds again");
            }
            continue;
        };
        if !std::mem::replace(&mut failing, true) {
            warn!(%error, "Sending marks to the leader fails; they wait here until Redis takes them");
        }
        outgoing.give_back(sent);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Foreign data in our keys means lost marks, so everything is marked.
async fn send_or_mend(link: &Link, sent: &Sent) -> Result<(), LinkError> {
    match send(link, sent).await {
        Err(error) if error.is_wrong_type() => {
            delete_all(link).await?;
            let everything = Sent { touches: vec![Invalidation::everything()], ..Sent::default() };
            send(link, &everything).await?;
            send(link, sent).await
        }
        done => done,
    }
}

/// Deletes all marks, or what stands in their place.
async fn delete_all(link: &Link) -> Result<(), LinkError> {
    let mut delete = redis::cmd("DEL");
    for key in [RedisKey::Marks, RedisKey::MarkNumber, RedisKey::Event, RedisKey::Recordings] {
        delete.arg(link.key(key));
    }
    link.command::<i64>(&delete).await.map(drop)
}

async fn send(link: &Link, sent: &Sent) -> Result<(), LinkError> {
    let touches: Vec<String> = sent.touches.iter().map(encode).collect();
    let event = sent.event.as_ref().and_then(|event| serde_json::to_vec(event).ok()).unwrap_or_default();
    let recordings: Vec<_> =
        sent.recordings.iter().map(|(task, url)| (task.to_string(), url.to_string())).collect();
    let kept = if recordings.is_empty() { Vec::new() } else { with_earlier(link, &recordings).await? };
    let marked = Marked {
        touches: touches.clone(),
        traces: sent.touches.iter().map(|touch| touch.event.and_then(Trace::carried)).collect(),
        event: sent.event.clone(),
        recordings,
        // A placeholder that the script replaces.
        number: NUMBER.to_owned(),
    };
    let message = Message::Marks(marked).encode();
    let message = String::from_utf8_lossy(&message);
    let (head, tail) = message.rsplit_once(NUMBER).unwrap_or((&message, ""));
    let (most, everything) = (MOST_MARKS.to_string(), encode(&Invalidation::everything()));
    let mut arguments: Vec<&[u8]> =
        vec![most.as_bytes(), everything.as_bytes(), head.as_bytes(), tail.as_bytes(), &event, &kept];
    arguments.extend(touches.iter().map(String::as_bytes));
    let keys = [RedisKey::Marks, RedisKey::MarkNumber, RedisKey::News, RedisKey::Event, RedisKey::Recordings];
    link.run::<String>(&MARK, &keys, &arguments).await.map(drop)
}

const NUMBER: &str = "@";

/// Recordings are rare, so one value holds all of them.
async fn with_earlier(link: &Link, new: &[(String, String)]) -> Result<Vec<u8>, LinkError> {
    let mut kept = recordings(link).await?;
    kept.retain(|(task, _)| new.iter().all(|(other, _)| other != task));
    kept.extend_from_slice(new);
    let surplus = kept.len().saturating_sub(MOST_RECORDINGS);
    kept.drain(..surplus);
    Ok(serde_json::to_vec(&kept).unwrap_or_default())
}

async fn recordings(link: &Link) -> Result<Vec<(String, String)>, LinkError> {
    let mut get = redis::cmd("GET");
    get.arg(link.key(RedisKey::Recordings));
    let kept: Option<Vec<u8>> = link.command(&get).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

fn encode(touch: &Invalidation) -> String {
    serde_json::to_string(touch).unwrap_or_default()
}

/// A mark of another version that this one cannot read invalidates everything.
fn decode(touch: &str) -> Invalidation {
    serde_json::from_str(touch).unwrap_or_else(|_| Invalidation::everything())
}

/// The leader's side: takes marks from Redis, and acknowledges them there once they are read.
#[derive(Debug)]
pub struct Delivery {
    link: Link,
    refresher: Refresher,
    /// Marks given to the refresher, with their numbers, whose reads are not awaited yet.
    passed: BTreeMap<String, String>,
    awaited: BTreeMap<String, String>,
    read: Option<oneshot::Receiver<()>>,
    last_number: u64,
}

/// Delivers marks to the refresher until `stop`.
pub async fn deliver(
    link: Link,
    refresher: Refresher,
    messages: broadcast::Receiver<Arc<Message>>,
    stop: CancellationToken,
) {
    let delivery = Delivery {
        link,
        refresher,
        passed: BTreeMap::new(),
        awaited: BTreeMap::new(),
        read: None,
        last_number: 0,
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = delivery.run(messages) => {}
    }
}

impl Delivery {
    async fn run(mut self, mut messages: broadcast::Receiver<Arc<Message>>) {
        let mut looks = tokio::time::interval(self.link.timing().beat() * 2);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut behind = true;
        loop {
            tokio::select! {
                message = next(&mut messages) => match message.as_deref() {
                    Some(Message::Marks(marked)) => {
                        let number = marked.number.parse().unwrap_or(0);
                        behind |= number > self.last_number + 1;
                        self.last_number = self.last_number.max(number);
                        self.take(marked);
                    }
                    Some(Message::Missed) => behind = true,
                    Some(_) => {}
                    None => return std::future::pending().await,
                },
                () = read(&mut self.read) => self.acknowledge().await,
                _ = looks.tick() => {
                    if std::mem::replace(&mut behind, false) {
                        behind = self.look_or_mend().await.is_err();
                    } else {
                        behind = self.is_behind().await;
                    }
                }
            }
            self.ask();
        }
    }

    /// Whether Redis has marks of which no message came.
    async fn is_behind(&self) -> bool {
        let mut get = redis::cmd("GET");
        get.arg(self.link.key(RedisKey::MarkNumber));
        let number: Result<Option<u64>, LinkError> = self.link.command(&get).await;
        match number {
            Ok(number) => number.is_some_and(|number| number != self.last_number),
            Err(error) => error.is_wrong_type(),
        }
    }

    /// Foreign data in our keys means lost marks, so everything is read.
    async fn look_or_mend(&mut self) -> Result<(), LinkError> {
        match self.look().await {
            Err(error) if error.is_wrong_type() => {
                self.refresher.mark(&Invalidation::everything());
                delete_all(&self.link).await?;
                self.look().await
            }
            done => done,
        }
    }

    fn take(&mut self, marked: &Marked) {
        let traces = marked.traces.iter().copied().chain(std::iter::repeat(None));
        for (touch, trace) in marked.touches.iter().zip(traces) {
            let event = trace.map(Carried::arrived);
            self.refresher.mark(&Invalidation { event, ..decode(touch) });
            self.passed.insert(touch.clone(), marked.number.clone());
        }
        if let Some(event) = &marked.event {
            self.refresher.show_event(event.clone());
        }
        for (task, url) in &marked.recordings {
            if let Ok(task) = task.parse() {
                self.refresher.note_recording(task, url);
            }
        }
    }

    /// Takes all marks that stand in Redis.
    async fn look(&mut self) -> Result<(), LinkError> {
        let (mut number, mut marks, mut event) =
            (redis::cmd("GET"), redis::cmd("HGETALL"), redis::cmd("GET"));
        number.arg(self.link.key(RedisKey::MarkNumber));
        marks.arg(self.link.key(RedisKey::Marks));
        event.arg(self.link.key(RedisKey::Event));
        // The number first: marks set after it come as messages, or are found by the next look.
        let number: Option<u64> = self.link.command(&number).await?;
        let marks: BTreeMap<String, String> = self.link.command(&marks).await?;
        for (touch, number) in marks {
            if self.awaited.get(&touch) != Some(&number) && self.passed.get(&touch) != Some(&number) {
                self.refresher.mark(&decode(&touch));
                self.passed.insert(touch, number);
            }
        }
        let event: Option<Vec<u8>> = self.link.command(&event).await?;
        let event = event.and_then(|event| serde_json::from_slice::<LatestEvent>(&event).ok());
        event.into_iter().for_each(|event| self.refresher.show_event(event));
        for (task, url) in recordings(&self.link).await? {
            if let Ok(task) = task.parse() {
                self.refresher.note_recording(task, &url);
            }
        }
        self.last_number = number.unwrap_or(0);
        Ok(())
    }

    /// Awaits the reads of a batch only after those of the batch before.
    fn ask(&mut self) {
        if self.read.is_none() && !self.passed.is_empty() {
            self.awaited = std::mem::take(&mut self.passed);
            self.read = Some(self.refresher.when_read());
        }
    }

    async fn acknowledge(&mut self) {
        self.read = None;
        let awaited = std::mem::take(&mut self.awaited);
        let arguments: Vec<&[u8]> =
            awaited.iter().flat_map(|(touch, number)| [touch.as_bytes(), number.as_bytes()]).collect();
        if let Err(error) = self.link.run::<i64>(&UNMARK, &[RedisKey::Marks], &arguments).await {
            // They stay, and the next leader reads them once more.
            warn!(%error, "Acknowledging marks failed; the next leader reads them once more");
        }
    }
}

/// Waits for the awaited reads; for ever where none are, or reading has stopped.
async fn read(asked: &mut Option<oneshot::Receiver<()>>) {
    let read = match asked {
        Some(asked) => asked.await.is_ok(),
        None => false,
    };
    if !read {
        // A closed channel must not be polled again.
        *asked = None;
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_another_version_marks_everything() {
        let touch = Invalidation { counters: true, ..Invalidation::default() };
        assert_eq!(decode(&encode(&touch)), touch);
        assert_eq!(decode(r#"{"planets":["mars"]}"#), Invalidation::everything());
    }
}
