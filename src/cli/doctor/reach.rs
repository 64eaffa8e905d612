//! Whether this machine reaches the configured addresses other than Twilio and Redis.

use super::report::Check;
use crate::cli::by_hand::LONGEST_WAIT;
use crate::config::Config;

/// The webhook for poor call quality and the collector of traces, where they are configured.
pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some((url, _)) = &config.voice.webhook {
        checks.push(check("voice webhook", "VOICE_WEBHOOK_URL", url).await);
    }
    if let Some(export) = &config.export {
        checks.push(check("trace collector", "OTEL_EXPORTER_OTLP_ENDPOINT", &export.url).await);
    }
    checks
}

/// Any status counts as an answer: the address takes signed POST requests, and this request is not signed.
#[expect(clippy::disallowed_methods, reason = "this does not go to Twilio")]
async fn check(name: &'static str, variable: &str, url: &str) -> Check {
    let client =
        reqwest::Client::builder().timeout(LONGEST_WAIT).redirect(reqwest::redirect::Policy::none()).build();
    let asked = match client {
        Ok(client) => client.head(url).send().await,
        Err(error) => Err(error),
    };
    // The path and query of a webhook's URL may be its secret.
    let origin = reqwest::Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    match asked {
        Ok(answer) => Check::right(name, format!("{origin} answers ({})", answer.status().as_u16())),
        Err(error) => {
            let kind = if error.is_timeout() { "no answer in time" } else { "no connection" };
            let found = format!("{origin} does not answer from here: {kind}");
            Check::note(
                name,
                found,
                format!("correct {variable}, or start what should answer there\ncurl -I {origin}"),
            )
        }
    }
}
