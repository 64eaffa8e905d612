//! Chance, for delays that must not fall together. Each thread has a generator of its own, which a simulation starts from
//! a known seed, so that a run can be replayed; nothing here is fit for secrets.

use std::cell::RefCell;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

thread_local! {
    static DICE: RefCell<StdRng> = RefCell::new(StdRng::seed_from_u64(rand::random()));
}

/// A number from 0 to 1.
pub fn unit() -> f64 {
    DICE.with_borrow_mut(RngExt::random)
}

/// Starts this thread's generator from a seed.
pub fn seed(seed: u64) {
    DICE.set(StdRng::seed_from_u64(seed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_brings_the_same_numbers() {
        let three = |n| {
            seed(n);
            [(); 3].map(|()| unit())
        };
        let (first, other) = (three(7), three(8));
        assert_eq!(first, three(7));
        assert!(first != other && first.iter().chain(&other).all(|n| (0.0..1.0).contains(n)));
    }
}
