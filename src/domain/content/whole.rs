//! What can be checked only when everything has been read: links between texts, terms that no text uses, lengths, and
//! whether each criterion of a rubric has an answer in the reference.
//!
//! Must never know how a page's address is served: the caller says which addresses there are.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::{Diagnostic, Link, Page, Prompt, Term};
use crate::domain::level::Rating;
use crate::domain::phase::Phase;

/// How many words `prompt.md` has below its front matter.
const PROMPT_WORDS: RangeInclusive<usize> = 600..=1_700;
/// How many words `reference.md` has.
const REFERENCE_WORDS: RangeInclusive<usize> = 2_500..=4_700;
/// How many words a page of the reference shelf has.
const PAGE_WORDS: RangeInclusive<usize> = 300..=2_400;
/// How many words a variant says to the candidate, and afterwards.
const CHANGES_WORDS: RangeInclusive<usize> = 20..=200;
const VARIANT_ANSWER_WORDS: RangeInclusive<usize> = 100..=550;
/// How many words the reference has for a phase at least.
const SECTION_WORDS: usize = 120;
/// The share of an anchor's telling words that the reference says too, in percent; and its section for the criterion's
/// own phase.
const ANCHOR_COVERED: usize = 60;
const ANCHOR_COVERED_IN_PHASE: usize = 25;
/// Shorter words tell nothing about what an anchor asks for.
const TELLING_WORD: usize = 5;

/// Everything that is published.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub prompts: &'a [Prompt],
    pub pages: &'a [Page],
    pub terms: &'a [Term],
}

/// What is wrong between the texts, or with one as a whole. `exists` says whether there is a page at a path.
pub fn check_whole(parts: Parts<'_>, exists: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
    let prompt_links = parts.prompts.iter().flat_map(|prompt| &prompt.links);
    let page_links = parts.pages.iter().flat_map(|page| &page.links);
    let mut faults = dead_links(prompt_links.chain(page_links), exists);
    for prompt in parts.prompts {
        check_prompt(prompt, &mut faults);
    }
    for page in parts.pages {
        let file = format!("reference/{}.md", page.slug);
        check_length(&file, &page.body, &PAGE_WORDS, &mut faults);
    }
    check_use(parts, &mut faults);
    faults.sort();
    faults
}

/// What is wrong with links to pages of ours that are not there. `exists` says whether there is a page at a path.
pub fn dead_links<'l>(
    links: impl Iterator<Item = &'l Link>,
    exists: impl Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    links
        .filter(|link| !exists(link.to.split(['?', '#']).next().unwrap_or_default()))
        .map(|link| link.dead.clone())
        .collect()
}

fn check_prompt(prompt: &Prompt, faults: &mut Vec<Diagnostic>) {
    let folder = format!("prompts/{}", prompt.slug);
    let asked = prompt_text(prompt);
    check_length(
        &format!("{folder}/prompt.md"),
        &asked,
        &PROMPT_WORDS,
        faults,
    );
    let answered = reference_text(prompt);
    check_length(
        &format!("{folder}/reference.md"),
        &answered,
        &REFERENCE_WORDS,
        faults,
    );
    for variant in &prompt.variants {
        let file = format!("{folder}/variants.toml");
        check_length(&file, &variant.changes, &CHANGES_WORDS, faults);
        check_length(&file, &variant.answer, &VARIANT_ANSWER_WORDS, faults);
    }
    let mut in_section = |phase: Phase, message: String| {
        faults.push(Diagnostic {
            file: format!("{folder}/reference.md"),
            line: prompt
                .reference
                .lines
                .get(phase.index())
                .copied()
                .unwrap_or(1),
            column: 1,
            message,
        });
    };
    for phase in Phase::ALL {
        let words = prompt.reference.section(phase).split_whitespace().count();
        if words < SECTION_WORDS {
            let message = format!(
                "{} has {words} words, expected at least {SECTION_WORDS}",
                phase.title()
            );
            in_section(phase, message);
        }
    }
    let said = telling_words(&answered);
    for criterion in &prompt.rubric.criteria {
        let anchor = telling_words(&criterion.anchor(Rating::Senior).text);
        let in_phase = telling_words(prompt.reference.section(criterion.phase));
        for (said, least, place) in [
            (&said, ANCHOR_COVERED, "the reference"),
            (&in_phase, ANCHOR_COVERED_IN_PHASE, criterion.phase.title()),
        ] {
            let mut unsaid: Vec<&str> = anchor.difference(said).map(String::as_str).collect();
            if (anchor.len() - unsaid.len()) * 100 < anchor.len() * least {
                unsaid.sort_unstable();
                let message = format!(
                    "the criterion {:?} is hardly answered by {place}: its senior anchor speaks of {}",
                    criterion.id.slug(),
                    unsaid.join(", ")
                );
                in_section(criterion.phase, message);
                break;
            }
        }
    }
}

/// What `prompt.md` says below its front matter.
fn prompt_text(prompt: &Prompt) -> String {
    let mut parts = vec![
        prompt.situation.as_str(),
        &prompt.functional,
        &prompt.quality,
        &prompt.out_of_scope,
    ];
    for hint in &prompt.hints {
        parts.extend([hint.title.as_str(), &hint.body]);
    }
    for ball in &prompt.curveballs {
        parts.extend([ball.title.as_str(), &ball.question]);
    }
    parts.join("\n\n")
}

/// What `reference.md` says.
fn reference_text(prompt: &Prompt) -> String {
    let sections = prompt.reference.sections.iter().map(String::as_str);
    let answers = prompt.curveballs.iter().map(|ball| ball.answer.as_str());
    let parts: Vec<&str> = sections
        .chain([prompt.reference.staff.as_str()])
        .chain(answers)
        .collect();
    parts.join("\n\n")
}

fn check_length(
    file: &str,
    text: &str,
    allowed: &RangeInclusive<usize>,
    faults: &mut Vec<Diagnostic>,
) {
    let words = text.split_whitespace().count();
    if !allowed.contains(&words) {
        let (least, most) = (allowed.start(), allowed.end());
        faults.push(Diagnostic {
            file: file.to_owned(),
            line: 1,
            column: 1,
            message: format!("a text of {words} words, expected {least} to {most}"),
        });
    }
}

/// The words of a text that say what it is about, without their endings.
fn telling_words(text: &str) -> HashSet<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.chars().count() >= TELLING_WORD)
        .map(|word| {
            let word = word.to_lowercase();
            // Crude, but the same for both texts: "retries", "retried" and "retry" begin alike.
            word.chars().take(TELLING_WORD).collect()
        })
        .collect()
}

/// Each term is used by a text, or by another term.
fn check_use(parts: Parts<'_>, faults: &mut Vec<Diagnostic>) {
    let mut texts: Vec<String> = parts.pages.iter().map(|page| page.body.clone()).collect();
    for prompt in parts.prompts {
        texts.extend([prompt_text(prompt), reference_text(prompt)]);
        texts.extend(prompt.variants.iter().map(|variant| variant.answer.clone()));
        for criterion in &prompt.rubric.criteria {
            texts.extend(criterion.anchors.iter().map(|anchor| anchor.text.clone()));
        }
        let workings = prompt.estimates.estimates.iter();
        texts.extend(workings.map(|estimate| format!("{} {}", estimate.working, estimate.feeds)));
    }
    let all = texts.join("\n").to_lowercase();
    // Most spellings are told by their first word; only what has it is looked for in the whole text.
    let words: HashSet<&str> = all
        .split(|character: char| !character.is_alphanumeric())
        .collect();
    let is_said = |spelling: &str| {
        let spelling = spelling.to_lowercase();
        let first = spelling
            .split(|character: char| !character.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let begun = words.contains(first) || words.contains(format!("{first}s").as_str());
        begun && (first.len() == spelling.len() || all.contains(&spelling))
    };
    for term in parts.terms {
        let mut spellings = std::iter::once(&term.term).chain(&term.also);
        let mut others = parts.terms.iter().filter(|other| other.id != term.id);
        let is_used = spellings.any(|spelling| is_said(spelling))
            || others.any(|other| other.see.contains(&term.id));
        if !is_used {
            faults.push(term.unused.clone());
        }
    }
}
