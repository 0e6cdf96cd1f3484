//! Erlang A: M/M/c with customers that leave the queue when their patience, exponential, runs out, and take no service.
//!
//! Must never know retries: who leaves is gone.

use super::erlang::blocking;
use super::parameter::{MOST_COUNTED, ParameterError, Problem, counted, non_negative, positive};

/// M/M/c+M. It has a steady state at every load. Source: Palm 1957; Garnett, Mandelbaum & Reiman, M&SOM 4 (2002).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impatient {
    arrivals: f64,
    rate: f64,
    patience: f64,
    waiting: f64,
    queue: f64,
}

impl Impatient {
    /// λ arrivals, μ = `rate` per server, c servers, patience that runs out at rate θ: all per second.
    pub fn new(
        arrivals: f64,
        rate: f64,
        servers: u64,
        impatience: f64,
    ) -> Result<Self, ParameterError> {
        let arrivals = non_negative("arrivals", arrivals)?;
        let rate = positive("rate", rate)?;
        let count = counted("servers", servers, 1, MOST_COUNTED)?;
        let impatience = positive("impatience", impatience)?;
        let capacity = count * rate;
        // The states are summed one by one.
        if (arrivals - capacity) / impatience > MOST_COUNTED as f64 {
            let least = (arrivals - capacity) / MOST_COUNTED as f64;
            return Err(ParameterError::new("impatience", Problem::Below(least)));
        }
        let full = blocking(servers, arrivals / rate);
        // In units of the probability of fewer than c or exactly c, times B; scaled down together when they grow too large.
        let (mut below, mut term, mut sum, mut queue) = (1.0 - full, full, full, 0.0);
        for waiting in 1..=4 * MOST_COUNTED {
            let place = waiting as f64;
            let step = arrivals / (capacity + place * impatience);
            term *= step;
            sum += term;
            queue += place * term;
            if term > 1e200 {
                for value in [&mut below, &mut term, &mut sum, &mut queue] {
                    *value *= 1e-200;
                }
            }
            if step < 1.0 && place * term <= queue * 1e-18 * (1.0 - step) {
                break;
            }
        }
        Ok(Self {
            arrivals,
            rate,
            patience: impatience,
            waiting: sum / (below + sum),
            queue: queue / (below + sum),
        })
    }

    /// P(wait): the share that finds every server busy.
    pub fn wait_probability(&self) -> f64 {
        self.waiting
    }

    /// Lq.
    pub fn mean_queue(&self) -> f64 {
        self.queue
    }

    /// The mean wait of all, also of those that leave (Little 1961).
    pub fn mean_wait(&self) -> f64 {
        if self.arrivals > 0.0 {
            self.queue / self.arrivals
        } else {
            0.0
        }
    }

    /// The share that leaves: θ·Lq/λ.
    pub fn abandon_probability(&self) -> f64 {
        (self.patience * self.mean_wait()).min(1.0)
    }

    /// What is served, per second.
    pub fn throughput(&self) -> f64 {
        self.arrivals - self.patience * self.queue
    }

    /// L, waiting and in service.
    pub fn mean_number(&self) -> f64 {
        self.queue + self.throughput() / self.rate
    }
}
