//! Calls, Messages and Flex tokens.

use serde_json::{Value, json};
use twilio_emulator::{Answering, CallStatus, FlexToken, Settings, TaskStatus};

use crate::support::{Bench, Receiver};

#[tokio::test]
async fn a_call_is_reported_as_it_was_asked_for() {
    let bench = Bench::with(Settings { callback_concurrency: 1, ..Settings::default() }).await;
    let receiver = Receiver::start().await;
    let account = bench.account().account_sid.clone();
    let calls = format!("/2010-04-01/Accounts/{account}/Calls.json");
    let form = [
        ("To", "+15005550006"),
        ("From", "+14155552345"),
        ("Url", "https://example.com/twiml"),
        ("StatusCallback", &receiver.url),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    let made = bench.post(&calls, &form).await;
    assert_eq!((made.status, &made.body["status"]), (201, &json!("queued")));
    assert_eq!(made.body["from_formatted"], "(415) 555-2345");
    let sid = made.body["sid"].as_str().unwrap().to_owned();
    let second = bench.post(&calls, &form).await;
    assert!(second.body["queue_time"].as_str().unwrap().parse::<u32>().unwrap() > 0, "one Call a second");

    let handle = bench.emulator.calls();
    assert!(handle.set_status(&sid, CallStatus::Ringing));
    assert!(handle.set_status(&sid, CallStatus::InProgress));
    let call = format!("/2010-04-01/Accounts/{account}/Calls/{sid}.json");
    assert_eq!(bench.post(&call, &[("Status", "canceled")]).await.status, 400, "it has been answered");
    assert_eq!(bench.post(&call, &[("Status", "completed")]).await.body["status"], "completed");
    assert_eq!(bench.post(&call, &[("Status", "completed")]).await.status, 400);
    assert_eq!(bench.get(&call).await.body["duration"], "0");
    bench.emulator.callbacks().wait_idle().await;
    let seen = receiver.seen();
    let told: Vec<_> = seen
        .iter()
        .map(|seen| (seen.param("CallStatus").unwrap(), seen.param("SequenceNumber").unwrap()))
        .collect();
    assert_eq!(
        told,
        [("ringing", "0"), ("in-progress", "1"), ("completed", "2")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    let params = seen[2].params();
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(seen[2].header("x-twilio-signature"), bench.emulator.callbacks().sign(&receiver.url, pairs));
    assert_eq!(bench.get(&calls).await.body["calls"].as_array().unwrap().len(), 2);
}

const TWIML: &str = "/twiml";

/// Answers every request with the same TwiML.
async fn instructions(twiml: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{TWIML}", listener.local_addr().unwrap());
    let answer = move || async move { ([("content-type", "text/xml")], twiml) };
    tokio::spawn(async move {
        axum::serve(listener, axum::Router::new().route(TWIML, axum::routing::post(answer))).await.unwrap();
    });
    url
}

#[tokio::test]
async fn an_answered_call_becomes_the_task_that_its_twiml_asks_for() {
    let bench = Bench::with(Settings { callback_concurrency: 1, ..Settings::default() }).await;
    let (world, calls) = (bench.emulator.world(), bench.emulator.calls());
    let worker = world.workers().remove(0);
    let attributes: Value = serde_json::from_str(&worker.attributes).unwrap();
    let contact = attributes["contact_uri"].as_str().unwrap();
    let workflow = &world.workflows()[0];
    let twiml = format!(
        "<Response><Enqueue workflowSid=\"{workflow}\"><Task>{{\"targetWorker\":\"{contact}\",\"name\":\"a &amp; b\"}}</Task></Enqueue></Response>"
    );
    let url = instructions(twiml).await;
    let folder = format!("/2010-04-01/Accounts/{}/Calls", bench.account().account_sid);
    let form = [("To", "+15005550006"), ("From", "+14155552345"), ("Url", url.as_str())];

    calls.behave(Answering::Answers);
    let made = bench.post(&format!("{folder}.json"), &form).await;
    assert_eq!(made.body["status"], "queued", "later statuses come by callback");
    bench.emulator.callbacks().wait_idle().await;
    let call = calls.all().remove(0);
    assert_eq!(call.status, CallStatus::InProgress);
    let find = |sid: &str| world.tasks().into_iter().find(|task| task.sid == sid).unwrap();
    let task = find(call.task.as_deref().unwrap());
    assert_eq!((task.status, task.channel.as_str()), (TaskStatus::Reserved, "voice"));
    assert_eq!(task.reservations[0].worker, worker.sid);
    let attributes: Value = serde_json::from_str(&task.attributes).unwrap();
    assert_eq!((&attributes["name"], &attributes["call_sid"]), (&json!("a & b"), &json!(call.sid)));
    bench.post(&format!("{folder}/{}.json", call.sid), &[("Status", "completed")]).await;
    assert_eq!(find(&task.sid).status, TaskStatus::Canceled, "the caller hung up before anybody took it");

    for (answering, status) in [
        (Answering::Busy, CallStatus::Busy),
        (Answering::NoAnswer, CallStatus::NoAnswer),
        (Answering::Fails, CallStatus::Failed),
    ] {
        calls.behave(answering);
        bench.post(&format!("{folder}.json"), &form).await;
        let last = calls.all().pop().unwrap();
        assert_eq!((last.status, last.task), (status, None));
    }
    calls.behave(Answering::Answers);
    let nonsense = instructions("<Response><Hello></Hello></Response>".to_owned()).await;
    bench.post(&format!("{folder}.json"), &[form[0], form[1], ("Url", nonsense.as_str())]).await;
    bench.emulator.callbacks().wait_idle().await;
    assert_eq!(calls.all().pop().unwrap().status, CallStatus::Completed, "without instructions it is ended");
}

#[tokio::test]
async fn calls_and_messages_need_their_parameters() {
    let bench = Bench::start().await;
    let account = bench.account().account_sid.clone();
    let calls = format!("/2010-04-01/Accounts/{account}/Calls.json");
    let messages = format!("/2010-04-01/Accounts/{account}/Messages.json");
    assert_eq!(bench.post(&calls, &[("To", "+1"), ("From", "+2")]).await.status, 400);
    let bad = [("To", "+1"), ("From", "+2"), ("Url", "https://under_score.example.com/x")];
    assert_eq!(bench.post(&calls, &bad).await.status, 400);
    assert_eq!(bench.post(&messages, &[("To", "+1"), ("From", "+2")]).await.status, 400);
    let long = "x".repeat(1601);
    assert_eq!(bench.post(&messages, &[("To", "+1"), ("From", "+2"), ("Body", &long)]).await.code(), 21617);
    let sent = bench.post(&messages, &[("To", "+1"), ("From", "+2"), ("Body", "Hello")]).await;
    assert_eq!(
        (sent.status, &sent.body["status"], &sent.body["num_segments"]),
        (201, &json!("queued"), &json!("1"))
    );
    let sid = sent.body["sid"].as_str().unwrap();
    let path = format!("/2010-04-01/Accounts/{account}/Messages/{sid}.json");
    assert_eq!(bench.get(&path).await.body["body"], "Hello");
    assert_eq!(bench.emulator.messages().all().len(), 1);
    let foreign = format!("/2010-04-01/Accounts/AC{}/Messages.json", "0".repeat(32));
    assert_eq!(bench.get(&foreign).await.code(), 20404);
}

#[tokio::test]
async fn only_registered_tokens_are_valid() {
    let bench = Bench::start().await;
    let path = format!("/v1/Accounts/{}/Tokens/validate", bench.account().account_sid);
    let validate = async |token: &str| {
        bench.send(bench.request(reqwest::Method::POST, &path).json(&json!({ "token": token }))).await
    };
    let tokens = bench.emulator.tokens();
    tokens.register("good", FlexToken { worker_sid: Some(bench.worker()), ..FlexToken::default() });
    let answer = validate("good").await;
    assert_eq!((answer.status, &answer.body["valid"]), (200, &json!(true)));
    assert_eq!(answer.body["worker_sid"], bench.worker());
    assert_eq!(validate("bad").await.body["valid"], false);
    tokens.set_refusal_status(403);
    bench.emulator.clock().advance(std::time::Duration::from_secs(3601));
    let answer = validate("good").await;
    assert_eq!((answer.status, &answer.body["valid"]), (403, &json!(false)), "it has expired");
    assert_eq!(bench.get(&path).await.code(), 20404);
}
