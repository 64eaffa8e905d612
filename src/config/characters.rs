//! Characters that a user who copies a value takes along without seeing them.

/// Whether a character shows nothing, or looks like another: a secret with one fits nowhere, and no screen shows why.
/// Spaces, tabs and line breaks of ASCII are none of them; the values' own rules are about these.
pub(super) fn is_invisible(c: char) -> bool {
    let format = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e007f}'
    );
    format || !c.is_ascii_whitespace() && (c.is_control() || !c.is_ascii() && c.is_whitespace())
}
