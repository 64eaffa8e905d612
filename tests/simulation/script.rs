//! What happens in the centre (the same for each run of one script), and what the seed of a run makes of its events and of
//! Twilio.

use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use twilio_emulator::{Api, Fault, FaultKind};

use crate::network::{Spell, Trouble};

/// From here on nothing goes wrong any more, and nothing happens in the centre.
pub(crate) const CALM: Duration = Duration::from_secs(16);

/// A script: when the centre takes a step.
pub(crate) struct Script {
    pub(crate) number: u64,
    pub(crate) starts_at: Timestamp,
    /// Rising.
    pub(crate) steps: Vec<Duration>,
}

impl Script {
    pub(crate) fn new(number: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(number ^ 0x005c_2197);
        let steps = dice.random_range(15..40);
        let mut steps: Vec<_> =
            (0..steps).map(|_| Duration::from_millis(dice.random_range(0..12_000))).collect();
        steps.sort_unstable();
        // In every third script a new day begins in the middle.
        let clock = if number.is_multiple_of(3) { "23:59:50" } else { "14:20:00" };
        Self { number, starts_at: format!("2026-03-10T{clock}Z").parse().unwrap(), steps }
    }
}

/// What the seed of one run makes of it.
#[derive(Debug)]
pub(crate) struct Fate {
    /// The probability that an event is lost, and that it comes twice.
    pub(crate) lost: f64,
    pub(crate) doubled: f64,
    /// The longest that an event is on its way.
    pub(crate) late: Duration,
    pub(crate) spells: Vec<Spell>,
    /// Twilio's own faults, from and until when.
    pub(crate) faults: Vec<(Duration, Duration, Fault)>,
    /// How far statistics run behind.
    pub(crate) lag: Duration,
    /// When the service is killed; it starts again a second later.
    pub(crate) killed: Option<Duration>,
    /// When another program deletes what stands in Sync.
    pub(crate) vandal: Option<Duration>,
    /// At which requests the service's own code panics.
    pub(crate) panics: Vec<u64>,
    pub(crate) dice: StdRng,
}

impl Fate {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let moment = |dice: &mut StdRng| Duration::from_millis(dice.random_range(500..12_000));
        let window = |dice: &mut StdRng| {
            let from = moment(dice);
            (from, (from + Duration::from_millis(dice.random_range(200..10_000))).min(CALM))
        };
        let spells = (0..dice.random_range(0..4))
            .map(|_| {
                let (from, until) = window(&mut dice);
                let troubles = [Trouble::Refused, Trouble::Silent, Trouble::AnswersLost, Trouble::Slow];
                Spell { from, until, trouble: troubles[dice.random_range(0..troubles.len())] }
            })
            .collect();
        let faults = (0..dice.random_range(0..3))
            .map(|_| {
                let (from, until) = window(&mut dice);
                let kind = match dice.random_range(0..7) {
                    0 => FaultKind::Status { status: 429, code: Some(20429), retry_after: None },
                    1 => FaultKind::Status { status: 429, code: Some(20429), retry_after: Some(2) },
                    2 => FaultKind::Status { status: 503, code: None, retry_after: None },
                    3 => FaultKind::Reset,
                    4 => FaultKind::MalformedJson,
                    5 => FaultKind::WrongTypes,
                    _ => FaultKind::Truncated,
                };
                let fault = Fault::new(kind);
                let fault = match dice.random_range(0..3) {
                    0 => fault.on(Api::TaskRouter),
                    1 => fault.on(Api::Sync),
                    _ => fault,
                };
                (from, until, if dice.random_bool(0.5) { fault.after_processing() } else { fault })
            })
            .collect();
        Self {
            lost: if dice.random_bool(0.7) { dice.random_range(0.0..1.0) } else { 0.0 },
            doubled: dice.random_range(0.0..0.6),
            late: Duration::from_millis(dice.random_range(1..6_000)),
            spells,
            faults,
            lag: Duration::from_millis(if dice.random_bool(0.3) { dice.random_range(100..4_000) } else { 0 }),
            killed: dice.random_bool(0.25).then(|| moment(&mut dice)),
            vandal: dice.random_bool(0.2).then(|| moment(&mut dice)),
            panics: if dice.random_bool(0.15) {
                (0..3).map(|_| dice.random_range(1..150)).collect()
            } else {
                Vec::new()
            },
            dice,
        }
    }
}
