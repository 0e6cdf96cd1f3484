//! Erlang's two formulas, and the number of servers that they ask for.
//!
//! Must never know rates and times: only the offered load a = λ/μ in erlangs, and servers.

use super::parameter::{
    Load, MOST_COUNTED, ParameterError, Problem, counted, fraction, left_over, non_negative,
};

/// Erlang B: the probability that all `c` servers of M/G/c/c are busy, so that an arrival is lost.
///
/// B(0) = 1, B(n) = a·B(n−1) / (n + a·B(n−1)): a recursion of positive terms, so that its relative error stays near that of one
/// step. Source: A. K. Erlang 1917; recursion as in Kleinrock, Queueing Systems vol. 1 (1975), ch. 3.
pub fn erlang_b(servers: u64, offered: f64) -> Result<f64, ParameterError> {
    counted("servers", servers, 0, MOST_COUNTED)?;
    let offered = non_negative("offered", offered)?;
    Ok(blocking(servers, offered))
}

pub(super) fn blocking(servers: u64, offered: f64) -> f64 {
    let mut blocking = 1.0;
    for n in 1..=servers {
        let busy = offered * blocking;
        blocking = busy / (n as f64 + busy);
        if blocking == 0.0 {
            break;
        }
    }
    blocking
}

/// Erlang C: the probability that an arrival at M/M/c has to wait.
///
/// C = c·B / (c − a·(1 − B)), written with the positive terms (c − a) + a·B. In overload everybody waits:
/// [`Load::Growing`] with the excess in erlangs. Source: A. K. Erlang 1917; Kleinrock vol. 1 (1975), ch. 3.
pub fn erlang_c(servers: u64, offered: f64) -> Result<Load<f64>, ParameterError> {
    let count = counted("servers", servers, 1, MOST_COUNTED)?;
    let offered = non_negative("offered", offered)?;
    let idle = left_over(count, offered, 1.0);
    Ok(if idle <= 0.0 {
        Load::Growing {
            by_per_second: 0.0 - idle,
        }
    } else {
        Load::Steady(waiting(count, offered, blocking(servers, offered)))
    })
}

/// C from B.
pub(super) fn waiting(servers: f64, offered: f64, blocking: f64) -> f64 {
    servers * blocking / ((servers - offered) + offered * blocking)
}

/// The least number of servers with which at most a share `target` of the arrivals waits (Erlang C).
pub fn servers_for_waiting(offered: f64, target: f64) -> Result<u64, ParameterError> {
    let offered = countable("offered", offered)?;
    let target = fraction("target", target)?;
    if target == 0.0 {
        return Err(ParameterError::new("target", Problem::NotAbove(0.0)));
    }
    let mut blocking = 1.0;
    let mut servers = 0_u32;
    loop {
        servers += 1;
        let count = f64::from(servers);
        let busy = offered * blocking;
        blocking = busy / (count + busy);
        if left_over(count, offered, 1.0) > 0.0 && waiting(count, offered, blocking) <= target {
            return Ok(u64::from(servers));
        }
    }
}

/// An offered load small enough to count servers for.
fn countable(name: &'static str, offered: f64) -> Result<f64, ParameterError> {
    super::parameter::between(name, offered, 0.0, MOST_COUNTED as f64)
}

/// Square-root staffing: a + β·√a servers for an offered load of a erlangs and a quality of service β, which below -√a
/// would leave fewer than none.
///
/// Source: Halfin & Whitt, Operations Research 29 (1981).
pub fn square_root_staffing(offered: f64, quality: f64) -> Result<f64, ParameterError> {
    let offered = non_negative("offered", offered)?;
    let quality = super::parameter::between("quality", quality, -offered.sqrt().min(1e6), 1e6)?;
    Ok(offered + quality * offered.sqrt())
}

/// Extended Erlang B: the offered load with repeated tries, where a share `recall` of the lost arrivals tries again.
///
/// Solves A = A0 + A·B(c, A)·r. With r = 1 and at least as much fresh load as servers there is no solution:
/// [`Load::Growing`] with the excess in erlangs. Source: Jewett, Shrago & Yomtov, Designing Optimal Voice Networks (1980).
pub fn extended_erlang_b(
    servers: u64,
    fresh: f64,
    recall: f64,
) -> Result<Load<f64>, ParameterError> {
    let count = counted("servers", servers, 1, 1_000_000)?;
    let fresh = non_negative("fresh", fresh)?;
    let recall = fraction("recall", recall)?;
    if recall == 1.0 && fresh >= count {
        return Ok(Load::Growing {
            by_per_second: fresh - count,
        });
    }
    // 1 − r·B as (1 − r) + r·(1 − B), where 1 − B(c) = c/(c + a·B(c − 1)) needs no subtraction.
    let kept = |offered: f64| {
        let served = count / (count + offered * blocking(servers - 1, offered));
        offered * ((1.0 - recall) + recall * served)
    };
    let mut lower = fresh;
    let mut upper = fresh.max(1e-100) * 2.0;
    while kept(upper) < fresh && upper < 1e300 {
        lower = upper;
        upper *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(lower, upper);
        if middle <= lower || middle >= upper {
            break;
        }
        if kept(middle) < fresh {
            lower = middle;
        } else {
            upper = middle;
        }
    }
    Ok(Load::Steady(upper))
}
