//! Carries one write out. Sync has no upsert, so a write attempts the likely operation and follows Twilio's answer:
//! missing means create, already there means update, and neither is a failure.

use std::sync::Arc;

use super::wanted::{Body, Wanted, WriteOutcome};
use crate::layout::Target;
use crate::twilio::sync::{Revision, SyncService};
use crate::twilio::{Next, TwilioError};

/// Update and creation can each be overtaken once by another writer; after that the write comes back later.
const MOST_REQUESTS: u32 = 4;

/// Brings a target to what is wanted; `there` says what is believed, not known.
pub(super) async fn write(
    sync: &SyncService,
    target: &Target,
    wanted: &Wanted,
    there: bool,
) -> (WriteOutcome, Option<TwilioError>) {
    let result = match wanted {
        Wanted::Value { body: Body::Text(body), .. } => put(sync, target, body, there).await,
        Wanted::Value { body: Body::Later(_), .. } => Ok(WriteOutcome::Void),
        Wanted::Seed { body } => seed(sync, target, body).await,
        Wanted::Gone => remove(sync, target).await,
    };
    match result {
        Ok(outcome) => (outcome, None),
        Err(error) => (outcome_of(&error), Some(error)),
    }
}

pub(super) async fn create_map(sync: &SyncService, map: &str) -> Result<(), TwilioError> {
    match sync.create_map(map).await {
        Err(error) if error.next() == Next::Exists => Ok(()),
        result => result,
    }
}

async fn put(
    sync: &SyncService,
    target: &Target,
    body: &Arc<str>,
    there: bool,
) -> Result<WriteOutcome, TwilioError> {
    let mut update = there;
    for requests in 1..=MOST_REQUESTS {
        let result =
            if update { update_of(sync, target, body).await } else { create(sync, target, body).await };
        match result {
            Ok(revision) => return Ok(WriteOutcome::Landed { revision: Some(revision), requests }),
            Err(error) => match error.next() {
                // Documents are created in their own turn.
                Next::Missing if update && matches!(target, Target::Document(_)) => {
                    return Ok(WriteOutcome::NoDocument);
                }
                Next::Missing if update => update = false,
                // The item could not be created because its Map is missing.
                Next::Missing if matches!(target, Target::MapItem(..)) => return Ok(WriteOutcome::NoMap),
                Next::Exists if !update => update = true,
                _ => return Err(error),
            },
        }
    }
    Ok(WriteOutcome::Failed(None))
}

async fn seed(sync: &SyncService, target: &Target, body: &Arc<str>) -> Result<WriteOutcome, TwilioError> {
    match create(sync, target, body).await {
        Ok(revision) => Ok(WriteOutcome::Landed { revision: Some(revision), requests: 1 }),
        // A user's own definitions: never overwritten.
        Err(error) if error.next() == Next::Exists => {
            Ok(WriteOutcome::Landed { revision: None, requests: 1 })
        }
        Err(error) => Err(error),
    }
}

async fn remove(sync: &SyncService, target: &Target) -> Result<WriteOutcome, TwilioError> {
    let removed = match target {
        Target::Document(name) => sync.delete_document(name).await,
        Target::MapItem(map, key) => sync.delete_map_item(map, key).await,
    };
    match removed {
        Err(error) if error.next() != Next::Missing => Err(error),
        _ => Ok(WriteOutcome::Landed { revision: None, requests: 1 }),
    }
}

async fn update_of(sync: &SyncService, target: &Target, body: &str) -> Result<Revision, TwilioError> {
    match target {
        Target::Document(name) => sync.update_document(name, body).await,
        Target::MapItem(map, key) => sync.update_map_item(map, key, body).await,
    }
}

async fn create(sync: &SyncService, target: &Target, body: &str) -> Result<Revision, TwilioError> {
    match target {
        Target::Document(name) => sync.create_document(name, body).await,
        Target::MapItem(map, key) => sync.create_map_item(map, key, body).await,
    }
}

fn outcome_of(error: &TwilioError) -> WriteOutcome {
    match error.next() {
        Next::Retry(wait) if error.is_throttled() => WriteOutcome::Throttled(wait),
        Next::Retry(wait) => WriteOutcome::Failed(wait),
        Next::Missing | Next::Exists | Next::Conflict => WriteOutcome::Failed(None),
        Next::TooLarge => WriteOutcome::Refused,
        // Wrong credentials are mended without a new value, so they are worth another try.
        Next::GiveUp if error.is_bad_credentials() => WriteOutcome::Failed(None),
        Next::GiveUp => WriteOutcome::Refused,
    }
}
