//! What `doctor` and `setup` ask of the service's own addresses, and the commands that they print for people to run.

use std::time::Duration;

use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};

use crate::config::Config;

/// The longest that an address may take to answer.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Status and body of one of our own addresses.
#[expect(clippy::disallowed_methods, reason = "this asks ourselves, and not Twilio")]
pub(super) async fn fetched(url: &str) -> Result<(u16, String), String> {
    let client = reqwest::Client::builder().timeout(LONGEST_WAIT).redirect(reqwest::redirect::Policy::none());
    let client = client.build().map_err(|error| error.to_string())?;
    let answer = client.get(url).send().await.map_err(|error| {
        let kind = if error.is_timeout() { "no answer in time" } else { "no connection" };
        kind.to_owned()
    })?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.unwrap_or_default()))
}

/// Whether one of our own addresses answers pages of this origin; `None` where it does not answer at all.
#[expect(clippy::disallowed_methods, reason = "this asks ourselves, and not Twilio")]
pub(super) async fn allows(url: &str, origin: &str) -> Option<bool> {
    let client = reqwest::Client::builder().timeout(LONGEST_WAIT).build().ok()?;
    let asked = client.get(url).header(ORIGIN, origin).send().await.ok()?;
    let allowed = asked.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).and_then(|value| value.to_str().ok());
    Some(allowed.is_some_and(|allowed| allowed == origin || allowed == "*"))
}

/// A command that works as it stands, since curl asks for the password, which no output may show; below it a line that says
/// which.
pub(super) fn curl(config: &Config, rest: &str) -> String {
    let (user, password) = match &config.core.twilio.api_key {
        Some(key) => (key.sid.to_string(), "TWILIO_API_SECRET"),
        None => (config.core.twilio.account_sid.to_string(), "the Auth Token"),
    };
    format!("curl -u {user} {rest}\n(the password that curl asks for is {password})")
}
