//! Caches: hit ratios under independent requests, and what misses cost.
//!
//! Must never know what is cached or who asks.

use super::popularity::Zipf;
use crate::domain::queueing::{ParameterError, Problem, between, counted, fraction, non_negative};

/// How long an entry survives in a cache that evicts the least recently used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CharacteristicTime {
    /// In requests to the whole cache.
    Requests(f64),
    /// Everything fits: nothing is ever evicted.
    Endless,
}

/// A cache that evicts the least recently used (LRU), by Che's approximation.
///
/// An entry stays for a characteristic time t after its last use, the same for all: Σ(1 − e^(−q·t)) = C. The hit ratio is
/// Σ q·(1 − e^(−q·t)). Source: Che, Tung & Wang, IEEE JSAC 20 (2002); Fricker, Robert & Roberts 2012.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LruCache {
    hit_ratio: f64,
    time: CharacteristicTime,
}

impl LruCache {
    /// A cache of `capacity` entries in front of keys with this popularity.
    pub fn new(popularity: Zipf, capacity: u64) -> Result<Self, ParameterError> {
        if capacity == 0 {
            return Ok(Self {
                hit_ratio: 0.0,
                time: CharacteristicTime::Requests(0.0),
            });
        }
        if capacity >= popularity.keys() {
            return Ok(Self {
                hit_ratio: 1.0,
                time: CharacteristicTime::Endless,
            });
        }
        let target = capacity as f64;
        let absent = (popularity.keys() - capacity) as f64;
        let nodes = popularity.nodes();
        // The number of entries is concave in the time, and less than it: Newton's method climbs from below. It is measured by the
        // smaller of what is in the cache and what is not, so that a cache of all keys but one keeps its digits.
        let mut time = target;
        let mut hit_ratio = 0.0;
        for _ in 0..500 {
            let (mut entries, mut gone, mut slope, mut hits) = (0.0, 0.0, 0.0, 0.0);
            for (q, weight) in &nodes {
                let present = -(-q * time).exp_m1();
                let away = (-q * time).exp();
                entries += weight * present;
                gone += weight * away;
                slope += weight * q * away;
                hits += weight * q * present;
            }
            hit_ratio = hits;
            if slope <= 0.0 {
                break;
            }
            let missing = if absent < target {
                gone - absent
            } else {
                target - entries
            };
            let step = missing / slope;
            let next = time + step;
            if !next.is_finite() || next <= 0.0 {
                break;
            }
            time = next;
            if step.abs() <= 1e-12 * time {
                break;
            }
        }
        Ok(Self {
            hit_ratio: hit_ratio.clamp(0.0, 1.0),
            time: CharacteristicTime::Requests(time),
        })
    }

    pub fn hit_ratio(&self) -> f64 {
        self.hit_ratio
    }

    pub fn characteristic_time(&self) -> CharacteristicTime {
        self.time
    }
}

/// The hit ratio of a cache that holds the C most popular keys, the best that any can do under independent requests:
/// H(C, s)/H(N, s). Perfect LFU comes to it. Source: Breslau et al., INFOCOM 1999.
pub fn top_hit_ratio(popularity: Zipf, capacity: u64) -> f64 {
    popularity.top(capacity)
}

/// The most keys for which all sets of cached keys are enumerated.
const MOST_ENUMERATED: u64 = 20;

/// The exact hit ratio of a small LRU cache: the sum over the orders in which the last C keys were used. Source: King 1971; Fagin 1977.
pub fn exact_lru(popularity: Zipf, capacity: u64) -> Result<f64, ParameterError> {
    let keys = counted("keys", popularity.keys(), 1, MOST_ENUMERATED)? as usize;
    let shares: Vec<f64> = (1..=keys as u64)
        .map(|rank| popularity.share(rank))
        .collect();
    if capacity >= keys as u64 {
        return Ok(1.0);
    }
    // The probability that the last keys used are this set, built up by who was used longest ago.
    let mut sets = vec![0.0; 1 << keys];
    sets[0] = 1.0;
    let mut hits = 0.0;
    for set in 0..sets.len() {
        let inside: f64 = held(set, &shares).map(|(_, share)| share).sum();
        let size = u64::from(set.count_ones());
        if size == capacity {
            hits += sets[set] * inside;
        }
        if size >= capacity {
            continue;
        }
        // What is left, without a subtraction.
        let outside: f64 = held(!set, &shares).map(|(_, share)| share).sum();
        for (key, share) in held(!set, &shares) {
            sets[set | (1 << key)] += sets[set] * share / outside;
        }
    }
    Ok(hits)
}

/// The keys of a set, with their shares.
fn held(set: usize, shares: &[f64]) -> impl Iterator<Item = (usize, f64)> + '_ {
    let keys = shares.iter().copied().enumerate();
    keys.filter(move |(key, _)| set & (1 << key) != 0)
}

/// The exact hit ratio of a cache that evicts the oldest entry (FIFO), which is that of one that evicts at random: a set is cached
/// with probability proportional to the product of its keys' shares, so that the miss ratio is (C + 1)·e(C + 1)/e(C) with elementary
/// symmetric sums of the shares. Source: King 1971; Gelenbe, IEEE Trans. Computers 22 (1973).
pub fn exact_fifo(popularity: Zipf, capacity: u64) -> Result<f64, ParameterError> {
    let keys = counted("keys", popularity.keys(), 1, 20_000)? as u64;
    if capacity >= keys {
        return Ok(1.0);
    }
    if capacity == 0 {
        return Ok(0.0);
    }
    if capacity > 2_000 {
        return Err(ParameterError {
            name: "capacity",
            problem: Problem::Above(2_000.0),
        });
    }
    // Sums in units of the largest share, scaled down together so that none overflows. The scale cancels in the quotient.
    let size = capacity as usize + 1;
    let largest = popularity.share(1);
    let mut sums = vec![0.0_f64; size + 1];
    let mut scales = vec![0_i32; size + 1];
    sums[0] = 1.0;
    for rank in 1..=keys {
        let share = popularity.share(rank) / largest;
        for count in (1..=size).rev() {
            let shift = scales[count - 1] - scales[count];
            let grown = sums[count - 1] * share;
            if grown == 0.0 {
                continue;
            }
            // Each sum carries its own power of 2^512.
            if sums[count] == 0.0 {
                sums[count] = grown;
                scales[count] = scales[count - 1];
            } else if shift == 0 {
                sums[count] += grown;
            } else if shift > 0 {
                sums[count] = sums[count] * 2_f64.powi(-512 * shift.min(2)) + grown;
                scales[count] = scales[count - 1];
            } else {
                sums[count] += grown * 2_f64.powi(512 * shift.max(-2));
            }
            if sums[count] > 2_f64.powi(512) {
                sums[count] *= 2_f64.powi(-512);
                scales[count] += 1;
            } else if sums[count] < 2_f64.powi(-512) {
                sums[count] *= 2_f64.powi(512);
                scales[count] -= 1;
            }
        }
    }
    let shift = (scales[size] - scales[size - 1]).clamp(-2, 2);
    let quotient = sums[size] / sums[size - 1] * 2_f64.powi(512 * shift);
    Ok((1.0 - size as f64 * quotient * largest).clamp(0.0, 1.0))
}

/// The hit ratio of one key whose entry lives for a time from its filling on: λT/(1 + λT). Source: Jung, Berger & Balakrishnan, INFOCOM 2003.
pub fn fixed_lifetime_hit_ratio(rate: f64, lifetime: f64) -> Result<f64, ParameterError> {
    let asked = non_negative("rate", rate)? * non_negative("lifetime", lifetime)?;
    Ok(asked / (1.0 + asked))
}

/// The hit ratio of one key whose entry lives for a time from its last use on: 1 − e^(−λT). Source: Fofack et al. 2012.
pub fn renewed_lifetime_hit_ratio(rate: f64, lifetime: f64) -> Result<f64, ParameterError> {
    let asked = non_negative("rate", rate)? * non_negative("lifetime", lifetime)?;
    Ok(-(-asked).exp_m1())
}

/// How many times an expired entry is worked out at once when nobody waits for another's result: 1 + λR, for R the time it takes.
/// Source: stated in Vattani, Chierichetti & Lowenstein, VLDB 2015.
pub fn duplicate_recomputations(rate: f64, recompute: f64) -> Result<f64, ParameterError> {
    Ok(1.0 + non_negative("rate", rate)? * non_negative("recompute", recompute)?)
}

/// How many times its usual load comes to what is behind the cache when the cache is empty: 1/(1 − h).
pub fn cold_multiplier(hit_ratio: f64) -> Result<f64, ParameterError> {
    let hit_ratio = fraction("hit_ratio", hit_ratio)?;
    if hit_ratio == 1.0 {
        return Err(ParameterError {
            name: "hit_ratio",
            problem: Problem::NotBelow(1.0),
        });
    }
    Ok(1.0 / (1.0 - hit_ratio))
}

/// The mean time of a look-up where a miss pays for both: h·t1 + (1 − h)·(t1 + t2).
pub fn mean_latency(hit_ratio: f64, hit: f64, miss: f64) -> Result<f64, ParameterError> {
    let hit_ratio = fraction("hit_ratio", hit_ratio)?;
    let hit = between("hit", hit, 0.0, 1e100)?;
    let miss = between("miss", miss, 0.0, 1e100)?;
    Ok(hit + (1.0 - hit_ratio) * miss)
}
