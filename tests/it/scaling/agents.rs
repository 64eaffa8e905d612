//! What agents do at one replica holds at all: their Calls, the Messages that their reports cause, and how many of each.

use futures_util::future::join_all;
use serde_json::{Value, json};
use twilio_emulator::{CallStatus, FlexToken, Settings};

use super::support::Cluster;
use crate::support::NO_TIMERS;
use crate::support::socket::Socket;

const TO: &str = "+15005550006";
const FROM: &str = "+14155550100";
const TOKEN: &str = "token-of-an-agent";
const CALLS_A_MINUTE: usize = 5;

/// Three replicas, and an agent's contact.
async fn cluster() -> (Cluster, String) {
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    let workflow = cluster.emulator.world().workflows().remove(0);
    cluster.set(&[
        ("TWILIO_OUTBOUND_WORKFLOW_SID", &workflow),
        ("OUTBOUND_CALLER_IDS", FROM),
        ("OUTBOUND_PREFIXES", "+1500"),
        ("OUTBOUND_CALLS_PER_MINUTE", &CALLS_A_MINUTE.to_string()),
        ("VOICE_SMS_NUMBERS", FROM),
        ("VOICE_SMS_PREFIXES", "+"),
    ]);
    for _ in 0..3 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    let worker = cluster.emulator.world().workers().remove(0);
    let attributes: Value = serde_json::from_str(&worker.attributes).unwrap();
    let user = FlexToken { worker_sid: Some(worker.sid.clone()), ..FlexToken::default() };
    cluster.emulator.tokens().register(TOKEN, user);
    (cluster, attributes["contact_uri"].as_str().unwrap().to_owned())
}

async fn connect(cluster: &Cluster, replica: usize) -> Socket {
    let url = cluster.replicas[replica].url();
    let header = [("Sec-WebSocket-Protocol", TOKEN)];
    Socket::open_at(&url, "/websocket/outboundDial", &header).await.unwrap()
}

fn dial(contact: &str) -> String {
    json!({ "method": "call", "to": TO, "from": FROM, "workerContactUri": contact }).to_string()
}

/// Waits until a Call is said to be so.
async fn until_it_is(socket: &mut Socket, call: &str, status: &str) {
    socket.until(|said| said["callSid"] == call && said["callStatus"] == status).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_at_whichever_replica_its_agent_and_twilio_come_to() {
    let (cluster, contact) = cluster().await;
    let calls = cluster.emulator.calls();
    let mut socket = connect(&cluster, 0).await;
    socket.say(&dial(&contact)).await;
    let placed = socket.until(|said| said["messageType"] == "callUpdate").await;
    let call = placed["callSid"].as_str().unwrap().to_owned();
    // Callbacks come to each replica in turn.
    for (status, name) in [(CallStatus::Ringing, "ringing"), (CallStatus::InProgress, "in-progress")] {
        assert!(calls.set_status(&call, status));
        until_it_is(&mut socket, &call, name).await;
    }
    drop(socket);
    // A socket that opens during a conversation hears its end, and not "in-progress" a second time.
    let mut elsewhere = connect(&cluster, 2).await;
    let mut again = connect(&cluster, 1).await;
    again.say(&json!({ "method": "hangup", "callSid": call }).to_string()).await;
    until_it_is(&mut again, &call, "completed").await;
    until_it_is(&mut elsewhere, &call, "completed").await;
    let status = |call: &str| calls.all().into_iter().find(|one| one.sid == call).unwrap().status;
    assert_eq!(status(&call), CallStatus::Completed);
    drop((again, elsewhere));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_places_no_more_calls_for_doing_so_at_several_replicas() {
    let (cluster, contact) = cluster().await;
    let mut sockets = Vec::new();
    for replica in 0..3 {
        sockets.push(connect(&cluster, replica).await);
    }
    // All at once, more than the limit at each.
    for _ in 0..=CALLS_A_MINUTE {
        for socket in &mut sockets {
            socket.say(&dial(&contact)).await;
        }
    }
    let mut refused = 0;
    let heard = sockets.iter_mut().map(async |socket| {
        let (mut answers, mut refused) = (0, 0);
        while answers <= CALLS_A_MINUTE {
            let said = socket.json().await;
            let first = said["messageType"] == "error" || said["callStatus"] == "queued";
            answers += usize::from(first);
            refused += usize::from(said["messageType"] == "error");
        }
        refused
    });
    for one in join_all(heard).await {
        refused += one;
    }
    let placed = cluster.emulator.calls().all().len();
    assert_eq!(placed + refused, 3 * (CALLS_A_MINUTE + 1));
    // On a slow machine what was spent comes back meanwhile, one every twelve seconds.
    assert!((CALLS_A_MINUTE..CALLS_A_MINUTE * 2).contains(&placed), "{placed} Calls");
    drop(sockets);
    cluster.finish().await;
}

/// Reports a bad call at a replica; the answer's status.
async fn report(cluster: &Cluster, replica: usize, caller: &str, issues: &str) -> u16 {
    let report = json!({
        "issues": issues, "callerId": caller, "dnis": FROM, "action": "send-sms-to-customer", "Token": TOKEN,
    });
    let url = format!("{}/respond-to-issue", cluster.replicas[replica].url());
    cluster.http.post(url).json(&report).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_done_once_and_shown_by_all_wherever_it_comes_to() {
    let (cluster, _) = cluster().await;
    let mut watchers = cluster.watchers().await;
    let sent = || cluster.emulator.messages().all().len();
    // The same at all of them at the same moment: a page that tries again, and a load balancer.
    let same = (0..9).map(|n| report(&cluster, n % 3, TO, "short call"));
    assert_eq!(join_all(same).await, [200; 9]);
    assert_eq!(sent(), 1);
    // Another report about the same customer, by whichever replica.
    for replica in 0..3 {
        let issues = format!("call ended under warning {replica}");
        assert_eq!(report(&cluster, replica, TO, &issues).await, 429, "enough for this customer");
    }
    // Other customers, more than one agent's reports may cause, at all at once.
    let callers: Vec<String> = (0..45).map(|n| format!("+150055501{n:02}")).collect();
    let others = callers.iter().enumerate().map(|(n, caller)| report(&cluster, n % 3, caller, "short call"));
    let answers = join_all(others).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count() + 1, sent());
    assert_eq!(sent(), 20, "a stolen token sends no more at three replicas than at one");
    for watcher in &mut watchers {
        watcher.until("all reports, each once", |watcher| watcher.voice["today"] == 49).await;
    }
    assert!(watchers.windows(2).all(|two| two[0].voice["agents"] == two[1].voice["agents"]));
    cluster.finish().await;
}
