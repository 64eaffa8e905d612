//! Form bodies: nothing panics, and what was read reads the same once it is written out again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskrouter_sync::form::Form;

fuzz_target!(|body: &[u8]| {
    let Ok(form) = Form::parse(body) else { return };
    let read: Vec<(String, String)> =
        form.fields().map(|(name, value)| (name.into(), value.into())).collect();
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&read).finish();
    let again = Form::parse(written.as_bytes()).expect("an encoder writes UTF-8");
    // A pair without name and value is written as "=", which is one too.
    assert!(again.fields().eq(read.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
    for (name, _) in &read {
        assert!(form.value(name).is_none_or(|value| !value.is_empty()));
    }
});
