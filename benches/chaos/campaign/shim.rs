//! The library that is loaded into the service to set its clock wrong and let DNS fail, and the file that steers it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Steers the library in one service.
#[derive(Debug)]
pub(crate) struct Shim {
    library: PathBuf,
    state: PathBuf,
}

impl Shim {
    /// Compiles the library into a directory; `None` where there is no C compiler.
    pub(crate) fn build(directory: &Path) -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/chaos/campaign/shim.c");
        let (library, state) = (directory.join("shim.so"), directory.join("shim.state"));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
        let built = compiler.status().is_ok_and(|status| status.success());
        let shim = Self { library, state };
        shim.tell(0, false);
        built.then_some(shim)
    }

    /// The variables that load it.
    pub(crate) fn variables(&self) -> [(String, String); 2] {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        [("LD_PRELOAD".to_owned(), text(&self.library)), ("CHAOS_SHIM".to_owned(), text(&self.state))]
    }

    /// How many seconds the service's clock is ahead, and whether DNS fails it.
    pub(crate) fn tell(&self, ahead: i64, dns_fails: bool) {
        let numbers = [ahead, i64::from(dns_fails)].map(i64::to_ne_bytes).concat();
        // Written in place: the service has mapped this very file.
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&self.state);
        std::io::Write::write_all(&mut file.unwrap(), &numbers).unwrap();
    }
}
