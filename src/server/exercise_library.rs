//! The published exercises, read, checked and rendered once: incidents to debug and changes to review.
//!
//! Must never know a person's work on one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::content::exercise::{
    Change, CodeReview, CodeReviewFiles, Front, Incident, IncidentFiles, LineKind,
    parse_code_review, parse_incident,
};
use crate::domain::content::{Diagnostic, Link, Source};
use crate::domain::exercise::Kind;
use crate::domain::markup::escape;

use super::content_library::sources_of;
use super::glossary::{Glossary, OnAPage};
use super::markdown::{Highlighter, Place, render_or_explain};

const INCIDENT_FILES: [&str; 3] = ["scenario.md", "answer.md", "rubric.toml"];
const CODE_REVIEW_FILES: [&str; 4] = ["review.md", "change.diff", "faults.toml", "rubric.toml"];

fn files_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Debugging => &INCIDENT_FILES,
        Kind::CodeReview => &CODE_REVIEW_FILES,
    }
}

/// The texts of the exercises, by kind and folder.
#[derive(Default)]
pub struct ExerciseFolders<'t> {
    folders: BTreeMap<(Kind, &'t str), BTreeMap<&'t str, &'t str>>,
}

impl<'t> ExerciseFolders<'t> {
    /// Whether a file of this name has a place in a folder of this kind.
    pub fn takes(&self, kind: &str, file: &str) -> bool {
        Kind::from_slug(kind).is_some_and(|kind| files_of(kind).contains(&file))
    }

    pub fn put(&mut self, kind: &str, slug: &'t str, file: &'t str, text: &'t str) {
        if let Some(kind) = Kind::from_slug(kind) {
            let folder = self.folders.entry((kind, slug)).or_default();
            folder.insert(file, text);
        }
    }

    /// The exercises that are in order, and everything that is wrong with the others.
    pub fn parse(self, sources: &[Source]) -> (ParsedExercises, Vec<Diagnostic>) {
        let mut parsed = ParsedExercises::default();
        let mut faults = Vec::new();
        for ((kind, slug), texts) in self.folders {
            let missing = files_of(kind)
                .iter()
                .filter(|file| !texts.contains_key(*file))
                .map(|file| Diagnostic {
                    file: format!("exercises/{}/{slug}/{file}", kind.slug()),
                    line: 1,
                    column: 1,
                    message: "this file is missing".to_owned(),
                });
            let missing: Vec<Diagnostic> = missing.collect();
            if !missing.is_empty() {
                faults.extend(missing);
                continue;
            }
            match kind {
                Kind::Debugging => {
                    let [scenario, answer, rubric] = INCIDENT_FILES.map(|file| texts[file]);
                    let files = IncidentFiles {
                        scenario,
                        answer,
                        rubric,
                    };
                    let read = parse_incident(slug, files, sources);
                    let sound = read.diagnostics.is_empty();
                    faults.extend(read.diagnostics);
                    parsed.incidents.extend(read.value.filter(|_| sound));
                }
                Kind::CodeReview => {
                    let [review, change, planted, rubric] =
                        CODE_REVIEW_FILES.map(|file| texts[file]);
                    let files = CodeReviewFiles {
                        review,
                        change,
                        faults: planted,
                        rubric,
                    };
                    let read = parse_code_review(slug, files, sources);
                    let sound = read.diagnostics.is_empty();
                    faults.extend(read.diagnostics);
                    parsed.code_reviews.extend(read.value.filter(|_| sound));
                }
            }
        }
        (parsed, faults)
    }
}

/// Exercises that are in order, not rendered yet.
#[derive(Debug, Default)]
pub struct ParsedExercises {
    incidents: Vec<Incident>,
    code_reviews: Vec<CodeReview>,
}

impl ParsedExercises {
    /// Whether there is an exercise at a path.
    pub fn is_address(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match segments[..] {
            ["exercises"] => true,
            ["exercises", "debugging", slug] => self.incidents.iter().any(|one| one.slug == slug),
            ["exercises", "code-review", slug] => {
                self.code_reviews.iter().any(|one| one.slug == slug)
            }
            _ => false,
        }
    }

    /// The links to pages of ours.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        let incidents = self.incidents.iter().flat_map(|incident| &incident.links);
        let reviews = self.code_reviews.iter().flat_map(|review| &review.links);
        incidents.chain(reviews)
    }

    /// Renders them, by title.
    pub fn publish(self, sources: &[Source], glossary: &Glossary) -> Exercises {
        let mut exercises = Exercises {
            incidents: self
                .incidents
                .into_iter()
                .map(|incident| Arc::new(PublishedIncident::new(incident, sources, glossary)))
                .collect(),
            code_reviews: self
                .code_reviews
                .into_iter()
                .map(|review| Arc::new(PublishedCodeReview::new(review, sources, glossary)))
                .collect(),
        };
        exercises
            .incidents
            .sort_by(|one, other| one.incident.front.title.cmp(&other.incident.front.title));
        exercises
            .code_reviews
            .sort_by(|one, other| one.review.front.title.cmp(&other.review.front.title));
        exercises
    }
}

/// The published exercises, ready to show.
#[derive(Clone, Debug, Default)]
pub struct Exercises {
    /// By title, as are the others.
    pub incidents: Vec<Arc<PublishedIncident>>,
    pub code_reviews: Vec<Arc<PublishedCodeReview>>,
}

impl Exercises {
    pub fn incident(&self, slug: &str) -> Option<&Arc<PublishedIncident>> {
        self.incidents.iter().find(|one| one.incident.slug == slug)
    }

    pub fn code_review(&self, slug: &str) -> Option<&Arc<PublishedCodeReview>> {
        self.code_reviews.iter().find(|one| one.review.slug == slug)
    }

    /// What an exercise says of itself.
    pub fn front(&self, kind: Kind, slug: &str) -> Option<&Front> {
        match kind {
            Kind::Debugging => self.incident(slug).map(|found| &found.incident.front),
            Kind::CodeReview => self.code_review(slug).map(|found| &found.review.front),
        }
    }

    /// Slug and front matter of each exercise of a kind.
    pub fn of_kind(&self, kind: Kind) -> Vec<(&str, &Front)> {
        match kind {
            Kind::Debugging => (self.incidents.iter())
                .map(|found| (found.incident.slug.as_str(), &found.incident.front))
                .collect(),
            Kind::CodeReview => (self.code_reviews.iter())
                .map(|found| (found.review.slug.as_str(), &found.review.front))
                .collect(),
        }
    }
}

/// An incident with its Markdown rendered.
#[derive(Debug)]
pub struct PublishedIncident {
    pub incident: Incident,
    pub situation: String,
    pub page: String,
    /// In the order of the incident's steps.
    pub steps: Vec<PublishedStep>,
    pub root_cause: String,
    pub mitigation: String,
    pub follow_ups: String,
    pub post_mortem: String,
    pub sources: Vec<Source>,
}

/// A step with its Markdown rendered.
#[derive(Debug)]
pub struct PublishedStep {
    pub evidence: String,
    pub question: String,
    pub answer: String,
}

/// Renders the texts of one exercise.
struct Renderer<'a> {
    cited: Vec<String>,
    terms: OnAPage<'a>,
}

impl<'a> Renderer<'a> {
    fn new(cited: &[String], glossary: &'a Glossary) -> Self {
        // A text without sources is still ours: the longer limit holds for it too.
        let cited = if cited.is_empty() {
            vec!["-".to_owned()]
        } else {
            cited.to_vec()
        };
        Self {
            cited,
            terms: glossary.on_a_page(),
        }
    }

    fn render(&self, prefix: &str, text: &str) -> String {
        let place = Place {
            prefix,
            top_heading: 4,
            sources: &self.cited,
            terms: Some(&self.terms),
        };
        render_or_explain(text, place)
    }
}

impl PublishedIncident {
    fn new(incident: Incident, sources: &[Source], glossary: &Glossary) -> Self {
        // What is asked and what is told are on different pages.
        let asked = Renderer::new(&incident.sources, glossary);
        let told = Renderer::new(&incident.sources, glossary);
        Self {
            situation: asked.render("situation", &incident.situation),
            page: asked.render("page", &incident.page),
            steps: incident
                .steps
                .iter()
                .map(|step| PublishedStep {
                    evidence: asked.render(&format!("evidence-{}", step.id), &step.evidence),
                    question: asked.render(&format!("question-{}", step.id), &step.question),
                    answer: told.render(&format!("answer-{}", step.id), &step.answer),
                })
                .collect(),
            root_cause: told.render("root-cause", &incident.root_cause),
            mitigation: told.render("mitigation", &incident.mitigation),
            follow_ups: told.render("follow-ups", &incident.follow_ups),
            post_mortem: told.render("post-mortem", &incident.post_mortem),
            sources: sources_of(&incident.sources, sources),
            incident,
        }
    }
}

/// A code review with its Markdown rendered and its change highlighted.
#[derive(Debug)]
pub struct PublishedCodeReview {
    pub review: CodeReview,
    pub context: String,
    pub good_review: String,
    /// Each line's code as HTML, by file, in the order of the file's lines.
    pub code: Vec<Vec<String>>,
    /// In the order of the faults: the explanation and the fix.
    pub faults: Vec<(String, String)>,
    /// In the order of the traps.
    pub traps: Vec<String>,
    pub sources: Vec<Source>,
}

impl PublishedCodeReview {
    fn new(review: CodeReview, sources: &[Source], glossary: &Glossary) -> Self {
        let asked = Renderer::new(&review.sources, glossary);
        let told = Renderer::new(&review.sources, glossary);
        let faults = review.faults.iter().map(|fault| {
            let explanation = told.render(&format!("why-{}", fault.id), &fault.explanation);
            (
                explanation,
                told.render(&format!("fix-{}", fault.id), &fault.fix),
            )
        });
        let traps = review.traps.iter().enumerate();
        let traps =
            traps.map(|(number, trap)| told.render(&format!("trap-{number}"), &trap.explanation));
        Self {
            context: asked.render("context", &review.context),
            good_review: told.render("good-review", &review.good_review),
            code: highlight(&review.change),
            faults: faults.collect(),
            traps: traps.collect(),
            sources: sources_of(&review.sources, sources),
            review,
        }
    }
}

/// The lines of each file as HTML. Within a hunk the old side and the new side are each read as one text.
fn highlight(change: &Change) -> Vec<Vec<String>> {
    change
        .files
        .iter()
        .map(|file| {
            let extension = file.path.rsplit('.').next().unwrap_or_default();
            // The nearest that is known.
            let language = match extension {
                "ts" | "tsx" | "jsx" => "js",
                other => other,
            };
            let mut code = Vec::new();
            for hunk in &file.hunks {
                let (mut old, mut new) = (Highlighter::new(language), Highlighter::new(language));
                for line in &hunk.lines {
                    let text = format!("{}\n", line.text);
                    let read = |side: &mut Option<Highlighter>| {
                        side.as_mut().and_then(|side| side.line(&text))
                    };
                    let html = match line.kind {
                        LineKind::Added => read(&mut new),
                        LineKind::Removed => read(&mut old),
                        LineKind::Context => {
                            read(&mut old);
                            read(&mut new)
                        }
                    };
                    let html = html.unwrap_or_else(|| escape(&line.text));
                    code.push(html.replace('\n', ""));
                }
            }
            code
        })
        .collect()
}
