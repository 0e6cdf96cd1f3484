//! `reference.md`: the reference answer, which a candidate sees once they have scored themselves.
//!
//! Must never know the other three files: what they have in common is checked where they are put together.

use super::diagnostic::Report;
use super::{markdown, prose};
use crate::domain::phase::Phase;

/// The sections after those of the phases.
const STAFF: &str = "What a staff answer adds";
const CURVEBALLS: &str = "Curveballs";

/// The reference answer, a section a phase, under the headings that the candidate's own sections have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Markdown, in the order of [`Phase::ALL`].
    pub sections: Vec<String>,
    /// Where each section begins in `reference.md`.
    pub lines: Vec<u32>,
    /// Markdown: what a staff answer adds.
    pub staff: String,
}

impl Reference {
    /// Markdown.
    pub fn section(&self, phase: Phase) -> &str {
        self.sections.get(phase.index()).map_or("", String::as_str)
    }
}

/// What `reference.md` says, as far as it could be read.
pub(super) struct ReferenceText {
    pub reference: Option<Reference>,
    /// `None` without the section.
    pub answers: Option<Answers>,
}

/// The answers to the curveballs.
pub(super) struct Answers {
    /// Where their section begins.
    pub offset: usize,
    pub answers: Vec<Answer>,
}

/// The answer that one would hope to hear to a curveball.
pub(super) struct Answer {
    pub id: Option<String>,
    /// Where the id stands.
    pub offset: usize,
    /// Markdown.
    pub text: String,
}

pub(super) fn read(report: &mut Report<'_>) -> ReferenceText {
    let outline = markdown::read(report, report.text, |offset| offset);
    prose::check(report, report.text, |offset| offset);
    let names: Vec<&str> = Phase::ALL
        .into_iter()
        .map(Phase::title)
        .chain([STAFF, CURVEBALLS])
        .collect();
    let mut sections = markdown::sections(report, &outline, 0, &names);
    let curveballs = sections.pop().flatten();
    for heading in sections
        .iter()
        .flatten()
        .flat_map(|section| section.headings)
    {
        heading.attributes(report, false, []);
    }
    let mut texts: Option<Vec<String>> = sections
        .iter()
        .map(|section| Some(section.as_ref()?.text.to_owned()))
        .collect();
    let staff = texts.as_mut().and_then(Vec::pop);
    let lines = sections
        .iter()
        .flatten()
        .map(|section| {
            report
                .diagnostic(section.heading.span.start, String::new())
                .line
        })
        .take(Phase::ALL.len())
        .collect();
    let reference = texts.zip(staff).map(|(sections, staff)| Reference {
        sections,
        lines,
        staff,
    });

    let answers = curveballs.map(|section| {
        let mut answers: Vec<Answer> = Vec::new();
        for entry in section.entries(report) {
            let (id, []) = entry.heading.attributes(report, true, []);
            let offset = id.map_or(entry.heading.span.start, |id| {
                entry.heading.place(report, id)
            });
            if id.is_some() && answers.iter().any(|earlier| earlier.id.as_deref() == id) {
                report.at(
                    offset,
                    format!(
                        "curveball {:?} is answered a second time",
                        id.unwrap_or_default()
                    ),
                );
            }
            answers.push(Answer {
                id: id.map(str::to_owned),
                offset,
                text: entry.text.to_owned(),
            });
        }
        Answers {
            offset: section.heading.span.start,
            answers,
        }
    });
    ReferenceText { reference, answers }
}
