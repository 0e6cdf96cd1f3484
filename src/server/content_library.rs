//! The published content, read, checked and rendered once, and served from memory.
//!
//! It comes from a directory or from inside the program. A library with a fault is never served, except under `dev`,
//! where the page shows the fault and an edit is picked up by the next request.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_embed::RustEmbed;

use crate::domain::calculator;
use crate::domain::content::shelf::{SHELF_PAGES, Shelf, ShelfTexts, parse_shelf};
use crate::domain::content::{
    Diagnostic, Estimates, Page, Parsed, Parts, Prompt, PromptFiles, Source, Variant, check_whole,
    dead_links, parse_glossary, parse_page, parse_prompt, parse_sources,
};
use crate::domain::phase::Phase;

use super::exercise_library::{ExerciseFolders, Exercises};
use super::glossary::{self, Glossary};
use super::markdown::{OUR_OWN, Place, render_or_explain};
use super::session::sha256_hex;

#[derive(RustEmbed)]
#[folder = "content"]
struct EmbeddedContent;

/// Everything that is published, ready to show.
#[derive(Debug, Default)]
pub struct Library {
    /// By title.
    pub prompts: Vec<Arc<PublishedPrompt>>,
    /// The reference shelf, in its order.
    pub pages: Vec<Arc<PublishedPage>>,
    pub exercises: Exercises,
    pub glossary: Arc<Glossary>,
    pub sources: Vec<Source>,
    /// The data of the reference shelf; `None` when there are none, or they have a fault.
    pub shelf: Option<Arc<Shelf>>,
    /// Changes with any byte of the content.
    pub version: String,
    pub diagnostics: Vec<Diagnostic>,
}

/// A prompt with its Markdown rendered.
#[derive(Debug)]
pub struct PublishedPrompt {
    pub prompt: Prompt,
    pub situation: String,
    pub functional: String,
    pub quality: String,
    pub out_of_scope: String,
    /// In the order of the prompt's hints, curveballs and estimates.
    pub hints: Vec<String>,
    pub questions: Vec<String>,
    pub answers: Vec<String>,
    pub workings: Vec<String>,
    /// In the order of [`Phase::ALL`].
    pub reference: Vec<String>,
    pub staff: String,
    /// In the order of the prompt's variants: what changes, and what that does to the reference.
    pub changes: Vec<String>,
    pub variant_answers: Vec<String>,
    /// The sources that the prompt cites, in its order.
    pub sources: Vec<Source>,
}

/// A page of the reference shelf with its Markdown rendered.
#[derive(Debug)]
pub struct PublishedPage {
    pub page: Page,
    pub html: String,
}

impl PublishedPage {
    fn new(page: Page, glossary: &Glossary) -> Self {
        let terms = glossary.on_a_page();
        let mut citable = page.sources.clone();
        citable.extend(OUR_OWN.map(str::to_owned));
        Self {
            html: render_or_explain(
                &page.body,
                Place {
                    prefix: "on",
                    top_heading: 1,
                    sources: &citable,
                    terms: Some(&terms),
                },
            ),
            page,
        }
    }
}

/// The sources with these ids, in their order.
pub(super) fn sources_of(ids: &[String], sources: &[Source]) -> Vec<Source> {
    ids.iter()
        .filter_map(|id| sources.iter().find(|source| source.id == *id).cloned())
        .collect()
}

impl PublishedPrompt {
    fn new(prompt: Prompt, sources: &[Source], glossary: &Glossary) -> Self {
        // The question and the answer are on different pages.
        let (asked, answered) = (glossary.on_a_page(), glossary.on_a_page());
        let terms = |prefix: &str| {
            let of_answer = ["answer", "working", "reference", "staff", "variant-answer"];
            if of_answer.iter().any(|start| prefix.starts_with(start)) {
                &answered
            } else {
                &asked
            }
        };
        let cited = prompt.sources.clone();
        let at = |prefix: &str, top_heading: usize, text: &str| {
            // A text without sources is still ours: the longer limit holds for it too.
            let none = [String::from("-")];
            let sources = if cited.is_empty() {
                &none[..]
            } else {
                &cited[..]
            };
            render_or_explain(
                text,
                Place {
                    prefix,
                    top_heading,
                    sources,
                    terms: Some(terms(prefix)),
                },
            )
        };
        let numbered = |prefix: &str, texts: Vec<&str>| {
            texts
                .iter()
                .enumerate()
                .map(|(number, text)| at(&format!("{prefix}-{number}"), 4, text))
                .collect()
        };
        Self {
            situation: at("situation", 2, &prompt.situation),
            functional: at("functional", 2, &prompt.functional),
            quality: at("quality", 2, &prompt.quality),
            out_of_scope: at("scope", 2, &prompt.out_of_scope),
            hints: numbered(
                "hint",
                prompt.hints.iter().map(|hint| hint.body.as_str()).collect(),
            ),
            questions: numbered(
                "question",
                prompt
                    .curveballs
                    .iter()
                    .map(|ball| ball.question.as_str())
                    .collect(),
            ),
            answers: numbered(
                "answer",
                prompt
                    .curveballs
                    .iter()
                    .map(|ball| ball.answer.as_str())
                    .collect(),
            ),
            workings: numbered(
                "working",
                prompt
                    .estimates
                    .estimates
                    .iter()
                    .map(|estimate| estimate.working.as_str())
                    .collect(),
            ),
            reference: Phase::ALL
                .iter()
                .map(|phase| {
                    at(
                        &format!("reference-{}", phase.slug()),
                        2,
                        prompt.reference.section(*phase),
                    )
                })
                .collect(),
            staff: at("staff", 2, &prompt.reference.staff),
            changes: numbered(
                "variant",
                prompt
                    .variants
                    .iter()
                    .map(|variant| variant.changes.as_str())
                    .collect(),
            ),
            variant_answers: numbered(
                "variant-answer",
                prompt
                    .variants
                    .iter()
                    .map(|variant| variant.answer.as_str())
                    .collect(),
            ),
            sources: sources_of(&cited, sources),
            prompt,
        }
    }
}

impl PublishedPrompt {
    /// The numbers of the prompt as it stands, or with a variant's changes.
    pub fn estimates_for(&self, variant: Option<&str>) -> &Estimates {
        self.variant(variant)
            .map_or(&self.prompt.estimates, |found| &found.variant.estimates)
    }

    /// The variant of this id with what it changes, and what that does to the reference, rendered.
    pub fn variant(&self, id: Option<&str>) -> Option<PublishedVariant<'_>> {
        let id = id?;
        let at = self
            .prompt
            .variants
            .iter()
            .position(|variant| variant.id == id)?;
        Some(PublishedVariant {
            variant: self.prompt.variants.get(at)?,
            changes: self.changes.get(at)?,
            answer: self.variant_answers.get(at)?,
        })
    }
}

/// A variant of a prompt with its Markdown rendered.
#[derive(Clone, Copy, Debug)]
pub struct PublishedVariant<'a> {
    pub variant: &'a Variant,
    pub changes: &'a str,
    pub answer: &'a str,
}

impl Library {
    /// The prompts and pages whose texts use a term: title and address.
    pub fn uses_of(&self, term: &str) -> impl Iterator<Item = (String, String)> {
        let link = format!("\"{}\"", glossary::address(term));
        let of_link = link.clone();
        let prompts = self.prompts.iter().filter_map(move |published| {
            let prompt = &published.prompt;
            // The answer is not looked at: where a term stands in it would tell of it.
            let texts = [
                &published.situation,
                &published.functional,
                &published.quality,
                &published.out_of_scope,
            ];
            let used = texts.iter().any(|html| html.contains(&of_link));
            used.then(|| (prompt.title.clone(), format!("/prompts/{}", prompt.slug)))
        });
        let pages = self.pages.iter().filter_map(move |published| {
            let page = &published.page;
            let used = published.html.contains(&link);
            used.then(|| (page.title.clone(), format!("/reference/{}", page.slug)))
        });
        prompts.chain(pages)
    }

    /// The sources with these ids, in their order.
    pub fn sources_of(&self, ids: &[String]) -> Vec<Source> {
        sources_of(ids, &self.sources)
    }

    pub fn page(&self, slug: &str) -> Option<&Arc<PublishedPage>> {
        self.pages
            .iter()
            .find(|published| published.page.slug == slug)
    }

    pub fn prompt(&self, slug: &str) -> Option<&Arc<PublishedPrompt>> {
        self.prompts
            .iter()
            .find(|published| published.prompt.slug == slug)
    }

    /// Reads and checks everything; faults are in `diagnostics`.
    pub fn read(origin: &Origin) -> std::io::Result<Self> {
        let files = origin.files()?;
        let mut diagnostics = Vec::new();
        let mut take = |found: Vec<Diagnostic>| diagnostics.extend(found);

        let Parsed {
            value: sources,
            diagnostics: found,
        } = parse_sources(
            "sources.toml",
            files.get("sources.toml").map_or("", String::as_str),
        );
        take(found);
        let sources = sources.unwrap_or_default();

        let mut shelf_texts = ShelfTexts::new();
        let mut folders: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
        let mut pages = Vec::new();
        let mut glossary: Vec<(&str, &str)> = Vec::new();
        let mut exercises = ExerciseFolders::default();
        for (path, text) in &files {
            let parts: Vec<&str> = path.split('/').collect();
            match parts[..] {
                ["sources.toml"] => {}
                ["prompts", slug, file] if PROMPT_FILES.contains(&file) => {
                    folders.entry(slug).or_default().insert(file, text);
                }
                ["reference", file] => match file.rsplit_once('.') {
                    Some((page, "toml")) if SHELF_PAGES.contains(&page) => {
                        shelf_texts.insert(page, text);
                    }
                    Some((page, "md")) => {
                        let parsed = parse_page(page, text, &sources);
                        take(parsed.diagnostics);
                        pages.extend(parsed.value);
                    }
                    _ => take(vec![misplaced(path)]),
                },
                ["glossary", file]
                    if file
                        .rsplit_once('.')
                        .is_some_and(|(_, kind)| kind == "toml") =>
                {
                    glossary.push((path, text));
                }
                ["exercises", kind, slug, file] if exercises.takes(kind, file) => {
                    exercises.put(kind, slug, file, text);
                }
                _ => take(vec![misplaced(path)]),
            }
        }
        let parsed = parse_glossary(&glossary, &sources);
        take(parsed.diagnostics);
        let terms = parsed.value.unwrap_or_default();
        // A folder of prompts alone is whole, too.
        let shelf = if shelf_texts.is_empty() {
            None
        } else {
            let Parsed {
                value,
                diagnostics: found,
            } = parse_shelf(&shelf_texts, &sources);
            let sound = found.is_empty();
            take(found);
            value.filter(|_| sound).map(Arc::new)
        };
        let mut prompts = Vec::new();
        for (slug, texts) in folders {
            let missing: Vec<_> = PROMPT_FILES
                .iter()
                .filter(|file| !texts.contains_key(*file))
                .collect();
            if !missing.is_empty() {
                for file in missing {
                    take(vec![fault(
                        &format!("prompts/{slug}/{file}"),
                        "this file is missing",
                    )]);
                }
                continue;
            }
            let [prompt, rubric, estimates, reference, variants] =
                PROMPT_FILES.map(|file| texts[file]);
            let files = PromptFiles {
                prompt,
                rubric,
                estimates,
                reference,
                variants,
            };
            let parsed = parse_prompt(slug, files, &sources);
            let sound = parsed.diagnostics.is_empty();
            take(parsed.diagnostics);
            prompts.extend(parsed.value.filter(|_| sound));
        }
        let parts = Parts {
            prompts: &prompts,
            pages: &pages,
            terms: &terms,
        };
        let (exercises, found) = exercises.parse(&sources);
        take(found);
        let exists = |path: &str| is_address(path, parts) || exercises.is_address(path);
        take(check_whole(parts, exists));
        take(dead_links(exercises.links(), exists));

        let glossary = Glossary::new(terms);
        let mut prompts: Vec<Arc<PublishedPrompt>> = prompts
            .into_iter()
            .map(|prompt| Arc::new(PublishedPrompt::new(prompt, &sources, &glossary)))
            .collect();
        let mut pages: Vec<Arc<PublishedPage>> = pages
            .into_iter()
            .map(|page| Arc::new(PublishedPage::new(page, &glossary)))
            .collect();
        pages.sort_by_key(|published| published.page.order);
        prompts.sort_by(|a, b| a.prompt.title.cmp(&b.prompt.title));
        let exercises = exercises.publish(&sources, &glossary);
        let version = sha256_hex(format!("{files:?}"))[..12].to_owned();
        Ok(Self {
            prompts,
            pages,
            exercises,
            glossary: Arc::new(glossary),
            sources,
            shelf,
            version,
            diagnostics,
        })
    }
}

/// Whether there is a page at a path that a text links to.
fn is_address(path: &str, parts: Parts<'_>) -> bool {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match segments[..] {
        ["" | "prompts" | "reference" | "calculators" | "search" | "exercises"]
        | ["reference", "glossary"] => true,
        ["prompts", slug] => parts.prompts.iter().any(|prompt| prompt.slug == slug),
        ["reference", slug] => parts.pages.iter().any(|page| page.slug == slug),
        ["reference", "glossary", id] => parts.terms.iter().any(|term| term.id == id),
        ["calculators", name] => calculator::find(name).is_some(),
        _ => false,
    }
}

const PROMPT_FILES: [&str; 5] = [
    "prompt.md",
    "rubric.toml",
    "estimates.toml",
    "reference.md",
    "variants.toml",
];

fn misplaced(file: &str) -> Diagnostic {
    fault(file, "this file has no place in the content directory")
}

fn fault(file: &str, message: &str) -> Diagnostic {
    Diagnostic {
        file: file.to_owned(),
        line: 1,
        column: 1,
        message: message.to_owned(),
    }
}

/// Where the content comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Inside the program; a debug build reads the repository's `content/` instead.
    Program,
    Directory(PathBuf),
}

impl Origin {
    fn files(&self) -> std::io::Result<BTreeMap<String, String>> {
        match self {
            Self::Program => Ok(EmbeddedContent::iter()
                .filter_map(|path| {
                    let file = EmbeddedContent::get(&path)?;
                    Some((
                        path.into_owned(),
                        String::from_utf8_lossy(&file.data).into_owned(),
                    ))
                })
                .filter(|(path, _)| !is_hidden(path))
                .collect()),
            Self::Directory(root) => {
                let mut files = BTreeMap::new();
                read_directory(root, root, &mut files)?;
                Ok(files)
            }
        }
    }
}

fn is_hidden(path: &str) -> bool {
    path.split('/')
        .any(|part| part.starts_with('.') || part.ends_with('~'))
}

fn read_directory(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, String>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.strip_prefix(root).ok().and_then(|path| path.to_str()) else {
            continue;
        };
        let name = name.replace(std::path::MAIN_SEPARATOR, "/");
        if is_hidden(&name) {
            continue;
        }
        if path.is_dir() {
            read_directory(root, &path, files)?;
        } else {
            files.insert(
                name,
                String::from_utf8_lossy(&std::fs::read(&path)?).into_owned(),
            );
        }
    }
    Ok(())
}
