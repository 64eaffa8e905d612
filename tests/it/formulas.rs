//! Formulas in the process that the service really starts: hostile ones cost the others nothing.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use serde_json::value::to_raw_value;
use taskrouter_sync::wallboard::formula::process::{Engine, Source};
use taskrouter_sync::wallboard::formula::protocol::{DataChange, Formula, FormulaOutcome};
use twilio_emulator::{Emulator, Settings};

use crate::support::{Binary, DEADLINE, QUICK_TIMERS};

/// Ends by itself, at a limit or as an ordinary value; whichever it is, the formula beside it has its value.
const HOSTILE: &[&str] = &[
    // Time.
    "(() => { while (true) {} })()",
    "(() => { for (;;); })()",
    "(() => { do {} while (1) })()",
    "(() => { try { while (true) {} } catch { return 1 } })()",
    "(() => { try { while (true) {} } finally { while (true) {} } })()",
    "(function f() { try { f() } finally { f() } })()",
    "[...(function* () { while (true) yield 1 })()].length",
    "/(a+)+$/.test('a'.repeat(40) + 'b')",
    "/(.*)*x/.exec('y'.repeat(5000))",
    "'a'.repeat(100000).replace(/a/g, () => { while (true) {} })",
    "[2, 1, 3].sort(() => { for (;;); })",
    "new Map([[1, 1]]).forEach((v, k, m) => { while (true) { m.delete(k); m.set(k, v) } })",
    "JSON.stringify({ toJSON() { while (true) {} } })",
    "({ valueOf() { while (true) {} } }) + 1",
    "`${{ toString() { while (true) {} } }}`",
    "new Date(8.64e15).toISOString().repeat(10000).split('').map((c) => c.repeat(1000)).join('').length",
    "Array.from({ length: 1e9 }, (_, i) => i).length",
    "(() => { let n = 2n; while (true) n = n * n })()",
    // Natives that look at no limit.
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "Array.prototype.join.call({ length: 2 ** 53 - 1 }, '')",
    "Array(4294967295).join('')",
    "Array.prototype.fill.call({ length: 2 ** 40 }, 1).length",
    "Array.prototype.reverse.call({ length: 2 ** 40 }).length",
    "'a'.repeat(2000000).indexOf('a'.repeat(1000000) + 'b')",
    "'ab'.repeat(500000).split('').reverse().join('').lastIndexOf('b'.repeat(500000) + 'a')",
    "(1n << 8000000n) * ((1n << 8000000n) - 1n) > 0n",
    "((1n << 4000000n) - 1n).toString().length",
    // Memory.
    "'x'.repeat(1024 * 1024 * 1024).length",
    "'x'.padEnd(2 ** 29).length",
    "(() => { let s = 'x'; while (true) s += s })()",
    "(() => { const a = []; while (true) a.push(a.slice()) })()",
    "(() => { const o = {}; for (let i = 0; ; i++) o['k' + i] = i })()",
    "new Array(2 ** 28).fill(0).length",
    "(() => { let l = null; while (true) l = { l, me: [] } })()",
    "(() => { const a = []; for (let i = 0; i < 1e5; i++) { const o = { a }; o.o = o; a.push(o) } return a.length })()",
    "JSON.stringify('\\u0000'.repeat(1e7)).length",
    "(() => { const m = new Map(); for (let i = 0; ; i++) m.set({}, i) })()",
    "Symbol.for('x'.repeat(1e7)).description.length",
    // Crashed the engine: a bound function's name at the memory limit.
    "(() => { const a = Array(500).fill(0), k = []; while (true) k.push(Math.max.bind(...a)) })()",
    "(() => { let s = 'x'; try { while (true) s += s } catch {} const k = []; while (true) k.push((() => 1).bind(...Array(500))) })()",
    // Stack.
    "(function f() { return f() })()",
    "(() => { const f = (n) => [n].map(f); return f(1) })()",
    "JSON.parse('['.repeat(1e6))",
    "JSON.stringify((() => { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o })())",
    "(() => { const a = []; a[0] = a; return a.toString() + a.flat(Infinity) })()",
    "new RegExp('('.repeat(1e5))",
    "(() => { const o = { get x() { return this.x } }; return o.x })()",
    "(() => { let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f() })()",
    // Tricks with what is shared.
    "Object.prototype.pending = 7",
    "data.queues.__proto__.reduce = () => 7",
    "Object.defineProperty(Object.prototype, 'x', { get() { while (true) {} } })",
    "Array.prototype.map.constructor('return this')().x = 1",
    "(() => 0).constructor('while (true) {}')()",
    "Reflect.construct((function () {}).constructor, ['return globalThis'])().x = 1",
    "data.constructor.constructor('return process')()",
    "globalThis.data = { queues: [] }",
    "delete data.queues && data.queues.length",
    "Object.setPrototypeOf(data.queues, null)",
    "import('fs')",
    "require('fs')",
    "fetch('http://localhost')",
    "process.exit()",
    "std.exit(1)",
    "os.exec(['true'])",
    "new Worker('x')",
    "(async () => { for (;;) await 0 })()",
    "(async function* () { yield 1 })().next()",
    "this.constructor.constructor('return 1')()",
    "arguments.callee.caller",
    "new (class extends Array { constructor() { super(); while (true) {} } })()",
    "Object.assign(sla, { x: 1 })",
    "throw_()",
    "({}).x.y",
    "Symbol('x')",
    "() => 1",
    "[1, 2]",
    "0 / 0",
    "1)\n}, (() => { while (true) {} })(",
    "\u{0}",
    "/* ",
    "`${",
];

/// One TaskQueue, told of once.
#[derive(Default)]
struct Fixed {
    piece: Option<DataChange>,
}

impl Source for Fixed {
    fn begin(&mut self, all: bool) {
        let queue = json!({
            "queue": { "sid": "WQ1", "friendlyName": "Support" },
            "data": { "realtime": { "tasks_by_status": { "pending": 3 } } },
        });
        self.piece = all.then(|| DataChange {
            workspace: Some(to_raw_value(&json!({ "realtime": {} })).unwrap()),
            queues: [("WQ1".to_owned(), to_raw_value(&queue).unwrap())].into(),
            order: Some(vec!["WQ1".to_owned()]),
            more: false,
        });
    }

    fn next(&mut self) -> Option<DataChange> {
        self.piece.take()
    }
}

fn formula(source: &str) -> Formula {
    Formula { source: Arc::from(source), usual_sla: "accepted".into(), own_sla: None }
}

fn engine() -> Engine {
    Engine::new(PathBuf::from(env!("CARGO_BIN_EXE_taskrouter-sync")))
}

const HONEST: &str = "data.queues.reduce((n, q) => n + q.data.realtime.tasks_by_status.pending, 0)";

#[tokio::test]
async fn hostile_formulas_cost_only_their_own_value() {
    assert!(HOSTILE.len() >= 50);
    let mut engine = engine();
    for hostile in HOSTILE {
        engine.set(vec![formula(HONEST), formula(hostile), formula(HONEST)]);
        let values = engine.evaluate(&mut Fixed::default()).await.unwrap();
        assert_eq!(values[0], Ok(FormulaOutcome::Number(3.0)), "before {hostile}");
        assert_eq!(values[2], Ok(FormulaOutcome::Number(3.0)), "after {hostile}: {:?}", values[1]);
    }
}

#[tokio::test]
async fn all_of_them_at_once_leave_the_honest_one_its_value() {
    let mut engine = engine();
    let all = HOSTILE.iter().map(|hostile| formula(hostile)).chain([formula(HONEST)]);
    engine.set(all.collect());
    for _ in 0..2 {
        let values = engine.evaluate(&mut Fixed::default()).await.unwrap();
        assert_eq!(values.last(), Some(&Ok(FormulaOutcome::Number(3.0))));
        for name in ["while (true) {} })()", "2 ** 53 - 1 }, 1)", "1024 * 1024 * 1024"] {
            let (value, source) =
                values.iter().zip(HOSTILE).find(|(_, source)| source.contains(name)).unwrap();
            assert!(value.is_err(), "{source}: {value:?}");
        }
    }
}

#[tokio::test]
async fn a_preview_that_never_ends_ends() {
    let mut engine = engine();
    engine.set(vec![formula(HONEST)]);
    let endless = formula("'a'.repeat(2000000).indexOf('a'.repeat(1000000) + 'b')");
    let fault = engine.attempt(endless, &mut Fixed::default()).await.unwrap_err();
    assert_eq!(fault.message, "the formula does not end");
    assert_eq!(
        engine.attempt(formula("1 + 1"), &mut Fixed::default()).await,
        Ok(FormulaOutcome::Number(2.0))
    );
    assert_eq!(engine.evaluate(&mut Fixed::default()).await, Ok(vec![Ok(FormulaOutcome::Number(3.0))]));
}

#[tokio::test]
async fn local_time_is_that_of_the_configured_zone() {
    let zone = jiff::tz::TimeZone::get("Australia/Lord_Howe").unwrap();
    let mut engine = engine().in_zone(&zone);
    engine.set(
        [
            "new Date(0).getHours() + ':' + new Date(0).getMinutes()",
            "new Date(1.8e12).toLocaleTimeString('en-GB')",
        ]
        .map(formula)
        .to_vec(),
    );
    let values = engine.evaluate(&mut Fixed::default()).await.unwrap();
    // Ten hours ahead then, and eleven in the summer of 2027.
    assert_eq!(values, ["10:0", "19:00:00"].map(|text| Ok(FormulaOutcome::Text(text.to_owned()))));
}

#[tokio::test]
async fn without_an_engine_no_formula_is_to_blame() {
    let mut engine = Engine::new(PathBuf::from("/nowhere/taskrouter-sync"));
    engine.set(vec![formula(HONEST)]);
    let unavailable = engine.evaluate(&mut Fixed::default()).await.unwrap_err();
    assert!(unavailable.to_string().contains("can't be started"), "{unavailable}");
}

/// A formula process that dies by a signal while the second of three formulas runs.
fn dying(directory: &tempfile::TempDir, signal: &str) -> Engine {
    use std::os::unix::fs::PermissionsExt as _;
    let program = directory.path().join("dying");
    let script = format!(
        r#"#!/bin/sh
value() {{ echo "{{\"Value\":[$1,{{\"Ok\":$2}}]}}"; }}
while read -r line; do
    case "$line" in
    *Evaluate*0,1,2*) value 0 1; echo x >> '{}'; kill -s {signal} $$ ;;
    *Evaluate*0,2*) value 0 1; value 1 3 ;;
    esac
done
"#,
        directory.path().join("deaths").display(),
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut engine = Engine::new(program);
    engine.set(["1", "crash()", "3"].map(formula).to_vec());
    engine
}

#[tokio::test]
async fn a_death_is_pinned_on_the_formula_that_ran_and_the_others_go_on() {
    // The process brought one signal upon itself; the other came from outside, which may be chance once.
    for (signal, deaths) in [("SEGV", 1), ("KILL", 2)] {
        let directory = tempfile::tempdir().unwrap();
        let mut engine = dying(&directory, signal);
        for round in 0..2 {
            let values = engine.evaluate(&mut Fixed::default()).await.unwrap();
            assert_eq!(values[0], Ok(FormulaOutcome::Number(1.0)), "{signal}");
            assert_eq!(values[2], Ok(FormulaOutcome::Number(3.0)), "{signal}");
            assert!(values[1].as_ref().unwrap_err().message.contains("crashed"), "{signal}: {values:?}");
            let died = std::fs::read_to_string(directory.path().join("deaths")).unwrap();
            assert_eq!(died.lines().count(), deaths, "{signal}: it rests in round {round}");
        }
    }
}

#[tokio::test]
async fn the_child_knows_no_secret() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"));
    child
        .arg("formulas")
        .env_clear()
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success(), "it ends when the service is gone");
}

/// The processes that a process has started.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let lists =
        threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_engine_comes_back_and_is_logged_once() {
    let emulator = Emulator::start(Settings { queues: 2, ..Settings::default() }).await.unwrap();
    let mut service = Binary::serve(&Binary::variables(&emulator, QUICK_TIMERS));
    service.logs("Ready").await;
    let mut journal = emulator.journal().changed();
    let mut last = None;
    for kills in 0..=2 {
        // It comes with the first round of evaluation, and again with the first one after it was killed.
        let started = async {
            loop {
                match children(service.pid())[..] {
                    [child] if Some(child) != last => return child,
                    _ => journal.changed().await.unwrap(),
                }
            }
        };
        let child = tokio::time::timeout(DEADLINE, started).await.expect("no engine was started");
        if kills == 2 {
            break;
        }
        let killed =
            std::process::Command::new("kill").args(["-s", "KILL", &child.to_string()]).status().unwrap();
        assert!(killed.success());
        last = Some(child);
        service.logs("The formula process exited unexpectedly").await;
    }
    service.signal("TERM");
    let lines = service.log_until_end().await;
    let told = lines.iter().filter(|line| line.contains("The formula process exited unexpectedly")).count();
    assert_eq!(told, 1, "at most once a minute");
    emulator.shutdown().await;
}
