//! Bandwidth: what goes out, at the average and at the peak, through how many network cards, and what it costs.

use super::{cite, detail, main};
use crate::domain::calculator::sources::{AWS_PRICING, NAPKIN, OURS};
use crate::domain::calculator::{Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::whole_up;

pub(super) const BANDWIDTH: Calculator = Calculator {
    slug: "bandwidth",
    title: "Bandwidth and egress",
    summary: "How many bits a second leave, how much of that a content delivery network takes over, and what does it cost in a month?",
    also: "egress, ingress, network, CDN",
    inputs: &[
        Input {
            id: "rate",
            label: "Requests, on average",
            unit: "req/s",
            default: "10k req/s",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "100 req/s",
                to: "1M req/s",
                source: OURS,
            },
            help: "The average over a month, which is what is paid for.",
        },
        Input {
            id: "response",
            label: "Size of a response",
            unit: "KB",
            default: "100 KB",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1 KB",
                to: "2 MB",
                source: OURS,
            },
            help: "Bytes on the wire of a mean response, compressed, with its headers.",
        },
        Input {
            id: "request",
            label: "Size of a request",
            unit: "KB",
            default: "1 KB",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "0.5 KB",
                to: "5 MB",
                source: OURS,
            },
            help: "Bytes that come in with a mean request; uploads make it large.",
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
            help: "How many times the average the busiest minutes are; cards and links are sized for it.",
        },
        Input {
            id: "cdn_hit",
            label: "Served by the CDN",
            unit: "%",
            default: "90 %",
            source: OURS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "50 %",
                to: "99 %",
                source: OURS,
            },
            help: "The part of the bytes that the content delivery network answers from its own copies; 0 without one. The rest is taken to leave from the origin directly.",
        },
        Input {
            id: "card",
            label: "Network card of a node",
            unit: "Gbit/s",
            default: "10 Gbit/s",
            source: NAPKIN,
            min: 1e-3,
            max: 10_000.0,
            whole: false,
            typical: Typical {
                from: "10 Gbit/s",
                to: "200 Gbit/s",
                source: NAPKIN,
            },
            help: "What one node can send; small instances have bursts of it and then much less.",
        },
        Input {
            id: "card_use",
            label: "Used to at most",
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
            help: "Above that, bursts within a second are dropped although the average fits.",
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
            help: "From the origin to the internet; between zones it is about $0.01.",
        },
        Input {
            id: "cdn_price",
            label: "Price of the CDN",
            unit: "$/GB",
            default: "$0.085/GB",
            source: AWS_PRICING,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "$0.005/GB",
                to: "$0.085/GB",
                source: OURS,
            },
            help: "The list price of the first terabytes; large volumes are negotiated.",
        },
    ],
    outputs: &[
        main("egress", "Out, on average", "Gbit/s"),
        main("peak", "Out, at the peak", "Gbit/s"),
        detail("ingress", "In, on average", "Gbit/s"),
        main("origin", "Out of the origin, at the peak", "Gbit/s"),
        main("cards", "Nodes for the origin's network", "nodes"),
        main("volume", "Out in a month", "TB"),
        detail("cdn_cost", "Price of the CDN's part", "$/month"),
        detail("origin_cost", "Price of the origin's part", "$/month"),
        main("monthly", "Price of all egress", "$/month"),
    ],
    assumption: "The share that the CDN serves: the origin sees what is left, so 90 % instead of 95 % is twice the work there.",
    sweep: Sweep {
        input: "cdn_hit",
        output: "origin",
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
            "bits per second = requests per second × bytes × 8",
            "arithmetic",
        ),
        cite(
            "nodes = ⌈peak of the origin / (card × use)⌉",
            "utilization law",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("egress", "rate × response");
    working.step("peak", "egress × peak_factor");
    working.step("ingress", "rate × request");
    working.step("origin", "peak × (1 - cdn_hit)");
    let cards = working.at("origin") / (working.at("card") * working.at("card_use"));
    working.computed(
        "cards",
        "⌈origin / (card × card_use)⌉",
        whole_up(cards).max(1.0),
    );
    working.step("volume", "egress × 1 month");
    working.step("cdn_cost", "egress × cdn_hit × cdn_price");
    working.step("origin_cost", "egress × (1 - cdn_hit) × egress_price");
    working.step("monthly", "cdn_cost + origin_cost");
    if working.at("origin") > working.at("card") {
        working.warn(format!(
            "The origin's peak of {} is more than one card's {}: it takes {} for the network alone.",
            working.text("origin"),
            working.text("card"),
            working.text("cards")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!(
        "At 10x, {}, {} leave at the peak, {} of it from the origin, and a month costs {} against {} today.",
        then.text("rate"),
        then.text("peak"),
        then.text("origin"),
        then.text("monthly"),
        now.text("monthly")
    );
    if then.at("cards") > now.at("cards").max(1.0) {
        format!(
            "{base} First to fail are the origin's network cards: it takes {} instead of {} today. Raise the CDN's share, make responses smaller, or spread them.",
            then.text("cards"),
            now.text("cards")
        )
    } else {
        format!(
            "{base} {} still enough for the origin's network; what fails first is the budget.",
            if then.at("cards") > 1.0 {
                "Today's nodes are"
            } else {
                "One node is"
            }
        )
    }
}
