//! Sign-outs outlive the process, since they are stored in Sync.

use twilio_emulator::{Api, Fault};

use crate::support::{ADMIN, Bed, DEADLINE, NO_TIMERS};

/// Signs in and returns the session's cookie: its name follows from the service's address, which changes with a restart.
async fn sign_in(bed: &Bed) -> (String, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("username", ADMIN.0), ("password", ADMIN.1)];
    let answer = client.post(format!("{}/login", bed.url())).form(&form).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let (name, value) = cookie.split_once('=').unwrap();
    (name.to_owned(), value.to_owned())
}

async fn status(bed: &Bed, name: &str, value: &str) -> u16 {
    let asked =
        bed.http.get(format!("{}/api/session", bed.url())).header("Cookie", format!("{name}={value}"));
    asked.send().await.unwrap().status().as_u16()
}

/// The answer once the service knows who signed out.
async fn settled(bed: &Bed, name: &str, value: &str) -> u16 {
    let waiting = async {
        loop {
            match status(bed, name, value).await {
                503 => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                status => return status,
            }
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("it never knew")
}

async fn sign_out(bed: &Bed, name: &str, value: &str) {
    let cookie = format!("{name}={value}");
    let asked = bed.http.get(format!("{}/api/session", bed.url())).header("Cookie", &cookie).send().await;
    let session: serde_json::Value = asked.unwrap().json().await.unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let out = client.post(format!("{}/logout", bed.url())).header("Cookie", &cookie);
    let out = out.header("X-CSRF-Token", session["csrfToken"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(out.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_survives_a_power_cut_and_other_sessions_do_too() {
    let mut bed = Bed::start(NO_TIMERS).await;
    let (name, ended) = sign_in(&bed).await;
    let (_, other) = sign_in(&bed).await;
    sign_out(&bed, &name, &ended).await;
    assert_eq!(status(&bed, &name, &ended).await, 401);

    // Sessions of the second in which the process starts are its own, so let it pass.
    let now = jiff::Timestamp::now().as_second();
    while jiff::Timestamp::now().as_second() == now {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    bed.kill_service().await;
    let unreadable =
        || Fault::status(503, 20503).on(Api::Sync).method("GET").path("/Maps/taskrouter-sync-sign-outs");
    bed.emulator.faults().add(unreadable());
    bed.start_service().await;
    let (name, fresh) = sign_in(&bed).await;
    assert_eq!(status(&bed, &name, &fresh).await, 200, "a new session waits for nothing");
    for earlier in [&ended, &other] {
        assert_eq!(status(&bed, &name, earlier).await, 503, "it may have been ended");
    }
    bed.emulator.faults().clear();
    assert_eq!(settled(&bed, &name, &ended).await, 401);
    assert_eq!(settled(&bed, &name, &other).await, 200);
    bed.ready().await;
    bed.finish().await;
}
