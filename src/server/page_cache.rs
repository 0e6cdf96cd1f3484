//! Pages that are the same for everybody, kept in memory as they go over the wire, with their entity tags.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::assets;
use super::session::sha256_hex;

/// Pages that are kept; the whole library with its filters is far below.
const MOST_PAGES: usize = 2_000;

#[derive(Debug)]
pub struct CachedPage {
    etag: String,
    plain: Bytes,
    brotli: Bytes,
    gzip: Bytes,
}

impl CachedPage {
    fn new(html: String) -> Self {
        let plain = Bytes::from(html);
        let mut brotli = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams {
            quality: 9,
            ..Default::default()
        };
        // Writing to memory does not fail; an empty encoding would only mean that it is not offered.
        let _ = brotli::BrotliCompress(&mut &plain[..], &mut brotli, &parameters);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let gzip = encoder
            .write_all(&plain)
            .and_then(|()| encoder.finish())
            .unwrap_or_default();
        Self {
            etag: format!("\"{}\"", &sha256_hex(&plain)[..20]),
            plain,
            brotli: brotli.into(),
            gzip: gzip.into(),
        }
    }

    fn respond(&self, request: &HeaderMap) -> Response {
        let text = |name| {
            request
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
                .unwrap_or_default()
        };
        let accepted = text(ACCEPT_ENCODING);
        let (encoding, body) = if assets::accepts(accepted, "br") && !self.brotli.is_empty() {
            (Some("br"), &self.brotli)
        } else if assets::accepts(accepted, "gzip") && !self.gzip.is_empty() {
            (Some("gzip"), &self.gzip)
        } else {
            (None, &self.plain)
        };
        let unchanged = text(IF_NONE_MATCH)
            .split(',')
            .any(|tag| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == self.etag);
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(CONTENT_TYPE, "text/html; charset=utf-8")], body.clone()).into_response()
        };
        let headers = response.headers_mut();
        // Weak: the same page under another encoding has the same tag.
        if let Ok(tag) = HeaderValue::from_str(&format!("W/{}", self.etag)) {
            headers.insert(ETAG, tag);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding, cookie"));
        if let (Some(encoding), false) = (encoding, unchanged) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

/// Pages by their key; the key holds everything that the page depends on besides the version.
#[derive(Debug, Default)]
pub struct PageCache {
    pages: Mutex<(String, HashMap<String, Arc<CachedPage>>)>,
}

impl PageCache {
    /// The page under `key`, rendered when it is not there or when `version` (of content and assets) has changed.
    pub fn respond(
        &self,
        version: &str,
        key: &str,
        request: &HeaderMap,
        render: impl FnOnce() -> String,
    ) -> Response {
        if let Some(page) = self.find(version, key) {
            return page.respond(request);
        }
        let page = Arc::new(CachedPage::new(render()));
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.0 != version || pages.1.len() >= MOST_PAGES {
            *pages = (version.to_owned(), HashMap::new());
        }
        pages.1.insert(key.to_owned(), Arc::clone(&page));
        drop(pages);
        page.respond(request)
    }

    fn find(&self, version: &str, key: &str) -> Option<Arc<CachedPage>> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.0 == version {
            pages.1.get(key).cloned()
        } else {
            None
        }
    }
}
