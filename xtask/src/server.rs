//! Building everything and running the server: what `cargo xtask serve` does.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use crate::process::{self, GRACE, Running};
use crate::project::{Profile, Project};
use crate::setup::{Apt, Node};
use crate::site;
use crate::steps::{Timing, step};
use crate::wasm::{self, Toolchain};

/// Where a server listens and where it keeps its data.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// The address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,
    /// The database: `sqlite:FILE` or `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "URL", default_value = "sqlite:data/headroom.db")]
    pub database_url: String,
}

impl Place {
    /// An error when somebody listens there already: better before a build than after it.
    pub fn check_free(&self) -> Result<()> {
        match TcpListener::bind(self.addr) {
            Ok(_) => Ok(()),
            Err(fault) if fault.kind() == io::ErrorKind::AddrInUse => {
                let other = SocketAddr::new(self.addr.ip(), self.addr.port().saturating_add(1));
                bail!(
                    "{} is in use: stop what listens there, or choose another with --addr {other}",
                    self.addr
                )
            }
            Err(fault) => Err(fault).with_context(|| format!("cannot listen on {}", self.addr)),
        }
    }

    /// The address as a browser on this machine reaches it.
    pub fn url(&self) -> Url {
        let host = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Url(SocketAddr::new(host, self.addr.port()))
    }
}

/// `http://HOST:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url(SocketAddr);

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl Url {
    /// Whether a GET of `path` is answered with 200.
    fn answers(self, path: &str) -> bool {
        let ask = || -> io::Result<bool> {
            let limit = Duration::from_secs(2);
            let mut stream = TcpStream::connect_timeout(&self.0, limit)?;
            stream.set_read_timeout(Some(limit))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.0
            )?;
            let mut start = [0; 12];
            stream.read_exact(&mut start)?;
            Ok(start.starts_with(b"HTTP/1.") && start.ends_with(b" 200"))
        };
        ask().unwrap_or(false)
    }
}

/// The tools that a build needs, set up.
pub struct Tools {
    pub toolchain: Toolchain,
    /// Only where wasm-opt is needed.
    pub node: Option<Node>,
}

impl Tools {
    pub fn set_up(project: &Project, apt: &mut Apt, profile: Profile) -> Result<Self> {
        Ok(Self {
            toolchain: Toolchain::set_up(project, apt)?,
            node: match profile {
                Profile::Debug => None,
                Profile::Release => Some(Node::set_up(project, apt)?),
            },
        })
    }
}

/// Builds the islands and makes the site of them, `style/` and `public/`.
pub fn build_site(project: &Project, tools: &Tools, profile: Profile) -> Result<()> {
    let raw = step("islands", "cargo build, for wasm32", || {
        wasm::build(project, &tools.toolchain)
    })?;
    let islands = wasm::bind(project, &raw, profile, tools.node.as_ref())?;
    process::check_interrupt()?;
    lay_out_site(project, &islands, profile)
}

/// Makes the site of islands that are built already.
pub fn lay_out_site(project: &Project, islands: &Path, profile: Profile) -> Result<()> {
    step(
        "site",
        "hashed names and compression, into target/site",
        || {
            let written = site::build(project, islands, profile)?;
            println!("    {written} files written");
            Ok(())
        },
    )
}

/// Builds programs of the server; the path of `headroom`. In release they embed the site, so make it first.
pub fn build_server(project: &Project, profile: Profile, programs: &[&str]) -> Result<PathBuf> {
    step(
        "server",
        &format!("cargo build, {}", profile.name()),
        || {
            let mut cargo = wasm::cargo();
            cargo.args([
                "build",
                "--package",
                "headroom",
                "--no-default-features",
                "--features",
                "ssr",
            ]);
            for program in programs {
                cargo.args(["--bin", program]);
            }
            if profile == Profile::Release {
                cargo.arg("--release");
            }
            process::stream(cargo.current_dir(&project.root))
        },
    )?;
    Ok(project.binary(profile))
}

/// Starts the server, with further flags.
pub fn start(project: &Project, binary: &Path, place: &Place, flags: &[&str]) -> Result<Running> {
    let mut command = Command::new(binary);
    command
        .args([
            "serve",
            "--addr",
            &place.addr.to_string(),
            "--database-url",
            &place.database_url,
        ])
        .args(flags)
        .current_dir(&project.root);
    // SIGTERM would wait for a load balancer that is not there.
    Running::start(&mut command, Signal::SIGINT)
}

/// Waits until the server answers; an error when it ends instead.
pub fn await_answer(server: &mut Running, url: Url) -> Result<()> {
    let start = Instant::now();
    let mut patience = Duration::from_secs(20);
    loop {
        if let Some(status) = server.poll()? {
            process::check_interrupt()?;
            bail!("the server ended before it answered: {status}");
        }
        if url.answers("/healthz") {
            return Ok(());
        }
        if start.elapsed() > patience {
            println!(
                "    {url}/healthz does not answer yet, {} s",
                start.elapsed().as_secs()
            );
            patience += Duration::from_secs(20);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// `cargo xtask serve`: everything set up and built, then the server until it is told to stop.
pub fn serve(project: &Project, place: &Place, profile: Profile) -> Result<()> {
    let timing = match profile {
        Profile::Debug => Timing::start("serve", project),
        Profile::Release => Timing::start("serve --release", project),
    };
    place.check_free()?;
    let mut apt = Apt::new(project);
    let tools = Tools::set_up(project, &mut apt, profile)?;
    process::adopt_orphans();
    build_site(project, &tools, profile)?;
    let binary = build_server(project, profile, &["headroom"])?;

    let mut server = start(project, &binary, place, &[])?;
    await_answer(&mut server, place.url())?;
    println!("Headroom is at {}", place.url());
    println!(
        "    after {:.1} s; Ctrl-C stops it",
        timing.elapsed().as_secs_f64()
    );
    timing.write_down()?;
    let status = server.wait(None, false)?;
    match status {
        _ if process::interrupted() => Ok(()),
        Some(status) if status.success() => Ok(()),
        _ => bail!("the server ended by itself"),
    }
}

/// Stops a server that is to be replaced: open event streams need not keep it waiting.
pub fn stop(server: &mut Running) {
    server.stop(GRACE / 4);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(addr: &str) -> Place {
        Place {
            addr: addr.parse().expect("an address"),
            database_url: String::new(),
        }
    }

    #[test]
    fn a_browser_cannot_open_the_unspecified_address() {
        let cases = [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:3000", "http://[::1]:3000"),
            ("192.168.1.2:3000", "http://192.168.1.2:3000"),
        ];
        for (addr, url) in cases {
            assert_eq!(place(addr).url().to_string(), url);
        }
    }

    #[test]
    fn a_port_in_use_is_told_with_the_flag_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = taken.local_addr().expect("an address").to_string();
        let message = place(&addr)
            .check_free()
            .expect_err("it is taken")
            .to_string();
        assert!(
            message.contains("is in use") && message.contains("--addr 127.0.0.1:"),
            "{message}"
        );
        drop(taken);
        place(&addr).check_free().expect("it is free now");
    }

    #[test]
    fn only_200_is_an_answer() {
        for (reply, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 503 No\r\n\r\n", false),
            ("", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let url = Url(listener.local_addr().expect("an address"));
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a client");
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(reply.as_bytes());
            });
            assert_eq!(url.answers("/healthz"), expected, "{reply}");
            server.join().expect("it does not panic");
        }
    }
}
