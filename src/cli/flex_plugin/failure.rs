//! Refusals, and errors of the Plugins API with what to do about them.

use crate::cli::CommandError;
use crate::config::Config;
use crate::twilio::{Next, TwilioError};

pub(super) fn refused(problems: &[String]) -> CommandError {
    CommandError::Failed(format!("refused, and nothing was released:\n  {}", problems.join("\n  ")))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err wants it")]
pub(super) fn failed(config: &Config, error: TwilioError) -> CommandError {
    let hint = match error.next() {
        _ if error.is_bad_credentials() => {
            ". Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with TWILIO_API_SECRET"
                .to_owned()
        }
        Next::Missing if !error.is_twilios_404() => format!(". {}", not_twilio(config)),
        Next::Retry(_) => ". Repeat the command; it goes on where it ended".to_owned(),
        _ => String::new(),
    };
    CommandError::Failed(format!("Flex's Plugins API: {error}{hint}"))
}

/// Why a 404 without Twilio's own code says nothing of a plugin.
pub(in crate::cli) fn not_twilio(config: &Config) -> String {
    let flex = &config.core.twilio.base_urls.flex;
    format!("{flex} does not answer as Twilio does: check TWILIO_FLEX_URL and proxies on the way")
}
