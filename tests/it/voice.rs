//! Calls that were bad to hear: who may report them, what is done, and what the dashboard shows.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;
use twilio_emulator::{Api, Fault, FlexToken, Settings};

use crate::support::socket::{Socket, TOKEN_HEADER};
use crate::support::{Bed, Binary, NO_TIMERS};

const PATH: &str = "/respond-to-issue";
const CALLER: &str = "+15005550006";
const DNIS: &str = "+14155550100";
const SITE: &str = "https://flex.twilio.com";

async fn bed(more: &[(&str, &str)]) -> Bed {
    let rules = [("VOICE_SMS_NUMBERS", DNIS), ("VOICE_SMS_PREFIXES", "+1500"), ("ALLOWED_ORIGINS", SITE)];
    let variables: Vec<_> = NO_TIMERS.iter().chain(&rules).chain(more).copied().collect();
    let bed = Bed::start(&variables).await;
    let worker = bed.emulator.world().workers().remove(0).sid;
    bed.emulator
        .tokens()
        .register(TOKEN_HEADER.1, FlexToken { worker_sid: Some(worker), ..FlexToken::default() });
    bed
}

fn report(action: &str) -> Value {
    json!({ "issues": "short call", "callerId": CALLER, "dnis": DNIS, "action": action, "Token": TOKEN_HEADER.1 })
}

fn post(bed: &Bed, report: &Value) -> RequestBuilder {
    bed.http.post(format!("{}{PATH}", bed.url())).json(report)
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// A report like `report`, with some members set otherwise.
fn with(action: &str, members: &[(&str, &str)]) -> Value {
    let mut report = report(action);
    members.iter().for_each(|(name, value)| report[*name] = json!(value));
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_and_json_are_taken_with_a_good_token() {
    let bed = bed(&[]).await;
    let answer = post(&bed, &report("log-call")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": "success" }));
    let form = report("log-call");
    let form: Vec<(&String, &str)> =
        form.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap())).collect();
    let url = format!("{}{PATH}", bed.url());
    assert_eq!(status(bed.http.post(&url).form(&form)).await, 200);

    assert_eq!(status(post(&bed, &with("log-call", &[("Token", "forged")]))).await, 403);
    assert_eq!(status(post(&bed, &with("log-call", &[("Token", "")]))).await, 403);
    assert_eq!(status(post(&bed, &report(""))).await, 200, "the plugin's default");
    assert_eq!(status(post(&bed, &report("webhook"))).await, 422, "none is configured");
    assert_eq!(status(bed.http.post(&url).body("hello")).await, 415);
    assert_eq!(status(post(&bed, &json!([]))).await, 400);
    let odd = report("log-call").to_string().replacen("{", "\u{feff}{\"issues\":\"\\ud83d\",", 1);
    let odd = bed.http.post(&url).header("content-type", "application/json").body(odd);
    assert_eq!(status(odd).await, 200, "a byte order mark and half a surrogate pair");
    assert_eq!(status(bed.http.get(&url)).await, 405);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_gets_one_message_from_an_allowed_number() {
    let bed = bed(&[("VOICE_SMS_TEXT", "Sorry about the line.")]).await;
    let sent = || bed.emulator.messages().all();
    let sms = report("send-sms-to-customer");
    assert_eq!(status(post(&bed, &sms)).await, 200);
    assert_eq!(status(post(&bed, &sms)).await, 200, "the same again is done already");
    let messages = sent();
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(
        (message.to.as_str(), message.from.as_deref(), message.body.as_str()),
        (CALLER, Some(DNIS), "Sorry about the line.")
    );
    let other = |members: &[(&str, &str)]| post(&bed, &with("send-sms-to-customer", members));
    assert_eq!(
        status(other(&[("issues", "call ended under warning")])).await,
        429,
        "enough for this customer"
    );
    assert_eq!(status(other(&[("dnis", "+14155550101")])).await, 403, "not a number to send from");
    assert_eq!(status(other(&[("callerId", "anonymous")])).await, 422);
    assert_eq!(status(other(&[("callerId", "+4930123456")])).await, 403, "none of VOICE_SMS_PREFIXES");
    bed.emulator.tokens().register("a-supervisors", FlexToken::default());
    let supervisor = [("Token", "a-supervisors"), ("callerId", "+15005550007")];
    assert_eq!(status(other(&supervisor)).await, 403, "not a Worker");

    let mut last = 200;
    for n in 0..30 {
        last = status(other(&[("callerId", &format!("+150055501{n:02}"))])).await;
    }
    assert_eq!((last, sent().len()), (429, 20), "a stolen token sends no more");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_twilio_refuses_is_said_to_be_so() {
    let bed = bed(&[]).await;
    bed.emulator.faults().add(Fault::status(400, 21608).on(Api::Api).times(1));
    let answer = post(&bed, &report("send-sms-to-customer")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "message_not_sent");
    assert!(bed.emulator.messages().all().is_empty());
    bed.finish().await;
}

/// What a receiver of webhooks got: id, timestamp, signature, body.
type Got = Arc<Mutex<Vec<[String; 4]>>>;

/// Fails the first time, as anybody's service may.
async fn take(State(got): State<Got>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let mut got = got.lock().unwrap();
    got.push([header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"), body]);
    if got.len() == 1 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_of_ones_own_goes_to_the_webhook_or_is_recorded_and_answered_as_such() {
    let own = report("raise-snmp-alarm");
    let without = bed(&[]).await;
    let answer = post(&without, &own).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["data"], "success");
    assert!(answer["message"].as_str().unwrap().contains("no webhook"), "{answer}");
    without.finish().await;

    let got = Got::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alarm", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/alarm", axum::routing::post(take)).with_state(got.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let with = bed(&[("VOICE_WEBHOOK_URL", &url), ("VOICE_WEBHOOK_SECRET", "a-secret-of-the-alarm")]).await;
    let answer: Value = post(&with, &own).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": "success" }));
    with.until("the webhook is delivered", || !got.lock().unwrap().is_empty()).await;
    let body: Value = serde_json::from_str(&got.lock().unwrap()[0][3]).unwrap();
    assert_eq!(body["data"]["action"], "raise-snmp-alarm");
    with.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_and_tried_again() {
    let got = Got::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alarm?site=1", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/alarm", axum::routing::post(take)).with_state(got.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let secret = "a-secret-of-the-alarm";
    let bed = bed(&[("VOICE_WEBHOOK_URL", &url), ("VOICE_WEBHOOK_SECRET", secret)]).await;
    assert_eq!(status(post(&bed, &report("webhook"))).await, 200);
    bed.until("the webhook is delivered the second time", || got.lock().unwrap().len() == 2).await;
    let got = got.lock().unwrap().clone();
    assert_eq!(got[0][0], got[1][0], "the same report has the same id");
    for [id, timestamp, signature, body] in &got {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        assert_eq!(*signature, format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())));
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (&body["data"]["callerId"], &body["data"]["issues"]),
            (&json!(CALLER), &json!("short call"))
        );
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_known_sites_may_report() {
    let bed = bed(&[]).await;
    let url = format!("{}{PATH}", bed.url());
    let ask = |origin: &'static str| {
        let request = bed.http.request(Method::OPTIONS, &url).header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST");
        request.header("Access-Control-Request-Headers", "content-type").send()
    };
    let allowed = ask(SITE).await.unwrap();
    assert!(allowed.status().is_success());
    assert_eq!(allowed.headers()["access-control-allow-origin"], SITE);
    assert_eq!(allowed.headers()["access-control-allow-methods"], "POST");
    assert_eq!(allowed.headers()["access-control-allow-headers"], "content-type");
    let refused = ask("https://evil.example").await.unwrap();
    assert!(refused.headers().get("access-control-allow-origin").is_none());

    let answer = post(&bed, &report("log-call")).header("Origin", SITE).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (200, &SITE.parse().unwrap())
    );
    // Also a refusal can be read by the page.
    let answer = post(&bed, &report("webhook")).header("Origin", SITE).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (422, &SITE.parse().unwrap())
    );
    assert_eq!(status(post(&bed, &report("log-call")).header("Origin", "https://evil.example")).await, 403);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_shows_alerts_with_masked_numbers_and_counts_by_agent() {
    let bed = bed(&[]).await;
    let bob = FlexToken { realm_user_id: "bob@example.com".to_owned(), ..FlexToken::default() };
    bed.emulator.tokens().register("bobs", bob);
    let mut socket = Socket::open(&bed, "/api/feed", &[TOKEN_HEADER]).await.unwrap();
    let first = socket.until(|frame| frame.get("voice").is_some()).await;
    assert_eq!(first["voice"], json!({ "today": 0, "agents": [], "recent": [] }));
    for (issues, token) in
        [("short call", "bobs"), ("call ended under warning", "bobs"), ("short call", TOKEN_HEADER.1)]
    {
        let report = with("log-call", &[("issues", issues), ("Token", token)]);
        assert_eq!(status(post(&bed, &report)).await, 200);
        // The same again counts once.
        assert_eq!(status(post(&bed, &report)).await, 200);
    }
    let frame = socket.until(|frame| frame["voice"]["today"] == 3).await;
    let voice = &frame["voice"];
    let agents =
        json!([{ "agent": "bob@example.com", "today": 2 }, { "agent": "agent@example.com", "today": 1 }]);
    assert_eq!(voice["agents"], agents);
    let newest = &voice["recent"][0];
    assert_eq!((&newest["agent"], &newest["action"]), (&json!("agent@example.com"), &json!("log-call")));
    assert_eq!((&newest["callerId"], &newest["dnis"]), (&json!("…0006"), &json!("…0100")));
    assert!(newest["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert!(!frame.to_string().contains(&CALLER[1..]), "no viewer sees a whole number");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_the_call_and_no_personal_data() {
    let emulator = twilio_emulator::Emulator::start(Settings::default()).await.unwrap();
    let worker = emulator.world().workers().remove(0).sid;
    let user = FlexToken { worker_sid: Some(worker.clone()), ..FlexToken::default() };
    emulator.tokens().register(TOKEN_HEADER.1, user);
    let mut service = Binary::serve(&Binary::variables(&emulator, &[]));
    let line = service.logs("\"Serving\"").await;
    let line: Value = serde_json::from_str(&line).unwrap();
    let address = line["listening"].as_str().unwrap().replace("0.0.0.0", "127.0.0.1");
    let report = with("log-call", &[("issues", "short call of Mr Smith")]);
    let sent = reqwest::Client::new().post(format!("http://{address}{PATH}")).json(&report).send().await;
    assert_eq!(sent.unwrap().status(), 200);
    let line = service.logs("Poor call quality reported").await;
    let logged: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(logged["level"], "INFO");
    let fields = &logged;
    assert_eq!(
        (&fields["worker.sid"], &fields["action"], &fields["issues"], &fields["count"]),
        (&json!(worker), &json!("log-call"), &json!("short call"), &json!(1))
    );
    // An action of the users' own with a name that is too long is recorded by the beginning of it.
    let report = with(&format!("page-{}", "x".repeat(70)), &[]);
    let sent = reqwest::Client::new().post(format!("http://{address}{PATH}")).json(&report).send().await;
    assert!(sent.unwrap().status().is_success());
    let line: Value =
        serde_json::from_str(&service.logs("An action's name is too long and was shortened").await).unwrap();
    assert_eq!((&line["level"], &line["length"], &line["most"]), (&json!("WARN"), &json!(75), &json!(64)));
    let shortened = format!("\"action\":\"page-{}\"", "x".repeat(59));
    service.logs(&shortened).await;
    for personal in [&CALLER[1..], &DNIS[1..], "Smith", "agent@example.com", TOKEN_HEADER.1] {
        assert!(!service.seen.iter().any(|line| line.contains(personal)), "{personal}");
    }
    service.signal("TERM");
    assert_eq!(service.exit_code().await, Some(0));
    emulator.shutdown().await;
}
