//! What is wrong with a published text, and where: a position, a message and, where one is near, the word that was meant.
//!
//! Must never know which file holds what: that is for the parts that read it.

use std::fmt;
use std::ops::RangeInclusive;

use crate::domain::quantity::nearest;

/// One fault in one file. The order is by file, line and column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// The file's path inside the content folder, such as `prompts/payments/rubric.toml`.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

/// What was read, and everything that is wrong with it.
///
/// The value is there when each of its required parts could be read, even if there are diagnostics: enough for a preview.
/// Only a text without diagnostics is fit to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    pub value: Option<T>,
    /// Sorted, each once.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Parsed<T> {
    pub(super) fn new(value: Option<T>, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort();
        diagnostics.dedup();
        Self { value, diagnostics }
    }
}

/// A link from a text to a page of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Path, and perhaps a query and a fragment.
    pub to: String,
    /// What is wrong if there is no such page.
    pub dead: Diagnostic,
}

/// A citation of a source: where it stands, and the id that it names.
pub(super) struct Citation {
    pub offset: usize,
    pub id: String,
}

/// One file while it is read: its faults and its citations, both at byte offsets into the text.
pub(super) struct Report<'t> {
    pub text: &'t str,
    pub citations: Vec<Citation>,
    links: Vec<Link>,
    file: String,
    diagnostics: Vec<Diagnostic>,
    /// Set when the syntax is broken: what is not found may then stand in the part that could not be read.
    incomplete: bool,
}

impl<'t> Report<'t> {
    pub fn new(file: String, text: &'t str) -> Self {
        let mut report = Self {
            text,
            citations: Vec::new(),
            links: Vec::new(),
            file,
            diagnostics: Vec::new(),
            incomplete: false,
        };
        if let Some(offset) = text.find('\r') {
            report.at(offset, "carriage return; lines end with a line feed alone");
        }
        for (offset, character) in text
            .char_indices()
            .filter(|(_, character)| is_emoji(*character))
        {
            report.at(offset, format!("emoji {character}; use words"));
        }
        report
    }

    /// The file's name without its folders.
    pub fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }

    /// A fault at a byte offset.
    pub fn at(&mut self, offset: usize, message: impl Into<String>) {
        let diagnostic = self.diagnostic(offset, message.into());
        self.diagnostics.push(diagnostic);
    }

    /// A fault at a byte offset that may turn out not to be one.
    pub fn diagnostic(&self, offset: usize, message: String) -> Diagnostic {
        let offset = self.text.floor_char_boundary(offset);
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Diagnostic {
            file: self.file.clone(),
            line: 1 + before.matches('\n').count() as u32,
            column: 1 + before[line_start..].chars().count() as u32,
            message,
        }
    }

    /// Notes a link to a page of ours; whether there is such a page is known only when everything has been read.
    pub fn link(&mut self, offset: usize, to: &str) {
        if !to.starts_with(['/', '#']) && !to.contains(':') {
            let message = format!("{to} is an address beside this page; write it from `/`");
            self.at(offset, message);
        }
        if to.starts_with('/') {
            let dead = self.diagnostic(offset, format!("there is no page {to}"));
            let to = to.to_owned();
            self.links.push(Link { to, dead });
        }
    }

    pub fn take_links(&mut self) -> Vec<Link> {
        std::mem::take(&mut self.links)
    }

    /// A fault that consists in something not being there. Says nothing in a text with broken syntax.
    pub fn absent(&mut self, offset: usize, message: impl Into<String>) {
        if !self.incomplete {
            self.at(offset, message);
        }
    }

    /// A fault in the syntax, after which the rest of the text may not have been understood.
    pub fn syntax(&mut self, offset: usize, message: impl Into<String>) {
        self.incomplete = true;
        self.at(offset, message);
    }

    /// Whether nothing wrong was found so far.
    pub fn is_sound(&self) -> bool {
        self.diagnostics.is_empty()
    }

    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// Checks how many of `what` there are. Too few are a fault at `container`, too many at the first one over.
    pub fn count(
        &mut self,
        what: &str,
        allowed: RangeInclusive<usize>,
        offsets: &[usize],
        container: usize,
    ) {
        let (least, most) = allowed.into_inner();
        let found = offsets.len();
        let expected = if least == most {
            format!("{least}")
        } else {
            format!("{least} to {most}")
        };
        let message = format!("expected {expected} {what}, found {found}");
        if found < least {
            self.absent(container, message);
        } else if let Some(offset) = offsets.get(most) {
            self.at(*offset, message);
        }
    }

    /// The member of a closed vocabulary that `word` names.
    pub fn pick<T: Copy>(
        &mut self,
        what: &str,
        offset: usize,
        word: &str,
        all: &[T],
        slug: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().copied().find(|member| slug(*member) == word);
        if found.is_none() {
            let slugs: Vec<&str> = all.iter().map(|member| slug(*member)).collect();
            self.at(offset, unknown(what, word, &slugs));
        }
        found
    }

    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }
}

/// `unknown key "txt"; did you mean "text"?`, or where no known word is near, all of them.
pub(super) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let hint = match (nearest(word, known.iter().copied()), known) {
        (Some(near), _) => format!("; did you mean {near:?}?"),
        (None, []) => String::new(),
        (None, [only]) => format!("; expected {only:?}"),
        (None, known) => format!("; expected one of {}", known.join(", ")),
    };
    format!("unknown {what} {word:?}{hint}")
}

/// Whether a character is shown as a picture: the pictographic planes and the selector that asks for a picture.
fn is_emoji(character: char) -> bool {
    matches!(character, '\u{1F000}'..='\u{1FAFF}' | '\u{FE0F}')
}
