//! The real program, killed while it saves: what it acknowledged is there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::app::{PROMPT, urlencoded};
use super::engines::Database;
use super::program::FORM;
pub(super) use super::program::{Client, Server, program};
use crate::server::database::Db;

const WRITERS: usize = 20;
/// These have an account; the others are guests.
const WITH_ACCOUNT: usize = 4;
const ROUNDS: usize = 50;
/// A server of Postgres is not killed with ours, so that less can go wrong.
const ROUNDS_ON_POSTGRES: usize = 6;
/// A round is at least as long, and goes on until every writer could have saved.
const WRITING_FOR: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_mins(1);
/// A section keeps 200 revisions, and all of ours are looked for.
const SAVES_OF_AN_ATTEMPT: i64 = 150;
const PASSWORD: &str = "twenty writers, fifty kills";

/// The saves that the server said it has: texts by attempt and revision.
type Acknowledged = BTreeMap<String, BTreeMap<i64, String>>;

/// How far the writers of a round have come.
#[derive(Default)]
struct Progress {
    signed_up: AtomicUsize,
    saved: AtomicUsize,
    stop: AtomicBool,
}

impl Progress {
    /// Enough to be worth a kill.
    fn is_enough(&self, round: usize) -> bool {
        self.saved.load(Ordering::Relaxed) >= WRITERS
            && (round > 0 || self.signed_up.load(Ordering::Relaxed) >= WITH_ACCOUNT)
    }
}

/// Somebody who goes on in the same session, whatever happens to the server.
#[derive(Default)]
struct Writer {
    number: usize,
    cookie: String,
    attempt: String,
    /// The last revision that is known to be there.
    revision: i64,
    /// Texts that were sent since then and not answered: one of them may have been taken.
    unanswered: Vec<String>,
    acknowledged: Acknowledged,
}

impl Writer {
    fn email(&self) -> String {
        format!("writer{}@example.org", self.number)
    }

    fn has_account(&self) -> bool {
        self.number < WITH_ACCOUNT
    }

    /// A new session, when it is acknowledged. Otherwise the one before must still be good.
    fn enter(&mut self, client: &mut Client, path: &str) -> Option<()> {
        let email = self.email();
        let fields = [
            ("name", "A writer"),
            ("email", &email),
            ("password", PASSWORD),
        ];
        let before = std::mem::take(&mut client.cookie);
        let entered = client.form(path, &fields, &[]);
        if entered.is_none() {
            client.cookie = before;
        }
        let entered = entered?;
        assert_eq!(entered.status, 303, "{path}: {}", entered.body);
        self.cookie.clone_from(&client.cookie);
        Some(())
    }

    fn start(&mut self, client: &mut Client) -> Option<()> {
        let terms = urlencoded(&[("way", "guided"), ("level", "mid"), ("minutes", "untimed")]);
        let path = format!("/prompts/{PROMPT}/attempts");
        let (status, location, body) = client.post(&path, FORM, &terms)?;
        assert_eq!(status, 303, "{body}");
        location
            .split('/')
            .nth(2)
            .expect("an id")
            .clone_into(&mut self.attempt);
        self.cookie.clone_from(&client.cookie);
        self.revision = 0;
        self.unanswered.clear();
        Some(())
    }

    fn save(&mut self, client: &mut Client, round: usize) -> Option<()> {
        let base = self.revision;
        let text = format!(
            "writer {}, round {round}, text {base} {}",
            self.number,
            "é".repeat(usize::try_from(base).unwrap_or(0) * 37 % 300)
        );
        let arguments = json!({ "attempt": self.attempt, "section": "api", "body": text, "base": base, "key": format!("apart-{round}-{base}") });
        self.unanswered.push(text.clone());
        let (status, _, body) = client.post(
            "/api/save_section",
            "application/json",
            &arguments.to_string(),
        )?;
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        let (revision, text) = if status == 409 {
            // The server took what it could not acknowledge any more, and nothing else.
            let current = &answer["conflict"];
            let taken = current["body"].as_str().unwrap_or_default().to_owned();
            assert!(self.unanswered.contains(&taken), "{body}");
            (current["revision"].as_i64(), taken)
        } else {
            // A lost session or attempt would be a 404.
            assert_eq!(status, 200, "writer {}: {body}", self.number);
            (answer["revision"].as_i64(), text)
        };
        let revision = revision.expect("a number");
        assert_eq!(revision, base + 1, "{body}");
        self.revision = revision;
        self.unanswered.clear();
        self.acknowledged
            .entry(self.attempt.clone())
            .or_default()
            .insert(revision, text);
        Some(())
    }

    /// Saves one text after another until the server is gone. Each save is kept as a revision of its own.
    fn write(&mut self, address: SocketAddr, round: usize, progress: &Progress) -> Option<()> {
        let mut client = Client::connect(address)?;
        client.cookie.clone_from(&self.cookie);
        if self.has_account() && self.cookie.is_empty() {
            self.enter(&mut client, "/sign-up")?;
            progress.signed_up.fetch_add(1, Ordering::Relaxed);
        } else if self.has_account() && round % WITH_ACCOUNT == self.number {
            self.enter(&mut client, "/sign-in")?;
        }
        while !progress.stop.load(Ordering::Relaxed) {
            if self.attempt.is_empty() || self.revision >= SAVES_OF_AN_ATTEMPT {
                self.start(&mut client)?;
            }
            self.save(&mut client, round)?;
            progress.saved.fetch_add(1, Ordering::Relaxed);
        }
        Some(())
    }
}

/// The texts of an attempt by their revision.
async fn texts_of(db: &Db, attempt: &str) -> BTreeMap<i64, String> {
    let sql = "SELECT revision, body FROM revision WHERE attempt_id = $1 AND name = 'api'";
    let rows: Vec<(i64, String)> = match db {
        Db::Sqlite { write, .. } => sqlx::query_as(sql).bind(attempt).fetch_all(write).await,
        Db::Postgres(pool) => sqlx::query_as(sql).bind(attempt).fetch_all(pool).await,
    }
    .expect("reads");
    rows.into_iter().collect()
}

async fn is_sound(db: &Db) {
    if let Db::Sqlite { write, .. } = db {
        let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(write)
            .await
            .expect("checks");
        assert_eq!(sound, "ok");
    }
}

/// Everything that was acknowledged is in the database, and no more than what was under way besides.
async fn is_there(db: &Db, writer: &Writer, attempts: impl Iterator<Item = &String>) {
    for attempt in attempts {
        let kept = texts_of(db, attempt).await;
        let acknowledged = &writer.acknowledged[attempt];
        for (revision, text) in acknowledged {
            assert_eq!(
                kept.get(revision),
                Some(text),
                "revision {revision} of writer {}",
                writer.number
            );
        }
        for (revision, text) in &kept {
            assert!(
                acknowledged.contains_key(revision) || writer.unanswered.contains(text),
                "writer {} never sent revision {revision}: {text}",
                writer.number
            );
        }
    }
}

/// A sign-in that is cut off counts as a failure, so more of them than usual are allowed.
fn start(database_url: &str) -> Server {
    let flags = [
        "--signins-per-quarter-hour=1000",
        "--signins-per-address=1000",
    ];
    Server::run(Command::new(program()), database_url, &flags)
}

/// Lets writers write, kills the server among them, and looks for everything that it acknowledged.
async fn nothing_acknowledged_is_lost(database_url: &str, rounds: usize) {
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| Writer {
            number,
            ..Writer::default()
        })
        .collect();
    for round in 0..rounds {
        let server = start(database_url);
        let address = server.address;
        let progress = Progress::default();
        std::thread::scope(|threads| {
            for writer in &mut writers {
                let progress = &progress;
                threads.spawn(move || writer.write(address, round, progress));
            }
            // Not always in the same moment of the same save.
            let length = WRITING_FOR + Duration::from_millis(round as u64 * 13 % 150);
            let since = Instant::now();
            while since.elapsed() < length
                || !progress.is_enough(round) && since.elapsed() < PATIENCE
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            server.kill();
            progress.stop.store(true, Ordering::Relaxed);
        });
        let saved = progress.saved.load(Ordering::Relaxed);
        assert!(
            progress.is_enough(round),
            "only {saved} saves in round {round}"
        );

        let db = Db::open(database_url).await.expect("opens");
        is_sound(&db).await;
        // What was saved in earlier attempts is looked for at the end.
        for writer in &writers {
            let open = writer
                .acknowledged
                .keys()
                .filter(|attempt| **attempt == writer.attempt);
            is_there(&db, writer, open).await;
        }
        db.close().await;
    }

    let db = Db::open(database_url).await.expect("opens");
    let mut all = 0;
    for writer in &writers {
        is_there(&db, writer, writer.acknowledged.keys()).await;
        all += writer
            .acknowledged
            .values()
            .map(BTreeMap::len)
            .sum::<usize>();
    }
    db.close().await;
    eprintln!("{all} saves were acknowledged in {rounds} rounds");
    // The sessions that were acknowledged, new and old, are good too.
    let server = start(database_url);
    for writer in &writers {
        let mut client = server.client();
        client.cookie.clone_from(&writer.cookie);
        if !writer.attempt.is_empty() {
            let page = client.get(&format!("/attempts/{}/api", writer.attempt));
            assert_eq!(page.expect("answers").status, 200, "{}", writer.number);
        }
        if writer.has_account() {
            let page = client.get("/account").expect("answers");
            assert_eq!(page.status, 200, "{}", writer.number);
            assert!(page.body.contains(&writer.email()));
        }
    }
}

#[tokio::test]
async fn a_server_killed_fifty_times_keeps_what_it_acknowledged_on_sqlite() {
    let database = Database::empty_sqlite().await;
    database.db.close().await;
    nothing_acknowledged_is_lost(&database.url, ROUNDS).await;
}

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged_on_postgres() {
    let Some(database) = Database::empty_postgres().await else {
        return;
    };
    nothing_acknowledged_is_lost(&database.url, ROUNDS_ON_POSTGRES).await;
    database.discard().await;
}

#[tokio::test]
async fn a_stopped_server_ends_in_good_time() {
    let database = Database::empty_sqlite().await;
    database.db.close().await;
    let mut server = Server::start(&database.url);
    let answer = server.client().post("/theme", FORM, "theme=dark");
    assert_eq!(answer.expect("answers").0, 303);
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
