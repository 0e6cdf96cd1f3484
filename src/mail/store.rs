//! The SQL of the outbox, and of the tokens that mailed links carry.
//!
//! A row waits, is leased by the node that tries to send it, and ends as sent or as given up. Functions run on the
//! caller's transaction. Must never hold a token: only its SHA-256 is kept.

use sqlx::FromRow;

use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::error::AppError;
use crate::server::database::{Conn, StoreError};
use crate::{affected, on};

pub use super::letter::Letter;
use super::letter::one_line;

/// How long a node has for sending what it leased, in milliseconds. It is longer than sending can take.
pub const LEASE: i64 = 2 * MINUTE;
/// The pause after the first failure, in milliseconds; it doubles with each further one.
pub const FIRST_PAUSE: i64 = MINUTE;
/// The longest pause, in milliseconds.
pub const LONGEST_PAUSE: i64 = 6 * 60 * MINUTE;
/// No next try is honestly this far ahead, in milliseconds: it was noted by a clock that was wrong, and is due.
const FARTHEST_AHEAD: i64 = 2 * LONGEST_PAUSE;
/// A letter that could not be sent for this long is given up, in milliseconds.
pub const GIVEN_UP_AFTER: i64 = 3 * 24 * 60 * MINUTE;
/// But not before it was tried so often: a clock that leaps loses no mail.
const LEAST_TRIES: i64 = 10;
/// Rows on one page of the administrator's list.
pub const PAGE: i64 = 50;

/// The longest address that SMTP knows, in bytes.
const LONGEST_ADDRESS: usize = 254;
/// The most characters that are kept of an error.
const LONGEST_ERROR: usize = 200;

/// Puts a letter into the outbox. A letter with a link replaces those of its kind that the account still waits for: only
/// the last link is to work.
///
/// # Errors
/// `Invalid` when the recipient cannot be an address.
pub async fn enqueue(
    conn: &mut Conn<'_>,
    id: &str,
    account_id: Option<&str>,
    letter: &Letter,
    recipient: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    if !recipient.contains('@')
        || recipient.len() > LONGEST_ADDRESS
        || recipient.chars().any(char::is_control)
    {
        return Err(
            AppError::invalid("email", "This is not an address that mail can go to.").into(),
        );
    }
    if let (Some(_), Some(account_id)) = (letter.link(), account_id) {
        affected!(conn, |c| {
            sqlx::query(
            "DELETE FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL AND account_id = $1 AND kind = $2"
        )
        .bind(account_id)
        .bind(letter.kind())
        .execute(c)
        })?;
    }
    affected!(conn, |c| sqlx::query(
        "INSERT INTO outbox (id, account_id, kind, recipient, detail, created_at, next_try_at, tries) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, 0)"
    )
    .bind(id)
    .bind(account_id)
    .bind(letter.kind())
    .bind(recipient)
    .bind(letter.detail())
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// A letter that this node may send until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Lease {
    pub id: String,
    pub account_id: Option<String>,
    pub kind: String,
    pub recipient: String,
    pub detail: String,
    pub created_at: UnixMillis,
    /// This one is counted.
    pub tries: i64,
    /// When the lease ends.
    #[sqlx(rename = "next_try_at")]
    pub until: UnixMillis,
}

/// Whether a letter is due. Only reads.
pub async fn any_due(conn: &mut Conn<'_>, now: UnixMillis) -> Result<bool, StoreError> {
    let found = on!(conn, |c| {
        sqlx::query_as::<_, (String,)>(
        "SELECT id FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL AND (next_try_at <= $1 OR next_try_at > $2) LIMIT 1"
    )
    .bind(now)
    .bind(now.saturating_add(FARTHEST_AHEAD))
    .fetch_optional(c)
    })?;
    Ok(found.is_some())
}

/// Takes up to `limit` letters that are due, the longest waiting first, for `lease` milliseconds. Of several nodes that
/// ask at once, one gets a letter.
pub async fn lease_due(
    conn: &mut Conn<'_>,
    now: UnixMillis,
    lease: i64,
    limit: i64,
) -> Result<Vec<Lease>, StoreError> {
    let due = on!(conn, |c| {
        sqlx::query_as::<_, Lease>(
        "SELECT id, account_id, kind, recipient, detail, created_at, tries, next_try_at FROM outbox \
         WHERE sent_at IS NULL AND failed_at IS NULL AND (next_try_at <= $1 OR next_try_at > $3) ORDER BY next_try_at, id LIMIT $2"
    )
    .bind(now)
    .bind(limit)
    .bind(now.saturating_add(FARTHEST_AHEAD))
    .fetch_all(c)
    })?;
    let until = now.saturating_add(lease);
    let mut leased = Vec::with_capacity(due.len());
    for mut row in due {
        let won = affected!(conn, |c| sqlx::query(
            "UPDATE outbox SET next_try_at = $2, tries = tries + 1 \
             WHERE id = $1 AND next_try_at = $3 AND sent_at IS NULL AND failed_at IS NULL"
        )
        .bind(&row.id)
        .bind(until)
        .bind(row.until)
        .execute(c))?;
        if won == 1 {
            row.tries += 1;
            row.until = until;
            leased.push(row);
        }
    }
    Ok(leased)
}

/// The mail server has the letter. Holds even when the lease has ended meanwhile.
pub async fn mark_sent(conn: &mut Conn<'_>, id: &str, now: UnixMillis) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE outbox SET sent_at = $2, failed_at = NULL, last_error = NULL WHERE id = $1 AND sent_at IS NULL"
    )
    .bind(id)
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// How a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may succeed another time.
    ForNow,
    /// It never will.
    ForGood,
}

/// What became of a letter whose try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again at that time.
    Waits(UnixMillis),
    GivenUp,
    /// The lease had ended: another node has the letter, and nothing was changed.
    NotOurs,
}

/// Ends a lease without success. `jitter` spreads the next tries of many letters; any number will do.
pub async fn mark_failed_try(
    conn: &mut Conn<'_>,
    lease: &Lease,
    refusal: Refusal,
    error: &str,
    now: UnixMillis,
    jitter: u8,
) -> Result<Fate, StoreError> {
    let next = now.saturating_add(pause(lease.tries, jitter));
    let too_old = next > lease.created_at.saturating_add(GIVEN_UP_AFTER);
    let given_up = refusal == Refusal::ForGood || (too_old && lease.tries >= LEAST_TRIES);
    let changed = affected!(conn, |c| sqlx::query(
        "UPDATE outbox SET next_try_at = $3, failed_at = $4, last_error = $5 \
         WHERE id = $1 AND next_try_at = $2 AND sent_at IS NULL AND failed_at IS NULL"
    )
    .bind(&lease.id)
    .bind(lease.until)
    .bind(next)
    .bind(given_up.then_some(now))
    .bind(presentable(error))
    .execute(c))?;
    Ok(match (changed, given_up) {
        (0, _) => Fate::NotOurs,
        (_, true) => Fate::GivenUp,
        (_, false) => Fate::Waits(next),
    })
}

/// The pause after `tries` failures, in milliseconds: doubling, with a limit, and up to a quarter shorter by chance.
fn pause(tries: i64, jitter: u8) -> i64 {
    let doublings = tries.saturating_sub(1).clamp(0, 20);
    let whole = (FIRST_PAUSE << doublings).min(LONGEST_PAUSE);
    whole - whole * i64::from(jitter) / (4 * 256)
}

/// An error as it may be kept and shown: short, on one line, without addresses, links and long codes, which may be
/// tokens.
pub(super) fn presentable(error: &str) -> String {
    let line = one_line(error);
    let words: Vec<&str> = line
        .split(' ')
        .map(|word| {
            let is_code = |part: &str| part.len() >= 24;
            if word.contains(['@', '/'])
                || word
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .any(is_code)
            {
                "…"
            } else {
                word
            }
        })
        .collect();
    words.join(" ").chars().take(LONGEST_ERROR).collect()
}

/// What the administrator's list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    All,
    Waiting,
    Sent,
    GivenUp,
}

impl Filter {
    pub const ALL: [Self; 4] = [Self::All, Self::Waiting, Self::Sent, Self::GivenUp];

    pub fn slug(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::GivenUp => "given-up",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.slug() == slug)
    }
}

/// A letter in the administrator's list.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Entry {
    pub id: String,
    pub account_id: Option<String>,
    pub kind: String,
    pub recipient: String,
    pub created_at: UnixMillis,
    pub next_try_at: UnixMillis,
    pub tries: i64,
    pub sent_at: Option<UnixMillis>,
    pub failed_at: Option<UnixMillis>,
    pub last_error: Option<String>,
}

/// One page of the outbox, the latest first. Pages count from 0 and have up to [`PAGE`] rows.
pub async fn list(
    conn: &mut Conn<'_>,
    filter: Filter,
    page: u32,
) -> Result<Vec<Entry>, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, Entry>(
        "SELECT id, account_id, kind, recipient, created_at, next_try_at, tries, sent_at, failed_at, last_error FROM outbox \
         WHERE $1 = 'all' \
         OR ($1 = 'waiting' AND sent_at IS NULL AND failed_at IS NULL) \
         OR ($1 = 'sent' AND sent_at IS NOT NULL) \
         OR ($1 = 'given-up' AND failed_at IS NOT NULL) \
         ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
    )
    .bind(filter.slug())
    .bind(PAGE)
    .bind(i64::from(page) * PAGE)
    .fetch_all(c)
    })
}

/// How many letters there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting: i64,
    pub sent: i64,
    pub given_up: i64,
}

pub async fn counts(conn: &mut Conn<'_>) -> Result<Counts, StoreError> {
    let (all, sent, given_up) = on!(conn, |c| sqlx::query_as::<_, (i64, i64, i64)>(
        "SELECT COUNT(*), COUNT(sent_at), COUNT(failed_at) FROM outbox"
    )
    .fetch_one(c))?;
    Ok(Counts {
        waiting: all - sent - given_up,
        sent,
        given_up,
    })
}

/// Has a letter tried now that was given up or that waits after a failure; the answer is whether there was one. What a
/// node may be sending at this moment is left alone.
pub async fn retry(conn: &mut Conn<'_>, id: &str, now: UnixMillis) -> Result<bool, StoreError> {
    // Postgres refuses a text with NUL.
    if id.contains('\0') {
        return Ok(false);
    }
    // A lease ends within its length; what waits longer waits after a failure.
    let changed = affected!(conn, |c| sqlx::query(
        "UPDATE outbox SET failed_at = NULL, next_try_at = $2 \
         WHERE id = $1 AND sent_at IS NULL AND (failed_at IS NOT NULL OR next_try_at > $3)"
    )
    .bind(id)
    .bind(now)
    .bind(now.saturating_add(LEASE))
    .execute(c))?;
    Ok(changed == 1)
}

/// Withdraws the letters with a link that an account still waits for.
pub async fn withdraw_links(conn: &mut Conn<'_>, account_id: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM outbox WHERE account_id = $1 AND kind IN ('verify-address', 'reset-password') AND sent_at IS NULL"
    )
    .bind(account_id)
    .execute(c))
    .map(|_| ())
}

/// Whether there is such a letter.
pub async fn exists(conn: &mut Conn<'_>, id: &str) -> Result<bool, StoreError> {
    let found = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT id FROM outbox WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(c))?;
    Ok(found.is_some())
}

/// Removes letters that were sent or given up before then; the answer is how many.
pub async fn delete_old(conn: &mut Conn<'_>, before: UnixMillis) -> Result<u64, StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM outbox WHERE sent_at < $1 OR failed_at < $1"
    )
    .bind(before)
    .execute(c))
}

/// When the letter that waits longest was asked for.
pub async fn oldest_waiting(conn: &mut Conn<'_>) -> Result<Option<UnixMillis>, StoreError> {
    let (oldest,) = on!(conn, |c| sqlx::query_as::<_, (Option<i64>,)>(
        "SELECT MIN(created_at) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL"
    )
    .fetch_one(c))?;
    Ok(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let whole = |tries| pause(tries, 0);
        assert_eq!(
            [1, 2, 3, 4].map(whole),
            [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
        );
        for tries in [i64::MIN, -1, 0, 1, 9, 10, 100, i64::MAX] {
            for jitter in [0, 1, 128, 255] {
                let pause = pause(tries, jitter);
                assert!((whole(tries) * 3 / 4..=whole(tries)).contains(&pause));
                assert!((FIRST_PAUSE * 3 / 4..=LONGEST_PAUSE).contains(&pause));
            }
        }
        assert_eq!(whole(i64::MAX), LONGEST_PAUSE);
        // Tries come to an end: a letter is not tried more than this often in three days.
        let mut passed = 0;
        let tries = (1..1000)
            .take_while(|tries| {
                passed += pause(*tries, 255);
                passed <= GIVEN_UP_AFTER
            })
            .count();
        assert!((15..40).contains(&tries), "{tries}");
    }

    #[test]
    fn errors_are_kept_without_what_they_should_not_hold() {
        let token = "0123456789abcdef".repeat(4);
        for (error, kept) in [
            (
                "550 No such user <ada@example.org> here".to_owned(),
                "550 No such user … here",
            ),
            ("a\r\nb\0c\u{1b}[2J".to_owned(), "a b c [2J"),
            (
                format!("refused link http://practice.example/reset-password/{token}."),
                "refused link …",
            ),
            (format!("refused token={token}"), "refused …"),
        ] {
            assert_eq!(presentable(&error), kept);
        }
        assert_eq!(
            presentable(&"é ".repeat(500)).chars().count(),
            LONGEST_ERROR
        );
    }
}
