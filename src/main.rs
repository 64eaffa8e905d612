//! taskrouter-sync.
fn main() {}
