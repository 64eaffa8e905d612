//! Who may open websockets, and how many of them.

use super::parse::{all_different, list, origins};
use super::reader::VariableReader;
use super::variables as var;

/// Most websockets of one process; beyond that, use more replicas.
const MOST_CLIENTS: usize = 50_000;
const MOST_ROLES: usize = 20;
/// The roles that Flex defines.
const USUAL_ROLES: [&str; 3] = ["agent", "supervisor", "admin"];

#[derive(Debug, Clone)]
pub struct SocketConfig {
    /// `WEBSOCKET_CLIENTS`: websockets at once, default 10,000.
    pub most_clients: usize,
    /// `ALLOWED_ORIGINS`: other sites whose scripts get CORS answers, some of them with the user's cookie or password
    /// (`server::routes`), and may open websockets.
    pub origins: Vec<String>,
    /// `FLEX_ROLES`: which Flex users may watch; `None` for all of them.
    pub flex_roles: Option<Vec<String>>,
}

impl SocketConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Self {
        let flex_roles = reader.or_default(&var::FLEX_ROLES, None, roles);
        let is_usual = |role: &&String| USUAL_ROLES.iter().any(|usual| usual.eq_ignore_ascii_case(role));
        // A contact centre may have its own roles; in Flex their names have a dot, such as wfo.full_access.
        let odd = flex_roles.iter().flatten().filter(|role| !is_usual(role) && !role.contains('.'));
        let odd: Vec<&str> = odd.map(String::as_str).collect();
        if !odd.is_empty() {
            reader.warn(format!(
                "FLEX_ROLES contains roles that Flex does not define by default: {}; they match only if you created them. Flex defines {}",
                odd.join(", "),
                USUAL_ROLES.join(", ")
            ));
        }
        let clients = |s: &str| s.parse().ok().filter(|n| (1..=MOST_CLIENTS).contains(n));
        Self {
            most_clients: reader.or_default(&var::WEBSOCKET_CLIENTS, 10_000, clients),
            origins: reader.or_default(&var::ALLOWED_ORIGINS, Vec::new(), origins),
            flex_roles,
        }
    }
}

fn roles(text: &str) -> Option<Option<Vec<String>>> {
    if text == "any" {
        return Some(None);
    }
    let roles: Vec<String> = list(text).into_iter().map(str::to_owned).collect();
    let plain = |role: &String| {
        let fits = role.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        (1..=64).contains(&role.len()) && fits && role != "any"
    };
    (roles.len() <= MOST_ROLES && roles.iter().all(plain) && all_different(&roles)).then_some(Some(roles))
}
