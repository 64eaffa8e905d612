//! Marks on their way: from whichever replica an event came to, through Redis, to the leader.
//!
//! They stay in Redis until the leader has read what they touch. A mark that is set again meanwhile has another number by
//! then, and stays. So each is read at least once, whoever dies; twice does no harm. The events' ids go along with the news
//! of a mark; a leader that missed the news finds the mark without them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::link::{Key, Link, LinkError};
use super::news::{Marked, News, next};
use crate::event::{Carried, Touch, Trace};
use crate::refresh::{Outgoing, Refresher, Sent};
use crate::stats::LatestEvent;

static MARK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/mark.lua")));
static UNMARK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/unmark.lua")));

/// Different marks that may stand in Redis; with more of them there is one for everything.
const MOST_MARKS: usize = 10_000;
/// Recordings that are kept in Redis at once, the newest.
const MOST_RECORDINGS: usize = 1_000;
/// After a mark could not be sent.
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

/// Where somebody has put something else into our keys nobody knows what was marked, so everything is.
async fn send_or_mend(link: &Link, sent: &Sent) -> Result<(), LinkError> {
    match send(link, sent).await {
        Err(error) if error.is_wrong_type() => {
            forget(link).await?;
            let everything = Sent { touches: vec![Touch::everything()], ..Sent::default() };
            send(link, &everything).await?;
            send(link, sent).await
        }
        done => done,
    }
}

/// Takes all marks, and what goes along with them, out of Redis, whatever it is.
async fn forget(link: &Link) -> Result<(), LinkError> {
    let mut delete = redis::cmd("DEL");
    for key in [Key::Marks, Key::MarkNumber, Key::Event, Key::Recordings] {
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
        // The script puts the number there.
        number: NUMBER.to_owned(),
    };
    let news = News::Marks(marked).encode();
    let news = String::from_utf8_lossy(&news);
    let (head, tail) = news.rsplit_once(NUMBER).unwrap_or((&news, ""));
    let (most, everything) = (MOST_MARKS.to_string(), encode(&Touch::everything()));
    let mut arguments: Vec<&[u8]> =
        vec![most.as_bytes(), everything.as_bytes(), head.as_bytes(), tail.as_bytes(), &event, &kept];
    arguments.extend(touches.iter().map(String::as_bytes));
    let keys = [Key::Marks, Key::MarkNumber, Key::News, Key::Event, Key::Recordings];
    link.run::<String>(&MARK, &keys, &arguments).await.map(drop)
}

const NUMBER: &str = "@";

/// Recordings come seldom, so all that are kept stand in one value.
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
    get.arg(link.key(Key::Recordings));
    let kept: Option<Vec<u8>> = link.command(&get).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

fn encode(touch: &Touch) -> String {
    serde_json::to_string(touch).unwrap_or_default()
}

/// What another version means by a mark that this one can't read is not known, so everything is read.
fn decode(touch: &str) -> Touch {
    serde_json::from_str(touch).unwrap_or_else(|_| Touch::everything())
}

/// The leader's side: takes marks in, and out of Redis once they were read.
#[derive(Debug)]
pub struct Delivery {
    link: Link,
    refresher: Refresher,
    /// Marks in Redis that were passed on, with their numbers, and are not being waited for yet.
    passed: BTreeMap<String, String>,
    /// Those that are.
    awaited: BTreeMap<String, String>,
    read: Option<oneshot::Receiver<()>>,
    last_number: u64,
}

/// Takes marks in until told to stop.
pub async fn deliver(
    link: Link,
    refresher: Refresher,
    news: broadcast::Receiver<Arc<News>>,
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
        () = delivery.run(news) => {}
    }
}

impl Delivery {
    async fn run(mut self, mut news: broadcast::Receiver<Arc<News>>) {
        let mut looks = tokio::time::interval(self.link.timing().beat() * 2);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut behind = true;
        loop {
            tokio::select! {
                piece = next(&mut news) => match piece.as_deref() {
                    Some(News::Marks(marked)) => {
                        let number = marked.number.parse().unwrap_or(0);
                        behind |= number > self.last_number + 1;
                        self.last_number = self.last_number.max(number);
                        self.take(marked);
                    }
                    Some(News::Missed) => behind = true,
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

    /// Whether marks were set that we have not heard of.
    async fn is_behind(&self) -> bool {
        let mut get = redis::cmd("GET");
        get.arg(self.link.key(Key::MarkNumber));
        let number: Result<Option<u64>, LinkError> = self.link.command(&get).await;
        match number {
            Ok(number) => number.is_some_and(|number| number != self.last_number),
            Err(error) => error.is_wrong_type(),
        }
    }

    /// Where something else stands there nobody knows what was marked, so everything is read.
    async fn look_or_mend(&mut self) -> Result<(), LinkError> {
        match self.look().await {
            Err(error) if error.is_wrong_type() => {
                self.refresher.mark(&Touch::everything());
                forget(&self.link).await?;
                self.look().await
            }
            done => done,
        }
    }

    fn take(&mut self, marked: &Marked) {
        let traces = marked.traces.iter().copied().chain(std::iter::repeat(None));
        for (touch, trace) in marked.touches.iter().zip(traces) {
            let event = trace.map(Carried::arrived);
            self.refresher.mark(&Touch { event, ..decode(touch) });
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

    /// Takes in all that stands in Redis.
    async fn look(&mut self) -> Result<(), LinkError> {
        let (mut number, mut marks, mut event) =
            (redis::cmd("GET"), redis::cmd("HGETALL"), redis::cmd("GET"));
        number.arg(self.link.key(Key::MarkNumber));
        marks.arg(self.link.key(Key::Marks));
        event.arg(self.link.key(Key::Event));
        // The number first: whatever is marked after it comes as news, or is found by the next look.
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

    /// Waits for the reads of all that was passed on, once it does not wait for others.
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
        if let Err(error) = self.link.run::<i64>(&UNMARK, &[Key::Marks], &arguments).await {
            // They stay, and whoever leads next reads them once more.
            warn!(%error, "Marks that were read could not be taken out of Redis");
        }
    }
}

/// Waits until what was asked about was read; for ever where nothing was, or reading has ended.
async fn read(asked: &mut Option<oneshot::Receiver<()>>) {
    let read = match asked {
        Some(asked) => asked.await.is_ok(),
        None => false,
    };
    if !read {
        // It has ended, and must not be asked again.
        *asked = None;
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_another_version_marks_everything() {
        let touch = Touch { counters: true, ..Touch::default() };
        assert_eq!(decode(&encode(&touch)), touch);
        assert_eq!(decode(r#"{"planets":["mars"]}"#), Touch::everything());
    }
}
