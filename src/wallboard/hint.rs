//! Suggests what a formula without a result may have meant: the first name in it that is no field, and the nearest field.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::wallboard::formula::protocol::Fault;

/// Names that differ by this much are not taken for misspellings of each other.
const LEAST_LIKENESS: f64 = 0.72;
/// ECMAScript's own members of numbers, texts, arrays and objects, as far as formulas use them.
const BUILT_IN: &[&str] = &[
    "length",
    "map",
    "filter",
    "reduce",
    "find",
    "findIndex",
    "findLast",
    "some",
    "every",
    "includes",
    "indexOf",
    "flat",
    "flatMap",
    "forEach",
    "join",
    "slice",
    "sort",
    "toSorted",
    "at",
    "concat",
    "keys",
    "values",
    "entries",
    "fromEntries",
    "toFixed",
    "toString",
    "toUpperCase",
    "toLowerCase",
    "startsWith",
    "endsWith",
    "split",
    "replace",
    "replaceAll",
    "match",
    "matchAll",
    "test",
    "exec",
    "trim",
    "padStart",
    "padEnd",
    "round",
    "floor",
    "ceil",
    "max",
    "min",
    "abs",
    "sqrt",
    "pow",
    "trunc",
    "sign",
    "isFinite",
    "isInteger",
    "isNaN",
    "parse",
    "stringify",
    "now",
    "get",
    "has",
    "set",
    "add",
    "size",
    "hasOwn",
    "from",
    "of",
    "isArray",
    "localeCompare",
    "getTime",
    "toISOString",
];

pub(super) fn explained(fault: Fault, formula: &str, data: &Value) -> Fault {
    // Only for results of a missing name; a formula that takes too much or throws has no wrong names.
    if !["undefined", "not a function", "null"].iter().any(|sign| fault.message.contains(sign)) {
        return fault;
    }
    let mut fields = BTreeSet::new();
    names_in(data, &mut fields);
    let candidates = || fields.iter().map(String::as_str).chain(BUILT_IN.iter().copied());
    let unknown = properties(formula).find(|(_, name)| !candidates().any(|known| known == *name));
    let Some((at, name)) = unknown else { return fault };
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let nearest =
        candidates().map(|known| (likeness(known), known)).filter(|(like, _)| *like >= LEAST_LIKENESS);
    let Some((_, nearest)) = nearest.max_by(|(a, _), (b, _)| a.total_cmp(b)) else { return fault };
    let (line, column) = place_of(formula, at);
    Fault {
        message: format!("`{name}` is not a field; did you mean `{nearest}`?"),
        line: Some(line),
        column: Some(column),
    }
}

/// Where a formula names TaskQueues by their place in the list, with that place: it is another one as soon as one is
/// added or deleted.
pub(super) fn indexed_queues(formula: &str) -> Vec<(usize, (u32, u32))> {
    const LIST: &str = "queues";
    let index_at = |at: usize| {
        let rest = formula[at + LIST.len()..].trim_start().strip_prefix('[')?;
        let (index, _) = rest.split_once(']')?;
        Some((index.trim().parse().ok()?, place_of(formula, at)))
    };
    formula.match_indices(LIST).filter_map(|(at, _)| index_at(at)).collect()
}

/// Line and column, each from 1.
fn place_of(formula: &str, at: usize) -> (u32, u32) {
    let before = &formula[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Names after a dot, with where they begin.
fn properties(formula: &str) -> impl Iterator<Item = (usize, &str)> {
    let name_at = |at: usize| {
        let rest = &formula[at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let named = rest[..end].chars().next().is_some_and(|first| !first.is_ascii_digit());
        named.then(|| (at, &rest[..end]))
    };
    formula.match_indices('.').filter_map(move |(at, _)| name_at(at + 1))
}

fn names_in(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                names.insert(name.clone());
                names_in(field, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_queue_named_by_its_place_is_found() {
        assert_eq!(
            indexed_queues("data.queues[0].sid +\n  data.queues [ 12 ].sid"),
            [(0, (1, 6)), (12, (2, 8))]
        );
        for steady in
            ["data.queues.length", "data.queues[i]", "data.queues.map(q => q.list[0])", "queue('WQ1')"]
        {
            assert_eq!(indexed_queues(steady), [], "{steady}");
        }
    }

    #[test]
    fn names_what_was_probably_meant() {
        let data = json!({"workspace": {"realtime": {"activity_statistics": [{"friendly_name": "x", "workers": 1}]}}});
        let told = |formula: &str| explained(Fault::new("the result is undefined"), formula, &data);
        let fault = told("data.workspace\n  .realtime.activity_statistics[0].workes");
        assert_eq!(fault.message, "`workes` is not a field; did you mean `workers`?");
        assert_eq!((fault.line, fault.column), (Some(2), Some(36)));
        assert_eq!(told("data.workspace.qqqq").message, "the result is undefined");
        assert_eq!(told("data.workspace.realtime.activity_statistics.find(a => false)").line, None);
        assert_eq!(explained(Fault::new("takes too much memory"), "'x'.repeat(1)", &data).line, None);
        let syntax = Fault { line: Some(1), ..Fault::new("unexpected token") };
        assert_eq!(explained(syntax.clone(), "data.workes +", &data), syntax);
    }
}
