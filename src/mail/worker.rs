//! The worker that empties the outbox, one on each node.
//!
//! It leases letters in a short transaction, sends them without one, and notes what came of it. A letter is sent once,
//! unless a node dies or the mail server falls silent at the wrong moment: then it is sent again under the same
//! Message-ID. Must never keep a database connection while it waits for a mail server.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue, MessageId};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::accounts::store::token;
use crate::domain::attempt::UnixMillis;
use crate::server::clock::{Clock, random_bytes};
use crate::server::database::{Conn, Db, StoreError};
use crate::transact;

use super::letter::{Letter, Occasion};
use super::smtp::{NotTaken, Server};
use super::store::{self, Fate, Lease};
use super::{MailSettings, Wake};

/// Letters that are sent at one time, each on a connection of its own.
const AT_ONCE: i64 = 4;
/// How long letters under way may take once the server is told to stop. What is cut off is sent again when its lease
/// ends.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// The last second that the Date of a mail can name.
const LAST_SECOND: u64 = 253_402_300_799;

/// What came of one try, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Sent,
    /// To be tried again.
    Deferred,
    GivenUp,
}

/// Told of every try.
pub type Report = Arc<dyn Fn(Outcome) + Send + Sync>;

/// Sends what is due until `stop` is ready, and then lets letters under way finish for a moment. Returns at once when
/// there is no mail server.
pub async fn run(
    db: Db,
    clock: Clock,
    settings: MailSettings,
    wake: Wake,
    report: Report,
    stop: impl Future<Output = ()>,
) {
    let poll = settings.poll;
    let Some(worker) = Worker::new(db, clock, settings, report) else {
        return;
    };
    let mut stop = pin!(stop);
    let mut has_failed = false;
    loop {
        let mut round = pin!(worker.round());
        let outcome = tokio::select! {
            outcome = &mut round => outcome,
            () = &mut stop => {
                let _ = timeout(STOP_WITHIN, round).await;
                return;
            }
        };
        // A database that is away is said once, not every few seconds.
        match &outcome {
            Err(error) if !has_failed => tracing::warn!(%error, "the outbox cannot be read"),
            _ => {}
        }
        has_failed = outcome.is_err();
        if outcome.is_ok_and(|handled| handled > 0) {
            continue;
        }
        tokio::select! {
            () = wake.notified() => {}
            () = sleep(poll) => {}
            () = &mut stop => return,
        }
    }
}

/// A node's worker.
#[derive(Clone)]
pub(crate) struct Worker {
    db: Db,
    clock: Clock,
    settings: Arc<MailSettings>,
    server: Arc<Server>,
    report: Report,
}

/// A letter that is leased and ready to go.
struct Job {
    lease: Lease,
    message: Message,
}

impl Worker {
    /// `None` without a mail server.
    pub(crate) fn new(
        db: Db,
        clock: Clock,
        settings: MailSettings,
        report: Report,
    ) -> Option<Self> {
        let server = Arc::new(settings.server.clone()?);
        Some(Self {
            db,
            clock,
            settings: Arc::new(settings),
            server,
            report,
        })
    }

    /// Sends some of what is due; the answer is how many letters were dealt with, in whatever way.
    pub(crate) async fn round(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        // Looking must not take the writer of an SQLite file.
        if !store::any_due(&mut self.db.read().await?.conn(), now).await? {
            return Ok(0);
        }
        let (jobs, given_up) = transact!(self.db, |conn| self.lease(conn, now).await)?;
        for (id, kind, reason) in &given_up {
            tracing::warn!(%id, %kind, %reason, "a mail was given up");
            (self.report)(Outcome::GivenUp);
        }
        let handled = jobs.len() + given_up.len();
        let mut sends = JoinSet::new();
        for job in jobs {
            let worker = self.clone();
            sends.spawn(async move { worker.send(job).await });
        }
        while let Some(sent) = sends.join_next().await {
            if let Err(error) = sent {
                tracing::error!(%error, "a mail was not sent; it is tried again when its lease ends");
            }
        }
        Ok(handled)
    }

    /// Takes letters and makes what they need, in one transaction. A letter that can never be sent is given up here, so
    /// that it does not hold up the others; those come back as id, kind and reason.
    async fn lease(
        &self,
        conn: &mut Conn<'_>,
        now: UnixMillis,
    ) -> Result<(Vec<Job>, Vec<(String, String, String)>), StoreError> {
        let mut jobs = Vec::new();
        let mut given_up = Vec::new();
        for lease in store::lease_due(conn, now, store::LEASE, AT_ONCE).await? {
            match self.prepare(conn, &lease, now).await? {
                Ok(message) => jobs.push(Job { lease, message }),
                Err(NotTaken { refusal, reason }) => {
                    store::mark_failed_try(conn, &lease, refusal, &reason, now, 0).await?;
                    given_up.push((lease.id, lease.kind, reason));
                }
            }
        }
        Ok((jobs, given_up))
    }

    async fn prepare(
        &self,
        conn: &mut Conn<'_>,
        lease: &Lease,
        now: UnixMillis,
    ) -> Result<Result<Message, NotTaken>, StoreError> {
        let Some(letter) = Letter::read(&lease.kind, &lease.detail) else {
            return Ok(Err(NotTaken::for_good(
                "This version does not know such a letter.",
            )));
        };
        let public_url = self.settings.public_url.as_str();
        let link = match (letter.link(), &lease.account_id) {
            (None, _) => String::new(),
            (Some(_), None) => return Ok(Err(NotTaken::for_good("The account is gone."))),
            (Some(link), Some(account_id)) => {
                let email = match &letter {
                    Letter::VerifyAddress { email } => email,
                    _ => &lease.recipient,
                };
                let token =
                    token::issue(conn, account_id, link, email, random_bytes(), now).await?;
                link.url(public_url, &token)
            }
        };
        let text = letter.text(&Occasion {
            recipient: &lease.recipient,
            at: lease.created_at,
            link: &link,
            public_url,
        });
        Ok(compose(
            &self.settings.from,
            lease,
            letter.subject(),
            text,
            now,
        ))
    }

    async fn send(&self, job: Job) {
        let Job { lease, message } = job;
        let taken = self
            .server
            .hand_over(&message, self.settings.patience)
            .await;
        let now = self.clock.now();
        let (id, kind) = (&lease.id, &lease.kind);
        let (outcome, noted) = match taken {
            Ok(()) => {
                tracing::info!(%id, %kind, tries = lease.tries, "a mail was sent");
                (Outcome::Sent, self.note_sent(id, now).await)
            }
            Err(NotTaken { refusal, reason }) => {
                let jitter = u8::from_le_bytes(random_bytes());
                let fate = transact!(self.db, |conn| store::mark_failed_try(
                    conn, &lease, refusal, &reason, now, jitter
                )
                .await);
                let reason = store::presentable(&reason);
                match fate {
                    Ok(Fate::GivenUp) => {
                        tracing::warn!(%id, %kind, tries = lease.tries, %reason, "a mail was given up");
                        (Outcome::GivenUp, Ok(()))
                    }
                    fate => {
                        tracing::warn!(%id, %kind, tries = lease.tries, %reason, "a mail was not sent yet");
                        (Outcome::Deferred, fate.map(|_| ()))
                    }
                }
            }
        };
        (self.report)(outcome);
        if let Err(error) = noted {
            tracing::error!(%id, %error, "what came of a mail was not noted; it is tried again when its lease ends");
        }
    }

    /// Insists for a moment: a letter whose sending is not noted goes out twice.
    async fn note_sent(&self, id: &str, now: UnixMillis) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match transact!(self.db, |conn| store::mark_sent(conn, id, now).await) {
                Err(_) if tries < 3 => sleep(Duration::from_secs(1)).await,
                noted => return noted,
            }
        }
    }
}

/// The mail as it goes over the wire: plain text, and marked as written by a machine.
fn compose(
    from: &Mailbox,
    lease: &Lease,
    subject: &str,
    text: String,
    now: UnixMillis,
) -> Result<Message, NotTaken> {
    let unusable = || NotTaken::for_good("The recipient is not an address.");
    if lease.recipient.chars().any(char::is_control) {
        return Err(unusable());
    }
    let recipient: Address = lease.recipient.parse().map_err(|_| unusable())?;
    let envelope =
        Envelope::new(Some(from.email.clone()), vec![recipient.clone()]).map_err(|_| unusable())?;
    let seconds = u64::try_from(now / 1000).unwrap_or(0).min(LAST_SECOND);
    let domain = Some(from.email.domain())
        .filter(|domain| domain.is_ascii())
        .unwrap_or("headroom.invalid");
    Message::builder()
        .from(from.clone())
        .to(recipient.into())
        // Said outright: read back from the headers, an odd address could become another.
        .envelope(envelope)
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        // The same for every try, so that a mail that comes twice can be recognised.
        .header(MessageId::from(format!("<{}@{domain}>", lease.id)))
        .subject(subject)
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .singlepart(SinglePart::plain(text))
        .map_err(|error| NotTaken::for_good(format!("The mail cannot be written: {error}")))
}
