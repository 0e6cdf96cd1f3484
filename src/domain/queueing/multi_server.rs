//! M/M/c, and M/M/1 as its case of one server: Poisson arrivals, exponential services, first come first served, no limit.
//!
//! Must never know why the load is what it is.

use super::erlang::{blocking, waiting};
use super::parameter::{
    Load, MOST_COUNTED, ParameterError, counted, invert_tail, left_over, log_above, non_negative,
    positive, tail,
};

/// A station M/M/c in its steady state. Source of all formulas unless said: Kleinrock, Queueing Systems vol. 1 (1975), ch. 3 and 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiServer {
    arrivals: f64,
    rate: f64,
    servers: f64,
    waiting: f64,
    spare: f64,
}

impl MultiServer {
    /// λ arrivals per second at `servers` servers of μ = `rate` services per second each.
    pub fn new(arrivals: f64, rate: f64, servers: u64) -> Result<Load<Self>, ParameterError> {
        let arrivals = non_negative("arrivals", arrivals)?;
        let rate = positive("rate", rate)?;
        let count = counted("servers", servers, 1, MOST_COUNTED)?;
        let spare = -left_over(arrivals, count, rate);
        if spare <= 0.0 {
            return Ok(Load::Growing {
                by_per_second: 0.0 - spare,
            });
        }
        let offered = arrivals / rate;
        // The quotient may round up to the number of servers.
        let waiting = if servers == 1 {
            offered
        } else if offered < count {
            waiting(count, offered, blocking(servers, offered))
        } else {
            1.0
        };
        Ok(Load::Steady(Self {
            arrivals,
            rate,
            servers: count,
            waiting: waiting.min(1.0),
            spare,
        }))
    }

    /// ρ = λ/(c·μ), the share of time that a server is busy.
    pub fn utilization(&self) -> f64 {
        self.arrivals / (self.servers * self.rate)
    }

    /// P(wait), Erlang C; ρ for one server.
    pub fn wait_probability(&self) -> f64 {
        self.waiting
    }

    /// What is left over: c·μ − λ, per second.
    pub fn spare(&self) -> f64 {
        self.spare
    }

    /// Wq = C/(c·μ − λ).
    pub fn mean_wait(&self) -> f64 {
        self.waiting / self.spare
    }

    /// W = Wq + 1/μ.
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + 1.0 / self.rate
    }

    /// Lq = λ·Wq (Little 1961).
    pub fn mean_queue(&self) -> f64 {
        self.arrivals * self.mean_wait()
    }

    /// L = λ·W (Little 1961).
    pub fn mean_number(&self) -> f64 {
        self.mean_queue() + self.arrivals / self.rate
    }

    /// The waiting time that a share `exceeded` of the arrivals exceeds: ln(C/exceeded)/(c·μ − λ), or 0 where fewer wait at all.
    pub fn wait_exceeded_by(&self, exceeded: f64) -> Result<f64, ParameterError> {
        let exceeded = tail("exceeded", exceeded)?;
        Ok(log_above(self.waiting, exceeded) / self.spare)
    }

    /// P(Wq > t) = C·e^{−(c·μ − λ)·t}.
    pub fn wait_tail(&self, time: f64) -> Result<f64, ParameterError> {
        let time = non_negative("time", time)?;
        Ok(self.waiting * (-self.spare * time).exp())
    }

    /// The sojourn time that a share `exceeded` of the arrivals exceeds, by inverting [`Self::sojourn_tail`].
    pub fn sojourn_exceeded_by(&self, exceeded: f64) -> Result<f64, ParameterError> {
        let exceeded = tail("exceeded", exceeded)?;
        if self.servers == 1.0 {
            return Ok(-exceeded.ln() / self.spare);
        }
        let scale = 1.0 / self.rate;
        Ok(scale * invert_tail(exceeded, 1.0, |time| self.tail_in_services(time)))
    }

    /// P(W > t): the convolution of the wait (an atom of 1 − C at 0, else exponential of rate θ = c·μ − λ) with the service.
    ///
    /// e^{−μt} + C·μ·(e^{−θt} − e^{−μt})/(μ − θ), written so that every term is positive, also where θ is near μ.
    pub fn sojourn_tail(&self, time: f64) -> Result<f64, ParameterError> {
        let time = non_negative("time", time)?;
        Ok(self.tail_in_services(time * self.rate))
    }

    /// [`Self::sojourn_tail`] of a time measured in mean services.
    fn tail_in_services(&self, time: f64) -> f64 {
        let drain = self.spare / self.rate;
        let gap = (1.0 - drain) * time;
        let slower = (-time * drain.min(1.0)).exp();
        let spread = if gap == 0.0 {
            1.0
        } else {
            -(-gap.abs()).exp_m1() / gap.abs()
        };
        (-time).exp() + self.waiting * time * slower * spread
    }
}
