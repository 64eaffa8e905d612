//! Where a page finds Sync, when that is not where Twilio's own SDK looks by itself.

use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;

/// Base URLs for the SDK's options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct SyncEndpoint {
    /// Sync's REST interface: the SDK's option `cdsUri`.
    #[serde(rename = "cds")]
    pub(super) http: String,
    /// Sync's websocket: the SDK's option `Twilsock.uri`.
    #[serde(rename = "twilsock")]
    pub(super) socket: String,
}

impl SyncEndpoint {
    pub(super) fn socket_origin(&self) -> &str {
        let host = self.socket.find("://").map_or(0, |at| at + 3);
        let end = self.socket[host..].find('/').map_or(self.socket.len(), |at| host + at);
        &self.socket[..end]
    }
}

impl AppState {
    /// The endpoint, or `None` for Twilio itself.
    pub(super) fn sync_endpoint(&self) -> Option<SyncEndpoint> {
        let base = &self.twilio.base_urls.sync;
        let host = base.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let is_twilios = host == "twilio.com" || host.ends_with(".twilio.com");
        (!is_twilios).then(|| SyncEndpoint {
            http: base.clone(),
            socket: format!("{}/v3/wsconnect", base.replacen("http", "ws", 1)),
        })
    }
}
