//! Reading TOML tables against their keys: strings, numbers and lists with their places, and a diagnostic for what does not fit.
//!
//! Must never know what a key means.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Report, unknown};
use super::markdown;
use super::source::SourceRef;
use crate::domain::quantity::nearest;

/// A string and where it stands.
#[derive(Clone)]
pub(super) struct Text {
    pub value: String,
    pub offset: usize,
    /// Where the characters themselves begin, if they stand in the file as they are, without escapes.
    verbatim: Option<usize>,
}

impl Text {
    /// The byte offset in the file of a byte offset in the value; the start of the string when it is written with escapes.
    pub fn position(&self, within: usize) -> usize {
        self.verbatim.map_or(self.offset, |start| start + within)
    }
}

/// A number and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub value: u32,
    pub offset: usize,
}

/// A table that nothing is known of yet, and where its header stands.
#[derive(Clone, Copy)]
pub(super) struct Table<'d> {
    pub header: usize,
    entries: &'d DeTable<'d>,
}

/// A table whose keys have been checked.
pub(super) struct Fields<'d> {
    pub header: usize,
    entries: &'d DeTable<'d>,
}

/// Reports each error of syntax. What `parse_recoverable` returns beside them is read on as far as it goes.
pub(super) fn report_syntax(report: &mut Report<'_>, errors: &[toml::de::Error]) {
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        report.syntax(offset, format!("TOML: {}", error.message()));
    }
}

impl<'d> Table<'d> {
    /// The root table of a document, whose header is the start of the file.
    pub fn root(document: &'d Spanned<DeTable<'d>>) -> Self {
        Self {
            header: 0,
            entries: document.get_ref(),
        }
    }

    /// Its `id`, if that is a string; nothing is reported.
    pub fn id(&self) -> Option<&'d str> {
        self.entries.get("id")?.get_ref().as_str()
    }

    /// Checks the keys: those required are there, and there are none but these.
    pub fn open(self, report: &mut Report<'_>, required: &[&str], optional: &[&str]) -> Fields<'d> {
        let known: Vec<&str> = required.iter().chain(optional).copied().collect();
        let mut meant = Vec::new();
        for (key, _) in self.entries {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let free: Vec<&str> = known
                .iter()
                .copied()
                .filter(|known| !self.entries.contains_key(*known))
                .collect();
            meant.extend(nearest(name, free.iter().copied()));
            report.at(key.span().start, unknown("key", name, &free));
        }
        for key in required {
            if !self.entries.contains_key(*key) && !meant.contains(key) {
                report.absent(self.header, format!("missing key {key:?}"));
            }
        }
        Fields {
            header: self.header,
            entries: self.entries,
        }
    }
}

impl<'d> Fields<'d> {
    /// A string that says something, in plain text.
    pub fn string(&self, report: &mut Report<'_>, key: &str) -> Option<Text> {
        plain_text(report, self.get(key)?)
    }

    /// A string of Markdown without headings.
    pub fn markdown(&self, report: &mut Report<'_>, key: &str) -> Option<Text> {
        let text = text(report, self.get(key)?)?;
        markdown::check_inline(report, &text);
        Some(text)
    }

    /// The source of a figure or a judgement, noted as a citation.
    pub fn source(&self, report: &mut Report<'_>, key: &str) -> Option<SourceRef> {
        self.string(report, key)
            .map(|text| SourceRef::read(report, &text))
    }

    pub fn number(&self, report: &mut Report<'_>, key: &str) -> Option<Number> {
        number(report, self.get(key)?)
    }

    /// A list of strings, each in plain text.
    pub fn strings(&self, report: &mut Report<'_>, key: &str) -> Option<Vec<Text>> {
        self.list(report, key, plain_text)
    }

    pub fn numbers(&self, report: &mut Report<'_>, key: &str) -> Option<Vec<Number>> {
        self.list(report, key, number)
    }

    /// A list of lists of numbers, each with where it stands.
    pub fn ranges(&self, report: &mut Report<'_>, key: &str) -> Option<Vec<(usize, Vec<u32>)>> {
        self.list(report, key, |report, value| {
            let Some(array) = value.get_ref().as_array() else {
                return mismatch(report, "an array", value);
            };
            let numbers: Vec<Option<Number>> = array
                .iter()
                .map(|element| number(report, element))
                .collect();
            let numbers = numbers.into_iter().collect::<Option<Vec<Number>>>()?;
            let numbers = numbers.iter().map(|number| number.value).collect();
            Some((value.span().start, numbers))
        })
    }

    pub fn table(&self, report: &mut Report<'_>, key: &str) -> Option<Table<'d>> {
        table(report, self.get(key)?)
    }

    /// A list of tables: `[[key]]` as often as needed.
    pub fn tables(&self, report: &mut Report<'_>, key: &str) -> Option<Vec<Table<'d>>> {
        self.list(report, key, table)
    }

    /// Whether the key is there, whatever it holds.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where a key's value stands, the table's header if it is not there.
    pub fn place(&self, key: &str) -> usize {
        self.get(key)
            .map_or(self.header, |value| value.span().start)
    }

    /// Every element is read, so that each fault is found; `None` if one could not be.
    fn list<T>(
        &self,
        report: &mut Report<'_>,
        key: &str,
        read: impl Fn(&mut Report<'_>, &'d Spanned<DeValue<'d>>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            return mismatch(report, "an array", value);
        };
        let elements: Vec<Option<T>> = array.iter().map(|element| read(report, element)).collect();
        elements.into_iter().collect()
    }

    fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        // A value that the TOML parser made up in place of one that it could not read has an empty span.
        self.entries
            .get(key)
            .filter(|value| !value.span().is_empty())
    }
}

fn plain_text(report: &mut Report<'_>, value: &Spanned<DeValue<'_>>) -> Option<Text> {
    let text = text(report, value)?;
    if let Some(citation) = text.value.find("[^") {
        report.at(
            text.position(citation),
            "a citation is no link here; this text is not Markdown",
        );
    }
    Some(text)
}

fn text(report: &mut Report<'_>, value: &Spanned<DeValue<'_>>) -> Option<Text> {
    let Range { start, end } = value.span();
    let Some(string) = value.get_ref().as_str() else {
        return mismatch(report, "a string", value);
    };
    if string.trim().is_empty() {
        report.absent(start, "empty string");
        return None;
    }
    let verbatim = report
        .text
        .get(start..end)
        .and_then(|raw| raw.find(string))
        .map(|found| start + found);
    Some(Text {
        value: string.to_owned(),
        offset: start,
        verbatim,
    })
}

fn number(report: &mut Report<'_>, value: &Spanned<DeValue<'_>>) -> Option<Number> {
    let offset = value.span().start;
    let Some(integer) = value.get_ref().as_integer() else {
        return mismatch(report, "an integer", value);
    };
    let Ok(value) = u32::from_str_radix(integer.as_str(), integer.radix()) else {
        report.at(
            offset,
            format!("{integer} is not between 0 and {}", u32::MAX),
        );
        return None;
    };
    Some(Number { value, offset })
}

fn table<'d>(report: &mut Report<'_>, value: &'d Spanned<DeValue<'d>>) -> Option<Table<'d>> {
    match value.get_ref().as_table() {
        Some(entries) => Some(Table {
            header: value.span().start,
            entries,
        }),
        None => mismatch(report, "a table", value),
    }
}

fn mismatch<T>(report: &mut Report<'_>, expected: &str, value: &Spanned<DeValue<'_>>) -> Option<T> {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    report.at(
        value.span().start,
        format!("expected {expected}, found {found}"),
    );
    None
}
