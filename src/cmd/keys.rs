//! `keys`: what each key of the dashboard does, with the choices of the configuration applied.

use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::table::{Column, Table};
use crate::config::Config;
use crate::keys::{Action, Chord, Conflict, Context, Keymap, spelled};
use crate::model::SafeText;

#[derive(Serialize)]
struct Row {
    action: &'static str,
    context: &'static str,
    keys: Vec<String>,
    defaults: &'static [&'static str],
    doc: &'static str,
}

pub fn run(job: &mut Job<'_>) -> Result<Status, Error> {
    let (keymap, conflicts) = Keymap::with(&job.config.chosen_keys());
    let rows = rows(&keymap);
    if job.flags.json {
        job.out.json(&List { schema: "dashtam.keys/1", rows })?;
    } else {
        job.out.table(&table(&rows))?;
    }
    for conflict in &conflicts {
        job.out.aside(&said(conflict, job.config))?;
    }
    Ok(Status::Done)
}

/// The table of actions, one context after the other.
fn rows(keymap: &Keymap) -> Vec<Row> {
    let row = |action: &Action| Row {
        action: action.name(),
        context: action.context().name(),
        keys: keymap.chords_of(*action).iter().map(|way: &Vec<Chord>| spelled(way)).collect(),
        defaults: action.defaults(),
        doc: action.doc(),
    };
    let of = |context: &Context| {
        let context = *context;
        Action::ALL.iter().filter(move |action| action.context() == context)
    };
    Context::ALL.iter().flat_map(of).map(row).collect()
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(vec![
        Column::text("where", 10, 0),
        Column::text("keys", 12, 0),
        Column::text("action", 17, 0),
        Column::text("what it does", 20, 0),
    ]);
    for row in rows {
        // A comma is a chord too and one blank stands within some, so two blanks part them.
        let keys = row.keys.join("  ");
        let cells = [row.context, keys.as_str(), row.action, row.doc];
        table.row(cells.into_iter().map(SafeText::new).collect());
    }
    table
}

fn said(conflict: &Conflict, config: &Config) -> String {
    let from = config.keys.get(conflict.entry()).map(|chords| &chords.from);
    let from = from.map(|from| format!("{from}: ")).unwrap_or_default();
    format!("dashtam: warning: {}", SafeText::new(&format!("{from}{conflict}")))
}
