//! A request as the products see it: read once, in memory, with its path taken apart.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

use super::multipart;
use crate::error::ApiError;
use crate::params::Params;

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Decoded segments of the path. An encoded slash stays inside its segment.
    pub(crate) segments: Vec<String>,
    pub(crate) raw_query: String,
    pub(crate) query: Params,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How the client reaches us, without a trailing slash.
    pub(crate) base: String,
}

/// A product's notes on a request, for the journal and the answer's headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(crate) sync_object: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) payload_bytes: usize,
    /// `X-Rate-Limit-*`: allowed, left, configuration.
    pub(crate) rate: Option<(u64, u64, Arc<str>)>,
}

impl Request {
    pub(crate) fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes, base: String) -> Self {
        let path = uri.path().to_owned();
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let segments = path.split('/').skip(1).map(decode).collect();
        let raw_query = uri.query().unwrap_or_default().to_owned();
        let query = Params::parse(raw_query.as_bytes());
        Self { method, path, segments, raw_query, query, headers, body, base }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn route(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The form in the body, URL-encoded or, as twilio-node 3 sends it, multipart. Parameters of a POST belong there and
    /// nowhere else.
    pub(crate) fn form(&self) -> Result<Params, ApiError> {
        self.query.only(&[])?;
        let content_type = self.header("content-type").unwrap_or_default();
        if let Some(boundary) = multipart::boundary(content_type) {
            let params = multipart::parse(&self.body, boundary);
            return params.ok_or_else(|| ApiError::invalid("The multipart body is not understood"));
        }
        if !self.body.is_empty() && !content_type.starts_with("application/x-www-form-urlencoded") {
            return Err(ApiError::invalid("The body must be application/x-www-form-urlencoded"));
        }
        Ok(Params::parse(&self.body))
    }

    /// Refuses any parameters, for calls without them.
    pub(crate) fn no_parameters(&self) -> Result<(), ApiError> {
        self.query.only(&[])
    }
}
