//! The calculators, held to what they promise: sound declarations, numbers from end to end, and no input that breaks them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::capacity::{self, CharacteristicTime, ErrorBudget, LruCache, Spike, Zipf};
use crate::domain::queueing::{self, Load, MultiServer, ParameterError, little};
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

/// What is used to the full says so, although decimal fractions are not exact.
#[test]
fn exactly_full_is_full() {
    for size in 1..=40_u32 {
        for rate in [0.1, 0.3, 0.7, 1.1, 3.0, 7.0, 9.9, 13.0] {
            let size = size.to_string();
            let [held, rate] = ["ms", "/s"].map(|unit| format!("{rate} {unit}"));
            let full = [
                (
                    "pool",
                    "mean_wait",
                    vec![
                        ("size", size.as_str()),
                        ("holding", &held),
                        ("arrivals", "= size / holding"),
                    ],
                ),
                (
                    "queue",
                    "drain",
                    vec![("crew", &size), ("work", &held), ("base", "= crew / work")],
                ),
                (
                    "replicas",
                    "mean_time",
                    vec![
                        ("copies", &size),
                        ("node_rate", &rate),
                        ("population", "1"),
                        ("rate", "= node_rate / (0.2 + 0.8 / copies)"),
                    ],
                ),
                (
                    "fan-out",
                    "celebrity",
                    vec![
                        ("followers", &size),
                        ("entry_rate", "= 10 * 1.3 * 7.7/s"),
                        ("post_rate", "= entry_rate / followers"),
                    ],
                ),
                (
                    "latency",
                    "hop_mean",
                    vec![("hop_rate", &rate), ("arrivals", "= hop_rate * 1.1 / 1.1")],
                ),
                (
                    "retries",
                    "busy",
                    vec![
                        ("rate", &rate),
                        ("tries", "2"),
                        ("capacity", "= rate * 1.1"),
                    ],
                ),
            ];
            for (slug, output, pairs) in full {
                let answer = worked(slug, &pairs).answer(output).cloned();
                let is_full = matches!(answer, Some(Answer::Growing { by_per_second }) if by_per_second < 1e-9);
                assert!(is_full, "{slug} {pairs:?}: {answer:?}");
            }
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
    // What is no such amount is not taken for one; which share was meant is said.
    for (slug, key, text) in [
        ("storage", "record", "5 apples"),
        ("storage", "record", "150 %"),
        ("pool", "holding", "5 parsecs"),
        ("pool", "holding", "5 users"),
        ("traffic", "write_share", "0.2 s"),
    ] {
        assert_eq!(
            faults(slug, &[(key, text)]).len(),
            1,
            "{slug}: {key}={text}"
        );
    }
    for text in ["5k requests", "= 10000 * 80 %"] {
        assert_eq!(faults("pool", &[("arrivals", text)]), [], "{text}");
    }
    let share = |text: &str| {
        let inputs = worked("pool", &[("target", text)]).inputs;
        let target = inputs
            .fields
            .iter()
            .find(|field| field.input.id == "target");
        target.and_then(|field| field.note.clone())
    };
    assert_eq!(share("1").as_deref(), Some("taken as 100 %, not as 1 %"));
    assert_eq!(share("2").as_deref(), Some("taken as 2 %"));
    assert_eq!((share("1 %"), share("= 1 - 0.99")), (None, None));
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

/// What a function of `queueing` or `capacity` says.
type Said = Result<Load<f64>, ParameterError>;

/// A product or a quotient of what functions say, or what one says that knows no overload.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an entry of the table, as the others are"
)]
fn plain(value: f64) -> Said {
    Ok(Load::Steady(value))
}

/// What follows from the steady state of one or many servers.
fn station(arrivals: f64, rate: f64, servers: u64, value: impl Fn(MultiServer) -> f64) -> Said {
    MultiServer::new(arrivals, rate, servers).map(|load| load.map(value))
}

const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.0 * DAY;

/// Each output for which `queueing` or `capacity` has a function, by that function, from the inputs alone; the rest is in
/// [`ARITHMETIC`]. A utilization is Little's law for one server: λ·S.
fn by_functions(worked: &Worked) -> Result<Vec<(&'static str, Said)>, ParameterError> {
    let slug = worked.inputs.calculator.slug;
    let input = |id: &str| {
        let fields = &worked.inputs.fields;
        let field = fields.iter().find(|field| field.input.id == id);
        let field = field.unwrap_or_else(|| panic!("{slug}: no input {id}"));
        field.reading.as_ref().expect("a reading").value()
    };
    let count = |id: &str| input(id) as u64;
    Ok(match slug {
        "traffic" => {
            let average =
                |factor, day| capacity::average_rate(input("dau"), input("actions") * factor, day);
            let (peak, writes) = (input("peak_factor"), input("write_share"));
            let peaks = average(peak, DAY)?;
            let [written, read] = [writes, 1.0 - writes].map(|share| average(peak * share, DAY));
            let [written, read] = [written?, read?];
            let nodes = capacity::units_needed(peaks, input("node_rate"), 1.0 - input("headroom"))?;
            vec![
                ("average", plain(average(1.0, DAY)?)),
                ("by_head", plain(average(1.0, 100_000.0)?)),
                ("peak", plain(peaks)),
                ("peak_writes", plain(written)),
                ("peak_reads", plain(read)),
                ("monthly", plain(average(1.0, DAY)?)),
                ("nodes", plain(nodes)),
                (
                    "write_load",
                    plain(little(written, 1.0 / input("write_limit"))?),
                ),
                ("read_load", plain(little(read, 1.0 / input("read_limit"))?)),
            ]
        }
        "storage" => {
            let kept = input("record") * (1.0 + input("index_share")) / input("compression");
            let stored = |bytes, days, copies| {
                capacity::stored_bytes(input("write_rate") * DAY, bytes, days, copies)
            };
            let (days, copies) = (input("retention") / DAY, input("copies"));
            let total = stored(kept, days, copies)?;
            let nodes = capacity::units_needed(total, input("node_disk"), input("fill"))?;
            vec![
                ("raw", plain(stored(input("record"), 1.0, 1.0)?)),
                ("kept", plain(stored(kept, 1.0, 1.0)?)),
                ("one_copy", plain(stored(kept, days, 1.0)?)),
                ("total", plain(total)),
                ("growth", plain(stored(kept, 30.0, copies)?)),
                ("nodes", plain(nodes)),
                ("monthly", plain(total * input("price"))),
            ]
        }
        "bandwidth" => {
            let (rate, bytes, cdn) = (input("rate"), input("response"), input("cdn_hit"));
            let out = |factor| capacity::bandwidth(rate * factor, bytes);
            let origin = out(input("peak_factor") * (1.0 - cdn))?;
            let cards = capacity::units_needed(origin, input("card"), input("card_use"))?;
            let [by_cdn, by_origin] = [
                out(cdn)? * input("cdn_price"),
                out(1.0 - cdn)? * input("egress_price"),
            ];
            let volume = capacity::stored_bytes(rate * DAY, bytes, 30.0, 1.0)?;
            vec![
                ("egress", plain(out(1.0)?)),
                ("peak", plain(out(input("peak_factor"))?)),
                (
                    "ingress",
                    plain(capacity::bandwidth(rate, input("request"))?),
                ),
                ("origin", plain(origin)),
                ("cards", plain(cards)),
                ("volume", plain(volume)),
                ("cdn_cost", plain(by_cdn)),
                ("origin_cost", plain(by_origin)),
                ("monthly", plain(by_cdn + by_origin)),
            ]
        }
        "cache" => {
            let popularity = Zipf::new(count("population"), input("skew"))?;
            let places = (input("memory") / input("entry") * (1.0 + 1e-12)).floor() as u64;
            let cache = LruCache::new(popularity, places)?;
            let (rate, hits) = (input("rate"), cache.hit_ratio());
            let cold = capacity::cold_multiplier(hits);
            // A cache that always hits has no miss to be multiplied.
            let misses = cold.as_ref().map_or(0.0, |cold| rate / cold);
            let cold = cold.map(Load::Steady);
            let stay = match cache.characteristic_time() {
                CharacteristicTime::Requests(requests) => plain(requests / rate),
                CharacteristicTime::Endless => cold,
            };
            let [front, back] = [(rate, "cache_limit"), (misses, "db_limit")]
                .map(|(arrivals, limit)| station(arrivals, input(limit), 1, |_| 0.0));
            let mean = match (front?, back?) {
                (Load::Steady(_), Load::Steady(_)) => plain(capacity::mean_latency(
                    hits,
                    input("hit_time"),
                    input("miss_time"),
                )?),
                // Whichever queue grows faster.
                loads => Ok(Load::Growing {
                    by_per_second: growth(loads.0).max(growth(loads.1)),
                }),
            };
            vec![
                ("hit_ratio", plain(hits)),
                ("best", plain(capacity::top_hit_ratio(popularity, places))),
                ("stay", stay),
                (
                    "cache_load",
                    plain(little(rate, 1.0 / input("cache_limit"))?),
                ),
                ("misses", plain(misses)),
                ("before", plain(little(rate, 1.0 / input("db_limit"))?)),
                ("after", plain(little(misses, 1.0 / input("db_limit"))?)),
                ("cold", cold),
                ("mean_time", mean),
                ("one_point", cold.map(|load| load.map(|cold| 0.01 * cold))),
            ]
        }
        "pool" => {
            let (arrivals, holding, size) = (input("arrivals"), input("holding"), count("size"));
            let at = |value: fn(MultiServer) -> f64| station(arrivals, 1.0 / holding, size, value);
            let tail = |value: fn(MultiServer) -> Result<f64, ParameterError>| {
                station(arrivals, 1.0 / holding, size, |station| {
                    value(station).expect("a tail")
                })
            };
            let busy = little(arrivals, holding)?;
            let smallest = if busy > 1e5 {
                // More than are counted.
                queueing::servers_for_waiting(1e100, input("target"))
            } else {
                queueing::servers_for_waiting(busy, input("target"))
            };
            let over = station(arrivals, 1.0 / holding, size, |station| {
                station.wait_tail(input("limit")).expect("a tail")
            });
            let wait = match queueing::erlang_c(size, busy)? {
                Load::Steady(waits) => plain(waits),
                // In erlangs there, a second here.
                Load::Growing { by_per_second } => Ok(Load::Growing {
                    by_per_second: by_per_second / holding,
                }),
            };
            let mean_wait = queueing::allen_cunneen(arrivals, holding, size, 1.0, 1.0);
            vec![
                ("busy", plain(busy)),
                (
                    "utilization",
                    plain(little(arrivals, holding / size as f64)?),
                ),
                ("p_wait", wait),
                ("mean_wait", mean_wait),
                ("wait_p99", tail(|station| station.wait_exceeded_by(0.01))),
                ("mean_time", at(|station| station.mean_sojourn())),
                (
                    "time_p99",
                    tail(|station| station.sojourn_exceeded_by(0.01)),
                ),
                ("waiting", at(|station| station.mean_queue())),
                ("over_limit", over),
                ("smallest", smallest.map(|least| Load::Steady(least as f64))),
                ("rule", plain(queueing::square_root_staffing(busy, 2.0)?)),
            ]
        }
        "queue" => {
            let (base, work, crew) = (input("base"), input("work"), count("crew"));
            let (length, catch_up) = (input("spike_time"), input("catch_up"));
            let peak = base * input("spike_factor");
            let does = crew as f64 / work;
            let spike = Spike::new(base, peak, length, does)?;
            let within = length + catch_up;
            let mean = (peak * length + base * catch_up) / within;
            let into = capacity::bandwidth(peak, input("message"))?;
            vec![
                (
                    "capacity",
                    station(0.0, 1.0 / work, crew, |station| station.spare()),
                ),
                ("utilization", plain(little(base, work / crew as f64)?)),
                (
                    "needed",
                    plain(capacity::units_needed(base, 1.0 / work, input("target"))?),
                ),
                ("backlog", plain(spike.backlog())),
                (
                    "longest_wait",
                    plain(spike.longest_wait().expect("a capacity")),
                ),
                ("drain", Ok(spike.drain_time())),
                (
                    "needed_spike",
                    plain(capacity::units_needed(mean, 1.0 / work, 1.0)?),
                ),
                ("broker_load", plain(into / input("broker"))),
            ]
        }
        "replicas" => {
            let (rate, writes, copies) = (input("rate"), input("write_share"), input("copies"));
            let (node, target) = (input("node_rate"), input("target"));
            let busy =
                |rate, copies| capacity::replica_utilization(rate, writes, copies, 1.0 / node);
            let hottest = Zipf::new(count("population"), input("skew"))?.share(1);
            let share = capacity::hottest_shard_share(hottest, count("parts"))?;
            let shard = rate * share;
            let applied = capacity::replica_utilization(1.0, writes, copies, 1.0)?;
            // What is left for reads once every replica has applied the writes.
            let left = target - writes * shard / node;
            let needed = capacity::units_needed((1.0 - writes) * shard / node, left, 1.0);
            let parts = capacity::units_needed(applied * rate, node, target)?;
            vec![
                ("applied", plain(applied)),
                ("even", plain(busy(rate / input("parts"), copies)?)),
                ("hottest_key", plain(hottest)),
                ("hot_share", plain(share)),
                ("hot", plain(busy(shard, copies)?)),
                ("hot_less", busy(shard, copies - 1.0).map(Load::Steady)),
                (
                    "mean_time",
                    station(applied * shard, node, 1, |station| station.mean_sojourn()),
                ),
                ("needed", needed.map(Load::Steady)),
                ("needed_parts", plain(parts)),
            ]
        }
        "fan-out" => {
            let push = capacity::fan_out_writes(input("post_rate"), input("followers"))?;
            let store = input("entry_rate");
            let spare = |value: &dyn Fn(f64) -> f64| {
                station(push, store, 1, |station| value(station.spare()))
            };
            let pull = capacity::fan_out_writes(input("read_rate"), input("followed"))?;
            vec![
                ("push", plain(push)),
                ("pull", plain(pull)),
                ("store", plain(little(push, 1.0 / store)?)),
                ("by_time", spare(&|spare| spare * input("deadline"))),
                ("celebrity", spare(&|spare| input("largest") / spare)),
            ]
        }
        "latency" => {
            let (arrivals, rate) = (input("arrivals"), input("hop_rate"));
            let (hops, leaves, slow) = (count("hops"), count("leaves"), input("slow"));
            let network = hops as f64 * input("round_trip");
            let rates = queueing::sojourn_rates(arrivals, &vec![rate; hops as usize])?;
            let chain = |value: fn(&[f64], f64) -> Result<f64, ParameterError>| {
                let rates = rates.clone();
                rates.map(|rates| value(&rates, 0.01).expect("a quantile"))
            };
            let together = chain(queueing::sum_exceeded_by);
            let hop = |value: &dyn Fn(MultiServer) -> f64| station(arrivals, rate, 1, value);
            let slowest = |rate| queueing::slowest_exceeded_by(leaves, rate, 0.01);
            let hedged = queueing::hedged(2, slow)?;
            vec![
                ("hop_load", plain(little(arrivals, 1.0 / rate)?)),
                ("hop_mean", hop(&|hop| hop.mean_sojourn())),
                (
                    "hop_p99",
                    hop(&|hop| hop.sojourn_exceeded_by(0.01).expect("p99")),
                ),
                (
                    "serial_mean",
                    hop(&|hop| hops as f64 * hop.mean_sojourn() + network),
                ),
                ("sum_of_p99", Ok(chain(queueing::sum_of_percentiles))),
                ("chain_p99", Ok(together)),
                ("serial_p99", Ok(together.map(|time| time + network))),
                ("any_slow", plain(queueing::at_least_one(leaves, slow)?)),
                (
                    "any_slow_hedged",
                    plain(queueing::at_least_one(leaves, hedged)?),
                ),
                // The share of calls of rate 1 that are beyond the time that the slowest exceeds.
                ("leaf_slow", plain((-slowest(1.0)?).exp())),
                (
                    "slowest_p99",
                    hop(&|hop| slowest(hop.spare()).expect("p99")),
                ),
            ]
        }
        "availability" => {
            let (needed, copies, node) = (count("needed"), count("copies"), input("node"));
            let (parts, dependency) = (count("dependencies"), input("dependency"));
            // More than there are is never up.
            let group = capacity::at_least(needed, copies, node).unwrap_or(0.0);
            let too_few = capacity::at_least_unavailable(needed, copies, node).unwrap_or(1.0);
            let chain = capacity::chain(&vec![dependency; parts as usize])?;
            let broken = match parts {
                0 => 0.0,
                _ => capacity::at_least_unavailable(parts, parts, dependency)?,
            };
            let down = too_few + group * broken;
            let budget = ErrorBudget::new(input("objective"), MONTH)?;
            let burn = budget.burn_at(input("error_rate"))?.expect("a budget");
            let allowed = budget.allowed_downtime();
            vec![
                ("group", plain(group)),
                ("group_down", plain(too_few)),
                ("chain", plain(chain)),
                ("whole", plain(capacity::chain(&[group, chain])?)),
                ("down", plain(down)),
                ("downtime", plain(down * MONTH)),
                ("allowed", plain(allowed)),
                ("spent", plain(down * MONTH / allowed)),
                ("incidents", plain(allowed / input("repair"))),
                ("burn", plain(burn)),
                ("used", plain(budget.used(burn, input("window"))?)),
                ("lasts", budget.exhausted_after(burn).map(Load::Steady)),
            ]
        }
        "retries" => {
            let (rate, does, tries) = (input("rate"), input("capacity"), input("tries"));
            let (failure, retries, layers) = (input("failure"), tries as u64 - 1, count("layers"));
            let mean = capacity::attempts(failure, retries)?;
            let worst = capacity::layered_amplification(tries, layers)?;
            let budgeted = capacity::budgeted_amplification(input("budget"))?.min(tries);
            let budgeted_all = capacity::layered_amplification(budgeted, layers)?;
            let threshold = capacity::vulnerable_load(does, retries)?;
            vec![
                ("success", plain(capacity::success(failure, retries)?)),
                ("mean_tries", plain(mean)),
                ("tried", plain(rate * mean)),
                (
                    "busy",
                    station(rate * mean, does, 1, |station| station.utilization()),
                ),
                ("alone", plain(little(rate, 1.0 / does)?)),
                ("worst", plain(worst)),
                ("worst_rate", plain(rate * worst)),
                ("budgeted", plain(budgeted)),
                ("budgeted_all", plain(budgeted_all)),
                ("budgeted_rate", plain(rate * budgeted_all)),
                ("threshold", plain(threshold)),
                ("margin", plain(little(rate, 1.0 / threshold)?)),
            ]
        }
        "cost" => {
            let (rate, one) = (input("rate"), 1.0 - input("headroom"));
            let peak = rate * input("peak_factor");
            let nodes = capacity::units_needed(peak, input("node_rate"), one)?;
            let out = capacity::bandwidth(rate, input("response"))?;
            vec![
                ("nodes", plain(nodes)),
                ("compute", plain(nodes * input("node_price"))),
                ("egress", plain(out * input("egress_price"))),
                ("monthly_requests", plain(little(rate, MONTH)?)),
            ]
        }
        other => panic!("{other}: in no table"),
    })
}

/// By how much a queue grows; nothing where it does not.
fn growth(load: Load<f64>) -> f64 {
    match load {
        Load::Growing { by_per_second } => by_per_second,
        Load::Steady(_) => 0.0,
    }
}

/// Outputs that are plain arithmetic with inputs and other outputs, for which there is no function.
const ARITHMETIC: &[(&str, &[&str])] = &[
    ("storage", &["refill"]),
    ("cache", &["places"]),
    ("queue", &["spike", "backlog_size"]),
    ("replicas", &["all_nodes"]),
    ("fan-out", &["ratio", "by_work", "crossover"]),
    ("latency", &["overstated", "left"]),
    ("availability", &["each"]),
    (
        "cost",
        &["storage", "total", "largest", "per_request", "per_million"],
    ),
];

/// The calculator and the functions say the same of every output: the number to 1e-9 of it, overload with its rate, or that there is none.
fn agree(worked: &Worked) {
    let slug = worked.inputs.calculator.slug;
    let said = by_functions(worked).unwrap_or_else(|fault| panic!("{slug}: {fault}"));
    let apart = ARITHMETIC.iter().filter(|(of, _)| *of == slug);
    let apart = apart.flat_map(|(_, ids)| ids.iter().copied());
    let mut covered: Vec<&str> = said.iter().map(|(id, _)| *id).chain(apart).collect();
    let mut outputs: Vec<&str> = worked.steps().iter().map(|step| step.output.id).collect();
    covered.sort_unstable();
    outputs.sort_unstable();
    assert_eq!(covered, outputs, "{slug}");
    let same = |left: f64, right: f64| (left - right).abs() <= 1e-9 * right.abs().max(1e-290);
    for (id, said) in said {
        let answer = worked.answer(id).expect("an output");
        let agreed = match (answer, said) {
            (Answer::Value(value), Ok(Load::Steady(said))) => same(value.value(), said),
            (
                Answer::Growing { by_per_second },
                Ok(Load::Growing {
                    by_per_second: said,
                }),
            ) => same(*by_per_second, said),
            (Answer::Words(_), Err(_)) => true,
            _ => false,
        };
        assert!(
            agreed,
            "{slug} {id}: {answer:?} against {said:?} at {:?}",
            worked.inputs.to_query()
        );
    }
}

#[test]
fn the_calculators_agree_with_the_functions() {
    for (slug, pairs) in [
        ("pool", vec![("arrivals", "1500/s")]),
        ("pool", vec![("arrivals", "100k/s"), ("holding", "1 min")]),
        ("queue", vec![("base", "5k/s")]),
        ("queue", vec![("crew", "6000")]),
        ("cache", vec![("rate", "1M/s")]),
        ("cache", vec![("memory", "0 B")]),
        ("cache", vec![("memory", "100 TB")]),
        ("replicas", vec![("rate", "1M/s")]),
        ("replicas", vec![("copies", "1")]),
        ("fan-out", vec![("followers", "10000")]),
        ("latency", vec![("arrivals", "2000/s")]),
        ("availability", vec![("needed", "4")]),
        ("availability", vec![("error_rate", "0 %")]),
        ("retries", vec![("failure", "100 %")]),
        ("storage", vec![("write_rate", "0/day")]),
        ("bandwidth", vec![("cdn_hit", "100 %")]),
    ] {
        agree(&worked(slug, &pairs));
    }
    for calculator in all() {
        agree(&worked(calculator.slug, &[]));
    }
}

/// The load, measured by what is full first.
fn fullness(worked: &Worked) -> f64 {
    let at = |id| worked.working.at(id);
    match worked.inputs.calculator.slug {
        "pool" => at("busy") / at("size"),
        "queue" => at("utilization"),
        "cache" => at("cache_load").max(at("after")),
        "replicas" => at("hot"),
        "fan-out" => at("store"),
        "latency" => at("hop_load"),
        "retries" => at("tried") / at("capacity"),
        _ => 0.0,
    }
}

/// Where in its hard range each input lies: from 0 to 1 by orders of magnitude up from the least, from 1 to 2 by orders of magnitude
/// down from the most.
fn places() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![Just(0.0), Just(1.0), 0.0_f64..1.0, 1.0_f64..2.0],
        12,
    )
}

fn inputs_at(calculator: &'static Calculator, places: &[f64]) -> Inputs {
    let texts: Vec<String> = calculator
        .inputs
        .iter()
        .zip(places)
        .map(|(input, place)| {
            let low = input.min.max(input.max * 1e-12);
            let value = if *place == 0.0 {
                input.min
            } else if *place <= 1.0 {
                low * (input.max / low).powf(*place)
            } else {
                // Nearer to the most, a difference from it has fewer digits than are compared.
                (input.max * (1.0 - 1e-6_f64.powf(*place - 1.0))).max(input.min)
            };
            let value = if input.whole { value.round() } else { value };
            let unit = Unit::parse(input.unit).expect("a unit");
            match input.unit.strip_prefix('$') {
                Some(rest) => format!("${value:.9}{rest}"),
                None if input.unit == "1" => format!("{value}"),
                None => format!("{value:e} {}", unit.label()),
            }
        })
        .collect();
    let ids = calculator.inputs.iter().map(|input| input.id);
    Inputs::from_query(calculator, ids.zip(texts.iter().map(String::as_str)))
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
    fn anything_in_range_has_an_answer(index in 0..12_usize, places in places()) {
        let calculator = &all()[index];
        let inputs = inputs_at(calculator, &places);
        match inputs.work() {
            Ok(worked) => check(&worked),
            Err(faults) => prop_assert!(false, "{}: {faults:?}", calculator.slug),
        }
    }

    /// Anywhere in the hard ranges, and where they allow it near full load too.
    #[test]
    fn the_functions_agree_everywhere(
        index in 0..12_usize, places in places(),
        full in prop::sample::select(vec![0.0, 0.1, 0.5, 0.9, 0.999, 1.001, 3.0]),
    ) {
        let calculator = &all()[index];
        let inputs = inputs_at(calculator, &places);
        let worked = inputs.work().expect("in range");
        agree(&worked);
        let load = calculator.input(calculator.load).expect("a load");
        let factor = full / fullness(&worked);
        if factor > 0.0 && factor.is_finite() {
            let value = load.measured(worked.working.quantity(load.id).expect("a load"));
            let unit = Unit::parse(load.unit).expect("a unit");
            let mut inputs = inputs;
            inputs.set(load.id, &format!("{:e} {}", value * factor, unit.label()));
            if let Ok(worked) = inputs.work() {
                agree(&worked);
            }
        }
    }
}
