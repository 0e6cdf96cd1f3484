//! The archive written, read back, and spoilt in many ways; each goes through one of a few helpers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::attempt::{ATTEMPTS_PER_ACCOUNT, SECTION_BYTES, Way};
use crate::domain::criterion::CriterionId;
use crate::domain::exercise::{
    ANSWER_BYTES, Comment, ExerciseCriterion, FaultKind, Kind, Lines, MOST_COMMENTS, Notes, Review,
    Said, Scores, Severity as Gravity, StepAnswer, Work,
};
use crate::domain::level::Rating;
use crate::domain::scorecard::{EVIDENCE_BYTES, Scorecard};

const MB: usize = 1024 * 1024;
const START: UnixMillis = 1_772_357_400_250;

fn sample() -> Archive {
    let kept = |number: i64, body: &str| ArchivedRevision {
        number,
        began_at: START + number,
        saved_at: START + number + 1,
        body: body.to_owned(),
    };
    let odd =
        "quotes \" ' ` “”, emoji 🦀, tab\t, escape \u{1b}, U+2028 \u{2028}, \\ and </script>\nlast";
    Archive {
        format: Format::One,
        exported_at: START + 5,
        account: Account {
            name: "Ada \"the Countess\" Lovelace".to_owned(),
            email: "ada@example.org".to_owned(),
            level: Some(Level::Staff),
            interview_on: Some("2026-03-01".to_owned()),
            hours_a_week: None,
            time_zone: "Europe/London".to_owned(),
            theme: "auto".to_owned(),
            created_at: 0,
        },
        attempts: vec![ArchivedAttempt {
            id: "0198f2a0-0000-7000-8000-0000deadbeef".to_owned(),
            prompt: "payments-processor".to_owned(),
            variant: Some("tenfold".to_owned()),
            terms: Terms {
                way: Way::Interview,
                level: Level::Senior,
                minutes: None,
            },
            started_at: START,
            phase: Phase::DataModel,
            marked_at: START + 1,
            spent: [60_000, 0, 90_000, 0, 0, 0, 0, 1],
            sections: vec![
                ArchivedSection {
                    name: SectionName::Phase(Phase::Requirements),
                    revision: 7,
                    saved_at: START + 8,
                    body: odd.to_owned(),
                    revisions: vec![kept(3, ""), kept(7, odd)],
                },
                ArchivedSection {
                    name: SectionName::Worksheet,
                    revision: 1,
                    saved_at: START,
                    body: "dau: 5M".to_owned(),
                    revisions: Vec::new(),
                },
                ArchivedSection {
                    name: SectionName::Curveball("key-reused".to_owned()),
                    revision: 1,
                    saved_at: START,
                    body: "x".repeat(SECTION_BYTES),
                    revisions: Vec::new(),
                },
            ],
            hints: vec![
                ArchivedHint {
                    number: 0,
                    asked_at: START,
                },
                ArchivedHint {
                    number: 1,
                    asked_at: START,
                },
            ],
            scores: vec![ArchivedScore {
                id: "0198f2a0-0000-7000-8000-00000000beef".to_owned(),
                number: 1,
                rubric_version: 3,
                scored_at: START + 9,
                entries: vec![
                    Entry {
                        criterion: CriterionId::TradeOffs,
                        rating: Rating::Below,
                        evidence: String::new(),
                    },
                    Entry {
                        criterion: CriterionId::Api,
                        rating: Rating::Staff,
                        evidence: "a | b\nc".to_owned(),
                    },
                ],
            }],
        }],
        exercises: vec![incident(), review()],
        ticks: vec![
            ArchivedTick {
                item: "reading/dynamo".to_owned(),
                ticked_at: START,
            },
            ArchivedTick {
                item: "roadmap/first-round".to_owned(),
                ticked_at: START + 1,
            },
        ],
    }
}

/// Rated, with everything that there can be.
fn incident() -> ArchivedExercise {
    ArchivedExercise {
        id: "0198f2a0-0000-7000-8000-000000001111".to_owned(),
        kind: Kind::Debugging,
        slug: "quiet-bridges".to_owned(),
        level: Level::Senior,
        started_at: START,
        revealed: 2,
        revision: 3,
        saved_at: START + 4,
        finished_at: Some(START + 5),
        work: Work::Debugging(Notes {
            committed: vec![StepAnswer {
                step: "first-look".to_owned(),
                text: "one of \"four\"\n".to_owned(),
                committed_at: START + 2,
            }],
            open: "so far".to_owned(),
        }),
        scores: Some(Scores {
            rubric_version: 2,
            scored_at: START + 6,
            card: Scorecard {
                entries: vec![Entry {
                    criterion: ExerciseCriterion::RootCause,
                    rating: Rating::Mid,
                    evidence: "a | b".to_owned(),
                }],
            },
            meant_otherwise: BTreeSet::from([1, 7]),
        }),
    }
}

/// Under way.
fn review() -> ArchivedExercise {
    ArchivedExercise {
        id: "0198f2a0-0000-7000-8000-000000002222".to_owned(),
        kind: Kind::CodeReview,
        slug: "bridge-export".to_owned(),
        finished_at: None,
        work: Work::CodeReview(Review {
            comments: vec![Comment {
                id: 4,
                revision: 2,
                said: Said {
                    file: "a/b.go".to_owned(),
                    lines: Lines { first: 3, last: 9 },
                    kind: FaultKind::Data,
                    severity: Gravity::Minor,
                    text: "Why \u{1f980}?".to_owned(),
                },
            }],
        }),
        scores: None,
        ..incident()
    }
}

fn written(archive: &Archive) -> String {
    serde_json::to_string_pretty(archive).expect("is written")
}

/// The sample with changes to its JSON; `parse` is given what comes of it.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::to_value(sample()).expect("is written");
    change(&mut value);
    value.to_string()
}

fn faults(text: &str) -> Vec<String> {
    let (archive, faults) = parse(text, 8 * MB);
    assert!(archive.is_none(), "this was taken: {faults:?}");
    assert!(!faults.is_empty());
    faults.iter().map(ToString::to_string).collect()
}

/// What is wrong with the sample once it is changed: one fault, which starts so.
fn expect_fault(expected: &str, change: impl FnOnce(&mut Value)) {
    let faults = faults(&changed(change));
    assert!(
        faults.len() == 1 && faults[0].starts_with(expected),
        "expected {expected:?}, found {faults:?}"
    );
}

#[test]
fn an_archive_reads_back_identically() {
    let archive = sample();
    let text = written(&archive);
    assert_eq!(parse(&text, 8 * MB), (Some(archive.clone()), Vec::new()));
    let (again, _) = parse(&text, 8 * MB);
    assert_eq!(written(&again.expect("reads")), text);
    let compact = serde_json::to_string(&archive).expect("is written");
    assert_eq!(parse(&compact, 8 * MB).0, Some(archive.clone()));
    assert_eq!(
        parse(&format!("\u{feff} {text}\n"), 8 * MB).0,
        Some(archive)
    );
    let empty = Archive {
        attempts: Vec::new(),
        exercises: Vec::new(),
        ticks: Vec::new(),
        ..sample()
    };
    assert_eq!(parse(&written(&empty), 8 * MB).0, Some(empty));
    // From before there were any.
    let older = changed(|value| {
        let parts = value.as_object_mut().expect("an object");
        parts.remove("exercises");
        parts.remove("ticks");
    });
    let expected = Archive {
        exercises: Vec::new(),
        ticks: Vec::new(),
        ..sample()
    };
    assert_eq!(parse(&older, 8 * MB), (Some(expected), Vec::new()));
}

#[test]
fn the_json_is_what_the_format_says() {
    let value = serde_json::to_value(sample()).expect("is written");
    assert_eq!(value["format"], Format::NAME);
    assert_eq!(value["exported_at"], "2026-03-01T09:30:00.255Z");
    assert_eq!(value["account"]["hours_a_week"], Value::Null);
    let attempt = &value["attempts"][0];
    assert_eq!(attempt["way"], "interview");
    assert_eq!(attempt["minutes"], Value::Null);
    assert_eq!(
        attempt["milliseconds_by_phase"],
        json!({"requirements": 60_000, "api": 90_000, "trade-offs": 1})
    );
    assert_eq!(attempt["sections"][2]["name"], "curveball-key-reused");
    assert_eq!(
        attempt["scores"][0]["entries"][1],
        json!({"criterion": "api", "rating": "staff", "evidence": "a | b\nc"})
    );
}

#[test]
fn timestamps_are_lossless() {
    for (at, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (START, "2026-03-01T09:30:00.250Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (7_258_118_399_999, "2199-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(timestamp::format(at), text);
        assert_eq!(timestamp::parse(text), Some(at), "{text}");
    }
    assert_eq!(timestamp::parse("2026-03-01T09:30:00Z"), Some(START - 250));
    assert_eq!(timestamp::parse("2026-03-01T09:30:00.25Z"), Some(START));
    for refused in [
        "",
        "Z",
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01T09:30Z",
        "2026-03-01 09:30:00Z",
        "2026-03-01T09:30:00+00:00",
        "2026-03-01t09:30:00z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z ",
        "2026-01-01T00:00:00.0001Z",
        "2026-01-01T00:00:00.-1Z",
        "+026-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "2200-01-01T00:00:00Z",
        "292278994-08-17T07:12:55.807Z",
        "２０２６-01-01T00:00:00Z",
    ] {
        assert_eq!(timestamp::parse(refused), None, "{refused:?}");
    }
    // A clock that is far off is still written down.
    for at in [i64::MIN, -1, i64::MAX] {
        assert!(timestamp::format(at).ends_with('Z'));
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let attempt = |value: &mut Value, field: &str, with: Value| value["attempts"][0][field] = with;
    expect_fault("attempts[0].id: “../../x” is no id", |value| {
        attempt(value, "id", json!("../../x"));
    });
    for id in [
        "0198F2A0-0000-7000-8000-0000DEADBEEF",
        "0198f2a000007000800000000deadbeef",
        "{0198f2a0-0000-7000-8000-0000deadbeef}",
        "",
        "\0",
    ] {
        expect_fault("attempts[0].id: ", |value| attempt(value, "id", json!(id)));
    }
    for prompt in ["", "A", "a/b", "a b", "é", "a\0", &"x".repeat(101)] {
        expect_fault("attempts[0].prompt: ", |value| {
            attempt(value, "prompt", json!(prompt));
        });
    }
    expect_fault(
        "attempts[0].way: “Guided” is unknown; expected one of guided, interview.",
        |value| attempt(value, "way", json!("Guided")),
    );
    expect_fault("attempts[0].level: Expected a text, found null.", |value| {
        attempt(value, "level", Value::Null);
    });
    for minutes in [0, -1, 44, 61, i64::from(u32::MAX), i64::MAX] {
        expect_fault("attempts[0].minutes: ", |value| {
            attempt(value, "minutes", json!(minutes));
        });
    }
    for at in ["1960-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now"] {
        expect_fault("attempts[0].started_at: ", |value| {
            attempt(value, "started_at", json!(at));
        });
    }
    expect_fault(
        "attempts[0].marked_at: Expected a text, found a number.",
        |value| {
            attempt(value, "marked_at", json!(START));
        },
    );
    for time in [
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MAX),
        json!(u64::MAX),
    ] {
        expect_fault("attempts[0].milliseconds_by_phase.api: ", |value| {
            value["attempts"][0]["milliseconds_by_phase"]["api"] = time;
        });
    }
    expect_fault(
        "attempts[0].sections[1].name: “score” is no section.",
        |value| {
            value["attempts"][0]["sections"][1]["name"] = json!("score");
        },
    );
    expect_fault("attempts[0].sections[1]: An earlier part", |value| {
        value["attempts"][0]["sections"][1]["name"] = json!("requirements");
    });
    expect_fault("attempts[0].sections[0].body: This has 65 KB", |value| {
        value["attempts"][0]["sections"][0]["body"] = json!("x".repeat(SECTION_BYTES + 1));
    });
    expect_fault("attempts[0].sections[0].body: This holds a NUL", |value| {
        value["attempts"][0]["sections"][0]["body"] = json!("a\0b");
    });
    expect_fault("attempts[0].sections[0].revisions: Revisions go", |value| {
        value["attempts"][0]["sections"][0]["revisions"][0]["number"] = json!(7);
    });
    // A revision above the section's own would be in the way of the next save.
    expect_fault("attempts[0].sections[0].revisions: Revisions go", |value| {
        value["attempts"][0]["sections"][0]["revision"] = json!(6);
    });
    expect_fault("attempts[0].sections[0].revision: Expected", |value| {
        value["attempts"][0]["sections"][0]["revision"] = json!(i64::MAX);
    });
    expect_fault(
        "attempts[0].sections[0].revisions: This list has 201",
        |value| {
            let kept = value["attempts"][0]["sections"][0]["revisions"][0].clone();
            value["attempts"][0]["sections"][0]["revisions"] = json!(vec![kept; 201]);
        },
    );
    expect_fault("attempts[0].hints[1]: An earlier part", |value| {
        value["attempts"][0]["hints"][1]["number"] = json!(0);
    });
    expect_fault(
        "attempts[0].scores[0].number: Scores are numbered",
        |value| {
            value["attempts"][0]["scores"][0]["number"] = json!(2);
        },
    );
    expect_fault(
        "attempts[0].scores[0].entries[1]: An earlier part",
        |value| {
            value["attempts"][0]["scores"][0]["entries"][1]["criterion"] = json!("trade-offs");
        },
    );
    expect_fault("attempts[0].scores[0].entries: A score rates", |value| {
        value["attempts"][0]["scores"][0]["entries"] = json!([]);
    });
    expect_fault("attempts[0].scores[0].entries[0].rating: “5”", |value| {
        value["attempts"][0]["scores"][0]["entries"][0]["rating"] = json!("5");
    });
    expect_fault(
        "attempts[0].scores[0].entries[0].evidence: This has 5 KB",
        |value| {
            value["attempts"][0]["scores"][0]["entries"][0]["evidence"] =
                json!("x".repeat(EVIDENCE_BYTES + 1));
        },
    );
    expect_fault("attempts[1].id: An earlier attempt", |value| {
        let mut again = value["attempts"][0].clone();
        again["scores"] = json!([]);
        value["attempts"].as_array_mut().expect("list").push(again);
    });
    expect_fault("attempts[1].scores: Score 1 has the id", |value| {
        let mut again = value["attempts"][0].clone();
        again["id"] = json!("0198f2a0-0000-7000-8000-0000deadbee0");
        value["attempts"].as_array_mut().expect("list").push(again);
    });
    expect_fault("account.name: This holds a control character", |value| {
        value["account"]["name"] = json!("Ada\r\nBcc: x");
    });
    expect_fault("account.interview_on: “2026-02-30” is no day", |value| {
        value["account"]["interview_on"] = json!("2026-02-30");
    });
    expect_fault("account: Expected an object, found a list.", |value| {
        value["account"] = json!([]);
    });
}

#[test]
fn every_fault_is_told_and_not_only_the_first() {
    let text = changed(|value| {
        value["account"]["created_at"] = json!("yesterday");
        value["attempts"][0]["way"] = json!(1);
        value["attempts"][0]["sections"][1]["saved_at"] = json!("");
        value["attempts"][0]
            .as_object_mut()
            .expect("object")
            .remove("phase");
        value["attempts"]
            .as_array_mut()
            .expect("list")
            .push(json!("x"));
    });
    let faults = faults(&text);
    for place in [
        "account.created_at: ",
        "attempts[0].way: Expected a text, found a number.",
        "attempts[0].sections[1].saved_at: ",
        "attempts[0].phase: This field is missing.",
        "attempts[1]: Expected an object, found a text.",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(place)),
            "{place}: {faults:?}"
        );
    }
    assert_eq!(faults.len(), 5);
}

#[test]
fn what_is_unknown_is_a_warning() {
    let text = changed(|value| {
        value["mood"] = json!({"a": [1, 2]});
        value["attempts"][0]["minuts"] = json!(3);
        value["attempts"][0]["sections"][0]["body"] = json!("a\r\nb\rc\n");
    });
    let (archive, faults) = parse(&text, 8 * MB);
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.severity == Severity::Warning)
    );
    assert!(
        told.iter().any(|fault| fault
            == "attempts[0]: The field “minuts” is unknown and is left out. Did you mean minutes?"),
        "{told:?}"
    );
    assert!(told.iter().any(|fault| fault.contains("carriage returns")));
    let archive = archive.expect("is taken");
    assert_eq!(archive.attempts[0].sections[0].body, "a\nbc\n");
}

#[test]
fn fields_that_stand_twice_are_refused() {
    let text = written(&sample());
    for (place, field) in [
        ("", "\"exported_at\": "),
        ("", "\"attempts\": "),
        ("", "\"format\": "),
        ("account: ", "\"email\": "),
        ("attempts[0]: ", "\"phase\": "),
        ("attempts[0].milliseconds_by_phase: ", "\"api\": "),
        ("attempts[0].scores[0].entries[0]: ", "\"evidence\": "),
    ] {
        let empty = if field.contains("attempts") {
            "[]"
        } else {
            "null"
        };
        let doubled = text.replacen(field, &format!("{field}{empty}, {field}"), 1);
        assert_ne!(doubled, text);
        let faults = faults(&doubled);
        let wanted = format!(
            "{place}The field “{}” stands here twice",
            &field[1..field.len() - 3]
        );
        assert!(
            faults.iter().any(|fault| fault.starts_with(&wanted)),
            "{wanted}: {faults:?}"
        );
    }
}

#[test]
fn other_formats_are_told_apart() {
    for (format, words) in [
        ("headroom-attempt-1", "This is the export of one attempt."),
        ("headroom-archive-2", "Update Headroom"),
        ("something", "The format “something” is unknown"),
    ] {
        let faults = faults(&changed(|value| value["format"] = json!(format)));
        assert!(
            faults.len() == 1 && faults[0].starts_with("format: ") && faults[0].contains(words),
            "{faults:?}"
        );
    }
    // What another version has in it is not held against it.
    let other = r#"{"format": "headroom-archive-9", "attempts": {"by": "year"}}"#;
    assert!(faults(other)[0].contains("Update Headroom"));
}

#[test]
fn what_is_no_archive_is_refused_in_few_words() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!("{{\"account\": {deep}}}");
    let deep_unknown = format!("{{\"x\": {deep}}}");
    let deep_attempt = format!("{{\"attempts\": {deep}}}");
    let mut cases = vec![
        String::new(),
        " ".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{".to_owned(),
        "{\"attempts\": [".to_owned(),
        "{} {}".to_owned(),
        "{\"attempts\": 7}".to_owned(),
        "{\"attempts\": \"x\"}".to_owned(),
        "{\"format\": \"\\ud800\"}".to_owned(),
        "{\"\\udc00\": 1}".to_owned(),
        "{\"format\": \"a\nb\"}".to_owned(),
        "{\"a\": 01}".to_owned(),
        "{\"a\": NaN}".to_owned(),
        "{\"a\": 1e999}".to_owned(),
        "\0".to_owned(),
        deep,
        deep_field,
        deep_unknown,
        deep_attempt,
    ];
    // Names and texts of 10 MB, where a name, a text, a number and an object belong.
    let long = "n".repeat(10 * MB);
    cases.push(format!("{{\"{long}\": 1}}"));
    cases.push(format!("\"{long}\""));
    cases.push(format!("{{\"attempts\": \"{long}\"}}"));
    cases.push(changed(|value| value["account"]["name"] = json!(long)));
    cases.push(changed(|value| value["format"] = json!(long)));
    cases.push(changed(|value| value["attempts"][0]["id"] = json!(long)));
    cases.push(changed(|value| {
        value["attempts"][0]["started_at"] = json!(long);
    }));
    cases.push(changed(|value| value["attempts"][0]["phase"] = json!(long)));
    cases.push(changed(|value| {
        value["attempts"][0]["sections"][0]["name"] = json!(long);
    }));
    let mut field = format!("{{\"attempts\": [{{\"{long}\": 1");
    field.push_str("}]}");
    cases.push(field);
    for text in cases {
        let (archive, faults) = parse(&text, 64 * MB);
        let start: String = text.chars().take(60).collect();
        assert_eq!(archive, None, "{start}");
        assert!(!faults.is_empty(), "{start}");
        for fault in &faults {
            assert!(fault.to_string().len() < 400, "{start}: {fault}");
            assert!(!fault.to_string().contains(char::is_control), "{start}");
        }
    }
}

#[test]
fn sizes_and_counts_have_limits() {
    let text = written(&sample());
    assert!(parse(&text, text.len()).0.is_some());
    let (archive, faults) = parse(&text, text.len() - 1);
    assert_eq!((archive, faults.len()), (None, 1));

    // Nothing of the values is kept but the count.
    let items = |count: usize| {
        let mut text = String::from("{\"attempts\": [");
        for index in 0..count {
            let _ = write!(text, "{}{{}}", if index == 0 { "" } else { "," });
        }
        text + "]}"
    };
    let most = usize::try_from(ATTEMPTS_PER_ACCOUNT).expect("a count");
    let told = faults_of(&items(most + 1));
    assert!(told.len() <= 201, "{}", told.len());
    assert!(
        told.last()
            .is_some_and(|fault| fault.contains("more faults of this kind")),
    );
    let alone = changed(|value| {
        let attempt = value["attempts"][0].clone();
        let attempts = (0..=most).map(|number| {
            let mut attempt = attempt.clone();
            attempt["id"] = json!(format!("0198f2a0-0000-7000-8000-{number:012x}"));
            attempt["sections"] = json!([]);
            attempt["scores"] = json!([]);
            attempt
        });
        value["attempts"] = attempts.collect();
    });
    assert_eq!(
        faults_of(&alone),
        [format!(
            "attempts: There are {} attempts and an account keeps at most {most}. Nothing can be imported.",
            most + 1
        )]
    );
    // One attempt of millions of values.
    let many = format!(
        "{{\"attempts\": [{{\"sections\": [{}0]}}]}}",
        "0,".repeat(1_000_000)
    );
    let told = faults_of(&many);
    assert!(told[0].contains("far more values"), "{told:?}");
    let many = format!("{{\"account\": [{}0]}}", "0,".repeat(1_000_000));
    assert!(faults_of(&many)[0].contains("far more values"));
}

fn faults_of(text: &str) -> Vec<String> {
    let (archive, faults) = parse(text, 64 * MB);
    assert!(archive.is_none());
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn the_folder_is_for_reading() {
    let mut archive = sample();
    let again = ArchivedAttempt {
        // The same end of the id on the same day.
        id: "0198f2a1-0000-7000-8000-0000deadbeef".to_owned(),
        ..archive.attempts[0].clone()
    };
    archive.attempts.push(again);
    let titles = Titles::from([(
        "payments-processor".to_owned(),
        PromptTitles {
            title: "Payments | processor".to_owned(),
            curveballs: BTreeMap::from([("key-reused".to_owned(), "A key is reused".to_owned())]),
        },
    )]);
    let files: Vec<(String, String)> = markdown_folder(&archive, &titles).collect();
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "README.md",
            "attempts/2026-03-01-payments-processor-deadbeef.md",
            "attempts/2026-03-01-payments-processor-0198f2a1-0000-7000-8000-0000deadbeef.md",
            "exercises/2026-03-01-quiet-bridges-0198f2a0-0000-7000-8000-000000001111.md",
            "exercises/2026-03-01-bridge-export-0198f2a0-0000-7000-8000-000000002222.md",
        ]
    );
    for (file, part) in [
        (
            0,
            "| 2026-03-01 | [quiet bridges](exercises/2026-03-01-quiet",
        ),
        (0, "| 2026-03-01 | roadmap/first-round |\n"),
        (
            3,
            "# quiet bridges\n\nProduction debugging, aimed at senior, started 2026-03-01",
        ),
        (
            3,
            "## first look\n\none of \"four\"\n\n## Not committed\n\nso far\n",
        ),
        (3, "| Root cause | Mid | a \\| b |\n"),
        (
            4,
            "## a/b.go, line 3 to 9\n\nData, minor.\n\nWhy \u{1f980}?\n",
        ),
    ] {
        assert!(files[file].1.contains(part), "{part}: {}", files[file].1);
    }
    let index = &files[0].1;
    assert!(
        index.contains(
            "| 2026-03-01 | [Payments \\| processor](attempts/2026-03-01-payments-processor-deadbeef.md) | interview | senior | 1 |"
        ),
        "{index}"
    );
    let text = &files[1].1;
    for part in [
        "# Payments | processor\n\nInterview attempt, aimed at senior, untimed, started 2026-03-01T09:30:00.250Z.\n\n",
        "## Requirements\n\nquotes",
        "## Numbers\n\n```text\ndau: 5M\n```\n",
        "## Curveball: A key is reused\n\nxxx",
        "## Score 1, 2026-03-01T09:30:00.259Z\n",
        "| API | Staff | a \\| b c |\n",
        "| requirements | 1 |\n",
        "| api | 1.5 |\n",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let unpublished = attempt_markdown(&archive.attempts[0], None);
    assert!(unpublished.starts_with("# payments processor\n"));
    assert!(unpublished.contains("## Curveball: key-reused\n"));
    // No name leads out of the folder, whatever stands in the database.
    archive.attempts[0].prompt = "../../etc/x".to_owned();
    archive.attempts[0].id = "..".to_owned();
    archive.exercises[0].slug = "../up".to_owned();
    let paths: Vec<String> = markdown_folder(&archive, &titles)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(paths[1], "attempts/2026-03-01-etcx-.md");
    assert!(
        paths[3].starts_with("exercises/2026-03-01-up-0198"),
        "{}",
        paths[3]
    );
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(body in "[^\\x00\\r]{0,200}", at in 0_i64..7_258_118_400_000, spent in 0_i64..1_000_000_000) {
        let mut archive = sample();
        let attempt = &mut archive.attempts[0];
        attempt.started_at = at;
        attempt.spent[4] = spent;
        attempt.sections[0].body.clone_from(&body);
        attempt.sections[0].revisions[0].body = body;
        let (read, faults) = parse(&written(&archive), 8 * MB);
        prop_assert_eq!(faults, Vec::new());
        prop_assert_eq!(read, Some(archive));
    }

    #[test]
    fn nothing_that_is_read_panics(at in 0_usize..3000, bytes in proptest::collection::vec(any::<u8>(), 0..8)) {
        let mut archive = sample();
        archive.attempts[0].sections.truncate(2);
        let mut text = written(&archive).into_bytes();
        let at = at % text.len();
        text.splice(at..(at + bytes.len()).min(text.len()), bytes);
        let _ = parse(&String::from_utf8_lossy(&text), 8 * MB);
    }
}

#[test]
fn exercises_are_taken_on_no_trust_either() {
    let incident =
        |value: &mut Value, field: &str, with: Value| value["exercises"][0][field] = with;
    let review = |value: &mut Value, field: &str, with: Value| {
        value["exercises"][1]["comments"][0][field] = with;
    };
    for (field, with) in [
        ("id", json!("x")),
        ("kind", json!("cooking")),
        ("slug", json!("../x")),
        ("level", json!("principal")),
        ("started_at", json!(7)),
        ("revealed", json!(-1)),
        ("revealed", json!(99)),
        ("revision", json!(-1)),
        ("finished_at", json!("soon")),
        ("open", json!("x".repeat(ANSWER_BYTES + 1))),
        ("open", Value::Null),
        ("answers", json!({})),
    ] {
        expect_fault(&format!("exercises[0].{field}: "), |value| {
            incident(value, field, with);
        });
    }
    for (field, with) in [
        ("id", json!(0)),
        ("file", json!("a\u{0}")),
        ("last", json!(2)),
        ("first", json!(0)),
        ("kind", json!("taste")),
        ("severity", json!("fatal")),
        ("text", json!("a\u{0}")),
    ] {
        expect_fault(&format!("exercises[1].comments[0].{field}: "), |value| {
            review(value, field, with);
        });
    }
    expect_fault("exercises[0].scores.entries[0].criterion: ", |value| {
        value["exercises"][0]["scores"]["entries"][0]["criterion"] = json!("tone");
    });
    expect_fault("exercises[0].scores.entries: ", |value| {
        value["exercises"][0]["scores"]["entries"] = json!([]);
    });
    expect_fault("exercises[0]: This exercise is rated", |value| {
        incident(value, "finished_at", Value::Null);
    });
    expect_fault("exercises[0].answers[1]: ", |value| {
        let answer = value["exercises"][0]["answers"][0].clone();
        value["exercises"][0]["answers"] = json!([answer, answer]);
    });
    expect_fault("exercises[1].comments: ", |value| {
        let comment = value["exercises"][1]["comments"][0].clone();
        value["exercises"][1]["comments"] = json!(vec![comment; MOST_COMMENTS + 1]);
    });
    expect_fault("exercises[1]: An earlier part", |value| {
        value["exercises"][1]["id"] = value["exercises"][0]["id"].clone();
    });
    expect_fault("ticks[0].item: ", |value| {
        value["ticks"][0]["item"] = json!("roadmap");
    });
    expect_fault("ticks[1]: An earlier part", |value| {
        value["ticks"][1]["item"] = value["ticks"][0]["item"].clone();
    });
    expect_fault("ticks: This list has 5001 parts", |value| {
        let ticks = (0..=TICKS).map(|number| {
            json!({ "item": format!("reading/a{number}"), "ticked_at": "2026-01-01T00:00:00Z" })
        });
        value["ticks"] = ticks.collect();
    });
}
