//! Traffic: from people to requests a second, at the average and at the peak.

use super::{cite, detail, excess, full_from, main};
use crate::domain::calculator::sources::{OURS, POSTGRES_BENCH, PREPARATION, ROLE};
use crate::domain::calculator::{Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::whole_up;

pub(super) const TRAFFIC: Calculator = Calculator {
    slug: "traffic",
    title: "Traffic",
    summary: "How many requests a second do so many daily users make, on average and at the peak, and how do they divide into reads and writes?",
    also: "DAU, QPS, requests per second, peak, read and write split",
    inputs: &[
        Input {
            id: "dau",
            label: "Daily active users",
            unit: "users",
            default: "10M users",
            source: OURS,
            min: 1.0,
            max: 1e10,
            whole: false,
            typical: Typical {
                from: "100k users",
                to: "500M users",
                source: OURS,
            },
            help: "People who use the product on one day; monthly users are commonly two to five times as many.",
        },
        Input {
            id: "actions",
            label: "Requests per user and day",
            unit: "req",
            default: "20 req",
            source: OURS,
            min: 0.0,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "5 req",
                to: "100 req",
                source: OURS,
            },
            help: "Everything that one person's use makes the server do on one day, counted at the front door.",
        },
        Input {
            id: "peak_factor",
            label: "Peak over average",
            unit: "x",
            default: "3 x",
            source: OURS,
            min: 1.0,
            max: 1000.0,
            whole: false,
            typical: Typical {
                from: "2 x",
                to: "10 x",
                source: OURS,
            },
            help: "How many times the average the busiest minutes are: near 2 for a worldwide product, near 10 for one time zone or for events.",
        },
        Input {
            id: "write_share",
            label: "Share of writes",
            unit: "%",
            default: "10 %",
            source: OURS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "1 %",
                to: "50 %",
                source: OURS,
            },
            help: "The part of the requests that changes something; the rest only reads.",
        },
        Input {
            id: "node_rate",
            label: "Requests that one node serves",
            unit: "req/s",
            default: "2k req/s",
            source: PREPARATION,
            min: 1.0,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "1k req/s",
                to: "10k req/s",
                source: PREPARATION,
            },
            help: "What one application node does at full load, measured on your own code where you can.",
        },
        Input {
            id: "headroom",
            label: "Headroom",
            unit: "%",
            default: "30 %",
            source: ROLE,
            min: 0.0,
            max: 95.0,
            whole: false,
            typical: Typical {
                from: "20 %",
                to: "30 %",
                source: ROLE,
            },
            help: "The part of a node's capacity that stays free at the peak, for a node that fails and a guess that was low.",
        },
        Input {
            id: "write_limit",
            label: "Writes that one database takes",
            unit: "req/s",
            default: "8k req/s",
            source: POSTGRES_BENCH,
            min: 1.0,
            max: 1e8,
            whole: false,
            typical: Typical {
                from: "4.4k req/s",
                to: "28.7k req/s",
                source: POSTGRES_BENCH,
            },
            help: "Durable writes of one primary; sources disagree by size and disk, so treat it as a range.",
        },
        Input {
            id: "read_limit",
            label: "Reads that one database serves",
            unit: "req/s",
            default: "20k req/s",
            source: PREPARATION,
            min: 1.0,
            max: 1e8,
            whole: false,
            typical: Typical {
                from: "10k req/s",
                to: "50k req/s",
                source: PREPARATION,
            },
            help: "Simple reads of one database node, from memory.",
        },
    ],
    outputs: &[
        main("average", "Average rate", "req/s"),
        detail(
            "by_head",
            "Average in the head, with a day of 100,000 s",
            "req/s",
        ),
        main("peak", "Peak rate", "req/s"),
        main("peak_writes", "Writes at the peak", "req/s"),
        main("peak_reads", "Reads at the peak", "req/s"),
        detail("monthly", "Requests a month", "req/month"),
        main(
            "nodes",
            "Application nodes at the peak, with headroom",
            "nodes",
        ),
        detail(
            "write_load",
            "Peak writes over what one database takes",
            "%",
        ),
        detail("read_load", "Peak reads over what one database serves", "%"),
    ],
    assumption: "The peak factor: everything after it is sized for the peak, and it is the one number that no estimate of users gives. Measure it, or say why you chose it.",
    sweep: Sweep {
        input: "peak_factor",
        output: "nodes",
        span: Span::Between {
            from: 1.0,
            to: 10.0,
        },
        x: Scale::Linear,
        y: Scale::Linear,
    },
    load: "dau",
    citations: &[
        cite(
            "average rate = users × requests per user / 86,400 s",
            "arithmetic; rounding a day to 100,000 s makes it 13.6 % too low",
        ),
        cite(
            "nodes = ⌈peak / (rate of a node × (1 − headroom))⌉",
            "utilization law; headroom of 20 to 30 % from S4, role blueprint",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("average", "dau × actions / 1 day");
    working.step("by_head", "dau × actions / 100000 s");
    working.step("peak", "average × peak_factor");
    working.step("peak_writes", "peak × write_share");
    working.step("peak_reads", "peak - peak_writes");
    working.step("monthly", "average");
    let nodes = working.at("peak") / (working.at("node_rate") * (1.0 - working.at("headroom")));
    working.computed(
        "nodes",
        "⌈peak / (node_rate × (1 - headroom))⌉",
        whole_up(nodes).max(1.0),
    );
    working.step("write_load", "peak_writes / write_limit");
    working.step("read_load", "peak_reads / read_limit");
    if working.at("write_load") > 1.0 {
        working.warn(format!(
            "The peak writes, {}, are more than one database takes ({}), and pile up by {}: shard the writes or put a queue before them.",
            working.text("peak_writes"),
            working.text("write_limit"),
            excess(working, "peak_writes", "write_limit")
        ));
    }
    if working.at("read_load") > 1.0 {
        working.warn(format!(
            "The peak reads, {}, are more than one database serves ({}), and pile up by {}: add replicas or a cache.",
            working.text("peak_reads"),
            working.text("read_limit"),
            excess(working, "peak_reads", "read_limit")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let at_ten = format!(
        "At 10x, {}, the peak is {} on {}.",
        then.text("dau"),
        then.text("peak"),
        then.text("nodes")
    );
    let (writes, reads) = (then.at("write_load"), then.at("read_load"));
    let (load, what, remedy) = if writes >= reads {
        (
            writes,
            "the database's writes",
            "shard by key, or batch writes behind a queue",
        )
    } else {
        (
            reads,
            "the database's reads",
            "put a cache or replicas in front",
        )
    };
    let times = if writes >= reads {
        "write_load"
    } else {
        "read_load"
    };
    if load > 1.0 {
        format!(
            "{at_ten} First to fail are {what}, {}: {} of what one database does, against {} today. So {remedy}; the nodes only multiply.",
            full_from(now.at(times)),
            then.text(times),
            now.text(times)
        )
    } else {
        format!(
            "{at_ten} One database still carries it, with {what} at {} of its limit: the nodes multiply, and nothing has to be designed anew.",
            then.text(times)
        )
    }
}
