//! `completions`: what a shell needs to complete our commands and flags.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::exit::{Error, Status};
use super::output::Output;
use crate::cli::Cli;

pub fn run(shell: Shell, out: &mut Output) -> Result<Status, Error> {
    // The generator panics when it cannot write; memory takes everything.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dashtam", &mut script);
    out.write_all(&script).map_err(Error::Output)?;
    Ok(Status::Done)
}
