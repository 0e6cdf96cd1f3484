//! The server from its start to its stop.
//!
//! Told to stop by SIGTERM, it first says that it is not ready and still takes requests, so that a load balancer turns
//! away; then it takes no more and finishes those that run. SIGINT leaves the first part out, and a second signal ends
//! the process at once.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::accounts::store::token;
use crate::app;
use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::mail::{MailSettings, UNNAMED, store as outbox, worker};
use crate::server::clock::Clock;
use crate::server::config::{Config, without_password};
use crate::server::content_library::{Library, Origin};
use crate::server::database::{Db, StoreError};
use crate::server::state::{Allowances, AppState, Settings};
use crate::server::telemetry::metrics::{self, MailOutcome};
use crate::server::{listener, store};

/// Whoever reads metrics needs few connections.
const METRICS_CONNECTIONS: usize = 16;
/// The database may take this long to close: a request that outlived its limit may hold it.
const CLOSING: Duration = Duration::from_secs(1);

/// Mail that was sent is kept this long, in milliseconds.
const MAIL_KEPT: i64 = 30 * 24 * 60 * MINUTE;
/// A guest without a session is removed this long after they came: before, their first request may be under way.
const GUEST_WITHOUT_SESSION: i64 = 24 * 60 * MINUTE;
const GUESTS_AT_ONCE: i64 = 200;
/// How far one sweep goes beyond the one before, in milliseconds.
const SWEEP_STEP: i64 = 24 * 60 * MINUTE;

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    No,
    /// No more requests are taken; running ones finish.
    Finish,
    AtOnce,
}

/// Migrates the database and serves until told to stop.
pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let origin = config
        .content
        .clone()
        .map_or(Origin::Program, Origin::Directory);
    let library = Library::read(&origin).context("the content directory cannot be read")?;
    if !library.diagnostics.is_empty() && !config.dev {
        for diagnostic in &library.diagnostics {
            eprintln!("{diagnostic}");
        }
        anyhow::bail!(
            "the content has {} faults; mend them, or serve with --dev to see them in the page",
            library.diagnostics.len()
        );
    }
    let db = open_database(config).await?;
    db.migrate()
        .await
        .context("the database cannot be migrated")?;
    let clock = Clock::System;
    let mail = MailSettings::new(
        config.smtp_url.as_deref(),
        config.mail_from.as_deref().unwrap_or(UNNAMED),
        &config.public_url(),
    )?;
    let settings = Settings {
        public_url: config.public_url(),
        dev: config.dev,
        mail: mail.is_on(),
        trusted_proxies: config.trusted_proxies.clone(),
        allowances: Allowances {
            guests_per_hour: config.guests_per_hour,
            signups_per_hour: config.signups_per_hour,
            signins_per_quarter_hour: config.signins_per_quarter_hour,
            signins_per_address: config.signins_per_address,
        },
    };
    let state = AppState::new(db.clone(), clock.clone(), origin, library, settings);

    // Before anything listens, so that no signal is missed.
    let stop = stop_on_signal(
        Signals::new()?,
        state.clone(),
        Duration::from_secs(config.drain_seconds.into()),
    );
    let socket = bind(config.addr, "--addr").await?;
    if let Some(address) = config.metrics_addr {
        let socket = bind(address, "--metrics-addr").await?;
        tracing::info!(address = %socket.local_addr()?, "metrics are served");
        if !address.ip().is_loopback() {
            tracing::warn!("whoever reaches this address reads the metrics");
        }
        tokio::spawn(listener::serve(
            socket,
            metrics::router(state.metrics.clone()),
            listener::Limits::for_connections(METRICS_CONNECTIONS),
            reaches(stop.clone(), Stop::Finish),
        ));
    }
    let sweeper = tokio::spawn(sweep(db.clone(), clock.clone()));
    let metrics = state.metrics.clone();
    let mailer = tokio::spawn(worker::run(
        db.clone(),
        clock,
        mail,
        state.mail.clone(),
        Arc::new(move |outcome| {
            metrics.mail(match outcome {
                worker::Outcome::Sent => MailOutcome::Sent,
                worker::Outcome::Deferred => MailOutcome::Postponed,
                worker::Outcome::GivenUp => MailOutcome::GivenUp,
            });
        }),
        reaches(stop.clone(), Stop::Finish),
    ));
    tracing::info!(address = %socket.local_addr()?, "Headroom is serving");
    let limits = listener::Limits::for_connections(config.max_connections);
    let served = listener::serve(
        socket,
        app::router(state),
        limits,
        reaches(stop.clone(), Stop::Finish),
    );
    tokio::select! {
        // First: a server without requests has finished in the same moment.
        biased;
        () = reaches(stop, Stop::AtOnce) => {
            tracing::warn!("told to stop once more; stopped at once");
            return Ok(ExitCode::FAILURE);
        }
        served = served => served?,
    }
    sweeper.abort();
    if let Err(error) = mailer.await {
        tracing::warn!(%error, "the sender of mail ended early");
    }
    if tokio::time::timeout(CLOSING, db.close()).await.is_err() {
        tracing::warn!("the database was still in use");
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Opens the database that the configuration names.
pub async fn open_database(config: &Config) -> anyhow::Result<Db> {
    Db::open_with(&config.database_url, config.database_connections)
        .await
        .with_context(|| {
            format!(
                "the database at {} cannot be opened",
                without_password(&config.database_url)
            )
        })
}

async fn bind(address: std::net::SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another address with {flag}"))
}

/// Every hour: removes what has ended.
async fn sweep(db: Db, clock: Clock) {
    let mut swept = None;
    loop {
        let now = clock.now();
        let before = match swept {
            Some(before) => Ok(before),
            None => last_seen(&db, now).await,
        };
        match before {
            Ok(before) => {
                let until = sweep_until(before, now);
                sweep_once(&db, until).await;
                swept = Some(until);
            }
            Err(error) => tracing::warn!(%error, "what has ended was not removed"),
        }
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
}

/// When anybody was last here; a database without anybody is as good as up to date.
pub(crate) async fn last_seen(db: &Db, now: UnixMillis) -> Result<UnixMillis, StoreError> {
    let mut reader = db.read().await?;
    let seen_at = store::last_seen(&mut reader.conn(), now).await?;
    Ok(seen_at.unwrap_or(now))
}

/// The time by which a sweep judges what has ended. It follows the clock by at most a day each time: a clock that is a
/// year ahead must not remove at once what guests made, and there is time to notice.
pub(crate) fn sweep_until(before: UnixMillis, now: UnixMillis) -> UnixMillis {
    now.min(before.saturating_add(SWEEP_STEP))
}

/// Removes what has ended by then.
pub(crate) async fn sweep_once(db: &Db, now: UnixMillis) {
    let outcome = crate::transact!(db, |conn| {
        store::delete_expired_sessions(conn, now).await?;
        store::delete_passed_counts(conn, now).await?;
        token::delete_expired(conn, now).await?;
        outbox::delete_old(conn, now - MAIL_KEPT).await
    });
    if let Err(error) = outcome {
        tracing::warn!(%error, "what has ended was not removed");
    }
    // In portions, so that nobody waits long for the writer.
    loop {
        let outcome = crate::transact!(db, |conn| store::delete_abandoned_guests(
            conn,
            now - GUEST_WITHOUT_SESSION,
            GUESTS_AT_ONCE
        )
        .await);
        match outcome {
            Ok(deleted) if deleted > 0 => tokio::task::yield_now().await,
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(%error, "guests whose session ended were not removed");
                break;
            }
        }
    }
}

/// Resolves when a stop has come so far.
pub async fn reaches(mut stop: watch::Receiver<Stop>, far: Stop) {
    if stop.wait_for(|now| *now >= far).await.is_err() {
        // Whoever could say so is gone, and so is the process.
        std::future::pending::<()>().await;
    }
}

/// Leads through a stop from the first signal on.
fn stop_on_signal(mut signals: Signals, state: AppState, drain: Duration) -> watch::Receiver<Stop> {
    let (say, stop) = watch::channel(Stop::No);
    tokio::spawn(async move {
        let first = signals.next().await;
        state.draining.store(true, Ordering::SeqCst);
        if first == Signal::Terminate && !drain.is_zero() {
            tracing::info!(seconds = drain.as_secs(), "asked to stop; draining");
            tokio::select! {
                () = tokio::time::sleep(drain) => {}
                _ = signals.next() => {
                    say.send_replace(Stop::AtOnce);
                    return;
                }
            }
        }
        tracing::info!("finishing the requests that are running");
        say.send_replace(Stop::Finish);
        signals.next().await;
        say.send_replace(Stop::AtOnce);
    });
    stop
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Terminate,
}

/// The signals that stop the server, listened for as soon as this is made.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
