//! M/M/c//N: N clients that think, ask, and wait for their answer before they think again.
//!
//! Must never know open arrivals: load comes only from the clients.

use super::parameter::{MOST_COUNTED, ParameterError, counted, non_negative, positive};

/// N closed clients at c servers. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 3; interactive response time law
/// R = N/X − Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FiniteSource {
    throughput: f64,
    number: f64,
}

impl FiniteSource {
    /// `clients` N, mean thinking time Z = `think`, mean service time S, c servers.
    pub fn new(
        clients: u64,
        think: f64,
        service: f64,
        servers: u64,
    ) -> Result<Self, ParameterError> {
        let population = counted("clients", clients, 1, MOST_COUNTED)?;
        let think = non_negative("think", think)?;
        let service = positive("service", service)?;
        let count = counted("servers", servers, 1, MOST_COUNTED)?;
        if think == 0.0 {
            return Ok(Self {
                throughput: population.min(count) / service,
                number: population,
            });
        }
        let ratio = service / think;
        // Weights of the states, scaled down together whenever they grow too large.
        let (mut weight, mut sum, mut busy, mut number) = (1.0_f64, 1.0, 0.0, 0.0);
        for n in 1..=clients {
            let at_work = (n as f64).min(count);
            weight *= (population - (n - 1) as f64) * ratio / at_work;
            sum += weight;
            busy += at_work * weight;
            number += n as f64 * weight;
            if weight > 1e90 {
                let scale = 1.0 / weight;
                for value in [&mut weight, &mut sum, &mut busy, &mut number] {
                    *value *= scale;
                }
            }
            if weight < sum * 1e-40 && (population - n as f64) * ratio < at_work {
                break;
            }
        }
        Ok(Self {
            throughput: busy / sum / service,
            number: number / sum,
        })
    }

    /// R = L/X, which is N/X − Z without its subtraction.
    pub fn mean_response(&self) -> f64 {
        self.number / self.throughput
    }
}
