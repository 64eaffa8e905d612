//! Where the service listens, its public URL, and its accounts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::networks::{Networks, networks};
use super::parse::{all_different, base_url, duration, list, origins};
use super::reader::{Variable, VariableReader};
use super::twilio::secret;
use super::variables as var;

const MOST_SCREENS: usize = 100;

#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `BIND_ADDRESS` (default `0.0.0.0`) and `PORT` (default 8080).
    pub bind: SocketAddr,
    /// `PUBLIC_URL`: the URL that Twilio calls and signs.
    pub public_url: PublicUrl,
    /// The accounts of users and scripts.
    pub administrator: Administrator,
    /// `TV_LINKS`: the screens whose links are valid.
    pub tv_links: Vec<String>,
    /// `CENTRE_NAME`: the contact centre's name on the dashboard.
    pub centre_name: Option<String>,
    /// `TRUSTED_PROXIES`: the proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Networks,
    /// `FRAME_ANCESTORS`: sites that may show the dashboard in a frame.
    pub frame_ancestors: Vec<String>,
    /// `SHUTDOWN_GRACE`: the longest that pending writes may take after a stop signal, default 10 s.
    pub shutdown_grace: Duration,
}

/// The accounts; without any, no caller gets the dashboard and its data.
#[derive(Debug, Clone, Default)]
pub struct Administrator {
    /// `AUTHENTICATION_USER` and `AUTHENTICATION_PASSWORD`: the administrator.
    pub basic: Option<(String, SecretString)>,
    /// `VIEWER_USER` and `VIEWER_PASSWORD`: sees and does not edit.
    pub viewer: Option<(String, SecretString)>,
    /// `AUTHENTICATION_TOKEN`: the administrator's bearer token.
    pub bearer: Option<SecretString>,
    /// `METRICS_TOKEN`: opens `/metrics` and nothing else.
    pub metrics: Option<SecretString>,
}

/// Scheme, host, port and path prefix, as Twilio knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    prefix: String,
}

impl PublicUrl {
    /// Takes an http(s) URL without query, fragment or credentials.
    pub fn parse(text: &str) -> Option<Self> {
        // Invisible and look-alike characters would make every signature wrong.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let text = base_url(text)?;
        let (scheme, rest) = text.split_once("://")?;
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if !prefix.split('/').skip(1).all(is_plain) {
            return None;
        }
        Some(Self { origin: format!("{scheme}://{authority}"), prefix: prefix.to_owned() })
    }

    /// The path below which Twilio sees us: empty, or with a leading and without a trailing slash.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Our own pages' origin, as browsers write it; the default port left out.
    pub fn origin(&self) -> String {
        let url = reqwest::Url::parse(&self.origin);
        url.map_or_else(|_| self.origin.clone(), |url| url.origin().ascii_serialization())
    }

    /// Whether browsers reach us over TLS.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Why Twilio and browsers may not reach this URL, or not over TLS; `None` without a reason. `serve`, `setup` and
    /// `doctor` all say it.
    pub fn concern(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.origin).ok()?;
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let is_private = match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                address.is_loopback()
                    || address.is_private()
                    || address.is_link_local()
                    || address.is_unspecified()
            }
            Ok(IpAddr::V6(address)) => {
                address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
                    || address.is_unspecified()
            }
            Err(_) => host == "localhost" || host.ends_with(".local") || host.ends_with(".internal"),
        };
        let private =
            is_private.then_some("a private address, which neither Twilio nor browsers elsewhere reach");
        let insecure = (!self.is_https()).then_some(
            "not https: events and passwords are sent unencrypted, and pages of Flex load nothing from it",
        );
        let reasons: Vec<&str> = [private, insecure].into_iter().flatten().collect();
        (!reasons.is_empty()).then(|| reasons.join(", and "))
    }

    /// The other URL that Twilio may have called: where the path begins with the prefix, a proxy may have removed the
    /// prefix once already.
    pub fn also_called(&self, target: &str) -> Option<String> {
        let other = format!("{}{}{target}", self.origin, self.prefix);
        (other != self.called(target)).then_some(other)
    }

    /// The URL that Twilio called, for a request target (path and query) as it arrived here. A proxy in front may
    /// have taken the prefix off or left it; both give the same URL.
    pub fn called(&self, target: &str) -> String {
        let below_prefix = target.strip_prefix(self.prefix.as_str());
        let kept = !self.prefix.is_empty() && below_prefix.is_some_and(|rest| rest.starts_with('/'));
        let prefix = if kept { "" } else { self.prefix.as_str() };
        format!("{}{prefix}{target}", self.origin)
    }
}

/// Whether every proxy, router and browser leaves this path segment unchanged.
fn is_plain(segment: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    !segment.is_empty() && segment.chars().all(plain) && segment != "." && segment != ".."
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

impl ServerConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        // EXTERNAL_HOST, the older name, held a bare host.
        let public_url = reader.required(&var::PUBLIC_URL, |s| {
            let text = if s.contains("://") { s.to_owned() } else { format!("https://{s}") };
            let with_scheme = s.contains("://") || !s.contains([' ', '/']);
            if with_scheme { PublicUrl::parse(&text) } else { None }
        });
        let address =
            reader.or_default(&var::BIND_ADDRESS, IpAddr::V4(Ipv4Addr::UNSPECIFIED), |s| s.parse().ok());
        let port = reader.or_default(&var::PORT, 8080, |s| s.parse().ok());
        let administrator = Administrator::read(reader);
        let tv_links = reader.or_default(&var::TV_LINKS, Vec::new(), screens);
        let centre_name = reader.optional(&var::CENTRE_NAME, centre_name);
        let trusted_proxies = reader.or_default(&var::TRUSTED_PROXIES, Networks::default(), networks);
        let frame_ancestors = reader.or_default(&var::FRAME_ANCESTORS, Vec::new(), origins);
        let shutdown_grace = reader.or_default(&var::SHUTDOWN_GRACE, Duration::from_secs(10), duration);
        Some(Self {
            bind: SocketAddr::new(address, port),
            public_url: public_url?,
            administrator,
            tv_links,
            centre_name,
            trusted_proxies,
            frame_ancestors,
            shutdown_grace,
        })
    }
}

fn centre_name(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

fn screens(text: &str) -> Option<Vec<String>> {
    let names: Vec<String> = list(text).into_iter().map(str::to_owned).collect();
    let plain = |name: &String| {
        let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (1..=40).contains(&name.len()) && fits
    };
    (names.len() <= MOST_SCREENS && names.iter().all(plain) && all_different(&names)).then_some(names)
}

impl Administrator {
    fn read(reader: &mut VariableReader<'_>) -> Self {
        let basic = account(reader, &var::AUTHENTICATION_USER, &var::AUTHENTICATION_PASSWORD);
        let viewer = account(reader, &var::VIEWER_USER, &var::VIEWER_PASSWORD);
        if let (Some((editor, _)), Some((viewer, _))) = (&basic, &viewer)
            && editor == viewer
        {
            let found = format!("{viewer:?}, which AUTHENTICATION_USER is too");
            reader.problem(&var::VIEWER_USER, found);
        }
        let bearer = reader.optional(&var::AUTHENTICATION_TOKEN, |s| secret(s, 16));
        let metrics = reader.optional(&var::METRICS_TOKEN, |s| secret(s, 16));
        let administrators = [
            (&var::AUTHENTICATION_PASSWORD, basic.as_ref().map(|(_, password)| password)),
            (&var::AUTHENTICATION_TOKEN, bearer.as_ref()),
        ];
        // The holder of one of these would be the administrator: a user's name is no secret.
        for (variable, lesser) in [
            (&var::VIEWER_PASSWORD, viewer.as_ref().map(|(_, password)| password)),
            (&var::METRICS_TOKEN, metrics.as_ref()),
        ] {
            let same = |secret: Option<&SecretString>| {
                lesser.zip(secret).is_some_and(|(one, other)| one.expose_secret() == other.expose_secret())
            };
            if let Some((administrators, _)) = administrators.iter().find(|(_, secret)| same(*secret)) {
                reader.problem(variable, format!("the same as {}, not shown", administrators.name));
            }
        }
        Self { basic, viewer, bearer, metrics }
    }
}

fn account(
    reader: &mut VariableReader<'_>,
    user: &Variable,
    password: &Variable,
) -> Option<(String, SecretString)> {
    match (reader.is_set(user), reader.is_set(password)) {
        (true, false) => reader.problem(password, format!("nothing, while {} is set", user.name)),
        (false, true) => reader.problem(user, format!("nothing, while {} is set", password.name)),
        _ => {}
    }
    let name =
        reader.optional(user, |s| (!s.contains(|c: char| c == ':' || c.is_control())).then(|| s.to_owned()));
    let password = reader.optional(password, |s| (s.chars().count() >= 8).then(|| SecretString::from(s)));
    name.zip(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_twilio_can_not_reach_or_not_over_tls_is_a_concern() {
        let concern = |url: &str| PublicUrl::parse(url).unwrap().concern();
        for private in [
            "https://localhost:8080",
            "http://127.0.0.1:8080",
            "https://10.1.2.3",
            "https://192.168.1.9/tr",
            "https://169.254.1.1",
            "https://0.0.0.0",
            "https://[::1]",
            "https://[::]",
            "https://[fd00::1]",
            "https://stats.local",
        ] {
            assert!(concern(private).unwrap().contains("private address"), "{private}");
        }
        assert!(concern("http://hooks.example.com").unwrap().contains("not https"));
        let both = concern("http://192.168.1.9").unwrap();
        assert!(both.contains("private address") && both.contains("pages of Flex"), "{both}");
        assert_eq!((concern("https://hooks.example.com"), concern("https://8.8.8.8")), (None, None));
    }

    #[test]
    fn rebuilds_the_url_that_twilio_called() {
        let plain = PublicUrl::parse("https://hooks.example.com:8443/").unwrap();
        assert_eq!(plain.called("/x?a=%2b"), "https://hooks.example.com:8443/x?a=%2b");

        let prefixed = PublicUrl::parse("https://hooks.example.com/tr").unwrap();
        let expected = "https://hooks.example.com/tr/x?y";
        assert_eq!(prefixed.called("/x?y"), expected, "the proxy took the prefix off");
        assert_eq!(prefixed.called("/tr/x?y"), expected, "the proxy left it");
        assert_eq!(prefixed.called("/trick"), "https://hooks.example.com/tr/trick");
        assert_eq!(prefixed.to_string(), "https://hooks.example.com/tr");
        let alike = PublicUrl::parse("https://hooks.example.com/taskrouter").unwrap();
        let (kept, stripped) = (alike.called("/taskrouter/events"), alike.also_called("/taskrouter/events"));
        assert_eq!(kept, "https://hooks.example.com/taskrouter/events");
        assert_eq!(stripped.as_deref(), Some("https://hooks.example.com/taskrouter/taskrouter/events"));
        assert_eq!(plain.also_called("/taskrouter/events"), None);
        assert_eq!(plain.origin(), "https://hooks.example.com:8443");
        assert_eq!(
            PublicUrl::parse("https://Hooks.example.com:443/x").unwrap().origin(),
            "https://hooks.example.com"
        );
        for odd in [
            "https://hooks.exa\u{200b}mple.com",
            "https://\u{ff48}ooks.example.com",
            "https://hooks.exam\tple.com",
        ] {
            assert_eq!(PublicUrl::parse(odd), None, "{odd:?}");
        }
        for (url, is_sound) in [
            ("https://hooks.example.com", true),
            ("http://hooks.example.com", false),
            ("https://localhost:8080", false),
            ("https://10.1.2.3", false),
            ("https://[::1]", false),
            ("https://203.0.113.5", true),
        ] {
            assert_eq!(PublicUrl::parse(url).unwrap().concern().is_none(), is_sound, "{url}");
        }
        for odd in ["/*", "/{x}", "/:x", "/a b", "/..", "/a//b", "/%41"] {
            assert_eq!(PublicUrl::parse(&format!("https://hooks.example.com{odd}")), None, "{odd}");
        }
    }
}
