//! A configured callback URL, taken apart: where to send, what to sign, and the connection overrides.
//!
//! Overrides live in the fragment (`#rc=3&rp=all`, see
//! <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>), credentials in the authority; neither
//! is sent in the request line nor signed.

use std::time::Duration;

use reqwest::Url;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// As sent and as signed: no credentials, no fragment.
    pub(crate) url: String,
    /// Sent only after a 401, as Twilio does.
    pub(crate) credentials: Option<(String, String)>,
    /// `rc`: how often to try again.
    pub(crate) retries: u32,
    /// `ct`: the time limit of connecting.
    pub(crate) connect_timeout: Duration,
    /// `rt`: the time limit of reading.
    pub(crate) read_timeout: Duration,
    /// `tt`: the time limit of the whole request.
    pub(crate) total_timeout: Duration,
    pub(crate) policy: Policy,
}

/// `rp`: which failures are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) connect: bool,
    pub(crate) read: bool,
    pub(crate) on_4xx: bool,
    pub(crate) on_5xx: bool,
}

impl Target {
    /// Reads a configured URL with Twilio's defaults: 5 s to connect, 15 s to read, 15 s in total, one retry, and
    /// only when connecting failed. Overrides out of their range are ignored.
    pub(crate) fn parse(configured: &str) -> Result<Self, String> {
        let mut url = Url::parse(configured).map_err(|error| format!("{configured}: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{configured}: neither http nor https"));
        }
        let overrides = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let user = url.username().to_owned();
        let credentials = (!user.is_empty()).then(|| (user, url.password().unwrap_or_default().to_owned()));
        // Both only fail for URLs that cannot have a host, which http and https always have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let mut target = Self {
            url: url.to_string(),
            credentials,
            retries: 1,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(15),
            policy: Policy { connect: true, read: false, on_4xx: false, on_5xx: false },
        };
        for (name, value) in form_urlencoded::parse(overrides.unwrap_or_default().as_bytes()) {
            target.set(&name, &value);
        }
        Ok(target)
    }

    fn set(&mut self, name: &str, value: &str) {
        let within = |low: u64, high: u64| value.parse().ok().filter(|n| (low..=high).contains(n));
        match name {
            "rc" => self.retries = within(0, 5).and_then(|n| u32::try_from(n).ok()).unwrap_or(self.retries),
            "ct" => {
                self.connect_timeout =
                    within(100, 10_000).map_or(self.connect_timeout, Duration::from_millis);
            }
            "rt" => self.read_timeout = within(100, 15_000).map_or(self.read_timeout, Duration::from_millis),
            "tt" => {
                self.total_timeout = within(100, 15_000).map_or(self.total_timeout, Duration::from_millis);
            }
            "rp" => {
                let has = |kind: &str| value.split(',').any(|part| part == kind || part == "all");
                self.policy =
                    Policy { connect: has("ct"), read: has("rt"), on_4xx: has("4xx"), on_5xx: has("5xx") };
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_fragment_nor_credentials_are_part_of_the_url() {
        let target =
            Target::parse("https://user:secret@hooks.example.com/x?e=%c3%a9&z#rc=3&rp=5xx,ct&rt=2000")
                .unwrap();
        assert_eq!(target.url, "https://hooks.example.com/x?e=%c3%a9&z");
        assert_eq!(target.credentials, Some(("user".to_owned(), "secret".to_owned())));
        assert_eq!((target.retries, target.read_timeout), (3, Duration::from_secs(2)));
        assert_eq!(target.policy, Policy { connect: true, read: false, on_4xx: false, on_5xx: true });
    }

    #[test]
    fn by_default_only_a_failed_connection_is_tried_again() {
        let target = Target::parse("http://127.0.0.1:9/x#rc=9").unwrap();
        assert_eq!(target.retries, 1);
        assert_eq!(target.policy, Policy { connect: true, read: false, on_4xx: false, on_5xx: false });
        assert!(Target::parse("ftp://h/x").is_err());
    }
}
