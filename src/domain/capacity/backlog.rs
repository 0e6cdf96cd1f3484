//! Backlogs: what a spike leaves in a queue and how long it takes to work off, as a fluid.
//!
//! Must never know chance: a fluid flows evenly.

use crate::domain::queueing::{Load, ParameterError, left_over, non_negative};

/// A spike over a base load, at a fixed capacity; all rates per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    base: f64,
    peak: f64,
    duration: f64,
    capacity: f64,
}

impl Spike {
    /// Arrivals at `base` before and after, at `spike` for `duration` seconds; `capacity` served per second.
    pub fn new(
        base: f64,
        spike: f64,
        duration: f64,
        capacity: f64,
    ) -> Result<Self, ParameterError> {
        Ok(Self {
            base: non_negative("base", base)?,
            peak: non_negative("spike", spike)?,
            duration: non_negative("duration", duration)?,
            capacity: non_negative("capacity", capacity)?,
        })
    }

    /// What is waiting when the spike ends: (spike − capacity)·duration, or nothing.
    pub fn backlog(&self) -> f64 {
        (self.peak - self.capacity).max(0.0) * self.duration
    }

    /// How long it takes to work that off: backlog/(capacity − base). [`Load::Growing`] where the base load alone is as much as the
    /// capacity, and there is something to work off or it grows.
    pub fn drain_time(&self) -> Load<f64> {
        let backlog = self.backlog();
        let spare = left_over(self.capacity, self.base, 1.0);
        if spare > 0.0 {
            // A spare capacity in its last digit may take longer than numbers go.
            Load::Steady((backlog / spare).min(1e200))
        } else if backlog == 0.0 && spare == 0.0 {
            Load::Steady(0.0)
        } else {
            Load::Growing {
                by_per_second: 0.0 - spare,
            }
        }
    }

    /// The longest wait: of who comes last in the spike, backlog/capacity. None without any capacity.
    pub fn longest_wait(&self) -> Option<f64> {
        let wait = self.backlog() / self.capacity;
        wait.is_finite().then_some(wait)
    }
}
