//! How the figures of performance came about: the formula with the figures in place, what crossed
//! the border on which day, and what everything was worth at both ends.

use super::scope::{Day, Kind, Series};
use super::{Asked, PerformanceQuery, PerformanceRow, Scope, scopes, staged};
use crate::analytics::lots::Place;
use crate::model::{Currency, Dec, Exact, SafeText};
use crate::report::{Error, Explanation, Input};
use crate::store::Tx;

/// So many of a long list are told.
const SHOWN: usize = 40;

/// The figures of the scope of this name.
///
/// # Errors
/// When there is no such scope, or the store cannot be read.
pub async fn explain_performance(
    tx: &mut Tx,
    query: &PerformanceQuery,
    key: &SafeText,
) -> Result<Vec<Explanation>, Error> {
    let stage = staged(tx, query).await?;
    let asked = stage.asked(query);
    let (mut found, mut known) = (Vec::new(), Vec::new());
    let mut scopes_of_key = 0;
    for (name, scope) in scopes(&stage.scene, &stage.world, query, &stage.accounts) {
        if name == *key {
            scopes_of_key += 1;
            found.extend(of_scope(&asked, name.clone(), &scope));
        }
        known.push(name);
    }
    if found.is_empty() {
        return Err(Error::NoSuchFigure { key: key.clone(), known });
    }
    // What several accounts hold of a security is added up: money can be, rates cannot.
    found.retain(|told| scopes_of_key == 1 || told.currency.is_some());
    Ok(found)
}

fn of_scope(asked: &Asked<'_>, name: SafeText, scope: &Scope) -> Vec<Explanation> {
    let start = asked.query.from.map(|_| 0);
    let Some(series) = asked.world.series(scope, start) else { return Vec::new() };
    let mut missing = std::collections::BTreeSet::new();
    let Some(row) = asked.row(name, scope, &mut missing) else { return Vec::new() };
    let teller = Teller { asked, series: &series, row: &row };
    teller.all()
}

struct Teller<'a> {
    asked: &'a Asked<'a>,
    series: &'a Series<'a>,
    row: &'a PerformanceRow,
}

fn shown(value: Option<Dec>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| value.to_string())
}

fn figure(name: &str, value: Option<Dec>) -> Input {
    let id = Some(SafeText::new(name));
    Input { kind: "figure", id, date: None, value, source: None, pair: None }
}

fn figures(of: &[(&str, Option<Dec>)]) -> Vec<Input> {
    of.iter().map(|(name, value)| figure(name, *value)).collect()
}

impl Teller<'_> {
    fn all(&self) -> Vec<Explanation> {
        let mut all = [self.money(), self.rates(), self.risk()].concat();
        for told in &mut all {
            if let Some(why) = self.row.reasons.get(told.figure) {
                told.formula.push_str(&format!(" ({})", why.replace('_', " ")));
            }
        }
        all
    }

    /// Both values and what crossed the border between them.
    fn ends(&self) -> [(&'static str, Option<Dec>); 4] {
        let row = self.row;
        [
            ("end_value", row.end_value),
            ("start_value", row.start_value),
            ("flows_in", row.flows_in),
            ("flows_out", row.flows_out),
        ]
    }

    fn money(&self) -> Vec<Explanation> {
        let (row, base) = (self.row, Some(self.asked.scene.base));
        let (from, to) = (self.series.start, self.asked.world.grid.last);
        let gains = [
            ("gain_price", row.gain_price),
            ("gain_fx", row.gain_fx),
            ("gain_income", row.gain_income),
            ("gain_fees", row.gain_fees),
            ("gain_taxes", row.gain_taxes),
        ];
        let [end, start, came, went] = self.ends().map(|(_, value)| shown(value));
        let rest = format!(
            "{} - {} - {} - {} - {}: what is left of the gain",
            shown(row.gain),
            shown(row.gain_price),
            shown(row.gain_income),
            shown(row.gain_fees),
            shown(row.gain_taxes)
        );
        let prices = "value less value before at the rate of the later day, less what was paid for \
                      what came, over the days that count";
        let total = format!("{end} - {start} - {came} + {went}");
        let of_gain = [figures(&self.ends()), figures(&gains)].concat();
        vec![
            self.say("gain", row.gain, base, total, of_gain),
            self.say("gain_price", row.gain_price, base, prices.to_owned(), self.values(from, to)),
            self.say("gain_fx", row.gain_fx, base, rest, figures(&gains)),
            self.sum("gain_income", row.gain_income, |day| day.income.clone(), "income"),
            self.sum("gain_fees", row.gain_fees, |day| day.fees.neg(), "fees"),
            self.sum("gain_taxes", row.gain_taxes, |day| day.taxes.neg(), "taxes"),
            self.sum("flows_in", row.flows_in, |day| day.came.clone(), "in"),
            self.sum("flows_out", row.flows_out, |day| day.went.clone(), "out"),
            self.worth("start_value", row.start_value, from),
            self.worth("end_value", row.end_value, to),
        ]
    }

    fn rates(&self) -> Vec<Explanation> {
        let row = self.row;
        let span = self.asked.world.grid.last - self.series.start;
        let unvalued = usize::try_from(row.days_unvalued).unwrap_or(0);
        let twr = format!(
            "the product of (value + out) / (value before + in), less 1: {} days with a value, {} \
             without, {} with nothing invested",
            span.saturating_sub(unvalued),
            row.days_unvalued,
            row.days_skipped
        );
        let year = format!("(1 + {}) ^ (365 / {span}) - 1", shown(row.twr));
        let xirr = "the yearly rate at which all flows and both values come to nothing";
        let flows = [self.on_days(|day| &day.came, "in"), self.on_days(|day| &day.went, "out")];
        let both = [figures(&self.ends()), flows.concat()].concat();
        let of_twr = figures(&[("twr", row.twr)]);
        vec![
            self.say("twr", row.twr, None, twr, both.clone()),
            self.say("twr_annualized", row.twr_annualized, None, year, of_twr),
            self.say("xirr", row.xirr, None, xirr.to_owned(), both),
        ]
    }

    fn risk(&self) -> Vec<Explanation> {
        let (row, free) = (self.row, self.asked.risk_free);
        let deviation = "the sample deviation of the returns at Monday to Friday x sqrt(252)";
        let sharpe =
            format!("({} - {free}) / {}", shown(row.twr_annualized), shown(row.volatility));
        let of_sharpe = [
            ("twr_annualized", row.twr_annualized),
            ("risk_free_rate", Some(free)),
            ("volatility", row.volatility),
        ];
        let fall = row.max_drawdown.as_ref();
        let depth = fall.and_then(|fall| super::ratio(fall.depth));
        let days = fall.map(|fall| {
            [("start", fall.start), ("trough", fall.trough), ("recovered", fall.recovered)]
        });
        let days = days.into_iter().flatten().filter(|(_, date)| date.is_some());
        let days = days.map(|(name, date)| Input { date, ..figure(name, None) }).collect();
        let fall = "1 - the index at its trough / the index at its height before";
        let of_twr = figures(&[("twr", row.twr)]);
        vec![
            self.say("volatility", row.volatility, None, deviation.to_owned(), of_twr),
            self.say("sharpe", row.sharpe, None, sharpe, figures(&of_sharpe)),
            self.say("max_drawdown", depth, None, fall.to_owned(), days),
        ]
    }

    fn say(
        &self,
        figure: &'static str,
        value: Option<Dec>,
        currency: Option<Currency>,
        formula: String,
        inputs: Vec<Input>,
    ) -> Explanation {
        let accounts: Vec<_> = self.row.accounts.iter().map(SafeText::as_str).collect();
        let of = format!(
            "{} from {} to {} ({})",
            self.row.scope,
            self.row.from,
            self.row.to,
            accounts.join(", ")
        );
        Explanation { figure, of: SafeText::new(&of), value, currency, formula, inputs }
    }

    fn sum(
        &self,
        name: &'static str,
        value: Option<Dec>,
        of: impl Fn(&Day) -> Exact,
        what: &str,
    ) -> Explanation {
        let days = self.days(&of, what);
        let formula = match days.len() {
            0 => "there was none".to_owned(),
            many => format!("the sum of {many} days, each at its own rates"),
        };
        self.say(name, value, Some(self.asked.scene.base), formula, days)
    }

    fn on_days(&self, of: fn(&Day) -> &Exact, what: &str) -> Vec<Input> {
        let mut days = self.days(&|day| of(day).clone(), what);
        days.truncate(SHOWN);
        days
    }

    /// The days on which there was some of it.
    fn days(&self, of: &impl Fn(&Day) -> Exact, what: &str) -> Vec<Input> {
        let days = self.series.days.range(self.series.start + 1..);
        let input = |(place, day): (&usize, &Day)| {
            let amount = of(day);
            (!amount.is_zero()).then(|| Input {
                date: Some(self.series.date(*place)),
                ..figure(what, amount.round(12).ok())
            })
        };
        days.filter_map(input).collect()
    }

    fn values(&self, from: usize, to: usize) -> Vec<Input> {
        [self.inputs_of(from), self.inputs_of(to)].concat()
    }

    fn worth(&self, name: &'static str, value: Option<Dec>, place: usize) -> Explanation {
        let inputs = self.inputs_of(place);
        let formula = match inputs.len() {
            0 => "there is nothing".to_owned(),
            many => format!("the sum of these {many} at the end of {}", self.series.date(place)),
        };
        self.say(name, value, Some(self.asked.scene.base), formula, inputs)
    }

    /// Everything there is at the end of a day, in the base currency.
    fn inputs_of(&self, place: usize) -> Vec<Input> {
        let scene = self.asked.scene;
        let input = |(part, value): (&super::scope::Part, Option<Exact>)| {
            let what = match part.kind {
                Kind::Security(security) => scene.symbol(security).to_string(),
                Kind::Money(currency) => currency.to_string(),
                Kind::Balance(_) => "the balance".to_owned(),
            };
            let at = match part.thing.place {
                Place::In(account) => scene.account_name(account).unwrap_or_default().to_string(),
                Place::Between(..) => "transit".to_owned(),
            };
            Input {
                date: Some(self.series.date(place)),
                ..figure(&format!("{what} in {at}"), value.and_then(|value| value.round(12).ok()))
            }
        };
        self.series.items(place).into_iter().map(input).collect()
    }
}
