//! What the webhook answers, to Twilio and to everybody else.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::support::{Bed, NO_TIMERS};

const FORM: &str = "application/x-www-form-urlencoded";
const PATHS: [&str; 5] = [
    "/taskrouter/events",
    "/taskrouter_event",
    "/dashboardStats",
    "/api/stats",
    "/realtimestats-updateQueueStatistics",
];

fn signed(bed: &Bed, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let url = format!("{}{path}", bed.url());
    let signature = bed.emulator.callbacks().sign(&url, fields.iter().copied());
    bed.http.post(url).header("X-Twilio-Signature", signature).form(fields)
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value, String) {
    let answer = request.send().await.unwrap();
    let content_type = answer.headers().get("content-type").map_or("", |v| v.to_str().unwrap()).to_owned();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null), content_type)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_event_is_taken_in_on_every_path() {
    let bed = Bed::start(NO_TIMERS).await;
    for path in PATHS {
        let fields = [("EventType", "task.created"), ("Empty", ""), ("WorkspaceName", "São Paulo 😀")];
        let (status, body, content_type) = answer(signed(&bed, path, &fields)).await;
        assert_eq!((status.as_u16(), content_type.as_str()), (204, "application/json"), "{path} {body}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_event_gets_403_and_changes_nothing() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    bed.emulator.callbacks().drop_all(true);
    bed.emulator.world().step();
    let journal = bed.emulator.journal();
    journal.clear();
    for path in PATHS {
        let url = format!("{}{path}?tenant=7", bed.url());
        let post = || bed.http.post(&url).header("Content-Type", FORM).body("EventType=task.created");
        let (status, body, _) = answer(post()).await;
        assert_eq!((status.as_u16(), &body["code"]), (403, &Value::from("signature_missing")));
        let (status, body, _) =
            answer(post().header("X-Twilio-Signature", "Q2hlY2sgdGhlIHNpZ25hdHVyZS4=")).await;
        assert_eq!((status.as_u16(), &body["code"]), (403, &Value::from("signature_mismatch")));
        let message = body["message"].as_str().unwrap();
        let shown = format!("{}{path}?tenant=…", bed.url());
        assert!(message.contains(&shown) && message.contains("PUBLIC_URL"), "{message}");
        assert!(!message.contains(&bed.emulator.account().auth_token));
    }
    assert_eq!(journal.entries().len(), 0, "nothing was asked of Twilio");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_has_its_answer() {
    let bed = Bed::start(NO_TIMERS).await;
    let url = format!("{}/taskrouter/events", bed.url());
    let code = |request| async {
        let (status, body, _) = answer(request).await;
        (status.as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
    };
    let post = || bed.http.post(&url).header("X-Twilio-Signature", "AAAA");
    let expected = |status: u16, code: &str| (status, code.to_owned());

    let malformed = post().header("Content-Type", FORM).body("EventType=%ff");
    assert_eq!(code(malformed).await, expected(400, "malformed_body"));
    let large = post().header("Content-Type", FORM).body(format!("a={}", "x".repeat(128 * 1024)));
    assert_eq!(code(large).await, expected(413, "body_too_large"));
    assert_eq!(
        code(post().header("Content-Type", "text/plain").body("x")).await,
        expected(415, "content_type")
    );
    assert_eq!(code(post()).await, expected(415, "content_type"));
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(code(bed.http.request(method, &url)).await, expected(405, "method_not_allowed"));
    }
    assert_eq!(code(bed.http.post(format!("{}/nowhere", bed.url()))).await, expected(404, "not_found"));

    let foreign = [("AccountSid", "AC00000000000000000000000000000009"), ("EventType", "task.created")];
    assert_eq!(code(signed(&bed, "/taskrouter/events", &foreign)).await, expected(422, "foreign_event"));
    let foreign = [("WorkspaceSid", "WS00000000000000000000000000000009")];
    assert_eq!(code(signed(&bed, "/taskrouter/events", &foreign)).await, expected(422, "foreign_event"));
    bed.finish().await;
}

/// Attributes as large as Twilio allows, 4,096 characters, in characters that take the most bytes.
fn largest_attributes(sign: char) -> String {
    let text: String = std::iter::repeat_n(sign, 4_096 - r#"{"a":""}"#.len()).collect();
    format!(r#"{{"a":"{text}"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_event_that_twilio_allows_is_taken() {
    let bed = Bed::start(NO_TIMERS).await;
    for sign in ['日', '😀'] {
        let attributes = largest_attributes(sign);
        let (name, expression) = (sign.to_string().repeat(255), "x".repeat(2_048));
        let fields = [
            ("EventType", "reservation.created"),
            ("TaskAttributes", &attributes),
            ("WorkerAttributes", &attributes),
            ("WorkerName", &name),
            ("TaskQueueName", &name),
            ("WorkflowName", &name),
            ("TaskQueueTargetExpression", &expression),
        ];
        let size = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().len();
        assert!(size > 73_000, "{size}");
        let (status, body, _) = answer(signed(&bed, "/taskrouter/events", &fields)).await;
        assert_eq!(status.as_u16(), 204, "{sign}, {size} bytes: {body}");

        let escaped: String = attributes.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let payload = format!(
            r#"{{\"task_attributes\":\"{0}\",\"worker_attributes\":\"{0}\"}}"#,
            escaped.replace('\\', r"\\")
        );
        let event =
            format!(r#"{{"type":"com.twilio.taskrouter.task.created","data":"{{\"payload\":{payload}}}"}}"#);
        let batch = format!("[{event},{event},{event}]");
        assert!(batch.len() > 160_000, "{}", batch.len());
        for body in [event, batch] {
            let (status, said, _) = answer(signed_json(&bed, &body)).await;
            assert_eq!(status.as_u16(), 204, "{sign}, {} bytes: {said}", body.len());
        }
    }
    bed.finish().await;
}

fn signed_json(bed: &Bed, body: &str) -> RequestBuilder {
    use sha2::Digest;
    let hex: String = sha2::Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let url = format!("{}/taskrouter/events?bodySHA256={hex}", bed.url());
    let signature = bed.emulator.callbacks().sign(&url, []);
    let request = bed.http.post(url).header("X-Twilio-Signature", signature);
    request.header("Content-Type", "application/json").body(body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_time_stamp_is_days_ahead_hides_none_of_the_next() {
    let variables: Vec<_> =
        NO_TIMERS.iter().copied().chain([("SYNC_LAYOUTS", "taskrouter-events")]).collect();
    let bed = Bed::start(&variables).await;
    let shown = || bed.emulator.sync().document("SyncTaskRouterEvents").unwrap_or_default()["Note"].clone();
    for (note, stamp) in [("ahead", "4102444800000"), ("next", "1767225600123")] {
        let fields = [("EventType", "task.updated"), ("TimestampMs", stamp), ("Note", note)];
        // The second is of this moment.
        let now = jiff::Timestamp::now().as_millisecond().to_string();
        let fields = fields.map(|(name, value)| (name, if value == "1767225600123" { &*now } else { value }));
        assert_eq!(answer(signed(&bed, "/taskrouter/events", &fields)).await.0.as_u16(), 204);
        bed.until("the event shows", || shown() == note).await;
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_body_must_be_covered_by_the_signature() {
    let bed = Bed::start(NO_TIMERS).await;
    let batch = r#"[{"type":"com.twilio.taskrouter.task.created","data":{}}]"#;
    let send = |query: &str, body: &'static str| {
        let url = format!("{}/taskrouter/events{query}", bed.url());
        let signature = bed.emulator.callbacks().sign(&url, []);
        let request = bed.http.post(url).header("X-Twilio-Signature", signature);
        answer(request.header("Content-Type", "application/json; charset=utf-8").body(body))
    };
    let hash = |text: &str| {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(text);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("?x=1&bodySHA256={hex}")
    };
    assert_eq!(send(&hash(batch), batch).await.0, 204);
    let (status, body, _) = send(&hash(batch), "[]").await;
    assert_eq!((status.as_u16(), &body["code"]), (403, &Value::from("body_hash")));
    let (status, body, _) = send("", batch).await;
    assert_eq!((status.as_u16(), &body["code"]), (403, &Value::from("body_not_signed")));
    let (status, body, _) = send(&hash("{}"), "{}").await;
    assert_eq!((status.as_u16(), &body["code"]), (400, &Value::from("malformed_body")));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_rotation_both_tokens_sign() {
    let secondary = "5ec0ndary5ec0ndary5ec0ndary5ec0n";
    let variables: Vec<_> =
        NO_TIMERS.iter().copied().chain([("TWILIO_AUTH_TOKEN_SECONDARY", secondary)]).collect();
    let bed = Bed::start(&variables).await;
    let send =
        || async { answer(signed(&bed, "/taskrouter/events", &[("EventType", "task.created")])).await.0 };
    assert_eq!(send().await, 204);
    bed.emulator.callbacks().set_auth_token(secondary);
    assert_eq!(send().await, 204);
    bed.emulator.callbacks().set_auth_token("0ther0ther0ther0ther0ther0ther0t");
    assert_eq!(send().await, 403);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_alive_and_ready() {
    let bed = Bed::start(NO_TIMERS).await;
    let get = |path: &str| answer(bed.http.get(format!("{}{path}", bed.url())));
    assert_eq!(get("/healthz").await.1["status"], "ok");
    let (status, body, _) = get("/readyz").await;
    assert_eq!((status.as_u16(), &body["status"]), (200, &Value::from("ready")));
    assert_eq!(body["taskQueues"], 4);
    assert_eq!(answer(bed.http.post(format!("{}/healthz", bed.url()))).await.0, 405);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_are_closed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bed = Bed::start(NO_TIMERS).await;
    let address = bed.url().trim_start_matches("http://").to_owned();
    let mut half = tokio::net::TcpStream::connect(&address).await.unwrap();
    half.write_all(b"POST /taskrouter/events HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut rest = Vec::new();
    // Whatever the client does, the connection ends by itself.
    let ended = tokio::time::timeout(crate::support::DEADLINE, half.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "it is still open");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_declared_too_large_is_refused_before_it_comes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bed = Bed::start(NO_TIMERS).await;
    let address = bed.url().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /taskrouter/events HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 99999999\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = tokio::time::timeout(crate::support::DEADLINE, stream.read_exact(&mut answer)).await;
    read.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    bed.finish().await;
}
