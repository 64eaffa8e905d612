//! `doctor`: what it says of a healthy set-up and of broken ones, as docs/doctor.md shows it.
//!
//! The page's blocks are this test's output: a block that differs fails the test, and with UPDATE_DOCS=1 it is rewritten.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::Value;
use twilio_emulator::{Emulator, Settings};

use crate::scaling::support::redis::Redis;
use crate::support::{Bed, Binary, HttpsFront, assert_copyable};

/// Where the page says that Twilio is; the real port differs each time.
const TWILIO: &str = "https://twilio.example.com";
/// Where the service is, by way of a proxy.
const SERVICE: &str = "https://hooks.example.com";

/// Whichever version of Redis is installed here, and wherever it listens, the page shows one.
fn of_one_redis(said: &str) -> String {
    let line = |line: &str| {
        if let Some((state, _)) = line.split_once("redis version         Redis ") {
            return format!("{state}redis version         Redis 7.0.15");
        }
        match line
            .split_once("redis-cli -u redis://")
            .and_then(|(before, rest)| Some((before, rest.split_once('@')?)))
        {
            Some((before, (user, rest))) => {
                let path = rest.split_once('/').unwrap().1;
                format!("{before}redis-cli -u redis://{user}@redis:6379/{path}")
            }
            None => line.to_owned(),
        }
    };
    said.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The page shows all lines of a healthy set-up once; of a broken one what failed, and `…` for other lines.
fn without_what_is_right(said: &str) -> String {
    let mut shown: Vec<&str> = Vec::new();
    let mut is_right = false;
    for line in said.lines() {
        if !line.starts_with(' ') {
            is_right = line.starts_with("ok ") || line.starts_with("skipped ");
        }
        if !is_right {
            shown.push(line);
        } else if shown.last() != Some(&"…") {
            shown.push("…");
        }
    }
    shown.join("\n")
}

struct Clinic {
    bed: Bed,
    front: HttpsFront,
    page: String,
    original: String,
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md")
}

impl Clinic {
    /// A service that runs, and was set up.
    async fn open() -> Self {
        let settings = Settings { queues: 3, ..Settings::default() };
        let variables = [
            ("DASHBOARD_TIMEZONE", "Europe/Berlin"),
            ("WEBSOCKET_CLIENTS", "100"),
            ("ALLOWED_ORIGINS", "https://flex.twilio.com"),
        ];
        let bed = Bed::with(settings, &variables).await;
        // Ready comes with the first statistics; an object may be a write behind.
        let sync = bed.emulator.sync();
        let objects = || sync.documents().len() + sync.maps().len();
        bed.until("its four Sync objects are there", || objects() == 4).await;
        let original = std::fs::read_to_string(page()).unwrap().replace("\r\n", "\n");
        let service = bed.url().strip_prefix("http://").unwrap().parse().unwrap();
        let front = HttpsFront::start("hooks.example.com", service);
        Self { bed, front, page: original.clone(), original }
    }

    fn variables(&self, changes: &[(&str, &str)]) -> HashMap<String, String> {
        let mut variables = self.bed.variables().clone();
        // As it is by default.
        variables.remove("HISTORY_URL");
        let public = [("PUBLIC_URL", SERVICE)].into_iter().chain(self.front.variables());
        variables.extend(public.map(|(name, value)| (name.to_owned(), value.to_owned())));
        variables.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        variables
    }

    /// Runs it, holds it against the page's block of this name, and returns its JSON and exit status.
    async fn visit(&mut self, name: &str, changes: &[(&str, &str)], command: &str) -> (Value, i32) {
        let variables = self.variables(changes);
        let output = Binary::output(&variables, &["doctor"]).await;
        let said = String::from_utf8(output.stdout).unwrap();
        let said = said.replace(&self.bed.emulator.url(), TWILIO);
        assert_copyable(&said);
        let said = of_one_redis(&said);
        let status = output.status.code().unwrap();
        let secret = &self.bed.emulator.account().auth_token;
        assert!(!said.contains(secret.as_str()), "a secret shows:\n{said}");
        let said = if name == "healthy" { said } else { without_what_is_right(&said) };
        let mut block = String::new();
        writeln!(
            block,
            "<!-- {name} -->\n\n```\n$ {command}\n{}\n$ echo $?\n{status}\n```\n\n<!-- /{name} -->",
            said.trim_end()
        )
        .unwrap();
        let (start, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->\n"));
        let from = self.page.find(&start).unwrap_or_else(|| panic!("docs/doctor.md has no block {name}"));
        let to = self.page.find(&end).unwrap() + end.len();
        self.page.replace_range(from..to, &block);
        let json = Binary::output(&variables, &["doctor", "--json"]).await;
        assert_eq!(json.status.code(), Some(status));
        (serde_json::from_slice(&json.stdout).unwrap(), status)
    }

    async fn close(self) {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(page(), &self.page).unwrap();
        } else {
            assert_eq!(
                self.original, self.page,
                "docs/doctor.md is not what doctor says; UPDATE_DOCS=1 rewrites it"
            );
        }
        self.bed.emulator.shutdown().await;
    }
}

fn state<'j>(json: &'j Value, name: &str) -> &'j str {
    let checks = json["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()["state"].as_str().unwrap()
}

fn wrong(json: &Value) -> Vec<&str> {
    let checks = json["checks"].as_array().unwrap().iter().filter(|check| check["state"] == "wrong");
    checks
        .map(|check| {
            assert!(check["mend"].is_string(), "nothing mends {check}");
            check["name"].as_str().unwrap()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_healthy_and_six_broken_set_ups() {
    let mut clinic = Clinic::open().await;
    let callbacks = clinic.bed.emulator.callbacks();
    let right = format!("{SERVICE}/taskrouter/events#rc=5&rp=5xx,ct,rt");
    callbacks.set_url(&right);

    let (json, status) = clinic.visit("healthy", &[], "taskrouter-sync doctor").await;
    assert_eq!((status, &json["healthy"], wrong(&json)), (0, &Value::Bool(true), vec![]), "{json}");
    assert!(json["checks"].as_array().unwrap().iter().all(|check| check["state"] == "right"), "{json}");

    callbacks.set_url("https://old-tunnel.example.com/taskrouter/events");
    let (json, status) = clinic.visit("callback", &[], "taskrouter-sync doctor").await;
    assert_eq!((status, wrong(&json)), (1, vec!["event callback URL"]));
    callbacks.set_url(&right);

    let token = ("TWILIO_AUTH_TOKEN", "0000000000000000000000000000000f");
    let command = "TWILIO_AUTH_TOKEN=0000000000000000000000000000000f taskrouter-sync doctor";
    let (json, status) = clinic.visit("credentials", &[token], command).await;
    assert_eq!((status, wrong(&json)), (1, vec!["credentials"]));
    assert_eq!(state(&json, "workspace"), "skipped");

    let workspace = ("TWILIO_WORKSPACE_SID", "WS0000000000000000000000000000000f");
    let command = "TWILIO_WORKSPACE_SID=WS0000000000000000000000000000000f taskrouter-sync doctor";
    let (json, status) = clinic.visit("workspace", &[workspace], command).await;
    assert_eq!((status, wrong(&json)), (1, vec!["workspace"]));

    let service = ("TWILIO_SYNC_SERVICE_SID", "IS0000000000000000000000000000000f");
    let command = "TWILIO_SYNC_SERVICE_SID=IS0000000000000000000000000000000f taskrouter-sync doctor";
    let (json, status) = clinic.visit("sync", &[service], command).await;
    assert_eq!((status, wrong(&json)), (1, vec!["sync service"]));

    let redis = Redis::start_with(&["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]).await;
    let url = redis.documented_user(&["-hgetall", "-publish"]).await;
    let command = "REDIS_URL=redis://taskrouter-sync:…@redis:6379 taskrouter-sync doctor";
    let (json, status) = clinic.visit("redis", &[("REDIS_URL", &url)], command).await;
    assert_eq!((status, wrong(&json)), (1, vec!["redis rights", "redis memory"]));

    let variables =
        [("PUBLIC_URL", "hooks.example.com/"), ("SLA_THRESHOLDS", "soon"), ("DASHBOARD_TIMEZONE", "CET+1")];
    let command =
        "PUBLIC_URL=hooks.example.com/ SLA_THRESHOLDS=soon DASHBOARD_TIMEZONE=CET+1 taskrouter-sync doctor";
    let (json, status) = clinic.visit("configuration", &variables, command).await;
    assert_eq!((status, wrong(&json)), (2, vec!["configuration"; 3]));
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_and_could_be_better_is_a_note() {
    let emulator = Emulator::start(Settings { queues: 2, ..Settings::default() }).await.unwrap();
    let account = emulator.account().clone();
    let key =
        [("TWILIO_API_KEY", account.api_key_sid.as_str()), ("TWILIO_API_SECRET", &account.api_key_secret)];
    let mut variables = Binary::variables(&emulator, &key);
    emulator.callbacks().set_url("http://hooks.example.com/taskrouter_event");
    emulator.callbacks().set_events_filter(Some("task.created"));
    let output = Binary::output(&variables, &["doctor", "--json"]).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), wrong(&json)), (Some(0), vec![]), "{json}");
    for note in
        ["event callback URL", "events filter", "sync service", "sync objects", "public URL", "time zone"]
    {
        assert_eq!(state(&json, note), "note", "{note}");
    }
    assert_eq!(state(&json, "credentials"), "right");

    let mends = json["checks"].as_array().unwrap().iter().filter_map(|check| check["mend"].as_str());
    mends.for_each(assert_copyable);

    // The key is right and the token is not: Twilio takes our calls, and we take none of Twilio's.
    variables.insert("TWILIO_AUTH_TOKEN".to_owned(), "another-token".to_owned());
    let output = Binary::output(&variables, &["doctor", "--json"]).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(wrong(&json), ["credentials"]);
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twilio_that_does_not_answer_is_reported_as_that() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let key = [
        ("TWILIO_API_KEY", &*emulator.account().api_key_sid),
        ("TWILIO_API_SECRET", &*emulator.account().api_key_secret),
    ];
    let with_and_without_key = [Binary::variables(&emulator, &key), Binary::variables(&emulator, &[])];
    emulator.shutdown().await;
    for variables in with_and_without_key {
        let output = Binary::output(&variables, &["doctor", "--json"]).await;
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), state(&json, "workspace")), (Some(1), "wrong"), "{json}");
        assert_eq!(state(&json, "credentials"), "skipped", "no answer said whether they are right: {json}");
        let checks = json["checks"].as_array().unwrap();
        let place = |name: &str| checks.iter().position(|check| check["name"] == name).unwrap();
        assert!(place("workspace") < place("credentials"), "{json}");
    }
}
