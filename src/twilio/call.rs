//! A request to one of Twilio's APIs.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;

use super::governor::Endpoint;

/// Everything but letters, digits and what RFC 3986 leaves unreserved is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path. `.` and `..` stay what they are: a [`Call`] with them is never sent.
pub(super) fn segment(name: &str) -> impl Display + '_ {
    utf8_percent_encode(name, SEGMENT)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    TaskRouter,
    Sync,
    Voice,
    Iam,
    Flex,
}

impl Api {
    /// What it is called where requests are counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TaskRouter => "taskrouter",
            Self::Sync => "sync",
            Self::Voice => "api",
            Self::Iam => "iam",
            Self::Flex => "flex",
        }
    }
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) api: Api,
    pub(super) method: Method,
    /// Path and query below the base URL, starting with `/`.
    pub(super) target: String,
    /// What error messages call it: method and the telling part of the path.
    pub(super) name: String,
    pub(super) endpoint: Endpoint,
    pub(super) body: RequestBody,
    /// The answer may be large, so it waits its turn to be decoded.
    pub(super) large: bool,
    pub(super) if_match: Option<String>,
}

#[derive(Debug)]
pub(super) enum RequestBody {
    None,
    Form(String),
    Json(String),
}

impl Call {
    pub(super) fn get(api: Api, target: String, name: String) -> Self {
        Self {
            api,
            method: Method::GET,
            target,
            name,
            endpoint: Endpoint::Other,
            body: RequestBody::None,
            large: false,
            if_match: None,
        }
    }

    /// A segment of the path that makes it another path: URL parsers fold `.` and `..`, and an empty name leaves the list
    /// that the object is in.
    pub(super) fn folded_segment(&self) -> Option<&str> {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        path.split('/').skip(1).find(|segment| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(plain.as_str(), "" | "." | "..")
        })
    }

    pub(super) fn post(api: Api, target: String, name: String, body: RequestBody) -> Self {
        Self { method: Method::POST, body, ..Self::get(api, target, name) }
    }
}
