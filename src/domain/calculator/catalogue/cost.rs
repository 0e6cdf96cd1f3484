//! Cost: what a month comes to, part by part, and what a request does.

use super::{cite, detail, main};
use crate::domain::calculator::sources::{AWS_DOCS, AWS_PRICING, OURS, PREPARATION, ROLE};
use crate::domain::calculator::{Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::whole_up;

pub(super) const COST: Calculator = Calculator {
    slug: "cost",
    title: "Cost",
    summary: "What does it cost in a month and for each request, and which part of it is the largest?",
    also: "price, bill, dollars per month, cost per request",
    inputs: &[
        Input {
            id: "rate",
            label: "Requests, on average",
            unit: "req/s",
            default: "5k req/s",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "10 req/s",
                to: "1M req/s",
                source: OURS,
            },
            help: "The average over a month.",
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
                from: "1 x",
                to: "10 x",
                source: OURS,
            },
            help: "Nodes are there for the peak and paid for all day; 1 with perfect scaling to the load.",
        },
        Input {
            id: "node_rate",
            label: "Requests that one node serves",
            unit: "req/s",
            default: "2k req/s",
            source: PREPARATION,
            min: 1e-3,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "1k req/s",
                to: "10k req/s",
                source: PREPARATION,
            },
            help: "At full load.",
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
            help: "What stays free at the peak.",
        },
        Input {
            id: "node_price",
            label: "Price of a node",
            unit: "$/hour",
            default: "$0.0816/hour",
            source: AWS_PRICING,
            min: 0.0,
            max: 1e4,
            whole: false,
            typical: Typical {
                from: "$0.02/hour",
                to: "$2/hour",
                source: OURS,
            },
            help: "An m7g.large on demand; reserved for a year it is about a third less.",
        },
        Input {
            id: "base_price",
            label: "Databases, caches, load balancers",
            unit: "$/month",
            default: "$2000/month",
            source: OURS,
            min: 0.0,
            max: 1e10,
            whole: false,
            typical: Typical {
                from: "$100/month",
                to: "$100k/month",
                source: OURS,
            },
            help: "What is paid for whatever the load; it grows in steps, not with each request.",
        },
        Input {
            id: "stored",
            label: "Stored",
            unit: "TB",
            default: "20 TB",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "100 GB",
                to: "1 PB",
                source: OURS,
            },
            help: "Everything with all copies.",
        },
        Input {
            id: "disk_price",
            label: "Price of storage",
            unit: "$/GB-month",
            default: "$0.08/GB-month",
            source: AWS_DOCS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "$0.023/GB-month",
                to: "$0.08/GB-month",
                source: AWS_DOCS,
            },
            help: "Object storage costs about $0.023, a gp3 volume $0.08.",
        },
        Input {
            id: "response",
            label: "Out for each request",
            unit: "KB",
            default: "20 KB",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1 KB",
                to: "2 MB",
                source: OURS,
            },
            help: "Bytes that leave to the internet for a mean request.",
        },
        Input {
            id: "egress_price",
            label: "Price of egress",
            unit: "$/GB",
            default: "$0.09/GB",
            source: AWS_PRICING,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "$0.01/GB",
                to: "$0.09/GB",
                source: AWS_PRICING,
            },
            help: "To the internet, at list price.",
        },
    ],
    outputs: &[
        detail("nodes", "Nodes", "nodes"),
        main("compute", "Nodes in a month", "$/month"),
        main("storage", "Storage in a month", "$/month"),
        main("egress", "Egress in a month", "$/month"),
        main("total", "All in a month", "$/month"),
        main("largest", "Largest part of it", "%"),
        detail("monthly_requests", "Requests in a month", "req"),
        main("per_request", "A request", "$"),
        main("per_million", "A million requests", "$"),
    ],
    assumption: "List prices, and nodes that run all day for the peak. Reserved nodes, scaling with the load and a negotiated egress price each take off a third or more.",
    sweep: Sweep {
        input: "rate",
        output: "per_million",
        span: Span::Around {
            from: 0.01,
            to: 100.0,
        },
        x: Scale::Log,
        y: Scale::Log,
    },
    load: "rate",
    citations: &[
        cite(
            "nodes = ⌈average × peak factor/(rate of a node × (1 − headroom))⌉",
            "utilization law",
        ),
        cite("a month has 30 days", "convention of estimates"),
    ],
    compute,
    fails_first,
};

const PARTS: [(&str, &str); 4] = [
    ("compute", "the nodes"),
    ("base_price", "databases, caches and load balancers"),
    ("storage", "storage"),
    ("egress", "egress"),
];

fn largest(working: &Working) -> (&'static str, &'static str) {
    PARTS
        .into_iter()
        .max_by(|(left, _), (right, _)| working.at(left).total_cmp(&working.at(right)))
        .unwrap_or(PARTS[0])
}

fn compute(working: &mut Working) {
    let one = working.at("node_rate") * (1.0 - working.at("headroom"));
    let nodes = working.at("rate") * working.at("peak_factor") / one;
    working.computed(
        "nodes",
        "⌈rate × peak_factor / (node_rate × (1 - headroom))⌉",
        whole_up(nodes).max(1.0),
    );
    working.step("compute", "nodes × node_price");
    working.step("storage", "stored × disk_price");
    working.step("egress", "rate × response × egress_price");
    working.step("total", "compute + base_price + storage + egress");
    let (id, name) = largest(working);
    if working.at("total") > 0.0 {
        working.step("largest", &format!("{id} / total"));
        if working.at("largest") > 0.5 {
            working.warn(format!(
                "More than half is {name} ({}): saving anywhere else hardly shows.",
                working.text("largest")
            ));
        }
    } else {
        working.computed(
            "largest",
            "greatest part / total, 0 when nothing costs anything",
            0.0,
        );
    }
    working.step("monthly_requests", "rate × 1 month");
    working.step("per_request", "total / rate");
    working.step("per_million", "per_request × 1000000");
}

fn fails_first(now: &Working, then: &Working) -> String {
    let (_, before) = largest(now);
    let (id, name) = largest(then);
    format!(
        "At 10x, {}, a month costs {}, against {} today, and a million requests {}, against {}. The budget fails first on {name}, with {} of it{}.",
        then.text("rate"),
        then.text("total"),
        now.text("total"),
        then.text("per_million"),
        now.text("per_million"),
        then.text(id),
        if before == name {
            String::new()
        } else {
            format!("; today the largest part is {before}")
        }
    )
}
