//! The grammar: expressions of ECMAScript over `data`, most of them right, all of them odd.

use fastrand::Rng;

/// How deep an expression nests.
const DEEPEST: usize = 5;

/// `t` in formulas: what a function returns, or the text of what it throws.
const GUARD: &str = "(f) => { try { return f() } catch (e) { return e?.message } }";

pub(crate) fn formula(random: &mut Rng) -> String {
    let body = expression(random, DEEPEST);
    let formula = format!("((t) => t(() => String(t(() => {body}))))({GUARD})");
    // Longer ones are no formulas; what is left is more often right if it is not cut.
    if formula.len() > 3_000 { literal(random) } else { formula }
}

fn one<'t>(random: &mut Rng, of: &[&'t str]) -> &'t str {
    of[random.usize(..of.len())]
}

fn literal(random: &mut Rng) -> String {
    match random.usize(..8) {
        0 => random.i32(-3..300).to_string(),
        1 => one(random, &["0", "-0", "1e308", "2**53", "NaN", "Infinity", "0.1", "4294967295", "1e9"])
            .to_owned(),
        2 => one(random, &["''", "'a'", "'\\u0000'", "'\\ud800'", "'x'.repeat(99)", "`${1}`", "'__proto__'"])
            .to_owned(),
        3 => one(random, &["null", "undefined", "true", "false"]).to_owned(),
        4 => one(random, &["1n", "-1n", "2n**64n", "(1n<<200n)"]).to_owned(),
        5 => one(random, &["[]", "[,]", "[1,,3]", "[1,2,3]", "new Array(50)", "{}", "({})", "({a:1})"])
            .to_owned(),
        6 => one(random, &["/a/", "/(a|b)*c/g", "/(?<n>.)\\k<n>/u", "/^(?=x)/y", "/[^]/s"]).to_owned(),
        _ => one(
            random,
            &[
                "Symbol()",
                "Symbol.iterator",
                "new Map()",
                "new Set([1])",
                "new Date(0)",
                "new Uint8Array(8)",
                "new Error('e')",
            ],
        )
        .to_owned(),
    }
}

fn name(random: &mut Rng) -> &'static str {
    one(random, &["a", "b", "c", "x", "y"])
}

fn data(random: &mut Rng) -> &'static str {
    one(
        random,
        &[
            "data",
            "data.queues",
            "data.queues[0]",
            "data.queues.at(-1)",
            "data.queues[0].data",
            "data.workspace",
            "data.queues[1].data.realtime",
            "data.workspace_statistics",
            "queue('WQ00000000000000000000000000000001')",
            "sla(data.queues[0])",
            "data.queues.map((q) => q.data)",
        ],
    )
}

fn reached(random: &mut Rng) -> &'static str {
    one(
        random,
        &[
            "Object",
            "Array",
            "Math",
            "JSON",
            "Reflect",
            "Proxy",
            "Number",
            "String",
            "RegExp",
            "Date",
            "Map",
            "Set",
            "WeakMap",
            "Symbol",
            "BigInt",
            "Error",
            "globalThis",
            "Array.prototype",
            "Object.prototype",
            "Function",
            "(function () {}).constructor",
            "(() => 1).constructor",
            "(async () => {}).constructor",
            "Promise",
            "Iterator",
            "ArrayBuffer",
            "DataView",
            "SharedArrayBuffer",
            "Atomics",
            "WebAssembly",
        ],
    )
}

fn method(random: &mut Rng) -> &'static str {
    one(
        random,
        &[
            "map",
            "filter",
            "reduce",
            "forEach",
            "sort",
            "concat",
            "flat",
            "flatMap",
            "slice",
            "splice",
            "indexOf",
            "join",
            "find",
            "some",
            "every",
            "reverse",
            "toString",
            "valueOf",
            "hasOwnProperty",
            "replace",
            "split",
            "match",
            "matchAll",
            "padEnd",
            "repeat",
            "at",
            "normalize",
            "localeCompare",
            "toSorted",
            "with",
            "bind",
            "call",
            "apply",
            "keys",
            "entries",
            "values",
            "fill",
            "copyWithin",
            "isWellFormed",
            "codePointAt",
            "toFixed",
            "toLocaleString",
        ],
    )
}

fn function(random: &mut Rng, depth: usize) -> String {
    let (parameter, body) = (name(random), expression(random, depth));
    match random.usize(..5) {
        0 => format!("(({parameter}) => {body})"),
        1 => format!("(function ({parameter}) {{ return {body} }})"),
        2 => format!(
            "(function f({parameter}) {{ return {parameter} > 3 ? {body} : f(({parameter} | 0) + 1) }})"
        ),
        3 => format!("(({parameter} = {body}, ...rest) => rest.length)"),
        _ => format!("(function* () {{ yield {body} }})"),
    }
}

/// A statement list's value: what one may leave behind stands here.
fn block(random: &mut Rng, depth: usize) -> String {
    let (a, b) = (expression(random, depth), expression(random, depth));
    let (local, owner, key) = (name(random), reached(random), name(random));
    match random.usize(..10) {
        0 => format!("(() => {{ let {local} = {a}; return {b} }})()"),
        1 => format!(
            "(() => {{ try {{ return {a} }} catch (e) {{ return {b} }} finally {{ {owner}.left = 1 }} }})()"
        ),
        2 => format!("(() => {{ globalThis.left = {a}; return {b} }})()"),
        3 => format!("(() => {{ {owner}.{key} = {a}; return {b} }})()"),
        4 => format!(
            "(() => {{ Object.defineProperty({owner}, '{key}', {{ get() {{ return {a} }} }}); return {b} }})()"
        ),
        5 => format!("(() => {{ for (let i = 0; i < {}; i++) {{ {a} }} return {b} }})()", random.usize(..40)),
        6 => format!("(() => {{ for (const {local} of [{a}].flat()) {{ {b} }} return {local}?.length }})()"),
        7 => format!(
            "(() => {{ class C extends {owner} {{ get {key}() {{ return {a} }} static x = {b} }} return new C().{key} }})()"
        ),
        8 => format!("(() => {{ switch ({a}) {{ case 1: return {b}; default: throw {a} }} }})()"),
        _ => format!("(() => {{ Object.setPrototypeOf({owner}, {a}); return {b} }})()"),
    }
}

fn expression(random: &mut Rng, depth: usize) -> String {
    if depth == 0 {
        return match random.usize(..4) {
            0 => data(random).to_owned(),
            1 => reached(random).to_owned(),
            _ => literal(random),
        };
    }
    let deeper = depth - 1;
    let made = composed(random, deeper);
    // Most of what is made fails at once; guarded, it lets what stands around it run.
    if random.bool() { format!("t(() => {made})") } else { made }
}

fn composed(random: &mut Rng, deeper: usize) -> String {
    let shallower = random.usize(..=deeper);
    let (a, b) = (expression(random, deeper), expression(random, shallower));
    // Not always as deep as it may be, or formulas would all be as long as they may be.
    let shallower = random.usize(..=deeper);
    match random.usize(..18) {
        0 => format!(
            "({a} {} {b})",
            one(
                random,
                &[
                    "+",
                    "-",
                    "*",
                    "/",
                    "%",
                    "**",
                    "<",
                    "==",
                    "===",
                    "in",
                    "instanceof",
                    "??",
                    "&&",
                    "||",
                    "<<",
                    ">>>"
                ]
            )
        ),
        1 => format!("({a} ? {b} : {a})"),
        2 | 3 => format!("{a}?.{}?.({b})", method(random)),
        4 => format!("{a}?.{}?.({})", method(random), function(random, shallower)),
        5 => format!("[{a}, {b}].{}({})", method(random), function(random, shallower)),
        6 => format!("{}.{}?.({a}, {b})", reached(random), method(random)),
        7 => format!(
            "Object.{}({a}, {b})",
            one(
                random,
                &[
                    "keys",
                    "entries",
                    "assign",
                    "freeze",
                    "getOwnPropertyDescriptors",
                    "create",
                    "fromEntries",
                    "groupBy",
                    "is"
                ]
            )
        ),
        8 => format!("JSON.{}({a})", one(random, &["stringify", "parse"])),
        9 => format!(
            "Reflect.{}({a}, {b})",
            one(random, &["get", "has", "ownKeys", "getPrototypeOf", "apply", "construct", "deleteProperty"])
        ),
        10 => format!("new Proxy({a}, {{ get: {}, ownKeys() {{ return {b} }} }})", function(random, 0)),
        11 => format!("{}.bind({a}, ...Array({}))", function(random, 0), random.usize(..600)),
        12 => format!("`${{{a}}}${{{b}}}`"),
        13 => format!("({{ {}: {a}, toString() {{ return {b} }} }})", name(random)),
        14 => format!(
            "{}.{}({a})",
            one(random, &["String(1)", "'abc'", "data.queues[0].friendlyName"]),
            method(random)
        ),
        15 => format!(
            "Math.{}({a}, {b})",
            one(random, &["max", "min", "round", "hypot", "floor", "clz32", "imul", "sumPrecise"])
        ),
        16 => format!("[...{a}]"),
        _ => block(random, shallower),
    }
}
