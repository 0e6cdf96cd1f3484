//! Sessions: how the cookie is set, what the database holds of it, and that an ended one stays ended.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Method;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

use super::app::{PROMPT, START, TestApp, request, with};
use super::engines::on_each_engine;
use crate::domain::attempt::Way;
use crate::domain::level::Level;
use crate::server::database::{Db, Tx};
use crate::server::session::{DatabaseSessions, sha256_hex};
use crate::server::{clock::Clock, store};

const TERMS: [(&str, &str); 3] = [("way", "guided"), ("level", "mid"), ("minutes", "60")];

/// Hash, owner and last use of each session that there is.
async fn rows(db: &Db) -> Vec<(String, Option<String>, i64)> {
    let sql = "SELECT id_hash, owner_id, seen_at FROM session";
    match db {
        Db::Sqlite { read, .. } => sqlx::query_as(sql).fetch_all(read).await,
        Db::Postgres(pool) => sqlx::query_as(sql).fetch_all(pool).await,
    }
    .expect("reads")
}

#[tokio::test]
async fn the_cookie_is_as_strict_as_the_address_allows() {
    for (url, name, secure) in [
        ("http://127.0.0.1:3000", "headroom", false),
        ("https://practice.example", "__Host-headroom", true),
    ] {
        let app = TestApp::at(url).await;
        let reply = app
            .guest()
            .post_form(&format!("/prompts/{PROMPT}/attempts"), &TERMS)
            .await
            .expect(303);
        assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 1);
        let cookie = reply.header("set-cookie");
        let mut parts: Vec<&str> = cookie.split("; ").collect();
        let value = parts
            .remove(0)
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
            .expect("our cookie");
        // 128 bits from the system's generator.
        assert_eq!(value.len(), 22, "{cookie}");
        parts.sort_unstable();
        let mut expected = vec!["HttpOnly", "Max-Age=15552000", "Path=/", "SameSite=Lax"];
        expected.extend(secure.then_some("Secure"));
        assert_eq!(parts, expected);

        let theme = app
            .guest()
            .post_form("/theme", &[("theme", "dark")])
            .await
            .expect(303)
            .header("set-cookie")
            .to_owned();
        assert_eq!(
            (
                theme.contains("Secure"),
                theme.contains("HttpOnly"),
                theme.contains("Domain")
            ),
            (secure, true, false),
            "{theme}"
        );
        assert_eq!(
            reply.headers.contains_key("strict-transport-security"),
            secure
        );
    }
}

#[tokio::test]
async fn ids_are_kept_as_their_hash_alone() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let attempt = app.guided().await;
        let cookie = attempt.guest.cookies.lock().expect("sound")["headroom"].clone();
        let id: Id = cookie.parse().expect("an id");
        let rows = rows(&database.db).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].0, sha256_hex(id.0.to_le_bytes()));
        assert!(rows[0].1.is_some(), "all sessions of an owner can be found");
        assert!(!rows[0].0.contains(&cookie) && !rows[0].0.contains(&format!("{:x}", id.0)));
        // What the database holds opens nothing.
        let stolen = format!("headroom={}", rows[0].0);
        let path = attempt.path("api");
        app.guest()
            .send(
                with(request(Method::GET, &path), &[("cookie", &stolen)])
                    .body(Body::empty())
                    .expect("a request"),
            )
            .await
            .expect(404);
        for forged in [
            "headroom=",
            "headroom=AAAAAAAAAAAAAAAAAAAAAA",
            "headroom=%00",
            "headroom=🦀",
            "headroom",
            "=;;=",
            "HEADROOM=x",
        ] {
            let forged = http::HeaderValue::from_bytes(forged.as_bytes()).expect("a header");
            let request = request(Method::GET, &path)
                .header("cookie", forged)
                .body(Body::empty())
                .expect("a request");
            app.guest().send(request).await.expect(404);
        }
        attempt.get("api").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_session_in_use_goes_on() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let seen = async || rows(&app.db).await[0].2;
    let started = seen().await;
    app.advance(5);
    assert!(
        attempt
            .get("api")
            .await
            .expect(200)
            .header("set-cookie")
            .is_empty(),
        "not written at each request"
    );
    assert_eq!(seen().await, started);
    app.advance(1);
    assert!(
        !attempt
            .get("api")
            .await
            .expect(200)
            .header("set-cookie")
            .is_empty()
    );
    assert_eq!(seen().await, app.now());
    assert_eq!(rows(&app.db).await.len(), 1);
}

#[tokio::test]
async fn an_ended_session_is_nobodys() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    app.advance(2 * 365 * 24 * 60);
    attempt.get("api").await.expect(404);
    crate::transact!(app.db, |conn| store::delete_expired_sessions(
        conn,
        app.now()
    )
    .await)
    .expect("deletes");
    assert!(rows(&app.db).await.is_empty());
}

#[tokio::test]
async fn saving_never_brings_a_session_back() {
    on_each_engine(async |database| {
        let sessions = DatabaseSessions {
            db: database.db.clone(),
            clock: Clock::Set(Arc::new(START.into())),
        };
        // A session that holds nothing lasts a day, whatever the library would have it.
        let ends_at = START / 1000 + 24 * 60 * 60;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(ends_at).expect("a date");
        let mut record = Record {
            id: Id(7),
            data: std::collections::HashMap::new(),
            expiry_date: time::OffsetDateTime::UNIX_EPOCH,
        };
        sessions.create(&mut record).await.expect("creates");
        assert_ne!(record.id, Id(7), "the store draws the id");
        assert_eq!(
            sessions.load(&record.id).await.expect("loads"),
            Some(Record {
                expiry_date,
                ..record.clone()
            })
        );
        sessions.delete(&record.id).await.expect("deletes");
        sessions.save(&record).await.expect("is no fault");
        assert_eq!(sessions.load(&record.id).await.expect("loads"), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_under_way_does_not_bring_its_session_back() {
    let app = TestApp::new().await;
    let attempt = app.attempt(Way::Interview, Level::Mid, None).await;
    // Late enough that the session's end is moved by the next request.
    app.advance(48 * 60);
    // The one writer is taken, so the request stops in the middle: its session is read, and not yet written.
    let mut writer = app.db.begin().await.expect("the writer");
    let under_way = tokio::spawn({
        let attempt = attempt.clone();
        async move { attempt.get("api").await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!under_way.is_finished(), "the request waits");
    if let Tx::Sqlite(transaction) = &mut writer {
        sqlx::query("DELETE FROM session")
            .execute(&mut **transaction)
            .await
            .expect("deletes");
    }
    writer.commit().await.expect("commits");
    let reply = under_way.await.expect("ends");
    assert!(!reply.status.is_server_error(), "{}", reply.status);
    assert!(rows(&app.db).await.is_empty());
    attempt.get("api").await.expect(404);
}
