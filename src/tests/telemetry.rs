//! What is told about a running server: log lines, metrics, traces, readiness. None of it holds a secret.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Router, middleware};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use super::app::TestApp;
use super::engines::{Database, on_each_engine};
use crate::error::AppError;
use crate::server::config::LogFormat;
use crate::server::readiness;
use crate::server::state::AppState;
use crate::server::telemetry::metrics::{MailOutcome, SaveOutcome, SignInOutcome, router};
use crate::server::telemetry::{logs, observe, record_account, traces};

/// Lines that were logged on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("sound").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("sound").clone()).expect("UTF-8")
    }

    fn json(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }
}

/// Logs of this thread go into the lines until the guard is dropped.
fn logging(filter: &str, format: LogFormat) -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = logs::layer(filter, format, move || writer.clone()).expect("a filter");
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    (lines, guard)
}

const SECRET: &str = "c0ffee5ecretc0ffee5ecretc0ffee5ecretc0ffee5ecretc0ffee5ecret1234";

/// A request with secrets wherever a client can put one.
fn secretive(method: &str, path: &str) -> Request<Body> {
    Request::builder()
        .method(Method::from_bytes(method.as_bytes()).expect("a method"))
        .uri(path)
        .header("host", "headroom.test")
        .header("user-agent", format!("agent {SECRET}"))
        .header("cookie", format!("headroom={SECRET}"))
        .header("authorization", format!("Bearer {SECRET}"))
        .header("x-request-id", "chosen-by-the-client")
        .header("referer", format!("http://headroom.test/?{SECRET}"))
        .body(Body::from(SECRET))
        .expect("a request")
}

/// Routes that do what a real handler might, seen as every request is.
fn seen(state: AppState) -> Router {
    Router::new()
        .route(
            "/fails/{id}",
            get(|| async { AppError::internal("line one\nline two\u{1b}[31m") }),
        )
        .route(
            "/mine",
            get(|request: axum::extract::Request| async move {
                // A span of somebody else stands in between, as the session's does.
                tracing::info_span!("inner")
                    .in_scope(|| record_account(request.extensions(), "account-7"));
                "mine"
            }),
        )
        .route("/reset-password/{token}", get(|| async { "a form" }))
        .layer(middleware::from_fn_with_state(state, observe))
}

#[tokio::test]
async fn a_request_is_one_json_line_without_secrets() {
    let app = TestApp::new().await;
    let (lines, _guard) = logging("info", LogFormat::Json);
    let guest = app.guest();
    let reply = guest
        .send(secretive(
            "GET",
            &format!("/prompts/payments-processor?token={SECRET}"),
        ))
        .await
        .expect(200);
    let id = reply.header("x-request-id").to_owned();
    assert!(
        id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let logged = lines.json();
    assert_eq!(logged.len(), 1, "{logged:?}");
    let span = &logged[0]["span"];
    assert_eq!(logged[0]["level"], "INFO");
    assert_eq!(span["request"], id.as_str());
    assert_eq!(span["method"], "GET");
    assert_eq!(span["route"], "/prompts/{slug}");
    assert_eq!(span["path"], "/prompts/payments-processor");
    assert_eq!(logged[0]["status"], 200);
    let ms = logged[0]["ms"].as_f64();
    assert!(ms.is_some_and(|ms| ms >= 0.0), "{}", logged[0]);
    assert_eq!(span.get("account"), None);

    // Every answer has an id of its own; what is asked for all the time is not logged.
    let other = guest.get("/healthz").await.expect(200);
    assert_ne!(other.header("x-request-id"), id);
    assert_eq!(lines.json().len(), 1);
    assert!(!lines.text().contains(SECRET), "{}", lines.text());
}

#[tokio::test]
async fn the_lines_of_a_request_carry_its_id_and_account() {
    let app = TestApp::new().await;
    // The id stands beside the cause also where only failures are logged.
    let (lines, guard) = logging("error", LogFormat::Json);
    let routes = seen(app.state.clone());
    let response = routes
        .clone()
        .oneshot(secretive("GET", "/fails/1"))
        .await
        .expect("never fails");
    let id = response.headers()["x-request-id"]
        .to_str()
        .expect("ASCII")
        .to_owned();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("whole")
        .to_bytes();
    assert!(!String::from_utf8_lossy(&body).contains("line one"));
    let logged = lines.json();
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert_eq!(logged[0]["cause"], "line one\nline two\u{1b}[31m");
    assert_eq!(logged[0]["span"]["request"], id.as_str());
    assert_eq!(logged[0]["span"]["route"], "/fails/{id}");
    drop(guard);

    let (lines, _guard) = logging("info", LogFormat::Json);
    routes
        .oneshot(secretive("GET", "/mine"))
        .await
        .expect("never fails");
    assert_eq!(lines.json()[0]["span"]["account"], "account-7");
}

#[tokio::test]
async fn nothing_that_is_sent_forges_a_line() {
    let app = TestApp::new().await;
    let (lines, _guard) = logging("debug", LogFormat::Pretty);
    let routes = seen(app.state.clone());
    let requests = [
        secretive("GET", "/a%0aINFO%20forged%0d%1b[31m%00"),
        secretive("FORGED'`|~", "/"),
        secretive("GET", "/reset-password/short"),
        secretive("GET", &format!("/nowhere/{SECRET}/")),
        secretive("GET", "/fails/%0a"),
    ];
    let count = requests.len();
    for request in requests {
        let _ = app
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("never fails");
    }
    let failing = secretive("GET", "/fails/2");
    let _ = routes.oneshot(failing).await.expect("never fails");
    let text = lines.text();
    let ours: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("request{") && !line.contains(" tower_sessions::"))
        .collect();
    // One for each, and the cause of the last.
    assert_eq!(ours.len(), count + 2, "{text}");
    assert_eq!(text.lines().count(), text.matches('\n').count());
    assert!(
        ours[0].contains("/a%0aINFO%20forged%0d%1b[31m%00"),
        "{text}"
    );
    assert!(
        ours[1].contains("method=\"other\"") && !text.contains("FORGED"),
        "{text}"
    );
    let cause = ours
        .iter()
        .find(|line| line.contains("line one"))
        .expect("is logged");
    assert!(cause.contains("line two"), "{cause}");
    let control = |character: char| character.is_control() && character != '\n';
    assert!(!text.contains(control), "{text:?}");
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn a_message_stays_on_its_line() {
    for format in [LogFormat::Pretty, LogFormat::Json] {
        let (lines, _guard) = logging("info", format);
        tracing::info!(agent = %"x\r\ny\u{85}z\u{2028}", "one\ntwo\u{7}\u{1b}]0;title");
        tracing::info!("next");
        let text = lines.text();
        let bad = |character: char| {
            character.is_control() && character != '\n' || character == '\u{2028}'
        };
        assert_eq!(text.matches('\n').count(), 2, "{text:?}");
        assert!(!text.contains(bad), "{text:?}");
        assert!(text.contains("one\\ntwo"), "{text:?}");
    }
}

/// The value of a sample, by its name with labels.
fn sample(metrics: &str, name: &str) -> Option<f64> {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(|value| value.parse().expect("a number"))
}

#[tokio::test]
async fn requests_are_counted_by_the_template_of_their_route() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for slug in ["payments-processor", "news-feed", "no-such-prompt"] {
        guest.get(&format!("/prompts/{slug}")).await;
    }
    guest.get(&format!("/nowhere/{SECRET}")).await.expect(404);
    guest.send(secretive("BREW", "/")).await.expect(403);
    guest.send(secretive("BREW", "/")).await.expect(403);
    app.interview().await;
    let text = app.state.metrics.render().expect("is written");
    let wanted = [
        (
            "headroom_http_requests_total{method=\"GET\",route=\"/prompts/{slug}\",status=\"200\"}",
            2.0,
        ),
        (
            "headroom_http_requests_total{method=\"GET\",route=\"/prompts/{slug}\",status=\"404\"}",
            1.0,
        ),
        (
            "headroom_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}",
            1.0,
        ),
        (
            "headroom_http_requests_total{method=\"POST\",route=\"/prompts/{slug}/attempts\",status=\"303\"}",
            1.0,
        ),
        (
            "headroom_http_request_duration_seconds_count{method=\"GET\",route=\"/prompts/{slug}\"}",
            3.0,
        ),
        (
            "headroom_http_request_duration_seconds_bucket{le=\"+Inf\",method=\"GET\",route=\"/prompts/{slug}\"}",
            3.0,
        ),
    ];
    for (name, value) in wanted {
        assert_eq!(sample(&text, name), Some(value), "{name}\n{text}");
    }
    let brewed: f64 = text
        .lines()
        .filter(|line| line.starts_with("headroom_http_requests_total{method=\"other\""))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert_eq!(brewed, 2.0, "{text}");
    for unwanted in [SECRET, "BREW", "payments-processor", "nowhere"] {
        assert!(!text.contains(unwanted), "{unwanted} in\n{text}");
    }
}

#[tokio::test]
async fn outcomes_pools_and_the_process_are_measured() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let metrics = &app.state.metrics;
        let before = metrics.render().expect("is written");
        assert_eq!(
            sample(&before, "headroom_saves_total{outcome=\"conflict\"}"),
            Some(0.0)
        );
        metrics.save(SaveOutcome::Saved);
        metrics.save(SaveOutcome::Saved);
        metrics.mail(MailOutcome::GivenUp);
        metrics.sign_in(SignInOutcome::Throttled);
        let pool = match &database.db {
            crate::server::database::Db::Sqlite { .. } => "read",
            crate::server::database::Db::Postgres(_) => "all",
        };
        let readers = [
            database.db.read().await.expect("a connection"),
            database.db.read().await.expect("a connection"),
        ];
        let text = metrics.render().expect("is written");
        drop(readers);
        let in_use = format!("headroom_database_connections{{pool=\"{pool}\",state=\"in_use\"}}");
        assert!(sample(&text, &in_use) >= Some(2.0), "{text}");
        assert_eq!(
            sample(&text, "headroom_saves_total{outcome=\"saved\"}"),
            Some(2.0)
        );
        assert_eq!(
            sample(&text, "headroom_mail_total{outcome=\"given-up\"}"),
            Some(1.0)
        );
        assert_eq!(
            sample(&text, "headroom_sign_ins_total{outcome=\"throttled\"}"),
            Some(1.0)
        );
        let version = format!(
            "headroom_build_info{{version=\"{}\"",
            env!("CARGO_PKG_VERSION")
        );
        assert!(text.contains(&version), "{text}");
        let start = sample(&text, "process_start_time_seconds").expect("a time");
        assert_eq!(start, super::app::START as f64 / 1000.0);
        if cfg!(target_os = "linux") {
            let memory = sample(&text, "process_resident_memory_bytes").expect("a size");
            assert!(memory > 1_000_000.0, "{memory}");
        }
        assert!(text.ends_with("# EOF\n"));
    })
    .await;
}

#[tokio::test]
async fn the_metrics_server_has_one_page() {
    let app = TestApp::new().await;
    let server = router(app.state.metrics.clone());
    for (path, status) in [("/metrics", 200), ("/", 404), ("/prompts", 404)] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = server.clone().oneshot(request).await.expect("never fails");
        assert_eq!(response.status(), status, "{path}");
    }
    // And the pages' server has none.
    app.guest().get("/metrics").await.expect(404);
}

/// Takes HTTP requests on a free port of loopback, answers each with an empty 200, and keeps the bodies.
async fn collector() -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", socket.local_addr().expect("an address"));
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
                    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                        continue;
                    };
                    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
                    assert!(text.starts_with("post /v1/traces http/1.1"), "{text}");
                    assert!(
                        text.contains("content-type: application/x-protobuf"),
                        "{text}"
                    );
                    let length: usize = text
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: "))
                        .and_then(|length| length.parse().ok())
                        .expect("a length");
                    if bytes.len() < head + 4 + length {
                        continue;
                    }
                    kept.lock()
                        .expect("sound")
                        .push(bytes[head + 4..][..length].to_vec());
                    bytes.drain(..head + 4 + length);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer).await.expect("is sent");
                }
            });
        }
    });
    (address, bodies)
}

#[tokio::test]
async fn a_trace_arrives_under_the_name_of_its_route() {
    let app = TestApp::new().await;
    let (address, bodies) = collector().await;
    let provider = traces::provider(&address).expect("an address");
    let lines = Lines::default();
    let writer = lines.clone();
    // What the log leaves out is traced all the same.
    let log = logs::layer("warn", LogFormat::Json, move || writer.clone()).expect("a filter");
    let subscriber = tracing_subscriber::registry()
        .with(log)
        .with(traces::layer(&provider));
    let guard = tracing::subscriber::set_default(subscriber);
    app.guest()
        .send(secretive(
            "GET",
            &format!("/prompts/news-feed?token={SECRET}"),
        ))
        .await
        .expect(200);
    let routes = seen(app.state.clone());
    for path in ["/fails/1", "/mine", "/reset-password/short-secret"] {
        let _ = routes
            .clone()
            .oneshot(secretive("GET", path))
            .await
            .expect("never fails");
    }
    drop(guard);
    tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(Duration::from_secs(20)))
        .await
        .expect("no panic")
        .expect("is sent");
    let sent = bodies.lock().expect("sound").concat();
    let text = String::from_utf8_lossy(&sent);
    for wanted in [
        "GET /prompts/{slug}",
        "GET /fails/{id}",
        "http.request.method",
        "http.response.status_code",
        "user.id",
        "account-7",
        "headroom",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    for unwanted in [SECRET, "short-secret", "line one", "agent"] {
        assert!(!text.contains(unwanted), "{unwanted} in {text}");
    }
    // The log has the cause and nothing of the trace's names.
    assert!(lines.text().contains("line one") && !lines.text().contains("otel"));
}

#[tokio::test]
async fn a_collector_that_is_away_or_silent_breaks_no_request() {
    // Nothing listens on the one, and nothing answers on the other.
    let away = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addresses = [&away, &silent].map(|socket| socket.local_addr().expect("an address"));
    drop(away);
    let app = TestApp::new().await;
    for address in addresses {
        let provider = traces::provider(&format!("http://{address}/")).expect("an address");
        let (lines, guard) = {
            let lines = Lines::default();
            let writer = lines.clone();
            let log =
                logs::layer("warn", LogFormat::Json, move || writer.clone()).expect("a filter");
            let subscriber = tracing_subscriber::registry()
                .with(log)
                .with(traces::layer(&provider));
            (lines, tracing::subscriber::set_default(subscriber))
        };
        // More than the queue takes.
        for _ in 0..3000 {
            app.guest().get("/healthz").await.expect(200);
        }
        drop(guard);
        assert_eq!(lines.text(), "");
        let stopped = tokio::task::spawn_blocking(move || {
            provider.shutdown_with_timeout(Duration::from_millis(200))
        });
        let _ = tokio::time::timeout(Duration::from_mins(1), stopped)
            .await
            .expect("ends in any case");
    }
    drop(silent);
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let ready = guest.get("/readyz").await.expect(200);
    assert_eq!(ready.text(), "ready");
    assert_eq!(ready.header("cache-control"), "no-store");
    app.state.draining.store(true, Ordering::SeqCst);
    assert_eq!(guest.get("/readyz").await.expect(503).text(), "draining");
    // Whoever is there is still served.
    guest.get("/prompts").await.expect(200);
    guest.get("/healthz").await.expect(200);
    app.state.draining.store(false, Ordering::SeqCst);
    guest.get("/readyz").await.expect(200);
    app.db.close().await;
    let text = guest.get("/readyz").await.expect(503).text();
    assert!(text.starts_with("database: "), "{text}");
    assert_eq!(guest.get("/healthz").await.expect(200).text(), "ok");
}

#[tokio::test]
async fn a_database_without_its_migrations_is_not_ready() {
    let mut databases = vec![Database::empty_sqlite().await];
    databases.extend(Database::empty_postgres().await);
    for database in databases {
        let app = TestApp::on(&database, "http://headroom.test");
        let text = app.guest().get("/readyz").await.expect(503).text();
        assert!(
            text.starts_with("migrations: the database lacks 1 attempts, "),
            "{text}"
        );
        let made = database.db.migrate().await.expect("migrates");
        assert_eq!(made, crate::server::database::migration_names());
        app.guest().get("/readyz").await.expect(200);
        assert_eq!(database.db.migrate().await.expect("migrates"), [""; 0]);
        drop(app);
        database.discard().await;
    }
}

#[test]
fn a_full_or_missing_disk_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(readiness::disk(folder.path(), 1), None);
    let full = readiness::disk(folder.path(), u64::MAX).expect("not so much");
    assert!(
        full.starts_with("disk: ") && full.contains(" MB are needed"),
        "{full}"
    );
    let missing = readiness::disk(&folder.path().join("missing"), 1).expect("no folder");
    assert!(
        !missing.contains('/') && missing.starts_with("disk: "),
        "{missing}"
    );
    let file = |url| crate::server::database::sqlite_file(url);
    assert_eq!(file("sqlite:a/b.db").as_deref(), Some("a/b.db".as_ref()));
    for url in ["sqlite::memory:", "sqlite://:memory:", "postgres://h/d"] {
        assert_eq!(file(url), None, "{url}");
    }
}
