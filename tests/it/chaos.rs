//! The short form of the campaign of faults (`make chaos`): each fault against the real program, a few times and for
//! seconds instead of minutes. Recoveries are waited for and not timed.

use crate::chaos::campaign::{Effort, FAULTS, strike};

#[path = "../../benches/chaos/campaign/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the table is the benchmark's")]
mod campaign;

async fn survived(names: &[&str]) {
    for name in names {
        let finding = strike(name, Effort { short: true, seed: 1 }).await;
        eprintln!("{name}: {}", finding.notes.join("; "));
        assert_eq!(finding.problems, Vec::<String>::new(), "{name}");
        assert_eq!(finding.recovered, finding.tried, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_network_is_survived() {
    survived(&["down", "silent", "slow", "resets", "half", "dns"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_twilio_is_survived() {
    survived(&["throttled", "errors", "json", "types", "lost"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_machine_is_survived() {
    survived(&["clock", "killed", "files", "memory"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_and_a_busy_hour_are_survived() {
    survived(&["burst", "soak"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_clients_are_survived() {
    survived(&["hostile"]).await;
}

#[test]
fn no_fault_is_left_out() {
    assert_eq!(FAULTS.len(), 6 + 5 + 4 + 2 + 1);
}
