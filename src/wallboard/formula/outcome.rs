//! Converts what the engine returns or throws to a value, or to a fault with its place in the formula.

use rquickjs::{CaughtError, Type, Value};

use super::LONGEST_TEXT;
use super::protocol::{Fault, FormulaOutcome, OUT_OF_MEMORY, TOO_LONG};

/// The source's name in the engine's stack traces.
pub(super) const FILE: &str = "formula";
/// Deepest nesting of arrays.
const DEEPEST: usize = 8;
const MOST_ELEMENTS: usize = LONGEST_TEXT;
/// What browsers have beside ECMAScript's own, or lets a formula do more than compute.
const BROWSERS_OWN: [&str; 30] = [
    "Blob",
    "FinalizationRegistry",
    "Function",
    "Headers",
    "Promise",
    "Proxy",
    "Temporal",
    "TextDecoder",
    "TextEncoder",
    "URL",
    "URLSearchParams",
    "Uint8Array",
    "WeakRef",
    "XMLHttpRequest",
    "alert",
    "crypto",
    "document",
    "eval",
    "fetch",
    "localStorage",
    "location",
    "navigator",
    "performance",
    "queueMicrotask",
    "requestAnimationFrame",
    "self",
    "sessionStorage",
    "setInterval",
    "setTimeout",
    "window",
];

pub(super) fn outcome(value: &Value<'_>) -> Result<FormulaOutcome, Fault> {
    match value.type_of() {
        Type::Null => Ok(FormulaOutcome::Nothing),
        Type::Bool => Ok(FormulaOutcome::Flag(value.as_bool().unwrap_or_default())),
        Type::Int | Type::Float => Ok(number(value.as_number().unwrap_or(f64::NAN))),
        // As in the older wallboard, where an empty text counts as zero.
        Type::String
            if value.as_string().is_some_and(|text| text.to_string().is_ok_and(|text| text.is_empty())) =>
        {
            Ok(FormulaOutcome::Number(0.0))
        }
        Type::String => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            let text = text.ok_or_else(|| Fault::new("the result is text that is not Unicode"))?;
            Ok(FormulaOutcome::Text(shortened(&text)))
        }
        Type::Array => {
            let mut text = String::new();
            elements(value, 0, &mut text)?;
            let several = value.as_array().is_some_and(|array| array.len() > 1);
            let shown = shortened(&text);
            Ok(if several { FormulaOutcome::NoNumber { shown } } else { FormulaOutcome::Text(shown) })
        }
        Type::Undefined => Err(Fault::new("the result is undefined; is a field's name misspelt?")),
        other => {
            let article = if other == Type::Object { "an" } else { "a" };
            Err(Fault::new(format!("the result is {article} {other}, not a number or text")))
        }
    }
}

/// The older wallboard shows zero for NaN, such as a service level without Tasks; it is below no threshold.
fn number(number: f64) -> FormulaOutcome {
    if number.is_nan() {
        FormulaOutcome::NoNumber { shown: "0".to_owned() }
    } else if number.is_infinite() {
        FormulaOutcome::Text(if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned())
    } else {
        FormulaOutcome::Number(number)
    }
}

/// Elements stand one behind the other, without anything between them, as in the sample's page.
fn elements(value: &Value<'_>, depth: usize, text: &mut String) -> Result<(), Fault> {
    let Some(array) = value.as_array() else { return Ok(()) };
    if depth == DEEPEST {
        return Err(Fault::new("the result is an array in arrays, not a number or text"));
    }
    for element in array.iter::<Value<'_>>().take(MOST_ELEMENTS) {
        let element = element.map_err(|_| Fault::new("the result is an array that can't be read"))?;
        match element.type_of() {
            Type::Null | Type::Undefined | Type::Bool => {}
            Type::Array => elements(&element, depth + 1, text)?,
            Type::Int | Type::Float => *text += &element.as_number().unwrap_or(f64::NAN).to_string(),
            Type::String => {
                *text += &element.as_string().and_then(|text| text.to_string().ok()).unwrap_or_default();
            }
            other => {
                return Err(Fault::new(format!("the result is an array with an element of type {other}")));
            }
        }
        if text.len() > LONGEST_TEXT * 4 {
            break;
        }
    }
    Ok(())
}

pub(super) fn fault(error: CaughtError<'_>) -> Fault {
    let CaughtError::Exception(exception) = error else {
        return match error {
            CaughtError::Value(value) => {
                let text = value.as_string().and_then(|text| text.to_string().ok()).unwrap_or_default();
                Fault::new(format!("the formula throws {}", shortened(&text)))
            }
            other => Fault::new(shortened(&other.to_string())),
        };
    };
    let message = exception.message().unwrap_or_default();
    if message == "out of memory" {
        return Fault::new(OUT_OF_MEMORY);
    }
    if message == "interrupted" {
        return Fault::new(TOO_LONG);
    }
    let (line, column) = exception.stack().as_deref().and_then(place).unzip();
    let of_browsers = message.strip_suffix(" is not defined").filter(|name| BROWSERS_OWN.contains(name));
    let message = match of_browsers {
        Some(name) => format!("{name} is not supported in formulas, which only compute"),
        None => shortened(&message),
    };
    Fault { message, line, column }
}

/// Whether a formula failed because it wrote to data that all formulas share.
pub(super) fn wrote_to_shared(fault: &Fault) -> bool {
    let signs =
        ["read-only", "not extensible", "not writable", "not configurable", "could not delete", "no setter"];
    signs.iter().any(|sign| fault.message.contains(sign))
}

/// The topmost place in the formula itself that a stack names, as `formula:<line>:<column>`.
fn place(stack: &str) -> Option<(u32, u32)> {
    let frame = stack.lines().find_map(|line| line.split_once("formula:").map(|(_, place)| place))?;
    let mut numbers = frame.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let line = numbers.next()?.ok()?.checked_sub(1).filter(|line| *line > 0)?;
    Some((line, numbers.next()?.ok()?))
}

/// The engine reports a missing end of a formula behind it, in the text that we add; this moves the place back into it.
pub(super) fn within(mut fault: Fault, source: &str) -> Fault {
    let (lines, last) = source.lines().fold((0_u32, ""), |(count, _), line| (count + 1, line));
    if fault.line.is_some_and(|line| line > lines) {
        fault.line = Some(lines);
        fault.column = u32::try_from(last.chars().count() + 1).ok();
        fault.message = "something is missing at the end of the formula".to_owned();
    }
    fault
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
