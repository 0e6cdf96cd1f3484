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
