//! Markdown to HTML: the one pipeline that published content and candidates' texts share.
//!
//! Text in, sanitized HTML out. Raw HTML is shown as text, images become links, headings get anchors, code is
//! highlighted into classes. Size and nesting are capped before the sanitizer, which is quadratic in nesting.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeWithOffset,
    html,
};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use crate::domain::attempt::SECTION_BYTES;
use crate::domain::markup::escape;

use super::glossary::OnAPage;

/// The longest published text, in bytes.
const CONTENT_BYTES: usize = 512 * 1024;
/// The deepest nesting of blocks and spans.
pub const DEEPEST: usize = 32;
/// The most parts of a text: a table of 64 KB can have hundreds of thousands of cells.
const MOST_EVENTS: usize = 60_000;
/// Longer code is shown without colours, and so is code with a longer line.
const HIGHLIGHTED_LINE: usize = 1_000;
const HIGHLIGHTED_BYTES: usize = 32 * 1024;

/// What stands around a citation while the text is parsed: brackets, so that strong text may end right before it.
const CITE_OPEN: char = '\u{2e28}';
const CITE_CLOSE: char = '\u{2e29}';

/// What may be cited in place of a source: our own judgement, and what follows from figures that are cited.
pub const OUR_OWN: [&str; 2] = ["ours", "derived"];

/// Whose text it is, and where on the page it will stand.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Made part of every id, so that two texts on a page never share one.
    pub prefix: &'a str,
    /// The level that a `#` heading gets; deeper ones follow.
    pub top_heading: usize,
    /// Ids of sources that may be cited as `[^ID]`; a candidate's text has none.
    pub sources: &'a [String],
    /// The terms that are linked to the glossary, for a published text.
    pub terms: Option<&'a OnAPage<'a>>,
}

impl Place<'static> {
    /// For a candidate's section, which stands below a heading of level 2.
    pub fn section(prefix: &'static str) -> Self {
        Self {
            prefix,
            top_heading: 3,
            sources: &[],
            terms: None,
        }
    }
}

/// Why a text is not rendered. The text itself is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkdownError {
    #[error("This text has {kilobytes} KB; at most {limit} KB can be shown.")]
    TooLarge { kilobytes: usize, limit: usize },
    #[error("This text has more parts than can be shown. Shorten its tables.")]
    TooManyParts,
    #[error(
        "Line {line} nests deeper than {DEEPEST} levels. Flatten the list or the quotation there."
    )]
    TooDeep { line: usize },
}

/// Renders Markdown to sanitized HTML.
pub fn render(text: &str, place: Place<'_>) -> Result<String, MarkdownError> {
    let limit = if place.sources.is_empty() {
        SECTION_BYTES
    } else {
        CONTENT_BYTES
    };
    if text.len() > limit {
        return Err(MarkdownError::TooLarge {
            kilobytes: text.len().div_ceil(1024),
            limit: limit / 1024,
        });
    }
    let text = mark_citations(text, place.sources);
    let events = checked_events(&text)?;
    let mut unsafe_html = String::with_capacity(text.len() * 3 / 2);
    html::push_html(
        &mut unsafe_html,
        Rewriter::new(place).rewrite(events).into_iter(),
    );
    Ok(SANITIZER.clean(&unsafe_html).to_string())
}

/// Renders Markdown, or shows the text as it stands below a sentence that says why it is not rendered.
pub fn render_or_explain(text: &str, place: Place<'_>) -> String {
    render(text, place).unwrap_or_else(|error| {
        format!(
            "<p class=\"fault\">{error}</p><pre tabindex=\"0\">{}</pre>",
            escape(text)
        )
    })
}

fn mark_citations<'a>(text: &'a str, sources: &[String]) -> std::borrow::Cow<'a, str> {
    if sources.is_empty() || !text.contains("[^") {
        return text.into();
    }
    let mut marked = text.to_owned();
    for source in sources {
        marked = marked.replace(
            &format!("[^{source}]"),
            &format!("{CITE_OPEN}{source}{CITE_CLOSE}"),
        );
    }
    marked.into()
}

/// All events with the text's nesting checked; nothing after this can be made slow by nesting.
fn checked_events(text: &str) -> Result<Vec<Event<'_>>, MarkdownError> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut depth = 0;
    let mut events = Vec::new();
    // A word that a backslash or an entity cuts in two is one word.
    let parser = TextMergeWithOffset::new(Parser::new_ext(text, options).into_offset_iter());
    for (event, span) in parser {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if depth > DEEPEST {
            return Err(MarkdownError::TooDeep {
                line: text[..span.start].matches('\n').count() + 1,
            });
        }
        if events.len() == MOST_EVENTS {
            return Err(MarkdownError::TooManyParts);
        }
        events.push(event);
    }
    Ok(events)
}

struct Rewriter<'a> {
    place: Place<'a>,
    used_ids: HashMap<String, usize>,
}

impl<'a> Rewriter<'a> {
    fn new(place: Place<'a>) -> Self {
        Self {
            place,
            used_ids: HashMap::new(),
        }
    }

    fn rewrite(mut self, events: Vec<Event<'_>>) -> Vec<Event<'_>> {
        let mut out = Vec::with_capacity(events.len());
        let mut events = events.into_iter();
        // Within a link nothing is linked again.
        let mut in_link = false;
        while let Some(event) = events.next() {
            match &event {
                Event::Start(Tag::Link { .. } | Tag::Image { .. }) => in_link = true,
                Event::End(TagEnd::Link | TagEnd::Image) => in_link = false,
                _ => {}
            }
            match event {
                Event::Html(raw) | Event::InlineHtml(raw) => out.push(Event::Text(raw)),
                Event::Text(text) => {
                    let terms = self.place.terms.filter(|_| !in_link);
                    push_cited(text, self.place.sources, terms, &mut out);
                }
                Event::Start(Tag::Image {
                    dest_url, title, ..
                }) => {
                    // A remote image would tell its server who reads this page, and when.
                    out.push(Event::Start(Tag::Link {
                        link_type: pulldown_cmark::LinkType::Inline,
                        dest_url,
                        title,
                        id: CowStr::Borrowed(""),
                    }));
                    out.push(Event::Text("image: ".into()));
                }
                Event::End(TagEnd::Image) => out.push(Event::End(TagEnd::Link)),
                Event::Start(Tag::Table(alignments)) => {
                    out.push(Event::Html("<div class=\"scroll\" tabindex=\"0\">".into()));
                    out.push(Event::Start(Tag::Table(alignments)));
                }
                Event::End(TagEnd::Table) => {
                    out.push(Event::End(TagEnd::Table));
                    out.push(Event::Html("</div>".into()));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let mut code = String::new();
                    for inner in events.by_ref() {
                        match inner {
                            Event::Text(text) => code.push_str(&text),
                            Event::End(TagEnd::CodeBlock) => break,
                            _ => {}
                        }
                    }
                    out.push(Event::Html(code_block(&kind, &code).into()));
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    let mut inside = Vec::new();
                    for inner in events.by_ref() {
                        if matches!(inner, Event::End(TagEnd::Heading(_))) {
                            break;
                        }
                        inside.push(inner);
                    }
                    self.heading(level, inside, &mut out);
                }
                Event::Start(Tag::FootnoteDefinition(label)) => {
                    out.push(Event::Start(Tag::FootnoteDefinition(self.footnote(&label))));
                }
                Event::FootnoteReference(label) => {
                    out.push(Event::FootnoteReference(self.footnote(&label)));
                }
                other => out.push(other),
            }
        }
        out
    }

    fn footnote(&self, label: &str) -> CowStr<'static> {
        format!("{}-note-{}", self.place.prefix, slug(label)).into()
    }

    fn heading<'e>(
        &mut self,
        level: HeadingLevel,
        inside: Vec<Event<'e>>,
        out: &mut Vec<Event<'e>>,
    ) {
        let text: String = inside
            .iter()
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let id = self.unique_id(&text);
        let level = (level as usize + self.place.top_heading - 1).min(6);
        let has_link = inside.iter().any(|event| {
            matches!(
                event,
                Event::Start(Tag::Link { .. } | Tag::Image { .. }) | Event::FootnoteReference(_)
            ) || matches!(event, Event::Text(text) if text.contains(CITE_OPEN))
        });
        let anchor = (!has_link && !text.trim().is_empty())
            .then(|| format!("<a class=\"anchor\" href=\"#{id}\">"));
        out.push(Event::Html(
            format!(
                "<h{level} id=\"{id}\">{}",
                anchor.as_deref().unwrap_or_default()
            )
            .into(),
        ));
        let inner = Rewriter {
            place: Place {
                terms: None,
                ..self.place
            },
            used_ids: HashMap::new(),
        }
        .rewrite(inside);
        out.extend(inner);
        out.push(Event::Html(
            format!(
                "{}</h{level}>\n",
                if anchor.is_some() { "</a>" } else { "" }
            )
            .into(),
        ));
    }

    fn unique_id(&mut self, text: &str) -> String {
        let id = format!("{}-{}", self.place.prefix, slug(text));
        let count = self.used_ids.entry(id.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            id
        } else {
            format!("{id}-{count}")
        }
    }
}

/// Lower-case letters and digits of any script, other runs as one hyphen.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    slug.chars().take(60).collect()
}

fn push_cited<'e>(
    text: CowStr<'e>,
    sources: &[String],
    terms: Option<&OnAPage<'_>>,
    out: &mut Vec<Event<'e>>,
) {
    // The same brackets in a text that may not cite are only brackets.
    if sources.is_empty() {
        out.push(Event::Text(text));
        return;
    }
    let mut rest: &str = &text;
    let mut parts = Vec::new();
    while let Some((before, after)) = rest.split_once(CITE_OPEN) {
        let Some((source, after)) = after.split_once(CITE_CLOSE) else {
            break;
        };
        parts.push(linked(before, terms));
        let id = escape(source);
        // What we judge or work out ourselves stands in no list of sources.
        let cited = if OUR_OWN.contains(&source) {
            id
        } else {
            format!("<a href=\"#source-{id}\">{id}</a>")
        };
        parts.push(Event::InlineHtml(
            format!("<sup class=\"cite\">{cited}</sup>").into(),
        ));
        rest = after;
    }
    parts.push(linked(rest, terms));
    out.extend(parts);
}

/// The text with its terms as links.
fn linked(text: &str, terms: Option<&OnAPage<'_>>) -> Event<'static> {
    match terms.and_then(|terms| terms.link(text)) {
        Some(html) => Event::InlineHtml(html.into()),
        None => Event::Text(text.to_owned().into()),
    }
}

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

fn code_block(kind: &CodeBlockKind<'_>, code: &str) -> String {
    let language = match kind {
        CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or_default(),
        CodeBlockKind::Indented => "",
    };
    let body = highlighted(language, code).unwrap_or_else(|| escape(code));
    format!("<pre tabindex=\"0\"><code>{body}</code></pre>\n")
}

/// The code as spans with one class each, or `None` when the language is not known or the code too long.
fn highlighted(language: &str, code: &str) -> Option<String> {
    let too_long =
        code.len() > HIGHLIGHTED_BYTES || code.lines().any(|line| line.len() > HIGHLIGHTED_LINE);
    if language.is_empty() || too_long {
        return None;
    }
    let mut highlighter = Highlighter::new(language)?;
    code.split_inclusive('\n')
        .map(|line| highlighter.line(line))
        .collect()
}

/// Highlights code one line after the other, each into spans with one class each.
pub struct Highlighter {
    state: ParseState,
    stack: ScopeStack,
}

impl Highlighter {
    /// By the language's name or the extension of its files; `None` when it is not known.
    pub fn new(language: &str) -> Option<Self> {
        let syntax = SYNTAXES.find_syntax_by_token(language)?;
        (syntax.name != "Plain Text").then(|| Self {
            state: ParseState::new(syntax),
            stack: ScopeStack::new(),
        })
    }

    /// The next line, which ends with a line feed unless the code ends in it; `None` when it cannot be read.
    pub fn line(&mut self, line: &str) -> Option<String> {
        let changes = self.state.parse_line(line, &SYNTAXES).ok()?;
        let mut out = String::with_capacity(line.len() * 2);
        let mut from = 0;
        for (at, change) in changes {
            push_span(&mut out, &line[from..at], &self.stack);
            from = at;
            self.stack.apply(&change).ok()?;
        }
        push_span(&mut out, &line[from..], &self.stack);
        Some(out)
    }
}

fn push_span(out: &mut String, text: &str, stack: &ScopeStack) {
    if text.is_empty() {
        return;
    }
    let class = stack.scopes.iter().rev().find_map(|scope| {
        CODE_CLASSES
            .iter()
            .find(|(prefix, _)| prefix.is_prefix_of(*scope))
            .map(|(_, class)| *class)
    });
    match class {
        Some(class) if !class.is_empty() && !text.trim().is_empty() => {
            let _ = write!(out, "<span class=\"{class}\">{}</span>", escape(text));
        }
        _ => out.push_str(&escape(text)),
    }
}

/// Which class a scope of the syntax definitions gets; the first that fits.
static CODE_CLASSES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    [
        ("comment", "hl-comment"),
        ("string", "hl-string"),
        ("constant", "hl-constant"),
        ("keyword.operator", ""),
        ("keyword", "hl-keyword"),
        ("storage", "hl-keyword"),
        ("entity.name", "hl-name"),
        ("support", "hl-name"),
    ]
    .into_iter()
    .filter_map(|(scope, class)| Scope::new(scope).ok().map(|scope| (scope, class)))
    .collect()
});

static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut sanitizer = ammonia::Builder::default();
    sanitizer
        .tags(HashSet::from([
            "a",
            "blockquote",
            "br",
            "code",
            "del",
            "div",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "li",
            "ol",
            "p",
            "pre",
            "span",
            "strong",
            "sup",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ]))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title", "class", "data-def"])),
            ("div", HashSet::from(["class", "id", "tabindex"])),
            ("ol", HashSet::from(["start"])),
            ("pre", HashSet::from(["tabindex"])),
            ("span", HashSet::from(["class"])),
            ("sup", HashSet::from(["class"])),
            ("h1", HashSet::from(["id"])),
            ("h2", HashSet::from(["id"])),
            ("h3", HashSet::from(["id"])),
            ("h4", HashSet::from(["id"])),
            ("h5", HashSet::from(["id"])),
            ("h6", HashSet::from(["id"])),
        ]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(Some("nofollow noopener noreferrer"));
    sanitizer
});

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn html(text: &str) -> String {
        render(text, Place::section("t")).expect("renders")
    }

    fn cited(text: &str) -> String {
        let sources = ["S0".to_owned()];
        render(
            text,
            Place {
                prefix: "t",
                top_heading: 2,
                sources: &sources,
                terms: None,
            },
        )
        .expect("renders")
    }

    #[test]
    fn shapes() {
        insta::assert_snapshot!(
            [
                html("# One\n\n## One\n\ntext *em* `code` ~~gone~~"),
                html("| a | b |\n|---|--:|\n| 1 | 2 |"),
                html("A note[^1].\n\n[^1]: The note."),
                html("```sql\nSELECT 'x' FROM t; -- all\n```"),
                html("```unheard-of\n<b>\n```"),
                html("![a picture](https://example.org/track.png)"),
                html("## A [link](https://example.org) in a heading"),
                cited("Sixty minutes[^S0], not[^S9]."),
                cited("## Cited[^S0]"),
            ]
            .join("\n----\n")
        );
    }

    /// A published text whose glossary has one term.
    fn explained(text: &str) -> String {
        let terms = crate::domain::content::parse_glossary(
            &[(
                "terms.toml",
                "[[term]]\nid = \"queue\"\nterm = \"Queue\"\nalso = [\"shard_id\"]\ndefinition = \"Work that <waits>. It is \\\"bounded\\\".\"\nwhy = \"It is.\"\nquestion = \"Is it what it is?\"\nanswer = \"It is.\"\nsee = []\nsources = []\n",
            )],
            &[],
        );
        assert_eq!(terms.diagnostics, []);
        let glossary = super::super::glossary::Glossary::new(terms.value.expect("terms"));
        let page = glossary.on_a_page();
        let sources = ["S0".to_owned(), "ours".to_owned()];
        let place = Place {
            prefix: "t",
            top_heading: 2,
            sources: &sources,
            terms: Some(&page),
        };
        render(text, place).expect("renders")
    }

    #[test]
    fn terms_are_linked_in_prose_alone() {
        for (text, links) in [
            ("A queue.", 1),
            ("*A queue*, **queue**", 1),
            ("- a queue\n- a queue", 1),
            ("> a queue", 1),
            ("| a queue |\n|---|\n| b |", 1),
            ("a queue[^S0]", 1),
            ("Six[^S0] of a queue[^S0], and a queue", 1),
            ("a [long queue](/prompts)", 0),
            ("[a *queue*](/prompts), then a queue", 1),
            ("<https://example.org/queue>", 0),
            ("## A queue", 0),
            ("## A queue\n\nA queue.", 1),
            ("`queue`", 0),
            ("```text\nqueue\n```", 0),
            ("    queue", 0),
            ("![queue](a.png)", 0),
            ("<b>queue</b>", 1),
            ("A \\*queue\\*.", 1),
            ("the queue_size and the queue\\_depth", 0),
            ("q*ueu*e", 0),
            ("queue&#8203;s", 1),
            ("&quot;queue&quot;", 1),
            ("the shard_id", 1),
            ("a queue\nand a queue", 1),
        ] {
            let html = explained(text);
            assert_eq!(
                html.matches("<a class=\"term\"").count(),
                links,
                "{text} → {html}"
            );
            let nested = html.split("<a ").skip(1).any(|part| {
                part.split("</a>")
                    .next()
                    .is_some_and(|inside| inside.contains("<a"))
            });
            assert!(!nested, "{text} → {html}");
        }
        let html = explained("A <queue> & more");
        assert!(
            !html.contains("<queue") && !html.contains("<waits"),
            "{html}"
        );
        let html = explained("A queue.");
        assert!(html.contains("data-def=\"Work that "), "{html}");
        let document = scraper::Html::parse_fragment(&html);
        let link = scraper::Selector::parse("a.term").expect("a selector");
        let link = document.select(&link).next().expect("the link");
        assert_eq!(
            (link.attr("href"), link.attr("data-def")),
            (
                Some("/reference/glossary/queue"),
                Some("Work that <waits>. It is \"bounded\".")
            )
        );
    }

    #[test]
    fn our_own_figures_lead_to_no_source() {
        let html = explained("Ten[^ours] of them, six[^S0].");
        assert!(html.contains("Ten<sup class=\"cite\">ours</sup>"), "{html}");
        assert!(html.contains("<a href=\"#source-S0\""), "{html}");
    }

    #[test]
    fn nothing_runs() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "<a href=\"javascript:alert(1)\">x</a>",
            "![x](javascript:alert(1))",
            "</textarea><svg onload=alert(1)>",
            "<style>*{display:none}</style>",
            "```html\n<script>alert(1)</script>\n```",
            "| <iframe src=//e> |\n|---|\n| x |",
            "\u{2e28}<img src=x onerror=alert(1)>\u{2e29}",
        ] {
            for html in [html(text), cited(text)] {
                let lower = html.to_lowercase();
                for bad in [
                    "<script",
                    "<img",
                    "<svg",
                    "<iframe",
                    "<style",
                    "<a href=\"javascript",
                    "<a href=\"data",
                ] {
                    assert!(!lower.contains(bad), "{text} → {html}");
                }
            }
        }
    }

    #[test]
    fn nesting_is_refused_quickly_and_named() {
        let deep = format!("fine\n\n{}", ">".repeat(50_000));
        let started = Instant::now();
        assert_eq!(
            render(&deep, Place::section("t")),
            Err(MarkdownError::TooDeep { line: 3 })
        );
        let list: String = (0..200)
            .map(|depth| format!("{}- x\n", "  ".repeat(depth)))
            .collect();
        assert!(matches!(
            render(&list, Place::section("t")),
            Err(MarkdownError::TooDeep { .. })
        ));
        let stars = format!("{}x{}", "*".repeat(20_000), "*".repeat(20_000));
        let _ = render(&stars, Place::section("t"));
        let brackets = "[".repeat(60_000);
        let _ = render(&brackets, Place::section("t"));
        // Not a figure, only the difference between linear and quadratic.
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
        let shown = render_or_explain(&deep, Place::section("t"));
        assert!(
            shown.starts_with("<p class=\"fault\">Line 3 nests deeper"),
            "{}",
            &shown[..80]
        );
        assert!(shown.contains("&gt;&gt;"));
    }

    #[test]
    fn size_is_refused() {
        let long = "word ".repeat(20_000);
        assert_eq!(
            render(&long, Place::section("t")),
            Err(MarkdownError::TooLarge {
                kilobytes: 98,
                limit: 64
            })
        );
    }
}
