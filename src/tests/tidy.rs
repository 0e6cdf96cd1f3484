//! The structure that ARCHITECTURE.md promises, read from the sources: who may use whom, where SQL and textareas stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What breaks a rule of direction today, as (file, what it uses). A line that is no longer needed fails the test, so
/// that the list only shrinks.
const KNOWN: [(&str, &str); 0] = [];

const FEATURES: [&str; 12] = [
    "mail",
    "prompts",
    "exercises",
    "practice",
    "calculators",
    "reference",
    "search",
    "reviews",
    "calibration",
    "accounts",
    "teams",
    "progress",
];

struct Source {
    /// From the package's folder: `src/server/state.rs`.
    path: String,
    text: String,
}

impl Source {
    /// The folder or file directly below `src`, which is what directions are about.
    fn part(&self) -> &str {
        let name = self
            .path
            .trim_start_matches("src/")
            .split('/')
            .next()
            .unwrap_or_default();
        name.trim_end_matches(".rs")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        self.part() == "tests" || self.name() == "tests.rs"
    }

    /// Its code outside of comments and of tests at its end.
    fn code(&self) -> String {
        if self.is_test() {
            return String::new();
        }
        let before_tests = self
            .text
            .split("\n#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let lines = before_tests.lines().map(|line| {
            if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Its module as a path: `server::state`.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/')
            .filter(|part| !["mod", "lib"].contains(part))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Every path that it names within the crate, whole: `server::state::AppState`.
    fn uses(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut used = BTreeSet::new();
        let bytes = code.as_bytes();
        for start in ["crate::", "super::"] {
            for (at, _) in code.match_indices(start) {
                let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
                if before.is_ascii_alphanumeric() || before == b'_' || before == b':' {
                    continue;
                }
                let mut base = if start == "crate::" {
                    Vec::new()
                } else {
                    self.module()
                };
                let mut rest = &code[at..];
                if let Some(after) = rest.strip_prefix("crate::") {
                    rest = after;
                }
                while let Some(after) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = after;
                }
                for tail in tree(rest) {
                    used.insert(
                        base.iter()
                            .cloned()
                            .chain([tail])
                            .collect::<Vec<_>>()
                            .join("::"),
                    );
                }
            }
        }
        used
    }
}

/// The paths of a use tree that starts here: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    if !(head.is_empty() || head.ends_with("::")) || !rest.starts_with('{') {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let mut depth = 0;
    let mut branches = vec![String::new()];
    for character in rest.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (character, depth) {
            (_, 0) => break,
            ('{', 1) => {}
            (',', 1) => branches.push(String::new()),
            _ => branches.last_mut().expect("one at least").push(character),
        }
    }
    let branches = branches
        .iter()
        .map(|branch| branch.trim())
        .filter(|branch| !branch.is_empty());
    branches
        .flat_map(tree)
        .map(|tail| format!("{head}{tail}"))
        .collect()
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("reads").path();
        if path.is_dir() {
            if !["target", "node_modules"]
                .iter()
                .any(|skipped| path.ends_with(skipped))
            {
                found.extend(files_below(&path, extensions));
            }
        } else if path
            .extension()
            .is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources_of(folder: &str, extensions: &[&str]) -> Vec<Source> {
    let read = |path: PathBuf| Source {
        path: path
            .strip_prefix(package())
            .expect("below")
            .to_string_lossy()
            .replace('\\', "/"),
        text: fs::read_to_string(&path).expect("is text"),
    };
    files_below(&package().join(folder), extensions)
        .into_iter()
        .map(read)
        .collect()
}

fn sources() -> Vec<Source> {
    let sources = sources_of("src", &["rs"]);
    assert!(
        sources.len() > 40
            && sources
                .iter()
                .any(|source| source.path == "src/practice/store/mod.rs")
    );
    sources
}

/// Every line of code that a rule refuses, or the test passes.
fn none_where(rule: &str, refused: impl Fn(&Source, &str) -> bool) {
    let sources = sources();
    let found: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let code = source.code();
            let lines: Vec<String> = code
                .lines()
                .enumerate()
                .filter(|(_, line)| refused(source, line))
                .map(|(number, line)| format!("{}:{}: {}", source.path, number + 1, line.trim()))
                .collect();
            lines
        })
        .collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// Why a part may not use a path of the crate, if it may not.
fn refusal(part: &str, used: &str) -> Option<&'static str> {
    let mut names = used.split("::");
    let (target, below) = (
        names.next().unwrap_or_default(),
        names.next().unwrap_or_default(),
    );
    // Macros stand at the root of the crate; these three belong to the database.
    let target = if ["on", "affected", "transact"].contains(&target) {
        "server"
    } else {
        target
    };
    let is_feature = FEATURES.contains(&target);
    if target == part || target.is_empty() || target == "domain" && part != "domain" {
        return None;
    }
    match part {
        "domain" => Some("the domain uses nothing outside the domain"),
        "error" => Some("the error that crosses the wire knows the domain alone"),
        "ui" => Some("shared components know the domain alone"),
        "server" if !["error", "ui"].contains(&target) => Some("the server knows no feature"),
        _ if FEATURES.contains(&part) => match target {
            "error" | "server" | "ui" => None,
            _ if is_feature && below == "store" => None,
            _ if is_feature => {
                Some("a feature uses another feature's store and nothing else of it")
            }
            _ => Some("a feature does not know what is built from it"),
        },
        "operations" if target == "app" => {
            Some("what an operator does does not go through the web")
        }
        // How mail is set up is checked as the server would.
        "operations" if is_feature && below != "store" && target != "mail" => {
            Some("what an operator does uses a feature's store and nothing else of it")
        }
        "app" if target == "operations" => Some("the web knows no operator's command"),
        "app" | "operations" if target == "bin" || target == "main" => {
            Some("nothing knows the command line")
        }
        _ => None,
    }
}

#[test]
fn the_parts_use_each_other_in_one_direction() {
    let mut needed = BTreeSet::new();
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for used in source.uses() {
            let Some(why) = refusal(source.part(), &used) else {
                continue;
            };
            match KNOWN
                .iter()
                .find(|(path, known)| *path == source.path && used.starts_with(known))
            {
                Some(known) => {
                    needed.insert(*known);
                }
                None => faults.push(format!("{} uses {used}: {why}", source.path)),
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let idle: Vec<_> = KNOWN
        .iter()
        .filter(|known| !needed.contains(*known))
        .collect();
    assert!(idle.is_empty(), "mended, so take out of KNOWN: {idle:?}");
}

#[test]
fn the_directions_are_read_from_the_text() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let text = "use crate::{affected, domain::{level::Level, phase}, on};\nuse super::super::prompts::page;\nfn a() { crate::app::b(); }\n\
                // crate::comment::x\n#[cfg(test)]\nmod tests {\n    use crate::late::x;\n}\n";
    let used: Vec<String> = source("src/practice/store.rs", text)
        .uses()
        .into_iter()
        .collect();
    assert_eq!(
        used,
        [
            "affected",
            "app::b",
            "domain::level::Level",
            "domain::phase",
            "on",
            "prompts::page"
        ]
    );
    assert_eq!(
        source("src/practice/api/mod.rs", "use super::store::x;")
            .uses()
            .into_iter()
            .collect::<Vec<_>>(),
        ["practice::store::x"]
    );
    for (part, used, allowed) in [
        ("domain", "domain::level", true),
        ("domain", "error::AppError", false),
        ("domain", "server::clock", false),
        ("ui", "server::state", false),
        ("server", "error::AppError", true),
        ("server", "practice::store", false),
        ("server", "app::router", false),
        ("practice", "transact", true),
        ("practice", "prompts::store::x", true),
        ("practice", "prompts::page::Sources", false),
        ("practice", "app::see_other", false),
        ("practice", "app::routes", false),
        ("app", "practice::page", true),
        ("operations", "practice::store::x", true),
        ("operations", "server::database::Db", true),
        ("operations", "practice::page", false),
        ("operations", "app::router", false),
        ("practice", "operations::backup", false),
        ("server", "operations::store", false),
        ("main", "app::router", true),
        ("main", "operations::backup", true),
    ] {
        assert_eq!(refusal(part, used).is_none(), allowed, "{part} uses {used}");
    }
}

#[test]
fn the_domain_is_pure() {
    let impure = [
        "leptos",
        "axum",
        "sqlx",
        "tokio",
        "http::",
        "web_sys",
        "js_sys",
        "wasm_bindgen",
        "server_fn",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "getrandom",
        "thread_rng",
        "new_v4",
        "now_v7",
        "println!",
        "include_str!",
    ];
    none_where(
        "the domain knows no web, SQL, files, clock or randomness",
        |source, line| source.part() == "domain" && impure.iter().any(|word| line.contains(word)),
    );
}

#[test]
fn sql_stands_in_stores() {
    none_where("SQL belongs into a file named store.rs", |source, line| {
        let is_store = source.name() == "store.rs" || source.path.contains("/store/");
        (line.contains("sqlx::query") && !is_store)
            || (line.contains("sqlx::migrate!") && source.path != "src/server/database.rs")
    });
}

#[test]
fn textareas_are_escaped_in_one_place() {
    none_where(
        "leptos does not escape a textarea: use ui::text_area::TextArea",
        |source, line| line.contains("<textarea") && source.path != "src/ui/text_area.rs",
    );
}

#[test]
fn features_of_the_build_stand_on_modules() {
    for source in sources() {
        if source.path == "src/lib.rs" {
            continue;
        }
        let code = source.code();
        let mut lines = code.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let place = format!("{}:{}", source.path, number + 1);
            if !(line.contains("cfg") && line.contains("feature =")) {
                continue;
            }
            assert!(
                line.trim_start().starts_with("#[cfg("),
                "{place}: a feature is asked for outside of an attribute"
            );
            let next = lines
                .by_ref()
                .map(|(_, line)| line.trim())
                .find(|line| !line.starts_with("#[") && !line.is_empty())
                .unwrap_or_default();
            assert!(
                next.starts_with("mod ") || next.starts_with("pub mod "),
                "{place}: stands on `{next}`, not on a module"
            );
        }
    }
}

#[test]
fn nothing_that_people_send_can_panic() {
    none_where(
        "outside tests there is no unwrap and no expect without a reason",
        |source, line| {
            let reasoned = || {
                let code = source.code();
                let lines: Vec<&str> = code.lines().collect();
                let at = lines
                    .iter()
                    .position(|found| *found == line)
                    .unwrap_or_default();
                lines[at.saturating_sub(6)..at]
                    .iter()
                    .any(|line| line.contains("expect_used") || line.contains("unwrap_used"))
            };
            // The measurements are a tool of ours and take nothing from anybody.
            let is_tool = source.part() == "bin";
            !is_tool
                && (line.contains(".unwrap()")
                    || line.contains(".expect(")
                    || line.contains(".unwrap_err()"))
                && !reasoned()
        },
    );
}

#[test]
fn views_hold_no_style_and_no_code() {
    none_where(
        "style belongs into the stylesheet, and the policy refuses it here",
        |_, line| {
            line.match_indices("style").any(|(at, _)| {
                let before = line[..at].chars().next_back().unwrap_or(' ');
                let after = &line[at + "style".len()..];
                (before.is_whitespace() || before == '"' || before == '\\')
                    && (after.starts_with('=')
                        || after
                            .strip_prefix(':')
                            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase())))
            }) || ["onclick=", "onload=", "onsubmit=", "javascript:"]
                .iter()
                .any(|code| line.contains(code))
        },
    );
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert!(
        silent.is_empty(),
        "these do not open with `//!`: {silent:?}"
    );
}

#[test]
fn no_place_of_one_machine_is_named() {
    // Put together here, so that this file does not name them.
    let hosts: Vec<String> = [
        "crates%io",
        "registry%npmjs",
        "npmjs%com",
        "pypi%org",
        "pythonhosted%org",
        "proxy%golang",
        "deb%debian%org",
        "static%rust-lang%org",
        "docker%io",
    ]
    .iter()
    .map(|host| host.replace('%', "."))
    .collect();
    let places: Vec<String> = ["home", "root", "work"]
        .iter()
        .map(|folder| format!("/{folder}/"))
        .collect();
    let mut found = Vec::new();
    for folder in ["src", "style", "migrations", "end2end", ".cargo", ".ci"] {
        for source in sources_of(
            folder,
            &["rs", "css", "sql", "toml", "ts", "js", "mjs", "run", "sh"],
        ) {
            for (number, line) in source.text.lines().enumerate() {
                let named = hosts.iter().any(|host| line.contains(host.as_str()));
                let place = places.iter().any(|place| {
                    line.contains(&format!(" {place}")) || line.contains(&format!("\"{place}"))
                });
                if named || place {
                    found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_path_of_the_architecture_exists() {
    let text = fs::read_to_string(package().join("ARCHITECTURE.md")).expect("it is there");
    let mut named = 0;
    for (number, line) in text.lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2) {
            let is_path = !quoted.contains([' ', '{', '<', '*', '(', '=', ':'])
                && !quoted.starts_with('/')
                && (quoted.contains('/')
                    || [".rs", ".toml", ".md"]
                        .iter()
                        .any(|end| quoted.ends_with(end)));
            if !is_path {
                continue;
            }
            named += 1;
            let found = [package().join(quoted), package().join("src").join(quoted)]
                .iter()
                .any(|path| path.exists());
            assert!(
                found,
                "ARCHITECTURE.md:{}: there is no `{quoted}`",
                number + 1
            );
        }
    }
    assert!(
        named > 10,
        "only {named} paths were found in ARCHITECTURE.md"
    );
}
