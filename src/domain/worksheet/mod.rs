//! The estimate worksheet: the candidate's rows, their values, and how near a value comes to the reference range.
//!
//! A sheet is stored, diffed and sent as its text, one row a line:
//!
//! ```text
//! dau: 10M users
//! # a remark, not kept
//! peak: = dau * 20 / 1 day * 3
//! ```
//!
//! Must never know the prompt, the page or the attempt: givens, wanted units and reference ranges are passed in.

mod evaluate;
mod grade;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use evaluate::{Evaluated, Outcome, evaluate};
pub use grade::{Deviation, Grade, deviation, grade};

/// The most rows that a sheet holds.
pub const MAX_ROWS: usize = 60;

/// The longest name of a row, in characters.
pub const MAX_ID_LENGTH: usize = 40;

/// A sheet that does not hold as many rows as were to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Nothing was inserted: a worksheet holds {MAX_ROWS} rows, {there} are there and this needs {new}. Take some out first."
)]
pub struct Full {
    pub there: usize,
    pub new: usize,
}

/// A sheet's text with further rows at its end. What stands in it stays as it was typed, faults too.
///
/// # Errors
/// When the sheet cannot hold them.
pub fn append<'a>(
    text: &str,
    rows: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
) -> Result<String, Full> {
    let mut text = text.trim_end().to_owned();
    let there = text.lines().filter(|line| !line.trim().is_empty()).count();
    if there + rows.len() > MAX_ROWS {
        return Err(Full {
            there,
            new: rows.len(),
        });
    }
    for (id, value) in rows {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(id);
        text.push_str(": ");
        text.push_str(value);
    }
    Ok(text)
}

/// One row: a name and what the candidate typed beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    id: String,
    text: String,
}

/// The candidate's rows in their order; names are valid and differ, texts are one line each. On the wire it is its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sheet {
    rows: Vec<Row>,
}

/// A line that is no row, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetDiagnostic {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    pub message: String,
}

impl Sheet {
    /// Reads `id: text`, one row a line. Blank lines and lines that start with `#` are skipped; a faulty line is left out and said.
    pub fn parse(text: &str) -> (Self, Vec<SheetDiagnostic>) {
        let mut sheet = Self::default();
        let mut diagnostics = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            let mut report = |message: String| {
                diagnostics.push(SheetDiagnostic {
                    line: index as u32 + 1,
                    column: line[..indent].chars().count() as u32 + 1,
                    message,
                });
            };
            let Some((id, text)) = content.split_once(':') else {
                report("A row is a name, a colon and a value, as in `dau: 10M users`.".to_owned());
                continue;
            };
            let id = id.trim_end();
            if !Self::is_row_id(id) {
                report(format!(
                    "`{}` cannot be the name of a row: use lower-case letters, digits and `_`, with a letter first, at most {MAX_ID_LENGTH}.",
                    id.chars().take(MAX_ID_LENGTH).collect::<String>()
                ));
            } else if sheet.get(id).is_some() {
                report(format!(
                    "There is a row called `{id}` already: give this one another name."
                ));
            } else if !sheet.set(id, text) {
                report(format!(
                    "A sheet has at most {MAX_ROWS} rows: what follows is left out."
                ));
                break;
            }
        }
        (sheet, diagnostics)
    }

    /// The text that [`Self::parse`] reads back to the same sheet.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for Row { id, text: value } in &self.rows {
            text.push_str(id);
            text.push(':');
            if !value.is_empty() {
                text.push(' ');
                text.push_str(value);
            }
            text.push('\n');
        }
        text
    }

    /// The rows as (id, text), in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.rows
            .iter()
            .map(|row| (row.id.as_str(), row.text.as_str()))
    }

    /// What stands in a row; none when there is no such row.
    pub fn get(&self, id: &str) -> Option<&str> {
        let row = self.rows.iter().find(|row| row.id == id)?;
        Some(&row.text)
    }

    /// Puts a text into a row, which is added at the end if it is new. False, with nothing changed, when the name is not valid or
    /// the sheet is full. A line break in the text becomes a space.
    pub fn set(&mut self, id: &str, text: &str) -> bool {
        let text: String = text
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        let text = text.trim().to_owned();
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == id) {
            row.text = text;
            return true;
        }
        let fits = Self::is_row_id(id) && self.rows.len() < MAX_ROWS;
        if fits {
            let id = id.to_owned();
            self.rows.push(Row { id, text });
        }
        fits
    }

    /// Whether a row may have this name: lower-case letters, digits and `_`, a letter first. `per` is a word of formulas.
    pub fn is_row_id(id: &str) -> bool {
        id.len() <= MAX_ID_LENGTH
            && id != "per"
            && id.starts_with(|first: char| first.is_ascii_lowercase())
            && id
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    }
}

impl From<String> for Sheet {
    fn from(text: String) -> Self {
        Self::parse(&text).0
    }
}

impl From<Sheet> for String {
    fn from(sheet: Sheet) -> Self {
        sheet.to_text()
    }
}
