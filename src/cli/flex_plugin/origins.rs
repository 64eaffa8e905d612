//! Whether the service answers Flex's pages, as `setup` and `doctor` judge it.

use crate::config::Config;

/// Flex at Twilio's own address.
pub(in crate::cli) const FLEX_ORIGIN: &str = "https://flex.twilio.com";

pub(in crate::cli) enum Origins {
    /// No page of another site may read.
    Missing,
    /// Some may, and Flex at Twilio's address is not among them: right only where Flex has a host of its own.
    Elsewhere(String),
    Flex(String),
}

impl Origins {
    pub(in crate::cli) const MISSING: &str = "ALLOWED_ORIGINS is not set, so the plugin gets no data";
    /// Two lines, so that the setting can be copied.
    pub(in crate::cli) const MEND: &str =
        "set this, or your own Flex host, and restart the service:\nALLOWED_ORIGINS=https://flex.twilio.com";
    pub(in crate::cli) const MEND_ELSEWHERE: &str =
        "add it to ALLOWED_ORIGINS unless your Flex has its own host";

    pub(in crate::cli) fn of(config: &Config) -> Self {
        let origins = &config.sockets.origins;
        let all = origins.join(", ");
        if origins.is_empty() {
            Self::Missing
        } else if origins.iter().any(|origin| origin == FLEX_ORIGIN) {
            Self::Flex(format!("allowed origins: {all}"))
        } else {
            Self::Elsewhere(format!("ALLOWED_ORIGINS is {all}, so the plugin gets no data at {FLEX_ORIGIN}"))
        }
    }
}
