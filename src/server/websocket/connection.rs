//! One websocket: texts in, texts out; closes connections of clients that break the rules.
//!
//! Texts are the same for thousands of clients, so they go from the one shared buffer to each socket, behind a header of
//! a few bytes. Through the library's own buffer each client would keep a copy of the largest text it was ever sent.
//! Everything else of the protocol is the library's.

use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::bucket::Bucket;

/// Between two pings; a client that has sent nothing at all since the last one is gone.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// A client that does not take a text within this time has stalled.
const LONGEST_WRITE: Duration = Duration::from_secs(15);
/// How long a close frame may take.
const LONGEST_CLOSE: Duration = Duration::from_secs(2);
/// Longest message that a client may send.
const LARGEST_MESSAGE: usize = 4096;
/// Messages that a client may send at once, pings included.
const MESSAGES_AT_ONCE: f64 = 20.0;
const MESSAGES_PER_SECOND: f64 = 5.0;
/// A client's messages are short and rare; the library's default is 128 KiB for each client.
const READ_BUFFER: usize = 256;

#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: WebSocketStream<S>,
    budget: Bucket,
    ping_at: Instant,
    heard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    Gone,
    /// The client sent a close frame, and waits for ours.
    Left,
    /// The client has not answered a ping.
    Silent,
    /// The client does not read.
    Stalled,
    TooMany,
    /// It sent a longer message than it may.
    TooLong,
    /// It broke the websocket protocol.
    Protocol,
    /// It sent a binary message.
    NotText,
    /// It sent a text message that is not valid UTF-8.
    NotUtf8,
    NotAdmitted,
    Stopping,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) async fn new(stream: S) -> Self {
        let mut limits = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        limits.max_message_size = Some(LARGEST_MESSAGE);
        limits.max_frame_size = Some(LARGEST_MESSAGE);
        let now = Instant::now();
        Self {
            stream: WebSocketStream::from_raw_socket(stream, Role::Server, Some(limits)).await,
            budget: Bucket::new(MESSAGES_AT_ONCE, MESSAGES_PER_SECOND, MESSAGES_AT_ONCE, now),
            ping_at: now + PING_INTERVAL,
            heard: true,
        }
    }

    /// Waits for the next text. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Utf8Bytes, CloseReason> {
        loop {
            let message = tokio::select! {
                message = self.stream.next() => message.ok_or(CloseReason::Gone)?.map_err(CloseReason::of)?,
                () = tokio::time::sleep_until(self.ping_at) => {
                    self.ping().await?;
                    continue;
                }
            };
            self.heard = true;
            if !self.budget.take(1.0, 0.0, Instant::now()) {
                return Err(CloseReason::TooMany);
            }
            match message {
                Message::Text(text) => return Ok(text),
                Message::Close(_) => return Err(CloseReason::Left),
                Message::Binary(_) => return Err(CloseReason::NotText),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Sends a text. Not cancel safe.
    pub(super) async fn send(&mut self, text: Bytes) -> Result<(), CloseReason> {
        let (header, length) = header(text.len());
        let sending = async {
            // A frame of the library, such as the answer to a ping, may be half-written in its buffer.
            self.stream.flush().await.map_err(CloseReason::of)?;
            let stream = self.stream.get_mut();
            let written = stream.write_all_buf(&mut (&header[..length]).chain(text)).await;
            written.map_err(|_| CloseReason::Gone)
        };
        tokio::time::timeout(LONGEST_WRITE, sending).await.unwrap_or(Err(CloseReason::Stalled))
    }

    /// Sends a close frame, if the client takes it in time.
    pub(super) async fn close(mut self, reason: CloseReason) {
        let goodbye = reason.close_frame().map(|(code, reason)| {
            Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))
        });
        if goodbye.is_none() && reason != CloseReason::Left {
            return;
        }
        let closing = async {
            if let Some(goodbye) = goodbye
                && self.stream.send(goodbye).await.is_err()
            {
                return;
            }
            // The library answers a close frame when it is asked for the next message. So a client that reads on until
            // the other side closes as well gets our close frame instead of a reset.
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        let _ = tokio::time::timeout(LONGEST_CLOSE, closing).await;
    }

    async fn ping(&mut self) -> Result<(), CloseReason> {
        if !std::mem::take(&mut self.heard) {
            return Err(CloseReason::Silent);
        }
        self.ping_at = Instant::now() + PING_INTERVAL;
        let pinging = self.stream.send(Message::Ping(Bytes::new()));
        let pinged = tokio::time::timeout(LONGEST_WRITE, pinging).await;
        pinged.map_err(|_| CloseReason::Stalled)?.map_err(CloseReason::of)
    }
}

impl CloseReason {
    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err passes")]
    fn of(error: Error) -> Self {
        match error {
            Error::Capacity(_) => Self::TooLong,
            Error::Protocol(_) => Self::Protocol,
            Error::Utf8(_) => Self::NotUtf8,
            _ => Self::Gone,
        }
    }

    /// Code and text of the close frame; `None` for a client that would not get it.
    fn close_frame(self) -> Option<(CloseCode, &'static str)> {
        match self {
            Self::Gone | Self::Left | Self::Silent | Self::Stalled => None,
            Self::TooMany => Some((CloseCode::Policy, "too many messages")),
            Self::TooLong => Some((CloseCode::Size, "a message may have 4096 bytes")),
            Self::Protocol => Some((CloseCode::Protocol, "this breaks the websocket protocol")),
            Self::NotText => Some((CloseCode::Unsupported, "only text messages are understood")),
            Self::NotUtf8 => Some((CloseCode::Invalid, "a text message must be UTF-8")),
            Self::NotAdmitted => Some((CloseCode::Policy, "the token is not valid any more")),
            Self::Stopping => Some((CloseCode::Away, "the service is stopping")),
        }
    }
}

/// The header of a whole text in one frame, unmasked as a server's are (RFC 6455, section 5.2), and its length.
fn header(length: usize) -> ([u8; 10], usize) {
    const WHOLE_TEXT: u8 = 0x81;
    let long = (length as u64).to_be_bytes();
    let mut header = [0; 10];
    header[0] = WHOLE_TEXT;
    let used = match length {
        0..=125 => {
            header[1] = long[7];
            2
        }
        126..=0xffff => {
            header[1] = 126;
            header[2..4].copy_from_slice(&long[6..]);
            4
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&long);
            10
        }
    };
    (header, used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::DuplexStream;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    async fn pair(buffer: usize) -> (Connection<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(buffer);
        (Connection::new(ours).await, WebSocketStream::from_raw_socket(theirs, Role::Client, None).await)
    }

    #[tokio::test]
    async fn texts_of_every_length_arrive_whole() {
        let (mut server, mut client) = pair(4 * 1024 * 1024).await;
        for length in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
            let text = "x".repeat(length);
            server.send(Bytes::from(text.clone())).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), Message::text(text));
        }
    }

    #[tokio::test]
    async fn a_text_never_cuts_into_the_answer_to_a_ping() {
        // Four bytes at a time: everything is written in pieces.
        let (mut server, client) = pair(4).await;
        let (mut to_server, mut from_server) = client.split();
        let serving = tokio::spawn(async move {
            let said = server.next().await.unwrap();
            server.send(Bytes::from(format!("echo: {said}"))).await.unwrap();
            server
        });
        let asking = async {
            to_server.send(Message::Ping(Bytes::from_static(b"are you there"))).await.unwrap();
            to_server.send(Message::text("hello")).await.unwrap();
        };
        let hearing = async {
            assert_eq!(from_server.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
            assert_eq!(from_server.next().await.unwrap().unwrap(), Message::text("echo: hello"));
        };
        tokio::join!(asking, hearing);
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_goodbye_is_answered_and_what_is_no_text_is_refused_by_name() {
        /// The code, and whether the connection then ends by the protocol.
        async fn hears(said: Message) -> (CloseCode, bool) {
            let (mut server, mut client) = pair(1024).await;
            client.send(said).await.unwrap();
            let reason = server.next().await.unwrap_err();
            let closing = tokio::spawn(server.close(reason));
            let Some(Ok(Message::Close(Some(goodbye)))) = client.next().await else { panic!("no goodbye") };
            let in_order = client.next().await.is_none();
            closing.await.unwrap();
            (goodbye.code, in_order)
        }
        let leaving = CloseFrame { code: CloseCode::Away, reason: "bye".into() };
        assert_eq!(hears(Message::Close(Some(leaving))).await, (CloseCode::Away, true));
        assert_eq!(hears(Message::binary(vec![1, 2])).await, (CloseCode::Unsupported, true));
        let not_utf8 = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
        // After a broken message the library reads nothing more, so no answer is waited for.
        assert_eq!(hears(Message::Frame(not_utf8)).await.0, CloseCode::Invalid);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_misses_a_pong_is_dropped_and_one_that_answers_stays() {
        let (mut server, mut client) = pair(1024).await;
        let answering = tokio::spawn(async move {
            for _ in 0..3 {
                assert!(matches!(client.next().await.unwrap().unwrap(), Message::Ping(_)));
            }
            client
        });
        let begin = Instant::now();
        assert_eq!(server.next().await, Err(CloseReason::Silent));
        // The client's library answers when it is asked for the next message: twice, and then no more.
        assert_eq!(begin.elapsed(), PING_INTERVAL * 4);
        drop(answering.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_dropped() {
        let (mut server, _client) = pair(64).await;
        assert_eq!(server.send(Bytes::from(vec![b'x'; 1000])).await, Err(CloseReason::Stalled));
    }

    #[tokio::test]
    async fn too_long_and_too_many_messages_end_it_with_a_reason() {
        let (mut server, mut client) = pair(1024 * 1024).await;
        client.send(Message::text("x".repeat(LARGEST_MESSAGE + 1))).await.unwrap();
        assert_eq!(server.next().await, Err(CloseReason::TooLong));
        let hearing = tokio::spawn(async move { client.next().await });
        server.close(CloseReason::TooLong).await;
        let Some(Ok(Message::Close(Some(goodbye)))) = hearing.await.unwrap() else { panic!("no goodbye") };
        assert_eq!(goodbye.code, CloseCode::Size);

        let (mut server, mut client) = pair(1024 * 1024).await;
        for _ in 0..100 {
            client.send(Message::text("x")).await.unwrap();
        }
        let reason = async {
            loop {
                if let Err(reason) = server.next().await {
                    return reason;
                }
            }
        };
        assert_eq!(reason.await, CloseReason::TooMany);
    }
}
