//! Retries: what they achieve, how they multiply through layers, and when they keep a failure alive.

use super::{cite, detail, full_from, main, value_or_answer};
use crate::domain::calculator::sources::{BUILDERS, OURS, SRE_BOOK};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::{attempts, success};
use crate::domain::queueing::{MultiServer, ParameterError};

pub(super) const RETRIES: Calculator = Calculator {
    slug: "retries",
    title: "Retries",
    summary: "How much do retries improve, how much load do they add, in the usual case and in the worst, and can they keep an overload going by themselves?",
    also: "retry storm, retry amplification, backoff, retry budget",
    inputs: &[
        Input {
            id: "rate",
            label: "Requests",
            unit: "req/s",
            default: "600 req/s",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "10 req/s",
                to: "100k req/s",
                source: OURS,
            },
            help: "First tries, at the peak.",
        },
        Input {
            id: "capacity",
            label: "Tries that the service can do",
            unit: "req/s",
            default: "1000 req/s",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "100 req/s",
                to: "100k req/s",
                source: OURS,
            },
            help: "At full load, the failed ones counted: they cost as much as the others.",
        },
        Input {
            id: "failure",
            label: "Tries that fail",
            unit: "%",
            default: "10 %",
            source: OURS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "0.01 %",
                to: "50 %",
                source: OURS,
            },
            help: "Each independently of the others; in an outage it is 100 %, and they are not independent.",
        },
        Input {
            id: "tries",
            label: "Tries at most, the first counted",
            unit: "x",
            default: "3 x",
            source: BUILDERS,
            min: 1.0,
            max: 1000.0,
            whole: true,
            typical: Typical {
                from: "1 x",
                to: "4 x",
                source: SRE_BOOK,
            },
            help: "At each layer.",
        },
        Input {
            id: "layers",
            label: "Layers that each retry",
            unit: "layers",
            default: "3 layers",
            source: OURS,
            min: 1.0,
            max: 20.0,
            whole: true,
            typical: Typical {
                from: "1 layer",
                to: "5 layers",
                source: BUILDERS,
            },
            help: "The client, the gateway, the service: if each tries again, tries multiply.",
        },
        Input {
            id: "budget",
            label: "Retry budget",
            unit: "%",
            default: "10 %",
            source: SRE_BOOK,
            min: 0.0,
            max: 1000.0,
            whole: false,
            typical: Typical {
                from: "10 %",
                to: "20 %",
                source: OURS,
            },
            help: "Retries that a client may make, over its requests; beyond it, it fails at once.",
        },
    ],
    outputs: &[
        main("success", "Requests that succeed in the end", "%"),
        main("mean_tries", "Mean number of tries", "x"),
        main("tried", "Load with retries, one layer", "req/s"),
        main("busy", "Utilization with retries, one layer", "%"),
        detail("alone", "Utilization without retries", "%"),
        main("worst", "Worst case over all layers", "x"),
        main("worst_rate", "Load in the worst case", "req/s"),
        detail(
            "budgeted",
            "Worst case with the retry budget, one layer",
            "x",
        ),
        main(
            "budgeted_all",
            "Worst case with the retry budget at every layer",
            "x",
        ),
        main(
            "budgeted_rate",
            "Load in the worst case with the budget",
            "req/s",
        ),
        main(
            "threshold",
            "Load from which timeouts can keep themselves going",
            "req/s",
        ),
        main("margin", "Requests, measured by that threshold", "%"),
    ],
    assumption: "Tries fail independently. In an outage they do not: then every retry fails too, the mean becomes the worst case, and retries are only load.",
    sweep: Sweep {
        input: "failure",
        output: "busy",
        span: Span::Between {
            from: 0.0,
            to: 100.0,
        },
        x: Scale::Linear,
        y: Scale::Linear,
    },
    load: "rate",
    citations: &[
        cite(
            "success = 1 − p^tries; mean tries = (1 − p^tries)/(1 − p)",
            "geometric sum",
        ),
        cite(
            "worst case = tries^layers",
            "Amazon Builders' Library, Timeouts, retries and backoff with jitter; Google SRE book (2016), ch. 22",
        ),
        cite(
            "worst case with a budget = 1 + budget at each layer",
            "Google SRE book (2016), ch. 21",
        ),
        cite(
            "threshold = capacity/tries",
            "Bronson, Aghayev, Charapko & Zhu, Metastable Failures in Distributed Systems, HotOS 2021",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    let (failure, tries) = (working.at("failure"), working.count("tries"));
    let words = |fault: ParameterError| Answer::Words(fault.to_string());
    let retries = tries.saturating_sub(1);
    let succeeded = success(failure, retries).map_err(words);
    let mean = attempts(failure, retries).map_err(words);
    working.found("success", "1 - failure^tries", &succeeded, |success| {
        Ok(*success)
    });
    working.found(
        "mean_tries",
        "(1 - failure^tries) / (1 - failure)",
        &mean,
        |mean| Ok(*mean),
    );
    working.step("tried", "rate × mean_tries");
    let (tried, capacity) = (working.at("tried"), working.at("capacity"));
    let station = value_or_answer(MultiServer::new(tried, capacity, 1));
    let overloaded = station.is_err();
    match station {
        Ok(_) => working.step("busy", "tried / capacity"),
        Err(answer) => working.answered("busy", "tried / capacity", answer),
    }
    working.step("alone", "rate / capacity");
    let worst = working.at("tries").powf(working.at("layers"));
    working.computed("worst", "tries^layers", worst);
    working.step("worst_rate", "rate × worst");
    let budgeted = (1.0 + working.at("budget")).min(working.at("tries"));
    working.computed("budgeted", "1 + budget, at most tries", budgeted);
    let budgeted_all = budgeted.powf(working.at("layers"));
    working.computed("budgeted_all", "budgeted^layers", budgeted_all);
    working.step("budgeted_rate", "rate × budgeted_all");
    working.step("threshold", "capacity / tries");
    working.step("margin", "rate / threshold");
    let (alone, margin) = (working.at("alone"), working.at("margin"));
    if alone >= 1.0 {
        working.warn("The service is overloaded without a single retry.");
    } else if overloaded {
        working.warn(format!(
            "Retries turn a load of {} into {}, which is more than {}: they are the overload.",
            working.text("rate"),
            working.text("tried"),
            working.text("capacity")
        ));
    } else if margin > 1.0 {
        working.warn(format!(
            "Vulnerable: the load is above {}. A short spike can start timeouts whose retries keep the service overloaded after the spike is over. A retry budget, dropping work that nobody waits for, or a short queue prevents it; backoff alone does not.",
            working.text("threshold")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!(
        "At 10x, {}, the tries come to {}, against {} today; in an outage to {}.",
        then.text("rate"),
        then.text("tried"),
        now.text("tried"),
        then.text("worst_rate")
    );
    match then.answer("busy") {
        Some(Answer::Growing { .. }) if then.at("alone") >= 1.0 => format!(
            "{base} The service, which does {}, fails first, {} even without a retry; with them, {}.",
            then.text("capacity"),
            full_from(now.at("alone")),
            then.text("busy")
        ),
        Some(Answer::Growing { .. }) => format!(
            "{base} The retries are what fails first: without them the service is at {}, with them, {}, {}.",
            then.text("alone"),
            full_from(now.at("tried") / now.at("capacity")),
            then.text("busy")
        ),
        _ if then.at("margin") > 1.0 => format!(
            "{base} The service is at {} and holds, until the first spike: from {} on, retries can keep an overload going.",
            then.text("busy"),
            then.text("threshold")
        ),
        _ => format!(
            "{base} The service is at {} and recovers from a spike by itself.",
            then.text("busy")
        ),
    }
}
