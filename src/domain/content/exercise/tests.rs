//! Exercises: whole texts in, values and diagnostics out; each fault by one edit of a sound sample.

use std::fmt::Write as _;

use super::*;
use crate::domain::content::Parsed;
use crate::domain::content::parse_sources;
use crate::domain::exercise::{FaultKind, Lines, Severity};
use proptest::prelude::*;

macro_rules! sample {
    ($file:literal) => {
        include_str!(concat!("testdata/exercises/", $file))
    };
}

const INCIDENT: [(&str, &str); 3] = [
    (
        "scenario.md",
        sample!("debugging/quiet-bridges/scenario.md"),
    ),
    ("answer.md", sample!("debugging/quiet-bridges/answer.md")),
    (
        "rubric.toml",
        sample!("debugging/quiet-bridges/rubric.toml"),
    ),
];
const REVIEW: [(&str, &str); 4] = [
    ("review.md", sample!("code-review/bridge-export/review.md")),
    (
        "change.diff",
        sample!("code-review/bridge-export/change.diff"),
    ),
    (
        "faults.toml",
        sample!("code-review/bridge-export/faults.toml"),
    ),
    (
        "rubric.toml",
        sample!("code-review/bridge-export/rubric.toml"),
    ),
];

fn sources() -> Vec<Source> {
    let parsed = parse_sources("sources.toml", include_str!("testdata/sources.toml"));
    assert_eq!(parsed.diagnostics, []);
    parsed.value.expect("sources")
}

fn incident(texts: &[String; 3]) -> Parsed<Incident> {
    let [scenario, answer, rubric] = texts;
    let files = IncidentFiles {
        scenario,
        answer,
        rubric,
    };
    parse_incident("quiet-bridges", files, &sources())
}

fn review(texts: &[String; 4]) -> Parsed<CodeReview> {
    let [review, change, faults, rubric] = texts;
    let files = CodeReviewFiles {
        review,
        change,
        faults,
        rubric,
    };
    parse_code_review("bridge-export", files, &sources())
}

/// The sample with the first `from` of a file replaced.
fn edited<const N: usize>(
    sample: [(&str, &str); N],
    (file, from, to): (&str, &str, &str),
) -> [String; N] {
    let mut found = false;
    let texts = sample.map(|(name, text)| {
        if name == file {
            found = text.contains(from);
            text.replacen(from, to, 1)
        } else {
            text.to_owned()
        }
    });
    assert!(found, "{file} does not hold {from:?}");
    texts
}

#[test]
fn a_sound_incident_is_read_whole() {
    let parsed = incident(&INCIDENT.map(|(_, text)| text.to_owned()));
    assert_eq!(parsed.diagnostics, []);
    let incident = parsed.value.expect("whole");
    assert_eq!(incident.front.title, "Bridges fall silent after a deploy");
    assert_eq!(
        (incident.front.minutes, incident.sources.as_slice()),
        (45, ["S0".to_owned()].as_slice())
    );
    assert_eq!(
        incident.step_ids(),
        ["first-look", "one-worker", "the-deploy", "after-restart"]
    );
    let step = &incident.steps[1];
    assert!(
        step.evidence.starts_with("```text") && step.evidence.ends_with("Their CPU is at 35 %."),
        "{}",
        step.evidence
    );
    assert_eq!(
        step.question,
        "Which hypotheses does this leave, and how do you tell them apart?"
    );
    assert!(step.answer.starts_with("Worker 3 lost its lease"));
    assert!(incident.root_cause.starts_with("The worker's client"));
    assert!(incident.post_mortem.ends_with("there were enough."));
    assert_eq!(
        (incident.rubric.version, incident.rubric.criteria.len()),
        (2, 5)
    );
}

#[test]
fn a_sound_review_is_read_whole() {
    let parsed = review(&REVIEW.map(|(_, text)| text.to_owned()));
    assert_eq!(parsed.diagnostics, []);
    let review = parsed.value.expect("whole");
    let paths: Vec<&str> = (review.change.files.iter())
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "internal/export/handler.go",
            "internal/export/store.go",
            "migrations/0009_event_year.sql"
        ]
    );
    let handler = &review.change.files[0];
    assert_eq!((handler.counts(), handler.hunks.len()), ((35, 0), 3));
    assert_eq!(review.change.files[2].old_path, None);
    // Each number is that of the line in the file itself.
    let numbered = |number: u32| {
        let line = handler.lines().find(|line| line.new == Some(number));
        line.map(|line| line.text.trim()).unwrap_or_default()
    };
    assert_eq!(
        numbered(44),
        "found, _ := h.store.Events(r.Context(), bridge.ID, year)"
    );
    assert!(handler.shows(44) && !handler.shows(20));
    let context = handler
        .lines()
        .find(|line| line.text.starts_with("func writeJSON"));
    let context = context.expect("shown");
    assert_eq!((context.old, context.new), (Some(28), Some(63)));
    let fault = &review.faults[0];
    assert_eq!(
        (fault.id.as_str(), fault.place.kind, fault.place.severity),
        ("missing-authz", FaultKind::Security, Severity::Blocking)
    );
    assert_eq!(
        fault.place.spans,
        [
            Lines {
                first: 36,
                last: 40
            },
            Lines {
                first: 31,
                last: 33
            }
        ]
    );
    assert_eq!((review.faults.len(), review.traps.len()), (7, 2));
    assert_eq!((review.planted().len(), review.decoys().len()), (7, 2));
}

#[rustfmt::skip]
const INCIDENT_EDITS: &[(&str, &str, &str)] = &[
    ("scenario.md", "+++\n", ""),
    ("scenario.md", "title = \"Bridges fall silent after a deploy\"", "titel = \"Bridges\""),
    ("scenario.md", "title = \"Bridges", "title = \"All bridges of this very large city with all of its rivers"),
    ("scenario.md", "minutes = 45", "minutes = 50"),
    ("scenario.md", "levels = [\"mid\", \"senior\", \"staff\"]", "levels = [\"middle\"]"),
    ("scenario.md", "topics = [\"queues\", \"observability\"]", "topics = [\"queue\"]"),
    ("scenario.md", "sources = [\"S0\"]", "sources = [\"S0\", \"S1\", \"S9\"]"),
    ("scenario.md", "## The page", "## The pager"),
    ("scenario.md", "{#first-look}", ""),
    ("scenario.md", "{#one-worker}", "{#first-look}"),
    ("scenario.md", "{#one-worker}", "{#One_Worker}"),
    ("scenario.md", "Question: What do you conclude,", "What do you conclude,"),
    ("scenario.md", "The other three log nothing unusual.", "Question: really?\n\nThe other three log nothing unusual."),
    ("scenario.md", "how do you tell them apart?", "how do you tell them apart?\n\nOne more line."),
    ("scenario.md", "The map reads 30 keys a second from the cache. The hit ratio is 98 %, as it was yesterday[^S0]. The database sees no more reads than before 08:10.\n", ""),
    ("scenario.md", "```text\n08:34:02", "```shell\n08:34:02"),
    ("answer.md", "{#the-deploy}", "{#the-deplay}"),
    ("answer.md", "## Mitigation", "## Mitigation now"),
    ("answer.md", "## Root cause\n", "## Root cause\n\n### And more\n"),
    ("answer.md", "returns to 99 %.", "returns to 99 %[^S1]."),
    ("rubric.toml", "id = \"triage\"", "id = \"coverage\""),
    ("rubric.toml", "id = \"triage\"", "id = \"hypotheses\""),
    ("rubric.toml", "version = 2", "version = 0"),
    ("rubric.toml", "title = \"Triage\"", "title = \"Triage\"\nphase = \"api\""),
];

#[rustfmt::skip]
const REVIEW_EDITS: &[(&str, &str, &str)] = &[
    ("review.md", "minutes = 30", "minutes = 60"),
    ("review.md", "## What a good review says", "## What a good review said"),
    ("review.md", "sources = [\"S1\"]", "sources = []"),
    ("change.diff", "diff --git a/internal/export/store.go b/internal/export/store.go\n", ""),
    ("change.diff", "diff --git a/", "diff --git "),
    ("change.diff", "diff --git a/internal/export/handler.go b/internal/export/handler.go", "diff --git a/internal/the export.go b/internal/the export.go"),
    ("change.diff", "new file mode 100644\n", ""),
    ("change.diff", "index ", "indices "),
    ("change.diff", "@@ -5,4 +5,15 @@", "@@ -5,4 +5,14 @@"),
    ("change.diff", "@@ -5,4 +5,15 @@", "@@ -5,4 +6,15 @@"),
    ("change.diff", "@@ -5,4 +5,15 @@", "@@ 5,4 5,15 @@"),
    ("change.diff", "+\tvar events []Event\n", ""),
    ("change.diff", "+\tvar events []Event\n", "\tvar events []Event\n"),
    ("change.diff", "+++ b/internal/export/store.go", "+++ b/internal/export/stores.go"),
    ("change.diff", "@@ -0,0 +1,8 @@", "@@ -0,0 +99999999999,8 @@"),
    ("change.diff", "@@ -0,0 +1,8 @@", "@@ -4294967295,0 +4294967295,8 @@"),
    ("faults.toml", "id = \"missing-authz\"", "id = \"n-plus-one\""),
    ("faults.toml", "kind = \"security\"", "kind = \"safety\""),
    ("faults.toml", "severity = \"blocking\"", "severity = \"blocker\""),
    ("faults.toml", "file = \"internal/export/handler.go\"", "file = \"internal/export/handle.go\""),
    ("faults.toml", "lines = [36, 40]", "lines = [40, 36]"),
    ("faults.toml", "lines = [36, 40]", "lines = [36]"),
    ("faults.toml", "lines = [36, 40]", "lines = 36"),
    ("faults.toml", "lines = [36, 40]", "lines = [20, 40]"),
    ("faults.toml", "also = [[31, 33]]", "also = [31, 33]"),
    ("faults.toml", "also = [[31, 33]]", "also = [[31, 3300]]"),
    ("faults.toml", "explanation = \"\"\"The handler never asks whether the caller may read this city, while the other handler of the file does. ", "explanation = \"\"\""),
    ("faults.toml", "lines = [55, 57]", "lines = [50, 57]"),
    ("faults.toml", "source = \"S1\"", "source = \"S2\""),
    ("faults.toml", "[[decoy]]", "[[decoys]]"),
    ("rubric.toml", "id = \"coverage\"", "id = \"triage\""),
];

#[test]
fn each_fault_is_named_with_its_place() {
    let mut found = String::new();
    let mut note = |edit: &(&str, &str, &str), diagnostics: &[Diagnostic]| {
        let (file, from, to) = edit;
        let short = |text: &str| text.chars().take(60).collect::<String>();
        assert!(!diagnostics.is_empty(), "{edit:?} is taken");
        writeln!(found, "{file}: {:?} → {:?}", short(from), short(to)).unwrap();
        for diagnostic in diagnostics {
            writeln!(found, "    {diagnostic}").unwrap();
        }
    };
    for edit in INCIDENT_EDITS {
        note(edit, &incident(&edited(INCIDENT, *edit)).diagnostics);
    }
    for edit in REVIEW_EDITS {
        note(edit, &review(&edited(REVIEW, *edit)).diagnostics);
    }
    insta::assert_snapshot!(found);
}

#[test]
fn too_short_and_too_long_are_faults() {
    let long = "One more sentence about bridges. ".repeat(60);
    for (file, before) in [
        ("scenario.md", "A city counts bicycles"),
        ("answer.md", "The rate of counting fell"),
        ("answer.md", "From 08:12 to 08:41"),
    ] {
        let texts = edited(INCIDENT, (file, before, &format!("{long}{before}")));
        let found = incident(&texts).diagnostics;
        assert_eq!(found.len(), 1, "{file} {before}: {found:?}");
        assert!(found[0].message.contains("words, expected"), "{found:?}");
    }
    let mut texts = REVIEW.map(|(_, text)| text.to_owned());
    for kind in ["data", "correctness", "reliability"] {
        texts[2] = texts[2].replace(&format!("kind = \"{kind}\""), "kind = \"security\"");
    }
    let found = review(&texts).diagnostics;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].message, "faults of 3 kinds, expected at least 4");
}

proptest! {
    /// Whatever is cut out of a file, there is an answer and no panic; and what is taken has no fault.
    #[test]
    fn nothing_that_is_written_can_panic(file in 0_usize..7, from in 0_usize..6000, length in 0_usize..400) {
        let cut = |text: &str| {
            let from = text.floor_char_boundary(from.min(text.len()));
            let to = text.floor_char_boundary((from + length).min(text.len()));
            format!("{}{}", &text[..from], &text[to..])
        };
        let mut incident_texts = INCIDENT.map(|(_, text)| text.to_owned());
        let mut review_texts = REVIEW.map(|(_, text)| text.to_owned());
        if file < 3 {
            incident_texts[file] = cut(&incident_texts[file]);
            let parsed = incident(&incident_texts);
            prop_assert!(parsed.value.is_some() || !parsed.diagnostics.is_empty());
        } else {
            review_texts[file - 3] = cut(&review_texts[file - 3]);
            let parsed = review(&review_texts);
            prop_assert!(parsed.value.is_some() || !parsed.diagnostics.is_empty());
        }
    }
}
