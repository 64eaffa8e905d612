//! Checks without network access: the configuration, the limits of this process, the time zone.

use rustix::process::{Resource, getrlimit};

use super::report::Check;
use crate::cli::Environment;
use crate::cli::output::counted;
use crate::cli::serve::OTHER_FILES;
use crate::config::{Config, Unread, variables};

/// Runs the checks.
pub(super) fn checks(config: &Config, value: &dyn Fn(&str) -> Option<String>) -> Vec<Check> {
    vec![
        configuration(),
        accounts(config),
        open_files(getrlimit(Resource::Nofile).maximum, config.sockets.most_clients),
        time_zone(config, value),
    ]
}

/// Always right: `doctor` reports an invalid configuration before it comes here.
fn configuration() -> Check {
    Check::right("configuration", "all variables are valid")
}

/// Variables that are set but not read, misspelt ones and those of earlier versions and older systems, and those set twice.
pub(super) fn unread(environment: &Environment) -> Vec<Check> {
    let Unread { misspelt, needless, retired, shadowed, foreign: _ } = environment.unread();
    let repeated = environment.repeated();
    let repeated =
        repeated.map(|found| Check::note("variable name", found, "remove the other lines from .env"));
    let misspelt = misspelt.iter().map(|(name, meant)| {
        let found = format!("{name} is set but not read; did you mean {meant}?");
        Check::note("variable name", found, format!("set {meant} and remove {name}"))
    });
    let retired = retired.iter().map(|(name, because)| {
        let found = format!("{name} is set but no longer read: {because}");
        Check::note("variable name", found, format!("remove {name}"))
    });
    let needless = needless.iter().map(|(name, advice)| {
        Check::note("variable name", format!("{name} is set but not read"), (*advice).to_owned())
    });
    let shadowed = shadowed.iter().map(|(used, ignored)| {
        let found = format!("{used} and {ignored} have different values; that of {used} is used");
        Check::note("variable name", found, format!("give both the right value, or remove {ignored}"))
    });
    repeated.chain(misspelt).chain(retired).chain(needless).chain(shadowed).collect()
}

/// Why Twilio or browsers may not reach this service.
pub(super) fn public_url(config: &Config) -> Option<Check> {
    let concern = config.server.public_url.concern()?;
    let mend = "set PUBLIC_URL to the https address under which Twilio and browsers reach this service";
    Some(Check::note("public URL", format!("PUBLIC_URL is {concern}"), mend))
}

/// What is off because it is half configured, and values that name something unknown.
pub(super) fn warnings(config: &Config) -> impl Iterator<Item = Check> {
    let mend = "set or correct the variables that it names, or remove them";
    config.warnings.iter().map(move |warning| Check::note("configuration", warning.clone(), mend.to_owned()))
}

fn accounts(config: &Config) -> Check {
    let accounts = &config.server.administrator;
    if accounts.basic.is_some() || accounts.bearer.is_some() {
        return Check::right("administrator", "configured");
    }
    Check::note(
        "administrator",
        "none configured: the dashboard and ?checkMap=true are disabled",
        "set AUTHENTICATION_USER and AUTHENTICATION_PASSWORD",
    )
}

fn open_files(most: Option<u64>, clients: usize) -> Check {
    let needed = clients as u64 + OTHER_FILES;
    match most.filter(|files| *files < needed) {
        None => Check::right("open files", format!("enough for {}", counted(clients, "websocket"))),
        Some(files) => Check::wrong(
            "open files",
            format!("the limit is {files}, but {needed} are needed for {}", counted(clients, "websocket")),
            format!(
                "ulimit -n {needed}\nin a systemd unit:\nLimitNOFILE={needed}\nas an option of docker run:\n\
                 --ulimit nofile={needed}\nor set:\nWEBSOCKET_CLIENTS={}",
                files.saturating_sub(OTHER_FILES).max(1)
            ),
        ),
    }
}

fn time_zone(config: &Config, value: &dyn Fn(&str) -> Option<String>) -> Check {
    let statistics = &config.core.statistics;
    let zone = statistics.time_zone.iana_name().unwrap_or("UTC").to_owned();
    let found = format!("today begins at {} in {zone}", statistics.day_start.strftime("%H:%M"));
    let chosen = value(variables::DASHBOARD_TIMEZONE.name).is_some_and(|zone| !zone.trim().is_empty());
    if chosen {
        Check::right("time zone", found)
    } else {
        let found = format!("{found} (the default)");
        Check::note(
            "time zone",
            found,
            "set DASHBOARD_TIMEZONE (such as Europe/Berlin) if the contact centre is in another time zone",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_open_files_are_reported_with_what_would_do() {
        assert!(!open_files(Some(10_500), 10_000).is_wrong());
        assert!(!open_files(None, 50_000).is_wrong());
        let few = open_files(Some(1024), 10_000);
        assert!(few.is_wrong());
        let mend = few.mend.unwrap();
        let lines: Vec<_> = mend.lines().collect();
        assert!(lines.contains(&"ulimit -n 10500") && lines.contains(&"WEBSOCKET_CLIENTS=524"), "{mend}");
    }
}
