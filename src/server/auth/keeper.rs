//! Keeps sign-outs in a Sync Map, so that a restart remembers them without a disk of its own.
//!
//! An Item's key is the ended session's nonce, which opens nothing; Sync itself deletes the Item once no cookie of that
//! session can be good any more. Only a process that runs alone has this task; replicas share sign-outs in Redis.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Access;
use super::signed_out::EndedSession;
use crate::config::SIGN_OUTS_MAP;
use crate::twilio::retry::Backoff;
use crate::twilio::sync::SyncService;
use crate::twilio::{Next, TwilioError};

const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };
/// How long a stopping service goes on writing.
const LONGEST_END: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Keeper {
    pub(super) sync: SyncService,
    pub(super) ended: mpsc::Receiver<EndedSession>,
}

impl Keeper {
    /// Tells `access` which sessions were ended before, then writes those that are ended, until `stop`.
    pub async fn run(mut self, access: Arc<Access>, stop: CancellationToken) {
        let end = async {
            stop.cancelled().await;
            sleep(LONGEST_END).await;
        };
        tokio::select! {
            () = self.read_and_write(&access, &stop) => {}
            () = end => warn!("Sign-outs could not be written to Sync; a restart forgets them"),
        }
        stop.cancelled().await;
    }

    async fn read_and_write(&mut self, access: &Access, stop: &CancellationToken) {
        let read = async {
            let mut failures = 0;
            while let Err(error) = self.read(access).await {
                if failures == 0 {
                    warn!(%error, "Sign-outs can't be read from Sync; sessions from before the start wait");
                }
                sleep(BACKOFF.delay(failures, None, rand::random())).await;
                failures += 1;
            }
        };
        tokio::select! {
            () = read => {}
            () = stop.cancelled() => {}
        }
        loop {
            let ended = tokio::select! {
                biased;
                ended = self.ended.recv() => ended,
                () = stop.cancelled() => None,
            };
            let Some(ended) = ended else { return };
            self.write(ended).await;
        }
    }

    async fn read(&self, access: &Access) -> Result<(), TwilioError> {
        let items = self.sync.map_items::<IgnoredAny>(SIGN_OUTS_MAP).await?.unwrap_or_default();
        // Items carry no time that has to be believed: Sync deletes them in time.
        let nonces = items.iter().filter_map(|item| u64::from_str_radix(&item.key, 16).ok());
        access.signed_out.remember_earlier(nonces, Timestamp::now().as_second());
        Ok(())
    }

    async fn write(&self, ended: EndedSession) {
        let key = format!("{:016x}", ended.nonce);
        let (mut failures, mut made_map) = (0, false);
        loop {
            let left = ended.until - Timestamp::now().as_second();
            let Ok(seconds @ 1..) = u32::try_from(left) else { return };
            let written = match self.sync.create_map_item_for(SIGN_OUTS_MAP, &key, "{}", seconds).await {
                Err(error) if error.next() == Next::Missing => self.sync.create_map(SIGN_OUTS_MAP).await,
                Err(error) if error.next() == Next::Exists => break,
                Err(error) => Err(error),
                Ok(_) => break,
            };
            match written {
                Ok(()) if !made_map => {
                    made_map = true;
                    continue;
                }
                // Sync denies the Map that it has just made: it takes a moment to be known everywhere.
                Ok(()) => {}
                Err(error) if error.next() == Next::Exists => {}
                Err(error) if failures == 0 => warn!(%error, "A sign-out can't be written to Sync yet"),
                Err(_) => {}
            }
            sleep(BACKOFF.delay(failures, None, rand::random())).await;
            failures += 1;
        }
        if failures > 0 {
            info!(failures, "The sign-out is written to Sync");
        }
        // The browser may have stopped waiting.
        let _ = ended.written.send(());
    }
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
