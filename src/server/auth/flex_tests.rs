//! Whose Flex token is good, what is asked of Twilio about it, and what is not.

use serde_json::{Value, json};

use super::super::script_tests::{ScriptedTwilio, refused};
use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

#[tokio::test(start_paused = true)]
async fn made_up_tokens_use_up_their_addresss_budget_and_never_all_of_it() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    assert!(budget.take(address(1), now));
    budget.give_back(address(1), now);
    let guesses = |budget: &mut Budget, from| (0..200).filter(|_| budget.take(from, now)).count();
    assert_eq!(guesses(&mut budget, address(2)), 30);
    for stranger in 3..10 {
        guesses(&mut budget, address(stranger));
    }
    assert!(!budget.take(address(20), now), "strangers have used up their half");
    assert!(budget.take(address(1), now), "an address that a good token came from has its own");
    assert!(budget.take(address(20), now + Duration::from_secs(1)));
}

#[test]
fn where_the_whole_budget_is_used_up_an_address_keeps_its_own() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    let tries = |budget: &mut Budget, from, at| (0..50).filter(|_| budget.take(from, at)).count();
    assert_eq!([2, 3, 4].map(|stranger| tries(&mut budget, address(stranger), now)), [30, 30, 0]);
    assert_eq!(tries(&mut budget, address(4), now + Duration::from_secs(10)), 30);
}

#[test]
fn what_could_be_no_token_is_not_asked_about() {
    assert!(could_be_one("eyJ6aXAiOiJERUYi.a-b_c.d"));
    assert!(could_be_one(&"a".repeat(LONGEST_TOKEN)));
    for junk in ["", "a b", "a\u{e9}", "a\"b", &"a".repeat(LONGEST_TOKEN + 1)] {
        assert!(!could_be_one(junk), "{junk:.20}");
    }
}

#[test]
fn addresses_without_a_good_token_that_have_their_budget_back_are_forgotten_first() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    let numbered = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
    for n in 0..MOST_ADDRESSES {
        budget.take(numbered(n), now);
    }
    // One that a good token came from and that has spent some, and one that has spent nothing.
    for n in [0, 1] {
        budget.by_address.get_mut(&numbered(n)).unwrap().known = true;
    }
    budget.by_address.get_mut(&numbered(1)).unwrap().bucket.spend(-30.0, now);
    budget.take(numbered(5), now);
    assert_eq!(budget.by_address.len(), MOST_ADDRESSES, "one that is there takes no more room");
    budget.take(numbered(MOST_ADDRESSES), now);
    let mut kept: Vec<_> = budget.by_address.keys().copied().collect();
    kept.sort_unstable();
    assert_eq!(kept, [numbered(0), numbered(MOST_ADDRESSES)]);
}

fn gate(answers: impl IntoIterator<Item = (u16, Value)>) -> (Arc<FlexGate>, Arc<ScriptedTwilio>) {
    let script = ScriptedTwilio::new(answers);
    (Arc::new(FlexGate::new(script.flex_users())), script)
}

async fn name(gate: &Arc<FlexGate>, token: &str) -> Result<String, FlexError> {
    let user = gate.user(&SecretString::from(token), address(1)).await;
    user.map(|user| user.name.to_string())
}

fn ada() -> (u16, Value) {
    (200, json!({ "valid": true, "realm_user_id": "ada" }))
}

fn invalid() -> (u16, Value) {
    (200, json!({ "valid": false }))
}

fn until(seconds: i64) -> (u16, Value) {
    let expiration = Timestamp::now().as_second() + seconds;
    (200, json!({ "valid": true, "realm_user_id": "ada", "expiration": expiration }))
}

#[tokio::test(start_paused = true)]
async fn a_good_token_is_asked_about_once_in_two_minutes_and_a_wrong_one_in_ten_seconds() {
    for (answer, cached, expected) in
        [(ada(), GOOD_FOR, Ok("ada".to_owned())), (invalid(), BAD_FOR, Err(FlexError::Invalid))]
    {
        let (gate, script) = gate([answer]);
        assert_eq!(name(&gate, "token").await, expected);
        tokio::time::advance(cached - Duration::from_millis(1)).await;
        assert_eq!(name(&gate, "token").await, expected);
        assert_eq!(script.asked().len(), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(name(&gate, "token").await, expected);
        assert_eq!(script.asked().len(), 1, "and then again");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_told_lets_no_caller_in_and_is_asked_again() {
    let (gate, script) = gate([refused(401), ada()]);
    assert_eq!(name(&gate, "token").await, Err(FlexError::Unchecked));
    assert_eq!(name(&gate, "token").await, Ok("ada".to_owned()));
    assert_eq!(name(&gate, "no token").await, Err(FlexError::Invalid));
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_good_no_longer_than_twilio_says() {
    let (gate, script) = gate([until(30), until(-1)]);
    assert!(name(&gate, "token").await.is_ok());
    tokio::time::advance(Duration::from_secs(28)).await;
    assert!(name(&gate, "token").await.is_ok());
    assert_eq!(script.asked().len(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(name(&gate, "token").await, Err(FlexError::Invalid));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn made_up_tokens_cost_of_the_budget_and_good_ones_do_not() {
    let (gate, script) = gate([ada()]);
    for number in 0..40 {
        assert!(name(&gate, &format!("good{number}")).await.is_ok(), "{number}");
    }
    script.set([invalid()]);
    for number in 0..30 {
        assert_eq!(name(&gate, &format!("bad{number}")).await, Err(FlexError::Invalid), "{number}");
    }
    script.asked();
    assert_eq!(name(&gate, "bad30").await, Err(FlexError::Unchecked));
    assert!(script.asked().is_empty(), "Twilio is not asked");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_good_a_short_while_ago_is_asked_about_whatever_others_have_spent() {
    for (since, expected) in
        [(Duration::ZERO, true), (GOOD_FOR - Duration::from_millis(1), true), (GOOD_FOR, false)]
    {
        let (gate, script) = gate([ada()]);
        name(&gate, "good").await.unwrap();
        tokio::time::advance(GOOD_FOR + since).await;
        script.set([invalid()]);
        let mut number = 0;
        while name(&gate, &format!("bad{number}")).await == Err(FlexError::Invalid) {
            number += 1;
        }
        script.set([ada()]);
        assert_eq!(name(&gate, "good").await.is_ok(), expected, "{since:?}");
        assert!(name(&gate, "bad0").await.is_err(), "one that was wrong has no such place");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_were_good_lately_are_remembered_before_all_others() {
    let (gate, _) = gate([ada()]);
    let numbered = |n: usize| {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&n.to_be_bytes());
        token
    };
    let user = gate.user(&SecretString::from("good"), address(1)).await.unwrap();
    for n in 1..MOST_TOKENS {
        gate.entry(numbered(n));
    }
    gate.entry(numbered(1));
    assert_eq!(gate.known.lock().len(), MOST_TOKENS, "one that is there takes no more room");
    let asked_about = gate.entry(numbered(2));
    let held = asked_about.lock().await;
    gate.entry(numbered(MOST_TOKENS));
    assert_eq!(gate.known.lock().len(), 3, "the good one, the one that is asked about, and the new one");
    drop(held);
    gate.known.lock().clear();
    let until = Instant::now() + GOOD_FOR;
    for n in 0..MOST_TOKENS {
        let known = CachedUser { user: Some(user.clone()), until };
        *gate.entry(numbered(n)).try_lock().unwrap() = Some(known);
    }
    gate.entry(numbered(MOST_TOKENS));
    assert_eq!(gate.known.lock().len(), 1, "memory stays bounded where all were good");
}
