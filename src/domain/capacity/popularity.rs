//! Popularity: keys whose use falls as a power of their rank (Zipf), for any number of keys.
//!
//! A sum over a thousand million ranks is a sum over the first few thousand and an integral over the rest, corrected by
//! Euler and Maclaurin's formula: exact to about twelve digits, at the cost of the few thousand. Must never know caches or shards.

use crate::domain::queueing::{ParameterError, between, counted};

/// Ranks that are summed one by one before the integral takes over.
const SUMMED: u64 = 4096;

/// The same for functions of a probability, whose integral is a quadrature.
const DIRECT: u64 = 1024;

/// The largest number of keys.
const MOST_KEYS: u64 = 1_000_000_000_000_000;

/// N keys of which the one of rank k is asked for with probability k^−s/H(N, s). Source: Zipf 1949; Breslau et al., INFOCOM 1999.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    keys: u64,
    exponent: f64,
    total: f64,
}

impl Zipf {
    /// N ≥ 1 keys, exponent s from 0 (all alike) to 20.
    pub fn new(keys: u64, exponent: f64) -> Result<Self, ParameterError> {
        counted("keys", keys, 1, MOST_KEYS)?;
        let exponent = between("exponent", exponent, 0.0, 20.0)?;
        Ok(Self {
            keys,
            exponent,
            total: generalized_harmonic(keys, exponent),
        })
    }

    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// The probability of the key of a rank, from 1; 0 beyond the last.
    pub fn share(&self, rank: u64) -> f64 {
        if rank == 0 || rank > self.keys {
            return 0.0;
        }
        (rank as f64).powf(-self.exponent) / self.total
    }

    /// The share of requests that goes to the `count` most popular keys: H(count, s)/H(N, s).
    pub fn top(&self, count: u64) -> f64 {
        if count >= self.keys {
            return 1.0;
        }
        generalized_harmonic(count, self.exponent) / self.total
    }

    /// Probabilities with weights, so that the weighted sum of a smooth function of them is the sum over all keys.
    pub(super) fn nodes(&self) -> Vec<(f64, f64)> {
        let mut nodes = Vec::new();
        let summed = self.keys.min(DIRECT);
        let mut add = |rank: f64, weight: f64| {
            nodes.push((rank.powf(-self.exponent) / self.total, weight));
        };
        for rank in (1..=summed).rev() {
            add(rank as f64, 1.0);
        }
        if summed == self.keys {
            return nodes;
        }
        // The midpoint form: the sum over a < k < b is the integral from a to b, less (f'(b) − f'(a))/24, with a and b halfway
        // between ranks. The integral is taken over the logarithm of the rank.
        let [from, to] = [summed, self.keys].map(|rank| rank as f64 + 0.5);
        let length = (to / from).ln();
        let panels = (length * 6.0 * self.exponent.max(1.0)).ceil().max(1.0);
        let width = length / panels;
        for panel in 0..panels as u64 {
            let middle = from.ln() + (panel as f64 + 0.5) * width;
            for (node, weight) in GAUSS {
                for side in [-node, node] {
                    let rank = (middle + side * width / 2.0).exp();
                    add(rank, weight * width / 2.0 * rank);
                }
            }
        }
        for (rank, sign) in [(to, -1.0), (from, 1.0)] {
            // A central difference is enough for a term that is this small.
            let step = rank * 1e-3;
            let slope = sign / 24.0 / (2.0 * step);
            add(rank + step, slope);
            add(rank - step, -slope);
        }
        nodes
    }
}

/// Gauss-Legendre quadrature with ten nodes: the positive ones, each with its weight. Source: Abramowitz & Stegun, table 25.4.
const GAUSS: [(f64, f64); 5] = [
    (0.148_874_338_981_631_2, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

/// H(n, s), the sum of k^−s up to n.
///
/// Source: Euler-Maclaurin summation, Abramowitz & Stegun 23.1.30, with the first three Bernoulli terms.
fn generalized_harmonic(n: u64, s: f64) -> f64 {
    let power = |x: f64| x.powf(-s);
    if n <= SUMMED {
        return (1..=n).rev().map(|k| power(k as f64)).sum();
    }
    let first: f64 = (1..SUMMED).rev().map(|k| power(k as f64)).sum();
    let (a, b) = (SUMMED as f64, n as f64);
    let log = (b / a).ln();
    // ∫ x^−s dx, also near s = 1.
    let slope = 1.0 - s;
    let integral = if (slope * log).abs() < 1e-9 {
        a.powf(slope) * log * (1.0 + slope * log / 2.0)
    } else {
        a.powf(slope) * (slope * log).exp_m1() / slope
    };
    let ends = f64::midpoint(power(a), power(b));
    let correction = |x: f64| {
        let f1 = -s * power(x) / x;
        let f3 = f1 * (s + 1.0) * (s + 2.0) / (x * x);
        let f5 = f3 * (s + 3.0) * (s + 4.0) / (x * x);
        f1 / 12.0 - f3 / 720.0 + f5 / 30240.0
    };
    first + integral + ends + (correction(b) - correction(a))
}

/// The share of the load of the shard that holds the hottest key, when the rest spreads evenly: q1 + (1 − q1)/shards.
pub fn hottest_shard_share(hottest: f64, shards: u64) -> Result<f64, ParameterError> {
    let hottest = crate::domain::queueing::fraction("hottest", hottest)?;
    let shards = counted("shards", shards, 1, MOST_KEYS)?;
    Ok(hottest + (1.0 - hottest) / shards)
}
