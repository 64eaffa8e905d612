//! What each account is for, how long its sessions last, and what other replicas have to know.

use super::script_tests::ScriptedTwilio;
use super::tests::{access, elsewhere, with};
use super::*;

fn basic() -> Option<(String, SecretString)> {
    Some(("admin".to_owned(), SecretString::from("pass:word")))
}

#[tokio::test]
async fn each_kind_of_account_opens_its_own_door() {
    let refusal = async |accounts: Administrator| {
        let access = with(accounts);
        let administrator = access.administrator(&HeaderMap::new(), elsewhere()).await.unwrap_err();
        let entered =
            access.enter(&Method::GET, &HeaderMap::new(), elsewhere(), Role::Viewer).await.unwrap_err();
        (access.has_sign_in(), administrator, entered)
    };
    use AccessError::{CredentialsNeeded, NoAdministrator, Unauthorized};
    let none = Administrator::default;
    let viewer = Administrator { viewer: basic(), ..none() };
    let bearer = Administrator { bearer: Some(SecretString::from("a-token")), ..none() };
    assert_eq!(refusal(none()).await, (false, NoAdministrator, NoAdministrator));
    assert_eq!(
        refusal(Administrator { basic: basic(), ..none() }).await,
        (true, Unauthorized, CredentialsNeeded)
    );
    assert_eq!(refusal(viewer).await, (true, NoAdministrator, CredentialsNeeded));
    assert_eq!(refusal(bearer).await, (false, Unauthorized, CredentialsNeeded));
}

#[tokio::test]
async fn sign_outs_are_kept_where_an_account_can_sign_in() {
    let sync = ScriptedTwilio::new([]).sync();
    assert!(access().keep_sign_outs(sync.clone()).is_some());
    assert!(with(Administrator::default()).keep_sign_outs(sync).is_none());
}

/// Too long ones are wrong without being counted or waiting for a turn.
#[tokio::test(start_paused = true)]
async fn names_and_passwords_are_as_long_as_any_real_one_and_no_longer() {
    let access = access();
    for (name, password, is_looked_at) in [(256, 1, true), (257, 1, false), (1, 1024, true), (1, 1025, false)]
    {
        let (name, password) = (password.to_string().repeat(name)[..name].to_owned(), "p".repeat(password));
        let begin = Instant::now();
        for _ in 0..6 {
            let refused = access.sign_in(&name, &password, elsewhere(), None).await;
            assert_eq!(refused, Err(AccessError::WrongCredentials));
        }
        let waited = if is_looked_at { 1 } else { 0 };
        assert_eq!(begin.elapsed().as_secs(), waited, "{} and {}", name.len(), password.len());
    }
}

#[tokio::test]
async fn a_session_lasts_from_its_last_use() {
    let access = access();
    let now = Timestamp::now().as_second();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    let life = LIFE.as_secs().cast_signed();
    assert!((now + life..now + life + 60).contains(&session.expires), "{session:?}");
    assert!(access.goes_on(&session));
    let soon_over = Session { expires: now + 60, ..session.clone() };
    let renewed = access.renewed(soon_over).unwrap();
    assert!(renewed.expires >= now + life && renewed.nonce == session.nonce, "{renewed:?}");
    let over = Session { expires: now, ..session.clone() };
    assert!(!access.goes_on(&over));
    assert_eq!(access.renewed(over), None);
    access.sign_out(&session).await;
    assert!(!access.goes_on(&session), "and not where it was ended");
}

#[tokio::test]
async fn a_session_that_another_replica_ended_is_ended_here() {
    let access = access();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    access.hear_signed_out(session.nonce);
    assert!(!access.goes_on(&session));
}

#[tokio::test]
async fn a_replica_that_does_not_know_yet_who_signed_out_makes_earlier_sessions_wait() {
    let mut access = access();
    access.share_sign_outs();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    let earlier = Session { began: session.began - 3600, ..session };
    let cookie = access.cookies().set_session(&access.sessions().seal(&earlier), 9).unwrap();
    let headers: HeaderMap = [(axum::http::header::COOKIE, cookie)].into_iter().collect();
    let entered = async || access.enter(&Method::GET, &headers, elsewhere(), Role::Editor).await.map(drop);
    assert_eq!(entered().await, Err(AccessError::Starting));
    access.sign_outs_are_known();
    assert_eq!(entered().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_at_another_replica_count_here() {
    let (sender, mut others) = Broadcaster::shared();
    let here = access();
    let there = Access { throttle: Throttle::new(["admin"].into_iter(), sender), ..access() };
    for _ in 0..5 {
        assert!(there.sign_in("admin", "wrong", elsewhere(), None).await.is_err());
        let Some(SharedFact::WrongCredentials { address, account }) = others.next().await else { panic!() };
        here.hear_wrong(address, account);
    }
    let begin = Instant::now();
    assert!(here.sign_in("admin", "pass:word", elsewhere(), None).await.is_ok());
    assert_eq!(begin.elapsed(), Duration::from_secs(1), "it waits for its turn");
}
