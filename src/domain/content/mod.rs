//! What we publish, read from its texts into typed values: prompts with rubric, estimates and reference, and the sources cited.
//!
//! A text that is not in order still gives as much of a value as can be read, and a [`Diagnostic`] for each fault with its
//! place. Only a text without diagnostics is fit to publish. Nothing is rendered here; Markdown stays Markdown.
//!
//! Must never know files (the caller passes their texts), HTML, or who reads the content.

mod diagnostic;
mod estimates;
pub mod exercise;
mod fields;
mod glossary;
mod markdown;
mod page;
mod prompt;
mod prose;
mod reference;
mod rubric;
pub mod shelf;
mod source;
#[cfg(test)]
mod tests;
mod variant;
mod whole;

use self::diagnostic::{Citation, Report, unknown};
use self::fields::Text;
use self::prompt::{PromptText, Question};
use self::reference::{Answers, ReferenceText};
use crate::domain::level::Level;
use crate::domain::quantity::nearest;

pub use self::diagnostic::{Diagnostic, Link, Parsed};
pub use self::estimates::{Estimate, Estimates, Figure, Given};
pub use self::glossary::{Term, parse_glossary};
pub use self::markdown::{CODE_LANGUAGES, MARKDOWN};
pub use self::page::{Page, parse_page};
pub use self::prompt::{Hint, NamedFor, ScaleRow, TOPICS};
pub use self::reference::Reference;
pub use self::rubric::{Anchor, Criterion, Pitfall, Rubric};
pub use self::source::{Source, SourceRef, parse_sources};
pub use self::variant::Variant;
pub use self::whole::{Parts, check_whole, dead_links};

/// The texts of a prompt's five files.
#[derive(Clone, Copy, Debug)]
pub struct PromptFiles<'a> {
    /// `prompt.md`
    pub prompt: &'a str,
    /// `rubric.toml`
    pub rubric: &'a str,
    /// `estimates.toml`
    pub estimates: &'a str,
    /// `reference.md`
    pub reference: &'a str,
    /// `variants.toml`
    pub variants: &'a str,
}

/// A design exercise: what is asked, what is judged, the numbers, and an answer to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    pub slug: String,
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// The levels that it suits.
    pub levels: Vec<Level>,
    /// The round lengths that it suits, ascending.
    pub minutes: Vec<u32>,
    pub topics: Vec<String>,
    /// The levels that sources name it for.
    pub named: Vec<NamedFor>,
    pub scale: Vec<ScaleRow>,
    /// The ids of the sources cited in any of the files.
    pub sources: Vec<String>,
    /// Markdown, as are the next three.
    pub situation: String,
    pub functional: String,
    pub quality: String,
    pub out_of_scope: String,
    /// From gentle to strong.
    pub hints: Vec<Hint>,
    /// Ascending by minute.
    pub curveballs: Vec<Curveball>,
    pub rubric: Rubric,
    pub estimates: Estimates,
    pub reference: Reference,
    /// For those who come back.
    pub variants: Vec<Variant>,
    /// Those to pages of ours, from any of the files.
    pub links: Vec<Link>,
}

impl Prompt {
    pub fn variant(&self, id: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.id == id)
    }
}

/// What an interviewer throws in during a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curveball {
    /// A slug, unique within the prompt.
    pub id: String,
    pub title: String,
    /// The minute of a 60-minute round; scaled for others.
    pub minute: u32,
    /// The level from which on a candidate should have an answer.
    pub level: Level,
    /// Markdown, as it would be spoken.
    pub question: String,
    /// Markdown, from the reference: what one would hope to hear.
    pub answer: String,
}

/// Reads a prompt. `slug` is its folder's name; `sources` is what may be cited.
pub fn parse_prompt(slug: &str, files: PromptFiles<'_>, sources: &[Source]) -> Parsed<Prompt> {
    let report = |name: &str, text| Report::new(format!("prompts/{slug}/{name}"), text);
    let mut prompt_report = report("prompt.md", files.prompt);
    let mut rubric_report = report("rubric.toml", files.rubric);
    let mut estimates_report = report("estimates.toml", files.estimates);
    let mut reference_report = report("reference.md", files.reference);
    let mut variants_report = report("variants.toml", files.variants);

    check_slug(&mut prompt_report, 0, "folder name", slug);
    let prompt = prompt::read(&mut prompt_report);
    let rubric = rubric::read(&mut rubric_report);
    let estimates = estimates::read(&mut estimates_report);
    let reference = reference::read(&mut reference_report);

    let scale = prompt.front.as_ref().map(|front| front.scale.as_slice());
    // What is wrong with the numbers themselves would only come up again with each variant.
    let base = estimates.as_ref().filter(|_| estimates_report.is_sound());
    let variants = variant::read(&mut variants_report, scale, base);

    if let (Some(questions), Some(answers)) = (&prompt.curveballs, &reference.answers) {
        check_answers(&mut reference_report, questions, answers);
    }
    let mut reports = [
        prompt_report,
        rubric_report,
        estimates_report,
        reference_report,
        variants_report,
    ];
    check_citations(&mut reports, prompt.declared.as_deref(), sources);

    let links = reports.iter_mut().flat_map(Report::take_links).collect();
    let parts = PromptParts {
        prompt,
        rubric,
        estimates,
        reference,
        variants,
    };
    let value = assemble(slug, parts, links);
    Parsed::new(
        value,
        reports
            .into_iter()
            .flat_map(Report::into_diagnostics)
            .collect(),
    )
}

/// What the five files say, as far as they could be read.
struct PromptParts {
    prompt: PromptText,
    rubric: Option<Rubric>,
    estimates: Option<Estimates>,
    reference: ReferenceText,
    variants: Option<Vec<Variant>>,
}

fn assemble(slug: &str, parts: PromptParts, links: Vec<Link>) -> Option<Prompt> {
    let text = parts.prompt;
    let answers = parts.reference.answers.as_ref();
    let front = text.front?;
    let curveballs = text.curveballs?.into_iter().map(|question| {
        let id = question.id?;
        let answer = answers?
            .answers
            .iter()
            .find(|answer| answer.id.as_ref() == Some(&id))?
            .text
            .clone();
        Some(Curveball {
            id,
            title: question.title,
            minute: question.minute?,
            level: question.level?,
            question: question.text,
            answer,
        })
    });
    Some(Prompt {
        slug: slug.to_owned(),
        title: front.title,
        summary: front.summary,
        levels: front.levels,
        minutes: front.minutes,
        topics: front.topics,
        named: front.named,
        scale: front.scale,
        sources: text
            .declared?
            .into_iter()
            .map(|source| source.value)
            .collect(),
        situation: text.situation?,
        functional: text.functional?,
        quality: text.quality?,
        out_of_scope: text.out_of_scope?,
        hints: text.hints?,
        curveballs: curveballs.collect::<Option<_>>()?,
        rubric: parts.rubric?,
        estimates: parts.estimates?,
        reference: parts.reference.reference?,
        variants: parts.variants?,
        links,
    })
}

/// Each curveball has an answer, and each answer a curveball. One without an id, a fault already, may be any other's counterpart.
fn check_answers(reference: &mut Report<'_>, questions: &[Question], answers: &Answers) {
    let asked: Option<Vec<&str>> = questions
        .iter()
        .map(|question| question.id.as_deref())
        .collect();
    let answered: Option<Vec<&str>> = answers
        .answers
        .iter()
        .map(|answer| answer.id.as_deref())
        .collect();
    let (Some(asked), Some(answered)) = (asked, answered) else {
        return;
    };
    let unanswered: Vec<&str> = asked
        .iter()
        .copied()
        .filter(|id| !answered.contains(id))
        .collect();
    let mut meant = Vec::new();
    for (answer, id) in answers
        .answers
        .iter()
        .zip(&answered)
        .filter(|(_, id)| !asked.contains(id))
    {
        meant.extend(nearest(id, unanswered.iter().copied()));
        reference.at(
            answer.offset,
            unknown("curveball of prompt.md", id, &unanswered),
        );
    }
    for id in unanswered.iter().filter(|id| !meant.contains(id)) {
        reference.at(
            answers.offset,
            format!("no answer to curveball {id:?} of prompt.md"),
        );
    }
}

/// Each citation names a source that exists and that the first file declares; each source declared is cited somewhere.
fn check_citations(reports: &mut [Report<'_>], declared: Option<&[Text]>, sources: &[Source]) {
    let known: Vec<&str> = sources.iter().map(|source| source.id.as_str()).collect();
    let not_a_source = |id: &str| match id {
        source::OURS => Some(format!("{id:?} is our own judgement, not a source to cite")),
        _ if known.contains(&id) => None,
        _ => Some(format!("unknown source {id:?}, not in sources.toml")),
    };
    let file = reports.first().map_or("it", Report::name).to_owned();
    let is_declared =
        |id: &str| declared.is_some_and(|declared| declared.iter().any(|text| text.value == id));

    let mut cited = Vec::new();
    for report in reports.iter_mut() {
        for Citation { offset, id } in std::mem::take(&mut report.citations) {
            // A declared id that is no source is a fault where it is declared.
            if !is_declared(&id) {
                if let Some(message) = not_a_source(&id) {
                    report.at(offset, message);
                } else if declared.is_some() {
                    report.at(
                        offset,
                        format!("source {id:?} is not among the sources that {file} declares"),
                    );
                }
            }
            cited.push(id);
        }
    }

    let all_read = reports.iter().all(Report::is_complete);
    let Some(first) = reports.first_mut() else {
        return;
    };
    let declared = declared.unwrap_or_default();
    for (index, source) in declared.iter().enumerate() {
        let id = &source.value;
        let fault = if let Some(message) = not_a_source(id) {
            message
        } else if declared[..index].iter().any(|earlier| earlier.value == *id) {
            format!("source {id:?} stands here a second time")
        } else if all_read && !cited.contains(id) {
            format!("source {id:?} is declared but never cited")
        } else {
            continue;
        };
        first.at(source.offset, fault);
    }
}

/// A slug: lower-case letters, digits and `-`, neither first nor last, up to 60.
fn check_slug(report: &mut Report<'_>, offset: usize, what: &str, slug: &str) {
    let well_formed = (1..=60).contains(&slug.len())
        && slug
            .chars()
            .all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
        && !slug.starts_with('-')
        && !slug.ends_with('-');
    if !well_formed {
        report.at(
            offset,
            format!("{what} {slug:?} must be lower-case letters, digits and -, up to 60"),
        );
    }
}
