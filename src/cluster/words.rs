//! Words on their way to the other replicas: as news to those that run, and in a list for those that start later.
//!
//! Those that run remember what is in the list. Where Redis has lost it, one of them puts it back.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use redis::Script;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::link::{Key, Link, LinkError};
use super::news::{News, next};
use crate::coordination::gossip::Word;

static SAY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/say.lua")));
static RESTORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/restore.lua")));

/// Words in the list, the newest; they are forgotten all together a day after the last.
const MOST_KEPT: usize = 5_000;
/// Words that are known to have been heard, so that none is taken twice.
const MOST_HEARD: usize = 20_000;
/// Words that wait for Redis; with more the oldest are lost.
const MOST_UNSAID: usize = 1_000;
const AGAIN: Duration = Duration::from_millis(250);
/// As the scripts have it.
const SECONDS_KEPT: i64 = 86_400;

/// A word as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Said {
    id: u64,
    /// Seconds since 1970.
    at: i64,
    word: Word,
}

/// Passes on what is said here, and what the others say to `hear`, with how many seconds ago that was, until told to stop.
pub async fn exchange(
    link: Link,
    mut said: mpsc::Receiver<Word>,
    mut news: broadcast::Receiver<Arc<News>>,
    hear: impl Fn(Word, u64) + Send,
    stop: CancellationToken,
) {
    let mut heard = Heard::default();
    let mut unsaid: VecDeque<Said> = VecDeque::new();
    let mut behind = true;
    let mut born: Option<String> = None;
    let mut tries = tokio::time::interval(AGAIN);
    tries.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = tokio::time::interval(link.timing().lease());
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // What was said before the end is told before it.
            biased;
            Some(word) = said.recv() => {
                let at = Timestamp::now().as_second();
                let word = Said { id: rand::random(), at, word };
                heard.is_new(&word);
                if unsaid.len() >= MOST_UNSAID {
                    unsaid.pop_front();
                }
                unsaid.push_back(word);
            }
            () = stop.cancelled() => return,
            _ = tries.tick(), if behind || !unsaid.is_empty() => {}
            _ = looks.tick() => {
                if let Err(error) = restore(&link, &heard, &mut born).await {
                    debug!(%error, "Whether Redis still has what was said can't be seen");
                }
            }
            piece = next(&mut news) => match piece.as_deref() {
                Some(News::Word(word)) => take(&mut heard, word.clone(), &hear),
                Some(News::Missed) => behind = true,
                Some(_) => continue,
                None => return stop.cancelled().await,
            },
        }
        if behind {
            match kept(&link).await {
                Ok(words) => {
                    behind = false;
                    words.into_iter().for_each(|word| take(&mut heard, word, &hear));
                }
                Err(error) => debug!(%error, "What the others have said can't be read"),
            }
        }
        while let Some(word) = unsaid.front() {
            if let Err(error) = say(&link, word).await {
                debug!(%error, "The others can't be told");
                break;
            }
            unsaid.pop_front();
        }
    }
}

#[derive(Debug, Default)]
struct Heard {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
    /// What should be in the list.
    kept: VecDeque<Said>,
}

impl Heard {
    fn is_new(&mut self, said: &Said) -> bool {
        if !self.ids.insert(said.id) {
            return false;
        }
        if said.word.is_kept() {
            if self.kept.len() >= MOST_KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back(said.clone());
        }
        self.order.push_back(said.id);
        if self.order.len() > MOST_HEARD
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

fn take(heard: &mut Heard, said: Said, hear: &impl Fn(Word, u64)) {
    if heard.is_new(&said) {
        let ago = Timestamp::now().as_second().saturating_sub(said.at);
        hear(said.word, ago.try_into().unwrap_or(0));
    }
}

async fn say(link: &Link, word: &Said) -> Result<(), LinkError> {
    match say_once(link, word).await {
        Err(error) if error.is_wrong_type() => {
            forget(link).await?;
            say_once(link, word).await
        }
        said => said,
    }
}

/// Where somebody has put something else into our list nothing of it is left to be kept.
async fn forget(link: &Link) -> Result<(), LinkError> {
    let mut delete = redis::cmd("DEL");
    delete.arg(link.key(Key::Words));
    link.command::<i64>(&delete).await.map(drop)
}

async fn say_once(link: &Link, word: &Said) -> Result<(), LinkError> {
    let text = serde_json::to_vec(word).unwrap_or_default();
    let (news, most) = (News::Word(word.clone()).encode(), MOST_KEPT.to_string());
    let kept: &[u8] = if word.word.is_kept() { &text } else { b"" };
    link.run::<i64>(&SAY, &[Key::Words, Key::News], &[&news, kept, most.as_bytes()]).await.map(drop)
}

/// Puts what is missing from the list back, if this Redis is not the one that was there before.
async fn restore(link: &Link, heard: &Heard, born: &mut Option<String>) -> Result<(), LinkError> {
    let mut get = redis::cmd("HMGET");
    get.arg(link.key(Key::Born)).arg("run").arg("at");
    let (run, at): (Option<String>, Option<String>) = link.command(&get).await?;
    let (Some(run), Some(at)) = (run, at) else { return Ok(()) };
    let now = format!("{run} {at}");
    // Who has just come has heard no more than what is there.
    let Some(before) = born.replace(now.clone()).filter(|before| *before != now) else { return Ok(()) };
    let there = kept(link).await.inspect_err(|_| *born = Some(before.clone()))?;
    let there: HashSet<u64> = there.iter().map(|said| said.id).collect();
    let day_ago = Timestamp::now().as_second() - SECONDS_KEPT;
    let missing = heard.kept.iter().filter(|said| said.at > day_ago && !there.contains(&said.id));
    let missing: Vec<Vec<u8>> = missing.map(|said| serde_json::to_vec(said).unwrap_or_default()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let most = MOST_KEPT.to_string();
    let mut arguments: Vec<&[u8]> = vec![now.as_bytes(), most.as_bytes()];
    arguments.extend(missing.iter().rev().map(Vec::as_slice));
    let restored = link.run_large::<i64>(&RESTORE, &[Key::Words, Key::Born], &arguments).await;
    restored.map(drop).inspect_err(|_| *born = Some(before))
}

/// In the order in which they were said. A newer version may say what this one does not know.
async fn kept(link: &Link) -> Result<Vec<Said>, LinkError> {
    let mut range = redis::cmd("LRANGE");
    range.arg(link.key(Key::Words)).arg(0).arg(-1);
    let words: Vec<Vec<u8>> = match link.command(&range).await {
        Err(error) if error.is_wrong_type() => {
            forget(link).await?;
            Vec::new()
        }
        words => words?,
    };
    Ok(words.iter().filter_map(|word| serde_json::from_slice(word).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_taken_once_and_memory_is_bounded() {
        let said = |id| Said { id, at: 0, word: Word::SignedOut { nonce: id } };
        let mut heard = Heard::default();
        assert!(heard.is_new(&said(1)) && !heard.is_new(&said(1)));
        (2..MOST_HEARD as u64 + 2).for_each(|id| assert!(heard.is_new(&said(id))));
        assert_eq!((heard.ids.len(), heard.order.len()), (MOST_HEARD, MOST_HEARD));
        assert_eq!(heard.kept.len(), MOST_KEPT);
        assert!(heard.is_new(&said(1)), "forgotten");
    }
}
