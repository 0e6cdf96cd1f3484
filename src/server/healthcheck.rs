//! Asks a server whether it is ready, as a container's health check does: one request over one connection.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

const LIMIT: Duration = Duration::from_secs(5);
/// More than any answer of `/readyz`.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// The server's answer to `GET /readyz` at the address that it listens on: whether it is ready, and what it says.
///
/// # Errors
/// When it cannot be reached or answers something else than HTTP. Blocks for at most a few seconds.
pub fn ask(address: SocketAddr) -> anyhow::Result<(bool, String)> {
    let address = reachable(address);
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)
        .with_context(|| format!("nothing listens on {address}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream
        .take(LONGEST_ANSWER)
        .read_to_end(&mut answer)
        .with_context(|| format!("{address} did not answer"))?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .with_context(|| format!("{address} did not answer with HTTP"))?;
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .with_context(|| format!("{address} did not answer with HTTP"))?;
    Ok((status == "200", body.trim().to_owned()))
}

/// Where a server is reached that listens on every address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
