//! The measurements of `cargo xtask bench` that need no browser: pages, assets and saves of a real server on loopback.
//!
//! Machines differ and are shared, so that a figure stands beside another of the same run where one can be had. Nothing
//! here passes or fails.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use clap::Parser;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE,
};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

const PROMPT: &str = "/prompts/payments-processor";
const READERS: usize = 32;

/// Measures a release build of Headroom.
#[derive(Parser)]
struct Options {
    /// The built site, for the sizes of its files.
    #[arg(long, default_value = "target/site")]
    site: PathBuf,
    /// The program to measure.
    #[arg(long, default_value = "target/release/headroom")]
    headroom: PathBuf,
    /// A Postgres server to measure saves on, or `none`.
    #[arg(long, default_value = "none")]
    postgres: String,
    /// Taken and not used: the browser's figures come from another script.
    #[arg(long)]
    chromium: Option<PathBuf>,
    /// Shorter runs.
    #[arg(long)]
    quick: bool,
    /// Instead of measuring: answer every request with the bytes of this file, by a bare axum handler.
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?
        .block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    if let Some(file) = &options.bare {
        return bare(file, options.addr).await;
    }
    let folder = std::env::temp_dir().join(format!("headroom-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = measure(&options, &folder).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn measure(options: &Options, folder: &Path) -> anyhow::Result<()> {
    let seconds = Duration::from_secs(if options.quick { 2 } else { 5 });
    let sqlite = format!("sqlite:{}", folder.join("bench.db").display());
    let server = Server::headroom(&options.headroom, &sqlite).await?;
    sizes(options, server.addr).await?;
    reading(
        server.addr,
        folder,
        seconds,
        if options.quick { 1 } else { 3 },
    )
    .await?;
    println!(
        "\nAutosave, each writer at an attempt of its own, {} s each",
        seconds.as_secs()
    );
    for writers in [8, 64] {
        saves("SQLite", server.addr, writers, seconds).await?;
    }
    drop(server);
    if options.postgres == "none" {
        println!("  Postgres: not measured, none was given");
        return Ok(());
    }
    let server = Server::headroom(&options.headroom, &options.postgres).await?;
    for writers in [8, 64] {
        saves("Postgres", server.addr, writers, seconds).await?;
    }
    Ok(())
}

/// A program that serves until it is dropped.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    async fn start(mut command: Command, addr: SocketAddr) -> anyhow::Result<Self> {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, addr };
        for _ in 0..100 {
            if TcpStream::connect(addr).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the server at {addr} did not answer")
    }

    async fn headroom(program: &Path, database_url: &str) -> anyhow::Result<Self> {
        let addr = free_address()?;
        let mut command = Command::new(program);
        command
            .args([
                "serve",
                "--addr",
                &addr.to_string(),
                "--database-url",
                database_url,
            ])
            .env("HEADROOM_LOG", "warn");
        Self::start(command, addr)
            .await
            .with_context(|| format!("{} serves", program.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(StdListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The yardstick: the same bytes with the same type, by a handler that does nothing else.
async fn bare(file: &Path, addr: SocketAddr) -> anyhow::Result<()> {
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

/// One connection that is kept open.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    addr: SocketAddr,
    cookie: String,
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Client {
    async fn connect(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            addr,
            cookie: String::new(),
        })
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> anyhow::Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.addr.to_string())
            .header(ACCEPT_ENCODING, "br")
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, kind)
            .header(COOKIE, &self.cookie)
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if let Some(cookie) = parts
            .headers
            .get(SET_COOKIE)
            .and_then(|cookie| cookie.to_str().ok())
        {
            cookie
                .split(';')
                .next()
                .unwrap_or_default()
                .clone_into(&mut self.cookie);
        }
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, "text/plain", String::new())
            .await
    }
}

async fn sizes(options: &Options, addr: SocketAddr) -> anyhow::Result<()> {
    let mut client = Client::connect(addr).await?;
    let page = client.get(PROMPT).await?;
    ensure!(
        page.status == 200,
        "the prompt's page answers {}",
        page.status
    );
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
        serde_json::from_slice(&std::fs::read(options.site.join("manifest.json"))?)?;
    let mut fonts = 0;
    for (name, file) in &manifest {
        if has_extension(name, "woff2") {
            fonts += client.get(&format!("/assets/{file}")).await?.body.len();
        }
    }
    let mut islands = 0;
    let package = manifest.get("pkg").context("the site has no islands")?;
    for file in ["headroom.js", "headroom_bg.wasm"] {
        islands += client
            .get(&format!("/assets/{package}/{file}"))
            .await?
            .body
            .len();
    }
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
    size("workspace, JS and wasm", islands, 200);
    Ok(())
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

/// What a run of requests came to.
struct Run {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Run {
    fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> anyhow::Result<Self> {
        ensure!(!latencies.is_empty(), "no request was answered");
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        Ok(Self {
            per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
        })
    }
}

async fn reading(
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
        .args(["--addr", &yardstick_addr.to_string()]);
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
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    println!(
        "  median ratio {median:.2}   aim at least 0.50: {}",
        if median >= 0.5 { "met" } else { "NOT met" }
    );
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn read_for(addr: SocketAddr, seconds: Duration) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(tokio::spawn(async move {
            let mut client = Client::connect(addr).await?;
            let mut latencies = Vec::new();
            while started.elapsed() < seconds {
                let sent = Instant::now();
                let answer = client.get(PROMPT).await?;
                ensure!(answer.status == 200, "answered {}", answer.status);
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for reader in readers {
        latencies.extend(reader.await??);
    }
    Run::of(latencies, started.elapsed())
}

async fn saves(
    engine: &str,
    addr: SocketAddr,
    writers: usize,
    seconds: Duration,
) -> anyhow::Result<()> {
    let mut started_attempts = Vec::new();
    for _ in 0..writers {
        let mut client = Client::connect(addr).await?;
        let form = "way=guided&level=senior&minutes=60".to_owned();
        let answer = client
            .send(
                Method::POST,
                &format!("{PROMPT}/attempts"),
                "application/x-www-form-urlencoded",
                form,
            )
            .await?;
        let location = answer
            .headers
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .context("an attempt starts")?;
        let attempt = location
            .split('/')
            .nth(2)
            .context("an attempt has an id")?
            .to_owned();
        started_attempts.push((client, attempt));
    }
    let started = Instant::now();
    let mut tasks = Vec::new();
    for (mut client, attempt) in started_attempts {
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            let mut base = 0;
            while started.elapsed() < seconds {
                // About what a candidate has after a quarter of an hour, and a little more with each save.
                let body = format!("{}{base}", "A charge is taken once and only once. ".repeat(60));
                let save = json!({
                    "attempt": attempt, "section": "architecture", "body": body, "base": base, "key": format!("{attempt}-{base}")
                });
                let sent = Instant::now();
                let answer = client.send(Method::POST, "/api/save_section", "application/json", save.to_string()).await?;
                ensure!(answer.status == 200, "a save answers {}: {:?}", answer.status, answer.body);
                latencies.push(sent.elapsed());
                base += 1;
            }
            Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let run = Run::of(latencies, started.elapsed())?;
    println!(
        "  {engine:<9} {writers:>3} writers {:>7.0} saves/s   p50 {:>7.2} ms   p99 {:>7.2} ms",
        run.per_second,
        millis(run.p50),
        millis(run.p99)
    );
    Ok(())
}
