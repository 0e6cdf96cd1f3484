//! `content/reference/<slug>.md`: a page of the reference shelf, Markdown behind front matter in TOML.
//!
//! Must never know the data that a page shows besides its text.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use toml::de::DeTable;

use super::diagnostic::{Link, Parsed, Report};
use super::fields::{Table, report_syntax};
use super::markdown::{self, MARKDOWN};
use super::prompt::{SUMMARY_LENGTH, split_front_matter};
use super::source::{DERIVED, OURS, Source};
use super::{check_citations, check_slug, prose};

/// A page of the reference shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub slug: String,
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// Its place on the shelf, ascending.
    pub order: u32,
    /// The ids of the sources that it cites.
    pub sources: Vec<String>,
    /// Markdown, in sections of level 2.
    pub body: String,
    /// The sections' titles.
    pub sections: Vec<String>,
    /// Those to pages of ours.
    pub links: Vec<Link>,
}

/// Reads a page. `slug` is its file's name without `.md`; `sources` is what may be cited.
pub fn parse_page(slug: &str, text: &str, sources: &[Source]) -> Parsed<Page> {
    let mut report = Report::new(format!("reference/{slug}.md"), text);
    let page = read(&mut report, slug, sources);
    Parsed::new(page, report.into_diagnostics())
}

fn read(report: &mut Report<'_>, slug: &str, sources: &[Source]) -> Option<Page> {
    check_slug(report, 0, "file name", slug);
    let (front, start) = split_front_matter(report);
    let body = &report.text[start..];
    let outline = markdown::read(report, body, |offset| start + offset);
    for heading in &outline.headings {
        heading.attributes(report, false, []);
    }
    markdown::check_levels(report, &outline);
    check_figures(report, body, start);
    prose::check(report, body, |offset| start + offset);

    let front = front?;
    // Blank up to the front matter, so that the places are those in the file.
    let blank = "\n".repeat(report.text[..front.start].matches('\n').count());
    let padding = " ".repeat(front.start - blank.len());
    let document = padding + &blank + &report.text[front];
    let (document, errors) = DeTable::parse_recoverable(&document);
    report_syntax(report, &errors);
    let fields =
        Table::root(&document).open(report, &["title", "summary", "order", "sources"], &[]);
    let title = fields.string(report, "title");
    let summary = fields.string(report, "summary");
    if let Some(summary) = &summary {
        let length = summary.value.chars().count();
        if length > SUMMARY_LENGTH {
            let message = format!("summary of {length} characters, at most {SUMMARY_LENGTH} fit");
            report.at(summary.offset, message);
        }
    }
    let order = fields.number(report, "order");
    let declared = fields.strings(report, "sources");
    // What we judge or work out ourselves is said so, and is no source to declare.
    report
        .citations
        .retain(|citation| ![OURS, DERIVED].contains(&citation.id.as_str()));
    check_citations(std::slice::from_mut(report), declared.as_deref(), sources);
    Some(Page {
        slug: slug.to_owned(),
        title: title?.value,
        summary: summary?.value,
        order: order?.value,
        sources: declared?.into_iter().map(|text| text.value).collect(),
        body: body.trim().to_owned(),
        sections: outline
            .headings
            .iter()
            .filter(|heading| heading.level == 2)
            .map(|heading| heading.title.clone())
            .collect(),
        links: report.take_links(),
    })
}

/// Each paragraph, list item and table with a figure in it says where that comes from.
fn check_figures(report: &mut Report<'_>, body: &str, start: usize) {
    /// A block while it is read: where it is, its first figure, and whether it cites.
    struct Open {
        span: Range<usize>,
        figure: Option<String>,
        cites: bool,
    }
    let mut blocks: Vec<Open> = Vec::new();
    let mut silent = 0_usize;
    let mut faults = Vec::new();
    for (event, span) in Parser::new_ext(body, MARKDOWN).into_offset_iter() {
        match event {
            Event::Start(Tag::Paragraph | Tag::Item | Tag::Table(_)) => blocks.push(Open {
                span,
                figure: None,
                cites: false,
            }),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Table) => {
                let Some(closed) = blocks.pop() else { continue };
                if let Some(outer) = blocks.last_mut() {
                    // A citation at the end of an item's paragraph is one of the item, and the other way round.
                    outer.cites |= closed.cites;
                    outer.figure = outer.figure.take().or(closed.figure);
                } else if let (Some(figure), false) = (closed.figure, closed.cites) {
                    faults.push((closed.span.start, figure));
                }
            }
            Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::Link { .. }) => silent += 1,
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Link) => silent -= 1,
            Event::FootnoteReference(_) => {
                if let Some(block) = blocks.last_mut() {
                    block.cites = true;
                }
            }
            Event::Text(text) if silent == 0 => {
                if let (Some(block), Some(figure)) = (blocks.last_mut(), first_figure(&text)) {
                    block.figure.get_or_insert(figure);
                }
            }
            _ => {}
        }
    }
    for (offset, figure) in faults {
        report.at(
            start + offset,
            format!("the figure {figure:?} has no source; cite one, or [^ours] or [^derived]"),
        );
    }
}

/// The first word that begins with a digit or a currency; a bare year and a reference such as `L5` are none.
pub(super) fn first_figure(text: &str) -> Option<String> {
    text.split([' ', '\n', '(', '/', '"', '\u{a0}'])
        .map(|word| {
            word.trim_matches(|edge: char| !edge.is_alphanumeric() && !"$₹%".contains(edge))
        })
        .find(|word| {
            let is_year = word.len() == 4
                && (word.starts_with("19") || word.starts_with("20"))
                && word.chars().all(|digit| digit.is_ascii_digit());
            word.trim_start_matches(['$', '₹'])
                .starts_with(|first: char| first.is_ascii_digit())
                && !is_year
        })
        .map(str::to_owned)
}
