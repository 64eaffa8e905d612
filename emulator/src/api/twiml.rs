//! As much TwiML as a Call here understands: `<Response><Enqueue
//! workflowSid="WW…"><Task>{json}</Task></Enqueue></Response>` (<https://www.twilio.com/docs/voice/twiml/enqueue>).
//! Anything else is refused rather than skipped.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// The content of an `<Enqueue>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Enqueue {
    pub(super) workflow: String,
    /// The `<Task>`'s text.
    pub(super) attributes: String,
    pub(super) priority: i64,
    pub(super) timeout: Option<i64>,
}

pub(super) fn parse(document: &str) -> Result<Enqueue, String> {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<String> = Vec::new();
    let mut enqueue = None;
    let mut found =
        Enqueue { workflow: String::new(), attributes: String::new(), priority: 0, timeout: None };
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                match (open.join("/").as_str(), name.as_str()) {
                    ("", "Response") => {}
                    ("Response", "Enqueue") => {
                        found.workflow =
                            attribute(&start, "workflowSid")?.ok_or("Enqueue has no workflowSid")?;
                    }
                    ("Response/Enqueue", "Task") => {
                        let number = |name| -> Result<Option<i64>, String> {
                            let text = attribute(&start, name)?;
                            text.map(|text| text.parse().map_err(|_| format!("{name} is no number")))
                                .transpose()
                        };
                        found.priority = number("priority")?.unwrap_or(0);
                        found.timeout = number("timeout")?;
                        enqueue = Some(());
                    }
                    (path, name) => return Err(format!("{name} below {path} is not emulated")),
                }
                open.push(name);
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => {
                if open.last().is_some_and(|name| name == "Task") {
                    found.attributes.push_str(&text);
                } else if !text.trim().is_empty() {
                    return Err("text outside of a Task".to_owned());
                }
            }
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(character) => character,
                    None => match &*reference {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "quot" => '"',
                        "apos" => '\'',
                        other => return Err(format!("&{other}; is not defined")),
                    },
                };
                found.attributes.push(character);
            }
            Event::Empty(_) => return Err("an empty element is not emulated".to_owned()),
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => break,
            _ => return Err("neither elements nor text".to_owned()),
        }
    }
    enqueue.map(|()| found).ok_or_else(|| "there is no Task to enqueue".to_owned())
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let found = start.try_get_attribute(name).map_err(|error| error.to_string())?;
    let value = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map(std::borrow::Cow::into_owned)
            .map_err(|error| error.to_string())
    };
    found.map(value).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_twilios_documentation_shows() {
        let document = r#"<?xml version="1.0" encoding="UTF-8"?><Response><Enqueue workflowSid="WW00000000000000000000000000000001"><Task priority="5" timeout="3600">{"type":"callback","name":"Zoë &amp; &lt;Co&gt;","lang":"en"}</Task></Enqueue></Response>"#;
        let enqueue = parse(document).unwrap();
        assert_eq!(enqueue.workflow, "WW00000000000000000000000000000001");
        assert_eq!(enqueue.attributes, r#"{"type":"callback","name":"Zoë & <Co>","lang":"en"}"#);
        assert_eq!((enqueue.priority, enqueue.timeout), (5, Some(3600)));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bad in [
            "",
            "hello",
            "<Response/>",
            "<Response></Response>",
            "<Response><Say>Hi</Say></Response>",
            "<Response><Enqueue>",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
