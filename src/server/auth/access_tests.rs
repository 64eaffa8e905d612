//! Who is let in, and who is not.

use axum::http::HeaderName;

use super::*;

fn access() -> Access {
    let accounts = Administrator {
        basic: Some(("admin".to_owned(), SecretString::from("pass:word"))),
        viewer: Some(("tv".to_owned(), SecretString::from("look only"))),
        bearer: Some(SecretString::from("a-long-bearer-token")),
        metrics: Some(SecretString::from("a-long-metrics-token")),
    };
    with(accounts)
}

fn with(administrator: Administrator) -> Access {
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

fn elsewhere() -> SocketAddr {
    "192.0.2.1:5000".parse().unwrap()
}

fn enter(
    access: &Access,
    method: &Method,
    headers: &HeaderMap,
    least: Role,
) -> Result<Principal, AccessError> {
    access.enter(method, headers, elsewhere(), least)
}

#[tokio::test]
async fn the_administrator_is_let_in_and_nobody_else() {
    let access = access();
    assert!(access.administrator(&basic("admin:pass:word"), elsewhere()).is_ok());
    assert!(
        access
            .administrator(&headers(&[("authorization", "Bearer a-long-bearer-token")]), elsewhere())
            .is_ok()
    );
    assert!(matches!(access.administrator(&basic("tv:look only"), elsewhere()), Err(AccessError::Forbidden)));
    for wrong in ["Bearer ", "Bearer x", "Basic %%", "Digest x", "Basic"] {
        let wrong = headers(&[("authorization", wrong)]);
        assert!(
            matches!(access.administrator(&wrong, elsewhere()), Err(AccessError::WrongCredentials)),
            "{wrong:?}"
        );
    }
    for wrong in ["admin:pass", "admin", "", "admin:look only"] {
        assert!(
            matches!(access.administrator(&basic(wrong), elsewhere()), Err(AccessError::WrongCredentials)),
            "{wrong}"
        );
    }
    let nobody = with(Administrator::default());
    assert!(matches!(nobody.administrator(&basic(":"), elsewhere()), Err(AccessError::NoAdministrator)));
}

#[tokio::test]
async fn the_metrics_token_opens_one_thing_and_guessing_it_is_slowed_down() {
    let access = access();
    let scraper = |headers: &HeaderMap| access.scraper(&Method::GET, headers, elsewhere());
    let token = headers(&[("authorization", "Bearer a-long-metrics-token")]);
    assert!(scraper(&token).is_ok());
    assert!(scraper(&basic("tv:look only")).is_ok());
    assert!(matches!(scraper(&HeaderMap::new()), Err(AccessError::CredentialsNeeded)));
    assert!(enter(&access, &Method::GET, &token, Role::Viewer).is_err());
    let guess = headers(&[("authorization", "Bearer a-guess")]);
    let answers: Vec<_> = (0..20).map(|_| scraper(&guess)).collect();
    assert!(matches!(answers.last(), Some(Err(AccessError::TooManyAttempts))), "{answers:?}");
    assert!(scraper(&token).is_ok(), "and nobody is kept out by others' guesses");
}

#[tokio::test]
async fn a_browser_needs_its_csrf_token_for_changes_and_a_script_does_not() {
    let access = access();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    let cookie =
        format!("other=1; {}", cookie(access.cookies().set_session(&access.sessions().seal(&session), 9)));
    let with_cookie = headers(&[("cookie", &cookie)]);
    assert_eq!(enter(&access, &Method::GET, &with_cookie, Role::Editor).unwrap().user, "admin");
    assert!(matches!(enter(&access, &Method::POST, &with_cookie, Role::Editor), Err(AccessError::CsrfToken)));
    let token = access.sessions().csrf_token(&session);
    let with_token = headers(&[("cookie", &cookie), ("x-csrf-token", &token)]);
    assert!(enter(&access, &Method::POST, &with_token, Role::Editor).is_ok());
    assert!(enter(&access, &Method::POST, &basic("admin:pass:word"), Role::Editor).is_ok());
}

#[tokio::test]
async fn a_viewer_sees_and_does_not_edit() {
    let access = access();
    let session = access.sign_in("tv", "look only", elsewhere(), None).await.unwrap();
    let sealed = access.sessions().seal(&session);
    let cookie = headers(&[("cookie", &cookie(access.cookies().set_session(&sealed, 9)))]);
    assert!(enter(&access, &Method::GET, &cookie, Role::Viewer).is_ok());
    assert!(matches!(enter(&access, &Method::GET, &cookie, Role::Editor), Err(AccessError::Forbidden)));
    assert!(matches!(
        enter(&access, &Method::GET, &HeaderMap::new(), Role::Viewer),
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
            let entered = access.enter(&Method::GET, &headers(pairs), peer, least);
            assert!(matches!(entered, Err(AccessError::NoAdministrator)), "{pairs:?}");
        }
        assert!(access.scraper(&Method::GET, &headers(pairs), peer).is_err(), "{pairs:?}");
    }
}

#[tokio::test]
async fn programs_get_a_challenge_and_browsers_do_not() {
    let access = access();
    let asked = |pairs: &[(&'static str, &str)]| enter(&access, &Method::GET, &headers(pairs), Role::Viewer);
    for program in [&[][..], &[("user-agent", "Wget/1.21.3")], &[("user-agent", "Python-urllib/3.11")]] {
        assert!(matches!(asked(program), Err(AccessError::CredentialsNeeded)), "{program:?}");
    }
    for browser in [("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"), ("sec-fetch-mode", "cors")] {
        assert!(matches!(asked(&[browser]), Err(AccessError::SignInNeeded)), "{browser:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn guessing_is_slowed_down() {
    let access = access();
    let guess = || {
        matches!(
            enter(&access, &Method::GET, &basic("admin:wrong"), Role::Viewer),
            Err(AccessError::TooManyAttempts)
        )
    };
    assert_eq!((0..20).filter(|_| guess()).count(), 15);
    let kept_out = enter(&access, &Method::GET, &basic("admin:pass:word"), Role::Viewer);
    assert!(
        matches!(kept_out, Err(AccessError::TooManyAttempts)),
        "the right password would tell the guesser"
    );
    let other: SocketAddr = "192.0.2.2:1".parse().unwrap();
    assert!(access.sign_in("admin", "pass:word", other, None).await.is_ok(), "nobody elsewhere is");
    let screen = enter(&access, &Method::GET, &basic("tv:look only"), Role::Viewer);
    assert!(screen.is_ok(), "nor another account behind the same proxy");
    let bearer = headers(&[("authorization", "Bearer a-long-bearer-token")]);
    assert!(enter(&access, &Method::GET, &bearer, Role::Editor).is_ok());
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(access.sign_in("admin", "pass:word", elsewhere(), None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_has_signed_in_before_signs_in_while_others_guess_from_its_address() {
    let access = access();
    let device = access.device("admin");
    for _ in 0..90 {
        let guess = enter(&access, &Method::GET, &basic("admin:wrong"), Role::Viewer);
        assert!(guess.is_err());
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
    let principal = enter(&access, &Method::GET, &screen, Role::Viewer).unwrap();
    assert_eq!((principal.user.as_str(), principal.role), ("screen lobby", Role::Viewer));
    assert!(matches!(enter(&access, &Method::GET, &screen, Role::Editor), Err(AccessError::Forbidden)));
    assert!(enter(&access, &Method::POST, &screen, Role::Viewer).is_err());
    let taken_away = Access { screens: Vec::new(), ..access };
    assert!(enter(&taken_away, &Method::GET, &screen, Role::Viewer).is_err());
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_however_often_it_is_renewed() {
    let access = access();
    let session = access.sign_in("admin", "pass:word", elsewhere(), None).await.unwrap();
    let now = Timestamp::now().as_second();
    let old = Session { began: now - 30 * 86_400 + 60, ..session };
    let renewed = access.renewed(old);
    assert!(renewed.expires <= now + 61, "{renewed:?}");
    assert!(!access.goes_on(&access.renewed(Session { began: now - 31 * 86_400, ..renewed })));
}
