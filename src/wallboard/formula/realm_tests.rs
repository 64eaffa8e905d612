use serde_json::json;
use serde_json::value::to_raw_value;

use super::*;

fn realm() -> Realm {
    let queue = |n: u32, name: &str, pending: u32| {
        let sid = format!("WQ{n}");
        let split = json!({"30": {"above": {"tasks_canceled": 1, "reservations_accepted": 2},
            "below": {"tasks_canceled": 3, "reservations_accepted": 6}}});
        let data = json!({"realtime": {"tasks_by_status": {"pending": pending}},
            "cumulative": {"tasks_entered": 13, "split_by_wait_time": split}});
        let raw = to_raw_value(&json!({"queue": {"sid": sid, "friendlyName": name, "sla": (n == 2).then_some("all-waited")}, "data": data})).unwrap();
        (sid, raw)
    };
    let mut realm = Realm::new().unwrap();
    let workspace =
        json!({"realtime": {"activity_statistics": [{"friendly_name": "Available", "workers": 4}]}});
    let data = Data {
        workspace: Some(to_raw_value(&workspace).unwrap()),
        queues: [queue(1, "Support", 3), queue(2, "Sales", 5)].into(),
        order: Some(vec!["WQ1".into(), "WQ2".into()]),
        more: false,
    };
    realm.update(data).unwrap();
    realm
}

fn formula(source: &str) -> Formula {
    Formula { source: source.into(), usual_sla: "accepted".into(), own_sla: None }
}

fn value(source: &str) -> Result<Outcome, Fault> {
    realm().attempt(&formula(source))
}

fn number(source: &str) -> f64 {
    match value(source) {
        Ok(Outcome::Number(number)) => number,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn the_wallboards_formulas_work() {
    assert_eq!(
        number(
            "data.workspace_statistics.realtime.activity_statistics.find((e) => e.friendly_name === 'Available').workers"
        ),
        4.0
    );
    assert_eq!(number("data.workspace.realtime.activity_statistics[0].workers;"), 4.0);
    assert_eq!(number("data.queues.reduce((n, q) => n + q.data.realtime.tasks_by_status.pending, 0)"), 8.0);
    assert_eq!(
        number("data.queues.find(q => q.friendlyName === 'Sales').data.realtime.tasks_by_status.pending"),
        5.0
    );
    assert_eq!(
        value("data.queues.map(q => q.friendlyName).join(', ')"),
        Ok(Outcome::Text("Support, Sales".into()))
    );
    assert_eq!(value("data.queues.length > 1"), Ok(Outcome::Flag(true)));
    assert_eq!(value("data.workspace.cumulative?.x ?? null"), Ok(Outcome::Nothing));
    assert_eq!(
        number("JSON.parse(JSON.stringify(data)).queues[1].data.realtime.tasks_by_status.pending"),
        5.0
    );
    assert_eq!(number("new Map([[1, 2]]).get(1) + [...new Set([1, 1])].length + new Date(0).getTime()"), 3.0);
}

#[test]
fn service_levels_by_name() {
    let queue = "data.queues[0]";
    assert_eq!(number(&format!("sla({queue}, 30)")), 75.0);
    assert!((number(&format!("sla({queue}, 30, 'accepted-or-late-abandoned')")) - 600.0 / 9.0).abs() < 1e-9);
    assert_eq!(number(&format!("sla({queue}, 30, 'all-waited')")), 60.0);
    assert_eq!(value("sla(data.workspace, 30)"), Ok(Outcome::Nothing), "nothing was read yet");
    assert!(value(&format!("sla({queue}, 31)")).unwrap_err().message.contains("SLA_THRESHOLDS"));
    assert!(value(&format!("sla({queue}, 30, 'x')")).unwrap_err().message.contains("all-waited"));
    let other = Formula { own_sla: Some("all-waited".into()), ..formula("sla(data.queues[0], 30)") };
    assert_eq!(realm().attempt(&other), Ok(Outcome::Number(60.0)), "the metric's own name holds");
    let sales = formula("sla(data.queues[1], 30)");
    assert_eq!(realm().attempt(&sales), Ok(Outcome::Number(60.0)), "the TaskQueue has one of its own");
    let other = Formula { own_sla: Some("accepted".into()), ..sales };
    assert_eq!(realm().attempt(&other), Ok(Outcome::Number(75.0)), "the metric's is nearer");
}

#[test]
fn faults_name_their_place() {
    let place = |source: &str| {
        let fault = value(source).unwrap_err();
        (fault.line, fault.column, fault.message)
    };
    let (line, column, message) = place("1 +");
    assert_eq!((line, column), (Some(1), Some(4)), "{message}");
    let (line, column, message) = place("1 + 2 +\n  3 * * 4");
    assert_eq!((line, column), (Some(2), Some(7)), "{message}");
    let (line, _, message) = place("data.workspace\n  .nothing.more");
    assert!(line.is_some() && message.contains("'more' of undefined"), "{message}");
    assert_eq!(place("nothing").2, "nothing is not defined");
    assert!(place("data.nothing").2.contains("undefined"));
    assert!(place("0 / 0").2.contains("finite"));
    assert!(place("({})").2.contains("object"));
    assert!(place("").2.contains("empty"));
    assert!(place("throw 1").0.is_some(), "an expression, and no statement");
    assert!(place("1); (2").0.is_some());
    assert!(place(&"1+".repeat(3000)).2.contains("longer than"));
}

#[test]
fn data_is_read_only_and_nothing_is_left_behind() {
    for source in [
        "data.x = 1",
        "data.queues.push(1)",
        "data.queues[0].data.realtime.tasks_by_status.pending = 0",
        "delete data.workspace",
        "Array.prototype.map = null",
        "Object.prototype.x = 1",
        "data.__proto__.x = 1",
        "data.constructor.prototype.x = 1",
        "globalThis.x = 1",
        "x = 1",
        "Object.defineProperty(data, 'workspace', { value: 1 })",
        "Object.setPrototypeOf(data, null)",
        "(function* () {}).constructor.prototype.x = 1",
        "[][Symbol.iterator]().__proto__.next = () => 1",
        "sla.x = 1",
        "(Math.x = 1)",
        "((async () => {})().constructor.leak = 1)",
        "((async () => {})().__proto__.leak = 1)",
        "((function* () {})().__proto__.__proto__.leak = 1)",
    ] {
        assert!(value(source).is_err(), "{source}");
    }
    let mut realm = realm();
    realm.compile(&[
        formula("(globalThis.seen ??= 0, seen++)"),
        formula("typeof seen"),
        formula("data.queues.length"),
    ]);
    assert!(realm.evaluate(0).is_err());
    assert_eq!(realm.evaluate(1), Ok(Outcome::Text("undefined".into())));
    assert_eq!(realm.evaluate(2), Ok(Outcome::Number(2.0)));
}

#[test]
fn nothing_compiles_text() {
    for make in ["() => {}", "function* () {}", "async function () {}", "async function* () {}", "sla"] {
        assert_eq!(value(&format!("({make}).constructor === Object")), Ok(Outcome::Flag(true)), "{make}");
    }
}

#[test]
fn a_service_level_of_nothing_is_told() {
    for source in ["sla()", "sla(1, 30)", "sla({}, 30)", "sla(data, 30)", "sla('WQ1', 30)"] {
        assert!(value(source).unwrap_err().message.contains("sla takes"), "{source}");
    }
    assert_eq!(value("sla(data.workspace, 30)"), Ok(Outcome::Nothing), "nothing cumulative was read");
}

#[test]
fn updates_replace_only_what_they_name() {
    let mut realm = realm();
    let raw =
        to_raw_value(&json!({"queue": {"sid": "WQ3", "friendlyName": "New"}, "data": {"n": 9}})).unwrap();
    let order = Some(vec!["WQ3".into(), "WQ1".into()]);
    realm.update(Data { queues: [("WQ3".to_owned(), raw)].into(), order, ..Data::default() }).unwrap();
    let names = formula("data.queues.map(q => q.friendlyName).join()");
    assert_eq!(realm.attempt(&names), Ok(Outcome::Text("New,Support".into())));
    assert_eq!(realm.attempt(&formula("data.queues[0].data.n")), Ok(Outcome::Number(9.0)));
    assert_eq!(realm.queues.len(), 2, "what is gone is forgotten");
}

#[test]
fn what_would_run_later_spoils_the_realm() {
    let mut realm = realm();
    assert!(realm.attempt(&formula("typeof Promise + typeof eval")).is_ok());
    assert!(!realm.is_spoilt());
    let _ = realm.attempt(&formula("(async () => { await 0; while (true) {} })()"));
    assert!(realm.is_spoilt());
}
