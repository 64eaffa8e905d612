//! What may be done about a call that was bad to hear.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;

use super::parse::{http_url, list, numbers, prefixes};
use super::reader::VariableReader;
use super::twilio::secret;
use super::variables as var;

const MOST_NUMBERS: usize = 100;
/// Longest text of a Message (Twilio's limit).
const LONGEST_TEXT: usize = 1600;
const TEXT: &str =
    "We are sorry that the line was bad when you called us. Please call again if anything is still open.";

/// Two while one takes the other's place.
const MOST_WEBHOOK_SECRETS: usize = 2;
/// How "Standard Webhooks" marks a secret in base64.
pub const WEBHOOK_SECRET_PREFIX: &str = "whsec_";

/// A text, or base64 behind its mark.
fn webhook_secret(text: &str) -> Option<SecretString> {
    if let Some(base64) = text.strip_prefix(WEBHOOK_SECRET_PREFIX) {
        BASE64_STANDARD.decode(base64).ok().filter(|key| key.len() >= 16)?;
    }
    secret(text, 16)
}

#[derive(Debug, Clone)]
pub struct VoiceConfig {
    /// `VOICE_SMS_NUMBERS`: the account's numbers that Messages may come from; none where it is absent.
    pub sms_numbers: Vec<String>,
    /// `VOICE_SMS_PREFIXES`: how the numbers that may get one begin; none where it is absent.
    pub sms_prefixes: Vec<String>,
    /// `VOICE_SMS_TEXT`
    pub sms_text: String,
    /// `VOICE_WEBHOOK_URL` and `VOICE_WEBHOOK_SECRET`: where the action `webhook` posts to, and what signs it.
    pub webhook: Option<(String, Vec<SecretString>)>,
}

impl VoiceConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Self {
        let text = |s: &str| (s.chars().count() <= LONGEST_TEXT).then(|| s.to_owned());
        let sms_numbers =
            reader.or_default(&var::VOICE_SMS_NUMBERS, Vec::new(), |s| numbers(s, MOST_NUMBERS));
        let sms_prefixes = reader.or_default(&var::VOICE_SMS_PREFIXES, Vec::new(), prefixes);
        let sms_text = reader.or_default(&var::VOICE_SMS_TEXT, TEXT.to_owned(), text);
        match (reader.is_set(&var::VOICE_WEBHOOK_URL), reader.is_set(&var::VOICE_WEBHOOK_SECRET)) {
            (true, false) => {
                reader.problem(
                    &var::VOICE_WEBHOOK_SECRET,
                    "nothing, while VOICE_WEBHOOK_URL is set".to_owned(),
                );
            }
            (false, true) => {
                reader.problem(
                    &var::VOICE_WEBHOOK_URL,
                    "nothing, while VOICE_WEBHOOK_SECRET is set".to_owned(),
                );
            }
            _ => {}
        }
        let url = reader.optional(&var::VOICE_WEBHOOK_URL, http_url);
        let keys = |s: &str| {
            let keys = list(s).into_iter().map(webhook_secret).collect::<Option<Vec<_>>>();
            keys.filter(|keys| keys.len() <= MOST_WEBHOOK_SECRETS)
        };
        let key = reader.optional(&var::VOICE_WEBHOOK_SECRET, keys);
        Self { sms_numbers, sms_prefixes, sms_text, webhook: url.zip(key) }
    }
}
