//! A redis-server of the test's own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::support::DEADLINE;

/// Must show nowhere.
pub(crate) const PASSWORD: &str = "secret-word";

pub(crate) struct Redis {
    directory: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    child: Option<Child>,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        // Its port has to be known before it starts, and has to stay the same when it starts anew.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut redis = Self { directory: tempfile::tempdir().unwrap(), address, child: None };
        redis.start_again().await;
        redis
    }

    /// Starts it, with nothing in it: it keeps nothing on disk.
    pub(crate) async fn start_again(&mut self) {
        let port = self.address.port().to_string();
        let child = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--save",
                "",
                "--appendonly",
                "no",
                "--requirepass",
                PASSWORD,
            ])
            .current_dir(self.directory.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is needed: run tests/redis");
        self.child = Some(child);
        let listening = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, listening).await.expect("redis-server does not listen");
    }

    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Sends a command from a shell, as an operator would.
    pub(crate) async fn command(&self, arguments: &[&str]) -> String {
        let port = self.address.port().to_string();
        let said = Command::new("redis-cli")
            .args(["-p", &port])
            .env("REDISCLI_AUTH", PASSWORD)
            .args(arguments)
            .output()
            .await
            .unwrap();
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }
}
