//! Events, as a form and as an Event Streams batch: whatever they say, they only mark.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskrouter_sync::event::{Event, decode_batch, fields_of_last};
use taskrouter_sync::form::Form;

fuzz_target!(|body: &[u8]| {
    let account = "AC00000000000000000000000000000001".parse().expect("a SID");
    let workspace = "WS00000000000000000000000000000001".parse().expect("a SID");
    let looked_at = |event: &Event| {
        let _ = (event.touch(), event.check_owner(account, workspace));
    };
    if let Ok(form) = Form::parse(body) {
        looked_at(&Event::from_form(&form));
        let fields = Event::fields_of(&form);
        assert!(fields.len() <= form.fields().count());
    }
    if let Ok(events) = decode_batch(body) {
        events.iter().for_each(looked_at);
        let _ = fields_of_last(body);
    }
});
