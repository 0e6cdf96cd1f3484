//! The shelf's parsers: the published data, and each fault in them with its place.

use std::collections::BTreeMap;

use super::*;
use crate::domain::content::parse_sources;

const SOURCES: &str = include_str!("../../../../content/sources.toml");
const TEXTS: [(&str, &str); 7] = [
    (
        "levels",
        include_str!("../../../../content/reference/levels.toml"),
    ),
    (
        "loops",
        include_str!("../../../../content/reference/loops.toml"),
    ),
    (
        "compensation",
        include_str!("../../../../content/reference/compensation.toml"),
    ),
    (
        "scorecard",
        include_str!("../../../../content/reference/scorecard.toml"),
    ),
    (
        "roadmap",
        include_str!("../../../../content/reference/roadmap.toml"),
    ),
    (
        "reading",
        include_str!("../../../../content/reference/reading.toml"),
    ),
    (
        "numbers",
        include_str!("../../../../content/reference/numbers.toml"),
    ),
];

fn parse(texts: &BTreeMap<&str, &str>) -> Parsed<Shelf> {
    let sources = parse_sources("sources.toml", SOURCES);
    assert!(sources.diagnostics.is_empty(), "{}", sources.diagnostics[0]);
    parse_shelf(texts, &sources.value.expect("sources"))
}

fn published() -> Shelf {
    let parsed = parse(&TEXTS.into());
    let faults: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    parsed.value.expect("a shelf")
}

/// What is found wrong when the first occurrence of a text is replaced in a page's file.
fn faults(page: &str, from: &str, to: &str) -> Vec<String> {
    let mut texts = BTreeMap::from(TEXTS);
    assert!(texts[page].contains(from), "{page} does not hold {from:?}");
    let edited = texts[page].replacen(from, to, 1);
    texts.insert(page, &edited);
    let found = parse(&texts).diagnostics;
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn the_published_shelf_is_whole() {
    let shelf = published();
    assert_eq!(shelf.levels.levels.len(), 7);
    assert_eq!(shelf.scorecard.dimensions.len(), 7);
    assert_eq!(shelf.roadmap.milestones().count(), 9);
    assert_eq!(shelf.roadmap.months_of_phases(), 18);
    assert_eq!(shelf.reading.works.len(), 12);
    assert_eq!(shelf.compensation.rows.len(), 16);
    assert_eq!(shelf.cited("scorecard"), ["S0", "S4"]);
    for page in SHELF_PAGES {
        assert!(!shelf.cited(page).is_empty(), "{page} cites nothing");
    }
    assert!(shelf.cited("nothing").is_empty());
}

#[test]
fn conflicts_follow_from_the_figures() {
    let shelf = published();
    let pairs: Vec<String> = shelf
        .compensation
        .disagreements()
        .into_iter()
        .map(|(one, other)| format!("{one} / {other}"))
        .collect();
    assert_eq!(
        pairs,
        [
            "senior-faang-s0 / senior-faang-s1",
            "senior-faang-s0 / senior-s3",
            "senior-faang-s1 / senior-s3",
            "mid-saas-s2 / anthropic-mid",
            "mid-saas-s2 / databricks-mid",
            "senior-faang-s0 / google-senior",
            "senior-faang-s0 / amazon-senior",
            "senior-faang-s0 / apple-senior",
        ]
    );
    let senior = shelf.levels.level(Rung::Senior).expect("senior");
    assert!(senior.years_differ());
    assert!(!shelf.levels.level(Rung::Mid).expect("mid").years_differ());
    let general = &shelf.loops.loops.iter().find(|found| found.id == "senior");
    let general = general.expect("the general loop");
    // The source says five to six rounds, and lists five to seven.
    assert_eq!(general.stated, Range::parse("5-6"));
    assert_eq!(Some(general.counted()), Range::parse("5-7"));
    assert!(!general.is_timed());
    assert_eq!(Some(general.minutes()), Range::parse("210-390"));
}

#[test]
fn elsewhere_takes_the_stated_share_off_the_total() {
    let shelf = published();
    let adjustment = &shelf.compensation.adjustments[0];
    let row = shelf
        .compensation
        .row("anthropic", Rung::Senior)
        .expect("a row");
    assert_eq!(
        Money::dollars(adjustment.applied(&row.total)).to_string(),
        "$435k–$810k+"
    );
    assert_eq!(adjustment.left(), (75, 90));
}

#[test]
fn only_what_is_published_can_be_ticked() {
    let shelf = published();
    for (name, known) in [
        ("roadmap/on-call", true),
        ("reading/ddia", true),
        ("reading/on-call", false),
        ("roadmap/", false),
        ("roadmap", false),
        ("", false),
        ("levels/senior", false),
        ("/on-call", false),
        ("roadmap/on-call/", false),
        ("ROADMAP/on-call", false),
    ] {
        let item = shelf.tick_item(name);
        assert_eq!(item.is_some(), known, "{name}");
        if let Some(item) = item {
            assert_eq!(item.name(), name);
        }
    }
    assert_eq!(shelf.tick_items("roadmap").count(), 9);
    assert_eq!(shelf.tick_items("numbers").count(), 0);
}

#[test]
fn each_fault_is_named() {
    let mut wrong = Vec::new();
    for (page, from, to, expected) in [
        (
            "levels",
            "scope = [",
            "scop = [",
            "levels.toml:6:1: unknown key \"scop\"; did you mean \"scope\"?",
        ),
        ("levels", "\"0-3\"", "\"3-0\"", "\"3-0\" is no range"),
        (
            "levels",
            "\"0-3\", source = \"S1\"",
            "\"0-3\", source = \"S9\"",
            "unknown source \"S9\"",
        ),
        (
            "levels",
            "id = \"junior\"",
            "id = \"staff\"",
            "\"staff\" stands where \"junior\" is expected",
        ),
        (
            "levels",
            "share = \"35-45\"",
            "share = \"5-15\"",
            "the shares add to 50 to 80 percent",
        ),
        (
            "levels",
            "share = \"35-45\"",
            "share = \"35-145\"",
            "a share is at most 100 percent",
        ),
        (
            "levels",
            "\"senior:S4\"]",
            "\"senior:S5\"]",
            "\"senior:S5\" does not differ",
        ),
        (
            "levels",
            "range = \"5-8\", source = \"S1\"",
            "range = \"5-9\", source = \"derived\"",
            "what is derived needs its working",
        ),
        (
            "levels",
            "range = \"3-5\", source = \"S2\"",
            "range = \"3-6\", source = \"S2\"",
            "\"mid:S1\" and \"mid:S2\" differ",
        ),
        (
            "loops",
            "kind = \"algorithms\"",
            "kind = \"algorithm\"",
            "unknown kind \"algorithm\"; did you mean \"algorithms\"?",
        ),
        (
            "loops",
            "id = \"mid\"",
            "id = \"junior\"",
            "\"junior\" stands here a second time",
        ),
        (
            "loops",
            "count = \"2-3\"",
            "count = \"1-3\"",
            "does not differ",
        ),
        (
            "loops",
            "minutes = \"120-240\"",
            "minutes = \"120-2400\"",
            "a round takes 1 to 480 minutes",
        ),
        ("loops", "count = \"1\"", "count = \"0\"", "1 to 9 rounds"),
        (
            "compensation",
            "company = \"meta\"",
            "company = \"mata\"",
            "unknown company \"mata\"; did you mean \"meta\"?",
        ),
        (
            "compensation",
            "total = \"300k-420k\"",
            "total = \"170k-420k\"",
            "the total is below the base",
        ),
        (
            "compensation",
            "total = \"280k-380k\"",
            "total = \"280k-580k\"",
            "\"mid-faang-s2\" and \"amazon-mid\" differ",
        ),
        (
            "compensation",
            "range = \"360k-540k\"",
            "range = \"370k-520k\"",
            "\"senior-faang-s1\" does not differ",
        ),
        (
            "compensation",
            "percent = \"10-25\"",
            "percent = \"10-125\"",
            "at most 100 percent",
        ),
        (
            "compensation",
            "currency = \"INR\"",
            "currency = \"EUR\"",
            "unknown currency \"EUR\"",
        ),
        (
            "compensation",
            "title = \"Two bands for senior\"\n",
            "",
            "missing key \"title\"",
        ),
        (
            "scorecard",
            "kind = \"strong\"",
            "kind = \"stron\"",
            "did you mean \"strong\"?",
        ),
        (
            "scorecard",
            "[[signal]]",
            "[[signals]]",
            "unknown key \"signals\"",
        ),
        (
            "roadmap",
            "months = 6",
            "months = 12",
            "so there is no conflict",
        ),
        (
            "roadmap",
            "[conflict]\nreading",
            "[conflicts]\nreading",
            "the phases add to 18 months and not to 24",
        ),
        (
            "roadmap",
            "id = \"on-call\"",
            "id = \"cost-cut\"",
            "\"cost-cut\" stands here a second time",
        ),
        (
            "roadmap",
            "id = \"on-call\"",
            "id = \"On call\"",
            "must be lower-case letters, digits and -",
        ),
        (
            "reading",
            "year = 2017",
            "year = 17",
            "a year of four digits",
        ),
        (
            "reading",
            "url = \"https://dataintensive.net\"",
            "url = \"javascript:alert(1)\"",
            "url must begin with https://",
        ),
        (
            "reading",
            "source = \"derived\"\nworking",
            "source = \"S0\"\nworking",
            "a working goes with source = \"derived\"",
        ),
        (
            "numbers",
            "value = \"0.25 ms\"",
            "value = \"fast\"",
            "Start with a number",
        ),
        (
            "numbers",
            "value = \"0.25 ms\"",
            "value = \"0.2 ms\"",
            "\"0.2 ms\" is below \"0.25 ms\"",
        ),
        (
            "numbers",
            "low = \"0.25 ms\"",
            "low = \"0.25 MB\"",
            "do not measure the same",
        ),
        (
            "numbers",
            "low = \"0.25 ms\"\n",
            "",
            "a range has both low and high",
        ),
        (
            "numbers",
            "value = \"0.25 ms\"\n",
            "",
            "either a value or a rule is expected",
        ),
        (
            "numbers",
            "group = \"network\"",
            "group = \"netwerk\"",
            "did you mean \"network\"?",
        ),
        (
            "numbers",
            "value = \"0.5 ms\"",
            "value = \"5 ms\"",
            "\"round-trip-zone\" and \"round-trip-dean\" differ",
        ),
        ("numbers", "[[group]]", "[[group", "TOML"),
    ] {
        let found = faults(page, from, to);
        let file = format!("reference/{page}.toml:");
        if !found.iter().any(|fault| fault.contains(expected))
            || !found.iter().all(|fault| fault.starts_with(&file))
        {
            wrong.push(format!(
                "{page}: {from:?} to {to:?}: expected {expected:?}, found {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_that_is_missing_is_named() {
    let mut texts = BTreeMap::from(TEXTS);
    texts.remove("loops");
    let parsed = parse(&texts);
    let found: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["reference/loops.toml:1:1: this file is missing"]);
    assert_eq!(parsed.value, None);
}

#[test]
fn no_damage_to_a_file_panics() {
    for (page, text) in TEXTS {
        let mut damaged = BTreeMap::from(TEXTS);
        // Cut anywhere, and each line left out.
        for end in (0..text.len()).step_by(397) {
            let cut = &text[..text.floor_char_boundary(end)];
            damaged.insert(page, cut);
            parse(&damaged);
        }
        let lines: Vec<&str> = text.lines().collect();
        for skipped in (0..lines.len()).step_by(11) {
            let rest = [&lines[..skipped], &lines[skipped + 1..]]
                .concat()
                .join("\n");
            let mut texts = damaged.clone();
            texts.insert(page, &rest);
            parse(&texts);
        }
    }
}
