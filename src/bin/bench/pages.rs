//! Pages and files: their bytes over the wire, and how many are served beside a handler that does nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::client::{Client, PROMPT};
use crate::figures::{Run, median, millis};
use crate::server::{Server, free_address};

const READERS: usize = 32;
/// How often a paced reader asks.
const PACE: Duration = Duration::from_millis(50);

/// The yardstick: the same bytes with the same type, by a handler that does nothing else.
pub async fn bare(file: &Path, addr: SocketAddr) -> anyhow::Result<()> {
    let bytes = Bytes::from(std::fs::read(file)?);
    let handler = move || {
        let bytes = bytes.clone();
        async move {
            (
                [
                    (CONTENT_TYPE, "text/html; charset=utf-8"),
                    (CONTENT_ENCODING, "br"),
                ],
                bytes,
            )
                .into_response()
        }
    };
    let listener = tokio::net::TcpListener::bind(addr).await?;
    axum::serve(listener, Router::new().route("/{*path}", get(handler))).await?;
    Ok(())
}

/// Prints what a page and the workspace weigh.
pub async fn sizes(site: &Path, addr: SocketAddr) -> anyhow::Result<()> {
    let mut client = Client::connect(addr).await?;
    let page = client.get(PROMPT).await?.wanted(200, "the prompt's page")?;
    let mut html = Vec::new();
    brotli::BrotliDecompress(&mut &page.body[..], &mut html)?;
    let html = String::from_utf8(html)?;
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for address in addresses(&html) {
        let kind = match address.rsplit_once('.').map(|(_, extension)| extension) {
            Some("css") => "CSS",
            Some("woff2") => "fonts",
            Some("js" | "wasm") => "scripts and wasm",
            _ => continue,
        };
        *by_kind.entry(kind).or_default() += client.get(&address).await?.body.len();
    }
    // The second font is asked for by the style sheet.
    let manifest: BTreeMap<String, String> =
        serde_json::from_slice(&std::fs::read(site.join("manifest.json"))?)?;
    let mut fonts = 0;
    for (name, file) in &manifest {
        if has_extension(name, "woff2") {
            fonts += client.get(&format!("/assets/{file}")).await?.body.len();
        }
    }
    let workspace = bundle(&mut client, &manifest, "workspace").await?;
    let pages = bundle(&mut client, &manifest, "pages").await?;
    println!("Bytes over the wire, brotli");
    size("prompt page, HTML", page.body.len(), 30);
    size(
        "prompt page, CSS",
        by_kind.get("CSS").copied().unwrap_or(0),
        15,
    );
    size("prompt page, fonts", fonts, 100);
    size(
        "prompt page, scripts and wasm",
        by_kind.get("scripts and wasm").copied().unwrap_or(0),
        0,
    );
    size("workspace, JS and wasm", workspace, 200);
    println!(
        "  {:<34} {:>8.1} KB",
        "islands of other pages",
        pages as f64 / 1e3
    );
    Ok(())
}

/// The bytes of a bundle of islands.
async fn bundle(
    client: &mut Client,
    manifest: &BTreeMap<String, String>,
    name: &str,
) -> anyhow::Result<usize> {
    let folder = manifest
        .get(&format!("islands/{name}"))
        .with_context(|| format!("the site has no bundle {name}"))?;
    let mut bytes = 0;
    for file in ["headroom.js", "headroom_bg.wasm"] {
        bytes += client
            .get(&format!("/assets/{folder}/{file}"))
            .await?
            .wanted(
                200,
                "an island's file; build the site and the program together",
            )?
            .body
            .len();
    }
    Ok(bytes)
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, found)| found == extension)
}

/// The assets that a page names.
fn addresses(html: &str) -> Vec<String> {
    html.split('"')
        .filter(|part| part.starts_with("/assets/"))
        .map(ToOwned::to_owned)
        .collect()
}

fn size(what: &str, bytes: usize, aim_kb: usize) {
    let met = if bytes <= aim_kb * 1000 {
        "met"
    } else {
        "NOT met"
    };
    println!(
        "  {what:<32} {:>8.1} KB   aim at most {aim_kb} KB: {met}",
        bytes as f64 / 1000.0
    );
}

/// Prints how many pages are served, beside the bare handler.
pub async fn reading(
    addr: SocketAddr,
    folder: &Path,
    seconds: Duration,
    rounds: usize,
) -> anyhow::Result<()> {
    let page = Client::connect(addr).await?.get(PROMPT).await?;
    let file = folder.join("page.br");
    std::fs::write(&file, &page.body)?;
    let yardstick_addr = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("--bare")
        .arg(&file)
        .args(["--addr", &yardstick_addr.to_string()])
        .stderr(Stdio::null());
    let yardstick = Server::start(command, yardstick_addr).await?;
    println!(
        "\nPrompt page, {READERS} connections, {rounds} rounds of {} s each, in turns",
        seconds.as_secs()
    );
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let ours = read_for(addr, seconds).await?;
        let bare = read_for(yardstick.addr, seconds).await?;
        let ratio = ours.per_second / bare.per_second;
        println!(
            "  Headroom {:>7.0} /s p99 {:>6.2} ms   bare axum handler {:>7.0} /s p99 {:>6.2} ms   ratio {ratio:.2}",
            ours.per_second,
            millis(ours.p99),
            bare.per_second,
            millis(bare.p99),
        );
        ratios.push(ratio);
    }
    let median = median(ratios);
    println!(
        "  median ratio {median:.2}   aim at least 0.50: {}",
        if median >= 0.5 { "met" } else { "NOT met" }
    );
    Ok(())
}

/// Reads the prompt's page, as fast as it comes, on many connections.
pub async fn read_for(addr: SocketAddr, seconds: Duration) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(tokio::spawn(async move {
            let mut client = Client::connect(addr).await?;
            let mut latencies = Vec::new();
            while started.elapsed() < seconds {
                let sent = Instant::now();
                client.get(PROMPT).await?.wanted(200, "a page")?;
                latencies.push(sent.elapsed());
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for reader in readers {
        latencies.extend(reader.await??);
    }
    Run::of(latencies, started.elapsed())
}

/// Reads a page at a steady pace, as a few people would who hold these cookies: what they wait, not what can be served.
pub async fn read_at_a_pace(
    addr: SocketAddr,
    path: &'static str,
    cookies: &[String],
    seconds: Duration,
) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut readers = Vec::new();
    let apart = PACE / u32::try_from(cookies.len()).unwrap_or(u32::MAX).max(1);
    for (cookie, first) in cookies.iter().cloned().zip(0..) {
        readers.push(tokio::spawn(async move {
            let mut client = Client::connect(addr).await?;
            client.cookie = cookie;
            let mut latencies = Vec::new();
            // Not all in the same moment.
            let mut due = started + apart * first;
            while due < started + seconds {
                // A page that is asked for late, because the one before took long, has been waited for since it was due.
                let mut since = due;
                if due > Instant::now() {
                    tokio::time::sleep_until(due.into()).await;
                    since = Instant::now();
                }
                client.get(path).await?.wanted(200, "a page")?;
                latencies.push(since.elapsed());
                due += PACE;
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for reader in readers {
        latencies.extend(reader.await??);
    }
    Run::of(latencies, started.elapsed())
}
