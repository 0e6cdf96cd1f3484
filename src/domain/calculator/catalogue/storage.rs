//! Storage: how the data grows, with every copy, and how many nodes hold it.

use super::{cite, detail, main};
use crate::domain::calculator::sources::{AWS_DOCS, OURS};
use crate::domain::calculator::{Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::whole_up;
use crate::domain::quantity::{Dimension, Quantity};

pub(super) const STORAGE: Calculator = Calculator {
    slug: "storage",
    title: "Storage",
    summary: "How much do the writes pile up to, with indexes, compression and every copy, on how many nodes and at what price?",
    also: "disk, retention, replication, compression",
    inputs: &[
        Input {
            id: "write_rate",
            label: "Writes",
            unit: "writes/day",
            default: "100M writes/day",
            source: OURS,
            min: 0.0,
            max: 1e15,
            whole: false,
            typical: Typical {
                from: "100k writes/day",
                to: "100bn writes/day",
                source: OURS,
            },
            help: "Records that are added in a day and kept; updates in place do not count.",
        },
        Input {
            id: "record",
            label: "Size of a record",
            unit: "KB",
            default: "1 KB",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "100 B",
                to: "1 MB",
                source: OURS,
            },
            help: "Bytes of one record as it is stored, before compression and without its indexes.",
        },
        Input {
            id: "retention",
            label: "Kept for",
            unit: "years",
            default: "5 years",
            source: OURS,
            min: 1e-4,
            max: 1000.0,
            whole: false,
            typical: Typical {
                from: "30 days",
                to: "7 years",
                source: OURS,
            },
            help: "How long a record stays; then as much is deleted as is written, and the data stops growing.",
        },
        Input {
            id: "copies",
            label: "Copies",
            unit: "x",
            default: "3 x",
            source: OURS,
            min: 1.0,
            max: 100.0,
            whole: false,
            typical: Typical {
                from: "2 x",
                to: "6 x",
                source: OURS,
            },
            help: "Replicas that each hold everything; 1.4 x is an erasure code of 10 + 4.",
        },
        Input {
            id: "compression",
            label: "Compression",
            unit: "x",
            default: "2 x",
            source: OURS,
            min: 1.0,
            max: 1000.0,
            whole: false,
            typical: Typical {
                from: "1 x",
                to: "10 x",
                source: OURS,
            },
            help: "How many times smaller the data becomes: 1 for images and encrypted data, 5 and more for metrics and logs.",
        },
        Input {
            id: "index_share",
            label: "Indexes",
            unit: "%",
            default: "30 %",
            source: OURS,
            min: 0.0,
            max: 1000.0,
            whole: false,
            typical: Typical {
                from: "10 %",
                to: "100 %",
                source: OURS,
            },
            help: "What indexes and bookkeeping add to the compressed data.",
        },
        Input {
            id: "node_disk",
            label: "Disk of a node",
            unit: "TB",
            default: "4 TB",
            source: OURS,
            min: 1e-3,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "1 TB",
                to: "16 TB",
                source: OURS,
            },
            help: "What one database node can hold, and still be copied to its replacement within hours.",
        },
        Input {
            id: "fill",
            label: "Filled to at most",
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
            help: "Compaction, rebuilding an index and the next months need the rest.",
        },
        Input {
            id: "copy_rate",
            label: "Copying speed",
            unit: "MB/s",
            default: "125 MB/s",
            source: AWS_DOCS,
            min: 0.1,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "125 MB/s",
                to: "1 GB/s",
                source: OURS,
            },
            help: "How fast a node that failed is filled again; 125 MB/s is what a gp3 volume does without extra charge.",
        },
        Input {
            id: "price",
            label: "Price of the disk",
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
    ],
    outputs: &[
        detail("raw", "Written in a day, before compression", "GB"),
        detail("kept", "Kept of a day, with indexes, one copy", "GB"),
        main("one_copy", "One copy at the end of the retention", "TB"),
        main("total", "All copies", "TB"),
        main("growth", "Growth in a month, all copies", "TB"),
        main("nodes", "Nodes", "nodes"),
        detail("refill", "Time to fill a node that failed again", "h"),
        main("monthly", "Price of the disks", "$/month"),
    ],
    assumption: "The size of a record as it is stored: it is guessed more often than it is measured, and everything is proportional to it. Write one record out and count.",
    sweep: Sweep {
        input: "retention",
        output: "total",
        span: Span::Around { from: 0.1, to: 3.0 },
        x: Scale::Linear,
        y: Scale::Linear,
    },
    load: "write_rate",
    citations: &[
        cite(
            "total = writes × size × time × copies / compression",
            "arithmetic; a year has 365 days, 1 TB is 1e12 bytes and 9 % less than 1 TiB",
        ),
        cite("refill = disk × fill / copying speed", "arithmetic"),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("raw", "write_rate × record × 1 day");
    working.step("kept", "raw / compression × (1 + index_share)");
    working.step("one_copy", "kept × retention / 1 day");
    working.step("total", "one_copy × copies");
    working.step("growth", "kept × copies × 30");
    let nodes = working.at("total") / (working.at("node_disk") * working.at("fill"));
    working.computed(
        "nodes",
        "⌈total / (node_disk × fill)⌉",
        whole_up(nodes).max(1.0),
    );
    working.step("refill", "node_disk × fill / copy_rate");
    working.step("monthly", "total × price");
    if working.at("refill") > 86_400.0 {
        working.warn(format!(
            "A node that fails is without its copy for {}: a second failure in that time is no longer unlikely. Use smaller nodes.",
            working.text("refill")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let per_node = then.at("node_disk") * then.at("fill");
    let growth = then.at("growth");
    let base = format!(
        "At 10x, {}, it comes to {} on {}, for {}, against {} today.",
        then.text("write_rate"),
        then.text("total"),
        then.text("nodes"),
        then.text("monthly"),
        now.text("monthly")
    );
    if growth <= 0.0 {
        return base;
    }
    let days = per_node / growth * 30.0;
    if days < 30.0 {
        let every = Quantity::new(days * 86_400.0, Dimension::TIME);
        format!(
            "{base} First to fail is the way nodes are added: {} a month fill one more node every {}, so shards have to split and move by themselves.",
            then.text("growth"),
            every.map_or_else(|_| "moment".to_owned(), Quantity::normalized)
        )
    } else if days > 36_500.0 {
        format!("{base} Nothing fails for a century: one node has room for all of it.")
    } else {
        format!(
            "{base} What fails first is the budget: a node fills only every {days:.0} days, which people can still add by hand. Move what is rarely read to object storage."
        )
    }
}
