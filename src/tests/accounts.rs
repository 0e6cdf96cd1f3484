//! Accounts as people and administrators use them, on each engine: the ways in and out, what ends when, links, the second
//! factor, the archive, deletion, and what is written down of it.

use std::collections::BTreeSet;
use std::future::Future as _;
use std::task::{Context, Waker};
use std::time::Instant;

use http::Method;
use tokio::task::JoinSet;

use super::app::{Guest, PASSWORD, Reply, TestApp, request, settings, squeezed};
use super::engines::{Database, on_each_engine};
use super::migrations::everything;
use crate::accounts::store::AdminPermit;
use crate::accounts::store::audit::{self, Action, Filter, Line};
use crate::accounts::store::token::{self, Purpose};
use crate::domain::account::Role;
use crate::domain::archive::{Archive, parse};
use crate::domain::attempt::Way;
use crate::domain::level::Level;
use crate::mail;
use crate::server::clock::random_bytes;
use crate::server::state::{Allowances, Settings};
use crate::server::zip_archive::{JSON_BYTES, read_upload};
use crate::transact;

const URL: &str = "http://headroom.test";
const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";
const ROOT: &str = "root@example.org";
const STEP: i64 = 30_000;

fn with_mail(database: &Database) -> TestApp {
    let settings = Settings {
        mail: true,
        ..settings(URL)
    };
    TestApp::with(database, settings)
}

/// A browser that holds this session.
fn holding(app: &TestApp, session: &str) -> Guest {
    let browser = app.guest();
    let mut cookies = browser.cookies.lock().expect("sound");
    cookies.insert("headroom".to_owned(), session.to_owned());
    drop(cookies);
    browser
}

/// A link's secret, as a mail carries it.
async fn issue(app: &TestApp, email: &str, purpose: Purpose, of: &str) -> String {
    let id = app.account_id(email).await;
    let now = app.now();
    transact!(app.db, |conn| token::issue(
        conn,
        &id,
        purpose,
        of,
        random_bytes(),
        now
    )
    .await)
    .expect("issued")
}

/// Kind and recipient of what waits in the outbox, the first first.
async fn letters(app: &TestApp) -> Vec<(String, String)> {
    let mut reader = app.db.read().await.expect("a reader");
    let list = mail::store::list(&mut reader.conn(), mail::store::Filter::All, 0).await;
    let mut list: Vec<_> = list
        .expect("reads")
        .into_iter()
        .map(|entry| (entry.id, entry.kind, entry.recipient))
        .collect();
    list.sort();
    list.into_iter()
        .map(|(_, kind, recipient)| (kind, recipient))
        .collect()
}

/// The audit log, the latest first.
async fn log(app: &TestApp) -> Vec<Line> {
    let mut reader = app.db.read().await.expect("a reader");
    let permit = AdminPermit::of_the_command_line();
    audit::list(&mut reader.conn(), &permit, &Filter::default(), 0, 1000)
        .await
        .expect("reads")
}

/// Nothing in any column of any table holds this text.
async fn is_nowhere(app: &TestApp, text: &str) {
    assert!(text.len() >= 6, "{text:?} could be anywhere by chance");
    let rows = everything(&app.db).await;
    let found: Vec<_> = rows.iter().filter(|row| row.contains(text)).collect();
    assert!(found.is_empty(), "{text:?} is in {found:#?}");
}

/// An answer with what was typed replaced.
fn without(reply: &Reply, typed: &str) -> (u16, Vec<String>, String) {
    let headers = reply
        .lasting_headers()
        .into_iter()
        .filter(|line| !line.starts_with("content-length"))
        .collect();
    let text = reply.text().replace(typed, "TYPED");
    (reply.status.as_u16(), headers, text)
}

/// Everything that a page whose address is a secret has to be told.
fn is_kept_secret(reply: &Reply) {
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "private, no-store"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(reply.header(name), value, "{}: {name}", reply.what);
    }
}

#[track_caller]
fn says(reply: &Reply, words: &str) {
    let text = reply.page().whole_text();
    assert!(text.contains(words), "{} says: {text}", reply.what);
}

// Signing up and in.

#[tokio::test]
async fn signing_up_keeps_what_the_guest_did() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let attempt = app.guided().await;
        attempt.save("api", 0, "k", "kept words").await.expect(200);
        let browser = attempt.guest.clone();
        browser
            .start(Way::Interview, Level::Mid, None)
            .await
            .get("api")
            .await
            .expect(200);
        let planted = browser.session().expect("a session");
        says(
            &browser.get("/sign-up").await.expect(200),
            "The 2 attempts of this browser will belong to your account.",
        );
        let reply = browser.sign_up(ADA).await.expect(303);
        assert_eq!(reply.location(), "/attempts?done=signed-up-2");
        assert!(browser.is_signed_in().await);
        let form = attempt
            .get("api")
            .await
            .expect(200)
            .form(&attempt.path("api"));
        assert_eq!(form["body"], "kept words");
        let list = browser.get("/attempts").await.expect(200).page();
        assert!(!list.all("main a[href^='/attempts/']").is_empty());

        // Whoever had put the guest's session into this browser has nothing of the account.
        assert_ne!(browser.session(), Some(planted.clone()));
        let other = holding(&app, &planted);
        assert!(!other.is_signed_in().await);
        other.get(&attempt.path("api")).await.expect(404);

        // From another browser, with a guest's work there.
        let second = app.guided().await;
        second.save("api", 0, "k", "more words").await.expect(200);
        let third = app.guided().await;
        let planted = second.guest.session().expect("a session");
        says(
            &second.guest.get("/sign-in").await.expect(200),
            "1 attempt of this browser will be added to your account.",
        );
        let reply = second.guest.sign_in(ADA, PASSWORD).await.expect(303);
        assert_eq!(reply.location(), "/attempts?done=signed-in-1");
        for browser in [&browser, &second.guest] {
            browser.get(&attempt.path("api")).await.expect(200);
            browser.get(&second.path("api")).await.expect(200);
            browser.get(&third.path("api")).await.expect(404);
        }
        assert_ne!(second.guest.session(), Some(planted.clone()));
        assert!(!holding(&app, &planted).is_signed_in().await);
        holding(&app, &planted)
            .get(&second.path("api"))
            .await
            .expect(404);
        third.get("api").await.expect(200);

        // What belongs to an account is not claimed by who signs in to another one in its browser.
        let bob = app.person(BOB).await;
        let his = bob.start(Way::Guided, Level::Mid, None).await;
        assert_eq!(
            bob.sign_in(ADA, PASSWORD).await.expect(303).location(),
            "/attempts"
        );
        bob.get(&his.path("api")).await.expect(404);
        let again = app.signed_in(BOB).await;
        again.get(&his.path("api")).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn one_address_has_one_account() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        app.person(ADA).await;
        let attempt = app.guided().await;
        for email in [ADA, "ADA@example.org", "  Ada@Example.Org "] {
            let reply = attempt.guest.sign_up(email).await.expect(422);
            says(&reply, "There is an account with this address already.");
            assert!(!attempt.guest.is_signed_in().await);
        }
        // Its work is the guest's still.
        attempt.get("api").await.expect(200);
        assert!(
            app.guest()
                .sign_in(" ADA@EXAMPLE.ORG ", PASSWORD)
                .await
                .status
                == 303
        );
        // Two at once: one gets it.
        let mut made = JoinSet::new();
        for _ in 0..4 {
            let browser = app.guest();
            made.spawn(async move { browser.sign_up(BOB).await.status.as_u16() });
        }
        let mut statuses = made.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422, 422, 422]);
    })
    .await;
}

#[tokio::test]
async fn many_accounts_from_one_network_have_to_wait() {
    on_each_engine(async |database| {
        let settings = Settings {
            allowances: Allowances {
                signups_per_hour: 2,
                ..Allowances::default()
            },
            ..settings(URL)
        };
        let app = TestApp::with(database, settings);
        for (email, address, status) in [
            ("a@example.org", "203.0.113.1", 303),
            ("b@example.org", "203.0.113.1", 303),
            ("c@example.org", "203.0.113.1", 429),
            ("c@example.org", "203.0.113.2", 303),
            ("d@example.org", "2001:db8:1:1::1", 303),
            ("e@example.org", "2001:db8:1:1:ffff::2", 303),
            ("f@example.org", "2001:db8:1:1:1:2:3:4", 429),
            ("f@example.org", "2001:db8:1:2::1", 303),
        ] {
            let browser = app.guest().at_address(address);
            let reply = browser.sign_up(email).await.expect(status);
            if status == 429 {
                waits(&reply);
                assert_eq!(
                    reply.form("/sign-up")["email"],
                    email,
                    "what was typed comes back"
                );
            }
        }
    })
    .await;
}

/// A wait is told to the browser and, once, to the person.
#[track_caller]
fn waits(reply: &Reply) -> i64 {
    let seconds: i64 = reply.header("retry-after").parse().unwrap_or_default();
    assert!(
        (1..=3600).contains(&seconds),
        "{}: retry after {seconds}",
        reply.what
    );
    let text = reply.page().whole_text();
    assert_eq!(text.matches("Try again in").count(), 1, "{text}");
    seconds
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        app.person(ADA).await;
        let (root, _) = app.administrator(ROOT).await;
        app.person(BOB).await;
        disable(&app, &root, BOB).await;
        let known = app
            .guest()
            .sign_in(ADA, "not the password")
            .await
            .expect(422);
        let expected = without(&known, ADA);
        assert!(expected.2.contains("do not belong together") && expected.2.contains("TYPED"));
        assert!(!known.headers.contains_key("set-cookie"));
        for email in [
            "nobody@example.org",
            BOB,
            "not-an-address",
            "x@y",
            "drop'table",
        ] {
            let shown = email.replace('\'', "&#x27;");
            let reply = app.guest().sign_in(email, "not the password").await;
            let mut answer = without(&reply, email);
            answer.2 = answer.2.replace(&shown, "TYPED");
            assert_eq!(answer, expected, "{email}");
        }
        for (email, password) in [
            ("", ""),
            (ADA, ""),
            ("", PASSWORD),
            ("ada@example.org\0", PASSWORD),
            (&"x".repeat(9000), "y"),
        ] {
            app.guest().sign_in(email, password).await.expect(422);
        }
        // What was typed is nowhere: it may be a password in the wrong field.
        is_nowhere(&app, "nobody@example.org").await;
        is_nowhere(&app, "not-an-address").await;

        // Asking for a link tells no more.
        let known = app
            .guest()
            .post_form("/forgot-password", &[("email", ADA)])
            .await
            .expect(200);
        for email in ["nobody@example.org", BOB] {
            let reply = app
                .guest()
                .post_form("/forgot-password", &[("email", email)])
                .await;
            assert_eq!(without(&reply, email), without(&known, ADA));
        }
    })
    .await;
}

/// An unknown address waits for its turn to hash, and is turned away when too many wait, as a known one is.
#[tokio::test]
async fn an_unknown_address_costs_the_same_work() {
    let database = Database::sqlite().await;
    let app = TestApp::on(&database, URL);
    app.person(ADA).await;
    let mut told = Vec::new();
    for email in [ADA, "nobody@example.org"] {
        let began = Instant::now();
        for _ in 0..3 {
            app.guest()
                .sign_in(email, "not the password")
                .await
                .expect(422);
        }
        eprintln!("{email}: {:?} for three", began.elapsed());
        // Everybody waits: whoever hashes nothing would get through.
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> = (0..1000)
            .map(|_| Box::pin(app.state.passwords.verify("anything", None)))
            .collect();
        let mut turned_away = 0;
        for one in &mut waiting {
            turned_away += usize::from(one.as_mut().poll(&mut context).is_ready());
        }
        assert!(turned_away > 0 && turned_away < 1000, "{turned_away}");
        let reply = app
            .guest()
            .sign_in(email, "not the password")
            .await
            .expect(429);
        says(&reply, "Many people are signing in at this moment.");
        told.push(without(&reply, email));
        drop(waiting);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn wrong_passwords_are_throttled_by_account_and_network() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        app.person(ADA).await;
        let thief = app.guest().at_address("203.0.113.7");
        let owner = app.guest().at_address("198.51.100.1");
        for email in [ADA, "nobody@example.org"] {
            for _ in 0..5 {
                thief.sign_in(email, "a guess of many").await.expect(422);
            }
            let refused = thief.sign_in(email, "a guess of many").await.expect(429);
            assert!(waits(&refused) <= 15 * 60);
            assert_eq!(refused.form("/sign-in")["email"], email);
        }
        // Also with the right one, and however the address is written.
        thief.sign_in(ADA, PASSWORD).await.expect(429);
        thief
            .sign_in(" ADA@example.org", PASSWORD)
            .await
            .expect(429);
        assert!(!thief.is_signed_in().await);
        // The owner elsewhere gets in, and stays in.
        owner.sign_in(ADA, PASSWORD).await.expect(303);
        app.advance(14);
        thief.sign_in(ADA, PASSWORD).await.expect(429);
        app.advance(2);
        thief.sign_in(ADA, PASSWORD).await.expect(303);
        assert!(owner.is_signed_in().await);

        // What went well counts no more, so nobody is locked out by the days.
        let clumsy = app.guest().at_address("203.0.113.8");
        for _ in 0..3 {
            for _ in 0..4 {
                clumsy.sign_in(ADA, "a guess of many").await.expect(422);
            }
            clumsy.sign_in(ADA, PASSWORD).await.expect(303);
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_at_many_accounts_are_throttled_by_network() {
    on_each_engine(async |database| {
        let settings = Settings {
            allowances: Allowances {
                signins_per_address: 4,
                ..Allowances::default()
            },
            ..settings(URL)
        };
        let app = TestApp::with(database, settings);
        app.person(ADA).await;
        for number in 0..4 {
            let thief = app.guest().at_address("2001:db8:7::1");
            thief
                .sign_in(&format!("p{number}@example.org"), "one guess")
                .await
                .expect(422);
        }
        let thief = app.guest().at_address("2001:db8:7:0:5::9");
        waits(&thief.sign_in(ADA, PASSWORD).await.expect(429));
        let neighbour = app.guest().at_address("2001:db8:7:1::1");
        // Signing in does not use it up.
        for _ in 0..6 {
            neighbour.sign_in(ADA, PASSWORD).await.expect(303);
        }
    })
    .await;
}

#[tokio::test]
async fn many_guesses_at_once_do_not_slip_through() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        app.person(ADA).await;
        let mut guesses = JoinSet::new();
        for _ in 0..15 {
            let thief = app.guest();
            guesses
                .spawn(async move { thief.sign_in(ADA, "a guess of many").await.status.as_u16() });
        }
        let statuses = guesses.join_all().await;
        let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(422), count(429)), (5, 10), "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn passwords_are_taken_as_they_are_typed() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let long = "ab".repeat(2048);
        for (number, password) in [
            "8 chars!",
            &"long words ".repeat(9),
            &long,
            "  space around  ",
            "🦀 крабы и 蟹",
            "tab\tand\u{7f}more",
        ]
        .into_iter()
        .enumerate()
        {
            let email = format!("p{number}@example.org");
            app.guest()
                .sign_up_as("A Person", &email, password)
                .await
                .expect(303);
            app.guest().sign_in(&email, password).await.expect(303);
            let mut short = password.to_owned();
            short.pop();
            let other = [password.trim(), &password.to_uppercase(), &short];
            for other in other.into_iter().filter(|other| *other != password) {
                app.guest().sign_in(&email, other).await.expect(422);
            }
        }
        let accounts = everything(&app.db)
            .await
            .iter()
            .filter(|row| row.starts_with("account: "))
            .count();
        let refused = [
            "",
            "seven77",
            "🦀🦀🦀🦀🦀🦀x",
            "password1",
            "PassWord1",
            "iloveyou",
            "zzzzzzzzzzzzzz",
            "Grace Hopper",
            "grace.hopper",
            "GRACE.HOPPER@example.org",
            &format!("{long}c"),
        ];
        for password in refused {
            let browser = app.guest();
            let reply = browser
                .sign_up_as("Grace Hopper", "grace.hopper@example.org", password)
                .await
                .expect(422);
            let page = reply.page();
            assert_eq!(page.all("#password-fault").len(), 1, "{password:.20}");
            // What was typed stands there again, but for the password.
            let form = reply.form("/sign-up");
            assert_eq!(
                (
                    form["name"].as_str(),
                    form["email"].as_str(),
                    form["password"].as_str()
                ),
                ("Grace Hopper", "grace.hopper@example.org", "")
            );
            if password.len() > 8 && !password.to_lowercase().starts_with("grace") {
                assert!(!reply.text().contains(password), "{password:.20}");
            }
            assert!(browser.session().is_none());
        }
        assert_eq!(
            everything(&app.db)
                .await
                .iter()
                .filter(|row| row.starts_with("account: "))
                .count(),
            accounts
        );
        is_nowhere(&app, "8 chars!").await;
        is_nowhere(&app, "space around").await;
    })
    .await;
}

// Sessions.

#[tokio::test]
async fn a_session_begins_and_ends() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let browser = app.person(ADA).await;
        let first = browser.session().expect("a session");
        browser.sign_in(ADA, PASSWORD).await.expect(303);
        let second = browser.session().expect("a session");
        assert_ne!(first, second, "signing in again gives a new id");
        assert!(!holding(&app, &first).is_signed_in().await);

        let reply = browser.post_form("/sign-out", &[]).await.expect(303);
        assert_eq!(reply.location(), "/sign-in?done=signed-out");
        says(
            &browser.get(reply.location()).await.expect(200),
            "You are signed out.",
        );
        assert!(browser.session().is_none(), "the cookie is taken back");
        assert!(!holding(&app, &second).is_signed_in().await);

        // A guest who presses the button keeps their work.
        let attempt = app.guided().await;
        attempt.guest.post_form("/sign-out", &[]).await.expect(303);
        attempt.get("api").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let idle = app.person(ADA).await;
        let busy = app.signed_in(ADA).await;
        for _ in 0..8 {
            app.advance_days(10);
            assert!(busy.is_signed_in().await);
        }
        assert!(!idle.is_signed_in().await);
        app.advance_days(9);
        assert!(busy.is_signed_in().await, "89 days after signing in");
        app.advance_days(1);
        app.advance(1);
        assert!(!busy.is_signed_in().await, "90 days are the longest");
        // Unused for 30 days.
        let fresh = app.signed_in(ADA).await;
        app.advance_days(29);
        assert!(fresh.is_signed_in().await);
        app.advance_days(30);
        app.advance(1);
        assert!(!fresh.is_signed_in().await);
        // Whoever comes back to a dead session is a guest from the start.
        fresh
            .start(Way::Guided, Level::Mid, None)
            .await
            .get("api")
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_person_sees_and_ends_their_sessions() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let here = app.person(ADA).await;
        let form = super::app::urlencoded(&[("email", ADA), ("password", PASSWORD)]);
        let phone = app.guest();
        let sent = request(Method::POST, "/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(
                "user-agent",
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            );
        phone
            .send(sent.body(form.into()).expect("a request"))
            .await
            .expect(303);
        let third = app.signed_in(ADA).await;
        let bob = app.person(BOB).await;

        let page = here.get("/account/sessions").await.expect(200);
        let text = page.page().whole_text();
        assert!(
            text.contains("Safari on iPhone") && text.contains("this browser"),
            "{text}"
        );
        let ids = page
            .page()
            .all("input[name=session]")
            .iter()
            .map(|field| field.attr("value").unwrap_or_default().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(ids.len(), 2, "all but this one");
        // Not by another account, whatever it knows.
        for id in &ids {
            bob.post_form("/account/sessions/end", &[("session", id)])
                .await
                .expect(303);
        }
        for session in ["", "nothing", "%", "\0"] {
            here.post_form("/account/sessions/end", &[("session", session)])
                .await
                .expect(303);
        }
        assert!(
            phone.is_signed_in().await && third.is_signed_in().await && here.is_signed_in().await
        );

        let row = page
            .page()
            .all("tbody tr")
            .into_iter()
            .find(|row| row.text().collect::<String>().contains("iPhone"))
            .and_then(|row| {
                let input = scraper::Selector::parse("input[name=session]").expect("a selector");
                row.select(&input)
                    .next()
                    .and_then(|field| field.attr("value").map(ToOwned::to_owned))
            });
        here.post_form(
            "/account/sessions/end",
            &[("session", &row.expect("listed"))],
        )
        .await
        .expect(303);
        assert!(!phone.is_signed_in().await);
        assert!(third.is_signed_in().await);
        let reply = here
            .post_form("/account/sessions/end-others", &[])
            .await
            .expect(303);
        assert_eq!(reply.location(), "/account/sessions?done=sessions-ended-1");
        assert!(!third.is_signed_in().await);
        assert!(here.is_signed_in().await && bob.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_everything_else() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let here = app.person(ADA).await;
        let there = app.signed_in(ADA).await;
        let link = issue(&app, ADA, Purpose::ResetPassword, ADA).await;
        let new = "quite another sentence";
        for (current, password, field) in [
            ("wrong guess", new, "current"),
            ("", new, "current"),
            (PASSWORD, "short", "password"),
            (PASSWORD, "password1", "password"),
        ] {
            let reply = here
                .post_form(
                    "/account/password",
                    &[("current", current), ("password", password)],
                )
                .await
                .expect(422);
            assert_eq!(
                reply.page().all(&format!("#password-{field}-fault")).len(),
                1,
                "{current} {password}"
            );
        }
        assert!(there.is_signed_in().await);
        app.guest()
            .get(&format!("/reset-password/{link}"))
            .await
            .expect(200);

        let before = here.session().expect("a session");
        let reply = here
            .post_form(
                "/account/password",
                &[("current", PASSWORD), ("password", new)],
            )
            .await
            .expect(303);
        assert_eq!(reply.location(), "/account?done=password-changed");
        assert!(here.is_signed_in().await);
        assert!(
            !holding(&app, &before).is_signed_in().await,
            "it goes on under a new id"
        );
        assert!(!there.is_signed_in().await);
        app.guest()
            .get(&format!("/reset-password/{link}"))
            .await
            .expect(410);
        app.guest().sign_in(ADA, PASSWORD).await.expect(422);
        app.guest().sign_in(ADA, new).await.expect(303);
        is_nowhere(&app, new).await;

        // Guessing the present one in a session that was left open.
        for _ in 0..5 {
            here.post_form(
                "/account/password",
                &[("current", "a guess"), ("password", new)],
            )
            .await
            .expect(422);
        }
        for path in ["/account/password", "/account/email", "/account/delete"] {
            let fields = [
                ("current", new),
                ("password", new),
                ("email", "x@example.org"),
                ("confirm", ADA),
            ];
            waits(&here.post_form(path, &fields).await.expect(429));
        }
        app.advance(16);
        here.post_form(
            "/account/password",
            &[("current", new), ("password", PASSWORD)],
        )
        .await
        .expect(303);
    })
    .await;
}

// The second factor.

/// A browser whose password was right and whose code is asked for.
async fn half_way(app: &TestApp, email: &str) -> Guest {
    let browser = app.guest();
    let reply = browser.sign_in(email, PASSWORD).await.expect(303);
    assert_eq!(reply.location(), "/sign-in/second-factor?next=/attempts");
    browser
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_works_once() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let attempt = app.guided().await;
        let here = attempt.guest.clone();
        here.sign_up(ADA).await.expect(303);
        let elsewhere = app.signed_in(ADA).await;
        // Setting it up is not having it.
        here.post_form("/account/second-factor/start", &[("password", PASSWORD)])
            .await
            .expect(303);
        app.signed_in(ADA).await;
        for code in ["000000", "", "abc", "1234567890123"] {
            here.post_form("/account/second-factor/confirm", &[("code", code)])
                .await
                .expect(422);
        }
        let (authenticator, _) = here.enrol(app.now()).await;
        let now = || app.now();
        let page = here.get("/account/second-factor").await.expect(200);
        says(&page, "10 recovery codes are left.");
        assert!(
            page.page().all("code.secret, .qr").is_empty(),
            "the secret is shown no more"
        );
        // The other session has shown one factor only.
        assert!(here.is_signed_in().await && !elsewhere.is_signed_in().await);
        // Starting again does not replace it.
        here.post_form("/account/second-factor/start", &[("password", PASSWORD)])
            .await
            .expect(303);

        let browser = half_way(&app, ADA).await;
        let fixed = browser.session().expect("a session");
        assert!(!browser.is_signed_in().await, "half-way in is not in");
        browser.get(&attempt.path("api")).await.expect(404);
        // The code that confirmed it is used.
        browser
            .send_code(&authenticator.code(now()))
            .await
            .expect(422);
        app.advance_millis(STEP);
        let code = authenticator.code(now());
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        let reply = browser.send_code(&spaced).await.expect(303);
        assert_eq!(reply.location(), "/attempts");
        browser.get(&attempt.path("api")).await.expect(200);
        assert_ne!(browser.session(), Some(fixed.clone()));
        assert!(!holding(&app, &fixed).is_signed_in().await);
        half_way(&app, ADA).await.send_code(&code).await.expect(422);

        // One step of tolerance to each side, never backwards.
        app.advance_millis(10 * STEP);
        for (browser, steps, status) in [
            (half_way(&app, ADA).await, -2, 422),
            (half_way(&app, ADA).await, 2, 422),
            (half_way(&app, ADA).await, -1, 303),
            (half_way(&app, ADA).await, -1, 422),
            (half_way(&app, ADA).await, 0, 303),
            (half_way(&app, ADA).await, 1, 303),
            (half_way(&app, ADA).await, 0, 422),
            (half_way(&app, ADA).await, 1, 422),
        ] {
            let reply = browser
                .send_code(&authenticator.code(now() + steps * STEP))
                .await;
            assert_eq!(reply.status, status, "{steps} steps away");
            assert_eq!(
                browser.is_signed_in().await,
                status == 303,
                "{steps} steps away"
            );
        }
        // The code comes in time, or the password is asked for again.
        let late = half_way(&app, ADA).await;
        app.advance(11);
        assert_eq!(
            late.send_code(&authenticator.code(now()))
                .await
                .expect(303)
                .location(),
            "/sign-in"
        );
        assert!(!late.is_signed_in().await);
        // Nobody gets there without a password.
        assert_eq!(
            app.guest()
                .send_code(&authenticator.code(now()))
                .await
                .expect(303)
                .location(),
            "/sign-in"
        );

        // Turning it off takes both.
        for (password, code) in [
            (PASSWORD, "000000"),
            ("wrong guess", &*authenticator.code(now())),
            ("", ""),
        ] {
            here.post_form(
                "/account/second-factor/off",
                &[("password", password), ("code", code)],
            )
            .await
            .expect(422);
        }
        half_way(&app, ADA).await;
        let code = authenticator.code(now());
        let reply = here
            .post_form(
                "/account/second-factor/off",
                &[("password", PASSWORD), ("code", &code)],
            )
            .await
            .expect(303);
        assert_eq!(
            reply.location(),
            "/account/second-factor?done=second-factor-off"
        );
        app.signed_in(ADA).await;
    })
    .await;
}

#[tokio::test]
async fn recovery_codes_work_once_each() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let here = app.person(ADA).await;
        let (_, codes) = here.enrol(app.now()).await;
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
        let (_, others) = app.person(BOB).await.enrol(app.now()).await;
        for code in codes.iter().chain(&others) {
            assert!(code.replace('-', "").len() >= 16, "{code} is short");
            is_nowhere(&app, code).await;
            is_nowhere(&app, &code.replace('-', "")).await;
        }
        for (code, status) in [
            (codes[0].clone(), 303),
            (codes[0].clone(), 422),
            (codes[1].to_uppercase().replace('-', ""), 303),
            (codes[1].clone(), 422),
            (format!(" {} ", codes[2].replace('-', " ")), 303),
            (others[0].clone(), 422),
        ] {
            let browser = half_way(&app, ADA).await;
            browser.send_code(&code).await.expect(status);
            assert_eq!(browser.is_signed_in().await, status == 303);
        }
        says(
            &here.get("/account/second-factor").await.expect(200),
            "7 recovery codes are left.",
        );
        // New ones end the old ones, and take the password.
        here.post_form(
            "/account/second-factor/codes",
            &[("password", "wrong guess")],
        )
        .await
        .expect(422);
        let shown = here
            .post_form("/account/second-factor/codes", &[("password", PASSWORD)])
            .await
            .expect(200);
        let new = shown.page().texts(".codes code");
        assert_eq!(new.len(), 10);
        half_way(&app, ADA)
            .await
            .send_code(&codes[3])
            .await
            .expect(422);
        half_way(&app, ADA)
            .await
            .send_code(&new[3])
            .await
            .expect(303);
        // Of many at once one gets in.
        let mut tries = JoinSet::new();
        for _ in 0..4 {
            let (browser, code) = (half_way(&app, ADA).await, new[4].clone());
            tries.spawn(async move { browser.send_code(&code).await.status.as_u16() });
        }
        let statuses = tries.join_all().await;
        assert_eq!(
            statuses.iter().filter(|status| **status == 303).count(),
            1,
            "{statuses:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn wrong_codes_are_throttled() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let (authenticator, _) = app.person(ADA).await.enrol(app.now()).await;
        app.advance_millis(STEP);
        let thief = half_way(&app, ADA).await.at_address("203.0.113.7");
        let right = authenticator.code(app.now());
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        for number in 0..10 {
            let reply = thief
                .send_code(wrong)
                .await
                .expect(if number < 5 { 422 } else { 429 });
            if number >= 5 {
                waits(&reply);
            }
        }
        thief.send_code(&right).await.expect(429);
        assert!(!thief.is_signed_in().await);
        // The owner elsewhere gets in.
        let owner = half_way(&app, ADA).await.at_address("198.51.100.1");
        owner.send_code(&right).await.expect(303);
        app.advance(16);
        half_way(&app, ADA)
            .await
            .at_address("203.0.113.7")
            .send_code(wrong)
            .await
            .expect(422);

        // Many who guess together are stopped together.
        app.advance(61);
        let thief = half_way(&app, ADA).await;
        for number in 0..30 {
            let network = thief.at_address(&format!("203.0.113.{}", number / 5));
            network.send_code(wrong).await.expect(422);
        }
        waits(
            &thief
                .at_address("192.0.2.1")
                .send_code(wrong)
                .await
                .expect(429),
        );
        app.advance(61);
        half_way(&app, ADA)
            .await
            .send_code(&authenticator.code(app.now()))
            .await
            .expect(303);
    })
    .await;
}

// Administrators.

async fn disable(app: &TestApp, root: &Guest, email: &str) {
    let path = format!("/admin/accounts/{}/disable", app.account_id(email).await);
    let reply = root
        .post_form(&path, &[("reason", "a test")])
        .await
        .expect(303);
    assert!(reply.location().ends_with("?done=account-disabled"));
}

async fn act(
    app: &TestApp,
    root: &Guest,
    email: &str,
    what: &str,
    fields: &[(&str, &str)],
) -> Reply {
    let path = format!("/admin/accounts/{}/{what}", app.account_id(email).await);
    root.post_form(&path, fields).await
}

#[tokio::test]
async fn administration_takes_a_second_factor() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let here = app.person(ROOT).await;
        here.get("/admin").await.expect(404);
        app.grant(ROOT, Role::Administrator).await;
        says(
            &here.get("/admin").await.expect(403),
            "your account has no second factor",
        );
        let before = app.signed_in(ROOT).await;
        let (authenticator, codes) = here.enrol(app.now()).await;
        here.get("/admin").await.expect(200);
        // The session that was opened with the password alone has ended.
        before.get("/admin").await.expect(303);
        act(&app, &before, ROOT, "grant", &[("role", "mentor")])
            .await
            .expect(303);
        app.advance_millis(STEP);
        let browser = half_way(&app, ROOT).await;
        assert_eq!(
            browser.get("/admin").await.expect(303).location(),
            "/sign-in?next=/admin"
        );
        browser
            .send_code(&authenticator.code(app.now()))
            .await
            .expect(303);
        browser.get("/admin").await.expect(200);
        let recovered = half_way(&app, ROOT).await;
        recovered.send_code(&codes[0]).await.expect(303);
        recovered.get("/admin").await.expect(200);
        // A new password does not open what was closed, nor close what was open.
        let fields = [("current", PASSWORD), ("password", PASSWORD)];
        app.advance_millis(STEP);
        let browser = half_way(&app, ROOT).await;
        browser
            .send_code(&authenticator.code(app.now()))
            .await
            .expect(303);
        browser
            .post_form("/account/password", &fields)
            .await
            .expect(303);
        browser.get("/admin").await.expect(200);

        // It has to stay on as long as they are one.
        app.advance_millis(STEP);
        let code = authenticator.code(app.now());
        let fields = [("password", PASSWORD), ("code", &*code)];
        let reply = browser
            .post_form("/account/second-factor/off", &fields)
            .await
            .expect(422);
        says(&reply, "needs its second factor");
        half_way(&app, ROOT).await;
        // Nor is one's own access taken away.
        for (what, fields) in [
            ("disable", &[("reason", "x")]),
            ("revoke", &[("role", "administrator")]),
        ] {
            act(&app, &browser, ROOT, what, fields).await.expect(422);
        }
        browser.get("/admin").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn what_an_administrator_ends_is_over_at_once() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let (root, _) = app.administrator(ROOT).await;
        for (email, what, fields) in [
            ("m@example.org", "revoke", &[("role", "mentor")][..]),
            ("e@example.org", "end-sessions", &[]),
            ("d@example.org", "disable", &[("reason", "a test")]),
        ] {
            let here = app.person(email).await;
            let attempt = here.start(Way::Guided, Level::Mid, None).await;
            act(&app, &root, email, "grant", &[("role", "mentor")])
                .await
                .expect(303);
            assert!(
                here.is_signed_in().await,
                "a role that is granted ends nothing"
            );
            let (authenticator, _) = here.enrol(app.now()).await;
            let link = issue(&app, email, Purpose::ResetPassword, email).await;
            let session = here.session().expect("a session");
            app.advance_millis(STEP);
            let began = half_way(&app, email).await;
            app.advance_millis(1);
            act(&app, &root, email, what, fields).await.expect(303);

            assert!(!here.is_signed_in().await, "{what}");
            attempt.get("api").await.expect(404);
            attempt.save("api", 0, "k", "x").await.expect(404);
            let reply = began
                .send_code(&authenticator.code(app.now()))
                .await
                .expect(303);
            assert!(
                !began.is_signed_in().await,
                "{what}: a sign-in that began before: {}",
                reply.location()
            );
            let gone = if what == "disable" { 410 } else { 200 };
            app.guest()
                .get(&format!("/reset-password/{link}"))
                .await
                .expect(gone);
            app.advance_millis(STEP);
            if what == "disable" {
                let reply = app.guest().sign_in(email, PASSWORD).await.expect(422);
                says(&reply, "This account is disabled.");
                act(&app, &root, email, "reset-link", &[]).await.expect(422);
                act(&app, &root, email, "enable", &[]).await.expect(303);
                app.guest()
                    .get(&format!("/reset-password/{link}"))
                    .await
                    .expect(410);
            }
            assert!(
                !holding(&app, &session).is_signed_in().await,
                "what ended stays ended"
            );
            let again = half_way(&app, email).await;
            again
                .send_code(&authenticator.code(app.now()))
                .await
                .expect(303);
            assert!(again.is_signed_in().await);
            again.get(&attempt.path("api")).await.expect(200);
        }
        // A reason is asked for, and what was typed comes back.
        app.person(ADA).await;
        for reason in ["", "  ", &"x".repeat(201), "a\nb"] {
            act(&app, &root, ADA, "disable", &[("reason", reason)])
                .await
                .expect(422);
        }
        for role in ["", "owner", "Mentor"] {
            act(&app, &root, ADA, "grant", &[("role", role)])
                .await
                .expect(422);
        }
        app.signed_in(ADA).await;
    })
    .await;
}

#[tokio::test]
async fn a_search_takes_signs_as_they_are() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let (root, _) = app.administrator(ROOT).await;
        for (name, email) in [
            ("Fifty % Off", "percent@example.org"),
            ("under_score", "under@example.org"),
            ("underXscore", "plain@example.org"),
            ("back\\slash", "back@example.org"),
            ("O'Neil \"Q\"", "quote@example.org"),
            ("ÉMILE Zola", "emile@example.org"),
        ] {
            app.guest()
                .sign_up_as(name, email, PASSWORD)
                .await
                .expect(303);
        }
        let id = app.account_id("back@example.org").await;
        for (q, found) in [
            ("%", &["Fifty % Off"][..]),
            ("_", &["under_score"]),
            ("r_s", &["under_score"]),
            ("\\", &["back\\slash"]),
            ("o'neil", &["O'Neil \"Q\""]),
            ("\"", &["O'Neil \"Q\""]),
            ("PLAIN@", &["underXscore"]),
            ("  UNDER@ ", &["under_score"]),
            (&id, &["back\\slash"]),
            ("%%", &[]),
            ("nobody", &[]),
            ("' OR '1'='1", &[]),
            (
                "\0",
                &[
                    "back\\slash",
                    "Fifty % Off",
                    "O'Neil \"Q\"",
                    "Somebody",
                    "under_score",
                    "underXscore",
                    "ÉMILE Zola",
                ],
            ),
        ] {
            let path = format!("/admin?{}", super::app::urlencoded(&[("q", q)]));
            let reply = root.get(&path).await.expect(200);
            let mut names = reply.page().texts("tbody th a");
            names.sort_by_key(|name| name.to_lowercase());
            assert_eq!(names, found, "{q:?}");
        }
        for page in ["0", "-1", "2", "99999999999999999999", "x"] {
            root.get(&format!("/admin?page={page}")).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn the_log_is_filtered_and_leaves_as_a_table_without_formulas() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let (root, _) = app.administrator(ROOT).await;
        app.person(ADA).await;
        let reasons = [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "=HYPERLINK(\"http://evil.example\",\"a\")",
            "harmless, \"quoted\"",
        ];
        for reason in reasons {
            act(&app, &root, ADA, "disable", &[("reason", reason)])
                .await
                .expect(303);
            app.advance(1);
        }
        let csv = root
            .get("/admin/audit/export/audit.csv?action=disabled")
            .await
            .expect(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert!(
            csv.header("content-disposition")
                .starts_with("attachment; ")
        );
        let text = csv.text();
        let rows: Vec<_> = text.split("\r\n").filter(|row| !row.is_empty()).collect();
        assert_eq!(rows[0], "at,action,actor,subject,detail,address");
        assert_eq!(rows.len(), 1 + reasons.len(), "{text}");
        for (row, reason) in rows[1..].iter().zip(reasons.iter().rev()) {
            let guard = if reason.starts_with(['=', '+', '-', '@']) {
                "'"
            } else {
                ""
            };
            let cell = format!("\"{guard}{}\"", reason.replace('"', "\"\""));
            assert!(row.contains(&cell), "{row} holds {cell}");
            assert!(!row.contains(",=") && !row.contains("\"="), "{row}");
        }
        let json = root
            .get("/admin/audit/export/audit.json?action=disabled")
            .await
            .expect(200)
            .json();
        assert_eq!(json.as_array().map(Vec::len), Some(reasons.len()));
        assert_eq!(json[0]["detail"], *reasons.last().expect("some"));

        let ada = app.account_id(ADA).await;
        for (query, rows) in [
            ("action=disabled", 6),
            ("action=disabled&account=ada%40example.org", 6),
            (&*format!("action=disabled&account={ada}"), 6),
            ("action=disabled&account=root%40example.org", 6),
            ("action=disabled&from=2026-01-01&to=2026-01-01", 6),
            ("action=disabled&from=2026-01-02", 0),
            ("action=disabled&to=2025-12-31", 0),
            ("action=enabled", 0),
        ] {
            let reply = root.get(&format!("/admin/audit?{query}")).await.expect(200);
            assert_eq!(
                reply.page().all("table.log tbody tr").len(),
                rows,
                "{query}"
            );
        }
        for query in [
            "action=nothing",
            "account=who",
            "account=who%40example.org",
            "from=yesterday",
            "to=2026-02-30",
            "from=%00",
        ] {
            root.get(&format!("/admin/audit?{query}")).await.expect(422);
            root.get(&format!("/admin/audit/export/audit.csv?{query}"))
                .await
                .expect(422);
        }
        for format in ["audit", "audit.xml", "attempt.json", "%00"] {
            root.get(&format!("/admin/audit/export/{format}"))
                .await
                .expect(404);
        }
    })
    .await;
}

// Links that are mailed or handed over.

#[tokio::test]
async fn a_reset_link_works_once_and_for_an_hour() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let (root, _) = app.administrator(ROOT).await;
        let here = app.person(ADA).await;
        let new = "quite another sentence";
        let made = async || {
            let shown = act(&app, &root, ADA, "reset-link", &[]).await.expect(200);
            let link = shown.page().attribute("#reset-link", "value");
            link.strip_prefix(URL)
                .expect("by the configured address")
                .to_owned()
        };
        let (first, second) = (made().await, made().await);
        let secret = second.rsplit('/').next().expect("a secret");
        assert_eq!(secret.len(), 64, "32 bytes: {second}");
        is_nowhere(&app, secret).await;
        is_kept_secret(&app.guest().get(&first).await.expect(410));
        // Looking does not use it up, nor does a password that is not taken.
        for _ in 0..2 {
            is_kept_secret(&app.guest().get(&second).await.expect(200));
        }
        for password in ["short", "password1", ADA] {
            let reply = app
                .guest()
                .post_form(&second, &[("password", password)])
                .await
                .expect(422);
            is_kept_secret(&reply);
        }
        assert!(here.is_signed_in().await);
        let reply = app
            .guest()
            .post_form(&second, &[("password", new)])
            .await
            .expect(303);
        assert_eq!(reply.location(), "/sign-in?done=password-reset");
        assert!(!here.is_signed_in().await);
        is_kept_secret(
            &app.guest()
                .post_form(&second, &[("password", PASSWORD)])
                .await
                .expect(410),
        );
        app.guest().get(&second).await.expect(410);
        app.guest().sign_in(ADA, PASSWORD).await.expect(422);
        app.guest().sign_in(ADA, new).await.expect(303);

        let third = made().await;
        app.advance(59);
        app.guest().get(&third).await.expect(200);
        app.advance(1);
        app.guest().get(&third).await.expect(410);
        app.guest()
            .post_form(&third, &[("password", PASSWORD)])
            .await
            .expect(410);
        // Not for another purpose, not for a disabled account, and nothing else is one.
        let verify = issue(&app, ADA, Purpose::VerifyEmail, ADA).await;
        app.guest()
            .get(&format!("/reset-password/{verify}"))
            .await
            .expect(410);
        app.guest()
            .post_form(
                &format!("/reset-password/{verify}"),
                &[("password", PASSWORD)],
            )
            .await
            .expect(410);
        disable(&app, &root, ADA).await;
        let link = issue(&app, ADA, Purpose::ResetPassword, ADA).await;
        app.guest()
            .get(&format!("/reset-password/{link}"))
            .await
            .expect(410);
        app.guest()
            .post_form(
                &format!("/reset-password/{link}"),
                &[("password", PASSWORD)],
            )
            .await
            .expect(410);
        for odd in [
            "x",
            "%00",
            "%25",
            &"a".repeat(5000),
            "..%2f..",
            &link.to_uppercase(),
        ] {
            app.guest()
                .get(&format!("/reset-password/{odd}"))
                .await
                .expect(410);
            app.guest()
                .get(&format!("/verify-email/{odd}"))
                .await
                .expect(410);
        }
        // A second factor is not taken off by it.
        let bob = app.person(BOB).await;
        bob.enrol(app.now()).await;
        let link = issue(&app, BOB, Purpose::ResetPassword, BOB).await;
        app.guest()
            .post_form(
                &format!("/reset-password/{link}"),
                &[("password", PASSWORD)],
            )
            .await
            .expect(303);
        half_way(&app, BOB).await;
        // Of two at once one gets it.
        let link = issue(&app, BOB, Purpose::ResetPassword, BOB).await;
        let mut tries = JoinSet::new();
        for _ in 0..3 {
            let (browser, path) = (app.guest(), format!("/reset-password/{link}"));
            tries.spawn(async move {
                browser
                    .post_form(&path, &[("password", "a third sentence")])
                    .await
                    .status
                    .as_u16()
            });
        }
        let mut statuses = tries.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 410, 410]);
    })
    .await;
}

#[tokio::test]
async fn mail_goes_to_who_it_is_for() {
    on_each_engine(async |database| {
        let app = with_mail(database);
        let pair = |kind: &str, to: &str| (kind.to_owned(), to.to_owned());
        let here = app.person(ADA).await;
        let mut expected = vec![pair("verify-address", ADA)];
        assert_eq!(letters(&app).await, expected);
        // The same browser is known, another one is told of.
        here.sign_in(ADA, PASSWORD).await.expect(303);
        assert_eq!(letters(&app).await, expected);
        let form = super::app::urlencoded(&[("email", ADA), ("password", PASSWORD)]);
        let sent = request(Method::POST, "/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "Firefox/140.0 (Windows)");
        app.advance(1);
        app.guest()
            .send(sent.body(form.into()).expect("a request"))
            .await
            .expect(303);
        expected.push(pair("new-sign-in", ADA));
        assert_eq!(letters(&app).await, expected);

        // A forgotten password: the same answer, a letter for one.
        app.advance(1);
        let known = app
            .guest()
            .post_form("/forgot-password", &[("email", "Ada@Example.org")])
            .await
            .expect(200);
        let unknown = app
            .guest()
            .post_form("/forgot-password", &[("email", BOB)])
            .await
            .expect(200);
        assert_eq!(without(&known, ADA), without(&unknown, BOB));
        expected.push(pair("reset-password", ADA));
        assert_eq!(letters(&app).await, expected);
        for email in [ADA, BOB] {
            for _ in 0..2 {
                app.guest()
                    .post_form("/forgot-password", &[("email", email)])
                    .await
                    .expect(200);
            }
            waits(
                &app.guest()
                    .post_form("/forgot-password", &[("email", email)])
                    .await
                    .expect(429),
            );
        }
        app.guest()
            .post_form("/forgot-password", &[("email", "no address")])
            .await
            .expect(422);

        // The address is verified by a button; programs that follow links do nothing.
        let link = format!(
            "/verify-email/{}",
            issue(&app, ADA, Purpose::VerifyEmail, ADA).await
        );
        is_kept_secret(&app.guest().get(&link).await.expect(200));
        says(&here.get("/account").await.expect(200), "not verified");
        let reply = here.post_form(&link, &[]).await.expect(303);
        assert_eq!(reply.location(), "/account?done=email-verified");
        assert!(
            !here
                .get("/account")
                .await
                .page()
                .whole_text()
                .contains("not verified")
        );
        is_kept_secret(&here.post_form(&link, &[]).await.expect(410));

        // A new address counts from when its letter was answered.
        app.advance(1);
        let before = letters(&app).await.len();
        for (email, password) in [("new@example.org", "wrong guess"), ("no address", PASSWORD)] {
            here.post_form(
                "/account/email",
                &[("email", email), ("password", password)],
            )
            .await
            .expect(422);
        }
        assert_eq!(letters(&app).await.len(), before);
        let fields = [("email", "new@example.org"), ("password", PASSWORD)];
        let reply = here.post_form("/account/email", &fields).await.expect(303);
        assert_eq!(reply.location(), "/account?done=verification-sent");
        assert!(
            letters(&app)
                .await
                .contains(&pair("verify-address", "new@example.org"))
        );
        app.signed_in(ADA).await;
        app.guest()
            .sign_in("new@example.org", PASSWORD)
            .await
            .expect(422);
        let link = format!(
            "/verify-email/{}",
            issue(&app, ADA, Purpose::VerifyEmail, "new@example.org").await
        );
        app.advance(1);
        app.guest().post_form(&link, &[]).await.expect(303);
        assert_eq!(
            letters(&app).await.last(),
            Some(&pair("address-changed", ADA))
        );
        app.signed_in("new@example.org").await;
        app.guest().sign_in(ADA, PASSWORD).await.expect(422);

        // Taken by somebody else meanwhile: nothing changes, and nothing is told before.
        let bob = app.person(BOB).await;
        let reply = bob.post_form("/account/email", &fields).await.expect(303);
        assert_eq!(reply.location(), "/account?done=verification-sent");
        let link = format!(
            "/verify-email/{}",
            issue(&app, BOB, Purpose::VerifyEmail, "new@example.org").await
        );
        app.guest().post_form(&link, &[]).await.expect(410);
        app.signed_in(BOB).await;
        // Seven days, and for one account.
        let link = format!(
            "/verify-email/{}",
            issue(&app, BOB, Purpose::VerifyEmail, BOB).await
        );
        app.advance_days(7);
        app.guest().get(&link).await.expect(410);
        for _ in 0..5 {
            bob.post_form("/account/verify", &[]).await.expect(303);
        }
        waits(&bob.post_form("/account/verify", &[]).await.expect(429));
    })
    .await;
}

#[tokio::test]
async fn administrators_see_the_outbox() {
    on_each_engine(async |database| {
        let app = with_mail(database);
        let (root, _) = app.administrator(ROOT).await;
        let all = letters(&app).await;
        assert!(all.len() >= 2, "{all:?}");
        let (id, now) = {
            let now = app.now();
            let leased = transact!(app.db, |conn| {
                let mut leased = mail::store::lease_due(conn, now, mail::store::LEASE, 1).await?;
                let lease = leased.remove(0);
                mail::store::mark_failed_try(
                    conn,
                    &lease,
                    mail::store::Refusal::ForGood,
                    "no such user",
                    now,
                    0,
                )
                .await?;
                Ok::<_, crate::server::database::StoreError>(lease)
            });
            (leased.expect("leased").id, now)
        };
        for (query, rows) in [
            ("", all.len()),
            ("?page=1", all.len()),
            ("?page=2", 0),
            ("?show=given-up", 1),
            ("?show=waiting", all.len() - 1),
            ("?show=sent", 0),
        ] {
            let page = root
                .get(&format!("/admin/outbox{query}"))
                .await
                .expect(200)
                .page();
            assert_eq!(page.all("tbody tr").len(), rows, "{query}");
        }
        let page = root.get("/admin/outbox?show=given-up").await.expect(200);
        says(&page, "no such user");
        assert_eq!(page.page().all("nav.states a[aria-current]").len(), 1);
        root.post_form(&format!("/admin/outbox/{id}/retry"), &[])
            .await
            .expect(303);
        let mut reader = app.db.read().await.expect("a reader");
        assert_eq!(
            mail::store::oldest_waiting(&mut reader.conn())
                .await
                .expect("reads"),
            Some(now)
        );
        drop(reader);
        assert_eq!(
            root.get("/admin/outbox?show=given-up")
                .await
                .page()
                .all("tbody tr")
                .len(),
            0
        );
        for id in ["nothing", "%00", &crate::server::clock::new_id(0)] {
            root.post_form(&format!("/admin/outbox/{id}/retry"), &[])
                .await
                .expect(404);
        }
    })
    .await;
}

#[tokio::test]
async fn a_shared_attempt_is_read_until_it_is_revoked() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let attempt = app.interview().await;
        attempt
            .guest
            .sign_up_as("Ada Lovelace", ADA, PASSWORD)
            .await
            .expect(303);
        attempt
            .save("api", 0, "k", "POST /charges <b>x</b>")
            .await
            .expect(200);
        let made = attempt.post("shares", &[]).await.expect(200);
        let address = made.page().attribute("#made", "value");
        let path = address
            .strip_prefix(URL)
            .expect("by the configured address")
            .to_owned();
        let secret = path.strip_prefix("/shared/").expect("a secret");
        assert_eq!(secret.len(), 64);
        is_nowhere(&app, secret).await;
        assert!(
            !attempt
                .get("share")
                .await
                .expect(200)
                .text()
                .contains(secret),
            "it is shown once"
        );

        for reader in [app.guest(), app.person(BOB).await, attempt.guest.clone()] {
            let reply = reader.get(&path).await.expect(200);
            is_kept_secret(&reply);
            says(&reply, "POST /charges");
            let text = reply.text();
            assert!(
                !text.contains(ADA)
                    && !text.contains("Ada Lovelace")
                    && !text.contains(&attempt.id)
            );
            assert!(reply.page().all("main form, main b").is_empty());
            assert!(
                !reply.headers.contains_key("set-cookie"),
                "who reads is made nobody"
            );
        }
        // It opens nothing else.
        let reader = app.guest();
        reader.get(&path).await.expect(200);
        reader.get(&attempt.path("api")).await.expect(404);
        reader
            .get(&attempt.path("export/attempt.json"))
            .await
            .expect(404);
        for rest in ["", "/api", "/export/attempt.json"] {
            reader
                .post_form(&format!("{path}{rest}"), &[("body", "x")])
                .await;
            assert_ne!(reader.get(&format!("{path}{rest}/x")).await.status, 200);
        }
        reader.post_form(&path, &[("body", "x")]).await.expect(405);

        // Only by who made it, and each by itself.
        app.advance(1);
        let other = attempt
            .post("shares", &[])
            .await
            .expect(200)
            .page()
            .attribute("#made", "value");
        let other = other.strip_prefix(URL).expect("ours").to_owned();
        let list = attempt.get("share").await.expect(200).page();
        let revoke: Vec<_> = list
            .all("form[action$='/revoke']")
            .iter()
            .map(|form| form.attr("action").unwrap_or_default().to_owned())
            .collect();
        assert_eq!(revoke.len(), 2);
        let bobs = app.interview().await;
        for action in &revoke {
            bobs.guest.post_form(action, &[]).await.expect(404);
            let id = action.split('/').nth(4).expect("an id");
            bobs.post(&format!("shares/{id}/revoke"), &[])
                .await
                .expect(404);
        }
        for id in ["nothing", "%00", &attempt.id] {
            attempt
                .post(&format!("shares/{id}/revoke"), &[])
                .await
                .expect(404);
        }
        app.guest().get(&path).await.expect(200);
        // The earlier one stands last.
        let reply = attempt.guest.post_form(&revoke[1], &[]).await.expect(303);
        assert_eq!(reply.location(), attempt.path("share?done=revoked"));
        app.guest().get(&path).await.expect(404);
        attempt.guest.get(&path).await.expect(404);
        app.guest().get(&other).await.expect(200);
        attempt.guest.post_form(&revoke[1], &[]).await.expect(303);
        app.guest().get(&path).await.expect(404);

        // Not without end.
        for _ in 1..20 {
            attempt.post("shares", &[]).await.expect(200);
        }
        attempt.post("shares", &[]).await.expect(429);
        // With the account they are gone.
        let fields = [("confirm", ADA), ("password", PASSWORD)];
        attempt
            .guest
            .post_form("/account/delete", &fields)
            .await
            .expect(303);
        app.guest().get(&other).await.expect(404);
    })
    .await;
}

// Everything out, in, and gone.

async fn export(browser: &Guest) -> (Vec<u8>, Archive) {
    let reply = browser.get("/account/export").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/zip");
    assert_eq!(reply.header("cache-control"), "private, no-store");
    let text = read_upload(&reply.body).expect("unpacks");
    let (archive, faults) = parse(&text, JSON_BYTES);
    assert_eq!(faults, []);
    (reply.body.to_vec(), archive.expect("reads"))
}

pub(super) async fn import(browser: &Guest, name: &str, file: &[u8]) -> Reply {
    let mut body = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.zip\"\r\nContent-Type: application/zip\r\n\r\n").into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    browser
        .post_raw(
            "/account/import",
            "multipart/form-data; boundary=edge",
            body,
        )
        .await
}

const PROFILE: [(&str, &str); 6] = [
    ("name", "Ada Lovelace"),
    ("level", "staff"),
    ("interview_on", "2026-03-01"),
    ("hours_a_week", "6"),
    ("time_zone", "Europe/Berlin"),
    ("theme", "dark"),
];

#[tokio::test]
async fn what_is_taken_out_comes_back_in() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let attempt = app.interview().await;
        let browser = attempt.guest.clone();
        browser
            .sign_up_as("Ada Lovelace", ADA, PASSWORD)
            .await
            .expect(303);
        browser
            .post_form("/account/profile", &PROFILE)
            .await
            .expect(303);
        attempt
            .save("api", 0, "k1", "first \u{1f980}\n")
            .await
            .expect(200);
        app.advance(3);
        attempt.save("api", 1, "k2", "second").await.expect(200);
        attempt
            .save("worksheet", 0, "k3", "dau: 5M")
            .await
            .expect(200);
        attempt.post("hints", &[]).await.expect(303);
        attempt.score("senior").await.expect(303);
        browser.start(Way::Guided, Level::Mid, None).await;
        let (zip, before) = export(&browser).await;
        assert_eq!(before.attempts.len(), 2);

        let gone = browser
            .post_form(
                "/account/delete",
                &[("confirm", ADA), ("password", PASSWORD)],
            )
            .await
            .expect(303);
        assert_eq!(gone.location(), "/sign-in?done=deleted");
        app.advance(60);
        let again = app.guest();
        again
            .sign_up_as("Ada Lovelace", ADA, PASSWORD)
            .await
            .expect(303);
        assert_eq!(export(&again).await.1.attempts, []);
        let reply = import(&again, "archive", &zip).await.expect(303);
        assert_eq!(reply.location(), "/account/data?done=imported-2-0");
        says(
            &again.get(reply.location()).await.expect(200),
            "2 attempts were brought in.",
        );
        let (zip_after, after) = export(&again).await;
        assert_eq!(
            serde_json::to_value(&after.attempts).expect("JSON"),
            serde_json::to_value(&before.attempts).expect("JSON")
        );
        let profile = |archive: &Archive| {
            let account = &archive.account;
            (
                account.name.clone(),
                account.email.clone(),
                account.level,
                account.interview_on.clone(),
                account.hours_a_week,
                account.time_zone.clone(),
                account.theme.clone(),
            )
        };
        assert_eq!(profile(&after), profile(&before));
        again.get(&attempt.path("result")).await.expect(200);
        // What is there is left as it is; what is somebody else's is not taken away.
        let reply = import(&again, "archive", &zip_after).await.expect(303);
        assert_eq!(reply.location(), "/account/data?done=imported-0-2");
        let bob = app.person(BOB).await;
        let reply = import(&bob, "archive", &zip).await.expect(303);
        assert_eq!(reply.location(), "/account/data?done=imported-2-0");
        bob.get(&attempt.path("api")).await.expect(404);
        again.get(&attempt.path("result")).await.expect(200);

        // Nothing of what cannot be taken is taken.
        let before = export(&bob).await.1.attempts;
        for (name, file) in [
            ("archive", &b""[..]),
            ("archive", b"not a zip"),
            ("archive", b"{}"),
            ("archive", b"[1]"),
            ("other", &zip),
            ("archive", &zip[..zip.len() / 2]),
            ("archive", "[".repeat(100_000).as_bytes()),
        ] {
            let reply = import(&bob, name, file).await.expect(422);
            assert!(!reply.page().all(".fault").is_empty(), "{}", reply.text());
        }
        for (kind, body) in [
            ("multipart/form-data", "x"),
            ("multipart/form-data; boundary=edge", "--edge"),
            ("text/plain", "x"),
        ] {
            bob.post_raw("/account/import", kind, body)
                .await
                .expect(422);
        }
        assert_eq!(export(&bob).await.1.attempts, before);
    })
    .await;
}

#[tokio::test]
async fn deleting_an_account_leaves_nothing_of_it() {
    on_each_engine(async |database| {
        let app = with_mail(database);
        let attempt = app.interview().await;
        let here = attempt.guest.clone();
        here.sign_up_as("Ada Lovelace", ADA, PASSWORD)
            .await
            .expect(303);
        here.post_form("/account/profile", &PROFILE)
            .await
            .expect(303);
        attempt
            .save("api", 0, "k1", "words to be forgotten")
            .await
            .expect(200);
        attempt.post("hints", &[]).await.expect(303);
        attempt.score("senior").await.expect(303);
        attempt.post("shares", &[]).await.expect(200);
        app.grant(ADA, Role::Mentor).await;
        issue(&app, ADA, Purpose::ResetPassword, ADA).await;
        let id = app.account_id(ADA).await;
        let there = app.signed_in(ADA).await;
        let (authenticator, codes) = here.enrol(app.now()).await;
        let bob = app.person(BOB).await;
        let before = everything(&app.db).await;
        let bobs: Vec<_> = before.iter().filter(|row| row.contains(BOB)).collect();

        let (owner, code) = (
            &*before
                .iter()
                .find(|row| row.starts_with("attempt: "))
                .expect("one")
                .split(',')
                .nth(5)
                .expect("an owner")
                .to_owned(),
            codes[0].clone(),
        );
        assert!(
            before.iter().filter(|row| row.contains(owner)).count() >= 3,
            "{owner} is an owner"
        );
        for (confirm, password, code) in [
            ("", PASSWORD, &*code),
            (BOB, PASSWORD, &code),
            (ADA, "wrong guess", &code),
            (ADA, "", &code),
            (ADA, PASSWORD, "000000"),
            (ADA, PASSWORD, ""),
        ] {
            let reply = here
                .post_form(
                    "/account/delete",
                    &[("confirm", confirm), ("password", password), ("code", code)],
                )
                .await
                .expect(422);
            let form = reply.form("/account/delete");
            assert!(
                form.values().all(String::is_empty),
                "nothing of it is put back: {form:?}"
            );
        }
        assert!(here.is_signed_in().await);
        attempt.get("result").await.expect(200);

        app.advance_millis(STEP);
        let code = authenticator.code(app.now());
        let fields = [
            ("confirm", " ADA@example.org "),
            ("password", PASSWORD),
            ("code", &*code),
        ];
        let reply = here.post_form("/account/delete", &fields).await.expect(303);
        says(
            &here.get(reply.location()).await.expect(200),
            "Your account and everything in it is deleted.",
        );
        assert!(!here.is_signed_in().await && !there.is_signed_in().await);
        attempt.get("api").await.expect(404);
        app.guest().sign_in(ADA, PASSWORD).await.expect(422);
        let after = everything(&app.db).await;
        for text in [
            &*id,
            owner,
            &attempt.id,
            ADA,
            "Ada Lovelace",
            "words to be forgotten",
        ] {
            // The log names an account by its id, and an attempt that was shared.
            let found: Vec<_> = after
                .iter()
                .filter(|row| {
                    row.contains(text)
                        && !(row.starts_with("audit_log: ") && (text == id || text == attempt.id))
                })
                .collect();
            assert!(found.is_empty(), "{text} is still in {found:#?}");
        }
        for row in bobs {
            assert!(after.contains(row), "{row} is gone");
        }
        assert!(bob.is_signed_in().await);
        let tables = |rows: &[String]| -> Vec<String> {
            rows.iter()
                .filter_map(|row| row.split(": ").next())
                .map(ToOwned::to_owned)
                .collect()
        };
        for table in ["account", "owner", "session"] {
            assert_eq!(
                tables(&after).iter().filter(|name| *name == table).count(),
                1,
                "{table} is Bob's alone"
            );
        }
        for table in [
            "attempt",
            "section",
            "revision",
            "save_key",
            "hint",
            "score",
            "score_entry",
            "phase_time",
            "role_grant",
            "second_factor",
            "recovery_code",
            "token",
            "share_link",
        ] {
            assert!(
                !tables(&after).contains(&table.to_owned()),
                "something is left in {table}"
            );
        }
        // The last administrator stays.
        let (root, authenticator) = app.administrator(ROOT).await;
        app.advance_millis(STEP);
        let code = authenticator.code(app.now());
        let fields = [("confirm", ROOT), ("password", PASSWORD), ("code", &*code)];
        says(
            &root.post_form("/account/delete", &fields).await.expect(422),
            "You are the only administrator.",
        );
        root.get("/admin").await.expect(200);
    })
    .await;
}

// What is written down.

#[tokio::test]
async fn whatever_is_done_to_an_account_is_written_down() {
    on_each_engine(async |database| {
        let app = with_mail(database);
        let (root, _) = app.administrator(ROOT).await;
        let attempt = app.interview().await;
        let here = attempt.guest.at_address("203.0.113.9");
        here.sign_up(ADA).await.expect(303);
        let id = app.account_id(ADA).await;
        here.sign_in(ADA, "a secret guess").await.expect(422);
        here.sign_in("nobody@example.org", "a secret guess")
            .await
            .expect(422);
        let verify = issue(&app, ADA, Purpose::VerifyEmail, "new@example.org").await;
        here.post_form(&format!("/verify-email/{verify}"), &[])
            .await
            .expect(303);
        let shown = attempt.post("shares", &[]).await.expect(200).page();
        here.post_form(&shown.attribute("form[action$='/revoke']", "action"), &[])
            .await
            .expect(303);
        let (_, codes) = here.enrol(app.now()).await;
        let renewed = here
            .post_form("/account/second-factor/codes", &[("password", PASSWORD)])
            .await
            .expect(200);
        let codes = [codes, renewed.page().texts(".codes code")].concat();
        let off = [("password", PASSWORD), ("code", &*codes[10])];
        here.post_form("/account/second-factor/off", &off)
            .await
            .expect(303);
        here.post_form(
            "/account/password",
            &[("current", PASSWORD), ("password", PASSWORD)],
        )
        .await
        .expect(303);
        here.post_form("/account/sessions/end-others", &[])
            .await
            .expect(303);
        let (zip, _) = export(&here).await;
        import(&here, "archive", &zip).await.expect(303);
        here.post_form("/sign-out", &[]).await.expect(303);
        let email = "new@example.org";
        for (what, fields) in [
            ("grant", &[("role", "mentor")]),
            ("revoke", &[("role", "mentor")]),
            ("end-sessions", &[("", "")]),
            ("disable", &[("reason", "because")]),
            ("enable", &[("", "")]),
        ] {
            act(&app, &root, email, what, fields).await.expect(303);
        }
        let link = act(&app, &root, email, "reset-link", &[])
            .await
            .expect(200)
            .page()
            .attribute("#reset-link", "value");
        let link = link.strip_prefix(URL).expect("ours").to_owned();
        here.post_form(&link, &[("password", PASSWORD)])
            .await
            .expect(303);
        let now = app.now();
        let failed = transact!(app.db, |conn| {
            let leased = mail::store::lease_due(conn, now, mail::store::LEASE, 1).await?;
            mail::store::mark_failed_try(
                conn,
                &leased[0],
                mail::store::Refusal::ForGood,
                "no",
                now,
                0,
            )
            .await?;
            Ok::<_, crate::server::database::StoreError>(leased[0].id.clone())
        });
        root.post_form(
            &format!("/admin/outbox/{}/retry", failed.expect("failed")),
            &[],
        )
        .await
        .expect(303);
        root.get("/admin/audit/export/audit.json").await.expect(200);
        here.sign_in(email, PASSWORD).await.expect(303);
        here.post_form(
            "/account/delete",
            &[("confirm", email), ("password", PASSWORD)],
        )
        .await
        .expect(303);

        let lines = log(&app).await;
        let seen: BTreeSet<_> = lines.iter().map(|line| line.action.as_str()).collect();
        let all: BTreeSet<_> = Action::ALL.into_iter().map(Action::slug).collect();
        assert_eq!(
            all.difference(&seen).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "never written down"
        );
        let root_id = app.account_id(ROOT).await;
        for line in &lines {
            let by_root = [
                "role-granted",
                "role-revoked",
                "disabled",
                "enabled",
                "reset-link-made",
            ]
            .contains(&&*line.action);
            if by_root {
                assert_eq!(
                    (line.actor.as_deref(), line.subject.as_deref()),
                    (Some(&*root_id), Some(&*id)),
                    "{line:?}"
                );
            }
            for secret in [
                PASSWORD,
                "a secret guess",
                "nobody@",
                "@example.org",
                link.rsplit('/').next().expect("a secret"),
                &verify,
            ] {
                assert!(
                    !line.detail.contains(secret) && !line.address.contains(secret),
                    "{line:?}"
                );
            }
            assert!(
                codes
                    .iter()
                    .all(|code| !line.detail.contains(code.as_str()))
            );
        }
        let refused: Vec<_> = lines
            .iter()
            .filter(|line| line.action == "sign-in-refused")
            .collect();
        let subjects: BTreeSet<_> = refused.iter().map(|line| line.subject.as_deref()).collect();
        assert_eq!(subjects, BTreeSet::from([None, Some(&*id)]));
        assert!(refused.iter().all(|line| line.address == "203.0.113.9"));
        // Who is gone is named by the id.
        let text = root
            .get("/admin/audit?action=deleted")
            .await
            .expect(200)
            .page()
            .whole_text();
        assert!(
            text.contains(&squeezed(&format!("account {id}, deleted since"))),
            "{text}"
        );
    })
    .await;
}

// Where one comes from and goes to.

#[tokio::test]
async fn after_signing_in_one_stays_here() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let here = app.person(ADA).await;
        let evil = [
            "//evil.example",
            "///evil.example",
            "https://evil.example",
            "https:evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "data:text/html,x",
            "evil.example",
            "/é",
            "/\0",
            "",
        ];
        for next in evil {
            let query = super::app::urlencoded(&[("next", next)]);
            // As a person would come: the page's own form.
            let page = app
                .guest()
                .get(&format!("/sign-in?{query}"))
                .await
                .expect(200);
            assert!(
                page.page()
                    .all("a[href*='evil.example'][href^='http'], a[href^='//']")
                    .is_empty()
            );
            let next = &page.form("/sign-in")["next"];
            let fields = [("email", ADA), ("password", PASSWORD), ("next", next)];
            let reply = app.guest().post_form("/sign-in", &fields).await.expect(303);
            assert_eq!(reply.location(), "/attempts", "{next:?}");
            let already = here.get(&format!("/sign-in?{query}")).await.expect(303);
            assert_eq!(already.location(), "/account", "{next:?}");
        }
        for (next, to) in [
            (
                "/prompts?level=mid&way=guided#start",
                "/prompts?level=mid&way=guided#start",
            ),
            ("/", "/"),
            ("/account/data", "/account/data"),
            ("/%2f%2fevil.example", "/%2f%2fevil.example"),
        ] {
            let fields = [("email", ADA), ("password", PASSWORD), ("next", next)];
            let reply = app.guest().post_form("/sign-in", &fields).await.expect(303);
            assert_eq!(reply.location(), to);
        }
        let fields = [
            ("name", "Bob"),
            ("email", BOB),
            ("password", PASSWORD),
            ("next", "//evil.example"),
        ];
        let bob = app.guest();
        let reply = bob.post_form("/sign-up", &fields).await.expect(303);
        assert_eq!(reply.location(), "/attempts?done=signed-up-0");

        // Through the second factor too, and with its query.
        let (authenticator, _) = bob.enrol(app.now()).await;
        for (next, to) in [
            ("//evil.example", "/attempts"),
            (
                "/prompts?level=mid&way=guided",
                "/prompts?level=mid&way=guided",
            ),
        ] {
            app.advance_millis(STEP);
            let browser = app.guest();
            let fields = [("email", BOB), ("password", PASSWORD), ("next", next)];
            let reply = browser.post_form("/sign-in", &fields).await.expect(303);
            let page = browser.get(reply.location()).await.expect(200);
            let next = page.form("/sign-in/second-factor")["next"].clone();
            let code = authenticator.code(app.now());
            let reply = browser
                .post_form(
                    "/sign-in/second-factor",
                    &[("code", &*code), ("next", &next)],
                )
                .await
                .expect(303);
            assert_eq!(reply.location(), to);
        }
        let code = authenticator.code(app.now() + STEP);
        let browser = half_way(&app, BOB).await;
        let reply = browser
            .post_form(
                "/sign-in/second-factor",
                &[("code", &*code), ("next", "https://evil.example")],
            )
            .await
            .expect(303);
        assert_eq!(reply.location(), "/attempts");

        // Who has to sign in comes back to the page, not to a form that was sent.
        for (path, to) in [
            ("/account/data", "/account/data"),
            ("/account/sessions?x=//evil", "/account/sessions"),
            ("/admin/audit", "/admin/audit"),
        ] {
            assert_eq!(
                app.guest().get(path).await.expect(303).location(),
                format!("/sign-in?next={to}")
            );
        }
        assert_eq!(
            app.guest()
                .post_form("/account/delete", &[])
                .await
                .expect(303)
                .location(),
            "/sign-in?next=/account"
        );
    })
    .await;
}

#[tokio::test]
async fn a_profile_is_kept_with_its_theme() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let here = app.person(ADA).await;
        let reply = here
            .post_form("/account/profile", &PROFILE)
            .await
            .expect(303);
        assert_eq!(reply.location(), "/account?done=profile-saved");
        let page = here.get("/account").await.expect(200);
        assert_eq!(page.page().attribute("html", "data-theme"), "dark");
        let form = page.form("/account/profile");
        for (name, value) in [PROFILE[0], PROFILE[2], PROFILE[3], PROFILE[4]] {
            assert_eq!(form[name], value);
        }
        // Another browser takes the colours on when it signs in.
        let there = app.signed_in(ADA).await;
        assert_eq!(
            there
                .get("/prompts")
                .await
                .expect(200)
                .page()
                .attribute("html", "data-theme"),
            "dark"
        );
        // The colours of the browser that signs up are the account's.
        let bob = app.guest();
        bob.post_form("/theme", &[("theme", "light")])
            .await
            .expect(303);
        bob.sign_up(BOB).await.expect(303);
        let there = app.signed_in(BOB).await;
        assert_eq!(
            there
                .get("/account")
                .await
                .expect(200)
                .page()
                .attribute("html", "data-theme"),
            "light"
        );

        for (field, value) in [
            ("name", ""),
            ("name", "a\u{202e}b"),
            ("level", "principal"),
            ("interview_on", "tomorrow"),
            ("interview_on", "2026-02-30"),
            ("interview_on", "0001-01-01"),
            ("hours_a_week", "0"),
            ("hours_a_week", "81"),
            ("hours_a_week", "many"),
            ("hours_a_week", "1e1"),
            ("time_zone", "Mars/Olympus"),
            ("time_zone", "../../etc/passwd"),
            ("time_zone", "\0"),
        ] {
            let fields =
                PROFILE.map(|(name, kept)| (name, if name == field { value } else { kept }));
            let reply = here
                .post_form("/account/profile", &fields)
                .await
                .expect(422);
            assert_eq!(
                reply.page().all(&format!("#profile-{field}-fault")).len(),
                1,
                "{field} {value:?}"
            );
        }
        assert_eq!(here.get("/account").await.form("/account/profile"), form);
    })
    .await;
}
