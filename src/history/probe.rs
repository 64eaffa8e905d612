//! Whether history can be stored, asked without starting anything.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::store::HistoryStore;
use super::worker::SINCE;
use crate::config::{HistoryConfig, HistoryPlace};

const PATIENCE: Duration = Duration::from_secs(10);

/// What a probe finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    Off,
    /// There is no history yet, and one can begin.
    New,
    Holds,
}

/// Makes no tables and changes nothing; the error says why history can't be stored.
pub async fn probe(config: &HistoryConfig) -> Result<Probe, String> {
    let Some(place) = &config.place else { return Ok(Probe::Off) };
    if let HistoryPlace::Sqlite(path) = place {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if folder.exists() {
            writable(folder).map_err(|error| format!("the folder {}: {error}", folder.display()))?;
        }
        if !path.exists() {
            return Ok(Probe::New);
        }
        let file = std::fs::OpenOptions::new().append(true).open(path);
        file.map_err(|error| format!("the file {}: {error}", path.display()))?;
    }
    let reading = async {
        let store = HistoryStore::open(place, true).await.map_err(|fault| fault.to_string())?;
        // A database without its tables is a new one.
        let found = store.fact(SINCE).await.map_or(Probe::New, |_| Probe::Holds);
        store.close().await;
        Ok(found)
    };
    timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err("it does not answer".to_owned()))
}

/// Whether a file can be made there: SQLite needs others beside its own.
fn writable(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".history-probe-{}", std::process::id()));
    std::fs::write(&file, b"")?;
    std::fs::remove_file(file)
}
