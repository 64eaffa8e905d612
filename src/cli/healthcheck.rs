//! `healthcheck`: asks the service on this machine whether it answers; for a container without a shell or curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{CommandError, Environment};

const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Bytes that are read of the answer: more than its head.
const HEAD: usize = 1024;

/// Succeeds when `/healthz` answers 200.
pub(super) async fn run(environment: &Environment) -> Result<(), CommandError> {
    let address = address(|name| environment.value(name));
    let answered = timeout(LONGEST_WAIT, ask(address)).await;
    match answered {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => {
            Err(CommandError::Failed(format!("{address} answered with another status than 200")))
        }
        Ok(Err(error)) => Err(CommandError::Failed(format!("{address} does not answer: {error}"))),
        Err(_) => Err(CommandError::Failed(format!("{address} did not answer within 2 s"))),
    }
}

async fn ask(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut head = Vec::with_capacity(HEAD);
    stream.take(HEAD as u64).read_to_end(&mut head).await?;
    Ok(head.starts_with(b"HTTP/1.1 200"))
}

/// The service's address by its own variables; defaults replace those that can't be read.
fn address(value: impl Fn(&str) -> Option<String>) -> SocketAddr {
    let port = value("PORT").and_then(|port| port.trim().parse().ok()).unwrap_or(8080);
    let bound = value("BIND_ADDRESS").and_then(|address| address.trim().parse::<IpAddr>().ok());
    let here = match bound {
        None => Ipv4Addr::LOCALHOST.into(),
        Some(address) if !address.is_unspecified() => address,
        Some(IpAddr::V4(_)) => Ipv4Addr::LOCALHOST.into(),
        Some(IpAddr::V6(_)) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(here, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_where_the_service_listens() {
        let with = |bind: &'static str, port: &'static str| {
            address(move |name| Some(if name == "PORT" { port } else { bind }.to_owned())).to_string()
        };
        assert_eq!(address(|_| None).to_string(), "127.0.0.1:8080");
        assert_eq!(with("0.0.0.0", "9000"), "127.0.0.1:9000");
        assert_eq!(with("::", "9000"), "[::1]:9000");
        assert_eq!(with("10.1.2.3", "x"), "10.1.2.3:8080");
    }
}
