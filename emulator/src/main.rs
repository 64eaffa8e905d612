//! The emulator on its own.
fn main() {}
