//! Whether replicas share the work, and through which Redis.

use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo};
use secrecy::{ExposeSecret, SecretString};

use super::parse::duration;
use super::reader::VariableReader;
use super::variables as var;

/// Shortest lease: below this a short pause of the machine would end a term.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct SharingConfig {
    /// `REDIS_URL`, which may contain a password.
    pub redis_url: SecretString,
    /// `LEADER_LEASE`: within this time another replica takes over from a leader that has died, default 5 s.
    pub lease: Duration,
}

impl SharingConfig {
    /// Whether the connection to Redis uses TLS.
    pub fn is_encrypted(&self) -> bool {
        self.info().is_some_and(|info| matches!(info.addr(), ConnectionAddr::TcpTls { .. }))
    }

    /// The Redis user, where the URL names one.
    pub fn user(&self) -> Option<String> {
        self.info()?.redis_settings().username().map(str::to_owned)
    }

    /// The URL as it may be shown.
    pub fn without_password(&self) -> Option<String> {
        let info = self.info()?;
        let (scheme, host, port) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => ("redis", host, port),
            ConnectionAddr::TcpTls { host, port, .. } => ("rediss", host, port),
            _ => return None,
        };
        let user = info.redis_settings().username().map(|user| format!("{user}@")).unwrap_or_default();
        Some(format!("{scheme}://{user}{host}:{port}/{}", info.redis_settings().db()))
    }

    fn info(&self) -> Option<ConnectionInfo> {
        self.redis_url.expose_secret().parse().ok()
    }

    pub(super) fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        // A certificate that is not verified protects nothing.
        let verified =
            |info: &ConnectionInfo| !matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. });
        // A raw # begins a fragment, which would silently cut the URL.
        let fits =
            |url: &str| !url.contains('#') && url.parse::<ConnectionInfo>().is_ok_and(|info| verified(&info));
        let redis_url = reader.optional(&var::REDIS_URL, |s| fits(s).then(|| SecretString::from(s)));
        let in_bounds = |lease: &Duration| (SHORTEST_LEASE..=LONGEST_LEASE).contains(lease);
        let lease =
            reader.or_default(&var::LEADER_LEASE, Duration::from_secs(5), |s| duration(s).filter(in_bounds));
        redis_url.map(|redis_url| Self { redis_url, lease })
    }
}
