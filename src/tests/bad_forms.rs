//! What nobody should send, to every route that takes something: it is refused in words, nothing fails, nothing changes.
//!
//! Driven by the route table, so that a new route is tried too. What is special to attempts stands in `bad_input`.

use std::io::Cursor;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, Request};
use hyper::body::Frame;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::app::{
    Attempt, Guest, Reply, TestApp, in_the_library, phases, scorecard, urlencoded, with,
};
use super::engines::{Database, on_each_engine};
use super::exercises::begin;
use crate::accounts::store::token::{self, Purpose};
use crate::accounts::store::{self as accounts, AdminPermit, administration, second_factor};
use crate::app::{Access, Route, routes};
use crate::domain::account::Role;
use crate::domain::attempt::Way;
use crate::domain::level::Level;
use crate::mail::store::{Letter, enqueue};
use crate::server::assets;
use crate::server::clock::{new_id, random_bytes};
use crate::server::database::Db;
use crate::server::session::DatabaseSessions;
use crate::transact;

pub(super) const PASSWORD: &str = "four unrelated words, then 7";
const FORM: &str = "application/x-www-form-urlencoded";
type Zip = ZipWriter<Cursor<Vec<u8>>>;
const MEGABYTE: usize = 1024 * 1024;

/// Somebody who has just signed up.
pub(super) async fn signed_up(app: &TestApp, email: &str) -> Guest {
    let guest = app.guest();
    let fields = [("name", "Ada"), ("email", email), ("password", PASSWORD)];
    guest.post_form("/sign-up", &fields).await.expect(303);
    guest
}

pub(super) async fn sign_in(app: &TestApp, email: &str, next: &str) -> (Guest, Reply) {
    let guest = app.guest();
    let fields = [("email", email), ("password", PASSWORD), ("next", next)];
    let reply = guest.post_form("/sign-in", &fields).await;
    (guest, reply)
}

pub(super) async fn account_id(app: &TestApp, email: &str) -> String {
    let mut reader = app.db.read().await.expect("a reader");
    let known = accounts::credentials(&mut reader.conn(), email).await;
    known.expect("reads").expect("an account").id
}

/// What the authenticator of an account shows now.
pub(super) async fn code(app: &TestApp, account: &str) -> String {
    let mut reader = app.db.read().await.expect("a reader");
    let factor = second_factor::find(&mut reader.conn(), account).await;
    let secret = factor.expect("reads").expect("a second factor").secret;
    let totp = Builder::new()
        .with_secret(Secret::try_from_base32(&secret).expect("Base32"))
        .with_issuer(Some("Headroom"))
        .with_account_name(String::new())
        .build()
        .expect("an authenticator");
    let seconds = u64::try_from(app.now() / 1000).expect("after 1970");
    totp.generate(seconds).to_string()
}

/// Turns the second factor on.
pub(super) async fn turn_on_second_factor(app: &TestApp, guest: &Guest, account: &str) {
    let path = "/account/second-factor";
    guest
        .post_form(&format!("{path}/start"), &[("password", PASSWORD)])
        .await
        .expect(303);
    let code = code(app, account).await;
    guest
        .post_form(&format!("{path}/confirm"), &[("code", &code)])
        .await
        .expect(200);
}

/// An administrator who has shown both factors, and the account's id.
pub(super) async fn administrator(app: &TestApp) -> (Guest, String) {
    let guest = signed_up(app, "root@example.org").await;
    let id = account_id(app, "root@example.org").await;
    transact!(app.db, |conn| {
        let permit = AdminPermit::of_the_command_line();
        administration::grant(conn, &permit, &id, Role::Administrator, app.now()).await
    })
    .expect("granted");
    turn_on_second_factor(app, &guest, &id).await;
    guest.get("/admin").await.expect(200);
    (guest, id)
}

fn sessions(app: &TestApp) -> DatabaseSessions {
    DatabaseSessions {
        db: app.db.clone(),
        clock: app.state.clock.clone(),
    }
}

/// A person with everything: an attempt, an account, both factors, and an administrator's rights; and what their routes
/// are about.
pub(super) struct World {
    pub(super) app: TestApp,
    person: Guest,
    /// The person's session as it was opened.
    session: Record,
    account: String,
    attempt: Attempt,
    /// Work on an incident, and on a code review.
    exercises: [String; 2],
    share: String,
    other: String,
    letter: String,
}

impl World {
    pub(super) async fn new(database: &Database) -> Self {
        let app = TestApp::on(database, "http://headroom.test");
        let (person, account) = administrator(&app).await;
        let attempt = person.start(Way::Guided, Level::Senior, Some(60)).await;
        attempt.save("api", 0, "k", "kept").await.expect(200);
        attempt.post("shares", &[]).await.expect(200);
        let exercises = begin(&person, "kept").await;
        let share = column(&app.db, "SELECT id FROM share_link").await.remove(0);
        signed_up(&app, "other@example.org").await;
        let other = account_id(&app, "other@example.org").await;
        let letter = new_id(app.now());
        let now = app.now();
        transact!(app.db, |conn| enqueue(
            conn,
            &letter,
            Some(&other),
            &Letter::ResetPassword,
            "other@example.org",
            now
        )
        .await)
        .expect("waits");
        let cookie = person.cookies.lock().expect("sound")["headroom"].clone();
        let id: Id = cookie.parse().expect("an id");
        let session = sessions(&app).load(&id).await.expect("loads");
        Self {
            app,
            person,
            session: session.expect("is open"),
            account,
            attempt,
            exercises,
            share,
            other,
            letter,
        }
    }

    /// The addresses of a route, with parameters that lead somewhere.
    pub(super) async fn paths(&self, route: &Route) -> Vec<String> {
        let id = match route.path {
            path if path.starts_with("/admin/accounts") => &self.other,
            path if path.starts_with("/admin/outbox") => &self.letter,
            path if path.starts_with("/exercises/work/") => {
                let of_review = ["/comments", "/finish", "/meant"];
                let of_review = of_review.iter().any(|end| path.ends_with(end));
                &self.exercises[usize::from(of_review)]
            }
            _ => &self.attempt.id,
        };
        let mut path = in_the_library(route.path)
            .replace("{id}", id)
            .replace("{section}", "api")
            .replace("{link}", &self.share)
            .replace("{format}", "attempt.json")
            .replace(
                "{*file}",
                assets::url("headroom.css").trim_start_matches("/assets/"),
            );
        if path.contains("{token}") {
            path = path.replace("{token}", &self.token(route.path).await);
        }
        let paths = if path.contains("{*function}") {
            [
                "save_section",
                "pulse",
                "preview",
                "search",
                "calculate",
                "calculate_beside",
            ]
            .iter()
            .map(|function| path.replace("{*function}", function))
            .collect()
        } else {
            vec![path]
        };
        assert!(
            paths.iter().all(|path| !path.contains('{')),
            "this test does not know a parameter of {paths:?}"
        );
        paths
    }

    /// A secret that opens such a route.
    async fn token(&self, path: &str) -> String {
        let purpose = match path {
            "/verify-email/{token}" => Purpose::VerifyEmail,
            _ => Purpose::ResetPassword,
        };
        let (now, email) = (self.app.now(), "other@example.org");
        transact!(self.app.db, |conn| token::issue(
            conn,
            &self.other,
            purpose,
            email,
            random_bytes(),
            now
        )
        .await)
        .expect("a token")
    }

    /// A new browser of somebody who gets as far into the route as one can. No password is checked for it.
    pub(super) async fn visitor(&self, route: &Route) -> Guest {
        let visitor = self.app.guest();
        let half_way = route.path == "/sign-in/second-factor";
        if matches!(route.access, Access::Public | Access::Link)
            || route.access == Access::Session && !half_way && route.path != "/sign-out"
        {
            return visitor;
        }
        let mut record = self.session.clone();
        let now = self.app.now();
        if half_way {
            record.data.clear();
            let pending = json!({ "account": self.account, "epoch": 0, "at": now });
            record.data.insert("pending".to_owned(), pending);
        } else {
            record.data.insert("signed_in_at".to_owned(), json!(now));
        }
        let created = sessions(&self.app).create(&mut record).await;
        created.expect("is opened");
        let mut cookies = visitor.cookies.lock().expect("sound");
        cookies.insert("headroom".to_owned(), record.id.to_string());
        drop(cookies);
        visitor
    }

    /// Everything that a person would miss, but for what looking at it changes.
    async fn everything(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for sql in EVERYTHING {
            all.push(column(&self.app.db, sql).await);
        }
        all
    }
}

const EVERYTHING: [&str; 12] = [
    "SELECT id || ' ' || name || ' ' || email || ' ' || password_hash || ' ' || time_zone || ' ' || theme || ' ' || \
     COALESCE(level, '-') || ' ' || COALESCE(disabled_at, 0) FROM account ORDER BY id",
    "SELECT account_id || ' ' || role FROM role_grant ORDER BY account_id, role",
    "SELECT account_id || ' ' || secret || ' ' || COALESCE(confirmed_at, 0) FROM second_factor ORDER BY account_id",
    "SELECT account_id || ' ' || code_hash || ' ' || COALESCE(used_at, 0) FROM recovery_code ORDER BY account_id, code_hash",
    "SELECT id || ' ' || recipient || ' ' || tries FROM outbox ORDER BY id",
    "SELECT id || ' ' || COALESCE(revoked_at, 0) FROM share_link ORDER BY id",
    "SELECT id || ' ' || owner_id FROM attempt ORDER BY id",
    "SELECT attempt_id || ' ' || name || ' ' || revision || ' ' || body FROM section ORDER BY attempt_id, name",
    "SELECT attempt_id || ' ' || name || ' ' || revision || ' ' || body FROM revision ORDER BY attempt_id, name, revision",
    "SELECT attempt_id || ' ' || number FROM hint ORDER BY attempt_id, number",
    "SELECT id || ' ' || number FROM score ORDER BY id",
    "SELECT id || ' ' || answers || ' ' || COALESCE(finished_at, 0) || ' ' || COALESCE(scores, '-') FROM exercise ORDER BY id",
];

/// These act on some of it, and rightly so: their address is enough, or a password or a reason may be anything.
const ACT: [&str; 8] = [
    "/reset-password/{token}",
    "/admin/accounts/{id}/disable",
    "/admin/accounts/{id}/enable",
    "/attempts/{id}/calculators/{name}",
    "/attempts/{id}/hints",
    "/attempts/{id}/shares",
    "/attempts/{id}/shares/{link}/revoke",
    "/exercises/work/{id}/finish",
];

pub(super) async fn column(db: &Db, sql: &'static str) -> Vec<String> {
    match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await,
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await,
    }
    .expect("reads")
}

/// Every field that a form of ours has, and some that none has.
const FIELDS: [&str; 40] = [
    "name",
    "email",
    "password",
    "current",
    "confirm",
    "code",
    "level",
    "interview_on",
    "hours_a_week",
    "time_zone",
    "theme",
    "next",
    "session",
    "role",
    "reason",
    "way",
    "minutes",
    "focus",
    "body",
    "base",
    "key",
    "row",
    "text",
    "then",
    "back",
    "revision",
    "score",
    "rating.requirements",
    "evidence.requirements",
    "step",
    "comment",
    "file",
    "first",
    "last",
    "kind",
    "severity",
    "do",
    "meant",
    "q",
    "\u{0}",
];

/// A body that nobody should send, and what it is said to be.
struct Bad {
    what: &'static str,
    kind: Option<&'static str>,
    body: Bytes,
    /// Whether its length is said before.
    with_length: bool,
}

fn bad(what: &'static str, kind: impl Into<Option<&'static str>>, body: impl Into<Vec<u8>>) -> Bad {
    Bad {
        what,
        kind: kind.into(),
        body: Bytes::from(body.into()),
        with_length: true,
    }
}

/// Each field with the same value, as it stands in a form.
fn all_fields(value: &str) -> String {
    let name = |field: &str| urlencoded(&[(field, "")]);
    FIELDS.map(|field| name(field) + value).join("&")
}

fn parts(count: usize, part: &str) -> String {
    format!("--x\r\n{part}\r\n").repeat(count)
}

fn zip_with(entry: impl FnOnce(&mut Zip) -> zip::result::ZipResult<()>) -> Vec<u8> {
    let mut zip = Zip::new(Cursor::new(Vec::new()));
    entry(&mut zip).expect("an entry");
    zip.finish().expect("is written").into_inner()
}

/// A file as the import page sends it.
fn upload(file: &[u8]) -> Vec<u8> {
    let head = b"--x\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"a\"\r\n\r\n";
    [head, file, b"\r\n--x--\r\n"].concat()
}

fn bad_bodies() -> Vec<Bad> {
    let plain = SimpleFileOptions::default();
    let json_kind = "application/json";
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let multipart = "multipart/form-data; boundary=x";
    let field = |name: &str, value: &str| {
        format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}")
    };
    let file = |value: &str| {
        format!("Content-Disposition: form-data; name=\"archive\"; filename=\"a\"\r\n\r\n{value}")
    };
    let half = format!("--x\r\n{}", file("{\"format\": \"headroom"));
    let long_name = format!("name={}", "n".repeat(10 * MEGABYTE));
    let five = format!("body={}", "b".repeat(5 * MEGABYTE));
    vec![
        bad("nothing", FORM, ""),
        bad("no kind", None, "name=x&body=x&key=k"),
        bad("text", "text/plain", "name=x&body=x&key=k"),
        bad("a kind that is none", "/;;=\t", "name=x"),
        bad(
            "another character set",
            "application/x-www-form-urlencoded; charset=utf-16",
            "",
        ),
        bad("a name of 10 MB", FORM, long_name),
        bad("5 MB", FORM, five.clone()),
        Bad {
            with_length: false,
            ..bad("5 MB of a length that is not said", FORM, five)
        },
        bad(
            "unfinished percent escapes",
            FORM,
            "%&name=%&email=%e&password=%zz&body=%f&key=%&code=%%%&theme=%&level=%",
        ),
        bad("signs without fields", FORM, "&&&===&=&;;"),
        bad("NUL", FORM, all_fields("%00")),
        bad("raw NUL", FORM, vec![0; 4096]),
        bad("no UTF-8 as escapes", FORM, all_fields("%ff%fe")),
        bad(
            "no UTF-8",
            FORM,
            b"name=\xff&\xfe=\xc3\x28&body=\xf0\x28\x8c\x28&level=\xff".to_vec(),
        ),
        bad("a lone surrogate as escapes", FORM, all_fields("%ED%A0%80")),
        bad(
            "control characters",
            FORM,
            all_fields("%0d%0aSet-Cookie:%20a=b%1b%5b2J"),
        ),
        bad(
            "numbers that are none",
            FORM,
            all_fields("99999999999999999999999"),
        ),
        bad("150 000 fields", FORM, "a&".repeat(150_000)),
        bad(
            "twice",
            FORM,
            format!("{}&{}", all_fields("x"), all_fields("y")),
        ),
        bad("JSON in a form", FORM, "{\"name\": \"x\"}"),
        bad("no JSON", json_kind, ""),
        bad("unfinished JSON", json_kind, "{\"attempt\": \"x"),
        bad("deep JSON", json_kind, deep(100_000)),
        bad(
            "deep JSON in a field",
            json_kind,
            format!(
                "{{\"attempt\": {}, \"markdown\": {}}}",
                deep(200),
                deep(50_000)
            ),
        ),
        bad(
            "a lone surrogate",
            json_kind,
            r#"{"attempt": "\ud800", "section": "\udfff", "body": "\ud800x", "base": 0, "key": "\ud800", "known": {"\ud800": 1}, "markdown": "\ud800"}"#,
        ),
        bad("NUL in JSON", json_kind, vec![0; 4096]),
        bad(
            "JSON that says things twice",
            json_kind,
            r#"{"attempt": "a", "attempt": "b", "section": "api", "section": "api", "body": "x", "body": "y", "base": 0, "base": 1, "key": "k", "known": {}, "known": {}, "markdown": "x", "markdown": "y"}"#,
        ),
        bad(
            "5 MB of JSON",
            json_kind,
            format!("{{\"markdown\": \"{}\"}}", "m".repeat(5 * MEGABYTE)),
        ),
        bad(
            "parts without a boundary",
            "multipart/form-data",
            parts(1, &field("name", "x")),
        ),
        bad(
            "parts of an empty boundary",
            "multipart/form-data; boundary=",
            parts(1, &field("name", "x")),
        ),
        bad(
            "parts of a long boundary",
            "multipart/form-data; boundary=\"a very long one, which stands nowhere in what is sent, and goes on and on\"",
            parts(1, &field("name", "x")),
        ),
        bad("half a part", multipart, half),
        bad("half a header of a part", multipart, "--x\r\nContent-Dispo"),
        bad(
            "a part with a header of 1 MB",
            multipart,
            parts(1, &format!("X: {}", "x".repeat(MEGABYTE))),
        ),
        bad("an end without parts", multipart, "--x--\r\n"),
        bad(
            "1000 parts without an end",
            multipart,
            parts(1000, &field("name", "x")),
        ),
        bad(
            "1000 files",
            multipart,
            parts(1000, &file("{}")) + "--x--\r\n",
        ),
        bad(
            "a file that is no archive",
            multipart,
            parts(1, &file("PK\u{3}\u{4}nothing")) + "--x--\r\n",
        ),
        bad(
            "an archive that leads elsewhere",
            multipart,
            upload(&zip_with(|zip| zip.start_file("../headroom.json", plain))),
        ),
        bad(
            "an archive with a link",
            multipart,
            upload(&zip_with(|zip| {
                zip.add_symlink("headroom.json", "/etc/passwd", plain)
            })),
        ),
        bad(
            "a deep file",
            multipart,
            parts(1, &file(&deep(100_000))) + "--x--\r\n",
        ),
        bad(
            "a file with a lone surrogate",
            multipart,
            parts(1, &file(r#"{"format": "\ud800"}"#)) + "--x--\r\n",
        ),
        bad(
            "parts with NUL",
            multipart,
            parts(3, &field("archive\0", "\0")) + "--x--\r\n",
        ),
    ]
}

/// A body that comes in pieces, of nobody knows what length.
struct Pieces(Bytes);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let length = self.0.len().min(64 * 1024);
        let piece = self.0.split_to(length);
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }
}

async fn send(guest: &Guest, path: &str, bad: &Bad) -> Reply {
    let accept = if path.starts_with("/api/") {
        "application/json"
    } else {
        "text/html"
    };
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "headroom.test")
        .header("sec-fetch-site", "same-origin")
        .header(ACCEPT, accept);
    if let Some(kind) = bad.kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    let body = bad.body.clone();
    let body = if bad.with_length {
        request = request.header(CONTENT_LENGTH, body.len());
        Body::from(body)
    } else {
        Body::new(Pieces(body))
    };
    guest.send(request.body(body).expect("a request")).await
}

/// The answer is ours, whole and in words, whatever was sent.
#[track_caller]
fn is_answered(what: &str, reply: &Reply) {
    let start: String = reply.text().chars().take(400).collect();
    assert!(
        !reply.status.is_server_error(),
        "{what}: {}: {start}",
        reply.status
    );
    if reply.status.is_client_error() {
        if reply.what.contains(" /api/") {
            assert!(!start.is_empty(), "{what}: {} without a word", reply.status);
        } else {
            let words = reply.page().text("main");
            assert!(words.len() > 40, "{what}: {}: {words}", reply.status);
        }
    }
    for word in ["panicked", "sqlx", "src/", "serde"] {
        assert!(!start.contains(word), "{what} shows the cause: {start}");
    }
}

#[tokio::test]
async fn every_route_refuses_what_nobody_should_send() {
    on_each_engine(async |database| {
        let world = World::new(database).await;
        let bodies = bad_bodies();
        let mut tried = 0;
        let mut acting = Vec::new();
        for route in routes() {
            if route.method != Method::POST {
                continue;
            }
            let before = world.everything().await;
            for path in world.paths(&route).await {
                for bad in &bodies {
                    // Tries are counted by the quarter of an hour: without a pause most would only be told to wait.
                    world.app.advance(16);
                    let path = if route.path.contains("{token}") {
                        world.paths(&route).await.remove(0)
                    } else {
                        path.clone()
                    };
                    let visitor = world.visitor(&route).await;
                    let reply = send(&visitor, &path, bad).await;
                    let what = format!("{} of {}", bad.what, route.path);
                    is_answered(&what, &reply);
                    let import = route.path == "/account/import";
                    if bad.with_length && bad.body.len() > 4 * MEGABYTE && !import {
                        assert_eq!(reply.status, 413, "{what}");
                    }
                    tried += 1;
                }
            }
            if ACT.contains(&route.path) {
                acting.push(route.path);
            } else {
                assert_eq!(world.everything().await, before, "POST {}", route.path);
            }
        }
        assert!(tried > 1000, "{tried}");
        assert_eq!(acting.len(), ACT.len(), "{acting:?}");
        // It was about something.
        let sections = world.everything().await[7].concat();
        assert!(sections.contains(" api 1 kept"), "{sections}");
    })
    .await;
}

#[tokio::test]
async fn of_two_fields_of_a_name_the_first_counts() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let twice = "body=first&body=second&key=k&key=l&base=0&base=9&then=api&then=score";
    attempt
        .guest
        .post_raw(&attempt.path("api"), FORM, twice)
        .await
        .expect(303);
    let saved = attempt.get("export/attempt.json").await.json();
    assert_eq!(saved["sections"][0]["body"], "first");
    assert_eq!(saved["sections"][0]["revision"], 1);
    attempt
        .guest
        .post_raw("/theme", FORM, "theme=dark&theme=light")
        .await
        .expect(422);
}

#[tokio::test]
async fn addresses_and_queries_of_nonsense_are_answered() {
    on_each_engine(async |database| {
        let world = World::new(database).await;
        let fields = [
            "q", "page", "action", "account", "from", "to", "show", "done", "next", "level",
            "revision", "saved", "panel",
        ];
        let queries = [
            "%00",
            "%ff%fe",
            "%ED%A0%80",
            "%",
            "99999999999999999999",
            "%27%20OR%201=1--",
            "%25_%5C",
        ]
        .map(|value| fields.map(|field| format!("{field}={value}")).join("&"));
        let long = "n".repeat(20_000);
        let odd = [
            "%00",
            "%FF",
            "..%2f..%2fx",
            "%F0%9F%A6%80",
            "'",
            "0",
            long.as_str(),
        ];
        for route in routes() {
            if route.method == Method::GET {
                for path in world.paths(&route).await {
                    let visitor = world.visitor(&route).await;
                    for query in queries.iter().map(String::as_str).chain([
                        "done=a&done=b&q=1&q=2",
                        "&&&=",
                        "?",
                    ]) {
                        let reply = visitor.get(&format!("{path}?{query}")).await;
                        is_answered(&format!("GET {path}?{query}"), &reply);
                    }
                }
            }
            if !route.path.contains('{') || route.path.contains("{*") {
                continue;
            }
            for value in odd {
                let parameters = route
                    .path
                    .split('/')
                    .map(|part| if part.starts_with('{') { value } else { part });
                let path = parameters.collect::<Vec<_>>().join("/");
                let visitor = world.visitor(&route).await;
                let reply = if route.method == Method::GET {
                    visitor.get(&path).await
                } else {
                    visitor.post_form(&path, &[("password", PASSWORD)]).await
                };
                let what = format!("{} {}", route.method, &path[..path.len().min(80)]);
                is_answered(&what, &reply);
                assert!(reply.status.is_client_error(), "{what}: {}", reply.status);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn another_port_is_another_site() {
    let database = Database::sqlite().await;
    let world = World::new(&database).await;
    let before = world.everything().await;
    let ours = ("host", "headroom.test:3000");
    let refused: [&[(&str, &str)]; 7] = [
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://headroom.test:4000"),
        ],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://headroom.test:3000"),
        ],
        &[("origin", "http://headroom.test:4000")],
        &[("origin", "http://headroom.test")],
        &[("origin", "http://headroom.test:30000")],
        &[("origin", "http://headroom.test:300")],
        &[
            ("origin", "http://headroom.test:4000"),
            ("referer", "http://headroom.test:3000/account"),
        ],
    ];
    let allowed = [ours, ("origin", "http://headroom.test:3000")];
    let post = async |guest: &Guest, path: &str, headers: &[(&str, &str)]| {
        let request = with(Request::builder().method(Method::POST).uri(path), headers)
            .header(CONTENT_TYPE, FORM)
            .header(ACCEPT, "text/html");
        let body = Body::from("body=forged&key=k&base=1&theme=dark&reason=forged&role=mentor");
        guest.send(request.body(body).expect("a request")).await
    };
    let posts: Vec<Route> = routes()
        .into_iter()
        .filter(|route| route.method == Method::POST)
        .collect();
    for route in &posts {
        let visitor = world.visitor(route).await;
        for path in world.paths(route).await {
            for headers in refused {
                let headers: Vec<_> = [ours].iter().chain(headers).copied().collect();
                let reply = post(&visitor, &path, &headers).await.expect(403);
                assert!(!reply.headers.contains_key("set-cookie"), "{path}");
                assert!(!reply.headers.contains_key("access-control-allow-origin"));
            }
        }
    }
    assert_eq!(world.everything().await, before);
    // The same from our own port gets through.
    for route in &posts {
        let visitor = world.visitor(route).await;
        for path in world.paths(route).await {
            let reply = post(&visitor, &path, &allowed).await;
            assert_ne!(reply.status, 403, "{path}");
        }
    }
    assert_ne!(world.everything().await, before);
    database.discard().await;
}

/// Addresses of elsewhere, in the spellings that browsers take for one.
const ELSEWHERE: [&str; 16] = [
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/\r\nLocation: //evil.example",
];

/// As a browser would read it.
#[track_caller]
fn stays_here(what: &str, location: &str) {
    let second = location.as_bytes().get(1).copied().unwrap_or_default();
    assert!(
        location.starts_with('/') && second != b'/' && second != b'\\',
        "{what} leads to {location}"
    );
    assert!(!location.contains("evil"), "{what} leads to {location}");
}

#[tokio::test]
async fn signing_in_leads_to_no_other_site() {
    let app = TestApp::new().await;
    let person = signed_up(&app, "ada@example.org").await;
    for next in ELSEWHERE {
        let (_, reply) = sign_in(&app, "ada@example.org", next).await;
        stays_here(&format!("{next:?}"), reply.expect(303).location());
        // Who is signed in already is sent on at once.
        for page in ["sign-in", "sign-up"] {
            let path = format!("/{page}?{}", urlencoded(&[("next", next)]));
            stays_here(&path, person.get(&path).await.expect(303).location());
            let shown = app.guest().get(&path).await.expect(200);
            for link in shown.page().all("a[href], form[action]") {
                let address = link.attr("href").or(link.attr("action"));
                let address = address.unwrap_or_default();
                assert!(
                    address.starts_with('#')
                        || address.starts_with('/') && !address.starts_with("//"),
                    "{path} has a link to {address}"
                );
            }
        }
    }
    // It does lead on to a page of ours.
    let (_, reply) = sign_in(&app, "ada@example.org", "/prompts?level=mid").await;
    assert_eq!(reply.expect(303).location(), "/prompts?level=mid");

    let account = account_id(&app, "ada@example.org").await;
    turn_on_second_factor(&app, &person, &account).await;
    for next in ELSEWHERE {
        app.advance(1);
        let (half_way, reply) = sign_in(&app, "ada@example.org", next).await;
        stays_here(&format!("{next:?}"), reply.expect(303).location());
        let code = code(&app, &account).await;
        let fields = [("code", code.as_str()), ("next", next)];
        let reply = half_way.post_form("/sign-in/second-factor", &fields).await;
        stays_here(&format!("{next:?}"), reply.expect(303).location());
    }
    for (number, next) in ELSEWHERE.iter().enumerate() {
        let email = format!("guest{number}@example.org");
        let fields = [
            ("name", "Ada"),
            ("email", &email),
            ("password", PASSWORD),
            ("next", next),
        ];
        let reply = app.guest().post_form("/sign-up", &fields).await;
        stays_here(&format!("{next:?}"), reply.expect(303).location());
    }
}

/// Each is cheap to send and dear to a careless renderer: nesting, references, tables, unfinished links and comments.
fn bombs() -> Vec<String> {
    let pieces = [">", "[", "*a_", "- ", "|a", "![](", "`", "<!--a", "[^a]"];
    let mut bombs: Vec<String> = pieces
        .iter()
        .map(|piece| piece.repeat(60 * 1024 / piece.len()))
        .collect();
    let nested: String = (0..330)
        .map(|depth| format!("{}- x\n", " ".repeat(depth)))
        .collect();
    bombs.push(nested);
    bombs.push(format!(
        "{}\n\n[a]: /{}\n",
        "[a]".repeat(9000),
        "x".repeat(30_000)
    ));
    bombs.push(format!(
        "|{}\n|{}\n|x\n",
        "a|".repeat(8000),
        "-|".repeat(8000)
    ));
    bombs
}

#[tokio::test]
async fn markdown_bombs_are_kept_and_shown_quickly() {
    let app = TestApp::new().await;
    let started = Instant::now();
    let sections: Vec<&str> = phases().collect();
    for (number, bombs) in bombs().chunks(sections.len()).enumerate() {
        let attempt = app.guided().await;
        for (section, bomb) in sections.iter().zip(bombs) {
            let saved = attempt.save(section, 0, section, bomb).await.expect(200);
            assert_eq!(saved.json()["revision"], 1);
            let page = attempt.get(section).await.expect(200);
            assert!(page.form(&attempt.path(section))["body"].contains(bomb.trim()));
            let arguments = json!({ "markdown": bomb });
            let preview = attempt.guest.call("preview", &arguments).await;
            assert!(preview.expect(200).json().is_string());
            attempt.get(&format!("{section}/history")).await.expect(200);
        }
        let shared = attempt.post("shares", &[]).await.expect(200);
        let link = shared.text();
        let at = link.find("/shared/").expect("a link");
        let link = link[at..]
            .chars()
            .take("/shared/".len() + 64)
            .collect::<String>();
        app.guest().get(&link).await.expect(200);
        attempt.get("score").await.expect(200);
        let evidence: String = bombs[0].chars().take(2000).collect();
        attempt
            .commit(&scorecard("mid", &evidence))
            .await
            .expect(303);
        attempt.get("result").await.expect(200);
        app.guest().get(&link).await.expect(200);
        for format in ["attempt.md", "attempt.json"] {
            attempt.get(&format!("export/{format}")).await.expect(200);
        }
        eprintln!("{number}: {:?}", started.elapsed());
    }
    // Not a figure, only the difference between linear and quadratic.
    assert!(started.elapsed().as_secs() < 90, "{:?}", started.elapsed());
}

/// What a server function answers to arguments of the right shape, so that the driver's refusals are worth something.
#[tokio::test]
async fn what_is_right_gets_through() {
    let database = Database::sqlite().await;
    let world = World::new(&database).await;
    let id = &world.attempt.id;
    for (function, arguments) in [
        (
            "save_section",
            json!({ "attempt": id, "section": "api", "body": "x", "base": 1, "key": "k2" }),
        ),
        (
            "pulse",
            json!({ "attempt": id, "section": "api", "known": {} }),
        ),
        ("preview", json!({ "markdown": "x" })),
    ] {
        let reply: Value = world
            .person
            .call(function, &arguments)
            .await
            .expect(200)
            .json();
        assert!(!reply.is_null(), "{function}");
    }
    for route in routes() {
        if route.method == Method::GET {
            let visitor = world.visitor(&route).await;
            for path in world.paths(&route).await {
                let reply = visitor.get(&path).await;
                let known = [
                    "/dev/version",
                    "/admin/audit/export/{format}",
                    "/shared/{token}",
                ];
                assert!(
                    reply.status.as_u16() < 400 || known.contains(&route.path),
                    "{path}: {}",
                    reply.status
                );
            }
        }
    }
    database.discard().await;
}
