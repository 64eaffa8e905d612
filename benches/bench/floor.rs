//! The least that a changed number can take into Sync: one bare read and one bare write up to its effect, against the
//! same emulator in the same run, through the same kind of client.

use std::time::{Duration, Instant};

use twilio_emulator::{Account, Emulator, SyncHandle};

use crate::limits::FLOOR_DOCUMENT;
use crate::testbed::MAP;

/// Makes the two round trips.
#[derive(Debug)]
pub(crate) struct Floor {
    http: reqwest::Client,
    account: Account,
    read: String,
    write: String,
    /// A payload of the size that the service writes.
    payload: String,
    sync: SyncHandle,
}

impl Floor {
    /// Uses the queue's item as the payload.
    pub(crate) fn of(emulator: &Emulator, queue: &str) -> Self {
        let (item, _) = emulator.sync().item(MAP, queue).unwrap();
        Self::with_payload(emulator, queue, &item.to_string())
    }

    pub(crate) fn with_payload(emulator: &Emulator, queue: &str, payload: &str) -> Self {
        let (url, account) = (emulator.url(), emulator.account().clone());
        let workspace = format!("{url}/v1/Workspaces/{}", account.workspace_sid);
        emulator.sync().put_document(FLOOR_DOCUMENT, serde_json::json!({}));
        Self {
            http: reqwest::Client::new(),
            read: format!("{workspace}/TaskQueues/{queue}/Statistics?SplitByWaitTime=30,60,120"),
            write: format!("{url}/v1/Services/{}/Documents/{FLOOR_DOCUMENT}", account.sync_service_sid),
            account,
            payload: payload.to_owned(),
            sync: emulator.sync(),
        }
    }

    /// How long they take, one after the other, until the write takes effect.
    pub(crate) async fn once(&self) -> Duration {
        let begin = Instant::now();
        self.carry_out(self.http.get(&self.read)).await;
        let mut changes = self.sync.subscribe();
        let effect = async {
            while let Ok(change) = changes.recv().await {
                if change.unique_name.as_deref() == Some(FLOOR_DOCUMENT) {
                    break;
                }
            }
            begin.elapsed()
        };
        let write = self.carry_out(self.http.post(&self.write).form(&[("Data", &self.payload)]));
        tokio::join!(effect, write).0
    }

    async fn carry_out(&self, request: reqwest::RequestBuilder) {
        let (user, password) = (&self.account.account_sid, &self.account.auth_token);
        let answer = request.basic_auth(user, Some(password)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "a bare round trip was refused");
        answer.bytes().await.unwrap();
    }
}
