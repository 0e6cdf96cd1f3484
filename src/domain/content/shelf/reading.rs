//! `reading.toml`: what to read, in which order, and what for.
//!
//! Must never know who has read what.

use super::super::diagnostic::Report;
use super::super::fields::{Fields, Table};
use super::{Basis, Ids, Statement, each, some, text, url};

/// The reading list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// In the order in which to read them.
    pub works: Vec<Work>,
    /// What the sources name outside of the list.
    pub beside: Vec<Beside>,
    /// How fast.
    pub pace: Vec<Statement>,
}

/// A book, a collection of essays, a blog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// A slug, unique in the list.
    pub id: String,
    pub about: Beside,
    pub publisher: Option<String>,
    /// Where a source gives it.
    pub year: Option<u32>,
    /// What of it to read, where a source says so.
    pub read: Option<String>,
}

/// What a work is, who wrote it, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    pub title: String,
    pub author: String,
    pub url: Option<String>,
    /// What it is read for.
    pub purpose: String,
    pub basis: Basis,
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Reading {
    let fields = root.open(report, &["work"], &["beside", "pace"]);
    let mut ids = Ids::default();
    let works = some(report, &fields, "work", |report, table| {
        let fields = table.open(
            report,
            &["id", "title", "author", "for", "source"],
            &["publisher", "year", "url", "read", "working"],
        );
        let id = ids.read(report, &fields);
        let year = fields.number(report, "year");
        if let Some(year) = year.filter(|year| !(1900..=2100).contains(&year.value)) {
            report.at(year.offset, "a year of four digits is expected");
        }
        let publisher = text(report, &fields, "publisher");
        let what = text(report, &fields, "read");
        let about = read_about(report, &fields);
        Some(Work {
            id: id?,
            about: about?,
            publisher,
            year: year.map(|year| year.value),
            read: what,
        })
    });
    let beside = each(report, &fields, "beside", |report, table| {
        let required = ["title", "author", "for", "source"];
        let fields = table.open(report, &required, &["url", "working"]);
        read_about(report, &fields)
    });
    let pace = each(report, &fields, "pace", Statement::read);
    Reading {
        works,
        beside,
        pace,
    }
}

fn read_about(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<Beside> {
    let title = text(report, fields, "title");
    let author = text(report, fields, "author");
    let url = url(report, fields);
    let purpose = text(report, fields, "for");
    let basis = Basis::read(report, fields);
    Some(Beside {
        title: title?,
        author: author?,
        url,
        purpose: purpose?,
        basis: basis?,
    })
}
