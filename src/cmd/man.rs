//! `man`: the manual in roff, a page for the program and one for each of its commands.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::exit::{Error, Status};
use super::output::Output;
use crate::cli::Cli;

pub fn run(out: &mut Output) -> Result<Status, Error> {
    let mut program = Cli::command();
    program.build();
    pages(&program, out).map_err(Error::Output)?;
    Ok(Status::Done)
}

/// A command's page and those of the commands below it.
fn pages(command: &clap::Command, out: &mut impl Write) -> io::Result<()> {
    Man::new(command.clone()).render(out)?;
    command.get_subcommands().try_for_each(|below| pages(below, out))
}
