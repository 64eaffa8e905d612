//! How a value is shown: the wallboard's two formats, and ours.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::wallboard::formula::protocol::FormulaOutcome;

/// The text for a missing value, which is neither zero nor an error.
pub const NOTHING: &str = "–";
const MOST_DECIMALS: u8 = 6;
/// The largest exact integer; far more than any wait or count.
const MOST: f64 = 9_007_199_254_740_991.0;
/// Instants from this number on are in milliseconds: as seconds it would be the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Plain,
    /// `HH:MM:SS` of seconds.
    Seconds,
    /// `5 min` of seconds.
    Minutes,
    /// `1h 05m`, or `5m 03s`, of seconds.
    Duration,
    /// A percentage, such as `95 %`.
    Percent,
    Number(u8),
    /// `HH:MM` of an instant.
    Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result can't be shown in this format")]
pub struct FormatError;

impl Format {
    /// By name: empty, `seconds`, `minutes`, `duration`, `percent`, `time`, `number` or `number:2`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::Plain),
            "seconds" => Some(Self::Seconds),
            "minutes" => Some(Self::Minutes),
            "duration" => Some(Self::Duration),
            "percent" => Some(Self::Percent),
            "time" => Some(Self::Time),
            "number" => Some(Self::Number(0)),
            _ => {
                let decimals = name.strip_prefix("number:")?.parse().ok()?;
                (decimals <= MOST_DECIMALS).then_some(Self::Number(decimals))
            }
        }
    }

    pub fn text(self, value: &FormulaOutcome, zone: &TimeZone) -> Result<String, FormatError> {
        if *value == FormulaOutcome::Nothing {
            return Ok(NOTHING.to_owned());
        }
        match self {
            Self::Plain => Ok(plain(value)),
            Self::Time => time(value, zone).ok_or(FormatError),
            Self::Percent => Ok(format!("{} %", rounded(number(value)?, 0)?)),
            Self::Number(decimals) => rounded(number(value)?, decimals),
            Self::Seconds => {
                let (hours, minutes, seconds) = clock(seconds(value)?)?;
                Ok(format!("{hours:02}:{minutes:02}:{seconds:02}"))
            }
            Self::Minutes => {
                let (hours, minutes, _) = clock(number(value)?)?;
                Ok(format!("{} min", hours * 60 + minutes))
            }
            Self::Duration => Ok(match clock(number(value)?)? {
                (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
                (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
            }),
        }
    }
}

/// Seconds as the older wallboard reads them: the number at the beginning of a text, and `None` for a dash.
fn seconds(value: &FormulaOutcome) -> Result<f64, FormatError> {
    let FormulaOutcome::Text(text) = value else { return number(value) };
    let text = text.trim();
    if text == "-" {
        return Ok(0.0);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = digits.find(|c: char| !c.is_ascii_digit()).map_or(digits, |end| &digits[..end]);
    let whole: f64 = digits.parse().map_err(|_| FormatError)?;
    Ok(if text.starts_with('-') { -whole } else { whole })
}

/// A value as a number; a text that holds one counts, as in the wallboard.
pub fn number(value: &FormulaOutcome) -> Result<f64, FormatError> {
    let number = match value {
        FormulaOutcome::Number(number) => Some(*number),
        FormulaOutcome::Text(text) | FormulaOutcome::NoNumber { shown: text } => text.trim().parse().ok(),
        FormulaOutcome::Flag(_) | FormulaOutcome::Nothing => None,
    };
    number.filter(|number: &f64| number.is_finite()).ok_or(FormatError)
}

/// What a value is to a threshold: ECMAScript's `Number` of it, as in the older wallboard. None passes a threshold that is
/// no number there, nor a missing value.
pub(super) fn magnitude(value: &FormulaOutcome) -> Option<f64> {
    match value {
        FormulaOutcome::Number(number) => Some(*number),
        FormulaOutcome::Flag(flag) => Some(f64::from(u8::from(*flag))),
        FormulaOutcome::Nothing | FormulaOutcome::NoNumber { .. } => None,
        FormulaOutcome::Text(text) => match text.trim() {
            "" => Some(0.0),
            "Infinity" | "+Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.parse().ok().filter(|number: &f64| number.is_finite()),
        },
    }
}

fn plain(value: &FormulaOutcome) -> String {
    match value {
        FormulaOutcome::Nothing => NOTHING.to_owned(),
        FormulaOutcome::Flag(flag) => flag.to_string(),
        // No minus sign before a zero.
        FormulaOutcome::Number(number) => (number + 0.0).to_string(),
        FormulaOutcome::Text(text) | FormulaOutcome::NoNumber { shown: text } => text.clone(),
    }
}

/// With `decimals` decimals. What rounds to zero has no sign.
fn rounded(number: f64, decimals: u8) -> Result<String, FormatError> {
    if number.abs() > MOST {
        return Err(FormatError);
    }
    let text = format!("{:.*}", usize::from(decimals), away_from_tie(number, decimals));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    Ok(if is_zero { text.trim_start_matches('-').to_owned() } else { text })
}

/// A number that lies exactly between two texts, moved by the least amount away from zero, as ECMAScript's `toFixed` and
/// `toLocaleString` decide; `format!` would take the even one.
fn away_from_tie(number: f64, decimals: u8) -> f64 {
    // Only an odd multiple of this power of two lies exactly between two texts.
    let is_tie = (number.abs() * f64::from(2_u32 << decimals)) % 2.0 == 1.0;
    match is_tie {
        true if number < 0.0 => number.next_down(),
        true => number.next_up(),
        false => number,
    }
}

fn clock(seconds: f64) -> Result<(u64, u64, u64), FormatError> {
    if !(0.0..=MOST).contains(&seconds) {
        return Err(FormatError);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let whole = seconds as u64;
    Ok((whole / 3600, whole / 60 % 60, whole % 60))
}

fn time(value: &FormulaOutcome, zone: &TimeZone) -> Option<String> {
    let instant = match value {
        FormulaOutcome::Text(text) if number(value).is_err() => text.parse::<Timestamp>().ok()?,
        _ => {
            let number = number(value).ok()?;
            let seconds = if number.abs() >= FIRST_MILLISECONDS { number / 1000.0 } else { number };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and is then out of a timestamp's range"
            )]
            Timestamp::from_second(seconds.floor() as i64).ok()?
        }
    };
    Some(instant.to_zoned(zone.clone()).strftime("%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(format: &str, value: impl Into<Shown>) -> Result<String, FormatError> {
        Format::named(format).unwrap().text(&value.into().0, &TimeZone::get("Europe/Berlin").unwrap())
    }

    struct Shown(FormulaOutcome);
    impl From<f64> for Shown {
        fn from(number: f64) -> Self {
            Self(FormulaOutcome::Number(number))
        }
    }
    impl From<&str> for Shown {
        fn from(text: &str) -> Self {
            Self(FormulaOutcome::Text(text.to_owned()))
        }
    }

    #[test]
    fn each_format() {
        for (format, value, text) in [
            ("", 3.0, "3"),
            ("", 2.5, "2.5"),
            ("seconds", 3_661.9, "01:01:01"),
            ("seconds", 360_000.0, "100:00:00"),
            ("minutes", 3_661.0, "61 min"),
            ("duration", 3_900.0, "1h 05m"),
            ("duration", 303.0, "5m 03s"),
            ("percent", 94.6, "95 %"),
            ("", -0.0, "0"),
            ("percent", -0.2, "0 %"),
            ("percent", 0.5, "1 %"),
            ("percent", 94.5, "95 %"),
            ("number", 2.5, "3"),
            ("number", -2.5, "-3"),
            ("number", 1.5, "2"),
            ("number:1", 0.25, "0.3"),
            ("number:2", 1.005, "1.00"),
            ("number:2", 0.125, "0.13"),
            ("number:1", -0.04, "0.0"),
            ("number:1", -0.4, "-0.4"),
            ("number", 2.6, "3"),
            ("number:2", 2.0, "2.00"),
            ("time", 1_767_225_600.0, "01:00"),
            ("time", 1_767_225_600_000.0, "01:00"),
        ] {
            assert_eq!(shown(format, value).as_deref(), Ok(text), "{format} {value}");
        }
        assert_eq!(shown("time", "2026-07-01T12:00:00Z").as_deref(), Ok("14:00"), "summer time");
        assert_eq!(shown("seconds", "90").as_deref(), Ok("00:01:30"));
        assert_eq!(shown("seconds", "-").as_deref(), Ok("00:00:00"), "as the sample shows them");
        assert_eq!(shown("seconds", "12px").as_deref(), Ok("00:00:12"));
        assert_eq!(shown("seconds", "90.7").as_deref(), Ok("00:01:30"));
        assert_eq!(shown("", "Sales").as_deref(), Ok("Sales"));
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_nothing_is_a_dash() {
        for (format, value) in [("seconds", "soon"), ("percent", "x"), ("time", "x"), ("number:1", "")] {
            assert_eq!(shown(format, value), Err(FormatError), "{format} {value}");
        }
        assert_eq!(shown("seconds", -1.0), Err(FormatError));
        assert_eq!(shown("number", 1e300), Err(FormatError));
        let zone = TimeZone::UTC;
        assert_eq!(Format::Seconds.text(&FormulaOutcome::Flag(true), &zone), Err(FormatError));
        assert_eq!(Format::Seconds.text(&FormulaOutcome::Nothing, &zone).as_deref(), Ok(NOTHING));
        for unknown in ["Seconds", "number:7", "number:x", "hours"] {
            assert_eq!(Format::named(unknown), None, "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn no_value_breaks_a_format(number in any::<f64>(), text in "\\PC{0,20}", decimals in 0..=6_u8) {
            let formats = [Format::Plain, Format::Seconds, Format::Minutes, Format::Duration, Format::Percent,
                Format::Number(decimals), Format::Time];
            for format in formats {
                let _ = format.text(&FormulaOutcome::Number(number), &TimeZone::UTC);
                let _ = format.text(&FormulaOutcome::Text(text.clone()), &TimeZone::UTC);
            }
        }
    }
}
