//! The glossary's terms as links in the texts that use them.
//!
//! Must never know what a text is about, nor which page it is on.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::domain::content::Term;
use crate::domain::markup::escape;

/// Where a term's entry stands.
pub fn address(id: &str) -> String {
    format!("/reference/glossary/{id}")
}

/// The terms, ready to be found in a text.
#[derive(Debug, Default)]
pub struct Glossary {
    /// By name.
    pub terms: Vec<Term>,
    /// Each spelling, and the index of its term.
    spellings: Vec<(String, usize)>,
    finder: Option<AhoCorasick>,
}

impl Glossary {
    pub fn new(terms: Vec<Term>) -> Self {
        let spellings: Vec<(String, usize)> = terms
            .iter()
            .enumerate()
            .flat_map(|(index, term)| {
                std::iter::once(as_in_a_sentence(&term.term))
                    .chain(term.also.iter().cloned())
                    .map(move |spelling| (spelling, index))
            })
            .collect();
        // Without a finder nothing is linked; the terms are still there to read.
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(spellings.iter().map(|(spelling, _)| spelling))
            .ok();
        Self {
            terms,
            spellings,
            finder,
        }
    }

    pub fn term(&self, id: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.id == id)
    }

    /// For the texts of one page, where a term is linked once.
    pub fn on_a_page(&self) -> OnAPage<'_> {
        OnAPage {
            glossary: self,
            linked: RefCell::default(),
        }
    }
}

/// `Idempotency key` as `idempotency key`; `SLO` and `Raft's log` keep what tells them from other words.
fn as_in_a_sentence(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(char::to_lowercase);
    let rest = characters.as_str();
    match first {
        Some(first) if rest.chars().all(|other| !other.is_uppercase()) => {
            first.chain(rest.chars()).collect()
        }
        _ => name.to_owned(),
    }
}

/// Which terms the texts of a page have linked so far.
#[derive(Debug)]
pub struct OnAPage<'a> {
    glossary: &'a Glossary,
    linked: RefCell<HashSet<usize>>,
}

impl OnAPage<'_> {
    /// The text as HTML with the first use of each term as a link, or `None` when there is none.
    pub fn link(&self, text: &str) -> Option<String> {
        let finder = self.glossary.finder.as_ref()?;
        let mut linked = self.linked.borrow_mut();
        let mut html = String::new();
        let mut end = 0;
        for found in finder.find_iter(text) {
            let (spelling, index) = &self.glossary.spellings[found.pattern().as_usize()];
            let end_of_word = found.end() + plural(&text[found.end()..]);
            let word = &text[found.start()..end_of_word];
            // A spelling with capitals is another word without them: USE, and use.
            let exact = spelling.chars().any(char::is_uppercase);
            if (exact && !word.starts_with(spelling.as_str()))
                || !is_whole(text, found.start(), end_of_word)
            {
                continue;
            }
            if !linked.insert(*index) {
                continue;
            }
            let term = &self.glossary.terms[*index];
            let _ = write!(
                html,
                "{}<a class=\"term\" href=\"{}\" data-def=\"{}\">{}</a>",
                escape(&text[end..found.start()]),
                address(&term.id),
                escape(&term.definition.replace('`', "")),
                escape(word)
            );
            end = end_of_word;
        }
        (end > 0).then(|| html + &escape(&text[end..]))
    }
}

fn joins(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The bytes of a plural's ending right after a word.
fn plural(rest: &str) -> usize {
    ["es", "s"]
        .into_iter()
        .find(|ending| {
            rest.strip_prefix(ending)
                .is_some_and(|rest| !rest.starts_with(joins))
        })
        .map_or(0, str::len)
}

/// Whether what was found is not a part of a longer word.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(|before| joins(before) || before == '-') && !after.is_some_and(joins)
}
