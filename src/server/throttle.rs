//! Throttles: how often something may be tried in a window of time, counted in the database so that all nodes count
//! together.
//!
//! A try is counted before it is judged, so that many at once cannot slip through. Must never know what is tried.

use std::net::IpAddr;

use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::error::AppError;

use super::database::{Conn, StoreError};
use super::session::sha256_hex;
use super::store;

pub const QUARTER: i64 = 15 * MINUTE;
pub const HOUR: i64 = 60 * MINUTE;

/// A limit on one kind of try by one key.
#[derive(Clone, Debug)]
pub struct Throttle {
    key: String,
    most: i64,
    window: i64,
}

impl Throttle {
    /// At most `most` in `window` milliseconds. What tells one key from another is kept as a hash only.
    pub fn new(kind: &str, of: &[&str], most: u32, window: i64) -> Self {
        Self {
            key: format!("{kind}:{}", sha256_hex(of.join("\n"))),
            most: i64::from(most),
            window,
        }
    }

    /// Counts a try, or says how long to wait.
    pub async fn take(&self, conn: &mut Conn<'_>, now: UnixMillis) -> Result<(), Refused> {
        let (count, ends_at) = store::count(conn, &self.key, self.window, now).await?;
        if count > self.most {
            let seconds = (ends_at - now).max(1000).div_euclid(1000);
            return Err(Refused::Wait(u32::try_from(seconds).unwrap_or(u32::MAX)));
        }
        Ok(())
    }

    /// The try went well and does not count.
    pub async fn give_back(&self, conn: &mut Conn<'_>) -> Result<(), StoreError> {
        store::uncount(conn, &self.key).await
    }

    /// Nothing that was tried before counts any more.
    pub async fn forget(&self, conn: &mut Conn<'_>) -> Result<(), StoreError> {
        store::forget_count(conn, &self.key).await
    }
}

/// Why a try was not taken.
#[derive(Debug)]
pub enum Refused {
    /// Too many; this many seconds until the next one.
    Wait(u32),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refused {
    /// The answer to the person; `what` has been tried too often.
    pub fn explained(self, what: &str) -> StoreError {
        match self {
            Self::Wait(seconds) => AppError::too_many(
                format!("{what} Try again in {}.", wait_words(seconds)),
                seconds,
            )
            .into(),
            Self::Store(error) => error,
        }
    }
}

fn wait_words(seconds: u32) -> String {
    match seconds {
        ..2 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// What counts as one address: an IPv6 network of 64 bits belongs to one household.
pub fn address_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => address.segments()[..4]
                .iter()
                .map(|part| format!("{part:x}"))
                .collect::<Vec<_>>()
                .join(":"),
        },
    }
}
