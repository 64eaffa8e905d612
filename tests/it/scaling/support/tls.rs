//! A certificate authority of the test's own, and a redis-server that speaks TLS only.

use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::support::DEADLINE;

/// The user's password; must show nowhere.
const WORD: &str = "another-secret-word";

pub(crate) struct TlsRedis {
    directory: tempfile::TempDir,
    port: u16,
    _child: Child,
}

impl TlsRedis {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let authority = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = params.self_signed(&key).unwrap();
            std::fs::write(file(name), pem("CERTIFICATE", certificate.der())).unwrap();
            Issuer::new(params, key)
        };
        let (ours, _) = (authority("ours.pem"), authority("nobodys.pem"));
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &ours).unwrap();
        std::fs::write(file("redis.pem"), pem("CERTIFICATE", certificate.der())).unwrap();
        std::fs::write(file("redis.key"), pem("PRIVATE KEY", &key.serialize_der())).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let port = address.port();
        let user = format!("replica on >{WORD} ~* &* +@all");
        let configuration = [
            "bind 127.0.0.1".to_owned(),
            "port 0".to_owned(),
            format!("tls-port {port}"),
            format!("tls-cert-file {}", file("redis.pem")),
            format!("tls-key-file {}", file("redis.key")),
            format!("tls-ca-cert-file {}", file("ours.pem")),
            "tls-auth-clients no".to_owned(),
            "save \"\"".to_owned(),
            "appendonly no".to_owned(),
            "user default off".to_owned(),
            format!("user {user}"),
        ];
        std::fs::write(file("redis.conf"), configuration.join("\n")).unwrap();
        let child = Command::new("redis-server")
            .arg(file("redis.conf"))
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is needed: run tests/redis");
        let listening = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, listening).await.expect("redis-server does not listen with TLS");
        Self { directory, port, _child: child }
    }

    pub(crate) fn url(&self) -> String {
        format!("rediss://replica:{WORD}@127.0.0.1:{}", self.port)
    }

    /// The authority that vouches for it.
    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.path().join("ours.pem")
    }

    /// Another one.
    pub(crate) fn stranger(&self) -> PathBuf {
        self.directory.path().join("nobodys.pem")
    }

    pub(crate) fn is_told_in(log: &str) -> bool {
        log.contains(WORD)
    }
}

pub(crate) fn pem(kind: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}
