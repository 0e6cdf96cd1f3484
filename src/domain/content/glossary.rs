//! `content/glossary/*.toml`: the terms of the field, each with a definition, why it is asked, and a question to test oneself.
//!
//! Must never know where a term is used: that is for who renders the texts.

use toml::de::DeTable;

use super::diagnostic::{Diagnostic, Parsed, Report, unknown};
use super::fields::{Table, Text, report_syntax};
use super::page::first_figure;
use super::source::{OURS, Source};
use super::{check_slug, prose};

/// How many sentences a definition has.
const SENTENCES: usize = 2;
/// How many words its question has at least.
const QUESTION_WORDS: usize = 5;

/// A term of the glossary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// A slug, unique in the glossary.
    pub id: String,
    /// As a heading.
    pub term: String,
    /// Other spellings that stand for it in texts.
    pub also: Vec<String>,
    /// Two sentences, plain text but for `code`, as are the next three.
    pub definition: String,
    /// Why an interviewer asks.
    pub why: String,
    pub question: String,
    pub answer: String,
    /// Ids of related terms.
    pub see: Vec<String>,
    /// Ids of sources.
    pub sources: Vec<String>,
    /// What is wrong if no text uses the term.
    pub unused: Diagnostic,
}

/// Reads the files of the glossary, given as path and text. A term with a fault is left out, so that others can be used.
pub fn parse_glossary(files: &[(&str, &str)], sources: &[Source]) -> Parsed<Vec<Term>> {
    let mut reports: Vec<Report<'_>> = files
        .iter()
        .map(|(file, text)| Report::new((*file).to_owned(), text))
        .collect();
    let mut terms: Vec<Term> = Vec::new();
    // Where what is checked last stands: the file, the offset and the word.
    let mut see: Vec<(usize, Text)> = Vec::new();
    let mut spellings: Vec<(usize, Text)> = Vec::new();
    for (file, report) in reports.iter_mut().enumerate() {
        let (document, errors) = DeTable::parse_recoverable(report.text);
        report_syntax(report, &errors);
        let fields = Table::root(&document).open(report, &["term"], &[]);
        for table in fields.tables(report, "term").unwrap_or_default() {
            let Some(read) = read_term(report, table, sources) else {
                continue;
            };
            if terms.iter().any(|term| term.id == read.term.id) {
                let message = format!("term {:?} stands here a second time", read.term.id);
                report.at(read.header, message);
            }
            see.extend(read.see.into_iter().map(|text| (file, text)));
            spellings.extend(read.spellings.into_iter().map(|text| (file, text)));
            terms.push(read.term);
        }
    }
    let ids: Vec<&str> = terms.iter().map(|term| term.id.as_str()).collect();
    for (file, text) in &see {
        if !ids.contains(&text.value.as_str()) {
            reports[*file].at(text.offset, unknown("term", &text.value, &ids));
        }
    }
    for (index, (file, text)) in spellings.iter().enumerate() {
        let word = text.value.to_lowercase();
        if spellings[..index]
            .iter()
            .any(|(_, earlier)| earlier.value.to_lowercase() == word)
        {
            let message = format!("{:?} already stands for a term", text.value);
            reports[*file].at(text.offset, message);
        }
    }
    terms.sort_by_key(|term| term.term.to_lowercase());
    Parsed::new(
        Some(terms),
        reports
            .into_iter()
            .flat_map(Report::into_diagnostics)
            .collect(),
    )
}

struct ReadTerm {
    header: usize,
    term: Term,
    see: Vec<Text>,
    spellings: Vec<Text>,
}

fn read_term(report: &mut Report<'_>, table: Table<'_>, sources: &[Source]) -> Option<ReadTerm> {
    let required = [
        "id",
        "term",
        "also",
        "definition",
        "why",
        "question",
        "answer",
        "see",
        "sources",
    ];
    let fields = table.open(report, &required, &[]);
    let id = fields.string(report, "id");
    if let Some(id) = &id {
        check_slug(report, id.offset, "term id", &id.value);
    }
    let term = fields.string(report, "term");
    let also = fields.strings(report, "also");
    let mut texts = ["definition", "why", "question", "answer"].map(|key| {
        let text = fields.string(report, key);
        if let Some(text) = &text {
            prose::check(report, &text.value, |offset| text.position(offset));
        }
        text
    });
    if let Some(definition) = &texts[0] {
        let found = prose::sentences(&definition.value).len();
        if found != SENTENCES {
            let message = format!("a definition of {found} sentences, expected {SENTENCES}");
            report.at(definition.offset, message);
        }
    }
    if let Some(question) = &texts[2] {
        let words = question.value.split_whitespace().count();
        if words < QUESTION_WORDS {
            let message =
                format!("a question of {words} words, expected at least {QUESTION_WORDS}");
            report.at(question.offset, message);
        }
    }
    let see = fields.strings(report, "see");
    let cited = fields.strings(report, "sources");
    let known: Vec<&str> = sources.iter().map(|source| source.id.as_str()).collect();
    for source in cited.iter().flatten() {
        if source.value != OURS && !known.contains(&source.value.as_str()) {
            report.at(source.offset, unknown("source", &source.value, &known));
        }
    }
    let figure = texts[..2]
        .iter()
        .flatten()
        .find_map(|text| Some((text.offset, first_figure(&text.value)?)));
    if let (Some((offset, figure)), Some([])) = (figure, cited.as_deref()) {
        report.at(
            offset,
            format!("the figure {figure:?} has no source; name one in `sources`, or \"ours\""),
        );
    }
    let unused = id
        .as_ref()
        .map(|id| report.diagnostic(id.offset, format!("no text uses the term {:?}", id.value)));
    let values = |texts: &[Text]| texts.iter().map(|text| text.value.clone()).collect();
    let [definition, why, question, answer] = texts.each_mut().map(Option::take);
    let (term, also, see) = (term?, also?, see?);
    let spellings = std::iter::once(term.clone()).chain(also.clone()).collect();
    Some(ReadTerm {
        header: fields.header,
        spellings,
        term: Term {
            id: id?.value,
            term: term.value,
            also: values(&also),
            definition: definition?.value,
            why: why?.value,
            question: question?.value,
            answer: answer?.value,
            see: values(&see),
            sources: values(&cited?),
            unused: unused?,
        },
        see,
    })
}
