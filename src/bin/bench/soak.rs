//! Mixed load for minutes: what fails, what people wait, and whether memory grows.
//!
//! Readers, sign-ins, guests and new accounts that write, preview and export, and clients that are slow or never finish.
//! Every request has an answer that is wanted; anything else is an error, but for being told to wait. At the end the
//! server is killed, started again, and asked for what it acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Answer, Client, Fault, PROMPT, Receipt, Writer};
use crate::figures::{Histogram, millis};
use crate::server::Server;

/// How many there are of each.
const CAST: [(Actor, usize); 6] = [
    (Actor::Reader, 6),
    (Actor::Regular, 2),
    (Actor::Guest, 8),
    (Actor::Newcomer, 4),
    (Actor::Slow, 2),
    (Actor::Unfinished, 2),
];
const PAGES: [&str; 6] = [
    "/",
    PROMPT,
    "/prompts",
    "/prompts/news-feed",
    "/sign-in",
    "/healthz",
];
const SECTIONS: [&str; 4] = ["requirements", "api", "data-model", "architecture"];
const SAVES_A_VISIT: usize = 40;
/// How long somebody waits before trying again after a fault.
const PAUSE: Duration = Duration::from_millis(500);
/// The attempts that are looked for at the end: the latest ones. Each was looked for when its writer left, too.
const RECEIPTS: usize = 1000;
/// The server gives a header 10 s; twice that is too long.
const UNFINISHED_LIMIT: Duration = Duration::from_secs(20);

/// Somebody who comes again and again.
#[derive(Clone, Copy)]
enum Actor {
    /// Reads public pages.
    Reader,
    /// Signs in to an account that is there, looks at it and signs out.
    Regular,
    /// Writes an attempt without an account.
    Guest,
    /// Makes an account, writes an attempt, and takes everything out.
    Newcomer,
    /// Sends and reads a little at a time.
    Slow,
    /// Sends half a header and waits.
    Unfinished,
}

/// What has been seen, since the last line and in all.
#[derive(Default)]
struct Tally {
    /// By kind of request.
    answered: BTreeMap<&'static str, Histogram>,
    /// By kind of fault.
    faults: BTreeMap<String, u64>,
    /// Requests that were told to wait.
    waits: u64,
    /// The first fault of each kind, in full.
    examples: BTreeMap<String, String>,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        for (kind, latencies) in other.answered {
            self.answered.entry(kind).or_default().merge(&latencies);
        }
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (kind, example) in other.examples {
            self.examples.entry(kind).or_insert(example);
        }
        self.waits += other.waits;
    }

    fn add_fault(&mut self, fault: &Fault) {
        if fault.status == Some(429) {
            self.waits += 1;
            return;
        }
        *self.faults.entry(fault.kind.clone()).or_default() += 1;
        self.examples
            .entry(fault.kind.clone())
            .or_insert_with(|| fault.to_string());
    }

    fn all(&self) -> Histogram {
        let mut all = Histogram::default();
        for latencies in self.answered.values() {
            all.merge(latencies);
        }
        all
    }

    fn faults_in_words(&self) -> String {
        let mut words: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, count)| format!("{kind} {count} ×"))
            .collect();
        if words.is_empty() {
            words.push("no errors".to_owned());
        }
        if self.waits > 0 {
            words.push(format!("told to wait {} ×", self.waits));
        }
        words.join(", ")
    }
}

/// What all actors share.
struct Load {
    addr: SocketAddr,
    until: Instant,
    /// Since the last line.
    tally: Mutex<Tally>,
    receipts: Mutex<VecDeque<Receipt>>,
    next_account: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Load {
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    fn new_account(&self) -> usize {
        self.next_account.fetch_add(1, Ordering::Relaxed)
    }

    fn answered(&self, kind: &'static str, took: Duration) {
        let mut tally = lock(&self.tally);
        tally.answered.entry(kind).or_default().add(took);
    }

    /// Times a request and takes its answer if it has the wanted status.
    async fn ask(
        &self,
        kind: &'static str,
        wanted: u16,
        request: impl Future<Output = Result<Answer, Fault>>,
    ) -> Result<Answer, Fault> {
        let sent = Instant::now();
        let answer = request.await?;
        self.answered(kind, sent.elapsed());
        answer.wanted(wanted, kind)
    }

    fn keep(&self, receipt: Receipt) {
        let mut receipts = lock(&self.receipts);
        if receipts.len() == RECEIPTS {
            receipts.pop_front();
        }
        receipts.push_back(receipt);
    }
}

/// Runs the load, prints a line now and then and a report at the end.
///
/// # Errors
/// When anything was answered otherwise than wanted, or an acknowledged save is not there afterwards.
pub async fn soak(program: &Path, database_url: &str, length: Duration) -> anyhow::Result<()> {
    let server = Server::headroom(program, database_url).await?;
    let people: usize = CAST.iter().map(|(_, count)| count).sum();
    println!(
        "Mixed load of {people} clients for {}: readers, sign-ins, guests and new accounts that write and export, slow clients",
        clock(length)
    );
    let started = Instant::now();
    let load = Arc::new(Load {
        addr: server.addr,
        until: started + length,
        tally: Mutex::default(),
        receipts: Mutex::default(),
        next_account: AtomicUsize::new(0),
    });
    let mut actors = Vec::new();
    for (actor, count) in CAST {
        for _ in 0..count {
            actors.push(tokio::spawn(act(actor, Arc::clone(&load))));
        }
    }
    let (mut whole, memory) = watch(&load, &server, started, length).await;
    for actor in actors {
        actor.await?;
    }
    // What ended after the last line.
    whole.merge(std::mem::take(&mut lock(&load.tally)));

    drop(server);
    let server = Server::headroom(program, database_url).await?;
    let receipts = std::mem::take(&mut *lock(&load.receipts));
    for receipt in &receipts {
        if let Err(fault) = receipt.check(server.addr).await {
            whole.add_fault(&fault);
        }
    }
    report(&whole, &memory, receipts.len());
    let faults: u64 = whole.faults.values().sum();
    ensure!(faults == 0, "{faults} errors: {}", whole.faults_in_words());
    Ok(())
}

/// Prints a line a minute, or six in all, until the load ends: what was seen, and the memory at each second.
async fn watch(
    load: &Load,
    server: &Server,
    started: Instant,
    length: Duration,
) -> (Tally, Vec<f64>) {
    let line = (length / 6).min(Duration::from_mins(1));
    let (mut whole, mut memory) = (Tally::default(), Vec::new());
    let mut next_line = started + line;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    while load.goes_on() {
        ticks.tick().await;
        let now_mb = server.memory_kb().map(|kb| kb as f64 / 1024.0);
        memory.extend(now_mb);
        if Instant::now() < next_line {
            continue;
        }
        next_line += line;
        let tally = std::mem::take(&mut *lock(&load.tally));
        let all = tally.all();
        println!(
            "  {:>6} {:>8} requests   p50 {:>7.2} ms   p99 {:>8.2} ms   memory {}   {}",
            clock(started.elapsed()),
            all.count(),
            millis(all.quantile(0.5)),
            millis(all.quantile(0.99)),
            now_mb.map_or_else(|| "unknown".to_owned(), |mb| format!("{mb:>6.1} MB")),
            tally.faults_in_words()
        );
        whole.merge(tally);
    }
    (whole, memory)
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    format!("{}:{:02} min", seconds / 60, seconds % 60)
}

fn report(whole: &Tally, memory: &[f64], receipts: usize) {
    println!("  By kind                requests      p50 ms      p99 ms");
    for (kind, latencies) in &whole.answered {
        println!(
            "    {kind:<18} {:>10}  {:>10.2}  {:>10.2}",
            latencies.count(),
            millis(latencies.quantile(0.5)),
            millis(latencies.quantile(0.99))
        );
    }
    match growth(memory) {
        Some((first, last)) => println!(
            "  Memory: {first:.1} MB in the first fifth, {last:.1} MB in the last, {:+.1} MB or {:+.1} %",
            last - first,
            (last / first - 1.0) * 100.0
        ),
        None => println!("  Memory: not measured, this system does not tell it"),
    }
    println!(
        "  The server was killed and started again, and asked for the saves of the last {receipts} attempts"
    );
    println!("  Errors: {}", whole.faults_in_words());
    for example in whole.examples.values() {
        println!("    the first: {example}");
    }
}

/// The mean of the first fifth and of the last.
fn growth(memory: &[f64]) -> Option<(f64, f64)> {
    let fifth = memory.len() / 5;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    (fifth > 0).then(|| {
        (
            mean(&memory[..fifth]),
            mean(&memory[memory.len() - fifth..]),
        )
    })
}

/// Comes again and again until the load ends.
async fn act(actor: Actor, load: Arc<Load>) {
    let mut account = None;
    while load.goes_on() {
        let outcome = match actor {
            Actor::Reader => read(&load).await,
            Actor::Regular => regular(&load, &mut account).await,
            Actor::Guest => guest(&load).await,
            Actor::Newcomer => newcomer(&load).await,
            Actor::Slow => slow(&load).await,
            Actor::Unfinished => unfinished(&load).await,
        };
        if let Err(fault) = outcome {
            lock(&load.tally).add_fault(&fault);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

async fn read(load: &Load) -> Result<(), Fault> {
    let mut client = Client::connect(load.addr).await?;
    for path in PAGES.iter().cycle().take(100) {
        if !load.goes_on() {
            break;
        }
        load.ask("a page", 200, client.get(path)).await?;
        pause(20).await;
    }
    Ok(())
}

async fn regular(load: &Load, account: &mut Option<usize>) -> Result<(), Fault> {
    let mut client = Client::connect(load.addr).await?;
    let Some(number) = *account else {
        let number = load.new_account();
        load.ask("a sign-up", 303, client.sign_up(number)).await?;
        *account = Some(number);
        return Ok(());
    };
    load.ask("a sign-in", 303, client.sign_in(number)).await?;
    for path in ["/account", "/account/sessions", "/attempts"] {
        load.ask("an own page", 200, client.get(path)).await?;
        pause(50).await;
    }
    let out = client.post_form("/sign-out", String::new());
    load.ask("a sign-out", 303, out).await?;
    pause(300).await;
    Ok(())
}

async fn guest(load: &Load) -> Result<(), Fault> {
    write_as(load, Client::connect(load.addr).await?).await?;
    Ok(())
}

async fn newcomer(load: &Load) -> Result<(), Fault> {
    let mut client = Client::connect(load.addr).await?;
    let sign_up = client.sign_up(load.new_account());
    load.ask("a sign-up", 303, sign_up).await?;
    let mut again = Client::connect(load.addr).await?;
    again.cookie.clone_from(&client.cookie);
    write_as(load, client).await?;
    load.ask("an export of all", 200, again.get("/account/export"))
        .await?;
    Ok(())
}

/// Writes an attempt, and looks for what was acknowledged. What was, also before a fault, is looked for at the end too.
async fn write_as(load: &Load, client: Client) -> Result<(), Fault> {
    let mut writer = Writer::start(client).await?;
    let outcome = work_at(load, &mut writer).await;
    let receipt = writer.receipt();
    let found = match outcome {
        Ok(()) => receipt.check(load.addr).await,
        Err(fault) => Err(fault),
    };
    load.keep(receipt);
    found
}

async fn work_at(load: &Load, writer: &mut Writer) -> Result<(), Fault> {
    let path = format!("/attempts/{}", writer.attempt);
    for (number, section) in SECTIONS.into_iter().cycle().take(SAVES_A_VISIT).enumerate() {
        if !load.goes_on() {
            break;
        }
        let took = writer.save(section).await?;
        load.answered("a save", took);
        let client = &mut writer.client;
        if number % 10 == 3 {
            let pulse = json!({ "attempt": writer.attempt, "section": section, "known": {} });
            let pulse = client.post_json("/api/pulse", &pulse);
            load.ask("a sign of life", 200, pulse).await?;
            let markdown = json!({ "markdown": "## Retries\n\n- **once** and [only](https://example.org) once\n" });
            let preview = client.post_json("/api/preview", &markdown);
            load.ask("a preview", 200, preview).await?;
        }
        if number % 10 == 7 {
            let page = format!("{path}/{section}");
            load.ask("a workspace", 200, client.get(&page)).await?;
            for format in ["attempt.md", "attempt.json"] {
                let export = format!("{path}/export/{format}");
                load.ask("an export", 200, client.get(&export)).await?;
            }
        }
        pause(50).await;
    }
    Ok(())
}

/// Asks for a page a few bytes at a time, uncompressed, and reads it a little at a time.
async fn slow(load: &Load) -> Result<(), Fault> {
    let stream = TcpStream::connect(load.addr).await.map_err(Fault::broken)?;
    let request = format!(
        "GET {PROMPT} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        load.addr
    );
    for part in request.as_bytes().chunks(8) {
        send(&stream, part).await?;
        pause(50).await;
    }
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = receive(&stream, &mut part).await?;
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&part[..length]);
        pause(50).await;
    }
    let text = String::from_utf8_lossy(&answer);
    if !text.starts_with("HTTP/1.1 200") || !text.contains("</html>") {
        let start = text.lines().next().unwrap_or_default();
        let detail = format!("{} bytes, {start}", answer.len());
        return Err(Fault::new("a slow page came otherwise", detail));
    }
    Ok(())
}

/// Sends half a header. The server has to hang up.
async fn unfinished(load: &Load) -> Result<(), Fault> {
    let stream = TcpStream::connect(load.addr).await.map_err(Fault::broken)?;
    send(&stream, b"POST /theme HTTP/1.1\r\nHost: loc").await?;
    let mut part = [0; 4096];
    let hung_up = async {
        // A last word, or none, before the end.
        while receive(&stream, &mut part).await.is_ok_and(|read| read > 0) {}
    };
    tokio::time::timeout(UNFINISHED_LIMIT, hung_up)
        .await
        .map_err(|_| Fault::new("half a header was not dropped in 20 s", ""))
}

async fn send(stream: &TcpStream, mut bytes: &[u8]) -> Result<(), Fault> {
    while !bytes.is_empty() {
        stream.writable().await.map_err(Fault::broken)?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Fault::broken(error)),
        }
    }
    Ok(())
}

/// How many bytes came; none at the end.
async fn receive(stream: &TcpStream, into: &mut [u8]) -> Result<usize, Fault> {
    loop {
        stream.readable().await.map_err(Fault::broken)?;
        match stream.try_read(into) {
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Fault::broken(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    #[test]
    fn memory_is_compared_by_fifths() {
        assert_eq!(growth(&[1.0; 4]), None);
        assert_eq!(growth(&[1.0, 9.0, 9.0, 9.0, 2.0]), Some((1.0, 2.0)));
        let steps: Vec<f64> = (0..12).map(f64::from).collect();
        assert_eq!(growth(&steps), Some((0.5, 10.5)));
    }

    #[test]
    fn being_told_to_wait_is_no_error() {
        let mut tally = Tally::default();
        assert_eq!(tally.faults_in_words(), "no errors");
        for status in [429, 500, 500] {
            let answer = Answer {
                status,
                headers: HeaderMap::new(),
                body: Bytes::new(),
            };
            tally.add_fault(&answer.wanted(200, "a page").err().expect("it is a fault"));
        }
        let mut whole = Tally::default();
        whole.merge(tally);
        assert_eq!(
            whole.faults_in_words(),
            "a page was answered with 500 2 ×, told to wait 1 ×"
        );
    }
}
