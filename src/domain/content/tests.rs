//! The content parsers: whole texts in, values and diagnostics out.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::domain::level::Rating;

const PROMPT: &str = include_str!("testdata/prompt.md");
const RUBRIC: &str = include_str!("testdata/rubric.toml");
const ESTIMATES: &str = include_str!("testdata/estimates.toml");
const REFERENCE: &str = include_str!("testdata/reference.md");
const VARIANTS: &str = include_str!("testdata/variants.toml");
const SOURCES: &str = include_str!("testdata/sources.toml");

const SOURCES_FILE: &str = "sources.toml";

/// The six files by their names.
#[derive(Clone, Debug)]
struct Texts([(&'static str, String); 6]);

impl Texts {
    /// A small prompt with which nothing is wrong.
    fn valid() -> Self {
        let texts = [
            ("prompt.md", PROMPT),
            ("rubric.toml", RUBRIC),
            ("estimates.toml", ESTIMATES),
            ("reference.md", REFERENCE),
            ("variants.toml", VARIANTS),
            (SOURCES_FILE, SOURCES),
        ];
        Self(texts.map(|(file, text)| (file, text.to_owned())))
    }

    fn with(mut self, file: &str, text: String) -> Self {
        self.0.iter_mut().find(|(name, _)| *name == file).unwrap().1 = text;
        self
    }

    fn get(&self, file: &str) -> &str {
        &self.0.iter().find(|(name, _)| *name == file).unwrap().1
    }

    fn replaced(self, (file, from, to): Edit) -> Self {
        let text = self.get(file);
        assert!(text.contains(from), "{file} does not hold {from:?}");
        let text = text.replacen(from, to, 1);
        self.with(file, text)
    }

    /// Everything that is found wrong, in the sources and in the prompt.
    fn parse(&self) -> (Option<Prompt>, Vec<Diagnostic>) {
        let sources = parse_sources(SOURCES_FILE, self.get(SOURCES_FILE));
        let files = PromptFiles {
            prompt: self.get("prompt.md"),
            rubric: self.get("rubric.toml"),
            estimates: self.get("estimates.toml"),
            reference: self.get("reference.md"),
            variants: self.get("variants.toml"),
        };
        let prompt = parse_prompt("bicycles", files, &sources.value.unwrap_or_default());
        (
            prompt.value,
            [sources.diagnostics, prompt.diagnostics].concat(),
        )
    }

    /// A line for each fault.
    fn faults(&self) -> String {
        let mut lines = String::new();
        for diagnostic in self.parse().1 {
            writeln!(lines, "{diagnostic}").unwrap();
        }
        lines
    }
}

/// In a file, the first occurrence of a text, and what to put there.
type Edit = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const EDITS: &[Edit] = &[
    // prompt.md: the front matter
    ("prompt.md", "+++\n", ""),
    ("prompt.md", "source = \"ours\"\n+++\n", "source = \"ours\"\n"),
    ("prompt.md", "title = \"Bicycle counter\"\n", ""),
    ("prompt.md", "title = \"Bicycle counter\"", "titel = \"Bicycle counter\""),
    ("prompt.md", "title = \"Bicycle counter\"", "title = 7"),
    ("prompt.md", "title = \"Bicycle counter\"", "title = \"  \""),
    ("prompt.md", "title = \"Bicycle counter\"", "title = Bicycle counter"),
    ("prompt.md", "title = \"Bicycle counter\"", "title \"Bicycle counter\""),
    ("prompt.md", "title = \"Bicycle counter\"", "title ="),
    ("prompt.md", "title = \"Bicycle counter\"", "title = \"Bicycle counter"),
    ("prompt.md", "title = \"Bicycle counter\"", "title = \"Bicycle counter\"\ntitle = \"Another\"\nauthor = \"me\""),
    (
        "prompt.md",
        "Count bicycles",
        "Count bicycles, all of them, whatever the weather and whoever rides them, on every bridge that the city has built or will build, and count",
    ),
    ("prompt.md", "levels = [\"mid\", \"senior\", \"staff\"]", "levels = [\"mid\", \"seniour\", \"principal\", \"mid\"]"),
    ("prompt.md", "levels = [\"mid\", \"senior\", \"staff\"]", "levels = []"),
    ("prompt.md", "minutes = [45, 60]", "minutes = [60, 45, \"90\", -5]"),
    ("prompt.md", "minutes = [45, 60]", "minutes = []"),
    ("prompt.md", "minutes = [45, 60]", "minutes = 45"),
    ("prompt.md", "topics = [\"counters\", \"queues\"]", "topics = [\"counter\"]"),
    ("prompt.md", "topics = [\"counters\", \"queues\"]", "topics = [\"counters\", \"bicycles\"]"),
    ("prompt.md", "label = \"Bridges\"", "lable = \"Bridges\"\nunit = \"bridges\""),
    ("prompt.md", "source = \"ours\"", "source = \"our\""),
    ("prompt.md", "note = \"on a dry day\"", "note = \"on a dry day[^S0]\""),
    ("prompt.md", "\n[[scale]]\nlabel = \"Bridges\"\nvalue = \"1,000\"\nsource = \"ours\"\n", ""),
    ("prompt.md", "[[scale]]", "[scale]"),
    // prompt.md: the sources
    ("prompt.md", "sources = [\"S0\", \"S1\"]", "sources = [\"S0\"]"),
    ("prompt.md", "sources = [\"S0\", \"S1\"]", "sources = [\"S0\", \"S1\", \"S7\", \"ours\", \"S0\"]"),
    ("sources.toml", "id = \"S1\"", "id = \"S2\""),
    ("reference.md", "[^S1]", "[^S7]"),
    ("reference.md", "[^S1]", "[^ours]"),
    ("reference.md", "[^S1]", "`[^S7]`"),
    ("reference.md", "[^S1]", "[^S1]\n\n[^S1]: A footnote."),
    // variants.toml
    ("variants.toml", "id = \"no-network\"", "id = \"ten-cities\""),
    ("variants.toml", "id = \"no-network\"", "id = \"No network\""),
    ("variants.toml", "answer = \"The sensor", "answr = \"The sensor"),
    ("variants.toml", "label = \"Bicycles\"", "label = \"Bicycle\""),
    ("variants.toml", "id = \"events_per_day\"", "id = \"events_a_day\""),
    ("variants.toml", "value = \"100M/day\"", "value = \"100M\""),
    ("variants.toml", "value = \"100M/day\"", "value = \"1000M/day\""),
    ("variants.toml", "value = \"100M/day\"", "value = \"10M/day\""),
    ("variants.toml", "id = \"peak_rate\"", "id = \"peek_rate\""),
    ("variants.toml", "high = \"7k events/s\"", "high = \"7 KB/s\""),
    ("variants.toml", "[^S0]", "[^S7]"),
    ("variants.toml", "title = \"Ten cities\"", "title = \"Ten cities that count together on ten times as many bridges as one\""),
    // prompt.md: the sections
    ("prompt.md", "## Situation", "Before it all.\n\n## Situation"),
    ("prompt.md", "## Situation", "# Bicycles\n\n## Situation"),
    ("prompt.md", "## Situation", "## Sitaution"),
    ("prompt.md", "## Out of scope\n- Paying for the sensors.\n\n", ""),
    ("prompt.md", "## Out of scope", "## Background\nSome.\n\n## Out of scope"),
    ("prompt.md", "## Out of scope\n- Paying for the sensors.", "## Out of scope"),
    ("prompt.md", "## Hints", "## Situation\nOnce more.\n\n## Hints"),
    ("prompt.md", "## Functional requirements", "## Out of scope\n- Sensors.\n\n## Functional requirements"),
    ("prompt.md", "\nIt wants the totals on one page by spring.[^S0]\n", ""),
    ("prompt.md", "- Paying for the sensors.", "The sensors are paid for."),
    ("prompt.md", "- At most 0.1 % of the events are lost.", "- Few events are lost.[^S0]"),
    ("prompt.md", "- A sensor reports each bicycle.", "### Sensors\n- A sensor reports each bicycle."),
    ("prompt.md", "- A sensor reports each bicycle.", "- ## Sensors report"),
    // prompt.md: hints
    ("prompt.md", "## Hints\n", "## Hints\nIn this order.\n"),
    ("prompt.md", "{phase=requirements}", "{phase=requirement}"),
    ("prompt.md", "{phase=requirements}", ""),
    ("prompt.md", "{phase=requirements}", "{phase}"),
    ("prompt.md", "{phase=requirements}", "{#event .big fase=requirements}"),
    ("prompt.md", "{phase=requirements}", "{phase=requirements phase=api}"),
    ("prompt.md", "### What is one event? {phase=requirements}", "#### What is one event? {phase=requirements}"),
    ("prompt.md", "### What is one event? {phase=requirements}", "### {phase=requirements}"),
    ("prompt.md", "Start from the day and its peak.", ""),
    ("prompt.md", "Start from the day and its peak.", "Start from the day.\n\nThen its peak."),
    ("prompt.md", "{phase=data-model}\nA total that is read often need not be counted often.\n\n### Who", "{phase=api}\nWho"),
    ("prompt.md", "{phase=data-model}", "{phase=api}\nOne.\n\n### Two? {phase=api}\nTwo.\n\n### Three? {phase=api}\nThree.\n\n### Four? {phase=api}"),
    (
        "prompt.md",
        "{phase=estimates}\nStart from the day and its peak.\n\n### What if a report comes twice? {phase=api}",
        "{phase=requirements}\nStart from the day and its peak.\n\n### What if a report comes twice? {phase=requirements}",
    ),
    // prompt.md: curveballs
    ("prompt.md", "{#repeated-report minute=20 level=mid}", "{minute=20 level=mid}"),
    ("prompt.md", "{#repeated-report minute=20 level=mid}", "{#Repeated_Report minute=14 level=below}"),
    ("prompt.md", "{#repeated-report minute=20 level=mid}", "{#repeated-report minute=twenty levle=mid}"),
    ("prompt.md", "{#repeated-report minute=20 level=mid}", "{#repeated-reports minute=20 level=mid}"),
    ("prompt.md", "{#repeated-report minute=20 level=mid}", "{#full-queue minute=20 level=mid}"),
    ("prompt.md", "{#repeated-report minute=20 level=mid}", "{#repeated-report minute=40 level=senior}"),
    ("prompt.md", "{#second-city minute=50 level=staff}", "{#second-city minute=59 level=staff}"),
    (
        "prompt.md",
        "### Two totals disagree {#two-totals minute=40 level=senior}\nThe page and the yearly report differ by 2 %. Which is right?\n",
        "",
    ),
    // reference.md
    ("reference.md", "### A second city {#second-city}\nThe answer to a second city.\n", ""),
    ("reference.md", "{#second-city}", "{#second-town}"),
    ("reference.md", "{#second-city}", "{#first-city}"),
    ("reference.md", "{#second-city}", ""),
    ("reference.md", "{#second-city}", "{#two-totals}"),
    ("reference.md", "## Consistency\nWhat there is to say about consistency of a counter.\n", ""),
    ("reference.md", "## Trade-offs and rollout", "## Trade-offs and roll-out"),
    ("reference.md", "## Requirements", "+++\ntitle = \"Bicycles\"\n+++\n\n## Requirements"),
    ("reference.md", "### Errors", "#### Errors"),
    ("reference.md", "### Errors", "### Errors of /bridges/{id}"),
    ("reference.md", "## Curveballs", "## Curveballs\nIn order."),
    ("reference.md", "```http", "```"),
    ("reference.md", "```http", "```php"),
    ("reference.md", "events\n```", "events\n"),
    ("reference.md", "| table | key |", "    indented code\n\n| table | key |"),
    ("reference.md", "| table | key |", "<b>Tables</b>\n\n<div>\nof totals\n</div>\n\n![tables](tables.png)\n\n| table | key |"),
    ("reference.md", "| table | key |", "A total \u{1F6B2} counts.\r\n\n| table | key |"),
    // rubric.toml
    ("rubric.toml", "version = 1", "version = 0"),
    ("rubric.toml", "version = 1", "version = \"1\"\ncriteria = 6"),
    ("rubric.toml", "version = 1\n", ""),
    ("rubric.toml", "id = \"estimation\"", "id = \"estimates\""),
    ("rubric.toml", "id = \"estimation\"", "id = \"requirements\""),
    ("rubric.toml", "phase = \"data-model\"", "phase = \"Data model\""),
    ("rubric.toml", "phase = \"data-model\"", "phase = \"security\""),
    ("rubric.toml", "evidence = [\"A sentence about requirements\", ", "evidence = ["),
    ("rubric.toml", "evidence = [\"A sentence about requirements\", ", "evidence = [\"one\", \"two\", 3, \"four\", "),
    ("rubric.toml", "evidence = [\"A sentence about requirements\", ", "evidence = [\"one\", \"two\", \"three\", \"four\", "),
    ("rubric.toml", "[criterion.anchors.staff]", "[criterion.anchors.stuff]"),
    ("rubric.toml", "[criterion.anchors.staff]", "[criterion.anchors.principal]"),
    ("rubric.toml", "text = \"Requirements: names none of the sensors.\"", "txt = \"Requirements: names none of the sensors.\""),
    ("rubric.toml", "source = \"S0\"", "source = \"S8\""),
    ("rubric.toml", "rating = \"mid\"", "rating = \"staff\""),
    ("rubric.toml", "rating = \"mid\"", "rating = \"average\""),
    ("rubric.toml", "[[criterion.pitfalls]]", "[[criterion.pitfall]]"),
    ("rubric.toml", "[[criterion]]\nid = \"estimation\"", "[[criteria]]\nid = \"estimation\""),
    // estimates.toml
    ("estimates.toml", "id = \"peak_rate\"", "id = \"Peak-Rate\""),
    ("estimates.toml", "id = \"rows_of_totals\"", "id = \"per\""),
    ("estimates.toml", "id = \"event_size\"", "id = \"peak_factor\""),
    ("estimates.toml", "working = \"Five times the average.\"", "working = \"# Five\\n\\n<i>times</i> the average.[^S5]\""),
    ("estimates.toml", "working = \"Five times the average.\"", "working = \"\"\"\nFive <i>times</i>\nthe average.[^S5]\"\"\""),
    ("estimates.toml", "feeds = ", "feed = "),
    ("estimates.toml", "[[given]]", "[given]"),
    ("estimates.toml", "[[given]]\nid = \"peak_factor\"\nlabel = \"Peak to average\"\nvalue = \"5\"\nsource = \"ours\"\n", ""),
    ("estimates.toml", "value = \"100 B\"", "value = \"100 bits of paper\""),
    ("estimates.toml", "value = \"100 B\"", "value = \"100\""),
    ("estimates.toml", "value = \"5\"", "value = \"50\""),
    ("estimates.toml", "value = \"5\"", "value = \"0.000001\""),
    ("estimates.toml", "unit = \"KB/s\"", "unit = \"KB/§\""),
    ("estimates.toml", "unit = \"KB/s\"", "unit = \"KB\""),
    ("estimates.toml", "unit = \"events/s\"", "unit = \"$/month\""),
    ("estimates.toml", "low = \"500 events/s\"", "low = \"500\""),
    ("estimates.toml", "low = \"500 events/s\"", "low = \"some\""),
    ("estimates.toml", "low = \"500 events/s\"", "low = \"800 events/s\""),
    ("estimates.toml", "low = \"500 events/s\"", "low = 500"),
    ("estimates.toml", "high = \"700 events/s\"", "high = \"501 events/s\""),
    ("estimates.toml", "= average_rate * peak_factor", "average_rate * peak_factor"),
    ("estimates.toml", "= average_rate * peak_factor", "= average_rate * peak_factors"),
    ("estimates.toml", "= average_rate * peak_factor", "= average_rate * (peak_factor"),
    ("estimates.toml", "= average_rate * peak_factor", "= average_rate + event_size"),
    ("estimates.toml", "= average_rate * peak_factor", "= average_rate * queue_size"),
    ("estimates.toml", "= average_rate * peak_factor", "= peak_rate"),
    ("estimates.toml", "= average_rate * peak_factor", "= average_rate / 0"),
    ("estimates.toml", "= average_rate * peak_factor", "= \\u0061verage_rate * peak_factors"),
    ("estimates.toml", "= average_rate * peak_factor", "= average_rate * peak_factor * 1 KB"),
    // sources.toml
    ("sources.toml", "id = \"S1\"", "id = \"S0\""),
    ("sources.toml", "id = \"S1\"", "id = \"ours\""),
    ("sources.toml", "id = \"S1\"", "id = \"S 1\""),
    ("sources.toml", "date = \"2026\"", "date = 2026-01-01"),
    ("sources.toml", "date = \"2026\"\n", ""),
    ("sources.toml", "https://example.org", "javascript:example.org"),
    ("sources.toml", "[[source]]", "[[sources]]"),
];

#[test]
fn a_valid_prompt_is_read_whole() {
    let (prompt, diagnostics) = Texts::valid().parse();
    assert_eq!(diagnostics, []);
    insta::assert_debug_snapshot!(prompt.unwrap());
}

#[test]
fn sources_are_read_whole() {
    insta::assert_debug_snapshot!(parse_sources(SOURCES_FILE, SOURCES));
}

#[test]
fn each_fault_is_named_with_its_place() {
    let mut snapshot = String::new();
    for edit @ (file, from, to) in EDITS.iter().copied() {
        let faults = Texts::valid().replaced(edit).faults();
        assert_ne!(
            faults, "",
            "no fault is found after {from:?} has become {to:?} in {file}"
        );
        writeln!(snapshot, "{file}: {from:?} => {to:?}\n{faults}").unwrap();
    }
    insta::assert_snapshot!(snapshot);
}

#[test]
fn faults_in_several_files_are_all_reported() {
    let faults = Texts::valid()
        .replaced(("prompt.md", "value = \"10 M / day\"", "value = 10_000_000"))
        .replaced(("prompt.md", "minute=30", "minute=15"))
        .replaced(("rubric.toml", "text = ", "txt = "))
        .replaced((
            "estimates.toml",
            "feeds = \"Decides the size of bytes at peak.\"\n",
            "",
        ))
        .replaced(("reference.md", "## Consistency", "## Consistence"))
        .faults();
    insta::assert_snapshot!(faults, @r#"
    prompts/bicycles/estimates.toml:41:1: missing key "feeds"
    prompts/bicycles/prompt.md:20:9: expected a string, found an integer
    prompts/bicycles/prompt.md:76:36: minute 15 does not come after minute 20
    prompts/bicycles/reference.md:29:1: unknown section "Consistence"; did you mean "Consistency"?
    prompts/bicycles/rubric.toml:10:1: unknown key "txt"; did you mean "text"?
    "#);
}

#[test]
fn anchors_are_found_by_their_rating() {
    let (prompt, _) = Texts::valid().parse();
    let criterion = &prompt.unwrap().rubric.criteria[0];
    let found: Vec<&str> = Rating::ALL
        .iter()
        .map(|rating| criterion.anchor(*rating).text.as_str())
        .collect();
    insta::assert_debug_snapshot!(found, @r#"
    [
        "Requirements: names none of the sensors.",
        "Requirements: names the sensor and its event.",
        "Requirements: names what happens when an event comes twice.",
        "Requirements: names who finds out that a sensor fell silent.",
    ]
    "#);
}

/// Text that has some chance to get past the first check: any characters, pieces of the syntax, or a valid file with a splice.
fn text(valid: &'static str) -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "+++\n",
        "\n",
        " ",
        "\r\n",
        "## ",
        "### ",
        "Hints",
        "Curveballs\n",
        "{#id minute=20 level=mid}\n",
        "{phase=api}",
        "{",
        "}",
        "[^",
        "S0",
        "]",
        "```",
        "- ",
        "> ",
        "<b>",
        "![",
        "[[scale]]\n",
        "[[estimate]]\n",
        "[criterion.anchors.mid]\n",
        "[",
        "id",
        " = ",
        "\"",
        "\"\"\"",
        "'",
        "= a / 0",
        "1e999 GB",
        "%",
        "\\",
        "\u{e9}",
        "\u{1F6B2}",
        "\u{feff}",
        "\0",
    ]);
    let pieces = prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    let arbitrary = prop_oneof![any::<String>(), pieces];
    let splice = (any::<prop::sample::Index>(), 0..80_usize, arbitrary.clone()).prop_map(
        |(at, length, inserted)| {
            let start = valid.floor_char_boundary(at.index(valid.len()));
            let end = valid.ceil_char_boundary((start + length).min(valid.len()));
            [&valid[..start], &inserted, &valid[end..]].concat()
        },
    );
    prop_oneof![arbitrary, splice]
}

/// Where there is no value there is a diagnostic, and each diagnostic's place is in its file.
fn assert_sound(texts: &Texts) {
    let (prompt, diagnostics) = texts.parse();
    assert!(
        prompt.is_some() || !diagnostics.is_empty(),
        "no prompt, and nothing said of it"
    );
    for diagnostic in diagnostics {
        let file = diagnostic
            .file
            .strip_prefix("prompts/bicycles/")
            .unwrap_or(&diagnostic.file);
        let text = texts.get(file);
        let lines: Vec<&str> = text.split('\n').collect();
        let line = lines.get(diagnostic.line as usize - 1);
        let columns = line
            .unwrap_or_else(|| panic!("no such line: {diagnostic}"))
            .chars()
            .count()
            + 1;
        assert!(
            (1..=columns).contains(&(diagnostic.column as usize)),
            "no such column: {diagnostic}"
        );
    }
}

proptest! {
    #[test]
    fn any_texts_are_read_without_panic(
        prompt in text(PROMPT),
        rubric in text(RUBRIC),
        estimates in text(ESTIMATES),
        reference in text(REFERENCE),
        sources in text(SOURCES),
    ) {
        let texts = Texts::valid()
            .with("prompt.md", prompt)
            .with("rubric.toml", rubric)
            .with("estimates.toml", estimates)
            .with("reference.md", reference)
            .with(SOURCES_FILE, sources);
        assert_sound(&texts);
    }
}

const PAGE: &str = include_str!("testdata/page.md");
const GLOSSARY: &str = include_str!("testdata/glossary.toml");

fn sources() -> Vec<Source> {
    parse_sources(SOURCES_FILE, SOURCES).value.expect("sources")
}

/// What is found wrong in a page, a line for each fault.
fn faults_of_page(text: &str) -> String {
    let found = parse_page("rain", text, &sources()).diagnostics;
    found.iter().map(|fault| format!("{fault}\n")).collect()
}

fn faults_of_glossary(text: &str) -> String {
    let found = parse_glossary(&[("glossary/riding.toml", text)], &sources()).diagnostics;
    found.iter().map(|fault| format!("{fault}\n")).collect()
}

/// Each edit by itself, with what is then found wrong.
fn edited(text: &str, edits: &[(&str, &str)], faults: impl Fn(&str) -> String) -> String {
    let mut snapshot = String::new();
    for (from, to) in edits {
        assert!(text.contains(from), "{from:?} is not there");
        let found = faults(&text.replacen(from, to, 1));
        assert_ne!(
            found, "",
            "no fault is found after {from:?} has become {to:?}"
        );
        let to: String = to.chars().take(80).collect();
        writeln!(snapshot, "{from:?} => {to:?}\n{found}").unwrap();
    }
    snapshot
}

#[test]
fn a_valid_page_is_read_whole() {
    let parsed = parse_page("rain", PAGE, &sources());
    assert_eq!(parsed.diagnostics, []);
    let page = parsed.value.expect("a page");
    assert_eq!(
        (page.slug.as_str(), page.title.as_str(), page.order),
        ("rain", "Riding in the rain", 30)
    );
    assert_eq!(page.sources, ["S0", "S1"]);
    assert_eq!(page.sections, ["How much slower", "What to do"]);
    let links: Vec<&str> = page.links.iter().map(|link| link.to.as_str()).collect();
    assert_eq!(links, ["/prompts/bicycles", "/reference/glossary/braking"]);
}

#[test]
fn each_fault_of_a_page_is_named_with_its_place() {
    let long = "word ".repeat(46) + "ends.";
    let average = ("Of ".to_owned() + &"many ".repeat(28) + "words. ").repeat(20);
    let snapshot = edited(
        PAGE,
        &[
            // Figures without a source: in a paragraph, an item, a table; with a currency, a share, a multiple.
            (
                "9 m instead of 6 m.[^S0] We would plan for 10 m.[^ours]",
                "9 m instead of 6 m.",
            ),
            (
                "A dry commute takes 20 min.[^S1]",
                "A dry commute takes 20 min.",
            ),
            (
                "| dry | 6 m[^S0] |\n| wet | 9 m[^S0] |",
                "| dry | 6 m |\n| wet | 9 m |",
            ),
            ("An L5 rider has lights as well.", "Lights cost $30."),
            (
                "An L5 rider has lights as well.",
                "About (40 %) have lights.",
            ),
            ("An L5 rider has lights as well.", "Rain is 2.5x worse."),
            // Sources that are not declared, not there or not used.
            ("20 min.[^S1]", "20 min.[^S7]"),
            ("sources = [\"S0\", \"S1\"]", "sources = [\"S0\"]"),
            ("20 min.[^S1]", "20 min.[^S0]"),
            (
                "sources = [\"S0\", \"S1\"]",
                "sources = [\"S0\", \"S1\", \"ours\"]",
            ),
            // Sentences.
            ("Leave earlier,", &format!("{long} Leave earlier,")),
            ("Leave earlier,", &format!("{average}Leave earlier,")),
            // Headings, front matter, markup.
            ("## What to do", "# What to do"),
            ("## What to do", "#### What to do"),
            ("## What to do", "## What to do {#do}"),
            ("+++\ntitle", "title"),
            ("title = \"Riding in the rain\"\n", ""),
            ("title", "titel"),
            ("order = 30", "order = \"30\""),
            ("order = 30", "order = 30\nauthor = \"me\""),
            (
                "by how much.\"",
                "by how much, for whoever rides and whatever the weather, on every road of the city that was built or will be built in years to come.\"",
            ),
            ("```text", "```"),
            ("Leave earlier", "<b>Leave</b> earlier"),
            ("Leave earlier", "![Leave](rain.png) earlier"),
            ("Leave earlier", "Leave \u{1F327} earlier"),
        ],
        faults_of_page,
    );
    insta::assert_snapshot!(snapshot);
}

#[test]
fn what_is_no_figure_needs_no_source() {
    for text in [
        "In 1999 and in 2026 it rained.",
        "An L5 rider, an S0 source, a p99 and an x2 bicycle.",
        "Ten bicycles and a dozen.",
        "See [9 m](/prompts/bicycles).",
        "Read `9 m` as it stands.",
    ] {
        let page = PAGE.replace("Leave earlier,", &format!("{text} Leave earlier,"));
        assert_eq!(faults_of_page(&page), "", "{text}");
    }
}

#[test]
fn a_valid_glossary_is_read_by_name() {
    let parsed = parse_glossary(&[("glossary/riding.toml", GLOSSARY)], &sources());
    assert_eq!(parsed.diagnostics, []);
    let terms = parsed.value.expect("terms");
    let ids: Vec<&str> = terms.iter().map(|term| term.id.as_str()).collect();
    assert_eq!(ids, ["braking", "grip"]);
    assert_eq!(terms[0].also, ["braking", "stopping distance"]);
}

#[test]
fn each_fault_of_the_glossary_is_named_with_its_place() {
    let long = "What keeps a tire ".to_owned() + &"very ".repeat(45) + "safe.";
    let snapshot = edited(
        GLOSSARY,
        &[
            // Two spellings of one term, of two terms, in another case.
            ("also = []", "also = [\"Braking\"]"),
            ("also = []", "also = [\"grip\"]"),
            ("term = \"Grip\"", "term = \"Stopping Distance\""),
            ("id = \"grip\"", "id = \"braking\""),
            ("id = \"grip\"", "id = \"The grip\""),
            ("see = [\"grip\"]", "see = [\"gripp\"]"),
            ("sources = [\"S0\", \"ours\"]", "sources = [\"S7\"]"),
            // Two sentences, neither one nor three.
            (" A wet road has less of it.", ""),
            (
                " A wet road has less of it.",
                " A wet road has less. Ice has none.",
            ),
            ("What keeps a tire from sliding.", &long),
            ("why = \"It bounds how fast one can stop.\"\n", ""),
            (
                "question = \"Which things on a road lower it?\"",
                "question = \" \"",
            ),
            (
                "answer = \"Water, leaves and paint.\"",
                "answr = \"Water.\"",
            ),
            ("also = []", "also = \"grips\""),
            ("[[term]]", "[[terms]]"),
        ],
        faults_of_glossary,
    );
    insta::assert_snapshot!(snapshot);
}

/// A prompt, a page and a glossary with which nothing is wrong as a whole.
struct Shelf {
    prompt: Prompt,
    page: Page,
    terms: Vec<Term>,
}

impl Shelf {
    fn valid() -> Self {
        let words = |count: usize| "word ".repeat(count);
        let mut prompt = Texts::valid().parse().0.expect("a prompt");
        prompt.situation += &words(700);
        prompt.reference.staff += &words(1_600);
        for section in &mut prompt.reference.sections {
            *section += &words(120);
        }
        // Each criterion has its answer.
        for criterion in &prompt.rubric.criteria {
            prompt.reference.sections[criterion.phase.index()]
                .push_str(&criterion.anchor(Rating::Senior).text);
        }
        for variant in &mut prompt.variants {
            variant.changes += &words(20);
            variant.answer += &words(100);
        }
        let mut page = parse_page("rain", PAGE, &sources()).value.expect("a page");
        page.body += &words(300);
        let terms = parse_glossary(&[("glossary/riding.toml", GLOSSARY)], &sources());
        Self {
            prompt,
            page,
            terms: terms.value.expect("terms"),
        }
    }

    /// What is wrong with all of it. The prompt and the terms are what links may lead to.
    fn faults(&self) -> Vec<String> {
        let parts = Parts {
            prompts: std::slice::from_ref(&self.prompt),
            pages: std::slice::from_ref(&self.page),
            terms: &self.terms,
        };
        let known = [
            "/prompts/bicycles",
            "/reference/glossary/braking",
            "/reference/glossary/grip",
        ];
        check_whole(parts, |path| known.contains(&path))
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

type Change = fn(&mut Shelf);

#[test]
fn what_is_wrong_with_the_whole_is_found() {
    assert_eq!(Shelf::valid().faults(), Vec::<String>::new());
    let criterion = |shelf: &Shelf| shelf.prompt.rubric.criteria[0].id.slug();
    let first = criterion(&Shelf::valid());
    let cases: [(&str, Change, Vec<String>); 14] = [
        (
            "a link to a term that is not there",
            |shelf| {
                let page = PAGE.replace("glossary/braking", "glossary/breaking");
                let page = parse_page("rain", &page, &sources()).value.expect("a page");
                shelf.page.links = page.links;
            },
            vec!["reference/rain.md:20:57: there is no page ".to_owned()],
        ),
        (
            "a link with a query and a fragment is one to its page",
            |shelf| {
                let page = PAGE.replace("/prompts/bicycles", "/prompts/bicycles?level=mid#start");
                shelf.page.links = parse_page("rain", &page, &sources())
                    .value
                    .expect("a page")
                    .links;
            },
            vec![],
        ),
        (
            "a link of a prompt",
            |shelf| {
                let texts = Texts::valid().replaced((
                    "prompt.md",
                    "It wants the totals on one page by spring.[^S0]",
                    "It wants [totals](/prompts/totals) by spring.[^S0]",
                ));
                shelf.prompt.links = texts.parse().0.expect("a prompt").links;
            },
            vec!["prompts/bicycles/prompt.md:".to_owned()],
        ),
        (
            "a term that nothing uses",
            |shelf| {
                shelf.terms[0].see.clear();
                shelf.page.body = shelf.page.body.replace("grip", "hold");
            },
            vec!["glossary/riding.toml:13:6: no text uses the term \"grip\"".to_owned()],
        ),
        (
            "a term that only another one names",
            |shelf| shelf.page.body = shelf.page.body.replace("grip", "hold"),
            vec![],
        ),
        (
            "a prompt that is too short",
            |shelf| shelf.prompt.situation.clear(),
            vec!["prompts/bicycles/prompt.md:1:1: a text of ".to_owned()],
        ),
        (
            "a prompt that is too long",
            |shelf| shelf.prompt.situation += &"word ".repeat(1_000),
            vec!["prompts/bicycles/prompt.md:1:1: a text of ".to_owned()],
        ),
        (
            "a reference that is too short",
            |shelf| {
                let staff = &mut shelf.prompt.reference.staff;
                *staff = staff.replacen(&"word ".repeat(1_000), "", 1);
            },
            vec!["prompts/bicycles/reference.md:1:1: a text of ".to_owned()],
        ),
        (
            "a page that is too long",
            |shelf| shelf.page.body += &"word ".repeat(2_400),
            vec!["reference/rain.md:1:1: a text of ".to_owned()],
        ),
        (
            "a variant that says too little, before and after",
            |shelf| {
                shelf.prompt.variants[0].changes = "Ten cities.".to_owned();
                shelf.prompt.variants[1].answer = "It grows.".to_owned();
            },
            vec![
                "prompts/bicycles/variants.toml:1:1: a text of 2 words, expected 100 to 550"
                    .to_owned(),
                "prompts/bicycles/variants.toml:1:1: a text of 2 words, expected 20 to 200"
                    .to_owned(),
            ],
        ),
        (
            "a criterion that the reference does not answer",
            |shelf| {
                let criterion = &mut shelf.prompt.rubric.criteria[0];
                criterion.anchors[2].text =
                    "Chooses quaternions, and proves rotational invariance under gimbal lock."
                        .to_owned();
            },
            vec![format!(
                "prompts/bicycles/reference.md:1:1: the criterion {first:?} is hardly answered by the reference: its senior anchor speaks of choos"
            )],
        ),
        (
            "a section of the reference that speaks of something else",
            |shelf| {
                let reference = &mut shelf.prompt.reference;
                reference.staff += &std::mem::take(&mut reference.sections[0]);
                reference.sections[0] = "cats ".repeat(120);
            },
            vec![format!(
                "prompts/bicycles/reference.md:1:1: the criterion {first:?} is hardly answered by Requirements"
            )],
        ),
        (
            "a section of the reference that says next to nothing",
            |shelf| {
                let reference = &mut shelf.prompt.reference;
                reference.sections[6] = "We thought about cats.".to_owned();
            },
            vec!["prompts/bicycles/reference.md:29:1: Consistency has 4 words, expected at least 120".to_owned()],
        ),
        (
            "several at once",
            |shelf| {
                shelf.prompt.situation.clear();
                shelf.page.body.clear();
            },
            vec![
                // The page was what used it.
                "glossary/riding.toml:2:6: no text uses the term \"braking\"".to_owned(),
                "prompts/bicycles/prompt.md:1:1:".to_owned(),
                "reference/rain.md:1:1: a text of 0 words".to_owned(),
            ],
        ),
    ];
    for (what, change, expected) in cases {
        let mut shelf = Shelf::valid();
        change(&mut shelf);
        let found = shelf.faults();
        assert_eq!(found.len(), expected.len(), "{what}: {found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(&expected), "{what}: {found}");
        }
    }
}

#[test]
fn a_term_is_used_as_a_word_and_not_as_a_part_of_one() {
    let mut shelf = Shelf::valid();
    shelf.terms[0].see.clear();
    shelf.page.body = shelf.page.body.replace("grip", "hold") + " A gripping story.";
    assert_eq!(
        shelf.faults(),
        ["glossary/riding.toml:13:6: no text uses the term \"grip\""]
    );
    for used in [
        "Grip.",
        "(grip)",
        "GRIP",
        "grips",
        "the grip's end",
        "grip-wise",
    ] {
        let mut shelf = Shelf::valid();
        shelf.terms[0].see.clear();
        shelf.page.body.push_str(used);
        assert_eq!(shelf.faults(), Vec::<String>::new(), "{used}");
    }
}

proptest! {
    #[test]
    fn any_page_and_any_glossary_are_read_without_panic(page in text(PAGE), glossary in text(GLOSSARY), variants in text(VARIANTS)) {
        let _ = faults_of_page(&page);
        let _ = faults_of_glossary(&glossary);
        assert_sound(&Texts::valid().with("variants.toml", variants));
    }
}
