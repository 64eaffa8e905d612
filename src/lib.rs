//! taskrouter-sync.
