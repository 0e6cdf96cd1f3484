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
    /// On a page that has this HTML as well: what it links is not linked a second time.
    #[must_use]
    pub fn beside(self, html: &str) -> Self {
        let terms = self.glossary.terms.iter().enumerate();
        self.linked.borrow_mut().extend(
            terms
                .filter(|(_, term)| html.contains(&format!("\"{}\"", address(&term.id))))
                .map(|(index, _)| index),
        );
        self
    }

    /// The text as HTML, with the first use of each term as a link.
    pub fn html(&self, text: &str) -> String {
        self.link(text).unwrap_or_else(|| escape(text))
    }

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

impl OnAPage<'_> {
    /// Our own HTML with the first use of each term as a link; what is a link, a heading, code, a control or a drawing
    /// already stays as it is.
    pub fn link_html(&self, html: &str) -> String {
        const SILENT: [&str; 17] = [
            "a",
            "button",
            "code",
            "figcaption",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "label",
            "option",
            "pre",
            "script",
            "select",
            "summary",
            "svg",
        ];
        let mut out = String::with_capacity(html.len());
        let mut silent = 0_usize;
        for part in html.split_inclusive('>') {
            let (text, tag) = match part.rfind('<') {
                Some(at) => part.split_at(at),
                None => (part, ""),
            };
            // A text with entities would have to be read and written again; it has none that our terms have.
            let linked = (silent == 0 && !text.trim().is_empty() && !text.contains('&'))
                .then(|| self.link(text))
                .flatten();
            out.push_str(linked.as_deref().unwrap_or(text));
            out.push_str(tag);
            let name = tag.trim_start_matches(['<', '/']);
            let end = name
                .find(|character: char| !character.is_ascii_alphanumeric())
                .unwrap_or(name.len());
            if SILENT.contains(&&name[..end]) {
                if tag.starts_with("</") {
                    silent = silent.saturating_sub(1);
                } else if !tag.ends_with("/>") {
                    silent += 1;
                }
            }
        }
        out
    }
}

/// Whether what was found is not a part of a longer word.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(|before| joins(before) || before == '-') && !after.is_some_and(joins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::parse_glossary;

    /// Terms by name and other spellings; the definition of each names it.
    fn glossary(terms: &[(&str, &[&str])]) -> Glossary {
        let mut text = String::new();
        for (number, (name, also)) in terms.iter().enumerate() {
            let _ = write!(
                text,
                "[[term]]\nid = \"t{number}\"\nterm = \"{name}\"\nalso = {also:?}\ndefinition = '{name} is \"x < y & z\". It is `so`.'\n\
                 why = \"It is.\"\nquestion = \"Is it what it is?\"\nanswer = \"It is.\"\nsee = []\nsources = []\n"
            );
        }
        let parsed = parse_glossary(&[("terms.toml", &text)], &[]);
        assert_eq!(parsed.diagnostics, []);
        Glossary::new(parsed.value.expect("terms"))
    }

    /// What is linked, as `word→id`, in the order of the text.
    fn links(html: &str) -> Vec<String> {
        html.split("<a class=\"term\" ")
            .skip(1)
            .map(|part| {
                let id = part
                    .split(['/', '"'])
                    .find(|part| part.starts_with('t') && part[1..].parse::<u32>().is_ok());
                let word = part
                    .split_once("\">")
                    .and_then(|(_, rest)| rest.split_once("</a>"));
                format!(
                    "{}→{}",
                    word.map_or("", |(word, _)| word),
                    id.unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn a_term_is_found_as_a_word_in_any_of_its_spellings() {
        let glossary = glossary(&[
            ("Queue", &["waiting line"]),
            ("Index", &[]),
            ("USE method", &["USE"]),
            ("Retry", &["retries", "retry storm"]),
            ("Bloom filter", &[]),
            ("p99", &[]),
            ("Été", &[]),
            ("If-Match", &[]),
        ]);
        for (text, found) in [
            ("A queue.", vec!["queue→t0"]),
            ("Queue", vec!["Queue→t0"]),
            ("QUEUE", vec!["QUEUE→t0"]),
            ("many queues, two indexes", vec!["queues→t0", "indexes→t1"]),
            ("A waiting line.", vec!["waiting line→t0"]),
            ("Waiting lines", vec!["Waiting lines→t0"]),
            // Only the first use, however it is spelt.
            ("queue, queue, waiting line and Queues", vec!["queue→t0"]),
            // Whole words: not in others, not behind a hyphen, not in a name.
            ("queued, enqueue, queueing, queue_size, dequeues", vec![]),
            ("a multi-queue scheme", vec![]),
            ("the queue-depth", vec!["queue→t0"]),
            ("a queue's end", vec!["queue→t0"]),
            ("(queue)", vec!["queue→t0"]),
            ("queue2", vec![]),
            ("queueé", vec![]),
            // Capitals tell some words from others.
            ("use it, Use it", vec![]),
            ("By USE and the USE method", vec!["USE→t2"]),
            ("USED", vec![]),
            ("bloom filters", vec!["bloom filters→t4"]),
            ("Bloom filters", vec!["Bloom filters→t4"]),
            // The longest spelling.
            ("a retry storm, and a retry", vec!["retry storm→t3"]),
            ("retries", vec!["retries→t3"]),
            ("p99 and p99.9", vec!["p99→t5"]),
            ("p999", vec![]),
            ("l'été", vec!["été→t6"]),
            ("the If-Match header", vec!["If-Match→t7"]),
            ("", vec![]),
            ("🚲 queue 🚲", vec!["queue→t0"]),
        ] {
            let linked = glossary.on_a_page().link(text);
            assert_eq!(
                links(linked.as_deref().unwrap_or_default()),
                found,
                "{text}"
            );
            assert_eq!(linked.is_some(), !found.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_page_links_a_term_once_and_another_page_again() {
        let glossary = glossary(&[("Queue", &[]), ("Retry", &[])]);
        let page = glossary.on_a_page();
        assert_eq!(links(&page.link("a queue").expect("a link")), ["queue→t0"]);
        assert_eq!(page.link("a queue"), None);
        assert_eq!(
            links(&page.link("a queue, a retry").expect("a link")),
            ["retry→t1"]
        );
        let another = glossary.on_a_page();
        assert!(another.link("a queue").is_some());
        assert_eq!(Glossary::default().on_a_page().link("a queue"), None);
        assert_eq!(
            glossary.term("t1").map(|term| term.term.as_str()),
            Some("Retry")
        );
        assert!(glossary.term("t2").is_none());
    }

    #[test]
    fn texts_and_definitions_are_escaped() {
        let glossary = glossary(&[("Queue", &["a<b>c"])]);
        let page = glossary.on_a_page();
        let html = page
            .link("<img src=x> & \"queue\" </a><b>")
            .expect("a link");
        assert_eq!(
            html,
            "&lt;img src=x&gt; &amp; &quot;<a class=\"term\" href=\"/reference/glossary/t0\" \
             data-def=\"Queue is &quot;x &lt; y &amp; z&quot;. It is so.\">queue</a>&quot; &lt;/a&gt;&lt;b&gt;"
        );
        let html = glossary.on_a_page().link("a<b>c").expect("a link");
        assert!(html.ends_with(">a&lt;b&gt;c</a>"), "{html}");
    }
}
