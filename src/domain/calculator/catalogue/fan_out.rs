//! Fan-out: copy a post to all timelines when it is written, or gather it when a timeline is read.

use super::{cite, full_from, main, value_or_answer};
use crate::domain::calculator::sources::{DDIA, OURS};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::queueing::MultiServer;

pub(super) const FAN_OUT: Calculator = Calculator {
    slug: "fan-out",
    title: "Fan-out on write or on read",
    summary: "What does it cost to copy every post to its followers, what to gather it at every read, and from how many followers on is the other way better?",
    also: "timeline, feed, followers, push or pull",
    inputs: &[
        Input {
            id: "post_rate",
            label: "Posts",
            unit: "posts/s",
            default: "4600 posts/s",
            source: DDIA,
            min: 1e-6,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "4600 posts/s",
                to: "12k posts/s",
                source: DDIA,
            },
            help: "Posts a second over all authors.",
        },
        Input {
            id: "followers",
            label: "Followers of a mean author",
            unit: "followers",
            default: "75 followers",
            source: DDIA,
            min: 0.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "50 followers",
                to: "1000 followers",
                source: OURS,
            },
            help: "Weighted by posts: those who post more often have more followers.",
        },
        Input {
            id: "read_rate",
            label: "Timeline reads",
            unit: "reads/s",
            default: "300k reads/s",
            source: DDIA,
            min: 0.0,
            max: 1e10,
            whole: false,
            typical: Typical {
                from: "1k reads/s",
                to: "300k reads/s",
                source: OURS,
            },
            help: "How often anybody opens a timeline.",
        },
        Input {
            id: "followed",
            label: "Authors that a reader follows",
            unit: "authors",
            default: "75 authors",
            source: OURS,
            min: 0.0,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "50 authors",
                to: "1000 authors",
                source: OURS,
            },
            help: "So many lists have to be looked up and merged for one read, if posts are not copied; here as many as an author has followers.",
        },
        Input {
            id: "write_cost",
            label: "Cost of a timeline write over that of a look-up",
            unit: "x",
            default: "1 x",
            source: OURS,
            min: 1e-3,
            max: 1e3,
            whole: false,
            typical: Typical {
                from: "0.5 x",
                to: "10 x",
                source: OURS,
            },
            help: "A durable write costs more than a read from memory; an append to a list in memory about as much.",
        },
        Input {
            id: "entry_rate",
            label: "Timeline writes that the store takes",
            unit: "writes/s",
            default: "1M writes/s",
            source: OURS,
            min: 1.0,
            max: 1e12,
            whole: false,
            typical: Typical {
                from: "100k writes/s",
                to: "10M writes/s",
                source: OURS,
            },
            help: "Over all nodes; ten caches with 100,000 writes a second each.",
        },
        Input {
            id: "deadline",
            label: "To be on all timelines within",
            unit: "s",
            default: "5 s",
            source: DDIA,
            min: 1e-3,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "1 s",
                to: "1 min",
                source: OURS,
            },
            help: "How late the last follower may see a post.",
        },
        Input {
            id: "largest",
            label: "Followers of the largest author",
            unit: "followers",
            default: "30M followers",
            source: DDIA,
            min: 1.0,
            max: 1e10,
            whole: false,
            typical: Typical {
                from: "1M followers",
                to: "500M followers",
                source: OURS,
            },
            help: "The one author for whom copying is slowest.",
        },
    ],
    outputs: &[
        main("push", "Timeline writes, copying on write", "writes/s"),
        main("pull", "Look-ups, gathering on read", "reads/s"),
        main("ratio", "Work of copying over work of gathering", "x"),
        main(
            "by_work",
            "Followers from which copying a post is more work than gathering it",
            "followers",
        ),
        main("store", "Timeline store's utilization, copying", "%"),
        main(
            "by_time",
            "Followers that a post reaches in time",
            "followers",
        ),
        main(
            "celebrity",
            "Time to reach the largest author's followers",
            "s",
        ),
        main(
            "crossover",
            "Copy for authors with fewer followers than this",
            "followers",
        ),
    ],
    assumption: "Reads outnumber posts, and most timelines are read. Copies that nobody opens are wasted: if a tenth of the followers is active, the work of copying buys ten times less. The crossover takes every post to cost the same when it is gathered; authors with many followers are looked up more often, so read it as an order of magnitude.",
    sweep: Sweep {
        input: "followers",
        output: "ratio",
        span: Span::Around {
            from: 0.1,
            to: 1000.0,
        },
        x: Scale::Log,
        y: Scale::Log,
    },
    load: "post_rate",
    citations: &[
        cite(
            "timeline writes = posts × followers",
            "Kleppmann, Designing Data-Intensive Applications (2017), ch. 1",
        ),
        cite("look-ups = reads × followed", "arithmetic"),
        cite(
            "crossover by work: one write × cost for each follower = reads × followed / posts, the look-ups for each post",
            "after Silberstein et al., Feeding Frenzy, SIGMOD 2010, over all pairs at once",
        ),
        cite(
            "reached in time = (store − usual writes) × deadline",
            "fluid approximation",
        ),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    working.step("push", "post_rate × followers");
    working.step("pull", "read_rate × followed");
    if working.at("pull") > 0.0 {
        working.step("ratio", "push × write_cost / pull");
    } else {
        working.answered(
            "ratio",
            "push × write_cost / pull",
            Answer::Words("nobody reads: whatever is copied is wasted".to_owned()),
        );
    }
    working.step("by_work", "pull / (post_rate × write_cost)");
    working.step("store", "push / entry_rate");
    let station = MultiServer::new(working.at("push"), working.at("entry_rate"), 1);
    if let Err(growing) = value_or_answer(station) {
        working.answered("by_time", "(entry_rate - push) × deadline", growing.clone());
        working.answered(
            "celebrity",
            "largest / (entry_rate - push)",
            growing.clone(),
        );
        working.answered("crossover", "lesser of by_work and by_time", growing);
        working.warn(format!(
            "Copying alone is {} and the store takes {}: timelines fall behind for good.",
            working.text("push"),
            working.text("entry_rate")
        ));
    } else {
        working.step("by_time", "(entry_rate - push) × deadline");
        working.step("celebrity", "largest / (entry_rate - push)");
        let crossover = working.at("by_work").min(working.at("by_time"));
        working.computed("crossover", "lesser of by_work and by_time", crossover);
    }
    if working.at("celebrity") > working.at("deadline") {
        working.warn(format!(
            "A post of the largest author takes {} to arrive: gather the posts of authors with more than {} at reading.",
            working.text("celebrity"),
            working.text("crossover")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!(
        "At 10x, {}, copying makes {}, against {} today",
        then.text("post_rate"),
        then.text("push"),
        now.text("push")
    );
    match then.answer("crossover") {
        Some(Answer::Growing { .. }) => format!(
            "{base}, and the timeline store takes {}: it fails first, {}, and {}. Copy for fewer authors, or add nodes until it takes more.",
            then.text("entry_rate"),
            full_from(now.at("store")),
            then.text("by_time")
        ),
        _ if then.at("celebrity") > then.at("deadline") => format!(
            "{base}, and the timeline store is at {}. First to fail is the deadline of large authors{}: a post reaches {} in time, against {} today, and the largest author has {}.",
            then.text("store"),
            if now.at("celebrity") > now.at("deadline") {
                ", already today"
            } else {
                ""
            },
            then.text("by_time"),
            now.text("by_time"),
            then.text("largest")
        ),
        _ => format!(
            "{base}. Nothing fails: the timeline store is at {}, and the largest author's posts arrive within {}. What changes is the crossover, {} against {} today.",
            then.text("store"),
            then.text("celebrity"),
            then.text("crossover"),
            now.text("crossover")
        ),
    }
}
