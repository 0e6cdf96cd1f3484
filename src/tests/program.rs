//! The real program as a process, and a browser of few words.
//!
//! The program is the one that `HEADROOM_BIN` names, else the one that was built beside these tests. Must never know what
//! is tested with it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn program() -> PathBuf {
    let named = std::env::var_os("HEADROOM_BIN").map(PathBuf::from);
    let beside = || {
        Some(
            std::env::current_exe()
                .ok()?
                .parent()?
                .parent()?
                .join("headroom"),
        )
    };
    let program = named.or_else(beside).expect("a path");
    assert!(
        program.is_file(),
        "{} is not there; build it with `cargo build --features ssr --bin headroom`",
        program.display()
    );
    program
}

/// The program at work. Killed when dropped, whatever happens.
pub(super) struct Server {
    pub(super) child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    pub(super) fn start(database_url: &str) -> Self {
        Self::run(Command::new(program()), database_url, &[])
    }

    /// Started by a command that ends as the program itself, with further flags.
    pub(super) fn run(mut command: Command, database_url: &str, flags: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a free port");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEADROOM_") {
                command.env_remove(name);
            }
        }
        let child = command
            .arg("serve")
            .args(["--addr", &address.to_string()])
            .args(["--database-url", database_url])
            .args(flags)
            .env("HEADROOM_LOG", "error")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("starts");
        let mut server = Self { child, address };
        let since = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = server.child.try_wait().expect("can be asked");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(
                since.elapsed() < Duration::from_mins(1),
                "the server does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub(super) fn client(&self) -> Client {
        Client::connect(self.address).expect("connects")
    }

    /// `SIGKILL`: nothing is flushed, nothing is said.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser of few words: one connection, and its cookies as they are sent.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    pub(super) cookie: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) retry_after: String,
    pub(super) body: String,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .ok()?;
        Some(Self {
            stream: BufReader::new(stream),
            cookie: String::new(),
        })
    }

    /// Status, `Location` and body; `None` when the connection breaks, which it does when the server is killed.
    pub(super) fn post(
        &mut self,
        path: &str,
        kind: &str,
        body: &str,
    ) -> Option<(u16, String, String)> {
        let headers = [("Accept", "application/json"), ("Content-Type", kind)];
        let answer = self.send("POST", path, &headers, body)?;
        Some((answer.status, answer.location, answer.body))
    }

    pub(super) fn get(&mut self, path: &str) -> Option<Answer> {
        self.send("GET", path, &[("Accept", "text/html")], "")
    }

    /// A form that a person sends.
    pub(super) fn form(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let page = [("Accept", "text/html"), ("Content-Type", FORM)];
        let headers: Vec<_> = page.iter().chain(headers).copied().collect();
        self.send("POST", path, &headers, &super::app::urlencoded(fields))
    }

    /// From one of our own pages, whatever it is.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: test\r\nSec-Fetch-Site: same-origin\r\n");
        let length = body.len().to_string();
        let own = [
            ("Cookie", self.cookie.as_str()),
            ("Content-Length", length.as_str()),
        ];
        for (name, value) in own.iter().chain(headers) {
            for part in [name, ": ", value, "\r\n"] {
                request += part;
            }
        }
        request += "\r\n";
        request += body;
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        let mut next = |stream: &mut BufReader<TcpStream>| {
            line.clear();
            (stream.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
        };
        let mut answer = Answer {
            status: next(&mut self.stream)?.split(' ').nth(1)?.parse().ok()?,
            location: String::new(),
            retry_after: String::new(),
            body: String::new(),
        };
        let mut length = 0;
        loop {
            let header = next(&mut self.stream)?;
            let Some((name, value)) = header.split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "location" => value.clone_into(&mut answer.location),
                "retry-after" => value.clone_into(&mut answer.retry_after),
                "content-length" => length = value.parse().ok()?,
                "set-cookie" => self.keep(value.split(';').next()?),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        answer.body = String::from_utf8(body).ok()?;
        Some(answer)
    }

    /// A cookie takes the place of the one of its name.
    fn keep(&mut self, pair: &str) {
        let name = pair.split('=').next().unwrap_or_default();
        let others = self.cookie.split("; ").filter(|cookie| {
            !cookie.is_empty() && cookie.split('=').next().unwrap_or_default() != name
        });
        let mut cookies: Vec<&str> = others.collect();
        cookies.push(pair);
        self.cookie = cookies.join("; ");
    }
}
