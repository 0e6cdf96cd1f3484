//! Pool: how many connections or threads, and how long one waits for one of them.

use super::{cite, detail, full_from, main, value_or_answer};
use crate::domain::calculator::sources::{HIKARI, OURS};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::queueing::{MultiServer, servers_for_waiting, square_root_staffing};

/// The most busy connections for which the fewest that suffice are counted; as many as a pool may have.
const MOST_COUNTED: f64 = 1e5;

pub(super) const POOL: Calculator = Calculator {
    slug: "pool",
    title: "Connection and thread pools",
    summary: "How many connections or threads does a load keep busy, how often does a request wait for one, and how long?",
    also: "Erlang C, Little's law, threads, workers, staffing, probability of waiting",
    inputs: &[
        Input {
            id: "arrivals",
            label: "Arrivals",
            unit: "req/s",
            default: "1000 req/s",
            source: OURS,
            min: 0.0,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "10 req/s",
                to: "50k req/s",
                source: OURS,
            },
            help: "How many requests a second ask this pool for a connection or a thread, at the peak.",
        },
        Input {
            id: "holding",
            label: "Time that one is held",
            unit: "ms",
            default: "20 ms",
            source: OURS,
            min: 1e-6,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1 ms",
                to: "500 ms",
                source: OURS,
            },
            help: "Mean time from taking a connection to giving it back, including the network and whatever else is called meanwhile.",
        },
        Input {
            id: "size",
            label: "Size of the pool",
            unit: "connections",
            default: "24 connections",
            source: OURS,
            min: 1.0,
            max: 100_000.0,
            whole: true,
            typical: Typical {
                from: "10 connections",
                to: "100 connections",
                source: HIKARI,
            },
            help: "Connections or threads in all pools that this load shares; for a database, 2 x cores + spindles of its server is the usual start.",
        },
        Input {
            id: "target",
            label: "Share that may wait",
            unit: "%",
            default: "1 %",
            source: OURS,
            min: 1e-6,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "0.1 %",
                to: "20 %",
                source: OURS,
            },
            help: "The part of the requests that you would let wait at all for a free connection.",
        },
        Input {
            id: "limit",
            label: "Limit on the wait",
            unit: "ms",
            default: "300 ms",
            source: OURS,
            min: 1e-6,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "30 ms",
                to: "1 s",
                source: OURS,
            },
            help: "The pool's timeout: who waits longer gets an error. A request that is to end within S4's 300 ms at the 95th percentile cannot wait longer than that.",
        },
    ],
    outputs: &[
        main("busy", "Busy on average", "connections"),
        main("utilization", "Utilization", "%"),
        main("p_wait", "Probability of waiting", "%"),
        main("mean_wait", "Mean wait", "ms"),
        main("wait_p99", "Wait, 99th percentile", "ms"),
        detail("mean_time", "Mean time with the wait", "ms"),
        main("time_p99", "Time with the wait, 99th percentile", "ms"),
        detail("waiting", "Waiting on average", "req"),
        detail("over_limit", "Share that waits beyond the limit", "%"),
        main(
            "smallest",
            "Smallest pool in which no more than the target share waits",
            "connections",
        ),
        detail(
            "rule",
            "Square-root rule, with a quality of 2",
            "connections",
        ),
    ],
    assumption: "Requests arrive at random (Poisson), holding times are exponential, and neither depends on the load. Bursts and long holdings make every wait longer than shown; holding times that are all alike about halve it. The holding time does depend on the load when the pool leads to a database that slows down as more connections work at once: then a larger pool makes every request slower.",
    sweep: Sweep {
        input: "arrivals",
        output: "wait_p99",
        span: Span::Around { from: 0.1, to: 1.5 },
        x: Scale::Linear,
        y: Scale::Linear,
    },
    load: "arrivals",
    citations: &[
        cite("busy = λ·S", "Little, Operations Research 9 (1961)"),
        cite(
            "P(wait) = C(c, a), Erlang C",
            "Erlang 1917; Kleinrock, Queueing Systems vol. 1 (1975), ch. 3",
        ),
        cite(
            "P(wait > t) = C·e^(−(c/S − λ)·t)",
            "Kleinrock vol. 1 (1975), ch. 3",
        ),
        cite(
            "size ≈ a + β·√a",
            "Halfin & Whitt, Operations Research 29 (1981)",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("busy", "arrivals × holding");
    working.step("utilization", "busy / size");
    let arrivals = working.at("arrivals");
    let rate = 1.0 / working.at("holding");
    let station = value_or_answer(MultiServer::new(arrivals, rate, working.count("size")));
    let overloaded = matches!(station, Err(Answer::Growing { .. }));
    working.found("p_wait", "ErlangC(size, busy)", &station, |station| {
        Ok(station.wait_probability())
    });
    // What follows from the probability has its answer in overload, too.
    working.step("mean_wait", "p_wait / (size / holding - arrivals)");
    working.found(
        "wait_p99",
        "ln(p_wait / 1 %) / (size / holding - arrivals), at least 0",
        &station,
        |station| station.wait_exceeded_by(0.01),
    );
    working.step("mean_time", "mean_wait + holding");
    working.found(
        "time_p99",
        "the t with P(wait + holding > t) = 1 %",
        &station,
        |station| station.sojourn_exceeded_by(0.01),
    );
    working.step("waiting", "arrivals × mean_wait");
    let limit = working.at("limit");
    working.found(
        "over_limit",
        "p_wait × e^(-(size / holding - arrivals) × limit)",
        &station,
        |station| station.wait_tail(limit),
    );
    let formula = "least c with ErlangC(c, busy) ≤ target";
    let busy = working.at("busy");
    // They are counted one by one, at every point of the chart.
    let smallest = if busy <= MOST_COUNTED {
        servers_for_waiting(busy, working.at("target")).ok()
    } else {
        None
    };
    match smallest {
        Some(smallest) => working.computed("smallest", formula, smallest as f64),
        None => working.answered(
            "smallest",
            formula,
            Answer::Words("more than a hundred thousand connections".to_owned()),
        ),
    }
    if let Ok(rule) = square_root_staffing(working.at("busy"), 2.0) {
        working.computed("rule", "busy + 2 × √busy", rule);
    }
    if overloaded {
        working.warn(format!(
            "The pool is overloaded: {} keep {} busy, and there are {}.",
            working.text("arrivals"),
            working.text("busy"),
            working.text("size")
        ));
    } else if working.at("over_limit") > 0.001 {
        working.warn(format!(
            "{} of the requests wait longer than {} and fail.",
            working.text("over_limit"),
            working.text("limit")
        ));
    } else if working.at("utilization") > 0.8 {
        working.warn("Above 80 % of utilization a small rise in load makes the wait much longer.");
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let needed = then.text("smallest");
    let base = format!(
        "At 10x, {}, {} are busy",
        then.text("arrivals"),
        then.text("busy")
    );
    match then.answer("p_wait") {
        Some(Answer::Growing { .. }) => format!(
            "{base} and there are {}: {}. The pool fails first, {}, as timeouts that callers take for a slow database; it would take {needed}, against {} today, and the database behind must bear as many.",
            then.text("size"),
            then.text("p_wait"),
            full_from(now.at("utilization")),
            now.text("smallest")
        ),
        _ if then.at("wait_p99") > then.at("limit") => format!(
            "{base} of {}. First to fail is the limit on the wait: {} of the requests wait longer than {}; {needed} would do, against {} today.",
            then.text("size"),
            then.text("over_limit"),
            then.text("limit"),
            now.text("smallest")
        ),
        _ if then.at("p_wait") > then.at("target") => format!(
            "{base} of {}. First to fail is the share that may wait: {} of the requests do, where you allow {}; {needed} would do, against {} today.",
            then.text("size"),
            then.text("p_wait"),
            then.text("target"),
            now.text("smallest")
        ),
        _ => format!(
            "{base} of {}, and {} of the requests wait: the pool holds. What is behind it gets ten times the work.",
            then.text("size"),
            then.text("p_wait")
        ),
    }
}
