//! The same simulated centre twice: beside a formula process that never answers, and beside none at all. Every write of a
//! statistic happens at the same moment.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Request, Response};
use taskrouter_sync::config::CoreConfig;
use taskrouter_sync::event::Event;
use taskrouter_sync::form::Form;
use taskrouter_sync::telemetry::metrics::Monitor;
use taskrouter_sync::twilio::transport::{Answering, Failure, Transport};
use taskrouter_sync::twilio::{Apis, Client};
use taskrouter_sync::{layout, publish, refresh, wallboard};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use twilio_emulator::{Emulator, Settings};

use crate::run::{set_wall, wall};
use crate::script::Script;

/// One way's delay.
const DELAY: Duration = Duration::from_millis(15);
const END: Duration = Duration::from_secs(40);

/// A network on which nothing goes wrong, and that notes when statistics are written.
struct Steady {
    emulator: Arc<Emulator>,
    begin: Instant,
    writes: Mutex<Vec<(Duration, String)>>,
}

impl Transport for Steady {
    fn carry(&self, request: Request) -> Answering<'_> {
        let target = match request.url().query() {
            Some(query) => format!("{}?{query}", request.url().path()),
            None => request.url().path().to_owned(),
        };
        let statistics = ["queueStats", "dashboard-data"].iter().any(|name| target.contains(name));
        if request.method() == "POST" && statistics {
            self.writes.lock().unwrap().push((self.begin.elapsed(), target.clone()));
        }
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec();
        let mut asked = http::Request::builder().method(request.method()).uri(&target);
        asked.headers_mut().unwrap().extend(request.headers().clone());
        asked.headers_mut().unwrap().insert("host", "twilio.example".parse().unwrap());
        let asked = asked.body(body).unwrap();
        Box::pin(async move {
            sleep(DELAY).await;
            let answer = self.emulator.answer(asked).await;
            sleep(DELAY).await;
            answer.map(Response::from).map_err(|cut| Failure::Broken(cut.to_string()))
        })
    }
}

fn config(emulator: &Emulator, formula_program: &Path) -> CoreConfig {
    let account = emulator.account();
    let variables: HashMap<&str, &str> = [
        ("TWILIO_ACCOUNT_SID", account.account_sid.as_str()),
        ("TWILIO_AUTH_TOKEN", &account.auth_token),
        ("TWILIO_WORKSPACE_SID", &account.workspace_sid),
        ("TWILIO_SYNC_SERVICE_SID", &account.sync_service_sid),
        ("STATS_CHANNELS", "voice"),
        ("SYNC_LAYOUTS", "queue-map,dashboard-document,dashboard-metrics"),
        ("REALTIME_INTERVAL", "5s"),
        ("CUMULATIVE_INTERVAL", "10s"),
    ]
    .into();
    let mut config = CoreConfig::read(&|name| variables.get(name).map(|value| (*value).to_owned())).unwrap();
    config.formula_program = formula_program.to_owned();
    config
}

/// When each statistic was written, and whether there were tiles.
async fn run(script: &Script, formula_program: &Path) -> (Vec<(Duration, String)>, bool) {
    fastrand::seed(1);
    let settings = Settings {
        queues: 2,
        workers: 4,
        seed: script.number,
        starts_at: Some(script.starts_at),
        ..Settings::default()
    };
    let emulator = Arc::new(Emulator::without_network(&settings).unwrap());
    emulator.callbacks().set_url("http://service.example/taskrouter/events");
    let begin = Instant::now();
    set_wall(begin, script.starts_at);
    let network = Arc::new(Steady { emulator: emulator.clone(), begin, writes: Mutex::default() });
    let config = config(&emulator, formula_program);
    let client = Arc::new(Client::with_transport(&config.twilio, network.clone()));
    let Apis { taskrouter, sync, .. } = Apis::of(&config, client);
    let layouts = layout::all(&config);
    let needs = layout::needs(&layouts);
    let monitor = Monitor::default();
    let statistics = config.statistics.clone();
    let (refresher, reader) =
        refresh::RefreshWorker::with_wall_clock(taskrouter, config.refresh, statistics, needs, wall);
    let (_handle, tiles, evaluating) =
        wallboard::WallboardWorker::new(&config, sync.clone(), refresher.snapshots());
    let snapshots = refresher.snapshots();
    let (_, writer) =
        publish::PublishWorker::new(sync, &config.sync, layouts, snapshots, tiles, None, monitor);
    let mut tasks = JoinSet::new();
    tasks.spawn(reader.run(CancellationToken::new()));
    tasks.spawn(writer.run(CancellationToken::new(), Duration::ZERO));
    tasks.spawn(evaluating.run(CancellationToken::new()));
    for at in &script.steps {
        sleep_until(begin + *at).await;
        let _ = emulator.world().step();
        for params in emulator.callbacks().take() {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
            refresher.mark(&Event::from_form(&Form::parse(body.as_bytes()).unwrap()).touch());
        }
    }
    sleep_until(begin + END).await;
    tasks.shutdown().await;
    let writes = std::mem::take(&mut *network.writes.lock().unwrap());
    (writes, emulator.sync().document("dashboard-metrics").is_some())
}

/// A program that takes requests and never answers.
fn silent(directory: &tempfile::TempDir) -> PathBuf {
    let program = directory.path().join("silent");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn a_formula_process_that_never_answers_moves_no_write_of_a_statistic() {
    let directory = tempfile::tempdir().unwrap();
    let runs = [silent(&directory), directory.path().join("not-there")].map(|program| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(run(&Script::new(1), &program))
    });
    let [(beside_silent, _), (beside_none, has_tiles)] = runs;
    assert!(has_tiles, "tiles say that they can't be evaluated");
    assert!(beside_none.len() > 20, "{} writes", beside_none.len());
    assert_eq!(beside_silent, beside_none);
}
