//! Who is let in, and who is not.

use super::*;

fn access() -> Access {
    let accounts = Administrator {
        basic: Some(("admin".to_owned(), SecretString::from("pass:word"))),
        viewer: Some(("tv".to_owned(), SecretString::from("look only"))),
        bearer: Some(SecretString::from("a-long-bearer-token")),
        metrics: Some(SecretString::from("a-long-metrics-token")),
    };
    Access::new(accounts, &SecretString::from("root"), Broadcaster::default())
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
    let nobody = Access::new(Administrator::default(), &SecretString::from("root"), Broadcaster::default());
    assert!(matches!(nobody.administrator(&basic(":"), elsewhere()), Err(AccessError::NoAdministrator)));
}

#[tokio::test]
async fn the_metrics_token_opens_one_thing_and_guessing_it_is_slowed_down() {
    let access = access();
    let scraper = |headers: &HeaderMap| access.scraper(&Method::GET, headers, elsewhere());
    let token = headers(&[("authorization", "Bearer a-long-metrics-token")]);
    assert!(scraper(&token).is_ok());
    assert!(scraper(&basic("tv:look only")).is_ok());
    assert!(matches!(scraper(&HeaderMap::new()), Err(AccessError::SignInNeeded)));
    assert!(enter(&access, &Method::GET, &token, Role::Viewer).is_err());
    let guess = headers(&[("authorization", "Bearer a-guess")]);
    let answers: Vec<_> = (0..20).map(|_| scraper(&guess)).collect();
    assert!(matches!(answers.last(), Some(Err(AccessError::TooManyAttempts))), "{answers:?}");
    assert!(scraper(&token).is_ok(), "and nobody is kept out by others' guesses");
}

#[tokio::test]
async fn a_browser_needs_its_csrf_token_for_changes_and_a_script_does_not() {
    let access = access();
    let session = access.sign_in("admin", "pass:word", elsewhere()).unwrap();
    let cookie = format!("other=1; {COOKIE}={}", access.sessions().seal(&session));
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
    let session = access.sign_in("tv", "look only", elsewhere()).unwrap();
    let cookie = headers(&[("cookie", &format!("{COOKIE}={}", access.sessions().seal(&session)))]);
    assert!(enter(&access, &Method::GET, &cookie, Role::Viewer).is_ok());
    assert!(matches!(enter(&access, &Method::GET, &cookie, Role::Editor), Err(AccessError::Forbidden)));
    assert!(matches!(
        enter(&access, &Method::GET, &HeaderMap::new(), Role::Viewer),
        Err(AccessError::SignInNeeded)
    ));
}

#[tokio::test]
async fn without_accounts_only_this_machine_is_let_in() {
    let access = Access::new(Administrator::default(), &SecretString::from("root"), Broadcaster::default());
    let here: SocketAddr = "127.0.0.1:5000".parse().unwrap();
    let enter = |pairs: &[(&'static str, &str)], peer| {
        access.enter(&Method::GET, &headers(pairs), peer, Role::Editor)
    };
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
        assert!(enter(&[("host", host)], here).is_ok(), "{host}");
    }
    for (pairs, peer) in [
        (&[("host", "localhost:8080")][..], elsewhere()),
        (&[("host", "evil.example")][..], here),
        (&[("host", "localhost.evil.example")][..], here),
        (&[("host", "localhost"), ("x-forwarded-for", "192.0.2.1")][..], here),
        (&[][..], here),
    ] {
        assert!(matches!(enter(pairs, peer), Err(AccessError::NoAdministrator)), "{pairs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_is_slowed_down() {
    let access = access();
    let guess = || matches!(access.sign_in("admin", "wrong", elsewhere()), Err(AccessError::TooManyAttempts));
    assert_eq!((0..20).filter(|_| guess()).count(), 15);
    let kept_out = enter(&access, &Method::GET, &basic("admin:pass:word"), Role::Viewer);
    assert!(
        matches!(kept_out, Err(AccessError::TooManyAttempts)),
        "the right password would tell the guesser"
    );
    let other: SocketAddr = "192.0.2.2:1".parse().unwrap();
    assert!(access.sign_in("admin", "pass:word", other).is_ok(), "nobody elsewhere is");
    let screen = enter(&access, &Method::GET, &basic("tv:look only"), Role::Viewer);
    assert!(screen.is_ok(), "nor another account behind the same proxy");
    let bearer = headers(&[("authorization", "Bearer a-long-bearer-token")]);
    assert!(enter(&access, &Method::GET, &bearer, Role::Editor).is_ok());
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(access.sign_in("admin", "pass:word", elsewhere()).is_ok());
}
