//! A request's endpoint without SIDs and names, which bounds the number of label values.

/// Segments that are Twilio's own; any other segment is a SID or a name.
const OWN: [&str; 27] = [
    "2010-04-01",
    "Accounts",
    "Calls.json",
    "Calls",
    "CumulativeStatistics",
    "Documents",
    "Flex",
    "Items",
    "Maps",
    "Messages.json",
    "Permissions",
    "RealTimeStatistics",
    "Reservations",
    "Services",
    "Statistics",
    "TaskChannels",
    "TaskQueues",
    "Tasks",
    "Tokens",
    "Workers",
    "Workflows",
    "Workspaces",
    "v1",
    "v2",
    "v3",
    "validate",
    "Validate",
];

/// `POST /v1/Services/{}/Maps/{}/Items` for a method and target.
pub fn request_label(method: &str, target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let mut label = format!("{method} ");
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        label.push('/');
        label.push_str(OWN.iter().find(|own| **own == segment).unwrap_or(&"{}"));
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sids_names_and_queries_are_left_out() {
        assert_eq!(
            request_label("POST", "/v1/Services/IS1/Maps/queueStats/Items/WQ1?x=y"),
            "POST /v1/Services/{}/Maps/{}/Items/{}"
        );
        assert_eq!(
            request_label("GET", "/v1/Workspaces/WS1/Statistics?StartDate=x"),
            "GET /v1/Workspaces/{}/Statistics"
        );
    }
}
