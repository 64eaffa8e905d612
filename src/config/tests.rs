//! The configuration as an operator meets it.

use std::collections::HashMap;

use secrecy::ExposeSecret;

use super::*;

const COMPLETE: &[(&str, &str)] = &[
    ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
    ("TWILIO_AUTH_TOKEN", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("TWILIO_WORKSPACE_SID", "WS00000000000000000000000000000001"),
    ("PUBLIC_URL", "https://hooks.example.com/tr"),
];

fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut map: HashMap<&str, &str> = COMPLETE.iter().copied().collect();
    map.extend(changes.iter().copied());
    Config::read(&|name| map.get(name).map(|value| (*value).to_owned()))
}

fn problems(changes: &[(&str, &str)]) -> Vec<ConfigProblem> {
    read(changes).unwrap_err().problems
}

#[test]
fn four_values_are_enough() {
    let config = read(&[]).unwrap();
    assert_eq!(config.server.bind.to_string(), "0.0.0.0:8080");
    assert_eq!(config.core.twilio.sync_service, SyncServiceName::Default);
    assert_eq!(config.core.twilio.base_urls.taskrouter, "https://taskrouter.twilio.com");
    assert_eq!(config.core.statistics.channels, ["voice", "chat", "video"]);
    assert_eq!(config.core.statistics.sla_thresholds, [30, 60, 120]);
    assert_eq!(config.core.sync.queue_stats_map, "queueStats");
    assert_eq!(config.core.refresh, RefreshConfig::default());
}

#[test]
fn calls_need_caller_ids_and_prefixes() {
    assert!(read(&[]).unwrap().dialling.is_none());
    let workflow = ("TWILIO_OUTBOUND_WORKFLOW_SID", "WW00000000000000000000000000000001");
    let half = read(&[workflow]).unwrap();
    assert!(half.dialling.is_none() && half.warnings.len() == 1, "off, and everything else runs");
    assert!(half.warnings[0].contains("OUTBOUND_CALLER_IDS and OUTBOUND_PREFIXES"), "{:?}", half.warnings);
    let caller_ids = ("OUTBOUND_CALLER_IDS", "+14155550100");
    assert!(read(&[workflow, caller_ids]).unwrap().warnings[0].contains("OUTBOUND_PREFIXES is not"));
    let whole = [workflow, ("OUTBOUND_CALLER_IDS", "+14155550100"), ("OUTBOUND_PREFIXES", "+1, +44")];
    let dialling = read(&whole).unwrap().dialling.unwrap();
    assert_eq!((dialling.prefixes, dialling.calls_per_minute), (vec!["+1".to_owned(), "+44".to_owned()], 10));
    for bad in
        [("OUTBOUND_CALLER_IDS", "4155550100"), ("OUTBOUND_PREFIXES", "44"), ("OUTBOUND_PREFIXES", "+0")]
    {
        let found = problems(&[&whole[..], &[bad]].concat());
        assert_eq!(found.iter().map(|p| p.variable).collect::<Vec<_>>(), [bad.0]);
    }
}

#[test]
fn older_names_are_understood() {
    let config = read(&[
        ("TWILIO_WORKSPACE_SID", ""),
        ("TWILIO_FLEX_WORKSPACE_SID", "WS00000000000000000000000000000002"),
        ("TWILIO_FLEX_SYNC_SID", "IS00000000000000000000000000000002"),
        ("PUBLIC_URL", ""),
        ("EXTERNAL_HOST", "calls.example.com"),
    ])
    .unwrap();
    assert_eq!(config.core.twilio.workspace_sid.as_str(), "WS00000000000000000000000000000002");
    assert_eq!(config.core.twilio.sync_service.to_string(), "IS00000000000000000000000000000002");
    assert_eq!(config.server.public_url.to_string(), "https://calls.example.com");
}

#[test]
fn every_problem_is_reported_at_once_by_name() {
    let error = Config::read(&|_| None).unwrap_err();
    let named: Vec<_> = error.problems.iter().map(|p| p.variable).collect();
    assert_eq!(named, ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_WORKSPACE_SID", "PUBLIC_URL"]);
    assert!(error.to_string().starts_with("4 problems"), "{error}");

    for (variable, bad) in [
        ("TWILIO_ACCOUNT_SID", "WS00000000000000000000000000000001"),
        ("TWILIO_SYNC_SERVICE_SID", "mine"),
        ("PUBLIC_URL", "hooks example"),
        ("PUBLIC_URL", "https://hooks.example.com/?x"),
        ("BIND_ADDRESS", "localhost"),
        ("PORT", "70000"),
        ("AUTHENTICATION_TOKEN", "short"),
        ("SHUTDOWN_GRACE", "10"),
        ("WEBSOCKET_CLIENTS", "0"),
        ("ALLOWED_ORIGINS", "https://a.example/path"),
        ("FLEX_ROLES", "supervisor,supervisor"),
        ("OUTBOUND_CALLS_PER_MINUTE", "0"),
        ("VOICE_SMS_NUMBERS", "4155550100"),
        ("DASHBOARD_TIMEZONE", "Berlin"),
        ("STATS_DAY_START", "6am"),
        ("STATS_CHANNELS", "voice,voice"),
        ("SLA_THRESHOLDS", "30,sixty"),
        ("SYNC_LAYOUTS", "everything"),
        ("QUEUE_STATS_MAP", "a/b"),
        ("QUEUE_STATS_MAP", ".."),
        ("DASHBOARD_MAP", "."),
        ("QUEUE_STATS_MAP", "taskrouter-sync-sign-outs"),
        ("DASHBOARD_METRICS_DOCUMENT", "dashboard-data"),
        ("DASHBOARD_DATA_DOCUMENT", "dashboard-metrics-2"),
        ("ALLOWED_ORIGINS", "https://*.example.com"),
        ("FRAME_ANCESTORS", "https://a;b"),
        ("DASHBOARD_DEFINITIONS_DOCUMENT", "dashboard-data"),
        ("REALTIME_INTERVAL", "0s"),
        ("REALTIME_INTERVAL", "99ms"),
        ("CUMULATIVE_INTERVAL", "1ns"),
        ("DIRECTORY_INTERVAL", "1ns"),
        ("DEFINITIONS_INTERVAL", "1ns"),
        ("SYNC_AUDIT_INTERVAL", "1ns"),
        ("REFRESH_SPACING", "9ms"),
        ("SETTLE_STEP", "1ns"),
        ("SETTLE_WINDOW", "10ms"),
        ("TWILIO_TIMEOUT", "0s"),
        ("SYNC_TOKEN_LIFE", "25h"),
        ("SYNC_TOKEN_LIFE", "59s"),
        ("TASKS_KEPT", "25h"),
        ("TWILIO_TIMEOUT", "99ms"),
        ("TWILIO_SYNC_URL", "sync.example.com"),
    ] {
        let found = problems(&[(variable, bad)]);
        assert_eq!(found.iter().map(|p| p.variable).collect::<Vec<_>>(), [variable], "{bad}");
        let hidden = variable == "AUTHENTICATION_TOKEN";
        assert_eq!(found[0].to_string().contains(bad), !hidden, "{}", found[0]);
    }
}

#[test]
fn sids_in_capitals_are_taken_as_twilio_writes_them_and_a_raw_hash_is_refused() {
    let capitals = [
        ("TWILIO_WORKSPACE_SID", "WS0000000000000000000000000000000A"),
        ("TWILIO_SYNC_SERVICE_SID", "IS0000000000000000000000000000000B"),
    ];
    let twilio = read(&capitals).unwrap().core.twilio;
    assert_eq!(twilio.workspace_sid.as_str(), "WS0000000000000000000000000000000a");
    assert_eq!(twilio.sync_service.to_string(), "IS0000000000000000000000000000000b");
    let digits = "0000000000000000000000000000000A";
    let sync = read(&[("DASHBOARD_MAP", &format!("mp{digits}")), ("DOCUMENT_NAME", &format!("ET{digits}"))]);
    let sync = sync.unwrap().core.sync;
    assert_eq!(sync.dashboard_map, format!("MP{}", digits.to_lowercase()));
    assert_eq!(sync.dashboard_data_document, format!("ET{}", digits.to_lowercase()));
    for (variable, letters) in [("DASHBOARD_MAP", "IS"), ("QUEUE_STATS_MAP", "ET"), ("DOCUMENT_NAME", "MP")] {
        let found = problems(&[(variable, &format!("{letters}{digits}"))]);
        assert!(
            found[0].to_string().contains(if variable == "DOCUMENT_NAME" { "ET…" } else { "MP…" }),
            "{}",
            found[0]
        );
    }
    let found = problems(&[("REDIS_URL", "redis://:pass#word@redis:6379")]);
    assert!(found[0].to_string().contains("%23") && !found[0].to_string().contains("#word"), "{}", found[0]);
}

#[test]
fn a_document_that_the_service_would_overwrite_is_refused_with_both_names() {
    const QUEUE: &str = "WQ00000000000000000000000000000001";
    let of = |changes: &[(&str, &str)]| problems(changes).remove(0).to_string();
    let said = of(&[("DASHBOARD_DEFINITIONS_DOCUMENT", "dashboard-metrics-2")]);
    assert!(said.starts_with("DASHBOARD_DEFINITIONS_DOCUMENT"), "{said}");
    assert!(said.contains("DASHBOARD_METRICS_DOCUMENT") && said.contains("dashboard-metrics-2"), "{said}");
    let renamed = [("DASHBOARD_METRICS_DOCUMENT", "m"), ("TASKROUTER_STATS_DOCUMENT", "m-02")];
    assert!(of(&renamed).starts_with("TASKROUTER_STATS_DOCUMENT"));
    for free in ["dashboard-metrics-1", "dashboard-metrics-x", "dashboard-metrics-", "dashboard-metrics2"] {
        assert!(read(&[("DASHBOARD_DEFINITIONS_DOCUMENT", free)]).is_ok(), "{free}");
    }
    for suffix in ["", "-today"] {
        let name = format!("task-queue-{QUEUE}{suffix}");
        let changes =
            [("DASHBOARD_DEFINITIONS_DOCUMENT", name.as_str()), ("SYNC_LAYOUTS", "queue-documents")];
        let said = of(&changes);
        assert!(
            said.starts_with("DASHBOARD_DEFINITIONS_DOCUMENT") && said.contains("SYNC_LAYOUTS"),
            "{said}"
        );
        assert!(read(&changes[..1]).is_ok(), "without that layout the name is free");
    }
}

#[test]
fn names_and_secrets_with_characters_that_show_nothing_are_refused_by_their_code_points() {
    for (variable, value, code) in [
        ("TWILIO_AUTH_TOKEN", "0f1e2d3c\u{200b}4b5a", "U+200B"),
        ("TWILIO_AUTH_TOKEN", "0f1e2d3c4b5a\u{a0}", "U+00A0"),
        ("TWILIO_API_KEY", "\u{feff}SK00000000000000000000000000000001", "U+FEFF"),
        ("AUTHENTICATION_USER", "admin\u{200d}", "U+200D"),
        ("AUTHENTICATION_PASSWORD", "\u{2060}long enough", "U+2060"),
        ("AUTHENTICATION_PASSWORD", "long\u{a0}enough", "U+00A0"),
        ("QUEUE_STATS_MAP", "queue\u{7}Stats", "U+0007"),
        ("PUBLIC_URL", "https://hooks.exa\u{200b}mple.com", "U+200B"),
    ] {
        let others = [
            ("TWILIO_API_SECRET", "s3cret"),
            ("TWILIO_API_KEY", "SK00000000000000000000000000000001"),
            ("AUTHENTICATION_USER", "admin"),
            ("AUTHENTICATION_PASSWORD", "long enough"),
        ];
        let found = problems(&[&others[..], &[(variable, value)]].concat());
        assert_eq!(found.iter().map(|p| p.variable).collect::<Vec<_>>(), [variable]);
        let said = found[0].to_string();
        assert!(said.contains(code) && !said.contains("0f1e") && !said.contains("enough"), "{said}");
    }
    let said = problems(&[("QUEUE_STATS_MAP", "a\nb")]).remove(0).to_string();
    assert!(said.contains(r#""a\nb""#), "{said}");
    let family = "Family \u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f466}";
    assert_eq!(read(&[("CENTRE_NAME", family)]).unwrap().server.centre_name.as_deref(), Some(family));
    let spaced = [("AUTHENTICATION_USER", "a b"), ("AUTHENTICATION_PASSWORD", "correct horse")];
    assert!(read(&spaced).is_ok(), "a plain space is no flaw");
}

#[test]
fn bytes_that_are_no_text_are_named_and_not_taken_for_an_absent_value() {
    let found = problems(&[("AUTHENTICATION_TOKEN", "a-token-of-16-\u{fffd}"), ("PORT", "\u{fffd}")]);
    let said = found.iter().map(ToString::to_string).collect::<String>();
    assert!(said.contains("AUTHENTICATION_TOKEN: found a value that is not UTF-8"), "{said}");
    assert!(said.contains("PORT: found a value that is not UTF-8") && !said.contains("a-token"), "{said}");
}

#[test]
fn an_interval_may_be_as_short_as_its_least_value() {
    let least = [("REALTIME_INTERVAL", "100ms"), ("TWILIO_TIMEOUT", "100ms"), ("SETTLE_STEP", "10ms")];
    assert!(read(&least).is_ok());
    assert!(read(&[("SETTLE_WINDOW", "0s"), ("TASKS_KEPT", "0s"), ("SHUTDOWN_GRACE", "0s")]).is_ok());
    let said = problems(&[("REALTIME_INTERVAL", "1ns")]).remove(0).to_string();
    assert!(said.contains("1ns") && said.contains("from 100ms"), "{said}");
    let said = problems(&[("ALLOWED_ORIGINS", "https://*.example.com")]).remove(0).to_string();
    assert!(said.contains("wildcards are not supported"), "{said}");
}

#[test]
fn access_tokens_name_the_region_of_sync_and_no_other() {
    let of = |changes: &[(&str, &str)]| read(changes).unwrap().core.twilio.token_region;
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[("TWILIO_REGION", "us1")]), None, "Twilio's default is not named");
    let ireland = ("TWILIO_REGION", "ie1");
    assert_eq!(of(&[ireland]).as_deref(), Some("ie1"));
    assert_eq!(of(&[ireland, ("TWILIO_EDGE", "dublin")]).as_deref(), Some("ie1"));
    assert_eq!(of(&[ireland, ("TWILIO_SYNC_URL", "https://sync.twilio.com")]), None, "Sync is in us1");
}

#[test]
fn an_auth_token_of_taskrouters_region_also_checks_signatures_and_is_in_no_output() {
    const REGIONAL: &str = "5a4b3c2d1e0f00112233445566778899";
    let config = read(&[("TWILIO_TASKROUTER_AUTH_TOKEN", REGIONAL)]).unwrap().core.twilio;
    let tokens: Vec<&str> = config.auth_tokens.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(tokens, [COMPLETE[1].1, REGIONAL]);
    assert_eq!(config.taskrouter_token.as_ref().map(ExposeSecret::expose_secret), Some(REGIONAL));
    assert!(config.sync_token.is_none());
    assert!(!format!("{config:?}").contains(REGIONAL));
    let found = problems(&[("TWILIO_TASKROUTER_AUTH_TOKEN", "two words")]);
    assert!(!found[0].to_string().contains("two words"), "{}", found[0]);
}

#[test]
fn a_channel_list_is_the_usual_one_a_named_one_or_grows_with_auto() {
    let of = |value: &str| read(&[("STATS_CHANNELS", value)]).unwrap().core.statistics;
    assert_eq!((of("").channel_choice, of("").channels.len()), (ChannelChoice::Default, 3));
    assert_eq!(
        (of("sms").channel_choice, of("sms").channels),
        (ChannelChoice::Named, vec!["sms".to_owned()])
    );
    assert_eq!((of("auto").channel_choice, of("auto").channels.len()), (ChannelChoice::Auto, 3));
}

#[test]
fn a_role_that_flex_does_not_have_is_a_warning_that_names_those_it_has() {
    let warnings = |roles: &str| read(&[("FLEX_ROLES", roles)]).unwrap().warnings.join("");
    assert_eq!(warnings("Supervisor,wfo.full_access"), "");
    let said = warnings("Supervisor,boss");
    assert!(said.contains("boss") && said.contains("agent, supervisor, admin"), "{said}");
}

#[test]
fn half_a_pair_is_a_problem_of_the_missing_half() {
    let of = |set: (&str, &str)| problems(&[set]).remove(0).to_string();
    assert!(of(("TWILIO_API_KEY", "SK00000000000000000000000000000001")).starts_with("TWILIO_API_SECRET"));
    assert!(of(("TWILIO_API_SECRET", "s3cret")).starts_with("TWILIO_API_KEY"));
    assert!(of(("AUTHENTICATION_USER", "admin")).starts_with("AUTHENTICATION_PASSWORD"));
    assert!(of(("AUTHENTICATION_PASSWORD", "long enough")).starts_with("AUTHENTICATION_USER"));
}

#[test]
fn what_opens_less_is_not_the_administrators() {
    let accounts = [
        ("AUTHENTICATION_USER", "admin"),
        ("AUTHENTICATION_PASSWORD", "the-administrators-password"),
        ("AUTHENTICATION_TOKEN", "the-administrators-token"),
        ("VIEWER_USER", "viewer"),
        ("VIEWER_PASSWORD", "the-viewers-password"),
        ("METRICS_TOKEN", "the-token-of-prometheus"),
    ];
    assert!(read(&accounts).is_ok());
    for lesser in ["VIEWER_PASSWORD", "METRICS_TOKEN"] {
        for of in ["AUTHENTICATION_PASSWORD", "AUTHENTICATION_TOKEN"] {
            let secret = accounts.iter().find(|(name, _)| *name == of).unwrap().1;
            let found = problems(&[&accounts[..], &[(lesser, secret)]].concat());
            assert_eq!(found.iter().map(|p| p.variable).collect::<Vec<_>>(), [lesser]);
            let told = found[0].to_string();
            assert!(told.contains(of) && !told.contains(secret), "{told}");
        }
    }
}

#[test]
fn secrets_show_in_no_output() {
    let secrets = [
        ("TWILIO_AUTH_TOKEN", "primary-token-5ecret"),
        ("TWILIO_AUTH_TOKEN_SECONDARY", "secondary-token-5ecret"),
        ("TWILIO_WEBHOOK_SHARED_KEY", "shared-5ecret"),
        ("TWILIO_API_KEY", "SK00000000000000000000000000000001"),
        ("TWILIO_API_SECRET", "api-5ecret"),
        ("AUTHENTICATION_USER", "admin"),
        ("AUTHENTICATION_PASSWORD", "password-5ecret"),
        ("AUTHENTICATION_TOKEN", "bearer-token-5ecret"),
    ];
    let shown = format!("{:?}", read(&secrets).unwrap());
    assert!(!shown.contains("5ecret"), "{shown}");

    let mut wrong = secrets.to_vec();
    wrong.push(("TWILIO_AUTH_TOKEN", "has a space 5ecret"));
    wrong.push(("AUTHENTICATION_TOKEN", "5ecret"));
    let error = read(&wrong).unwrap_err();
    assert_eq!(error.problems.len(), 2);
    assert!(!format!("{error} {error:?}").contains("5ecret"), "{error}");
}

/// `.env.example` is the operator's manual: it names every variable, in order, with the default we really use.
#[test]
fn the_example_file_and_the_reader_are_in_step() {
    let example = include_str!("../../.env.example");
    let assignment = |line: &'static str| {
        let line = line.strip_prefix('#').unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let variable = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        variable.then_some((name, value))
    };
    let assigned: Vec<(&str, &str)> = example.lines().filter_map(assignment).collect();
    let named: Vec<_> = assigned.iter().map(|(name, _)| *name).collect();
    let known: Vec<_> = variables::ALL.iter().map(|v| v.name).collect();
    assert_eq!(named, known);

    let defaults: HashMap<_, _> = example
        .lines()
        .filter(|line| line.starts_with('#'))
        .filter_map(assignment)
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let written = Config::read(&|name| {
        let given = COMPLETE.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        given.or(defaults.get(name).copied()).map(str::to_owned)
    });
    assert_eq!(format!("{:?}", written.unwrap()), format!("{:?}", read(&[]).unwrap()));
}

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const WORKSPACE: &str = "WS00000000000000000000000000000002";
const SYNC: &str = "IS00000000000000000000000000000002";

/// A sample's own variables, with the address that only C's has.
fn of_sample(names: &[(&str, &str)]) -> Config {
    let mut map: HashMap<&str, &str> = names.iter().copied().collect();
    map.entry("EXTERNAL_HOST").or_insert("stats.example.com");
    let unread = unread(map.keys().copied(), std::iter::empty(), |name| map.contains_key(name));
    assert_eq!(unread.misspelt, [], "each is read, or known not to be needed");
    let config = Config::read(&|name| map.get(name).map(|value| (*value).to_owned())).unwrap();
    assert_eq!(config.core.twilio.account_sid.as_str(), ACCOUNT);
    assert_eq!(config.core.twilio.workspace_sid.as_str(), WORKSPACE);
    config
}

#[test]
fn every_samples_own_environment_starts_the_service() {
    let sync_of = |config: &Config| config.core.twilio.sync_service.to_string();
    let layouts = |config: &Config| config.core.sync.layouts.clone();

    let functions = [("ACCOUNT_SID", ACCOUNT), ("AUTH_TOKEN", TOKEN)];
    let a = [&functions[..], &[("TWILIO_FLEX_WORKSPACE_SID", WORKSPACE), ("TWILIO_FLEX_SYNC_SID", SYNC)]]
        .concat();
    assert_eq!(sync_of(&of_sample(&a)), SYNC);

    let b = [
        ("TWILIO_API_KEY", "SK00000000000000000000000000000001"),
        ("TWILIO_API_SECRET", "s3cret"),
        ("TWILIO_WORKSPACE_SID", WORKSPACE),
        ("DASHBOARD_SYNC_SERVICE_SID", SYNC),
        ("DEFINITIONS_DOCUMENT_NAME", "our-definitions"),
        ("DASHBOARD_TIMEZONE", "Australia/Melbourne"),
    ];
    let of_2022 = of_sample(&[&functions[..], &b, &[("DOCUMENT_NAME", "our-data")]].concat());
    assert_eq!(sync_of(&of_2022), SYNC);
    assert_eq!(of_2022.core.sync.dashboard_data_document, "our-data");
    assert_eq!(of_2022.core.sync.dashboard_definitions_document, "our-definitions");
    let map = "MP00000000000000000000000000000001";
    let of_2024 = of_sample(&[&functions[..], &b, &[("DASHBOARD_SYNC_MAP_SID", map)]].concat());
    assert_eq!(of_2024.core.sync.dashboard_map, map);
    assert!(layouts(&of_2024).contains(&LayoutName::DashboardMap), "its page reads the Map");

    let account = [("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", TOKEN)];
    let c = [
        ("TWILIO_FLEX_WORKSPACE_SID", WORKSPACE),
        ("TWILIO_OUTBOUND_WORKFLOW_SID", "WW00000000000000000000000000000001"),
        ("EXTERNAL_HOST", "calls.example.com"),
    ];
    let c = of_sample(&[&account[..], &c].concat());
    assert_eq!(c.server.public_url.to_string(), "https://calls.example.com");
    assert!(c.dialling.is_none() && c.warnings.len() == 1, "statistics run all the same");

    let d = [
        ("TWILIO_API_KEY", "SK00000000000000000000000000000001"),
        ("TWILIO_API_SECRET", "s3cret"),
        ("TWILIO_SYNC_SERVICE_ID", SYNC),
        ("TWILIO_WORKSPACE_SID", WORKSPACE),
        ("TWILIO_WORKFLOW_SID", "WW00000000000000000000000000000001"),
        ("AUTHENTICATION_USER", "admin"),
        ("AUTHENTICATION_PASSWORD", "long enough"),
    ];
    let d = of_sample(&[&account[..], &d].concat());
    assert_eq!(sync_of(&d), SYNC);
    assert!(d.dialling.is_none() && d.warnings.is_empty(), "that Workflow is none for Calls");
    for layout in [LayoutName::TaskrouterStats, LayoutName::TaskrouterEvents, LayoutName::TaskrouterTasks] {
        assert!(layouts(&d).contains(&layout), "its page reads it");
    }

    let e = [
        ("TWILIO_API_KEY_SID", "SK00000000000000000000000000000001"),
        ("TWILIO_API_KEY_SECRET", "s3cret"),
        ("TWILIO_SYNC_SERVICE", SYNC),
        ("WORKSPACE_SID", WORKSPACE),
    ];
    let e = of_sample(&[&functions[..], &e].concat());
    assert_eq!(sync_of(&e), SYNC);
    assert!(e.core.twilio.api_key.is_some());
}

#[test]
fn chosen_layouts_win_over_what_older_names_imply() {
    let chosen = read(&[("TWILIO_SYNC_SERVICE_ID", SYNC), ("SYNC_LAYOUTS", "queue-map")]).unwrap();
    assert_eq!(chosen.core.sync.layouts, [LayoutName::QueueMap]);
}
