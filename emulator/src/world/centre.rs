//! How a centre is founded: its Activities, channels, Workflow, queues and Workers, drawn from the seed.

use std::collections::{BTreeSet, HashMap, VecDeque};

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;

use super::Inner;
use super::life::NewQueue;
use super::samples::Sample;
use crate::settings::{NAMED_QUEUES, Settings};
use crate::sid::{Kind, Sid};
use crate::state::table::Table;
use crate::state::{Activity, State, TaskChannel, Workflow};

/// Name, whether Workers in it are available, and how many in a hundred start there.
const ACTIVITIES: [(&str, bool, u32); 5] = [
    ("Offline", false, 17),
    ("Available", true, 60),
    ("Busy", false, 10),
    ("Break", false, 8),
    ("Wrap up", false, 5),
];

const CHANNELS: [(&str, &str); 5] = [
    ("default", "Default"),
    ("voice", "Voice"),
    ("chat", "Programmable Chat"),
    ("sms", "SMS"),
    ("video", "Video"),
];

const QUEUES: [&str; NAMED_QUEUES] =
    ["Support", "Sales", "Billing", "Returns", "Technical", "Retention", "Bookings", "Escalations"];

const FIRST_NAMES: [&str; 24] = [
    "Ada", "Bruno", "Chloé", "Dimitri", "Esra", "Farid", "Greta", "Hugo", "Inés", "Jonas", "Keiko", "Leila",
    "Milan", "Nora", "Oskar", "Priya", "Quentin", "Rosa", "Sven", "Tariq", "Uma", "Viktor", "Wanda", "Zoë",
];

/// In a history every Worker has a hand in a step about this often, so a larger centre was busier.
const HISTORY_PACE_MS: i64 = 46_000;
/// Steps of history at most, so that a long one does not hold up the start.
const HISTORY_STEPS: i64 = 100_000;

/// A Workspace without queues and Workers.
pub(crate) fn empty(settings: &Settings, ids: &mut StdRng, at: i64) -> State {
    let account = Sid::parse(Kind::Account, &settings.account.account_sid);
    let workspace = Sid::parse(Kind::Workspace, &settings.account.workspace_sid);
    let activity = |(name, available, _): (&str, bool, u32), ids: &mut StdRng| Activity {
        sid: Sid::draw(Kind::Activity, ids),
        name: name.to_owned(),
        available,
        created: at,
        updated: at,
    };
    let channel = |(unique_name, name): (&str, &str), ids: &mut StdRng| TaskChannel {
        sid: Sid::draw(Kind::TaskChannel, ids),
        unique_name: unique_name.to_owned(),
        name: name.to_owned(),
        optimized_routing: true,
        created: at,
    };
    State {
        // `Emulator::start` has checked both.
        account: account.unwrap_or(Sid::fixed(Kind::Account, 0)),
        sid: workspace.unwrap_or(Sid::fixed(Kind::Workspace, 0)),
        name: settings.workspace_name.clone(),
        default_activity: 0,
        timeout_activity: 0,
        multi_task: true,
        queue_order: "FIFO".to_owned(),
        operating_unit: Sid::draw(Kind::OperatingUnit, ids),
        created: at,
        updated: at,
        activities: ACTIVITIES.into_iter().map(|a| activity(a, ids)).collect(),
        channels: CHANNELS.into_iter().map(|c| channel(c, ids)).collect(),
        workflows: vec![Workflow {
            sid: Sid::draw(Kind::Workflow, ids),
            name: "Assign to Anyone".to_owned(),
        }],
        queues: Table::default(),
        workers: Table::default(),
        tasks: Table::default(),
        reservations: Table::default(),
        open: BTreeSet::new(),
        pools: HashMap::new(),
        finished: VecDeque::new(),
    }
}

/// The name of the n-th queue of `count`, and the skill it asks for.
fn queue_name(n: usize, of: usize) -> (String, String) {
    match QUEUES.get(n).filter(|_| of <= NAMED_QUEUES) {
        Some(name) => ((*name).to_owned(), name.to_lowercase()),
        None => (format!("Queue {:03}", n + 1), format!("queue-{:03}", n + 1)),
    }
}

impl Inner {
    /// Opens the queues and lets the Workers in. Each Worker has the skill of one queue for certain, so that every
    /// queue has a Worker, and mostly of one or two more.
    pub(crate) fn populate(&mut self, settings: &Settings, at: i64) {
        let (queues, workers) = (settings.queues, settings.workers);
        let (founded, _) = self.transaction(at, |transaction, dice| {
            for n in 0..queues {
                let (name, skill) = queue_name(n, queues);
                let expression = format!(r#"skills HAS "{skill}""#);
                transaction.add_queue(NewQueue { expression, ..NewQueue::named(&name) })?;
            }
            for n in 0..workers {
                let mut skills = vec![n % queues.max(1)];
                for _ in 0..dice.random_range(0..3) {
                    skills.push(dice.random_range(0..queues.max(1)));
                }
                skills.sort_unstable();
                skills.dedup();
                let skills: Vec<_> = skills.into_iter().map(|n| queue_name(n, queues).1).collect();
                let round = n / FIRST_NAMES.len();
                let first = FIRST_NAMES[n % FIRST_NAMES.len()];
                let name = if round == 0 { first.to_owned() } else { format!("{first} {}", round + 1) };
                let contact = format!("client:{}", name.to_lowercase().replace(' ', "_"));
                let attributes = json!({ "skills": skills, "contact_uri": contact });
                transaction.add_worker(&name, attributes.into(), random_activity(dice))?;
            }
            Ok(())
        });
        if let Err(error) = founded {
            tracing::error!(%error, "the centre could not be founded as asked");
        }
        self.history.clear();
    }

    /// Lives from one moment to another; returns what the statistics showed meanwhile, if that is wanted.
    pub(crate) fn live_through(&mut self, settings: &Settings, opened: i64, now: i64) -> Vec<Sample> {
        let crew = i64::try_from(self.state.workers.len()).unwrap_or(i64::MAX).max(1);
        let pace = (HISTORY_PACE_MS / crew).max((now - opened) / HISTORY_STEPS).max(1);
        let every = settings.samples_every.and_then(|every| i64::try_from(every.as_millis()).ok());
        let mut next_sample = every.map_or(i64::MAX, |every| opened + every.max(1));
        let mut samples = Vec::new();
        let mut at = opened;
        while at + pace < now {
            at += pace;
            while next_sample < at {
                let splits = &settings.sample_splits;
                samples.push(Sample::take(&self.state, &self.figures, opened, next_sample, splits));
                next_sample += every.unwrap_or(i64::MAX).max(1);
            }
            self.step(at);
        }
        samples
    }
}

/// An Activity, as often as `ACTIVITIES` says.
pub(crate) fn random_activity(dice: &mut StdRng) -> usize {
    let mut roll = dice.random_range(0..100);
    for (n, (_, _, share)) in ACTIVITIES.iter().enumerate() {
        if roll < *share {
            return n;
        }
        roll -= share;
    }
    0
}
