//! What the Postgres driver takes from the environment by itself, past every setting. It knows the
//! names, not what the driver makes of them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The others that the driver reads are overruled by what is said to it.
const VARIABLES: [&str; 4] = ["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];

/// Begins the program anew without these variables, where one of them is set: a connection is made
/// from the configuration alone. Only the error comes back, if any.
///
/// # Errors
/// When the program cannot be found any more.
#[expect(clippy::disallowed_methods, reason = "the environment is read in this room")]
pub fn begin_without_variables() -> io::Result<()> {
    if VARIABLES.iter().all(|name| std::env::var_os(name).is_none()) {
        return Ok(());
    }
    let mut again = Command::new(std::env::current_exe()?);
    let mut arguments = std::env::args_os();
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    again.args(arguments);
    for name in VARIABLES {
        again.env_remove(name);
    }
    Err(again.exec())
}
