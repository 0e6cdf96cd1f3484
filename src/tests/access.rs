//! Who may what: every route and every server function, driven as every role, against one declared table.
//!
//! Routes come from the route table and functions from their registry, so that one without a row fails here. What a role
//! is refused must change nothing, show nothing of anybody's, and look like what does not exist.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};
use tempfile::TempDir;

use super::app::{
    Attempt, Authenticator, Guest, PASSWORD, Reply, TestApp, in_the_library, published, scorecard,
};
use super::engines::Database;
use super::exercises::begin;
use super::migrations::{everything, schema};
use crate::accounts::store::AdminPermit;
use crate::accounts::store::administration;
use crate::accounts::store::token::{self, Purpose};
use crate::app::{Access, routes};
use crate::domain::account::Role;
use crate::domain::attempt::Way;
use crate::domain::level::Level;
use crate::mail;
use crate::mail::store::{LEASE, Letter, Refusal};
use crate::server::assets;
use crate::server::clock::new_id;
use crate::server::database::{Db, StoreError};
use crate::server::zip_archive::read_upload;
use crate::transact;

/// What each role is answered. The columns:
///
/// - `nobody` has no session, and tries for what is the guest's.
/// - `guest` tries for its own attempt, `guest2`, another guest, for the first one's.
/// - `person` is a candidate with an account, and tries for their own; `person2`, `mentor` and `admin` try for theirs.
/// - `admin` is an administrator with a second factor, `admin1` one without.
/// - `disabled` has the old session of an account that was disabled, and tries for what was theirs.
/// - `ended` is nobody with a share link that was revoked and mailed links that were replaced.
///
/// The answers: `ok` is 200; `go` leads on after a form, or to where something is; `in` leads to the sign-in page; `none` is
/// 404, the same byte for byte as for what does not exist; `shut` is 403; `gone` is 410; `bad` is 400 or 422 for what the
/// request holds. All but `ok` and `go` change nothing, and neither does reading.
const TABLE: &str = "
                                               nobody guest guest2 person person2 mentor admin admin1 disabled ended
GET  /                                         ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /prompts                                  ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reference                                ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reference/glossary                       ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reference/glossary/{term}                ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reference/roadmap                        ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reference/reading                        ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reference/{page}                         ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /calculators                              ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /calculators/{name}                       ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /search                                   ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /prompts/{slug}                           ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
POST /prompts/{slug}/attempts                  go     go    go     go     go      go     go    go     go       go
GET  /attempts                                 ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /attempts/{id}                            none   go    none   go     none    none   none  none   none     none
GET  /attempts/{id}/score                      none   ok    none   ok     none    none   none  none   none     none
POST /attempts/{id}/score                      none   go    none   go     none    none   none  none   none     none
GET  /attempts/{id}/result                     none   go    none   go     none    none   none  none   none     none
GET  /attempts/{id}/export/{format}            none   ok    none   ok     none    none   none  none   none     none
POST /attempts/{id}/calculators/{name}         none   go    none   go     none    none   none  none   none     none
POST /attempts/{id}/hints                      none   go    none   go     none    none   none  none   none     none
GET  /attempts/{id}/share                      none   ok    none   ok     none    none   none  none   none     none
POST /attempts/{id}/shares                     none   ok    none   ok     none    none   none  none   none     none
POST /attempts/{id}/shares/{link}/revoke       none   go    none   go     none    none   none  none   none     none
GET  /shared/{token}                           ok     ok    ok     ok     ok      ok     ok    ok     ok       none
GET  /attempts/{id}/{section}                  none   ok    none   ok     none    none   none  none   none     none
POST /attempts/{id}/{section}                  none   go    none   go     none    none   none  none   none     none
GET  /attempts/{id}/{section}/history          none   ok    none   ok     none    none   none  none   none     none
POST /attempts/{id}/{section}/restore          none   go    none   go     none    none   none  none   none     none

GET  /exercises                                ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /exercises/debugging/{slug}               ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
POST /exercises/debugging/{slug}/work          go     go    go     go     go      go     go    go     go       go
GET  /exercises/code-review/{slug}             ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
POST /exercises/code-review/{slug}/work        go     go    go     go     go      go     go    go     go       go
GET  /exercises/work/{id}                      none   ok    none   ok     none    none   none  none   none     none
POST /exercises/work/{id}/step                 none   go    none   go     none    none   none  none   none     none
POST /exercises/work/{id}/comments             none   go    none   go     none    none   none  none   none     none
POST /exercises/work/{id}/finish               none   go    none   go     none    none   none  none   none     none
GET  /exercises/work/{id}/score                none   go    none   go     none    none   none  none   none     none
POST /exercises/work/{id}/score                none   go    none   go     none    none   none  none   none     none
GET  /exercises/work/{id}/result               none   go    none   go     none    none   none  none   none     none
POST /exercises/work/{id}/meant                none   go    none   go     none    none   none  none   none     none

POST /api/{*function}                          bad    bad   bad    bad    bad     bad    bad   bad    bad      bad
CALL save_section                              none   ok    none   ok     none    none   none  none   none     none
CALL pulse                                     none   ok    none   ok     none    none   none  none   none     none
CALL calculate_beside                          ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
CALL calculate                                 ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
CALL search                                    ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
CALL preview                                   none   ok    ok     ok     ok      ok     ok    ok     none     none

POST /reference/ticks                          in     in    in     go     go      go     go    go     in       in

GET  /sign-up                                  ok     ok    ok     go     go      go     go    go     ok       ok
POST /sign-up                                  go     go    go     go     go      go     go    go     go       go
GET  /sign-in                                  ok     ok    ok     go     go      go     go    go     ok       ok
POST /sign-in                                  go     go    go     go     go      go     go    go     go       go
GET  /sign-in/second-factor                    in     in    in     in     in      in     in    in     in       in
POST /sign-in/second-factor                    in     in    in     in     in      in     in    in     in       in
POST /sign-out                                 go     go    go     go     go      go     go    go     go       go
GET  /forgot-password                          ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
POST /forgot-password                          ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /reset-password/{token}                   ok     ok    ok     ok     ok      ok     ok    ok     ok       gone
POST /reset-password/{token}                   go     go    go     go     go      go     go    go     go       gone
GET  /verify-email/{token}                     ok     ok    ok     ok     ok      ok     ok    ok     ok       gone
POST /verify-email/{token}                     go     go    go     go     go      go     go    go     go       gone

GET  /account                                  in     in    in     ok     ok      ok     ok    ok     in       in
POST /account/profile                          in     in    in     go     go      go     go    go     in       in
POST /account/password                         in     in    in     go     go      go     go    go     in       in
POST /account/email                            in     in    in     go     go      go     go    go     in       in
POST /account/verify                           in     in    in     go     go      go     go    go     in       in
GET  /account/sessions                         in     in    in     ok     ok      ok     ok    ok     in       in
POST /account/sessions/end                     in     in    in     go     go      go     go    go     in       in
POST /account/sessions/end-all                 in     in    in     go     go      go     go    go     in       in
POST /account/sessions/end-others              in     in    in     go     go      go     go    go     in       in
GET  /account/second-factor                    in     in    in     ok     ok      ok     ok    ok     in       in
POST /account/second-factor/start              in     in    in     go     go      go     go    go     in       in
POST /account/second-factor/confirm            in     in    in     go     go      go     go    go     in       in
POST /account/second-factor/codes              in     in    in     go     go      go     ok    go     in       in
POST /account/second-factor/off                in     in    in     go     go      go     bad   go     in       in
GET  /account/data                             in     in    in     ok     ok      ok     ok    ok     in       in
GET  /account/export                           in     in    in     ok     ok      ok     ok    ok     in       in
POST /account/import                           in     in    in     bad    bad     bad    bad   bad    in       in
POST /account/delete                           in     in    in     go     go      go     go    go     in       in

GET  /admin                                    in     in    in     none   none    none   ok    shut   in       in
GET  /admin/accounts/{id}                      in     in    in     none   none    none   ok    shut   in       in
POST /admin/accounts/{id}/grant                in     in    in     none   none    none   go    shut   in       in
POST /admin/accounts/{id}/revoke               in     in    in     none   none    none   go    shut   in       in
POST /admin/accounts/{id}/disable              in     in    in     none   none    none   go    shut   in       in
POST /admin/accounts/{id}/enable               in     in    in     none   none    none   go    shut   in       in
POST /admin/accounts/{id}/end-sessions         in     in    in     none   none    none   go    shut   in       in
POST /admin/accounts/{id}/reset-link           in     in    in     none   none    none   ok    shut   in       in
GET  /admin/audit                              in     in    in     none   none    none   ok    shut   in       in
GET  /admin/audit/export/{format}              in     in    in     none   none    none   ok    shut   in       in
GET  /admin/outbox                             in     in    in     none   none    none   ok    shut   in       in
POST /admin/outbox/{id}/retry                  in     in    in     none   none    none   go    shut   in       in
GET  /admin/health                             in     in    in     none   none    none   ok    shut   in       in

POST /theme                                    go     go    go     go     go      go     go    go     go       go
GET  /assets/{*file}                           ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /favicon.ico                              go     go    go     go     go      go     go    go     go       go
GET  /healthz                                  ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /readyz                                   ok     ok    ok     ok     ok      ok     ok    ok     ok       ok
GET  /dev/version                              none   none  none   none   none    none   none  none   none     none
";

/// What the table says, by what is done (`GET /prompts`, `CALL pulse`) and the role's name.
fn table() -> (Vec<&'static str>, BTreeMap<String, Vec<&'static str>>) {
    let mut lines = TABLE.lines().filter(|line| !line.is_empty());
    let roles: Vec<_> = lines.next().expect("a head").split_whitespace().collect();
    let mut rows = BTreeMap::new();
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let (what, answers) = words.split_at(2);
        assert_eq!(answers.len(), roles.len(), "{line}");
        let before = rows.insert(what.join(" "), answers.to_vec());
        assert!(before.is_none(), "two rows for {line}");
    }
    (roles, rows)
}

/// The table's word for an answer.
fn word(reply: &Reply) -> String {
    match reply.status.as_u16() {
        200 => "ok",
        303 | 307 => {
            let to = reply.location();
            if to.starts_with("/sign-in") && !to.contains("done=") {
                "in"
            } else {
                "go"
            }
        }
        404 => "none",
        403 => "shut",
        410 => "gone",
        400 | 422 => "bad",
        _ => return reply.status.to_string(),
    }
    .to_owned()
}

/// Somebody, and what they reach for.
struct Actor {
    name: &'static str,
    browser: Guest,
    email: &'static str,
    authenticator: Option<Authenticator>,
    attempt: String,
    /// Work on an incident, and on a code review.
    exercises: [String; 2],
    link: String,
    shared: String,
    reset: String,
    verify: String,
}

/// A text that is somebody's alone.
struct Private {
    text: String,
    of: &'static str,
}

/// Everybody with what is theirs, and a copy of the database to go back to.
struct World {
    app: TestApp,
    database: Database,
    actors: Vec<Actor>,
    /// The account that administrators look at, and a letter that could not be sent.
    account: String,
    letter: String,
    before: Vec<String>,
    private: Vec<Private>,
    /// What is kept as a hash, and the second factor's secret: nobody ever sees them.
    hashes: Vec<String>,
    copy: TempDir,
}

const PERSON: &str = "cora.quill@example.org";
const PERSON2: &str = "dora.wren@example.org";
const MENTOR: &str = "mira.finch@example.org";
const ADMIN: &str = "nils.heron@example.org";
const ADMIN1: &str = "olga.crane@example.org";
const DISABLED: &str = "piet.stork@example.org";

impl World {
    async fn new() -> Self {
        let database = Database::sqlite().await;
        let app = TestApp::on(&database, "http://headroom.test");
        let guest = Self::written(&app, "the words of the guest").await;
        let guest2 = Self::written(&app, "the words of the other guest").await;
        let person = Self::written(&app, "the words of the candidate").await;
        let person2 = Self::written(&app, "the words of the other candidate").await;
        let disabled = Self::written(&app, "the words of the disabled account").await;
        let mentor = app.guest();
        let mut worked = BTreeMap::new();
        for (attempt, words) in [
            (&guest, "the words of the guest"),
            (&person, "the words of the candidate"),
            (&disabled, "the words of the disabled account"),
        ] {
            worked.insert(attempt.id.clone(), begin(&attempt.guest, words).await);
        }
        for (browser, email) in [
            (&person.guest, PERSON),
            (&person2.guest, PERSON2),
            (&disabled.guest, DISABLED),
            (&mentor, MENTOR),
        ] {
            browser
                .sign_up_as(&name(email), email, PASSWORD)
                .await
                .expect(303);
        }
        app.grant(MENTOR, Role::Mentor).await;
        let admin1 = app.guest();
        admin1
            .sign_up_as(&name(ADMIN1), ADMIN1, PASSWORD)
            .await
            .expect(303);
        app.grant(ADMIN1, Role::Administrator).await;
        let (admin, authenticator) = app.administrator(ADMIN).await;

        let (guest_link, _) = share(&guest).await;
        let (link, shared) = share(&person).await;
        app.advance_millis(1);
        let (disabled_link, _) = share(&disabled).await;
        let (revoked_link, revoked) = share(&person).await;
        let path = person.path(&format!("shares/{revoked_link}/revoke"));
        person.guest.post_form(&path, &[]).await.expect(303);
        // The second of two links ends the first.
        let letter = unsent(&app).await;
        let id = app.account_id(DISABLED).await;
        let (by, now) = (AdminPermit::of_the_command_line(), app.now());
        transact!(app.db, |conn| administration::disable(conn, &by, &id, now)
            .await)
        .expect("disabled");

        // Every session is used again, so that reading writes nothing; the administrator's code is another one.
        app.advance(10);
        let account = app.account_id(PERSON).await;
        let mut links = Vec::new();
        for purpose in [Purpose::ResetPassword, Purpose::VerifyEmail] {
            for secret in [[3; 32], [5; 32]] {
                let now = app.now();
                let issued = transact!(app.db, |conn| {
                    token::issue(
                        conn,
                        &account,
                        purpose,
                        PERSON,
                        secret.map(|byte: u8| byte + u8::from(purpose == Purpose::VerifyEmail)),
                        now,
                    )
                    .await
                });
                links.push(issued.expect("issued"));
            }
        }
        let [reset_before, reset, verify_before, verify] =
            <[String; 4]>::try_from(links).expect("four");
        let actor = |name, browser: &Guest, email, attempt: &Attempt, link: &str| Actor {
            name,
            browser: browser.clone(),
            email,
            authenticator: None,
            attempt: attempt.id.clone(),
            exercises: worked[&attempt.id].clone(),
            link: link.to_owned(),
            shared: shared.clone(),
            reset: reset.clone(),
            verify: verify.clone(),
        };
        let actors = vec![
            actor("nobody", &app.guest(), "", &guest, &guest_link),
            actor("guest", &guest.guest, "", &guest, &guest_link),
            actor("guest2", &guest2.guest, "", &guest, &guest_link),
            actor("person", &person.guest, PERSON, &person, &link),
            actor("person2", &person2.guest, PERSON2, &person, &link),
            actor("mentor", &mentor, MENTOR, &person, &link),
            Actor {
                authenticator: Some(authenticator),
                ..actor("admin", &admin, ADMIN, &person, &link)
            },
            actor("admin1", &admin1, ADMIN1, &person, &link),
            actor(
                "disabled",
                &disabled.guest,
                DISABLED,
                &disabled,
                &disabled_link,
            ),
            Actor {
                shared: revoked,
                reset: reset_before,
                verify: verify_before,
                ..actor("ended", &app.guest(), "", &person, &link)
            },
        ];
        for actor in &actors {
            actor.browser.get("/attempts").await.expect(200);
        }
        let mut private: Vec<_> = [
            ("guest", "the words of the guest"),
            ("guest2", "the words of the other guest"),
            ("person", "the words of the candidate"),
            ("person2", "the words of the other candidate"),
            ("disabled", "the words of the disabled account"),
        ]
        .map(|(of, text)| Private {
            text: text.to_owned(),
            of,
        })
        .into();
        for actor in actors.iter().filter(|actor| !actor.email.is_empty()) {
            for text in [actor.email.to_owned(), name(actor.email)] {
                private.push(Private {
                    text,
                    of: actor.name,
                });
            }
        }
        let mut world = Self {
            before: everything(&database.db).await,
            hashes: Vec::new(),
            copy: tempfile::tempdir().expect("a folder"),
            app,
            database,
            actors,
            account,
            letter,
            private,
        };
        for (table, column) in [
            ("account", "password_hash"),
            ("token", "token_hash"),
            ("share_link", "token_hash"),
            ("second_factor", "secret"),
            ("recovery_code", "code_hash"),
            ("session", "id_hash"),
        ] {
            let sql = AssertSqlSafe(format!("SELECT {column} FROM {table}"));
            let Db::Sqlite { read, .. } = &world.app.db else {
                panic!("the matrix is driven on SQLite");
            };
            let found: Vec<String> = sqlx::query_scalar(sql)
                .fetch_all(read)
                .await
                .expect("reads");
            assert!(!found.is_empty(), "nothing in {table}");
            world.hashes.extend(found);
        }
        world
            .execute(&[format!("VACUUM INTO '{}'", world.copy_path())])
            .await;
        world
    }

    /// A staff interview with a text in each kind of section.
    async fn written(app: &TestApp, words: &str) -> Attempt {
        let attempt = app.attempt(Way::Interview, Level::Staff, Some(60)).await;
        app.advance(60);
        for section in sections() {
            attempt.save(&section, 0, &section, words).await.expect(200);
        }
        attempt
    }

    fn copy_path(&self) -> String {
        self.copy.path().join("copy.db").display().to_string()
    }

    async fn execute(&self, statements: &[String]) {
        let Db::Sqlite { write, .. } = &self.app.db else {
            panic!("the matrix is driven on SQLite");
        };
        let mut connection = write.acquire().await.expect("the writer");
        for statement in statements {
            let outcome = connection.execute(AssertSqlSafe(statement.clone())).await;
            outcome.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// Everything as it was.
    async fn go_back(&self) {
        let mut statements = vec![
            "PRAGMA foreign_keys = OFF".to_owned(),
            format!("ATTACH '{}' AS copy", self.copy_path()),
            "BEGIN".to_owned(),
        ];
        for table in schema(&self.database.db).await.keys() {
            statements.push(format!("DELETE FROM {table}"));
            statements.push(format!("INSERT INTO {table} SELECT * FROM copy.{table}"));
        }
        statements
            .extend(["COMMIT", "DETACH copy", "PRAGMA foreign_keys = ON"].map(ToOwned::to_owned));
        self.execute(&statements).await;
        assert_eq!(
            everything(&self.database.db).await,
            self.before,
            "went back"
        );
    }

    /// Every address that a route stands for, for this actor; `lost` names what does not exist.
    fn paths(&self, route: &str, actor: &Actor, lost: bool) -> Vec<String> {
        let nothing = new_id(self.app.now());
        let no_secret = "0".repeat(64);
        let or = |known: &str, other: &str| {
            if lost {
                other.to_owned()
            } else {
                known.to_owned()
            }
        };
        let (id, formats) = if route.starts_with("/admin/outbox") {
            (&self.letter, ["", ""])
        } else if route.starts_with("/admin") {
            (&self.account, ["audit.csv", "audit.json"])
        } else if ["/comments", "/finish", "/meant"]
            .iter()
            .any(|end| route.starts_with("/exercises/work/") && route.ends_with(end))
        {
            (&actor.exercises[1], ["", ""])
        } else if route.starts_with("/exercises/work/") {
            (&actor.exercises[0], ["", ""])
        } else {
            (&actor.attempt, ["attempt.md", "attempt.json"])
        };
        let token = match route {
            "/reset-password/{token}" => &actor.reset,
            "/verify-email/{token}" => &actor.verify,
            _ => &actor.shared,
        };
        let css = assets::url("headroom.css");
        let filled = in_the_library(route)
            .replace("{id}", &or(id, &nothing))
            .replace("{link}", &or(&actor.link, &nothing))
            .replace("{token}", &or(token, &no_secret))
            .replace("{*function}", "nothing")
            .replace("{*file}", css.trim_start_matches("/assets/"));
        let mut paths = vec![filled];
        for (parameter, values) in [
            ("{section}", sections()),
            ("{format}", formats.map(ToOwned::to_owned).to_vec()),
        ] {
            if route.contains(parameter) {
                let each = |path: &String| {
                    values
                        .iter()
                        .map(|value| path.replace(parameter, value))
                        .collect::<Vec<_>>()
                };
                paths = paths.iter().flat_map(each).collect();
            }
        }
        assert!(
            paths.iter().all(|path| !path.contains('{')),
            "{paths:?} have a parameter that is not known here"
        );
        paths
    }

    /// The fields of every form at once; a handler takes its own.
    fn fields(&self, route: &str, actor: &Actor) -> Vec<(String, String)> {
        let code = actor
            .authenticator
            .as_ref()
            .map_or_else(String::new, |authenticator| {
                authenticator.code(self.app.now())
            });
        let email = match route {
            "/sign-in" => PERSON2,
            "/forgot-password" => PERSON,
            _ => "new@example.org",
        };
        let mut fields = scorecard("mid", "It says so.");
        for (name, value) in [
            ("way", "interview"),
            ("level", "staff"),
            ("minutes", "60"),
            ("base", "1"),
            ("key", "k"),
            ("revision", "1"),
            ("body", "another text"),
            ("row", "dau"),
            ("text", "5M"),
            ("back", "api"),
            ("theme", "dark"),
            ("name", "Another Name"),
            ("email", email),
            ("current", PASSWORD),
            ("password", PASSWORD),
            ("confirm", actor.email),
            ("code", &code),
            ("session", "none"),
            ("role", "mentor"),
            ("reason", "a reason"),
            ("item", "roadmap/on-call"),
            ("on", "1"),
            ("step", "first-look"),
            ("comment", "1"),
            ("file", "internal/export/handler.go"),
            ("first", "31"),
            ("last", "31"),
            ("kind", "security"),
            ("severity", "minor"),
            ("meant", "otherwise"),
        ] {
            fields.push((name.to_owned(), value.to_owned()));
        }
        fields
    }

    async fn drive(&self, actor: &Actor, method: &Method, path: &str, route: &str) -> Reply {
        // What comes of it for the browser's cookies is forgotten, as the database's changes are.
        let browser = actor.browser.elsewhere();
        if *method == Method::GET {
            return browser.get(path).await;
        }
        let fields = self.fields(route, actor);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        browser.post_form(path, &fields).await
    }

    /// What is wrong with an answer that should be `expected`, apart from its status.
    async fn faults(
        &self,
        actor: &Actor,
        path: &str,
        expected: &str,
        reads: bool,
        reply: &Reply,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let text = if reply.header("content-type") == "application/zip" {
            read_upload(&reply.body).expect("an archive")
        } else {
            reply.text()
        };
        let whole = format!("{:?}\n{text}", reply.headers);
        for Private { text, of } in &self.private {
            let may = *of == actor.name
                || (actor.name == "admin"
                    && path.starts_with("/admin")
                    && !text.starts_with("the words"))
                || (path.starts_with("/shared/") && *text == "the words of the candidate")
                || (path.starts_with("/verify-email/") && text == PERSON);
            if !(may && matches!(expected, "ok" | "bad")) && whole.contains(text.as_str()) {
                faults.push(format!("says “{text}”"));
            }
        }
        for hash in &self.hashes {
            if whole.contains(hash.as_str()) {
                faults.push(format!("says {hash}"));
            }
        }
        let after = everything(&self.database.db).await;
        if after != self.before {
            let rows = |here: &[String], there: &[String]| -> Vec<String> {
                here.iter()
                    .filter(|row| !there.contains(row))
                    .cloned()
                    .collect()
            };
            let (new, lost) = (rows(&after, &self.before), rows(&self.before, &after));
            let are = |rows: &[String], tables: &[&str]| {
                rows.iter().all(|row| {
                    tables
                        .iter()
                        .any(|table| row.starts_with(&format!("{table}: ")))
                })
            };
            // An export is written down and counted, and a page of an attempt is where its owner is.
            let exports = path == "/account/export" || path.starts_with("/admin/audit/export/");
            let place = ["attempt", "phase_time"];
            let noted = (exports && lost.is_empty() && are(&new, &["audit_log", "throttle"]))
                || (path.starts_with("/attempts/") && are(&new, &place) && are(&lost, &place));
            let may_change = expected == "ok" || expected == "go";
            if !(may_change && (!reads || noted)) {
                faults.push(format!("changed {lost:?} to {new:?}"));
            }
            self.go_back().await;
        }
        faults
    }
}

fn name(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    local
        .split('.')
        .map(|part| format!("{}{}", part[..1].to_uppercase(), &part[1..]))
        .collect::<Vec<_>>()
        .join(" ")
}

fn sections() -> Vec<String> {
    let ball = &published().prompt.curveballs[0].id;
    vec![
        "api".to_owned(),
        "worksheet".to_owned(),
        format!("curveball-{ball}"),
    ]
}

/// Makes a link: its id, and the secret that it carries.
async fn share(attempt: &Attempt) -> (String, String) {
    let page = attempt.post("shares", &[]).await.expect(200).page();
    let address = page.attribute("#made", "value");
    let secret = address.rsplit('/').next().expect("a secret").to_owned();
    // The latest stands first.
    let revoke = page.attribute("form[action$='/revoke']", "action");
    let id = revoke.split('/').nth(4).expect("an id").to_owned();
    (id, secret)
}

/// The id of a letter that was given up.
async fn unsent(app: &TestApp) -> String {
    let (id, now) = (new_id(app.now()), app.now());
    let letter = Letter::PasswordChanged { at: now };
    let outcome: Result<(), StoreError> = transact!(app.db, |conn| {
        mail::store::enqueue(conn, &id, None, &letter, "away@example.org", now).await?;
        for lease in mail::store::lease_due(conn, now, LEASE, 10).await? {
            mail::store::mark_failed_try(conn, &lease, Refusal::ForGood, "no", now, 0).await?;
        }
        Ok(())
    });
    outcome.expect("given up");
    id
}

/// The arguments of a server function; one that is not known here fails.
fn arguments(function: &str, attempt: &str) -> Value {
    match function {
        "save_section" => {
            json!({ "attempt": attempt, "section": "api", "body": "another text", "base": 1, "key": "k" })
        }
        "pulse" => json!({ "attempt": attempt, "section": "api", "known": {} }),
        "preview" => json!({ "markdown": "# Hello" }),
        "calculate_beside" => json!({ "name": "traffic", "inputs": [], "taken": [] }),
        "calculate" => json!({ "name": "traffic", "inputs": [["dau", "1M"]] }),
        "search" => json!({ "query": "queue" }),
        other => panic!("the server function {other} has no arguments here"),
    }
}

/// What is done, as the table names it: routes, and functions by the end of their path.
fn everything_that_can_be_done() -> Vec<(String, Method, String, Option<Access>)> {
    let mut all: Vec<_> = routes()
        .into_iter()
        .map(|route| {
            (
                format!("{} {}", route.method, route.path),
                route.method,
                route.path.to_owned(),
                Some(route.access),
            )
        })
        .collect();
    let functions: Vec<_> = server_fn::axum::server_fn_paths().collect();
    assert!(functions.len() >= 3, "{functions:?}");
    for (path, method) in functions {
        let function = path
            .strip_prefix("/api/")
            .unwrap_or_else(|| panic!("no route leads to {path}"));
        assert_eq!(
            method,
            Method::POST,
            "{path} could be called by following a link"
        );
        all.push((
            format!("CALL {function}"),
            method,
            function.to_owned(),
            None,
        ));
    }
    all
}

#[tokio::test]
async fn every_role_is_answered_as_the_table_says() {
    let (roles, rows) = table();
    let all = everything_that_can_be_done();
    let known: BTreeSet<_> = all.iter().map(|(what, ..)| what.clone()).collect();
    assert_eq!(
        known,
        rows.keys().cloned().collect(),
        "what there is, and what the table has a row for"
    );
    let world = World::new().await;
    assert_eq!(
        world
            .actors
            .iter()
            .map(|actor| actor.name)
            .collect::<Vec<_>>(),
        roles
    );
    let mut wrong = Vec::new();
    let mut driven = 0;
    for (what, method, route, access) in &all {
        for (actor, expected) in world.actors.iter().zip(&rows[what]) {
            // The access that a route names is what the table says of it.
            let fits = match (access, actor.name) {
                (Some(Access::Public), _) => *expected == rows[what][0],
                (
                    Some(Access::Account | Access::Administrator),
                    "nobody" | "guest" | "guest2" | "disabled" | "ended",
                ) => *expected == "in",
                (Some(Access::Account), _) => *expected != "in",
                (Some(Access::Administrator), "admin") => matches!(*expected, "ok" | "go"),
                (Some(Access::Administrator), "admin1") => *expected == "shut",
                (Some(Access::Administrator), _) => *expected == "none",
                _ => true,
            };
            assert!(
                fits,
                "{what} is for {access:?} and the table says {expected} of {}",
                actor.name
            );
            let reads = *method == Method::GET;
            let pairs: Vec<(String, String)> = match access {
                None => vec![(route.clone(), route.clone())],
                Some(_) => world
                    .paths(route, actor, false)
                    .into_iter()
                    .zip(world.paths(route, actor, true))
                    .collect(),
            };
            for (path, nowhere) in pairs {
                driven += 1;
                let send = async |path: &str, attempt: &str| match access {
                    None => {
                        actor
                            .browser
                            .elsewhere()
                            .call(path, &arguments(path, attempt))
                            .await
                    }
                    Some(_) => world.drive(actor, method, path, route).await,
                };
                let reply = send(&path, &actor.attempt).await;
                let mut faults = world.faults(actor, &path, expected, reads, &reply).await;
                if word(&reply) != *expected {
                    faults.push(format!(
                        "is {} and not {expected}: {:?} {:.300}",
                        word(&reply),
                        reply.headers.get("location"),
                        reply.text()
                    ));
                }
                if access.is_some_and(|access| access != Access::Public)
                    && reply.header("cache-control") != "private, no-store"
                {
                    faults.push(format!("may be kept: {:?}", reply.header("cache-control")));
                }
                if *expected == "none" && reply.status == StatusCode::NOT_FOUND {
                    let other = send(&nowhere, &new_id(world.app.now())).await;
                    let same = (other.status, other.lasting_headers(), other.body.clone());
                    if same != (reply.status, reply.lasting_headers(), reply.body.clone()) {
                        faults.push(format!(
                            "differs from what does not exist: {:?}",
                            other.headers
                        ));
                    }
                }
                wrong.extend(
                    faults
                        .into_iter()
                        .map(|fault| format!("{what} {path} as {}: {fault}", actor.name)),
                );
            }
        }
    }
    assert!(driven > 600, "{driven}");
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whether a route stands for this path.
fn stands_for(route: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in route.split('/') {
        if wanted.starts_with("{*") {
            return parts.next().is_some();
        }
        match parts.next() {
            Some(part) if part == wanted || (wanted.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[tokio::test]
async fn every_link_and_form_leads_somewhere() {
    let world = World::new().await;
    let routes = routes();
    let mut wrong = BTreeSet::new();
    let mut followed = BTreeSet::new();
    for actor in &world.actors {
        for route in routes.iter().filter(|route| route.method == Method::GET) {
            for path in world.paths(route.path, actor, false) {
                let reply = actor.browser.get(&path).await;
                if !reply.header("content-type").starts_with("text/html") {
                    continue;
                }
                let page = reply.page();
                let local = |target: &str| {
                    target
                        .split(['?', '#'])
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                };
                // A form without an address is its dialog's alone.
                for form in page.all("form[action]") {
                    let action = local(form.attr("action").unwrap_or_default());
                    let method = if form.attr("method") == Some("post") {
                        Method::POST
                    } else {
                        Method::GET
                    };
                    if !routes
                        .iter()
                        .any(|route| route.method == method && stands_for(route.path, &action))
                    {
                        wrong.insert(format!(
                            "{path} as {}: a form {method} {action}",
                            actor.name
                        ));
                    }
                }
                for link in page.all("a[href^='/']") {
                    let to = link.attr("href").unwrap_or_default();
                    if !followed.insert((actor.name, to.to_owned())) {
                        continue;
                    }
                    let there = actor.browser.get(to).await;
                    // An administrator without a second factor is told there what to do.
                    let told = there.status == 403 && actor.name == "admin1";
                    if !told && (there.status.is_client_error() || there.status.is_server_error()) {
                        wrong.insert(format!(
                            "{path} as {}: a link {to} is {}",
                            actor.name, there.status
                        ));
                    }
                }
            }
        }
    }
    assert!(followed.len() > 100, "{}", followed.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_preview_shows_what_the_page_will() {
    let app = TestApp::new().await;
    let guest = app.interview().await.guest;
    let reply = guest.call("preview", &arguments("preview", "")).await;
    let html = reply.expect(200).json();
    let html = html.as_str().expect("text");
    assert!(html.contains("id=\"preview-hello\""), "{html}");
}
