//! Who is let in, and who is not.

use axum::http::HeaderName;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

pub(super) fn access() -> Access {
    let accounts = Administrator {
        basic: Some(("admin".to_owned(), SecretString::from("pass:word"))),
        viewer: Some(("tv".to_owned(), SecretString::from("look only"))),
        bearer: Some(SecretString::from("a-long-bearer-token")),
        metrics: Some(SecretString::from("a-long-metrics-token")),
    };
    with(accounts)
}

pub(super) fn with(administrator: Administrator) -> Access {
    let server = ServerConfig {
        bind: elsewhere(),
        public_url: crate::config::PublicUrl::parse("https://hooks.example.com").unwrap(),
        administrator,
        tv_links: vec!["lobby".to_owned()],
        centre_name: None,
        trusted_proxies: crate::config::Networks::default(),
        frame_ancestors: Vec::new(),
        shutdown_grace: Duration::from_secs(1),
    };
    Access::new(&server, &SecretString::from("root"), Broadcaster::default())
}

fn cookie(value: Option<axum::http::HeaderValue>) -> String {
    value.unwrap().to_str().unwrap().split(';').next().unwrap().to_owned()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn basic(text: &str) -> HeaderMap {
    headers(&[("authorization", &format!("Basic {}", BASE64_STANDARD.encode(text)))])
}

pub(super) fn elsewhere() -> SocketAddr {
    "192.0.2.1:5000".parse().unwrap()
}

async fn enter(
    access: &Access,
    method: &Method,
    headers: &HeaderMap,
    least: Role,
) -> Result<Principal, AccessError> {
    access.enter(method, headers, elsewhere(), least).await
}

#[tokio::test]
async fn only_the_administrator_is_let_in() {
    let access = access();
    let administrator = async |headers: HeaderMap| access.administrator(&headers, elsewhere()).await;
    assert!(administrator(basic("admin:pass:word")).await.is_ok());
    assert!(administrator(headers(&[("authorization", "Bearer a-long-bearer-token")])).await.is_ok());
    assert!(matches!(administrator(basic("tv:look only")).await, Err(AccessError::Forbidden)));
    for wrong in ["Bearer ", "Bearer x", "Basic %%", "Digest x", "Basic"] {
        let wrong = headers(&[("authorization", wrong)]);
        assert!(
            matches!(administrator(wrong.clone()).await, Err(AccessError::WrongCredentials)),
            "{wrong:?}"
        );
    }
    for wrong in ["admin:pass", "admin", "", "admin:look only"] {
        assert!(matches!(administrator(basic(wrong)).await, Err(AccessError::WrongCredentials)), "{wrong}");
    }
    let without = with(Administrator::default());
    assert!(matches!(
        without.administrator(&basic(":"), elsewhere()).await,
        Err(AccessError::NoAdministrator)
    ));
}

#[tokio::test]
async fn the_metrics_token_opens_one_thing_and_guessing_it_is_slowed_down() {
    let access = access();
    let scraper = async |headers: &HeaderMap| access.scraper(&Method::GET, headers, elsewhere()).await;
    let token = headers(&[("authorization", "Bearer a-long-metrics-token")]);
    assert!(scraper(&token).await.is_ok());
    assert!(scraper(&basic("tv:look only")).await.is_ok());
    assert!(matches!(scraper(&HeaderMap::new()).await, Err(AccessError::CredentialsNeeded)));
    assert!(enter(&access, &Method::GET, &token, Role::Viewer).await.is_err());
    let guess = headers(&[("authorization", "Bearer a-guess")]);
    let mut last = Ok(());
    for _ in 0..20 {
        last = scraper(&guess).await;
    }
    assert!(matches!(last, Err(AccessError::TooManyAttempts)), "{last:?}");
    assert!(scraper(&token).await.is_ok(), "others' guesses don't lock the account");
}

#[tokio::test]
async fn a_browser_needs_its_csrf_token_for_changes_and_a_script_does_not() {
    let access = access();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    let cookie =
        format!("other=1; {}", cookie(access.cookies().set_session(&access.sessions().seal(&session), 9)));
    let with_cookie = headers(&[("cookie", &cookie)]);
    assert_eq!(enter(&access, &Method::GET, &with_cookie, Role::Editor).await.unwrap().user, "admin");
    assert!(matches!(
        enter(&access, &Method::POST, &with_cookie, Role::Editor).await,
        Err(AccessError::CsrfToken)
    ));
    let token = access.sessions().csrf_token(&session);
    let with_token = headers(&[("cookie", &cookie), ("x-csrf-token", &token)]);
    assert!(enter(&access, &Method::POST, &with_token, Role::Editor).await.is_ok());
    assert!(enter(&access, &Method::POST, &basic("admin:pass:word"), Role::Editor).await.is_ok());
}

#[tokio::test]
async fn a_viewer_sees_and_does_not_edit() {
    let access = access();
    let session = access.sign_in("tv", "look only", elsewhere(), None).await.unwrap();
    let sealed = access.sessions().seal(&session);
    let cookie = headers(&[("cookie", &cookie(access.cookies().set_session(&sealed, 9)))]);
    assert!(enter(&access, &Method::GET, &cookie, Role::Viewer).await.is_ok());
    assert!(matches!(enter(&access, &Method::GET, &cookie, Role::Editor).await, Err(AccessError::Forbidden)));
    assert!(matches!(
        enter(&access, &Method::GET, &HeaderMap::new(), Role::Viewer).await,
        Err(AccessError::CredentialsNeeded)
    ));
}

#[tokio::test]
async fn without_accounts_no_caller_is_let_in_wherever_it_seems_to_be() {
    let access = with(Administrator::default());
    let here: SocketAddr = "127.0.0.1:5000".parse().unwrap();
    for (pairs, peer) in [
        (&[("host", "localhost:8080")][..], here),
        (&[("host", "127.0.0.1")][..], here),
        (&[("host", "[::1]:8080")][..], "[::1]:5000".parse().unwrap()),
        (&[("host", "localhost:8080")][..], elsewhere()),
        (&[][..], here),
    ] {
        for least in [Role::Viewer, Role::Editor] {
            let entered = access.enter(&Method::GET, &headers(pairs), peer, least).await;
            assert!(matches!(entered, Err(AccessError::NoAdministrator)), "{pairs:?}");
        }
        assert!(access.scraper(&Method::GET, &headers(pairs), peer).await.is_err(), "{pairs:?}");
    }
}

#[tokio::test]
async fn programs_get_a_challenge_and_browsers_do_not() {
    let access = access();
    let asked = async |pairs: &[(&'static str, &str)]| {
        enter(&access, &Method::GET, &headers(pairs), Role::Viewer).await
    };
    for program in [&[][..], &[("user-agent", "Wget/1.21.3")], &[("user-agent", "Python-urllib/3.11")]] {
        assert!(matches!(asked(program).await, Err(AccessError::CredentialsNeeded)), "{program:?}");
    }
    for browser in [
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("sec-fetch-mode", "cors"),
        ("x-requested-with", "taskrouter-sync"),
    ] {
        assert!(matches!(asked(&[browser]).await, Err(AccessError::SignInNeeded)), "{browser:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_are_slowed_down_and_the_right_password_waits_for_its_turn() {
    let access = access();
    let guess = async || enter(&access, &Method::GET, &basic("admin:wrong"), Role::Viewer).await.unwrap_err();
    for _ in 0..5 {
        assert_eq!(guess().await, AccessError::WrongCredentials);
    }
    let begin = Instant::now();
    assert_eq!(guess().await, AccessError::WrongCredentials, "the sixth waits for a second");
    assert_eq!(begin.elapsed().as_secs(), 1);
    let right = enter(&access, &Method::GET, &basic("admin:pass:word"), Role::Viewer).await;
    assert!(right.is_ok(), "behind the guesser's proxy it waits, and is let in");
    assert_eq!(begin.elapsed().as_secs(), 3);
    // Twenty at once: a few wait, the others are refused.
    let many = futures_util::future::join_all((0..20).map(|_| guess())).await;
    let refused = many.iter().filter(|error| **error == AccessError::TooManyAttempts).count();
    assert!(refused >= 20 - 8, "{many:?}");
    let begin = Instant::now();
    let other: SocketAddr = "192.0.2.2:1".parse().unwrap();
    assert!(access.sign_in("admin", "pass:word", other, None).await.is_ok(), "no other address is throttled");
    let screen = enter(&access, &Method::GET, &basic("tv:look only"), Role::Viewer).await;
    assert!(screen.is_ok(), "nor another account behind the same proxy");
    let bearer = headers(&[("authorization", "Bearer a-long-bearer-token")]);
    assert!(enter(&access, &Method::GET, &bearer, Role::Editor).await.is_ok());
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(access.sign_in("admin", "pass:word", elsewhere(), None).await.is_ok());
}

/// Two wrong passwords a second from behind the same proxy, and ninety tries of the right one.
#[tokio::test(start_paused = true)]
async fn a_script_with_the_right_password_gets_in_while_others_guess_from_its_address() {
    let (access, wrong) = (access(), basic("admin:wrong"));
    let guessing = async {
        let mut guesses = futures_util::stream::FuturesUnordered::new();
        loop {
            guesses.push(enter(&access, &Method::GET, &wrong, Role::Viewer));
            let next = tokio::time::sleep(Duration::from_millis(500));
            tokio::pin!(next);
            loop {
                tokio::select! {
                    Some(_) = futures_util::StreamExt::next(&mut guesses) => {}
                    () = &mut next => break,
                }
            }
        }
    };
    let right = async {
        let mut entered = 0;
        for _ in 0..90 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let answer = enter(&access, &Method::GET, &basic("admin:pass:word"), Role::Viewer).await;
            entered += usize::from(answer.is_ok());
        }
        entered
    };
    let entered = tokio::select! {
        () = guessing => 0,
        entered = right => entered,
    };
    assert!(entered >= 30, "{entered} of 90");
}

/// A wrong password that does not wait for its turn.
fn throttled_guess(access: &Access) -> Result<Option<()>, throttle::TooMany> {
    access.throttle.checked(key(elsewhere().ip(), "admin"), || None)
}

#[tokio::test(start_paused = true)]
async fn a_device_that_has_signed_in_before_signs_in_while_others_guess_from_its_address() {
    let access = access();
    let device = access.device("admin");
    for _ in 0..90 {
        let guess = throttled_guess(&access);
        assert!(guess.is_err() || guess == Ok(None));
        tokio::time::advance(Duration::from_millis(500)).await;
        let before = Instant::now();
        access.sign_in("admin", "pass:word", elsewhere(), Some(&device)).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
    assert!(matches!(
        access.sign_in("tv", "wrong", elsewhere(), Some(&device)).await,
        Err(AccessError::WrongCredentials)
    ));
}

#[tokio::test]
async fn a_screens_link_sees_and_changes_nothing_as_long_as_it_is_named() {
    let access = access();
    let key = access.screen_key("lobby").unwrap();
    assert_eq!(access.screen_key("cellar"), None);
    let screen = headers(&[("cookie", &cookie(access.cookies().set_screen(&key)))]);
    let principal = enter(&access, &Method::GET, &screen, Role::Viewer).await.unwrap();
    assert_eq!((principal.user.as_str(), principal.role), ("screen lobby", Role::Viewer));
    assert!(matches!(enter(&access, &Method::GET, &screen, Role::Editor).await, Err(AccessError::Forbidden)));
    assert!(enter(&access, &Method::POST, &screen, Role::Viewer).await.is_err());
    let taken_away = Access { screens: Vec::new(), ..access };
    assert!(enter(&taken_away, &Method::GET, &screen, Role::Viewer).await.is_err());
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_however_often_it_is_renewed() {
    let access = access();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    let now = Timestamp::now().as_second();
    let old = Session { began: now - 30 * 86_400 + 60, ..session };
    let renewed = access.renewed(old).unwrap();
    assert!(renewed.expires <= now + 61, "{renewed:?}");
    let too_old = Session { began: now - 31 * 86_400, ..renewed.clone() };
    assert!(!access.goes_on(&access.renewed(too_old).unwrap()));
    access.sign_out(&renewed).await;
    assert_eq!(access.renewed(renewed), None, "it was ended while its request was answered");
}
