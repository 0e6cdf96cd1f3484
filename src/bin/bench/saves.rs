//! Autosave: saves a second on one node of each engine, and on two nodes of one Postgres against one.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Client, Fault, Writer};
use crate::figures::{Run, median, millis};
use crate::server::Server;

/// Writers at one node or two.
const AT_NODES: usize = 64;
const WARMING: Duration = Duration::from_secs(2);

/// Prints how many saves so many writers get done.
pub async fn on_one_node(
    engine: &str,
    addr: SocketAddr,
    writers: usize,
    seconds: Duration,
) -> anyhow::Result<()> {
    let run = save_for(&[addr], writers, seconds).await?;
    println!(
        "  {engine:<9} {writers:>3} writers {:>7.0} saves/s   p50 {:>7.2} ms   p99 {:>7.2} ms",
        run.per_second,
        millis(run.p50),
        millis(run.p99)
    );
    Ok(())
}

/// Prints what the same writers get done on two nodes against one. Nodes, database and writers share the cores of this
/// machine, so that a ratio of one says that the second node costs nothing, and not that it brings nothing.
pub async fn on_two_nodes(
    program: &Path,
    postgres: &str,
    seconds: Duration,
    rounds: usize,
) -> anyhow::Result<()> {
    let first = Server::headroom(program, postgres).await?;
    let second = Server::headroom(program, postgres).await?;
    println!(
        "\nAutosave on one Postgres, {AT_NODES} writers on one node and on two, all on this machine, {rounds} rounds of {} s each, in turns",
        seconds.as_secs()
    );
    // Connections and plans are made once.
    save_for(&[first.addr, second.addr], AT_NODES, WARMING).await?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let one = save_for(&[first.addr], AT_NODES, seconds).await?;
        let two = save_for(&[first.addr, second.addr], AT_NODES, seconds).await?;
        let ratio = two.per_second / one.per_second;
        println!(
            "  one node {:>7.0} saves/s p99 {:>7.2} ms   two nodes {:>7.0} saves/s p99 {:>7.2} ms   ratio {ratio:.2}",
            one.per_second,
            millis(one.p99),
            two.per_second,
            millis(two.p99),
        );
        ratios.push(ratio);
    }
    println!("  median ratio {:.2}", median(ratios));
    Ok(())
}

/// Guests, each with an attempt of their own, spread over the nodes.
pub async fn writers(nodes: &[SocketAddr], count: usize) -> Result<Vec<Writer>, Fault> {
    let mut writers = Vec::new();
    for node in nodes.iter().cycle().take(count) {
        writers.push(Writer::start(Client::connect(*node).await?).await?);
    }
    Ok(writers)
}

async fn save_for(nodes: &[SocketAddr], count: usize, seconds: Duration) -> anyhow::Result<Run> {
    let writers = writers(nodes, count).await?;
    let started = Instant::now();
    let mut tasks = Vec::new();
    for mut writer in writers {
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while started.elapsed() < seconds {
                latencies.push(writer.save("architecture").await?);
            }
            Ok::<_, Fault>(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Run::of(latencies, started.elapsed())
}
