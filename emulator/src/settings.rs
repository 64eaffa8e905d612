//! The settings of an emulator at its start.
//!
//! Plain values with defaults that suit a test: a quiet centre of eight queues and 23 workers, no tasks, a free port,
//! no latency, Twilio's documented limits. Limits, lag and latency can be changed while it runs; the rest is fixed.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::sid::{Kind, Sid};

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen. Default `127.0.0.1:0`, a free port.
    pub listen: SocketAddr,
    /// How others reach us, if that differs from what they put into `Host` (behind a proxy). No trailing slash.
    pub public_url: Option<String>,
    pub account: Account,
    /// The seed of SIDs, workers and `step`.
    pub seed: u64,
    /// Number of TaskQueues. Up to eight are named (Support, Sales, …), more are "Queue 001" and so on.
    pub queues: usize,
    pub workers: usize,
    pub workspace_name: String,
    /// How much faster a driven centre lives: it multiplies the rate of `drive`. Default 1.
    pub speed: f64,
    /// What its clock shows at the start. Default the machine's time.
    pub starts_at: Option<Timestamp>,
    /// How long the centre has been open already: its history is simulated before the first request. Default none.
    pub history: Duration,
    /// How often statistics are kept during the history, for `World::samples`. Default never.
    pub samples_every: Option<Duration>,
    /// Thresholds in seconds by which the samples' waits are split.
    pub sample_splits: Vec<u32>,
    /// Twilio's limits; each can be switched off.
    pub limits: Limits,
    pub answers: Answers,
    /// How the centre behaves by itself, also in its history.
    pub life: Life,
    /// How far statistics run behind the events. Default none.
    pub statistics_lag: Duration,
    /// How many callbacks may be on their way at the same time. 1 keeps them in order.
    pub callback_concurrency: usize,
}

/// At most this many queues carry a proper name.
pub(crate) const NAMED_QUEUES: usize = 8;

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            account: Account::default(),
            seed: 1,
            queues: NAMED_QUEUES,
            workers: 23,
            workspace_name: "Flex Task Assignment".to_owned(),
            speed: 1.0,
            starts_at: None,
            history: Duration::ZERO,
            samples_every: None,
            sample_splits: Vec::new(),
            limits: Limits::default(),
            answers: Answers::default(),
            life: Life::default(),
            statistics_lag: Duration::ZERO,
            callback_concurrency: 16,
        }
    }
}

/// How a centre lives that steps by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Life {
    /// Everything happens at even odds: good for tests, but no realistic centre for a dashboard.
    #[default]
    Restless,
    /// Well staffed, with waits of a few seconds; one TaskQueue gets into trouble.
    Healthy {
        /// When the trouble begins, counted from when the centre opened.
        trouble_after: Duration,
    },
}

/// The account, its credentials and the two containers that everything lives in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// The Account SID, `AC…`.
    pub account_sid: String,
    /// The primary Auth Token: REST password and key of callback signatures.
    pub auth_token: String,
    /// The API key's SID, `SK…`.
    pub api_key_sid: String,
    /// The API key's secret: REST password and key of access tokens.
    pub api_key_secret: String,
    /// The Workspace SID, `WS…`.
    pub workspace_sid: String,
    /// The Sync Service SID, `IS…`.
    pub sync_service_sid: String,
}

impl Default for Account {
    /// Invented values of the right form. They are composed here so that no literal looks like a real secret.
    fn default() -> Self {
        const INVENTED: u128 = 0xe0_1a7e_0001;
        let sid = |kind| Sid::fixed(kind, INVENTED).to_string();
        Self {
            account_sid: sid(Kind::Account),
            auth_token: format!("{:032x}", INVENTED + 1),
            api_key_sid: sid(Kind::ApiKey),
            api_key_secret: format!("emulator-secret-{:016x}", INVENTED),
            workspace_sid: sid(Kind::Workspace),
            sync_service_sid: sid(Kind::SyncService),
        }
    }
}

/// Twilio's limits. `None` switches one off.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Limits {
    /// How Sync's burst window of ten seconds is counted.
    pub burst: Burst,
    /// Writes per second to one Sync object (a Document, or a whole Map) with a payload of up to 1 KiB; larger
    /// payloads get proportionally less, down to a tenth from 10 KiB on. Ten seconds' worth may burst.
    pub sync_writes: Option<f64>,
    /// Reads per second of one Sync object; ten seconds' worth may burst.
    pub sync_reads: Option<f64>,
    /// Sync objects created per second; ten seconds' worth may burst.
    pub sync_creates: Option<f64>,
    /// Messages per second to one Stream; ten seconds' worth may burst.
    pub stream_messages: Option<f64>,
    /// Permission reads and writes per second and object; ten seconds' worth may burst.
    pub permissions: Option<f64>,
    /// Bulk real-time statistics requests per second.
    pub bulk_per_second: Option<f64>,
    /// List requests per second with an expression to evaluate, for each such parameter.
    pub expressions_per_second: Option<f64>,
    /// Requests per second to any one TaskRouter endpoint. Twilio does not publish its numbers; off by default.
    pub taskrouter_per_second: Option<f64>,
    /// Requests of the account in flight at the same time, over all products. 100 is hearsay.
    pub concurrency: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            burst: Burst::Bucket,
            sync_writes: Some(20.0),
            sync_reads: Some(20.0),
            sync_creates: Some(20.0),
            stream_messages: Some(30.0),
            permissions: Some(80.0),
            bulk_per_second: Some(5.0),
            expressions_per_second: Some(3.0),
            taskrouter_per_second: None,
            concurrency: Some(100),
        }
    }
}

impl Limits {
    pub const fn off() -> Self {
        Self {
            burst: Burst::Bucket,
            sync_writes: None,
            sync_reads: None,
            sync_creates: None,
            stream_messages: None,
            permissions: None,
            bulk_per_second: None,
            expressions_per_second: None,
            taskrouter_per_second: None,
            concurrency: None,
        }
    }
}

/// A reading of "up to 20/s per object, burst window: 10 s" (Sync Limits), which can be understood in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Burst {
    /// A token bucket that holds ten seconds' worth: 200 at once, and 20 a second beside them.
    #[default]
    Bucket,
    /// The strictest reading: at most ten seconds' worth in any ten seconds.
    Window,
}

/// Variations of TaskRouter's answers, where documentation, examples, descriptions and recordings disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// What the cumulative part of the combined `Statistics` answers, and of their list, holds.
    pub combined_cumulative: Combined,
    /// What the real-time part holds.
    pub combined_realtime: CombinedRealtime,
    /// Which fields are `null`, of those that Twilio's API description files allow to be.
    pub nulls: Nulls,
    /// Counts as text instead of numbers, as the field descriptions say.
    pub counts_as_text: bool,
    /// Refuse `POST TaskQueues/RealTimeStatistics` with this status (403 or 404).
    pub refuse_bulk: Option<u16>,
    /// Refuse `GET TaskQueues/Statistics` with this status (403 or 404).
    pub refuse_list: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combined {
    /// All fields of the separate real-time and cumulative answers.
    #[default]
    Complete,
    /// Only the fields of the published examples: no `tasks_by_priority`, `tasks_completed`, wait durations or split.
    AsPublished,
    /// As recorded from the live API: beside all fields also `tasks_assigned`, `reservations_wrapup` and
    /// `reservations_completed`.
    AsRecorded,
    /// As another note has it: all fields but `avg_task_acceptance_time` and `split_by_wait_time`.
    WithoutAverages,
}

/// How full the real-time part of a combined statistics answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CombinedRealtime {
    #[default]
    Plain,
    /// As recorded from the live API: a queue's `longest_relative_*`, the SIDs of account, Workspace and queue once more,
    /// and `completed` and `canceled` in `tasks_by_status`.
    AsRecorded,
}

/// Where answers hold `null` instead of a value. The fields are those that Twilio's API description files mark as
/// nullable: `activity_statistics`, `tasks_by_priority`, `tasks_by_status`, `start_time`, `end_time`, `available`,
/// `priority`, `assignment_status`, and the `friendly_name` of a TaskQueue, Worker or Activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nulls {
    #[default]
    Never,
    /// Where the value would be an empty list or object, or hold nothing but zeros.
    Empty,
    /// In the first entry of each list, and in answers about a single thing.
    First,
    Always,
}
