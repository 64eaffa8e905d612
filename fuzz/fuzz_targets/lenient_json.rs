//! JSON that is read leniently: as the strict reader reads it where that does, and always something that can be written
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use taskrouter_sync::lenient_json::{Replaced, parse};

fuzz_target!(|text: &[u8]| {
    let lenient = parse(text);
    if let Ok(strict) = serde_json::from_slice::<Value>(text) {
        assert_eq!(lenient, Some((strict, Replaced::default())));
    } else if let Some((value, replaced)) = lenient {
        assert_ne!(replaced, Replaced::default(), "the strict reader refused it for a reason");
        let written = serde_json::to_vec(&value).expect("a value can be written");
        serde_json::from_slice::<Value>(&written).expect("and read again");
    }
});
