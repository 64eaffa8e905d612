//! The variables that point the service at an emulator. Tests and benchmarks include this file.

use std::collections::HashMap;

use twilio_emulator::Emulator;

pub(crate) const ADMIN: (&str, &str) = ("admin", "correct horse");
pub(crate) const BEARER: &str = "a-bearer-token-for-tests";

/// Everything that `serve` asks for but how it is reached, and whatever else is wanted.
pub(crate) fn base_variables(emulator: &Emulator, more: &[(&str, &str)]) -> HashMap<String, String> {
    let account = emulator.account();
    let url = emulator.url();
    let base = [
        ("TWILIO_ACCOUNT_SID", account.account_sid.as_str()),
        ("TWILIO_AUTH_TOKEN", &account.auth_token),
        ("TWILIO_WORKSPACE_SID", &account.workspace_sid),
        ("TWILIO_SYNC_SERVICE_SID", &account.sync_service_sid),
        ("TWILIO_TASKROUTER_URL", &url),
        ("TWILIO_SYNC_URL", &url),
        ("TWILIO_API_URL", &url),
        ("TWILIO_IAM_URL", &url),
        ("TWILIO_FLEX_URL", &url),
        ("AUTHENTICATION_USER", ADMIN.0),
        ("AUTHENTICATION_PASSWORD", ADMIN.1),
        ("AUTHENTICATION_TOKEN", BEARER),
        ("STATS_CHANNELS", "voice,chat"),
        // Tests of history name a place of their own.
        ("HISTORY_URL", "off"),
    ];
    base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
