//! Numbers as Twilio sends them: its response examples show JSON numbers where its field descriptions say text, so
//! both are read.
//!
//! Not `serde_with` (3.25): its `PickFirst` buffers each value to try it twice, which takes 5 times as long where 200,000
//! numbers come as text (412 against 72 ms), and refuses `1.0`, `-1` and `" 3 "` for a count.

use serde::Serializer;
use serde::de::{self, Deserializer, Visitor};

struct Number;

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, as such or as text")
    }

    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        // Counts and seconds; exact up to 2^53.
        #[expect(clippy::cast_precision_loss, reason = "no count of Twilio's comes near 2^53")]
        Ok(value as f64)
    }

    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        #[expect(clippy::cast_precision_loss, reason = "no count of Twilio's comes near 2^53")]
        Ok(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        let number = text.trim().parse().ok().filter(|n: &f64| n.is_finite());
        number.ok_or_else(|| E::invalid_value(de::Unexpected::Other("text"), &self))
    }
}

pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(Number)
}

/// A count or a number of whole seconds; less than none reads as none.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is whole or rounded"
    )]
    decimal(deserializer).map(|number| number.round() as u64)
}

/// A count; null is none.
pub(super) fn whole_or_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    whole_or_none(deserializer).map(Option::unwrap_or_default)
}

/// A count that may be missing or null.
pub(super) fn whole_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(serde::Deserialize)]
    struct WholeNumber(#[serde(deserialize_with = "whole")] u64);
    let number: Option<WholeNumber> = serde::Deserialize::deserialize(deserializer)?;
    Ok(number.map(|whole| whole.0))
}

/// A decimal that may be missing or null.
pub(super) fn decimal_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Decimal(#[serde(deserialize_with = "decimal")] f64);
    let number: Option<Decimal> = serde::Deserialize::deserialize(deserializer)?;
    Ok(number.map(|decimal| decimal.0))
}

/// Beyond this a decimal no longer tells whole numbers apart.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// A decimal as Twilio writes it: a whole one without `.0`, which is the same number to a reader and two bytes less of what a
/// Sync object may take.
#[expect(clippy::ref_option, reason = "the form that serde asks for")]
pub(super) fn as_short<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        None => serializer.serialize_none(),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
        Some(whole) if whole.fract() == 0.0 && whole.abs() < LARGEST_WHOLE => {
            serializer.serialize_i64(*whole as i64)
        }
        Some(decimal) => serializer.serialize_f64(*decimal),
    }
}
