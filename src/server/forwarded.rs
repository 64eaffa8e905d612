//! Finds the client's address behind the proxies of `TRUSTED_PROXIES`.
//!
//! A client may send any `X-Forwarded-For`, and each proxy adds the address it was called from at the end. So the last
//! address that is no trusted proxy's is the client's; the client itself may have made up those before it. The address
//! only decides where wrong credentials and unknown tokens are counted.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName};

use crate::config::Networks;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Replaces the proxy's address by the client's.
pub(super) async fn resolve(
    State(trusted): State<Arc<Networks>>,
    mut request: Request<Body>,
) -> Request<Body> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if let Some(peer) = peer {
        let client = client(request.headers(), peer.ip(), &trusted);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, peer.port())));
    }
    request
}

fn client(headers: &HeaderMap, peer: IpAddr, trusted: &Networks) -> IpAddr {
    if !trusted.contain(peer) {
        return peer;
    }
    let values: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut last = peer;
    for part in values.iter().flat_map(|value| value.split(',')).rev() {
        // A value that is no address ends the trusted part of the chain.
        let Some(address) = address(part.trim()) else { break };
        last = address;
        if !trusted.contain(address) {
            break;
        }
    }
    last
}

/// An address, perhaps with a port, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_the_clients() {
        let lookup = |name: &str| match name {
            "TRUSTED_PROXIES" => Some("10.0.0.0/8,127.0.0.1".to_owned()),
            "PUBLIC_URL" => Some("https://hooks.example.com".to_owned()),
            "TWILIO_ACCOUNT_SID" => Some(format!("AC{}", "0".repeat(32))),
            "TWILIO_WORKSPACE_SID" => Some(format!("WS{}", "0".repeat(32))),
            "TWILIO_AUTH_TOKEN" => Some("token".to_owned()),
            _ => None,
        };
        let trusted = crate::config::Config::read(&lookup).unwrap().server.trusted_proxies;
        let seen = |peer: &str, forwarded: &[&str]| {
            let headers = forwarded.iter().map(|value| (FORWARDED_FOR, value.parse().unwrap())).collect();
            client(&headers, peer.parse().unwrap(), &trusted).to_string()
        };
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "a stranger's word");
        assert_eq!(seen("10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(seen("10.1.1.1", &["203.0.113.5, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["203.0.113.5", "198.51.100.7, 10.2.2.2"]), "198.51.100.7");
        assert_eq!(seen("10.1.1.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(seen("10.1.1.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(seen("10.1.1.1", &["198.51.100.7, junk"]), "10.1.1.1");
    }
}
