//! How easily a text reads: the length of its sentences and of itself.
//!
//! Only what anybody can count is checked. Must never know what a text is about.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::diagnostic::Report;
use super::markdown::MARKDOWN;

/// The most words of a sentence.
const LONGEST_SENTENCE: usize = 45;
/// The most words of a sentence on average, in a text of several.
const AVERAGE_SENTENCE: usize = 22;
/// Fewer sentences have no average worth a rule.
const SENTENCES_FOR_AVERAGE: usize = 5;

/// Checks the sentences of a Markdown text. `place` turns an offset in it into one in the file.
pub(super) fn check(report: &mut Report<'_>, markdown: &str, place: impl Fn(usize) -> usize) {
    let (mut words, mut count) = (0, 0);
    for (offset, block) in blocks(markdown) {
        for sentence in sentences(&block) {
            let length = sentence.split_whitespace().count();
            words += length;
            count += 1;
            if length > LONGEST_SENTENCE {
                let opening: Vec<&str> = sentence.split_whitespace().take(5).collect();
                report.at(
                    place(offset),
                    format!(
                        "a sentence of {length} words, at most {LONGEST_SENTENCE}: \"{} …\"",
                        opening.join(" ")
                    ),
                );
            }
        }
    }
    if count >= SENTENCES_FOR_AVERAGE && words > AVERAGE_SENTENCE * count {
        let average = words.div_ceil(count);
        report.at(
            place(0),
            format!("sentences of {average} words on average, at most {AVERAGE_SENTENCE}"),
        );
    }
}

/// The paragraphs and list items, without code blocks, tables and headings, each with where it begins.
fn blocks(markdown: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut silent = 0_usize;
    for (event, span) in Parser::new_ext(markdown, MARKDOWN).into_offset_iter() {
        match event {
            Event::Start(Tag::Paragraph | Tag::Item) => blocks.push((span.start, String::new())),
            Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::Table(_)) => silent += 1,
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Table) => silent -= 1,
            Event::Text(text) if silent == 0 => {
                if let Some((_, block)) = blocks.last_mut() {
                    block.push_str(&text);
                }
            }
            // Its marks stay: a sentence may begin with a name in lower case.
            Event::Code(code) if silent == 0 => {
                if let Some((_, block)) = blocks.last_mut() {
                    block.push('`');
                    block.push_str(&code);
                    block.push('`');
                }
            }
            Event::SoftBreak | Event::HardBreak if silent == 0 => {
                if let Some((_, block)) = blocks.last_mut() {
                    block.push(' ');
                }
            }
            _ => {}
        }
    }
    blocks.retain(|(_, block)| !block.trim().is_empty());
    blocks
}

/// The sentences of a plain text: each ends with `.`, `?` or `!` before a space, or with the text.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let ends = matches!(character, '.' | '?' | '!');
        let before_space = rest.peek().is_none_or(|(_, next)| next.is_whitespace());
        if ends && before_space {
            let end = at + character.len_utf8();
            let next = text[end..].trim_start().chars().next();
            // After an abbreviation a sentence does not begin in lower case.
            if next.is_none_or(|next| !next.is_lowercase()) {
                sentences.push(text[start..end].trim());
                start = end;
            }
        }
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}
