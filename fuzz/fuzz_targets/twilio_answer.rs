//! TaskRouter's and Sync's answers: what is understood is written out as it was read, since that is what stands in Sync.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use taskrouter_sync::twilio::sync::{Document, MapItem};
use taskrouter_sync::twilio::taskrouter::{
    Cumulative, Realtime, Reservation, Statistics, Task, TaskQueue, TaskQueueStatistics, Worker, Workspace,
};

fn round_trip<T: DeserializeOwned + Serialize + PartialEq + Debug>(body: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(body) else { return };
    let written = serde_json::to_vec(&read).expect("JSON can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(read, again);
}

fn decode<T: DeserializeOwned>(body: &[u8]) {
    let _ = serde_json::from_slice::<T>(body);
}

fuzz_target!(|body: &[u8]| {
    round_trip::<Realtime>(body);
    round_trip::<Cumulative>(body);
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
