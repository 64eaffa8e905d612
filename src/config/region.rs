//! Where Twilio's APIs are, by region and edge, as Twilio's helper libraries derive it.

/// The edge of a region where none is named; the older hosts without one, such as `api.ie1.twilio.com`, have ended.
const EDGES: [(&str, &str); 3] = [("us1", "ashburn"), ("ie1", "dublin"), ("au1", "sydney")];

/// A region and an edge: `TWILIO_REGION` and `TWILIO_EDGE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) region: Option<String>,
    pub(super) edge: Option<String>,
}

impl Region {
    /// The base URL of a product: `https://{product}.{edge}.{region}.twilio.com`.
    pub(super) fn base_url(&self, product: &str) -> String {
        let region = self.region.as_deref().or(self.edge.as_deref().map(|_| "us1"));
        let Some(region) = region else { return format!("https://{product}.twilio.com") };
        let edge = EDGES.iter().find(|(known, _)| *known == region).map(|(_, edge)| *edge);
        match self.edge.as_deref().or(edge) {
            Some(edge) => format!("https://{product}.{edge}.{region}.twilio.com"),
            None => format!("https://{product}.{region}.twilio.com"),
        }
    }

    /// The base URL of the check of Flex tokens, which has realms by the first part of the region and no edges.
    pub(super) fn iam_url(&self) -> String {
        let realm = self.region.as_deref().and_then(|region| region.split('-').next());
        match realm.filter(|realm| *realm != "us1") {
            Some(realm) => format!("https://iam.{realm}.twilio.com"),
            None => "https://iam.twilio.com".to_owned(),
        }
    }

    /// The region in the claim `twr` of access tokens; absent where it is Twilio's default.
    pub(super) fn in_tokens(&self) -> Option<String> {
        self.region.clone().filter(|region| region != "us1")
    }
}

pub(super) fn part(text: &str) -> Option<String> {
    let fits = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (fits && (1..=30).contains(&text.len())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// twilio-python and twilio-node, for `api.twilio.com`.
    #[test]
    fn hosts_are_those_of_the_helper_libraries() {
        let of = |region: &str, edge: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Region { region: some(region), edge: some(edge) }.base_url("taskrouter")
        };
        for (region, edge, expected) in [
            ("", "", "https://taskrouter.twilio.com"),
            ("ie1", "dublin", "https://taskrouter.dublin.ie1.twilio.com"),
            ("ie1", "ashburn", "https://taskrouter.ashburn.ie1.twilio.com"),
            ("", "sydney", "https://taskrouter.sydney.us1.twilio.com"),
            ("ie1", "", "https://taskrouter.dublin.ie1.twilio.com"),
            ("stage-us1", "", "https://taskrouter.stage-us1.twilio.com"),
        ] {
            assert_eq!(of(region, edge), expected, "{region} {edge}");
        }
    }
}
