//! The TwiML that makes an answered Call a Task (Twilio, "TwiML Enqueue").

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::json;

use crate::sid::WorkflowSid;

/// For the Worker with that contact; attributes as the older backend gave them, which Workflows and Flex plugins go by.
pub(super) fn enqueue(workflow: WorkflowSid, contact: &str, to: &str) -> std::io::Result<String> {
    let attributes = json!({
        "targetWorker": contact,
        "autoAnswer": "true",
        "type": "outbound",
        "direction": "outbound",
        "name": to,
    });
    let attributes = attributes.to_string();
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("Response").write_inner_content(|response| {
        let enqueue = response.create_element("Enqueue").with_attribute(("workflowSid", workflow.as_str()));
        enqueue.write_inner_content(|enqueue| {
            enqueue.create_element("Task").write_text_content(BytesText::new(&attributes)).map(drop)
        })?;
        Ok(())
    })?;
    String::from_utf8(writer.into_inner()).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_escaped_where_xml_needs_it() {
        let workflow = "WW00000000000000000000000000000001".parse().unwrap();
        let twiml = enqueue(workflow, "client:a<&>\"b", "+15005550006").unwrap();
        assert!(
            twiml.starts_with(r#"<?xml version="1.0" encoding="UTF-8"?><Response><Enqueue workflowSid="WW0"#),
            "{twiml}"
        );
        assert!(twiml.contains("client:a&lt;&amp;&gt;"), "{twiml}");
        assert!(twiml.ends_with("</Task></Enqueue></Response>"), "{twiml}");
    }
}
