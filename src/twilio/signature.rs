//! Tells whether Twilio sent a request: the check of `X-Twilio-Signature`.
//!
//! What goes in: the URL as Twilio called it, the raw body with its content type, and the headers. What comes out:
//! the authenticated body, or the reason it is not. A body counts as authenticated only where the signature covers
//! it: a form whose fields are part of the signed text, or JSON whose SHA-256 is in the signed URL. Everything else
//! is refused, even below a right URL signature.
//!
//! Rules: Twilio, "Webhooks security" (docs/usage/webhooks/webhooks-security); for ports and repeated names the
//! behaviour of Twilio's own helper libraries.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::form::{Form, FormError};

pub const SIGNATURE_HEADER: &str = "x-twilio-signature";
/// Header that says how the request was signed, where that is not the Auth Token with SHA-1.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";
/// Query parameter with the body's hash when the body is JSON.
const BODY_HASH_PARAMETER: &str = "bodySHA256";

/// Checks signatures against the account's secrets.
#[derive(Clone)]
pub struct SignatureVerifier {
    auth_tokens: Vec<SecretString>,
    shared_keys: Vec<SecretString>,
}

#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a, 'b> {
    /// The URL that Twilio was told to call, with its query as received.
    pub url: &'a str,
    /// The value of [`SIGNATURE_HEADER`].
    pub signature: Option<&'a str>,
    /// The value of [`SETTINGS_HEADER`].
    pub settings: Option<&'a str>,
    pub body: SignedBody<'b>,
}

/// A body, by how Twilio's signature covers it.
#[derive(Debug, Clone, Copy)]
pub enum SignedBody<'a> {
    /// No body: a GET, whose parameters are all in the URL.
    Empty,
    /// A form, whose fields are part of the signed text.
    Form(&'a [u8]),
    /// JSON, whose hash is part of the signed URL.
    Json(&'a [u8]),
}

#[derive(Debug)]
pub enum Verified<'a> {
    /// The request had none.
    Empty,
    Form(Form<'a>),
    /// The raw bytes of a JSON text, not parsed yet.
    Json(&'a [u8]),
}

/// Why a request is not taken for Twilio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the request has no X-Twilio-Signature header")]
    Missing,
    #[error("the signature does not fit the URL, the body and the Auth Token")]
    Mismatch,
    #[error("a JSON body needs the query parameter bodySHA256, or the signature does not cover it")]
    BodyNotCovered,
    #[error("the body does not have the SHA-256 that the signed URL names")]
    BodyHash,
    #[error("the request is signed with a shared key, and TWILIO_WEBHOOK_SHARED_KEY is not set")]
    NoSharedKey,
    #[error("the signature settings header names an algorithm other than HMAC_SHA1 or HMAC_SHA256")]
    UnknownAlgorithm,
    #[error(transparent)]
    Form(#[from] FormError),
}

enum Algorithm {
    Sha1,
    Sha256,
}

impl SignatureVerifier {
    /// Takes the Auth Tokens in the order to try them (primary first) and the shared keys, of which there may be none.
    pub fn new(auth_tokens: Vec<SecretString>, shared_keys: impl IntoIterator<Item = SecretString>) -> Self {
        Self { auth_tokens, shared_keys: shared_keys.into_iter().collect() }
    }

    /// Checks one request; the time taken does not depend on how much of a signature is right.
    pub fn verify<'b>(&self, request: SignedRequest<'_, 'b>) -> Result<Verified<'b>, SignatureError> {
        let claimed = request.signature.filter(|s| !s.is_empty()).ok_or(SignatureError::Missing)?;
        let body = match request.body {
            SignedBody::Empty => Verified::Empty,
            SignedBody::Form(raw) => Verified::Form(Form::parse(raw)?),
            SignedBody::Json(raw) => Verified::Json(raw),
        };
        let claimed = BASE64_STANDARD.decode(claimed).map_err(|_| SignatureError::Mismatch)?;
        let parameters = match &body {
            Verified::Form(form) => signed_order(form),
            Verified::Empty | Verified::Json(_) => Vec::new(),
        };
        if !self.any_secret_signs(&request, &parameters, &claimed)? {
            return Err(SignatureError::Mismatch);
        }
        if let Verified::Json(raw) = body {
            check_body_hash(request.url, raw)?;
        }
        Ok(body)
    }

    fn any_secret_signs(
        &self,
        request: &SignedRequest<'_, '_>,
        parameters: &[(&str, &str)],
        claimed: &[u8],
    ) -> Result<bool, SignatureError> {
        let urls = std::iter::once(request.url.to_owned()).chain(other_port_form(request.url));
        let urls: Vec<String> = urls.collect();
        let signs = |secret: &SecretString, algorithm: &Algorithm| {
            let key = secret.expose_secret().as_bytes();
            urls.iter().any(|url| match algorithm {
                Algorithm::Sha1 => mac_fits::<Hmac<Sha1>>(key, url, parameters, claimed),
                Algorithm::Sha256 => mac_fits::<Hmac<Sha256>>(key, url, parameters, claimed),
            })
        };
        match shared_key_algorithm(request.settings)? {
            None => Ok(self.auth_tokens.iter().any(|token| signs(token, &Algorithm::Sha1))),
            Some(algorithm) => {
                if self.shared_keys.is_empty() {
                    return Err(SignatureError::NoSharedKey);
                }
                Ok(self.shared_keys.iter().any(|key| signs(key, &algorithm)))
            }
        }
    }
}

impl std::fmt::Debug for SignatureVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignatureVerifier")
            .field("auth_tokens", &self.auth_tokens.len())
            .finish_non_exhaustive()
    }
}

/// Absent, empty, or without `algorithm=` means the Auth Token with SHA-1.
fn shared_key_algorithm(settings: Option<&str>) -> Result<Option<Algorithm>, SignatureError> {
    let algorithm =
        settings.unwrap_or_default().split(',').find_map(|part| part.trim().strip_prefix("algorithm="));
    match algorithm {
        None => Ok(None),
        Some("HMAC_SHA1") => Ok(Some(Algorithm::Sha1)),
        Some("HMAC_SHA256") => Ok(Some(Algorithm::Sha256)),
        Some(_) => Err(SignatureError::UnknownAlgorithm),
    }
}

/// Fields by name, then value, each distinct pair once: the rule of twilio-python and twilio-node.
fn signed_order<'f>(form: &'f Form<'_>) -> Vec<(&'f str, &'f str)> {
    let mut parameters: Vec<_> = form.fields().collect();
    parameters.sort_unstable();
    parameters.dedup();
    parameters
}

fn mac_fits<M: Mac + KeyInit>(key: &[u8], url: &str, parameters: &[(&str, &str)], claimed: &[u8]) -> bool {
    // An HMAC takes a key of any length, so this is never an error; a failure would read as "does not fit".
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.update(url.as_bytes());
    for (name, value) in parameters {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.verify_slice(claimed).is_ok()
}

/// The same URL without its port, or with the scheme's own port where it has none. Whether a product signs the
/// port differs and is not documented for TaskRouter, so Twilio's libraries accept both; so do we, and no more.
fn other_port_form(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // An IPv6 address in brackets has colons of its own.
    let host_end = authority.rfind(']').map_or(0, |at| at + 1);
    if let Some(colon) = authority[host_end..].find(':') {
        let port = &authority[host_end + colon + 1..];
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        return Some(format!("{scheme}://{}{tail}", &authority[..host_end + colon]));
    }
    let port = if scheme == "https" { 443 } else { 80 };
    Some(format!("{scheme}://{authority}:{port}{tail}"))
}

fn check_body_hash(url: &str, body: &[u8]) -> Result<(), SignatureError> {
    let parsed = Url::parse(url).map_err(|_| SignatureError::BodyNotCovered)?;
    let named = parsed.query_pairs().find(|(name, _)| name == BODY_HASH_PARAMETER);
    let (_, named) = named.ok_or(SignatureError::BodyNotCovered)?;
    let actual: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let same: bool = named.as_bytes().ct_eq(actual.as_bytes()).into();
    if same { Ok(()) } else { Err(SignatureError::BodyHash) }
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
