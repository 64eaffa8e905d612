//! A PostgreSQL cluster of a test's own.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::DEADLINE;

pub(crate) struct Postgres {
    port: u16,
    folder: tempfile::TempDir,
    server: Option<Child>,
}

/// Debian keeps the programs beside the path, by version.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.sort();
    found.into_iter().rev().find(|path| path.exists()).unwrap_or_else(|| name.into())
}

/// It refuses to run as root; Debian's package has a user for it.
fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    if let Some((user, group)) = own_user() {
        command.uid(user).gid(group);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

fn own_user() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().any(|line| line.starts_with("Uid:\t0\t")).then_some(())?;
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = users.lines().find(|line| line.starts_with("postgres:"))?.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = own_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", "history", "-N", "-E", "UTF8"])
            .status();
        let made = made.await.expect("postgresql is needed: run tests/redis");
        assert!(made.success(), "initdb: {made}");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = Self { port, folder, server: None };
        postgres.go_on().await;
        postgres
    }

    /// Starts the server over the data that there are.
    pub(crate) async fn go_on(&mut self) {
        let mut server = command("postgres");
        server.arg("-D").arg(self.folder.path().join("data")).args([
            "-p",
            &self.port.to_string(),
            "-h",
            "127.0.0.1",
        ]);
        server.args(["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB"]);
        self.server = Some(server.spawn().unwrap());
        let answers = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(DEADLINE, answers).await.expect("PostgreSQL did not start");
    }

    /// Ends it as a crash does.
    pub(crate) async fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().await.unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://history@127.0.0.1:{}/postgres", self.port)
    }
}
