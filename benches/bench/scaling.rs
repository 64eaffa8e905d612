//! What several replicas cost and bring: freshness, takeover, clients, and what they ask of Redis.

use std::time::{Duration, Instant};

use twilio_emulator::{FlexToken, Settings};

use crate::changes::{Freshness, Tasks};
use crate::crowd::{Crowd, Place};
use crate::limits::Observed;
use crate::replicas::{Redis, Replica, one_leads, three};
use crate::stats::{Sample, ms, tenths};
use crate::table::{Goal, Section, Table};
use crate::testbed::{Effort, Opening, Stage, Testbed};

const QUEUES: usize = 20;
const TOKEN: &str = "a-flex-token";
const EVENTS_A_SECOND: f64 = 10.0;
const SPACING: Duration = Duration::from_millis(500);
const TURNS: usize = 4;

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let Some(redis) = Redis::start().await else {
        let about =
            "Left out: there is no redis-server on this machine (tests/redis installs it).".to_owned();
        return (
            Section { title: "Several replicas", about, tables: Vec::new(), goals: Vec::new() },
            Vec::new(),
        );
    };
    let changes = effort.of(5, 25);
    let clients = effort.of(300, 3000);

    let (stage, mut tasks) = stage("one replica").await;
    let one = stage.open(effort, Opening::default()).await;
    one.ready().await;
    one.agrees().await;
    let (stage, mut tasks_of_three) = self::stage("three replicas").await;
    let (testbed, mut others) = three("three", effort, stage, &redis).await;
    testbed.agrees().await;
    let (mut alone, mut shared) = (Freshness::default(), Freshness::default());
    // In turns, so that what the machine does meanwhile meets both alike.
    for _ in 0..effort.of(1, TURNS) {
        alone = alone.and(Freshness::measure(&one, &mut tasks, changes, Duration::ZERO).await);
        shared = shared.and(Freshness::measure(&testbed, &mut tasks_of_three, changes, Duration::ZERO).await);
    }
    let crowd_of_one = crowd(effort, &one, &[one.url().to_owned()], clients).await;
    let mut observed = vec![one.stop().await];
    let asked = commands(effort, &testbed, &redis).await;
    let urls: Vec<String> = std::iter::once(testbed.url().to_owned())
        .chain(others.iter().map(|other| other.url.clone()))
        .collect();
    let crowd_of_three = crowd(effort, &testbed, &urls, clients).await;
    let takeovers = takeovers(testbed, &mut others, &mut observed).await;

    let section = Section {
        title: "Several replicas",
        about: format!(
            "One replica without Redis and three with one, on this machine, at {QUEUES} TaskQueues; lease of 5 s. *Freshness*: one \
             change a second, {TURNS} turns; with three, events arrive at a follower. *Clients*: {clients} websockets, all at one \
             replica or a third at each, a change every {} ms; on shared cores this shows Redis's cost only. *Redis commands* include those in \
             scripts; an event's share is what {EVENTS_A_SECOND:.0} events a second add. *Takeover*: from SIGKILL of the leader \
             until another leads and is ready.",
            SPACING.as_millis()
        ),
        tables: vec![
            freshness(&alone, &shared),
            served(&crowd_of_one, &crowd_of_three, clients),
            asked.table(),
            takeover(&takeovers),
        ],
        goals: goals(&alone, &shared),
    };
    (section, observed)
}

async fn stage(name: &str) -> (Stage, Tasks) {
    let stage = Stage::found(name, Settings { queues: QUEUES, ..Settings::default() }).await;
    stage.emulator.tokens().register(TOKEN, FlexToken::default());
    let tasks = Tasks::new(stage.emulator.world(), 1);
    (stage, tasks)
}

/// The figures of these replicas' clients.
struct Served {
    all_there: Duration,
    late: Sample<Duration>,
}

async fn crowd(effort: &Effort, testbed: &Testbed, urls: &[String], clients: usize) -> Served {
    let (begin, each) = (Instant::now(), clients / urls.len());
    let crowds: Vec<Crowd> = urls
        .iter()
        .map(|url| {
            let address = url.trim_start_matches("http://").parse().unwrap();
            let header = format!("token: {TOKEN}");
            Crowd::gather(each, Place { address, target: "/api/feed", header, items: QUEUES })
        })
        .collect();
    for crowd in &crowds {
        crowd.served(each).await;
    }
    let all_there = begin.elapsed();
    crowds.iter().for_each(|crowd| crowd.record(true));
    let end = Instant::now() + Duration::from_secs(effort.of(3, 15));
    while Instant::now() < end {
        testbed.emulator.world().step();
        tokio::time::sleep(SPACING).await;
    }
    crowds.iter().for_each(|crowd| crowd.record(false));
    let mut late = Vec::new();
    for crowd in crowds {
        late.extend(crowd.leave().await.concat());
    }
    Served { all_there, late: Sample::new(late) }
}

/// The commands sent to Redis.
struct Asked {
    at_rest: f64,
    busy: f64,
    an_event: f64,
}

async fn commands(effort: &Effort, testbed: &Testbed, redis: &Redis) -> Asked {
    let span = Duration::from_secs(effort.of(5, 20));
    let before = redis.commands().await;
    tokio::time::sleep(span).await;
    let between = redis.commands().await;
    let window = testbed.watch(testbed.live(EVENTS_A_SECOND, span)).await;
    let after = redis.commands().await;
    let at_rest = (between - before) as f64 / span.as_secs_f64();
    let busy = (after - between) as f64 / window.span.as_secs_f64();
    let an_event = (busy - at_rest) * window.span.as_secs_f64() / window.events as f64;
    Asked { at_rest, busy, an_event }
}

impl Asked {
    fn table(&self) -> Table {
        let mut table = Table::new(&["Redis commands", "a second at rest", "a second busy", "an event"]);
        table.row(&[&"", &tenths(self.at_rest), &tenths(self.busy), &tenths(self.an_event)]);
        table
    }
}

/// Kills the leader until one replica is left.
async fn takeovers(
    testbed: Testbed,
    others: &mut Vec<Replica>,
    observed: &mut Vec<Observed>,
) -> Vec<Duration> {
    let (name, emulator) = testbed.kill().await;
    let mut times = Vec::new();
    let (took, leader) = one_leads(others).await;
    times.push(took);
    others.remove(leader).service.kill().await;
    let (took, _) = one_leads(others).await;
    times.push(took);
    for other in others.drain(..) {
        other.service.stop().await;
    }
    observed.push(Observed::of(name, &emulator.journal().entries()));
    emulator.shutdown().await;
    times
}

fn freshness(alone: &Freshness, shared: &Freshness) -> Table {
    let mut table = Table::new(&["Whole item, ms", "Changes", "p50", "p99", "max", "Missed"]);
    for (name, fresh) in [("one replica", alone), ("three replicas", shared)] {
        let [p50, p99] = [50, 99].map(|percent| ms(fresh.whole.percentile(percent)));
        table.row(&[&name, &fresh.whole.len(), &p50, &p99, &ms(fresh.whole.max()), &fresh.missed]);
    }
    table
}

fn served(one: &Served, three: &Served, clients: usize) -> Table {
    let mut table =
        Table::new(&["Clients", "Number", "Texts", "p50 ms", "p99 ms", "max ms", "All there after ms"]);
    for (name, served) in [("of one replica", one), ("of three", three)] {
        let [p50, p99] = [50, 99].map(|percent| ms(served.late.percentile(percent)));
        let max = ms(served.late.max());
        table.row(&[&name, &clients, &served.late.len(), &p50, &p99, &max, &ms(served.all_there)]);
    }
    table
}

fn takeover(times: &[Duration]) -> Table {
    let mut table = Table::new(&["Takeover after SIGKILL", "ms"]);
    for (n, time) in times.iter().enumerate() {
        table.row(&[&(n + 1), &ms(*time)]);
    }
    table
}

fn goals(alone: &Freshness, shared: &Freshness) -> Vec<Goal> {
    let goal = |what, percent| {
        let (one, three) = (alone.whole.percentile(percent), shared.whole.percentile(percent));
        Goal {
            what,
            goal: format!("≤ {} ms + 10 ms", ms(one)),
            figure: format!("{} ms", ms(three)),
            met: three <= one + Duration::from_millis(10) && shared.missed == 0,
        }
    };
    vec![
        goal("Changed queue with three replicas against one, whole item, p50", 50),
        goal("Changed queue with three replicas against one, whole item, p99", 99),
    ]
}
