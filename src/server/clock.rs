//! The clock and the source of randomness: the one place that reads either. Everything else is handed the result.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::attempt::UnixMillis;

/// A clock that the tests can set.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    Set(Arc<AtomicI64>),
}

impl Clock {
    pub fn now(&self) -> UnixMillis {
        match self {
            Self::System => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the one place that reads the system's clock"
                )]
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Self::Set(millis) => millis.load(Ordering::SeqCst),
        }
    }
}

/// An instant for reading, to the minute, where the reader is.
pub fn words(at: UnixMillis, zone: &TimeZone) -> String {
    in_zone(at, zone, "%-d %b %Y, %H:%M %Z")
}

/// An instant for reading in a format of `strftime`.
pub fn in_zone(at: UnixMillis, zone: &TimeZone, format: &str) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| "at an unknown time".to_owned(),
        |at| at.to_zoned(zone.clone()).strftime(format).to_string(),
    )
}

/// Bytes from the operating system's generator.
///
/// # Panics
/// When the operating system cannot give randomness: nothing safe can be done without it.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "nothing safe can be done without randomness"
    )]
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A new id: a UUID of version 7, so that ids sort by the time they were made.
pub fn new_id(now: UnixMillis) -> String {
    let millis = u64::try_from(now).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random_bytes::<10>())
        .into_uuid()
        .to_string()
}
