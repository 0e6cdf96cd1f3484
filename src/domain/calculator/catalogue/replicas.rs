//! Replicas and shards: what each node does when every replica applies all writes and one key is hotter than the rest.

use super::{cite, detail, full_from, main, value_or_answer};
use crate::domain::calculator::sources::{OURS, ROLE, YCSB};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::{Zipf, whole_up};
use crate::domain::queueing::MultiServer;

pub(super) const REPLICAS: Calculator = Calculator {
    slug: "replicas",
    title: "Replicas and shards",
    summary: "How busy is each node when replicas all apply every write and one shard has the hottest key, and does it still hold with one node less?",
    also: "shards, partitions, hot shard, hot key, N-1",
    inputs: &[
        Input {
            id: "rate",
            label: "Requests",
            unit: "req/s",
            default: "30k req/s",
            source: OURS,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1k req/s",
                to: "1M req/s",
                source: OURS,
            },
            help: "Reads and writes together, at the peak.",
        },
        Input {
            id: "write_share",
            label: "Share of writes",
            unit: "%",
            default: "20 %",
            source: OURS,
            min: 0.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "1 %",
                to: "50 %",
                source: OURS,
            },
            help: "Every replica of a shard does all of the shard's writes; only reads are divided.",
        },
        Input {
            id: "node_rate",
            label: "Requests that one node does",
            unit: "req/s",
            default: "5k req/s",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1k req/s",
                to: "20k req/s",
                source: OURS,
            },
            help: "At full load, of this mixture; 5,000 a second is 0.2 ms for each.",
        },
        Input {
            id: "copies",
            label: "Replicas of each shard",
            unit: "replicas",
            default: "4 replicas",
            source: OURS,
            min: 1.0,
            max: 1000.0,
            whole: true,
            typical: Typical {
                from: "2 replicas",
                to: "7 replicas",
                source: OURS,
            },
            help: "Nodes that hold the same data, the primary counted.",
        },
        Input {
            id: "parts",
            label: "Shards",
            unit: "shards",
            default: "4 shards",
            source: OURS,
            min: 1.0,
            max: 1_000_000.0,
            whole: true,
            typical: Typical {
                from: "1 shard",
                to: "256 shards",
                source: OURS,
            },
            help: "Parts that the keys are divided into, by a hash of the key.",
        },
        Input {
            id: "population",
            label: "Keys",
            unit: "keys",
            default: "1M keys",
            source: OURS,
            min: 1.0,
            max: 1e12,
            whole: true,
            typical: Typical {
                from: "10k keys",
                to: "1bn keys",
                source: OURS,
            },
            help: "Different keys that requests go to.",
        },
        Input {
            id: "skew",
            label: "Skew (Zipf's exponent)",
            unit: "1",
            default: "0.99",
            source: YCSB,
            min: 0.0,
            max: 5.0,
            whole: false,
            typical: Typical {
                from: "0.6",
                to: "1.2",
                source: OURS,
            },
            help: "0 asks for all keys alike; near 1 the hottest key of a million has 7 % of all requests.",
        },
        Input {
            id: "target",
            label: "Busy to at most",
            unit: "%",
            default: "70 %",
            source: ROLE,
            min: 1.0,
            max: 99.0,
            whole: false,
            typical: Typical {
                from: "70 %",
                to: "80 %",
                source: ROLE,
            },
            help: "One minus the headroom of 20 to 30 %.",
        },
    ],
    outputs: &[
        detail(
            "applied",
            "Part of a shard's requests that each replica does",
            "%",
        ),
        main("even", "Busy, if shards were even", "%"),
        detail("hottest_key", "Share of the hottest key", "%"),
        main("hot_share", "Share of the hottest shard", "%"),
        main("hot", "Busy on the hottest shard", "%"),
        main("hot_less", "The same with one replica less", "%"),
        main("mean_time", "Mean time on the hottest shard", "ms"),
        main(
            "needed",
            "Replicas of the hottest shard for the target",
            "replicas",
        ),
        main(
            "needed_parts",
            "Shards for the target, if they were even",
            "shards",
        ),
        detail("all_nodes", "Nodes in all", "nodes"),
    ],
    assumption: "Reads may go to any replica. If they must see the last write they go to the primary, and replicas take nothing off it.",
    sweep: Sweep {
        input: "copies",
        output: "hot",
        span: Span::Between {
            from: 1.0,
            to: 20.0,
        },
        x: Scale::Linear,
        y: Scale::Linear,
    },
    load: "rate",
    citations: &[
        cite(
            "ρ = (w + (1 − w)/n)·λ·S",
            "utilization law, with every write on every replica",
        ),
        cite(
            "hottest shard = q1 + (1 − q1)/shards",
            "hash sharding: the hottest key alone, the rest evenly",
        ),
        cite(
            "q1 = 1/H(keys, s)",
            "Zipf 1949; Breslau et al., INFOCOM 1999",
        ),
        cite("mean time = S/(1 − ρ)", "Kleinrock 1967, processor sharing"),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("applied", "write_share + (1 - write_share) / copies");
    working.step("even", "applied × rate / parts / node_rate");
    let popularity = Zipf::new(working.count("population"), working.at("skew"));
    let popularity = popularity.map_err(|fault| Answer::Words(fault.to_string()));
    working.found(
        "hottest_key",
        "1 / H(population, skew)",
        &popularity,
        |zipf| Ok(zipf.share(1)),
    );
    working.step("hot_share", "hottest_key + (1 - hottest_key) / parts");
    working.step("hot", "applied × rate × hot_share / node_rate");
    if working.count("copies") > 1 {
        working.step(
            "hot_less",
            "(write_share + (1 - write_share) / (copies - 1)) × rate × hot_share / node_rate",
        );
    } else {
        working.answered(
            "hot_less",
            "(write_share + (1 - write_share) / (copies - 1)) × rate × hot_share / node_rate",
            Answer::Words("nothing is left of the shard: it has one replica".to_owned()),
        );
    }
    let (hot, node_rate) = (working.at("hot"), working.at("node_rate"));
    let formula = "1 / node_rate / (1 - hot)";
    match value_or_answer(MultiServer::new(hot * node_rate, node_rate, 1)) {
        Ok(_) => working.step("mean_time", formula),
        Err(answer) => working.answered("mean_time", formula, answer),
    }
    let [writes, target] = ["write_share", "target"].map(|id| working.at(id));
    let shard = working.at("rate") * working.at("hot_share") / working.at("node_rate");
    let formula = "⌈(1 - write_share) / (target × node_rate / (rate × hot_share) - write_share)⌉";
    if shard * writes < target {
        let needed = (1.0 - writes) * shard / (target - shard * writes);
        working.computed("needed", formula, whole_up(needed).max(1.0));
    } else {
        working.answered(
            "needed",
            formula,
            Answer::Words(format!(
                "no number is enough: the writes alone keep each replica busy to {:.0} %",
                shard * writes * 100.0
            )),
        );
    }
    let parts = working.at("applied") * working.at("rate") / (working.at("node_rate") * target);
    working.computed(
        "needed_parts",
        "⌈applied × rate / (node_rate × target)⌉",
        whole_up(parts).max(1.0),
    );
    working.step("all_nodes", "copies × parts");
    if hot < 1.0 && working.at("hot_less") >= 1.0 {
        working.warn(format!(
            "The hottest shard does not survive the loss of one replica: the others would be at {}.",
            working.text("hot_less")
        ));
    }
    if hot > working.at("even") * 1.2 {
        working.warn(format!(
            "The hottest shard does {} of the work where even shards would do {:.3} %: more shards do not help a single key. Cache it, or split it.",
            working.text("hot_share"),
            100.0 / working.at("parts")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!(
        "At 10x, {}, a node of the hottest shard is at {}, against {} today.",
        then.text("rate"),
        then.text("hot"),
        now.text("hot")
    );
    match (then.answer("needed"), then.at("hot") < 1.0) {
        (_, true) if then.count("copies") == 1 => {
            format!("{base} It holds until its one replica is lost: nothing stands in for it.")
        }
        (_, true) if then.at("hot_less") >= 1.0 => format!(
            "{base} It holds, but not the loss of a replica, which fails first: the others would be at {}. {} would carry the load at {}.",
            then.text("hot_less"),
            then.text("needed"),
            then.text("target")
        ),
        (_, true) => format!(
            "{base} It holds; with one replica less it would be at {}.",
            then.text("hot_less")
        ),
        (Some(Answer::Value(_)), _) => format!(
            "{base} The hottest shard fails first, {}, and {} of it would carry the load.",
            full_from(now.at("hot")),
            then.text("needed")
        ),
        _ => format!(
            "{base} The hottest shard fails first, {}, and of replicas {}. Spread evenly it would take {}; the hottest key has to be split or cached.",
            full_from(now.at("hot")),
            then.text("needed"),
            then.text("needed_parts")
        ),
    }
}
