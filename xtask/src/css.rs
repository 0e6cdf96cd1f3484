//! The one style sheet: the files of `style/` in name order, with the names of other files replaced by
//! their hashed names, and without comments and needless white space.
//!
//! A careful stripper, not a minifier: it reads CSS's tokens as far as strings, comments, escapes and
//! unquoted `url(…)` go (CSS Syntax Module Level 3, section 4) and changes nothing inside them.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// A stretch of a style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// `/* … */`, its end possibly missing.
    Comment,
    Space,
    /// A quoted string with its quotes.
    Quoted(&'a str),
    /// `url(…)`, whole, quoted or not; the second part is what it names, without quotes.
    Url(&'a str, &'a str),
    /// One character, or one escaped character with its backslash.
    Other(&'a str),
}

/// Reads the next token off the front of `text`, which must not be empty.
fn next_token(text: &str, after_name: bool) -> (Token<'_>, &str) {
    if let Some(rest) = text.strip_prefix("/*") {
        let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
        return (Token::Comment, &rest[end..]);
    }
    let spaces = text.len()
        - text
            .trim_start_matches([' ', '\t', '\n', '\r', '\x0c'])
            .len();
    if spaces > 0 {
        return (Token::Space, &text[spaces..]);
    }
    if text.starts_with(['"', '\'']) {
        let (quoted, rest) = text.split_at(quoted_length(text));
        return (Token::Quoted(quoted), rest);
    }
    if !after_name
        && text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("url("))
    {
        let inside = &text[4..];
        let lead = inside.len() - inside.trim_start().len();
        let value = &inside[lead..];
        let length = if value.starts_with(['"', '\'']) {
            quoted_length(value)
        } else {
            value.find(')').unwrap_or(value.len())
        };
        let close = value[length..]
            .find(')')
            .map_or(value.len(), |at| length + at + 1);
        let (whole, rest) = text.split_at(4 + lead + close);
        return (
            Token::Url(whole, value[..length].trim().trim_matches(['"', '\''])),
            rest,
        );
    }
    let mut characters = text.char_indices();
    let first = characters.next().map(|(_, character)| character);
    if first == Some('\\') {
        characters.next();
    }
    let length = characters.next().map_or(text.len(), |(at, _)| at);
    let (other, rest) = text.split_at(length);
    (Token::Other(other), rest)
}

/// The length of the string that `text` starts with, quotes included. A newline ends an unclosed string, as in CSS.
fn quoted_length(text: &str) -> usize {
    let mut characters = text.char_indices();
    let quote = characters.next().map(|(_, character)| character);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '\n' => return at,
            other if Some(other) == quote => return at + other.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The tokens of a style sheet, each with the text from its start on.
fn tokens(sheet: &str) -> impl Iterator<Item = (Token<'_>, &str)> {
    let mut rest = sheet;
    let mut after_name = false;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let here = rest;
        let (token, left) = next_token(rest, after_name);
        rest = left;
        after_name = matches!(token, Token::Other(text) if text.starts_with(|c: char| c.is_alphanumeric() || "-_\\".contains(c)));
        Some((token, here))
    })
}

/// Replaces what `url(…)` names by its hashed name. `names` maps logical to hashed names. An address with a
/// scheme, a fragment or an absolute path is left alone; a name that is no file of ours is an error, with its line.
pub fn link(sheet: &str, names: &BTreeMap<String, String>) -> Result<String> {
    let mut linked = String::with_capacity(sheet.len());
    let mut rest_after = sheet;
    for (token, here) in tokens(sheet) {
        let Token::Url(whole, name) = token else {
            continue;
        };
        if name.contains(':') || name.starts_with(['#', '/']) {
            continue;
        }
        let logical = name.trim_start_matches("./");
        let Some(hashed) = names.get(logical) else {
            let line = sheet[..sheet.len() - here.len()].lines().count().max(1);
            bail!("line {line}: url({name}) names no file of style/ or public/");
        };
        let before = rest_after.len() - here.len();
        linked.push_str(&rest_after[..before]);
        linked.push_str("url(");
        linked.push_str(hashed);
        linked.push(')');
        rest_after = &here[whole.len()..];
    }
    linked.push_str(rest_after);
    Ok(linked)
}

/// Takes comments and needless white space out.
pub fn strip(sheet: &str) -> String {
    let mut out = String::with_capacity(sheet.len());
    let mut gap = Gap::None;
    for (token, _) in tokens(sheet) {
        let text = match token {
            Token::Comment => {
                gap = gap.max(Gap::Comment);
                continue;
            }
            Token::Space => {
                gap = Gap::Space;
                continue;
            }
            Token::Quoted(text) | Token::Url(text, _) | Token::Other(text) => text,
        };
        match gap {
            Gap::None => {}
            _ if out.is_empty() || glues_left(&out) || glues_right(text) => {}
            // An empty comment keeps `a` and `b` two tokens without the meaning that a space has in a selector.
            Gap::Comment => out.push_str("/**/"),
            Gap::Space => out.push(' '),
        }
        gap = Gap::None;
        if text == "}" && out.ends_with(';') && glues_left(&out) {
            out.pop();
        }
        out.push_str(text);
    }
    out
}

/// What stood between two tokens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Comment,
    Space,
}

/// No gap is needed after these: `{`, `}`, `;`, `,` anywhere, and `:` (a space before a colon separates
/// compound selectors, one after it never does). An escaped one is a name's character, not punctuation.
fn glues_left(out: &str) -> bool {
    out.ends_with(['{', '}', ';', ',', ':']) && !out[..out.len() - 1].ends_with('\\')
}

fn glues_right(text: &str) -> bool {
    matches!(text, "{" | "}" | ";" | ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_stays() {
        let cases = [
            ("a { color : red ; }", "a{color :red}"),
            ("a :hover, a:hover { x: y }", "a :hover,a:hover{x:y}"),
            (
                "p::before { content: \"/* a ; b */  '\" ; }",
                "p::before{content:\"/* a ; b */  '\"}",
            ),
            ("/* one */ a {} /* two */", "a{}"),
            ("div/**/.a{}", "div/**/.a{}"),
            ("div /* x */ .a{}", "div .a{}"),
            ("a{width:calc( 1px + 2px )}", "a{width:calc( 1px + 2px )}"),
            ("a{b:url( x y.png ) ; }", "a{b:url( x y.png )}"),
            ("a{b:url(\"a;  b.png\")}", "a{b:url(\"a;  b.png\")}"),
            (
                "a{b:url(data:image/svg+xml;utf8,<svg  x='/*'/>)}",
                "a{b:url(data:image/svg+xml;utf8,<svg  x='/*'/>)}",
            ),
            (".a\\:b  c{}", ".a\\:b c{}"),
            (".a\\; b{}", ".a\\; b{}"),
            (
                "@media (min-width: 40em)  and  (hover) {\n a { b: c; } \n}",
                "@media (min-width:40em) and (hover){a{b:c}}",
            ),
            ("a{--x: ;--y:1}", "a{--x:;--y:1}"),
            ("a{content:'it\\'s  ; '}", "a{content:'it\\'s  ; '}"),
            ("a{} /* never closed", "a{}"),
            ("é { ü : \"ß\" }", "é{ü :\"ß\"}"),
        ];
        for (sheet, expected) in cases {
            assert_eq!(strip(sheet), expected, "{sheet}");
            assert_eq!(strip(expected), expected, "stripping twice: {sheet}");
        }
    }

    #[test]
    fn names_become_hashed_names() {
        let names = [
            ("inter.woff2", "inter.01.woff2"),
            ("img/a.svg", "img/a.02.svg"),
        ];
        let names = names
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect();
        let cases = [
            (
                "src: url(inter.woff2) format(\"woff2\")",
                "src: url(inter.01.woff2) format(\"woff2\")",
            ),
            (
                "url( 'inter.woff2' ) url(\"img/a.svg\")",
                "url(inter.01.woff2) url(img/a.02.svg)",
            ),
            ("URL(./inter.woff2)", "url(inter.01.woff2)"),
            (
                "url(data:x) url(#id) url(/x)",
                "url(data:x) url(#id) url(/x)",
            ),
            (
                "/* url(gone.png) */ 'url(gone.png)'",
                "/* url(gone.png) */ 'url(gone.png)'",
            ),
        ];
        for (sheet, expected) in cases {
            assert_eq!(link(sheet, &names).expect(sheet), expected);
        }
        let fault = link("a{}\nb{c:url(gone.png)}", &names).expect_err("no such file");
        assert_eq!(
            fault.to_string(),
            "line 2: url(gone.png) names no file of style/ or public/"
        );
    }
}
