//! Access tokens for Twilio's client SDKs: a JWT with a grant for one Sync Service (Twilio, "Access Tokens").

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::config::{ApiKey, SyncServiceName};
use crate::sid::AccountSid;

/// The identity of the dashboard's tokens, for all users: object permissions are given to this one name, and no caller
/// can take another's.
pub const DASHBOARD_IDENTITY: &str = "dashboard";
/// Twilio refuses tokens that live longer (error 20157).
pub const LONGEST_LIFE_SECONDS: i64 = 86_400;

#[derive(Debug, Clone)]
pub struct AccessToken<'a> {
    pub account: AccountSid,
    pub key: &'a ApiKey,
    /// Whose token it is; object permissions go by it.
    pub identity: &'a str,
    pub sync_service: SyncServiceName,
    /// The region of the Service, where it is not Twilio's default.
    pub region: Option<&'a str>,
    /// How long it is good for, at most [`LONGEST_LIFE_SECONDS`].
    pub life_seconds: i64,
}

impl AccessToken<'_> {
    pub fn issue(&self, now: Timestamp) -> String {
        let mut header = json!({ "alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1" });
        if let Some(region) = self.region {
            header["twr"] = region.into();
        }
        let signed = format!("{}.{}", part(&header), part(&self.claims(now.as_second())));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(self.key.secret.expose_secret(), &signed));
        format!("{signed}.{signature}")
    }

    fn claims(&self, now: i64) -> Value {
        json!({
            "jti": format!("{}-{now}", self.key.sid),
            "iss": self.key.sid,
            "sub": self.account,
            "nbf": now,
            "exp": now + self.life_seconds.clamp(1, LONGEST_LIFE_SECONDS),
            "grants": {
                "identity": self.identity,
                "data_sync": { "service_sid": self.sync_service.to_string() },
            },
        })
    }
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn sign(secret: &str, text: &str) -> Vec<u8> {
    // An HMAC takes a key of any length; without one there is no token that anybody would accept.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by twilio-python 9.13.0.
    const VECTOR: &str = "eyJhbGciOiJIUzI1NiIsImN0eSI6InR3aWxpby1mcGE7dj0xIiwidHlwIjoiSldUIn0.\
        eyJqdGkiOiJTSzAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxLTE3NjcyMjU2MDAiLCJncmFudHMiOnsiZGF0YV9zeW5jIjp7InNlcnZp\
        Y2Vfc2lkIjoiSVMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMSJ9LCJpZGVudGl0eSI6ImRhc2hib2FyZC00MiJ9LCJpc3MiOiJTSzAw\
        MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxIiwiZXhwIjoxNzY3MjI5MjAwLCJuYmYiOjE3NjcyMjU2MDAsInN1YiI6IkFDMDAwMDAwMDAw\
        MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDEifQ.vykIoTaxdAA1Lf_AfMT3w8HCMtZlyU4uy8xtE-JZxys";

    fn parts(token: &str) -> (Value, Value, String) {
        let mut parts = token.split('.');
        let mut json = || {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        };
        let (header, claims) = (json(), json());
        (header, claims, parts.next().unwrap().to_owned())
    }

    #[test]
    fn says_what_twilios_library_says() {
        let key = ApiKey {
            sid: "SK00000000000000000000000000000001".parse().unwrap(),
            secret: "s3cr3t-api-key-secret-000000000000".into(),
        };
        let token = AccessToken {
            account: "AC00000000000000000000000000000001".parse().unwrap(),
            key: &key,
            identity: "dashboard-42",
            sync_service: "IS00000000000000000000000000000001".parse().unwrap(),
            region: None,
            life_seconds: 3600,
        };
        let ours = token.issue(Timestamp::from_second(1_767_225_600).unwrap());
        let ((header, claims, _), (vector_header, vector_claims, vector_signature)) =
            (parts(&ours), parts(VECTOR));
        assert_eq!((header, claims), (vector_header, vector_claims));
        let (signed, _) = VECTOR.rsplit_once('.').unwrap();
        let secret = key.secret.expose_secret();
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(sign(secret, signed)), vector_signature);
    }

    /// twilio-python and twilio-node write the region into the header as `twr`.
    #[test]
    fn names_a_region_in_the_header_alone() {
        let key = ApiKey { sid: "SK00000000000000000000000000000001".parse().unwrap(), secret: "s".into() };
        let token = |region| AccessToken {
            account: "AC00000000000000000000000000000001".parse().unwrap(),
            key: &key,
            identity: "x",
            sync_service: SyncServiceName::Default,
            region,
            life_seconds: 60,
        };
        let at = Timestamp::from_second(1000).unwrap();
        let (header, claims, _) = parts(&token(Some("ie1")).issue(at));
        let (plain_header, plain_claims, _) = parts(&token(None).issue(at));
        assert_eq!(header["twr"], "ie1");
        assert_eq!((plain_header.get("twr"), claims), (None, plain_claims));
    }

    #[test]
    fn never_lives_longer_than_twilio_allows() {
        let key = ApiKey { sid: "SK00000000000000000000000000000001".parse().unwrap(), secret: "s".into() };
        let account = "AC00000000000000000000000000000001".parse().unwrap();
        let token = AccessToken {
            account,
            key: &key,
            identity: "x",
            sync_service: SyncServiceName::Default,
            region: None,
            life_seconds: i64::MAX,
        };
        let (_, claims, _) = parts(&token.issue(Timestamp::from_second(1000).unwrap()));
        assert_eq!(claims["exp"], 1000 + LONGEST_LIFE_SECONDS);
    }
}
