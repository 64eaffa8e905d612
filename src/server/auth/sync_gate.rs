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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::script_tests::{ScriptedTwilio, refused};
    use super::*;

    fn controlled(controlled: bool) -> (u16, serde_json::Value) {
        (200, json!({ "acl_enabled": controlled }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_gets_a_token_while_access_is_controlled_and_an_editor_always() {
        for is_on in [true, false] {
            let script = ScriptedTwilio::new([controlled(is_on)]);
            let gate = SyncGate::new(script.sync());
            assert!(gate.gives_token(Role::Editor).await);
            assert!(script.asked().is_empty(), "an editor may write anyway");
            assert_eq!(gate.gives_token(Role::Viewer).await, is_on);
            assert_eq!(gate.gives_token(Role::Viewer).await, is_on);
            assert_eq!(script.asked().len(), 1, "the answer is known for a minute");
            script.set([controlled(!is_on)]);
            tokio::time::advance(FRESH - Duration::from_millis(1)).await;
            assert_eq!(gate.gives_token(Role::Viewer).await, is_on);
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(gate.gives_token(Role::Viewer).await, !is_on);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_no_viewer_gets_one() {
        let script = ScriptedTwilio::new([refused(403)]);
        let gate = SyncGate::new(script.sync());
        assert!(!gate.gives_token(Role::Viewer).await);
        script.set([controlled(true)]);
        assert!(!gate.gives_token(Role::Viewer).await, "and it is not asked again at once");
        tokio::time::advance(UNKNOWN).await;
        assert!(gate.gives_token(Role::Viewer).await);
        let silent = SyncGate::new(ScriptedTwilio::new([]).sync());
        let begin = Instant::now();
        assert!(!silent.gives_token(Role::Viewer).await);
        assert_eq!(begin.elapsed(), LONGEST_WAIT);
    }
}
