//! Cache: how often it hits, and what the misses do to the database.

use super::{cite, detail, excess, full_from, main};
use crate::domain::calculator::sources::{NAPKIN, OURS, PREPARATION, REDIS, YCSB};
use crate::domain::calculator::{Answer, Calculator, Input, Scale, Span, Sweep, Typical, Working};
use crate::domain::capacity::{CharacteristicTime, LruCache, Zipf, top_hit_ratio};

pub(super) const CACHE: Calculator = Calculator {
    slug: "cache",
    title: "Cache",
    summary: "How often does a cache of this size hit, and what is left for the database, also on the day when the cache is empty?",
    also: "Zipf, Che's approximation, hit ratio, misses",
    inputs: &[
        Input {
            id: "rate",
            label: "Reads",
            unit: "req/s",
            default: "50k req/s",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "1k req/s",
                to: "1M req/s",
                source: OURS,
            },
            help: "Reads at the peak that ask the cache first.",
        },
        Input {
            id: "population",
            label: "Keys",
            unit: "keys",
            default: "10M keys",
            source: OURS,
            min: 1.0,
            max: 1e12,
            whole: true,
            typical: Typical {
                from: "100k keys",
                to: "1bn keys",
                source: OURS,
            },
            help: "Different things that may be asked for, however rarely.",
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
            help: "0 asks for all keys alike; near 1, the second key is asked for half as often as the first, the tenth a tenth as often.",
        },
        Input {
            id: "entry",
            label: "Size of an entry",
            unit: "KB",
            default: "1 KB",
            source: OURS,
            min: 1e-3,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "100 B",
                to: "100 KB",
                source: OURS,
            },
            help: "Bytes that an entry takes in the cache, with its key and the cache's own bookkeeping.",
        },
        Input {
            id: "memory",
            label: "Memory",
            unit: "GB",
            default: "2 GB",
            source: OURS,
            min: 0.0,
            max: 1e7,
            whole: false,
            typical: Typical {
                from: "1 GB",
                to: "1 TB",
                source: OURS,
            },
            help: "What all nodes of the cache have for entries, each key counted once.",
        },
        Input {
            id: "cache_limit",
            label: "Reads that the cache serves",
            unit: "req/s",
            default: "100k req/s",
            source: REDIS,
            min: 1.0,
            max: 1e10,
            whole: false,
            typical: Typical {
                from: "70k req/s",
                to: "180k req/s",
                source: REDIS,
            },
            help: "At full load, over all of its nodes; the default and the usual range are those of one Redis node, without pipelines.",
        },
        Input {
            id: "db_limit",
            label: "Reads that the database serves",
            unit: "req/s",
            default: "20k req/s",
            source: PREPARATION,
            min: 1.0,
            max: 1e9,
            whole: false,
            typical: Typical {
                from: "10k req/s",
                to: "50k req/s",
                source: PREPARATION,
            },
            help: "At full load, of simple reads.",
        },
        Input {
            id: "hit_time",
            label: "Time of a hit",
            unit: "ms",
            default: "0.5 ms",
            source: REDIS,
            min: 0.0,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "0.25 ms",
                to: "2 ms",
                source: NAPKIN,
            },
            help: "One round trip to the cache; a miss pays it too.",
        },
        Input {
            id: "miss_time",
            label: "Time of the database's answer",
            unit: "ms",
            default: "5 ms",
            source: OURS,
            min: 0.0,
            max: 1e6,
            whole: false,
            typical: Typical {
                from: "1 ms",
                to: "100 ms",
                source: OURS,
            },
            help: "What a miss pays on top of the look-up.",
        },
    ],
    outputs: &[
        detail("places", "Entries that fit", "keys"),
        main(
            "hit_ratio",
            "Hit ratio, evicting the least recently used",
            "%",
        ),
        detail("best", "Hit ratio of the best that any policy can do", "%"),
        detail("stay", "How long an entry stays after its last use", "s"),
        detail("cache_load", "Cache's utilization", "%"),
        main("misses", "Misses, which the database serves", "req/s"),
        main("before", "Database's utilization without the cache", "%"),
        main("after", "Database's utilization behind the cache", "%"),
        main(
            "cold",
            "Load on the database when the cache is empty, over now",
            "x",
        ),
        main("mean_time", "Mean time of a read", "ms"),
        main(
            "one_point",
            "Further load on the database if the hit ratio fell by one point",
            "%",
        ),
    ],
    assumption: "Popularity: requests are independent and follow Zipf's law. Real traffic has trends and bursts, which a cache likes, and scans, which it does not.",
    sweep: Sweep {
        input: "memory",
        output: "hit_ratio",
        span: Span::Around {
            from: 0.03,
            to: 10.0,
        },
        x: Scale::Log,
        y: Scale::Linear,
    },
    load: "rate",
    citations: &[
        cite(
            "Σ(1 − e^(−q·t)) = places; hit ratio = Σ q·(1 − e^(−q·t))",
            "Che, Tung & Wang, IEEE JSAC 20 (2002); Fricker, Robert & Roberts 2012",
        ),
        cite(
            "best = H(places, s)/H(keys, s)",
            "Breslau et al., INFOCOM 1999",
        ),
        cite("cold = 1/(1 − hit ratio)", "arithmetic"),
    ],
    compute,
    fails_first,
};

fn compute(working: &mut Working) {
    let places = (working.at("memory") / working.at("entry") * (1.0 + 1e-12)).floor();
    working.computed("places", "⌊memory / entry⌋", places);
    let found = Zipf::new(working.count("population"), working.at("skew")).and_then(|popularity| {
        let cache = LruCache::new(popularity, places.min(1e18) as u64)?;
        Ok((cache, top_hit_ratio(popularity, places.min(1e18) as u64)))
    });
    let found = found.map_err(|fault| Answer::Words(fault.to_string()));
    working.found(
        "hit_ratio",
        "Che(population, skew, places)",
        &found,
        |(cache, _)| Ok(cache.hit_ratio()),
    );
    working.found(
        "best",
        "H(places, skew) / H(population, skew)",
        &found,
        |(_, best)| Ok(*best),
    );
    let stay = found.and_then(|(cache, _)| match cache.characteristic_time() {
        CharacteristicTime::Requests(requests) => Ok(requests),
        CharacteristicTime::Endless => Err(Answer::Words("for good: everything fits".to_owned())),
    });
    let rate = working.at("rate");
    working.found(
        "stay",
        "t(population, skew, places) / rate",
        &stay,
        |requests| Ok(requests / rate),
    );
    working.step("cache_load", "rate / cache_limit");
    working.step("misses", "rate × (1 - hit_ratio)");
    working.step("before", "rate / db_limit");
    working.step("after", "misses / db_limit");
    if working.at("hit_ratio") < 1.0 {
        working.step("cold", "1 / (1 - hit_ratio)");
    } else {
        working.answered(
            "cold",
            "1 / (1 - hit_ratio)",
            Answer::Words("without bound: now the database sees nothing of these reads".to_owned()),
        );
    }
    let [cache_load, after] = ["cache_load", "after"].map(|id| working.at(id));
    if cache_load < 1.0 && after < 1.0 {
        working.step("mean_time", "hit_time + (1 - hit_ratio) × miss_time");
    } else {
        let [asked, missed] = [("rate", "cache_limit"), ("misses", "db_limit")]
            .map(|(arrivals, limit)| working.at(arrivals) - working.at(limit));
        working.answered(
            "mean_time",
            "hit_time + (1 - hit_ratio) × miss_time",
            Answer::Growing {
                by_per_second: asked.max(missed),
            },
        );
    }
    if working.at("hit_ratio") < 1.0 {
        working.step("one_point", "1 % / (1 - hit_ratio)");
    } else {
        working.answered(
            "one_point",
            "1 % / (1 - hit_ratio)",
            Answer::Words("without bound: now the database sees nothing of these reads".to_owned()),
        );
    }
    if cache_load >= 1.0 {
        working.warn(format!(
            "The cache itself is overloaded: {} against {}, so that {} more come than it serves.",
            working.text("rate"),
            working.text("cache_limit"),
            excess(working, "rate", "cache_limit")
        ));
    }
    if after >= 1.0 {
        working.warn(format!(
            "Even behind the cache the database is overloaded: {} of misses against {}, so that its queue grows by {}.",
            working.text("misses"),
            working.text("db_limit"),
            excess(working, "misses", "db_limit")
        ));
    } else if working.at("before") >= 1.0 {
        working.warn(format!(
            "Without the cache the database is overloaded ({}): an empty cache is an outage. Warm it, merge equal misses, and let only as many through as the database bears.",
            working.text("before")
        ));
    }
}

fn fails_first(now: &Working, then: &Working) -> String {
    let base = format!(
        "At 10x, {}, {} miss with the same memory: the database is at {}, against {} today, and the cache itself at {}.",
        then.text("rate"),
        then.text("misses"),
        then.text("after"),
        now.text("after"),
        then.text("cache_load")
    );
    let (cache, database) = (now.at("cache_load"), now.at("after"));
    if then.at("cache_load") >= 1.0 && cache >= database {
        format!(
            "{base} The cache fails first, {}: it serves {}. More nodes carry more keys, but not more of the one hottest key, which needs copies of its own.",
            full_from(cache),
            then.text("cache_limit")
        )
    } else if then.at("after") >= 1.0 {
        let needed = (1.0 - 0.7 * then.at("db_limit") / then.at("rate")).max(0.0);
        format!(
            "{base} The database fails first, {}. To stay at 70 % the hit ratio would have to be {:.2} %, and it is {}.",
            full_from(database),
            needed * 100.0,
            then.text("hit_ratio")
        )
    } else if then.at("before") >= 1.0 {
        format!(
            "{base} Both hold while the cache is warm. What fails first is the empty cache, {}: then {} come to a database that does {}.",
            full_from(now.at("before")),
            then.text("rate"),
            then.text("db_limit")
        )
    } else {
        format!(
            "{base} Nothing fails, not even with an empty cache: then the database is at {}.",
            then.text("before")
        )
    }
}
