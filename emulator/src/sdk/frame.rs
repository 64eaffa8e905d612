//! The framing of the SDK's socket: one binary websocket message is one frame.
//!
//! ```text
//! TWILSOCK V3.0 {length of the header}\r\n
//! {header: a JSON object, with payload_size}\r\n
//! {payload_size bytes}
//! ```
//!
//! Lengths are in bytes. The parser is pure and takes whatever arrives: it never panics, never reads beyond what is
//! there, and refuses a frame whose lengths do not add up exactly.

use serde_json::{Map, Value};

const MAGIC: &[u8] = b"TWILSOCK V3.0 ";
const LINE_END: &[u8] = b"\r\n";
/// Largest header read. The largest part of one is a token, which is about a kilobyte.
const MAX_HEADER: usize = 32 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame<'a> {
    pub(super) header: Map<String, Value>,
    pub(super) payload: &'a [u8],
}

/// Why a frame was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("it does not begin with TWILSOCK V3.0 and a length")]
    Magic,
    #[error("its header is not a JSON object of the length that was promised")]
    Header,
    #[error("its payload is not of the length that was promised")]
    Payload,
}

impl<'a> Frame<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(FrameError::Magic)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Digits are UTF-8. No digits, or too many, are no number.
        let length: usize = std::str::from_utf8(&rest[..digits])
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(FrameError::Magic)?;
        let rest = rest[digits..].strip_prefix(LINE_END).ok_or(FrameError::Magic)?;
        if length > MAX_HEADER {
            return Err(FrameError::Header);
        }
        let (header, rest) = rest.split_at_checked(length).ok_or(FrameError::Header)?;
        let header: Map<String, Value> = serde_json::from_slice(header).map_err(|_| FrameError::Header)?;
        let payload = rest.strip_prefix(LINE_END).ok_or(FrameError::Header)?;
        let promised = match header.get("payload_size") {
            None => Some(0),
            Some(size) => size.as_u64(),
        };
        if promised != u64::try_from(payload.len()).ok() {
            return Err(FrameError::Payload);
        }
        Ok(Self { header, payload })
    }
}

/// Puts a frame together; the payload's size goes into the header.
pub(super) fn compose(mut header: Map<String, Value>, payload: &[u8]) -> Vec<u8> {
    header.insert("payload_size".to_owned(), payload.len().into());
    let header = Value::Object(header).to_string();
    let mut bytes = Vec::with_capacity(MAGIC.len() + header.len() + payload.len() + 12);
    bytes.extend(MAGIC);
    bytes.extend(header.len().to_string().as_bytes());
    bytes.extend(LINE_END);
    bytes.extend(header.as_bytes());
    bytes.extend(LINE_END);
    bytes.extend(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn reads_what_the_sdk_sends() {
        let header = r#"{"method":"init","id":"TM1","payload_size":0}"#;
        let bytes = format!("TWILSOCK V3.0 {}\r\n{header}\r\n", header.len());
        let frame = Frame::parse(bytes.as_bytes()).unwrap();
        assert_eq!((&frame.header["method"], frame.payload), (&json!("init"), &b""[..]));
    }

    #[test]
    fn lengths_are_bytes_and_must_add_up() {
        let bytes = compose(object(&json!({"name": "é"})), "ü".as_bytes());
        assert!(bytes.starts_with(b"TWILSOCK V3.0 30\r\n{"));
        assert_eq!(Frame::parse(&bytes).unwrap().payload, "ü".as_bytes());
        assert_eq!(Frame::parse(&bytes[..bytes.len() - 1]), Err(FrameError::Payload));
        assert_eq!(Frame::parse(&[&bytes[..], b"x"].concat()), Err(FrameError::Payload));
        for (text, error) in [
            ("", FrameError::Magic),
            ("TWILSOCK V2.0 2\r\n{}\r\n", FrameError::Magic),
            ("TWILSOCK V3.0 \r\n{}\r\n", FrameError::Magic),
            ("TWILSOCK V3.0 -2\r\n{}\r\n", FrameError::Magic),
            ("TWILSOCK V3.0 99999999999999999999999\r\n{}\r\n", FrameError::Magic),
            ("TWILSOCK V3.0 40000\r\n{}\r\n", FrameError::Header),
            ("TWILSOCK V3.0 3\r\n{}\r\n", FrameError::Header),
            ("TWILSOCK V3.0 2\r\n[]\r\n", FrameError::Header),
            ("TWILSOCK V3.0 2\r\n{}", FrameError::Header),
            ("TWILSOCK V3.0 19\r\n{\"payload_size\":-1} \r\n", FrameError::Header),
            ("TWILSOCK V3.0 19\r\n{\"payload_size\": 1}\r\n", FrameError::Payload),
            ("TWILSOCK V3.0 19\r\n{\"payload_size\":-1}\r\n", FrameError::Payload),
        ] {
            assert_eq!(Frame::parse(text.as_bytes()), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_composed_is_read_back(
            names in prop::collection::btree_map("\\PC{0,12}", "\\PC{0,40}", 0..6),
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let header: Map<String, Value> = names.into_iter().map(|(name, text)| (name, text.into())).collect();
            let bytes = compose(header.clone(), &payload);
            let frame = Frame::parse(&bytes).unwrap();
            prop_assert_eq!(frame.payload, &payload[..]);
            let size = frame.header["payload_size"].as_u64();
            prop_assert_eq!(size, u64::try_from(payload.len()).ok());
            for (name, text) in header.iter().filter(|(name, _)| *name != "payload_size") {
                prop_assert_eq!(&frame.header[name], text);
            }
        }

        #[test]
        fn anything_at_all_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::parse(&bytes);
            let _ = Frame::parse(&[b"TWILSOCK V3.0 ".as_slice(), &bytes].concat());
            let _ = Frame::parse(&[b"TWILSOCK V3.0 2\r\n".as_slice(), &bytes].concat());
        }

        /// A frame is whole or refused: nothing is made up for what is missing, changed or too much.
        #[test]
        fn a_cut_or_longer_frame_is_refused(payload in "\\PC{0,80}", cut in any::<prop::sample::Index>(), more in 1..9_usize) {
            let bytes = compose(object(&json!({"method": "message", "id": "TM1"})), payload.as_bytes());
            prop_assert!(Frame::parse(&bytes[..cut.index(bytes.len())]).is_err());
            prop_assert!(Frame::parse(&[&bytes[..], &vec![b'x'; more]].concat()).is_err());
        }
    }
}
