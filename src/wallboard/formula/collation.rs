//! Orders text as browsers do: by letters, then by accents, then by case.
//!
//! This is Unicode's root order for Latin letters, digits and common signs, which English, German, French, Italian, Dutch,
//! Portuguese and Indonesian have, and Spanish but for `ñ`. Any other character is refused, since a wrong order would
//! show unnoticed.

use std::cmp::Ordering;

/// Signs in their order; digits and letters come after them.
const SIGNS: &str = " _-–—,;:!¡?¿.·'\"«»()[]{}§¶@*/\\&#%†•′″`^°©®←→↑↓+±÷×<=>¬|¦~$£¥€";
/// Accents in their order, as combining characters.
const ACCENTS: &str =
    "\u{301}\u{300}\u{306}\u{302}\u{30c}\u{30a}\u{308}\u{30b}\u{303}\u{307}\u{327}\u{328}\u{304}";
const TILDE: char = '\u{303}';
const FIRST_DIGIT: u16 = 1000;
const FIRST_LETTER: u16 = 2000;
/// Longest text, in bytes.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Copy)]
pub(super) struct OrderRules {
    pub(super) sensitivity: Sensitivity,
    /// Digits in a row compare as one number.
    pub(super) numeric: bool,
    /// `ñ` is a letter of its own, which is not supported.
    pub(super) spanish: bool,
}

/// What two texts must differ in to be different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensitivity {
    Base,
    Accent,
    Case,
    Variant,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OrderError {
    #[error("the order of the character {0:?} (U+{code:04X})", code = u32::from(*.0))]
    Character(char),
    #[error("the order of texts of more than {LONGEST} bytes")]
    Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Case {
    Lower,
    /// `ß`, which stands between `ss` and `SS`.
    Sharp,
    Upper,
}

/// What a text is compared by, one level after another.
#[derive(Default)]
struct Levels<'t> {
    /// A letter's or sign's place; for numbers also their length and digits.
    primary: Vec<(u16, usize, &'t str)>,
    accents: Vec<usize>,
    cases: Vec<Case>,
}

/// Compares two texts in Normalisation Form D.
pub(super) fn compare(a: &str, b: &str, rules: OrderRules) -> Result<Ordering, OrderError> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    let (a, b) = (levels(a, rules)?, levels(b, rules)?);
    let by_accents = || a.accents.cmp(&b.accents);
    let by_case = || a.cases.cmp(&b.cases);
    let upper =
        |levels: &Levels<'_>| -> Vec<bool> { levels.cases.iter().map(|case| *case == Case::Upper).collect() };
    let letters = a.primary.cmp(&b.primary);
    Ok(match rules.sensitivity {
        Sensitivity::Base => letters,
        Sensitivity::Accent => letters.then_with(by_accents),
        Sensitivity::Case => letters.then_with(|| upper(&a).cmp(&upper(&b))),
        Sensitivity::Variant => letters.then_with(by_accents).then_with(by_case),
    })
}

impl<'t> Levels<'t> {
    fn push(&mut self, place: u16, number: &'t str, case: Case) {
        self.primary.push((place, number.len(), number));
        self.accents.push(0);
        self.cases.push(case);
    }
}

fn levels(text: &str, rules: OrderRules) -> Result<Levels<'_>, OrderError> {
    if text.len() > LONGEST {
        return Err(OrderError::Length);
    }
    let letter = |byte: u8| FIRST_LETTER + u16::from(byte.to_ascii_lowercase().saturating_sub(b'a'));
    let mut levels = Levels::default();
    let (mut rest, mut before) = (text, ' ');
    while let Some(character) = rest.chars().next() {
        let mut taken = character.len_utf8();
        let byte = rest.as_bytes().first().copied().unwrap_or_default();
        match character {
            '0'..='9' if rules.numeric => {
                let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
                taken = digits.len();
                levels.push(FIRST_DIGIT, digits.trim_start_matches('0'), Case::Lower);
            }
            '0'..='9' => levels.push(FIRST_DIGIT + u16::from(byte - b'0'), "", Case::Lower),
            'a'..='z' => levels.push(letter(byte), "", Case::Lower),
            'A'..='Z' => levels.push(letter(byte), "", Case::Upper),
            'ß' => [(); 2].iter().for_each(|()| levels.push(letter(b's'), "", Case::Sharp)),
            TILDE if rules.spanish && matches!(before, 'n' | 'N') => return Err(OrderError::Character('ñ')),
            other => {
                let place = |list: &str| list.chars().position(|one| one == other);
                if let Some(accent) = place(ACCENTS) {
                    levels.accents.push(accent + 1);
                    levels.cases.push(Case::Lower);
                } else {
                    let sign = place(SIGNS).and_then(|place| u16::try_from(place).ok());
                    levels.push(sign.ok_or(OrderError::Character(other))?, "", Case::Lower);
                }
            }
        }
        before = character;
        rest = &rest[taken..];
    }
    Ok(levels)
}
