//! The program begun anew, where its environment decides something that it cannot decide later.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// What the Postgres driver takes from the environment by itself, past every setting: the names, not
/// what it makes of them. The others that it reads are overruled by what is said to it.
const OF_THE_DRIVER: [&str; 4] = ["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];

/// How many heaps the C library of most Linux systems keeps.
const HEAPS: &str = "MALLOC_ARENA_MAX";
/// That it was begun anew for that: where a system takes the other away this one ends it.
const BEGUN: &str = "DASHTAM_BEGUN_ANEW";

/// Begins the program anew without what the driver would read, where that is set: a connection is
/// made from the configuration alone. Only the error comes back, if any.
///
/// # Errors
/// When the program cannot be found any more.
pub fn without_variables_of_the_driver() -> io::Result<()> {
    if OF_THE_DRIVER.iter().all(|name| !is_set(name)) {
        return Ok(());
    }
    let mut again = myself()?;
    for name in OF_THE_DRIVER {
        again.env_remove(name);
    }
    Err(again.exec())
}

/// Begins the program anew with one heap for all of its threads, where the C library would give each
/// its own: a dashboard has a dozen, which are idle all day, and each heap keeps what its thread
/// needed once, a third of all memory. Whoever chose a number keeps it. Where it cannot be done,
/// memory is all that is lost.
pub fn with_one_heap() {
    if cfg!(all(target_os = "linux", target_env = "gnu"))
        && !is_set(HEAPS)
        && !is_set(BEGUN)
        && let Ok(mut again) = myself()
        && is_known(again.get_program())
    {
        let _ = again.env(HEAPS, "1").env(BEGUN, "1").exec();
    }
}

/// Not whatever loaded this program.
fn is_known(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with(env!("CARGO_PKG_NAME")))
}

#[expect(clippy::disallowed_methods, reason = "the environment is read in this room")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// This program with the words it was called with.
fn myself() -> io::Result<Command> {
    let mut again = Command::new(std::env::current_exe()?);
    let mut arguments = std::env::args_os();
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    again.args(arguments);
    Ok(again)
}
