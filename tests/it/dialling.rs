//! Calls that agents place: the whole way, and everything that may not be.

use serde_json::{Value, json};
use twilio_emulator::{Answering, Api, CallStatus, CallView, Fault, FlexToken, Settings, TaskStatus};

use crate::support::socket::Socket;
use crate::support::{BEARER, Bed, NO_TIMERS};

const DIAL: &str = "/websocket/outboundDial";
const TWIML: &str = "/twilio-webhook/callHandlerTwiml";
const STATUS: &str = "/twilio-webhook/callStatusCallbackHandler";
const TO: &str = "+15005550006";
const FROM: &str = "+14155550100";

/// An agent: the token's header, the Worker, and its contact.
struct Agent {
    token: String,
    worker: String,
    contact: String,
}

async fn bed(more: &[(&str, &str)]) -> Bed {
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    let mut bed = Bed::without_service(settings, &[]).await;
    let workflow = bed.emulator.world().workflows().remove(0);
    let rules = [
        ("TWILIO_OUTBOUND_WORKFLOW_SID", workflow.as_str()),
        ("OUTBOUND_CALLER_IDS", FROM),
        ("OUTBOUND_PREFIXES", "+1500,+49"),
    ];
    bed.set(NO_TIMERS.iter().chain(&rules).chain(more).copied());
    bed.start_service().await;
    bed.ready().await;
    bed
}

fn agent(bed: &Bed, number: usize) -> Agent {
    let worker = bed.emulator.world().workers().remove(number);
    let attributes: Value = serde_json::from_str(&worker.attributes).unwrap();
    let token = format!("token-of-{}", worker.sid);
    let user = FlexToken { worker_sid: Some(worker.sid.clone()), ..FlexToken::default() };
    bed.emulator.tokens().register(&token, user);
    Agent { token, worker: worker.sid, contact: attributes["contact_uri"].as_str().unwrap().to_owned() }
}

impl Agent {
    async fn connect(&self, bed: &Bed) -> Socket {
        Socket::open(bed, DIAL, &[("Sec-WebSocket-Protocol", &self.token)]).await.unwrap()
    }

    fn order(&self, to: &str, from: &str) -> String {
        json!({ "method": "call", "to": to, "from": from, "workerContactUri": self.contact }).to_string()
    }
}

/// The next update's Call and status.
async fn update(socket: &mut Socket) -> (String, String) {
    let said = socket.json().await;
    assert_eq!(said["messageType"], "callUpdate", "{said}");
    (said["callSid"].as_str().unwrap().to_owned(), said["callStatus"].as_str().unwrap().to_owned())
}

async fn error(socket: &mut Socket) -> String {
    let said = socket.json().await;
    assert_eq!(said["messageType"], "error", "{said}");
    said["message"].as_str().unwrap().to_owned()
}

fn call(bed: &Bed, sid: &str) -> CallView {
    bed.emulator.calls().all().into_iter().find(|call| call.sid == sid).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn dial_ringing_answered_reserved_for_that_worker_hang_up() {
    let bed = bed(&[]).await;
    let (me, colleague) = (agent(&bed, 0), agent(&bed, 1));
    let (mut socket, mut other) = (me.connect(&bed).await, colleague.connect(&bed).await);
    assert_eq!(socket.protocol.as_deref(), Some(me.token.as_str()));
    socket.say(&me.order(TO, FROM)).await;
    let (sid, status) = update(&mut socket).await;
    assert_eq!(status, "queued");
    let placed = call(&bed, &sid);
    assert_eq!((placed.to.as_str(), placed.from.as_str()), (TO, FROM));

    let calls = bed.emulator.calls();
    assert!(calls.set_status(&sid, CallStatus::Ringing));
    assert_eq!(update(&mut socket).await, (sid.clone(), "ringing".to_owned()));
    assert!(calls.set_status(&sid, CallStatus::InProgress));
    assert_eq!(update(&mut socket).await, (sid.clone(), "in-progress".to_owned()));
    bed.until("the answered Call is a Task", || call(&bed, &sid).task.is_some()).await;
    let task_sid = call(&bed, &sid).task.unwrap();
    let task = bed.emulator.world().tasks().into_iter().find(|task| task.sid == task_sid).unwrap();
    assert_eq!((task.status, task.channel.as_str()), (TaskStatus::Reserved, "voice"));
    assert_eq!(task.reservations[0].worker, me.worker);
    let attributes: Value = serde_json::from_str(&task.attributes).unwrap();
    for (name, value) in [
        ("targetWorker", me.contact.as_str()),
        ("autoAnswer", "true"),
        ("type", "outbound"),
        ("direction", "outbound"),
        ("name", TO),
    ] {
        assert_eq!(attributes[name], value, "{name}");
    }

    let hang_up = json!({ "method": "hangup", "callSid": sid }).to_string();
    other.say(&hang_up).await;
    assert!(error(&mut other).await.contains("not one of yours"));
    assert_eq!(call(&bed, &sid).status, CallStatus::InProgress);
    socket.say(&hang_up).await;
    assert_eq!(update(&mut socket).await, (sid.clone(), "completed".to_owned()));
    assert_eq!(call(&bed, &sid).status, CallStatus::Completed);
    socket.say(&hang_up).await;
    assert!(error(&mut socket).await.contains("has ended"), "its state ended with it");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_reach_the_agent_also_when_they_overtake_the_answer() {
    let bed = bed(&[]).await;
    let me = agent(&bed, 0);
    let mut socket = me.connect(&bed).await;
    // The other side answers before Twilio's answer to us is on its way.
    for (answering, last) in [
        (Answering::Answers, "in-progress"),
        (Answering::Busy, "busy"),
        (Answering::Fails, "failed"),
        (Answering::NoAnswer, "no-answer"),
    ] {
        bed.emulator.calls().behave(answering);
        socket.say(&me.order(TO, FROM)).await;
        let (sid, first) = update(&mut socket).await;
        assert_eq!(first, "queued");
        loop {
            let (of, status) = update(&mut socket).await;
            assert_eq!(of, sid);
            if status == last {
                break;
            }
        }
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_reconnects_gets_the_calls_later_updates() {
    let bed = bed(&[]).await;
    let me = agent(&bed, 0);
    let mut socket = me.connect(&bed).await;
    socket.say(&me.order(TO, FROM)).await;
    let (sid, _) = update(&mut socket).await;
    drop(socket);
    let calls = bed.emulator.calls();
    calls.set_status(&sid, CallStatus::Ringing);
    calls.set_status(&sid, CallStatus::InProgress);
    bed.emulator.callbacks().wait_idle().await;
    let mut socket = me.connect(&bed).await;
    // The old socket may be seen to be gone only now: then the last that it was not told comes first. Where the answer
    // went into the old one, it does not come again.
    calls.set_status(&sid, CallStatus::Completed);
    let mut answers = 0;
    loop {
        let (of, status) = update(&mut socket).await;
        assert_eq!(of, sid);
        answers += u32::from(status == "in-progress");
        if status == "completed" {
            break;
        }
    }
    assert!(answers < 2);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_opens_during_a_conversation_hears_its_end_and_no_second_answer() {
    let bed = bed(&[]).await;
    let me = agent(&bed, 0);
    let mut socket = me.connect(&bed).await;
    socket.say(&me.order(TO, FROM)).await;
    let (sid, _) = update(&mut socket).await;
    let calls = bed.emulator.calls();
    calls.set_status(&sid, CallStatus::InProgress);
    while update(&mut socket).await.1 != "in-progress" {}
    drop(socket);
    let mut later = me.connect(&bed).await;
    let hang_up = json!({ "method": "hangup", "callSid": sid }).to_string();
    later.say(&hang_up).await;
    assert_eq!(update(&mut later).await, (sid, "completed".to_owned()), "nothing comes before it");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_number_is_dialled_as_it_is_meant() {
    let bed = bed(&[]).await;
    let me = agent(&bed, 0);
    let mut socket = me.connect(&bed).await;
    for pasted in ["15005550006", "+1 (500) 555-0006 ", "\u{202a}+1500555\u{2011}0006\u{202c}"] {
        socket.say(&me.order(pasted, "1 415 555 0100")).await;
        let (sid, _) = update(&mut socket).await;
        let placed = call(&bed, &sid);
        assert_eq!((placed.to.as_str(), placed.from.as_str()), (TO, FROM), "{pasted:?}");
    }
    socket.say(&me.order("+1 500 555 O006", FROM)).await;
    assert!(error(&mut socket).await.contains("take 'O' (U+004F) out of it"));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_against_the_rules_is_explained_in_plain_words_and_places_no_call() {
    let bed = bed(&[("OUTBOUND_CALLS_PER_MINUTE", "3")]).await;
    let (me, colleague) = (agent(&bed, 0), agent(&bed, 1));
    let mut socket = me.connect(&bed).await;
    for (order, part) in [
        (me.order("5005550006", FROM), "\"to\" is not a telephone number"),
        (me.order(TO, "1"), "\"from\" is not a telephone number"),
        (me.order(TO, "+14155550101"), "not one of the caller ids"),
        (me.order("+4412345678", FROM), "may not be called from here; they may begin with +1"),
        (json!({ "method": "call" }).to_string(), "\"to\" is not a telephone number"),
        (json!({ "method": "hangup", "callSid": "CA1" }).to_string(), "not one of yours"),
        (colleague.order(TO, FROM), "workerContactUri"),
    ] {
        socket.say(&order).await;
        let message = error(&mut socket).await;
        assert!(message.contains(part), "{order}: {message}");
    }
    for (said, answer) in [
        ("hello", "echo: hello"),
        (r#"{"a":1}"#, r#"Unrecognized payload: {"a":1}"#),
        ("[]", "Unrecognized payload: []"),
    ] {
        socket.say(said).await;
        assert_eq!(socket.hear().await.unwrap(), answer);
    }
    assert!(bed.emulator.calls().all().is_empty());

    // The one for the colleague counts, too.
    for _ in 0..2 {
        socket.say(&me.order(TO, FROM)).await;
        update(&mut socket).await;
    }
    socket.say(&me.order(TO, FROM)).await;
    assert!(error(&mut socket).await.contains("too many calls"));
    let mut other = colleague.connect(&bed).await;
    bed.emulator.faults().add(Fault::status(400, 21210).on(Api::Api).times(1));
    other.say(&colleague.order(TO, FROM)).await;
    assert!(error(&mut other).await.contains("Twilio refuses the call"));
    bed.emulator.faults().add(Fault::status(503, 20503).on(Api::Api).times(1));
    other.say(&colleague.order(TO, FROM)).await;
    assert!(error(&mut other).await.contains("did not confirm"));
    assert_eq!(bed.emulator.calls().all().len(), 2, "a failed one is not tried again");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_workers_get_in_and_only_twilio_is_believed() {
    let bed = bed(&[]).await;
    bed.register_token();
    let authorization = format!("Bearer {BEARER}");
    for header in [("token", "flex-token-1"), ("token", "forged"), ("Authorization", authorization.as_str())]
    {
        assert_eq!(Socket::open(&bed, DIAL, &[header]).await.err(), Some(403), "{header:?}");
    }
    let form = [("CallSid", "CA00000000000000000000000000000001"), ("CallStatus", "ringing"), ("To", TO)];
    for path in [format!("{TWIML}?workerContactUri=client:x"), STATUS.to_owned()] {
        let url = format!("{}{path}", bed.url());
        let post = |signature: String| {
            bed.http.post(&url).form(&form).header("X-Twilio-Signature", signature).send()
        };
        assert_eq!(post("forged".to_owned()).await.unwrap().status(), 403);
        let right = bed.emulator.callbacks().sign(&url, form);
        let answer = post(right).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let url = format!("{}{TWIML}?workerContactUri=client%3Ax%26%3Cy%3E", bed.url());
    let signature = bed.emulator.callbacks().sign(&url, form);
    let answer =
        bed.http.post(&url).form(&form).header("X-Twilio-Signature", signature).send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/xml"));
    assert!(answer.text().await.unwrap().contains("client:x&amp;&lt;y&gt;"));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_workflow_there_are_no_calls() {
    let bed = Bed::start(NO_TIMERS).await;
    let me = agent(&bed, 0);
    assert_eq!(Socket::open(&bed, DIAL, &[("token", &me.token)]).await.err(), Some(404));
    for path in [TWIML, STATUS] {
        let answer = bed.http.post(format!("{}{path}", bed.url())).form(&[("a", "b")]).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    bed.finish().await;
}
