//! M/G/1: one server, Poisson arrivals, any service time; and M/D/1 to its whole distribution.
//!
//! Must never know more of a service time than its mean and its squared coefficient of variation, except where it is constant.

use super::parameter::{
    Load, ParameterError, invert_tail, left_over, log_minus, non_negative, positive, tail,
};

/// M/G/1 in its steady state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneralService {
    arrivals: f64,
    service: f64,
    variation: f64,
    /// 1 − ρ.
    idle: f64,
}

impl GeneralService {
    /// λ arrivals per second, mean service time S, squared coefficient of variation of the service time cs² (0 constant,
    /// 1 exponential).
    pub fn new(arrivals: f64, service: f64, variation: f64) -> Result<Load<Self>, ParameterError> {
        let arrivals = non_negative("arrivals", arrivals)?;
        let service = positive("service", service)?;
        let variation = non_negative("variation", variation)?;
        let idle = left_over(1.0, arrivals, service);
        if idle <= 0.0 {
            return Ok(Load::Growing {
                by_per_second: -idle / service,
            });
        }
        Ok(Load::Steady(Self {
            arrivals,
            service,
            variation,
            idle,
        }))
    }

    /// ρ = λ·S.
    pub fn utilization(&self) -> f64 {
        self.arrivals * self.service
    }

    /// Wq = ρ·S·(1 + cs²)/(2·(1 − ρ)), first come first served. Source: Pollaczek 1930, Khinchine 1932; Kleinrock vol. 1 (1975), ch. 5.
    pub fn mean_wait(&self) -> f64 {
        let load = self.utilization();
        load * self.service * (1.0 + self.variation) / (2.0 * self.idle)
    }

    /// W = S/(1 − ρ) where the server is shared equally by all that are there, whatever the service time's distribution.
    /// Source: Kleinrock 1967; Harchol-Balter, Performance Modeling and Design of Computer Systems (2013), ch. 22.
    pub fn shared_mean_sojourn(&self) -> f64 {
        self.service / self.idle
    }
}

/// P(Wq > t) of M/D/1: λ arrivals per unit of time, each served in exactly `service`.
///
/// With x = t/S, k = ⌊x⌋ + 1 and y = k − x: the sum over j below k of P(N > k − j)·Poisson(j; ρy), and the Poisson tail from k on, where
/// N is the number in the system. All terms are positive, where Crommelin's own series alternates. The queue's distribution comes from
/// the level crossings of the embedded chain, and from its largest root once it has become geometric.
/// Source: Crommelin 1932; this form after Franx, Operations Research Letters 29 (2001); Tijms, A First Course in Stochastic Models
/// (2003), ch. 9.
pub fn deterministic_wait_tail(
    arrivals: f64,
    service: f64,
    time: f64,
) -> Result<Load<f64>, ParameterError> {
    let time = non_negative("time", time)?;
    Ok(ConstantService::new(arrivals, service)?.map(|queue| queue.tail(time / service)))
}

/// The waiting time of M/D/1 that a share `exceeded` of the arrivals exceeds.
pub fn deterministic_wait_exceeded_by(
    arrivals: f64,
    service: f64,
    exceeded: f64,
) -> Result<Load<f64>, ParameterError> {
    let exceeded = tail("exceeded", exceeded)?;
    Ok(ConstantService::new(arrivals, service)?
        .map(|queue| service * invert_tail(exceeded, 1.0, |time| queue.tail(time))))
}

/// The number in an M/D/1 system, in units of the service time.
struct ConstantService {
    load: f64,
    /// P(N > n) for the first n.
    beyond: Vec<f64>,
    /// −ln(P(N > n + 1)/P(N > n)) after those.
    decay: f64,
}

impl ConstantService {
    /// Terms after which the distribution has long become geometric, whatever the load.
    const TERMS: usize = 160;

    fn new(arrivals: f64, service: f64) -> Result<Load<Self>, ParameterError> {
        let arrivals = non_negative("arrivals", arrivals)?;
        let service = positive("service", service)?;
        let load = arrivals * service;
        let idle = left_over(1.0, arrivals, service);
        if idle <= 0.0 {
            return Ok(Load::Growing {
                by_per_second: -idle / service,
            });
        }
        if load == 0.0 {
            return Ok(Load::Steady(Self {
                load,
                beyond: vec![0.0],
                decay: 1.0,
            }));
        }
        let decay = decay(load, idle);
        // P(more than k arrivals during a service).
        let more: Vec<f64> = (0..=Self::TERMS)
            .map(|k| poisson_from(k + 1, load))
            .collect();
        let none = (-load).exp();
        let mut number = vec![idle];
        for n in 1..=Self::TERMS {
            let crossings: f64 = (1..n).map(|i| number[i] * more[n - i]).sum();
            number.push((number[0] * more[n - 1] + crossings) / none);
        }
        // From the far end, where what is left is a geometric series.
        let mut beyond = vec![0.0; Self::TERMS];
        let mut sum = number[Self::TERMS] / -(-decay).exp_m1();
        for n in (0..Self::TERMS).rev() {
            beyond[n] = sum;
            sum += number[n];
        }
        Ok(Load::Steady(Self {
            load,
            beyond,
            decay,
        }))
    }

    /// P(N > n).
    fn beyond(&self, n: usize) -> f64 {
        match self.beyond.get(n) {
            Some(probability) => *probability,
            None => {
                let last = self.beyond.len() - 1;
                self.beyond[last] * (-self.decay * (n - last) as f64).exp()
            }
        }
    }

    /// P(wait > `time` services).
    fn tail(&self, time: f64) -> f64 {
        if self.load == 0.0 || time > 1e15 {
            return 0.0;
        }
        let k = time.floor() + 1.0;
        let mean = self.load * (k - time);
        let k = k as usize;
        let mut poisson = (-mean).exp();
        let mut sum = 0.0;
        for j in 0..k.min(Self::TERMS) {
            sum += self.beyond(k - j) * poisson;
            poisson *= mean / (j + 1) as f64;
        }
        sum + if k < Self::TERMS {
            poisson_from(k, mean)
        } else {
            0.0
        }
    }
}

/// The rate θ > 0 at which the tail of M/D/1 falls for each service: θ = ρ·(e^θ − 1), with `idle` = 1 − ρ.
fn decay(load: f64, idle: f64) -> f64 {
    // ln(1 + θ/ρ) − θ is concave, 0 at 0 and positive up to the root: Newton's method from above comes down to it.
    let mut root = 2.0 * idle / load + 2.0 * (1.0 / load).ln().max(0.0);
    for _ in 0..200 {
        let scaled = root / load;
        let value = if scaled < 0.05 {
            log_minus(scaled) + scaled * idle
        } else {
            scaled.ln_1p() - root
        };
        let slope = (idle - root) / (load + root);
        let next = root - value / slope;
        if !next.is_finite() || next <= 0.0 || (next - root).abs() <= 1e-16 * root {
            break;
        }
        root = next;
    }
    root
}

/// P(at least n) of a Poisson number with a mean of at most a few.
pub(super) fn poisson_from(n: usize, mean: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    let mut term = (-mean).exp();
    for k in 1..=n {
        term *= mean / k as f64;
    }
    let mut sum = 0.0;
    let mut k = n;
    while term > sum * 1e-18 {
        sum += term;
        k += 1;
        term *= mean / k as f64;
        if term == 0.0 {
            break;
        }
    }
    sum
}
