//! A change of a transaction, field by field. It knows how a row reads with it, not how the row is
//! stored.

use chrono::NaiveDate;

use super::{
    Currency, Dec, Entry, EntryType, Kind, Mention, Ratio, SafeText, Status, Subtype, Unit,
};

/// What to change in a transaction; none keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowEdit {
    /// Whose.
    pub account: Option<SafeText>,
    /// When.
    pub date: Option<NaiveDate>,
    /// Which event.
    pub what: Option<Subtype>,
    /// The currency.
    pub unit: Option<Unit>,
    /// Of what.
    pub symbol: Option<Mention>,
    /// What it becomes.
    pub to_symbol: Option<Mention>,
    /// Unsigned, but for openings and adjustments.
    pub quantity: Option<Dec>,
    /// Of one unit, and its decimals as written.
    pub price: Option<(Dec, u32)>,
    /// Charged.
    pub fee: Option<Dec>,
    /// Taken by the state.
    pub tax: Option<Dec>,
    /// Change of cash. A trade whose figures change has it computed again.
    pub amount: Option<Dec>,
    /// Settlement date.
    pub settlement: Option<NaiveDate>,
    /// Units of the row's currency for one of the security's.
    pub fx_rate: Option<Dec>,
    /// Of an option or future.
    pub multiplier: Option<Dec>,
    /// Of a split or merger.
    pub ratio: Option<Ratio>,
    /// When the lot was bought.
    pub acquired: Option<NaiveDate>,
    /// The part of the cost that moves.
    pub cost_share: Option<Dec>,
    /// Whether it counts.
    pub status: Option<Status>,
    /// In the source's words.
    pub description: Option<SafeText>,
    /// By name.
    pub category: Option<SafeText>,
    /// A person's words.
    pub note: Option<SafeText>,
    /// Fields to empty, by their names in the neutral form.
    pub clear: Vec<String>,
}

impl RowEdit {
    /// Lays what is to change over a row as it is.
    pub fn lay_over(self, entry: &mut Entry) {
        let refigured = self.quantity.is_some()
            || self.price.is_some()
            || self.fee.is_some()
            || self.tax.is_some()
            || self.multiplier.is_some();
        let is_trade = matches!(entry.what, EntryType::One(subtype)
            if subtype.kind() == Kind::Trade);
        let priced = is_trade && entry.price.or(self.price.map(|price| price.0)).is_some();
        if refigured && (priced || entry.pays_charges_alone()) {
            entry.amount = None;
        }
        macro_rules! lay {
            ($($field:ident),+) => {$(
                if self.$field.is_some() {
                    entry.$field = self.$field;
                }
            )+};
        }
        lay!(
            symbol,
            to_symbol,
            quantity,
            fee,
            tax,
            amount,
            settlement,
            fx_rate,
            multiplier,
            ratio,
            acquired,
            cost_share,
            description,
            category,
            note
        );
        entry.account = self.account.unwrap_or(entry.account.clone());
        entry.date = self.date.unwrap_or(entry.date);
        entry.what = self.what.map_or(entry.what, EntryType::One);
        entry.unit = self.unit.unwrap_or(entry.unit);
        entry.status = self.status.unwrap_or(entry.status);
        if let Some((price, scale)) = self.price {
            entry.price = Some(price);
            entry.price_scale = scale;
        }
        for field in &self.clear {
            clear(entry, field);
        }
    }

    /// A field that is to be emptied and cannot be.
    #[must_use]
    pub fn kept_field(&self) -> Option<&str> {
        let what = EntryType::One(Subtype::Unknown);
        let unit = Unit::from(Currency::USD);
        let mut any = Entry::new(SafeText::default(), NaiveDate::MIN, what, unit);
        self.clear.iter().map(String::as_str).find(|field| !clear(&mut any, field))
    }
}

/// Empties a field. False: it cannot be.
fn clear(entry: &mut Entry, field: &str) -> bool {
    match field {
        "symbol" => entry.symbol = None,
        "to_symbol" => entry.to_symbol = None,
        "quantity" => entry.quantity = None,
        "price" => entry.price = None,
        "fee" => entry.fee = None,
        "tax" => entry.tax = None,
        "amount" => entry.amount = None,
        "settlement" => entry.settlement = None,
        "fx_rate" => entry.fx_rate = None,
        "multiplier" => entry.multiplier = None,
        "ratio" => entry.ratio = None,
        "acquired" => entry.acquired = None,
        "cost_share" => entry.cost_share = None,
        "description" => entry.description = None,
        "category" => entry.category = None,
        "note" => entry.note = None,
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_that_changes_changes_what_a_row_without_cash_of_its_own_costs() {
        let dec = |text: &str| Dec::parse(text).ok();
        let what = EntryType::One(Subtype::Reward);
        let unit = Unit::from(Currency::USD);
        let mut entry = Entry::new(SafeText::new("A"), NaiveDate::MIN, what, unit);
        entry.symbol = Mention::parse("X").ok();
        entry.quantity = dec("1");
        entry.fee = dec("3");
        entry.amount = dec("-3");
        RowEdit { fee: dec("7"), ..RowEdit::default() }.lay_over(&mut entry);
        assert_eq!(Some(entry.check().unwrap().first.facts.amount), dec("-7"));
    }
}
