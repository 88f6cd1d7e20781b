//! A transaction, of any kind: which fields there are follows from its type.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Habits, Sheet};
use crate::model::{
    Change, Dec, Entry, EntryType, Kind, Mention, Ratio, RowEdit, SafeText, Security, SecurityId,
    Status, Subtype, TransactionId, Unit,
};
use crate::state::{Known, Question, Slice};
use crate::tui::look::Look;

/// What a new row begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// Which event.
    pub what: Option<&'static str>,
    /// In which account.
    pub account: Option<SafeText>,
    /// Of which security.
    pub security: Option<SecurityId>,
    /// Its symbol, where it is not known yet.
    pub symbol: Option<SafeText>,
    /// On which day.
    pub date: Option<NaiveDate>,
    /// A figure, and the field that it is in.
    pub figure: Option<(&'static str, Dec)>,
}

/// A new row.
#[derive(Debug)]
pub struct NewRow(pub Beginning);

/// A row that is there.
#[derive(Debug)]
pub struct OldRow {
    id: TransactionId,
    was: Option<Box<Entry>>,
}

impl OldRow {
    /// Of this id.
    pub const fn new(id: TransactionId) -> Self {
        Self { id, was: None }
    }
}

impl Sheet for NewRow {
    fn title(&self) -> String {
        "Add a transaction".to_owned()
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let Beginning { what, account, security, symbol, date, figure } = &self.0;
        let Habits { account: last, what: last_what, date: last_date } = around.habits;
        let accounts = open_accounts(around.known);
        let is_there = |name: &&SafeText| accounts.iter().any(|it| it.word == name.as_str());
        let selected = around.look.selection.account.as_ref();
        let account = [account.as_ref(), selected, last.as_ref()].into_iter().flatten();
        let account = account.into_iter().find(is_there).map(SafeText::to_string);
        let only = || accounts.first().map(|it| it.word.clone());
        let account = account.or_else(only).unwrap_or_default();
        let what = what.map(str::to_owned).or_else(|| last_what.clone());
        // Whoever goes through old papers stays with them for a while, but not until tomorrow.
        let given = *date;
        let date = last_date.filter(|(_, typed)| *typed == around.today).map(|(day, _)| day);
        let date = given.or(date).unwrap_or(around.today).to_string();
        let known = security.and_then(|id| symbol_of(around.known, id));
        let symbol = known.or_else(|| symbol.as_ref().map(SafeText::to_string)).unwrap_or_default();
        let mut fields = vec![
            types().with(what.unwrap_or_else(|| "buy".to_owned())),
            Field::new("account", Sort::Choice(accounts)).with(account),
            Field::new("date", Sort::Day).with(date),
            Field::new("symbol", Sort::Open(symbols(&around.known.securities))).with(symbol),
        ];
        fields.extend(rest(around.known).into_iter().map(|field| match figure {
            Some((name, value)) if *name == field.name => field.with(value.to_string()),
            _ => field,
        }));
        let currency = fields.iter_mut().find(|field| field.name == "currency");
        if let Some(currency) = currency {
            currency.auto = true;
        }
        let names = self.0.security.is_some();
        let fields = Fields::of(fields);
        Some(if names { fields.beginning_at("quantity") } else { fields })
    }

    fn settle(&self, fields: &mut Fields) {
        let what = what_of(fields);
        show(fields, what, true);
        // Money is what the security is quoted in, else the account's.
        fields.follow_currency(&["symbol", "account"]);
        let amount = entry(fields).ok().and_then(|entry| computed(&entry));
        follow_amount(fields, amount);
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let change = Change::AddTransaction(Box::new(entry(fields)?));
        change.check()?;
        Ok(vec![change])
    }

    fn done(&self) -> &'static str {
        "added"
    }

    fn habits(&self, fields: &Fields) -> Option<Habits> {
        // What mends something is said of that alone.
        if self.0.figure.is_some() {
            return None;
        }
        let day = fields.day("date").ok()?.filter(|day| *day != fields.today());
        Some(Habits {
            account: fields.name("account").ok()?,
            what: Some(fields.text("type")),
            date: day.map(|day| (day, fields.today())),
        })
    }
}

impl Sheet for OldRow {
    fn title(&self) -> String {
        format!("Edit transaction {}", self.id)
    }

    fn question(&self, _: &Look) -> Option<Question> {
        Some(Question::Row(self.id))
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let Some(Slice::Row(detail)) = around.slice else { return None };
        let was = detail.entry.clone()?;
        let what = match was.what {
            EntryType::One(subtype) => subtype.as_str(),
            EntryType::Reinvest => "reinvest",
        };
        let symbol = was.symbol.as_ref().map(|it| shortest(around.known, it)).unwrap_or_default();
        let mut fields = vec![
            types().with(what),
            Field::new("account", Sort::Choice(open_accounts(around.known)))
                .with(was.account.as_str()),
            Field::new("date", Sort::Day).with(was.date.to_string()),
            Field::new("symbol", Sort::Open(symbols(&around.known.securities))).with(symbol),
        ];
        fields.extend(rest(around.known).into_iter().map(|field| {
            let text = text_of(&was, field.name, around.known);
            field.with(text)
        }));
        self.was = Some(was);
        Some(Fields::of(fields))
    }

    fn settle(&self, fields: &mut Fields) {
        let what = what_of(fields);
        show(fields, what, false);
        let (Some(was), Ok(edit)) = (&self.was, row_edit(fields)) else { return };
        if fields.is_changed("amount") {
            return;
        }
        // A figure that changes changes what the row costs, and one that is as it was again costs
        // what it did.
        let mut entry = was.as_ref().clone();
        edit.lay_over(&mut entry);
        if let Some(field) = fields.get_mut("amount").filter(|it| it.auto || entry.amount.is_none())
        {
            field.auto = true;
            follow_amount(fields, entry.amount.or_else(|| computed(&entry)));
        }
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let edit = row_edit(fields)?;
        let Some(was) = self.was.as_ref().filter(|_| edit != RowEdit::default()) else {
            return Ok(Vec::new());
        };
        if let Some(field) = edit.clear.iter().find_map(|it| fields.get(it)).map(|it| it.name)
            && edit.kept_field() == Some(field)
        {
            return Err(Fault::in_field(field, "it cannot be empty"));
        }
        let mut entry = was.as_ref().clone();
        edit.clone().lay_over(&mut entry);
        entry.check()?;
        Ok(vec![Change::EditTransaction(self.id, Box::new(edit))])
    }

    fn done(&self) -> &'static str {
        "changed"
    }

    fn is_other(&self, slice: &Slice) -> bool {
        matches!(slice, Slice::Row(detail) if detail.entry != self.was)
    }
}

/// The types that a row can have, each with the sort of event that it is.
fn types() -> Field {
    let word = |subtype: &Subtype| Choice::of(subtype.as_str(), subtype.kind().as_str());
    let mut all: Vec<_> = Subtype::ALL.iter().map(word).collect();
    all.push(Choice::of("reinvest", "income, and the buy it paid"));
    Field::new("type", Sort::Choice(all))
}

/// The fields behind those that every row has.
fn rest(known: &Known) -> Vec<Field> {
    let statuses = Status::ALL.iter().map(|status| Choice::plain(status.as_str())).collect();
    let categories = known.categories.iter().map(|name| Choice::plain(name.as_str())).collect();
    let others = known.accounts.iter().map(|it| Choice::plain(it.name.as_str())).collect();
    vec![
        Field::new("to_symbol", Sort::Open(symbols(&known.securities))).called("becomes"),
        Field::new("ratio", Sort::Text).called("new:old"),
        Field::new("quantity", Sort::Amount),
        Field::new("price", Sort::Amount).called("price of one"),
        Field::new("fee", Sort::Amount),
        Field::new("tax", Sort::Amount),
        Field::new("amount", Sort::Amount),
        Field::new("currency", Sort::Text),
        Field::new("to_account", Sort::Choice(others)),
        Field::new("acquired", Sort::Day),
        Field::new("cost_share", Sort::Number),
        Field::new("settlement", Sort::Day).called("settles"),
        Field::new("fx_rate", Sort::Number).called("rate"),
        Field::new("multiplier", Sort::Number),
        Field::new("status", Sort::Choice(statuses)).with(Status::Settled.as_str()),
        Field::new("category", Sort::Open(categories)),
        Field::new("description", Sort::Text),
        Field::new("note", Sort::Text),
    ]
}

/// A field of a row as text.
fn text_of(entry: &Entry, name: &str, known: &Known) -> String {
    let dec = |value: Option<Dec>| value.map(|value| value.to_string());
    let day = |value: Option<NaiveDate>| value.map(|day| day.to_string());
    let words = |value: &Option<SafeText>| value.as_ref().map(SafeText::to_string);
    let text = match name {
        "to_symbol" => entry.to_symbol.as_ref().map(|it| shortest(known, it)),
        "ratio" => entry.ratio.map(|ratio| ratio.to_string()),
        "quantity" => dec(entry.quantity),
        "price" => dec(entry.price),
        "fee" => dec(entry.fee),
        "tax" => dec(entry.tax),
        "amount" => dec(entry.amount),
        "currency" => Some(entry.unit.currency.code().to_owned()),
        "acquired" => day(entry.acquired),
        "cost_share" => dec(entry.cost_share),
        "settlement" => day(entry.settlement),
        "fx_rate" => dec(entry.fx_rate),
        "multiplier" => dec(entry.multiplier),
        "status" => Some(entry.status.as_str().to_owned()),
        "category" => words(&entry.category),
        "description" => words(&entry.description),
        "note" => words(&entry.note),
        _ => None,
    };
    text.unwrap_or_default()
}

/// Hides what a row of this type cannot have, unless something stands there: then it is to be seen.
fn show(fields: &mut Fields, what: Option<EntryType>, is_new: bool) {
    for field in fields.each_mut() {
        let is_of_use = is_of_use(field.name, what, is_new);
        let stands = !field.auto && !field.input.is_empty();
        field.hidden = !is_of_use && (!stands || is_new && !field.visited);
    }
}

fn is_of_use(name: &str, what: Option<EntryType>, is_new: bool) -> bool {
    use Subtype as S;
    let Some(what) = what else { return true };
    let EntryType::One(it) = what else {
        return !matches!(
            name,
            "to_symbol" | "ratio" | "amount" | "to_account" | "acquired" | "cost_share"
        );
    };
    let is_trade = it.kind() == Kind::Trade;
    let moves_securities = matches!(
        it,
        S::TransferIn | S::TransferOut | S::Opening | S::Adjustment | S::Reward | S::StockDividend
    );
    let is_cash_alone =
        matches!(it, S::Deposit | S::Withdrawal | S::WireIn | S::WireOut | S::Internal | S::Fx);
    let becomes = matches!(it, S::Merger | S::SpinOff | S::SymbolChange);
    match name {
        "symbol" | "fx_rate" => !is_cash_alone,
        "to_symbol" => becomes,
        "ratio" => matches!(it, S::Split | S::Merger | S::SpinOff | S::StockDividend),
        "quantity" => is_trade || moves_securities || matches!(it, S::Merger | S::SpinOff),
        "price" => is_trade || matches!(it, S::TransferIn | S::Opening | S::Reward),
        "fee" | "tax" => it.kind() != Kind::Fee && !matches!(it, S::Opening | S::Adjustment),
        "to_account" => is_new && it.mirror().is_some(),
        "acquired" => matches!(it, S::Sell | S::BuyToCover | S::TransferIn | S::Opening),
        "cost_share" => matches!(it, S::Merger | S::SpinOff),
        "multiplier" => is_trade,
        "settlement" => it.kind() != Kind::Other,
        _ => true,
    }
}

fn what_of(fields: &Fields) -> Option<EntryType> {
    fields.word::<EntryType>("type").ok().flatten()
}

fn follow_amount(fields: &mut Fields, amount: Option<Dec>) {
    if let Some(field) = fields.get_mut("amount") {
        field.follow(&amount.map(|amount| amount.to_string()).unwrap_or_default());
    }
}

/// The cash that follows from the rest.
fn computed(entry: &Entry) -> Option<Dec> {
    let entry = Entry { amount: None, ..entry.clone() };
    entry.check().ok().map(|drafts| drafts.first.facts.amount)
}

/// What somebody typed, not what follows from it.
fn typed<T>(
    fields: &Fields,
    name: &'static str,
    value: Result<Option<T>, Fault>,
) -> Result<Option<T>, Fault> {
    if fields.get(name).is_some_and(|field| field.auto) { Ok(None) } else { value }
}

fn entry(fields: &Fields) -> Result<Entry, Fault> {
    let what: EntryType = Fields::needed("type", fields.word("type"))?;
    let account = Fields::needed("account", fields.name("account"))?;
    let date = Fields::needed("date", fields.day("date"))?;
    let unit = Fields::needed("currency", fields.read("currency", unit))?;
    let (price, price_scale) = fields.figure("price")?.unzip();
    let status = fields.word::<Status>("status")?.unwrap_or(Status::Settled);
    Ok(Entry {
        symbol: fields.mention("symbol")?,
        to_symbol: fields.mention("to_symbol")?,
        quantity: fields.dec("quantity")?,
        price,
        price_scale: price_scale.unwrap_or(0),
        fee: fields.dec("fee")?,
        tax: fields.dec("tax")?,
        amount: typed(fields, "amount", fields.dec("amount"))?,
        settlement: fields.day("settlement")?,
        fx_rate: fields.dec("fx_rate")?,
        multiplier: fields.dec("multiplier")?,
        ratio: fields.read("ratio", ratio)?,
        acquired: fields.day("acquired")?,
        cost_share: fields.dec("cost_share")?,
        to_account: fields.name("to_account")?,
        status,
        description: fields.words("description", SafeText::MAX_BYTES)?,
        category: fields.name("category")?,
        note: fields.words("note", SafeText::MAX_BYTES)?,
        ..Entry::new(account, date, what, unit)
    })
}

/// What is other than at first.
fn row_edit(fields: &Fields) -> Result<RowEdit, Fault> {
    let mut clear = Vec::new();
    macro_rules! changed {
        ($name:literal, $value:expr) => {
            match (fields.is_changed($name), $value?) {
                (false, _) => None,
                (true, None) => {
                    clear.push($name.to_owned());
                    None
                }
                (true, value) => value,
            }
        };
    }
    let edit = RowEdit {
        account: changed!("account", fields.name("account")),
        date: changed!("date", fields.day("date")),
        what: changed!("type", fields.word::<Subtype>("type")),
        unit: changed!("currency", fields.read("currency", unit)),
        symbol: changed!("symbol", fields.mention("symbol")),
        to_symbol: changed!("to_symbol", fields.mention("to_symbol")),
        quantity: changed!("quantity", fields.dec("quantity")),
        price: changed!("price", fields.figure("price")),
        fee: changed!("fee", fields.dec("fee")),
        tax: changed!("tax", fields.dec("tax")),
        amount: changed!("amount", fields.dec("amount")),
        settlement: changed!("settlement", fields.day("settlement")),
        fx_rate: changed!("fx_rate", fields.dec("fx_rate")),
        multiplier: changed!("multiplier", fields.dec("multiplier")),
        ratio: changed!("ratio", fields.read("ratio", ratio)),
        acquired: changed!("acquired", fields.day("acquired")),
        cost_share: changed!("cost_share", fields.dec("cost_share")),
        status: changed!("status", fields.word::<Status>("status")),
        description: changed!("description", fields.words("description", SafeText::MAX_BYTES)),
        category: changed!("category", fields.name("category")),
        note: changed!("note", fields.words("note", SafeText::MAX_BYTES)),
        clear: Vec::new(),
    };
    Ok(RowEdit { clear, ..edit })
}

fn ratio(text: &str) -> Result<Ratio, &'static str> {
    Ratio::parse(text).ok_or("write new:old, like 4:1, both above zero")
}

/// A currency as people write it, or a minor unit like `GBp`, whose case tells.
pub(super) fn unit(text: &str) -> Result<Unit, String> {
    let read = Unit::parse(text).or_else(|_| Unit::parse(&text.to_uppercase()));
    read.map_err(|error| error.to_string())
}

/// The accounts that something can be written into, each with its currency.
pub(super) fn open_accounts(known: &Known) -> Vec<Choice> {
    let word = |it: &crate::model::Account| {
        let more = format!("{} {}", it.currency, it.kind);
        Choice::of(it.name.as_str(), more).quoted_in(it.currency)
    };
    known.accounts.iter().map(word).collect()
}

/// Securities by the shortest words that mean just one.
pub(super) fn symbols(all: &[Security]) -> Vec<Choice> {
    let mut of_symbol = BTreeMap::<_, usize>::new();
    let mut of_currency = BTreeMap::<_, usize>::new();
    for it in all {
        *of_symbol.entry(&it.symbol).or_default() += 1;
        *of_currency.entry((&it.symbol, it.currency)).or_default() += 1;
    }
    let word = |it: &Security| {
        let is_one = |count: Option<&usize>| count == Some(&1);
        let (word, mention) = if is_one(of_symbol.get(&it.symbol)) {
            (it.symbol.to_string(), None)
        } else if is_one(of_currency.get(&(&it.symbol, it.currency))) {
            (format!("{}@{}", it.symbol, it.currency), None)
        } else {
            (it.telling_name(), Some(Mention { isin: it.isin.clone(), ..it.mention() }))
        };
        let name = it.name.as_ref().map(SafeText::as_str).unwrap_or_default();
        let more = format!("{name} {}", it.currency).trim().to_owned();
        Choice { mention, ..Choice::of(word, more).quoted_in(it.currency) }
    };
    all.iter().map(word).collect()
}

pub(super) fn symbol_of(known: &Known, id: SecurityId) -> Option<String> {
    let at = known.securities.iter().position(|security| security.id == id)?;
    symbols(&known.securities).into_iter().nth(at).map(|choice| choice.word)
}

/// How a row's security is shown: without its currency where there is but one of that symbol.
fn shortest(known: &Known, mention: &Mention) -> String {
    let mut twins = known.securities.iter().filter(|it| it.symbol == mention.symbol);
    match (twins.next(), twins.next()) {
        (Some(_), None) => mention.symbol.to_string(),
        _ => {
            let is_it = |it: &&Security| it.mention() == *mention;
            let it = known.securities.iter().find(is_it);
            it.and_then(|it| symbol_of(known, it.id)).unwrap_or_else(|| mention.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Currency;

    fn security(id: i64, symbol: &str, currency: &str, venue: Option<&str>) -> Security {
        Security {
            id: SecurityId(id),
            symbol: SafeText::new(symbol),
            venue: venue.map(SafeText::new),
            currency: Currency::parse(currency).unwrap(),
            name: None,
            class: None,
            isin: None,
            cusip: None,
            figi: None,
            sector: None,
            region: None,
            tags: None,
            derived: false,
        }
    }

    #[test]
    fn every_security_can_be_named() {
        let all = [
            security(1, "ONE", "USD", Some("XNYS")),
            security(2, "TWO", "USD", None),
            security(3, "TWO", "CAD", None),
            security(4, "TRI", "CAD", Some("XTSE")),
            security(5, "TRI", "CAD", Some("NEOE")),
        ];
        let words = symbols(&all);
        let told: Vec<_> = words.iter().map(|it| it.word.as_str()).collect();
        let expected =
            ["ONE", "TWO@USD", "TWO@CAD", "TRI@CAD (venue XTSE)", "TRI@CAD (venue NEOE)"];
        assert_eq!(told, expected);
        let known = Known { securities: all.to_vec(), ..Known::default() };
        assert_eq!(shortest(&known, &all[4].mention()), expected[4]);
        let field = Field::new("symbol", Sort::Open(words)).with(expected[4]);
        let mention = Fields::of(vec![field]).mention("symbol").unwrap().unwrap();
        assert_eq!(mention.venue, Some(SafeText::new("NEOE")));
    }
}
