//! Sheets, what their rows come to, and grades.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::quantity::{Quantity, Unit};

fn sheet(text: &str) -> Sheet {
    let (sheet, diagnostics) = Sheet::parse(text);
    assert_eq!(diagnostics, []);
    sheet
}

/// What each row comes to, one line a row, with the marked part of its text when it is at fault.
fn report(text: &str, givens: &[(&str, &str)], wanted: &[(&str, &str)]) -> String {
    let givens: Vec<(String, Quantity)> = givens
        .iter()
        .map(|(id, text)| ((*id).to_owned(), Quantity::parse(text).unwrap()))
        .collect();
    let wanted: Vec<(String, Unit)> = wanted
        .iter()
        .map(|(id, unit)| ((*id).to_owned(), Unit::parse(unit).unwrap()))
        .collect();
    let mut report = String::new();
    for Evaluated { id, text, outcome } in evaluate(&sheet(text), &givens, &wanted) {
        let _ = match outcome {
            Outcome::Empty => writeln!(report, "{id}: empty"),
            Outcome::Value { shown, note, .. } => {
                let note = note.map(|note| format!(" [{note}]")).unwrap_or_default();
                writeln!(report, "{id}: {shown}{note}")
            }
            Outcome::Error { message, span } => {
                let marked = span.map_or("-", |span| &text[span.start as usize..span.end as usize]);
                writeln!(report, "{id}: ! {message} [{marked}]")
            }
        };
    }
    report
}

#[test]
fn rows_are_evaluated_in_any_order() {
    insta::assert_snapshot!(
        report(
            "storage: = writes * 300 B * 5 years * replicas\n\
             writes: = dau * 2 / 1 day\n\
             peak: = writes * 3\n\
             replicas: 3 x\n\
             out: = peak * 20 KB\n\
             cost: = storage * $0.023/GB-month\n\
             later:",
            &[("dau", "10M users")],
            &[("peak", "req/s"), ("storage", "TB"), ("out", "GB/day"), ("later", "GB")],
        ),
        @r"
    storage: 32.9 TB
    writes: 231 /s
    peak: 694 req/s
    replicas: 3
    out: 1,200 GB/day
    cost: $756/month
    later: empty
    "
    );
}

#[test]
fn a_plain_number_is_taken_in_the_wanted_unit() {
    insta::assert_snapshot!(
        report(
            "peak: 830\n\
             mean: = dau * 2 / 86400\n\
             out: = peak * 2 KB\n\
             bill: 1,200\n\
             up: 99.95 %\n\
             hit: 80\n\
             miss: = 1 - 80 %\n\
             many: 1e99",
            &[("dau", "10M")],
            &[("peak", "req/s"), ("mean", "req/s"), ("bill", "$/month"), ("up", "%"), ("hit", "%"), ("miss", "%"), ("many", "PB")],
        ),
        @r"
    peak: 830 req/s [taken as 830 req/s]
    mean: 231 req/s [taken as 231 req/s]
    out: 1.66 MB/s (143 GB/day)
    bill: $1,200/month [taken as $1,200/month]
    up: 99.95 %
    hit: 80 % [taken as 80 %]
    miss: 20 %
    many: ! This is too large: check the exponents and the magnitudes (k, M, bn). [1e99]
    "
    );
}

#[test]
fn faulty_rows_explain_themselves() {
    let report = report(
        "size: 300 KB\n\
         flow: 300 KB\n\
         wait: = flow_mean * 2\n\
         flow_mean: = 2 KB * 5/s\n\
         share: 5 req/s\n\
         bill: = 5 TB * (20 + 3) + 0 TB\n\
         far: = 1 KB * 1 KB\n\
         broken: 5 m\n\
         uses_broken: = 2 * broken\n\
         uses_uses: = uses_broken + 1\n\
         uses_empty: = blank * 2\n\
         blank:\n\
         slip: = flow_maen * 2\n\
         literal: 10 TB / flow_mean\n\
         spread: 10 TB / copies_kept\n\
         words: 10 TB / zebras\n\
         zebras: 4 zebras\n\
         hidden: = dau",
        &[("dau", "10M")],
        &[
            ("size", "req/s"),
            ("flow", "KB/s"),
            ("wait", "s"),
            ("share", "users"),
            ("bill", "$/month"),
            ("far", "KB"),
        ],
    );
    insta::assert_snapshot!(report);
}

#[test]
fn circles_are_named() {
    insta::assert_snapshot!(
        report(
            "alone: = alone + 1\n\
             a: = b\n\
             b: = c * 2\n\
             c: = a + d\n\
             d: 5\n\
             outside: = a",
            &[],
            &[],
        ),
        @r"
    alone: ! `alone` refers to itself: write a number, or the rows it comes from. [-]
    a: ! These rows go round in a circle: `a` → `b` → `c` → `a`. Give one of them a number. [-]
    b: ! These rows go round in a circle: `a` → `b` → `c` → `a`. Give one of them a number. [-]
    c: ! These rows go round in a circle: `a` → `b` → `c` → `a`. Give one of them a number. [-]
    d: 5
    outside: ! The row `a`, which this one uses, has an error: mend it first. [a]
    "
    );
}

#[test]
fn a_row_hides_a_given_of_its_name() {
    insta::assert_snapshot!(
        report("dau: 20M\nwrites: = dau * 2", &[("dau", "10M")], &[]),
        @r"
    dau: 20 M
    writes: 40 M
    "
    );
}

#[test]
fn faulty_lines_are_said_and_left_out() {
    let many: String = (0..=MAX_ROWS).fold(String::new(), |mut text, row| {
        let _ = writeln!(text, "row_{row}: {row}");
        text
    });
    let mut found = String::new();
    for text in [
        "# a remark\n\n  dau : 10M users\r\n\tDAU: 5\nno colon\n9lives: 1\ndau: 2\n per: 3\nfee: a: b\n: 4",
        &many,
    ] {
        let (sheet, diagnostics) = Sheet::parse(text);
        let _ = writeln!(found, "{} rows", sheet.rows().len());
        for SheetDiagnostic {
            line,
            column,
            message,
        } in diagnostics
        {
            let _ = writeln!(found, "{line}:{column} {message}");
        }
    }
    insta::assert_snapshot!(found, @r"
    2 rows
    4:2 `DAU` cannot be the name of a row: use lower-case letters, digits and `_`, with a letter first, at most 40.
    5:1 A row is a name, a colon and a value, as in `dau: 10M users`.
    6:1 `9lives` cannot be the name of a row: use lower-case letters, digits and `_`, with a letter first, at most 40.
    7:1 There is a row called `dau` already: give this one another name.
    8:2 `per` cannot be the name of a row: use lower-case letters, digits and `_`, with a letter first, at most 40.
    10:1 `` cannot be the name of a row: use lower-case letters, digits and `_`, with a letter first, at most 40.
    60 rows
    61:1 A sheet has at most 60 rows: what follows is left out.
    ");
}

#[test]
fn rows_are_set_in_place() {
    let mut sheet = Sheet::default();
    assert!(sheet.set("dau", "10M"));
    assert!(sheet.set("peak", " = dau\n* 2 "));
    assert!(sheet.set("dau", "20M"));
    assert!(!sheet.set("Peak", "1"));
    assert_eq!(sheet.to_text(), "dau: 20M\npeak: = dau * 2\n");
    assert_eq!(sheet.get("peak"), Some("= dau * 2"));
    let json = serde_json::to_string(&sheet).unwrap();
    assert_eq!(json, r#""dau: 20M\npeak: = dau * 2\n""#);
    assert_eq!(serde_json::from_str::<Sheet>(&json).unwrap(), sheet);
}

#[test]
fn outcomes_cross_the_wire() {
    let evaluated = evaluate(&sheet("a: 5M/s\nb: 5 m\nc:"), &[], &[]);
    let json = serde_json::to_string(&evaluated).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Evaluated>>(&json).unwrap(),
        evaluated
    );
}

#[test]
fn grades_by_ratio() {
    let words = "not comparable with the range";
    for (value, low, high, expected, said) in [
        (800.0, 700.0, 1000.0, Grade::Full, "within the range"),
        (700.0, 700.0, 1000.0, Grade::Full, "within the range"),
        (800.0, 1000.0, 700.0, Grade::Full, "within the range"),
        (350.0, 700.0, 1000.0, Grade::Full, "2.0 times too low"),
        (2000.0, 700.0, 1000.0, Grade::Full, "2.0 times too high"),
        (1050.0, 700.0, 1000.0, Grade::Full, "1.05 times too high"),
        (2001.0, 700.0, 1000.0, Grade::Partial, "2.0 times too high"),
        (3400.0, 700.0, 1000.0, Grade::Partial, "3.4 times too high"),
        (70.0, 700.0, 1000.0, Grade::Partial, "10 times too low"),
        (0.3, 0.1, 0.1, Grade::Partial, "3.0 times too high"),
        (69.0, 700.0, 1000.0, Grade::Off, "10 times too low"),
        (12_000.0, 700.0, 1000.0, Grade::Off, "12 times too high"),
        (1e12, 7.0, 10.0, Grade::Off, "over a million times too high"),
        (0.0, 700.0, 1000.0, Grade::Off, words),
        (-800.0, 700.0, 1000.0, Grade::Off, words),
        (f64::NAN, 700.0, 1000.0, Grade::Off, words),
        (f64::INFINITY, 700.0, 1000.0, Grade::Off, words),
        (800.0, f64::NAN, 1000.0, Grade::Off, words),
        (0.0, 0.0, 10.0, Grade::Full, "within the range"),
        (-5.0, -10.0, 10.0, Grade::Full, "within the range"),
        (-11.0, -10.0, 10.0, Grade::Off, words),
        (15.0, -10.0, 10.0, Grade::Full, "1.5 times too high"),
        (5.0, -10.0, 0.0, Grade::Off, words),
    ] {
        let found = deviation(value, low, high);
        assert_eq!(grade(value, low, high), expected, "{value} {low} {high}");
        assert_eq!(found.words(), said, "{value} {low} {high}");
    }
}

fn row_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "=", "= ", "a", "b", "c", "given", "5", "1e60", "0", "2 KB", "3/s", "$5", "day", " ", "*",
        "/", "+", "-", "^", "(", ")", "M", "foo", "é", "🦀", "~", ":", "#", "\n", "\r",
    ]);
    prop_oneof![
        3 => prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn any_sheet() -> impl Strategy<Value = Sheet> {
    let id = prop::sample::select(vec!["a", "b", "c", "day", "x", "peak_rate"]);
    prop::collection::vec((id, row_text()), 0..8).prop_map(|rows| {
        let mut sheet = Sheet::default();
        for (id, text) in rows {
            sheet.set(id, &text);
        }
        sheet
    })
}

proptest! {
    #[test]
    fn a_sheet_reads_back_from_its_text(sheet in any_sheet()) {
        prop_assert_eq!(Sheet::parse(&sheet.to_text()), (sheet, Vec::new()));
    }

    #[test]
    fn any_text_gives_a_sheet(text in any::<String>()) {
        let (sheet, _) = Sheet::parse(&text);
        prop_assert_eq!(Sheet::parse(&sheet.to_text()), (sheet, Vec::new()));
    }

    #[test]
    fn every_row_has_a_finite_value_or_a_place(sheet in any_sheet()) {
        let givens = [("given".to_owned(), Quantity::parse("9e99").unwrap())];
        let wanted = [("a", "req/s"), ("b", "PB"), ("c", "%")]
            .map(|(id, unit)| (id.to_owned(), Unit::parse(unit).unwrap()));
        let evaluated = evaluate(&sheet, &givens, &wanted);
        prop_assert_eq!(evaluated.len(), sheet.rows().len());
        for Evaluated { text, outcome, .. } in evaluated {
            match outcome {
                Outcome::Empty => prop_assert!(text.is_empty()),
                Outcome::Value { quantity, shown, .. } => {
                    prop_assert!(quantity.value().is_finite());
                    prop_assert!(!shown.contains("inf") && !shown.contains("NaN"));
                }
                Outcome::Error { span, .. } => {
                    let span = span.unwrap_or(0..0);
                    prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
                }
            }
        }
    }

    #[test]
    fn a_grade_falls_with_the_distance(low in 1e-3..1e9_f64, width in 1.0..3.0_f64, ratio in 1.0..1e3_f64) {
        let high = low * width;
        let expected = if ratio < 1.999 { Grade::Full } else if ratio < 9.99 { Grade::Partial } else { Grade::Off };
        prop_assume!((ratio - 2.0).abs() > 0.01 && (ratio - 10.0).abs() > 0.1);
        prop_assert_eq!(grade(high * ratio, low, high), expected);
        prop_assert_eq!(grade(low / ratio, low, high), expected);
    }
}
