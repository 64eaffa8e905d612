//! What `browser.js` needs of Rust: the offsets of the time zone, and the order of text.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rquickjs::{Ctx, Error, Exception, Function, Object};

use super::collation::{OrderRules, Sensitivity, compare};

pub(super) fn host<'js>(ctx: &Ctx<'js>, zone: &TimeZone) -> Result<Object<'js>, Error> {
    let host = Object::new(ctx.clone())?;
    host.set("zone", zone.iana_name().unwrap_or("UTC"))?;
    let of = zone.clone();
    host.set("offset", Function::new(ctx.clone(), move |instant: f64| offset(&of, instant))?)?;
    let of = zone.clone();
    host.set("instant", Function::new(ctx.clone(), move |local: f64| instant(&of, local))?)?;
    let ordered = |ctx: Ctx<'js>, a: String, b: String, sensitivity: String, numeric: bool, spanish: bool| {
        let sensitivity = match sensitivity.as_str() {
            "base" => Sensitivity::Base,
            "accent" => Sensitivity::Accent,
            "case" => Sensitivity::Case,
            _ => Sensitivity::Variant,
        };
        match compare(&a, &b, OrderRules { sensitivity, numeric, spanish }) {
            Ok(Ordering::Less) => Ok(-1),
            Ok(Ordering::Equal) => Ok(0),
            Ok(Ordering::Greater) => Ok(1),
            Err(error) => Err(Exception::throw_type(&ctx, &format!("{error} is not supported in formulas"))),
        }
    };
    host.set("compare", Function::new(ctx.clone(), ordered)?)?;
    Ok(host)
}

/// By how many milliseconds local time is ahead of UTC at an instant.
fn offset(zone: &TimeZone, instant: f64) -> f64 {
    timestamp(instant).map_or(0.0, |instant| f64::from(zone.to_offset(instant).seconds()) * 1000.0)
}

/// The instant at which it is this local time, as milliseconds since 1970 as if in UTC. A time that the clocks skip or
/// show twice is read by the offset before the change, as ECMAScript has it.
fn instant(zone: &TimeZone, local: f64) -> f64 {
    let Some(timestamp) = timestamp(local) else { return local };
    let civil = TimeZone::UTC.to_datetime(timestamp);
    match zone.to_ambiguous_timestamp(civil).compatible() {
        #[expect(clippy::cast_precision_loss, reason = "jiff's instants in milliseconds are below 2^53")]
        Ok(instant) => instant.as_millisecond() as f64,
        Err(_) => local - offset(zone, local),
    }
}

/// The nearest instant that jiff has; ECMAScript has some before and after.
fn timestamp(instant: f64) -> Option<Timestamp> {
    if instant.is_nan() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let [first, last] = [Timestamp::MIN, Timestamp::MAX].map(|end| end.as_millisecond() as f64);
    #[expect(clippy::cast_possible_truncation, reason = "within the range of timestamps")]
    let whole = instant.clamp(first, last) as i64;
    Timestamp::from_millisecond(whole).ok()
}
