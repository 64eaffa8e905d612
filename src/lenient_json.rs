//! JSON that JavaScript writes and `serde_json` refuses: an emoji cut in half (`"\ud83d"`), more than 128 levels of
//! nesting, numbers beyond any `f64` (`1e400`).
//!
//! Twilio takes such attributes, so one of them must not cost all others. A lone surrogate becomes U+FFFD, what is too deep
//! or too large becomes null, everything else stays. What is no JSON at all is still refused.

use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Map, Number, Value};
use tracing::warn;

/// What we answer and write with holds it a few levels deeper, and `serde_json`, which our readers may use too, reads 127.
const DEEPEST: usize = 100;

/// What had to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replaced(u8);

impl Replaced {
    /// A half of a character beyond U+FFFF, replaced by U+FFFD.
    pub const SURROGATE: Self = Self(1);
    /// A value nested too deep, replaced by null.
    pub const TOO_DEEP: Self = Self(2);
    /// A number that no `f64` holds, replaced by null.
    pub const TOO_LARGE: Self = Self(4);

    const KINDS: [(Self, &'static str); 3] = [
        (Self::SURROGATE, "half of a character; it became U+FFFD"),
        (Self::TOO_DEEP, "a value nested more than 100 levels deep; it became null"),
        (Self::TOO_LARGE, "a number that is too large; it became null"),
    ];

    /// Whether this kind is among them.
    pub fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }

    fn add(&mut self, kind: Self) {
        self.0 |= kind.0;
    }

    /// Logs each kind once in the life of the process, without any of the text, which may be a customer's.
    fn log_once(self) {
        static LOGGED: AtomicU8 = AtomicU8::new(0);
        let before = LOGGED.fetch_or(self.0, Ordering::Relaxed);
        for (kind, replaced) in Self::KINDS {
            if self.has(kind) && before & kind.0 == 0 {
                warn!(replaced, "JSON from Twilio has a value that can't be kept; the rest is taken");
            }
        }
    }
}

/// Reads strictly, and where that fails leniently. The error is the strict one.
pub fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| match parse(text) {
        Some((value, replaced)) => {
            replaced.log_once();
            Ok(value)
        }
        None => Err(error),
    })
}

/// A Task's or Worker's attributes; none where they are no object.
pub fn attributes(text: &str) -> Map<String, Value> {
    match read(text.as_bytes()) {
        Ok(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    }
}

/// The lenient reader alone; `None` for what is no JSON.
pub fn parse(text: &[u8]) -> Option<(Value, Replaced)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parser = Parser { text, at: 0, replaced: Replaced::default() };
    let value = parser.value(0)?;
    parser.skip_white_space();
    (parser.at == text.len()).then_some((value, parser.replaced))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    replaced: Replaced,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_white_space();
        match self.peek()? {
            b'{' | b'[' if depth >= DEEPEST => self.skip_nested(),
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::String),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.take(b'{')?;
        let mut members = Map::new();
        self.skip_white_space();
        if self.take(b'}').is_some() {
            return Some(Value::Object(members));
        }
        loop {
            self.skip_white_space();
            let name = self.string()?;
            self.skip_white_space();
            self.take(b':')?;
            members.insert(name, self.value(depth + 1)?);
            self.skip_white_space();
            if self.take(b',').is_none() {
                return self.take(b'}').map(|()| Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.take(b'[')?;
        let mut elements = Vec::new();
        self.skip_white_space();
        if self.take(b']').is_some() {
            return Some(Value::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_white_space();
            if self.take(b',').is_none() {
                return self.take(b']').map(|()| Value::Array(elements));
            }
        }
    }

    /// Goes past an object or array without a call for each level. Only its brackets and strings are checked.
    fn skip_nested(&mut self) -> Option<Value> {
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                opening @ (b'{' | b'[') => open.push(opening),
                b'}' if open.pop() != Some(b'{') => return None,
                b']' if open.pop() != Some(b'[') => return None,
                b'"' => {
                    self.string()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if open.is_empty() {
                self.replaced.add(Replaced::TOO_DEEP);
                return Some(Value::Null);
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = rest.bytes().position(|b| matches!(b, b'"' | b'\\') || b < 0x20)?;
            text.push_str(rest.get(..plain)?);
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Some(text),
                b'\\' => text.push(self.escaped()?),
                _ => return None,
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let sign = self.peek()?;
        self.at += 1;
        Some(match sign {
            b'"' | b'\\' | b'/' => char::from(sign),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unit().map(|unit| self.character(unit)),
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let unit = u16::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        self.at += 4;
        Some(unit)
    }

    /// The character that begins with a UTF-16 unit; its second half is taken with it where it follows.
    fn character(&mut self, first: u16) -> char {
        let here = self.at;
        let second = (0xD800..0xDC00).contains(&first).then(|| {
            self.take(b'\\')?;
            self.take(b'u')?;
            self.unit()
        });
        let units = [Some(first), second.flatten()];
        if let Some(Ok(found)) = char::decode_utf16(units.into_iter().flatten()).next() {
            return found;
        }
        self.at = here;
        self.replaced.add(Replaced::SURROGATE);
        char::REPLACEMENT_CHARACTER
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        let end = rest.bytes().position(|b| !matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let digits = rest.get(..end.unwrap_or(rest.len()))?;
        self.at += digits.len();
        if let Ok(number) = serde_json::from_str::<Number>(digits) {
            return Some(Value::Number(number));
        }
        (is_number(digits) && digits.parse::<f64>().is_ok_and(f64::is_infinite)).then(|| {
            self.replaced.add(Replaced::TOO_LARGE);
            Value::Null
        })
    }
}

/// Whether this is a number as JSON writes them; Rust reads more than that.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_not_be_kept_is_replaced_and_the_rest_stays() {
        let cut = r#"{"name":"a\ud83d","uri":"client:alice","b":"\ude00\ud83d\u0041\ud83d\ude00"}"#;
        let (value, replaced) = parse(cut.as_bytes()).unwrap();
        assert_eq!(value, json!({"name": "a\u{fffd}", "uri": "client:alice", "b": "\u{fffd}\u{fffd}A😀"}));
        assert_eq!(replaced, Replaced::SURROGATE);

        let (value, replaced) = parse(br#"{"a":1e400,"b":[-1e999,2],"c":1e-400}"#).unwrap();
        assert_eq!(value, json!({"a": null, "b": [null, 2], "c": 0.0}));
        assert!(replaced.has(Replaced::TOO_LARGE) && !replaced.has(Replaced::TOO_DEEP));

        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let (value, replaced) = parse(format!(r#"{{"deep":{deep},"uri":"x"}}"#).as_bytes()).unwrap();
        assert_eq!(value["uri"], "x");
        assert_eq!(replaced, Replaced::TOO_DEEP);
        let written = serde_json::to_vec(&value).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&written).unwrap(),
            value,
            "it can be read again strictly"
        );
        assert_eq!(attributes(cut)["uri"], "client:alice");
    }

    #[test]
    fn what_is_no_json_is_still_refused() {
        for bad in [
            "",
            "{",
            "{\"a\"}",
            "[1,]",
            "nul",
            "01e400",
            "1e",
            "+1",
            ".5",
            "1.e400",
            "\"\\ud8\"",
            "\"\\x\"",
            "\"\t\"",
            "[1] 2",
            "Infinity",
            "NaN",
            "'a'",
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
        let unclosed = "[".repeat(10_000);
        assert!(parse(unclosed.as_bytes()).is_none());
        assert!(attributes("[]").is_empty() && attributes("x").is_empty());
    }

    proptest! {
        #[test]
        fn reads_what_the_strict_reader_reads_as_it_does(text in r#"[\[\]{}:,"\\ud83e0-9a-f. \-+ntrue]{0,40}"#) {
            if let Ok(strict) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(parse(text.as_bytes()), Some((strict, Replaced::default())));
            }
        }

        #[test]
        fn any_row_of_escapes_is_read(units: Vec<u16>) {
            let text: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let (value, replaced) = parse(format!("\"{text}\"").as_bytes()).unwrap();
            prop_assert_eq!(value.as_str(), Some(&*String::from_utf16_lossy(&units)));
            prop_assert_eq!(replaced.has(Replaced::SURROGATE), String::from_utf16(&units).is_err());
        }

        #[test]
        fn never_panics(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
