//! Sign-ins a second beside the hashing that they cannot do without, and what readers wait while they come in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headroom::server::password::Passwords;

use crate::client::{Client, PROMPT};
use crate::figures::{Run, median, millis};
use crate::pages::read_at_a_pace;
use crate::saves::writers;

const CLIENTS: usize = 8;
/// Readers of each of the pages.
const READERS: usize = 8;
const WARMING: Duration = Duration::from_secs(1);

/// Who reads meanwhile: anybody the prompt, which comes from memory, and guests their attempts, which come from the
/// database.
struct Readers {
    addr: SocketAddr,
    guests: Vec<String>,
}

impl Readers {
    async fn read(&self, seconds: Duration) -> anyhow::Result<(Run, Run)> {
        let anybody = vec![String::new(); READERS];
        tokio::try_join!(
            read_at_a_pace(self.addr, PROMPT, &anybody, seconds),
            read_at_a_pace(self.addr, "/attempts", &self.guests, seconds)
        )
    }
}

/// Prints the figures of sign-ins.
pub async fn sign_ins(addr: SocketAddr, seconds: Duration, rounds: usize) -> anyhow::Result<()> {
    for number in 0..CLIENTS {
        let mut client = Client::connect(addr).await?;
        client.sign_up(number).await?.wanted(303, "a sign-up")?;
    }
    let guests = writers(&[addr], READERS).await?;
    let readers = Readers {
        addr,
        guests: guests
            .into_iter()
            .map(|guest| guest.client.cookie)
            .collect(),
    };
    // What is slow once is not what is measured.
    readers.read(WARMING).await?;
    hash_for(WARMING).await?;
    println!(
        "\nSign-ins, {CLIENTS} clients with a new session each time, and {READERS} readers of each page at a steady pace, {rounds} rounds of {} s each, in turns",
        seconds.as_secs()
    );
    let (mut of_hashing, mut of_prompt, mut of_attempts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let hashing = hash_for(seconds).await?;
        let alone = readers.read(seconds).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let flood = tokio::spawn(sign_in_until(addr, Arc::clone(&stop)));
        let flooded = readers.read(seconds).await;
        stop.store(true, Ordering::Relaxed);
        let (flood, flooded) = (flood.await??, flooded?);

        let ratio = flood.per_second / hashing.per_second;
        println!(
            "  sign-ins {:>7.1} /s p50 {:>7.2} ms p99 {:>7.2} ms   hashing alone {:>7.1} /s   ratio {ratio:.2}",
            flood.per_second,
            millis(flood.p50),
            millis(flood.p99),
            hashing.per_second
        );
        of_hashing.push(ratio);
        of_prompt.push(waited("prompt page", &alone.0, &flooded.0));
        of_attempts.push(waited("attempts page", &alone.1, &flooded.1));
    }
    println!(
        "  median ratios: sign-ins {:.2}, prompt page {:.1}, attempts page {:.1}",
        median(of_hashing),
        median(of_prompt),
        median(of_attempts)
    );
    Ok(())
}

/// Prints what a page's readers waited; the ratio of the 99th percentiles.
fn waited(page: &str, alone: &Run, flooded: &Run) -> f64 {
    let ratio = flooded.p99.as_secs_f64() / alone.p99.as_secs_f64();
    println!(
        "    {page:<14} p50 {:>7.2} ms p99 {:>7.2} ms alone   p50 {:>7.2} ms p99 {:>7.2} ms in the flood   p99 ratio {ratio:.1}",
        millis(alone.p50),
        millis(alone.p99),
        millis(flooded.p50),
        millis(flooded.p99)
    );
    ratio
}

async fn sign_in_until(addr: SocketAddr, stop: Arc<AtomicBool>) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..CLIENTS {
        let stop = Arc::clone(&stop);
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(addr).await?;
            let mut latencies = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let sent = Instant::now();
                client.sign_in(number).await?.wanted(303, "a sign-in")?;
                latencies.push(sent.elapsed());
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Run::of(latencies, started.elapsed())
}

/// The yardstick: the server's own hashing, as many at a time as it allows itself, with nothing around it.
async fn hash_for(seconds: Duration) -> anyhow::Result<Run> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let passwords = Passwords::for_cores(cores);
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CLIENTS {
        let passwords = passwords.clone();
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while started.elapsed() < seconds {
                let sent = Instant::now();
                passwords.verify("seventeen green lanterns", None).await?;
                latencies.push(sent.elapsed());
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Run::of(latencies, started.elapsed())
}
