//! Sync: no upsert, revisions, sizes, expiry, limits, paging.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use twilio_emulator::{Limits, Settings};

use crate::support::Bench;

#[tokio::test]
async fn documents_are_created_once_and_updated_when_there() {
    let bench = Bench::start().await;
    let documents = bench.s("/Documents");
    let one = bench.s("/Documents/board");
    assert_eq!(bench.post(&one, &[("Data", "{}")]).await.code(), 20404);
    let made = bench.post(&documents, &[("UniqueName", "board"), ("Data", r#"{"a":1}"#)]).await;
    assert_eq!(
        (made.status, &made.body["revision"], &made.body["data"]),
        (201, &json!("0"), &json!({"a": 1}))
    );
    assert_eq!(made.headers["etag"], "0");
    assert_eq!(bench.post(&documents, &[("UniqueName", "board")]).await.code(), 54301);
    let update = |revision: &str| bench.request(reqwest::Method::POST, &one).header("if-match", revision);
    let stale = bench.send(update("4").form(&[("Data", "{}")])).await;
    assert_eq!((stale.status, stale.code()), (412, 54103));
    assert_eq!(bench.send(update("x").form(&[("Data", "{}")])).await.code(), 54003);
    let fresh = bench.send(update("0").form(&[("Data", r#"{"b":2}"#)])).await;
    assert_eq!(
        (fresh.status, &fresh.body["revision"], &fresh.body["data"]),
        (200, &json!("1"), &json!({"b": 2}))
    );
    assert_eq!(bench.emulator.sync().document("board"), Some(json!({"b": 2})));
    assert_eq!(bench.delete(&one).await.status, 204);
    assert_eq!(bench.delete(&one).await.code(), 20404);
}

#[tokio::test]
async fn data_is_json_of_a_certain_size() {
    let bench = Bench::start().await;
    let create = async |data: &str| bench.post(&bench.s("/Documents"), &[("Data", data)]).await;
    for wrong in ["", "{", "[1]", "\"text\"", "7"] {
        let answer = create(wrong).await;
        assert_eq!((answer.status, answer.code()), (400, 54008), "{wrong}");
    }
    assert_eq!(create("null").await.code(), 54101);
    let sized = |bytes: usize| json!({ "x": "é".repeat((bytes - 8) / 2) }).to_string();
    assert_eq!(sized(16_384).len(), 16_384);
    assert_eq!(create(&sized(16_384)).await.status, 201);
    let answer = create(&sized(16_386)).await;
    assert_eq!((answer.status, answer.code()), (413, 54006));
    assert_eq!(bench.post(&bench.s("/Documents"), &[("Ttl", "31536001")]).await.code(), 54011);
}

#[tokio::test]
async fn items_belong_to_a_map_and_keep_their_own_revisions() {
    let bench = Bench::start().await;
    let items = bench.s("/Maps/stats/Items");
    assert_eq!(bench.post(&items, &[("Key", "a"), ("Data", "{}")]).await.code(), 20404);
    assert_eq!(bench.post(&bench.s("/Maps"), &[("UniqueName", "stats")]).await.status, 201);
    assert_eq!(bench.post(&items, &[("Key", "a"), ("Data", r#"{"n":1}"#)]).await.status, 201);
    let again = bench.post(&items, &[("Key", "a"), ("Data", "{}")]).await;
    assert_eq!((again.status, again.code()), (409, 54208));
    let item = bench.s("/Maps/stats/Items/a");
    assert_eq!(bench.post(&item, &[]).await.code(), 54010);
    assert_eq!(bench.post(&item, &[("Data", r#"{"n":2}"#)]).await.body["revision"], "1");
    let stale = bench.request(reqwest::Method::DELETE, &item).header("if-match", "0");
    let stale = bench.send(stale).await;
    assert_eq!((stale.status, stale.code()), (412, 54205));
    assert_eq!(bench.emulator.sync().item("stats", "a"), Some((json!({"n": 2}), "1".to_owned())));
    assert_eq!(bench.delete(&item).await.status, 204);
    assert_eq!(bench.post(&item, &[("Data", "{}")]).await.code(), 20404);
    assert_eq!(bench.delete(&bench.s("/Maps/stats")).await.status, 204);
    assert_eq!(bench.emulator.sync().map_items("stats"), None);
}

#[tokio::test]
async fn a_key_with_a_slash_is_a_dead_end() {
    let bench = Bench::start().await;
    bench.emulator.sync().put_map("stats");
    let key = "a/b";
    let answer = bench.post(&bench.s("/Maps/stats/Items"), &[("Key", key), ("Data", "{}")]).await;
    assert_eq!(answer.status, 201);
    let answer = bench.get(&bench.s("/Maps/stats/Items/a%2Fb")).await;
    assert_eq!((answer.status, &answer.body["message"]), (400, &json!("Parameter 'key' is not valid")));
    let answer = bench.post(&bench.s("/Maps/stats/Items"), &[("Key", "é.ü"), ("Data", "{}")]).await;
    assert_eq!(answer.status, 201);
    assert_eq!(bench.get(&bench.s("/Maps/stats/Items/%C3%A9.%C3%BC")).await.status, 200);
}

#[tokio::test]
async fn lists_of_items_page_by_key() {
    let bench = Bench::start().await;
    for n in 0..7 {
        bench.emulator.sync().put_item("stats", &format!("k{n}"), json!({ "n": n }));
    }
    let keys = async |query: &str| {
        let mut next = bench.s(&format!("/Maps/stats/Items?{query}"));
        let mut keys: Vec<String> = Vec::new();
        loop {
            let page = bench.get(&next).await;
            assert_eq!(page.status, 200, "{:?}", page.body);
            keys.extend(
                page.body["items"].as_array().unwrap().iter().map(|i| i["key"].as_str().unwrap().to_owned()),
            );
            match page.body["meta"]["next_page_url"].as_str() {
                Some(url) => next = url.to_owned(),
                None => return keys.join(" "),
            }
        }
    };
    assert_eq!(keys("PageSize=3").await, "k0 k1 k2 k3 k4 k5 k6");
    assert_eq!(keys("PageSize=2&Order=desc").await, "k6 k5 k4 k3 k2 k1 k0");
    assert_eq!(keys("PageSize=2&From=k3").await, "k3 k4 k5 k6");
    assert_eq!(keys("PageSize=2&From=k3&Bounds=exclusive&Order=desc").await, "k2 k1 k0");
    assert_eq!(bench.get(&bench.s("/Maps/stats/Items?PageSize=101")).await.status, 400);
}

#[tokio::test]
async fn expiry_is_a_fixed_moment() {
    let bench = Bench::start().await;
    let clock = bench.emulator.clock();
    bench.post(&bench.s("/Documents"), &[("UniqueName", "board"), ("Ttl", "60")]).await;
    clock.advance(Duration::from_secs(40));
    let answer = bench.post(&bench.s("/Documents/board"), &[("Data", r#"{"n":1}"#)]).await;
    assert_eq!(answer.status, 200, "an update does not extend the time to live");
    clock.advance(Duration::from_secs(21));
    assert_eq!(bench.get(&bench.s("/Documents/board")).await.code(), 20404);

    bench.post(&bench.s("/Maps"), &[("UniqueName", "stats"), ("Ttl", "60")]).await;
    clock.advance(Duration::from_secs(40));
    let renewed = [("Key", "a"), ("Data", "{}"), ("CollectionTtl", "60")];
    assert_eq!(bench.post(&bench.s("/Maps/stats/Items"), &renewed).await.status, 201);
    clock.advance(Duration::from_secs(50));
    assert_eq!(bench.get(&bench.s("/Maps/stats")).await.status, 200);
    clock.advance(Duration::from_secs(11));
    assert_eq!(bench.get(&bench.s("/Maps/stats")).await.status, 404);
}

#[tokio::test]
async fn a_throttled_write_changes_nothing() {
    let limits = Limits { sync_writes: Some(0.2), ..Limits::default() };
    let bench = Bench::with(Settings { limits, ..Settings::default() }).await;
    let sync = bench.emulator.sync();
    sync.put_item("stats", "a", json!({ "n": 0 }));
    sync.put_item("stats", "b", json!({ "n": 0 }));
    let write = async |key: &str, n: u32| {
        let data = json!({ "n": n }).to_string();
        bench.post(&bench.s(&format!("/Maps/stats/Items/{key}")), &[("Data", &data)]).await
    };
    assert_eq!(write("a", 1).await.status, 200);
    assert_eq!(write("b", 2).await.status, 200);
    let third = write("a", 3).await;
    assert_eq!((third.status, third.code()), (429, 54009), "all items of a Map share one budget");
    assert_eq!(sync.item("stats", "a"), Some((json!({ "n": 1 }), "1".to_owned())));
    assert_eq!(bench.emulator.journal().totals().over_rate, 1);
    assert_eq!(bench.get(&bench.s("/Maps/stats")).await.status, 200, "reads have a budget of their own");
}

#[tokio::test]
async fn the_service_and_its_permissions() {
    let bench = Bench::start().await;
    assert_eq!(bench.post(&bench.s(""), &[("AclEnabled", "true")]).await.body["acl_enabled"], true);
    assert!(bench.emulator.sync().acl());
    bench.emulator.sync().put_document("board", json!({}));
    let permission = bench.s("/Documents/board/Permissions/dashboard%2D42");
    assert_eq!(bench.post(&permission, &[("Read", "true")]).await.status, 400);
    let all = [("Read", "true"), ("Write", "false"), ("Manage", "false")];
    let answer = bench.post(&permission, &all).await;
    assert_eq!(
        (answer.status, &answer.body["identity"], &answer.body["read"]),
        (200, &json!("dashboard-42"), &json!(true))
    );
    assert!(
        bench
            .emulator
            .sync()
            .rights("board", "dashboard-42")
            .is_some_and(|rights| rights.read && !rights.write)
    );
    let list = bench.get(&bench.s("/Documents/board/Permissions")).await;
    assert_eq!(list.body["permissions"].as_array().unwrap().len(), 1);
    assert_eq!(bench.delete(&permission).await.status, 204);
    assert_eq!(bench.get(&permission).await.code(), 20404);
    assert_eq!(bench.get("/v1/Services/default/Documents/board").await.status, 200);
}

#[tokio::test]
async fn changes_are_numbered_for_subscribers() {
    let bench = Bench::start().await;
    let sync = bench.emulator.sync();
    let mut feed = sync.subscribe();
    bench.post(&bench.s("/Streams"), &[("UniqueName", "news")]).await;
    bench.post(&bench.s("/Streams/news/Messages"), &[("Data", r#"{"x":1}"#)]).await;
    sync.put_document("board", json!({ "n": 1 }));
    let mut ids = Vec::new();
    for kind in ["stream_created", "stream_message_published", "document_created"] {
        let change = feed.recv().await.unwrap();
        assert_eq!(serde_json::to_value(change.kind).unwrap(), Value::from(kind));
        ids.push(change.id);
    }
    assert!(ids[0] > 1_700_000_000_000, "numbers begin with the time of the start");
    assert_eq!(ids, [ids[0], ids[0] + 1, ids[0] + 2]);
    assert_eq!(sync.changes_since(ids[1]).unwrap().len(), 1);
}

#[tokio::test]
async fn data_keeps_the_order_of_its_keys_and_resources_have_twilios() {
    let bench = Bench::start().await;
    let data = r#"{ "z": 1, "a": { "y": 1, "b": [ 2 ] } }"#;
    bench.post(&bench.s("/Documents"), &[("UniqueName", "board"), ("Data", data)]).await;
    let request = bench.request(Method::GET, &bench.s("/Documents/board"));
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains(r#""data":{"z":1,"a":{"y":1,"b":[2]}},"date_expires""#), "{text}");
    assert!(text.starts_with(r#"{"account_sid""#), "{text}");
}

#[tokio::test]
async fn forms_may_be_multipart() {
    let bench = Bench::start().await;
    let body = "--x\r\nContent-Disposition: form-data; name=\"UniqueName\"\r\n\r\nboard\r\n\
                --x\r\nContent-Disposition: form-data; name=\"Data\"\r\n\r\n{\"n\": 1}\r\n--x--\r\n";
    let request = bench.request(Method::POST, &bench.s("/Documents"));
    let request = request.header("content-type", "multipart/form-data; boundary=x").body(body);
    let answer = bench.send(request).await;
    assert_eq!((answer.status, &answer.body["data"]), (201, &json!({ "n": 1 })));
    assert_eq!(bench.emulator.sync().document("board"), Some(json!({ "n": 1 })));
}
