//! What may be done about a call that was bad to hear.

use secrecy::SecretString;

use super::parse::{http_url, numbers};
use super::reader::Reader;
use super::twilio::secret;
use super::variables as var;

const MOST_NUMBERS: usize = 100;
/// Longest text of a Message (Twilio's limit).
const LONGEST_TEXT: usize = 1600;
const TEXT: &str =
    "We are sorry that the line was bad when you called us. Please call again if anything is still open.";

/// Voice-quality alerts.
#[derive(Debug, Clone)]
pub struct VoiceConfig {
    /// `VOICE_SMS_NUMBERS`: the account's numbers that Messages may come from; none where it is absent.
    pub sms_numbers: Vec<String>,
    /// `VOICE_SMS_TEXT`
    pub sms_text: String,
    /// `VOICE_WEBHOOK_URL` and `VOICE_WEBHOOK_SECRET`: where the action `webhook` posts to, and what signs it.
    pub webhook: Option<(String, SecretString)>,
}

impl VoiceConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let text = |s: &str| (s.chars().count() <= LONGEST_TEXT).then(|| s.to_owned());
        let sms_numbers =
            reader.or_default(&var::VOICE_SMS_NUMBERS, Vec::new(), |s| numbers(s, MOST_NUMBERS));
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
        let key = reader.optional(&var::VOICE_WEBHOOK_SECRET, |s| secret(s, 16));
        Self { sms_numbers, sms_text, webhook: url.zip(key) }
    }
}
