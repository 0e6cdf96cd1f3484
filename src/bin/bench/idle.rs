//! What connections cost that do nothing: the server's memory, and the waiting of those who do something.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpStream;

use crate::client::{Client, PROMPT};
use crate::figures::{Run, millis};
use crate::pages::{read_at_a_pace, read_for};
use crate::server::Server;

/// Few enough for the usual limit of 1024 files a process.
const CONNECTIONS: usize = 500;
/// Within the time that the server gives a header, which is 10 s, everything has to be seen.
const LOOKING: Duration = Duration::from_secs(3);
const HALF: &[u8] =
    b"GET /prompts HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (X11; Lin";

/// Prints what idle connections cost, each kind with a server of its own.
pub async fn idle(program: &Path, database_url: &str) -> anyhow::Result<()> {
    println!("\nMemory with {CONNECTIONS} idle connections, and the prompt page meanwhile");
    let server = Server::headroom(program, database_url).await?;
    let before = warm(&server).await?;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(
            half_a_header(&server)
                .await
                .context("half a header is sent")?,
        );
    }
    let with = look(&server).await?;
    // Nothing has come: neither an answer nor the end.
    let waits = |stream: &&TcpStream| matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    compare("half a header sent", &before, &with);
    say_if_closed(held.iter().filter(waits).count());
    drop((held, server));

    let server = Server::headroom(program, database_url).await?;
    let before = warm(&server).await?;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = Client::connect(server.addr).await?;
        client.get(PROMPT).await?.wanted(200, "a page")?;
        held.push(client);
    }
    let with = look(&server).await?;
    compare("kept after a page", &before, &with);
    say_if_closed(held.iter().filter(|client| client.is_open()).count());
    Ok(())
}

/// The server gives up on a connection from which no whole header comes; what was measured then is something else.
fn say_if_closed(open: usize) {
    if open < CONNECTIONS {
        println!(
            "    the server closed {} of them before the end: this machine is too slow for the figure",
            CONNECTIONS - open
        );
    }
}

async fn half_a_header(server: &Server) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(server.addr).await?;
    stream.writable().await?;
    stream.try_write(HALF)?;
    Ok(stream)
}

/// How a server is.
struct Seen {
    memory_kb: Option<u64>,
    page: Run,
}

async fn look(server: &Server) -> anyhow::Result<Seen> {
    let anybody = vec![String::new(); 4];
    let page = read_at_a_pace(server.addr, PROMPT, &anybody, LOOKING).await?;
    Ok(Seen {
        memory_kb: server.memory_kb(),
        page,
    })
}

/// Has everything made that is made once, so that it does not count for the connections.
async fn warm(server: &Server) -> anyhow::Result<Seen> {
    read_for(server.addr, Duration::from_secs(1)).await?;
    look(server).await
}

fn compare(kind: &str, before: &Seen, with: &Seen) {
    match (before.memory_kb, with.memory_kb) {
        (Some(before), Some(with)) => print!(
            "  {kind:<18} {:>6.1} MB before {:>6.1} MB with them   {:>5.1} KB each",
            before as f64 / 1024.0,
            with as f64 / 1024.0,
            (with as f64 - before as f64) / CONNECTIONS as f64
        ),
        _ => print!("  {kind:<18} memory: not measured, this system does not tell it"),
    }
    println!(
        "   page p99 {:.2} ms before {:.2} ms with them   ratio {:.1}",
        millis(before.page.p99),
        millis(with.page.p99),
        with.page.p99.as_secs_f64() / before.page.p99.as_secs_f64()
    );
}
