//! The HTTP connection to Twilio: credentials, timeouts, and who we say we are.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::client::{
    ClientError, MOST_BULK_READS_IN_FLIGHT, MOST_SYNC_WRITES_IN_FLIGHT, MOST_TASKROUTER_READS_IN_FLIGHT,
};
use crate::config::TwilioConfig;
use crate::coordination::lease::Lease;

/// HTTP Basic credentials, never to be printed.
pub(super) fn basic(user: &str, password: &SecretString) -> HeaderValue {
    let credentials = BASE64_STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    // Base64 is always a header's value.
    let mut value =
        HeaderValue::from_str(&format!("Basic {credentials}")).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The network, with the configured time limit.
pub(super) fn network(config: &TwilioConfig, lease: &Lease) -> Result<reqwest::Client, ClientError> {
    // Installed once a process; a second call finds the first one's, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .user_agent(user_agent(lease))
        .timeout(config.timeout)
        .connect_timeout(config.timeout.min(Duration::from_secs(5)))
        .pool_max_idle_per_host(
            MOST_SYNC_WRITES_IN_FLIGHT + MOST_TASKROUTER_READS_IN_FLIGHT + MOST_BULK_READS_IN_FLIGHT,
        )
        // A redirect would carry the credentials to wherever it points.
        .redirect(reqwest::redirect::Policy::none());
    // Or the system would go on trying to bring what was sent, long after another leads.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let http = match lease.term() {
        Some(_) => http.tcp_user_timeout(lease.late()),
        None => http,
    };
    Ok(http.build()?)
}

fn user_agent(lease: &Lease) -> String {
    let name = concat!("taskrouter-sync/", env!("CARGO_PKG_VERSION"));
    lease.term().map_or_else(|| name.to_owned(), |term| format!("{name} (term {term})"))
}
