//! The data of the reference shelf: levels, interview loops, compensation, the scorecard, the roadmap, the reading list and
//! the numbers, each from one TOML file.
//!
//! Every figure says what it rests on, and where sources do not agree a conflict is declared: one that follows from the
//! figures and is not declared is a fault. Must never know how any of it is shown, or who reads it.

mod basis;
pub mod compensation;
pub mod levels;
pub mod loops;
pub mod numbers;
mod range;
pub mod reading;
pub mod roadmap;
mod said;
pub mod scorecard;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::check_slug;
use super::diagnostic::{Diagnostic, Parsed, Report};
use super::fields::{Fields, Table, report_syntax};
use super::source::Source;

pub use self::basis::{Basis, Conflict, Statement};
pub use self::compensation::Compensation;
pub use self::levels::Levels;
pub use self::loops::Loops;
pub use self::numbers::Numbers;
pub use self::range::{Currency, Money, Range};
pub use self::reading::Reading;
pub use self::roadmap::Roadmap;
pub use self::scorecard::Scorecard;

/// The names of the files in `reference/`, without `.toml`: each is also the slug of the page that shows it.
pub const SHELF_PAGES: [&str; 7] = [
    "levels",
    "loops",
    "compensation",
    "scorecard",
    "roadmap",
    "reading",
    "numbers",
];

/// A step of the ladder of engineers who manage nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    Junior,
    Mid,
    Senior,
    Staff,
    SeniorStaff,
    Principal,
    Distinguished,
}

impl Rung {
    /// From the lowest to the highest.
    pub const ALL: [Self; 7] = [
        Self::Junior,
        Self::Mid,
        Self::Senior,
        Self::Staff,
        Self::SeniorStaff,
        Self::Principal,
        Self::Distinguished,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Junior => "junior",
            Self::Mid => "mid",
            Self::Senior => "senior",
            Self::Staff => "staff",
            Self::SeniorStaff => "senior-staff",
            Self::Principal => "principal",
            Self::Distinguished => "distinguished",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Junior => "Junior",
            Self::Mid => "Mid",
            Self::Senior => "Senior",
            Self::Staff => "Staff",
            Self::SeniorStaff => "Senior staff",
            Self::Principal => "Principal",
            Self::Distinguished => "Distinguished or fellow",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.slug() == slug)
    }
}

/// Something on the shelf that a person can tick as done. Only what is published is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickItem {
    page: &'static str,
    id: String,
}

impl TickItem {
    /// As it is kept and as a form sends it: `roadmap/on-call`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.page, self.id)
    }

    /// The slug of the page that it stands on.
    pub fn page(&self) -> &'static str {
        self.page
    }

    /// The id of its element on that page.
    pub fn anchor(&self) -> String {
        format!("{}-{}", self.page, self.id)
    }
}

/// The texts of the files, by page.
pub type ShelfTexts<'a> = BTreeMap<&'a str, &'a str>;

/// Everything typed that the shelf holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Shelf {
    pub levels: Levels,
    pub loops: Loops,
    pub compensation: Compensation,
    pub scorecard: Scorecard,
    pub roadmap: Roadmap,
    pub reading: Reading,
    pub numbers: Numbers,
    cited: BTreeMap<&'static str, Vec<String>>,
}

impl Shelf {
    /// The ids of the sources that a page's data cite, in the order of `sources.toml`.
    pub fn cited(&self, page: &str) -> &[String] {
        self.cited.get(page).map_or(&[], Vec::as_slice)
    }

    /// The item of this name, if it is on the shelf: `roadmap/on-call`, `reading/ddia`.
    pub fn tick_item(&self, name: &str) -> Option<TickItem> {
        let (page, id) = name.split_once('/')?;
        self.tick_items(page).find(|item| item.id == id)
    }

    /// What can be ticked on a page, in the order in which it stands there.
    pub fn tick_items(&self, page: &str) -> impl Iterator<Item = TickItem> {
        let (page, ids): (&'static str, Vec<String>) = match page {
            "roadmap" => (
                "roadmap",
                self.roadmap
                    .milestones()
                    .map(|milestone| milestone.id.clone())
                    .collect(),
            ),
            "reading" => (
                "reading",
                self.reading
                    .works
                    .iter()
                    .map(|work| work.id.clone())
                    .collect(),
            ),
            _ => ("", Vec::new()),
        };
        ids.into_iter().map(move |id| TickItem { page, id })
    }
}

/// Reads the shelf. A file that is missing is a fault; `sources` is what may be cited.
pub fn parse_shelf(texts: &ShelfTexts<'_>, sources: &[Source]) -> Parsed<Shelf> {
    let mut files = Files {
        texts,
        sources,
        cited: BTreeMap::new(),
        diagnostics: Vec::new(),
    };
    // All of them, so that each fault is found.
    let levels = files.read("levels", |report, root| Some(levels::read(report, root)));
    let loops = files.read("loops", |report, root| Some(loops::read(report, root)));
    let compensation = files.read("compensation", |report, root| {
        Some(compensation::read(report, root))
    });
    let scorecard = files.read("scorecard", |report, root| {
        Some(scorecard::read(report, root))
    });
    let roadmap = files.read("roadmap", roadmap::read);
    let reading = files.read("reading", |report, root| Some(reading::read(report, root)));
    let numbers = files.read("numbers", |report, root| Some(numbers::read(report, root)));
    let cited = files.cited;
    let shelf = || {
        Some(Shelf {
            levels: levels?,
            loops: loops?,
            compensation: compensation?,
            scorecard: scorecard?,
            roadmap: roadmap?,
            reading: reading?,
            numbers: numbers?,
            cited,
        })
    };
    Parsed::new(shelf(), files.diagnostics)
}

/// The files while they are read.
struct Files<'a> {
    texts: &'a ShelfTexts<'a>,
    sources: &'a [Source],
    cited: BTreeMap<&'static str, Vec<String>>,
    diagnostics: Vec<Diagnostic>,
}

impl Files<'_> {
    fn read<T>(
        &mut self,
        page: &'static str,
        read: impl Fn(&mut Report<'_>, Table<'_>) -> Option<T>,
    ) -> Option<T> {
        let file = format!("reference/{page}.toml");
        let Some(text) = self.texts.get(page) else {
            let mut report = Report::new(file, "");
            report.at(0, "this file is missing");
            self.diagnostics.extend(report.into_diagnostics());
            return None;
        };
        let mut report = Report::new(file, text);
        let (document, errors) = DeTable::parse_recoverable(text);
        report_syntax(&mut report, &errors);
        let value = read(&mut report, Table::root(&document));
        let citations = std::mem::take(&mut report.citations);
        for citation in &citations {
            if !self.sources.iter().any(|source| source.id == citation.id) {
                report.at(
                    citation.offset,
                    format!("unknown source {:?}, not in sources.toml", citation.id),
                );
            }
        }
        let cited = self.sources.iter().map(|source| &source.id);
        let cited = cited.filter(|id| citations.iter().any(|citation| citation.id == **id));
        self.cited.insert(page, cited.cloned().collect());
        self.diagnostics.extend(report.into_diagnostics());
        value
    }
}

/// Reads each table of a list. One that cannot be read is left out, and has been reported.
fn each<T>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    key: &str,
    mut read: impl FnMut(&mut Report<'_>, Table<'_>) -> Option<T>,
) -> Vec<T> {
    let tables = fields.tables(report, key).unwrap_or_default();
    tables
        .into_iter()
        .filter_map(|table| read(report, table))
        .collect()
}

/// As [`each`], for a list that says something: an empty one is a fault.
fn some<T>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    key: &str,
    read: impl FnMut(&mut Report<'_>, Table<'_>) -> Option<T>,
) -> Vec<T> {
    if let Some([]) = fields.tables(report, key).as_deref() {
        report.absent(fields.place(key), format!("{key:?} is empty"));
    }
    each(report, fields, key, read)
}

/// A plain text, or nothing where there is none.
fn text(report: &mut Report<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    fields.string(report, key).map(|text| text.value)
}

/// The texts of a list; empty where there is none.
fn texts(report: &mut Report<'_>, fields: &Fields<'_>, key: &str) -> Vec<String> {
    let texts = fields.strings(report, key).unwrap_or_default();
    texts.into_iter().map(|text| text.value).collect()
}

/// The member of a closed vocabulary that a key names.
fn pick<T: Copy>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    key: &str,
    all: &[T],
    slug: impl Fn(T) -> &'static str,
) -> Option<T> {
    let word = fields.string(report, key)?;
    report.pick(key, word.offset, &word.value, all, slug)
}

/// The address of a work; what is none is a fault.
fn url(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<String> {
    let url = fields.string(report, "url")?;
    if !url.value.starts_with("https://") {
        report.at(url.offset, "url must begin with https://");
    }
    Some(url.value)
}

/// The ids of a file, each of which stands once.
#[derive(Default)]
struct Ids(Vec<String>);

impl Ids {
    fn read(&mut self, report: &mut Report<'_>, fields: &Fields<'_>) -> Option<String> {
        let id = fields.string(report, "id")?;
        check_slug(report, id.offset, "id", &id.value);
        self.take(report, id.offset, &id.value);
        Some(id.value)
    }

    fn take(&mut self, report: &mut Report<'_>, offset: usize, id: &str) {
        if self.0.iter().any(|other| other == id) {
            report.at(offset, format!("{id:?} stands here a second time"));
        }
        self.0.push(id.to_owned());
    }
}

/// Of every two things of which `differ` holds, their ids.
fn differing<T>(
    all: &[T],
    id: impl Fn(&T) -> String,
    differ: impl Fn(&T, &T) -> bool,
) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (index, one) in all.iter().enumerate() {
        for other in all.get(index + 1..).unwrap_or_default() {
            if differ(one, other) {
                pairs.push((id(one), id(other)));
            }
        }
    }
    pairs
}
