//! What is told about a running server: log lines, metrics and traces, and the one place where every request is seen.
//!
//! Must never hold a header, a body, a query, a cookie or a token: only who asked for which route, and how it went.

pub mod logs;
pub mod metrics;
pub mod traces;

use std::borrow::Cow;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, HeaderName, HeaderValue};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::clock::random_bytes;
use super::config::Config;
use super::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Traces that are not sent by then when the server stops are lost.
const LAST_TRACES: Duration = Duration::from_secs(1);
/// Routes that are asked for often and tell little: logged at the level of debug.
const QUIET: [&str; 3] = ["/healthz", "/readyz", "/assets/{*file}"];
/// Longer parts of a path are not logged: tokens are, ids and names are not.
const LONGEST_PART: usize = 39;
const LONGEST_PATH: usize = 200;

/// What was started with the process and has to be stopped with it.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logs and, where they are asked for, traces, for the whole process. Within a runtime that lives until
    /// [`Telemetry::stop`]: it carries the traces.
    pub fn start(config: &Config) -> anyhow::Result<Self> {
        let format = config.log_format.unwrap_or_else(logs::usual_format);
        let traces = config
            .otlp_endpoint
            .as_deref()
            .map(traces::provider)
            .transpose()?;
        tracing_subscriber::registry()
            .with(logs::layer(&config.log, format, std::io::stderr)?)
            .with(traces.as_ref().map(traces::layer))
            .try_init()?;
        Ok(Self { traces })
    }

    /// Sends the last traces, for as long as there is time.
    pub async fn stop(self) {
        let Some(provider) = self.traces else {
            return;
        };
        let flushed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_TRACES));
        let within = tokio::time::timeout(LAST_TRACES * 2, flushed).await;
        if !matches!(within, Ok(Ok(Ok(())))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

/// The span of a request, for who learns more about it later: by then others may stand within it.
#[derive(Clone, Debug)]
struct RequestSpan(Span);

/// Says whose request this is, in its log lines and its trace.
pub fn record_account(request: &Extensions, id: &str) {
    if let Some(RequestSpan(span)) = request.get() {
        span.record("account", id);
    }
}

/// Sees every request: gives it an id, counts it, times it, and logs it once it is answered.
pub async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = format!("{:016x}", next_id());
    let method = metrics::method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    // Of the highest level, so that the id stands beside every line whatever the filter says.
    let span = tracing::error_span!(
        "request",
        request = %id,
        method,
        route,
        path = %loggable(request.uri().path(), route),
        account = Empty,
    );
    request.extensions_mut().insert(RequestSpan(span.clone()));
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status().as_u16();
    // For the trace alone: a field that is recorded late makes the log read and write the span's others again.
    span.set_attribute("status", i64::from(status));
    let ms = (took.as_secs_f64() * 100_000.0).round() / 100.0;
    span.in_scope(|| {
        if QUIET.contains(&route) {
            tracing::debug!(status, ms, "answered");
        } else {
            tracing::info!(status, ms, "answered");
        }
    });
    state.metrics.request(method, route, status, took);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// An id that no other request has, here or on another node: each process counts on from a random number of its own, in
/// steps that make neighbors look unlike. A random number for each would be a system call for each.
fn next_id() -> u64 {
    static COUNT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(u64::from_le_bytes(random_bytes())));
    // Odd, so that every number comes up before one comes again: 2^64 divided by the golden ratio (Knuth, vol. 3, 6.4).
    COUNT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
}

/// A path without what could be a secret: the part that the route calls a token, and every part of a token's length.
fn loggable<'p>(path: &'p str, route: &str) -> Cow<'p, str> {
    let is_long = |part: &str| part.len() > LONGEST_PART;
    if path.len() <= LONGEST_PATH && !route.contains("{token}") && !path.split('/').any(is_long) {
        return Cow::Borrowed(path);
    }
    let mut names = route.split('/');
    let shown: Vec<&str> = path
        .split('/')
        .map(|part| {
            let is_token = names.next() == Some("{token}");
            if is_token || is_long(part) {
                "…"
            } else {
                part
            }
        })
        .collect();
    let mut shown = shown.join("/");
    if let Some((end, _)) = shown.char_indices().nth(LONGEST_PATH) {
        shown.truncate(end);
        shown.push('…');
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_logged_without_secrets() {
        let token = "ab".repeat(32);
        let id = "0192f0c1-2345-7abc-8def-0123456789ab";
        let many = "/a".repeat(500);
        let cases = [
            ("/", "/", "/".to_owned()),
            ("/prompts/x", "/prompts/{slug}", "/prompts/x".to_owned()),
            (
                &format!("/attempts/{id}/api"),
                "/attempts/{id}/{section}",
                format!("/attempts/{id}/api"),
            ),
            ("/shared/short", "/shared/{token}", "/shared/…".to_owned()),
            // A mistyped address holds the token all the same.
            (
                &format!("/reset-passwords/{token}/"),
                "unmatched",
                "/reset-passwords/…/".to_owned(),
            ),
            (&many, "unmatched", format!("{}…", "/a".repeat(100))),
        ];
        for (path, route, expected) in cases {
            assert_eq!(loggable(path, route), expected);
        }
    }
}
