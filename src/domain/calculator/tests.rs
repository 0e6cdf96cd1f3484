//! The calculators, held to what they promise: sound declarations, numbers from end to end, and no input that breaks them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::worksheet::{Outcome, Sheet, evaluate};

fn worked(slug: &str, pairs: &[(&str, &str)]) -> Worked {
    let calculator = find(slug).unwrap_or_else(|| panic!("no {slug}"));
    let inputs = Inputs::from_query(calculator, pairs.iter().copied());
    inputs
        .work()
        .unwrap_or_else(|faults| panic!("{slug} {pairs:?}: {faults:?}"))
}

/// An output in its base unit.
fn value(worked: &Worked, id: &str) -> f64 {
    match worked.answer(id) {
        Some(Answer::Value(quantity)) => quantity.value(),
        other => panic!("{id}: {other:?}"),
    }
}

fn faults(slug: &str, pairs: &[(&str, &str)]) -> Vec<Fault> {
    let calculator = find(slug).unwrap_or_else(|| panic!("no {slug}"));
    let inputs = Inputs::from_query(calculator, pairs.iter().copied());
    inputs.work().map_or_else(|faults| faults, |_| Vec::new())
}

fn close(left: f64, right: f64, tolerance: f64) {
    assert!(
        (left - right).abs() <= tolerance * right.abs().max(1e-300),
        "{left} against {right}"
    );
}

/// Everything that is promised of whatever has an answer.
fn check(worked: &Worked) {
    let slug = worked.inputs.calculator.slug;
    for output in worked.inputs.calculator.outputs {
        let steps = worked
            .steps()
            .iter()
            .filter(|step| step.output.id == output.id);
        assert_eq!(steps.count(), 1, "{slug}: {}", output.id);
    }
    for step in worked.steps() {
        if let Answer::Value(value) = step.answer {
            assert!(value.value().is_finite(), "{slug}: {step:?}");
        }
        assert!(!step.numbers.contains("without bound"), "{slug}: {step:?}");
        for text in [&step.formula, &step.numbers, &step.shown] {
            assert!(
                !text.is_empty() && !text.contains("NaN") && !text.contains("inf "),
                "{slug}: {step:?}"
            );
        }
    }
    let sentence = worked.at_ten_times();
    assert!(
        sentence.starts_with("At 10x") && sentence.ends_with('.'),
        "{slug}: {sentence}"
    );
    assert!(!sentence.contains("NaN"), "{slug}: {sentence}");
    // The rows come to the same in a worksheet.
    let mut sheet = Sheet::default();
    assert!(sheet.set("average", "7"));
    for row in worked.rows(|name| name == "average") {
        assert!(sheet.get(&row.id).is_none(), "{slug}: {} twice", row.id);
        assert!(sheet.set(&row.id, &row.text), "{slug}: {row:?}");
    }
    let rows = evaluate(&sheet, &[], &[]);
    let inputs = worked.inputs.fields.iter();
    let inputs = inputs.filter_map(|field| Some((field.input.id, *field.reading.as_ref().ok()?)));
    let outputs = worked.steps().iter();
    let outputs = outputs.filter_map(|step| {
        let main = step.output.weight == Weight::Main;
        Some((step.output.id, step.answer.value()?, main))
    });
    let inputs = inputs.map(|(id, value)| (id, value, true));
    for (id, wanted, must_be_there) in inputs.chain(outputs) {
        let id = if id == "average" { "average_2" } else { id };
        let row = rows.iter().find(|row| row.id == id);
        // What no answer needs is left out.
        if row.is_none() && !must_be_there {
            continue;
        }
        match row.map(|row| &row.outcome) {
            Some(Outcome::Value { quantity, .. }) => {
                assert_eq!(quantity.dimension(), wanted.dimension(), "{slug}: {id}");
                assert_eq!(quantity.value(), wanted.value(), "{slug}: {id}");
            }
            other => panic!("{slug}: {id}: {other:?}"),
        }
    }
    // What was typed can be typed again.
    let again = Inputs::from_query(worked.inputs.calculator, worked.inputs.to_query());
    assert_eq!(again, worked.inputs);
}

#[test]
fn every_declaration_is_sound() {
    for calculator in all() {
        let slug = calculator.slug;
        assert_eq!(find(slug), Some(calculator));
        assert!(calculator.input(calculator.load).is_some(), "{slug}");
        assert!(calculator.input(calculator.sweep.input).is_some(), "{slug}");
        assert!(
            calculator.output(calculator.sweep.output).is_some(),
            "{slug}"
        );
        assert!(
            calculator.summary.ends_with('?') && calculator.assumption.ends_with('.'),
            "{slug}"
        );
        assert!(!calculator.citations.is_empty(), "{slug}");
        let mut ids: Vec<&str> = calculator.inputs.iter().map(|input| input.id).collect();
        ids.extend(calculator.outputs.iter().map(|output| output.id));
        for (index, id) in ids.iter().enumerate() {
            assert!(Sheet::is_row_id(id), "{slug}: {id}");
            assert!(!ids[..index].contains(id), "{slug}: {id} twice");
            assert!(
                Unit::parse(id).is_err() || Quantity::parse(&format!("= 1 * {id}")).is_err(),
                "{slug}: {id} is a unit"
            );
        }
        for output in calculator.outputs {
            assert!(Unit::parse(output.unit).is_ok(), "{slug}: {}", output.unit);
        }
        for input in calculator.inputs {
            let at = format!("{slug}: {}", input.id);
            let unit = Unit::parse(input.unit).unwrap_or_else(|fault| panic!("{at}: {fault}"));
            assert!(input.min < input.max && input.help.ends_with('.'), "{at}");
            let read = |text: &str| {
                let quantity =
                    Quantity::parse(text).unwrap_or_else(|fault| panic!("{at}: {text}: {fault}"));
                assert_eq!(quantity.dimension(), unit.dimension(), "{at}: {text}");
                let value = quantity.value() / unit.factor();
                assert!(value >= input.min && value <= input.max, "{at}: {text}");
                value
            };
            assert!(read(input.typical.from) < read(input.typical.to), "{at}");
            let default = read(input.default);
            assert!(!input.whole || default.fract() == 0.0, "{at}");
            for end in [input.min, input.max] {
                let text = format!("{end:e} {}", input.unit);
                if !input.unit.starts_with('$') && input.unit != "1" {
                    assert_eq!(faults(slug, &[(input.id, &text)]), [], "{at}: {text}");
                }
            }
        }
    }
    assert_eq!(nearest_slug("trafic"), Some("traffic"));
}

#[test]
fn the_working_at_the_defaults() {
    for calculator in all() {
        let worked = worked(calculator.slug, &[]);
        check(&worked);
        let mut text = String::new();
        for step in worked.steps() {
            let _ = writeln!(
                text,
                "{}\n  {} = {}\n  = {}\n  = {}",
                step.output.label, step.output.id, step.formula, step.numbers, step.shown
            );
        }
        for warning in worked.warnings() {
            let _ = writeln!(text, "! {warning}");
        }
        let chart = worked.chart();
        let _ = writeln!(text, "{}\n{}", worked.at_ten_times(), chart.sentence);
        assert_eq!(
            Some(chart.points[chart.marked].x),
            worked.working.quantity(chart.input.id)
        );
        assert!(
            chart
                .points
                .windows(2)
                .all(|pair| pair[0].x.value() < pair[1].x.value())
        );
        insta::assert_snapshot!(
            format!("working_{}", calculator.slug.replace('-', "_")),
            text
        );
    }
}

#[test]
fn the_calculators_answer_the_reference_cases() {
    let pool = worked(
        "pool",
        &[("arrivals", "1000/s"), ("holding", "20 ms"), ("size", "24")],
    );
    close(value(&pool, "p_wait"), 0.298_072_299_793_828_6, 1e-9);
    close(value(&pool, "mean_wait"), 0.001_490_361_498_969_142_9, 1e-9);
    let pool = worked(
        "pool",
        &[("arrivals", "1000/s"), ("holding", "50 ms"), ("size", "68")],
    );
    close(value(&pool, "smallest"), 68.0, 0.0);
    close(value(&pool, "busy"), 50.0, 1e-12);
    let storage = worked(
        "storage",
        &[
            ("compression", "1"),
            ("index_share", "0 %"),
            ("write_rate", "100M/day"),
            ("record", "1000 B"),
        ],
    );
    close(value(&storage, "total"), 547.5e12, 1e-12);
    let queue = worked("queue", &[]);
    close(value(&queue, "backlog"), 420_000.0, 1e-12);
    close(value(&queue, "drain"), 210.0, 1e-12);
    let queue = worked("queue", &[("base", "5000/s"), ("crew", "143")]);
    close(value(&queue, "needed"), 143.0, 0.0);
    let replicas = worked(
        "replicas",
        &[
            ("rate", "10k/s"),
            ("write_share", "20%"),
            ("copies", "4"),
            ("parts", "1"),
            ("node_rate", "5k/s"),
            ("population", "1M"),
            ("skew", "1"),
        ],
    );
    close(value(&replicas, "hot"), 0.8, 1e-9);
    let shards = worked("replicas", &[("parts", "16"), ("skew", "1")]);
    close(value(&shards, "hot_share"), 0.127_637_066_662_329_8, 1e-9);
    let fan_out = worked("fan-out", &[]);
    close(value(&fan_out, "push"), 345_000.0, 1e-12);
    let latency = worked(
        "latency",
        &[("hops", "1"), ("slow", "1%"), ("leaves", "100")],
    );
    close(value(&latency, "any_slow"), 0.633_967_658_726_770_5, 1e-9);
    close(
        value(&latency, "sum_of_p99"),
        value(&latency, "chain_p99"),
        1e-12,
    );
    let latency = worked("latency", &[]);
    assert!(value(&latency, "sum_of_p99") > 1.5 * value(&latency, "chain_p99"));
    let parts = worked(
        "availability",
        &[
            ("needed", "8"),
            ("copies", "10"),
            ("node", "99.5%"),
            ("dependencies", "0"),
        ],
    );
    close(value(&parts, "whole"), 0.999_985_389_057_672_2, 1e-12);
    close(value(&parts, "used"), 0.02, 1e-9);
    close(value(&parts, "allowed"), 43.2 * 60.0, 1e-9);
    let retries = worked(
        "retries",
        &[("layers", "5"), ("tries", "3"), ("failure", "0.1")],
    );
    close(value(&retries, "worst"), 243.0, 1e-12);
    close(value(&retries, "mean_tries"), 1.11, 1e-9);
    close(value(&retries, "success"), 0.999, 1e-9);
    close(value(&retries, "threshold"), 1000.0 / 3.0, 1e-12);
    let bandwidth = worked("bandwidth", &[("rate", "11574/s"), ("response", "100 KB")]);
    close(value(&bandwidth, "egress") * 8.0, 9.2592e9, 1e-9);
    let cache = worked(
        "cache",
        &[
            ("population", "1M"),
            ("skew", "0.8"),
            ("entry", "1 KB"),
            ("memory", "10 MB"),
        ],
    );
    close(value(&cache, "hit_ratio"), 0.231_905_345_531_270_37, 1e-6);
    close(value(&cache, "best"), 0.362_407_227_723_952_8, 1e-9);
}

#[test]
fn overload_is_said_in_words_and_shaded() {
    let pool = worked("pool", &[("arrivals", "1500/s")]);
    check(&pool);
    assert_eq!(
        pool.answer("mean_wait"),
        Some(&Answer::Growing {
            by_per_second: 300.0
        })
    );
    let shown = pool
        .main()
        .find(|shown| shown.output.id == "wait_p99")
        .map(|shown| shown.text);
    assert_eq!(shown, Some("the queue grows without bound, by 300 /s"));
    let [(from, to)] = pool.chart().overload[..] else {
        panic!("{:?}", pool.chart().overload)
    };
    assert!(
        (1199.0..1201.0).contains(&from.value()) && to.value() > 2000.0,
        "{from:?} {to:?}"
    );
    let full = worked("pool", &[("arrivals", "1200/s")]);
    assert!(
        full.main()
            .any(|shown| shown.text.contains("exactly full load"))
    );
    for (slug, pairs) in [
        ("queue", vec![("crew", "3")]),
        ("cache", vec![("rate", "1M req/s")]),
        ("replicas", vec![("rate", "1M/s")]),
        ("latency", vec![("arrivals", "2000/s")]),
        ("retries", vec![("failure", "100%")]),
        ("fan-out", vec![("followers", "10000")]),
        ("availability", vec![("needed", "4")]),
        ("cache", vec![("memory", "0 B")]),
        ("cache", vec![("memory", "100 TB")]),
        ("retries", vec![("rate", "0/s")]),
        ("traffic", vec![("actions", "0")]),
        (
            "cost",
            vec![
                ("base_price", "$0/month"),
                ("node_price", "$0/hour"),
                ("stored", "0 B"),
                ("response", "0 B"),
            ],
        ),
    ] {
        let worked = worked(slug, &pairs);
        check(&worked);
        assert!(!worked.chart().sentence.is_empty());
    }
}

/// At 10x the sentence names what fails first, and says so only where something does.
#[test]
fn what_fails_first_depends_on_what_was_typed() {
    for (slug, pairs, wanted) in [
        ("traffic", vec![], "are the database's reads, from 3.2x on"),
        (
            "traffic",
            vec![("write_share", "90 %")],
            "are the database's writes, from 1.28x on",
        ),
        (
            "traffic",
            vec![("dau", "10")],
            "One database still carries it",
        ),
        (
            "bandwidth",
            vec![("cdn_hit", "99.9 %")],
            "what fails first is the budget",
        ),
        ("cache", vec![], "The cache fails first, from 2x on"),
        (
            "cache",
            vec![("cache_limit", "1M req/s")],
            "The database fails first, from 2.74x on",
        ),
        (
            "cache",
            vec![("rate", "5k req/s"), ("memory", "9 GB")],
            "What fails first is the empty cache, from 4x on",
        ),
        ("cache", vec![("rate", "100 req/s")], "Nothing fails"),
        (
            "cache",
            vec![("memory", "0 B")],
            "The database fails first, already today",
        ),
        ("pool", vec![], "The pool fails first, from 1.2x on"),
        (
            "pool",
            vec![("arrivals", "118 req/s"), ("limit", "10 ms")],
            "the limit on the wait",
        ),
        (
            "pool",
            vec![("arrivals", "118 req/s")],
            "the share that may wait",
        ),
        ("pool", vec![("arrivals", "1 req/s")], "the pool holds"),
        ("queue", vec![], "They fail first, from 3x on"),
        (
            "queue",
            vec![("broker", "12 MB/s")],
            "the broker fails first, from 1.2x on",
        ),
        (
            "queue",
            vec![("crew", "240"), ("broker", "1 GB/s")],
            "the time to catch up",
        ),
        (
            "queue",
            vec![("crew", "6000"), ("broker", "1 GB/s")],
            "they hold",
        ),
        (
            "replicas",
            vec![],
            "The hottest shard fails first, from 1.39x on",
        ),
        (
            "replicas",
            vec![("rate", "2k req/s"), ("copies", "2")],
            "not the loss of a replica, which fails first",
        ),
        (
            "replicas",
            vec![("rate", "100 req/s"), ("copies", "1")],
            "until its one replica is lost",
        ),
        ("fan-out", vec![], "it fails first, from 2.9x on"),
        (
            "fan-out",
            vec![("entry_rate", "10M writes/s"), ("largest", "40M")],
            "the deadline of large authors",
        ),
        (
            "fan-out",
            vec![("entry_rate", "10M writes/s"), ("largest", "10k")],
            "Nothing fails",
        ),
        ("latency", vec![], "The hops fail first, from 2x on"),
        (
            "latency",
            vec![("arrivals", "2000 req/s")],
            "already today, and all at once; more instances",
        ),
        (
            "latency",
            vec![("arrivals", "90 req/s"), ("budget", "100 ms")],
            "the budget of 100 ms fails first;",
        ),
        (
            "latency",
            vec![("arrivals", "10 req/s"), ("leaves", "1")],
            "the largest part is the hops",
        ),
        (
            "availability",
            vec![],
            "The error budget of 43.2 min fails first:",
        ),
        (
            "availability",
            vec![("node", "90 %")],
            "It is not the dependencies that fail first",
        ),
        (
            "availability",
            vec![("needed", "4"), ("dependencies", "0")],
            "the replicas alone, at 0 %, are below",
        ),
        (
            "availability",
            vec![("dependencies", "0")],
            "still covers it",
        ),
        (
            "retries",
            vec![],
            "fails first, from 1.67x on even without a retry",
        ),
        (
            "retries",
            vec![("rate", "90 req/s"), ("failure", "50 %")],
            "The retries are what fails first",
        ),
        (
            "retries",
            vec![("rate", "50 req/s")],
            "until the first spike",
        ),
        (
            "retries",
            vec![("rate", "10 req/s")],
            "recovers from a spike",
        ),
        ("cost", vec![], "The budget fails first on egress"),
    ] {
        let sentence = worked(slug, &pairs).at_ten_times();
        assert!(sentence.contains(wanted), "{slug} {pairs:?}: {sentence}");
    }
}

/// A pool, a queue or a database that is used to the full says so, although decimal fractions are not exact.
#[test]
fn exactly_full_is_full() {
    for size in 1..=40_u32 {
        for held in [0.1, 0.3, 0.7, 1.1, 3.0, 7.0, 9.9, 13.0] {
            let [size, held] = [size.to_string(), format!("{held} ms")];
            let pairs = [
                ("size", size.as_str()),
                ("holding", &held),
                ("arrivals", "= size / holding"),
            ];
            let answer = worked("pool", &pairs).answer("mean_wait").cloned();
            let is_full =
                matches!(answer, Some(Answer::Growing { by_per_second }) if by_per_second < 1e-9);
            assert!(is_full, "{pairs:?}: {answer:?}");
            let pairs = [
                ("crew", size.as_str()),
                ("work", &held),
                ("base", "= crew / work"),
            ];
            let answer = worked("queue", &pairs).answer("drain").cloned();
            let is_full =
                matches!(answer, Some(Answer::Growing { by_per_second }) if by_per_second < 1e-9);
            assert!(is_full, "{pairs:?}: {answer:?}");
        }
    }
}

#[test]
fn every_fault_is_said_and_nothing_typed_is_lost() {
    let pairs = [
        ("dau", "12 ms"),
        ("actions", "many"),
        ("peak_factor", "0.5"),
        ("write_share", ""),
        ("node_rate", "1e308"),
        ("hedroom", "20 %"),
    ];
    let calculator = find("traffic").expect("traffic");
    let inputs = Inputs::from_query(calculator, pairs);
    let found: Vec<String> = inputs
        .faults()
        .into_iter()
        .map(|fault| {
            format!(
                "{}: {} [{}]",
                fault.key,
                fault.message,
                fault.expected.unwrap_or_default()
            )
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
    let mut again = inputs.to_query();
    again.sort();
    let mut typed: Vec<(String, String)> = pairs
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .into();
    typed.sort();
    assert_eq!(again, typed);
}

#[test]
fn inputs_take_what_the_worksheet_takes() {
    let traffic = worked(
        "traffic",
        &[
            ("dau", "600k"),
            ("actions", "= 2 * 10"),
            ("write_limit", "= node_rate * 2"),
        ],
    );
    close(
        value(&traffic, "average"),
        600_000.0 * 20.0 / 86_400.0,
        1e-12,
    );
    close(
        value(&traffic, "write_load"),
        value(&traffic, "peak_writes") / 4000.0,
        1e-12,
    );
    let taken = worked("cache", &[("memory", "16"), ("rate", "90 kqps")]);
    let memory = taken
        .inputs
        .fields
        .iter()
        .find(|field| field.input.id == "memory");
    assert_eq!(
        memory.and_then(|field| field.note.as_deref()),
        Some("taken as 16 GB")
    );
    assert_eq!(faults("pool", &[("size", "2.5")]).len(), 1);
    assert_eq!(faults("pool", &[("size", "3"), ("size", "4")]).len(), 1);
    assert_eq!(faults("pool", &[("size", "= size")]).len(), 1);
    let mut inputs =
        Inputs::from_query(find("pool").expect("pool"), [("size", "3"), ("size", "4")]);
    assert!(inputs.set("size", "5") && !inputs.set("sise", "5"));
    assert_eq!(inputs.faults(), []);
    assert_eq!(inputs.to_query(), [("size".to_owned(), "5".to_owned())]);
}

/// More of what loads a system never makes it better.
#[test]
fn answers_move_the_way_they_should() {
    let rising = [
        ("traffic", "dau", "peak"),
        ("storage", "retention", "total"),
        ("bandwidth", "rate", "origin"),
        ("cache", "memory", "hit_ratio"),
        ("cache", "rate", "misses"),
        ("pool", "arrivals", "wait_p99"),
        ("pool", "holding", "time_p99"),
        ("queue", "base", "drain"),
        ("replicas", "rate", "mean_time"),
        ("fan-out", "followers", "ratio"),
        ("latency", "arrivals", "serial_p99"),
        ("latency", "leaves", "slowest_p99"),
        ("availability", "dependencies", "downtime"),
        ("retries", "failure", "tried"),
        ("cost", "rate", "total"),
    ];
    for (slug, input, output) in rising {
        let working = worked(slug, &[]).working;
        let now = working.quantity(input).expect("an input");
        let mut last = f64::NEG_INFINITY;
        for factor in [0.2, 0.5, 1.0, 1.1, 2.0, 4.0] {
            let more = Quantity::new((now.value() * factor).max(1e-9), now.dimension());
            let there = working.with(input, more.expect("a quantity"));
            let reached = match there.answer(output) {
                Some(Answer::Value(value)) => value.value(),
                Some(Answer::Growing { .. }) => f64::INFINITY,
                other => panic!("{slug} {output}: {other:?}"),
            };
            assert!(
                reached >= last * (1.0 - 1e-9),
                "{slug} {input} {output}: {reached} after {last}"
            );
            last = reached;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_anything(index in 0..12_usize, texts in prop::collection::vec(any::<String>(), 12), key in any::<String>()) {
        let calculator = &all()[index];
        let mut pairs: Vec<(&str, &str)> = calculator.inputs.iter().map(|input| input.id).zip(texts.iter().map(String::as_str)).collect();
        pairs.push((&key, "1"));
        let inputs = Inputs::from_query(calculator, pairs);
        prop_assert_eq!(&Inputs::from_query(calculator, inputs.to_query()), &inputs);
        prop_assert!(inputs.work().is_ok() == inputs.faults().is_empty());
    }

    /// Anywhere in the hard ranges, and at ten times the load beyond them.
    #[test]
    fn anything_in_range_has_an_answer(index in 0..12_usize, places in prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0_f64..1.0], 12)) {
        let calculator = &all()[index];
        let texts: Vec<String> = calculator.inputs.iter().zip(&places).map(|(input, place)| {
            // Spread over the orders of magnitude.
            let low = input.min.max(input.max * 1e-12);
            let value = if *place == 0.0 { input.min } else { low * (input.max / low).powf(*place) };
            let value = if input.whole { value.round() } else { value };
            let unit = Unit::parse(input.unit).expect("a unit");
            match input.unit.strip_prefix('$') {
                Some(rest) => format!("${value:.9}{rest}"),
                None if input.unit == "1" => format!("{value}"),
                None => format!("{value:e} {}", unit.label()),
            }
        }).collect();
        let pairs = calculator.inputs.iter().map(|input| input.id).zip(texts.iter().map(String::as_str));
        let inputs = Inputs::from_query(calculator, pairs);
        match inputs.work() {
            Ok(worked) => check(&worked),
            Err(faults) => prop_assert!(false, "{}: {faults:?}", calculator.slug),
        }
    }
}
