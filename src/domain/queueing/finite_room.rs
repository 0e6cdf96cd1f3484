//! M/M/c/K: a station with room for K in all, in service and waiting; who finds it full is lost.
//!
//! Must never know retries: what is lost stays lost.

use super::erlang::blocking;
use super::parameter::{MOST_COUNTED, ParameterError, Problem, counted, non_negative, positive};

/// A station M/M/c/K. It has a steady state at every load. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 3.
///
/// The states up to c are summed by Erlang B, those above by a geometric series that starts at its larger end, so that nothing
/// overflows and every sum has positive terms only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FiniteRoom {
    arrivals: f64,
    rate: f64,
    empty: f64,
    drop: f64,
    accepted: f64,
    queue: f64,
}

impl FiniteRoom {
    /// λ arrivals per second, μ = `rate` per second and server, c servers, room for K ≥ c.
    pub fn new(arrivals: f64, rate: f64, servers: u64, room: u64) -> Result<Self, ParameterError> {
        let arrivals = non_negative("arrivals", arrivals)?;
        let rate = positive("rate", rate)?;
        let count = counted("servers", servers, 1, MOST_COUNTED)?;
        counted("room", room, 1, MOST_COUNTED)?;
        if room < servers {
            return Err(ParameterError::new("room", Problem::Below(count)));
        }
        let offered = arrivals / rate;
        let load = offered / count;
        let places = room - servers;
        let full = blocking(servers, offered);
        // 1 − B(c), without the subtraction.
        let free = count / (count + offered * blocking(servers - 1, offered));
        let (drop, accepted, queue, log_at_servers);
        if load <= 1.0 {
            // In units of the probability of c customers, times B.
            let (mut term, mut sum, mut moment) = (full, 0.0, 0.0);
            let mut last = full;
            for place in 1..=places {
                term *= load;
                last = term;
                sum += term;
                moment += place as f64 * term;
                let rest = place as f64 * term / (1.0 - load).powi(2);
                if rest <= moment * 1e-18 {
                    last = full * load.powf(places as f64);
                    break;
                }
            }
            let total = 1.0 + sum;
            drop = last / total;
            accepted = if places == 0 {
                free
            } else {
                (1.0 + (sum - last)) / total
            };
            queue = moment / total;
            log_at_servers = full.ln() - total.ln();
        } else {
            // In units of the probability of K customers, times B.
            let shrink = 1.0 / load;
            let (mut term, mut sum, mut moment) = (full, 0.0, 0.0);
            for above in 0..places {
                if above > 0 {
                    sum += term;
                }
                moment += (places - above) as f64 * term;
                term *= shrink;
                if term <= full * 1e-20 * (1.0 - shrink) {
                    break;
                }
            }
            let bottom = shrink.powf(places as f64);
            let top = if places == 0 { 0.0 } else { full };
            let total = top + sum + bottom;
            drop = full / total;
            accepted = if places == 0 {
                free
            } else {
                (sum + bottom) / total
            };
            queue = moment / total;
            log_at_servers = full.ln() - places as f64 * load.ln() - total.ln();
        }
        let empty = if full == 0.0 {
            // So little load that the servers are as good as infinitely many.
            (-offered).exp()
        } else {
            let ways = compensated((1..=servers).map(|n| (n as f64 / offered).ln()));
            (log_at_servers + ways).exp().min(1.0)
        };
        Ok(Self {
            arrivals,
            rate,
            empty,
            drop: drop.min(1.0),
            accepted: accepted.min(1.0),
            queue,
        })
    }

    /// P(empty), p0.
    pub fn empty_probability(&self) -> f64 {
        self.empty
    }

    /// The share of arrivals that finds the room full, pK.
    pub fn drop_probability(&self) -> f64 {
        self.drop
    }

    /// What is served, per second: λ·(1 − pK).
    pub fn throughput(&self) -> f64 {
        self.arrivals * self.accepted
    }

    /// L, waiting and in service.
    pub fn mean_number(&self) -> f64 {
        self.queue + self.throughput() / self.rate
    }

    /// The mean wait of those that are accepted (Little 1961).
    pub fn mean_wait(&self) -> f64 {
        let throughput = self.throughput();
        if throughput > 0.0 {
            self.queue / throughput
        } else {
            0.0
        }
    }

    /// The mean time in the system of those that are accepted.
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + 1.0 / self.rate
    }
}

/// A sum with its rounding errors carried along (Neumaier 1974).
pub(super) fn compensated(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() {
            (sum - next) + term
        } else {
            (term - next) + sum
        };
        sum = next;
    }
    sum + lost
}
