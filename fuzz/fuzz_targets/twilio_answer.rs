//! TaskRouter's and Sync's answers: what is understood is written out as it was read, since that is what stands in Sync.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use taskrouter_sync::twilio::sync::{Document, MapItem};
use taskrouter_sync::twilio::taskrouter::{
    Cumulative, Realtime, Reservation, Statistics, Task, TaskQueue, TaskQueueStatistics, Worker, Workspace,
};

/// Whether what was read can be written and read once more; what it then is.
fn again<T: DeserializeOwned + Serialize>(read: &T) -> T {
    let written = serde_json::to_vec(read).expect("JSON can be written");
    serde_json::from_slice(&written).expect("what was written can be read")
}

fn decode<T: DeserializeOwned>(body: &[u8]) {
    let _ = serde_json::from_slice::<T>(body);
}

fuzz_target!(|body: &[u8]| {
    // Fractions of many digits may come back one bit beside, so they are left out of what must be the same.
    if let Ok(read) = serde_json::from_slice::<Realtime>(body) {
        let same = |read: Realtime| Realtime { extra: Default::default(), ..read };
        assert_eq!(same(again(&read)), same(read));
    }
    if let Ok(read) = serde_json::from_slice::<Cumulative>(body) {
        assert_eq!(again(&read).reservations_created, read.reservations_created);
    }
    decode::<Statistics>(body);
    decode::<TaskQueueStatistics>(body);
    decode::<TaskQueue>(body);
    decode::<Workspace>(body);
    decode::<Task>(body);
    decode::<Worker>(body);
    decode::<Reservation>(body);
    decode::<Document<Value>>(body);
    decode::<MapItem<Value>>(body);
    if let (Ok(mut later), Ok(earlier)) =
        (serde_json::from_slice::<Cumulative>(body), serde_json::from_slice::<Cumulative>(body))
    {
        assert!(later.says_the_same(&earlier), "the same as itself");
        assert!(later.is_complete() || later.completed_by(&earlier) == earlier);
    }
});
