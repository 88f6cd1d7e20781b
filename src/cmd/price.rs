//! `price`: the price of a security or the rate of a currency on one day.

use super::Job;
use super::exit::{Error, Status};
use crate::cli::{PriceCommand, PriceSetArgs};
use crate::model::{Change, DoubtfulPrice, PriceToDelete, SafeText};
use crate::service::Session;
use crate::service::edit::apply;
use crate::service::price::{PriceWords, doubtful, quote, subject};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &PriceCommand,
) -> Result<Status, Error> {
    let (change, said) = match command {
        PriceCommand::Set(args) => {
            let quote = quote(&words(args))?;
            let symbol = SafeText::new(&args.symbol);
            let said = format!("set the price of {symbol} on {}", args.date);
            (Change::SetPrice(Box::new(quote)), said)
        }
        PriceCommand::Delete(args) => {
            let subject = subject(args.symbol.trim())?;
            let symbol = SafeText::new(&args.symbol);
            let said = format!("took the price of {symbol} on {} away", args.date);
            let (date, source, currency) = (args.date, args.source.clone(), args.currency);
            let meant = PriceToDelete { subject, date, source, currency };
            (Change::DeletePrice(meant), said)
        }
        PriceCommand::Accept { symbol } => {
            let (finding, told) = doubtful(session, symbol.trim()).await?;
            let symbol = SafeText::new(symbol);
            let DoubtfulPrice { price, currency, source, .. } = told;
            let day = finding.date.map(|day| format!(" of {day}")).unwrap_or_default();
            let said = format!(
                "accepted {price} {currency}{day} by {source} for {symbol}; what is told next is taken"
            );
            (Change::AcceptPrice(finding.id, price), said)
        }
    };
    job.changed(&apply(session, change).await?, &said)
}

/// What the flags say.
fn words(args: &PriceSetArgs) -> PriceWords {
    PriceWords {
        symbol: SafeText::new(args.symbol.trim()),
        date: args.date,
        close: args.close,
        currency: args.currency,
        open: args.open,
        high: args.high,
        low: args.low,
        volume: args.volume,
        source: args.source.clone(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::model::{Currency, Dec, PriceSubject, Quote};

    fn read(line: &str) -> Result<Quote, String> {
        let whole = format!("dashtam price set {line}");
        let cli = Cli::try_parse_from(whole.split(' ')).unwrap();
        let Some(Command::Price(PriceCommand::Set(args))) = cli.command else { panic!("{line}") };
        quote(&words(&args)).map_err(|error| error.to_string())
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
