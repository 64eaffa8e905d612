//! Sign-outs reach Sync, and come back from it, whatever Sync answers first.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::script_tests::{ScriptedTwilio, refused, written};
use super::super::tests::{access, elsewhere};
use super::super::{Role, Session};
use super::*;

const READ: &str = "GET Items";
const MAP: &str = "POST Maps UniqueName=taskrouter-sync-sign-outs";

struct RunningKeeper {
    script: Arc<ScriptedTwilio>,
    access: Arc<Access>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn run(answers: Vec<(u16, Value)>) -> RunningKeeper {
    let script = ScriptedTwilio::new(answers);
    let mut access = access();
    let keeper = access.keep_sign_outs(script.sync()).unwrap();
    let (access, stop) = (Arc::new(access), CancellationToken::new());
    let task = tokio::spawn(keeper.run(access.clone(), stop.clone()));
    RunningKeeper { script, access, stop, task }
}

impl RunningKeeper {
    /// Ends a session; returns its nonce and how long that took.
    async fn sign_out(&self) -> (u64, Duration) {
        let session = self.access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
        let begin = Instant::now();
        self.access.sign_out(&session).await;
        (session.nonce, begin.elapsed())
    }

    async fn end(self) -> Duration {
        let begin = Instant::now();
        self.stop.cancel();
        self.task.await.unwrap();
        begin.elapsed()
    }
}

fn earlier(nonce: u64) -> Session {
    Session { user: "admin".to_owned(), role: Role::Editor, began: 0, expires: i64::MAX, nonce }
}

fn items(keys: &[&str]) -> (u16, Value) {
    let items: Vec<_> = keys.iter().map(|key| json!({ "key": key, "revision": "1", "data": {} })).collect();
    (200, json!({ "items": items, "meta": {} }))
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_is_kept_for_as_long_as_a_cookie_may_be_good() {
    let running = run(vec![items(&[]), written()]);
    let (nonce, took) = running.sign_out().await;
    assert_eq!(took, Duration::ZERO, "the browser waits until it is written");
    let asked = running.script.asked();
    let (form, seconds) = asked[1].rsplit_once('=').unwrap();
    assert_eq!((asked.len(), asked[0].as_str()), (2, READ));
    assert_eq!(form, format!("POST Items Key={nonce:016x}&Data=%7B%7D&ItemTtl"));
    // 12 hours and ten minutes, perhaps a second less.
    assert!((43_799..=43_800).contains(&seconds.parse::<i64>().unwrap()), "{seconds}");
    assert_eq!(running.end().await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_map_that_is_missing_is_made_and_then_waited_for() {
    let running = run(vec![refused(404), refused(404), written(), refused(404), written(), written()]);
    let (_, took) = running.sign_out().await;
    let asked = running.script.asked();
    let asked: Vec<_> = asked.iter().map(|asked| asked.split(" Key").next().unwrap()).collect();
    assert_eq!(asked, [READ, "POST Items", MAP, "POST Items", MAP, "POST Items"]);
    // At once after the Map was made, and the second time after the first delay.
    assert!((Duration::from_millis(250)..=Duration::from_millis(501)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_another_process_made_or_wrote_is_no_failure() {
    let running = run(vec![items(&[]), refused(404), refused(409), refused(409)]);
    running.sign_out().await;
    assert_eq!(running.script.asked().len(), 4, "the Map is there by now, and then the Item");
    let (_, took) = running.sign_out().await;
    assert_eq!((running.script.asked().len(), took), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_sync_refuses_is_written_later_with_growing_delays() {
    let answers = [items(&[])].into_iter().chain(std::iter::repeat_n(refused(503), 5)).chain([written()]);
    let running = run(answers.collect());
    let begin = Instant::now();
    let (_, took) = running.sign_out().await;
    assert_eq!(took, Duration::from_secs(3), "no browser waits longer");
    while running.script.asked.lock().len() < 7 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Between the halves and the wholes of 0.5 s, 1 s, 2 s, 4 s and 8 s.
    let took = begin.elapsed().as_millis();
    assert!((7_750..=15_600).contains(&took), "{took}");
    assert!(!running.script.asked().contains(&MAP.to_owned()), "a Map was there");
}

#[tokio::test(start_paused = true)]
async fn sessions_that_were_ended_before_the_start_stay_ended() {
    let answers = std::iter::repeat_n(refused(403), 5).chain([items(&["000000000000000a", "no number"])]);
    let running = run(answers.collect());
    let begin = Instant::now();
    let has = |nonce| running.access.signed_out.has(&earlier(nonce));
    assert_eq!((has(10), has(11)), (None, None));
    while has(11).is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((has(10), has(11)), (Some(true), Some(false)));
    let took = begin.elapsed().as_millis();
    assert!((7_750..=15_600).contains(&took), "with growing delays: {took}");
}

#[tokio::test(start_paused = true)]
async fn a_stopping_service_waits_for_sync_and_no_longer_than_five_seconds() {
    let running = run(vec![items(&[])]);
    tokio::task::yield_now().await;
    running.script.set([]);
    running.sign_out().await;
    assert_eq!(running.end().await, Duration::from_secs(5));
}
