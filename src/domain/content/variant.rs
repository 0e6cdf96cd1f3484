//! `variants.toml`: what makes a second attempt at a prompt another exercise, by other numbers or another constraint.
//!
//! A variant holds the scale and the estimates as they are with its changes, worked out again and checked again.
//! Must never know the rubric: what an answer is judged on is the same for each variant.

use toml::de::DeTable;

use super::check_slug;
use super::diagnostic::{Report, unknown};
use super::estimates::{Estimates, Figure, read_figure};
use super::fields::{Fields, Table, Text, report_syntax};
use super::prompt::{ScaleRow, read_scale_row};

/// How many variants a prompt has.
const VARIANTS: std::ops::RangeInclusive<usize> = 2..=3;
/// The most characters of a title.
const TITLE_LENGTH: usize = 60;

/// A change to a prompt that leads to another decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// A slug, unique within the prompt.
    pub id: String,
    pub title: String,
    /// Markdown, for the candidate: what is different.
    pub changes: String,
    /// Markdown, shown with the reference: which of its decisions change, and to what.
    pub answer: String,
    /// The whole scale, with the rows that this variant replaces.
    pub scale: Vec<ScaleRow>,
    /// All numbers, worked out with the givens that this variant replaces.
    pub estimates: Estimates,
}

/// Reads the variants of a prompt with this scale and these estimates. Without those (they have faults of their own)
/// only the form is checked.
pub(super) fn read(
    report: &mut Report<'_>,
    scale: Option<&[ScaleRow]>,
    estimates: Option<&Estimates>,
) -> Option<Vec<Variant>> {
    let (document, errors) = DeTable::parse_recoverable(report.text);
    report_syntax(report, &errors);
    let fields = Table::root(&document).open(report, &["variant"], &[]);
    let tables = fields.tables(report, "variant")?;
    let headers: Vec<usize> = tables.iter().map(|table| table.header).collect();
    let last = headers.last().copied().unwrap_or_default();
    report.count("[[variant]] tables", VARIANTS, &headers, last);
    let mut ids = Vec::new();
    let variants: Vec<Option<Variant>> = tables
        .into_iter()
        .map(|table| read_variant(report, table, scale, estimates, &mut ids))
        .collect();
    let variants = variants.into_iter().collect::<Option<Vec<Variant>>>()?;
    let changes = |base: &Estimates| {
        let mut all = variants.iter();
        all.any(|variant| variant.estimates.givens != base.givens)
    };
    if estimates.is_some_and(|base| !changes(base)) {
        report.absent(last, "no variant changes a given of estimates.toml");
    }
    Some(variants)
}

fn read_variant(
    report: &mut Report<'_>,
    table: Table<'_>,
    scale: Option<&[ScaleRow]>,
    estimates: Option<&Estimates>,
    ids: &mut Vec<String>,
) -> Option<Variant> {
    let fields = table.open(
        report,
        &["id", "title", "changes", "answer"],
        &["scale", "given", "range"],
    );
    let id = fields.string(report, "id");
    if let Some(id) = &id {
        check_slug(report, id.offset, "variant id", &id.value);
        if ids.contains(&id.value) {
            let message = format!("variant {:?} stands here a second time", id.value);
            report.at(id.offset, message);
        }
        ids.push(id.value.clone());
    }
    let title = fields.string(report, "title");
    if let Some(title) = &title {
        let length = title.value.chars().count();
        if length > TITLE_LENGTH {
            let message = format!("title of {length} characters, at most {TITLE_LENGTH} fit");
            report.at(title.offset, message);
        }
    }
    let changes = fields.markdown(report, "changes");
    let answer = fields.markdown(report, "answer");
    let scale = read_scale(report, &fields, scale);
    let estimates = read_estimates(report, &fields, estimates);
    Some(Variant {
        id: id?.value,
        title: title?.value,
        changes: changes?.value,
        answer: answer?.value,
        scale: scale?,
        estimates: estimates?,
    })
}

/// The scale with the rows that the variant replaces.
fn read_scale(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    base: Option<&[ScaleRow]>,
) -> Option<Vec<ScaleRow>> {
    let mut scale = base.map(<[ScaleRow]>::to_vec);
    for table in fields.tables(report, "scale").unwrap_or_default() {
        let header = table.header;
        let row = read_scale_row(report, table);
        let (Some(row), Some(rows)) = (row, scale.as_mut()) else {
            continue;
        };
        match rows.iter_mut().find(|other| other.label == row.label) {
            Some(other) => *other = row,
            None => {
                let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
                report.at(
                    header,
                    unknown("row of the scale in prompt.md", &row.label, &labels),
                );
            }
        }
    }
    scale
}

/// The estimates with the givens and ranges that the variant replaces, each within its range.
fn read_estimates(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    base: Option<&Estimates>,
) -> Option<Estimates> {
    let mut varied = base.cloned();
    let mut sound = true;
    for table in fields.tables(report, "given").unwrap_or_default() {
        let fields = table.open(report, &["id", "value"], &[]);
        let id = fields.string(report, "id");
        let value = fields
            .string(report, "value")
            .and_then(|text| read_figure(report, text));
        let (Some(id), Some(value)) = (id, value) else {
            sound = false;
            continue;
        };
        if let Some(estimates) = varied.as_mut() {
            sound &= replace_given(report, estimates, &id, value, fields.place("value"));
        }
    }
    // Worked out before the ranges are read, which are needed only where a value has left its old one.
    let mut worked_out = varied.as_ref().filter(|_| sound)?.clone();
    if let Err((index, error)) = worked_out.work_out() {
        let id = &worked_out.estimates[index].id;
        report.at(
            fields.header,
            format!(
                "{id:?} cannot be worked out with these givens: {}",
                error.message
            ),
        );
        return None;
    }
    for table in fields.tables(report, "range").unwrap_or_default() {
        sound &= replace_range(report, &mut worked_out, table);
    }
    for estimate in &worked_out.estimates {
        if !estimate.is_in_range() {
            sound = false;
            report.absent(
                fields.header,
                format!(
                    "{:?} is {} with this variant, not within {} to {}; give it a [[variant.range]]",
                    estimate.id,
                    estimate.value.display_in(&estimate.unit),
                    estimate.low.text,
                    estimate.high.text
                ),
            );
        }
    }
    sound.then_some(worked_out)
}

fn replace_given(
    report: &mut Report<'_>,
    estimates: &mut Estimates,
    id: &Text,
    value: Figure,
    place: usize,
) -> bool {
    let ids: Vec<String> = estimates
        .givens
        .iter()
        .map(|given| given.id.clone())
        .collect();
    let Some(given) = estimates
        .givens
        .iter_mut()
        .find(|given| given.id == id.value)
    else {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        report.at(
            id.offset,
            unknown("given of estimates.toml", &id.value, &ids),
        );
        return false;
    };
    let (old, new) = (given.value.quantity.dimension(), value.quantity.dimension());
    if old != new {
        let message = format!(
            "{}, but {:?} is {}",
            new.describe(),
            id.value,
            old.describe()
        );
        report.at(place, message);
        return false;
    }
    given.value = value;
    true
}

fn replace_range(report: &mut Report<'_>, estimates: &mut Estimates, table: Table<'_>) -> bool {
    let fields = table.open(report, &["id", "low", "high"], &[]);
    let id = fields.string(report, "id");
    let mut figure = |key| {
        fields
            .string(report, key)
            .and_then(|text| read_figure(report, text))
    };
    let (low, high) = (figure("low"), figure("high"));
    let (Some(id), Some(low), Some(high)) = (id, low, high) else {
        return false;
    };
    let ids: Vec<String> = estimates
        .estimates
        .iter()
        .map(|one| one.id.clone())
        .collect();
    let Some(estimate) = estimates
        .estimates
        .iter_mut()
        .find(|one| one.id == id.value)
    else {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        report.at(
            id.offset,
            unknown("estimate of estimates.toml", &id.value, &ids),
        );
        return false;
    };
    if estimate.is_in_range() {
        let message = format!(
            "{:?} is still within its old range; leave this out",
            id.value
        );
        report.at(id.offset, message);
        return false;
    }
    let unit = estimate.unit.dimension();
    for (key, end) in [("low", &low), ("high", &high)] {
        if end.quantity.dimension() != unit {
            let found = end.quantity.dimension().describe();
            report.at(
                fields.place(key),
                format!("{found}, but {:?} is {}", id.value, unit.describe()),
            );
            return false;
        }
    }
    (estimate.low, estimate.high) = (low, high);
    true
}
