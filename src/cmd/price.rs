//! `price set`: the price of a security or the rate of a currency on one day. It is read as a row
//! of a price file would be, so that both mean the same.

use std::io::Cursor;

use super::Job;
use super::cells::{self, Cell};
use super::exit::{Error, Status};
use super::json::Changed;
use crate::cli::{PriceCommand, PriceSetArgs};
use crate::import::{PriceReader, Problem};
use crate::model::{Change, Quote, SafeText, Unit};
use crate::service::Session;
use crate::service::edit::apply;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &PriceCommand,
) -> Result<Status, Error> {
    let PriceCommand::Set(args) = command;
    let Some(quote) = quote(args)? else { return Ok(Status::Refused) };
    let applied = apply(session, Change::SetPrice(Box::new(quote))).await?;
    if job.flags.json {
        job.out.json(&Changed::from(&applied))?;
    } else {
        let symbol = SafeText::new(&args.symbol);
        job.out.line(&format!("set the price of {symbol} on {}", args.date))?;
    }
    Ok(Status::Done)
}

/// The one row of the file that the flags stand for.
fn quote(args: &PriceSetArgs) -> Result<Option<Quote>, Error> {
    let header = ["date", "symbol", "close", "currency", "open", "high", "low", "volume", "source"];
    let row = vec![
        Cell::Plain(args.date.to_string()),
        Cell::Text(SafeText::new(args.symbol.trim())),
        Cell::Plain(args.close.to_string()),
        Cell::Plain(code(args.currency)),
        Cell::plain(args.open),
        Cell::plain(args.high),
        Cell::plain(args.low),
        Cell::plain(args.volume),
        Cell::Text(args.source.clone()),
    ];
    let mut file = Vec::new();
    cells::write(&mut file, &header, std::iter::once(row)).map_err(Error::Output)?;
    let mut reader = PriceReader::new(Cursor::new(file))?;
    let Some(row) = reader.next_row()? else { return Ok(None) };
    let quote = row.parsed.map_err(|problem| Problem { line: None, ..problem })?;
    Ok(Some(quote))
}

fn code(unit: Unit) -> String {
    if unit.is_minor() { unit.name.to_owned() } else { unit.currency.code().to_owned() }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::model::{Currency, Dec, PriceSubject};

    fn read(line: &str) -> Result<Quote, String> {
        let whole = format!("dashtam price set {line}");
        let cli = Cli::try_parse_from(whole.split(' ')).unwrap();
        let Some(Command::Price(PriceCommand::Set(args))) = cli.command else { panic!("{line}") };
        quote(&args).map(Option::unwrap).map_err(|error| error.to_string())
    }

    #[test]
    fn a_price_by_hand_reads_like_one_from_a_file() {
        let quote =
            read("sec:AMD --date 2024-01-03 --close 140.50 --currency USD --volume 7").unwrap();
        assert!(
            matches!(&quote.subject, PriceSubject::Security(amd) if amd.symbol.as_str() == "AMD")
        );
        assert_eq!(quote.close, Dec::parse("140.5").unwrap());
        assert_eq!(quote.volume, Some(Dec::from_i64(7)));
        assert_eq!((quote.source.as_str(), quote.currency), ("hand", Currency::USD));
    }

    #[test]
    fn pence_become_pounds() {
        let quote = read("VOD --date 2024-01-03 --close 70.5 --currency GBp").unwrap();
        assert_eq!(quote.close, Dec::parse("0.705").unwrap());
        assert_eq!(quote.currency.code(), "GBP");
        assert_eq!(quote.quoted_in.unwrap().as_str(), "GBp");
    }

    #[test]
    fn a_rate_is_above_zero_and_the_refusal_names_the_flag_and_no_line() {
        let why = read("fx:CAD --date 2024-01-03 --close -1 --currency USD").unwrap_err();
        assert!(why.starts_with("column close: "), "{why}");
        assert!(read("fx:CAD --date 2024-01-03 --close 0.75 --currency USD").is_ok());
    }
}
