use super::*;
use crate::cli::doctor::report::CheckState;

#[test]
fn a_map_that_is_too_large_for_syncs_limit_is_named_with_the_layout_that_has_none() {
    assert_eq!(takes_too_long("queueStats", 100, 100 * 4_800), None);
    let found = takes_too_long("queueStats", 300, 300 * 4_800).unwrap();
    for part in ["Map queueStats", "300 items", "11 such writes a second", "within 26 s", "queue-documents"] {
        assert!(found.contains(part), "{found}");
    }
    assert_eq!(takes_too_long("queueStats", 0, 0), None);
}

fn config() -> Config {
    let value = |name: &str| {
        let value = match name {
            "TWILIO_ACCOUNT_SID" => "AC00000000000000000000000000000001",
            "TWILIO_AUTH_TOKEN" => "a-token",
            "TWILIO_WORKSPACE_SID" => "WS00000000000000000000000000000001",
            "PUBLIC_URL" => "https://hooks.example.com/tr",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(&value).unwrap()
}

#[test]
fn the_callback_url_is_held_against_public_url() {
    let state = |url: Option<&str>| {
        let workspace = Workspace {
            friendly_name: "w".to_owned(),
            event_callback_url: url.map(str::to_owned),
            events_filter: None,
        };
        callback_url(&config(), &workspace).state
    };
    let ours = "https://hooks.example.com/tr";
    assert_eq!(state(Some(&format!("{ours}/taskrouter/events#rc=5"))), CheckState::Right);
    assert_eq!(state(Some(&format!("{ours}/dashboardStats?a=b#rc=5"))), CheckState::Right);
    assert_eq!(state(Some(&format!("{ours}/taskrouter/events"))), CheckState::Note);
    assert_eq!(state(Some("https://hooks.example.com:443/tr/taskrouter/events#rc=5")), CheckState::Right);
    for wrong in [
        None,
        Some(""),
        Some("https://hooks.example.com/taskrouter/events#rc=5"),
        Some("http://hooks.example.com/tr/taskrouter/events#rc=5"),
        Some("https://hooks.example.com/tr/elsewhere"),
        Some("https://hooks.example.com/treacle/taskrouter/events"),
    ] {
        assert_eq!(state(wrong), CheckState::Wrong, "{wrong:?}");
    }
}

#[test]
fn a_clock_may_be_off_by_so_much() {
    let state = |seconds| clock(Ok(Some(SignedDuration::from_secs(seconds)))).state;
    assert_eq!(
        [0, -2, 3, -30, 31, -3600].map(state),
        [
            CheckState::Right,
            CheckState::Right,
            CheckState::Note,
            CheckState::Note,
            CheckState::Wrong,
            CheckState::Wrong
        ]
    );
}

#[test]
fn a_command_stands_on_a_line_of_its_own() {
    let of_clock = clock(Ok(Some(SignedDuration::from_secs(60)))).mend.unwrap();
    let by_hand = curl(&config(), "https://api.twilio.com/x");
    assert_eq!(
        by_hand.lines().next(),
        Some("curl -u AC00000000000000000000000000000001 https://api.twilio.com/x")
    );
    for (mend, commands) in [(of_clock, ["timedatectl", "chronyd"]), (by_hand, ["curl", "curl"])] {
        for command in commands {
            let line = mend.lines().find(|line| line.contains(&format!("{command} "))).unwrap();
            assert!(line.starts_with(command) && !line.contains(';') && !line.contains('('), "{line}");
        }
    }
}
