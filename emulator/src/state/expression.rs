//! TaskRouter's target expressions, such as `skills HAS "support" AND level > 3`.
//!
//! A queue's expression picks the Workers it may route to; lists can be filtered with one. The grammar here is what
//! the documentation shows: comparisons, `HAS`, `IN`, `CONTAINS`, `AND`, `OR`, `NOT`, parentheses, dotted names into
//! the attributes. An expression is parsed once and evaluated against an attributes object.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Operand, Operator, Operand),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Literal(Value),
    Path(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
    In,
    Contains,
}

impl Expression {
    /// Parses the text; the error says where it stopped making sense.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let expression = parser.any()?;
        match parser.peek() {
            None => Ok(expression),
            Some(token) => Err(format!("unexpected {token:?} in expression")),
        }
    }

    pub(crate) fn matches(&self, attributes: &Value) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.matches(attributes)),
            Self::All(parts) => parts.iter().all(|part| part.matches(attributes)),
            Self::Not(part) => !part.matches(attributes),
            Self::Compare(left, operator, right) => {
                compare(left.value(attributes), *operator, right.value(attributes))
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, attributes: &'a Value) -> &'a Value {
        match self {
            Self::Literal(value) => value,
            Self::Path(path) => {
                path.iter().fold(attributes, |value, name| value.get(name.as_str()).unwrap_or(&Value::Null))
            }
        }
    }
}

fn compare(left: &Value, operator: Operator, right: &Value) -> bool {
    let order = || match (left.as_f64(), right.as_f64(), left.as_str(), right.as_str()) {
        (Some(a), Some(b), ..) => a.partial_cmp(&b),
        (.., Some(a), Some(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let within =
        |list: &Value, item: &Value| list.as_array().is_some_and(|list| list.iter().any(|v| equal(v, item)));
    match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => !equal(left, right),
        Operator::Less => order().is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => order().is_some_and(std::cmp::Ordering::is_le),
        Operator::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => order().is_some_and(std::cmp::Ordering::is_ge),
        Operator::Has => within(left, right),
        Operator::In => within(right, left),
        Operator::Contains => match (left.as_str(), right.as_str()) {
            (Some(text), Some(part)) => text.contains(part),
            _ => within(left, right),
        },
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => left == right,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    // Longer signs first, so that `==` is not read as two `=`.
    const SIGNS: [&str; 13] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "=", "(", ")", "[", "]"];
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == ',' {
            found.push(Token::Sign(","));
            rest = &rest[1..];
        } else if first == '"' || first == '\'' {
            let inner = &rest[1..];
            let end = inner.find(first).ok_or("a quote is not closed")?;
            found.push(Token::Text(inner[..end].to_owned()));
            rest = &inner[end + 1..];
        } else {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "_.-$".contains(c))).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("unexpected character {first:?} in expression"));
            }
            let word = &rest[..end];
            let number = word.parse::<f64>().ok().filter(|n| n.is_finite());
            found.push(number.map_or_else(|| Token::Word(word.to_owned()), Token::Number));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("the expression ends too early")?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = match self.peek() {
            Some(Token::Word(w)) => w.eq_ignore_ascii_case(word),
            Some(Token::Sign(s)) => *s == word,
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.take("OR") || self.take("||") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.part()?];
        while self.take("AND") || self.take("&&") {
            parts.push(self.part()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn part(&mut self) -> Result<Expression, String> {
        if self.take("NOT") {
            return Ok(Expression::Not(Box::new(self.part()?)));
        }
        if self.take("(") {
            let inner = self.any()?;
            return if self.take(")") { Ok(inner) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let left = self.operand()?;
        let negated = self.take("NOT");
        let operator = self.operator()?;
        let compare = Expression::Compare(left, operator, self.operand()?);
        Ok(if negated { Expression::Not(Box::new(compare)) } else { compare })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        Ok(match self.next()? {
            Token::Sign("==" | "=") => Operator::Equal,
            Token::Sign("!=") => Operator::NotEqual,
            Token::Sign("<") => Operator::Less,
            Token::Sign("<=") => Operator::LessOrEqual,
            Token::Sign(">") => Operator::Greater,
            Token::Sign(">=") => Operator::GreaterOrEqual,
            Token::Word(word) if word.eq_ignore_ascii_case("HAS") => Operator::Has,
            Token::Word(word) if word.eq_ignore_ascii_case("IN") => Operator::In,
            Token::Word(word) if word.eq_ignore_ascii_case("CONTAINS") => Operator::Contains,
            other => return Err(format!("{other:?} is not an operator")),
        })
    }

    fn operand(&mut self) -> Result<Operand, String> {
        Ok(match self.next()? {
            Token::Text(text) => Operand::Literal(text.into()),
            Token::Number(number) => Operand::Literal(number.into()),
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "true" => Operand::Literal(true.into()),
                "false" => Operand::Literal(false.into()),
                "null" => Operand::Literal(Value::Null),
                _ => Operand::Path(word.split('.').map(str::to_owned).collect()),
            },
            Token::Sign("[") => {
                let mut list = Vec::new();
                while !self.take("]") {
                    let Operand::Literal(value) = self.operand()? else {
                        return Err("a list holds literals only".to_owned());
                    };
                    list.push(value);
                    self.take(",");
                }
                Operand::Literal(Value::Array(list))
            }
            other => return Err(format!("unexpected {other:?} in expression")),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> bool {
        let worker =
            json!({"skills": ["support", "sales"], "level": 4, "team": {"name": "Nord"}, "remote": true});
        Expression::parse(text).unwrap().matches(&worker)
    }

    #[test]
    fn evaluates_what_the_documentation_shows() {
        for yes in [
            "1==1",
            r#"skills HAS "support""#,
            "level > 3 AND level <= 4",
            "team.name == 'Nord' AND NOT (level < 4)",
            "level IN [1, 4]",
            "level not in [2, 3]",
            "team.name CONTAINS 'or'",
            "remote == true OR missing > 1",
            "missing == null",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in ["1==2", r#"skills HAS "billing""#, "missing > 1", "level == '4'", "remote != true"] {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn refuses_nonsense() {
        for bad in ["", "skills", "skills HAS", "(1==1", "1==1 1", "a ~ b", "a == 'b", "a IN [b]"] {
            assert!(Expression::parse(bad).is_err(), "{bad}");
        }
    }
}
