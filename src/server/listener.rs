//! The listener: accepts connections, limits them, gives a slow header a limit, tells requests
//! who opened their connection, and stops gracefully.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::client_address::PeerAddr;

/// What a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections at one time; further ones wait.
    pub connections: usize,
    /// A client that has not sent a whole header by then is dropped.
    pub header: Duration,
    /// What is still running when no more is accepted may take this long. With the usual wait before it and what is
    /// closed after it, a stop takes less than 10 seconds.
    pub stop: Duration,
}

impl Limits {
    pub fn for_connections(connections: usize) -> Self {
        Self {
            connections,
            header: Duration::from_secs(10),
            stop: Duration::from_secs(7),
        }
    }
}

/// Serves until `stop` resolves, then lets running requests finish within the limit for it.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30));
    let mut stop = std::pin::pin!(stop);
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let (place, stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = async { (place.await, listener.accept().await) } => match accepted {
                (Ok(place), Ok((stream, peer))) => (place, stream, PeerAddr(peer)),
                (_, Err(error)) => {
                    // Out of file descriptors, most likely: give others the time to finish.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                (Err(_), _) => break,
            },
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let asked = Arc::new(AtomicBool::new(false));
        let has_asked = Arc::clone(&asked);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let router = router.clone();
            has_asked.store(true, Ordering::Relaxed);
            async move {
                Ok::<_, Infallible>(
                    router
                        .oneshot(request.map(Body::new))
                        .await
                        .unwrap_or_else(|never| match never {}),
                )
            }
        });
        let connection = graceful.watch(
            builder
                .serve_connection(TokioIo::new(stream), service)
                .into_owned(),
        );
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // hyper's own limit begins when the first bytes have told which protocol it is.
            let ended = match tokio::time::timeout(limits.header, &mut connection).await {
                Ok(ended) => ended,
                Err(_) if !asked.load(Ordering::Relaxed) => Ok(()),
                Err(_) => connection.await,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.stop, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("stopped with requests still running");
    }
    Ok(())
}
