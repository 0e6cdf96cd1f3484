//! `exercises/debugging/<slug>/`: an incident whose evidence comes step by step, and what a strong responder says to each.
//!
//! Must never know what a person answered.

use super::super::diagnostic::{Report, unknown};
use super::super::markdown::{self, BlockKind, Section};
use super::super::{Link, Parsed, Source, check_slug, prose};
use super::rubric::{self, Rubric};
use super::{Front, check_words, count_words, finish, folder, read_front, split};
use crate::domain::exercise::Kind;

/// How the question at the end of a step begins.
const QUESTION: &str = "Question:";

/// The texts of an incident's three files.
#[derive(Clone, Copy, Debug)]
pub struct IncidentFiles<'a> {
    /// `scenario.md`
    pub scenario: &'a str,
    /// `answer.md`
    pub answer: &'a str,
    /// `rubric.toml`
    pub rubric: &'a str,
}

/// An incident to debug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub slug: String,
    pub front: Front,
    /// The ids of the sources cited in any of the files.
    pub sources: Vec<String>,
    /// Markdown: the service, what was deployed, who one is.
    pub situation: String,
    /// Markdown: the alert.
    pub page: String,
    /// In the order in which they are shown.
    pub steps: Vec<Step>,
    /// Markdown, as are the next three; nobody sees them before scoring.
    pub root_cause: String,
    pub mitigation: String,
    pub follow_ups: String,
    pub post_mortem: String,
    pub rubric: Rubric,
    /// Those to pages of ours, from any of the files.
    pub links: Vec<Link>,
}

impl Incident {
    pub fn step_ids(&self) -> Vec<&str> {
        self.steps.iter().map(|step| step.id.as_str()).collect()
    }
}

/// One step of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A slug, unique within the incident.
    pub id: String,
    pub title: String,
    /// Markdown.
    pub evidence: String,
    /// Markdown, a paragraph: what is asked at this point.
    pub question: String,
    /// Markdown: what a strong responder says here. Nobody sees it before scoring.
    pub answer: String,
}

/// Reads an incident. `slug` is its folder's name; `sources` is what may be cited.
pub fn parse_incident(
    slug: &str,
    files: IncidentFiles<'_>,
    sources: &[Source],
) -> Parsed<Incident> {
    let report =
        |name: &str, text| Report::new(format!("{}/{name}", folder(Kind::Debugging, slug)), text);
    let mut scenario_report = report("scenario.md", files.scenario);
    let mut answer_report = report("answer.md", files.answer);
    let mut rubric_report = report("rubric.toml", files.rubric);

    let front_place = split(&mut scenario_report);
    let scenario = read_scenario(&mut scenario_report, front_place.body);
    let (front, declared) = read_front(&mut scenario_report, front_place, &[30, 45, 60]);
    let answer = read_answer(&mut answer_report);
    let rubric = rubric::read(&mut rubric_report, Kind::Debugging);
    if let (Some(asked), Some(answered)) = (&scenario.steps, &answer.steps) {
        check_steps(&mut answer_report, asked, answered);
    }

    let was_declared = declared.is_some();
    let common = finish(
        [scenario_report, answer_report, rubric_report],
        slug,
        declared,
        sources,
    );
    let assemble = || {
        let answered = answer.steps?;
        let steps = scenario.steps?.into_iter().map(|asked| {
            let id = asked.id?;
            let told = answered.iter().find(|told| told.id.as_ref() == Some(&id))?;
            Some(Step {
                id,
                title: asked.title,
                evidence: asked.text,
                question: asked.question?,
                answer: told.text.clone(),
            })
        });
        let [root_cause, mitigation, follow_ups, post_mortem] = answer.parts;
        Some(Incident {
            slug: slug.to_owned(),
            front: front?,
            sources: was_declared.then_some(common.sources)?,
            situation: scenario.situation?,
            page: scenario.page?,
            steps: steps.collect::<Option<_>>()?,
            root_cause: root_cause?,
            mitigation: mitigation?,
            follow_ups: follow_ups?,
            post_mortem: post_mortem?,
            rubric: rubric?,
            links: common.links,
        })
    };
    Parsed::new(assemble(), common.diagnostics)
}

/// An entry under "Steps", of either file.
struct Entry {
    id: Option<String>,
    /// Where the id stands, or the heading.
    offset: usize,
    title: String,
    /// Markdown, without the question.
    text: String,
    question: Option<String>,
}

struct ScenarioText {
    situation: Option<String>,
    page: Option<String>,
    steps: Option<Vec<Entry>>,
}

fn read_scenario(report: &mut Report<'_>, start: usize) -> ScenarioText {
    let body = &report.text[start..];
    let outline = markdown::read(report, body, |offset| start + offset);
    let names = ["Situation", "The page", "Steps"];
    let mut sections = markdown::sections(report, &outline, start, &names).into_iter();
    let (situation, page, steps) = (
        sections.next().flatten(),
        sections.next().flatten(),
        sections.next().flatten(),
    );
    prose::check(report, body, |offset| start + offset);
    if let Some(situation) = &situation {
        situation.no_headings(report);
        check_words(report, situation, 80..=300);
    }
    if let Some(page) = &page {
        page.no_headings(report);
    }
    let text = |section: Section<'_, '_>| section.text.to_owned();
    ScenarioText {
        steps: steps.map(|section| {
            let steps = read_steps(report, &section, true);
            let offsets: Vec<usize> = steps.iter().map(|step| step.offset).collect();
            report.count("steps", 4..=6, &offsets, section.heading.span.start);
            steps
        }),
        situation: situation.map(text),
        page: page.map(text),
    }
}

struct AnswerText {
    steps: Option<Vec<Entry>>,
    /// Root cause, mitigation, follow-ups, and what a post-mortem says.
    parts: [Option<String>; 4],
}

fn read_answer(report: &mut Report<'_>) -> AnswerText {
    let outline = markdown::read(report, report.text, |offset| offset);
    prose::check(report, report.text, |offset| offset);
    let names = [
        "Steps",
        "Root cause",
        "Mitigation",
        "Follow-ups",
        "What a post-mortem says",
    ];
    let mut sections = markdown::sections(report, &outline, 0, &names).into_iter();
    let steps = sections.next().flatten();
    let parts: [_; 4] = std::array::from_fn(|_| sections.next().flatten());
    for part in parts.iter().flatten() {
        part.no_headings(report);
    }
    if let [.., Some(post_mortem)] = &parts {
        check_words(report, post_mortem, 120..=360);
    }
    let steps = steps.map(|section| {
        let steps = read_steps(report, &section, false);
        for step in &steps {
            let what = format!("the answer to {:?}", step.title);
            count_words(report, step.offset, &what, &step.text, 60..=260);
        }
        steps
    });
    AnswerText {
        steps,
        parts: parts.map(|part| part.map(|section| section.text.to_owned())),
    }
}

fn read_steps<'t>(
    report: &mut Report<'t>,
    section: &Section<'t, '_>,
    with_question: bool,
) -> Vec<Entry> {
    let mut steps: Vec<Entry> = Vec::new();
    for entry in section.entries(report) {
        entry.no_headings(report);
        let (id, []) = entry.heading.attributes(report, true, []);
        let offset = id.map_or(entry.heading.span.start, |id| {
            entry.heading.place(report, id)
        });
        if let Some(id) = id {
            check_slug(report, offset, "step id", id);
            if steps
                .iter()
                .any(|earlier| earlier.id.as_deref() == Some(id))
            {
                report.at(offset, format!("step {id:?} stands here a second time"));
            }
        }
        let (text, question) = if with_question {
            split_question(report, &entry)
        } else {
            (entry.text, None)
        };
        steps.push(Entry {
            id: id.map(str::to_owned),
            offset,
            title: entry.heading.title.clone(),
            text: text.to_owned(),
            question: question.map(str::to_owned),
        });
    }
    steps
}

/// A step's evidence, and the one paragraph at its end that asks.
fn split_question<'t>(
    report: &mut Report<'t>,
    entry: &Section<'t, '_>,
) -> (&'t str, Option<&'t str>) {
    let text = entry.text;
    let start = entry.heading.span.start;
    let asks = |offset: usize| report.text[offset..].starts_with(QUESTION);
    let asking: Vec<usize> = entry
        .blocks
        .iter()
        .filter(|block| block.kind == BlockKind::Paragraph && asks(block.offset))
        .map(|block| block.offset)
        .collect();
    let last = entry.blocks.last().map(|block| block.offset);
    let is_last = asking.last().is_some_and(|offset| Some(*offset) == last);
    if asking.len() != 1 || !is_last {
        let message = format!(
            "a step ends with one paragraph that begins with {QUESTION:?}, found {}",
            match asking.len() {
                0 => "none".to_owned(),
                1 => "something after it".to_owned(),
                count => count.to_string(),
            }
        );
        report.at(asking.first().copied().unwrap_or(start), message);
    }
    let Some(at) = text.rfind(QUESTION).filter(|_| is_last) else {
        return (text, None);
    };
    let evidence = text[..at].trim_end();
    if evidence.is_empty() {
        report.at(start, "a step without evidence");
    }
    let question = text[at + QUESTION.len()..].trim();
    if question.is_empty() {
        report.at(
            asking.first().copied().unwrap_or(start),
            "an empty question",
        );
    }
    (evidence, Some(question))
}

/// Each step has an answer of the same id, in the same order. One without an id, a fault already, may be any other's.
fn check_steps(report: &mut Report<'_>, asked: &[Entry], answered: &[Entry]) {
    let ids = |steps: &[Entry]| -> Option<Vec<String>> {
        steps.iter().map(|step| step.id.clone()).collect()
    };
    let (Some(asked), Some(told)) = (ids(asked), ids(answered)) else {
        return;
    };
    let unanswered: Vec<&str> = asked
        .iter()
        .filter(|id| !told.contains(id))
        .map(String::as_str)
        .collect();
    let mut strays = 0;
    for (step, id) in answered.iter().zip(&told) {
        if !asked.contains(id) {
            strays += 1;
            let message = unknown("step of scenario.md", id, &unanswered);
            report.at(step.offset, message);
        }
    }
    for id in unanswered.iter().skip(strays) {
        report.absent(0, format!("no answer to step {id:?} of scenario.md"));
    }
    let common: Vec<&String> = asked.iter().filter(|id| told.contains(id)).collect();
    let in_order = told.iter().filter(|id| asked.contains(id));
    for (id, expected) in in_order.zip(common) {
        if id != expected {
            let step = answered.iter().find(|step| step.id.as_ref() == Some(id));
            let message = format!("the answer to {expected:?} comes first, as in scenario.md");
            report.at(step.map_or(0, |step| step.offset), message);
            return;
        }
    }
}
