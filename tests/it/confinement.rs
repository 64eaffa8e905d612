//! What hostile native code in the formula process can't reach: the service's own confinement, tried from inside.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use taskrouter_sync::wallboard::formula::confinement::{MOST_MEMORY, confine};
use twilio_emulator::{Emulator, Settings};

use crate::support::{Binary, DEADLINE};

/// Says to the test below what it is: this program, started again.
const HOSTILE: &str = "CONFINEMENT_HOSTILE";

/// What a try came to: `reached`, or why not.
fn tried<T>(result: std::io::Result<T>) -> Value {
    result.map_or_else(|error| json!(error.to_string()), |_| json!("reached"))
}

/// Not a test: what native code could try in the formula process, run by the test below in a process of its own.
#[test]
#[ignore = "started by the test below"]
fn hostile_native_behaviour() {
    let Ok(secret) = std::env::var(HOSTILE) else { return };
    let parent = rustix::process::getppid().unwrap();
    confine().unwrap();
    let mut room: Vec<u8> = Vec::new();
    let most = usize::try_from(MOST_MEMORY).unwrap();
    let too_much = room.try_reserve_exact(most).map_or("no room", |()| "reached");
    let needed = vec![1_u8; 64 * 1024 * 1024].iter().all(|byte| *byte == 1).then_some("reached");
    let reached = json!({
        "the service's environment": tried(std::fs::read(format!("/proc/{}/environ", parent.as_raw_nonzero()))),
        "the service's memory": tried(std::fs::File::open(format!("/proc/{}/mem", parent.as_raw_nonzero()))),
        "its own environment": tried(std::fs::read("/proc/self/environ")),
        "a file": tried(std::fs::read(&secret)),
        "a directory": tried(std::fs::read_dir("/").map(drop)),
        "a new file": tried(std::fs::write(format!("{secret}.new"), "x")),
        "a removed file": tried(std::fs::remove_file(&secret)),
        "the network": tried(std::net::TcpStream::connect("127.0.0.1:9")),
        "a listener": tried(std::net::TcpListener::bind("127.0.0.1:0")),
        "a datagram": tried(std::net::UdpSocket::bind("127.0.0.1:0")),
        "another program": tried(Command::new("/bin/true").spawn()),
        "a thread": tried(std::thread::Builder::new().spawn(|| ())),
        "a signal to the service": tried(
            rustix::process::kill_process(parent, rustix::process::Signal::TERM).map_err(Into::into),
        ),
        "a higher limit": tried(
            rustix::process::setrlimit(
                rustix::process::Resource::Nofile,
                rustix::process::Rlimit { current: Some(64), maximum: Some(64) },
            )
            .map_err(Into::into),
        ),
        "too much memory": too_much,
        "what it needs": needed,
    });
    println!("\nreached: {reached}");
    std::io::stdout().flush().unwrap();
}

#[test]
fn hostile_native_code_in_the_formula_process_reaches_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    std::fs::write(&secret, "token").unwrap();
    let mut hostile = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "confinement::hostile_native_behaviour",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(HOSTILE, &secret)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    hostile.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let mut errors = String::new();
    hostile.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    let _ = hostile.wait().unwrap();
    let line = said.lines().find_map(|line| line.strip_prefix("reached: "));
    let reached: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("{said}{errors}"))).unwrap();
    for (what, result) in reached.as_object().unwrap() {
        assert_eq!(result == "reached", what == "what it needs", "{what}: {result}");
    }
    assert_eq!(std::fs::read(&secret).unwrap(), b"token");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing was written");
}

/// The real formula process, as the kernel sees it.
#[test]
fn the_formula_process_is_confined() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"))
        .arg("formulas")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It answers once it is confined.
    let formula = json!({"Check": {"source": "1", "usual_sla": "accepted", "own_sla": null}});
    writeln!(child.stdin.as_mut().unwrap(), "{formula}").unwrap();
    let mut answer = [0_u8; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let (status, limits) = (read("status"), read("limits"));
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2", "system calls are filtered");
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max core file size"), "0");
    assert_eq!(limit("Max processes"), "0");
    assert_eq!(limit("Max open files"), "3");
    assert_eq!(limit("Max file size"), "0");
    assert_eq!(limit("Max address space"), MOST_MEMORY.to_string());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// Of a process that is not dumpable the kernel gives what stands in `/proc` to root (`proc(5)`), so that other processes of
/// the service's user can't read the Auth Token there.
#[tokio::test]
async fn other_processes_of_its_user_can_not_read_the_services_environment() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
    use std::os::unix::process::CommandExt as _;

    let emulator = Emulator::start(Settings { queues: 1, ..Settings::default() }).await.unwrap();
    let mut variables = Binary::variables(&emulator, &[]);
    variables.insert("PORT".to_owned(), "0".to_owned());
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"));
    if rustix::process::geteuid().is_root() {
        // Root's processes show nothing: another user starts a copy that it may read.
        let program = directory.path().join("taskrouter-sync");
        std::fs::copy(env!("CARGO_BIN_EXE_taskrouter-sync"), &program).unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        command = Command::new(program);
        command.uid(65_534).gid(65_534);
    }
    command.arg("serve").env_clear().envs(&variables).current_dir(directory.path());
    let mut service = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let environment = format!("/proc/{}/environ", service.id());
    let hidden = async {
        while std::fs::metadata(&environment).unwrap().uid() != 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let hidden = tokio::time::timeout(DEADLINE, hidden).await;
    service.kill().unwrap();
    service.wait().unwrap();
    emulator.shutdown().await;
    hidden.expect("the environment belongs to the service's own user");
}
