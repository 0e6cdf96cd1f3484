//! Two nodes on one Postgres behind a real load balancer that sends each request to the next node: they are one service.
//!
//! The nodes are the real program, the balancer is HAProxy with the configuration that we publish. It has to be there:
//! `HEADROOM_TEST_BALANCER` names it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::app::{PROMPT, urlencoded};
use super::engines::Database;
use super::killed::program;
use crate::server::database::Db;
use crate::server::healthcheck;

/// The program of the balancer.
const BALANCER: &str = "HEADROOM_TEST_BALANCER";
/// Longer than anything takes that goes well, on a slow machine too.
const PATIENCE: Duration = Duration::from_mins(1);
const PASSWORD: &str = "a ferry to the far island";
/// Keeps a save as a revision of its own.
const APART: &str = "apart-";

/// What is skipped is said once.
static SAID: Once = Once::new();
/// Each of these tests runs four or five programs.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn balancer_program() -> Option<PathBuf> {
    let found = std::env::var_os(BALANCER)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{BALANCER} is not set: in CI two nodes are tested behind a load balancer"
        );
        SAID.call_once(|| {
            // Straight to the terminal: what a passing test prints is not shown.
            let _ = writeln!(
                std::io::stderr(),
                "\n*** NOT TESTED BEHIND A LOAD BALANCER: {BALANCER} is not set ***\n"
            );
        });
    }
    found
}

/// An address that nobody listens on. Its port is below those that the system gives to outgoing connections, which could
/// take it between the end of a node and its return.
fn free_address() -> SocketAddr {
    static NUMBER: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() as u16 % 1000 * 10;
    loop {
        let number = first.wrapping_add(NUMBER.fetch_add(1, Ordering::SeqCst));
        let address = SocketAddr::from(([127, 0, 0, 1], 20_000 + number % 12_000));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

fn pool(database: &Database) -> &PgPool {
    match &database.db {
        Db::Postgres(pool) => pool,
        Db::Sqlite { .. } => unreachable!("several nodes share a Postgres"),
    }
}

/// Waits for what comes by itself.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !is_so().await {
        assert!(since.elapsed() < PATIENCE, "not within a minute: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A running program. Killed when dropped, whatever happens.
struct Running(Child);

impl Running {
    fn has_ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("can be asked")
    }

    /// `SIGTERM`
    fn ask_to_stop(&self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()
            .expect("runs");
        assert!(told.success());
    }

    /// `SIGKILL`: nothing is flushed, nothing is said.
    fn kill(&mut self) {
        self.0.kill().expect("is killed");
        self.0.wait().expect("ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a node listens and what it is told.
#[derive(Clone)]
struct Plan {
    address: SocketAddr,
    metrics: SocketAddr,
    flags: Vec<String>,
}

impl Plan {
    fn new(database_url: &str, public_url: &str, more: &[(&str, &str)]) -> Self {
        let (address, metrics) = (free_address(), free_address());
        let pairs = [
            ("--addr", &*address.to_string()),
            ("--metrics-addr", &metrics.to_string()),
            ("--database-url", database_url),
            // Several tests share the server, and two nodes the database.
            ("--database-connections", "8"),
            ("--public-url", public_url),
            ("--trusted-proxies", "127.0.0.1"),
            ("--log", "warn"),
        ]
        .map(|(flag, value)| [flag.to_owned(), value.to_owned()]);
        let more = more
            .iter()
            .flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]);
        Self {
            address,
            metrics,
            flags: pairs.into_iter().flatten().chain(more).collect(),
        }
    }

    fn start(&self) -> Node {
        let mut command = Command::new(program());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HEADROOM_") {
                command.env_remove(name);
            }
        }
        let child = command
            .arg("serve")
            .args(&self.flags)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("starts");
        Node {
            plan: self.clone(),
            running: Running(child),
        }
    }
}

/// The program, serving.
struct Node {
    plan: Plan,
    running: Running,
}

impl Node {
    async fn is_ready(&mut self) {
        let address = self.plan.address;
        let running = &mut self.running;
        until("the node is ready", async || {
            let ended = running.has_ended();
            assert!(ended.is_none(), "the node ended: {ended:?}");
            healthcheck::ask(address).is_ok_and(|(ready, _)| ready)
        })
        .await;
    }

    /// The sum of a metric over the lines that hold a text.
    async fn counted(&self, metric: &str, label: &str) -> u64 {
        let answer = Browser::at(Ipv4Addr::LOCALHOST)
            .get(self.plan.metrics, "/metrics")
            .await
            .expect("metrics are served");
        answer
            .body
            .lines()
            .filter(|line| line.starts_with(metric) && line.contains(label))
            .map(|line| {
                let (_, value) = line.rsplit_once(' ').expect("a value");
                value.parse::<u64>().expect("a number")
            })
            .sum()
    }
}

/// Two nodes and the balancer in front of them.
struct Cluster {
    front: SocketAddr,
    nodes: [Node; 2],
    database: Database,
    balancer: Balancer,
}

/// Says what it logged when a test fails.
struct Balancer {
    running: Running,
    log: PathBuf,
    _folder: TempDir,
}

impl Cluster {
    /// `None` where the balancer or Postgres is missing, which is said loudly.
    async fn start(more: &[(&str, &str)]) -> Option<Self> {
        let program = balancer_program()?;
        let database = Database::empty_postgres().await?;
        let front = free_address();
        let plan = || Plan::new(&database.url, &format!("http://{front}"), more);
        let mut nodes = [plan().start(), plan().start()];
        for node in &mut nodes {
            node.is_ready().await;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("balancer.log");
        let file = File::create(&log).expect("is made");
        let child = Command::new(program)
            .arg("-db")
            .arg("-f")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/haproxy.cfg"))
            .env("BALANCER_BIND", front.to_string())
            .env("NODE_1", nodes[0].plan.address.to_string())
            .env("NODE_2", nodes[1].plan.address.to_string())
            .env("BALANCER_CONNECTIONS", "200")
            .env("BALANCER_KEEPS_ITS_USER", "yes")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the balancer starts");
        let mut cluster = Self {
            front,
            nodes,
            database,
            balancer: Balancer {
                running: Running(child),
                log,
                _folder: folder,
            },
        };
        cluster.takes_turns().await;
        Some(cluster)
    }

    /// Waits until the balancer sends requests to both nodes.
    async fn takes_turns(&mut self) {
        let before = self.asked().await;
        let mut browser = Browser::at(Ipv4Addr::LOCALHOST);
        until("the balancer sends requests to both nodes", async || {
            let ended = self.balancer.running.has_ended();
            assert!(ended.is_none(), "the balancer ended: {ended:?}");
            browser.get(self.front, "/healthz").await;
            let now = self.asked().await;
            now[0] > before[0] && now[1] > before[1]
        })
        .await;
    }

    /// How often each node was asked for something that only this test asks for.
    async fn asked(&self) -> [u64; 2] {
        let [one, two] = &self.nodes;
        let of = async |node: &Node| {
            node.counted("headroom_http_requests_total", r#"route="/healthz""#)
                .await
        };
        [of(one).await, of(two).await]
    }

    /// Ends everything and removes the database.
    async fn end(self) {
        drop((self.balancer, self.nodes));
        self.database.discard().await;
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        self.nodes.each_ref().map(|node| node.plan.address)
    }

    /// The texts of a section, by revision.
    async fn revisions(&self, attempt: &str) -> Vec<(i64, String)> {
        sqlx::query_as(
            "SELECT revision, body FROM revision WHERE attempt_id = $1 AND name = 'api' ORDER BY revision",
        )
        .bind(attempt)
        .fetch_all(pool(&self.database))
        .await
        .expect("reads")
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the balancer's last lines:");
            for line in &lines[lines.len().saturating_sub(25)..] {
                eprintln!("  {line}");
            }
        }
    }
}

/// Somebody's browser, on a machine of their own: it keeps its connection open, and its cookies.
#[derive(Default)]
struct Browser {
    from: Option<Ipv4Addr>,
    cookies: BTreeMap<String, String>,
    /// Sent with every request.
    headers: Vec<(&'static str, String)>,
    open: Option<(SocketAddr, SendRequest<Full<Bytes>>)>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    #[track_caller]
    fn expect(self, status: u16) -> Self {
        let start: String = self.body.chars().take(400).collect();
        assert_eq!(self.status, status, "{start}");
        self
    }

    fn header(&self, name: http::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The revision that a save got.
    #[track_caller]
    fn revision(self) -> i64 {
        let saved: Value = serde_json::from_str(&self.expect(200).body).expect("JSON");
        saved["revision"].as_i64().expect("a number")
    }
}

impl Browser {
    fn at(address: Ipv4Addr) -> Self {
        Self {
            from: Some(address),
            ..Self::default()
        }
    }

    /// The same session on a connection of its own.
    fn twin(&self) -> Self {
        Self {
            from: self.from,
            cookies: self.cookies.clone(),
            headers: self.headers.clone(),
            open: None,
        }
    }

    async fn connection(&mut self, to: SocketAddr) -> Option<SendRequest<Full<Bytes>>> {
        if let Some((at, mut open)) = self.open.take()
            && at == to
            && open.ready().await.is_ok()
        {
            return Some(open);
        }
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(from) = self.from {
            socket
                .bind((from, 0).into())
                .expect("every 127.0.0.0/8 is ours");
        }
        let stream = socket.connect(to).await.ok()?;
        let (open, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(open)
    }

    /// `None` when the connection is refused or breaks.
    async fn ask(
        &mut self,
        to: SocketAddr,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Option<Answer> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "headroom.test")
            .header("sec-fetch-site", "same-origin")
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0",
            )
            .header(CONTENT_TYPE, kind)
            .header(COOKIE, cookies.join("; "));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        let exchange = async {
            let mut open = self.connection(to).await?;
            let answer = open.send_request(request).await.ok()?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some((open, parts, body))
        };
        let (open, parts, body) = timeout(PATIENCE, exchange).await.expect("an answer")?;
        self.open = Some((to, open));
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("ASCII");
            let pair = text.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a pair");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn get(&mut self, to: SocketAddr, path: &str) -> Option<Answer> {
        self.ask(to, Method::GET, path, "text/plain", String::new())
            .await
    }

    async fn post(
        &mut self,
        to: SocketAddr,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<Answer> {
        let kind = "application/x-www-form-urlencoded";
        self.ask(to, Method::POST, path, kind, urlencoded(fields))
            .await
    }

    async fn sign_up(&mut self, to: SocketAddr, name: &str) {
        let email = format!("{name}@example.org");
        let fields = [("name", name), ("email", &email), ("password", PASSWORD)];
        let answer = self.post(to, "/sign-up", &fields).await.expect("answers");
        answer.expect(303);
    }

    async fn sign_in(&mut self, to: SocketAddr, email: &str, password: &str) -> Answer {
        self.post(to, "/sign-in", &[("email", email), ("password", password)])
            .await
            .expect("answers")
    }

    /// Starts an attempt: its id.
    async fn start(&mut self, to: SocketAddr) -> String {
        let terms = [("way", "guided"), ("level", "mid"), ("minutes", "untimed")];
        let answer = self
            .post(to, &format!("/prompts/{PROMPT}/attempts"), &terms)
            .await
            .expect("answers")
            .expect(303);
        let id = answer.header(LOCATION).split('/').nth(2).expect("an id");
        id.to_owned()
    }

    async fn save(
        &mut self,
        to: SocketAddr,
        attempt: &str,
        base: i64,
        key: &str,
        text: &str,
    ) -> Option<Answer> {
        let arguments =
            json!({ "attempt": attempt, "section": "api", "body": text, "base": base, "key": key });
        let (path, kind) = ("/api/save_section", "application/json");
        self.ask(to, Method::POST, path, kind, arguments.to_string())
            .await
    }
}

/// A mail server that takes everything: the `Message-ID` of each letter that it took.
async fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("listens");
    let url = format!("smtp://{}", socket.local_addr().expect("has an address"));
    let taken: Arc<Mutex<Vec<String>>> = Arc::default();
    let all = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let taken = all.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let (mut line, mut id) = (String::new(), None);
                let mut answer = "220 mail.example\r\n";
                loop {
                    stream.write_all(answer.as_bytes()).await?;
                    line.clear();
                    if stream.read_line(&mut line).await? == 0 {
                        return Ok::<_, std::io::Error>(());
                    }
                    answer = match line.trim_end() {
                        "DATA" => {
                            id = Some(String::new());
                            "354 go on\r\n"
                        }
                        "." => {
                            taken.lock().expect("sound").extend(id.take());
                            "250 taken\r\n"
                        }
                        "QUIT" => "221 goodbye\r\n",
                        text if id.is_some() => {
                            if let Some(found) = text.strip_prefix("Message-ID: ") {
                                id = Some(found.to_owned());
                            }
                            ""
                        }
                        _ => "250 mail.example\r\n",
                    };
                }
            });
        }
    });
    (url, taken)
}

#[tokio::test]
async fn nodes_that_start_at_once_make_an_empty_database_ready() {
    let _alone = ONE_AT_A_TIME.lock().await;
    for _ in 0..4 {
        let Some(database) = Database::empty_postgres().await else {
            return;
        };
        let plan = || Plan::new(&database.url, "http://headroom.test", &[]);
        let mut nodes = [plan().start(), plan().start(), plan().start()];
        for node in &mut nodes {
            node.is_ready().await;
        }
        drop(nodes);
        assert!(
            database
                .db
                .lacking_migrations()
                .await
                .expect("reads")
                .is_empty()
        );
        database.discard().await;
    }
}

#[tokio::test]
async fn two_nodes_are_one_service() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (smtp_url, letters) = mail_server().await;
    let mail = [
        ("--smtp-url", &*smtp_url),
        ("--mail-from", "headroom@example.org"),
    ];
    let Some(cluster) = Cluster::start(&mail).await else {
        return;
    };
    let (front, [one, two]) = (cluster.front, cluster.addresses());

    let mut ada = Browser::at(Ipv4Addr::new(127, 0, 0, 2));
    ada.sign_up(front, "ada").await;
    let attempt = ada.start(front).await;
    for node in [one, two, one, two] {
        let account = ada.get(node, "/account").await.expect("answers");
        account.expect(200);
    }

    saves_alternate(&cluster, &mut ada, &attempt).await;
    one_key_is_one_save(&cluster, &ada, &attempt).await;
    a_session_is_everywhere(&cluster).await;
    tries_are_counted_together(front).await;
    letters_go_out_once(&cluster, &letters).await;
    cluster.end().await;
}

/// Each of 200 saves goes to the next node and starts from what the one before it left.
async fn saves_alternate(cluster: &Cluster, ada: &mut Browser, attempt: &str) {
    let text = |n: i64| format!("text {n} {}", "é".repeat(n as usize * 37 % 900));
    for n in 0..200 {
        let key = format!("{APART}{n}");
        let answer = ada.save(cluster.front, attempt, n, &key, &text(n)).await;
        assert_eq!(answer.expect("answers").revision(), n + 1);
    }
    let expected: Vec<_> = (0..200).map(|n| (n + 1, text(n))).collect();
    assert_eq!(cluster.revisions(attempt).await, expected);
    let mut by_node = Vec::new();
    for node in &cluster.nodes {
        let of_saves = r#"route="/api/{*function}",status="200""#;
        by_node.push(node.counted("headroom_http_requests_total", of_saves).await);
    }
    assert_eq!(by_node.iter().sum::<u64>(), 200, "{by_node:?}");
    assert!(by_node.iter().all(|saves| *saves > 50), "{by_node:?}");
}

/// The same save at both nodes at once is taken once; of two different ones, one is refused with the other's text.
async fn one_key_is_one_save(cluster: &Cluster, ada: &Browser, attempt: &str) {
    let [one, two] = cluster.addresses();
    let (mut here, mut there) = (ada.twin(), ada.twin());
    let mut base = 200;
    for round in 0..20 {
        let (key, text) = (format!("{APART}both-{round}"), format!("both {round}"));
        let (a, b) = tokio::join!(
            here.save(one, attempt, base, &key, &text),
            there.save(two, attempt, base, &key, &text)
        );
        let revisions = [a, b].map(|answer| answer.expect("answers").revision());
        assert_eq!(revisions, [base + 1, base + 1]);
        base += 1;

        let keys = ["here", "there"].map(|side| format!("{APART}{side}-{round}"));
        let (a, b) = tokio::join!(
            here.save(one, attempt, base, &keys[0], "here"),
            there.save(two, attempt, base, &keys[1], "there")
        );
        let (a, b) = (a.expect("answers"), b.expect("answers"));
        let (taken, refused, text) = if a.status == 200 {
            (a, b, "here")
        } else {
            (b, a, "there")
        };
        assert_eq!(taken.revision(), base + 1);
        let refused = refused.expect(409);
        assert!(
            refused.body.contains(&format!("\"{text}\"")),
            "{}",
            refused.body
        );
        base += 1;
    }
    let revisions = cluster.revisions(attempt).await;
    assert_eq!(revisions.last().map(|(revision, _)| *revision), Some(base));
    assert!(
        revisions.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1),
        "every revision is there"
    );
}

/// Signed in at one node, one works at the other; signed out at one, one is signed out at the other.
async fn a_session_is_everywhere(cluster: &Cluster) {
    let [one, two] = cluster.addresses();
    let mut ada = Browser::at(Ipv4Addr::new(127, 0, 0, 3));
    ada.sign_in(one, "ada@example.org", PASSWORD)
        .await
        .expect(303);
    let attempt = ada.start(two).await;
    let saved = ada
        .save(one, &attempt, 0, "first", "saved at the other")
        .await;
    assert_eq!(saved.expect("answers").revision(), 1);
    for (out_at, then_at) in [(one, two), (two, one)] {
        let mut twin = ada.twin();
        ada.get(then_at, "/account")
            .await
            .expect("answers")
            .expect(200);
        let out = ada.post(out_at, "/sign-out", &[]).await;
        out.expect("answers").expect(303);
        let account = twin.get(then_at, "/account").await.expect("answers");
        assert!(
            account.expect(303).header(LOCATION).starts_with("/sign-in"),
            "the session that was ended is still open"
        );
        let late = twin.save(then_at, &attempt, 1, "late", "too late").await;
        late.expect("answers").expect(404);
        ada.sign_in(then_at, "ada@example.org", PASSWORD)
            .await
            .expect(303);
    }
}

/// Failed sign-ins count wherever they were tried, also when the client makes up where it comes from.
async fn tries_are_counted_together(front: SocketAddr) {
    let address = Ipv4Addr::new(127, 0, 0, 4);
    let mut tries = JoinSet::new();
    for n in 0..12 {
        tries.spawn(async move {
            let mut stranger = Browser::at(address);
            stranger.headers = vec![("x-forwarded-for", format!("198.51.100.{n}"))];
            let password = format!("a guess of number {n}");
            let answer = stranger.sign_in(front, "ada@example.org", &password).await;
            if answer.status == 429 {
                assert!(!answer.header(RETRY_AFTER).is_empty());
            }
            answer.status
        });
    }
    let mut answers = tries.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [[422; 5].as_slice(), &[429; 7]].concat());
    // The right password does not help from there, and its owner gets in from elsewhere.
    let mut stranger = Browser::at(address);
    let answer = stranger.sign_in(front, "ada@example.org", PASSWORD).await;
    answer.expect(429);
    let mut ada = Browser::at(Ipv4Addr::new(127, 0, 0, 2));
    ada.sign_in(front, "ada@example.org", PASSWORD)
        .await
        .expect(303);
}

/// Both nodes empty the outbox, and nobody gets a letter twice.
async fn letters_go_out_once(cluster: &Cluster, letters: &Mutex<Vec<String>>) {
    let mut people = JoinSet::new();
    let front = cluster.front;
    for n in 0..16 {
        people.spawn(async move {
            let mut person = Browser::at(Ipv4Addr::new(127, 0, 1, n + 1));
            person.sign_up(front, &format!("person{n}")).await;
        });
    }
    people.join_all().await;
    let count = async |condition: &'static str| -> i64 {
        sqlx::query_scalar(condition)
            .fetch_one(pool(&cluster.database))
            .await
            .expect("counts")
    };
    until("every letter is sent", async || {
        count("SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL").await == 0
    })
    .await;
    let written = count("SELECT COUNT(*) FROM outbox").await;
    assert!(written > 16, "{written}");
    let letters = letters.lock().expect("sound").clone();
    let different: BTreeSet<&String> = letters.iter().collect();
    assert_eq!(letters.len(), different.len(), "a letter was sent twice");
    assert_eq!(letters.len() as i64, written);
}

/// What a writer has been through.
#[derive(Default)]
struct Written {
    attempt: String,
    texts: Vec<(i64, String)>,
    /// What came in place of the answer, by how many nodes had been killed by then.
    failures: Vec<(usize, Option<u16>)>,
}

/// What the writers and the test tell each other.
#[derive(Default)]
struct Watch {
    enough: AtomicBool,
    /// Nodes that were killed.
    killed: AtomicUsize,
    /// Saves that each writer has behind it.
    saves: [AtomicUsize; WRITERS],
}

const WRITERS: usize = 6;

impl Watch {
    /// Waits until each writer has made so many more saves.
    async fn more(&self, saves: usize) {
        let wanted = self
            .saves
            .each_ref()
            .map(|count| count.load(Ordering::SeqCst) + saves);
        until("the writers go on", async || {
            self.saves
                .iter()
                .zip(wanted)
                .all(|(count, wanted)| count.load(Ordering::SeqCst) >= wanted)
        })
        .await;
    }
}

/// Saves one text after another as the page does: what is not answered is sent again with the same key.
async fn write(front: SocketAddr, number: usize, watch: Arc<Watch>) -> Written {
    let mut browser = Browser::at(Ipv4Addr::new(127, 0, 2, number as u8 + 1));
    let mut written = Written {
        attempt: browser.start(front).await,
        ..Written::default()
    };
    for base in 0.. {
        if watch.enough.load(Ordering::SeqCst) {
            break;
        }
        let (key, text) = (format!("{APART}{base}"), format!("writer {number}, {base}"));
        let mut tries = 0;
        loop {
            let answer = browser
                .save(front, &written.attempt, base, &key, &text)
                .await;
            let killed = watch.killed.load(Ordering::SeqCst);
            if answer.as_ref().is_some_and(|answer| answer.status == 200) {
                assert_eq!(answer.map(Answer::revision), Some(base + 1));
                break;
            }
            written
                .failures
                .push((killed, answer.map(|answer| answer.status)));
            tries += 1;
            assert!(tries < 20, "{:?}", written.failures);
            sleep(Duration::from_millis(50)).await;
        }
        written.texts.push((base + 1, text));
        watch.saves[number].fetch_add(1, Ordering::SeqCst);
    }
    written
}

#[tokio::test]
async fn a_node_may_stop_or_die_while_people_write() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let Some(mut cluster) = Cluster::start(&[]).await else {
        return;
    };
    let watch = Arc::new(Watch::default());
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        writers.spawn(write(cluster.front, number, watch.clone()));
    }
    watch.more(10).await;

    // Told to stop, it leaves nobody without an answer.
    let stopping = &mut cluster.nodes[0].running;
    stopping.ask_to_stop();
    let mut status = None;
    until("the node has stopped", async || {
        status = stopping.has_ended();
        status.is_some()
    })
    .await;
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    watch.more(10).await;

    // It comes back, and the other one dies.
    cluster.nodes[0] = cluster.nodes[0].plan.start();
    cluster.nodes[0].is_ready().await;
    cluster.takes_turns().await;
    watch.more(10).await;
    watch.killed.store(1, Ordering::SeqCst);
    cluster.nodes[1].running.kill();
    watch.more(10).await;
    watch.enough.store(true, Ordering::SeqCst);

    for written in writers.join_all().await {
        // One request of each may have been under way when the node died; the next goes to the one that lives.
        let failures = &written.failures;
        assert!(
            failures.len() <= 1 && failures.iter().all(|(killed, _)| *killed == 1),
            "{failures:?}"
        );
        // Each save said which revision it was and started from the one before; the latest are kept.
        let kept = cluster.revisions(&written.attempt).await;
        assert!(kept.len() >= written.texts.len().min(200));
        assert!(
            written.texts.ends_with(&kept),
            "writer {:?} ended with {:?}",
            written.texts.last(),
            kept.last()
        );
    }
    cluster.end().await;
}
