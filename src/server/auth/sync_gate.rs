//! Whether viewers get Sync access tokens: only while the Sync Service's access control is on, since without it any holder of
//! a token can write.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::debug;

use super::Role;
use crate::twilio::sync::SyncService;

/// An answer is given again for this long.
const FRESH: Duration = Duration::from_secs(60);
/// And one that could not be had for this long.
const UNKNOWN: Duration = Duration::from_secs(5);
/// How long a caller waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct SyncGate {
    sync: SyncService,
    /// Held while asking, so that many who come at once are one question.
    known: Mutex<Option<(bool, Instant)>>,
}

impl SyncGate {
    pub fn new(sync: SyncService) -> Self {
        Self { sync, known: Mutex::default() }
    }

    /// Whether such a user may have a token. What can't be told now lets no viewer write.
    pub async fn gives_token(&self, role: Role) -> bool {
        if role == Role::Editor {
            return true;
        }
        tokio::time::timeout(LONGEST_WAIT, self.is_controlled()).await.unwrap_or(false)
    }

    async fn is_controlled(&self) -> bool {
        let mut known = self.known.lock().await;
        if let Some((controlled, until)) = *known
            && until > Instant::now()
        {
            return controlled;
        }
        let (controlled, fresh) = match self.sync.is_access_controlled().await {
            Ok(controlled) => (controlled, FRESH),
            Err(error) => {
                debug!(%error, "Whether access to Sync is controlled can't be read");
                (false, UNKNOWN)
            }
        };
        *known = Some((controlled, Instant::now() + fresh));
        controlled
    }
}
