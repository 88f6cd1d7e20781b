//! A bank of chance: payments that are pending, become final, are edited or come to nothing, told
//! under ids that are names or only numbers. Sums and shops are few, so that much looks alike.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

/// How a bank treats its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// They are names.
    Stable,
    /// All are new from time to time.
    Reissued,
    /// The rows of a day are numbered.
    Numbered,
    /// All rows that are told are.
    Counted,
}

impl Ids {
    pub const ALL: [Self; 4] = [Self::Stable, Self::Reissued, Self::Numbered, Self::Counted];
}

/// A row as it is told; who it really is, nobody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub who: u64,
    pub id: String,
    pub pending: bool,
    pub day: NaiveDate,
    pub cents: i64,
    pub text: String,
}

impl Row {
    /// What is the same for rows that nobody can tell from each other.
    pub fn content(&self) -> (NaiveDate, i64, &str) {
        (self.day, self.cents, &self.text)
    }

    pub fn shop(&self) -> &str {
        self.text.split(' ').next().unwrap()
    }
}

pub struct Bank {
    dice: u64,
    ids: Ids,
    pub rows: Vec<Row>,
    next: u64,
    told: u64,
}

const SHOPS: [&str; 10] = [
    "Shell",
    "Starbucks",
    "Target",
    "Tram",
    "Diner",
    "Kiosk",
    "Books",
    "Bakery",
    "Cinema",
    "Market",
];

impl Bank {
    pub fn new(seed: u64, ids: Ids) -> Self {
        Self { dice: seed + 1, ids, rows: Vec::new(), next: 0, told: 0 }
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.dice >> 33) % sides
    }

    fn cents(&mut self) -> i64 {
        -500 * (1 + i64::try_from(self.roll(20)).unwrap())
    }

    /// A day goes by; so many new payments are made.
    pub fn live(&mut self, on: NaiveDate, count: u64) {
        let rows = std::mem::take(&mut self.rows);
        for mut row in rows {
            let age = (on - row.day).num_days();
            let (dice, chance) = (self.roll(60), self.roll(100));
            match (row.pending, age, chance) {
                // What was only pending may come to nothing.
                (true, 1..4, 0..2) => continue,
                (true, 2.., 10..70) | (true, 5.., _) => self.book(&mut row, on, dice),
                (false, 1..4, 0..2) => self.edit(&mut row, dice),
                _ => {}
            }
            self.rows.push(row);
        }
        for _ in 0..count {
            self.pay(on);
        }
    }

    fn pay(&mut self, on: NaiveDate) {
        self.next += 1;
        let shop = SHOPS[usize::try_from(self.roll(10)).unwrap()];
        let (pending, cents) = (self.roll(2) == 0, self.cents());
        let text = if pending && self.roll(2) == 0 { format!("{shop} HOLD") } else { shop.into() };
        let at = usize::try_from(self.roll(self.rows.len() as u64 + 1)).unwrap();
        let (who, id) = (self.next, format!("t{}", self.next));
        self.rows.insert(at, Row { who, id, pending, day: on, cents, text });
    }

    /// A payment becomes final: some under another id, of another day, with a tip or in other words.
    fn book(&mut self, row: &mut Row, on: NaiveDate, dice: u64) {
        row.pending = false;
        if !dice.is_multiple_of(3) {
            row.id = format!("f{}", row.who);
        }
        if dice.is_multiple_of(4) {
            row.cents = row.cents * 6 / 5;
        }
        if dice.is_multiple_of(5) {
            row.text = format!("{} Ltd 0{}", row.shop(), dice);
        }
        row.day = row.day.max(on - Days::new(self.roll(3)));
    }

    /// The bank corrects itself.
    fn edit(&mut self, row: &mut Row, dice: u64) {
        match dice % 3 {
            0 => row.text = format!("{} corrected {}", row.shop(), row.who),
            1 => row.cents = self.cents(),
            _ => row.day = row.day + Days::new(1),
        }
    }

    /// What it tells of the days since one.
    pub fn tell(&mut self, since: NaiveDate) -> Vec<Row> {
        self.told += 1;
        self.rows.sort_by_key(|row| row.day);
        let mut numbers: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        let told = self.rows.iter().filter(|row| row.day >= since).zip(1..);
        let told = told.map(|(row, count): (&Row, u64)| {
            let number = numbers.entry(row.day).or_default();
            *number += 1;
            let id = match self.ids {
                Ids::Stable => row.id.clone(),
                Ids::Reissued => format!("{}-{}", self.told / 4, row.id),
                Ids::Numbered => format!("{}-{number}", row.day),
                Ids::Counted => count.to_string(),
            };
            Row { id, ..row.clone() }
        });
        told.collect()
    }
}
