//! How many events a second are accepted, beside a handler that only checks their signature.

use std::sync::Arc;
use std::time::Duration;

use twilio_emulator::{Emulator, Settings};

use crate::bare::Bare;
use crate::limits::Observed;
use crate::load::{self, Load};
use crate::service::Usage;
use crate::stats::{Sample, ms, percent};
use crate::table::{Goal, Section, Table};
use crate::testbed::{CHANNELS, EVENTS, Effort, Opening, Stage};

const CONNECTIONS: usize = 32;
/// Number of different events, which are then repeated.
const DIFFERENT: usize = 2000;
const QUEUES: usize = 20;

/// All rounds against one of the two.
#[derive(Default)]
struct Side {
    rates: Vec<u64>,
    times: Vec<Duration>,
    refused: usize,
    cpu: Duration,
}

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let stage = Stage::found("intake", Settings { queues: QUEUES, ..Settings::default() }).await;
    let testbed = stage.open(effort, Opening::default()).await;
    testbed.ready().await;
    let bare = Bare::start(&testbed.emulator.account().auth_token).await;
    let bodies = bodies(&testbed.emulator);
    let to_service = requests(&testbed.emulator, testbed.url(), &bodies);
    let to_bare = requests(&testbed.emulator, &bare.url, &bodies);

    let span = Duration::from_secs(effort.of(1, 3));
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    // The first rounds warm both up.
    blast(testbed.url(), &to_service, span / 2).await;
    blast(&bare.url, &to_bare, span / 2).await;
    for _ in 0..effort.of(2, 5) {
        let before = testbed.usage();
        ours.add(blast(testbed.url(), &to_service, span).await, before, testbed.usage());
        let before = bare.usage();
        theirs.add(blast(&bare.url, &to_bare, span).await, before, bare.usage());
    }
    let bytes: usize = bodies.iter().map(|body| form(body).len()).sum();
    let section = section(&ours, &theirs, bytes / bodies.len(), effort);
    (section, vec![testbed.stop().await])
}

async fn blast(url: &str, requests: &Arc<[Vec<u8>]>, span: Duration) -> Load {
    load::run(url.trim_start_matches("http://"), requests, CONNECTIONS, span).await
}

impl Side {
    fn add(&mut self, load: Load, before: Usage, after: Usage) {
        self.rates.push(load.rate() as u64);
        self.refused += load.refused;
        self.times.extend(load.times);
        self.cpu += after.cpu - before.cpu;
    }
}

fn section(ours: &Side, theirs: &Side, bytes: usize, effort: &Effort) -> Section {
    let mut table =
        Table::new(&["", "Events/s", "p50 ms", "p99 ms", "max ms", "CPU µs an event", "Events", "Refused"]);
    let figures = [ours, theirs].map(|side| {
        let (rates, times) = (Sample::new(side.rates.clone()), Sample::new(side.times.clone()));
        let cpu = side.cpu.as_secs_f64() * 1e6 / times.len() as f64;
        (rates.median() as f64, times, cpu, side.refused)
    });
    for (name, (rate, times, cpu, refused)) in ["taskrouter-sync", "bare handler"].iter().zip(&figures) {
        let [p50, p99, max] = [times.percentile(50), times.percentile(99), times.max()].map(ms);
        table.row(&[
            name,
            &format!("{rate:.0}"),
            &p50,
            &p99,
            &max,
            &format!("{cpu:.1}"),
            &times.len(),
            refused,
        ]);
    }
    let [(rate, times, cpu, _), (bare_rate, bare_times, bare_cpu, _)] = &figures;
    let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
    let p99 = ratio(times.percentile(99), bare_times.percentile(99));
    table.row(&[
        &"ratio",
        &percent(*rate, *bare_rate),
        &format!("{:.2}", ratio(times.median(), bare_times.median())),
        &format!("{p99:.2}"),
        &format!("{:.2}", ratio(times.max(), bare_times.max())),
        &format!("{:.2}", cpu / bare_cpu),
        &"",
        &"",
    ]);
    Section {
        title: "Events accepted per second",
        about: format!(
            "{DIFFERENT} different signed events of {bytes} bytes over {CONNECTIONS} keep-alive connections without pauses; {} rounds \
             of {} s for the service and a bare handler in turn. The bare handler (axum) checks the same signature with the same \
             code and answers 204; the service also re-reads what the events invalidate, on the same cores. Events/s: median round.",
            effort.of(2, 5),
            effort.of(1, 3),
        ),
        tables: vec![table],
        goals: vec![
            Goal {
                what: "Events accepted per second against a bare handler's",
                goal: "≥ 90 %".to_owned(),
                figure: percent(*rate, *bare_rate),
                met: rate / bare_rate >= 0.9,
            },
            Goal {
                what: "Their p99 against a bare handler's",
                goal: "≤ 2 times".to_owned(),
                figure: format!("{p99:.2} times"),
                met: p99 <= 2.0,
            },
        ],
    }
}

type Fields = Vec<(&'static str, String)>;

/// Events as TaskRouter posts them while Tasks come and go.
fn bodies(emulator: &Emulator) -> Vec<Fields> {
    const KINDS: [&str; 5] = [
        "task-queue.entered",
        "reservation.created",
        "reservation.accepted",
        "reservation.completed",
        "task.completed",
    ];
    let (account, queues) = (emulator.account(), emulator.world().queues());
    let event = |n: usize| {
        let (kind, queue) = (KINDS[n % KINDS.len()], &queues[n % queues.len()]);
        let sid = |prefix: &str| format!("{prefix}{:032x}", 0x5eed_0000 + n);
        vec![
            ("EventType", kind.to_owned()),
            ("EventDescription", format!("Task {} {kind} in TaskQueue {}", sid("WT"), queue.friendly_name)),
            ("ResourceType", kind.split(['.', '-']).next().unwrap_or_default().to_owned()),
            ("ResourceSid", sid("WR")),
            ("Sid", sid("EV")),
            ("Timestamp", "1767225612".to_owned()),
            ("TimestampMs", format!("{}", 1_767_225_612_000 + n)),
            ("AccountSid", account.account_sid.clone()),
            ("WorkspaceSid", account.workspace_sid.clone()),
            ("WorkspaceName", "Flex Task Assignment".to_owned()),
            ("TaskSid", sid("WT")),
            (
                "TaskAttributes",
                format!(
                    r#"{{"from":"+1500555{n:04}","to":"+15005550000","type":"question","direction":"inbound",
                    "call_sid":"{}","account_sid":"{}","customer":{{"name":"Customer {n}"}}}}"#,
                    sid("CA"),
                    account.account_sid,
                ),
            ),
            ("TaskAge", (n % 300).to_string()),
            ("TaskDateCreated", "1767225600".to_owned()),
            ("TaskQueueEnteredDate", "1767225600".to_owned()),
            ("TaskVirtualStartTime", "1767225600".to_owned()),
            ("TaskIgnoreCapacity", "false".to_owned()),
            ("TaskPriority", "0".to_owned()),
            ("TaskAssignmentStatus", "reserved".to_owned()),
            ("TaskVersion", "1".to_owned()),
            ("TaskChannelSid", sid("TC")),
            ("TaskChannelUniqueName", CHANNELS[n % CHANNELS.len()].to_owned()),
            ("TaskQueueSid", queue.sid.clone()),
            ("TaskQueueName", queue.friendly_name.clone()),
            ("TaskQueueTargetExpression", queue.target_workers.clone()),
            ("WorkflowSid", sid("WW")),
            ("WorkflowName", "Assign to Anyone".to_owned()),
            ("ReservationSid", sid("WR")),
            ("ReservationVersion", "0".to_owned()),
            ("WorkerSid", sid("WK")),
            ("WorkerName", format!("Worker {n}")),
            (
                "WorkerAttributes",
                r#"{"skills":["support","sales"],"contact_uri":"client:worker"}"#.to_owned(),
            ),
            ("WorkerActivitySid", sid("WA")),
            ("WorkerActivityName", "Available".to_owned()),
            ("WorkerChannelCapacity", "1".to_owned()),
        ]
    };
    (0..DIFFERENT).map(event).collect()
}

fn form(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Whole requests, signed for this base URL.
fn requests(emulator: &Emulator, url: &str, bodies: &[Fields]) -> Arc<[Vec<u8>]> {
    let (host, called) = (url.trim_start_matches("http://"), format!("{url}{EVENTS}"));
    let request = |fields: &Fields| {
        let body = form(fields);
        let parameters = fields.iter().map(|(name, value)| (*name, value.as_str()));
        let signature = emulator.callbacks().sign(&called, parameters);
        format!(
            "POST {EVENTS} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\
             Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {}\r\n\
             X-Twilio-Signature: {signature}\r\nI-Twilio-Idempotency-Token: {}\r\n\r\n{body}",
            body.len(),
            signature.trim_end_matches('='),
        )
        .into_bytes()
    };
    bodies.iter().map(request).collect()
}
