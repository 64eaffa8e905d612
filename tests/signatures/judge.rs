//! What this service says of each case on standard input: true or false, a line each. For `tests/signatures/run`.

use std::io::{BufRead, Write};

use secrecy::SecretString;
use serde::Deserialize;
use taskrouter_sync::twilio::signature::{SignatureVerifier, SignedBody, SignedRequest};

#[derive(Deserialize)]
struct Case {
    media: String,
    url: String,
    body: String,
    token: String,
    signature: String,
}

fn main() -> std::io::Result<()> {
    let mut says = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        let body = match case.media.as_str() {
            "form" => SignedBody::Form(case.body.as_bytes()),
            "json" => SignedBody::Json(case.body.as_bytes()),
            _ => SignedBody::Empty,
        };
        let request =
            SignedRequest { url: &case.url, signature: Some(&case.signature), settings: None, body };
        let verifier = SignatureVerifier::new(vec![SecretString::from(case.token)], None);
        writeln!(says, "{}", verifier.verify(request).is_ok())?;
    }
    Ok(())
}
