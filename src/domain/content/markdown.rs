//! Markdown as the content may use it: its outline, its citations, and a diagnostic for what it may not hold.
//!
//! Must never know which sections a file has, nor how Markdown is shown.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::diagnostic::{Citation, Report, unknown};
use super::fields::Text;
use crate::domain::quantity::nearest;

/// The Markdown that the content is written in: CommonMark with tables, `[^S0]` and heading attributes.
///
/// The older of the two footnote syntaxes: a citation has no definition on the page, and the newer one would leave it as text.
pub const MARKDOWN: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_OLD_FOOTNOTES)
    .union(Options::ENABLE_HEADING_ATTRIBUTES);

/// The languages that fenced code may be in.
pub const CODE_LANGUAGES: [&str; 12] = [
    "http", "json", "sql", "python", "go", "rust", "yaml", "toml", "diff", "lua", "protobuf",
    "text",
];

/// A heading at the top level of the text.
pub(super) struct Heading {
    /// 1 to 6.
    pub level: usize,
    pub title: String,
    pub span: Range<usize>,
    id: Option<String>,
    /// All between the braces but the id, as `key` or `key=value`.
    attributes: Vec<(String, Option<String>)>,
}

/// A block at the top level of the text that is not a heading.
pub(super) struct Block {
    pub offset: usize,
    pub kind: BlockKind,
}

#[derive(PartialEq, Eq)]
pub(super) enum BlockKind {
    Paragraph,
    /// Each item with its text, without citations.
    List(Vec<Item>),
    Other,
}

#[derive(PartialEq, Eq)]
pub(super) struct Item {
    pub offset: usize,
    pub text: String,
}

/// The headings and blocks of a text, in order. All offsets are into the file.
pub(super) struct Outline {
    pub headings: Vec<Heading>,
    pub blocks: Vec<Block>,
}

/// Checks a Markdown text that stands in a TOML string.
pub(super) fn check_inline(report: &mut Report<'_>, text: &Text) {
    let outline = read(report, &text.value, |offset| text.position(offset));
    for heading in &outline.headings {
        report.at(heading.span.start, "no heading belongs here");
    }
}

/// Reads the outline of a text and notes its citations. `place` turns an offset in `markdown` into one in the file.
pub(super) fn read(
    report: &mut Report<'_>,
    markdown: &str,
    place: impl Fn(usize) -> usize,
) -> Outline {
    let mut outline = Outline {
        headings: Vec::new(),
        blocks: Vec::new(),
    };
    let mut depth = 0_usize;
    let mut in_heading = false;
    for (event, span) in Parser::new_ext(markdown, MARKDOWN).into_offset_iter() {
        let file_span = place(span.start)..place(span.end);
        let at = file_span.start;
        match &event {
            Event::Start(tag) => {
                match tag {
                    Tag::HtmlBlock => {
                        report.at(at, "raw HTML; use Markdown, and backticks around code");
                    }
                    Tag::Link { dest_url, .. } => report.link(at, dest_url),
                    Tag::Image { .. } => report.at(at, "image; draw with text in a fence"),
                    Tag::FootnoteDefinition(_) => {
                        report.at(at, "footnote; the list of sources is put at the foot of the page by itself");
                    }
                    Tag::CodeBlock(kind) => check_code(report, markdown, kind, &span, at),
                    Tag::Heading { .. } if depth > 0 => {
                        report.at(at, "heading inside a list or a quotation");
                    }
                    _ => {}
                }
                match tag {
                    Tag::Heading {
                        level,
                        id,
                        classes,
                        attrs,
                    } if depth == 0 => {
                        in_heading = true;
                        let classes = classes.iter().map(|class| (format!(".{class}"), None));
                        let attributes = attrs.iter().map(|(key, value)| {
                            (key.to_string(), value.as_deref().map(str::to_owned))
                        });
                        outline.headings.push(Heading {
                            level: *level as usize,
                            title: String::new(),
                            span: file_span,
                            id: id.as_deref().map(str::to_owned),
                            attributes: classes.chain(attributes).collect(),
                        });
                    }
                    _ if depth == 0 => outline.blocks.push(Block {
                        offset: at,
                        kind: block_kind(tag),
                    }),
                    Tag::Item if depth == 1 => {
                        if let Some(BlockKind::List(items)) =
                            outline.blocks.last_mut().map(|block| &mut block.kind)
                        {
                            items.push(Item {
                                offset: at,
                                text: String::new(),
                            });
                        }
                    }
                    _ => {}
                }
                depth += 1;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && matches!(tag, TagEnd::Heading(_)) {
                    in_heading = false;
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if in_heading {
                    if let Some(heading) = outline.headings.last_mut() {
                        heading.title.push_str(text);
                    }
                } else if let Some(BlockKind::List(items)) =
                    outline.blocks.last_mut().map(|block| &mut block.kind)
                    && let Some(item) = items.last_mut()
                {
                    item.text.push_str(text);
                }
            }
            Event::InlineHtml(html) => report.at(
                at,
                format!("raw HTML {html}; use Markdown, and backticks around code"),
            ),
            Event::FootnoteReference(id) => report.citations.push(Citation {
                offset: at,
                id: id.to_string(),
            }),
            Event::Rule if depth == 0 => outline.blocks.push(Block {
                offset: at,
                kind: BlockKind::Other,
            }),
            _ => {}
        }
    }
    outline
}

fn block_kind(tag: &Tag<'_>) -> BlockKind {
    match tag {
        Tag::Paragraph => BlockKind::Paragraph,
        Tag::List(_) => BlockKind::List(Vec::new()),
        _ => BlockKind::Other,
    }
}

fn check_code(
    report: &mut Report<'_>,
    markdown: &str,
    kind: &CodeBlockKind<'_>,
    span: &Range<usize>,
    at: usize,
) {
    let CodeBlockKind::Fenced(language) = kind else {
        return report.at(at, "indented code; put it in a fence with a language");
    };
    if language.is_empty() {
        report.at(
            at,
            format!(
                "code fence without a language; expected one of {}",
                CODE_LANGUAGES.join(", ")
            ),
        );
    } else {
        report.pick("language", at, language, &CODE_LANGUAGES, |known| known);
    }
    let last_line = markdown[span.clone()]
        .trim_end()
        .lines()
        .skip(1)
        .last()
        .unwrap_or_default();
    let fence = last_line.trim_start_matches(['>', ' ', '\t']);
    if fence.len() < 3
        || !(fence.chars().all(|mark| mark == '`') || fence.chars().all(|mark| mark == '~'))
    {
        report.syntax(at, "code fence that is never closed");
    }
}

/// A section of a file: what stands under a `##` heading, or under a `###` heading within one.
pub(super) struct Section<'t, 'o> {
    pub heading: &'o Heading,
    /// Markdown, without the heading.
    pub text: &'t str,
    /// The headings below this one, all of a deeper level.
    pub headings: &'o [Heading],
    pub blocks: &'o [Block],
    /// Where all that stands, from the end of the heading on.
    body: Range<usize>,
}

/// The `##` sections of a file from `start` on, which are to be those `expected`, in that order, all of them, each once.
pub(super) fn sections<'t, 'o>(
    report: &mut Report<'t>,
    outline: &'o Outline,
    start: usize,
    expected: &[&str],
) -> Vec<Option<Section<'t, 'o>>> {
    check_levels(report, outline);
    let (intro, all) = split(
        report.text,
        &outline.headings,
        &outline.blocks,
        start..report.text.len(),
        2,
    );
    if let Some(offset) = intro {
        report.at(offset, "text before the first section");
    }

    let absent: Vec<&str> = expected
        .iter()
        .copied()
        .filter(|name| all.iter().all(|section| section.heading.title != *name))
        .collect();
    let mut found: Vec<Option<Section<'t, 'o>>> = expected.iter().map(|_| None).collect();
    let mut previous: Option<usize> = None;
    for section in all {
        let Heading {
            level, title, span, ..
        } = section.heading;
        let exact = expected.iter().position(|name| name == title);
        let meant = exact.or_else(|| {
            let near = nearest(title, absent.iter().copied())?;
            expected.iter().position(|name| *name == near)
        });
        if exact.is_none() && *level == 2 {
            report.at(span.start, unknown("section", title, &absent));
        }
        let Some(index) = meant else { continue };
        if let Some(first) = &found[index] {
            let line = 1 + report.text[..first.heading.span.start]
                .matches('\n')
                .count();
            report.at(
                span.start,
                format!("section {title:?} stands here a second time, first in line {line}"),
            );
            continue;
        }
        if let Some(previous) = previous.filter(|previous| index < *previous) {
            report.at(
                span.start,
                format!(
                    "section {title:?} must come before {:?}",
                    expected[previous]
                ),
            );
        }
        previous = Some(index);
        if section.text.is_empty() {
            report.at(span.start, format!("section {title:?} is empty"));
        }
        section.heading.attributes(report, false, []);
        found[index] = Some(section);
    }

    for (index, name) in expected
        .iter()
        .enumerate()
        .filter(|(index, _)| found[*index].is_none())
    {
        let next = expected
            .iter()
            .zip(&found)
            .skip(index)
            .find_map(|(next, section)| Some((next, section.as_ref()?)));
        match next {
            Some((next, section)) => {
                report.absent(
                    section.heading.span.start,
                    format!("missing section {name:?}, before {next:?}"),
                );
            }
            None => report.absent(
                report.text.len(),
                format!("missing section {name:?}, at the end"),
            ),
        }
    }
    found
}

/// Each heading goes at most one level deeper than the one before, and none stands above the sections.
pub(super) fn check_levels(report: &mut Report<'_>, outline: &Outline) {
    let mut previous = 2;
    for heading in &outline.headings {
        let level = heading.level;
        if level == 1 {
            report.at(
                heading.span.start,
                "heading of level 1; sections begin with ##",
            );
        } else if level > previous + 1 {
            report.at(
                heading.span.start,
                format!("heading of level {level} follows one of level {previous}"),
            );
        }
        previous = level.max(2);
    }
}

/// Cuts `range` at the headings of `level` or above; first comes where anything before the first of them stands.
fn split<'t, 'o>(
    text: &'t str,
    headings: &'o [Heading],
    blocks: &'o [Block],
    range: Range<usize>,
    level: usize,
) -> (Option<usize>, Vec<Section<'t, 'o>>) {
    let starts: Vec<usize> = (0..headings.len())
        .filter(|index| headings[*index].level <= level)
        .collect();
    let sections: Vec<Section<'t, 'o>> = starts
        .iter()
        .enumerate()
        .map(|(section, start)| {
            let next = starts.get(section + 1).copied().unwrap_or(headings.len());
            let body = headings[*start].span.end
                ..headings
                    .get(next)
                    .map_or(range.end, |heading| heading.span.start);
            let first_block = blocks.partition_point(|block| block.offset < body.start);
            let end_block = blocks.partition_point(|block| block.offset < body.end);
            Section {
                heading: &headings[*start],
                text: text[body.clone()].trim(),
                headings: &headings[*start + 1..next],
                blocks: &blocks[first_block..end_block],
                body,
            }
        })
        .collect();
    let end_of_intro = sections
        .first()
        .map_or(range.end, |section| section.heading.span.start);
    let offsets = headings
        .iter()
        .map(|heading| heading.span.start)
        .chain(blocks.iter().map(|block| block.offset));
    let intro = offsets.filter(|offset| *offset < end_of_intro).min();
    (intro, sections)
}

impl<'t, 'o> Section<'t, 'o> {
    /// The `###` entries of a section that consists of them.
    pub fn entries(&self, report: &mut Report<'t>) -> Vec<Section<'t, 'o>> {
        let (intro, entries) = split(
            report.text,
            self.headings,
            self.blocks,
            self.body.clone(),
            3,
        );
        if let Some(offset) = intro {
            report.at(
                offset,
                format!("text before the first entry of {:?}", self.heading.title),
            );
        }
        for entry in &entries {
            let start = entry.heading.span.start;
            if entry.heading.title.is_empty() {
                report.at(start, "heading without a title");
            }
            if entry.text.is_empty() {
                report.at(
                    start,
                    format!("nothing stands under {:?}", entry.heading.title),
                );
            }
        }
        entries
    }

    /// Reports each heading below this one.
    pub fn no_headings(&self, report: &mut Report<'_>) {
        for heading in self.headings {
            report.at(
                heading.span.start,
                format!("no heading belongs inside {:?}", self.heading.title),
            );
        }
    }
}

impl Heading {
    /// The values of `{#id key=value}`: the id if one is asked for, and the value of each of `keys`. Others are faults.
    pub fn attributes<const N: usize>(
        &self,
        report: &mut Report<'_>,
        wants_id: bool,
        keys: [&str; N],
    ) -> (Option<&str>, [Option<&str>; N]) {
        let start = self.span.start;
        match &self.id {
            None if wants_id => report.at(start, "missing {#id} after the heading's title"),
            Some(id) if !wants_id => report.at(
                self.place(report, id),
                format!("no id belongs here, found {id:?}"),
            ),
            _ => {}
        }
        let mut values = [None; N];
        for (key, value) in &self.attributes {
            let at = self.place(report, key);
            let Some(index) = keys.iter().position(|known| known == key) else {
                report.at(at, unknown("attribute", key, &keys));
                continue;
            };
            if values[index].is_some() {
                report.at(at, format!("attribute {key:?} stands here a second time"));
            }
            // Without a value it is not missing but wrong, as an empty one is.
            values[index] = Some(value.as_deref().unwrap_or_default());
        }
        for (key, _) in keys
            .iter()
            .zip(&values)
            .filter(|(_, value)| value.is_none())
        {
            report.at(
                start,
                format!("missing {{{key}=…}} after the heading's title"),
            );
        }
        (self.id.as_deref().filter(|_| wants_id), values)
    }

    /// Where a word stands between the heading's braces.
    pub fn place(&self, report: &Report<'_>, word: &str) -> usize {
        let raw = &report.text[self.span.clone()];
        let brace = raw.rfind('{').unwrap_or_default();
        self.span.start + raw[brace..].find(word).map_or(0, |found| brace + found)
    }
}
