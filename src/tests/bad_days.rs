//! Bad days: a disk that fills up, a forged address, signing out in the middle of things, a clock a year off.
//!
//! What is acknowledged stays, what is not is said, and everything goes on by itself when the day gets better.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::app::{Attempt, Guest, PROMPT, START, TestApp, urlencoded};
use super::bad_forms::{
    PASSWORD, World, account_id, administrator, code, column, sign_in, signed_up,
    turn_on_second_factor,
};
use super::engines::{Database, on_each_engine};
use super::program::{Client, FORM, Server, program};
use crate::accounts::store::token::{self, Purpose};
use crate::app::routes;
use crate::domain::attempt::{MINUTE, Way};
use crate::domain::level::Level;
use crate::mail::store as outbox;
use crate::serve::{last_seen, sweep_once, sweep_until};
use crate::server::clock::{new_id, random_bytes};
use crate::server::database::Db;
use crate::transact;

/// In minutes, as the test's clock is moved.
const YEAR: i64 = 365 * 24 * 60;

// A disk that fills up.

/// A small filesystem in memory, in a namespace of its own. It goes with the process that holds it.
struct SmallDisk {
    holder: Child,
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where this system lets nobody mount anything.
    fn of_megabytes(size: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let script = format!(
            "mount -t tmpfs -o size={size}m tmpfs \"$0\" && echo mounted && exec cat > /dev/null"
        );
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let mut said = BufReader::new(holder.stdout.take().expect("is piped"));
        let disk = Self { holder, folder };
        said.read_line(&mut line).expect("can be read");
        (line.trim() == "mounted").then_some(disk)
    }

    /// Runs what follows with this disk in its place.
    fn command(&self) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--user", "--mount", "--preserve-credentials", "--target"])
            .arg(self.holder.id().to_string())
            .arg(program());
        command
    }

    /// The path under which the program finds a file.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of the same file for everybody else.
    fn outside(&self, name: &str) -> PathBuf {
        let inside = self.path(name);
        let inside = inside.strip_prefix("/").expect("is absolute");
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(inside)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Somebody who saves over a socket, and remembers what was acknowledged.
struct Saver {
    client: Client,
    attempt: String,
    acknowledged: Vec<String>,
}

impl Saver {
    fn start(server: &Server) -> Self {
        let mut client = server.client();
        let terms = urlencoded(&[("way", "guided"), ("level", "mid"), ("minutes", "untimed")]);
        let path = format!("/prompts/{PROMPT}/attempts");
        let (_, location, _) = client.post(&path, FORM, &terms).expect("answers");
        let attempt = location.split('/').nth(2).expect("an id").to_owned();
        Self {
            client,
            attempt,
            acknowledged: Vec::new(),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/attempts/{}/{rest}", self.attempt)
    }

    /// The same save as long as it is not acknowledged.
    fn save(&mut self) -> (u16, String) {
        let base = self.acknowledged.len();
        let text = format!("text {base} {}", "word ".repeat(8000));
        let arguments = json!({ "attempt": self.attempt, "section": "api", "body": text, "base": base, "key": format!("apart-{base}") });
        let (status, _, body) = self
            .client
            .post(
                "/api/save_section",
                "application/json",
                &arguments.to_string(),
            )
            .expect("answers");
        if status == 200 {
            self.acknowledged.push(text);
        }
        (status, body)
    }

    fn status_of(&mut self, path: &str) -> (u16, String) {
        let answer = self.client.get(path).expect("answers");
        (answer.status, answer.body)
    }

    /// What was acknowledged last is what there is.
    fn reads(&mut self) {
        for path in [
            self.path("api"),
            self.path("api/history"),
            self.path("score"),
            "/attempts".to_owned(),
            "/".to_owned(),
            format!("/prompts/{PROMPT}"),
            "/sign-in".to_owned(),
            "/healthz".to_owned(),
        ] {
            let (status, body) = self.status_of(&path);
            assert_eq!(status, 200, "{path}: {body}");
        }
        let (status, body) = self.status_of(&self.path("export/attempt.json"));
        assert_eq!(status, 200, "{body}");
        let export: Value = serde_json::from_str(&body).expect("JSON");
        let section = &export["sections"][0];
        assert_eq!(section["revision"], self.acknowledged.len());
        assert_eq!(
            section["body"].as_str(),
            self.acknowledged.last().map(String::as_str)
        );
    }
}

#[tokio::test]
async fn a_full_disk_fails_saves_visibly_and_nothing_else() {
    // More than the least with which a node is ready.
    let Some(disk) = SmallDisk::of_megabytes(96) else {
        // Straight to the terminal: what a passing test prints is not shown.
        let _ = writeln!(
            std::io::stderr(),
            "\n*** NOT TESTED ON A FULL DISK: nothing can be mounted here ***\n"
        );
        return;
    };
    let url = format!("sqlite:{}", disk.path("headroom.db").display());
    let server = Server::run(disk.command(), &url, &["--log=off"]);
    let mut saver = Saver::start(&server);
    for _ in 0..3 {
        assert_eq!(saver.save().0, 200);
    }
    let (status, body) = saver.status_of("/readyz");
    assert_eq!(status, 200, "{body}");

    for round in 0..3 {
        fill(&disk.outside("ballast"));
        let (status, body) = saver.status_of("/readyz");
        assert_eq!(status, 503);
        assert!(body.starts_with("disk: "), "{body}");
        // What the log of the database has room for is still taken.
        let before = saver.acknowledged.len();
        let (mut status, mut body) = saver.save();
        while status == 200 && saver.acknowledged.len() < before + 1000 {
            (status, body) = saver.save();
        }
        assert_eq!(status, 500, "round {round}: {body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert!(answer["internal"].is_string(), "{body}");
        for _ in 0..5 {
            assert_eq!(saver.save().0, 500);
        }
        // Without JavaScript: a page that gives the text back.
        let base = saver.acknowledged.len().to_string();
        let long = "what I typed ".repeat(4000);
        let path = saver.path("api");
        let fields = [("body", long.as_str()), ("base", &base), ("key", "form")];
        let page = saver.client.form(&path, &fields, &[]).expect("answers");
        assert_eq!(page.status, 500, "{}", page.body);
        assert!(page.body.contains("Your text was not saved"));
        assert!(page.body.contains(long.trim()));
        // Somebody new, and somebody who wants in, are told too.
        let terms = [("way", "guided"), ("level", "mid"), ("minutes", "untimed")];
        let path = format!("/prompts/{PROMPT}/attempts");
        let page = server.client().form(&path, &terms, &[]).expect("answers");
        assert_eq!(page.status, 500);
        assert!(page.body.contains("Something failed on our side"));
        saver.reads();

        std::fs::remove_file(disk.outside("ballast")).expect("space is made");
        let (status, body) = saver.save();
        assert_eq!(status, 200, "round {round}: {body}");
        let (status, body) = saver.status_of("/readyz");
        assert_eq!(status, 200, "{body}");
        saver.reads();
    }

    // Whatever happens next: it is on the disk, which is sound.
    fill(&disk.outside("ballast"));
    server.kill();
    let copied = tempfile::tempdir().expect("a folder");
    for name in ["headroom.db", "headroom.db-wal"] {
        std::fs::copy(disk.outside(name), copied.path().join(name)).expect("is copied");
    }
    let url = format!("sqlite:{}", copied.path().join("headroom.db").display());
    let db = Db::open(&url).await.expect("opens");
    assert_eq!(column(&db, "PRAGMA integrity_check").await, ["ok"]);
    let kept = column(
        &db,
        "SELECT body FROM revision WHERE name = 'api' ORDER BY revision",
    )
    .await;
    let newest = saver.acknowledged.len().saturating_sub(200);
    assert_eq!(kept, saver.acknowledged[newest..]);
    db.close().await;
}

/// Writes until nothing more goes onto the disk.
fn fill(ballast: &Path) {
    let mut file = std::fs::File::create(ballast).expect("a file");
    for size in [1024 * 1024, 4096, 1] {
        let zeros = vec![0; size];
        while file.write_all(&zeros).is_ok() {}
    }
}

/// Sets whether an SQLite database takes anything.
async fn set_read_only(db: &Db, on: bool) {
    let Db::Sqlite { write, .. } = db else {
        panic!("not an SQLite database");
    };
    let sql = if on {
        "PRAGMA query_only = ON"
    } else {
        "PRAGMA query_only = OFF"
    };
    sqlx::query(sql).execute(write).await.expect("is set");
}

#[tokio::test]
async fn reading_goes_on_where_nothing_can_be_written() {
    let app = TestApp::new().await;
    let (person, _) = administrator(&app).await;
    let attempt = person.start(Way::Interview, Level::Senior, Some(60)).await;
    attempt.save("api", 0, "k", "kept").await.expect(200);
    let guest = app.guided().await;
    let terms = [("way", "guided"), ("level", "mid"), ("minutes", "untimed")];
    let start = format!("/prompts/{PROMPT}/attempts");
    set_read_only(&app.db, true).await;
    // Late enough that the use of sessions is due to be noted.
    app.advance(10);
    for reply in [
        attempt.save("api", 1, "k2", "lost").await,
        attempt.save_form("api", "what I typed").await,
        guest.save("api", 0, "k", "lost").await,
        attempt.score("mid").await,
        app.guest().post_form(&start, &terms).await,
        sign_in(&app, "root@example.org", "").await.1,
    ] {
        let reply = reply.expect(500);
        assert!(reply.text().len() > 20, "{} without a word", reply.what);
    }
    for path in [
        attempt.path("api"),
        attempt.path("api/history"),
        attempt.path("score"),
        attempt.path("share"),
        attempt.path("export/attempt.md"),
        attempt.path("export/attempt.json"),
        "/attempts".to_owned(),
        "/account".to_owned(),
        "/account/sessions".to_owned(),
        "/account/second-factor".to_owned(),
        "/account/data".to_owned(),
        "/admin".to_owned(),
        "/admin/audit".to_owned(),
        "/admin/outbox".to_owned(),
        "/admin/health".to_owned(),
        "/".to_owned(),
    ] {
        person.get(&path).await.expect(200);
    }
    guest.get("api").await.expect(200);
    let page = attempt.get("api").await.expect(200);
    assert_eq!(page.form(&attempt.path("api"))["body"].trim(), "kept");
    // A new session is not pretended.
    assert!(
        app.guest()
            .get("/account")
            .await
            .expect(303)
            .location()
            .starts_with("/sign-in")
    );

    set_read_only(&app.db, false).await;
    attempt.save("api", 1, "k2", "saved").await.expect(200);
    guest.save("api", 0, "k", "saved").await.expect(200);
    sign_in(&app, "root@example.org", "").await.1.expect(303);
    person.get("/account").await.expect(200);
}

// A forged address.

/// A sign-in with a wrong password: the status.
fn wrong_password(client: &mut Client, email: &str, forwarded_for: &str) -> u16 {
    let headers = [("X-Forwarded-For", forwarded_for)];
    let headers = if forwarded_for.is_empty() {
        &[][..]
    } else {
        &headers
    };
    let fields = [("email", email), ("password", "not this one, surely")];
    let answer = client.form("/sign-in", &fields, headers).expect("answers");
    if answer.status == 429 {
        assert!(answer.retry_after.parse::<u32>().expect("seconds") > 0);
    }
    answer.status
}

#[tokio::test]
async fn a_forged_address_escapes_no_throttle() {
    let database = Database::empty_sqlite().await;
    database.db.close().await;
    let email = "nobody@example.org";
    let forged = |number: usize| format!("198.51.100.{number}");
    {
        // Nobody is trusted: the header is noise.
        let server = Server::start(&database.url);
        let mut client = server.client();
        for number in 0..5 {
            assert_eq!(wrong_password(&mut client, email, &forged(number)), 422);
        }
        for header in [
            &forged(77),
            "127.0.0.1",
            "::1",
            "",
            "unknown",
            "1.2.3.4, 5.6.7.8",
        ] {
            assert_eq!(wrong_password(&mut client, email, header), 429, "{header}");
        }
        server.kill();
    }
    // Behind a proxy on this machine: what the proxy wrote stands at the right end.
    let flags = ["--trusted-proxies=127.0.0.1/32"];
    let server = Server::run(Command::new(program()), &database.url, &flags);
    let mut client = server.client();
    let attacker = "203.0.113.7";
    for number in 0..5 {
        let header = format!("{}, {attacker}", forged(number));
        assert_eq!(wrong_password(&mut client, email, &header), 422);
    }
    for left in [
        "192.0.2.1, ",
        "127.0.0.1, ",
        "nonsense, ",
        "",
        "::1, 10.0.0.1, ",
    ] {
        let header = format!("{left}{attacker}");
        assert_eq!(wrong_password(&mut client, email, &header), 429, "{header}");
    }
    // The attacker's address throttles the attacker alone, and the next network of 64 bits is the same household.
    assert_eq!(wrong_password(&mut client, email, "203.0.113.8"), 422);
    for number in 0..5 {
        let header = format!("2001:db8:1:2::{number}");
        assert_eq!(wrong_password(&mut client, email, &header), 422);
    }
    assert_eq!(
        wrong_password(&mut client, email, "2001:db8:1:2:3:4:5:6"),
        429
    );
    assert_eq!(wrong_password(&mut client, email, "2001:db8:1:3::1"), 422);
}

// Signing out in the middle of things.

/// Saves until it is not let any more: how many were acknowledged, and the last answer.
async fn save_until_out(attempt: Attempt, saved: Arc<AtomicUsize>) -> (String, i64, u16) {
    let mut base = 0;
    loop {
        let reply = attempt
            .save(
                "api",
                base,
                &format!("apart-{base}"),
                &format!("text {base}"),
            )
            .await;
        if reply.status != 200 {
            return (attempt.id, base, reply.status.as_u16());
        }
        base += 1;
        saved.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

/// Reads a page until it is not shown any more: the last answer.
async fn read_until_out(guest: Guest, path: String) -> u16 {
    loop {
        let reply = guest.get(&path).await;
        if reply.status != 200 {
            return reply.status.as_u16();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_races_with_the_end_of_a_session_is_whole_or_refused() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let (administrator, _) = administrator(&app).await;
        for end in ["sign-out", "disable", "end-sessions", "password"] {
            let email = format!("{end}@example.org");
            let person = signed_up(&app, &email).await;
            let account = account_id(&app, &email).await;
            let mut savers = Vec::new();
            let mut readers = Vec::new();
            let saved = Arc::new(AtomicUsize::new(0));
            for number in 0..10 {
                let mut attempt = person.start(Way::Guided, Level::Mid, None).await;
                // Each request sends the cookie as it was, whatever came back to the others.
                attempt.guest = person.elsewhere();
                let path = if number % 2 == 0 {
                    attempt.path("api")
                } else {
                    "/account".to_owned()
                };
                readers.push(tokio::spawn(read_until_out(person.elsewhere(), path)));
                savers.push(tokio::spawn(save_until_out(attempt, saved.clone())));
            }
            let since = Instant::now();
            while saved.load(Ordering::SeqCst) < 30 {
                assert!(since.elapsed() < Duration::from_mins(1), "nobody can save");
                // The use of the session is noted again and again: that must not bring it back.
                app.advance(6);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            app.advance(6);
            let stolen = person.elsewhere();
            let admin = |what: &str| format!("/admin/accounts/{account}/{what}");
            let reply = match end {
                "sign-out" => person.post_form("/sign-out", &[]).await,
                "disable" => {
                    let reason = [("reason", "a bad day")];
                    administrator.post_form(&admin("disable"), &reason).await
                }
                "end-sessions" => administrator.post_form(&admin("end-sessions"), &[]).await,
                _ => {
                    let fields = [("current", PASSWORD), ("password", "quite another one, 8")];
                    person.post_form("/account/password", &fields).await
                }
            };
            reply.expect(303);
            for reader in readers {
                let status = tokio::time::timeout(Duration::from_mins(1), reader).await;
                let status = status.expect("is out").expect("no panic");
                assert!([303, 404].contains(&status), "{end}: {status}");
            }
            let mut acknowledged = Vec::new();
            for saver in savers {
                let saver = tokio::time::timeout(Duration::from_mins(1), saver).await;
                let (attempt, saves, status) = saver.expect("is out").expect("no panic");
                assert_eq!(status, 404, "{end}");
                acknowledged.push((attempt, saves));
            }

            // The cookie is dead, also a while later, and no session came back.
            for _ in 0..2 {
                let page = stolen.elsewhere().get("/account").await.expect(303);
                assert!(page.location().starts_with("/sign-in"), "{end}");
                app.advance(6);
            }
            let sql = "SELECT COALESCE(account_id, '-') FROM session WHERE account_id IS NOT NULL";
            let open = column(&app.db, sql).await;
            let left = open.iter().filter(|id| **id == account).count();
            assert_eq!(left, usize::from(end == "password"), "{end}");

            // Everything that was acknowledged is there, and nothing that was refused.
            if end == "disable" {
                sign_in(&app, &email, "").await.1.expect(422);
                let path = format!("/admin/accounts/{account}/enable");
                administrator.post_form(&path, &[]).await.expect(303);
            }
            let again = if end == "password" {
                person
            } else {
                let (again, reply) = sign_in(&app, &email, "").await;
                reply.expect(303);
                again
            };
            for (attempt, saves) in acknowledged {
                let path = format!("/attempts/{attempt}/export/attempt.json");
                let export = again.get(&path).await.expect(200).json();
                let revision = export["sections"][0]["revision"].as_i64().unwrap_or(0);
                assert_eq!(revision, saves, "{end}: {}", export["sections"]);
            }
        }
    })
    .await;
}

// A clock a year off.

/// Whether somebody is signed in, without giving up the cookie where not.
async fn is_in(guest: &Guest) -> bool {
    match guest.elsewhere().get("/account").await {
        reply if reply.status == 200 => true,
        reply => {
            assert!(reply.expect(303).location().starts_with("/sign-in"));
            false
        }
    }
}

#[tokio::test]
async fn sessions_outlive_a_clock_a_year_off() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let person = signed_up(&app, "ada@example.org").await;
        let guest = app.guided().await;
        app.advance(YEAR);
        assert!(!is_in(&person).await);
        let (ahead, reply) = sign_in(&app, "ada@example.org", "").await;
        reply.expect(303);
        app.advance(-YEAR);
        // The clock is right again: who was in is in, and who came in between does not stay for a year.
        assert!(is_in(&person).await);
        guest.get("api").await.expect(200);
        assert!(is_in(&ahead).await);
        app.advance(60);
        ahead.get("/account/sessions").await.expect(200);
        app.advance(31 * 24 * 60);
        assert!(
            !is_in(&ahead).await,
            "the session is as good as without end"
        );
        app.advance(-31 * 24 * 60);

        // Sessions that were all ended by a wrong clock: the person is not shut out until then.
        app.advance(YEAR);
        let (inside, reply) = sign_in(&app, "ada@example.org", "").await;
        reply.expect(303);
        let other = "a password of the year after, 9";
        let fields = [("current", PASSWORD), ("password", other)];
        inside
            .post_form("/account/password", &fields)
            .await
            .expect(303);
        app.advance(-YEAR);
        assert!(!is_in(&person).await, "all sessions were ended");
        let again = app.guest();
        let fields = [("email", "ada@example.org"), ("password", other)];
        again.post_form("/sign-in", &fields).await.expect(303);
        assert!(is_in(&again).await, "shut out for a year");
        let list = again.get("/account/sessions").await.expect(200);
        assert!(list.page().whole_text().contains("This"), "{}", list.text());
    })
    .await;
}

#[tokio::test]
async fn a_throttle_that_began_next_year_locks_nobody_out() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        signed_up(&app, "ada@example.org").await;
        let wrong = [("email", "ada@example.org"), ("password", "not this one")];
        let too_often = async || {
            for _ in 0..5 {
                app.guest().post_form("/sign-in", &wrong).await.expect(422);
            }
            let refused = app.guest().post_form("/sign-in", &wrong).await.expect(429);
            let seconds: i64 = refused.header("retry-after").parse().expect("seconds");
            assert!((1..=15 * 60).contains(&seconds), "{seconds}");
        };
        app.advance(YEAR);
        too_often().await;
        app.advance(-YEAR);
        sign_in(&app, "ada@example.org", "").await.1.expect(303);
        // Nor is it lifted by a clock that is right again.
        too_often().await;
        sign_in(&app, "ada@example.org", "").await.1.expect(429);
    })
    .await;
}

#[tokio::test]
async fn links_are_not_made_longer_by_a_clock_a_year_off() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        signed_up(&app, "ada@example.org").await;
        let account = account_id(&app, "ada@example.org").await;
        let issue = async || {
            let now = app.now();
            transact!(app.db, |conn| token::issue(
                conn,
                &account,
                Purpose::ResetPassword,
                "ada@example.org",
                random_bytes(),
                now
            )
            .await)
            .expect("issued")
        };
        let works = async |secret: &str| {
            let reply = app.guest().get(&format!("/reset-password/{secret}")).await;
            assert!(
                [200, 410].contains(&reply.status.as_u16()),
                "{}",
                reply.status
            );
            reply.status == 200
        };
        let secret = issue().await;
        app.advance(YEAR);
        assert!(!works(&secret).await);
        app.advance(-YEAR);
        assert!(works(&secret).await);
        app.advance(YEAR);
        let ahead = issue().await;
        assert!(works(&ahead).await);
        app.advance(-YEAR);
        assert!(!works(&ahead).await, "a link that works for a year");
        let secret = issue().await;
        assert!(works(&secret).await);
    })
    .await;
}

#[tokio::test]
async fn a_code_of_next_year_does_not_use_up_those_before() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        signed_up(&app, "ada@example.org").await;
        let account = account_id(&app, "ada@example.org").await;
        app.advance(YEAR);
        let (person_ahead, reply) = sign_in(&app, "ada@example.org", "").await;
        reply.expect(303);
        turn_on_second_factor(&app, &person_ahead, &account).await;
        app.advance(-YEAR);
        let enter = async |code: &str| {
            let (half_way, reply) = sign_in(&app, "ada@example.org", "").await;
            reply.expect(303);
            let path = "/sign-in/second-factor";
            let reply = half_way.post_form(path, &[("code", code)]).await;
            (half_way, reply.status.as_u16())
        };
        let now = code(&app, &account).await;
        let (inside, status) = enter(&now).await;
        assert_eq!(status, 303, "shut out for a year");
        assert!(is_in(&inside).await);
        assert_eq!(enter(&now).await.1, 422, "a code works once");
        app.advance(1);
        let next = code(&app, &account).await;
        assert_eq!(enter(&next).await.1, 303);
        assert_eq!(enter(&now).await.1, 422, "and not after a later one");
        app.advance(-1);
    })
    .await;
}

/// Minutes in a phase, as the export tells them.
async fn minutes_in(attempt: &Attempt, phase: &str) -> f64 {
    let export = attempt.get("export/attempt.json").await.expect(200).json();
    let phases = export["minutes_by_phase"]
        .as_array()
        .expect("a list")
        .clone();
    let found = phases.iter().find(|line| line["phase"] == phase);
    found.expect("there")["minutes"].as_f64().expect("a number")
}

#[tokio::test]
async fn an_attempt_outlives_a_clock_a_year_off() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let attempt = app.interview().await;
        attempt.save("api", 0, "k1", "one").await.expect(200);
        app.advance(YEAR);
        // The guest's session has ended by this clock; an account's person comes back in, and works on.
        attempt
            .guest
            .elsewhere()
            .get(&attempt.path("api"))
            .await
            .expect(404);
        let person = signed_up(&app, "ada@example.org").await;
        let born_ahead = person.start(Way::Interview, Level::Senior, Some(60)).await;
        let saved = born_ahead
            .save("api", 0, "k1", "ahead")
            .await
            .expect(200)
            .json();
        born_ahead.pulse("api", &json!({})).await.expect(200);
        app.advance(-YEAR);

        // The older one is as it was.
        attempt.get("api").await.expect(200);
        let again = attempt.save("api", 0, "k1", "one").await.expect(200).json();
        assert_eq!(again["revision"], 1);
        attempt.save("api", 1, "k2", "two").await.expect(200);

        // The one that began next year: nothing of it is lost, its clock stands at its start, and its time counts again.
        let page = born_ahead.get("api").await.expect(200);
        assert_eq!(page.form(&born_ahead.path("api"))["body"].trim(), "ahead");
        assert!(page.text().contains("left of 60 minutes"));
        let repeated = born_ahead
            .save("api", 0, "k1", "ahead")
            .await
            .expect(200)
            .json();
        assert_eq!(repeated["revision"], saved["revision"]);
        let before = minutes_in(&born_ahead, "api").await;
        app.advance(5);
        born_ahead.pulse("api", &json!({})).await.expect(200);
        assert_eq!(minutes_in(&born_ahead, "api").await, before + 5.0);
        // Each of these is a revision of its own, for they are minutes apart.
        for base in 1..=4 {
            let reply = born_ahead
                .save(
                    "api",
                    base,
                    &format!("k{base}-later"),
                    &format!("a longer text {base}"),
                )
                .await;
            reply.expect(200);
            app.advance(2);
        }
        let history = born_ahead.get("api/history").await.expect(200);
        let kept = history.text().matches("?revision=").count();
        assert!(
            kept >= 4,
            "{kept} revisions are left: {}",
            history.page().whole_text()
        );
        born_ahead.score("mid").await.expect(303);
        born_ahead.get("result").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn mail_that_was_leased_next_year_goes_out() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let post = async || {
            let (id, now) = (new_id(app.now()), app.now());
            let letter = outbox::Letter::PasswordChanged { at: now };
            transact!(app.db, |conn| outbox::enqueue(
                conn,
                &id,
                None,
                &letter,
                "ada@example.org",
                now
            )
            .await)
            .expect("waits");
            id
        };
        let lease = async || {
            let now = app.now();
            let due = transact!(app.db, |conn| {
                let any = outbox::any_due(conn, now).await?;
                let leases = outbox::lease_due(conn, now, outbox::LEASE, 10).await?;
                assert_eq!(any, !leases.is_empty());
                Ok(leases)
            });
            due.expect("leases")
        };
        let fail = async |lease: &outbox::Lease| {
            let (now, refusal) = (app.now(), outbox::Refusal::ForNow);
            let fate = transact!(app.db, |conn| outbox::mark_failed_try(
                conn, lease, refusal, "away", now, 0
            )
            .await);
            fate.expect("is noted")
        };
        let id = post().await;
        app.advance(YEAR);
        let leased = lease().await;
        assert_eq!(leased.len(), 1);
        assert_eq!(leased[0].id, id);
        app.advance(-YEAR);
        // The node that leased it died with its clock.
        let leased = lease().await;
        assert_eq!(leased.len(), 1, "it waits for a year");
        assert_eq!(lease().await, [], "a lease is a lease");
        app.advance(YEAR);
        // A failure at a time that is a year too late does not give it up.
        let fate = fail(&leased[0]).await;
        assert!(matches!(fate, outbox::Fate::Waits(_)), "{fate:?}");
        app.advance(-YEAR);
        assert_eq!(lease().await.len(), 1);
        // What was put in next year is not held back either.
        app.advance(YEAR);
        let ahead = post().await;
        app.advance(-YEAR);
        let leased = lease().await;
        assert_eq!(leased.len(), 1);
        assert_eq!(leased[0].id, ahead);
    })
    .await;
}

#[tokio::test]
async fn a_clock_a_year_ahead_sweeps_nobody_away() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let guest = app.guided().await;
        guest.save("api", 0, "k", "kept").await.expect(200);
        app.advance(YEAR);
        let mut until = last_seen(&app.db, app.now()).await.expect("reads");
        assert_eq!(until, START, "when somebody was last here");
        // A day and a half goes by before anybody looks at the clock.
        for _ in 0..36 {
            until = sweep_until(until, app.now());
            sweep_once(&app.db, until).await;
        }
        app.advance(-YEAR);
        guest.get("api").await.expect(200);
        assert_eq!(sweep_until(until, app.now()), app.now());

        // What has really ended goes in the end.
        app.advance(YEAR);
        let mut sweeps = 0;
        while !column(&app.db, "SELECT id FROM owner").await.is_empty() {
            until = sweep_until(until, app.now());
            sweep_once(&app.db, until).await;
            sweeps += 1;
            assert!(sweeps < 400, "it stays for good");
        }
        assert!(sweeps > 100, "{sweeps}");
        // A clock that is right is followed at once.
        assert_eq!(sweep_until(START, START + 60 * MINUTE), START + 60 * MINUTE);
    })
    .await;
}

#[tokio::test]
async fn every_page_is_there_whatever_the_clock_says() {
    let database = Database::sqlite().await;
    let world = World::new(&database).await;
    let guest = world.app.guided().await;
    let now = world.app.now();
    // Far ahead and far behind as well: the beginning of time, and what no calendar on a wall has.
    for away in [YEAR, -YEAR, -now / MINUTE, 500 * YEAR, 5000 * YEAR] {
        world.app.advance(away);
        for route in routes() {
            if route.method != Method::GET {
                continue;
            }
            for path in world.paths(&route).await {
                let reply = world.visitor(&route).await.get(&path).await;
                assert!(
                    !reply.status.is_server_error(),
                    "{away} {path}: {}",
                    reply.status
                );
            }
        }
        guest.guest.elsewhere().get("/attempts").await.expect(200);
        world.app.advance(-away);
        // A guest's work is still theirs.
        guest.get("api").await.expect(200);
    }
    database.discard().await;
}
