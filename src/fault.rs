//! Panics where a test asks for one, and waits where it wants something to be slow. In a released
//! program there is nothing of it.

/// Panics where the folder `DASHTAM_TEST_FAULTS` holds something of this name. A file is taken away
/// first, so that it happens once; for a folder it happens every time.
#[cfg(debug_assertions)]
pub fn point(place: &str) {
    let Some(path) = switch(place) else { return };
    let asked = std::fs::remove_file(&path).is_ok() || path.is_dir();
    // With words that no report may hold.
    assert!(!asked, "canary at {}", path.display());
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub const fn point(_place: &str) {}

/// Waits for as long as that folder holds something of this name.
#[cfg(debug_assertions)]
pub async fn hold(place: &str) {
    let Some(path) = switch(place) else { return };
    while path.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn hold(_place: &str) -> std::future::Ready<()> {
    std::future::ready(())
}

/// What a test puts there to ask for it; none: no test asks for anything.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of tests, of which the configuration must know nothing"
)]
fn switch(place: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("DASHTAM_TEST_FAULTS")?;
    Some(std::path::Path::new(&folder).join(place))
}
