//! How long a search of the whole library takes: the page with results beside the same page without a query.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::figures::{Run, millis};

/// Of each kind: a term, several words, a beginning, a slip, words that stand everywhere, and none that is known.
const QUERIES: [&str; 14] = [
    "idempotency",
    "rate+limiter",
    "consistent+hashing",
    "que",
    "p99",
    "idempotancy+kay",
    "the",
    "a",
    "stripe",
    "error+budget+burn",
    "how+many+connections",
    "postgres+replica+lag",
    "zzzzzz",
    "what+fails+first+at+ten+times+the+load",
];
/// The slowest that a query may be on the whole library.
const AIM: Duration = Duration::from_millis(5);

/// Prints the times of all queries in turns, one after the other.
pub async fn search(addr: SocketAddr, rounds: usize) -> anyhow::Result<()> {
    let mut client = Client::connect(addr).await?;
    // The first search makes the index.
    let began = Instant::now();
    client
        .get("/search?q=first")
        .await?
        .wanted(200, "a search")?;
    println!("\nSearch, one query after the other");
    println!(
        "  the first, which makes the index     {:>8.1} ms",
        millis(began.elapsed())
    );
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut slowest = (Duration::ZERO, "");
    let started = Instant::now();
    for _ in 0..rounds * 20 {
        for query in QUERIES {
            let took = timed(&mut client, &format!("/search?q={query}")).await?;
            if took > slowest.0 {
                slowest = (took, query);
            }
            with.push(took);
            without.push(timed(&mut client, "/search").await?);
        }
    }
    let elapsed = started.elapsed();
    let (with, without) = (Run::of(with, elapsed)?, Run::of(without, elapsed)?);
    println!(
        "  the page without a query             p50 {:>6.2} ms  p99 {:>6.2} ms",
        millis(without.p50),
        millis(without.p99)
    );
    println!(
        "  the page with its results            p50 {:>6.2} ms  p99 {:>6.2} ms",
        millis(with.p50),
        millis(with.p99)
    );
    println!("  slowest: {:?}, {:.2} ms", slowest.1, millis(slowest.0));
    let query = with.p99.saturating_sub(without.p50);
    println!(
        "  a query (p99 less the empty page)    {:>8.2} ms   aim under {} ms: {}",
        millis(query),
        AIM.as_millis(),
        if query < AIM { "met" } else { "NOT MET" }
    );
    Ok(())
}

async fn timed(client: &mut Client, path: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    client.get(path).await?.wanted(200, "the search page")?;
    Ok(began.elapsed())
}
