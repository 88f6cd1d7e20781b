//! An account: a new one, or other properties of one that is there.

use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{
    Account, AccountEdit, AccountId, AccountKind, Change, Currency, InPerformance, LotMethod, Mode,
    NewAccount, SafeText,
};
use crate::state::Known;

/// A new account.
#[derive(Debug)]
pub struct NewOne;

/// An account that is there.
#[derive(Debug)]
pub struct OldOne {
    id: AccountId,
    name: Option<SafeText>,
}

impl OldOne {
    /// Of this id.
    pub const fn new(id: AccountId) -> Self {
        Self { id, name: None }
    }
}

impl Sheet for NewOne {
    fn title(&self) -> String {
        "Add an account".to_owned()
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let base = around.look.snapshot.as_ref().map_or(Currency::USD, |shown| shown.currency);
        let mut fields = fields(around.known, None);
        fields.retain(|field| !["closed", "performance"].contains(&field.name));
        let mut fields = Fields::of(fields);
        for (name, text) in [
            ("kind", AccountKind::Brokerage.as_str()),
            ("currency", base.code()),
            ("mode", Mode::Ledger.as_str()),
        ] {
            if let Some(field) = fields.get_mut(name) {
                field.follow(text);
            }
        }
        Some(fields)
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        Ok(vec![Change::AddAccount(NewAccount {
            name: Fields::needed("name", fields.name("name"))?,
            kind: Fields::needed("kind", fields.word("kind"))?,
            currency: Fields::needed("currency", fields.read("currency", currency))?,
            mode: Fields::needed("mode", fields.word("mode"))?,
            method: fields.word("method")?,
            institution: fields.name("institution")?,
            closed: None,
            performance: None,
        })])
    }

    fn done(&self) -> &'static str {
        "added the account; `a` adds a transaction"
    }
}

impl Sheet for OldOne {
    fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("Edit account {name}"),
            None => "Edit an account".to_owned(),
        }
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let account = around.known.accounts.iter().find(|it| it.id == self.id)?;
        self.name = Some(account.name.clone());
        Some(Fields::of(fields(around.known, Some(account))))
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let name = Fields::needed("name", fields.name("name"))?;
        let kind: AccountKind = Fields::needed("kind", fields.word("kind"))?;
        let currency = Fields::needed("currency", fields.read("currency", currency))?;
        let mode: Mode = Fields::needed("mode", fields.word("mode"))?;
        let edit = AccountEdit {
            kind: Some(kind).filter(|_| fields.is_changed("kind")),
            currency: Some(currency).filter(|_| fields.is_changed("currency")),
            mode: Some(mode).filter(|_| fields.is_changed("mode")),
            method: fields.edit("method", fields.word::<LotMethod>("method")?),
            institution: fields.edit("institution", fields.name("institution")?),
            closed: fields.edit("closed", fields.day("closed")?),
            performance: fields.edit("performance", fields.word("performance")?),
        };
        let renamed = fields.is_changed("name").then_some(Change::RenameAccount(self.id, name));
        let edited = (edit != AccountEdit::default()).then_some(Change::EditAccount(self.id, edit));
        Ok([renamed, edited].into_iter().flatten().collect())
    }

    fn done(&self) -> &'static str {
        "changed the account"
    }
}

fn fields(known: &Known, account: Option<&Account>) -> Vec<Field> {
    let kinds = AccountKind::ALL.iter();
    let kinds = kinds.map(|kind| Choice::of(kind.as_str(), kind.class().as_str()));
    let modes = Mode::ALL.iter().map(|mode| {
        let more = match mode {
            Mode::Ledger => "worth what its transactions make",
            Mode::Balances => "worth its latest balance, like a house",
        };
        Choice::of(mode.as_str(), more)
    });
    let methods = LotMethod::ALL.iter().map(|method| Choice::plain(method.as_str()));
    let counts = InPerformance::ALL.iter().map(|it| Choice::plain(it.as_str()));
    let mut institutions: Vec<_> =
        known.accounts.iter().filter_map(|it| it.institution.as_ref()).collect();
    institutions.sort();
    institutions.dedup();
    let institutions = institutions.into_iter().map(|name| Choice::plain(name.as_str()));
    let text = |of: fn(&Account) -> Option<String>| account.and_then(of).unwrap_or_default();
    vec![
        Field::new("name", Sort::Text).with(text(|it| Some(it.name.to_string()))),
        Field::new("kind", Sort::Choice(kinds.collect()))
            .with(text(|it| Some(it.kind.to_string()))),
        Field::new("currency", Sort::Open(currencies()))
            .with(text(|it| Some(it.currency.code().to_owned()))),
        Field::new("institution", Sort::Open(institutions.collect()))
            .with(text(|it| it.institution.as_ref().map(SafeText::to_string))),
        Field::new("mode", Sort::Choice(modes.collect()))
            .called("valued by")
            .with(text(|it| Some(it.mode.to_string()))),
        Field::new("method", Sort::Choice(methods.collect()))
            .called("lot method")
            .with(text(|it| it.method.map(|method| method.to_string()))),
        Field::new("closed", Sort::Day)
            .called("closed from")
            .with(text(|it| it.closed.map(|day| day.to_string()))),
        Field::new("performance", Sort::Choice(counts.collect()))
            .called("in performance")
            .with(text(|it| it.performance.map(|it| it.to_string()))),
    ]
}

/// Every currency that is in use somewhere in the world.
pub(super) fn currencies() -> Vec<Choice> {
    let current = Currency::all().filter(|currency| currency.is_current());
    current.map(|currency| Choice::of(currency.code(), currency.name())).collect()
}

pub(super) fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(&text.to_uppercase()).map_err(|error| error.to_string())
}
