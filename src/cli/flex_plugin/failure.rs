//! Refusals, and errors of the Plugins API with what to do about them.

use super::obstacles::Obstacles;
use crate::cli::CommandError;
use crate::config::Config;
use crate::twilio::{Next, TwilioError};

/// What stands in the way, and below it what gets past that.
pub(super) fn refused(obstacles: &Obstacles) -> CommandError {
    let Obstacles { problems, way_past } = obstacles;
    let way_past: String = way_past.lines().map(|line| format!("\n  {line}")).collect();
    CommandError::Failed(format!("refused, and nothing was released:\n  {}{way_past}", problems.join("\n  ")))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err wants it")]
pub(super) fn failed(config: &Config, error: TwilioError) -> CommandError {
    let hint = match error.next() {
        _ if error.is_bad_credentials() => {
            ". Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with TWILIO_API_SECRET"
                .to_owned()
        }
        // What may be missing is no error; another 404 is the address's fault, whatever answers there.
        Next::Missing => format!(". {}", not_twilio(config)),
        Next::Retry(_) => {
            format!(". {}; then repeat the command, which goes on where it ended", reach(config))
        }
        _ => String::new(),
    };
    CommandError::Failed(format!("Flex's Plugins API: {error}{hint}"))
}

/// What to look at where Flex's Plugins API does not answer.
pub(in crate::cli) fn reach(config: &Config) -> String {
    let flex = &config.core.twilio.base_urls.flex;
    format!("See that {flex} can be reached from here (TWILIO_FLEX_URL, proxies)")
}

/// Why a 404 without Twilio's own code says nothing of a plugin.
pub(in crate::cli) fn not_twilio(config: &Config) -> String {
    let flex = &config.core.twilio.base_urls.flex;
    format!("{flex} does not answer as Twilio does: check TWILIO_FLEX_URL and proxies on the way")
}
