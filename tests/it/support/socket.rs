//! A client of the service's websockets.

use futures_util::{SinkExt, StreamExt};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use twilio_emulator::FlexToken;

use super::{Bed, DEADLINE};

pub(crate) const TOKEN_HEADER: (&str, &str) = ("token", "flex-token-1");
pub(crate) const PROTOCOL_HEADER: (&str, &str) = ("Sec-WebSocket-Protocol", "flex-token-1");

/// An open websocket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The sub-protocol that the service named.
    pub(crate) protocol: Option<String>,
}

impl Bed {
    /// A Flex user whose token is `flex-token-1`.
    pub(crate) fn register_token(&self) {
        self.emulator.tokens().register(TOKEN_HEADER.1, FlexToken::default());
    }
}

impl Socket {
    /// Connects, or says with which status that was refused.
    pub(crate) async fn open(bed: &Bed, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        Self::open_at(bed.url(), path, headers).await
    }

    /// The same at the service with this URL.
    pub(crate) async fn open_at(url: &str, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let address = url.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        let more: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        request.headers_mut().extend(more);
        let connecting = client_async(request, TcpStream::connect(address).await.unwrap());
        match tokio::time::timeout(DEADLINE, connecting).await.expect("no handshake") {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|protocol| protocol.to_str().unwrap().to_owned());
                Ok(Self { stream, protocol })
            }
            Err(Error::Http(refused)) => Err(refused.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// The next text; the goodbye where the service ends it.
    pub(crate) async fn hear(&mut self) -> Result<String, Option<CloseFrame>> {
        let hearing = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                    Some(Ok(Message::Close(goodbye))) => return Err(goodbye),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(None),
                }
            }
        };
        tokio::time::timeout(DEADLINE, hearing).await.expect("nothing was said")
    }

    pub(crate) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.hear().await.unwrap()).unwrap()
    }

    /// Hears until something is as wanted.
    pub(crate) async fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let value = self.json().await;
            if wanted(&value) {
                return value;
            }
        }
    }

    /// The code with which the service ends it.
    pub(crate) async fn goodbye(&mut self) -> u16 {
        loop {
            if let Err(goodbye) = self.hear().await {
                return goodbye.expect("it ended without a goodbye").code.into();
            }
        }
    }
}
