//! The published content, read, checked and rendered once, and served from memory.
//!
//! It comes from a directory or from inside the program. A library with a fault is never served, except under `dev`,
//! where the page shows the fault and an edit is picked up by the next request.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_embed::RustEmbed;

use crate::domain::content::shelf::{SHELF_PAGES, Shelf, ShelfTexts, parse_shelf};
use crate::domain::content::{
    Diagnostic, Parsed, Prompt, PromptFiles, Source, parse_prompt, parse_sources,
};
use crate::domain::phase::Phase;

use super::markdown::{Place, render_or_explain};
use super::session::sha256_hex;

#[derive(RustEmbed)]
#[folder = "content"]
struct EmbeddedContent;

/// Everything that is published, ready to show.
#[derive(Debug, Default)]
pub struct Library {
    /// By title.
    pub prompts: Vec<Arc<PublishedPrompt>>,
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
    /// The sources that the prompt cites, in its order.
    pub sources: Vec<Source>,
}

impl PublishedPrompt {
    fn new(prompt: Prompt, sources: &[Source]) -> Self {
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
            sources: cited
                .iter()
                .filter_map(|id| sources.iter().find(|source| source.id == *id).cloned())
                .collect(),
            prompt,
        }
    }
}

impl Library {
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
        for (path, text) in &files {
            if path == "sources.toml" {
                continue;
            }
            let page = path
                .strip_prefix("reference/")
                .and_then(|rest| rest.strip_suffix(".toml"));
            if let Some(page) = page.filter(|page| SHELF_PAGES.contains(page)) {
                shelf_texts.insert(page, text);
                continue;
            }
            match path
                .strip_prefix("prompts/")
                .and_then(|rest| rest.split_once('/'))
            {
                Some((slug, file)) if PROMPT_FILES.contains(&file) => {
                    folders.entry(slug).or_default().insert(file, text);
                }
                _ => take(vec![fault(
                    path,
                    "this file has no place in the content directory",
                )]),
            }
        }
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
            let files = PromptFiles {
                prompt: texts[PROMPT_FILES[0]],
                rubric: texts[PROMPT_FILES[1]],
                estimates: texts[PROMPT_FILES[2]],
                reference: texts[PROMPT_FILES[3]],
            };
            let Parsed {
                value,
                diagnostics: found,
            } = parse_prompt(slug, files, &sources);
            let sound = found.is_empty();
            take(found);
            if let (Some(prompt), true) = (value, sound) {
                prompts.push(Arc::new(PublishedPrompt::new(prompt, &sources)));
            }
        }
        prompts.sort_by(|a, b| a.prompt.title.cmp(&b.prompt.title));
        let version = sha256_hex(format!("{files:?}"))[..12].to_owned();
        Ok(Self {
            prompts,
            sources,
            shelf,
            version,
            diagnostics,
        })
    }
}

const PROMPT_FILES: [&str; 4] = ["prompt.md", "rubric.toml", "estimates.toml", "reference.md"];

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
