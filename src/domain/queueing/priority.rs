//! M/G/1 with classes of priority: a request of a higher class goes first, but none is interrupted.
//!
//! Must never know what makes a class more important.

use super::parameter::{Load, ParameterError, left_over, non_negative, positive};

/// One class; the order of the list is the order of priority.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorityClass {
    /// λ, per second.
    pub arrivals: f64,
    /// Mean service time.
    pub service: f64,
    /// Squared coefficient of variation of the service time: 1 for exponential.
    pub variation: f64,
}

/// The mean wait of each class, first to last.
///
/// Wq(k) = W0/((1 − σ(k−1))·(1 − σ(k))), where σ(k) is the load of class k and those before it and W0 the mean rest of the service
/// under way, ½·Σ λ·E[S²]. The first class that does not fit takes what is left of the server, and its queue grows; those
/// after it get nothing. Source: Cobham, Operations Research 2 (1954); Harchol-Balter (2013), ch. 31.
pub fn non_preemptive_waits(classes: &[PriorityClass]) -> Result<Vec<Load<f64>>, ParameterError> {
    let mut rest = 0.0;
    let mut free = 1.0_f64;
    for class in classes {
        let arrivals = non_negative("arrivals", class.arrivals)?;
        let service = positive("service", class.service)?;
        let variation = non_negative("variation", class.variation)?;
        // What a class that does not fit can take.
        let load = (arrivals * service).min(free);
        rest += load * service * (1.0 + variation) / 2.0;
        free = left_over(free, arrivals, service).max(0.0);
    }
    // What is left of the server by the classes before, and by those up to this one.
    let mut before = 1.0_f64;
    let mut waits = Vec::new();
    for class in classes {
        let upto = left_over(before, class.arrivals, class.service);
        waits.push(if upto <= 0.0 {
            Load::Growing {
                by_per_second: 0.0 - upto / class.service,
            }
        } else {
            Load::Steady(rest / (before * upto))
        });
        before = upto.max(0.0);
    }
    Ok(waits)
}
