//! What browsers are told on every response, what is refused before a handler runs, caching, and the assets.

use std::io::Read as _;

use axum::body::Body;
use http::{Method, Request};

use super::app::{Guest, PROMPT, Reply, TestApp, in_the_library, request, with};
use crate::app::routes;
use crate::server::assets;

/// Every address that there is, filled in so that it leads somewhere where it can.
fn every_path(id: &str) -> Vec<(Method, String)> {
    let filled = |path: &str| {
        in_the_library(path)
            .replace("{id}", id)
            .replace("{link}", id)
            .replace("{token}", &"0".repeat(64))
            .replace("{section}", "api")
            .replace("{format}", "attempt.json")
            .replace("{*function}", "pulse")
            .replace(
                "{*file}",
                assets::url("headroom.css").trim_start_matches("/assets/"),
            )
    };
    let paths: Vec<_> = routes()
        .into_iter()
        .map(|route| (route.method, filled(route.path)))
        .collect();
    assert!(
        paths.len() > 20 && paths.iter().all(|(_, path)| !path.contains('{')),
        "{paths:?}"
    );
    paths
}

#[track_caller]
fn is_told(what: &str, reply: &Reply) {
    let policy = reply.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    for unsafe_part in [
        "'unsafe-inline'",
        "'unsafe-eval'",
        "*",
        "http:",
        "https:",
        "'strict-dynamic'",
    ] {
        assert!(
            !policy.split([' ', ';']).any(|word| word == unsafe_part),
            "{what}: {policy}"
        );
    }
    // A page whose address is a secret is told more, and all of it.
    let referrer = if reply.header("x-robots-tag").is_empty() {
        "same-origin"
    } else {
        assert_eq!(
            (reply.header("x-robots-tag"), reply.header("cache-control")),
            ("noindex, nofollow", "private, no-store"),
            "{what}"
        );
        "no-referrer"
    };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", referrer),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(reply.header(name), value, "{what}: {name}");
        assert_eq!(
            reply.headers.get_all(name).iter().count(),
            1,
            "{what}: {name}"
        );
    }
    assert_eq!(
        reply
            .headers
            .get_all("content-security-policy")
            .iter()
            .count(),
        1,
        "{what}"
    );
    for feature in ["camera=()", "microphone=()", "geolocation=()"] {
        assert!(
            reply.header("permissions-policy").contains(feature),
            "{what}"
        );
    }
    assert!(
        !reply.headers.contains_key("server") && !reply.headers.contains_key("x-powered-by"),
        "{what}"
    );
    assert!(
        !reply.headers.contains_key("access-control-allow-origin"),
        "{what}"
    );
}

#[tokio::test]
async fn every_route_and_method_is_told_the_rules() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let mut statuses = std::collections::BTreeSet::new();
    for accept in ["text/html", "application/json"] {
        for (_, path) in every_path(&attempt.id) {
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
            ] {
                for site in ["same-origin", "cross-site"] {
                    let request = Request::builder()
                        .method(method)
                        .uri(&path)
                        .header("accept", accept)
                        .header("sec-fetch-site", site);
                    let reply = attempt
                        .guest
                        .send(request.body(Body::empty()).expect("a request"))
                        .await;
                    is_told(&format!("{method} {path} {site}: {}", reply.status), &reply);
                    assert!(
                        !reply.status.is_server_error(),
                        "{method} {path}: {}",
                        reply.status
                    );
                    statuses.insert(reply.status.as_u16());
                }
            }
        }
    }
    for status in [200, 303, 307, 400, 403, 404, 405, 415] {
        assert!(statuses.contains(&status), "no {status} among {statuses:?}");
    }
}

#[tokio::test]
async fn failures_are_told_the_rules_too() {
    let app = TestApp::at("https://practice.example").await;
    let attempt = app.guided().await;
    let huge = "x".repeat(5 * 1024 * 1024);
    let cases = [
        (404, attempt.guest.get("/nothing").await),
        (
            404,
            attempt
                .guest
                .get_with("/nothing", &[("accept", "*/*")])
                .await,
        ),
        (405, attempt.guest.post_form("/prompts", &[]).await),
        (413, attempt.post("api", &[("body", &huge)]).await),
        (
            415,
            attempt
                .guest
                .post_raw(&attempt.path("api"), "text/plain", "x")
                .await,
        ),
        (422, attempt.score("").await),
        (
            403,
            attempt
                .guest
                .send(
                    request(Method::POST, &attempt.path("api"))
                        .body(Body::empty())
                        .expect("a request"),
                )
                .await,
        ),
    ];
    for (status, reply) in cases {
        let reply = reply.expect(status);
        is_told(&status.to_string(), &reply);
        assert_eq!(
            reply.header("strict-transport-security"),
            "max-age=63072000; includeSubDomains",
            "{status}"
        );
    }
    // The database is gone.
    app.db.close().await;
    for path in [
        attempt.path("api"),
        "/attempts".to_owned(),
        "/readyz".to_owned(),
    ] {
        let reply = attempt.guest.get(&path).await;
        assert!(
            [500, 503].contains(&reply.status.as_u16()),
            "{path}: {}",
            reply.status
        );
        is_told(&path, &reply);
        for word in ["sqlx", "pool", "Pool", "sqlite", "panicked", "src/"] {
            assert!(
                !reply.text().contains(word),
                "{path} shows the cause: {}",
                reply.text()
            );
        }
    }
    let told = attempt.guest.get(&attempt.path("api")).await.expect(500);
    assert!(
        told.page()
            .text("main")
            .contains("Something failed on our side")
    );
    attempt.guest.get("/healthz").await.expect(200);
    attempt.guest.get("/").await.expect(200);
}

#[tokio::test]
async fn scripts_run_by_a_nonce_of_each_response() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let mut seen = Vec::new();
    for rest in ["api", "api", "score", "estimates"] {
        let reply = attempt.get(rest).await.expect(200);
        let policy = reply.header("content-security-policy");
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .expect("a nonce")
            .to_owned();
        assert!(nonce.len() >= 22, "{nonce}");
        let page = reply.page();
        let scripts = page.all("script");
        assert!(!scripts.is_empty(), "{rest} has islands");
        for script in scripts {
            assert_eq!(script.attr("nonce"), Some(nonce.as_str()), "{rest}");
        }
        assert!(
            policy.contains("'wasm-unsafe-eval'") && policy.contains("connect-src 'self'"),
            "{policy}"
        );
        assert!(
            !seen.contains(&nonce),
            "the nonce of {rest} was used before"
        );
        assert_eq!(reply.header("cache-control"), "private, no-store");
        seen.push(nonce);
    }
}

#[tokio::test]
async fn pages_without_islands_run_nothing() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    attempt.save("api", 0, "k", "text").await.expect(200);
    let mut pages = vec![attempt.get("api/history").await];
    attempt.score("mid").await.expect(303);
    pages.push(attempt.get("result").await);
    for path in [
        "/",
        "/prompts",
        "/prompts?level=mid",
        "/prompts?level=none",
        "/attempts",
        "/nothing",
        &format!("/prompts/{PROMPT}"),
    ] {
        pages.push(attempt.guest.get(path).await);
    }
    for reply in pages {
        assert!(
            reply
                .header("content-security-policy")
                .contains("script-src 'none'"),
            "{}",
            reply.what
        );
        assert!(!reply.text().contains("<script"), "{}", reply.what);
        assert!(
            reply
                .page()
                .all("link[rel='modulepreload'], [as='script'], [as='fetch']")
                .is_empty(),
            "{}",
            reply.what
        );
    }
}

#[tokio::test]
async fn no_other_site_can_post() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let ours = ("host", "headroom.test");
    let refused: [&[(&str, &str)]; 10] = [
        &[],
        &[ours],
        &[ours, ("sec-fetch-site", "cross-site")],
        &[ours, ("sec-fetch-site", "same-site")],
        &[ours, ("sec-fetch-site", "")],
        &[ours, ("sec-fetch-site", "Same-Origin")],
        &[ours, ("origin", "https://evil.example")],
        &[ours, ("origin", "null")],
        &[
            ours,
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://headroom.test"),
        ],
        &[ours, ("referer", "http://headroom.test/")],
    ];
    let posts: Vec<_> = every_path(&attempt.id)
        .into_iter()
        .filter(|(method, _)| *method == Method::POST)
        .collect();
    assert!(posts.len() >= 7);
    let send = async |path: &str, headers: &[(&str, &str)]| {
        let request = with(Request::builder().method(Method::POST).uri(path), headers);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        attempt
            .guest
            .send(
                request
                    .body(Body::from("body=x&key=k&base=0&theme=dark"))
                    .expect("a request"),
            )
            .await
    };
    for (_, path) in &posts {
        for headers in refused {
            let reply = send(path, headers).await.expect(403);
            assert!(
                !reply.headers.contains_key("set-cookie"),
                "{path} {headers:?}"
            );
        }
        for headers in [
            &[ours, ("sec-fetch-site", "same-origin")][..],
            &[ours, ("origin", "http://headroom.test")],
        ] {
            assert_ne!(send(path, headers).await.status, 403, "{path} {headers:?}");
        }
    }
    // A method that there is no route for is no way around.
    for method in ["PUT", "PATCH", "DELETE"] {
        let request = Request::builder()
            .method(method)
            .uri("/theme")
            .header("sec-fetch-site", "cross-site");
        attempt
            .guest
            .send(request.body(Body::empty()).expect("a request"))
            .await
            .expect(403);
    }
    // In an older browser, without JavaScript: a page says what to do.
    let page = attempt
        .guest
        .send(
            request(Method::POST, "/theme")
                .body(Body::empty())
                .expect("a request"),
        )
        .await
        .expect(403);
    assert!(page.page().text("main").contains("copy what you typed"));
}

#[tokio::test]
async fn reading_changes_nothing() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    attempt.save("api", 0, "k", "text").await.expect(200);
    let before = attempt.get("export/attempt.json").await.text();
    for (_, path) in every_path(&attempt.id) {
        for query in ["", "?body=x&base=1&key=k2&theme=dark&revision=1&score=1"] {
            let reply = attempt
                .guest
                .get_with(
                    &format!("{path}{query}"),
                    &[("sec-fetch-site", "cross-site")],
                )
                .await;
            assert!(!reply.status.is_server_error(), "{path}");
        }
    }
    assert_eq!(attempt.get("export/attempt.json").await.text(), before);
}

#[tokio::test]
async fn redirects_stay_here() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let evil = [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/x\nLocation: //evil",
        "",
        " //evil.example",
        "/é",
        "http:evil.example",
        "///evil.example",
        "/\u{0}",
        "/%0d%0a/../..//evil\\",
        "data:text/html,x",
    ];
    for back in evil {
        let reply = guest
            .post_form("/theme", &[("theme", "dark"), ("back", back)])
            .await
            .expect(303);
        assert_eq!(reply.location(), "/", "{back:?}");
        assert_eq!(
            reply.headers.get_all("set-cookie").iter().count(),
            1,
            "{back:?}"
        );
    }
    for back in [
        "/",
        "/prompts?level=mid&topic=money",
        "/attempts/x/api#hints",
        "/a//b",
    ] {
        assert_eq!(
            guest
                .post_form("/theme", &[("theme", "dark"), ("back", back)])
                .await
                .location(),
            back
        );
    }
    let attempt = app.guided().await;
    for then in ["//evil.example", "https://evil.example", "../../x", "\r\n"] {
        let fields = [
            ("body", "x"),
            ("base", "0"),
            ("key", "k"),
            ("then", then),
            ("back", then),
        ];
        assert!(
            attempt
                .post("api", &fields)
                .await
                .expect(303)
                .location()
                .starts_with(&attempt.path("api")),
            "{then}"
        );
        assert!(
            attempt
                .post("hints", &fields)
                .await
                .expect(303)
                .location()
                .starts_with(&attempt.path("")),
            "{then}"
        );
    }
}

fn decoded(reply: &Reply) -> Vec<u8> {
    let mut plain = Vec::new();
    match reply.header("content-encoding") {
        "br" => brotli::BrotliDecompress(&mut &reply.body[..], &mut plain).expect("brotli"),
        "gzip" => {
            flate2::read::GzDecoder::new(&reply.body[..])
                .read_to_end(&mut plain)
                .expect("gzip");
        }
        "" => plain = reply.body.to_vec(),
        other => panic!("{}: {other}", reply.what),
    }
    plain
}

/// The same address under each encoding: the same bytes.
async fn in_each_encoding(guest: &Guest, path: &str) {
    let plain = guest.get(path).await.expect(200);
    assert_eq!(
        plain.header("content-encoding"),
        "",
        "{path}: nothing was asked for"
    );
    assert!(!plain.body.is_empty());
    for (accepted, expected) in [
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", ""),
        ("br;q=0.0", ""),
        ("zstd", ""),
        ("", ""),
    ] {
        let reply = guest
            .get_with(path, &[("accept-encoding", accepted)])
            .await
            .expect(200);
        assert_eq!(
            reply.header("content-encoding"),
            expected,
            "{path} {accepted}"
        );
        assert_eq!(decoded(&reply), plain.body, "{path} {accepted}");
        assert!(
            reply
                .header("vary")
                .to_lowercase()
                .contains("accept-encoding"),
            "{path}"
        );
        assert_eq!(
            reply.header("content-type"),
            plain.header("content-type"),
            "{path}"
        );
        if !expected.is_empty() {
            assert!(reply.body.len() < plain.body.len(), "{path} {expected}");
        }
    }
}

#[tokio::test]
async fn reading_pages_are_compressed_and_revalidated() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut tags = std::collections::BTreeSet::new();
    for path in [
        "/",
        "/prompts",
        "/prompts?level=mid",
        &format!("/prompts/{PROMPT}"),
    ] {
        in_each_encoding(&guest, path).await;
        let first = guest.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(
            tag.starts_with("W/\"") && tags.insert(tag.clone()),
            "{path}: {tag}"
        );
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        assert!(
            first.header("vary").contains("cookie"),
            "{path}: the theme is a cookie"
        );
        let strong = tag.trim_start_matches("W/").to_owned();
        for known in [
            tag.clone(),
            strong,
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            for accepted in ["br", "identity"] {
                let reply = guest
                    .get_with(
                        path,
                        &[("if-none-match", &known), ("accept-encoding", accepted)],
                    )
                    .await
                    .expect(304);
                assert!(reply.body.is_empty());
                assert_eq!(
                    (reply.header("etag"), reply.header("vary")),
                    (tag.as_str(), first.header("vary")),
                    "{path}"
                );
                is_told(path, &reply);
            }
        }
        for known in ["\"other\"", "", "W/\"\""] {
            guest
                .get_with(path, &[("if-none-match", known)])
                .await
                .expect(200);
        }
        let dark = guest
            .get_with(path, &[("cookie", "theme=dark"), ("if-none-match", &tag)])
            .await
            .expect(200);
        assert_ne!(dark.header("etag"), tag);
        assert!(
            !first.headers.contains_key("set-cookie"),
            "{path} is the same for everybody"
        );
        let head = guest
            .send(
                request(Method::HEAD, path)
                    .body(Body::empty())
                    .expect("a request"),
            )
            .await
            .expect(200);
        assert!(head.body.is_empty() && head.header("etag") == tag);
    }
    // Whoever has a session gets the same bytes.
    let known = app.guided().await.guest;
    assert_eq!(
        known.get("/prompts").await.body,
        guest.get("/prompts").await.body
    );
}

#[tokio::test]
async fn assets_are_kept_for_good_and_nothing_else_is_given() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for (name, kind) in [
        ("headroom.css", "text/css; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
        ("inter-latin-wght-normal.woff2", "font/woff2"),
        (
            "speculation-rules.json",
            "application/speculationrules+json",
        ),
    ] {
        let path = assets::url(name);
        assert!(
            !path.contains("missing"),
            "{name} is not built: run `cargo xtask test`, which builds what the browser gets"
        );
        let reply = guest.get(&path).await.expect(200);
        assert_eq!(
            reply.header("cache-control"),
            "public, max-age=31536000, immutable",
            "{name}"
        );
        assert_eq!(reply.header("content-type"), kind);
        is_told(name, &reply);
        if kind.starts_with("text/") {
            in_each_encoding(&guest, &path).await;
        }
        guest.get(&format!("/assets/{name}")).await.expect(404);
        guest.get(&format!("{path}.br")).await.expect(404);
        guest.get(&format!("{path}.gz")).await.expect(404);
    }
    assert_eq!(
        guest.get("/favicon.ico").await.expect(307).location(),
        assets::url("favicon.svg")
    );
    for path in [
        "manifest.json",
        "./manifest.json",
        "%2e/manifest.json",
        "x/../manifest.json",
        "../Cargo.toml",
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "../../Cargo.toml",
        "..%2f..%2fCargo.toml",
        "%2e%2e%2f%2e%2e%2fCargo.toml",
        "..%5c..%5cCargo.toml",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "pkg/../../../Cargo.toml",
        ".",
        "%00",
        "headroom.css%00",
        "MANIFEST.json",
        "missing/headroom.css",
    ] {
        let reply = guest.get(&format!("/assets/{path}")).await;
        assert!(
            [400, 404].contains(&reply.status.as_u16()),
            "{path}: {}",
            reply.status
        );
        assert!(
            !reply.text().contains("[package]") && !reply.text().contains("root:"),
            "{path}"
        );
        is_told(path, &reply);
    }
}

#[tokio::test]
async fn a_persons_own_pages_are_kept_by_nobody() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    for (method, path) in every_path(&attempt.id) {
        if method != Method::GET || !path.starts_with("/attempts") {
            continue;
        }
        let reply = attempt.guest.get(&path).await;
        assert_eq!(reply.header("cache-control"), "private, no-store", "{path}");
        assert!(!reply.headers.contains_key("etag"), "{path}");
    }
    let saved = attempt.save("api", 0, "k", "x").await.expect(200);
    assert_eq!(saved.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn what_is_for_developers_is_not_there() {
    let app = TestApp::new().await;
    app.guest().get("/dev/version").await.expect(404);
    assert_eq!(app.guest().get("/healthz").await.expect(200).text(), "ok");
    assert_eq!(app.guest().get("/readyz").await.expect(200).text(), "ready");
}
