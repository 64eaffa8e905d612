//! The network between the service and Twilio, simulated: delays, partitions, lost answers. Its only dice are seeded, and
//! its only time is the paused clock's.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Request, Response};
use taskrouter_sync::twilio::transport::{Answering, Failure, Transport};
use tokio::time::{Instant, sleep, timeout};
use twilio_emulator::Emulator;

use crate::script::CALM;

/// What is wrong with the network for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Connections are refused at once.
    Refused,
    /// Nothing arrives, and connections stay open.
    Silent,
    /// Requests arrive and are carried out; their answers do not come back.
    AnswersLost,
    /// Everything takes up to three seconds longer each way.
    Slow,
}

/// When.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spell {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) trouble: Trouble,
}

/// The road to one emulator.
pub(crate) struct Network {
    emulator: Arc<Emulator>,
    spells: Vec<Spell>,
    begin: Instant,
    /// The longest that a request may take, as the client is configured.
    patience: Duration,
    /// What one way to TaskRouter and to Sync takes at least, and what may be added, where it is always about the same.
    steady: Option<([Duration; 2], Duration)>,
    inner: Mutex<Inner>,
}

struct Inner {
    dice: StdRng,
    requests: u64,
    /// Of every request and what became of it.
    trace: DefaultHasher,
    panics: Vec<u64>,
    /// Writes to Sync's objects: when each arrived, at which object, and the length of its payload.
    writes: Vec<(Instant, String, usize)>,
}

impl Network {
    /// `panics` are the numbers of the requests at which the service's own code panics, where they come before the calm.
    pub(crate) fn new(
        emulator: Arc<Emulator>,
        spells: Vec<Spell>,
        patience: Duration,
        panics: Vec<u64>,
        seed: u64,
    ) -> Self {
        let dice = StdRng::seed_from_u64(seed ^ 0x0007_e7e7);
        let inner = Inner { dice, requests: 0, trace: DefaultHasher::new(), panics, writes: Vec::new() };
        Self { emulator, spells, begin: Instant::now(), patience, steady: None, inner: Mutex::new(inner) }
    }

    /// Without any trouble: one way to TaskRouter and to Sync takes this long, and up to `jitter` longer.
    pub(crate) fn steady(
        emulator: Arc<Emulator>,
        one_way: [Duration; 2],
        jitter: Duration,
        seed: u64,
    ) -> Self {
        let network = Self::new(emulator, Vec::new(), Duration::from_secs(10), Vec::new(), seed);
        Self { steady: Some((one_way, jitter)), ..network }
    }

    /// How many requests there were, and a fingerprint of all of them in their order and at their times.
    pub(crate) fn trace(&self) -> (u64, u64) {
        let inner = self.inner.lock().unwrap();
        (inner.requests, inner.trace.finish())
    }

    /// The writes to Sync so far: when each arrived, at which object, and the length of its payload.
    pub(crate) fn writes(&self) -> Vec<(Instant, String, usize)> {
        self.inner.lock().unwrap().writes.clone()
    }

    /// Notes a write to a Map or a Document of Sync as it arrives.
    fn note_write(&self, request: &http::Request<Vec<u8>>) {
        let path: Vec<&str> = request.uri().path().split('/').collect();
        let kind = path.iter().position(|part| ["Maps", "Documents"].contains(part));
        let Some(at) = kind.filter(|_| request.method() == http::Method::POST) else { return };
        let Some(name) = path.get(at + 1) else { return };
        let mut fields = form_urlencoded::parse(request.body());
        let bytes = fields.find(|(field, _)| field == "Data").map_or(0, |(_, data)| data.len());
        let object = format!("{} {name}", path[at]);
        self.inner.lock().unwrap().writes.push((Instant::now(), object, bytes));
    }

    fn trouble(&self) -> Option<Trouble> {
        let now = self.begin.elapsed();
        self.spells.iter().find(|spell| (spell.from..spell.until).contains(&now)).map(|spell| spell.trouble)
    }

    fn note(&self, what: impl Hash) {
        let at = self.begin.elapsed();
        (at, what).hash(&mut self.inner.lock().unwrap().trace);
    }

    /// One way's delay.
    fn delay(&self, is_sync: bool) -> Duration {
        if let Some((one_way, jitter)) = self.steady {
            let more = self.inner.lock().unwrap().dice.random_range(Duration::ZERO..jitter);
            return one_way[usize::from(is_sync)] + more;
        }
        let mut inner = self.inner.lock().unwrap();
        let usual = Duration::from_micros(inner.dice.random_range(2_000..40_000));
        // One in fifty is held up.
        let held_up = if inner.dice.random_bool(0.02) { inner.dice.random_range(100..900) } else { 0 };
        let slow = inner.dice.random_range(0..3_000);
        drop(inner);
        let slow = if self.trouble() == Some(Trouble::Slow) { slow } else { 0 };
        usual + Duration::from_millis(held_up + slow)
    }

    async fn exchange(&self, request: http::Request<Vec<u8>>) -> Result<Response, Failure> {
        let broken = |reason: &str| Failure::Broken(format!("{reason}, as simulated"));
        let is_sync = request.uri().path().starts_with("/v1/Services");
        sleep(self.delay(is_sync)).await;
        match self.trouble() {
            Some(Trouble::Refused) => return Err(broken("refused")),
            Some(Trouble::Silent) => std::future::pending().await,
            Some(Trouble::AnswersLost | Trouble::Slow) | None => {}
        }
        self.note_write(&request);
        let answer = self.emulator.answer(request).await;
        sleep(self.delay(is_sync)).await;
        match self.trouble() {
            Some(Trouble::Refused) => return Err(broken("reset")),
            Some(Trouble::Silent | Trouble::AnswersLost) => std::future::pending().await,
            Some(Trouble::Slow) | None => {}
        }
        answer.map(Response::from).map_err(|cut| broken(&cut.to_string()))
    }
}

impl Transport for Network {
    fn carry(&self, request: Request) -> Answering<'_> {
        let target = match request.url().query() {
            Some(query) => format!("{}?{query}", request.url().path()),
            None => request.url().path().to_owned(),
        };
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec();
        self.note((request.method(), &target, &body));
        let panics = {
            let mut inner = self.inner.lock().unwrap();
            inner.requests += 1;
            // As all trouble they end where it is calm, or the end state would show what is only about to be mended.
            self.begin.elapsed() < CALM && inner.panics.contains(&inner.requests)
        };
        let mut asked = http::Request::builder().method(request.method()).uri(&target);
        asked.headers_mut().unwrap().extend(request.headers().clone());
        asked.headers_mut().unwrap().insert("host", "twilio.example".parse().unwrap());
        let asked = asked.body(body).unwrap();
        Box::pin(async move {
            assert!(!panics, "as the simulation wants it");
            let answer = timeout(self.patience, self.exchange(asked)).await.unwrap_or(Err(Failure::TimedOut));
            let told = answer.as_ref().map(|answer| answer.status().as_u16());
            self.note((&target, told.map_err(|failure| format!("{failure:?}"))));
            answer
        })
    }
}
