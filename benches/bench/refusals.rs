//! What an account costs whose TaskRouter lacks bulk reads or lists.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use twilio_emulator::{Answers, Api, Combined, Entry, Settings};

use crate::limits::Observed;
use crate::stats::tenths;
use crate::table::{Section, Table};
use crate::testbed::{CHANNELS, Effort, Opening, Stage};

const SIZES: [usize; 3] = [20, 100, 1000];
/// The first learning is not part of what is counted.
const WARM_UP: Duration = Duration::from_secs(5);
/// What timers may spend on single queues, and how often they want cumulative values (`docs/limits.md`, README).
const SINGLES_A_SECOND: usize = 20;
const CUMULATIVE_INTERVAL: usize = 30;

/// A kind of account, by what its TaskRouter answers.
#[derive(Debug, Clone, Copy)]
struct Account {
    name: &'static str,
    answers: Answers,
}

struct Case {
    account: Account,
    queues: usize,
    calls_a_minute: f64,
    cpu: f64,
    /// The longest time for which a value went unread.
    worst: Duration,
    values: usize,
    /// Values that were never read in the time.
    unread: usize,
    span: Duration,
}

fn accounts() -> [Account; 3] {
    let short = Answers { combined_cumulative: Combined::AsPublished, ..Answers::default() };
    let no_list = Answers { refuse_list: Some(403), ..Answers::default() };
    [
        Account { name: "combined answers are short", answers: short },
        Account { name: "no list", answers: no_list },
        Account { name: "both", answers: Answers { refuse_list: Some(403), ..short } },
    ]
}

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let mut measuring = JoinSet::new();
    for account in accounts() {
        for queues in SIZES {
            let effort = effort.clone();
            measuring.spawn(async move { one_case(&effort, account, queues).await });
        }
    }
    let (mut cases, limits): (Vec<Case>, Vec<Observed>) = measuring.join_all().await.into_iter().unzip();
    cases.sort_by_key(|case| (case.account.name, case.queues));
    let mut table = Table::new(&[
        "Account",
        "Queues",
        "TaskRouter calls/min",
        "CPU ms/s",
        "Cumulative values",
        "Longest unread s",
        "Least possible s",
        "Never read",
    ]);
    for case in &cases {
        let longest = tenths(case.worst.as_secs_f64());
        let longest = if case.unread > 0 { format!("> {longest}") } else { longest };
        table.row(&[
            &case.account.name,
            &case.queues,
            &format!("{:.0}", case.calls_a_minute),
            &tenths(case.cpu),
            &case.values,
            &longest,
            &(case.values / SINGLES_A_SECOND).max(CUMULATIVE_INTERVAL),
            &case.unread,
        ]);
    }
    let section = Section {
        title: "Where TaskRouter offers less",
        about: format!(
            "At rest, three channels. *Combined answers are short*: they lack cumulative fields, which are then read by a call for \
             each TaskQueue and channel. *No list*: the list of statistics is refused with 403. *Longest unread* and *never read* \
             refer to single cumulative values within {:.0} s, from {} s after the start. *Least possible*: {SINGLES_A_SECOND} \
             single calls a second in turn, or the interval of {CUMULATIVE_INTERVAL} s if longer.",
            cases.first().map_or(0.0, |case| case.span.as_secs_f64()),
            WARM_UP.as_secs(),
        ),
        tables: vec![table],
        goals: Vec::new(),
    };
    (section, limits)
}

async fn one_case(effort: &Effort, account: Account, queues: usize) -> (Case, Observed) {
    let settings = Settings { queues, ..Settings::default() };
    let stage = Stage::found(&format!("{} {queues}", account.name), settings).await;
    let testbed = stage.open(effort, Opening { answers: account.answers, ..Opening::default() }).await;
    // Not until it is ready: a large workspace may not get there.
    tokio::time::sleep(WARM_UP).await;
    let begin = Instant::now();
    let window = testbed.watch(tokio::time::sleep(Duration::from_secs(effort.of(32, 220)))).await;
    let end = begin + window.span;
    let requests = testbed.requests_since(begin);
    let reads = cumulative_reads(&requests, account.answers);
    let waits = |at: &Vec<Instant>| {
        let (from, to) = (std::iter::once(&begin).chain(at), at.iter().chain([&end]));
        from.zip(to).map(|(from, to)| to.duration_since(*from)).max().unwrap_or_default()
    };
    let values = queues * (1 + CHANNELS.len());
    let worst =
        if reads.len() < values { window.span } else { reads.values().map(waits).max().unwrap_or_default() };
    let case = Case {
        account,
        queues,
        calls_a_minute: window.a_minute(window.taskrouter),
        cpu: window.cpu_ms_a_second(),
        worst,
        values,
        unread: values - reads.len(),
        span: window.span,
    };
    (case, testbed.stop().await)
}

/// When each value was read; a value is known by its queue's path and its channel.
fn cumulative_reads(requests: &[Entry], answers: Answers) -> HashMap<(&str, Option<&str>), Vec<Instant>> {
    let combined_is_short = answers.combined_cumulative == Combined::AsPublished;
    let mut reads: HashMap<_, Vec<Instant>> = HashMap::new();
    for request in requests.iter().filter(|request| request.api == Api::TaskRouter && request.status == 200) {
        let Some((queue, what)) = request.path.rsplit_once('/') else { continue };
        let complete = what == "CumulativeStatistics" || what == "Statistics" && !combined_is_short;
        if complete && queue.contains("/TaskQueues/") {
            let channel = request.query.split('&').find_map(|pair| pair.strip_prefix("TaskChannel="));
            reads.entry((queue, channel)).or_default().push(request.at);
        }
    }
    reads
}
