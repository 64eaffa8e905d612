//! The verifier held to signatures that Twilio's own libraries computed, and to the promise that no byte can change.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize, Clone)]
struct Vector {
    name: String,
    content_type: Option<String>,
    algorithm: String,
    auth_token: String,
    url: String,
    body: Option<String>,
    signature: String,
    valid: bool,
}

impl Vector {
    fn verifier(&self) -> SignatureVerifier {
        let secret = SecretString::from(self.auth_token.clone());
        SignatureVerifier::new(vec![secret.clone()], Some(secret))
    }

    fn verify(&self) -> Result<(), SignatureError> {
        let body = self.body.as_deref().unwrap_or_default().as_bytes();
        let settings = format!("key=webhooks_sharedkey_0001,algorithm={}", self.algorithm);
        let request = SignedRequest {
            url: &self.url,
            signature: Some(&self.signature),
            settings: (self.algorithm == "HMAC_SHA256").then_some(settings.as_str()),
            body: match self.content_type.as_deref() {
                None => SignedBody::Empty,
                Some("application/json") => SignedBody::Json(body),
                Some(_) => SignedBody::Form(body),
            },
        };
        self.verifier().verify(request).map(drop)
    }
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../tests/fixtures/signature_vectors.json");
    serde_json::from_str::<Vectors>(text).unwrap().vectors
}

#[test]
fn agrees_with_every_vector() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 28);
    for vector in vectors {
        assert_eq!(vector.verify().is_ok(), vector.valid, "{}: {:?}", vector.name, vector.verify());
    }
}

/// A generated case with what Twilio's libraries say of it; `tests/signatures/run` makes thousands of them.
#[derive(Deserialize)]
struct Case {
    number: u64,
    kind: String,
    media: String,
    url: String,
    body: String,
    token: String,
    signature: String,
    expected: bool,
}

#[test]
fn agrees_with_twilios_libraries_on_a_sample_of_generated_cases() {
    let sample = include_str!("../../tests/fixtures/signature_sample.jsonl");
    let cases: Vec<Case> = sample.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() > 200 && cases.iter().filter(|case| !case.expected).count() > 50);
    for case in cases {
        let body = match case.media.as_str() {
            "form" => SignedBody::Form(case.body.as_bytes()),
            "json" => SignedBody::Json(case.body.as_bytes()),
            _ => SignedBody::Empty,
        };
        let request =
            SignedRequest { url: &case.url, signature: Some(&case.signature), settings: None, body };
        let verifier = SignatureVerifier::new(vec![SecretString::from(case.token)], None);
        let verified = verifier.verify(request).map(drop);
        assert_eq!(verified.is_ok(), case.expected, "case {} ({}): {verified:?}", case.number, case.kind);
    }
}

#[test]
fn says_why_a_json_body_is_refused() {
    let vectors = vectors();
    let changed = vectors.iter().find(|v| v.name == "97_json_body_changed").unwrap();
    assert_eq!(changed.verify(), Err(SignatureError::BodyHash));

    // A right signature over a URL that says nothing of the body: the body could be anybody's.
    let form = vectors.iter().find(|v| v.name == "15_get").unwrap();
    let uncovered =
        Vector { content_type: Some("application/json".into()), body: Some("{}".into()), ..form.clone() };
    assert_eq!(uncovered.verify(), Err(SignatureError::BodyNotCovered));
}

#[test]
fn accepts_each_of_several_shared_keys() {
    let keys = ["old", "new"].map(SecretString::from);
    let url = "https://hooks.example.com/taskrouter/events";
    let accepts = |key: &str, verifier: &SignatureVerifier| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(url.as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let settings = Some("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256");
        let request = SignedRequest { url, signature: Some(&signature), settings, body: SignedBody::Empty };
        verifier.verify(request).is_ok()
    };
    let both = SignatureVerifier::new(Vec::new(), keys);
    assert!(accepts("old", &both) && accepts("new", &both) && !accepts("other", &both));
}

#[test]
fn accepts_either_token_and_asks_for_a_shared_key_when_one_signed() {
    let vectors = vectors();
    let vector = vectors.iter().find(|v| v.name == "02_taskrouter_plain").unwrap();
    let tokens = ["ffffffffffffffffffffffffffffffff", &vector.auth_token].map(SecretString::from).to_vec();
    let request = SignedRequest {
        url: &vector.url,
        signature: Some(&vector.signature),
        settings: Some(""),
        body: SignedBody::Form(vector.body.as_deref().unwrap().as_bytes()),
    };
    let verifier = SignatureVerifier::new(tokens, None);
    assert!(verifier.verify(request).is_ok());
    let shared = SignedRequest { settings: Some("key=k,algorithm=HMAC_SHA256"), ..request };
    assert_eq!(verifier.verify(shared).unwrap_err(), SignatureError::NoSharedKey);
    let unknown = SignedRequest { settings: Some("key=k,algorithm=ROT13"), ..request };
    assert_eq!(verifier.verify(unknown).unwrap_err(), SignatureError::UnknownAlgorithm);
    let missing = SignedRequest { signature: None, ..request };
    assert_eq!(verifier.verify(missing).unwrap_err(), SignatureError::Missing);
}

#[test]
fn tries_the_port_in_both_forms_and_nothing_else() {
    let other = |url| other_port_form(url).unwrap();
    assert_eq!(other("https://a.example/x?y=:1"), "https://a.example:443/x?y=:1");
    assert_eq!(other("http://a.example"), "http://a.example:80");
    assert_eq!(other("https://a.example:8443/x"), "https://a.example/x");
    assert_eq!(other("https://[::1]:8443/x"), "https://[::1]/x");
    assert_eq!(other("https://[::1]/x"), "https://[::1]:443/x");
    assert_eq!(other("https://[fe80::]:8443/x"), "https://[fe80::]/x");
    for no_port in ["https://a.example:/x", "https://a.example:8a/x", "a.example/x"] {
        assert_eq!(other_port_form(no_port), None, "{no_port}");
    }
}

#[test]
fn never_shows_a_secret() {
    let verifier = SignatureVerifier::new(vec![SecretString::from("very-secret-token")], None);
    let shown = format!("{verifier:?}");
    assert!(shown.contains("auth_tokens: 1") && !shown.contains("very-secret"), "{shown}");
}

/// A valid vector with one byte of one part replaced.
fn tampered() -> impl Strategy<Value = (Vector, Vector)> {
    let valid: Vec<Vector> = vectors().into_iter().filter(|v| v.valid).collect();
    (prop::sample::select(valid), 0..3_usize, any::<prop::sample::Index>(), 0x21..0x7f_u8).prop_filter_map(
        "the part must exist and really change",
        |(original, part, at, byte)| {
            let mut changed = original.clone();
            let text = match part {
                0 => &mut changed.url,
                1 => &mut changed.signature,
                _ => changed.body.as_mut()?,
            };
            if text.is_empty() {
                return None;
            }
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            *text = String::from_utf8(bytes).ok()?;
            if same_meaning(&original, &changed) { None } else { Some((original, changed)) }
        },
    )
}

/// Where the signer left the port out, the port is not part of what was signed.
fn without_port(vector: &Vector) -> String {
    let (scheme, rest) = vector.url.split_once("://").unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority.split(':').next().unwrap_or_default();
    format!("{scheme}://{host}{tail}")
}

/// Two spellings of the same form fields sign alike, as they must: `%2b` and `%2B` are one byte.
fn same_meaning(a: &Vector, b: &Vector) -> bool {
    let fields = |v: &Vector| {
        let form = Form::parse(v.body.as_deref().unwrap_or_default().as_bytes()).ok()?;
        let text: String = signed_order(&form).iter().flat_map(|(n, v)| [*n, *v]).collect();
        Some(text)
    };
    let form = a.content_type.as_deref().is_some_and(|c| c.contains("form"));
    let same_url =
        a.url == b.url || (a.name == "13_port_dropped_by_signer" && without_port(a) == without_port(b));
    same_url && a.signature == b.signature && (a.body == b.body || (form && fields(a) == fields(b)))
}

proptest! {
    #[test]
    fn any_changed_byte_makes_it_fail((original, changed) in tampered()) {
        prop_assert!(original.verify().is_ok());
        prop_assert!(changed.verify().is_err(), "{} still passes as {} {:?}", original.name, changed.url, changed.body);
    }
}
