//! What an attacker gets, and that all others are served meanwhile. `docs/abuse.md` lists all attacks, with the tests that
//! stand elsewhere.

use std::time::Instant;

use futures_util::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twilio_emulator::{Api, Emulator, Settings};

use crate::support::{ADMIN, BEARER, Bed, Binary, DEADLINE, NO_TIMERS};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
/// What a smuggler wants to be taken for a request of its own.
const HIDDEN: &str = "GET /keepalive HTTP/1.1\r\nHost: x\r\n\r\n";

async fn connect(bed: &Bed) -> TcpStream {
    TcpStream::connect(bed.url().trim_start_matches("http://")).await.unwrap()
}

/// All that is answered until the service closes the connection.
async fn to_the_end(mut stream: TcpStream) -> String {
    let mut answers = Vec::new();
    // A reset after the answer is an end, too: it says that what was sent on was not read.
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answers)).await.expect("it stays open");
    String::from_utf8_lossy(&answers).into_owned()
}

async fn says(bed: &Bed, request: &str) -> String {
    let mut stream = connect(bed).await;
    // The service may close before all of it is sent.
    let _ = stream.write_all(request.as_bytes()).await;
    to_the_end(stream).await
}

fn statuses(answers: &str) -> Vec<u16> {
    let statuses = answers.split("HTTP/1.1 ").skip(1);
    statuses.map(|answer| answer[..3].parse().unwrap()).collect()
}

/// An event as Twilio signs it, for requests that must not look forged.
fn signature(bed: &Bed, fields: &[(&str, &str)]) -> String {
    let url = format!("{}/taskrouter/events", bed.url());
    bed.emulator.callbacks().sign(&url, fields.iter().copied())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_framing_lets_one_request_hide_in_another() {
    let bed = Bed::start(NO_TIMERS).await;
    let signature = signature(&bed, &[("a", "1")]);
    let post = |headers: &str, rest: &str| {
        let signed = format!("X-Twilio-Signature: {signature}\r\n{FORM}");
        format!("POST /taskrouter/events HTTP/1.1\r\nHost: x\r\n{signed}{headers}\r\n{rest}{HIDDEN}")
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    let whole = format!("Content-Length: {}\r\n{chunked}", 8 + HIDDEN.len());
    let within = format!("{chunked}Content-Length: 4\r\n");
    let hidden_chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    for (what, request, expected) in [
        // Where both are given the chunks count, and the connection ends: what follows is no request.
        ("a length and chunks", post(&whole, "3\r\na=1\r\n0\r\n\r\n"), &[204][..]),
        ("chunks and a length", post(&within, &hidden_chunk), &[403]),
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 5\r\n", "a=1"), &[400]),
        ("a list of lengths", post("Content-Length: 3, 5\r\n", "a=1"), &[400]),
        ("a length with a sign", post("Content-Length: +3\r\n", "a=1"), &[400]),
        ("a negative length", post("Content-Length: -1\r\n", "a=1"), &[400]),
        ("a length in hexadecimal", post("Content-Length: 0x3\r\n", "a=1"), &[400]),
        ("a length beyond all numbers", post("Content-Length: 99999999999999999999999\r\n", "a=1"), &[400]),
        ("a space before the colon", post("Content-Length : 3\r\n", "a=1"), &[400]),
        ("a folded header", post("X: a\r\n b\r\nContent-Length: 3\r\n", "a=1"), &[400]),
        ("folded chunks", post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n", "a=1"), &[400]),
        ("a lone CR in a header", post("X: a\rb\r\nContent-Length: 3\r\n", "a=1"), &[400]),
        ("a NUL in a header", post("X: a\0b\r\nContent-Length: 3\r\n", "a=1"), &[400]),
        ("an unknown coding", post("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n", "a=1"), &[400]),
        ("chunks not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), &[400]),
        (
            "two codings",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
            &[400],
        ),
        ("a negative chunk", post(chunked, "-1\r\na\r\n0\r\n\r\n"), &[400]),
        ("a chunk beyond all numbers", post(chunked, "ffffffffffffffffff\r\na\r\n0\r\n\r\n"), &[400]),
        ("a chunk's size with 0x", post(chunked, "0x3\r\na=1\r\n0\r\n\r\n"), &[400]),
        ("chunks between lone LFs", post(chunked, "3\na=1\n0\n\n"), &[400]),
        ("a lone LF in a chunk's extension", post(chunked, "3;x\n\r\na=1\r\n0\r\n\r\n"), &[400]),
        (
            "a chunk's extension of 20 KB",
            post(chunked, &format!("3;{}\r\na=1\r\n0\r\n\r\n", "x".repeat(20_000))),
            &[400],
        ),
        ("a chunk longer than it says", post(chunked, "3\r\na=1XX0\r\n\r\n"), &[400]),
        ("another version", format!("GET /keepalive HTTP/9.9\r\nHost: x\r\n\r\n{HIDDEN}"), &[400]),
        (
            "chunks in HTTP/1.0",
            post(chunked, "0\r\n\r\n").replace("HTTP/1.1\r\nHost: x\r\nX", "HTTP/1.0\r\nHost: x\r\nX"),
            &[400],
        ),
        ("TLS where none is spoken", "\x16\x03\x01\x02\x00\x01\x00\n\n".to_owned(), &[400]),
        // Not spoken, and not answered.
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[]),
    ] {
        let answers = says(&bed, &request).await;
        assert_eq!(statuses(&answers), expected, "{what}: {answers}");
    }
    // The same length twice is one length, and the next request a request.
    let twice = post("Content-Length: 3\r\nContent-Length: 3\r\n", "a=1")
        .replace("/keepalive HTTP/1.1\r\n", "/keepalive HTTP/1.1\r\nConnection: close\r\n");
    assert_eq!(statuses(&says(&bed, &twice).await), [204, 200]);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_leads_around_a_check() {
    let bed = Bed::start(NO_TIMERS).await;
    let get = async |path: &str, account: Option<(&str, &str)>| {
        use base64::Engine;
        let credentials = account.map_or(String::new(), |(user, password)| {
            let text = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
            format!("Authorization: Basic {text}\r\n")
        });
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{credentials}\r\n");
        let answers = says(&bed, &request).await;
        let [status] = statuses(&answers)[..] else { panic!("{path}: {answers}") };
        status
    };
    for nowhere in [
        "//api/session",
        "/api//session",
        "/api/./session",
        "/api/x/../session",
        "/healthz/../api/session",
        "/api/%2e%2e/api/session",
        "/%61pi/session",
        "/api%2fsession",
        "/api%2Fsession",
        "/api\\session",
        "/api/session/",
        "/API/session",
        "/api/session;x",
        "/api/session%00",
        "/api/session%20",
        "http://evil.example//api/session",
        "evil.example:443",
        "*",
    ] {
        assert_eq!(get(nowhere, None).await, 404, "{nowhere}");
        assert_eq!(get(nowhere, Some(ADMIN)).await, 404, "{nowhere} for the administrator");
    }
    for asset in [
        "/assets/../index.html",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/index.html",
        "/assets/%2e%2e%2f%2e%2e%2fCargo.toml",
        "/assets/..%5c..%5cCargo.toml",
        "/assets//etc/passwd",
        "/assets/%ff",
        "/assets/%00",
    ] {
        assert_eq!(get(asset, None).await, 401, "{asset}");
        assert_eq!(get(asset, Some(ADMIN)).await, 404, "{asset} for the administrator");
    }
    // Spellings that are the route's own are under its check.
    for same in ["http://evil.example/api/session", "/api/session?", "/api/session?x=/healthz"] {
        assert_eq!(get(same, None).await, 401, "{same}");
        assert_eq!(get(same, Some(ADMIN)).await, 200, "{same} for the administrator");
    }
    let tunnel = says(
        &bed,
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(statuses(&tunnel), [404], "{tunnel}");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_have_their_largest_size() {
    let bed = Bed::start(NO_TIMERS).await;
    let get = |target: &str, headers: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
    };
    let many: String = (0..200).map(|number| format!("X{number}: a\r\n")).collect();
    let chunks = format!("3e8\r\n{}\r\n", "a".repeat(1000)).repeat(150);
    let post = |headers: &str, body: &str| {
        format!(
            "POST /taskrouter/events HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: AAAA\r\n{FORM}{headers}\r\n{body}"
        )
    };
    for (what, request, expected) in [
        ("a header of 12 KB", get("/keepalive", &format!("X: {}\r\n", "a".repeat(12_000))), 200),
        ("a header of 20 KB", get("/keepalive", &format!("X: {}\r\n", "a".repeat(20_000))), 431),
        ("a header of 200 KB", get("/keepalive", &format!("X: {}\r\n", "a".repeat(200_000))), 431),
        ("200 headers", get("/keepalive", &many), 431),
        ("an address of 200 KB", get(&format!("/{}", "a".repeat(200_000)), ""), 431),
        ("a length of 99 MB", post("Content-Length: 99999999\r\n", ""), 413),
        ("the same, asked for first", post("Expect: 100-continue\r\nContent-Length: 99999999\r\n", ""), 413),
        ("chunks without an end", post("Transfer-Encoding: chunked\r\n", &chunks), 413),
    ] {
        let answers = says(&bed, &request).await;
        assert_eq!(statuses(&answers), [expected], "{what}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_silent_clients_by_the_thousand_are_closed_and_events_come_in_meanwhile() {
    // Each connection is two files of this process.
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(20_000);
    let crowd = usize::try_from(files / 8).unwrap().min(1000);

    let bed = Bed::start(NO_TIMERS).await;
    let mut slow = Vec::new();
    for number in 0..crowd {
        let mut stream = connect(&bed).await;
        // Some say nothing, some stop within the head, and some within the body.
        let said: String = match number % 3 {
            0 => String::new(),
            1 => "POST /taskrouter/events HTTP/1.1\r\nHost: x\r\nX".to_owned(),
            _ => format!(
                "POST /taskrouter/events HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 100\r\n\r\nEventType="
            ),
        };
        stream.write_all(said.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    bed.agrees().await;
    let queue = bed.emulator.world().queues().remove(0).sid;
    let task = twilio_emulator::NewTask { queue, channel: "voice".to_owned(), ..Default::default() };
    bed.emulator.world().create_task(task).unwrap();
    bed.agrees().await;
    let answers = join_all(slow.into_iter().map(to_the_end)).await;
    for (number, answer) in answers.iter().enumerate() {
        let told = statuses(answer);
        match number % 3 {
            2 => assert_eq!(told, [408], "{answer}"),
            _ => assert!(told.is_empty() || told == [408] || told == [400], "{answer}"),
        }
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_event_is_at_most_a_refresh_and_refreshes_are_bounded() {
    const REPLAYS: usize = 3000;
    // What one event of a TaskQueue can make stale: the Workspace and the TaskQueue, realtime and cumulative, over all
    // channels and on one.
    const KEYS: f64 = 8.0;
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let queue = bed.emulator.world().queues().remove(0).sid;
    let account = bed.emulator.account().clone();
    let fields = [
        ("EventType", "reservation.accepted"),
        ("AccountSid", account.account_sid.as_str()),
        ("WorkspaceSid", account.workspace_sid.as_str()),
        ("TaskQueueSid", queue.as_str()),
        ("TaskChannelUniqueName", "voice"),
        ("Sid", "EV00000000000000000000000000000001"),
    ];
    let (signature, url) = (signature(&bed, &fields), format!("{}/taskrouter/events", bed.url()));
    let item = || bed.emulator.sync().map_items("queueStats").unwrap()[&queue].clone();
    let (before, started) = (item(), Instant::now());
    bed.emulator.journal().clear();
    let replay = || bed.http.post(&url).header("X-Twilio-Signature", &signature).form(&fields).send();
    for _ in 0..REPLAYS / 50 {
        for answer in join_all((0..50).map(|_| replay())).await {
            assert_eq!(answer.unwrap().status(), 204);
        }
    }
    let reads =
        || bed.emulator.journal().entries().iter().filter(|entry| entry.api == Api::TaskRouter).count();
    bed.until("the event is looked after", || reads() > 0).await;
    let (reads, spacings) = (reads(), started.elapsed().as_secs_f64() / 0.25);
    assert!((reads as f64) <= KEYS * (spacings + 2.0), "{reads} reads in {spacings} times 250 ms");
    bed.agrees().await;
    for (name, value) in before.as_object().unwrap() {
        let is_number = name.starts_with("realTimeStats_") && value.get("totalTasks").is_some();
        assert!(
            !is_number || item()[name]["totalTasks"] == value["totalTasks"],
            "an event's word counts for nothing"
        );
    }
    bed.finish().await;
}

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn callers_who_do_not_read_a_large_list_share_one_buffer() {
    const CALLERS: usize = 100;
    let settings = Settings { queues: 1, workers: 10_000, ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let variables = Binary::variables(&emulator, NO_TIMERS);
    let mut service = Binary::serve(&variables);
    let line: serde_json::Value = serde_json::from_str(&service.logs("\"Serving\"").await).unwrap();
    let port = line["listening"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let address = format!("127.0.0.1:{port}");
    let asking =
        format!("GET /taskrouter_workers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {BEARER}\r\n\r\n");
    // The first answer's length, and what one caller costs.
    let mut first = TcpStream::connect(&address).await.unwrap();
    first.write_all(asking.as_bytes()).await.unwrap();
    let mut head = [0; 1024];
    let read = first.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
    let length: usize =
        head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    assert!(length > 2_000_000, "{length}");
    let before = resident(service.pid());
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(asking.as_bytes()).await.unwrap();
        // Its answer has begun, and is not read.
        stream.read_exact(&mut [0; 12]).await.unwrap();
        callers.push(stream);
    }
    let more = resident(service.pid()).saturating_sub(before) * 1024;
    assert!(more < CALLERS * length / 5, "{more} bytes for {CALLERS} callers of {length} bytes each");
    drop(callers);
    drop(service);
    emulator.shutdown().await;
}
