//! Signed-in browsers: a cookie that says who and until when, signed so that no one can forge one.
//!
//! Nothing is stored but who signed out ([`super::signed_out`]), so a restart signs no one out, and another replica with the same secrets understands the same
//! cookies. The key comes from the Auth Token and the accounts' passwords: changing any of them signs everybody out.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Role;

/// The cookie's name.
pub const COOKIE: &str = "taskrouter_sync_session";
/// How long a session lasts without a visit; a working day and a little more.
pub const LIFE: Duration = Duration::from_secs(12 * 3600);
/// Longest cookie that is looked at.
const LONGEST: usize = 1024;

/// Signs and reads cookies.
#[derive(Clone)]
pub struct Sessions {
    key: [u8; 32],
}

/// What a cookie says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who signed in.
    #[serde(rename = "u")]
    pub user: String,
    /// What they may do.
    #[serde(rename = "r")]
    pub role: Role,
    /// Until when, in seconds since 1970.
    #[serde(rename = "e")]
    pub expires: i64,
    /// Makes each sign-in's CSRF token its own.
    #[serde(rename = "n")]
    pub nonce: u64,
}

impl Sessions {
    /// Derives the key from everything that should end sessions when it changes.
    pub fn new<'s>(secrets: impl Iterator<Item = &'s str>) -> Self {
        let mut key = [0; 32];
        for secret in std::iter::once("taskrouter-sync session 1").chain(secrets) {
            key = mac(&key, &[secret.as_bytes()]);
        }
        Self { key }
    }

    /// The cookie's value for a session.
    pub fn seal(&self, session: &Session) -> String {
        let said = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(session).unwrap_or_default());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(&self.key, &[b"cookie", said.as_bytes()]));
        format!("{said}.{signature}")
    }

    /// Reads a cookie; `None` when it is not one of ours, or has expired.
    pub fn open(&self, cookie: &str, now: i64) -> Option<Session> {
        let (said, signature) = cookie.split_once('.').filter(|_| cookie.len() <= LONGEST)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mut expected = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        feed(&mut expected, &[b"cookie", said.as_bytes()]);
        expected.verify_slice(&signature).ok()?;
        let session: Session = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        (session.expires > now).then_some(session)
    }

    /// The token that a page of this session must send along with every change it makes.
    pub fn csrf_token(&self, session: &Session) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(mac(&self.key, &[b"csrf", &session.nonce.to_be_bytes()]))
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // An HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    feed(&mut mac, parts);
    mac.finalize().into_bytes().into()
}

/// Each part with its length, so that no two lists of parts are one text.
fn feed(mac: &mut Hmac<Sha256>, parts: &[&[u8]]) {
    for part in parts {
        mac.update(&part.len().to_be_bytes());
        mac.update(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn session() -> Session {
        Session { user: "zoë".to_owned(), role: Role::Viewer, expires: 1000, nonce: 7 }
    }

    fn sessions() -> Sessions {
        Sessions::new(["token", "password"].into_iter())
    }

    #[test]
    fn a_cookie_is_good_until_it_expires_or_a_secret_changes() {
        let cookie = sessions().seal(&session());
        assert_eq!(sessions().open(&cookie, 999), Some(session()));
        assert_eq!(sessions().open(&cookie, 1000), None);
        assert_eq!(Sessions::new(["token", "other"].into_iter()).open(&cookie, 0), None);
        assert_eq!(Sessions::new(["tokenpassword"].into_iter()).open(&cookie, 0), None);
        let other = Session { nonce: 8, ..session() };
        assert_ne!(sessions().csrf_token(&session()), sessions().csrf_token(&other));
    }

    proptest! {
        #[test]
        fn no_one_can_forge_one(at: prop::sample::Index, byte in 0x21..0x7f_u8, any in "\\PC{0,80}") {
            let cookie = sessions().seal(&session());
            let mut forged = cookie.clone().into_bytes();
            let at = at.index(forged.len());
            forged[at] = byte;
            let forged = String::from_utf8(forged).unwrap();
            prop_assume!(forged != cookie);
            prop_assert_eq!(sessions().open(&forged, 0), None);
            prop_assert_eq!(sessions().open(&any, 0), None);
        }
    }
}
