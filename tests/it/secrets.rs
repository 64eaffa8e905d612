//! What never leaves the service: secrets and people's data in its log, and any data to a caller that only claims to be
//! Twilio.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use reqwest::header::{HeaderMap, HeaderName};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use twilio_emulator::{Api, Emulator, Fault, FlexToken, NewTask, Settings};

use crate::support::{ADMIN, BEARER, Binary};

const PUBLIC: &str = "http://hooks.example.com";
const CUSTOMER: &str = "+15005550006";
const CALLER_ID: &str = "+14155550100";
/// Stands in attributes of Tasks and Workers, and in what browsers report.
const PERSON: &str = "Zerlina-Marker";

const SECRETS: [(&str, &str); 5] = [
    ("TWILIO_AUTH_TOKEN_SECONDARY", "5ec0ndary-marker-5ec0ndary-marker"),
    ("TWILIO_WEBHOOK_SHARED_KEY", "shared-key-marker"),
    ("VIEWER_PASSWORD", "viewer-password-marker"),
    ("VOICE_WEBHOOK_SECRET", "voice-webhook-secret-marker"),
    ("AUTHENTICATION_TOKEN", BEARER),
];
/// Credentials that callers send. Wrong ones are often right ones of another system, so they are secrets, too.
const GIVEN: [&str; 5] = [
    "guessed-password-marker",
    "guessed-bearer-marker",
    "flex-token-marker",
    "wrong-flex-token-marker",
    "query-value-marker",
];

struct Scene {
    emulator: Emulator,
    service: Binary,
    address: String,
    http: reqwest::Client,
}

impl Scene {
    async fn begin(level: &str) -> Self {
        let settings = Settings { queues: 3, workers: 3, ..Settings::default() };
        let emulator = Emulator::start(settings).await.unwrap();
        let account = emulator.account().clone();
        let workflow = emulator.world().workflows().remove(0);
        let more = [
            ("RUST_LOG", level),
            ("PUBLIC_URL", PUBLIC),
            ("TWILIO_API_KEY", account.api_key_sid.as_str()),
            ("TWILIO_API_SECRET", &account.api_key_secret),
            ("VIEWER_USER", "tv"),
            ("TWILIO_OUTBOUND_WORKFLOW_SID", &workflow),
            ("OUTBOUND_CALLER_IDS", CALLER_ID),
            ("OUTBOUND_PREFIXES", "+1500"),
            ("VOICE_SMS_NUMBERS", CALLER_ID),
            ("VOICE_SMS_PREFIXES", "+"),
            // This port is closed: what can't be delivered is logged.
            ("VOICE_WEBHOOK_URL", "http://127.0.0.1:9/hook"),
            (
                "SYNC_LAYOUTS",
                "queue-map,dashboard-document,dashboard-metrics,taskrouter-tasks,taskrouter-events",
            ),
        ];
        let variables = Binary::variables(&emulator, &more.into_iter().chain(SECRETS).collect::<Vec<_>>());
        let mut service = Binary::serve(&variables);
        let serving: Value = serde_json::from_str(&service.logs("Serving").await).unwrap();
        let port = serving["listening"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        service.logs("Ready").await;
        Self { emulator, service, address: format!("127.0.0.1:{port}"), http: reqwest::Client::new() }
    }

    async fn event(&self, fields: &[(&str, &str)], signed: bool) {
        let target = "/taskrouter/events?Token=query-value-marker";
        let signature = self.emulator.callbacks().sign(&format!("{PUBLIC}{target}"), fields.iter().copied());
        let signature = if signed { signature } else { "AAAA".to_owned() };
        let request = self.http.post(format!("http://{}{target}", self.address));
        let answer = request.header("X-Twilio-Signature", signature).form(fields).send().await.unwrap();
        assert_eq!(answer.status(), if signed { 204 } else { 403 });
    }

    async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> u16 {
        let request = self.http.post(format!("http://{}{path}", self.address)).form(form);
        request.send().await.unwrap().status().as_u16()
    }

    /// An agent says this over a websocket, and hears one answer.
    async fn dials(&self, token: &str, said: &Value) {
        let url = format!("ws://{}/websocket/outboundDial", self.address);
        let mut request = url.into_client_request().unwrap();
        let header = [("token".parse::<HeaderName>().unwrap(), token.parse().unwrap())];
        request.headers_mut().extend(header.into_iter().collect::<HeaderMap>());
        let stream = TcpStream::connect(&self.address).await.unwrap();
        if let Ok((mut socket, _)) = client_async(request, stream).await {
            socket.send(Message::text(said.to_string())).await.unwrap();
            socket.next().await.unwrap().unwrap();
        }
    }

    /// Everything that can go well and wrong with secrets and people in it.
    async fn play(&self) {
        let world = self.emulator.world();
        let queue = world.queues().remove(0).sid;
        let attributes = json!({ "name": PERSON, "from": CUSTOMER });
        let task = NewTask {
            queue: queue.clone(),
            channel: "voice".to_owned(),
            attributes: attributes.clone(),
            ..NewTask::default()
        };
        world.create_task(task).unwrap();
        let worker = world.workers().remove(0);
        let mut of_worker: Value = serde_json::from_str(&worker.attributes).unwrap();
        of_worker["full_name"] = json!(PERSON);
        world.set_worker_attributes(&worker.sid, of_worker.clone()).unwrap();

        let text = attributes.to_string();
        let event = [
            ("EventType", "task.created"),
            ("TaskAttributes", text.as_str()),
            ("TaskQueueSid", queue.as_str()),
        ];
        self.event(&event, true).await;
        self.event(&event, false).await;
        let guess = [("username", ADMIN.0), ("password", GIVEN[0])];
        assert_eq!(self.post_form("/login", &guess).await, 401);
        let get = |path: &str| self.http.get(format!("http://{}{path}", self.address));
        // A screen's link, whose key is in the query.
        get("/?tv=1&key=lobby.query-value-marker").send().await.unwrap();
        for path in [
            "/taskrouter_tasks",
            "/taskrouter_workers",
            "/api/token",
            "/api/session",
            "/taskrouter/events?checkMap=true",
        ] {
            assert_eq!(get(path).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap().status(), 200);
            assert_eq!(
                get(path).basic_auth("tv", Some(GIVEN[0])).send().await.unwrap().status().as_u16() / 100,
                4
            );
            assert_eq!(get(path).bearer_auth(GIVEN[1]).send().await.unwrap().status().as_u16() / 100, 4);
        }

        let agent = FlexToken { worker_sid: Some(worker.sid.clone()), ..FlexToken::default() };
        self.emulator.tokens().register(GIVEN[2], agent);
        let contact = of_worker["contact_uri"].clone();
        let call =
            json!({ "method": "call", "to": CUSTOMER, "from": CALLER_ID, "workerContactUri": contact });
        self.dials(GIVEN[2], &call).await;
        self.dials(GIVEN[3], &call).await;
        for action in ["log-call", "send-sms-to-customer", "webhook"] {
            for token in [GIVEN[2], GIVEN[3]] {
                let report = [
                    ("action", action),
                    ("issues", PERSON),
                    ("callerId", CUSTOMER),
                    ("dnis", CALLER_ID),
                    ("Token", token),
                ];
                self.post_form("/respond-to-issue", &report).await;
            }
        }
        // Twilio failing makes the service say what failed.
        for api in [Api::TaskRouter, Api::Sync, Api::Api, Api::Iam] {
            self.emulator.faults().add(Fault::status(500, 20500).on(api));
        }
        self.emulator.tokens().register("flex-token-marker-2", FlexToken::default());
        self.event(&event, true).await;
        self.dials("flex-token-marker-2", &call).await;
        self.dials(GIVEN[2], &call).await;
        let report = [
            ("action", "send-sms-to-customer"),
            ("callerId", "+15005550007"),
            ("dnis", CALLER_ID),
            ("Token", GIVEN[2]),
        ];
        self.post_form("/respond-to-issue", &report).await;
        let save = json!({ PERSON: { "metric": { "label": PERSON, "formula": format!("\"{PERSON}") } } });
        let saved =
            self.http.post(format!("http://{}/api/save", self.address)).bearer_auth(BEARER).json(&save);
        saved.send().await.unwrap();
        self.emulator.faults().clear();
    }

    /// Its log, once it has stopped.
    async fn log(mut self) -> String {
        self.service.signal("TERM");
        self.service.logs("All pending writes are done").await;
        let log = self.service.seen.join("\n");
        self.emulator.shutdown().await;
        log
    }
}

async fn nothing_is_told_at(level: &str) {
    let scene = Scene::begin(level).await;
    scene.play().await;
    let account = scene.emulator.account().clone();
    let log = scene.log().await;
    assert!(log.contains("Request refused") && log.contains("500"), "the log says nothing: {log}");
    let own = [account.auth_token.as_str(), &account.api_key_secret, ADMIN.1];
    let people = [PERSON, CUSTOMER, "+15005550007"];
    for hidden in SECRETS.iter().map(|(_, secret)| *secret).chain(GIVEN).chain(own).chain(people) {
        let told: Vec<_> = log.lines().filter(|line| line.contains(hidden)).collect();
        assert!(told.is_empty(), "{hidden} is in the log at {level}:\n{}", told.join("\n"));
    }
    use base64::Engine;
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("{}:{}", ADMIN.0, ADMIN.1));
    assert!(!log.contains(&basic), "nor in another spelling");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_no_secret_and_nothing_of_people() {
    nothing_is_told_at("info").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_at_debug() {
    nothing_is_told_at("debug").await;
}

/// A server with a self-signed certificate; returns what it received before the client left.
fn impostor() -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config =
        Arc::new(config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(config).unwrap();
        let mut told = Vec::new();
        // Whatever ends it: what counts is what was told until then.
        let _ = rustls::StreamOwned::new(connection, stream).read_to_end(&mut told);
        told
    });
    (port, serving)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_trusted_certificate_learns_nothing() {
    let emulator = Emulator::start(Settings { queues: 1, ..Settings::default() }).await.unwrap();
    let (port, serving) = impostor();
    let url = format!("https://localhost:{port}");
    let variables = Binary::variables(&emulator, &[("TWILIO_TASKROUTER_URL", &url)]);
    let mut service = Binary::serve(&variables);
    let failed = service.logs("ertificate").await;
    assert!(!failed.contains(&emulator.account().auth_token), "{failed}");
    drop(service);
    let told = tokio::task::spawn_blocking(|| serving.join().unwrap()).await.unwrap();
    assert!(told.is_empty(), "{}", String::from_utf8_lossy(&told));
    emulator.shutdown().await;
}

#[test]
fn there_is_no_way_to_switch_the_check_of_certificates_off() {
    fn search(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let words = [
                    "danger_accept",
                    "tls_danger",
                    "dangerous()",
                    "ServerCertVerifier",
                    "use_preconfigured_tls",
                ];
                found.extend(
                    words
                        .iter()
                        .filter(|word| text.contains(**word))
                        .map(|word| format!("{} in {}", word, path.display())),
                );
            }
        }
    }
    let mut found = Vec::new();
    search(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    assert!(found.is_empty(), "{found:?}");
}
