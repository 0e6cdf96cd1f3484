//! Capacity beyond the reference cases, which `queueing` walks: extremes, and what must hold for all parameters.

use proptest::prelude::*;

use super::*;

fn close(left: f64, right: f64, tolerance: f64) {
    assert!(
        (left - right).abs() <= tolerance * right.abs(),
        "{left} against {right}"
    );
}

#[test]
fn sums_over_many_keys_agree_with_plain_sums() {
    for (keys, exponent) in [
        (100_000_u64, 0.6),
        (300_000, 1.0),
        (300_000, 1.7),
        (100_000, 0.0),
    ] {
        let zipf = Zipf::new(keys, exponent).expect("zipf");
        let total: f64 = (1..=keys).rev().map(|k| (k as f64).powf(-exponent)).sum();
        close(zipf.share(1), 1.0 / total, 1e-13);
        let time = 5000.0;
        let plain: f64 = (1..=keys)
            .rev()
            .map(|k| -(-(k as f64).powf(-exponent) / total * time).exp_m1())
            .sum();
        let nodes = zipf.nodes();
        let quick: f64 = nodes
            .iter()
            .map(|(q, weight)| -weight * (-q * time).exp_m1())
            .sum();
        close(quick, plain, 1e-11);
    }
}

#[test]
fn a_thousand_million_keys_take_no_time() {
    let zipf = Zipf::new(1_000_000_000, 0.99).expect("zipf");
    let cache = LruCache::new(zipf, 10_000_000).expect("cache");
    let best = top_hit_ratio(zipf, 10_000_000);
    assert!(
        cache.hit_ratio() > 0.5 && cache.hit_ratio() < best,
        "{} {best}",
        cache.hit_ratio()
    );
    close(zipf.top(1_000_000_000), 1.0, 1e-15);
}

#[test]
fn a_full_cache_never_misses_and_an_empty_one_always() {
    for (keys, capacity, wanted) in [(10, 10, 1.0), (10, 11, 1.0), (10, 0, 0.0)] {
        let zipf = Zipf::new(keys, 1.0).expect("zipf");
        assert_eq!(
            LruCache::new(zipf, capacity).expect("cache").hit_ratio(),
            wanted
        );
        assert_eq!(exact_lru(zipf, capacity).expect("exact"), wanted);
        assert_eq!(exact_fifo(zipf, capacity).expect("exact"), wanted);
        assert_eq!(top_hit_ratio(zipf, capacity), wanted);
    }
}

#[test]
fn products_of_many_shares_neither_overflow_nor_vanish() {
    // All alike: any cache of C out of N hits C/N.
    let zipf = Zipf::new(5_000, 0.0).expect("zipf");
    close(exact_fifo(zipf, 1_000).expect("exact"), 0.2, 1e-9);
    let skewed = Zipf::new(2_000, 1.2).expect("zipf");
    let fifo = exact_fifo(skewed, 500).expect("exact");
    let lru = LruCache::new(skewed, 500).expect("cache").hit_ratio();
    assert!(fifo < lru && fifo > 0.5 * lru, "{fifo} {lru}");
}

#[test]
fn a_thousand_parts_with_tiny_tails() {
    // mpmath, 40 digits.
    close(
        at_least(990, 1000, 0.995).expect("share"),
        0.986_530_990_671_068_2,
        1e-11,
    );
    let down = at_least_unavailable(950, 1000, 0.995).expect("share");
    close(down, 7.401_622_750_337_516e-34, 1e-10);
    let down = at_least_unavailable(2, 3, 1.0 - 1e-7).expect("share");
    close(down, 3e-14 - 2e-21, 1e-8);
    close(
        at_least(1000, 1000, 0.999).expect("share"),
        0.999_f64.powi(1000),
        1e-12,
    );
    close(
        at_least_unavailable(1, 1000, 0.5).expect("share"),
        0.5_f64.powi(1000),
        1e-11,
    );
}

#[test]
fn budgets_and_backlogs_there_and_back() {
    let budget = ErrorBudget::new(0.999, 720.0).expect("budget");
    let failures = budget.failures_at(14.4).expect("failures");
    let burn = budget.burn_at(failures).expect("burn").expect("a burn");
    close(burn, 14.4, 1e-12);
    let end = budget.exhausted_after(burn).expect("time");
    close(budget.used(burn, end).expect("used"), 1.0, 1e-12);
    let spike = Spike::new(0.0, 10_000.0, 60.0, 3_000.0).expect("spike");
    // Who comes last waits until all is worked off, where nobody else comes.
    assert_eq!(spike.longest_wait(), spike.drain_time().steady());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_infinite(
        a in any::<f64>(), b in any::<f64>(), c in any::<f64>(), d in any::<f64>(),
        n in any::<u64>(), k in 0_u64..2000,
    ) {
        let mut results = vec![
            average_rate(a, b, c), stored_bytes(a, b, c, d), bandwidth(a, b), fan_out_writes(a, b),
            units_needed(a, b, c), replica_utilization(a, b, c, d), hottest_shard_share(a, n),
            fixed_lifetime_hit_ratio(a, b), renewed_lifetime_hit_ratio(a, b),
            duplicate_recomputations(a, b), cold_multiplier(a), mean_latency(a, b, c), chain(&[a, b, c]),
            at_least(k, k + 7, a), from_failures(a, b), attempts(a, n), success(a, n),
            layered_amplification(a, n), budgeted_amplification(a), vulnerable_load(a, n),
        ];
        if let Ok(budget) = ErrorBudget::new(a, b) {
            results.extend([
                Ok(budget.allowed_downtime()), budget.allowed_failures(c), budget.used(c, d),
                budget.failures_at(c), budget.exhausted_after(c),
            ]);
        }
        if let Ok(spike) = Spike::new(a, b, c, d) {
            results.push(Ok(spike.backlog()));
            results.push(Ok(spike.drain_time().steady().unwrap_or(0.0)));
            results.push(Ok(spike.longest_wait().unwrap_or(0.0)));
        }
        for (index, result) in results.into_iter().enumerate() {
            if let Ok(value) = result {
                prop_assert!(value.is_finite(), "{index}: {value}");
            }
        }
    }

    #[test]
    fn more_room_never_hits_less(
        keys in 2_u64..20_000, exponent in 0.0_f64..2.5, share in 0.0_f64..1.0,
    ) {
        let zipf = Zipf::new(keys, exponent).expect("zipf");
        let room = (share * keys as f64) as u64;
        let hits = |room| LruCache::new(zipf, room).expect("cache").hit_ratio();
        prop_assert!(hits(room) <= hits(room + 1) + 1e-9);
        prop_assert!(hits(room) <= top_hit_ratio(zipf, room) + 1e-9);
    }
}
