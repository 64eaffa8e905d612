//! A hash of what replicas should have in common, since each leader writes by its own configuration.

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::{Config, LayoutName, RefreshConfig, StatisticsConfig, SyncConfig};

/// What the hash covers: no secrets, and not Twilio's addresses, which may differ between networks.
#[derive(Serialize)]
struct InCommon<'c> {
    public_url: String,
    account: String,
    workspace: String,
    sync_service: String,
    has_api_key: bool,
    timeout_ms: u128,
    statistics: &'c StatisticsConfig,
    sync: &'c SyncConfig,
    refresh: &'c RefreshConfig,
}

impl Config {
    /// The same for replicas that read and write in the same way, however their variables are spelt.
    pub fn fingerprint(&self) -> String {
        let twilio = &self.core.twilio;
        let in_common = InCommon {
            public_url: self.server.public_url.to_string(),
            account: twilio.account_sid.to_string(),
            workspace: twilio.workspace_sid.to_string(),
            sync_service: twilio.sync_service.to_string(),
            has_api_key: twilio.api_key.is_some(),
            timeout_ms: twilio.timeout.as_millis(),
            statistics: &self.core.statistics,
            sync: &self.core.sync,
            refresh: &self.core.refresh,
        };
        // All keys of its maps are text, so it can be serialised.
        let text = serde_json::to_vec(&in_common).unwrap_or_default();
        Sha256::digest(text)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The order in which layouts are named makes no difference.
pub(super) fn sorted<S: Serializer>(layouts: &[LayoutName], serializer: S) -> Result<S::Ok, S::Error> {
    let mut layouts = layouts.to_vec();
    layouts.sort_unstable();
    layouts.serialize(serializer)
}

pub(super) fn zone_name<S: Serializer>(zone: &jiff::tz::TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
    zone.iana_name().unwrap_or("UTC").serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::variables as var;

    const BASE: [(&str, &str); 5] = [
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "a-token"),
        ("TWILIO_WORKSPACE_SID", "WS00000000000000000000000000000001"),
        ("PUBLIC_URL", "https://hooks.example.com/tr"),
        ("REDIS_URL", "redis://:a-password@localhost"),
    ];

    fn of(more: &[(&str, &str)]) -> String {
        let value = |name: &str| {
            let found = more.iter().chain(&BASE).find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::read(&value).unwrap().fingerprint()
    }

    #[test]
    fn the_same_in_other_words_is_the_same() {
        let same = [
            ("REALTIME_INTERVAL", "5000ms"),
            ("SLA_THRESHOLDS", "120, 30,60"),
            ("SYNC_LAYOUTS", "dashboard-metrics,queue-map,dashboard-document"),
            ("DASHBOARD_TIMEZONE", "UTC"),
        ];
        assert_eq!(of(&[]), of(&same));
    }

    #[test]
    fn every_variable_of_statistics_sync_and_timers_counts() {
        let from = var::ALL.iter().position(|variable| variable.name == "DASHBOARD_TIMEZONE").unwrap();
        let until = var::ALL.iter().position(|variable| variable.name == "TWILIO_REGION").unwrap();
        for variable in &var::ALL[from..until] {
            let value = match variable.name {
                "DASHBOARD_TIMEZONE" => "Europe/Berlin",
                "STATS_DAY_START" => "06:00",
                "STATS_CHANNELS" => "none",
                "SLA_THRESHOLDS" => "10",
                "SLA_NAME" => "all-waited",
                "SLA_NAMES_OF_QUEUES" => "WQ00000000000000000000000000000001=all-waited",
                "SYNC_LAYOUTS" => "queue-map",
                "SYNC_AGES" => "off",
                name if variable.expected.contains("duration") => {
                    if name == "SETTLE_WINDOW" {
                        "17s"
                    } else {
                        "417ms"
                    }
                }
                _ => "another",
            };
            assert_ne!(of(&[]), of(&[(variable.name, value)]), "{}", variable.name);
        }
    }

    #[test]
    fn secrets_and_addresses_of_twilio_do_not_count() {
        for (name, value) in [
            ("TWILIO_AUTH_TOKEN", "another-token"),
            ("REDIS_URL", "redis://elsewhere"),
            ("TWILIO_SYNC_URL", "http://localhost:1"),
            ("PORT", "1234"),
        ] {
            assert_eq!(of(&[]), of(&[(name, value)]), "{name}");
        }
    }
}
