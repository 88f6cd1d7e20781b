//! `export`: the content of the store, to stdout or into a file.

use super::Job;
use super::exit::{Error, Status};
use super::output::note;
use crate::cli::{self, ExportArgs, ExportWhat, Flags};
use crate::config::private::WriteError;
use crate::service::export::{self, ExportFormat, ExportRequest, What};
use crate::service::{self, Session};

pub fn check(args: &ExportArgs, flags: &Flags) -> Result<(), Error> {
    if args.format == cli::ExportFormat::Neutral && args.what == Some(ExportWhat::All) {
        return Err(Error::Usage(
            "a neutral file holds transactions or prices; write two files, one with --what \
             transactions and one with --what prices",
        ));
    }
    if flags.json && args.format != cli::ExportFormat::Json {
        return Err(Error::Usage("what --json asks for is --format json here; write that"));
    }
    if flags.private {
        return Err(Error::Usage("an export is full of amounts; leave --private out"));
    }
    if flags.read_only && args.out.is_some() {
        return Err(Error::Usage("--read-only writes no file; leave --out out, or --read-only"));
    }
    Ok(())
}

pub async fn run(job: &mut Job<'_>, session: &Session, args: &ExportArgs) -> Result<Status, Error> {
    if let Some(path) = args.out.as_ref().filter(|path| job.config.is_own_file(path)) {
        let source = WriteError::OfTheStore(path.clone());
        return Err(service::Error::Write { path: path.clone(), source }.into());
    }
    let format = match args.format {
        cli::ExportFormat::Neutral => ExportFormat::Neutral,
        cli::ExportFormat::Json => ExportFormat::Json,
        cli::ExportFormat::Canonical => ExportFormat::Canonical,
    };
    let what = args.what.map(|what| match what {
        ExportWhat::Transactions => What::Transactions,
        ExportWhat::Prices => What::Prices,
        ExportWhat::All => What::All,
    });
    let request = ExportRequest { format, what, out: args.out.clone(), force: args.force };
    let skipped = export::run(session, &request, &mut job.out).await?;
    if skipped > 0 {
        note(&format!(
            "dashtam: {skipped} prices are no daily ones, or restated for splits, and are not in \
             this form; --format json has them"
        ));
    }
    Ok(Status::Done)
}
