//! The real program: its commands, and how it stops.
//!
//! The program is found as in `killed`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::app::{PROMPT, urlencoded};
use super::killed::{Client, program};
use crate::server::healthcheck;

/// For what takes a moment on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_mins(1);

fn free_address() -> SocketAddr {
    free_addresses()[0]
}

/// Two that differ.
fn free_addresses() -> [SocketAddr; 2] {
    let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    free.map(|free| free.local_addr().expect("an address"))
}

/// The program in a folder of its own, with nothing of ours in its environment.
fn command(folder: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HEADROOM_") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    command
}

fn run(folder: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(folder, arguments, variables)
        .output()
        .expect("runs")
}

fn text(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts.map(|part| String::from_utf8_lossy(part)).concat()
}

/// The server at work. Killed when dropped, whatever happens.
struct Server {
    child: Child,
    address: SocketAddr,
    metrics: SocketAddr,
    folder: TempDir,
}

impl Server {
    fn start(drain_seconds: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [address, metrics] = free_addresses();
        let child = command(
            &folder,
            &["serve"],
            &[
                ("HEADROOM_ADDR", &address.to_string()),
                ("HEADROOM_METRICS_ADDR", &metrics.to_string()),
                ("HEADROOM_DRAIN_SECONDS", drain_seconds),
                ("HEADROOM_LOG", "warn"),
            ],
        )
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("starts");
        let server = Self {
            child,
            address,
            metrics,
            folder,
        };
        Server::wait_until("it is ready", || {
            healthcheck::ask(address).is_ok_and(|(ready, _)| ready)
        });
        server
    }

    fn wait_until(what: &str, holds: impl Fn() -> bool) {
        let since = Instant::now();
        while !holds() {
            assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .expect("runs");
        assert!(told.success());
    }

    fn is_draining(&self) -> bool {
        healthcheck::ask(self.address).is_ok_and(|(ready, answer)| !ready && answer == "draining")
    }

    fn ended(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("can be asked") {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_save_in_flight_is_acknowledged_when_the_server_is_told_to_stop() {
    let mut server = Server::start("3");
    let mut client = Client::connect(server.address).expect("connects");
    let terms = urlencoded(&[("way", "guided"), ("level", "mid"), ("minutes", "untimed")]);
    let (_, location, _) = client
        .post(
            &format!("/prompts/{PROMPT}/attempts"),
            "application/x-www-form-urlencoded",
            &terms,
        )
        .expect("answers");
    let attempt = location.split('/').nth(2).expect("an id");
    let body = json!({ "attempt": attempt, "section": "api", "body": "Kept.", "base": 0, "key": "in-flight" })
        .to_string();
    let mut stream = BufReader::new(TcpStream::connect(server.address).expect("connects"));
    stream
        .get_ref()
        .set_read_timeout(Some(PATIENCE))
        .expect("is set");
    let head = format!(
        "POST /api/save_section HTTP/1.1\r\nHost: test\r\nSec-Fetch-Site: same-origin\r\nAccept: application/json\r\n\
         Cookie: {}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        client.cookie,
        body.len()
    );
    stream
        .get_mut()
        .write_all(head.as_bytes())
        .expect("is sent");
    let mut line = String::new();
    stream.read_line(&mut line).expect("answers");
    // From here on the handler waits for the body.
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");
    stream.read_line(&mut line).expect("an empty line");

    server.signal("-TERM");
    Server::wait_until("it drains", || server.is_draining());
    let address = server.address;
    Server::wait_until("nothing listens", || TcpStream::connect(address).is_err());
    let since = Instant::now();
    stream
        .get_mut()
        .write_all(body.as_bytes())
        .expect("is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let saved: Value =
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).expect("JSON");
    assert_eq!(saved["revision"], 1);
    assert!(server.ended().success());
    assert!(
        since.elapsed() < Duration::from_secs(7),
        "with nothing left to do it took {:?}",
        since.elapsed()
    );
}

#[test]
fn an_interrupt_does_not_drain_and_a_second_signal_does_not_wait() {
    let mut interrupted = Server::start("300");
    interrupted.signal("-INT");
    assert!(interrupted.ended().success());

    let mut hurried = Server::start("300");
    hurried.signal("-TERM");
    Server::wait_until("it drains", || hurried.is_draining());
    hurried.signal("-TERM");
    assert_eq!(hurried.ended().code(), Some(1));
}

#[test]
fn metrics_are_served_apart_and_a_container_can_ask_for_health() {
    let server = Server::start("0");
    let get = |address: SocketAddr, path: &str| {
        let mut stream = TcpStream::connect(address).expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        answer
    };
    let metrics = get(server.metrics, "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK"), "{metrics}");
    assert!(
        metrics.contains(
            "headroom_http_requests_total{method=\"GET\",route=\"/readyz\",status=\"200\"}"
        ),
        "{metrics}"
    );
    assert!(get(server.metrics, "/").starts_with("HTTP/1.1 404"));
    assert!(get(server.address, "/metrics").starts_with("HTTP/1.1 404"));

    let address = format!("--addr={}", server.address);
    let healthy = run(&server.folder, &["healthcheck", &address], &[]);
    assert!(
        healthy.status.success() && text(&healthy).contains("ready"),
        "{}",
        text(&healthy)
    );
    let nobody = format!("--addr={}", free_address());
    let away = run(&server.folder, &["healthcheck", &nobody], &[]);
    assert_eq!(away.status.code(), Some(1));
    assert!(
        text(&away).contains("nothing listens on"),
        "{}",
        text(&away)
    );
}

#[test]
fn config_check_tells_values_places_and_faults() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "database_url = \"postgres://u:hidden@h/d\"\ndrain_seconds = 1\n";
    std::fs::write(folder.path().join("headroom.toml"), file).expect("is written");
    let good = run(
        &folder,
        &["config", "check", "--addr", "127.0.0.1:9"],
        &[
            (
                "HEADROOM_SMTP_URL",
                "smtp://u:hidden@mail.example?tls=required",
            ),
            ("HEADROOM_MAIL_FROM", "h@example.org"),
        ],
    );
    let shown = text(&good);
    assert!(
        good.status.success() && !shown.contains("hidden"),
        "{shown}"
    );
    let rows: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect()
        })
        .collect();
    for row in [
        ["addr", "127.0.0.1:9", "flag --addr"],
        ["database_url", "postgres://…@h/d", "headroom.toml:1:16"],
        ["drain_seconds", "1", "headroom.toml:2:17"],
        ["smtp_url", "set", "environment HEADROOM_SMTP_URL"],
        ["log", "info", "default"],
    ] {
        assert!(rows.contains(&row.to_vec()), "{row:?} in {shown}");
    }
    let bad = run(
        &folder,
        &["config", "check", "--log-format", "xml"],
        &[("HEADROOM_ADRR", "127.0.0.1:9")],
    );
    let shown = text(&bad);
    assert_eq!(bad.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains("did you mean HEADROOM_ADDR?") && shown.contains("flag --log-format"),
        "{shown}"
    );
    // No command works on a configuration with a fault.
    assert_eq!(
        run(&folder, &["serve", "--addr", "here"], &[])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn migrate_tells_what_it_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let lacking = run(&folder, &["migrate", "--check"], &[]);
    assert_eq!(lacking.status.code(), Some(1), "{}", text(&lacking));
    assert!(
        text(&lacking).contains("lacks 1 attempts"),
        "{}",
        text(&lacking)
    );
    assert!(
        !folder.path().join("data").exists(),
        "a check changes nothing"
    );
    let made = run(&folder, &["migrate"], &[]);
    assert!(made.status.success(), "{}", text(&made));
    assert!(
        text(&made).contains("applied 1 attempts\napplied 2 accounts\n"),
        "{}",
        text(&made)
    );
    for arguments in [&["migrate"][..], &["migrate", "--check"]] {
        let again = run(&folder, arguments, &[]);
        assert!(
            again.status.success() && text(&again).contains("up to date"),
            "{}",
            text(&again)
        );
    }
    let wrong = run(
        &folder,
        &[
            "migrate",
            "--database-url",
            "postgres://u:hidden@127.0.0.1:1/d",
        ],
        &[],
    );
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong).contains("postgres://…@127.0.0.1:1/d") && !text(&wrong).contains("hidden"),
        "{}",
        text(&wrong)
    );
}

#[test]
fn calc_works_out_and_says_every_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let calc = |arguments: &[&str]| {
        let arguments = [&["calc"], arguments].concat();
        let output = run(&folder, &arguments, &[]);
        let [out, err] =
            [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part).into_owned());
        (output.status.code(), out, err)
    };
    let (code, out, err) = calc(&["pool", "arrivals=600k req/h", "size==12*2", "holding=0.1 s"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for part in [
        "arrivals = 167 req/s (given)",
        "target = 1 % (default: our own choice)",
        "busy = arrivals × holding\n    = 167 req/s × 100 ms\n    = 16.7 connections",
        "Utilization: 69.4 %",
        "At 10x, 1,670 req/s",
        "the queue grows without bound",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    let (code, out, _) = calc(&["pool", "arrivals=1500/s", "--json"]);
    let found: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, Some(0));
    let wait = found["results"]
        .as_array()
        .and_then(|results| results.iter().find(|result| result["id"] == "mean_wait"));
    let wait = wait.expect("the wait");
    assert_eq!(wait["growing_by_per_second"], 300.0);
    assert_eq!(wait["value"], Value::Null);

    let (code, out, err) = calc(&["pool", "arivals=3", "size=2.5", "holding=2 GB", "target"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    for part in [
        "did you mean `arrivals`?",
        "only a whole number",
        "a duration",
        "`target` is no input",
    ] {
        assert!(err.contains(part), "{part} in {err}");
    }
    let (code, _, err) = calc(&["trafic"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("did you mean `traffic`?"), "{err}");

    let (code, out, _) = calc(&["--list"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("fan-out: ") && out.contains("  dau=10M users  Daily"),
        "{out}"
    );
    let (_, out, _) = calc(&["--list", "--json"]);
    let listed: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(12));
}
