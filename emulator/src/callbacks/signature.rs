//! How Twilio signs a webhook request (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).
//!
//! Form: HMAC-SHA1 over the URL followed by each decoded parameter, name then value, sorted by name. JSON: the URL
//! alone, which carries the body's SHA-256 in `bodySHA256`. The key is the Auth Token's text; the result is base64.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The text under the HMAC: URL, then the parameters sorted by name (byte order), the distinct values of one name
/// sorted among themselves.
pub fn signed_text<'a>(url: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in params {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = url.to_owned();
    for (name, values) in sorted {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

/// The `X-Twilio-Signature` of a request with these form parameters (none for GET and JSON).
pub fn sign<'a>(auth_token: &str, url: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    mac::<Hmac<Sha1>>(auth_token, &signed_text(url, params))
}

/// The same with a SharedKey and SHA-256 (public beta).
pub fn sign_sha256<'a>(
    secret: &str,
    url: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    mac::<Hmac<Sha256>>(secret, &signed_text(url, params))
}

/// The value of `bodySHA256` for a body.
pub fn body_sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds `bodySHA256` to a URL's query.
pub fn with_body_sha256(url: &str, body: &[u8]) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}bodySHA256={}", body_sha256(body))
}

fn mac<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // HMAC takes keys of any length, so the error cannot happen.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const JSON_BODY: &str = r#"[{"specversion":"1.0","type":"com.twilio.taskrouter.task.created","id":"EZ00000000000000000000000000000001","data":{"name":"Zoë"}}]"#;

    fn form(token: &str, url: &str, body: &str) -> String {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        sign(token, url, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// URL, body, signature. The first is the worked example of Twilio's security page (token `12345`); the others
    /// were computed with twilio-python 9.13.0 and checked with twilio-node 6.2.0.
    #[test]
    fn signs_as_twilios_libraries_expect() {
        assert_eq!(
            form(
                "12345",
                "https://example.com/myapp.php?foo=1&bar=2",
                "Digits=1234&To=%2B18005551212&From=%2B14158675310&Caller=%2B14158675310&CallSid=CA1234567890ABCDE"
            ),
            "L/OH5YylLD5NRKLltdqwSvS0BnU="
        );
        for (url, body, signature) in [
            (
                "https://hooks.example.com/taskrouter/events",
                "WorkspaceName=Atendimento+S%C3%A3o+Paulo&WorkerName=%D0%98%D0%B2%D0%B0%D0%BD+%F0%9F%98%80\
                 &EventDescription=%E6%97%A5%E6%9C%AC%E8%AA%9E",
                "ZPPSSqT4MIu/lrKiWI9do0dQz5c=",
            ),
            (
                "https://hooks.example.com/voice/status",
                "CallSid=CA00000000000000000000000000000001&CallStatus=completed&ToState=&FromZip=&CalledCity=",
                "vfQSyBfypQJuLzthecn0QbwaJRI=",
            ),
            ("https://hooks.example.com/x", "Tag=b&Tag=a&Tag=b&Name=n", "DoDahh+Y7sm451IzvmcYkdgaNgM="),
            ("https://hooks.example.com/x", "FooBar=1&Foo=zzz", "HtStH3gz6yiypOuPFutvNhGbkOA="),
            ("https://hooks.example.com/x", "b=2&A=1&a=3&B=4&_c=5", "eKIcGuz5wdX+IP3tSy+1WDxQ874="),
            (
                "https://hooks.example.com/x",
                "Body=+hi+%0D%0A&From=%2B15005550006",
                "4Mfges5uSPmk/yCcBdj9NV+8UYs=",
            ),
            (
                "https://hooks.example.com/x?name=O%27Brien&q=a+b&e=%c3%a9&z",
                "A=1",
                "G4TFqIcDhoNOwvBbqEiC9czuUdo=",
            ),
            (
                "https://hooks.example.com:8443/sms",
                "From=%2B15005550006&Body=hi",
                "ZasuQaQucU9GlptsTX69HyPiXXE=",
            ),
            (
                "https://hooks.example.com/voice",
                "CallSid=CA00000000000000000000000000000001",
                "K9d5I/w3sqysdatWSTnWAZRKgIo=",
            ),
            ("https://hooks.example.com:443/x", "A=1", "sXNdabIBs9es7K6z5dy1pY8mM+c="),
            ("https://hooks.example.com/x", "A=1", "7S/FGGJ8adcvUrlrdJ7fFSV69t8="),
            (
                "https://hooks.example.com/voice?CallSid=CA00000000000000000000000000000001&From=%2B15005550006",
                "",
                "2UnWndErgpebLWnELd+oKe5h0cI=",
            ),
        ] {
            assert_eq!(form(TOKEN, url, body), signature, "{url} {body}");
        }
    }

    #[test]
    fn appends_an_empty_value_by_its_name() {
        assert_eq!(
            signed_text("https://h/x", [("CallSid", "CA1"), ("ToState", ""), ("CalledCity", "")]),
            "https://h/xCallSidCA1CalledCityToState"
        );
    }

    #[test]
    fn signs_json_by_the_hash_in_the_url() {
        let url = with_body_sha256("https://hooks.example.com/events/sink", JSON_BODY.as_bytes());
        assert_eq!(
            url,
            "https://hooks.example.com/events/sink?bodySHA256=cc47e38271d29ef22bdcdf46bed57fd0ab3149600b68e0f1f314e0d25feb28a8"
        );
        assert_eq!(sign(TOKEN, &url, []), "GDlB1i+Dkpc1mzG8EAe9cLcRs10=");
        let url = with_body_sha256("https://hooks.example.com/events/sink?tenant=7", JSON_BODY.as_bytes());
        assert_eq!(sign(TOKEN, &url, []), "kjsaAyPpKsL/72H9Fw3dY+q5BaA=");
    }

    #[test]
    fn signs_with_a_shared_key() {
        assert_eq!(
            sign_sha256("shared-key-secret-0001", "https://hooks.example.com/x", [("A", "1")]),
            "tLwlFOSsHylDivkmoOaa1jdqSb9SvcE4FzkOwm/gKEE="
        );
    }
}
