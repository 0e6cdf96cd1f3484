//! The listener, on a socket: slow clients are dropped, running requests are finished.

use std::time::{Duration, Instant};

use axum::routing::get;
use axum::{Extension, Router};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::server::client_address::PeerAddr;
use crate::server::listener::{Limits, serve};

const HEADER_LIMIT: Duration = Duration::from_millis(400);

/// A server on a free port of loopback, and what stops it.
struct Server {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<anyhow::Result<()>>,
}

async fn start(connections: usize, stop: Duration) -> Server {
    let slow = |millis| async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        "finished"
    };
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route(
            "/peer",
            get(|Extension(PeerAddr(peer)): Extension<PeerAddr>| async move { peer.to_string() }),
        )
        .route("/slow", get(move || slow(600)))
        .route("/stuck", get(move || slow(60_000)));
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    let (sender, receiver) = oneshot::channel();
    let limits = Limits {
        header: HEADER_LIMIT,
        stop,
        ..Limits::for_connections(connections)
    };
    let ended = tokio::spawn(serve(socket, router, limits, async move {
        let _ = receiver.await;
    }));
    Server {
        address,
        stop: sender,
        ended,
    }
}

impl Server {
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        stream.write_all(text.as_bytes()).await.expect("is sent");
        stream
    }
}

/// Everything until the server closes the connection.
async fn rest_of(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut text)).await;
    assert!(
        read.is_ok(),
        "the connection is still open: {}",
        String::from_utf8_lossy(&text)
    );
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_header_that_never_ends_is_dropped() {
    let server = start(100, Duration::from_secs(5)).await;
    for start in [
        "",
        "P",
        "GET",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "PRI * HT",
    ] {
        let stream = server.send(start).await;
        let since = Instant::now();
        let answer = rest_of(stream).await;
        assert!(!answer.contains("200 OK"), "{start:?}: {answer}");
        assert!(
            since.elapsed() >= HEADER_LIMIT / 2,
            "{start:?}: dropped at once"
        );
        assert!(
            since.elapsed() < HEADER_LIMIT * 5,
            "{start:?}: {:?}",
            since.elapsed()
        );
    }
    // One byte at a time is no way around.
    let mut stream = server.send("GET / HTTP/1.1\r\nX-Slow: ").await;
    let since = Instant::now();
    while since.elapsed() < HEADER_LIMIT * 5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if stream.write_all(b"x").await.is_err() {
            break;
        }
    }
    assert!(since.elapsed() < HEADER_LIMIT * 4, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_header_in_time_is_answered_however_long_the_request_takes() {
    let server = start(100, Duration::from_secs(5)).await;
    let answer = rest_of(
        server
            .send("GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await,
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("finished"),
        "{answer}"
    );
    // Two requests on one connection, the second after less than the limit.
    let mut stream = server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(HEADER_LIMIT / 2).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("is sent");
    assert_eq!(rest_of(stream).await.matches("HTTP/1.1 200 OK").count(), 2);
}

#[tokio::test]
async fn whoever_is_dropped_gives_their_place_to_others() {
    let server = start(2, Duration::from_secs(5)).await;
    let slow = [server.send("GET / HT").await, server.send("").await];
    let answer = rest_of(
        server
            .send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await,
    )
    .await;
    assert!(answer.ends_with("here"), "{answer}");
    drop(slow);
}

#[tokio::test]
async fn a_running_request_is_finished_before_the_server_stops() {
    let server = start(100, Duration::from_secs(5)).await;
    let running = server.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let idle = server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).expect("the server runs");
    let since = Instant::now();
    assert!(
        rest_of(idle).await.ends_with("here"),
        "an idle connection is closed after its answer"
    );
    let answer = rest_of(running).await;
    assert!(answer.ends_with("finished"), "{answer}");
    server.ended.await.expect("no panic").expect("no fault");
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nothing listens any more"
    );
}

#[tokio::test]
async fn a_request_knows_who_opened_its_connection() {
    let server = start(100, Duration::from_secs(5)).await;
    let request =
        "GET /peer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n\r\n";
    let stream = server.send(request).await;
    let own = stream.local_addr().expect("an address").to_string();
    let answer = rest_of(stream).await;
    assert!(answer.ends_with(&own), "{own}: {answer}");
}

#[tokio::test]
async fn a_request_that_does_not_end_does_not_hold_the_server() {
    let server = start(100, Duration::from_millis(300)).await;
    let _stuck = server.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).expect("the server runs");
    let since = Instant::now();
    server.ended.await.expect("no panic").expect("no fault");
    assert!(
        since.elapsed() < Duration::from_secs(2),
        "{:?}",
        since.elapsed()
    );
}
