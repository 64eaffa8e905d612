//! From an event to a client of the feed: how long after an event a websocket client has read the TaskQueue's item that
//! shows the event's own counter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;
use twilio_emulator::{Emulator, FlexToken, Settings};

use crate::limits::Observed;
use crate::mix::{Shape, Stopwatch};
use crate::stats::{Sample, ms};
use crate::table::{Goal, Section, Table};
use crate::testbed::{Effort, Opening, Stage, Testbed};

const TOKEN: &str = "a-flex-token";
const QUEUES: usize = 100;
const EVENTS_A_SECOND: f64 = 10.0;
/// What the service may add to one TaskRouter round trip.
const MOST_MEDIAN: Duration = Duration::from_millis(10);
const MOST_P99: Duration = Duration::from_millis(60);

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let settings = Settings { queues: QUEUES, workers: QUEUES, ..Settings::default() };
    let stage = Stage::found("feed", settings).await;
    let variables = [("SYNC_LAYOUTS", "queue-documents")];
    let testbed = stage.open(effort, Opening { variables: &variables, ..Opening::default() }).await;
    testbed.emulator.tokens().register(TOKEN, FlexToken::default());
    testbed.ready().await;
    let watch = Arc::new(Stopwatch::of_others(&testbed.emulator, Shape::QueueMap));
    let stop = CancellationToken::new();
    let client = tokio::spawn(follow(testbed.url().to_owned(), watch.clone(), stop.clone()));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (floor, ()) =
        tokio::join!(round_trips(&testbed), live(&watch, Duration::from_secs(effort.of(20, 60))));
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop.cancel();
    client.await.unwrap();
    let (times, missed) = Arc::into_inner(watch).unwrap().stop();
    let mut table = Table::new(&["ms", "Changes", "p50", "p99", "max", "Missed"]);
    let (p50, p99) = (times.median(), times.percentile(99));
    table.row(&[&"Event to client", &times.len(), &ms(p50), &ms(p99), &ms(times.max()), &missed]);
    let (floor, most) = (floor.median(), floor.percentile(99));
    table.row(&[&"One TaskRouter round trip", &"", &ms(floor), &ms(most), &"", &""]);
    let goal = |what, most: Duration, figure: Duration| Goal {
        what,
        goal: format!("≤ round trip + {} ms = {} ms", most.as_millis(), ms(floor + most)),
        figure: format!("{} ms", ms(figure)),
        met: figure <= floor + most && missed == 0,
    };
    let goals = vec![
        goal("Event to a client of the feed, p50", MOST_MEDIAN, p50),
        goal("Event to a client of the feed, p99", MOST_P99, p99),
    ];
    let about = format!(
        "Random lives of Tasks and Workers, {EVENTS_A_SECOND} events a second, in {QUEUES} queues. Each event that moves a \
         counter of its queue is timed: from its publication to the moment at which a websocket client of `/api/feed` has read \
         the queue's item with that counter."
    );
    let section =
        Section { title: "From an event to a client of the feed", about, tables: vec![table], goals };
    (section, vec![testbed.stop().await])
}

async fn live(watch: &Stopwatch, span: Duration) {
    let mut dice = StdRng::seed_from_u64(3);
    let (begin, mut next) = (Instant::now(), Instant::now());
    while next < begin + span {
        tokio::time::sleep_until(next.into()).await;
        let made = watch.step(true).max(1);
        let gap = -(1.0 - dice.random::<f64>()).ln() * made as f64 / EVENTS_A_SECOND;
        next += Duration::from_secs_f64(gap);
    }
}

/// Reads one TaskQueue's statistics now and then, as the service does.
async fn round_trips(testbed: &Testbed) -> Sample<Duration> {
    let emulator: &Emulator = &testbed.emulator;
    let (account, queue) = (emulator.account().clone(), emulator.world().queues()[0].sid.clone());
    let url = format!(
        "{}/v1/Workspaces/{}/TaskQueues/{queue}/Statistics?SplitByWaitTime=30,60,120",
        emulator.url(),
        account.workspace_sid
    );
    let (http, mut times) = (reqwest::Client::new(), Vec::new());
    for _ in 0..30 {
        let begin = Instant::now();
        let request = http.get(&url).basic_auth(&account.account_sid, Some(&account.auth_token));
        request.send().await.unwrap().bytes().await.unwrap();
        times.push(begin.elapsed());
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    Sample::new(times)
}

/// A client that reads everything.
async fn follow(url: String, watch: Arc<Stopwatch>, stop: CancellationToken) {
    let address = url.strip_prefix("http://").unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut request = format!("ws://{address}/api/feed").into_client_request().unwrap();
    request.headers_mut().insert("token", TOKEN.parse().unwrap());
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    while let Some(Some(Ok(message))) = stop.run_until_cancelled(socket.next()).await {
        let Message::Text(text) = message else { continue };
        let Ok(told) = serde_json::from_str::<Value>(&text) else { continue };
        let told = told.get("data").unwrap_or(&told);
        for item in told["queues"].as_array().into_iter().flatten() {
            let Some(sid) = item["sid"].as_str() else { continue };
            watch.show(sid, &Shape::QueueMap.counters_of(&item["cumulativeStats_all"]));
        }
    }
}
