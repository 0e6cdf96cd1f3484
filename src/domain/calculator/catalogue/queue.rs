//! Queue: what a spike leaves behind, how long it takes to work off, and how many consumers that asks for.

use super::{cite, detail, full_from, main, value_or_answer};
use crate::domain::calculator::sources::{AWS_DOCS, KAFKA, OURS};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::{Spike, whole_up};

pub(super) const QUEUE: Calculator = Calculator {
    slug: "queue",
    title: "Queue and consumers",
    summary: "How many consumers carry the load, what backlog does a spike leave, and how long until the queue is empty again?",
    also: "backlog, drain time, consumer lag, spike",
    inputs: &[
        Input {
            id: "base",
            label: "Arrivals",
            unit: "messages/s",
            default: "1000 messages/s",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "10 messages/s",
                to: "1M messages/s",
                source: OURS,
            },
            help: "Messages a second before and after the spike.",
        },
        Input {
            id: "spike_factor",
            label: "Spike over that",
            unit: "x",
            default: "10 x",
            source: OURS,
            min: 1.0,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "2 x",
                to: "20 x",
                source: OURS,
            },
            help: "How many times as many arrive during the spike.",
        },
        Input {
            id: "spike_time",
            label: "Length of the spike",
            unit: "s",
            default: "60 s",
            source: OURS,
            min: 0.0,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "10 s",
                to: "1 h",
                source: OURS,
            },
            help: "How long the spike lasts.",
        },
        Input {
            id: "work",
            label: "Time for a message",
            unit: "ms",
            default: "20 ms",
            source: OURS,
            min: 1e-6,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1 ms",
                to: "10 s",
                source: OURS,
            },
            help: "Mean time that one consumer takes for one message, with the calls that it waits for.",
        },
        Input {
            id: "crew",
            label: "Consumers",
            unit: "consumers",
            default: "60 consumers",
            source: OURS,
            min: 1.0,
            max: 1e7,
            whole: true,
            typical: Typical {
                from: "2 consumers",
                to: "1000 consumers",
                source: OURS,
            },
            help: "How many work at once; on a partitioned log at most one for each partition.",
        },
        Input {
            id: "target",
            label: "Busy to at most",
            unit: "%",
            default: "70 %",
            source: OURS,
            min: 1.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "50 %",
                to: "80 %",
                source: OURS,
            },
            help: "How much of a consumer's time the usual load may take.",
        },
        Input {
            id: "catch_up",
            label: "To be caught up within",
            unit: "min",
            default: "5 min",
            source: OURS,
            min: 1e-3,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "1 min",
                to: "1 h",
                source: OURS,
            },
            help: "How long after the spike the queue may stay behind.",
        },
        Input {
            id: "message",
            label: "Size of a message",
            unit: "KB",
            default: "1 KB",
            source: OURS,
            min: 1e-3,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "100 B",
                to: "1 MB",
                source: OURS,
            },
            help: "With its headers, as the broker stores it.",
        },
        Input {
            id: "broker",
            label: "What one broker takes",
            unit: "MB/s",
            default: "60 MB/s",
            source: KAFKA,
            min: 1e-3,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "60 MB/s",
                to: "1 GB/s",
                source: AWS_DOCS,
            },
            help: "Bytes a second into one broker of a replicated log.",
        },
    ],
    outputs: &[
        main("capacity", "What the consumers do", "messages/s"),
        main("utilization", "Busy at the usual load", "%"),
        main("needed", "Consumers for the usual load", "consumers"),
        detail("spike", "Arrivals in the spike", "messages/s"),
        main("backlog", "Backlog when the spike ends", "messages"),
        detail("backlog_size", "Size of the backlog", "GB"),
        main("longest_wait", "Longest wait", "s"),
        main("drain", "Time until the queue is empty again", "s"),
        main(
            "needed_spike",
            "Consumers to be caught up in time",
            "consumers",
        ),
        detail(
            "broker_load",
            "Into the broker in the spike, over what one takes",
            "%",
        ),
    ],
    assumption: "The time for a message does not grow with the load. It does when all consumers write to one database: then more consumers add nothing, and the backlog drains more slowly than this says.",
    sweep: Sweep {
        input: "crew",
        output: "drain",
        span: Span::Around { from: 0.2, to: 3.0 },
        x: Scale::Linear,
        y: Scale::Log,
    },
    load: "base",
    citations: &[
        cite("backlog = (spike − capacity)·length", "fluid approximation"),
        cite(
            "drain = backlog/(capacity − arrivals)",
            "fluid approximation",
        ),
        cite("consumers = ⌈λ·S/ρ⌉", "utilization law"),
        cite(
            "consumers to be caught up in D after a spike of T = ⌈S·(spike·T + base·D)/(T + D)⌉",
            "all that arrives in T + D, worked off in T + D",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("capacity", "crew / work");
    let (base, capacity) = (working.at("base"), working.at("capacity"));
    working.step("utilization", "base × work / crew");
    let needed = base * working.at("work") / working.at("target");
    working.computed(
        "needed",
        "⌈base × work / target⌉",
        whole_up(needed).max(1.0),
    );
    working.step("spike", "base × spike_factor");
    let spike = Spike::new(
        base,
        working.at("spike"),
        working.at("spike_time"),
        capacity,
    );
    if working.at("spike") > capacity {
        working.step("backlog", "(spike - capacity) × spike_time");
    } else {
        working.told(
            "backlog",
            "(spike - capacity) × spike_time, at least 0",
            "the consumers keep up".to_owned(),
            0.0,
        );
    }
    working.step("backlog_size", "backlog × message");
    working.step("longest_wait", "backlog / capacity");
    let drain = value_or_answer(spike.map(|spike| spike.drain_time()));
    let overloaded = matches!(drain, Err(Answer::Growing { .. }));
    if drain.is_ok() && base < capacity {
        working.step("drain", "backlog / (capacity - base)");
    } else {
        working.found("drain", "backlog / (capacity - base)", &drain, |drain| {
            Ok(*drain)
        });
    }
    let [length, catch_up] = ["spike_time", "catch_up"].map(|id| working.at(id));
    let all = working.at("spike") * length + base * catch_up;
    let needed_spike = all / (length + catch_up) * working.at("work");
    working.computed(
        "needed_spike",
        "⌈(spike × spike_time + base × catch_up) / (spike_time + catch_up) × work⌉",
        whole_up(needed_spike).max(1.0),
    );
    working.step("broker_load", "spike × message / broker");
    if overloaded {
        working.warn(format!(
            "The usual load of {} is already more than the consumers' {}: no backlog is ever worked off.",
            working.text("base"),
            working.text("capacity")
        ));
    } else if working.at("utilization") > working.at("target") {
        working.warn(format!(
            "The consumers are busier than you want ({}): {} would do.",
            working.text("utilization"),
            working.text("needed")
        ));
    }
    if working.at("broker_load") > 1.0 {
        working.warn(format!(
            "The spike is {} of what one broker takes: the queue itself needs more partitions on more brokers.",
            working.text("broker_load")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!("At 10x, {}", then.text("base"));
    let (consumers, broker) = (now.at("utilization"), now.at("broker_load"));
    if then.at("broker_load") > 1.0 && broker > consumers {
        return format!(
            "{base}, the spike is {} of what one broker takes, against {} today: the broker fails first, {}. Spread the partitions over more brokers; the consumers are busy to {}.",
            then.text("broker_load"),
            now.text("broker_load"),
            full_from(broker),
            then.text("utilization")
        );
    }
    match then.answer("drain") {
        Some(Answer::Growing { .. }) => format!(
            "{base}, the consumers do {}: {}. They fail first, {}; it takes {} for the usual load, against {} today, and as many partitions.",
            then.text("capacity"),
            then.text("drain"),
            full_from(consumers),
            then.text("needed"),
            now.text("needed")
        ),
        _ if then.at("drain") > then.at("catch_up") => format!(
            "{base}, the same consumers are busy to {}. First to fail is the time to catch up: a spike takes {} to work off, against {} today, where {} is asked for; {} would do.",
            then.text("utilization"),
            then.text("drain"),
            now.text("drain"),
            then.text("catch_up"),
            then.text("needed_spike")
        ),
        _ => format!(
            "{base}, the same consumers are busy to {} and drain a spike in {}, against {} today: they hold. Look next at what is behind them, a database or another service, which gets ten times the calls.",
            then.text("utilization"),
            then.text("drain"),
            now.text("drain")
        ),
    }
}
