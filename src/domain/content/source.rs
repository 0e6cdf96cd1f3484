//! The sources that the content cites: `content/sources.toml`, and a reference to one of them.
//!
//! Must never know what is cited for what.

use toml::de::DeTable;

use super::diagnostic::{Citation, Parsed, Report};
use super::fields::{Table, Text, report_syntax};

/// What the content cites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Short, as it stands in `[^S0]`.
    pub id: String,
    pub title: String,
    pub publisher: String,
    /// As it is shown: a year, or more exact.
    pub date: String,
    pub url: Option<String>,
    pub note: Option<String>,
}

/// Where a figure or a judgement comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceRef {
    /// Our own judgement, or a figure chosen for the exercise.
    Ours,
    /// The id of a [`Source`].
    Cited(String),
}

/// The word that stands for [`SourceRef::Ours`], and so is no source's id.
pub(super) const OURS: &str = "ours";

/// The word that stands for a figure that is worked out in the text, and so is no source's id either.
pub(super) const DERIVED: &str = "derived";

impl SourceRef {
    pub(super) fn read(report: &mut Report<'_>, text: &Text) -> Self {
        if text.value == OURS {
            return Self::Ours;
        }
        report.citations.push(Citation {
            offset: text.offset,
            id: text.value.clone(),
        });
        Self::Cited(text.value.clone())
    }
}

/// Reads the list of sources; one with a fault is left out, so that the others can still be cited. `file` is the list's
/// path, for the diagnostics.
pub fn parse_sources(file: &str, text: &str) -> Parsed<Vec<Source>> {
    let mut report = Report::new(file.to_owned(), text);
    let (document, errors) = DeTable::parse_recoverable(text);
    report_syntax(&mut report, &errors);
    let sources = read(&mut report, Table::root(&document));
    Parsed::new(sources, report.into_diagnostics())
}

fn read(report: &mut Report<'_>, root: Table<'_>) -> Option<Vec<Source>> {
    let fields = root.open(report, &["source"], &[]);
    let tables = fields.tables(report, "source")?;
    let mut ids: Vec<String> = Vec::new();
    Some(
        tables
            .into_iter()
            .filter_map(|table| read_source(report, table, &mut ids))
            .collect(),
    )
}

fn read_source(report: &mut Report<'_>, table: Table<'_>, ids: &mut Vec<String>) -> Option<Source> {
    let fields = table.open(
        report,
        &["id", "title", "publisher", "date"],
        &["url", "note"],
    );
    let id = fields.string(report, "id").map(|text| text.value);
    if let Some(id) = &id {
        let place = fields.place("id");
        if id == OURS || id == DERIVED {
            report.at(
                place,
                format!(
                    "{id:?} stands for what we judge or work out ourselves and is no source's id"
                ),
            );
        } else if !is_source_id(id) {
            report.at(
                place,
                format!("source id {id:?} must be a letter, then letters, digits and -, up to 60"),
            );
        } else if ids.contains(id) {
            report.at(place, format!("source id {id:?} stands here a second time"));
        }
        ids.push(id.clone());
    }
    let title = fields.string(report, "title");
    let publisher = fields.string(report, "publisher");
    let date = fields.string(report, "date");
    let url = fields.string(report, "url");
    if let Some(url) = url.as_ref().filter(|url| {
        !["https://", "http://"]
            .iter()
            .any(|scheme| url.value.starts_with(scheme))
    }) {
        report.at(url.offset, "url must begin with https:// or http://");
    }
    let note = fields.string(report, "note");
    Some(Source {
        id: id?,
        title: title?.value,
        publisher: publisher?.value,
        date: date?.value,
        url: url.map(|text| text.value),
        note: note.map(|text| text.value),
    })
}

fn is_source_id(id: &str) -> bool {
    id.len() <= 60
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-')
}
