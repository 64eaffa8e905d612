//! The definitions in Sync: read periodically, since other programs may write them too, and changed one step at a time.
//!
//! A change reads what is there, changes it and writes it under the condition that no other writer wrote in between
//! (`If-Match`); the second writer reads again. So two editors, or the old wallboard's editor beside ours, lose
//! nothing of each other's.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::definitions::{Definitions, Raw};
use super::documents::{DefinitionDocument, MOST_DOCUMENTS, SURELY_TAKEN, Shelf, ShelfError, name_of};
use crate::layout::DEFAULT_DEFINITIONS;
use crate::twilio::sync::SyncService;
use crate::twilio::{Next, TwilioError};

/// How often a change is tried when another writer writes at the same time.
const TRIES: usize = 5;
/// At every n-th read, the store also looks for a further Document of another program.
const READS_UNTIL_FURTHER: u32 = 6;

#[derive(Debug)]
pub struct Store {
    sync: SyncService,
    name: String,
    /// Between two reads.
    interval: Duration,
    changing: Mutex<KnownDocuments>,
    definitions: watch::Sender<Option<Arc<Definitions>>>,
}

#[derive(Debug, Default)]
struct KnownDocuments {
    documents: usize,
    /// Reads since the last look for a further Document.
    reads: u32,
}

/// A change of the definitions failed. Nothing was stored, or only a harmless part.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("the definitions can't be stored in Sync: {0}")]
    Twilio(#[from] TwilioError),
    #[error("another editor changes the definitions all the time; try again")]
    Contended,
}

impl Store {
    pub fn new(sync: SyncService, name: &str, interval: Duration) -> Self {
        let (definitions, _) = watch::channel(None);
        Self { sync, name: name.to_owned(), interval, changing: Mutex::default(), definitions }
    }

    /// The definitions, as they were read or written last; `None` before that.
    pub fn definitions(&self) -> watch::Receiver<Option<Arc<Definitions>>> {
        self.definitions.subscribe()
    }

    /// Reads the definitions periodically until `stop`.
    pub(super) async fn follow(&self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let read = {
                let mut known = self.changing.lock().await;
                let further = known.reads.is_multiple_of(READS_UNTIL_FURTHER);
                self.read(&mut known, further).await.map(|shelf| drop(self.show(shelf.definitions())))
            };
            match read {
                Ok(()) if std::mem::take(&mut failing) => info!("The metrics' definitions can be read again"),
                Ok(()) => {}
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        warn!(%error, "Metric definitions can't be read; using the last ones");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.interval) => {}
            }
        }
    }

    /// Adds or replaces definitions.
    pub async fn save(&self, changes: &Raw) -> Result<Arc<Definitions>, StoreError> {
        self.change(|shelf| shelf.save(changes), false).await
    }

    pub async fn delete(&self, names: &[String]) -> Result<Arc<Definitions>, StoreError> {
        self.change(|shelf| shelf.delete(names), true).await
    }

    /// Puts the tiles into this order.
    pub async fn order(&self, names: &[String]) -> Result<Arc<Definitions>, StoreError> {
        self.change(|shelf| shelf.order(names), false).await
    }

    async fn change(
        &self,
        change: impl Fn(&mut Shelf) -> Result<(), ShelfError>,
        earliest_first: bool,
    ) -> Result<Arc<Definitions>, StoreError> {
        let mut known = self.changing.lock().await;
        let mut limit = None;
        for _ in 0..TRIES {
            let mut shelf = self.read(&mut known, true).await?;
            shelf.limit = limit.unwrap_or(shelf.limit);
            change(&mut shelf)?;
            let changed = shelf.documents.iter().enumerate().filter(|(_, document)| document.changed);
            let mut changed: Vec<(usize, &DefinitionDocument)> = changed.collect();
            if !earliest_first {
                changed.reverse();
            }
            match self.write(&changed).await {
                Ok(()) => {
                    known.documents = shelf.documents.len();
                    return Ok(self.show(shelf.definitions()));
                }
                Err(error) if error.next() == Next::TooLarge && limit.is_none() => limit = Some(SURELY_TAKEN),
                Err(error) if matches!(error.next(), Next::Conflict | Next::Exists | Next::Missing) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Contended)
    }

    async fn write(&self, documents: &[(usize, &DefinitionDocument)]) -> Result<(), TwilioError> {
        for (place, document) in documents {
            let name = name_of(&self.name, *place);
            let data = serde_json::to_string(&document.definitions).unwrap_or_default();
            match &document.revision {
                Some(revision) => self.sync.replace_document(&name, &data, revision).await?,
                None => self.sync.create_document(&name, &data).await?,
            };
        }
        Ok(())
    }

    /// Reads the Documents that are known, and with `further` looks for one more.
    async fn read(&self, known: &mut KnownDocuments, further: bool) -> Result<Shelf, TwilioError> {
        let mut documents = Vec::new();
        let most = if further { MOST_DOCUMENTS } else { known.documents.max(1) };
        while documents.len() < most {
            let found = self.sync.document::<Raw>(&name_of(&self.name, documents.len())).await?;
            let Some(found) = found else { break };
            documents.push(DefinitionDocument {
                revision: Some(found.revision),
                definitions: found.data,
                changed: false,
            });
        }
        known.documents = documents.len();
        known.reads = if further { 1 } else { known.reads + 1 };
        if documents.is_empty() {
            // The publisher creates the Document with the defaults; until then these are in force.
            let definitions = serde_json::from_str(DEFAULT_DEFINITIONS).unwrap_or_default();
            documents.push(DefinitionDocument { revision: None, definitions, changed: false });
        }
        Ok(Shelf { documents, ..Shelf::default() })
    }

    fn show(&self, definitions: Definitions) -> Arc<Definitions> {
        let definitions = Arc::new(definitions);
        self.definitions.send_if_modified(|last| {
            let differs = last.as_ref().is_none_or(|last| !last.same(&definitions));
            if differs {
                *last = Some(definitions.clone());
            }
            differs
        });
        definitions
    }
}
