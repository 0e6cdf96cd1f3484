//! What is done to accounts by who can reach the database, and what keeps accounts sound without anybody asking.

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};

use super::app::{PASSWORD, START, TestApp};
use super::engines::{Database, on_each_engine};
use crate::accounts::store::administration::{by_email, end_all_sessions};
use crate::accounts::store::token::{self, Purpose};
use crate::accounts::store::{self, AdminPermit};
use crate::domain::account::Role;
use crate::operations::admin::{create, grant, reset};
use crate::server::clock::random_bytes;
use crate::server::database::{Db, StoreError};
use crate::server::throttle::{HOUR, Refused, Throttle};
use crate::transact;

const URL: &str = "http://headroom.test";
const ADA: &str = "ada@example.org";
const ROOT: &str = "root@example.org";

/// What the database keeps of a password.
async fn kept_hash(db: &Db, email: &str) -> String {
    let mut reader = db.read().await.expect("a reader");
    store::credentials(&mut reader.conn(), email)
        .await
        .expect("reads")
        .expect("an account")
        .password_hash
}

#[tokio::test]
async fn an_operator_makes_administrators_and_links() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let (db, now) = (&app.db, app.now());
        let permit = AdminPermit::of_the_command_line();
        let secret = create(db, &permit, "Root", ROOT, None, now)
            .await
            .expect("makes")
            .expect("a link");
        // The link is the only way in, and works once.
        let path = format!("/reset-password/{secret}");
        let fields = [("password", PASSWORD)];
        app.guest().get(&path).await.expect(200);
        app.guest().post_form(&path, &fields).await.expect(303);
        app.guest().post_form(&path, &fields).await.expect(410);
        let root = app.signed_in(ROOT).await;
        root.get("/admin").await.expect(403);
        // Whoever signed up with an address does not become an administrator by the making of one.
        app.person(ADA).await;
        let refused = create(db, &permit, "Ada", ADA, Some(PASSWORD), now).await;
        assert!(
            refused
                .expect_err("refuses")
                .to_string()
                .contains("admin grant")
        );
        for weak in ["short", "password1"] {
            create(db, &permit, "Eve", "eve@example.org", Some(weak), now)
                .await
                .expect_err("is refused");
        }
        // Granting, and taking back, which ends the sessions.
        let ada = app.signed_in(ADA).await;
        assert!(
            grant(db, &permit, ADA, Role::Administrator, true, now)
                .await
                .expect("grants")
        );
        assert!(
            !grant(db, &permit, ADA, Role::Administrator, true, now)
                .await
                .expect("grants")
        );
        ada.get("/admin").await.expect(403);
        assert!(
            grant(db, &permit, ADA, Role::Administrator, false, now)
                .await
                .expect("revokes")
        );
        assert!(!ada.is_signed_in().await);
        grant(db, &permit, "nobody@example.org", Role::Mentor, true, now)
            .await
            .expect_err("nobody is there");
        // A link for somebody who lost the second factor too.
        let ada = app.signed_in(ADA).await;
        ada.enrol(app.now()).await;
        let secret = reset(db, &permit, ADA, true, now).await.expect("a link");
        app.guest()
            .post_form(&format!("/reset-password/{secret}"), &fields)
            .await
            .expect(303);
        assert!(!ada.is_signed_in().await);
        assert!(app.signed_in(ADA).await.is_signed_in().await);
        // Everybody signs in again.
        let ada = app.signed_in(ADA).await;
        let ended: Result<u64, StoreError> =
            transact!(db, |conn| end_all_sessions(conn, &permit, false).await);
        assert!(ended.expect("ends") >= 1);
        assert!(!ada.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn a_weak_hash_is_made_anew_when_its_owner_signs_in() {
    let app = TestApp::new().await;
    app.person(ADA).await;
    let today = kept_hash(&app.db, ADA).await;
    let params = Params::new(8 * 1024, 1, 1, None).expect("parameters");
    let weak = Argon2::new(Algorithm::Argon2id, Version::default(), params)
        .hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16])
        .expect("hashes")
        .to_string();
    let outcome: Result<(), StoreError> = transact!(app.db, |conn| {
        let permit = AdminPermit::of_the_command_line();
        let ada = by_email(conn, &permit, ADA).await?.expect("an account");
        // Only what it replaces is replaced.
        store::rehash_password(conn, &ada, "another", "never").await?;
        store::rehash_password(conn, &ada, &today, &weak).await
    });
    outcome.expect("sets");
    assert_eq!(kept_hash(&app.db, ADA).await, weak);
    app.guest().sign_in(ADA, "wrong guess").await.expect(422);
    assert_eq!(kept_hash(&app.db, ADA).await, weak);
    app.signed_in(ADA).await;
    let renewed = kept_hash(&app.db, ADA).await;
    assert!(
        renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{renewed}"
    );
    app.signed_in(ADA).await;
    assert_eq!(kept_hash(&app.db, ADA).await, renewed);
}

#[tokio::test]
async fn a_link_does_not_outlive_what_it_was_mailed_for() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, URL);
        let ada = app.person(ADA).await;
        let now = app.now();
        let issue = async |email: &str| -> String {
            let id = app.account_id(ADA).await;
            let secret: Result<String, StoreError> = transact!(app.db, |conn| token::issue(
                conn,
                &id,
                Purpose::ResetPassword,
                email,
                random_bytes(),
                now
            )
            .await);
            secret.expect("issues")
        };
        // A link to another mailbox than the account's present one leads nowhere.
        let elsewhere = issue("old@example.org").await;
        app.guest()
            .get(&format!("/reset-password/{elsewhere}"))
            .await
            .expect(410);
        // Changing the address ends the link that went to the one before.
        let before = issue(ADA).await;
        let fields = [("email", "new@example.org"), ("password", PASSWORD)];
        ada.post_form("/account/email", &fields).await.expect(303);
        app.guest()
            .get(&format!("/reset-password/{before}"))
            .await
            .expect(410);
    })
    .await;
}

/// Transactions that lose against another are repeated until they win.
#[tokio::test]
async fn serialization_failures_are_tried_again() {
    let Some(database) = Database::empty_postgres().await else {
        return;
    };
    database.db.migrate().await.expect("migrates");
    let Db::Postgres(pool) = &database.db else {
        panic!("not Postgres");
    };
    let (name,): (String,) = sqlx::query_as("SELECT current_database()::text")
        .fetch_one(pool)
        .await
        .expect("a name");
    let sql = format!("ALTER DATABASE {name} SET default_transaction_isolation TO 'serializable'");
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(pool)
        .await
        .expect("alters");
    let strict = Db::open(&database.url).await.expect("opens");
    let counted = async |times: u32| {
        for _ in 0..times {
            let throttle = Throttle::new("test", &["one"], 1000, HOUR);
            let outcome: Result<(), StoreError> = transact!(strict, |conn| throttle
                .take(conn, START)
                .await
                .map_err(|refused| match refused {
                    Refused::Store(error) => error,
                    Refused::Wait(_) => refused.explained("Too many."),
                }));
            outcome.expect("counts, however often it has to try");
        }
    };
    tokio::join!(counted(20), counted(20));
    let (count,): (i64,) = sqlx::query_as("SELECT count FROM throttle")
        .fetch_one(pool)
        .await
        .expect("reads");
    assert_eq!(count, 40);
    strict.close().await;
    database.discard().await;
}
