//! Reads a `.env` file. A value is taken literally, or its line is refused: a password that was silently changed would be
//! rejected wherever it is used.
//!
//! Nothing is substituted. Within single quotes everything stands for itself; within double quotes a backslash keeps the
//! next quote, backslash or dollar sign, and `\n` is a line break. A `$` within double quotes is refused, since shells and
//! other readers of such files would put something else there. Outside of quotes everything but white space and a comment
//! stands for itself.

use std::collections::{BTreeMap, HashMap};

/// The file can't be used. Its text is never shown, since it holds secrets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvFileProblem {
    /// A line is not an assignment.
    #[error("line {0} can't be understood; expected NAME=value, with quotes around values with spaces")]
    Line(usize),
    /// A `$` that other readers would replace.
    #[error(
        "line {line}: {name} has a $ within double quotes, which shells and Docker Compose replace; put the value into single \
         quotes, or write \\$"
    )]
    Dollar {
        /// The number of the line.
        line: usize,
        /// The name of the variable.
        name: String,
    },
    /// A `#` right after the equals sign, which some readers take for a comment and others for a value.
    #[error(
        "line {line}: {name} begins with #; put the value into single quotes, or a space before the # of a comment"
    )]
    Hash {
        /// The number of the line.
        line: usize,
        /// The name of the variable.
        name: String,
    },
    /// It is not text.
    #[error("it can't be understood; expected lines of NAME=value, in UTF-8")]
    NotText,
}

enum Bad {
    Form,
    Dollar,
    Hash,
}

/// The assignments of a file. Of several for one name the last counts, as with shells, Docker, Node.js and python-dotenv.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EnvFile {
    pub(super) values: HashMap<String, String>,
    /// Names that stand in several lines, with the numbers of these.
    pub(super) repeated: BTreeMap<String, Vec<usize>>,
}

pub(super) fn parse(text: &[u8]) -> Result<EnvFile, EnvFileProblem> {
    let text = str::from_utf8(text).map_err(|_| EnvFileProblem::NotText)?;
    // Some editors begin a file with a byte-order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut values, mut lines) = (HashMap::new(), BTreeMap::<String, Vec<usize>>::new());
    for (number, line) in text.lines().enumerate() {
        // White space other than ASCII's may belong to a value; the configuration refuses it by name.
        let (line, number) = (line.trim_ascii(), number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assignment = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = assignment.split_once('=').ok_or(EnvFileProblem::Line(number))?;
        let name = name.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain) {
            return Err(EnvFileProblem::Line(number));
        }
        let value = read(value).map_err(|bad| match bad {
            Bad::Form => EnvFileProblem::Line(number),
            Bad::Dollar => EnvFileProblem::Dollar { line: number, name: name.to_owned() },
            Bad::Hash => EnvFileProblem::Hash { line: number, name: name.to_owned() },
        })?;
        values.insert(name.to_owned(), value);
        lines.entry(name.to_owned()).or_default().push(number);
    }
    lines.retain(|_, lines| lines.len() > 1);
    Ok(EnvFile { values, repeated: lines })
}

fn read(text: &str) -> Result<String, Bad> {
    if text.starts_with('#') {
        return Err(Bad::Hash);
    }
    let text = text.trim_ascii_start();
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or(Bad::Form)?;
        return nothing_more(rest).map(|()| value.to_owned());
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return read_double_quoted(quoted);
    }
    let value = text.find(" #").map_or(text, |comment| &text[..comment]);
    let value = if value.starts_with('#') { "" } else { value.trim_ascii_end() };
    if value.contains(|c: char| c.is_ascii_whitespace()) { Err(Bad::Form) } else { Ok(value.to_owned()) }
}

fn read_double_quoted(quoted: &str) -> Result<String, Bad> {
    let (mut value, mut chars) = (String::new(), quoted.chars());
    loop {
        match chars.next().ok_or(Bad::Form)? {
            '"' => return nothing_more(chars.as_str()).map(|()| value),
            '$' => return Err(Bad::Dollar),
            '\\' => match chars.next().ok_or(Bad::Form)? {
                'n' => value.push('\n'),
                kept @ ('"' | '\\' | '$') => value.push(kept),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
}

/// Only white space or a comment may follow a closing quote.
fn nothing_more(rest: &str) -> Result<(), Bad> {
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') { Ok(()) } else { Err(Bad::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<String, EnvFileProblem> {
        parse(format!("A={text}").as_bytes()).map(|mut file| file.values.remove("A").unwrap())
    }

    #[test]
    fn a_value_is_taken_as_it_is_written() {
        for (written, read) in [
            ("winter2026$", "winter2026$"),
            ("summerhouse$2026", "summerhouse$2026"),
            ("say\"hello\"2026", "say\"hello\"2026"),
            ("it's", "it's"),
            ("a\\b", "a\\b"),
            ("a#b # a comment", "a#b"),
            (" # nothing", ""),
            ("it\u{a0}", "it\u{a0}"),
            ("", ""),
            ("'a $b #c \"d\"'  # a comment", "a $b #c \"d\""),
            ("\"x y\"", "x y"),
            (r#""a\$b\"c\\d""#, "a$b\"c\\d"),
        ] {
            assert_eq!(value(written).as_deref(), Ok(read), "{written}");
        }
    }

    #[test]
    fn a_line_that_could_mean_something_else_is_refused_by_its_number() {
        for (text, line) in [
            ("A=1\n\ngarbage line\nB=2", 3),
            ("A=1\nSLA_THRESHOLDS=30, 60, 120", 2),
            ("# c\nA=1\nB='open\nC=3", 3),
            ("A=1\r\nX=a b\r\n", 2),
            ("A='one'two", 1),
            ("1A=1", 1),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(EnvFileProblem::Line(line)), "{text:?}");
        }
        let dollar = parse(b"A=1\nAUTHENTICATION_PASSWORD=\"summer$2026\"").unwrap_err();
        let said = dollar.to_string();
        assert!(
            said.contains("AUTHENTICATION_PASSWORD") && said.contains('$') && !said.contains("summer"),
            "{said}"
        );
        let hash = parse(b"B=1\nAUTHENTICATION_PASSWORD=#summer").unwrap_err().to_string();
        assert!(hash.starts_with("line 2: AUTHENTICATION_PASSWORD") && hash.contains("quotes"), "{hash}");
        assert!(!hash.contains("summer"), "{hash}");
        assert_eq!(parse(b"A=\xff"), Err(EnvFileProblem::NotText));
    }

    #[test]
    fn a_byte_order_mark_and_export_are_no_part_of_a_name() {
        let EnvFile { values, repeated } = parse("\u{feff}A=1\nexport B=2".as_bytes()).unwrap();
        assert_eq!(repeated.len(), 0);
        assert_eq!((values["A"].as_str(), values["B"].as_str()), ("1", "2"));
    }

    #[test]
    fn of_several_lines_for_one_name_the_last_counts_and_all_are_named() {
        let file = parse(b"A=1\nB=2\n# A=0\nexport A=3\nA = 4\n").unwrap();
        assert_eq!((file.values["A"].as_str(), file.values["B"].as_str()), ("4", "2"));
        assert_eq!(file.repeated, BTreeMap::from([("A".to_owned(), vec![1, 4, 5])]));
    }
}
