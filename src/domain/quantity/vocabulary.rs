//! Vocabulary: what each word and sign after a number means. Units, magnitudes, nouns that are counted, and words that are refused
//! because they mean two things.
//!
//! Must never know grammar: it is asked about one word at a time.

use super::dimension::Dimension;
use super::spelling::distance;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
pub(super) const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;
pub(super) const MONTH: f64 = 30.0 * DAY;
pub(super) const YEAR: f64 = 365.0 * DAY;
const BYTES_PER_BIT: f64 = 0.125;

/// Spellings of one or two letters are exact, longer ones are read in any case.
const TIMES: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("nsec", 1e-9),
    ("nanosecond", 1e-9),
    ("nanoseconds", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("usec", 1e-6),
    ("microsecond", 1e-6),
    ("microseconds", 1e-6),
    ("ms", 1e-3),
    ("msec", 1e-3),
    ("millis", 1e-3),
    ("millisecond", 1e-3),
    ("milliseconds", 1e-3),
    ("s", 1.0),
    ("sec", 1.0),
    ("secs", 1.0),
    ("second", 1.0),
    ("seconds", 1.0),
    ("min", MINUTE),
    ("mins", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("hour", HOUR),
    ("hours", HOUR),
    ("d", DAY),
    ("day", DAY),
    ("days", DAY),
    ("wk", WEEK),
    ("wks", WEEK),
    ("week", WEEK),
    ("weeks", WEEK),
    ("mo", MONTH),
    ("mth", MONTH),
    ("month", MONTH),
    ("months", MONTH),
    ("y", YEAR),
    ("yr", YEAR),
    ("yrs", YEAR),
    ("year", YEAR),
    ("years", YEAR),
];

/// Counts per second, in one word.
const RATES: &[(&str, f64)] = &[
    ("rps", 1.0),
    ("qps", 1.0),
    ("tps", 1.0),
    ("iops", 1.0),
    ("Hz", 1.0),
    ("hz", 1.0),
    ("rpm", 1.0 / MINUTE),
    ("qpm", 1.0 / MINUTE),
    ("tpm", 1.0 / MINUTE),
];

const MONEY: &[(&str, f64)] = &[
    ("usd", 1.0),
    ("dollar", 1.0),
    ("dollars", 1.0),
    ("cent", 0.01),
    ("cents", 0.01),
];

const FRACTIONS: &[(&str, f64)] = &[("percent", 0.01), ("pct", 0.01), ("ppm", 1e-6)];

/// Spellings of data units that a slip is compared with; [`data`] reads more.
const DATA_SPELLINGS: &[&str] = &[
    "KB",
    "MB",
    "GB",
    "TB",
    "PB",
    "EB",
    "KiB",
    "MiB",
    "GiB",
    "TiB",
    "PiB",
    "Kbps",
    "Mbps",
    "Gbps",
    "bit",
    "bits",
    "byte",
    "bytes",
    "kbytes",
    "mbytes",
    "gbytes",
    "kilobytes",
    "megabytes",
    "gigabytes",
    "terabytes",
    "petabytes",
    "kilobyte",
    "megabyte",
    "gigabyte",
    "terabyte",
    "petabyte",
    "kilobits",
    "megabits",
    "gigabits",
];

/// What is often counted. Any other word that is not near a unit is a noun as well; these are never taken for a slip.
const NOUNS: &[&str] = &[
    "account",
    "accounts",
    "ad",
    "ads",
    "attempt",
    "attempts",
    "bid",
    "bids",
    "block",
    "blocks",
    "booking",
    "bookings",
    "bot",
    "bots",
    "box",
    "boxes",
    "call",
    "calls",
    "car",
    "cars",
    "cell",
    "cells",
    "chat",
    "chats",
    "chunk",
    "chunks",
    "click",
    "clicks",
    "client",
    "clients",
    "comment",
    "comments",
    "connection",
    "connections",
    "copies",
    "copy",
    "core",
    "cores",
    "cpu",
    "cpus",
    "customer",
    "customers",
    "device",
    "devices",
    "disk",
    "disks",
    "doc",
    "docs",
    "document",
    "documents",
    "driver",
    "drivers",
    "email",
    "emails",
    "entries",
    "entry",
    "event",
    "events",
    "file",
    "files",
    "follower",
    "followers",
    "hit",
    "hits",
    "host",
    "hosts",
    "id",
    "ids",
    "image",
    "images",
    "instance",
    "instances",
    "item",
    "items",
    "job",
    "jobs",
    "key",
    "keys",
    "kid",
    "kids",
    "like",
    "likes",
    "link",
    "links",
    "listing",
    "listings",
    "log",
    "logs",
    "lookup",
    "lookups",
    "machine",
    "machines",
    "match",
    "matches",
    "merchant",
    "merchants",
    "message",
    "messages",
    "miss",
    "misses",
    "msg",
    "msgs",
    "node",
    "nodes",
    "note",
    "notes",
    "object",
    "objects",
    "op",
    "operation",
    "operations",
    "ops",
    "order",
    "orders",
    "page",
    "pages",
    "partition",
    "partitions",
    "payment",
    "payments",
    "peer",
    "peers",
    "people",
    "person",
    "photo",
    "photos",
    "pin",
    "ping",
    "pings",
    "pins",
    "player",
    "players",
    "pod",
    "pods",
    "point",
    "points",
    "post",
    "posts",
    "product",
    "products",
    "q",
    "queries",
    "query",
    "r",
    "read",
    "reads",
    "record",
    "records",
    "redirect",
    "redirects",
    "replica",
    "replicas",
    "req",
    "reqs",
    "request",
    "requests",
    "ride",
    "rides",
    "rider",
    "riders",
    "room",
    "rooms",
    "row",
    "rows",
    "seat",
    "seats",
    "server",
    "servers",
    "session",
    "sessions",
    "shard",
    "shards",
    "song",
    "songs",
    "subscriber",
    "subscribers",
    "task",
    "tasks",
    "ticket",
    "tickets",
    "time",
    "times",
    "token",
    "tokens",
    "transaction",
    "transactions",
    "trip",
    "trips",
    "tweet",
    "tweets",
    "tx",
    "txn",
    "txns",
    "update",
    "updates",
    "upload",
    "uploads",
    "url",
    "urls",
    "user",
    "users",
    "vcpu",
    "vcpus",
    "video",
    "videos",
    "view",
    "views",
    "viewer",
    "viewers",
    "visit",
    "visits",
    "vm",
    "vms",
    "word",
    "words",
    "worker",
    "workers",
    "write",
    "writes",
    "x",
];

/// What a word after a number stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    Unit {
        factor: f64,
        dimension: Dimension,
    },
    Noun,
    /// It could mean two things; the message says what to write instead.
    Refused(String),
}

/// The meaning of a known word; none for a word that is not known.
pub(super) fn meaning(word: &str) -> Option<Meaning> {
    let unit = |factor, dimension| Some(Meaning::Unit { factor, dimension });
    if let Some(message) = refusal(word) {
        return Some(Meaning::Refused(message));
    }
    if let Some((factor, dimension)) = data(word) {
        return unit(factor, dimension);
    }
    for (table, dimension) in [
        (TIMES, Dimension::TIME),
        (RATES, Dimension::RATE),
        (MONEY, Dimension::MONEY),
        (FRACTIONS, Dimension::NONE),
    ] {
        if let Some(factor) = find(table, word) {
            return unit(factor, dimension);
        }
    }
    if is_noun(word) {
        return Some(Meaning::Noun);
    }
    // `kreq`, `Mrows`, `kqps`: a magnitude in front of something that is counted.
    let mut letters = word.chars();
    let first = letters.next()?;
    let rest = letters.as_str();
    if !matches!(first, 'k' | 'K' | 'M' | 'G') || rest.len() < 2 {
        return None;
    }
    let scale = magnitude(&first.to_string())?;
    if is_noun(rest) {
        return unit(scale, Dimension::NONE);
    }
    find(RATES, rest).and_then(|factor| unit(scale * factor, Dimension::RATE))
}

/// Whether a word is a unit, so that it may stand without a number in a formula.
pub(super) fn unit(word: &str) -> Option<(f64, Dimension)> {
    match meaning(word) {
        Some(Meaning::Unit { factor, dimension }) => Some((factor, dimension)),
        _ => None,
    }
}

pub(super) fn is_noun(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    NOUNS.contains(&word.as_str())
}

fn find(table: &[(&str, f64)], word: &str) -> Option<f64> {
    let lower = word.to_ascii_lowercase();
    table
        .iter()
        .find(|(spelling, _)| {
            *spelling == word || (word.chars().count() >= 3 && *spelling == lower)
        })
        .map(|(_, factor)| *factor)
}

/// The factor of a magnitude right after a number. `B` for billion depends on what follows and is not decided here.
pub(super) fn magnitude(word: &str) -> Option<f64> {
    let factor = match word {
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => match word.to_ascii_lowercase().as_str() {
            "hundred" => 1e2,
            "thousand" | "thousands" => 1e3,
            "lakh" | "lakhs" => 1e5,
            "million" | "millions" | "mn" | "mln" | "mio" => 1e6,
            "crore" | "crores" => 1e7,
            "bn" | "bln" | "billion" | "billions" => 1e9,
            "tn" | "trn" | "trillion" | "trillions" => 1e12,
            "quadrillion" => 1e15,
            _ => return None,
        },
    };
    Some(factor)
}

/// A unit that an unknown word is probably a slip of.
pub(super) fn near_unit(word: &str) -> Option<&'static str> {
    let length = word.chars().count();
    let lower = word.to_ascii_lowercase();
    let allowed = if length >= 7 { 2 } else { 1 };
    TIMES
        .iter()
        .chain(RATES)
        .chain(MONEY)
        .chain(FRACTIONS)
        .map(|(spelling, _)| *spelling)
        .chain(DATA_SPELLINGS.iter().copied())
        .filter(|spelling| {
            // Short words are all near each other: they must at least begin alike and be of one length, or differ in case alone.
            let short = length <= 3 || spelling.chars().count() <= 3;
            !short
                || (length == spelling.chars().count()
                    && lower.chars().next() == spelling.to_ascii_lowercase().chars().next())
        })
        .map(|spelling| (distance(&lower, &spelling.to_ascii_lowercase()), spelling))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, spelling)| spelling)
}

/// A unit of data or of data per second, with its prefix.
fn data(word: &str) -> Option<(f64, Dimension)> {
    let lower = word.to_ascii_lowercase();
    for (prefix, binary, exponent) in [
        ("kilo", "kibi", 1),
        ("mega", "mebi", 2),
        ("giga", "gibi", 3),
        ("tera", "tebi", 4),
        ("peta", "pebi", 5),
        ("exa", "exbi", 6),
    ] {
        for (spelling, step) in [(prefix, 1000.0_f64), (binary, 1024.0)] {
            if let Some(size) = lower.strip_prefix(spelling).and_then(data_word) {
                return Some((step.powi(exponent) * size, Dimension::DATA));
            }
        }
    }
    let (scale, base) = prefixed(word);
    if let Some(size) = data_word(&base.to_ascii_lowercase()) {
        return Some((scale * size, Dimension::DATA));
    }
    let (size, dimension) = match base {
        "B" | "Bs" => (1.0, Dimension::DATA),
        "Bps" => (1.0, Dimension::BANDWIDTH),
        "b" => (BYTES_PER_BIT, Dimension::DATA),
        "bps" | "bitps" => (BYTES_PER_BIT, Dimension::BANDWIDTH),
        _ => return None,
    };
    Some((scale * size, dimension))
}

fn data_word(word: &str) -> Option<f64> {
    match word {
        "byte" | "bytes" => Some(1.0),
        "bit" | "bits" => Some(BYTES_PER_BIT),
        _ => None,
    }
}

/// Splits an SI or binary prefix from the front of a data unit.
fn prefixed(word: &str) -> (f64, &str) {
    let mut letters = word.chars();
    let exponent = match letters.next() {
        Some('k' | 'K') => 1,
        Some('m' | 'M') => 2,
        Some('g' | 'G') => 3,
        Some('t' | 'T') => 4,
        Some('p' | 'P') => 5,
        Some('E') => 6,
        _ => return (1.0, word),
    };
    let rest = letters.as_str();
    match rest.strip_prefix('i') {
        Some(base) => (1024.0_f64.powi(exponent), base),
        None => (1000.0_f64.powi(exponent), rest),
    }
}

/// Words that mean two things, with what to write instead.
fn refusal(word: &str) -> Option<String> {
    let message = match word {
        "m" => "`m` could be minutes, metres or milli: write `min` for minutes or `M` for million."
            .to_owned(),
        "b" => "`b` could be bits, bytes or billion: write `bit`, `B` or `bn`.".to_owned(),
        "kb" | "mb" | "gb" | "tb" | "pb" | "kib" | "mib" | "gib" | "tib" | "pib" | "kbs"
        | "mbs" | "gbs" | "tbs" | "Kbs" | "Mbs" | "Gbs" | "Tbs" => {
            let prefix = word.trim_end_matches(['b', 's']);
            let mut letters = prefix.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            let prefix: String = first.into_iter().chain(letters).collect();
            format!(
                "`{word}` could be bytes or bits: write `{prefix}B` for bytes or `{prefix}bit` for bits."
            )
        }
        _ => match word.to_ascii_lowercase().as_str() {
            "hourly" => adverb(word, "hour"),
            "daily" => adverb(word, "day"),
            "weekly" => adverb(word, "week"),
            "monthly" => adverb(word, "month"),
            "yearly" | "annual" | "annually" => adverb(word, "year"),
            "nines" => "Write the nines out, as in `99.9 %` for three.".to_owned(),
            "eur" | "euro" | "euros" | "gbp" | "pound" | "pounds" | "yen" | "inr" | "rupees" => {
                FOREIGN_MONEY.to_owned()
            }
            _ => return None,
        },
    };
    Some(message)
}

/// What is said of any currency but the dollar.
pub(super) const FOREIGN_MONEY: &str = "Money is in US dollars here: write `$5` or `5 USD`.";

fn adverb(word: &str, time: &str) -> String {
    format!(
        "`{word}` can be read in two ways: write `/ {time}` for a rate, or leave the word out for a plain count."
    )
}
