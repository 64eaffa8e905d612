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
    let mut realm = Realm::new(&TimeZone::UTC).unwrap();
    let workspace =
        json!({"realtime": {"activity_statistics": [{"friendly_name": "Available", "workers": 4}]}});
    let data = DataChange {
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

fn value(source: &str) -> Result<FormulaOutcome, Fault> {
    realm().attempt(&formula(source))
}

fn number(source: &str) -> f64 {
    match value(source) {
        Ok(FormulaOutcome::Number(number)) => number,
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
        Ok(FormulaOutcome::Text("Support, Sales".into()))
    );
    assert_eq!(value("data.queues.length > 1"), Ok(FormulaOutcome::Flag(true)));
    assert_eq!(value("data.workspace.cumulative?.x ?? null"), Ok(FormulaOutcome::Nothing));
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
    assert_eq!(value("sla(data.workspace, 30)"), Ok(FormulaOutcome::Nothing), "nothing was read yet");
    assert!(value(&format!("sla({queue}, 31)")).unwrap_err().message.contains("SLA_THRESHOLDS"));
    assert!(value(&format!("sla({queue}, 30, 'x')")).unwrap_err().message.contains("all-waited"));
    let other = Formula { own_sla: Some("all-waited".into()), ..formula("sla(data.queues[0], 30)") };
    assert_eq!(realm().attempt(&other), Ok(FormulaOutcome::Number(60.0)), "the metric's own name holds");
    let sales = formula("sla(data.queues[1], 30)");
    assert_eq!(realm().attempt(&sales), Ok(FormulaOutcome::Number(60.0)), "the TaskQueue has one of its own");
    let other = Formula { own_sla: Some("accepted".into()), ..sales };
    assert_eq!(realm().attempt(&other), Ok(FormulaOutcome::Number(75.0)), "the metric's is nearer");
}

/// The cases that the page's queue table is held to as well.
#[test]
fn service_levels_as_the_page_computes_them() {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/sla.json")).unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let (name, threshold) = (case["name"].as_str().unwrap(), &case["threshold"]);
        let scope = json!({"data": {"cumulative": {"tasks_entered": case["entered"],
            "split_by_wait_time": {threshold.to_string(): {"above": case["above"], "below": case["below"]}}}}});
        let found = value(&format!("sla({scope}, {threshold}, '{name}')"));
        match case["percent"].as_f64() {
            Some(percent) => assert!(
                matches!(found, Ok(FormulaOutcome::Number(number)) if (number - percent).abs() < 1e-9),
                "{case}: {found:?}"
            ),
            None => assert_eq!(found, Ok(FormulaOutcome::Nothing), "{case}"),
        }
    }
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
    assert!(place("({})").2.contains("object"));
    assert!(place("new Intl.PluralRules('en')").2.contains("Intl.PluralRules is not supported"));
    assert!(place("fetch('/')").2.contains("fetch is not supported"));
    assert_eq!(place("typeof fetch + '\\n' + (1).toLocaleString('en', { notation: 'compact' })").0, Some(1));
    assert!(place("").2.contains("empty"));
    assert!(place("throw 1").0.is_some(), "an expression, and no statement");
    assert!(place("1); (2").0.is_some());
    assert!(place(&"1+".repeat(3000)).2.contains("longer than"));
}

#[test]
fn nothing_that_is_shared_can_be_changed() {
    for source in [
        "Array.prototype.map = null",
        "Object.prototype.x = 1",
        "data.__proto__.x = 1",
        "data.constructor.prototype.x = 1",
        "globalThis.x = 1",
        "x = 1",
        "(function* () {}).constructor.prototype.x = 1",
        "[][Symbol.iterator]().__proto__.next = () => 1",
        "sla.x = 1",
        "queue.x = 1",
        "console.x = 1",
        "(Math.x = 1)",
        "((async () => {})().constructor.leak = 1)",
        "((async () => {})().__proto__.leak = 1)",
        "((function* () {})().__proto__.__proto__.leak = 1)",
        "Error.captureStackTrace({})",
    ] {
        assert!(value(source).is_err(), "{source}");
    }
    let mut realm = realm();
    realm.compile(&[
        formula("(globalThis.seen ??= 0, seen++)"),
        formula("typeof seen"),
        formula("data.queues.length"),
    ]);
    assert!(realm.evaluate(0, 0).is_err());
    assert_eq!(realm.evaluate(0, 1), Ok(FormulaOutcome::Text("undefined".into())));
    assert_eq!(realm.evaluate(0, 2), Ok(FormulaOutcome::Number(2.0)));
}

#[test]
fn nothing_compiles_text() {
    for make in ["() => {}", "function* () {}", "async function () {}", "async function* () {}", "sla"] {
        assert_eq!(
            value(&format!("({make}).constructor === Object")),
            Ok(FormulaOutcome::Flag(true)),
            "{make}"
        );
    }
}

#[test]
fn a_service_level_of_nothing_is_null() {
    for source in ["sla()", "sla(1, 30)", "sla({}, 30)", "sla(data, 30)", "sla('WQ1', 30)"] {
        assert!(value(source).unwrap_err().message.contains("sla takes"), "{source}");
    }
    assert_eq!(value("sla(data.workspace, 30)"), Ok(FormulaOutcome::Nothing), "nothing cumulative was read");
}

#[test]
fn updates_replace_only_what_they_name() {
    let mut realm = realm();
    let raw =
        to_raw_value(&json!({"queue": {"sid": "WQ3", "friendlyName": "New"}, "data": {"n": 9}})).unwrap();
    let order = Some(vec!["WQ3".into(), "WQ1".into()]);
    realm
        .update(DataChange { queues: [("WQ3".to_owned(), raw)].into(), order, ..DataChange::default() })
        .unwrap();
    let names = formula("data.queues.map(q => q.friendlyName).join()");
    assert_eq!(realm.attempt(&names), Ok(FormulaOutcome::Text("New,Support".into())));
    assert_eq!(realm.attempt(&formula("data.queues[0].data.n")), Ok(FormulaOutcome::Number(9.0)));
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

#[test]
fn a_formula_may_write_into_its_own_view_and_leaves_nothing_behind() {
    let mut realm = realm();
    let unchanged = formula("JSON.stringify(data)");
    let before = realm.attempt(&unchanged);
    assert!(before.is_ok());
    for (source, result) in [
        (
            "data.queues.sort((a, b) => b.data.realtime.tasks_by_status.pending - a.data.realtime.tasks_by_status.pending)[0].friendlyName",
            "Sales",
        ),
        ("data.queues.reverse().map(q => q.friendlyName).join()", "Sales,Support"),
        ("(data.queues.push({ sid: 'WQ3' }), data.queues.length + '')", "3"),
        (
            "(data.queues.forEach(q => { q.waiting = q.data.realtime.tasks_by_status.pending }), data.queues.map(q => q.waiting).join())",
            "3,5",
        ),
        (
            "(data.queues[0].data.realtime.tasks_by_status.pending = 9, data.queues[0].data.realtime.tasks_by_status.pending + '')",
            "9",
        ),
        (
            "data.workspace.realtime.activity_statistics.sort((a, b) => a.workers - b.workers)[0].friendly_name",
            "Available",
        ),
        ("(delete data.workspace.realtime, typeof data.workspace.realtime)", "undefined"),
    ] {
        assert_eq!(realm.attempt(&formula(source)), Ok(FormulaOutcome::Text(result.to_owned())), "{source}");
        assert_eq!(realm.attempt(&unchanged), before, "{source}");
    }
}

#[test]
fn values_are_those_that_the_sample_shows() {
    let text = |text: &str| Ok(FormulaOutcome::Text(text.to_owned()));
    let no_number = |shown: &str| Ok(FormulaOutcome::NoNumber { shown: shown.to_owned() });
    assert_eq!(value("0 / 0"), no_number("0"));
    assert_eq!(value("''"), Ok(FormulaOutcome::Number(0.0)));
    assert_eq!(value("1 / 0"), text("Infinity"));
    assert_eq!(value("true"), Ok(FormulaOutcome::Flag(true)));
    assert_eq!(value("[1, 2.5, 'a', [null, 3]]"), no_number("12.5a3"));
    assert_eq!(value("data.queues.map(q => q.friendlyName)"), no_number("SupportSales"));
    assert_eq!(value("[5]"), text("5"));
    assert!(value("[{}]").is_err() && value("(() => { const a = []; a[0] = a; return a })()").is_err());
    assert_eq!(value("(console.log('x'), console.error(data), 'seen')"), text("seen"));
}

#[test]
fn the_later_wallboards_spelling_is_there_beside_twilios() {
    let mut realm = realm();
    let workspace =
        to_raw_value(&json!({"account_sid": "AC1", "workspace_sid": "WS1", "realtime": {}})).unwrap();
    realm.update(DataChange { workspace: Some(workspace), ..DataChange::default() }).unwrap();
    let both =
        "data.workspace.accountSid + data.workspace.account_sid + data.workspace_statistics.workspaceSid";
    assert_eq!(realm.attempt(&formula(both)), Ok(FormulaOutcome::Text("AC1AC1WS1".into())));
    let listed = "Object.keys(data.workspace).join()";
    assert_eq!(
        realm.attempt(&formula(listed)),
        Ok(FormulaOutcome::Text("account_sid,realtime,workspace_sid".into()))
    );
}

#[test]
fn a_task_queue_is_found_by_its_sid() {
    assert_eq!(number("queue('WQ2').data.realtime.tasks_by_status.pending"), 5.0);
    assert_eq!(number("queue('WQ1').data.realtime.tasks_by_status.pending"), 3.0);
    let fault = value("queue('WQ9').data").unwrap_err();
    assert!(fault.message.contains("there is no TaskQueue WQ9; was it deleted?"), "{fault}");
    assert_eq!(value("sla(queue('WQ1'), 30)"), Ok(FormulaOutcome::Number(75.0)));
}

/// What an object that every formula reaches lets be assigned to, frozen or not.
const ACCESSORS: &str = r#"(() => {
    const found = [], seen = new Set(), open = [["globalThis", globalThis]];
    const reach = (path, value) => open.push([path, value]);
    [function* () {}, async function () {}, async function* () {}, () => {}, [][Symbol.iterator](), new Map()[Symbol.iterator](),
        new Set()[Symbol.iterator](), ""[Symbol.iterator](), "".matchAll(/x/g), /x/, Object(0n), new Error("x"),
        new TypeError("x"), (async () => {})(), data, sla, queue].forEach((value, i) => reach(`hidden ${i}`, value));
    while (open.length > 0) {
        const [path, value] = open.pop();
        if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
        seen.add(value);
        reach(`${path}.__proto__`, Object.getPrototypeOf(value));
        for (const key of Reflect.ownKeys(value)) {
            const { value: held, get, set, writable } = Object.getOwnPropertyDescriptor(value, key);
            const name = `${path}.${String(key)}`;
            if (set !== undefined) found.push(name);
            else if (writable && path.startsWith("globalThis")) found.push(name);
            [held, get, set].forEach((next) => reach(name, next));
        }
    }
    return found.map((name) => name.split(".").slice(-2).join(".")).sort().join(" ");
})()"#;

#[test]
fn nothing_that_formulas_share_can_be_assigned_to() {
    let mut realm = realm();
    let compiled = realm.compiled(0, &formula(ACCESSORS)).unwrap();
    let (tools, workspace, list) = (&realm.tools, realm.workspace.clone(), realm.list.clone().unwrap());
    // Without a limit: it goes through everything that there is.
    let found: String = realm.context.with(|ctx| {
        let view = tools.view.clone().restore(&ctx).unwrap();
        let data: Value<'_> =
            view.call((workspace.restore(&ctx).unwrap(), list.restore(&ctx).unwrap(), false)).unwrap();
        let queue: Value<'_> = tools.queue_of.clone().restore(&ctx).unwrap().call((data.clone(),)).unwrap();
        let sla = compiled.sla.clone().restore(&ctx).unwrap();
        compiled.function.clone().restore(&ctx).unwrap().call((data, sla, queue)).catch(&ctx).unwrap()
    });
    // Each acts on the object that it is called for, and those that are shared are frozen.
    let expected = "Symbol(Symbol.toStringTag) __proto__.__proto__ __proto__.arguments __proto__.caller \
        __proto__.constructor prototype.stack";
    assert_eq!(found, expected);
    for source in [
        "Object.prototype.__proto__ = {}",
        "(() => {}).__proto__.caller = 1",
        "(() => {}).__proto__.arguments = 1",
        "[][Symbol.iterator]().__proto__.__proto__[Symbol.toStringTag] = 'x'",
        "[][Symbol.iterator]().__proto__.__proto__.constructor = 1",
        "(Error.prepareStackTrace = () => 1)",
        "(Error.stackTraceLimit = 1e6)",
    ] {
        assert!(realm.attempt(&formula(source)).is_err(), "{source}");
    }
    let _ = realm.attempt(&formula("Error.prototype.stack = 'left behind'"));
    assert_eq!(
        realm.attempt(&formula("String(Error.prototype.stack).includes('left behind')")),
        Ok(FormulaOutcome::Flag(false))
    );
}

/// `count` TaskQueues with statistics as Twilio has them.
fn large(count: usize) -> Realm {
    let mut realm = Realm::new(&TimeZone::UTC).unwrap();
    let waits: serde_json::Map<_, _> = (0..6)
        .map(|n| (format!("{}", 15 << n), json!({"above": {"tasks_canceled": 1, "reservations_accepted": 2}, "below": {"tasks_canceled": 3, "reservations_accepted": 6}})))
        .collect();
    let activities: Vec<_> = (0..8)
        .map(
            |n| json!({"sid": format!("WA{n:032x}"), "friendly_name": format!("Activity {n}"), "workers": n}),
        )
        .collect();
    let mut order = Vec::new();
    for n in 0..count {
        let sid = format!("WQ{n:032x}");
        let data = json!({
            "realtime": {"tasks_by_status": {"pending": 1, "reserved": 0, "assigned": 2, "wrapping": 0}, "total_tasks": 3,
                "tasks_by_priority": {"0": 1, "10": 2}, "activity_statistics": activities, "longest_task_waiting_age": n},
            "cumulative": {"tasks_entered": 13, "tasks_canceled": 2, "avg_task_acceptance_time": 12, "split_by_wait_time": waits,
                "wait_duration_until_accepted": {"avg": 1, "min": 0, "max": 9, "total": 99}},
        });
        let raw =
            to_raw_value(&json!({"queue": {"sid": sid, "friendlyName": format!("Queue {n}")}, "data": data}))
                .unwrap();
        let queues = [(sid.clone(), raw)].into();
        realm.update(DataChange { queues, more: true, ..DataChange::default() }).unwrap();
        order.push(sid);
    }
    let workspace = Some(to_raw_value(&json!({"realtime": {}})).unwrap());
    realm.update(DataChange { workspace, order: Some(order), ..DataChange::default() }).unwrap();
    realm
}

#[test]
fn honest_sums_over_thousands_of_task_queues_have_their_values() {
    for count in [1_000, 5_000] {
        let mut realm = large(count);
        let sums: Vec<Formula> = (0..50)
            .map(|n| {
                let sum = match n % 5 {
                    0 => "data.queues.reduce((n, q) => n + q.data.realtime.tasks_by_status.pending, 0)",
                    1 => "data.queues.filter(q => q.data.realtime.total_tasks > 2).length",
                    2 => "data.queues.map(q => q.data.cumulative.tasks_canceled - 1).reduce((a, b) => a + b, 0)",
                    3 => "data.queues.reduce((n, q) => n + q.data.cumulative.split_by_wait_time['30'].above.tasks_canceled, 0)",
                    _ => "Math.max(0, ...data.queues.map(q => q.data.realtime.tasks_by_priority['0'])) * data.queues.length",
                };
                formula(&format!("{sum} + {n}"))
            })
            .collect();
        realm.compile(&sums);
        for (n, base) in (0..50_u32).zip(std::iter::repeat(count)) {
            let expected = f64::from(n) + f64::from(u32::try_from(base).unwrap());
            let place = usize::try_from(n).unwrap();
            assert_eq!(realm.evaluate(place, place), Ok(FormulaOutcome::Number(expected)), "{count}: {n}");
        }
        println!("{count} TaskQueues: {} bytes of heap", realm.held);
    }
}

#[test]
fn one_task_queue_that_is_looked_at_is_the_only_one_that_is_parsed() {
    let mut realm = large(100);
    let sid = format!("WQ{:032x}", 7);
    assert_eq!(
        realm.attempt(&formula(&format!("queue('{sid}').data.realtime.total_tasks"))),
        Ok(FormulaOutcome::Number(3.0))
    );
    assert_eq!(realm.queues.values().filter(|queue| queue.parsed).count(), 1);
    // A formula that catches what is thrown for it gets its value all the same.
    let caught =
        "data.queues.map(q => { try { return q.data.realtime.total_tasks } catch { return -1 } }).join('')";
    assert_eq!(realm.attempt(&formula(caught)), Ok(FormulaOutcome::Text("3".repeat(100))));
}
