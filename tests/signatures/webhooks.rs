//! Signs webhooks as this service does, a JSON line each, for official libraries to judge. For `tests/signatures/run`.
//!
//! The argument is how many. Libraries refuse an old time stamp, so each case is of this moment.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use serde_json::json;
use taskrouter_sync::call_quality::webhook_signatures;

const TEXTS: [&str; 6] = ["packet loss", "日本語", "Иван 😀", "", "a\"b\\c", "\u{200f}"];

/// A kind of case: the secrets that sign, the one that judges, whether it is plain text, and what the judge must say.
type Kind = (&'static str, Vec<String>, String, bool, bool);

fn main() -> std::io::Result<()> {
    let cases = std::env::args().nth(1).and_then(|cases| cases.parse().ok()).unwrap_or(120_u32);
    let mut out = std::io::stdout().lock();
    for number in 0..cases {
        let key =
            |salt: u8| -> Vec<u8> { (0..24 + number % 40).map(|n| (n as u8).wrapping_mul(salt)).collect() };
        let whsec = |salt: u8| format!("whsec_{}", BASE64_STANDARD.encode(key(salt)));
        let plain = |salt: u8| format!("plain-secret-{number}-{salt}");
        let kinds: [Kind; 7] = [
            ("whsec_", vec![whsec(7)], whsec(7), false, true),
            ("plain text", vec![plain(7)], plain(7), true, true),
            ("the old of two", vec![whsec(7), whsec(11)], whsec(7), false, true),
            ("the new of two", vec![whsec(7), whsec(11)], whsec(11), false, true),
            ("plain text of two", vec![whsec(7), plain(11)], plain(11), true, true),
            ("another secret", vec![whsec(7)], whsec(13), false, false),
            ("a changed body", vec![whsec(7)], whsec(7), false, false),
        ];
        let (kind, secrets, secret, is_plain, expected) = kinds[number as usize % kinds.len()].clone();
        let text = TEXTS[number as usize % TEXTS.len()];
        let body =
            json!({ "type": "voice.quality", "data": { "issues": text, "number": number } }).to_string();
        let (id, timestamp) = (format!("msg_{number:032x}"), jiff::Timestamp::now().as_second().to_string());
        let secrets: Vec<SecretString> = secrets.into_iter().map(SecretString::from).collect();
        let signature = webhook_signatures(&secrets, &id, &timestamp, &body);
        let body = if kind == "a changed body" { body.replace("quality", "qualitx") } else { body };
        let case = json!({
            "kind": kind, "secret": secret, "plain": is_plain, "expected": expected, "id": id,
            "timestamp": timestamp, "signature": signature, "body": body,
        });
        writeln!(out, "{case}")?;
    }
    Ok(())
}
