//! Turns a record into one line, every text of it redacted on the way.
//! It must not know where the lines are kept.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Now;
use super::redact::{redact, redact_field};

pub enum Sink {
    Json(NonBlocking),
    /// Plain text for a person.
    Stderr,
}

pub struct LogLayer {
    sink: Sink,
    now: Now,
}

impl LogLayer {
    pub fn new(sink: Sink, now: Now) -> Self {
        Self { sink, now }
    }

    /// A log line that cannot be written has nowhere to be reported.
    fn write(&self, line: &str) {
        let _ = match &self.sink {
            Sink::Json(writer) => writer.clone().write_all(line.as_bytes()),
            Sink::Stderr => std::io::stderr().write_all(line.as_bytes()),
        };
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let spans: Vec<_> = context
            .event_scope(event)
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
            .map(|span| {
                let fields = span.extensions().get::<Fields>().cloned();
                (span.name(), fields.unwrap_or_default())
            })
            .collect();
        let time = (self.now)().to_rfc3339_opts(SecondsFormat::Micros, true);
        let metadata = event.metadata();
        let (level, target) = (metadata.level(), metadata.target());
        self.write(&match &self.sink {
            Sink::Json(_) => {
                let spans = spans.into_iter();
                let spans: Vec<_> = spans
                    .map(|(name, fields)| json!({ "name": name, "fields": fields.values }))
                    .collect();
                let line = json!({
                    "time": time,
                    "level": level.as_str(),
                    "target": target,
                    "message": own.message,
                    "fields": own.values,
                    "spans": spans,
                });
                format!("{line}\n")
            }
            Sink::Stderr => {
                let mut line = format!("{time} {level} {target}: ");
                for (name, fields) in spans {
                    let _ = write!(line, "{name}{}: ", Plain(&fields.values));
                }
                format!("{line}{}{}\n", own.message, Plain(&own.values))
            }
        });
    }
}

/// The redacted fields of a record or of a span.
#[derive(Default, Clone)]
struct Fields {
    message: String,
    values: Map<String, Value>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = redact(value);
        } else {
            let value = redact_field(field.name(), value);
            self.values.insert(field.name().to_owned(), value.into());
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_str(field, &value.to_string());
    }
}

/// ` name=value` for each field.
struct Plain<'a>(&'a Map<String, Value>);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.0 {
            write!(f, " {name}={}", value.as_str().unwrap_or_default())?;
        }
        Ok(())
    }
}
