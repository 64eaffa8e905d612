//! `setup --protect-sync` beside the Flex plugin that reads the Map of queue statistics with its user's own token.

use serde_json::json;
use twilio_emulator::{Api, Emulator, Fault, Settings};

use crate::support::Binary;

const ZOE: &str = "zo_C3_AB_40example_2Ecom";

#[tokio::test(flavor = "multi_thread")]
async fn flex_users_keep_their_map_and_those_who_can_not_be_known_are_counted_in_a_warning() {
    let emulator = Emulator::start(Settings { queues: 2, workers: 2, ..Settings::default() }).await.unwrap();
    let world = emulator.world();
    let activity = world.workers()[0].activity.clone();
    for (name, attributes) in [
        ("Zoë", json!({ "contact_uri": format!("client:{ZOE}") })),
        ("A desk phone", json!({ "contact_uri": "+14155550100" })),
        ("No contact", json!({})),
    ] {
        world.add_worker_with(name, &activity, attributes).unwrap();
    }
    let variables = Binary::variables(&emulator, &[]);
    assert_eq!(Binary::output(&variables, &["setup"]).await.status.code(), Some(0));

    let protect = async || {
        let output = Binary::output(&variables, &["setup", "--protect-sync"]).await;
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let reads_only = |identity: &str| {
        let rights = emulator.sync().rights("queueStats", identity);
        rights.is_some_and(|rights| rights.read && !rights.write && !rights.manage)
    };
    let said = protect().await;
    for part in ["3 of 5 Workers may read Map queueStats", "54007", "stays empty"] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    assert!(emulator.sync().acl() && reads_only(ZOE));
    for (contact, may) in world.workers().iter().map(|worker| {
        let attributes: serde_json::Value = serde_json::from_str(&worker.attributes).unwrap();
        let contact = attributes["contact_uri"].as_str().unwrap_or("client:").to_owned();
        (contact.clone(), contact.strip_prefix("client:").is_some_and(|identity| !identity.is_empty()))
    }) {
        assert_eq!(reads_only(contact.trim_start_matches("client:")), may, "{contact}");
    }
    let entries = emulator.journal().entries();
    let permitted = entries.iter().position(|entry| entry.path.ends_with(&format!("/Permissions/{ZOE}")));
    let service = format!("/Services/{}", emulator.account().sync_service_sid);
    let switched =
        entries.iter().position(|entry| &*entry.method == "POST" && entry.path.ends_with(&service));
    assert!(permitted.unwrap() < switched.unwrap(), "a page that is open reads on");

    // A Map that setup makes itself is theirs, too.
    emulator.sync().delete_map("queueStats");
    protect().await;
    assert!(reads_only(ZOE));

    emulator.faults().add(Fault::status(403, 20403).on(Api::TaskRouter).method("GET").path("/Workers"));
    let fails = async || {
        let output = Binary::output(&variables, &["setup", "--protect-sync"]).await;
        assert_eq!(output.status.code(), Some(1), "what was not done must show in the exit status");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fails().await;
    for part in ["setup is incomplete", "Map queueStats (54007)", "the Workers can't be read"] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    emulator.faults().clear();
    emulator.faults().add(Fault::status(403, 20403).on(Api::Sync).path(&format!("/Permissions/{ZOE}")));
    let said = fails().await;
    assert!(said.contains("1 Flex user was not permitted to read Map queueStats (54007)"), "{said}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_more_flex_users_than_are_permitted_the_rest_are_counted() {
    let emulator =
        Emulator::start(Settings { queues: 1, workers: 1_003, ..Settings::default() }).await.unwrap();
    let output =
        Binary::long_output(&Binary::variables(&emulator, &[]), &["setup", "--protect-sync"], 5).await;
    let [said, failed] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(said.contains("Flex users: 1000 of 1003 Workers may read Map queueStats"), "{said}{failed}");
    assert_eq!(output.status.code(), Some(1));
    let part = "3 Flex users were not permitted to read Map queueStats (54007): setup permits 1000 at most";
    assert!(failed.contains(part), "{failed}");
    let identities = emulator.world().workers().into_iter().map(|worker| {
        let attributes: serde_json::Value = serde_json::from_str(&worker.attributes).unwrap();
        attributes["contact_uri"].as_str().unwrap().trim_start_matches("client:").to_owned()
    });
    let permitted =
        identities.filter(|one| emulator.sync().rights("queueStats", one).is_some_and(|r| r.read));
    assert_eq!(permitted.count(), 1_000);
    let pages = emulator.journal().entries().iter().filter(|entry| entry.path.ends_with("/Workers")).count();
    assert!(pages > 1, "the Workers are on several pages");
    assert!(emulator.sync().acl(), "the others' tables stay empty, and nothing else");
    emulator.shutdown().await;
}
