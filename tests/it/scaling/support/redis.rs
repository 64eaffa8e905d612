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
    more: Vec<String>,
}

/// The command of `docs/scaling.md` that makes the user, with this password.
pub(crate) fn documented_user(password: &str) -> Vec<String> {
    let page = include_str!("../../../../docs/scaling.md");
    let mut rules = page.lines().filter(|line| line.starts_with("ACL SETUSER "));
    let rule = rules.next().expect("docs/scaling.md has no ACL rule").replace("PASSWORD", password);
    assert!(rules.next().is_none(), "and one only");
    rule.split(' ').map(str::to_owned).collect()
}

impl Redis {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more options than usual.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        // Its port has to be known before it starts, and has to stay the same when it restarts.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let more = more.iter().map(|option| (*option).to_owned()).collect();
        let mut redis = Self { directory: tempfile::tempdir().unwrap(), address, child: None, more };
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
            .args(&self.more)
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

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().and_then(Child::id).unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Makes the user of `docs/scaling.md` with changes to its rule; the URL by which it comes.
    pub(crate) async fn documented_user(&self, changes: &[&str]) -> String {
        const WORD: &str = "a-users-word";
        let mut rule = documented_user(WORD);
        rule.extend(changes.iter().map(|change| (*change).to_owned()));
        let rule: Vec<&str> = rule.iter().map(String::as_str).collect();
        assert_eq!(self.command(&rule).await, "OK", "{rule:?}");
        format!("redis://{}:{WORD}@{}", rule[2], self.address)
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
