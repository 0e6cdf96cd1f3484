//! `headroom backup` under writers: how long it takes, and what they wait meanwhile.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::client::{Client, Fault, Writer};
use crate::figures::{Run, median, millis};
use crate::saves::writers;
use crate::server::{Server, headroom};

const WRITERS: usize = 50;
/// Who fills the database beforehand; a guest keeps at most 200 attempts.
const FILLERS: usize = 20;
/// Of each attempt that is there beforehand.
const SECTIONS: [&str; 4] = ["requirements", "api", "data-model", "architecture"];

/// A database to be backed up.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub engine: &'a str,
    pub url: &'a str,
    /// That are put into the database beforehand.
    pub attempts: usize,
}

/// Prints how backups go under writers.
pub async fn backup(
    program: &Path,
    place: Place<'_>,
    folder: &Path,
    seconds: Duration,
) -> anyhow::Result<()> {
    let server = Server::headroom(program, place.url).await?;
    fill(server.addr, place.attempts).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for writer in writers(&[server.addr], WRITERS).await? {
        tasks.push(tokio::spawn(write_until(writer, Arc::clone(&stop))));
    }
    let began = Instant::now();
    tokio::time::sleep(seconds).await;
    let file = folder.join("backup.db");
    let backups_began = Instant::now();
    let outcome = back_up_for(program, place.url, &file, seconds).await;
    let ended = Instant::now();
    stop.store(true, Ordering::Relaxed);
    let (mut before, mut during) = (Vec::new(), Vec::new());
    for task in tasks {
        for (sent, took) in task.await?? {
            match sent {
                sent if sent < began => {}
                sent if sent < backups_began => before.push(took),
                sent if sent < ended => during.push(took),
                _ => {}
            }
        }
    }
    let (times, attempts) = outcome?;
    let megabytes = std::fs::metadata(&file)?.len() as f64 / 1_000_000.0;
    std::fs::remove_file(&file)?;
    let before = Run::of(before, backups_began - began)?;
    let during = Run::of(during, ended - backups_began)?;
    println!(
        "  {:<9} {attempts} attempts   {} backups, median {:.2} s   {megabytes:.1} MB   each passed its check",
        place.engine,
        times.len(),
        median(times)
    );
    println!(
        "    before {:>7.0} saves/s p99 {:>7.2} ms   during {:>7.0} saves/s p99 {:>7.2} ms   ratios {:.2} and {:.1}",
        before.per_second,
        millis(before.p99),
        during.per_second,
        millis(during.p99),
        during.per_second / before.per_second,
        during.p99.as_secs_f64() / before.p99.as_secs_f64()
    );
    Ok(())
}

/// Says what is about to be measured.
pub fn headline() {
    println!("\nBackup under {WRITERS} writers, one after the other");
}

async fn fill(addr: SocketAddr, attempts: usize) -> anyhow::Result<()> {
    let mut tasks = Vec::new();
    for filler in 0..FILLERS {
        let own = attempts / FILLERS + usize::from(filler < attempts % FILLERS);
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(addr).await?;
            for _ in 0..own {
                let mut writer = Writer::start(client).await?;
                for section in SECTIONS {
                    writer.save(section).await?;
                }
                client = writer.client;
            }
            Ok::<_, Fault>(())
        }));
    }
    for task in tasks {
        task.await?.context("the database is filled")?;
    }
    Ok(())
}

/// When each save was sent, and how long it took.
async fn write_until(
    mut writer: Writer,
    stop: Arc<AtomicBool>,
) -> Result<Vec<(Instant, Duration)>, Fault> {
    let mut saves = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let sent = Instant::now();
        saves.push((sent, writer.save("architecture").await?));
    }
    Ok(saves)
}

/// Makes backups until so much time has passed, one at least: the seconds that each took, and the attempts in the last.
async fn back_up_for(
    program: &Path,
    url: &str,
    file: &Path,
    seconds: Duration,
) -> anyhow::Result<(Vec<f64>, String)> {
    let began = Instant::now();
    let (mut times, mut attempts) = (Vec::new(), String::new());
    while times.is_empty() || began.elapsed() < seconds {
        let (program, url, file) = (program.to_owned(), url.to_owned(), file.to_owned());
        let made = tokio::task::spawn_blocking(move || back_up(&program, &url, &file)).await??;
        times.push(made.0);
        attempts = made.1;
    }
    Ok((times, attempts))
}

/// The seconds that it took, and how many attempts it says it holds.
fn back_up(program: &Path, url: &str, file: &Path) -> anyhow::Result<(f64, String)> {
    let mut command = headroom(program, url)?;
    command.arg("backup").arg("--to").arg(file).arg("--force");
    let began = Instant::now();
    let output = command.output()?;
    let took = began.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.contains("passed its integrity check"),
        "headroom backup: {}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let attempts = said.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("attempt")).then(|| words.next())?
    });
    Ok((took, attempts.unwrap_or("unknown").to_owned()))
}
