//! Which TaskChannels have statistics of their own: those of `STATS_CHANNELS` that the Workspace has, and with `auto` also
//! those on which Tasks are seen.
//!
//! Twilio refuses statistics of a TaskChannel that is not there, so one is read only once it is known to exist.
//! Channels are added and never taken away, so that a scope means the same channel for as long as the process leads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::config::{ChannelChoice, StatisticsConfig};
use crate::twilio::taskrouter::{TaskRouter, Window};
use crate::twilio::{Next, TwilioError};

/// TaskChannels per Workspace (Twilio, TaskRouter limits).
const MOST_CHANNELS: usize = 15;

/// Finds TaskChannels. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Channels {
    taskrouter: TaskRouter,
    wanted: Arc<[Box<str>]>,
    choice: ChannelChoice,
    /// Channels that were logged as missing.
    said: Arc<Mutex<BTreeSet<Box<str>>>>,
    looks: Arc<Mutex<Looks>>,
    listing_is_refused: Arc<AtomicBool>,
}

/// Least time between two looks for one channel. Each lists all TaskQueues and channels, and a channel that can't be added
/// would cause one with every event on it.
const NEXT_LOOK: Duration = Duration::from_secs(10);

/// When channels were last looked for.
#[derive(Debug, Default)]
struct Looks(BTreeMap<Box<str>, Instant>);

impl Looks {
    fn is_due(&mut self, channel: &str, now: Instant) -> bool {
        self.0.retain(|_, looked| *looked + NEXT_LOOK > now);
        let is_due = !self.0.contains_key(channel);
        if is_due {
            self.0.insert(channel.into(), now);
        }
        is_due
    }
}

impl Channels {
    pub(super) fn new(taskrouter: TaskRouter, statistics: &StatisticsConfig) -> Self {
        let wanted = statistics.channels.iter().map(|name| name.as_str().into()).collect();
        Self {
            taskrouter,
            wanted,
            choice: statistics.channel_choice,
            said: Arc::default(),
            looks: Arc::default(),
            listing_is_refused: Arc::default(),
        }
    }

    /// Whether to look for a Task's channel, since it may have to be added.
    pub(super) fn may_be_new(&self, channel: Option<&str>, active: &[Box<str>], now: Instant) -> bool {
        let Some(channel) = channel.filter(|_| self.choice == ChannelChoice::Auto) else { return false };
        let is_active = active.iter().any(|active| **active == *channel);
        !is_active && active.len() < MOST_CHANNELS && self.looks.lock().is_due(channel, now)
    }

    /// The channels to add to those that are read already.
    pub(super) async fn new_ones(
        &self,
        active: &[Box<str>],
        window: &Window,
    ) -> Result<Vec<Box<str>>, TwilioError> {
        let missing: Vec<_> = self.wanted.iter().filter(|name| !active.contains(name)).collect();
        if missing.is_empty() && self.choice != ChannelChoice::Auto {
            return Ok(Vec::new());
        }
        let there = match self.taskrouter.task_channels().await {
            Ok(channels) => channels,
            Err(error)
                if matches!(error.next(), Next::GiveUp | Next::Missing) && !error.is_bad_credentials() =>
            {
                if !self.listing_is_refused.swap(true, Ordering::Relaxed) {
                    warn!(%error, "The TaskChannels can't be listed; those of STATS_CHANNELS are taken to exist");
                }
                return Ok(missing.into_iter().cloned().collect());
            }
            // Those that are known already can be read meanwhile.
            Err(error) if !active.is_empty() => {
                debug!(%error, "The TaskChannels can't be listed; this is tried again with the TaskQueues");
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let (mut found, absent): (Vec<Box<str>>, Vec<Box<str>>) =
            missing.into_iter().cloned().partition(|name| there.contains(name));
        self.say_missing(&absent, &there);
        if self.choice == ChannelChoice::Auto {
            let others = there.iter().filter(|name| !active.contains(name) && !found.contains(name));
            let others: Vec<_> = others.collect();
            let looks = others.iter().map(|name| self.taskrouter.has_tasks_on(name, window));
            let used = join_all(looks).await;
            let used = others.into_iter().zip(used).filter(|(_, used)| matches!(used, Ok(true)));
            found.extend(used.map(|(name, _)| name.clone()));
            found.truncate(MOST_CHANNELS.saturating_sub(active.len()));
        }
        if !found.is_empty() {
            info!(channels = found.join(","), "TaskChannels have statistics of their own from now on");
        }
        Ok(found)
    }

    fn say_missing(&self, absent: &[Box<str>], there: &[Box<str>]) {
        let mut said = self.said.lock();
        let news: Vec<&str> =
            absent.iter().filter(|name| said.insert((*name).clone())).map(|n| &**n).collect();
        // By default those that exist are meant.
        if !news.is_empty() && self.choice == ChannelChoice::Named {
            warn!(
                missing = news.join(","),
                known = there.join(","),
                "STATS_CHANNELS names unknown TaskChannels; they are shown once they exist"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_channel_is_looked_for_once_in_a_while_however_many_events_name_it() {
        let (mut looks, now) = (Looks::default(), Instant::now());
        assert!(looks.is_due("fax", now) && looks.is_due("sms", now));
        let just_before = now + NEXT_LOOK - Duration::from_millis(1);
        assert!(!looks.is_due("fax", now) && !looks.is_due("fax", just_before));
        assert!(looks.is_due("fax", now + NEXT_LOOK));
        assert_eq!(looks.0.len(), 1, "what is due again is forgotten");
    }
}
