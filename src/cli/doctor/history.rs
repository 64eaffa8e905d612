//! Whether history can be stored.

use crate::config::Config;
use crate::history::{Probe, probe};

use super::report::Check;

const NAME: &str = "history";
const MEND: &str = "set HISTORY_URL to a file in a folder that this user may write, to a postgres:// URL, or to off; the service runs without";

pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let mut checks = vec![match probe(&config.history).await {
        Ok(Probe::Off) => Check::right(NAME, "off (HISTORY_URL)"),
        Ok(Probe::New) => Check::right(NAME, "begins with the first start"),
        Ok(Probe::Holds) => Check::right(NAME, "can be read and written"),
        Err(reason) => Check::note(NAME, format!("can't be stored: {reason}"), MEND),
    }];
    if config.sharing.is_some() && config.history.is_a_file() {
        let found = "each replica has a file of its own, with what it stored while it led";
        checks.push(Check::note(NAME, found, "set HISTORY_URL to a postgres:// URL that all replicas use"));
    }
    checks
}
