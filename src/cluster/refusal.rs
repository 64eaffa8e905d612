//! Redis's own error, as an operator finds it in Redis's documentation.

use std::fmt;

use redis::{ErrorKind, RedisError};

/// Most characters of Redis's sentence that are shown.
const LONGEST_DETAIL: usize = 160;
/// From here on Redis quotes a command's arguments, which are customers' data.
const ARGUMENTS: &str = ", with args";

/// Why Redis refused a command: its error code, such as `NOPERM`, and its sentence without the command's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisRefusal {
    code: String,
    detail: String,
}

impl RedisRefusal {
    /// `None` where the error is the connection's and not Redis's.
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let code = match error.kind() {
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => return None,
            ErrorKind::AuthenticationFailed => error.code().unwrap_or("WRONGPASS"),
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => "unexpected answer",
            _ => error.code().unwrap_or("ERR"),
        };
        // A parser's error quotes what it read.
        let detail = if code == "unexpected answer" { "" } else { error.detail().unwrap_or_default() };
        let detail = detail.split(ARGUMENTS).next().unwrap_or_default();
        Some(Self { code: code.to_owned(), detail: detail.chars().take(LONGEST_DETAIL).collect() })
    }

    /// Whether one of our keys holds another type of value. Redis before 7 says so of scripts in the sentence only.
    pub(super) fn is_wrong_type(&self) -> bool {
        self.code == "WRONGTYPE" || self.detail.contains("WRONGTYPE")
    }
}

impl fmt::Display for RedisRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " {}", self.detail) }
    }
}

#[cfg(test)]
mod tests {
    use redis::{ServerError, Value, parse_redis_value};

    use super::*;

    /// As it comes over the wire.
    fn of(line: &str) -> RedisRefusal {
        let read = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        let Value::ServerError(error) = read else { panic!("{read:?}") };
        let error: ServerError = error;
        RedisRefusal::of(&error.into()).unwrap()
    }

    #[test]
    fn redis_errors_keep_their_code_and_lose_the_arguments() {
        for line in [
            "NOPERM User x has no permissions to run the 'incr' command",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "READONLY You can't write against a read only replica.",
            "NOREPLICAS Not enough good replicas to write.",
            "LOADING Redis is loading the dataset in memory",
            "ERR max number of clients reached",
        ] {
            assert_eq!(of(line).to_string(), line);
        }
        let unknown = of("ERR unknown command `EVALSHA`, with args beginning with: `secret`");
        assert_eq!(unknown.to_string(), "ERR unknown command `EVALSHA`");
    }

    #[test]
    fn a_wrong_type_is_recognised_in_and_outside_of_scripts() {
        assert!(of("WRONGTYPE Operation against a key holding the wrong kind of value").is_wrong_type());
        assert!(
            of("ERR Error running script (call to f_1): @user_script:3: WRONGTYPE Operation").is_wrong_type()
        );
        assert!(!of("ERR something else").is_wrong_type());
    }
}
