//! Reads variables by name, with their older names, and gathers every problem instead of stopping at the first.
//!
//! The values come from a lookup function, so that a test passes a map where `main` passes the environment.

use std::fmt;

use super::characters::is_invisible;

/// One configuration variable: its name and valid values.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    pub name: &'static str,
    /// Names that the older systems used for the same thing, tried in order when `name` is not set.
    pub aliases: &'static [&'static str],
    /// What a valid value looks like, to complete "expected …".
    pub expected: &'static str,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// Whether it is a text that people read, in which scripts and emoji need invisible characters.
    pub is_text: bool,
}

impl Variable {
    /// A variable whose value may be shown in an error.
    pub const fn plain(name: &'static str, expected: &'static str) -> Self {
        Self { name, aliases: &[], expected, secret: false, is_text: false }
    }

    /// A variable whose value is never shown.
    pub const fn secret(name: &'static str, expected: &'static str) -> Self {
        Self { name, aliases: &[], expected, secret: true, is_text: false }
    }

    /// A variable with a text that people read.
    pub const fn text(name: &'static str, expected: &'static str) -> Self {
        Self { is_text: true, ..Self::plain(name, expected) }
    }

    /// The same variable, known under older names too.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    pub variable: &'static str,
    /// What was found in it; never the text of a secret.
    pub found: String,
    pub expected: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; expected {}", self.variable, self.found, self.expected)
    }
}

/// Whether a value still has the quotes around it that a shell would have removed.
fn is_quoted(text: &str) -> bool {
    ['"', '\''].iter().any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote))
}

/// Why no parser need look at a value.
fn flaw(variable: &Variable, text: &str) -> Option<String> {
    // The environment's bytes that are no text come as this character.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Some("a value that is not UTF-8".to_owned());
    }
    if is_quoted(text) {
        return Some("quotation marks around it, which docker run --env-file and Kubernetes keep".to_owned());
    }
    let invisible = text.chars().find(|c| is_invisible(*c) && !variable.is_text)?;
    Some(format!("the invisible character U+{:04X} in it", u32::from(invisible)))
}

pub struct VariableReader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<ConfigProblem>,
    warnings: Vec<String>,
}

impl fmt::Debug for VariableReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariableReader").field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl<'a> VariableReader<'a> {
    /// Reads through `lookup`, which answers with the value of a name.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The value, or `None` where none is set. A blank value counts as not set, as in `NAME=` of a `.env` file.
    pub fn optional<T>(&mut self, variable: &Variable, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (name, text) = self.raw(variable)?;
        if let Some(found) = flaw(variable, &text) {
            let alias = if name == variable.name { String::new() } else { format!(" ({name})") };
            self.problem(variable, found + &alias);
            return None;
        }
        let value = parse(&text);
        if value.is_none() {
            let found = match (variable.secret, name == variable.name) {
                (true, _) => format!("a secret, {} long, not shown", text.chars().count()),
                // A URL with credentials in it holds a secret, whatever the variable is for.
                (false, _) if text.contains('@') => "a value with '@' in it, not shown".to_owned(),
                (false, true) => format!("{text:?}"),
                (false, false) => format!("{text:?} in {name}"),
            };
            self.problem(variable, found);
        }
        value
    }

    /// The value; a problem where none is set.
    pub fn required<T>(&mut self, variable: &Variable, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.raw(variable).is_none() {
            self.problem(variable, "nothing".to_owned());
            return None;
        }
        self.optional(variable, parse)
    }

    /// The value, or `default` where none is set. A bad value is a problem and yields the default, so that the
    /// rest can still be checked.
    pub fn or_default<T>(&mut self, variable: &Variable, default: T, parse: impl Fn(&str) -> Option<T>) -> T {
        self.optional(variable, parse).unwrap_or(default)
    }

    /// Notes a problem that only shows when several variables are seen together.
    pub fn problem(&mut self, variable: &Variable, found: String) {
        self.problems.push(ConfigProblem {
            variable: variable.name,
            found,
            expected: variable.expected.to_owned(),
        });
    }

    /// Whether the variable has a value under any of its names.
    pub fn is_set(&self, variable: &Variable) -> bool {
        self.raw(variable).is_some()
    }

    /// Whether this very name has a value, an older name included.
    pub fn is_named(&self, name: &str) -> bool {
        (self.lookup)(name).is_some_and(|text| !text.trim().is_empty())
    }

    /// Warns of something that stays off, while everything else runs.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// The warnings, in the order found.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The problems, in the order found.
    pub fn into_problems(self) -> Vec<ConfigProblem> {
        self.problems
    }

    fn raw(&self, variable: &Variable) -> Option<(&'static str, String)> {
        std::iter::once(&variable.name).chain(variable.aliases).find_map(|name| {
            let text = (self.lookup)(name)?;
            // Other white space is not removed silently: it may belong to a secret, or be there by mistake.
            let text = if variable.is_text { text.trim() } else { text.trim_ascii() };
            (!text.is_empty()).then(|| (*name, text.to_owned()))
        })
    }
}
