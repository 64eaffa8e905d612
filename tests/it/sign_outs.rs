//! Sign-outs that outlive the process, since they stand in Sync.

use twilio_emulator::{Api, Fault};

use crate::support::browser::{next_second, settled, sign_in, sign_out, status};
use crate::support::{Bed, NO_TIMERS};

/// A cookie under another one's name: it follows from the service's address, which changes with a restart.
fn renamed(cookie: &str, like: &str) -> String {
    let (name, value) = (like.split_once('=').unwrap().0, cookie.split_once('=').unwrap().1);
    format!("{name}={value}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_survives_a_power_cut_and_other_sessions_do_too() {
    let mut bed = Bed::start(NO_TIMERS).await;
    let (ended, other) = (sign_in(bed.url()).await, sign_in(bed.url()).await);
    sign_out(bed.url(), &ended).await;
    assert_eq!(status(bed.url(), &ended).await, 401);

    next_second().await;
    bed.kill_service().await;
    let unreadable =
        || Fault::status(503, 20503).on(Api::Sync).method("GET").path("/Maps/taskrouter-sync-sign-outs");
    bed.emulator.faults().add(unreadable());
    bed.start_service().await;
    let fresh = sign_in(bed.url()).await;
    assert_eq!(status(bed.url(), &fresh).await, 200, "a new session waits for nothing");
    let (ended, other) = (renamed(&ended, &fresh), renamed(&other, &fresh));
    for earlier in [&ended, &other] {
        assert_eq!(status(bed.url(), earlier).await, 503, "it may have been ended");
    }
    bed.emulator.faults().clear();
    assert_eq!(settled(bed.url(), &ended).await, 401);
    assert_eq!(settled(bed.url(), &other).await, 200);
    bed.ready().await;
    bed.finish().await;
}
