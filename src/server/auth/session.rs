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

/// How long a session lasts without a visit; a working day and a little more.
pub const LIFE: Duration = Duration::from_secs(12 * 3600);
/// How long a session lasts however often it is used.
pub const LONGEST_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Longest cookie that is looked at.
const LONGEST: usize = 1024;

#[derive(Clone)]
pub struct Sessions {
    key: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    #[serde(rename = "u")]
    pub user: String,
    #[serde(rename = "r")]
    pub role: Role,
    /// Since when, in seconds since 1970.
    #[serde(rename = "b")]
    pub began: i64,
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

    pub fn seal(&self, session: &Session) -> String {
        let said = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(session).unwrap_or_default());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(&self.key, &[b"cookie", said.as_bytes()]));
        format!("{said}.{signature}")
    }

    /// Reads a cookie; `None` when it is not one of ours, or has expired.
    pub fn open(&self, cookie: &str, now: i64) -> Option<Session> {
        let (said, signature) = cookie.split_once('.').filter(|_| cookie.len() <= LONGEST)?;
        if !self.is_signed(&[b"cookie", said.as_bytes()], signature) {
            return None;
        }
        let session: Session = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        (session.expires > now).then_some(session)
    }

    /// The cookie of a device that this user has signed in on.
    pub fn device_cookie(&self, user: &str, nonce: u64) -> String {
        let signature = mac(&self.key, &[b"device", user.as_bytes(), &nonce.to_be_bytes()]);
        format!("{nonce:016x}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Which device it is; `None` where the user has not signed in on it.
    pub fn device(&self, cookie: &str, user: &str) -> Option<u64> {
        let (nonce, signature) = cookie.split_once('.').filter(|_| cookie.len() <= LONGEST)?;
        let nonce = u64::from_str_radix(nonce, 16).ok()?;
        self.is_signed(&[b"device", user.as_bytes(), &nonce.to_be_bytes()], signature).then_some(nonce)
    }

    pub fn screen_key(&self, name: &str) -> String {
        format!("{name}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac(&self.key, &[b"screen", name.as_bytes()])))
    }

    pub fn screen<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (name, signature) = key.split_once('.').filter(|_| key.len() <= LONGEST)?;
        self.is_signed(&[b"screen", name.as_bytes()], signature).then_some(name)
    }

    fn is_signed(&self, parts: &[&[u8]], signature: &str) -> bool {
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
        let Ok(mut expected) = Hmac::<Sha256>::new_from_slice(&self.key) else { return false };
        feed(&mut expected, parts);
        expected.verify_slice(&signature).is_ok()
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
        Session { user: "zoë".to_owned(), role: Role::Viewer, began: 0, expires: 1000, nonce: 7 }
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

    #[test]
    fn a_devices_cookie_is_its_users_and_a_screens_key_is_its_own() {
        let device = sessions().device_cookie("admin", 7);
        assert_eq!(sessions().device(&device, "admin"), Some(7));
        assert_eq!(sessions().device(&device, "tv"), None);
        assert_eq!(sessions().device(&device.replacen('7', "8", 1), "admin"), None);
        let key = sessions().screen_key("lobby");
        assert_eq!(sessions().screen(&key), Some("lobby"));
        assert_eq!(sessions().screen(&key.replacen("lobby", "floor", 1)), None);
        assert_eq!(sessions().screen("lobby."), None);
        assert_eq!(Sessions::new(["other"].into_iter()).screen(&key), None);
    }

    #[test]
    fn what_is_longer_than_any_cookie_of_ours_is_not_looked_at() {
        let long = "a".repeat(LONGEST);
        assert_eq!(sessions().open(&sessions().seal(&Session { user: long.clone(), ..session() }), 0), None);
        assert_eq!(sessions().screen(&sessions().screen_key(&long)), None);
        let device = format!("{}{}", "0".repeat(LONGEST), sessions().device_cookie("admin", 7));
        assert_eq!(sessions().device(&device, "admin"), None);
    }

    #[test]
    fn a_session_lasts_twelve_hours_unused_and_thirty_days_at_most_and_its_key_is_never_shown() {
        assert_eq!((LIFE.as_secs(), LONGEST_LIFE.as_secs()), (43_200, 2_592_000));
        assert_eq!(format!("{:?}", sessions()), "Sessions");
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
