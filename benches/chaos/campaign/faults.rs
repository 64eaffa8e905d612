//! The faults. Each has a testbed of its own, so that several can strike side by side.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpStream;
use twilio_emulator::{Api, Fault, FaultKind, Settings};

use super::testbed::{Making, Testbed};
use super::wire::Mode;
use super::{Effort, Finding, crowd, hostile, soak};

/// Steps a second that the centre takes meanwhile; each is one or two events.
const LOAD: f64 = 15.0;
/// A client gives a silent Twilio up after this time, instead of the default 10 s.
const SHORT_TIMEOUT: &[(&str, &str)] = &[("TWILIO_TIMEOUT", "2s")];
const SECOND: Duration = Duration::from_secs(1);

/// All faults by name.
pub(crate) const FAULTS: [&str; 18] = [
    "down",
    "silent",
    "slow",
    "throttled",
    "errors",
    "resets",
    "half",
    "json",
    "types",
    "clock",
    "dns",
    "lost",
    "burst",
    "killed",
    "files",
    "memory",
    "hostile",
    "soak",
];

/// Runs one fault.
pub(crate) async fn strike(name: &str, effort: Effort) -> Finding {
    match name {
        "hostile" => hostile::strike(effort, settings()).await,
        "down" => down(effort).await,
        "silent" => {
            let about = "requests go out, no answer comes (`TWILIO_TIMEOUT` 2 s)";
            wired("Twilio silent", about, effort, &[Mode::Silent]).await
        }
        "slow" => {
            let about = "0.7 s more each way";
            wired("Twilio slow", about, effort, &[Mode::Slow(Duration::from_millis(700))]).await
        }
        "resets" => {
            let about = "every second connection, at its answer";
            wired("Connections reset", about, effort, &[Mode::Reset]).await
        }
        "half" => {
            let about = "every second connection ends within its answer";
            wired("Answers half-written", about, effort, &[Mode::Half]).await
        }
        "errors" => {
            let kinds = [500, 502, 503, 504].map(status);
            faulty("Errors 500, 502, 503, 504", "every request", effort, &kinds).await
        }
        "json" => {
            let kinds = [FaultKind::MalformedJson, FaultKind::Truncated];
            let about = "truncated, with right or wrong length, after the write";
            faulty("Wrong JSON", about, effort, &kinds).await
        }
        "types" => {
            let about = "numbers and texts exchanged, after the write";
            faulty("Wrong types", about, effort, &[FaultKind::WrongTypes]).await
        }
        "throttled" => throttled(effort).await,
        "clock" => clock(effort).await,
        "dns" => dns(effort).await,
        "lost" => lost(effort).await,
        "burst" => burst(effort).await,
        "killed" => killed(effort).await,
        "files" => files(effort).await,
        "memory" => memory(effort).await,
        "soak" => soak::soak(effort).await,
        other => panic!("there is no fault {other:?}; there are {FAULTS:?}"),
    }
}

fn settings() -> Settings {
    Settings { queues: 5, workers: 12, ..Settings::default() }
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, code: None, retry_after: None }
}

fn dice(effort: Effort, salt: u64) -> StdRng {
    StdRng::seed_from_u64(effort.seed.wrapping_mul(31).wrapping_add(salt))
}

/// How long one try lasts.
fn span(effort: Effort, dice: &mut StdRng) -> Duration {
    Duration::from_millis(dice.random_range(effort.of(500..1_500, 5_000..15_000)))
}

/// What a bad wire does, several times.
async fn wired(fault: &'static str, about: &str, effort: Effort, modes: &[Mode]) -> Finding {
    let mut finding = Finding::new(fault, 5 * SECOND, about);
    let mut dice = dice(effort, 1);
    let making = Making { settings: settings(), variables: SHORT_TIMEOUT, ..Making::default() };
    let testbed = Testbed::open(effort.seed, making).await;
    for nth in 0..effort.of(2, 8) {
        testbed.wire.set(modes[nth % modes.len()]);
        testbed.live(LOAD, span(effort, &mut dice)).await;
        testbed.wire.set(Mode::Through);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}

/// What a bad Twilio does, several times: to all of it, to one product, before or after carrying out.
async fn faulty(fault: &'static str, about: &str, effort: Effort, kinds: &[FaultKind]) -> Finding {
    let mut finding = Finding::new(fault, 5 * SECOND, about);
    let mut dice = dice(effort, 2);
    let testbed = Testbed::open(effort.seed, Making { settings: settings(), ..Making::default() }).await;
    for nth in 0..effort.of(2, 8) {
        let mut fault = Fault::new(kinds[nth % kinds.len()].clone());
        fault.api = [None, Some(Api::TaskRouter), Some(Api::Sync)][dice.random_range(0..3)];
        fault.after_processing = dice.random_bool(0.5);
        testbed.emulator.faults().add(fault);
        testbed.live(LOAD, span(effort, &mut dice)).await;
        testbed.emulator.faults().clear();
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}

async fn down(effort: Effort) -> Finding {
    let long = Duration::from_secs(effort.of(2, 120));
    let about =
        format!("connections refused, once for {} s, then for seconds; backoff ends at 3 s", long.as_secs());
    let mut finding = Finding::new("Twilio down", 5 * SECOND, about);
    let mut dice = dice(effort, 3);
    let testbed = Testbed::open(effort.seed, Making { settings: settings(), ..Making::default() }).await;
    for nth in 0..effort.of(2, 4) {
        let requests = testbed.emulator.journal().totals().requests;
        testbed.wire.set(Mode::Refuse);
        testbed.live(LOAD, if nth == 0 { long } else { span(effort, &mut dice) }).await;
        assert!(testbed.emulator.journal().totals().requests <= requests + 40, "the wire leaks");
        testbed.wire.set(Mode::Through);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}

async fn throttled(effort: Effort) -> Finding {
    let storm = Duration::from_secs(effort.of(3, 30));
    let about = format!("every request for {} s, with and without Retry-After", storm.as_secs());
    let mut finding = Finding::new("Throttled (429)", 5 * SECOND, about);
    let mut testbed = Testbed::open(effort.seed, Making { settings: settings(), ..Making::default() }).await;
    for retry_after in [None, Some(1)] {
        let begin = Instant::now();
        testbed.emulator.faults().add(Fault::new(FaultKind::Status {
            status: 429,
            code: Some(20429),
            retry_after,
        }));
        testbed.live(LOAD, storm).await;
        testbed.emulator.faults().clear();
        finding.tried(testbed.agrees().await);
        let entries = testbed.emulator.journal().entries();
        let struck: Vec<_> = entries.iter().filter(|entry| entry.at >= begin && entry.faulty).collect();
        let mut busiest = 0;
        for entry in &struck {
            let within = |other: &&&twilio_emulator::Entry| (entry.at..entry.at + SECOND).contains(&other.at);
            busiest = busiest.max(struck.iter().filter(within).count());
        }
        let a_second = struck.len() as f64 / storm.as_secs_f64();
        finding.notes.push(format!("{a_second:.1} calls a second, {busiest} at most"));
        if !effort.short && a_second > 10.0 {
            testbed.problem(format!("{a_second:.1} calls a second hammer a Twilio that refuses them"));
        }
    }
    finding.closed(testbed.close(true).await)
}

async fn clock(effort: Effort) -> Finding {
    let about = "the system clock, by up to ten days and back, which starts the recovery";
    let mut finding = Finding::new("Clock jumps", 5 * SECOND, about);
    let mut dice = dice(effort, 4);
    let making = Making { settings: settings(), shim: true, ..Making::default() };
    let testbed = Testbed::open(effort.seed, making).await;
    let Some(shim) = &testbed.shim else {
        finding.notes.push("left out: there is no C compiler `cc` on this machine".to_owned());
        return finding.closed(testbed.close(true).await);
    };
    for _ in 0..effort.of(2, 6) {
        let days = dice.random_range(-10..=10_i64);
        shim.tell(days * 86_400 + dice.random_range(-3_600..3_600), false);
        testbed.live(LOAD, Duration::from_millis(dice.random_range(1_200..4_000))).await;
        shim.tell(0, false);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}

async fn dns(effort: Effort) -> Finding {
    let about = "connections cut, names unknown";
    let mut finding = Finding::new("DNS failing", 5 * SECOND, about);
    let mut dice = dice(effort, 5);
    let making = Making { settings: settings(), shim: true, ..Making::default() };
    let testbed = Testbed::open(effort.seed, making).await;
    let Some(shim) = &testbed.shim else {
        finding.notes.push("left out: there is no C compiler `cc` on this machine".to_owned());
        return finding.closed(testbed.close(true).await);
    };
    for _ in 0..effort.of(2, 5) {
        shim.tell(0, true);
        testbed.wire.set(Mode::Refuse);
        // Until every connection of the pool is gone.
        tokio::time::sleep(Duration::from_millis(100)).await;
        testbed.wire.set(Mode::Through);
        let before = testbed.emulator.journal().totals().requests;
        testbed.live(LOAD, span(effort, &mut dice)).await;
        assert!(testbed.emulator.journal().totals().requests <= before + 5, "names are still found");
        shim.tell(0, false);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}

async fn lost(effort: Effort) -> Finding {
    let span = Duration::from_secs(effort.of(2, 60));
    let rhythm = effort.of(
        &[("REALTIME_INTERVAL", "1s"), ("CUMULATIVE_INTERVAL", "2s")][..],
        &[("REALTIME_INTERVAL", "5s"), ("CUMULATIVE_INTERVAL", "5s")][..],
    );
    let about = format!("for {} s; intervals of {}", span.as_secs(), rhythm[1].1);
    let allowed = Duration::from_secs(effort.of(3, 6));
    let mut finding = Finding::new("All callbacks lost", allowed, about);
    let making = Making { settings: settings(), variables: rhythm, ..Making::default() };
    let testbed = Testbed::open(effort.seed, making).await;
    for _ in 0..effort.of(1, 2) {
        testbed.emulator.callbacks().drop_all(true);
        testbed.live(LOAD, span).await;
        finding.tried(testbed.agrees().await);
        testbed.emulator.callbacks().drop_all(false);
    }
    finding.notes.push(format!("{} events lost", testbed.emulator.callbacks().lost()));
    finding.closed(testbed.close(true).await)
}

async fn burst(effort: Effort) -> Finding {
    let events = effort.of(1_000, 10_000);
    let about = format!("{events} events within a second");
    let mut finding = Finding::new("A burst while Twilio is down", 5 * SECOND, about);
    let mut testbed = Testbed::open(1, Making { settings: settings(), ..Making::default() }).await;
    for _ in 0..effort.of(1, 3) {
        testbed.wire.set(Mode::Refuse);
        testbed.live(LOAD, SECOND / 2).await;
        let answers = crowd::post(&testbed, events, SECOND).await;
        let ms = |percent| answers.percentile(percent).as_secs_f64() * 1000.0;
        finding.notes.push(format!(
            "{} events 2xx, {} not, in {:.2} s, p50 {:.2} ms, p99 {:.1} ms (goal 50)",
            answers.times.len(),
            answers.refusals(),
            answers.took.as_secs_f64(),
            ms(50),
            ms(99),
        ));
        if let Some(problem) = answers.problem() {
            testbed.problem(problem);
        }
        testbed.wire.set(Mode::Through);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}

async fn killed(effort: Effort) -> Finding {
    let about = "SIGKILL under load; recovery counts from the restart";
    let mut finding = Finding::new("Killed", 3 * SECOND, about);
    let mut dice = dice(effort, 6);
    let mut testbed = Testbed::open(effort.seed, Making { settings: settings(), ..Making::default() }).await;
    for _ in 0..effort.of(4, 100) {
        testbed.live(LOAD, Duration::from_millis(dice.random_range(0..1_000))).await;
        testbed.kill().await;
        testbed.start();
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(false).await)
}

async fn files(effort: Effort) -> Finding {
    let about = "limit of 60, 300 silent clients; events are refused meanwhile";
    let mut finding = Finding::new("Out of files", 5 * SECOND, about);
    let making = Making { settings: settings(), limits: "ulimit -n 60", ..Making::default() };
    let testbed = Testbed::open(effort.seed, making).await;
    for _ in 0..effort.of(1, 4) {
        let address = testbed.url().trim_start_matches("http://").to_owned();
        let mut crowd = Vec::new();
        for _ in 0..300 {
            let connecting = TcpStream::connect(&address);
            crowd.extend(tokio::time::timeout(SECOND, connecting).await.ok().and_then(Result::ok));
        }
        testbed.live(LOAD, Duration::from_secs(effort.of(1, 4))).await;
        drop(crowd);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(false).await)
}

async fn memory(effort: Effort) -> Finding {
    let about = "64 MiB of data (`ulimit -d`), thousands of events, Twilio down";
    let mut finding = Finding::new("Short of memory", 5 * SECOND, about);
    let making = Making { settings: settings(), limits: "ulimit -d 65536", ..Making::default() };
    let mut testbed = Testbed::open(1, making).await;
    for _ in 0..effort.of(1, 3) {
        testbed.wire.set(Mode::Refuse);
        let answers = crowd::post(&testbed, effort.of(500, 5_000), SECOND).await;
        if let Some(problem) = answers.problem() {
            testbed.problem(problem);
        }
        testbed.wire.set(Mode::Through);
        finding.tried(testbed.agrees().await);
    }
    finding.closed(testbed.close(true).await)
}
