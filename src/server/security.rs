//! What a browser is told and what is refused before a handler runs.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Method};

use crate::error::AppError;

use super::state::AppState;

/// For everything that runs no script: pages to read, files, errors.
const POLICY_WITHOUT_SCRIPTS: &str = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src 'none'";

/// The content security policy of a page with islands. The islands are one module from this server, started by an
/// inline script that carries the nonce.
pub fn policy_with_nonce(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; font-src 'self'; \
         img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Sets the headers on every response, whatever made it.
pub fn set_headers(headers: &mut HeaderMap, https: bool) {
    let mut put = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    put(CONTENT_SECURITY_POLICY, POLICY_WITHOUT_SCRIPTS);
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(X_FRAME_OPTIONS, "DENY");
    // Forms without JavaScript come back to the page that they were sent from, by its address.
    put(REFERRER_POLICY, "same-origin");
    put(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
    );
    if https {
        put(
            STRICT_TRANSPORT_SECURITY,
            "max-age=63072000; includeSubDomains",
        );
    }
}

/// For a page whose address is a secret: no referrer, no copy, no search engine.
pub fn keep_secret(headers: &mut HeaderMap) {
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
}

/// Refuses a request that would change something unless the browser says that it comes from our own pages. Where the
/// browser does not say, the origin has to be ours.
pub async fn refuse_forgery(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    // Over https it is known where pages come from; over plain http, which is for loopback, the host tells.
    let own = state
        .settings
        .https()
        .then(|| state.settings.public_url.as_str());
    if is_safe(request.method()) || comes_from_here(request.headers(), request.uri().host(), own) {
        next.run(request).await
    } else {
        AppError::Forbidden.into_response()
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn comes_from_here(headers: &HeaderMap, authority: Option<&str>, own: Option<&str>) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // HTTP/2 carries the host in the address.
    let host = text(&HOST).or(authority);
    let is_own = |origin: &str| match own {
        Some(own) => origin.eq_ignore_ascii_case(own),
        None => origin
            .split_once("://")
            .zip(host)
            .is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host)),
    };
    let origin = headers
        .get(ORIGIN)
        .map(|value| value.to_str().unwrap_or("?"));
    match (headers.get("sec-fetch-site"), origin) {
        // A page that sends no referrer has an origin of null.
        (Some(site), None | Some("null")) => {
            matches!(site.as_bytes(), b"same-origin" | b"none")
        }
        (Some(site), Some(origin)) => {
            matches!(site.as_bytes(), b"same-origin" | b"none") && is_own(origin)
        }
        (None, Some(origin)) => is_own(origin),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let cases: [(&[(&str, &str)], bool); 12] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "null"),
                    ("host", "h:1"),
                ],
                true,
            ),
            (
                &[
                    ("sec-fetch-site", "none"),
                    ("origin", "http://evil"),
                    ("host", "h:1"),
                ],
                false,
            ),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://h:1"),
                    ("host", "h:1"),
                ],
                true,
            ),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://h:1"),
                    ("host", "h:1"),
                ],
                false,
            ),
            (&[("origin", "http://h:1"), ("host", "h:1")], true),
            (&[("origin", "http://h:2"), ("host", "h:1")], false),
            (&[("origin", "null"), ("host", "h:1")], false),
            (&[("host", "h:1")], false),
            (&[], false),
        ];
        for (pairs, allowed) in cases {
            let pairs: Vec<_> = pairs.to_vec();
            assert_eq!(
                comes_from_here(&headers(&pairs), None, None),
                allowed,
                "{pairs:?}"
            );
        }
        // Where it is known what is ours, the host does not matter: a name may be made to point here.
        let own = Some("https://practice.example");
        for (origin, allowed) in [
            ("https://practice.example", true),
            ("http://practice.example", false),
            ("https://rebound.example", false),
        ] {
            let headers = headers(&[("origin", origin), ("host", "rebound.example")]);
            assert_eq!(comes_from_here(&headers, None, own), allowed, "{origin}");
        }
    }

    #[test]
    fn headers_do_not_replace_a_stricter_choice() {
        let mut headers = headers(&[("referrer-policy", "no-referrer")]);
        set_headers(&mut headers, true);
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert!(headers.contains_key("strict-transport-security"));
        set_headers(&mut headers, false);
        assert_eq!(headers.get_all("content-security-policy").iter().count(), 1);
    }
}
