//! Taking in a backup: every row as it stood, in one transaction, and the derived figures anew.

use std::io::Read;

use super::rebuild::rebuild_in;
use super::{Error, Result};
use crate::archive::{self, Counts, Part, Reader, Section, Value};
use crate::model::{ConnectionState, OpId, SafeText};
use crate::store::{ArchivedTable, Damage, EVIDENCE, Store, WriteTx};

/// The section with the trail of the store that was backed up.
pub const TRAIL: &str = "audit";

/// So many rows are written at once.
const ROWS: usize = 500;

/// Why a connection needs a new consent.
const SPENT: &str = "restored from a backup: what it shows to its service may be spent since";

/// What else there is to say of a restored store.
#[derive(Debug, Default)]
pub struct Restored {
    /// The rows that were damaged already in the store that was backed up.
    pub damage: Vec<Damage>,
    /// How many connections need a new consent: what they show serves once, and may have been shown
    /// since the backup.
    pub consents: usize,
}

/// Fills an empty store from a backup that was found to be whole.
///
/// The trail that came with it is kept as evidence: it tells of another store, and in this one's own
/// trail it would be a forgery. Rows that are not what was once written are told of: they were damaged
/// in the store that was backed up.
///
/// # Errors
/// When the store has content, the backup is another one by now or does not fit, or the store
/// fails; then nothing is written.
pub async fn restore(
    store: &Store,
    backup: impl Read + Send,
    verified: &Counts,
    op: OpId,
    now: i64,
) -> Result<Restored> {
    let mut tx = store.write().await?;
    if tx.has_content().await? {
        return Err(Error::HasContent);
    }
    tx.expect_archived().await?;
    let known = tx.archived_tables().await?;
    let (header, mut reader) = Reader::begin(backup)?;
    let mut place: Option<Place> = None;
    let counts = loop {
        match reader.next_part()? {
            Part::Table(section) => {
                tx.end_archived().await?;
                let trail = if section.name == TRAIL { Some(tx.next_trail().await?) } else { None };
                place = Some(Place::of(section, &known, trail)?);
            }
            Part::Rows(mut rows) => {
                let Some(place) = &place else { continue };
                let mut values = Vec::new();
                while rows.take_into(ROWS, &mut values)? > 0 {
                    let row = place.complete(&values);
                    tx.put_archived(&place.table, &place.columns, row.as_ref()).await?;
                    values.clear();
                }
            }
            Part::End(counts) => break counts,
        }
    };
    tx.end_archived().await?;
    if counts != *verified {
        return Err(archive::Error::Changed.into());
    }
    tx.go_on_behind(header.revision, header.next_id);
    rebuild_in(&mut tx).await?;
    // Whoever has nothing better wants it all the same, and must know.
    let damage = tx.damage().await?;
    let consents = fail_spent(&mut tx, now).await?;
    tx.commit(&op.to_string(), "restore", now).await?;
    Ok(Restored { damage, consents })
}

/// A token that was exchanged since the backup must not come back: a service that sees it twice ends
/// all that came of it. Tells how many connections can show nothing now.
async fn fail_spent(tx: &mut WriteTx, now: i64) -> Result<usize> {
    let spent = tx.spend_secrets(now).await?;
    let mut failed = 0;
    for mut row in tx.connections().await? {
        let newest = tx.secret(row.id).await?;
        if !spent.contains(&row.id) || !newest.is_some_and(|newest| newest.serves_once) {
            continue;
        }
        if let Ok(state) = row.state.become_(ConnectionState::Failed) {
            (row.state, row.since, row.detail) = (state, now, Some(SafeText::new(SPENT)));
            tx.update_connection(&row).await?;
            failed += 1;
        }
    }
    Ok(failed)
}

/// Where the rows of a section go.
struct Place {
    table: ArchivedTable,
    columns: Vec<String>,
    /// The number of the trail that they are of; it goes before the columns of the section.
    trail: Option<i64>,
    width: usize,
}

impl Place {
    fn of(section: Section, known: &[ArchivedTable], trail: Option<i64>) -> Result<Self> {
        let Section { name, mut columns } = section;
        let unknown = |what, name: &str| Error::NoPlace { what, name: SafeText::capped(name, 64) };
        let wanted = if trail.is_some() { EVIDENCE } else { name.as_str() };
        let table = known.iter().find(|table| table.name == wanted);
        let table = table.ok_or_else(|| unknown("table", &name))?.clone();
        let width = columns.len();
        if trail.is_some() {
            columns.insert(0, "trail".to_owned());
        }
        let there = table.columns();
        match columns.iter().find(|column| !there.contains(column)) {
            Some(column) => Err(unknown("column", &format!("{name}.{column}"))),
            None => Ok(Self { table, columns, trail, width }),
        }
    }

    /// The values as they are written.
    fn complete<'a>(&self, values: &'a [Value<'a>]) -> std::borrow::Cow<'a, [Value<'a>]> {
        let Some(trail) = self.trail else { return values.into() };
        let row =
            |row: &'a [Value<'a>]| std::iter::once(Value::Int(trail)).chain(row.iter().copied());
        values.chunks(self.width.max(1)).flat_map(row).collect()
    }
}
