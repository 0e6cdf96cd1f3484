//! Availability: parts in a row and parts that stand in for each other, against an objective and its error budget.

use super::{cite, detail, main};
use crate::domain::calculator::sources::{OURS, ROLE, SRE_BOOK, SRE_WORKBOOK};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::{ErrorBudget, at_least, at_least_unavailable};

pub(super) const AVAILABILITY: Calculator = Calculator {
    slug: "availability",
    title: "Availability and error budget",
    summary: "What is the whole's availability, how long is it down in a month, what does the objective allow, and how fast is that used up?",
    also: "SLO, error budget, burn rate, nines, downtime, k of n",
    inputs: &[
        Input {
            id: "needed",
            label: "Replicas that have to be up",
            unit: "replicas",
            default: "2 replicas",
            source: OURS,
            min: 1.0,
            max: 100_000.0,
            whole: true,
            typical: Typical {
                from: "1 replica",
                to: "3 replicas",
                source: OURS,
            },
            help: "1 where any one is enough, 2 of 3 for a quorum, 8 of 10 where eight carry the peak.",
        },
        Input {
            id: "copies",
            label: "Replicas",
            unit: "replicas",
            default: "3 replicas",
            source: OURS,
            min: 1.0,
            max: 100_000.0,
            whole: true,
            typical: Typical {
                from: "2 replicas",
                to: "10 replicas",
                source: OURS,
            },
            help: "Nodes that can stand in for each other and fail independently.",
        },
        Input {
            id: "node",
            label: "Availability of one replica",
            unit: "%",
            default: "99.5 %",
            source: OURS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "99 %",
                to: "99.95 %",
                source: OURS,
            },
            help: "MTBF/(MTBF + MTTR): a failure a month that takes 3.6 hours to repair is 99.5 %.",
        },
        Input {
            id: "dependencies",
            label: "Dependencies, all needed",
            unit: "parts",
            default: "5 parts",
            source: OURS,
            min: 0.0,
            max: 1000.0,
            whole: true,
            typical: Typical {
                from: "2 parts",
                to: "30 parts",
                source: OURS,
            },
            help: "What else has to work for a request to succeed: a database, an identity service, a gateway.",
        },
        Input {
            id: "dependency",
            label: "Availability of each dependency",
            unit: "%",
            default: "99.99 %",
            source: OURS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "99.9 %",
                to: "99.99 %",
                source: OURS,
            },
            help: "As its own objective promises.",
        },
        Input {
            id: "objective",
            label: "Objective",
            unit: "%",
            default: "99.9 %",
            source: ROLE,
            min: 0.0,
            max: 99.999_999_9,
            whole: false,
            typical: Typical {
                from: "99 %",
                to: "99.99 %",
                source: SRE_BOOK,
            },
            help: "The share of requests, or of time, that has to succeed in 30 days; the role blueprint asks for 99.9 %.",
        },
        Input {
            id: "error_rate",
            label: "Requests that fail now",
            unit: "%",
            default: "1.44 %",
            source: SRE_WORKBOOK,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "0.01 %",
                to: "10 %",
                source: OURS,
            },
            help: "During an incident; 1.44 % is a burn rate of 14.4 at 99.9 %, the usual limit for waking somebody.",
        },
        Input {
            id: "window",
            label: "For so long",
            unit: "h",
            default: "1 h",
            source: SRE_WORKBOOK,
            min: 1e-3,
            max: 8760.0,
            whole: false,
            typical: Typical {
                from: "5 min",
                to: "6 h",
                source: SRE_WORKBOOK,
            },
            help: "How long they have been failing.",
        },
        Input {
            id: "repair",
            label: "Time to repair",
            unit: "min",
            default: "30 min",
            source: ROLE,
            min: 1e-3,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "30 min",
                to: "60 min",
                source: ROLE,
            },
            help: "From the first failed request to the last, of a complete outage.",
        },
    ],
    outputs: &[
        main("group", "Availability of the replicas together", "%"),
        detail("group_down", "Probability that too few are up", "1"),
        detail("chain", "Availability of all dependencies together", "%"),
        main("whole", "Availability of the whole", "%"),
        detail("down", "Probability that the whole is down", "1"),
        main("downtime", "Down in a month", "min"),
        main("allowed", "Error budget in a month", "min"),
        main(
            "spent",
            "Part of the budget that the parts use up by themselves",
            "%",
        ),
        detail(
            "incidents",
            "Complete outages that the budget covers in a month",
            "1",
        ),
        main("burn", "Burn rate now", "x"),
        main("used", "Part of the month's budget used in that time", "%"),
        main("lasts", "At this rate the month's budget lasts", "h"),
        main(
            "each",
            "What each dependency must have for the objective",
            "%",
        ),
    ],
    assumption: "Parts fail independently. They do not when one deployment, one zone or one certificate takes all of them: then replicas add nothing, and the common cause is the availability.",
    sweep: Sweep {
        input: "dependencies",
        output: "downtime",
        span: Span::Between {
            from: 0.0,
            to: 30.0,
        },
        x: Scale::Linear,
        y: Scale::Linear,
    },
    load: "dependencies",
    citations: &[
        cite(
            "k of n = Σ over i ≥ k of C(n, i)·a^i·(1 − a)^(n − i)",
            "binomial; Trivedi, Probability and Statistics (2nd ed.)",
        ),
        cite("in a row: the product", "Trivedi (2nd ed.)"),
        cite(
            "budget = (1 − objective) × 30 days",
            "Google SRE book (2016), ch. 3 and 4",
        ),
        cite(
            "burn rate = failures/(1 − objective); used = burn × window/30 days",
            "Google SRE workbook (2018), ch. 5",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    let (needed, copies, node) = (
        working.count("needed"),
        working.count("copies"),
        working.at("node"),
    );
    let formula = "P(at least needed of copies are up, each with node)";
    // More than there are is never up.
    let up = at_least(needed, copies, node).unwrap_or(0.0);
    let too_few = at_least_unavailable(needed, copies, node).unwrap_or(1.0);
    working.computed("group", formula, up);
    working.computed("group_down", "1 - group", too_few);
    let chain = working.at("dependency").powf(working.at("dependencies"));
    working.computed("chain", "dependency^dependencies", chain);
    working.step("whole", "group × chain");
    // As a sum of what is down, so that it keeps its digits where the whole is all but perfect.
    working.step("down", "group_down + group × (1 - chain)");
    working.step("downtime", "down × 30 days");
    working.step("allowed", "(1 - objective) × 30 days");
    working.step("spent", "downtime / allowed");
    working.step("incidents", "allowed / repair");
    working.step("burn", "error_rate / (1 - objective)");
    working.step("used", "burn × window / 30 days");
    let burn = working.at("burn");
    let lasts = if burn > 0.0 {
        Ok(())
    } else {
        Err(Answer::Words("for ever: nothing fails".to_owned()))
    };
    let objective = working.at("objective");
    working.found("lasts", "30 days / burn", &lasts, |()| {
        ErrorBudget::new(objective, 2_592_000.0)?.exhausted_after(burn)
    });
    let (share, parts) = (working.at("group"), working.at("dependencies"));
    let formula = "(objective / group)^(1 / dependencies)";
    if parts == 0.0 {
        let none = "nothing: there are none".to_owned();
        working.answered("each", formula, Answer::Words(none));
    } else if share < objective {
        let out_of_reach = "out of reach: the replicas alone are below the objective".to_owned();
        working.answered("each", formula, Answer::Words(out_of_reach));
    } else {
        working.computed("each", formula, (objective / share).powf(1.0 / parts));
    }
    if needed > copies {
        working.warn(format!(
            "{needed} replicas have to be up, and there are only {copies}: the whole is never up."
        ));
    } else if working.at("spent") > 1.0 {
        working.warn(format!(
            "The parts alone are down for {} a month and the objective allows {}: it cannot be met.",
            working.text("downtime"),
            working.text("allowed")
        ));
    }
    if burn >= 14.4 {
        working.warn(format!(
            "At a burn rate of {} the month's budget lasts {}: somebody has to be woken.",
            working.text("burn"),
            working.text("lasts")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!(
        "At 10x the dependencies, {}, the whole is at {} and down for {} a month, against {} today.",
        then.text("dependencies"),
        then.text("whole"),
        then.text("downtime"),
        now.text("downtime")
    );
    if then.at("group") < then.at("objective") {
        format!(
            "{base} It is not the dependencies that fail first: the replicas alone, at {}, are below the objective of {}.",
            then.text("group"),
            then.text("objective")
        )
    } else if then.at("spent") > 1.0 {
        let since = if now.at("spent") > 1.0 {
            ", already today"
        } else {
            ""
        };
        format!(
            "{base} The error budget of {} fails first{since}: each dependency would have to have {}. Make some of them optional: a default, a cache, a queue.",
            then.text("allowed"),
            then.text("each")
        )
    } else {
        format!(
            "{base} The error budget of {} still covers it, with {} used up before anybody changes anything.",
            then.text("allowed"),
            then.text("spent")
        )
    }
}
