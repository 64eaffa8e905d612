//! Copies a whole history between stores, moment by moment, so that it needs little memory.

use std::path::Path;

use super::archive::HistoryError;
use super::backfill::{BACKFILL, SETTLED};
use super::pack::PACKED_UNTIL;
use super::store::{Batch, HistoryStore};
use super::worker::{ALIVE, FINAL_UNTIL, SINCE};
use crate::config::HistoryPlace;

/// Copies everything from one store to another, which must be empty; returns the rows. What is added meanwhile is not in it.
pub async fn copy(from: &HistoryPlace, to: &HistoryPlace) -> Result<usize, HistoryError> {
    if let HistoryPlace::Sqlite(path) = from {
        exists(path)?;
    }
    let source = HistoryStore::open(from, true).await?;
    let target = HistoryStore::open(to, false).await?;
    if target.fact(SINCE).await?.is_some() {
        return Err(HistoryError::Parameter(
            "there is a history already, and nothing is overwritten".to_owned(),
        ));
    }
    let mut rows = 0;
    let names = source.names().await?;
    let mut batch =
        Batch { names: names.stored(), gaps: source.gaps(i64::MIN, i64::MAX).await?, ..Batch::default() };
    let mut facts = Vec::new();
    for fact in [SINCE, ALIVE, FINAL_UNTIL, PACKED_UNTIL, BACKFILL, SETTLED] {
        facts.extend(source.fact(fact).await?.map(|value| (fact, value)));
    }
    rows += batch.rows();
    target.write(&std::mem::take(&mut batch)).await?;
    let mut next = source.detail_from(i64::MIN).await?;
    while let Some(quarter) = next {
        for part in source.details(quarter, quarter, None).await? {
            batch.details.push((part.subject, part.quarter, part.part, part.data));
        }
        rows += batch.rows();
        target.write(&std::mem::take(&mut batch)).await?;
        next = source.detail_from(quarter + 1).await?;
    }
    let mut next = source.day_from(i64::MIN).await?;
    while let Some(day) = next {
        batch.days = source.intervals(day, day, None).await?;
        rows += batch.rows();
        target.write(&std::mem::take(&mut batch)).await?;
        next = source.day_from(day + 1).await?;
    }
    // Last, so that a copy that was cut short is no history.
    target.write(&Batch { facts, ..Batch::default() }).await?;
    source.close().await;
    target.close().await;
    Ok(rows)
}

fn exists(path: &Path) -> Result<(), HistoryError> {
    if path.exists() {
        return Ok(());
    }
    Err(HistoryError::Unknown(format!("there is no file {}", path.display())))
}
