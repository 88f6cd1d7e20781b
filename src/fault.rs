//! Panics where a test asks for one. In a released program there is nothing of it.

/// Panics where the folder `DASHTAM_TEST_FAULTS` holds something of this name. A file is taken away
/// first, so that it happens once; for a folder it happens every time.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of tests, of which the configuration must know nothing"
)]
pub fn point(place: &str) {
    let Some(folder) = std::env::var_os("DASHTAM_TEST_FAULTS") else { return };
    let path = std::path::Path::new(&folder).join(place);
    let asked = std::fs::remove_file(&path).is_ok() || path.is_dir();
    // With words that no report may hold.
    assert!(!asked, "canary at {}", path.display());
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub const fn point(_place: &str) {}
