//! JSON whose keys keep their order: Twilio answers with the fields of a resource in the order of its own examples, and
//! Sync gives data back as it was written. A `serde_json::Value` would sort them.

use std::borrow::Cow;
use std::ops::Deref;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// An object, its fields in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonObject(Vec<(Cow<'static, str>, Box<RawValue>)>);

impl JsonObject {
    /// Adds a field, or replaces its value where it stands.
    pub(crate) fn set(&mut self, name: impl Into<Cow<'static, str>>, value: &(impl Serialize + ?Sized)) {
        let name = name.into();
        // Our own structs and text keys always serialise.
        let value = to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A [`JsonObject`] of fields, written as in `serde_json::json!`.
macro_rules! object {
    ({ $($name:literal: $value:expr),* $(,)? }) => {{
        let mut object = $crate::json::JsonObject::default();
        $(object.set($name, &$value);)*
        object
    }};
}
pub(crate) use object;

/// Data of a Sync object: a value to look into, and the text to answer with.
#[derive(Debug, Clone)]
pub struct Data {
    value: Value,
    text: Box<RawValue>,
}

impl Data {
    /// Reads JSON; white space between its parts is dropped.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let value = serde_json::from_str(text)?;
        Ok(Self { value, text: RawValue::from_string(compact(text))? })
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The data as JSON, keys in the order in which they were written.
    pub fn text(&self) -> &str {
        self.text.get()
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        let text = to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { value, text }
    }
}

impl Deref for Data {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

/// Valid JSON without the white space outside its strings.
fn compact(text: &str) -> String {
    let (mut compact, mut in_string, mut escaped) = (String::with_capacity(text.len()), false, false);
    for letter in text.chars() {
        if in_string {
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else if letter.is_ascii_whitespace() {
            continue;
        } else {
            in_string = letter == '"';
        }
        compact.push(letter);
    }
    compact
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_keeps_the_order_of_its_keys_and_drops_white_space_between_them() {
        let data = Data::parse("{ \"b\" : [1, 2.50],\r\n\t\"a\": \"x \\\" \\\\\" , \"\": {} }").unwrap();
        assert_eq!(data.text(), r#"{"b":[1,2.50],"a":"x \" \\","":{}}"#);
        assert_eq!(*data.value(), json!({ "a": "x \" \\", "b": [1, 2.5], "": {} }));
        assert!(Data::parse("{").is_err());
    }

    #[test]
    fn an_object_keeps_the_order_in_which_fields_were_set() {
        let mut object = object!({ "sid": "WQ", "age": 1, "links": object!({ "z": 1, "a": 2 }) });
        object.set("age", &2);
        object.set(format!("{}_sid", "map"), "MP");
        let text = serde_json::to_string(&object).unwrap();
        assert_eq!(text, r#"{"sid":"WQ","age":2,"links":{"z":1,"a":2},"map_sid":"MP"}"#);
    }
}
