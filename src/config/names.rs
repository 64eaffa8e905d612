//! Finds variables that are set but never read. Without this, a misspelt variable would silently leave its default in
//! force.
//!
//! Environments hold many variables of other programs, so a name there is reported only if it resembles a variable of ours
//! that is not set. A `.env` file was written for this program: all unread names in it are reported.

use std::collections::BTreeSet;

use super::variables;

/// A variable that is read apart from the configuration: the log's level.
const LOG: &str = "RUST_LOG";
/// Shorter names of ours resemble too many others: `PORT` is one letter from `SORT`.
const SHORTEST: usize = 8;
/// Names of this length or longer may differ by two letters and still count as alike.
const LONG: usize = 12;
/// Longest name that is shown. A longer one may be something else, such as a pasted secret.
const LONGEST_TOLD: usize = 64;

/// Variables set without effect. Names alone: the values may be secrets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unread {
    pub misspelt: Vec<(String, &'static str)>,
    /// Names in the `.env` file like none of ours.
    pub foreign: Vec<String>,
    /// Variables of earlier versions, and why they have no effect any more.
    pub retired: Vec<(&'static str, &'static str)>,
    /// A name that looks like one of ours, and what to do about it.
    pub needless: Vec<(String, &'static str)>,
    /// Two names of one setting with different values; that of the second is not used.
    pub shadowed: Vec<(&'static str, &'static str)>,
}

/// Names of the older systems that nothing here needs.
const NEEDLESS: &[(&str, &str)] = &[
    (
        "TWILIO_WORKFLOW_SID",
        "remove it: the older dashboard did not use it either; for agents' Calls set TWILIO_OUTBOUND_WORKFLOW_SID",
    ),
    (
        "NEXT_PUBLIC_API_BASE",
        "it configures the wallboard page's build; docs/moving.md says what to set there",
    ),
    (
        "NEXT_PUBLIC_DASHBOARD_SYNC_MAP_SID",
        "it configures the wallboard page's build; here set DASHBOARD_MAP",
    ),
    (
        "NEXT_PUBLIC_DEFINITIONS_DOCUMENT_NAME",
        "it configures the wallboard page's build; here set DASHBOARD_DEFINITIONS_DOCUMENT",
    ),
    ("REACT_APP_SERVERLESS_URI", "it configures the Flex plugin's build: set it to PUBLIC_URL there"),
];
/// Prefixes of our variables that few other programs use.
const OUR_BEGINNINGS: [&str; 9] = [
    "DASHBOARD_",
    "OUTBOUND_",
    "QUEUE_STATS_",
    "TASKROUTER_",
    "SYNC_",
    "SLA_",
    "STATS_",
    "AUTHENTICATION_",
    "FLEX_",
];
const OF_KUBERNETES: &str = "TASKROUTER_SYNC_";
const UNKNOWN: &str = "no variable of this service has this name; docs/configuration.md lists them";

/// Looks through the names of the environment and those of the `.env` file; `is_set` says which have a value.
pub fn unread<'n>(
    environment: impl Iterator<Item = &'n str>,
    file: impl Iterator<Item = &'n str>,
    is_set: impl Fn(&str) -> bool,
) -> Unread {
    let environment: BTreeSet<&str> = environment.filter(|name| !is_known(name)).collect();
    // A name that is in the environment as well, as after `docker run --env-file`, may be meant for other programs.
    let file: BTreeSet<&str> = file.filter(|name| !is_known(name) && !environment.contains(name)).collect();
    let retired = variables::RETIRED.iter().filter(|(name, _)| is_set(name)).copied().collect();
    let mut unread = Unread { retired, ..Unread::default() };
    for (name, in_file) in
        environment.iter().map(|name| (name, false)).chain(file.iter().map(|name| (name, true)))
    {
        let name = (*name).to_owned();
        match meant(&name) {
            Some(meant) if !is_set(meant) => unread.misspelt.push((name, meant)),
            // The variable that it resembles is set itself.
            Some(_) if !in_file => {}
            likeness => match advice(&name).filter(|_| likeness.is_none()) {
                Some(advice) => unread.needless.push((name, advice)),
                None if in_file && looks_like_a_name(&name) => unread.foreign.push(name),
                None => {}
            },
        }
    }
    unread
}

/// Settings with different values under two of their names, such as when several samples' files are put together: the name
/// that counts, and one that does not.
pub fn shadowed(value: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, &'static str)> {
    let meaning = |name: &str| {
        let text = value(name)?;
        // An address may stand with its scheme or without, as in EXTERNAL_HOST.
        let text = text.trim().trim_end_matches('/').trim_start_matches("https://");
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mut shadowed = Vec::new();
    for variable in variables::ALL.iter().filter(|variable| !variable.aliases.is_empty()) {
        let names = std::iter::once(&variable.name).chain(variable.aliases);
        let mut set = names.filter_map(|name| Some((*name, meaning(name)?)));
        let Some((used, counts)) = set.next() else { continue };
        shadowed.extend(set.filter(|(_, other)| *other != counts).map(|(name, _)| (used, name)));
    }
    shadowed
}

/// What to do about a name that an older system had, or that begins as ours do.
fn advice(name: &str) -> Option<&'static str> {
    let older = NEEDLESS.iter().find(|(needless, _)| *needless == name).map(|(_, advice)| *advice);
    let ours = OUR_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        && !name.starts_with(OF_KUBERNETES)
        && looks_like_a_name(name);
    older.or(ours.then_some(UNKNOWN))
}

fn is_known(name: &str) -> bool {
    let retired = variables::RETIRED.iter().any(|(retired, _)| *retired == name);
    name == LOG
        || retired
        || variables::ALL.iter().any(|known| known.name == name || known.aliases.contains(&name))
}

fn meant(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let far = |known: &str| match known.len() {
        ..SHORTEST => 0,
        SHORTEST..LONG => 1,
        LONG.. => 2,
    };
    let slips = |known: &'static str| {
        // Length rules most out; and a foreign name may be too long to compare letter by letter.
        let near = known.len().abs_diff(name.len()) <= far(known);
        near.then(|| strsim::osa_distance(known, &name)).filter(|slips| *slips <= far(known))
    };
    let nearest = variables::ALL.iter().filter_map(|known| Some((slips(known.name)?, known.name))).min();
    nearest.map(|(_, known)| known)
}

/// Whether a name may be shown. A line such as `c2VjcmV0==` in a `.env` file is an assignment, and its name a secret.
fn looks_like_a_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let words = name.contains('_') || !name.bytes().any(|byte| byte.is_ascii_digit());
    plain && words && name.len() <= LONGEST_TOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_environment(names: &[&'static str], set: &[&str]) -> Vec<(String, &'static str)> {
        let unread = unread(names.iter().copied(), std::iter::empty(), |name| set.contains(&name));
        assert_eq!((unread.foreign, unread.needless), (Vec::new(), Vec::new()));
        unread.misspelt
    }

    #[test]
    fn a_misspelt_name_is_reported_with_the_right_one() {
        for (slip, meant) in [
            ("SYNC_LAYOUT", "SYNC_LAYOUTS"),
            ("TWILLIO_ACCOUNT_SID", "TWILIO_ACCOUNT_SID"),
            ("TWILIO_ACOUNT_SDI", "TWILIO_ACCOUNT_SID"),
            ("TWILIO_AUTHTOKEN", "TWILIO_AUTH_TOKEN"),
            ("twilio_workspace_sid", "TWILIO_WORKSPACE_SID"),
            ("PUBLIC_URI", "PUBLIC_URL"),
            ("DASHBOARD_TIME_ZONE", "DASHBOARD_TIMEZONE"),
            ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
            ("port", "PORT"),
        ] {
            assert_eq!(of_environment(&[slip], &[]), [(slip.to_owned(), meant)]);
            assert_eq!(of_environment(&[slip], &[meant]), [], "{meant} has a value of its own");
        }
    }

    #[test]
    fn the_names_of_others_are_no_slips() {
        let others = [
            "PATH",
            "HOME",
            "HOST",
            "HOSTNAME",
            "PORTS",
            "PWD",
            "LANG",
            "SHELL",
            "TERM",
            "USER",
            "TZ",
            "REDIS_HOST",
            "REDIS_PORT",
            "REDIS_PASSWORD",
            "REDIS_TLS_URL",
            "DATABASE_URL",
            "EXTERNAL_PORT",
            "KUBERNETES_PORT",
            "KUBERNETES_SERVICE_HOST",
            "KUBERNETES_SERVICE_PORT_HTTPS",
            "DYNO",
            "FLY_REGION",
            "TASKROUTER_SYNC_SERVICE_HOST",
            "TASKROUTER_SYNC_PORT",
            "HTTPS_PROXY",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "TWILIO_REGION",
            "TWILIO_EDGE",
            "TWILIO_PHONE_NUMBER",
            "TWILIO_FROM_NUMBER",
            "TWILIO_LOG_LEVEL",
            "TWILIO_TWIML_APP_SID",
            "TWILIO_CHAT_SERVICE_SID",
            "TWILIO_VERIFY_SERVICE_SID",
            "TWILIO_MESSAGING_SERVICE_SID",
            "TWILIO_CONVERSATIONS_SERVICE_SID",
            "TWILIO_NOTIFY_SERVICE_SID",
            "TWILIO_PROFILE",
            "OTEL_RESOURCE_ATTRIBUTES",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_TRACES_EXPORTER",
            "OTEL_LOGS_EXPORTER",
            "OTEL_SERVICE_VERSION",
            "RUST_LOG",
            "RUST_BACKTRACE",
            "TWILIO_FLEX_SYNC_SID",
            "EXTERNAL_HOST",
        ];
        assert_eq!(of_environment(&others, &[]), []);
    }

    #[test]
    fn a_name_that_looks_like_ours_is_reported_with_what_to_do() {
        let names =
            ["TWILIO_WORKFLOW_SID", "DASHBOARD_REFRESH_RATE", "OUTBOUND_NUMBER", "NEXT_PUBLIC_API_BASE"];
        let unread = unread(names.into_iter(), std::iter::empty(), |_| false);
        let needless: Vec<&str> = unread.needless.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            needless,
            ["DASHBOARD_REFRESH_RATE", "NEXT_PUBLIC_API_BASE", "OUTBOUND_NUMBER", "TWILIO_WORKFLOW_SID"]
        );
        assert!(unread.needless[3].1.contains("TWILIO_OUTBOUND_WORKFLOW_SID"));
        for of_others in ["TASKROUTER_SYNC_SERVICE_HOST", "TASKROUTER_SYNC_PORT_8080_TCP", "TWILIO_REGION"] {
            assert_eq!(advice(of_others), None);
        }
    }

    #[test]
    fn two_names_of_one_setting_with_different_values_are_named_without_the_values() {
        let found = |set: &[(&str, &str)]| {
            shadowed(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let [one, other] = ["TWILIO_SYNC_SERVICE_SID", "DASHBOARD_SYNC_SERVICE_SID"];
        assert_eq!(found(&[(one, "IS1"), (other, "IS2")]), [(one, other)]);
        assert_eq!(found(&[(one, "IS1"), (other, " IS1 "), ("AUTH_TOKEN", "x")]), []);
        assert_eq!(
            found(&[(one, ""), (other, "IS2"), ("TWILIO_SYNC_SERVICE_ID", "IS1")]),
            [(other, "TWILIO_SYNC_SERVICE_ID")]
        );
        assert_eq!(
            found(&[("PUBLIC_URL", "https://a.example.com/"), ("EXTERNAL_HOST", "a.example.com")]),
            []
        );
        assert_eq!(
            found(&[("TWILIO_AUTH_TOKEN", "a"), ("AUTH_TOKEN", "b")]),
            [("TWILIO_AUTH_TOKEN", "AUTH_TOKEN")]
        );
    }

    #[test]
    fn none_of_ours_is_taken_for_another() {
        for known in variables::ALL {
            assert_eq!(of_environment(&[known.name], &[]), []);
        }
    }

    #[test]
    fn a_variable_of_an_earlier_version_is_named_with_the_reason() {
        for (environment, file) in [(vec!["LEADER_ALONE"], vec![]), (vec![], vec!["LEADER_ALONE"])] {
            let found = unread(environment.into_iter(), file.into_iter(), |name| name == "LEADER_ALONE");
            assert_eq!(found, Unread { retired: variables::RETIRED.to_vec(), ..Unread::default() });
        }
        assert_eq!(unread(["LEADER_LEASE"].into_iter(), [].into_iter(), |_| false), Unread::default());
    }

    #[test]
    fn all_unread_names_of_the_file_are_reported_but_what_may_be_a_secret() {
        let file = [
            "SYNC_LAYOUT",
            "TWILIO_PHONE_NUMBER",
            "PORT",
            "COMPOSED",
            "c2VjcmV0",
            "JBSWY3DPEHPK3PXP",
            "SHARED_NAME",
        ];
        let unread = unread(["SHARED_NAME"].into_iter(), file.into_iter(), |_| false);
        assert_eq!(unread.misspelt, [("SYNC_LAYOUT".to_owned(), "SYNC_LAYOUTS")]);
        assert_eq!(unread.foreign, ["COMPOSED", "TWILIO_PHONE_NUMBER"]);
    }
}
