//! The real program, killed while it saves: what it acknowledged is there.
//!
//! The program is the one that `HEADROOM_BIN` names, else the one that was built beside these tests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::app::{PROMPT, urlencoded};
use super::engines::Database;
use crate::server::database::Db;

const WRITERS: usize = 8;
const ROUNDS: usize = 5;
const WRITING_FOR: Duration = Duration::from_millis(1500);

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
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(database_url: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a free port");
        let folder = std::env::temp_dir();
        let child = Command::new(program())
            .args([
                "serve",
                "--addr",
                &address.to_string(),
                "--database-url",
                database_url,
            ])
            .env("HEADROOM_LOG", "warn")
            .env_remove("HEADROOM_PUBLIC_URL")
            .current_dir(folder)
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
                since.elapsed() < Duration::from_secs(30),
                "the server does not answer"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// `SIGKILL`: nothing is flushed, nothing is said.
    fn kill(mut self) {
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

/// A browser of few words: one connection, one cookie.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    pub(super) cookie: String,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
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
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nSec-Fetch-Site: same-origin\r\nAccept: application/json\r\nCookie: {}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        let mut next = |stream: &mut BufReader<TcpStream>| {
            line.clear();
            (stream.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
        };
        let status = next(&mut self.stream)?.split(' ').nth(1)?.parse().ok()?;
        let (mut location, mut length) = (String::new(), 0);
        loop {
            let header = next(&mut self.stream)?;
            let Some((name, value)) = header.split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "location" => value.clone_into(&mut location),
                "content-length" => length = value.parse().ok()?,
                "set-cookie" => value.split(';').next()?.clone_into(&mut self.cookie),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((status, location, String::from_utf8(body).ok()?))
    }
}

/// A save that the server said it has.
struct Acknowledged {
    attempt: String,
    revision: i64,
    text: String,
}

/// Saves one text after another until the server is gone. Each save is kept as a revision of its own.
fn write(address: SocketAddr, writer: usize, stop: &AtomicBool) -> Vec<Acknowledged> {
    let mut client = Client::connect(address).expect("connects");
    let terms = urlencoded(&[("way", "guided"), ("level", "mid"), ("minutes", "untimed")]);
    let started = client.post(
        &format!("/prompts/{PROMPT}/attempts"),
        "application/x-www-form-urlencoded",
        &terms,
    );
    let (_, location, _) = started.expect("answers");
    let attempt = location.split('/').nth(2).expect("an id").to_owned();
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let base = acknowledged.last().map_or(0, |last| last.revision);
        let text = format!(
            "writer {writer}, text {base} {}",
            "é".repeat(usize::try_from(base).unwrap_or(0) * 37 % 4000)
        );
        let arguments = json!({ "attempt": attempt, "section": "api", "body": text, "base": base, "key": format!("apart-{base}") });
        let Some((status, _, body)) = client.post(
            "/api/save_section",
            "application/json",
            &arguments.to_string(),
        ) else {
            break;
        };
        assert_eq!(status, 200, "{body}");
        let saved: Value = serde_json::from_str(&body).expect("JSON");
        let revision = saved["revision"].as_i64().expect("a number");
        assert_eq!(revision, base + 1);
        acknowledged.push(Acknowledged {
            attempt: attempt.clone(),
            revision,
            text,
        });
    }
    acknowledged
}

async fn text_of(db: &Db, attempt: &str, revision: i64) -> Option<String> {
    let sql = "SELECT body FROM revision WHERE attempt_id = $1 AND name = 'api' AND revision = $2";
    match db {
        Db::Sqlite { write, .. } => {
            sqlx::query_scalar(sql)
                .bind(attempt)
                .bind(revision)
                .fetch_optional(write)
                .await
        }
        Db::Postgres(pool) => {
            sqlx::query_scalar(sql)
                .bind(attempt)
                .bind(revision)
                .fetch_optional(pool)
                .await
        }
    }
    .expect("reads")
}

async fn latest(db: &Db, attempt: &str) -> (i64, String) {
    let sql = "SELECT revision, body FROM section WHERE attempt_id = $1 AND name = 'api'";
    match db {
        Db::Sqlite { write, .. } => sqlx::query_as(sql).bind(attempt).fetch_one(write).await,
        Db::Postgres(pool) => sqlx::query_as(sql).bind(attempt).fetch_one(pool).await,
    }
    .expect("reads")
}

/// Lets writers write, kills the server among them, and looks for everything that it acknowledged.
async fn nothing_acknowledged_is_lost(database_url: &str) {
    let mut before: Vec<Acknowledged> = Vec::new();
    for round in 0..ROUNDS {
        let server = Server::start(database_url);
        let (address, stop) = (server.address, Arc::new(AtomicBool::new(false)));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let stop = Arc::clone(&stop);
                std::thread::spawn(move || write(address, writer, &stop))
            })
            .collect();
        // Not always in the same moment of the same save.
        tokio::time::sleep(WRITING_FOR + Duration::from_millis(round as u64 * 13)).await;
        server.kill();
        stop.store(true, Ordering::Relaxed);
        let acknowledged: Vec<Acknowledged> = writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("writes"))
            .collect();
        assert!(
            acknowledged.len() > WRITERS * 2,
            "only {} saves in a round",
            acknowledged.len()
        );

        let db = Db::open(database_url).await.expect("opens");
        if let Db::Sqlite { write, .. } = &db {
            let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
                .fetch_one(write)
                .await
                .expect("checks");
            assert_eq!(sound, "ok");
        }
        // What was saved before an earlier kill is looked for at the end.
        let earlier = if round + 1 == ROUNDS {
            &before[..]
        } else {
            &[]
        };
        for save in acknowledged.iter().chain(earlier) {
            let found = text_of(&db, &save.attempt, save.revision).await;
            assert_eq!(
                found.as_deref(),
                Some(&*save.text),
                "revision {} of round {round} is not there",
                save.revision
            );
        }
        for last in acknowledged
            .chunk_by(|a, b| a.attempt == b.attempt)
            .filter_map(|saves| saves.last())
        {
            let (revision, body) = latest(&db, &last.attempt).await;
            // One save more may have been taken than was acknowledged.
            assert!(
                revision == last.revision && body == last.text || revision == last.revision + 1,
                "{revision} after {}",
                last.revision
            );
        }
        db.close().await;
        before.extend(acknowledged);
    }
}

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged_on_sqlite() {
    let database = Database::empty_sqlite().await;
    database.db.close().await;
    nothing_acknowledged_is_lost(&database.url).await;
}

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged_on_postgres() {
    let Some(database) = Database::empty_postgres().await else {
        return;
    };
    nothing_acknowledged_is_lost(&database.url).await;
    database.discard().await;
}

#[tokio::test]
async fn a_stopped_server_ends_in_good_time() {
    let database = Database::empty_sqlite().await;
    database.db.close().await;
    let mut server = Server::start(&database.url);
    let mut client = Client::connect(server.address).expect("connects");
    assert_eq!(
        client
            .post("/theme", "application/x-www-form-urlencoded", "theme=dark")
            .expect("answers")
            .0,
        303
    );
    let told = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status()
        .expect("runs");
    assert!(told.success());
    let since = Instant::now();
    while server.child.try_wait().expect("can be asked").is_none() {
        assert!(
            since.elapsed() < Duration::from_secs(8),
            "still there with nothing to do"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.child.wait().expect("ended").success());
}
