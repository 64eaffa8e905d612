//! HTTP Basic: Account SID and Auth Token, or API key SID and secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::settings::Account;

/// Whether an `Authorization` header belongs to the account. `signing_token` is the Auth Token that signs callbacks,
/// which differs from the account's first one after a rotation; both open the door.
pub(crate) fn is_ours(header: Option<&str>, account: &Account, signing_token: &str) -> bool {
    let Some((user, password)) = header.and_then(basic) else { return false };
    if user == account.account_sid {
        return password == account.auth_token || password == signing_token;
    }
    user == account.api_key_sid && password == account.api_key_secret
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn takes_both_kinds_of_credentials_and_no_mixture() {
        let a = Account::default();
        let is = |user: &str, password: &str| is_ours(Some(&header(user, password)), &a, "rotated");
        assert!(is(&a.account_sid, &a.auth_token));
        assert!(is(&a.account_sid, "rotated"));
        assert!(is(&a.api_key_sid, &a.api_key_secret));
        assert!(!is(&a.api_key_sid, &a.auth_token));
        assert!(!is(&a.account_sid, &a.api_key_secret));
        assert!(!is_ours(None, &a, "rotated"));
        assert!(!is_ours(Some("Bearer x"), &a, "rotated"));
    }
}
