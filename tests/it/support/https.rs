//! A service at an https address that no resolver knows: the program reaches it through a proxy that ends the TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::scaling::support::tls::pem;

pub(crate) struct HttpsFront {
    proxy: String,
    certificate: tempfile::NamedTempFile,
}

impl HttpsFront {
    /// Carries requests for `host` to `service`.
    pub(crate) fn start(host: &str, service: SocketAddr) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let mut certificate = tempfile::NamedTempFile::new().unwrap();
        certificate.write_all(pem("CERTIFICATE", cert.der()).as_bytes()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = config.clone();
                std::thread::spawn(move || carry(stream, config, service));
            }
        });
        Self { proxy, certificate }
    }

    /// Variables of a program that is to reach it.
    pub(crate) fn variables(&self) -> [(&str, &str); 2] {
        [("HTTPS_PROXY", &self.proxy), ("SSL_CERT_FILE", self.certificate.path().to_str().unwrap())]
    }
}

/// Reads to the end of a request's head; none here has a body.
fn head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Carries one request through a tunnel, and ends it.
fn carry(mut stream: TcpStream, config: Arc<ServerConfig>, service: SocketAddr) -> std::io::Result<()> {
    head(&mut stream)?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut client = StreamOwned::new(connection, stream);
    let asked = head(&mut client)?.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut service = TcpStream::connect(service)?;
    service.write_all(asked.as_bytes())?;
    std::io::copy(&mut service, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}
