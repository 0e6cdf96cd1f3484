//! Log lines: for people or as JSON, one line each, whatever is in them.

use std::io::{self, IsTerminal as _, Write};

use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::server::config::LogFormat;

/// For people on a terminal, for programs elsewhere.
pub fn usual_format() -> LogFormat {
    if io::stderr().is_terminal() {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    }
}

/// Writes the lines that a filter lets through.
///
/// # Errors
/// When the filter cannot be read.
pub fn layer<S, W>(
    filter: &str,
    format: LogFormat,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> anyhow::Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + 'static,
{
    let filter = EnvFilter::builder().parse(filter)?;
    let writer = move || OneLine(writer());
    Ok(match format {
        LogFormat::Pretty => fmt::layer()
            // Colours would have to be told from those that somebody sends.
            .with_ansi(false)
            .with_writer(writer)
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .with_filter(filter)
            .boxed(),
    })
}

/// Keeps an event on one line: what would end the line or move the cursor is written as an escape. An event comes in
/// one write.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = text
            .strip_suffix('\n')
            .map_or((&*text, ""), |line| (line, "\n"));
        let forges = |character: char| {
            character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
        };
        if line.contains(forges) {
            let mut safe = String::with_capacity(line.len() + 16);
            for character in line.chars() {
                if forges(character) {
                    safe.extend(character.escape_default());
                } else {
                    safe.push(character);
                }
            }
            safe.push_str(end);
            self.0.write_all(safe.as_bytes())?;
        } else {
            self.0.write_all(text.as_bytes())?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
