//! `doctor`: what was looked at, how it is, and what mends it.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::exit::{self, Error, Status};
use super::manner;
use super::output::Output;
use super::table::{Column, Table, WIDTH};
use crate::cli::Cli;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Environment};
use crate::model::SafeText;
use crate::service::doctor::{self, Check, Harm, Patient, Verdict};

/// Before what goes on from the line above.
const INDENT: &str = "\n    ";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    checks: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a SafeText,
    status: &'static str,
    detail: &'a SafeText,
    fix: Option<&'a SafeText>,
}

/// Looks at what there is of a configuration and behind it, and gives the exit code.
pub async fn run(
    cli: &Cli,
    config: Option<&Config>,
    broken: Option<&ConfigError>,
    environment: &Environment,
) -> u8 {
    let clock = Clock::system(config.map_or(chrono_tz::UTC, |config| config.timezone.value));
    let patient = Patient { config, broken, environment, clock: &clock };
    let checks = doctor::run(&patient).await;
    let mut out = Output::stdout();
    let done = print(cli.flags.json, &checks, &mut out);
    exit::finish(done, manner(&cli.flags), &mut out)
}

fn print(json: bool, checks: &[Check], out: &mut Output) -> Result<Status, Error> {
    if json {
        let checks = checks.iter().map(row).collect();
        out.json(&Document { schema: "dashtam.doctor/1", checks })?;
    } else {
        out.table(&table(checks))?;
        for check in checks.iter().filter(|check| check.verdict != Verdict::Ok) {
            out.line("")?;
            let head = format!("{}: {}: ", status(check.verdict), check.name);
            out.line(&folded(&head, check.detail.as_str()))?;
            if let Some(fix) = &check.fix {
                out.line(&folded("  fix: ", fix.as_str()))?;
            }
        }
    }
    Ok(match doctor::worst(checks) {
        None => Status::Done,
        Some(Harm::Setup) => Status::Refused,
        Some(Harm::Storage | Harm::Damage) => Status::Differs,
        Some(Harm::Newer) => Status::Newer,
    })
}

const fn row(check: &Check) -> Row<'_> {
    let Check { name, verdict, detail, fix } = check;
    Row { name, status: status(*verdict), detail, fix: fix.as_ref() }
}

const fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail(_) => "fail",
    }
}

/// Everything at a glance; what is cut here is said in full below where it matters.
fn table(checks: &[Check]) -> Table {
    let mut table = Table::new(vec![
        Column::text("status", 6, 0),
        Column::text("check", 12, 0),
        Column::text("detail", 20, 0),
    ]);
    for check in checks {
        let status = SafeText::new(status(check.verdict));
        table.row(vec![status, check.name.clone(), check.detail.clone()]);
    }
    table
}

/// Words in lines of a terminal. One that is longer than a line, as a path may be, stays whole, so
/// that it can be copied.
fn folded(head: &str, text: &str) -> String {
    let mut folded = head.to_owned();
    let mut width = head.width();
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 && width + 1 + word.width() > WIDTH {
            folded.push_str(INDENT);
            width = INDENT.len() - 1;
        } else if at > 0 {
            folded.push(' ');
            width += 1;
        }
        folded.push_str(word);
        width += word.width();
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_folded_between_words_only() {
        assert_eq!(folded("fix: ", "a b"), "fix: a b");
        let path = "p".repeat(100);
        let text = folded("fail: ", &format!("{} {path} end", "word ".repeat(20).trim_end()));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| line.width() <= WIDTH || line.trim() == path), "{text}");
        assert_eq!(lines.iter().filter(|line| line.trim() == path).count(), 1, "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words, format!("fail: {}{path} end", "word ".repeat(20)));
    }
}
