//! Traces by OTLP over HTTP, for whoever runs a collector.
//!
//! Finished spans wait in a queue of bounded length, and a thread of their own sends them in batches: a collector that
//! is slow or away costs spans, never requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry::{Context, Value};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// For one batch.
const SENDING_LIMIT: Duration = Duration::from_secs(5);

/// Sends spans to a collector, with the sockets of the runtime that this is called in. An address without a path gets
/// the usual one.
///
/// # Errors
/// When the address cannot be read.
pub fn provider(endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    let has_path = endpoint
        .split_once("://")
        .is_some_and(|(_, rest)| rest.trim_end_matches('/').contains('/'));
    let endpoint = if has_path {
        endpoint.to_owned()
    } else {
        format!("{}/v1/traces", endpoint.trim_end_matches('/'))
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender {
            client: HyperClient::with_default_connector(SENDING_LIMIT, None),
            runtime: Handle::current(),
            failing: AtomicBool::new(false),
        })
        .with_endpoint(endpoint)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(SENDING_LIMIT)
        // What could not be sent makes room for what is newer.
        .with_retry_policy(RetryPolicy::disabled())
        .build()?;
    let resource = Resource::builder_empty()
        .with_service_name("headroom")
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(NamedByRoute(BatchSpanProcessor::builder(exporter).build()))
        .build())
}

/// Makes spans of ours into spans of a trace. Events stay in the log.
pub fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("headroom"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(filter_fn(|metadata| {
            metadata.is_span() && metadata.target().starts_with("headroom")
        }))
}

/// Gives the span of a request its name and its attributes the names of OpenTelemetry's conventions. In the log they
/// have shorter ones.
#[derive(Debug)]
struct NamedByRoute(BatchSpanProcessor);

impl SpanProcessor for NamedByRoute {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if span.name == "request" {
            name_request(&mut span);
        }
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn name_request(span: &mut SpanData) {
    let (mut method, mut route) = (String::new(), String::new());
    for attribute in &mut span.attributes {
        let name = match attribute.key.as_str() {
            "method" => {
                method = attribute.value.to_string();
                "http.request.method"
            }
            "route" => {
                route = attribute.value.to_string();
                "http.route"
            }
            "status" => {
                if let Value::I64(500..) = attribute.value {
                    span.status = Status::error("");
                }
                "http.response.status_code"
            }
            "path" => "url.path",
            "request" => "headroom.request",
            "account" => "user.id",
            _ => continue,
        };
        attribute.key = name.into();
    }
    span.name = format!("{method} {route}").into();
    span.span_kind = SpanKind::Server;
}

/// Sends from the exporter's thread, which has no runtime, over the server's.
#[derive(Debug)]
struct Sender {
    client: HyperClient,
    runtime: Handle,
    /// Said once, and once when it is over.
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self
            .runtime
            .spawn(async move { client.send_bytes(request).await })
            .await?;
        let failed = match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answers {}", response.status())),
            Err(error) => Some(error.to_string()),
        };
        let failed_before = self.failing.swap(failed.is_some(), Ordering::Relaxed);
        match failed {
            Some(why) if !failed_before => {
                tracing::warn!(%why, "the collector of traces takes none; they are dropped");
            }
            None if failed_before => tracing::info!("the collector of traces takes them again"),
            _ => {}
        }
        sent
    }
}
