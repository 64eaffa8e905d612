//! Metrics on the real path: definitions in Sync, formulas over what TaskRouter says, results in Sync and in the feed.

use serde_json::{Value, json};
use twilio_emulator::Settings;

use crate::support::{ADMIN, Bed, NO_TIMERS, QUICK_TIMERS};

const DEFINITIONS: &str = "dashboard-definitions";
const METRICS: &str = "dashboard-metrics";

async fn post(bed: &Bed, path: &str, body: &Value) -> (u16, Value) {
    let request = bed.http.post(format!("{}{path}", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1)).json(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn get(bed: &Bed, path: &str) -> Value {
    let request = bed.http.get(format!("{}{path}", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

fn metric(bed: &Bed, name: &str) -> Value {
    bed.emulator.sync().document(METRICS).map(|document| document[name].clone()).unwrap_or_default()
}

fn pending(bed: &Bed) -> u64 {
    let workspace = bed.emulator.truth().workspace(None, crate::support::start_of_utc_day(), &[30, 60, 120]);
    workspace.realtime["tasks_by_status"]["pending"].as_u64().unwrap()
}

fn one(name: &str, metric: &Value) -> Value {
    json!({ name: { "metric": metric } })
}

#[tokio::test]
async fn tiles_tell_the_truth_and_follow_it() {
    let bed = Bed::with(Settings { queues: 6, workers: 4, ..Settings::default() }, NO_TIMERS).await;
    bed.until("the tiles are in Sync", || metric(&bed, "tasks-waiting")["value"] == pending(&bed)).await;
    let document = bed.emulator.sync().document(METRICS).unwrap();
    for (name, tile) in document.as_object().unwrap() {
        assert!(
            !tile["text"].as_str().unwrap().starts_with("ERR"),
            "{name} works on every workspace: {tile}"
        );
        assert!(
            tile["label"].is_string() && tile["style"]["statColour"].is_string() && tile["asOf"].is_string()
        );
    }
    assert!(document["sla-today"]["sla"].as_str().unwrap().contains("accepted"));
    let before = pending(&bed);
    for _ in 0..3 {
        bed.emulator.world().step();
    }
    bed.until("the tile follows", || metric(&bed, "tasks-waiting")["value"] == pending(&bed)).await;
    assert!(pending(&bed) >= before);
    bed.finish().await;
}

#[tokio::test]
async fn a_saved_definition_shows_and_a_bad_one_changes_nothing() {
    let bed = Bed::start(NO_TIMERS).await;
    let saved = json!({
        "label": "Queues", "formula": "data.queues.length", "format": "number:1",
        "firstThresholdValue": "3", "firstThresholdStyle": {"styleName": "Warn", "statColour": "colorTextWarningStrong"},
    });
    let (status, all) = post(&bed, "/api/save", &one("queues", &saved)).await;
    assert_eq!((status, &all["queues"]["metric"]["label"]), (200, &json!("Queues")));
    assert!(all["tasks-waiting"].is_object(), "it merges");
    bed.until("it shows", || metric(&bed, "queues")["text"] == "4.0").await;
    assert_eq!(metric(&bed, "queues")["style"]["styleName"], "Warn");

    let bad = json!({
        "good": {"metric": {"label": "x", "formula": "1"}},
        "bad": {"metric": {"label": "", "formula": "1 +\n  * 2", "secondThresholdValue": "many"}},
        "worse": {"metric": {"label": "y", "formula": "data.queues.map(q =>"}},
    });
    let (status, refusal) = post(&bed, "/api/save", &bad).await;
    assert_eq!((status, &refusal["code"]), (422, &json!("bad_definitions")));
    let problems = refusal["problems"].as_array().unwrap();
    let named: Vec<_> = problems.iter().map(|p| (p["metric"].clone(), p["field"].clone())).collect();
    assert_eq!(
        named,
        [
            (json!("bad"), json!("label")),
            (json!("bad"), json!("secondThresholdValue")),
            (json!("worse"), json!("formula"))
        ]
    );
    assert_eq!((&problems[2]["line"], problems[2]["column"].is_u64()), (&json!(1), true));
    assert_eq!(get(&bed, "/api/definitions").await.get("good"), None, "nothing of it is stored");
    bed.finish().await;
}

#[tokio::test]
async fn failing_formulas_show_err_and_the_others_go_on() {
    let bed = Bed::start(NO_TIMERS).await;
    let changes = json!({
        "endless": {"metric": {"label": "a", "formula": "(() => { while (true) {} })()"}},
        "misspelt": {"metric": {"label": "b", "formula": "data.workspace.realtime.total_tsks"}},
        "no-time": {"metric": {"label": "c", "formula": "'soon'", "format": "seconds"}},
        "fine": {"metric": {"label": "d", "formula": "6 * 7"}},
    });
    assert_eq!(post(&bed, "/api/save", &changes).await.0, 200);
    bed.until("all four show", || {
        [("endless", "ERR"), ("misspelt", "ERR"), ("no-time", "ERR FMT"), ("fine", "42")]
            .iter()
            .all(|(name, text)| metric(&bed, name)["text"] == *text)
    })
    .await;
    assert_eq!(metric(&bed, "endless")["error"], Value::Null, "reasons are for editors, not for Sync");
    let (_, preview) = post(&bed, "/api/definitions/preview", &changes["misspelt"]).await;
    assert_eq!(preview["text"], "ERR");
    assert_eq!(preview["error"]["message"], "`total_tsks` is not a field; did you mean `total_tasks`?");
    let (_, preview) = post(&bed, "/api/definitions/preview", &changes["fine"]).await;
    assert_eq!(
        (&preview["value"], &preview["text"], &preview["error"]),
        (&json!(42), &json!("42"), &Value::Null)
    );
    bed.finish().await;
}

#[tokio::test]
async fn definitions_are_reordered_and_deleted() {
    let bed = Bed::start(NO_TIMERS).await;
    let names = |all: &Value| all.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (status, _) =
        post(&bed, "/api/definitions/order", &json!({"names": ["agents-busy", "occupancy"]})).await;
    assert_eq!(status, 200);
    bed.until("the order shows", || metric(&bed, "agents-busy")["position"] == 0).await;
    assert_eq!(metric(&bed, "occupancy")["position"], 1);
    let (status, all) = post(&bed, "/api/definitions/delete", &json!({"names": ["occupancy"]})).await;
    assert_eq!(status, 200);
    assert!(!names(&all).contains(&"occupancy".to_owned()));
    bed.until("its tile is gone", || metric(&bed, "occupancy").is_null()).await;
    let (status, refusal) = post(&bed, "/api/definitions/delete", &json!({"names": ["occupancy"]})).await;
    assert_eq!((status, refusal["message"].as_str().unwrap()), (422, "there is no metric \"occupancy\""));
    bed.finish().await;
}

#[tokio::test]
async fn more_than_one_document_holds_goes_on_in_the_next_and_nothing_is_lost() {
    let mut bed = Bed::start(NO_TIMERS).await;
    let style = json!({"styleName": "A style with a name", "headlineColour": "colorTextWeak",
        "statColour": "colorText", "backgroundColour": "transparent"});
    for batch in 0..6 {
        let metrics = (0..20).map(|n| {
            let metric = json!({"label": format!("Metric {batch} {n}"), "formula": format!("{batch} * 20 + {n}"),
                "defaultStyle": style, "firstThresholdStyle": style, "secondThresholdStyle": style});
            (format!("m-{batch}-{n}"), json!({ "metric": metric }))
        });
        let changes = Value::Object(metrics.collect());
        assert_eq!(post(&bed, "/api/save", &changes).await.0, 200);
    }
    let all = get(&bed, "/api/definitions").await;
    assert!(all.as_object().unwrap().len() >= 132);
    let sync = bed.emulator.sync();
    assert!(sync.document(&format!("{DEFINITIONS}-3")).is_some());
    let shown = |sync: &twilio_emulator::SyncHandle| {
        let names =
            ["dashboard-metrics", "dashboard-metrics-2", "dashboard-metrics-3", "dashboard-metrics-4"];
        let documents = names.iter().filter_map(|name| sync.document(name));
        documents.map(|document| document.as_object().unwrap().len()).sum::<usize>()
    };
    bed.until("every tile shows", || shown(&bed.emulator.sync()) == all.as_object().unwrap().len()).await;
    let documents = get(&bed, "/api/health").await["metricsDocuments"].as_array().unwrap().len();
    assert!(documents >= 3);

    bed.stop_service().await;
    bed.start_service().await;
    bed.ready().await;
    assert_eq!(
        get(&bed, "/api/definitions").await.as_object().unwrap().len(),
        all.as_object().unwrap().len()
    );
    let names: Vec<_> = all.as_object().unwrap().keys().filter(|name| name.starts_with("m-")).collect();
    assert_eq!(post(&bed, "/api/definitions/delete", &json!({ "names": names })).await.0, 200);
    bed.until("the further Documents are gone", || {
        let sync = bed.emulator.sync();
        sync.document("dashboard-metrics-2").is_none() && sync.document("dashboard-metrics").is_some()
    })
    .await;
    bed.finish().await;
}

#[tokio::test]
async fn what_others_write_into_the_definitions_is_taken_over() {
    let bed = Bed::start(QUICK_TIMERS).await;
    let sync = bed.emulator.sync();
    let mut document = sync.document(DEFINITIONS).unwrap();
    document["theirs"] = json!({"metric": {"label": "Theirs", "formula": "'from ' + data.queues.length"}});
    document["broken"] = json!("not a definition");
    sync.put_document(DEFINITIONS, document);
    bed.until("it shows", || metric(&bed, "theirs")["text"] == "from 4").await;
    assert_eq!(metric(&bed, "broken")["text"], "ERR", "and costs no other");
    // A change of ours leaves theirs alone.
    let (status, all) =
        post(&bed, "/api/save", &one("ours", &json!({"label": "Ours", "formula": "1"}))).await;
    assert_eq!((status, &all["theirs"]["metric"]["label"]), (200, &json!("Theirs")));
    bed.finish().await;
}

#[tokio::test]
async fn curves_and_fields_are_there_for_who_may_see_them() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.until("the tiles are in Sync", || metric(&bed, "tasks-waiting")["value"].is_number()).await;
    let points = get(&bed, "/api/history?metric=tasks-waiting").await;
    assert_eq!(points["points"][0][1].as_f64(), metric(&bed, "tasks-waiting")["value"].as_f64());
    for (path, status) in [
        ("/api/history?metric=nothing", 404),
        ("/api/history", 422),
        ("/api/history?metric=tasks-waiting&metric=nothing", 200),
    ] {
        let answer = bed.http.get(format!("{}{path}", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.json::<Value>().await.is_ok(), "{path}");
    }
    let fields = get(&bed, "/api/definitions/fields").await;
    assert!(fields["workspace"]["realtime"]["tasks_by_status"].is_object());
    assert_eq!(fields["queues"].as_array().unwrap().len(), 4);
    let unsigned = bed.http.get(format!("{}/api/definitions", bed.url())).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    bed.finish().await;
}

#[tokio::test]
async fn a_failing_formula_is_refused_where_the_editor_asks_for_that() {
    let bed = Bed::start(NO_TIMERS).await;
    let changes = json!({
        "misspelt": {"metric": {"label": "b", "formula": "data.workspace.realtime.total_tsks"}},
        "no-time": {"metric": {"label": "c", "formula": "'soon'", "format": "seconds"}},
        "fine": {"metric": {"label": "d", "formula": "6 * 7"}},
    });
    let (status, refusal) = post(&bed, "/api/save?failing=refuse", &changes).await;
    assert_eq!(status, 422, "{refusal}");
    let problems = refusal["problems"].as_array().unwrap();
    let named: Vec<_> = problems.iter().map(|p| (p["metric"].clone(), p["field"].clone())).collect();
    assert_eq!(named, [(json!("misspelt"), json!("formula")), (json!("no-time"), json!("format"))]);
    assert!(problems[0]["message"].as_str().unwrap().contains("did you mean `total_tasks`"), "{refusal}");
    assert_eq!(get(&bed, "/api/definitions").await.get("fine"), None, "nothing of it is stored");
    assert_eq!(post(&bed, "/api/save", &changes).await.0, 200, "older front ends save it all the same");
    bed.finish().await;
}

#[tokio::test]
async fn a_formula_that_ends_the_formula_process_is_not_saved() {
    let bed = Bed::start(NO_TIMERS).await;
    let endless = "'a'.repeat(2000000).indexOf('a'.repeat(1000000) + 'b')";
    let (status, refusal) =
        post(&bed, "/api/save", &one("endless", &json!({"label": "x", "formula": endless}))).await;
    assert_eq!(status, 422, "{refusal}");
    assert_eq!(refusal["problems"][0]["message"], "the formula does not end");
    bed.finish().await;
}

#[tokio::test]
async fn a_tile_names_the_threshold_that_it_has_passed() {
    let bed = Bed::start(NO_TIMERS).await;
    let with = |formula: &str, invert: bool| {
        json!({"metric": {
            "label": "x", "formula": formula, "format": "seconds", "invertThresholds": invert,
            "firstThresholdValue": "0:20", "firstThresholdStyle": {"styleName": "Success"},
            "secondThresholdValue": "30", "secondThresholdStyle": {"styleName": "Error"},
        }})
    };
    let changes = json!({"low": with("19", true), "middle": with("25", true), "high": with("25", false), "none": with("30", true)});
    assert_eq!(post(&bed, "/api/save", &changes).await.0, 200);
    let threshold = |level: u8, limit: u8, direction: &str| json!({"level": level, "limit": limit, "direction": direction});
    let expected = [
        ("low", "Success", threshold(1, 20, "below")),
        ("middle", "Error", threshold(2, 30, "below")),
        ("high", "Success", threshold(1, 20, "above")),
        ("none", "Default", Value::Null),
    ];
    bed.until("they show", || {
        expected.iter().all(|(name, style, threshold)| {
            let tile = metric(&bed, name);
            tile["style"]["styleName"] == *style && tile["threshold"] == *threshold
        })
    })
    .await;
    bed.finish().await;
}

#[tokio::test]
async fn a_mistake_of_others_costs_a_colour_and_not_the_number_and_previews_say_so() {
    let bed = Bed::start(QUICK_TIMERS).await;
    let flawed = json!({"label": "x", "formula": "data.queues[0].friendlyName.length * 0 + 7", "format": "hours",
        "firstThresholdValue": "many", "secondThresholdValue": "5"});
    bed.emulator.sync().put_document(DEFINITIONS, one("flawed", &flawed));
    bed.until("it shows", || metric(&bed, "flawed")["text"] == "7").await;
    assert_eq!(metric(&bed, "flawed")["threshold"]["level"], 2);
    let (_, preview) = post(&bed, "/api/definitions/preview", &json!({"metric": flawed})).await;
    assert_eq!((&preview["text"], preview.get("error")), (&json!("7"), None));
    let warnings = preview["warnings"].as_array().unwrap();
    let fields: Vec<_> = warnings.iter().map(|warning| warning["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["firstThresholdValue", "format", "formula"]);
    assert!(warnings[2]["message"].as_str().unwrap().contains("queue(\"WQ"), "{preview}");
    bed.finish().await;
}

/// `docs/metrics.md`, "Recipes": each formula and the format beside it.
fn recipes() -> Vec<(String, String)> {
    let page = include_str!("../../docs/metrics.md");
    let section = page.split("## Recipes").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.map(|row| {
        let mut quoted = row.split('`').skip(1).step_by(2);
        let formula = quoted.next().unwrap().to_owned();
        let format = row.rsplit('|').nth(1).unwrap().trim_matches([' ', '`']).to_owned();
        (formula, format)
    })
    .collect()
}

#[tokio::test]
async fn every_recipe_of_the_documentation_shows_a_value() {
    let bed = Bed::with(Settings { queues: 6, workers: 4, ..Settings::default() }, NO_TIMERS).await;
    bed.until("the tiles are in Sync", || metric(&bed, "tasks-waiting")["value"] == pending(&bed)).await;
    let queue = bed.emulator.truth().queue_sids()[0].clone();
    let recipes = recipes();
    assert_eq!(recipes.len(), 10);
    for (formula, format) in recipes {
        let metric = json!({"label": "recipe", "formula": formula.replace("WQ…", &queue), "format": format});
        let (status, preview) = post(&bed, "/api/definitions/preview", &json!({"metric": metric})).await;
        assert_eq!((status, &preview["error"]), (200, &Value::Null), "{formula}: {preview}");
        assert!(!preview["text"].as_str().unwrap().starts_with("ERR"), "{formula}: {preview}");
    }
    bed.finish().await;
}
