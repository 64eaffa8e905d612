//! Derives the id of a trace from the id of its event.

use std::fmt;
use std::sync::LazyLock;

/// 128 bits, as traces have them. Twilio's `EV…` holds as many, so a trace is found by the id that the log has, without
/// its two letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// The id from a SID's 32 hexadecimal digits.
    pub fn of_digits(digits: &str) -> Self {
        // Zero is no id; what can't be read can't be a SID's digits.
        Self(u128::from_str_radix(digits, 16).unwrap_or_default().max(1))
    }

    /// The id of an event without a SID, by its number in this process: different in each process, and spread evenly, since
    /// samplers compare ids with a threshold.
    pub fn local(number: u64) -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(rand::random);
        let low = spread(*PROCESS ^ number);
        let high = spread(low ^ PROCESS.rotate_left(32));
        Self((u128::from(high) << 64 | u128::from(low)).max(1))
    }

    pub fn number(self) -> u128 {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SplitMix64's last step, a bijection: similar numbers become dissimilar ones.
pub(super) fn spread(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sids_digits_are_the_traces() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert_eq!(TraceId::of_digits(digits).to_string(), digits);
        assert_ne!(TraceId::of_digits(&"0".repeat(32)).number(), 0, "zero is no trace's id");
    }

    #[test]
    fn numbers_of_this_process_are_spread() {
        let low = |n| TraceId::local(n).number() as u64;
        let small = (0..1000).filter(|n| low(*n) < u64::MAX / 4).count();
        assert!((150..350).contains(&small), "{small} of 1000 are in the lowest quarter");
        assert_eq!(TraceId::local(7), TraceId::local(7));
    }
}
