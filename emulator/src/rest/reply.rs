//! An answer, before it becomes HTTP: status, JSON, a few headers.

use axum::body::Bytes;
use serde::Serialize;

use crate::error::ApiError;

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) code: Option<u32>,
    pub(crate) body: Bytes,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        // Our own structs with text keys always serialise.
        Self::bytes(status, serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            code: None,
            body: body.into(),
            headers: vec![("content-type", "application/json".to_owned())],
        }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: 204, code: None, body: Bytes::new(), headers: Vec::new() }
    }

    /// `ETag` is the bare revision or version.
    pub(crate) fn with_etag(mut self, etag: impl std::fmt::Display) -> Self {
        self.headers.push(("etag", format!("{etag}")));
        self
    }
}

impl From<&ApiError> for Reply {
    fn from(error: &ApiError) -> Self {
        let mut reply = Self::json(error.status, &error.body());
        reply.code = error.code;
        if let Some(seconds) = error.retry_after {
            reply.headers.push(("retry-after", seconds.to_string()));
        }
        if error.status == 401 {
            reply.headers.push(("www-authenticate", "Basic realm=\"Twilio API\"".to_owned()));
        }
        reply
    }
}
