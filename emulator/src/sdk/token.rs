//! Access tokens: an identity that may use Sync, and its expiry.
//!
//! A JWT, signed with the API key's secret (HS256), whose grants name an identity and a Sync Service. Everything that
//! Twilio's documentation says of it is checked; what it leaves open is decided here: only this account's key and
//! Service are known, the content type must be Twilio's, and `nbf` is optional.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::settings::Account;

const MAX_TOKEN: usize = 8 * 1024;
/// Longest lifetime in seconds (error 20157).
const MAX_LIFETIME: i64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) identity: String,
    /// When it ends, in milliseconds since 1970.
    pub(super) expires: i64,
}

/// Why a token is refused. The code is Twilio's; the SDK tells an expired token by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("Invalid Access Token")]
    NotAJwt,
    #[error("Invalid Access Token header")]
    Header,
    #[error("Invalid Access Token issuer or subject")]
    Issuer,
    #[error("Access Token expired or expiration date invalid")]
    Expired,
    #[error("Access Token not yet valid")]
    NotYetValid,
    #[error("Invalid Access Token grants")]
    Grants,
    #[error("Invalid Access Token signature")]
    Signature,
    #[error("Expiration time exceeds maximum time allowed")]
    Lifetime,
    #[error("The Access Token is for another Sync Service")]
    Service,
}

impl TokenError {
    /// Twilio's error code. For a foreign Service it is that of an unknown one.
    pub(super) fn code(self) -> u32 {
        match self {
            Self::NotAJwt => 20101,
            Self::Header => 20102,
            Self::Issuer => 20103,
            Self::Expired => 20104,
            Self::NotYetValid => 20105,
            Self::Grants => 20106,
            Self::Signature => 20107,
            Self::Lifetime => 20157,
            Self::Service => 54050,
        }
    }

    /// The status that the socket answers: 403 for a good token of somewhere else.
    pub(super) fn status(self) -> (u16, &'static str) {
        match self {
            Self::Service => (403, "FORBIDDEN"),
            _ => (401, "UNAUTHORIZED"),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    cty: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    grants: Grants,
}

#[derive(Deserialize)]
struct Grants {
    identity: Option<String>,
    data_sync: Option<DataSync>,
}

#[derive(Deserialize)]
struct DataSync {
    service_sid: String,
}

/// Checks a token at this moment; the signature first.
pub(super) fn check(token: &str, account: &Account, now_ms: i64) -> Result<Grant, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::NotAJwt);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::NotAJwt)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::NotAJwt)?;
    let header: Header = part(header).ok_or(TokenError::Header)?;
    // A caller that may choose the algorithm may choose none.
    if header.alg != "HS256" || header.cty != "twilio-fpa;v=1" {
        return Err(TokenError::Header);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Signature)?;
    mac(signed, &account.api_key_secret)
        .and_then(|mac| mac.verify_slice(&signature).ok())
        .ok_or(TokenError::Signature)?;
    let claims: Claims = part(claims).ok_or(TokenError::Grants)?;
    if claims.iss != account.api_key_sid || claims.sub != account.account_sid {
        return Err(TokenError::Issuer);
    }
    let expires = claims.exp.saturating_mul(1000);
    if expires <= now_ms {
        return Err(TokenError::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf.saturating_mul(1000) > now_ms) {
        return Err(TokenError::NotYetValid);
    }
    let issued = claims.iat.or(claims.nbf).unwrap_or(now_ms / 1000);
    if claims.exp.saturating_sub(issued) > MAX_LIFETIME {
        return Err(TokenError::Lifetime);
    }
    let identity =
        claims.grants.identity.filter(|identity| !identity.is_empty()).ok_or(TokenError::Grants)?;
    let sync = claims.grants.data_sync.ok_or(TokenError::Grants)?;
    if sync.service_sid != account.sync_service_sid {
        return Err(TokenError::Service);
    }
    Ok(Grant { identity, expires })
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn mac(signed: &str, secret: &str) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length, so there always is one.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_767_225_600;

    fn header() -> Value {
        json!({"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"})
    }

    fn claims(account: &Account) -> Value {
        json!({
            "jti": format!("{}-{NOW}", account.api_key_sid), "iss": account.api_key_sid, "sub": account.account_sid,
            "nbf": NOW, "exp": NOW + 3600,
            "grants": {"identity": "dashboard-42", "data_sync": {"service_sid": account.sync_service_sid}},
        })
    }

    fn signed(header: &Value, claims: &Value, secret: &str) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(header), encode(claims));
        let signature = mac(&text, secret).unwrap().finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<Grant, TokenError> {
        let account = Account::default();
        let mut claims = claims(&account);
        change(&mut claims);
        check(&signed(&header(), &claims, &account.api_key_secret), &account, NOW * 1000)
    }

    #[test]
    fn a_good_token_tells_identity_and_end() {
        let grant = Grant { identity: "dashboard-42".to_owned(), expires: (NOW + 3600) * 1000 };
        assert_eq!(with(|_| ()), Ok(grant.clone()));
        assert_eq!(with(|claims| drop(claims.as_object_mut().unwrap().remove("nbf"))), Ok(grant));
    }

    #[test]
    fn each_wrong_claim_is_refused_for_its_own_reason() {
        for (name, value, error) in [
            ("iss", json!("SK00000000000000000000000000000001"), TokenError::Issuer),
            ("sub", json!("AC00000000000000000000000000000001"), TokenError::Issuer),
            ("exp", json!(NOW), TokenError::Expired),
            ("exp", json!(NOW - 1), TokenError::Expired),
            ("exp", json!(i64::MIN), TokenError::Expired),
            ("exp", json!(NOW + 86_401), TokenError::Lifetime),
            ("exp", json!(i64::MAX), TokenError::Lifetime),
            ("exp", json!("soon"), TokenError::Grants),
            ("nbf", json!(NOW + 1), TokenError::NotYetValid),
            ("grants", json!({}), TokenError::Grants),
            ("grants", json!({"identity": "a"}), TokenError::Grants),
            ("grants", json!({"identity": "", "data_sync": {"service_sid": "x"}}), TokenError::Grants),
            ("grants", json!({"identity": "a", "data_sync": {"service_sid": "x"}}), TokenError::Service),
        ] {
            assert_eq!(with(|claims| claims[name] = value.clone()), Err(error), "{name}: {value}");
        }
    }

    #[test]
    fn only_the_keys_own_signature_counts() {
        let account = Account::default();
        let now = NOW * 1000;
        let checked = |token: &str| check(token, &account, now);
        assert_eq!(
            checked(&signed(&header(), &claims(&account), &account.auth_token)),
            Err(TokenError::Signature)
        );
        let good = signed(&header(), &claims(&account), &account.api_key_secret);
        let (text, _) = good.rsplit_once('.').unwrap();
        assert_eq!(checked(&format!("{text}.")), Err(TokenError::Signature));
        for alg in ["none", "HS512", "hs256"] {
            let header = json!({"alg": alg, "cty": "twilio-fpa;v=1"});
            let token = signed(&header, &claims(&account), &account.api_key_secret);
            assert_eq!(checked(&token), Err(TokenError::Header), "{alg}");
        }
        for token in ["", ".", "a", "a.b"] {
            assert_eq!(checked(token), Err(TokenError::NotAJwt), "{token:?}");
        }
        assert_eq!(checked(&format!("{good}{}", "A".repeat(MAX_TOKEN))), Err(TokenError::NotAJwt));
    }

    proptest! {
        #[test]
        fn no_changed_token_is_taken(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
            let account = Account::default();
            let good = signed(&header(), &claims(&account), &account.api_key_secret);
            let mut changed = good.clone();
            let at = at.index(good.len());
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != good);
            prop_assert!(check(&changed, &account, NOW * 1000).is_err());
        }

        #[test]
        fn any_text_is_survived(text in "\\PC{0,120}") {
            prop_assert!(check(&text, &Account::default(), NOW * 1000).is_err());
        }
    }
}
