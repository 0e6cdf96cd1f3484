//! What a run comes to: rates, percentiles, ratios. Must never know what was measured.

use std::time::Duration;

use anyhow::ensure;

/// What a run of requests came to.
pub struct Run {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

impl Run {
    pub fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> anyhow::Result<Self> {
        ensure!(!latencies.is_empty(), "no request was answered");
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        Ok(Self {
            per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
        })
    }
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The middle one, the upper of two; not a number when there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Parts of each power of two, so that a quantile is at most a sixteenth too high.
const PARTS: u64 = 16;

/// How many latencies of which length, in microseconds: for runs that are too long to keep each one.
#[derive(Clone, Default)]
pub struct Histogram {
    /// Counts by bucket: each number up to 15 by itself, then sixteen buckets for each power of two.
    counts: Vec<u64>,
}

impl Histogram {
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = if micros < PARTS {
            micros
        } else {
            let shift = u64::from(micros.ilog2() - PARTS.ilog2());
            // The leading bit is counted by the shift.
            (shift + 1) * PARTS + ((micros >> shift) - PARTS)
        };
        let bucket = usize::try_from(bucket).unwrap_or(usize::MAX);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The longest of the shortest `share`, from 0 to 1, rounded up to the end of its bucket; zero when there is none.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in (0_u64..).zip(&self.counts) {
            seen += count;
            if seen >= rank {
                let micros = if bucket < PARTS {
                    bucket
                } else {
                    let shift = bucket / PARTS - 1;
                    ((PARTS + bucket % PARTS + 1) << shift) - 1
                };
                return Duration::from_micros(micros);
            }
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_at_most_a_sixteenth_too_high() {
        for exact in (0..200).chain([1_000, 65_535, 65_536, 65_537, 3_600_000_000]) {
            let mut histogram = Histogram::default();
            histogram.add(Duration::from_micros(exact));
            let found = histogram.quantile(0.99).as_micros();
            let exact = u128::from(exact);
            assert!(
                (exact..=exact + exact / 16).contains(&found),
                "{exact} is taken for {found}"
            );
        }
    }

    #[test]
    fn a_quantile_counts_from_the_shortest() {
        let mut histogram = Histogram::default();
        let mut slow = Histogram::default();
        for _ in 0..98 {
            histogram.add(Duration::from_micros(10));
        }
        slow.add(Duration::from_millis(1));
        slow.add(Duration::from_secs(1));
        histogram.merge(&slow);
        assert_eq!(histogram.count(), 100);
        assert_eq!(histogram.quantile(0.5), Duration::from_micros(10));
        assert_eq!(histogram.quantile(0.98), Duration::from_micros(10));
        assert!(histogram.quantile(0.99) < Duration::from_millis(2));
        assert!(histogram.quantile(1.0) >= Duration::from_secs(1));
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }
}
