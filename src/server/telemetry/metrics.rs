//! Metrics for Prometheus, in the text format of OpenMetrics.
//!
//! Labels take few values: templates of routes and never paths, known methods, outcomes that are named here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::Method;
use http::header::CONTENT_TYPE;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::domain::attempt::UnixMillis;
use crate::server::database::Db;

/// Upper bounds in seconds: a page from memory takes less than the first, a password about the seventh.
const BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How a save of a section ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    Saved,
    /// It started from an older revision.
    Conflict,
    /// The text or the attempt does not take it.
    Refused,
    Failed,
}

/// How a try to send a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    Sent,
    /// It failed and is tried again.
    Postponed,
    GivenUp,
}

/// How a try to sign in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    SignedIn,
    /// The password is right and the second factor is asked for.
    HalfWay,
    /// The account, the password or the code is wrong.
    Refused,
    Throttled,
}

impl SaveOutcome {
    const ALL: [Self; 4] = [Self::Saved, Self::Conflict, Self::Refused, Self::Failed];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl MailOutcome {
    const ALL: [Self; 3] = [Self::Sent, Self::Postponed, Self::GivenUp];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Postponed => "postponed",
            Self::GivenUp => "given-up",
        }
    }
}

impl SignInOutcome {
    const ALL: [Self; 4] = [
        Self::SignedIn,
        Self::HalfWay,
        Self::Refused,
        Self::Throttled,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::HalfWay => "half-way",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    pool: &'static str,
    state: &'static str,
}

type Outcomes = Family<OutcomeLabels, Counter>;

/// Everything that is counted on this node since it started.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    saves: Outcomes,
    mail: Outcomes,
    sign_ins: Outcomes,
}

impl Metrics {
    pub fn new(db: Db, started_at: UnixMillis) -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register(
            "headroom_http_requests",
            "Requests that were answered",
            requests.clone(),
        );
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register(
            "headroom_http_request_duration_seconds",
            "Time until a response began",
            durations.clone(),
        );
        let saves = outcomes(SaveOutcome::ALL.map(SaveOutcome::slug));
        registry.register("headroom_saves", "Saves of sections", saves.clone());
        let mail = outcomes(MailOutcome::ALL.map(MailOutcome::slug));
        registry.register("headroom_mail", "Tries to send a mail", mail.clone());
        let sign_ins = outcomes(SignInOutcome::ALL.map(SignInOutcome::slug));
        registry.register("headroom_sign_ins", "Tries to sign in", sign_ins.clone());
        let mut build = vec![("version", env!("CARGO_PKG_VERSION"))];
        build.extend(option_env!("HEADROOM_REVISION").map(|revision| ("revision", revision)));
        registry.register(
            "headroom_build",
            "The program that is running",
            Info::new(build),
        );
        registry.register_collector(Box::new(AtScrape { db, started_at }));
        Self {
            registry,
            requests,
            durations,
            saves,
            mail,
            sign_ins,
        }
    }

    pub fn save(&self, outcome: SaveOutcome) {
        count(&self.saves, outcome.slug());
    }

    pub fn mail(&self, outcome: MailOutcome) {
        count(&self.mail, outcome.slug());
    }

    pub fn sign_in(&self, outcome: SignInOutcome) {
        count(&self.sign_ins, outcome.slug());
    }

    /// A request that was answered. The route is a template, the method one of [`method_label`].
    pub fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.durations
            .get_or_create(&DurationLabels {
                method,
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&RequestLabels {
                method,
                route,
                status,
            })
            .inc();
    }

    /// Everything as Prometheus reads it.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Every outcome from the start, so that a first one shows as a change from zero.
fn outcomes(slugs: impl IntoIterator<Item = &'static str>) -> Outcomes {
    let family = Outcomes::default();
    for outcome in slugs {
        drop(family.get_or_create(&OutcomeLabels { outcome }));
    }
    family
}

fn count(family: &Outcomes, outcome: &'static str) {
    family.get_or_create(&OutcomeLabels { outcome }).inc();
}

/// A method that is known, or `other`: anybody can make methods up.
pub fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What is read when it is asked for.
#[derive(Debug)]
struct AtScrape {
    db: Db,
    started_at: UnixMillis,
}

impl Collector for AtScrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut pools = encoder.encode_descriptor(
            "headroom_database_connections",
            "Connections to the database",
            None,
            MetricType::Gauge,
        )?;
        for pool in self.db.pools() {
            for (state, count) in [("in_use", pool.in_use), ("idle", pool.idle)] {
                let labels = PoolLabels {
                    pool: pool.name,
                    state,
                };
                ConstGauge::new(i64::from(count)).encode(pools.encode_family(&labels)?)?;
            }
        }
        let start = encoder.encode_descriptor(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(self.started_at as f64 / 1000.0).encode(start)?;
        if let Some(bytes) = resident_memory() {
            let memory = encoder.encode_descriptor(
                "process_resident_memory_bytes",
                "Memory that the process holds",
                None,
                MetricType::Gauge,
            )?;
            ConstGauge::new(bytes).encode(memory)?;
        }
        Ok(())
    }
}

/// In bytes, where the system tells it as Linux does.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<i64>()
        .ok()?;
    Some(kilobytes * 1024)
}

/// The little server that Prometheus asks: `/metrics` and nothing else.
pub fn router(metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/metrics", get(scrape))
        .with_state(metrics)
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.render() {
        Ok(text) => (
            [(
                CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(error) => crate::error::AppError::internal(error).into_response(),
    }
}
