//! Latency: hops one after the other and side by side, against a budget, and why percentiles do not add.

use super::{cite, detail, full_from, main, value_or_answer};
use crate::domain::calculator::sources::{NAPKIN, OURS, ROLE, TAIL_AT_SCALE};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::queueing::{MultiServer, at_least_one, slowest_exceeded_by, sum_exceeded_by};

pub(super) const LATENCY: Calculator = Calculator {
    slug: "latency",
    title: "Latency budget",
    summary: "What do hops one after the other come to, what does waiting for the slowest of many add, and how much is left of the budget?",
    also: "tail amplification, percentiles, p99, serial and parallel calls",
    inputs: &[
        Input {
            id: "arrivals",
            label: "Requests at each hop",
            unit: "req/s",
            default: "500 req/s",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "10 req/s",
                to: "10k req/s",
                source: OURS,
            },
            help: "What arrives at one instance of each service.",
        },
        Input {
            id: "hop_rate",
            label: "Requests that a hop can do",
            unit: "req/s",
            default: "1000 req/s",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "100 req/s",
                to: "10k req/s",
                source: OURS,
            },
            help: "At full load, one at a time: 1,000 a second is a mean service of 1 ms.",
        },
        Input {
            id: "hops",
            label: "Services one after the other",
            unit: "services",
            default: "3 services",
            source: OURS,
            min: 1.0,
            max: 50.0,
            whole: true,
            typical: Typical {
                from: "2 services",
                to: "10 services",
                source: OURS,
            },
            help: "Services that wait for each other, all alike here.",
        },
        Input {
            id: "round_trip",
            label: "Network between two hops",
            unit: "ms",
            default: "0.25 ms",
            source: NAPKIN,
            min: 0.0,
            max: 1e5,
            whole: false,
            typical: Typical {
                from: "0.25 ms",
                to: "180 ms",
                source: NAPKIN,
            },
            help: "A round trip: 0.25 ms in a zone, 60 ms across the United States, 180 ms from its west coast to Singapore.",
        },
        Input {
            id: "leaves",
            label: "Calls side by side",
            unit: "calls",
            default: "100 calls",
            source: TAIL_AT_SCALE,
            min: 1.0,
            max: 1e9,
            whole: true,
            typical: Typical {
                from: "100 calls",
                to: "2000 calls",
                source: TAIL_AT_SCALE,
            },
            help: "Calls that are made at once and all waited for, as to the shards of an index.",
        },
        Input {
            id: "slow",
            label: "Share of calls that are slow",
            unit: "%",
            default: "1 %",
            source: TAIL_AT_SCALE,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "0.01 %",
                to: "5 %",
                source: TAIL_AT_SCALE,
            },
            help: "The part beyond whatever limit you call slow; beyond the p99 it is 1 % by definition.",
        },
        Input {
            id: "budget",
            label: "Budget",
            unit: "ms",
            default: "300 ms",
            source: ROLE,
            min: 1e-3,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "50 ms",
                to: "1 s",
                source: OURS,
            },
            help: "What the whole may take; the role blueprint asks for a p95 below 300 ms.",
        },
    ],
    outputs: &[
        detail("hop_load", "Utilization of a hop", "%"),
        main("hop_mean", "Mean time of a hop", "ms"),
        main("hop_p99", "p99 of a hop", "ms"),
        main("serial_mean", "Mean of all hops, with the network", "ms"),
        main("sum_of_p99", "The hops' p99 added up, which is wrong", "ms"),
        main("chain_p99", "p99 of the hops together", "ms"),
        main("overstated", "How much adding them overstates it", "%"),
        main("serial_p99", "p99 of all hops, with the network", "ms"),
        main(
            "any_slow",
            "At least one of the calls side by side is slow",
            "%",
        ),
        main(
            "any_slow_hedged",
            "The same if each slow call is sent twice",
            "%",
        ),
        detail(
            "leaf_slow",
            "Share that may be slow for 99 % of the requests to be fast",
            "%",
        ),
        main("slowest_p99", "p99 of the slowest call", "ms"),
        main(
            "left",
            "Left of the budget after hops and slowest call, at least",
            "ms",
        ),
    ],
    assumption: "Each hop is one server with Poisson arrivals and exponential service (M/M/1), the hops are independent, and so are the calls side by side. Real services share what makes them slow, a database or a garbage collection: then their slow moments come together and the p99 lies nearer to the sum.",
    sweep: Sweep {
        input: "arrivals",
        output: "serial_p99",
        span: Span::Around { from: 0.1, to: 2.5 },
        x: Scale::Linear,
        y: Scale::Log,
    },
    load: "arrivals",
    citations: &[
        cite(
            "sojourn of a hop is exponential with rate μ − λ; hops are independent",
            "Burke 1956; Reich 1963",
        ),
        cite(
            "p99 of the hops together: quantile of the sum of exponential times",
            "hypoexponential distribution",
        ),
        cite(
            "P(at least one slow) = 1 − (1 − p)^n; sent twice, p²",
            "Dean & Barroso, The Tail at Scale, CACM 56 (2013)",
        ),
        cite(
            "p99 of the slowest = −ln(1 − 0.99^(1/n))·mean",
            "order statistics",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("hop_load", "arrivals / hop_rate");
    let [arrivals, rate] = ["arrivals", "hop_rate"].map(|id| working.at(id));
    let hop = value_or_answer(MultiServer::new(arrivals, rate, 1));
    match &hop {
        Ok(_) => working.step("hop_mean", "1 / (hop_rate - arrivals)"),
        Err(answer) => {
            working.answered("hop_mean", "1 / (hop_rate - arrivals)", answer.clone());
            working.warn(format!(
                "Every hop is overloaded: {} arrive and {} can be done.",
                working.text("arrivals"),
                working.text("hop_rate")
            ));
        }
    }
    working.found("hop_p99", "ln(100) × hop_mean", &hop, |hop| {
        hop.sojourn_exceeded_by(0.01)
    });
    working.step("serial_mean", "hops × (hop_mean + round_trip)");
    working.step("sum_of_p99", "hops × hop_p99");
    let hops = working.count("hops") as usize;
    working.found(
        "chain_p99",
        "the t with P(sum of hops times of mean hop_mean > t) = 1 %",
        &hop,
        |hop| sum_exceeded_by(&vec![hop.spare(); hops], 0.01),
    );
    working.step("overstated", "sum_of_p99 / chain_p99 - 1");
    working.step("serial_p99", "chain_p99 + hops × round_trip");
    let (leaves, slow) = (working.count("leaves"), working.at("slow"));
    let any = |probability: f64| at_least_one(leaves, probability).unwrap_or(1.0);
    working.computed("any_slow", "1 - (1 - slow)^leaves", any(slow));
    working.computed(
        "any_slow_hedged",
        "1 - (1 - slow^2)^leaves",
        any(slow * slow),
    );
    let leaf_slow = -(0.99_f64.ln() / working.at("leaves")).exp_m1();
    working.computed("leaf_slow", "1 - 0.99^(1 / leaves)", leaf_slow);
    working.found(
        "slowest_p99",
        "-ln(1 - 0.99^(1 / leaves)) × hop_mean",
        &hop,
        |hop| slowest_exceeded_by(leaves, hop.spare(), 0.01),
    );
    working.step("left", "budget - serial_p99 - slowest_p99 - round_trip");
    if working.at("left") < 0.0 {
        working.warn(format!(
            "The budget of {} does not hold if the slowest hops and the slowest call come together.",
            working.text("budget")
        ));
    }
    if working.at("any_slow") > 0.5 {
        working.warn(format!(
            "More than half of the requests wait for a slow call ({}): the p99 of one call is about the median of all.",
            working.text("any_slow")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!("At 10x, {}", then.text("arrivals"));
    if let Some(Answer::Growing { .. }) = then.answer("serial_p99") {
        let remedy = match now.answer("serial_p99") {
            Some(Answer::Value(_)) => format!(
                "10 instances of each would bring back today's p99 of {}",
                now.text("serial_p99")
            ),
            _ => "more instances of each have to share the load".to_owned(),
        };
        return format!(
            "{base} at a hop that does {}: {}. The hops fail first, {}, and all at once; {remedy}.",
            then.text("hop_rate"),
            then.text("hop_mean"),
            full_from(now.at("hop_load"))
        );
    }
    let base = format!(
        "{base}, the hops are at {} and their p99 is {}, against {} today.",
        then.text("hop_load"),
        then.text("serial_p99"),
        now.text("serial_p99")
    );
    let largest = if then.at("serial_p99") > then.at("slowest_p99") {
        "the hops one after the other".to_owned()
    } else {
        format!(
            "the wait for the slowest of {}, with {}",
            then.text("leaves"),
            then.text("slowest_p99")
        )
    };
    if then.at("left") < 0.0 {
        let since = if now.at("left") < 0.0 {
            ", already today"
        } else {
            ""
        };
        format!(
            "{base} They hold, and the budget of {} fails first{since}; the largest part of it is {largest}.",
            then.text("budget")
        )
    } else {
        format!(
            "{base} They hold, and at least {} of the budget is left; the largest part is {largest}.",
            then.text("left")
        )
    }
}
