//! The outbox on both engines, and the worker against an SMTP server on loopback.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailin::{AuthMechanism, Handler, Response, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::engines::{Database, on_each_engine};
use crate::domain::attempt::MINUTE;
use crate::mail::store::{self, Counts, Entry, Fate, Filter, Lease, Letter, Refusal};
use crate::mail::worker::{self, Outcome, Worker};
use crate::mail::{MailSettings, SettingsFault};
use crate::server::clock::{Clock, new_id};
use crate::server::database::{Db, StoreError};
use crate::server::session::sha256_hex;
use crate::{affected, on, transact};

/// 1 March 2026, 09:05 UTC.
const START: i64 = 1_772_355_900_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const PUBLIC: &str = "https://practice.example";

// The mail server.

/// A mail as the server took it.
#[derive(Clone, Debug, Default)]
struct Mail {
    from: String,
    to: Vec<String>,
    data: String,
}

impl Mail {
    /// The headers, unfolded, by name; each stands there once.
    fn headers(&self) -> BTreeMap<String, String> {
        let (head, _) = self.data.split_once("\r\n\r\n").expect("has a body");
        let mut headers = BTreeMap::new();
        for line in head.replace("\r\n ", " ").lines() {
            let (name, value) = line.split_once(": ").expect("a header");
            let twice = headers.insert(name.to_owned(), value.to_owned());
            assert!(twice.is_none(), "{name} stands there twice");
        }
        headers
    }

    fn header(&self, name: &str) -> String {
        self.headers().remove(name).unwrap_or_default()
    }

    fn text(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").expect("has a body");
        match self.header("Content-Transfer-Encoding").as_str() {
            "7bit" => body.replace("\r\n", "\n"),
            "quoted-printable" => {
                let body = body.replace("=\r\n", "").replace("\r\n", "\n");
                let mut bytes = Vec::new();
                let mut rest = body.bytes();
                while let Some(byte) = rest.next() {
                    if byte == b'=' {
                        let digits = [rest.next(), rest.next()]
                            .map(|digit| char::from(digit.expect("two digits")));
                        let digits: String = digits.iter().collect();
                        bytes.push(u8::from_str_radix(&digits, 16).expect("hexadecimal"));
                    } else {
                        bytes.push(byte);
                    }
                }
                String::from_utf8(bytes).expect("UTF-8")
            }
            other => panic!("encoded as {other}"),
        }
    }

    /// The token of the link, which the text holds whole on a line of its own.
    fn token(&self, purpose: &str) -> String {
        let start = format!("{PUBLIC}/{purpose}/");
        let text = self.text();
        let line = text.lines().find(|line| line.starts_with(&start));
        let token = line.expect("a link")[start.len()..].to_owned();
        assert_eq!(token.len(), 64);
        assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));
        token
    }
}

/// Where the server falls silent, once for each time it is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// The greeting never comes.
    Greeting,
    /// It has the letter and forgets it.
    Before,
    /// It has the letter and keeps it, but does not say so.
    After,
    /// It has taken the letter and does not say goodbye.
    Goodbye,
}

#[derive(Debug, Default)]
struct Conduct {
    mails: Vec<Mail>,
    connections: u32,
    /// Answers to the next recipients, and to the next letters; OK when there are none.
    at_recipient: VecDeque<(u16, &'static str)>,
    at_letter: VecDeque<(u16, &'static str)>,
    silences: VecDeque<Silence>,
    takes_unicode: bool,
    login: Option<(&'static str, &'static str)>,
    /// Users that were let in.
    logins: Vec<String>,
}

type Shared = Arc<Mutex<Conduct>>;

struct Session {
    conduct: Shared,
    mail: Mail,
}

impl Session {
    fn answer(next: Option<(u16, &'static str)>) -> Response {
        next.map_or(response::OK, |(code, text)| {
            Response::custom(code, text.to_owned())
        })
    }
}

impl Handler for Session {
    fn rcpt(&mut self, _to: &str) -> Response {
        let next = self.conduct.lock().expect("locks").at_recipient.pop_front();
        Self::answer(next)
    }

    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, to: &[String]) -> Response {
        self.mail = Mail {
            from: from.to_owned(),
            to: to.to_vec(),
            data: String::new(),
        };
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        let line = std::str::from_utf8(line).map_err(std::io::Error::other)?;
        self.mail.data.push_str(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let mut conduct = self.conduct.lock().expect("locks");
        let next = conduct.at_letter.pop_front();
        if next.is_none() {
            conduct.mails.push(self.mail.clone());
        }
        Self::answer(next)
    }

    fn auth_plain(&mut self, _for: &str, user: &str, password: &str) -> Response {
        let mut conduct = self.conduct.lock().expect("locks");
        if conduct.login == Some((user, password)) {
            conduct.logins.push(user.to_owned());
            response::AUTH_OK
        } else {
            response::INVALID_CREDENTIALS
        }
    }
}

/// An SMTP server on loopback.
struct Server {
    address: SocketAddr,
    conduct: Shared,
    task: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        Self::with(Conduct::default()).await
    }

    async fn with(conduct: Conduct) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = socket.local_addr().expect("has an address");
        let conduct = Arc::new(Mutex::new(conduct));
        let task = tokio::spawn(accept(socket, conduct.clone()));
        Self {
            address,
            conduct,
            task,
        }
    }

    fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    fn mails(&self) -> Vec<Mail> {
        self.conduct.lock().expect("locks").mails.clone()
    }

    fn only_mail(&self) -> Mail {
        let mut mails = self.mails();
        assert_eq!(mails.len(), 1);
        mails.remove(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(socket: TcpListener, conduct: Shared) {
    loop {
        let (stream, _) = socket.accept().await.expect("accepts");
        conduct.lock().expect("locks").connections += 1;
        tokio::spawn(converse(stream, conduct.clone()));
    }
}

/// Drives the state machine. It ends when the client leaves, which is no error.
async fn converse(stream: TcpStream, conduct: Shared) {
    let (silence, takes_unicode, has_login) = {
        let mut conduct = conduct.lock().expect("locks");
        (
            conduct.silences.pop_front(),
            conduct.takes_unicode,
            conduct.login.is_some(),
        )
    };
    let is_silent = |at| silence == Some(at);
    let mut builder = SessionBuilder::new("mail.example");
    if has_login {
        builder
            .enable_auth(AuthMechanism::Plain)
            .insecure_enable_plaintext_auth();
    }
    let ip = stream.peer_addr().expect("a peer").ip();
    let mut session = builder.build(
        ip,
        Session {
            conduct,
            mail: Mail::default(),
        },
    );
    let mut stream = BufReader::new(stream);
    let mut answer = session.greeting().buffer().expect("writes");
    if is_silent(Silence::Greeting) {
        answer.clear();
    }
    let mut line = Vec::new();
    loop {
        if stream.get_mut().write_all(&answer).await.is_err() {
            return;
        }
        line.clear();
        if !matches!(stream.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let command = String::from_utf8_lossy(&line).to_uppercase();
        if command.starts_with("MAIL FROM") {
            // The state machine does not know this option.
            let text = String::from_utf8(line.clone()).expect("UTF-8");
            assert!(takes_unicode || !command.contains("SMTPUTF8"));
            line = text.replace(" SMTPUTF8", "").into_bytes();
        }
        let ends_letter = line == b".\r\n";
        if is_silent(Silence::Before) && ends_letter
            || is_silent(Silence::Goodbye) && command.starts_with("QUIT")
        {
            answer.clear();
            continue;
        }
        let result = session.process(&line);
        answer = result.buffer().expect("writes");
        if takes_unicode && command.starts_with("EHLO") {
            answer = [b"250-SMTPUTF8\r\n", answer.as_slice()].concat();
        }
        if is_silent(Silence::After) && ends_letter {
            answer.clear();
        }
        // The state machine stays in the letter after refusing it.
        if ends_letter && result.is_error || result.action == mailin::Action::Close {
            let _ = stream.get_mut().write_all(&answer).await;
            return;
        }
    }
}

// The service.

/// A worker on a database, with a clock of its own and what it reported.
#[derive(Clone)]
struct Post {
    db: Db,
    now: Arc<AtomicI64>,
    settings: MailSettings,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
}

impl Post {
    fn new(db: &Db, smtp_url: &str) -> Self {
        let settings = MailSettings::new(
            Some(smtp_url),
            "Headroom <headroom@practice.example>",
            PUBLIC,
        )
        .expect("good settings");
        Self {
            db: db.clone(),
            now: Arc::new(AtomicI64::new(START)),
            settings,
            outcomes: Arc::default(),
        }
    }

    /// For a server that does not answer. Nothing is expected to succeed within it.
    fn impatient(mut self) -> Self {
        self.settings.patience = Duration::from_millis(500);
        self
    }

    fn report(&self) -> worker::Report {
        let outcomes = self.outcomes.clone();
        Arc::new(move |outcome| outcomes.lock().expect("locks").push(outcome))
    }

    fn worker(&self) -> Worker {
        Worker::new(
            self.db.clone(),
            Clock::Set(self.now.clone()),
            self.settings.clone(),
            self.report(),
        )
        .expect("there is a mail server")
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn pass(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    async fn enqueue(&self, account: Option<&str>, letter: &Letter, recipient: &str) -> String {
        let now = self.now();
        let id = new_id(now);
        transact!(self.db, |conn| {
            store::enqueue(conn, &id, account, letter, recipient, now).await
        })
        .expect("is enqueued");
        id
    }

    async fn password_changed(&self) -> String {
        let letter = Letter::PasswordChanged { at: START };
        self.enqueue(None, &letter, "ada@example.org").await
    }

    /// One round: how many letters were dealt with, and what came of them.
    async fn round(&self) -> (usize, Vec<Outcome>) {
        self.outcomes.lock().expect("locks").clear();
        let handled = self.worker().round().await.expect("the database answers");
        (handled, self.outcomes.lock().expect("locks").clone())
    }

    async fn entry(&self, id: &str) -> Entry {
        let all = self.list(Filter::All).await;
        all.into_iter()
            .find(|entry| entry.id == id)
            .expect("is listed")
    }

    async fn list(&self, filter: Filter) -> Vec<Entry> {
        let mut reader = self.db.read().await.expect("reads");
        store::list(&mut reader.conn(), filter, 0)
            .await
            .expect("lists")
    }

    async fn counts(&self) -> Counts {
        let mut reader = self.db.read().await.expect("reads");
        store::counts(&mut reader.conn()).await.expect("counts")
    }

    async fn lease(&self, limit: i64) -> Vec<Lease> {
        let now = self.now();
        transact!(self.db, |conn| store::lease_due(
            conn,
            now,
            store::LEASE,
            limit
        )
        .await)
        .expect("leases")
    }
}

async fn insert_account(db: &Db, id: &str, email: &str) {
    transact!(db, |conn| {
        crate::server::store::insert_owner(conn, id, START).await?;
        affected!(conn, |c| sqlx::query(
            "INSERT INTO account (id, owner_id, name, email, email_key, password_hash, password_changed_at, time_zone, theme, created_at) \
             VALUES ($1, $1, 'Ada', $2, $2, '', 0, 'UTC', 'system', 0)"
        )
        .bind(id)
        .bind(email)
        .execute(c))
    })
    .expect("inserted");
}

/// The account, purpose, address and end of a token.
async fn token(db: &Db, token: &str) -> Option<(String, String, String, i64)> {
    let mut reader = db.read().await.expect("reads");
    let conn = &mut reader.conn();
    let found: Result<_, StoreError> = on!(conn, |c| sqlx::query_as::<
        _,
        (String, String, String, i64),
    >(
        "SELECT account_id, purpose, email, expires_at FROM token WHERE token_hash = $1"
    )
    .bind(sha256_hex(token))
    .fetch_optional(c));
    found.expect("reads")
}

async fn tokens(db: &Db) -> i64 {
    let mut reader = db.read().await.expect("reads");
    let conn = &mut reader.conn();
    let found: Result<(i64,), StoreError> = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM token"
    )
    .fetch_one(c));
    found.expect("counts").0
}

/// Waits for what another task brings about. The limit only ends a test that has failed.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

fn account_id(number: u8) -> String {
    format!("00000000-0000-7000-8000-0000000000{number:02}")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_letter_is_delivered() {
    on_each_engine(async |database: &Database| {
        let server = Server::start().await;
        let post = Post::new(&database.db, &server.url());
        let ada = account_id(1);
        insert_account(&database.db, &ada, "ada@example.org").await;
        let letters = [
            (
                Letter::VerifyAddress {
                    email: "new@example.org".to_owned(),
                },
                "new@example.org",
                "for an account: new@example.org\n",
            ),
            (
                Letter::ResetPassword,
                "ada@example.org",
                "a new password was asked\nfor",
            ),
            (
                Letter::NewSignIn {
                    device: "Zoë's Firefox\r\nBcc: eve@example.org\r\n\r\nforged".to_owned(),
                    address: "192.0.2.7".to_owned(),
                    at: START,
                },
                "ada@example.org",
                "Device: Zoë's Firefox Bcc: eve@example.org forged\nAddress: 192.0.2.7\n",
            ),
            (
                Letter::PasswordChanged { at: START },
                "ada@example.org",
                "was changed",
            ),
            (
                Letter::AddressChanged {
                    new_email: "new@example.org\r\n.\r\nQUIT".to_owned(),
                },
                "ada@example.org",
                "Now: new@example.org . QUIT\n",
            ),
            (
                Letter::SecondFactorChanged {
                    on: true,
                    at: START,
                },
                "ada@example.org",
                "turned on",
            ),
        ];
        for (letter, recipient, phrase) in letters {
            let id = post.enqueue(Some(&ada), &letter, recipient).await;
            assert_eq!(post.round().await, (1, vec![Outcome::Sent]), "{letter:?}");
            let mail = server.conduct.lock().expect("locks").mails.remove(0);
            assert_eq!(mail.from, "headroom@practice.example");
            assert_eq!(mail.to, [recipient]);
            let headers = mail.headers();
            for (name, value) in [
                ("From", "Headroom <headroom@practice.example>"),
                ("To", recipient),
                ("Subject", letter.subject()),
                ("Date", "Sun, 01 Mar 2026 09:05:00 +0000"),
                ("Message-ID", &format!("<{id}@practice.example>")),
                ("Auto-Submitted", "auto-generated"),
                ("Content-Type", "text/plain; charset=utf-8"),
                ("MIME-Version", "1.0"),
            ] {
                let found = headers.get(name).map(|found| found.replace('"', ""));
                assert_eq!(found.as_deref(), Some(value), "{name}");
            }
            assert_eq!(headers.len(), 9, "{headers:?}");
            let text = mail.text();
            assert!(text.contains(phrase), "{text}");
            assert!(text.trim_end().ends_with(PUBLIC), "{text}");
            if let Some(link) = letter.link() {
                let found = token(&database.db, &mail.token(link.slug())).await;
                let expected = (
                    ada.clone(),
                    link.slug().to_owned(),
                    recipient.to_owned(),
                    START + link.lifetime(),
                );
                assert_eq!(found, Some(expected));
            }
            let entry = post.entry(&id).await;
            assert_eq!(
                (entry.sent_at, entry.failed_at, entry.tries),
                (Some(START), None, 1)
            );
        }
        assert_eq!(post.round().await, (0, vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_delays_and_loses_nothing() {
    on_each_engine(async |database: &Database| {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = socket.local_addr().expect("an address");
        drop(socket);
        let post = Post::new(&database.db, &format!("smtp://{address}"));
        let mut ids = BTreeSet::new();
        for _ in 0..6 {
            ids.insert(post.password_changed().await);
        }
        let mut tries = 0;
        while tries < 3 {
            // Four at one time, then the other two.
            assert_eq!(post.round().await, (4, vec![Outcome::Deferred; 4]));
            assert_eq!(post.round().await, (2, vec![Outcome::Deferred; 2]));
            assert_eq!(post.round().await, (0, vec![]));
            tries += 1;
            for entry in post.list(Filter::Waiting).await {
                assert_eq!(entry.tries, tries);
                let pause = entry.next_try_at - post.now();
                let whole = MINUTE << (tries - 1);
                assert!((whole * 3 / 4..=whole).contains(&pause), "{pause}");
                let error = entry.last_error.expect("says why");
                assert!(
                    error.starts_with("The mail server cannot be used: "),
                    "{error}"
                );
            }
            post.pass(MINUTE << (tries - 1));
        }
        let socket = TcpListener::bind(address).await.expect("listens again");
        let conduct = Shared::default();
        let task = tokio::spawn(accept(socket, conduct.clone()));
        while post.round().await.0 > 0 {}
        task.abort();
        let mails = conduct.lock().expect("locks").mails.clone();
        assert_eq!(mails.len(), 6);
        let delivered: BTreeSet<String> =
            mails.iter().map(|mail| mail.header("Message-ID")).collect();
        let expected: BTreeSet<String> = ids
            .iter()
            .map(|id| format!("<{id}@practice.example>"))
            .collect();
        assert_eq!(delivered, expected);
        let counts = post.counts().await;
        assert_eq!(
            counts,
            Counts {
                waiting: 0,
                sent: 6,
                given_up: 0
            }
        );
        assert!(
            post.list(Filter::Sent)
                .await
                .iter()
                .all(|entry| entry.last_error.is_none())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_given_up_after_three_days() {
    let database = Database::sqlite().await;
    let server = Server::start().await;
    let post = Post::new(&database.db, &server.url());
    let id = post.password_changed().await;
    let mut tries = 0;
    loop {
        server.conduct.lock().expect("locks").at_letter = [(451, "Come back later")].into();
        let (handled, outcomes) = post.round().await;
        assert_eq!(handled, 1);
        tries += 1;
        let entry = post.entry(&id).await;
        let error = entry.last_error.as_deref();
        assert_eq!(error, Some("The mail server answered 451 Come back later"));
        assert_eq!(entry.tries, tries);
        if outcomes == [Outcome::GivenUp] {
            assert_eq!(entry.failed_at, Some(post.now()));
            break;
        }
        assert_eq!(outcomes, [Outcome::Deferred]);
        assert!(entry.next_try_at <= START + store::GIVEN_UP_AFTER);
        post.pass(entry.next_try_at - post.now());
    }
    assert!((15..40).contains(&tries), "{tries}");
    assert!(post.now() > START + store::GIVEN_UP_AFTER - store::LONGEST_PAUSE);
    assert!(server.mails().is_empty());
    post.pass(30 * DAY);
    assert_eq!(post.round().await, (0, vec![]));
    database.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_answers_decides() {
    let database = Database::sqlite().await;
    let token = "0123456789abcdef".repeat(4);
    let leaky: &'static str =
        Box::leak(format!("refused {PUBLIC}/reset-password/{token} {token}").into_boxed_str());
    for (at_recipient, answer, outcome, shown) in [
        (false, (451, "Busy"), Outcome::Deferred, "451 Busy"),
        (
            true,
            (450, "Greylisted"),
            Outcome::Deferred,
            "450 Greylisted",
        ),
        (
            true,
            (550, "No such user <ada@example.org>"),
            Outcome::GivenUp,
            "550 No such user …",
        ),
        (
            false,
            (554, "Looks like spam"),
            Outcome::GivenUp,
            "554 Looks like spam",
        ),
        (false, (552, leaky), Outcome::GivenUp, "552 refused … …"),
        // Our credentials are at fault, not the letter.
        (
            true,
            (530, "Authentication required"),
            Outcome::Deferred,
            "530 Authentication required",
        ),
    ] {
        let server = Server::start().await;
        let post = Post::new(&database.db, &server.url());
        {
            let mut conduct = server.conduct.lock().expect("locks");
            let answers = if at_recipient {
                &mut conduct.at_recipient
            } else {
                &mut conduct.at_letter
            };
            answers.push_back(answer);
        }
        let id = post.password_changed().await;
        assert_eq!(post.round().await, (1, vec![outcome]), "{answer:?}");
        let entry = post.entry(&id).await;
        let error = entry.last_error.clone().unwrap_or_default();
        assert_eq!(error, format!("The mail server answered {shown}"));
        assert_eq!(entry.failed_at.is_some(), outcome == Outcome::GivenUp);
        assert_eq!(
            post.list(Filter::GivenUp)
                .await
                .iter()
                .any(|entry| entry.id == id),
            outcome == Outcome::GivenUp
        );
        assert!(server.mails().is_empty());

        // It goes out after all: by itself, or when an administrator says so.
        post.pass(MINUTE);
        if outcome == Outcome::GivenUp {
            assert_eq!(post.round().await, (0, vec![]));
            let now = post.now();
            assert!(
                transact!(post.db, |conn| store::retry(conn, &id, now).await).expect("answers")
            );
        }
        assert_eq!(post.round().await, (1, vec![Outcome::Sent]), "{answer:?}");
        let entry = post.entry(&id).await;
        assert_eq!(
            (entry.sent_at, entry.failed_at, entry.last_error),
            (Some(post.now()), None, None)
        );
        assert_eq!(
            server.only_mail().header("Message-ID"),
            format!("<{id}@practice.example>")
        );
    }
    database.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_left() {
    let database = Database::sqlite().await;
    for (silence, outcome, at_most) in [
        (Silence::Greeting, Outcome::Deferred, 1),
        (Silence::Before, Outcome::Deferred, 1),
        // It may have the letter or not: rather twice than never, and under one Message-ID.
        (Silence::After, Outcome::Deferred, 2),
        (Silence::Goodbye, Outcome::Sent, 1),
    ] {
        let server = Server::start().await;
        server
            .conduct
            .lock()
            .expect("locks")
            .silences
            .push_back(silence);
        let mut post = Post::new(&database.db, &server.url());
        if outcome == Outcome::Deferred {
            post = post.impatient();
        }
        let id = post.password_changed().await;
        assert_eq!(post.round().await, (1, vec![outcome]), "{silence:?}");
        if outcome == Outcome::Deferred {
            let error = post.entry(&id).await.last_error.unwrap_or_default();
            assert_eq!(error, "The mail server did not answer within 0.5 seconds.");
        }
        post.settings.patience = Duration::from_secs(20);
        post.pass(MINUTE);
        post.round().await;
        let mails = server.mails();
        assert!((1..=at_most).contains(&mails.len()), "{silence:?}");
        let ids: BTreeSet<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids, BTreeSet::from([format!("<{id}@practice.example>")]));
        assert!(post.entry(&id).await.sent_at.is_some());
    }
    database.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_send_each_letter_once() {
    on_each_engine(async |database: &Database| {
        let server = Server::start().await;
        let here = Post::new(&database.db, &server.url());
        let there = Post::new(
            &Db::open(&database.url).await.expect("opens"),
            &server.url(),
        );
        let ada = account_id(1);
        insert_account(&database.db, &ada, "ada@example.org").await;
        let mut ids = BTreeSet::new();
        for _ in 0..30 {
            ids.insert(here.password_changed().await);
        }
        ids.insert(
            here.enqueue(Some(&ada), &Letter::ResetPassword, "ada@example.org")
                .await,
        );
        let empty = |post: Post| async move {
            let worker = post.worker();
            while store::any_due(&mut post.db.read().await.expect("reads").conn(), post.now())
                .await
                .expect("answers")
            {
                worker.round().await.expect("the database answers");
            }
        };
        tokio::join!(empty(here.clone()), empty(there.clone()));
        let mut delivered: Vec<String> = server
            .mails()
            .iter()
            .map(|mail| mail.header("Message-ID"))
            .collect();
        delivered.sort();
        let expected: Vec<String> = ids
            .iter()
            .map(|id| format!("<{id}@practice.example>"))
            .collect();
        assert_eq!(delivered, expected);
        assert!(
            here.list(Filter::Sent)
                .await
                .iter()
                .all(|entry| entry.tries == 1)
        );
        assert_eq!(
            here.counts().await,
            Counts {
                waiting: 0,
                sent: 31,
                given_up: 0
            }
        );
        there.db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_won_by_one_and_ends() {
    on_each_engine(async |database: &Database| {
        let server = Server::start().await;
        let post = Post::new(&database.db, &server.url());
        let id = post.password_changed().await;
        let (one, other) = tokio::join!(post.lease(10), post.lease(10));
        let mut won = [one, other].concat();
        assert_eq!(won.len(), 1);
        let dead = won.remove(0);
        assert_eq!(
            (dead.id.as_str(), dead.tries, dead.until),
            (id.as_str(), 1, START + store::LEASE)
        );

        // The node that has it dies. Nobody else sends it, or can be told to, until the lease ends.
        let now = post.now();
        assert!(!transact!(post.db, |conn| store::retry(conn, &id, now).await).expect("answers"));
        post.pass(store::LEASE - 1);
        assert_eq!(post.round().await, (0, vec![]));
        post.pass(1);
        let second = post.lease(10).await.remove(0);
        assert_eq!(second.tries, 2);

        // The first was only slow. It does not end the other's lease, and a success counts.
        let now = post.now();
        let fate = transact!(post.db, |conn| store::mark_failed_try(
            conn,
            &dead,
            Refusal::ForGood,
            "late",
            now,
            0
        )
        .await)
        .expect("answers");
        assert_eq!(fate, Fate::NotOurs);
        assert_eq!(post.entry(&id).await.next_try_at, second.until);
        transact!(post.db, |conn| store::mark_sent(conn, &id, now).await).expect("marked");
        let fate = transact!(post.db, |conn| store::mark_failed_try(
            conn,
            &second,
            Refusal::ForNow,
            "late",
            now,
            0
        )
        .await)
        .expect("answers");
        assert_eq!(fate, Fate::NotOurs);
        post.pass(DAY);
        assert_eq!(post.round().await, (0, vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_followed_by_another() {
    let database = Database::sqlite().await;
    let server = Server::start().await;
    server
        .conduct
        .lock()
        .expect("locks")
        .silences
        .push_back(Silence::Before);
    let post = Post::new(&database.db, &server.url());
    let id = post.password_changed().await;
    let killed = tokio::spawn({
        let worker = post.worker();
        async move { worker.round().await.map(|_| ()) }
    });
    until("the server has a connection", || {
        server.conduct.lock().expect("locks").connections == 1
    })
    .await;
    killed.abort();
    assert!(killed.await.expect_err("was killed").is_cancelled());
    assert_eq!(post.round().await, (0, vec![]));
    post.pass(store::LEASE);
    assert_eq!(post.round().await, (1, vec![Outcome::Sent]));
    assert_eq!(
        server.only_mail().header("Message-ID"),
        format!("<{id}@practice.example>")
    );
    assert_eq!(post.entry(&id).await.tries, 2);
    database.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_is_woken_and_stops() {
    let database = Database::sqlite().await;
    let server = Server::start().await;
    let mut post = Post::new(&database.db, &server.url());
    // Only the wake can do it.
    post.settings.poll = Duration::from_hours(10);
    let wake = Arc::new(Notify::new());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(worker::run(
        post.db.clone(),
        Clock::Set(post.now.clone()),
        post.settings.clone(),
        wake.clone(),
        post.report(),
        async move {
            let _ = stopped.await;
        },
    ));
    for expected in 1..=3 {
        // More than one round's worth.
        for _ in 0..5 {
            post.password_changed().await;
        }
        wake.notify_one();
        until("the letters came", || server.mails().len() == 5 * expected).await;
    }
    // One is under way when the stop comes; it is not waited for without end, and stays leased.
    server
        .conduct
        .lock()
        .expect("locks")
        .silences
        .push_back(Silence::Before);
    let connections = server.conduct.lock().expect("locks").connections;
    let id = post.password_changed().await;
    wake.notify_one();
    until("the server is called", || {
        server.conduct.lock().expect("locks").connections > connections
    })
    .await;
    stop.send(()).expect("is running");
    running.await.expect("ends");
    let entry = post.entry(&id).await;
    assert_eq!(
        (entry.sent_at, entry.failed_at, entry.tries),
        (None, None, 1)
    );
    post.pass(store::LEASE);
    assert_eq!(post.round().await, (1, vec![Outcome::Sent]));

    // Without a mail server there is nothing to run.
    let settings = MailSettings::new(None, "headroom@practice.example", PUBLIC).expect("good");
    assert!(!settings.is_on());
    worker::run(
        post.db.clone(),
        Clock::Set(post.now.clone()),
        settings,
        wake,
        post.report(),
        std::future::pending(),
    )
    .await;
    database.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_work_for_the_last_letter() {
    on_each_engine(async |database: &Database| {
        let server = Server::start().await;
        let post = Post::new(&database.db, &server.url());
        let (ada, bob) = (account_id(1), account_id(2));
        insert_account(&database.db, &ada, "ada@example.org").await;
        insert_account(&database.db, &bob, "bob@example.org").await;
        let verify = |email: &str| Letter::VerifyAddress {
            email: email.to_owned(),
        };

        // The second takes the first one's place in the queue. Other kinds and accounts keep theirs.
        post.enqueue(Some(&ada), &verify("typo@example.org"), "typo@example.org")
            .await;
        post.enqueue(Some(&bob), &verify("bob@example.org"), "bob@example.org")
            .await;
        post.enqueue(Some(&ada), &Letter::ResetPassword, "ada@example.org")
            .await;
        post.enqueue(
            Some(&ada),
            &verify("right@example.org"),
            "right@example.org",
        )
        .await;
        assert_eq!(tokens(&database.db).await, 0, "the outbox holds no secret");
        while post.round().await.0 > 0 {}
        let to = |recipient: &str| -> Vec<Mail> {
            server
                .mails()
                .into_iter()
                .filter(|mail| mail.to == [recipient])
                .collect()
        };
        assert!(to("typo@example.org").is_empty());
        assert_eq!(server.mails().len(), 3);
        assert_eq!(tokens(&database.db).await, 3);

        // A link that was mailed ends when a new one is mailed.
        let reset = |at: usize| to("ada@example.org")[at].token("reset-password");
        let first = reset(0);
        assert!(token(&database.db, &first).await.is_some());
        post.pass(HOUR);
        post.enqueue(Some(&ada), &Letter::ResetPassword, "ada@example.org")
            .await;
        // A try that fails makes a token that nobody has; the next try makes another.
        server.conduct.lock().expect("locks").at_letter = [(451, "Busy")].into();
        post.round().await;
        post.pass(MINUTE);
        post.round().await;
        let second = reset(1);
        assert_ne!(first, second);
        assert_eq!(token(&database.db, &first).await, None);
        let (_, _, _, ends) = token(&database.db, &second).await.expect("is kept");
        assert_eq!(ends, post.now() + HOUR, "the time runs from the sending");
        assert_eq!(tokens(&database.db).await, 3);

        // The account is deleted: what tells of it still goes, a link cannot.
        post.enqueue(Some(&bob), &Letter::ResetPassword, "bob@example.org")
            .await;
        post.enqueue(
            Some(&bob),
            &Letter::PasswordChanged { at: START },
            "bob@example.org",
        )
        .await;
        let deleted = transact!(database.db, |conn| affected!(conn, |c| sqlx::query(
            "DELETE FROM account WHERE id = $1"
        )
        .bind(&bob)
        .execute(c)));
        assert_eq!(deleted.expect("deletes"), 1);
        let (handled, mut outcomes) = post.round().await;
        outcomes.sort_by_key(|outcome| format!("{outcome:?}"));
        assert_eq!(
            (handled, outcomes),
            (2, vec![Outcome::GivenUp, Outcome::Sent])
        );
        assert_eq!(to("bob@example.org").len(), 2);
        let given_up = post.list(Filter::GivenUp).await;
        assert_eq!(
            given_up[0].last_error.as_deref(),
            Some("The account is gone.")
        );
        assert_eq!(tokens(&database.db).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_addresses_and_forged_ones() {
    on_each_engine(async |database: &Database| {
        let plain = Server::start().await;
        let unicode = Server::with(Conduct { takes_unicode: true, ..Conduct::default() }).await;
        let letter = Letter::PasswordChanged { at: START };
        for (recipient, on_plain, on_unicode) in [
            ("o'brien+head/room=1@example.org", true, true),
            ("\"odd@part\"@example.org", true, true),
            ("\"a,b\"@example.org", true, true),
            ("ada@[192.0.2.7]", true, true),
            ("zoë@example.org", false, true),
            ("用户@例子.example", false, true),
            ("ada@bücher.example", false, true),
            // No addresses, whatever let them in.
            ("ada@", false, false),
            ("@", false, false),
            ("ada@example.org, eve@example.org", false, false),
            ("<ada@example.org>", false, false),
            ("Ada <ada@example.org>", false, false),
            ("a da@example.org", false, false),
        ] {
            for (server, goes) in [(&plain, on_plain), (&unicode, on_unicode)] {
                let post = Post::new(&database.db, &server.url());
                let id = post.enqueue(None, &letter, recipient).await;
                let outcome = if goes { Outcome::Sent } else { Outcome::GivenUp };
                assert_eq!(post.round().await, (1, vec![outcome]), "{recipient}");
                if goes {
                    let mail = server.conduct.lock().expect("locks").mails.remove(0);
                    assert_eq!(mail.to, [recipient]);
                    assert_eq!(mail.header("To"), recipient);
                    assert_eq!(mail.headers().len(), 9);
                } else {
                    let error = post.entry(&id).await.last_error.unwrap_or_default();
                    let expected = if on_unicode {
                        "The mail server takes only addresses in plain letters (it lacks SMTPUTF8)."
                    } else {
                        "The recipient is not an address."
                    };
                    assert_eq!(error, expected, "{recipient}");
                }
                assert!(server.mails().is_empty());
            }
        }
        // What could add a line is not even taken in; what got in by another way is not sent.
        let post = Post::new(&database.db, &plain.url());
        let long = format!("{}@example.org", "a".repeat(300));
        for recipient in [
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org\nRCPT TO:<eve@example.org>",
            "Ada\r\n <ada@example.org>",
            "\"a\r\nb\"@example.org",
            "ada\0@example.org",
            "nobody",
            "",
            &long,
        ] {
            let refused = transact!(post.db, |conn| {
                store::enqueue(conn, &new_id(START), None, &letter, recipient, START).await
            });
            assert!(matches!(refused, Err(StoreError::App(_))), "{recipient:?}");
        }
        transact!(post.db, |conn| affected!(conn, |c| sqlx::query(
            "INSERT INTO outbox (id, kind, recipient, detail, created_at, next_try_at, tries) \
             VALUES ('forged', 'reset-password', $1, 'null', 0, 0, 0), ('unknown', 'unheard-of', 'ada@example.org', '{', 0, 0, 0)"
        ).bind("ada@example.org\r\nBcc: eve@example.org").execute(c))).expect("inserted");
        assert_eq!(post.round().await, (2, vec![Outcome::GivenUp; 2]));
        assert!(plain.mails().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_trusted_with_what_it_may_have() {
    let database = Database::sqlite().await;
    let conduct = || Conduct {
        login: Some(("ada@example.org", "p@ss:word")),
        ..Conduct::default()
    };
    let server = Server::with(conduct()).await;
    let good = format!("smtp://ada%40example.org:p%40ss%3Aword@{}", server.address);
    let post = Post::new(&database.db, &good);
    post.password_changed().await;
    assert_eq!(post.round().await, (1, vec![Outcome::Sent]));
    assert_eq!(
        server.conduct.lock().expect("locks").logins,
        ["ada@example.org"]
    );

    // Wrong credentials are ours to mend: nothing is given up. Nor is it where TLS is asked for and not to be had.
    let wrong = format!("smtp://ada%40example.org:guess@{}", server.address);
    let no_tls = format!("{good}?tls=required");
    for (url, error) in [
        (wrong, "The mail server answered 535 Invalid credentials"),
        (
            no_tls,
            "The mail server cannot be used: STARTTLS is not supported on this server",
        ),
    ] {
        let post = Post::new(&database.db, &url);
        let id = post.password_changed().await;
        assert_eq!(post.round().await, (1, vec![Outcome::Deferred]), "{error}");
        assert_eq!(post.entry(&id).await.last_error.as_deref(), Some(error));
    }
    assert_eq!(server.mails().len(), 1);
    assert_eq!(server.conduct.lock().expect("locks").logins.len(), 1);

    for from in [
        "",
        "nobody",
        "Headroom\r\nBcc: eve@example.org <headroom@example.org>",
        "headroom@example.org\r\nBcc: eve@example.org",
        "a@example.org, b@example.org",
    ] {
        let fault = MailSettings::new(None, from, PUBLIC).expect_err(from);
        assert_eq!(fault, SettingsFault::From);
    }
    for from in [
        "headroom@example.org",
        "Büro, \"Headroom\" <headroom@example.org>",
    ] {
        let settings = MailSettings::new(Some("smtp://localhost"), from, PUBLIC);
        assert_eq!(settings.is_ok(), !from.contains(','), "{from}");
    }
    let shown = format!("{:?}", post.settings);
    assert!(
        !shown.contains("p@ss") && !shown.contains("p%40ss"),
        "{shown}"
    );
    database.discard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrators_list() {
    on_each_engine(async |database: &Database| {
        let server = Server::start().await;
        let post = Post::new(&database.db, &server.url());
        let sent = post.password_changed().await;
        post.round().await;
        post.pass(MINUTE);
        server.conduct.lock().expect("locks").at_recipient = [(550, "No")].into();
        let given_up = post.password_changed().await;
        post.round().await;
        post.pass(MINUTE);
        let waiting = post.password_changed().await;

        for (filter, expected) in [
            (Filter::All, vec![&waiting, &given_up, &sent]),
            (Filter::Waiting, vec![&waiting]),
            (Filter::Sent, vec![&sent]),
            (Filter::GivenUp, vec![&given_up]),
        ] {
            let found = post.list(filter).await;
            assert_eq!(
                found.iter().map(|entry| &entry.id).collect::<Vec<_>>(),
                expected,
                "{filter:?}"
            );
            assert_eq!(Filter::from_slug(filter.slug()), Some(filter));
        }
        assert_eq!(Filter::from_slug("x"), None);
        assert_eq!(
            post.counts().await,
            Counts {
                waiting: 1,
                sent: 1,
                given_up: 1
            }
        );
        let entry = &post.list(Filter::All).await[2];
        assert_eq!(
            (entry.kind.as_str(), entry.recipient.as_str()),
            ("password-changed", "ada@example.org")
        );

        // Trying again: what was given up or waits long, and nothing else.
        for (id, answer) in [
            (&sent, false),
            (&waiting, false),
            (&given_up, true),
            (&"no\0id".to_owned(), false),
        ] {
            let now = post.now();
            let found = transact!(post.db, |conn| store::retry(conn, id, now).await);
            assert_eq!(found.expect("answers"), answer, "{id}");
        }
        transact!(post.db, |conn| affected!(conn, |c| sqlx::query(
            "UPDATE outbox SET next_try_at = $2 WHERE id = $1"
        )
        .bind(&waiting)
        .bind(post.now() + 3 * HOUR)
        .execute(c)))
        .expect("moved");
        let now = post.now();
        assert!(
            transact!(post.db, |conn| store::retry(conn, &waiting, now).await).expect("answers")
        );
        server.conduct.lock().expect("locks").at_recipient = [(550, "No")].into();
        assert_eq!(post.round().await.0, 2);

        // Old ones go when they are done with.
        let last = post.password_changed().await;
        for (before, gone) in [
            (START, 0),
            (START + 1, 1),
            (post.now() + 1, 2),
            (i64::MAX, 0),
        ] {
            let found = transact!(post.db, |conn| store::delete_old(conn, before).await);
            assert_eq!(found.expect("answers"), gone, "{before}");
        }
        assert_eq!(
            post.list(Filter::All)
                .await
                .iter()
                .map(|entry| &entry.id)
                .collect::<Vec<_>>(),
            [&last]
        );

        // Pages.
        for _ in 0..store::PAGE {
            post.pass(1);
            post.password_changed().await;
        }
        let mut reader = post.db.read().await.expect("reads");
        let mut seen = Vec::new();
        for page in [0, 1, 2, u32::MAX] {
            let found = store::list(&mut reader.conn(), Filter::Waiting, page)
                .await
                .expect("lists");
            seen.push(found.len());
            if page == 1 {
                assert_eq!(found[0].id, last);
            }
        }
        assert_eq!(seen, [50, 1, 0, 0]);
    })
    .await;
}
