//! Which numbers may be called, and which caller IDs may be shown.

use crate::config::{DiallingConfig, is_e164};

#[derive(Debug)]
pub(super) struct Rules {
    caller_ids: Vec<String>,
    prefixes: Vec<String>,
}

/// Most prefixes that a refusal lists.
const MOST_LISTED: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleViolation {
    #[error("\"{field}\" is not a telephone number: write it with + and the country code{allowed}")]
    NoNumber {
        /// The parameter: `to` or `from`.
        field: &'static str,
        /// Which numbers may be called, as the end of the sentence.
        allowed: String,
    },
    #[error("\"to\" may be a national number as well: write it with + and the country code")]
    Ambiguous,
    #[error("\"{field}\" is not a telephone number: take {found:?} (U+{code:04X}) out of it", code = u32::from(*.found))]
    Character {
        /// The parameter: `to` or `from`.
        field: &'static str,
        /// The first invalid character.
        found: char,
    },
    #[error(
        "\"{0}\" has a zero behind the country code: leave that zero out, since the country code stands before it"
    )]
    TrunkZero(&'static str),
    #[error("\"from\" is not one of the caller ids that may be used here")]
    CallerId,
    #[error("numbers like this may not be called from here{0}")]
    Prefix(String),
    #[error("too many calls within a minute; wait a little")]
    TooMany,
}

impl Rules {
    pub(super) fn new(config: &DiallingConfig) -> Self {
        Self { caller_ids: config.caller_ids.clone(), prefixes: config.prefixes.clone() }
    }

    /// Both numbers as E.164 writes them, where they may be used.
    pub(super) fn check(&self, to: &str, from: &str) -> Result<(String, String), RuleViolation> {
        let may_call = |number: &str| self.prefixes.iter().any(|prefix| number.starts_with(prefix));
        let is_caller_id = |number: &str| self.caller_ids.iter().any(|id| id == number);
        let to = match read("to", to, |number| may_call(number) && is_whole(number)) {
            Ok((number, Plus::Missing))
                if may_call(&format!("+1{}", digits(&number))) && is_of_nanp(digits(&number)) =>
            {
                return Err(RuleViolation::Ambiguous);
            }
            Err(RuleViolation::NoNumber { field, .. }) => {
                return Err(RuleViolation::NoNumber { field, allowed: self.allowed() });
            }
            read => read?.0,
        };
        let (from, _) = read("from", from, is_caller_id)?;
        if !is_caller_id(&from) {
            return Err(RuleViolation::CallerId);
        }
        if !may_call(&to) {
            return Err(RuleViolation::Prefix(self.allowed()));
        }
        Ok((to, from))
    }

    fn allowed(&self) -> String {
        let listed: Vec<&str> = self.prefixes.iter().take(MOST_LISTED).map(String::as_str).collect();
        let more = if self.prefixes.len() > MOST_LISTED { ", …" } else { "" };
        format!("; they may begin with {}{more}", listed.join(", "))
    }
}

/// Whether the plus sign was there.
#[derive(Debug, PartialEq, Eq)]
enum Plus {
    There,
    Missing,
}

fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

/// A number behind +1 has ten digits more, of which the first is no 0 or 1.
fn is_whole(number: &str) -> bool {
    let national = digits(number).strip_prefix('1');
    national.is_none_or(|digits| digits.len() == 10 && !digits.starts_with(['0', '1']))
}

/// Countries whose numbers are dialled with a zero in front at home, and have none behind the country code (ITU-T
/// "Dialling procedures", national trunk prefix 0). Italy's numbers keep theirs.
const WITH_TRUNK_ZERO: &[&str] =
    &["27", "31", "32", "33", "41", "43", "44", "46", "49", "61", "64", "81", "90", "353", "972"];

fn has_trunk_zero(number: &str) -> bool {
    let behind = |code: &&str| digits(number).strip_prefix(*code).is_some_and(|rest| rest.starts_with('0'));
    WITH_TRUNK_ZERO.iter().any(behind)
}

/// Whether brackets hold a zero, as in `(0)`, or begin with one, as in `(030)`; in Italy's `(06)` it is part of the number.
fn has_zero_in_brackets(text: &str, number: &str) -> bool {
    let keeps_zero = ["+39", "+378"].iter().any(|code| number.starts_with(code));
    text.split(is_opening).skip(1).any(|behind| {
        let inside = behind.split(is_closing).next().unwrap_or_default();
        let inside: String = inside.chars().filter(|c| !is_decoration(*c)).collect();
        inside == "0" || inside.starts_with('0') && !keeps_zero
    })
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '\u{ff09}')
}

fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '\u{ff08}')
}

/// Whether digits are a number of the North American Numbering Plan, which is written without a zero in front: the one plan
/// whose national numbers have a length and a form that tell them from international ones.
fn is_of_nanp(digits: &str) -> bool {
    let begins = |at: usize| digits.as_bytes().get(at).is_some_and(|digit| (b'2'..=b'9').contains(digit));
    digits.len() == 10 && begins(0) && begins(3)
}

/// Reads a number as people paste it. The older plugin strips the plus sign, so digits count as an international number
/// where the rules know one that begins like that; any other digits may be a national number, which this is not to guess.
fn read(
    field: &'static str,
    text: &str,
    is_known: impl Fn(&str) -> bool,
) -> Result<(String, Plus), RuleViolation> {
    let number: String = text.chars().filter(|c| !is_decoration(*c)).collect();
    let (plus, digits) =
        number.strip_prefix('+').map_or((Plus::Missing, number.as_str()), |digits| (Plus::There, digits));
    if let Some(found) = digits.chars().find(|c| !c.is_ascii_digit()) {
        return Err(RuleViolation::Character { field, found });
    }
    let international = format!("+{digits}");
    if has_zero_in_brackets(text, &international) || has_trunk_zero(&international) {
        return Err(RuleViolation::TrunkZero(field));
    }
    let fits = is_e164(&international)
        && is_whole(&international)
        && (plus == Plus::There || is_known(&international));
    if fits {
        Ok((international, plus))
    } else {
        Err(RuleViolation::NoNumber { field, allowed: String::new() })
    }
}

/// What people and word processors put between and around digits: spaces, dashes, brackets, and characters that show
/// nothing, such as those that set the direction of writing.
fn is_decoration(c: char) -> bool {
    let dash = matches!(
        c,
        '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    );
    let bracket = is_opening(c) || is_closing(c);
    // Unicode's category Cf as far as texts hold it, and the blank that is no space to Unicode.
    let format = matches!(
        c,
        '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2800}'
    );
    c.is_whitespace() || dash || bracket || format
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER_ID: &str = "+14155550100";

    fn check(to: &str, from: &str) -> Result<(String, String), RuleViolation> {
        let of = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Rules { caller_ids: of(&[CALLER_ID]), prefixes: of(&["+1", "+4930"]) }.check(to, from)
    }

    fn no_number(field: &'static str) -> RuleViolation {
        let allowed = if field == "to" { "; they may begin with +1, +4930" } else { "" };
        RuleViolation::NoNumber { field, allowed: allowed.to_owned() }
    }

    fn called(to: &str) -> Result<String, RuleViolation> {
        check(to, CALLER_ID).map(|(to, _)| to)
    }

    #[test]
    fn calls_only_what_may_be_called_and_shows_only_what_may_be_shown() {
        assert_eq!(called("+15005550006").as_deref(), Ok("+15005550006"));
        assert_eq!(called("+493012345").as_deref(), Ok("+493012345"));
        let refused = called("+494012345").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "numbers like this may not be called from here; they may begin with +1, +4930"
        );
        for bad in ["+0150055500", "+1234567890123456", "+", "", "5005550006", "0015005550006", "494012345"] {
            assert_eq!(called(bad), Err(no_number("to")), "{bad}");
        }
        assert_eq!(check("+15005550006", "+14155550101"), Err(RuleViolation::CallerId));
        assert_eq!(check("+15005550006", "1").unwrap_err(), no_number("from"));
    }

    #[test]
    fn pasted_numbers_are_read_as_they_are_meant() {
        for pasted in [
            "15005550010",
            "+1 (500) 555-0010",
            "+1500555\u{2011}0010  ",
            "\u{202a}+15005550010\u{202c}",
            "\u{202d}1\u{a0}500\u{202f}555\u{2013}0010\u{202c}",
            "[+1] 500 555 0010\n",
            "\u{feff}+1\u{200b}5005550010",
        ] {
            assert_eq!(called(pasted).as_deref(), Ok("+15005550010"), "{pasted:?}");
        }
        let from = check("15005550010", "1 (415) 555-0100").map(|(_, from)| from);
        assert_eq!(from.as_deref(), Ok(CALLER_ID));
    }

    /// The plugin's digits are international; a person's may be national, and a wrong country must not be called.
    #[test]
    fn digits_that_can_be_read_in_two_ways_are_not_guessed() {
        let check = |to: &str, prefixes: &[&str]| {
            let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
            Rules { caller_ids: vec![CALLER_ID.to_owned()], prefixes }.check(to, CALLER_ID).map(|(to, _)| to)
        };
        // +41 79 123 456 7, or the area code 417.
        assert_eq!(check("4179123456", &["+1", "+41"]), Err(RuleViolation::Ambiguous));
        assert_eq!(check("5005550010", &["+"]), Err(RuleViolation::Ambiguous));
        assert_eq!(
            check("4179123456", &["+41"]).as_deref(),
            Ok("+4179123456"),
            "no other reading may be called"
        );
        assert_eq!(check("+4179123456", &["+1", "+41"]).as_deref(), Ok("+4179123456"));
        assert_eq!(
            check("41791234567", &["+1", "+41"]).as_deref(),
            Ok("+41791234567"),
            "too long for an area code"
        );
        assert_eq!(
            check("4111234567", &["+1", "+41"]).as_deref(),
            Ok("+4111234567"),
            "no exchange begins with 1"
        );
        assert_eq!(check("15005550010", &["+1", "+41"]).as_deref(), Ok("+15005550010"));
        // Not ten digits behind the 1: a national number of another plan.
        for national in ["1791234567", "17912345", "110"] {
            let refused = check(national, &["+1", "+41"]).unwrap_err();
            assert!(refused.to_string().ends_with("; they may begin with +1, +41"), "{national}: {refused}");
        }
        let many: Vec<String> = (20..40).map(|code| format!("+{code}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(check("1", &many).unwrap_err().to_string().ends_with("+28, +29, …"));
    }

    #[test]
    fn what_belongs_to_no_number_is_named() {
        for (bad, found) in [
            ("+1500555000a", 'a'),
            ("client:x", 'c'),
            ("+1 500.555.0006", '.'),
            ("++15005550006", '+'),
            ("+1500555000\u{ff16}", '\u{ff16}'),
        ] {
            assert_eq!(called(bad), Err(RuleViolation::Character { field: "to", found }), "{bad}");
        }
        let told = check("+15005550006", "anonymous").unwrap_err().to_string();
        assert_eq!(told, "\"from\" is not a telephone number: take 'a' (U+0061) out of it");
        for zero in [
            "+49 (0)30 12345",
            "+49 \u{ff08}0\u{ff09}30 12345",
            "+49 [0]30 12345",
            "+49 ( 0 ) 30 12345",
            "+49 (030) 12345",
            "+49 030 12345",
            "49030 12345",
            "+1 (0)500 555 0010",
        ] {
            assert_eq!(called(zero), Err(RuleViolation::TrunkZero("to")), "{zero}");
        }
        let anywhere = Rules { caller_ids: vec![CALLER_ID.to_owned()], prefixes: vec!["+".to_owned()] };
        for (kept, number) in [("+39 06 12345678", "+390612345678"), ("+39 (06) 12345678", "+390612345678")] {
            assert_eq!(anywhere.check(kept, CALLER_ID).map(|(to, _)| to).as_deref(), Ok(number));
        }
        for wrong in
            ["+1 1 415 555 0111", "+1 (1) 415 555 0111", "+1415555011", "+141555501112", "+10155550111"]
        {
            assert_eq!(called(wrong), Err(no_number("to")), "{wrong}");
        }
    }
}
