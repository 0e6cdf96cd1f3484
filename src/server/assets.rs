//! The files that the browser gets: built beforehand, under names that carry their hash, compressed beforehand.
//!
//! A release carries them inside; a debug build reads them from disk, so that a rebuilt style shows at once.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::AppError;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Site;

/// Logical name to file below `/assets/`.
type Manifest = BTreeMap<String, String>;

static MANIFEST: LazyLock<ArcSwap<Manifest>> =
    LazyLock::new(|| ArcSwap::from_pointee(read_manifest()));

fn read_manifest() -> Manifest {
    Site::get("manifest.json")
        .and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or_default()
}

fn manifest() -> Arc<Manifest> {
    if cfg!(debug_assertions) {
        MANIFEST.store(Arc::new(read_manifest()));
    }
    MANIFEST.load_full()
}

/// The address of an asset by its logical name.
pub fn url(name: &str) -> String {
    match manifest().get(name) {
        Some(file) => format!("/assets/{file}"),
        None => format!("/assets/missing/{name}"),
    }
}

/// The directory of a bundle of islands, as `HydrationScripts` wants it: relative, without slashes around it.
pub fn islands_directory(bundle: &str) -> String {
    url(&format!("islands/{bundle}"))
        .trim_start_matches('/')
        .to_owned()
}

/// Changes whenever any asset does.
pub fn version() -> String {
    static OF_RELEASE: LazyLock<String> = LazyLock::new(|| version_of(&MANIFEST.load()));
    if cfg!(debug_assertions) {
        version_of(&manifest())
    } else {
        OF_RELEASE.clone()
    }
}

fn version_of(manifest: &Manifest) -> String {
    super::session::sha256_hex(format!("{manifest:?}"))[..12].to_owned()
}

/// `GET /assets/{*file}`
pub async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    // Names without a hash, and what stands beside a file, are not addresses; nor is a way around through `.` or `..`.
    if file == "manifest.json"
        || file.split('/').any(|part| part.starts_with('.'))
        || has_extension(&file, "br")
        || has_extension(&file, "gz")
    {
        return AppError::NotFound.into_response();
    }
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let compressed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, suffix)| {
            Site::get(&format!("{file}{suffix}")).map(|found| (Some(encoding), found))
        });
    let Some((encoding, found)) =
        compressed.or_else(|| Site::get(&file).map(|found| (None, found)))
    else {
        return AppError::NotFound.into_response();
    };
    respond(&file, encoding, found)
}

fn respond(file: &str, encoding: Option<&'static str>, found: EmbeddedFile) -> Response {
    let mut response = match found.data {
        std::borrow::Cow::Borrowed(bytes) => bytes.into_response(),
        std::borrow::Cow::Owned(bytes) => bytes.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(file)));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn has_extension(file: &str, extension: &str) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, found)| found == extension)
}

fn content_type(file: &str) -> &'static str {
    // The rules for speculative loading are JSON of a kind of their own.
    if file.starts_with("speculation-rules") {
        return "application/speculationrules+json";
    }
    match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether an `Accept-Encoding` header takes an encoding: named, and not with a weight of zero.
pub fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        let named = pieces
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = pieces.any(|piece| {
            piece
                .strip_prefix("q=")
                .is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_taken_as_offered() {
        assert!(accepts("gzip, deflate, br;q=0.8", "br"));
        assert!(accepts("GZIP", "gzip"));
        assert!(!accepts("gzip;q=0, br", "gzip"));
        assert!(!accepts("br; q=0.0", "br"));
        assert!(!accepts("", "br"));
        assert!(!accepts("bread", "br"));
    }
}
