//! The closed forms, held to reference cases that were computed with independent tools, and to what must hold for all parameters.
//!
//! Cases of networks, run lengths and simulations wait for the engine; they are named, and skipped by name only.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::*;
use crate::domain::capacity::{self, CharacteristicTime, ErrorBudget, LruCache, Spike, Zipf};

#[derive(Deserialize)]
struct Case {
    id: String,
    model: String,
    metric: String,
    params: Map<String, Value>,
    value: f64,
    tolerance: f64,
    tol_kind: String,
}

impl Case {
    fn number(&self, name: &str) -> f64 {
        let value = self.params.get(name).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{}: no {name}", self.id))
    }

    fn count(&self, name: &str) -> u64 {
        let value = self.params.get(name).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("{}: no count {name}", self.id))
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        let values = self.params.get(name).and_then(Value::as_array);
        let values = values.unwrap_or_else(|| panic!("{}: no list {name}", self.id));
        values.iter().filter_map(Value::as_f64).collect()
    }

    /// The metric that follows these words, as in `sojourn p99`.
    fn tail_of(&self, words: &str) -> Option<f64> {
        let percent: f64 = self
            .metric
            .strip_prefix(words)?
            .split(' ')
            .next()?
            .parse()
            .ok()?;
        Some((100.0 - percent) / 100.0)
    }
}

type Calculated = Result<f64, ParameterError>;

fn steady<T>(load: Result<Load<T>, ParameterError>) -> T {
    load.expect("parameters").steady().expect("a steady state")
}

/// The metrics of any M/M/c.
fn multi_server(case: &Case, servers: u64) -> Option<Calculated> {
    let station = steady(MultiServer::new(
        case.number("lambda_"),
        case.number("mu"),
        servers,
    ));
    if let Some(tail) = case.tail_of("sojourn p") {
        return Some(station.sojourn_exceeded_by(tail));
    }
    if let Some(tail) = case.tail_of("waiting-time p") {
        return Some(station.wait_exceeded_by(tail));
    }
    Some(Ok(match case.metric.as_str() {
        "utilisation" => station.utilization(),
        "P(wait) Erlang C" | "P(wait)" => station.wait_probability(),
        "mean number in system" => station.mean_number(),
        "mean queue length" => station.mean_queue(),
        "mean waiting time" => station.mean_wait(),
        "mean sojourn time" => station.mean_sojourn(),
        _ => return None,
    }))
}

fn zipf(case: &Case, exponent: &str) -> Zipf {
    Zipf::new(case.count("N"), case.number(exponent)).expect("popularity")
}

/// What our code says; none for a model or a metric that it does not know.
fn calculated(case: &Case) -> Option<Calculated> {
    let number = |name| case.number(name);
    let metric = case.metric.as_str();
    Some(match case.model.as_str() {
        "M/M/1" => multi_server(case, 1)?,
        "M/M/c" => multi_server(case, case.count("c"))?,
        "Erlang C" => Ok(steady(erlang_c(case.count("c"), number("a")))),
        "M/M/c/c (Erlang B; insensitive M/G/c/c)" => erlang_b(case.count("c"), number("a")),
        "M/M/c/K" => {
            let station = FiniteRoom::new(
                number("lambda_"),
                number("mu"),
                case.count("c"),
                case.count("K"),
            );
            station.map(|station| match metric {
                "P(empty)" => station.empty_probability(),
                "drop probability" => station.drop_probability(),
                "mean number in system" => station.mean_number(),
                "mean sojourn of accepted" => station.mean_sojourn(),
                "throughput" => station.throughput(),
                _ => f64::NAN,
            })
        }
        "M/G/1 FCFS" => Ok(steady(GeneralService::new(
            number("lambda_"),
            number("S"),
            number("scv"),
        ))
        .mean_wait()),
        "M/D/1" => Ok(steady(deterministic_wait_exceeded_by(
            number("lambda_"),
            number("S"),
            case.tail_of("waiting-time p")?,
        ))),
        "M/G/1 processor sharing" => {
            Ok(
                steady(GeneralService::new(number("lambda_"), number("S"), 1.0))
                    .shared_mean_sojourn(),
            )
        }
        "M/M/1 non-preemptive priority" => {
            let class = |arrivals| PriorityClass {
                arrivals,
                service: 1.0 / number("mu"),
                variation: 1.0,
            };
            let classes = [class(number("lambda_high")), class(number("lambda_low"))];
            let index = match metric {
                "mean wait high" => 0,
                "mean wait low" => 1,
                _ => return None,
            };
            non_preemptive_waits(&classes).map(|waits| waits[index].steady().expect("steady"))
        }
        "M/M/inf (infinite server / delay)" => infinite_server_mean(number("lambda_"), number("S")),
        "D/M/1" => {
            let station = steady(RegularArrivals::new(number("lambda_"), number("mu")));
            Ok(match metric {
                "P(wait)" => station.wait_probability(),
                "mean waiting time" => station.mean_wait(),
                _ => return None,
            })
        }
        "M^[X]/M/1 fixed batch" => Ok(steady(BatchArrivals::fixed(
            number("batch_rate"),
            number("batch"),
            number("mu"),
        ))
        .mean_sojourn()),
        "M/M/c+M (Erlang A, cancelling timeouts)" | "M/M/c+M (Erlang A)" => {
            let station = Impatient::new(
                number("lambda_"),
                number("mu"),
                case.count("c"),
                number("theta"),
            );
            station.map(|station| match metric {
                "abandon probability" => station.abandon_probability(),
                "mean wait of all (incl. abandoning)" => station.mean_wait(),
                "P(wait)" => station.wait_probability(),
                "throughput" => station.throughput(),
                "mean number in system" => station.mean_number(),
                _ => f64::NAN,
            })
        }
        "GI/G/1 (Kingman approximation)" => Ok(steady(kingman(
            number("rho"),
            number("S"),
            number("ca2"),
            number("cs2"),
        ))),
        "M/G/c (Allen-Cunneen approximation)" => Ok(steady(allen_cunneen(
            number("lambda_"),
            number("S"),
            case.count("c"),
            number("ca2"),
            number("cs2"),
        ))),
        "tandem M/M/1 x3 (Burke: independent exponential sojourns)" => {
            let rates = steady(sojourn_rates(number("lambda_"), &case.numbers("mu")));
            sum_exceeded_by(&rates, case.tail_of("end-to-end p")?)
        }
        "tandem M/M/1 x3" => {
            let rates = steady(sojourn_rates(number("lambda_"), &case.numbers("mu")));
            sum_of_percentiles(&rates, case.tail_of("sum of per-hop p")?)
        }
        "M/M/4//50 closed clients + pool" => FiniteSource::new(
            case.count("N"),
            number("think"),
            number("S"),
            case.count("c"),
        )
        .map(|station| station.mean_response()),
        "Universal Scalability Law" => {
            Scalability::new(number("alpha"), number("beta")).map(|law| law.peak().expect("a peak"))
        }
        "fork-join K=2, M/M/1 siblings" | "fork-join K, Nelson-Tantawi approximation" => Ok(
            steady(fork_join(case.count("K"), number("lambda_"), number("mu"))),
        ),
        "parallel fan-out to n idle Exp(1) servers" => match metric {
            "mean of max = H_n" => slowest_mean(case.count("n"), number("mu")),
            "p99 of max" => slowest_exceeded_by(case.count("n"), number("mu"), 0.01),
            _ => return None,
        },
        "fan-out 100, leaf slow prob 1%" | "fan-out 2000, leaf slow prob 0.01%" => {
            at_least_one(case.count("n"), number("p"))
        }
        "hedged request, independent, each slow with p" => hedged(2, number("p")),
        "power-of-d choices, n->inf mean field" => Ok(steady(power_of_choices(
            case.count("d"),
            number("lambda_"),
            number("mu"),
        ))),
        "bounded retries, independent failures" => match metric {
            "expected attempts per request" => {
                capacity::attempts(number("p_fail"), case.count("retries"))
            }
            "success probability" => capacity::success(number("p_fail"), case.count("retries")),
            _ => return None,
        },
        "3 attempts at each of 5 layers" | "4 attempts at each of 3 layers" => {
            capacity::layered_amplification(number("attempts"), case.count("layers"))
        }
        "retry budget 10% of requests" => capacity::budgeted_amplification(number("budget")),
        "no-cancel timeouts, r retries, capacity mu" => {
            capacity::vulnerable_load(number("mu"), case.count("retries"))
        }
        "Extended Erlang B with recall factor 0.5" => Ok(steady(extended_erlang_b(
            case.count("c"),
            number("a"),
            number("recall"),
        ))),
        "client adaptive throttling" => {
            adaptive_rejection(number("requests"), number("accepts"), number("K"))
        }
        "token bucket" => token_bucket_admitted(
            number("rate"),
            number("burst"),
            number("offered"),
            number("seconds"),
        ),
        "LRU cache, IRM Zipf, Che approximation" => {
            LruCache::new(zipf(case, "zipf_s"), case.count("capacity"))
                .map(|cache| cache.hit_ratio())
        }
        "LRU characteristic time (in requests)" => {
            LruCache::new(zipf(case, "zipf_s"), case.count("capacity")).map(|cache| {
                match cache.characteristic_time() {
                    CharacteristicTime::Requests(time) => time,
                    CharacteristicTime::Endless => f64::NAN,
                }
            })
        }
        "perfect LFU / static top-C, IRM Zipf" => Ok(capacity::top_hit_ratio(
            zipf(case, "zipf_s"),
            case.count("capacity"),
        )),
        "LRU cache, IRM Zipf s=1 N=6 (exact King/ move-to-front)"
        | "LRU cache, IRM Zipf s=1 N=6 (exact)" => {
            capacity::exact_lru(zipf(case, "zipf_s"), case.count("capacity"))
        }
        "FIFO = RANDOM cache, IRM Zipf s=1 N=6 (exact product form)" => {
            capacity::exact_fifo(zipf(case, "zipf_s"), case.count("capacity"))
        }
        "Zipf s=1" | "Zipf s=0.99 (YCSB default theta)" => {
            let zipf = zipf(case, "s");
            Ok(match metric {
                "share of top 20% keys" => zipf.top(zipf.keys() / 5),
                "share of top 1% keys" => zipf.top(zipf.keys() / 100),
                "share of hottest key" => zipf.share(1),
                _ => return None,
            })
        }
        "hash sharding, 16 shards, Zipf s=1 N=1e6, hottest key alone" => {
            capacity::hottest_shard_share(zipf(case, "s").share(1), case.count("shards"))
        }
        "TTL cache, Poisson key, TTL from fill" => {
            capacity::fixed_lifetime_hit_ratio(number("rate"), number("ttl"))
        }
        "TTL cache, TTL reset on hit" => {
            capacity::renewed_lifetime_hit_ratio(number("rate"), number("ttl"))
        }
        "cache stampede, no coalescing" => {
            capacity::duplicate_recomputations(number("key_rate"), number("recompute_s"))
        }
        "cold cache multiplier" => capacity::cold_multiplier(number("hit")),
        "mean latency with cache" => {
            capacity::mean_latency(number("hit"), number("t_hit_ms"), number("t_miss_ms"))
        }
        "k-of-n independent replicas" => {
            let parts = (case.count("k"), case.count("n"), number("a"));
            match metric {
                "availability" => capacity::at_least(parts.0, parts.1, parts.2),
                "unavailability" => capacity::at_least_unavailable(parts.0, parts.1, parts.2),
                _ => return None,
            }
        }
        "5 serial dependencies at 99.9%" | "30 serial dependencies at 99.99%" => {
            capacity::chain(&vec![number("a"); case.count("n") as usize])
        }
        "MTBF/MTTR" => capacity::from_failures(number("mtbf_h"), number("mttr_h")),
        "series of 2-of-3 app (99.5%) and 1-of-2 db (99.9%)" => {
            let part = |name| {
                let [needed, number, availability] = case.numbers(name)[..] else {
                    panic!("{}: {name}", case.id)
                };
                capacity::at_least(needed as u64, number as u64, availability).expect("part")
            };
            capacity::chain(&[part("app"), part("db")])
        }
        "error budget (time)" => ErrorBudget::new(number("slo"), number("days") * 1440.0)
            .map(|budget| budget.allowed_downtime()),
        "error budget (requests)" => ErrorBudget::new(number("slo"), 30.0)
            .and_then(|budget| budget.allowed_failures(number("requests"))),
        "burn rate" => match metric {
            "fraction of budget consumed" => ErrorBudget::new(0.999, number("slo_days") * 24.0)
                .and_then(|budget| budget.used(number("burn"), number("window_h"))),
            "error rate at that burn" => ErrorBudget::new(number("slo"), 30.0)
                .and_then(|budget| budget.failures_at(number("burn"))),
            _ => return None,
        },
        "Little law" => little(number("rps"), number("latency_s")),
        "smallest pool with P(wait)<1% at a=50" => {
            servers_for_waiting(number("a"), number("target")).map(|servers| servers as f64)
        }
        "square-root staffing beta=2" => square_root_staffing(number("a"), number("beta")),
        "fluid backlog, 10x spike" | "fluid drain time after spike" => Spike::new(
            number("base"),
            number("spike"),
            number("spike_s"),
            number("capacity"),
        )
        .map(|spike| match metric {
            "backlog at end of spike" => spike.backlog(),
            "seconds to drain" => spike.drain_time().steady().expect("drains"),
            _ => f64::NAN,
        }),
        "consumer sizing" => capacity::units_needed(
            number("msgs_per_s"),
            1000.0 / number("ms_per_msg"),
            number("target_util"),
        ),
        "DAU to QPS" => {
            let day = match metric {
                "average QPS (1e5 s rule)" => 100_000.0,
                "average QPS" => 86_400.0,
                _ => return None,
            };
            capacity::average_rate(number("dau"), number("actions"), day)
        }
        "storage growth" | "storage growth, same" => {
            let unit = match metric {
                "bytes (365 d)" => 1.0,
                "TiB" => 1024.0_f64.powi(4),
                _ => return None,
            };
            capacity::stored_bytes(
                number("writes_per_day"),
                number("bytes"),
                number("years") * 365.0,
                number("replicas"),
            )
            .map(|bytes| bytes / unit)
        }
        "egress bandwidth" => {
            capacity::bandwidth(number("rps"), number("bytes")).map(|bytes| bytes * 8.0 / 1e9)
        }
        "fan-out on write" => {
            capacity::fan_out_writes(number("posts_per_s"), number("avg_followers"))
        }
        "shard count" => {
            capacity::units_needed(number("write_qps"), number("per_node"), number("util"))
        }
        "replicated DB utilisation: every replica applies all writes" => {
            capacity::replica_utilization(
                number("rps"),
                number("write_frac"),
                number("replicas"),
                number("S_ms") / 1000.0,
            )
        }
        _ => return None,
    })
}

/// Models whose closed forms and simulated truths belong to the solver and the simulator of designs.
const OF_THE_ENGINE: &[&str] = &[
    "open Jackson network",
    "open separable network",
    "open multiclass separable",
    "closed network exact MVA",
    "closed network Bard-Schweitzer AMVA",
    "closed multiclass exact MVA",
    "asymptotic bounds",
    "fork-join K, M/M/1 siblings (simulated truth)",
    "M/M/1 waiting-time sequence, mu=1",
    "M/M/1 run length for +-5% (95%) on mean wait",
    "golden: retry storm",
];

#[test]
fn the_reference_cases_hold() {
    hold(include_str!("testdata/queueing.json"), 130);
}

/// Cases worked out from the definitions by `testdata/independent.py`.
#[test]
fn the_independent_cases_hold() {
    hold(include_str!("testdata/independent.json"), 1000);
}

fn hold(file: &str, least: usize) {
    let cases: Vec<Case> = serde_json::from_str(file).expect("the cases");
    let cases = cases
        .iter()
        .filter(|case| !OF_THE_ENGINE.contains(&case.model.as_str()));
    assert!(cases.clone().count() > least);
    let mut faults = Vec::new();
    for case in cases {
        let Some(result) = calculated(case) else {
            faults.push(format!(
                "{}: unknown: {} / {}",
                case.id, case.model, case.metric
            ));
            continue;
        };
        let allowed = match case.tol_kind.as_str() {
            "rel" => case.tolerance * case.value.abs(),
            "abs" => case.tolerance,
            other => panic!("{}: {other}", case.id),
        };
        match result {
            Ok(value) if (value - case.value).abs() <= allowed => {}
            other => faults.push(format!("{}: {other:?} instead of {}", case.id, case.value)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn close(left: f64, right: f64, tolerance: f64) {
    assert!(
        (left - right).abs() <= tolerance * right.abs(),
        "{left} against {right}"
    );
}

#[test]
fn overload_is_an_answer_with_its_rate() {
    let growing = |by_per_second| Load::<f64>::Growing { by_per_second };
    let wait = |load: Result<Load<MultiServer>, _>| load.expect("load").map(|s| s.mean_wait());
    assert_eq!(wait(MultiServer::new(1200.0, 50.0, 20)), growing(200.0));
    assert_eq!(wait(MultiServer::new(1000.0, 50.0, 20)), growing(0.0));
    // As full as 0.3 is of three times 0.1, although those are not the same fraction.
    assert_eq!(wait(MultiServer::new(0.3, 0.1, 3)), growing(0.0));
    assert_eq!(wait(MultiServer::new(0.7, 0.1, 7)), growing(0.0));
    assert_eq!(erlang_c(10, 12.0), Ok(growing(2.0)));
    assert_eq!(erlang_c(3, 0.3 / 0.1), Ok(growing(0.0)));
    assert_eq!(kingman(1.5, 0.5, 1.0, 1.0), Ok(growing(1.0)));
    assert_eq!(power_of_choices(2, 3.0, 2.0), Ok(growing(1.0)));
    assert_eq!(fork_join(4, 3.0, 2.0), Ok(growing(1.0)));
    assert_eq!(extended_erlang_b(10, 12.0, 1.0), Ok(growing(2.0)));
    let classes = [0.5, 0.8, 0.1].map(|arrivals| PriorityClass {
        arrivals,
        service: 1.0,
        variation: 1.0,
    });
    let waits = non_preemptive_waits(&classes).expect("waits");
    assert!(
        matches!(waits[0], Load::Steady(wait) if (wait - 2.0).abs() < 1e-12),
        "{waits:?}"
    );
    assert!(
        matches!(waits[1], Load::Growing { by_per_second } if (by_per_second - 0.3).abs() < 1e-12)
    );
    assert!(
        matches!(waits[2], Load::Growing { by_per_second } if (by_per_second - 0.1).abs() < 1e-12)
    );
}

#[test]
fn bad_parameters_are_named() {
    let cases: [(Result<f64, ParameterError>, &str); 8] = [
        (erlang_b(10, f64::NAN), "offered is not a finite number"),
        (erlang_b(10, -1.0), "offered must be at least 0"),
        (erlang_b(10, 1e308), "offered must be at most 1"),
        (
            MultiServer::new(1.0, 0.0, 1).map(|_| 0.0),
            "rate must be greater than 0",
        ),
        (
            MultiServer::new(1.0, 1.0, 0).map(|_| 0.0),
            "servers must be at least 1",
        ),
        (
            FiniteRoom::new(1.0, 1.0, 3, 2).map(|_| 0.0),
            "room must be at least 3",
        ),
        (
            steady(MultiServer::new(0.5, 1.0, 1)).wait_exceeded_by(1.0),
            "exceeded must be less than 1",
        ),
        (sum_exceeded_by(&[], 0.1), "rates must be at least 1"),
    ];
    for (result, wanted) in cases {
        let message = result.expect_err(wanted).to_string();
        assert!(message.starts_with(wanted), "{message} instead of {wanted}");
    }
}

/// Extreme parameters, against values computed with 60 digits.
#[test]
fn extremes_keep_their_digits() {
    close(
        erlang_b(10_000, 9_990.0).expect("loss"),
        0.007_317_186_887_268_939,
        1e-11,
    );
    close(
        steady(erlang_c(10_000, 9_999.0)),
        0.987_556_252_434_485_9,
        1e-11,
    );
    close(
        steady(erlang_c(10_000, 9_999.999)),
        0.999_987_500_144_058_3,
        1e-11,
    );
    close(steady(erlang_c(50, 1.0)), 1.234_254_075_500_996e-65, 1e-11);
    close(
        steady(MultiServer::new(99.5, 1.0, 100))
            .sojourn_exceeded_by(1e-12)
            .expect("time"),
        56.524_952_421_755_91,
        1e-11,
    );
    close(
        steady(MultiServer::new(3.0, 1.0, 100))
            .sojourn_exceeded_by(1e-12)
            .expect("time"),
        27.631_021_115_928_547,
        1e-11,
    );
    close(
        steady(MultiServer::new(3.000_001, 1.0, 4))
            .sojourn_exceeded_by(0.01)
            .expect("time"),
        6.006_311_474_825_43,
        1e-11,
    );
    let room = FiniteRoom::new(99.0, 1.0, 100, 100_000).expect("room");
    close(room.empty_probability(), 2.250_769_411_306_484_3e-44, 1e-10);
    close(room.mean_number(), 186.394_077_798_398_37, 1e-11);
    close(room.mean_sojourn(), 1.882_768_462_610_084_5, 1e-11);
    let room = FiniteRoom::new(1.5, 1.0, 1, 5000).expect("room");
    close(room.drop_probability(), 0.333_333_333_333_333_3, 1e-10);
    close(room.mean_number(), 4998.0, 1e-11);
    close(room.mean_sojourn(), 4998.0, 1e-11);
    let room = FiniteRoom::new(100.0, 1.0, 100, 20000).expect("room");
    close(room.empty_probability(), 4.686_648_492_556_273e-47, 1e-10);
    close(room.drop_probability(), 5.021_792_076_601_757e-5, 1e-10);
    close(room.mean_number(), 10_043.894_047_794_854, 1e-11);
    close(room.mean_sojourn(), 100.443_984_566_006_9, 1e-11);
    let room = FiniteRoom::new(900.0, 1.0, 1000, 1001).expect("room");
    close(room.drop_probability(), 5.336_591_595_833_992e-5, 1e-10);
    close(room.mean_number(), 899.952_024_041_553_5, 1e-11);
    close(room.mean_sojourn(), 1.000_000_059_298_626_7, 1e-11);
    let room = FiniteRoom::new(0.5, 1.0, 1, 2000).expect("room");
    close(room.empty_probability(), 0.5, 1e-10);
    close(room.mean_number(), 1.0, 1e-11);
    close(room.mean_sojourn(), 2.0, 1e-11);
    close(
        steady(deterministic_wait_exceeded_by(0.8, 1.0, 1e-12)),
        63.799_700_808_441_486,
        1e-10,
    );
    close(
        steady(deterministic_wait_exceeded_by(0.1, 1.0, 1e-12)),
        7.337_979_826_781_896,
        1e-10,
    );
    close(
        steady(deterministic_wait_exceeded_by(0.99, 1.0, 1e-6)),
        688.131_899_141_232,
        1e-10,
    );
    close(
        steady(deterministic_wait_exceeded_by(0.01, 1.0, 1e-4)),
        0.995_033_085_316_808_2,
        1e-10,
    );
    close(
        steady(deterministic_wait_exceeded_by(0.5, 1.0, 0.01)),
        3.336_255_957_002_204,
        1e-10,
    );
    close(
        steady(deterministic_wait_exceeded_by(0.95, 1.0, 0.001)),
        67.573_302_155_697_72,
        1e-10,
    );
    close(
        steady(RegularArrivals::new(0.999_999_999, 1.0)).mean_wait(),
        499_999_999.166_666_7,
        1e-7,
    );
    close(
        steady(RegularArrivals::new(0.05, 1.0)).mean_wait(),
        2.061_153_711_654_003e-9,
        1e-11,
    );
    close(
        steady(RegularArrivals::new(0.5, 1.0)).mean_wait(),
        0.255_000_974_915_975_3,
        1e-11,
    );
    close(
        Impatient::new(2000.0, 1.0, 1000, 0.01)
            .expect("patience")
            .mean_queue(),
        100_000.0,
        1e-10,
    );
    close(
        FiniteSource::new(100_000, 10.0, 0.001, 9)
            .expect("clients")
            .mean_response(),
        1.111_111_111_111_111_4,
        1e-10,
    );
    close(
        sum_exceeded_by(&[1.0, 1.0, 1.0 + 1e-9], 1e-12).expect("time"),
        34.052_374_190_075_69,
        1e-8,
    );
    close(
        sum_exceeded_by(&[1.0, 1.5, 2.5, 1000.0, 1e6], 1e-9).expect("time"),
        22.333_691_107_373_657,
        1e-11,
    );
    close(
        slowest_exceeded_by(1_000_000, 1.0, 1e-12).expect("time"),
        41.446_531_673_892_32,
        1e-11,
    );
    close(harmonic(1_000_000), 14.392_726_722_865_724, 1e-14);
    close(
        steady(power_of_choices(2, 0.999_999, 1.0)),
        18.598_859_351_447_56,
        1e-9,
    );
}

/// Two ways to the same number.
#[test]
fn formulas_agree_where_they_meet() {
    // One server is the case of many.
    let one = steady(MultiServer::new(0.7, 1.0, 1));
    let exact = steady(GeneralService::new(0.7, 1.0, 1.0));
    close(one.mean_wait(), exact.mean_wait(), 1e-12);
    close(
        one.sojourn_tail(5.0).expect("tail"),
        (-0.3_f64 * 5.0).exp(),
        1e-12,
    );
    // Constant service halves the wait, and its distribution has that mean.
    let constant = steady(GeneralService::new(0.7, 1.0, 0.0));
    close(constant.mean_wait(), one.mean_wait() / 2.0, 1e-12);
    let steps = 2_000;
    let mean: f64 = (0..steps)
        .map(|step| (f64::from(step) + 0.5) * 0.02)
        .map(|time| 0.02 * steady(deterministic_wait_tail(0.7, 1.0, time)))
        .sum();
    close(mean, constant.mean_wait(), 1e-4);
    // A room without end is no limit; one without a queue loses by Erlang B.
    let room = FiniteRoom::new(9.0, 5.0, 2, 5000).expect("room");
    let free = steady(MultiServer::new(9.0, 5.0, 2));
    close(room.mean_number(), free.mean_number(), 1e-11);
    let room = FiniteRoom::new(15.0, 1.0, 20, 20).expect("room");
    close(
        room.drop_probability(),
        erlang_b(20, 15.0).expect("loss"),
        1e-13,
    );
    // Patience without end is none; the shortest is loss.
    let patient = Impatient::new(9.0, 5.0, 2, 1e-9).expect("patience");
    close(patient.mean_wait(), free.mean_wait(), 1e-6);
    let hasty = Impatient::new(15.0, 1.0, 20, 1e12).expect("patience");
    close(
        hasty.abandon_probability(),
        erlang_b(20, 15.0).expect("loss"),
        1e-9,
    );
    let wait = free.wait_exceeded_by(0.01).expect("p99");
    close(free.wait_tail(wait).expect("tail"), 0.01, 1e-12);
    close(
        free.mean_wait() * free.spare(),
        free.wait_probability(),
        1e-12,
    );
    // Many clients that think long are an open stream.
    let closed = FiniteSource::new(1_000_000, 1e6, 0.8, 1).expect("clients");
    close(closed.mean_response(), 4.0, 1e-4);
    // Equal hops are an Erlang distribution.
    let equal = sum_of_exponentials_tail(&[2.0; 3], 4.0).expect("tail");
    close(equal, (-8.0_f64).exp() * (1.0 + 8.0 + 32.0), 1e-12);
    // Far down, the slowest hop rules.
    let deep = sum_exceeded_by(&[1.0, 1e6], 1e-12).expect("time");
    close(deep, -(1e-12_f64).ln() + 1e-6, 1e-11);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_infinite(
        a in prop_oneof![any::<f64>(), 1e-3_f64..1e3], b in prop_oneof![any::<f64>(), 1e-3_f64..1e3],
        c in prop_oneof![any::<f64>(), 1e-3_f64..1e3], d in prop_oneof![any::<f64>(), 1e-3_f64..1e3],
        tail in prop_oneof![any::<f64>(), 1e-300_f64..1.0],
        n in prop_oneof![0_u64..200, 0_u64..20_000], room in 0_u64..2000,
    ) {
        let mut results = vec![
            erlang_b(n, a), square_root_staffing(a, b), little(a, b), infinite_server_mean(a, b),
            at_least_one(n, tail), hedged(n, tail), slowest_mean(n, a),
            slowest_exceeded_by(n, a, tail), adaptive_rejection(a, b, c), token_bucket_admitted(a, b, c, d),
            sum_exceeded_by(&[a, b, c], tail), sum_of_exponentials_tail(&[a, b], c), sum_of_percentiles(&[a, b], tail),
        ];
        let loads = [
            erlang_c(n, a), extended_erlang_b(n.min(200), a, tail), kingman(a, b, c, d), allen_cunneen(a, b, n, c, d),
            power_of_choices(n, a, b), fork_join(n, a, b), deterministic_wait_exceeded_by(a, b, tail),
            deterministic_wait_tail(a, b, c),
        ];
        results.extend(loads.map(|load| load.map(|load| match load {
            Load::Steady(value) => value,
            Load::Growing { by_per_second } => by_per_second,
        })));
        if let Ok(Load::Steady(s)) = MultiServer::new(a, b, n) {
            results.extend([Ok(s.utilization()), Ok(s.mean_wait()), Ok(s.mean_sojourn()), Ok(s.mean_queue()), Ok(s.mean_number()),
                s.wait_exceeded_by(tail), s.sojourn_exceeded_by(tail), s.sojourn_tail(c), s.wait_tail(c)]);
        }
        if let Ok(s) = FiniteRoom::new(a, b, n, n + room) {
            let share = s.drop_probability();
            prop_assert!((0.0..=1.0).contains(&share) && (0.0..=1.0).contains(&s.empty_probability()));
            results.extend([Ok(s.mean_number()), Ok(s.mean_sojourn()), Ok(s.throughput())]);
        }
        if let Ok(s) = FiniteSource::new(n, a, b, room) {
            results.push(Ok(s.mean_response()));
        }
        if let Ok(Load::Steady(s)) = GeneralService::new(a, b, c) {
            results.extend([Ok(s.mean_wait()), Ok(s.shared_mean_sojourn())]);
        }
        if let Ok(Load::Steady(s)) = RegularArrivals::new(a, b) {
            results.push(Ok(s.mean_wait()));
        }
        if let Ok(Load::Steady(s)) = BatchArrivals::fixed(a, b, c) {
            results.push(Ok(s.mean_sojourn()));
        }
        if a < 1e4 && b > 1e-2 && d > 1e-2 && let Ok(s) = Impatient::new(a, b, n, d) {
            results.extend([Ok(s.mean_wait()), Ok(s.abandon_probability()), Ok(s.throughput()), Ok(s.mean_number())]);
        }
        if let Ok(law) = Scalability::new(tail, a) {
            results.push(Ok(law.peak().unwrap_or(0.0)));
        }
        for (index, result) in results.into_iter().enumerate() {
            if let Ok(value) = result {
                prop_assert!(value.is_finite() && value >= -1e-9, "{index}: {value}");
            }
        }
    }

    #[test]
    fn more_load_never_helps(servers in 1_u64..200, share in 0.01_f64..0.98, more in 1.0001_f64..1.01) {
        let at = |load: f64| steady(MultiServer::new(load * servers as f64, 1.0, servers));
        let (light, heavy) = (at(share), at(share * more));
        prop_assert!(light.wait_probability() <= heavy.wait_probability());
        prop_assert!(light.mean_wait() <= heavy.mean_wait());
        let [light, heavy] = [light, heavy].map(|s| s.sojourn_exceeded_by(0.01).expect("p99"));
        prop_assert!(light <= heavy * (1.0 + 1e-12));
    }

    #[test]
    fn percentiles_of_hops_add_up_to_too_much(rates in prop::collection::vec(0.1_f64..100.0, 2..8)) {
        let whole = sum_exceeded_by(&rates, 0.01).expect("p99");
        prop_assert!(whole < sum_of_percentiles(&rates, 0.01).expect("sum"));
        let tail = sum_of_exponentials_tail(&rates, whole).expect("tail");
        prop_assert!((tail - 0.01).abs() < 1e-9);
    }
}
