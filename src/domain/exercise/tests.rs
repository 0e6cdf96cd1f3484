//! Answers, comments and their matching, mostly as tables of short cases.

use proptest::prelude::*;

use super::*;

const STEPS: [&str; 3] = ["one", "two", "three"];

fn answer<'a>(step: &'a str, text: &'a str, fresh: bool) -> Answer<'a> {
    Answer { step, text, fresh }
}

#[test]
fn names_read_back_and_are_those_on_the_wire() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_slug(kind.slug()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.slug());
    }
    for criterion in ExerciseCriterion::ALL {
        assert_eq!(
            ExerciseCriterion::from_slug(criterion.slug()),
            Some(criterion)
        );
        assert_eq!(serde_json::to_value(criterion).unwrap(), criterion.slug());
        let of = Kind::ALL.map(|kind| kind.criteria().contains(&criterion));
        assert_ne!(of[0], of[1], "{criterion:?} belongs to one kind");
    }
    for kind in FaultKind::ALL {
        assert_eq!(FaultKind::from_slug(kind.slug()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.slug());
    }
    for severity in Severity::ALL {
        assert_eq!(Severity::from_slug(severity.slug()), Some(severity));
        assert_eq!(serde_json::to_value(severity).unwrap(), severity.slug());
    }
}

#[test]
fn steps_are_committed_one_after_the_other() {
    let mut notes = Notes::default();
    assert_eq!(notes.revealed(&STEPS), 1);
    let kept = notes.keep(&STEPS, answer("one", "so far", true));
    assert_eq!(kept, Ok(Taken::Written));
    assert_eq!(
        notes.keep(&STEPS, answer("one", "so far", false)),
        Ok(Taken::Already)
    );
    for (refused, given) in [
        (Refused::NotOpen, answer("two", "x", true)),
        (Refused::NotOpen, answer("", "x", true)),
        (
            Refused::ChangedElsewhere("so far".to_owned()),
            answer("one", "x", false),
        ),
        (Refused::Empty, answer("one", " \n", true)),
        (
            Refused::TooLong,
            answer("one", &"x".repeat(ANSWER_BYTES + 1), true),
        ),
    ] {
        let before = notes.clone();
        assert_eq!(notes.commit(&STEPS, given, 7), Err(refused));
        assert_eq!(notes, before);
    }
    assert_eq!(
        notes.commit(&STEPS, answer("one", "the pool", true), 7),
        Ok(Taken::Written)
    );
    assert_eq!((notes.revealed(&STEPS), notes.open.as_str()), (2, ""));
    // The same form again, and the form gone back to and changed.
    assert_eq!(
        notes.commit(&STEPS, answer("one", "the pool", false), 8),
        Ok(Taken::Already)
    );
    for result in [
        notes
            .clone()
            .commit(&STEPS, answer("one", "other", true), 8),
        notes.clone().keep(&STEPS, answer("one", "other", true)),
    ] {
        assert_eq!(result, Err(Refused::Committed("the pool".to_owned())));
    }
    for step in ["two", "three"] {
        notes
            .commit(&STEPS, answer(step, "next", true), 9)
            .expect("committed");
    }
    assert_eq!((notes.open_step(&STEPS), notes.revealed(&STEPS)), (None, 3));
    let work = Work::Debugging(notes);
    let json = work.to_json().expect("is written");
    assert_eq!(
        Work::from_json(Kind::Debugging, &json).expect("reads"),
        work
    );
    assert!(Work::from_json(Kind::CodeReview, &json).is_err());
}

fn said(file: &str, first: u32, last: u32, kind: FaultKind, severity: Severity) -> Said {
    Said {
        file: file.to_owned(),
        lines: Lines { first, last },
        kind,
        severity,
        text: format!("{file} {first}"),
    }
}

#[test]
fn comments_are_added_changed_and_deleted() {
    let at = |first| {
        said(
            "a.go",
            first,
            first,
            FaultKind::Security,
            Severity::Blocking,
        )
    };
    let mut review = Review::default();
    assert_eq!(review.add(at(3), 1), Ok(1));
    assert_eq!(
        review.add(at(3), 2),
        Ok(1),
        "the same form twice is one comment"
    );
    assert_eq!(review.add(at(9), 2), Ok(2));
    assert_eq!(review.change(2, 2, at(10), 3), Ok(()));
    let now = review.comment(2).expect("there").clone();
    assert_eq!((now.revision, now.said.lines.first), (3, 10));
    let changed = NotTaken::Changed(Box::new(now));
    assert_eq!(review.change(2, 2, at(11), 4), Err(changed.clone()));
    assert_eq!(
        review.change(2, 2, at(10), 4),
        Ok(()),
        "it says that already"
    );
    assert_eq!(review.delete(2, 2), Err(changed));
    assert_eq!(review.delete(2, 3), Ok(()));
    assert_eq!(review.delete(2, 3), Ok(()));
    assert_eq!(review.change(2, 3, at(11), 4), Err(NotTaken::Gone));
    for (refused, text) in [
        (NotTaken::Empty, " ".to_owned()),
        (NotTaken::TooLong, "x".repeat(COMMENT_BYTES + 1)),
    ] {
        let said = Said { text, ..at(1) };
        assert_eq!(review.add(said.clone(), 5), Err(refused.clone()));
        assert_eq!(review.change(1, 1, said, 5), Err(refused));
    }
    for line in 0..MOST_COMMENTS as u32 - 1 {
        review.add(at(100 + line), 6).expect("added");
    }
    assert_eq!(review.add(at(99), 7), Err(NotTaken::TooMany));
    let work = Work::CodeReview(review);
    let json = work.to_json().expect("is written");
    assert_eq!(
        Work::from_json(Kind::CodeReview, &json).expect("reads"),
        work
    );
}

fn planted(first: u32, last: u32, kind: FaultKind, severity: Severity) -> Planted {
    Planted {
        file: "a.go".to_owned(),
        spans: vec![Lines { first, last }],
        kind,
        severity,
    }
}

fn comments(all: &[(u32, u32, FaultKind, Severity)]) -> Vec<Comment> {
    (1..)
        .zip(all)
        .map(|(id, (first, last, kind, severity))| Comment {
            id,
            revision: 1,
            said: said("a.go", *first, *last, *kind, *severity),
        })
        .collect()
}

/// The id of the comment that found each fault, and a letter for each comment: found, `d` named differently, repeat,
/// `a` false alarm, note.
fn judged(
    faults: &[Planted],
    all: &[(u32, u32, FaultKind, Severity)],
    otherwise: &[u32],
) -> (Vec<u32>, String) {
    let decoys = [Decoy {
        file: "a.go".to_owned(),
        lines: Lines {
            first: 900,
            last: 900,
        },
    }];
    let verdict = judge(
        faults,
        &decoys,
        &comments(all),
        &otherwise.iter().copied().collect(),
    );
    let found = verdict
        .faults
        .iter()
        .map(|found| found.map_or(0, |found| found.comment));
    let letters = verdict.comments.iter().map(|(_, outcome)| match outcome {
        Outcome::Found {
            named_differently: false,
            ..
        } => 'f',
        Outcome::Found { .. } => 'd',
        Outcome::Repeat { .. } => 'r',
        Outcome::FalseAlarm { decoy: None } => 'a',
        Outcome::FalseAlarm { .. } => 'A',
        Outcome::Note { decoy: None } => 'n',
        Outcome::Note { .. } => 'N',
    });
    (found.collect(), letters.collect())
}

#[test]
fn comments_meet_faults_by_place() {
    use FaultKind::{Correctness as C, Performance as P, Security as S};
    use Severity::{Blocking as B, Minor as M};
    let one = [planted(10, 12, S, B)];
    for (line, letter) in [
        (7, "a"),
        (8, "f"),
        (10, "f"),
        (12, "f"),
        (14, "f"),
        (15, "a"),
    ] {
        let (found, letters) = judged(&one, &[(line, line, S, B)], &[]);
        assert_eq!(letters, letter, "line {line}");
        assert_eq!(found[0] == 1, letter == "f");
    }
    #[rustfmt::skip]
    let cases = [
        ("nothing", vec![], vec![], (vec![], "")),
        ("no fault", vec![], vec![(1, 1, S, B)], (vec![], "a")),
        ("a wide comment", vec![planted(50, 50, S, B)], vec![(1, 99, S, B)], (vec![1], "f")),
        ("another kind", vec![planted(5, 5, S, B)], vec![(5, 5, P, B)], (vec![1], "d")),
        ("minor and beside", vec![planted(5, 5, S, B)], vec![(50, 50, S, M)], (vec![0], "n")),
        ("minor and right", vec![planted(5, 5, S, B)], vec![(5, 5, S, M)], (vec![1], "f")),
        ("decoys", vec![planted(5, 5, S, B)], vec![(902, 902, S, B), (898, 898, S, M), (903, 903, S, B)], (vec![0], "ANa")),
        ("twice the same", vec![planted(5, 5, S, B)], vec![(5, 5, S, B), (6, 6, S, B)], (vec![1], "fr")),
        ("the nearer one", vec![planted(5, 5, S, B)], vec![(7, 7, S, B), (5, 5, S, B)], (vec![2], "rf")),
        ("the one that names it", vec![planted(5, 5, S, B)], vec![(5, 5, P, B), (7, 7, S, B)], (vec![2], "rf")),
        ("one comment, two faults", vec![planted(5, 5, S, M), planted(6, 6, S, B)], vec![(5, 6, S, B)], (vec![0, 1], "f")),
        ("its kind before its weight", vec![planted(5, 5, S, B), planted(6, 6, P, M)], vec![(5, 6, P, B)], (vec![0, 1], "f")),
        ("its lines before its kind", vec![planted(42, 42, P, B), planted(44, 44, C, M)], vec![(44, 44, P, B)], (vec![0, 1], "d")),
        // The first fault could take the only comment that the second one has.
        ("as many as can be", vec![planted(5, 5, S, B), planted(9, 9, S, B)], vec![(7, 7, S, B), (3, 3, S, B)], (vec![2, 1], "ff")),
        ("kinds crossed", vec![planted(5, 5, S, B), planted(6, 6, C, B)], vec![(5, 6, C, B), (5, 6, S, B)], (vec![2, 1], "ff")),
        ("rather all than by name", vec![planted(5, 5, S, B), planted(9, 9, P, B)], vec![(7, 7, S, B), (3, 3, C, B)], (vec![2, 1], "dd")),
        ("rather all than in place", vec![planted(5, 5, S, B), planted(6, 6, S, B)], vec![(5, 5, S, B), (5, 5, S, B)], (vec![2, 1], "ff")),
    ];
    for (what, faults, all, expected) in cases {
        let (found, letters) = judged(&faults, &all, &[]);
        assert_eq!((found, letters.as_str()), expected, "{what}");
    }
}

#[test]
fn other_files_and_other_places_count_as_they_should() {
    use FaultKind::Security as S;
    use Severity::Blocking as B;
    let mut fault = planted(10, 12, S, B);
    fault.spans.push(Lines {
        first: 80,
        last: 82,
    });
    assert_eq!(
        judged(std::slice::from_ref(&fault), &[(84, 84, S, B)], &[]).1,
        "f"
    );
    assert_eq!(
        judged(std::slice::from_ref(&fault), &[(40, 40, S, B)], &[]).1,
        "a"
    );
    fault.file = "b.go".to_owned();
    assert_eq!(judged(&[fault], &[(10, 10, S, B)], &[]).1, "a");
}

#[test]
fn a_comment_that_meant_something_else_is_a_miss_and_a_false_alarm() {
    use FaultKind::{Performance as P, Security as S};
    use Severity::{Blocking as B, Minor as M};
    let faults = [planted(5, 5, S, B), planted(30, 30, P, M)];
    let all = [(5, 5, S, B), (30, 30, P, M), (6, 6, S, B)];
    let tally = |otherwise: &[u32]| {
        judge(
            &faults,
            &[],
            &comments(&all),
            &otherwise.iter().copied().collect(),
        )
        .tally
    };
    assert_eq!(judged(&faults, &all, &[]).1, "ffr");
    // The next comment at that place takes its turn.
    assert_eq!(judged(&faults, &all, &[1]), (vec![3, 2], "aff".to_owned()));
    assert_eq!(
        judged(&faults, &all, &[1, 3]),
        (vec![0, 2], "afa".to_owned())
    );
    let before = tally(&[]);
    assert_eq!(
        (before.found, before.false_alarms, before.repeats),
        (2, 0, 1)
    );
    assert_eq!((before.weight_found, before.weight), (4, 4));
    assert_eq!(
        (before.precision(), before.recall()),
        (Some(1.0), Some(1.0))
    );
    let after = tally(&[1, 3]);
    assert_eq!((after.found, after.false_alarms, after.faults), (1, 2, 2));
    assert_eq!((after.weight_found, after.weight), (1, 4));
    assert_eq!(
        (after.precision(), after.recall()),
        (Some(1.0 / 3.0), Some(0.5))
    );
    let none = judge(&[], &[], &[], &BTreeSet::new()).tally;
    assert_eq!((none.precision(), none.recall()), (None, None));
}

#[test]
fn the_next_exercise_is_another_one() {
    let candidate = |kind, slug: &str, levels: &[Level], last_started| Candidate {
        kind,
        slug: slug.to_owned(),
        levels: levels.to_vec(),
        last_started,
    };
    let (review, debugging) = (Kind::CodeReview, Kind::Debugging);
    let all = [
        candidate(debugging, "a", &Level::ALL, None),
        candidate(debugging, "b", &[Level::Staff], None),
        candidate(debugging, "c", &[Level::Mid], None),
        candidate(review, "a", &Level::ALL, Some(3)),
        candidate(review, "d", &Level::ALL, Some(1)),
    ];
    let next = |kind, slug, level, from: &[Candidate]| {
        next_exercise(kind, slug, level, from).map(|next| (next.kind, next.slug.clone()))
    };
    assert_eq!(
        next(debugging, "a", Level::Mid, &all),
        Some((debugging, "c".to_owned()))
    );
    assert_eq!(
        next(review, "a", Level::Mid, &all),
        Some((debugging, "a".to_owned()))
    );
    assert_eq!(
        next(debugging, "a", Level::Mid, &all[3..]),
        Some((review, "d".to_owned()))
    );
    assert_eq!(next(debugging, "a", Level::Mid, &all[..1]), None);
}

#[test]
fn a_decoy_beside_a_fault_is_a_false_alarm() {
    use FaultKind::Security as S;
    use Severity::{Blocking as B, Minor as M};
    // The decoy is line 900.
    let fault = [planted(902, 903, S, B)];
    assert_eq!(judged(&fault, &[(900, 900, S, B)], &[]).1, "A");
    assert_eq!(judged(&fault, &[(899, 900, S, M)], &[]).1, "N");
    assert_eq!(judged(&fault, &[(901, 901, S, B)], &[]).1, "f");
    // Over both it says something about the fault.
    assert_eq!(judged(&fault, &[(900, 902, S, B)], &[]).1, "f");
}

#[test]
fn remarks_called_minor_cost_nothing_up_to_a_point() {
    use FaultKind::Security as S;
    use Severity::{Blocking as B, Minor as M};
    let fault = [planted(10, 10, S, B)];
    let spam: Vec<_> = (0..6).map(|at| (20 + at * 4, 20 + at * 4, S, M)).collect();
    assert_eq!(judged(&fault, &spam, &[]).1, "nnnaaa");
    // One that finds something is no note.
    let mut all = vec![(10, 10, S, M)];
    all.extend(&spam[..4]);
    assert_eq!(judged(&fault, &all, &[]).1, "fnnna");
}

/// How many faults can be found, by trying every assignment.
fn largest(faults: &[Planted], comments: &[Comment], taken: u32) -> u32 {
    let Some((fault, rest)) = faults.split_first() else {
        return 0;
    };
    let mut best = largest(rest, comments, taken);
    for (index, comment) in comments.iter().enumerate() {
        let near = fault.spans[0].distance(comment.said.lines) <= NEAR_LINES;
        if near && taken & (1 << index) == 0 {
            best = best.max(1 + largest(rest, comments, taken | 1 << index));
        }
    }
    best
}

proptest! {
    /// Against the largest matching that trying every assignment finds.
    #[test]
    fn as_many_faults_are_found_as_can_be(
        faults in prop::collection::vec((1_u32..12, 0_u32..3, 0_usize..7, 0_usize..3), 0..5),
        all in prop::collection::vec((1_u32..12, 0_u32..3, 0_usize..7, 0_usize..3), 0..6),
    ) {
        let faults: Vec<Planted> = faults
            .iter()
            .map(|(first, more, kind, severity)| planted(*first, first + more, FaultKind::ALL[*kind], Severity::ALL[*severity]))
            .collect();
        let all: Vec<_> = all
            .iter()
            .map(|(first, more, kind, severity)| (*first, first + more, FaultKind::ALL[*kind], Severity::ALL[*severity]))
            .collect();
        let comments = comments(&all);
        let verdict = judge(&faults, &[], &comments, &BTreeSet::new());
        prop_assert_eq!(&verdict, &judge(&faults, &[], &comments, &BTreeSet::new()));

        prop_assert_eq!(verdict.tally.found, largest(&faults, &comments, 0));
        let used: Vec<u32> = verdict.faults.iter().flatten().map(|found| found.comment).collect();
        let distinct: BTreeSet<u32> = used.iter().copied().collect();
        prop_assert_eq!(distinct.len(), used.len());
        let counted = verdict.tally.found + verdict.tally.false_alarms + verdict.tally.notes + verdict.tally.repeats;
        prop_assert_eq!(counted as usize, comments.len());
    }
}
