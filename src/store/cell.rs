//! One value of one column, as both engines take it; and decimals as each of them stores them.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArguments, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Arguments, Decode, Encode, Postgres, Sqlite, Type};

use crate::model::{Dec, Ratio};

/// A decimal on its way in or out: exact text in SQLite, `numeric` in Postgres.
#[derive(Clone, Copy, Debug)]
pub(super) struct D(pub Dec);

impl Type<Sqlite> for D {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for D {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let text: Arc<str> = self.0.to_string().into();
        <Arc<str> as Encode<'_, Sqlite>>::encode(text, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for D {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Dec::parse(<&str as Decode<'r, Sqlite>>::decode(value)?)?))
    }
}

impl Type<Postgres> for D {
    fn type_info() -> PgTypeInfo {
        <Decimal as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for D {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Decimal as Encode<'_, Postgres>>::encode_by_ref(&self.0.inner(), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for D {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Dec::from_decimal(<Decimal as Decode<'r, Postgres>>::decode(value)?)?))
    }
}

/// A day on its way out. SQLite has it as text, of which there is a lot to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day(pub NaiveDate);

impl Type<Sqlite> for Day {
    fn type_info() -> SqliteTypeInfo {
        <NaiveDate as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <NaiveDate as Type<Sqlite>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Sqlite> for Day {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <&str as Decode<'r, Sqlite>>::decode(value)?;
        Ok(Self(plain_day(text).map_or_else(|| text.parse(), Ok)?))
    }
}

impl Type<Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        <NaiveDate as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Day {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<NaiveDate as Decode<'r, Postgres>>::decode(value)?))
    }
}

/// A day as we write them, in a fraction of the time of a reader that knows other ways.
fn plain_day(text: &str) -> Option<NaiveDate> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let year = i32::try_from(number(&[y0, y1, y2, y3])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m0, m1])?, number(&[d0, d1])?)
}

/// A value of a column. Nulls keep their type, since Postgres asks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
    Dec(Option<Dec>),
    Date(Option<NaiveDate>),
    Ratio(Option<&'a Ratio>),
    Bytes(&'a [u8]),
    Bool(bool),
}

impl<'a> Cell<'a> {
    pub const fn is_null(&self) -> bool {
        matches!(
            self,
            Self::Int(None)
                | Self::Text(None)
                | Self::Dec(None)
                | Self::Date(None)
                | Self::Ratio(None)
        )
    }

    pub fn text(text: &'a impl AsText) -> Self {
        Self::Text(text.as_text())
    }

    /// Adds the value to the bytes that a row's checksum covers: its type, then its content.
    pub fn digest(&self, into: &mut Vec<u8>) {
        match *self {
            _ if self.is_null() => into.push(0),
            Self::Int(value) => {
                into.push(1);
                into.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
            }
            Self::Text(value) => {
                let text = value.unwrap_or("");
                into.push(2);
                into.extend_from_slice(&(text.len() as u64).to_le_bytes());
                into.extend_from_slice(text.as_bytes());
            }
            Self::Dec(value) => {
                into.push(3);
                into.extend_from_slice(&value.unwrap_or(Dec::ZERO).inner().serialize());
            }
            Self::Date(value) => {
                use chrono::Datelike;
                into.push(4);
                into.extend_from_slice(
                    &value.map_or(0, |date| date.num_days_from_ce()).to_le_bytes(),
                );
            }
            Self::Ratio(value) => {
                let text = value.map(Ratio::to_string).unwrap_or_default();
                into.push(2);
                into.extend_from_slice(&(text.len() as u64).to_le_bytes());
                into.extend_from_slice(text.as_bytes());
            }
            Self::Bytes(bytes) => {
                into.push(5);
                into.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                into.extend_from_slice(bytes);
            }
            Self::Bool(value) => into.extend_from_slice(&[6, u8::from(value)]),
        }
    }
}

/// What a text column can be made of.
pub(super) trait AsText {
    fn as_text(&self) -> Option<&str>;
}

impl AsText for crate::model::SafeText {
    fn as_text(&self) -> Option<&str> {
        Some(self.as_str())
    }
}

impl AsText for String {
    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: AsText> AsText for Option<T> {
    fn as_text(&self) -> Option<&str> {
        self.as_ref().and_then(AsText::as_text)
    }
}

impl Cell<'_> {
    /// Text, days and decimals as SQLite keeps them; none: not that sort of value.
    pub fn sqlite_text(&self, buffer: &mut String) -> Option<Arc<str>> {
        use std::fmt::Write;
        buffer.clear();
        // Writing into a String cannot fail.
        let _ = match *self {
            Self::Text(Some(text)) => return Some(Arc::from(text)),
            Self::Dec(Some(value)) => {
                value.write_to(buffer);
                Ok(())
            }
            Self::Date(Some(date)) => write!(buffer, "{date}"),
            _ => return None,
        };
        Some(Arc::from(buffer.as_str()))
    }

    /// Adds the value to those that a statement of SQLite binds.
    pub fn add_to(&self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match *self {
            Self::Int(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value.map(Arc::<str>::from)),
            Self::Dec(value) => arguments.add(value.map(D)),
            Self::Date(value) => arguments.add(value),
            Self::Ratio(value) => arguments.add(value.map(Ratio::to_string)),
            Self::Bytes(value) => arguments.add(value.to_vec()),
            Self::Bool(value) => arguments.add(value),
        }
    }
}

impl Cell<'_> {
    /// Adds the value as Postgres' `copy` reads it.
    pub fn write_copy(&self, into: &mut String) {
        use std::fmt::Write;
        // Writing into a String cannot fail.
        let _ = match *self {
            Self::Int(Some(value)) => write!(into, "{value}"),
            Self::Text(Some(text)) => {
                write_escaped(text, into);
                Ok(())
            }
            Self::Dec(Some(value)) => {
                value.write_to(into);
                Ok(())
            }
            Self::Date(Some(date)) => write!(into, "{date}"),
            Self::Ratio(Some(ratio)) => write!(into, "{ratio}"),
            Self::Bytes(bytes) => {
                into.push_str(r"\\x");
                bytes.iter().try_for_each(|byte| write!(into, "{byte:02x}"))
            }
            Self::Bool(value) => write!(into, "{value}"),
            _ => {
                into.push_str(r"\N");
                Ok(())
            }
        };
    }
}

/// What would end a field or a row of `copy`, or begin an escape, is escaped.
fn write_escaped(text: &str, into: &mut String) {
    let mut rest = text;
    while let Some((plain, special)) =
        rest.find(['\\', '\t', '\n', '\r']).and_then(|at| rest.split_at_checked(at))
    {
        into.push_str(plain);
        into.push('\\');
        let mut chars = special.chars();
        into.push(match chars.next() {
            Some('\t') => 't',
            Some('\n') => 'n',
            Some('\r') => 'r',
            _ => '\\',
        });
        rest = chars.as_str();
    }
    into.push_str(rest);
}

/// Binds a cell to a query of either engine.
macro_rules! bind_cell {
    ($query:expr, $cell:expr) => {
        match $cell {
            $crate::store::cell::Cell::Int(value) => $query.bind(value),
            $crate::store::cell::Cell::Text(value) => {
                $query.bind(value.map(std::sync::Arc::<str>::from))
            }
            $crate::store::cell::Cell::Dec(value) => $query.bind(value.map($crate::store::cell::D)),
            $crate::store::cell::Cell::Date(value) => $query.bind(value),
            $crate::store::cell::Cell::Ratio(value) => {
                $query.bind(value.map(|ratio| ratio.to_string()))
            }
            $crate::store::cell::Cell::Bytes(value) => $query.bind(value.to_vec()),
            $crate::store::cell::Cell::Bool(value) => $query.bind(value),
        }
    };
}
pub(super) use bind_cell;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_was_written() {
        for text in ["2026-02-28", "0001-01-01", "9999-12-31", "2024-02-29"] {
            assert_eq!(plain_day(text), Some(text.parse().unwrap()), "{text}");
        }
        for text in
            ["", "2026-02-30", "2026-13-01", "2026-1-05", "+026-01-05", "2026-01-05 ", "20260105"]
        {
            assert_eq!(plain_day(text), None, "{text}");
        }
    }
}
