//! Calls, Messages and Flex tokens.

use serde_json::json;
use twilio_emulator::{CallStatus, FlexToken, Settings};

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
