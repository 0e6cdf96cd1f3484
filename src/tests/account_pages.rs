//! The pages of accounts and of administration, rendered from plain and from hostile data.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt as _;
use scraper::{ElementRef, Html, Selector};

use super::app::{START, TestApp};
use crate::accounts::page::{self, FormState, Notice, admin};
use crate::domain::attempt::MINUTE;
use crate::error::{FieldFault, Wait};
use crate::server::extract::Theme;
use crate::server::state::AppState;

const HOSTILE: &str = "\"'><script>alert(1)</script><a href=javascript:x>";
const SECRET: &str = "correct horse battery";
const DAY: i64 = 24 * 60 * MINUTE;

/// What the pages are made from: everything that a person or a browser can choose ends in `odd`.
struct Sample<'a> {
    state: &'a AppState,
    theme: Theme,
    odd: &'a str,
}

fn form(name: &'static str, faults: &[(&str, &str)], odd: &str) -> FormState {
    let values = [
        "name",
        "email",
        "level",
        "interview_on",
        "hours_a_week",
        "time_zone",
        "theme",
        "reason",
        "q",
    ]
    .map(|field| (field, format!("typed {field} {odd}")));
    let secrets =
        ["password", "current", "code", "confirm"].map(|field| (field, SECRET.to_owned()));
    FormState::of(name, values.into_iter().chain(secrets)).with_faults(
        faults
            .iter()
            .map(|(field, message)| FieldFault {
                field: (*field).to_owned(),
                message: (*message).to_owned(),
            })
            .collect(),
    )
}

impl Sample<'_> {
    fn words(&self, text: &str) -> String {
        format!("{text}{}", self.odd)
    }

    fn entry_pages(&self) -> Vec<(&'static str, Response)> {
        let (state, theme, ok, odd) = (self.state, self.theme, StatusCode::OK, self.odd);
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        let next = self.words("/prompts/payments-processor?level=mid&x=1");
        let none = FormState::default();
        let wait = FormState::default().with_wait(Wait {
            message: "Too many tries to sign in. Nothing was checked.".to_owned(),
            seconds: 700,
        });
        let out = FormState::default().with_notice(Some(Notice::SignedOut));
        let three = form(
            "",
            &[
                ("name", "Type a name."),
                ("email", "This is not an email address."),
                (
                    "password",
                    "This password is among the most common ones. Choose another.",
                ),
            ],
            odd,
        );
        let one = form("", &[("email", "This is not an email address.")], odd);
        let mismatch = form("", &[("", "The address or the password is wrong.")], odd);
        let code = form(
            "",
            &[(
                "code",
                "This code is wrong or was used. Wait for the next one.",
            )],
            odd,
        );
        let short = form(
            "",
            &[("password", "A password has at least 8 characters.")],
            odd,
        );
        let email = self.words("a.person@example.org");
        vec![
            ("sign-up", page::sign_up(state, theme, &next, 3, &none, ok)),
            (
                "sign-up-faults",
                page::sign_up(state, theme, &next, 0, &three, refused),
            ),
            (
                "sign-up-fault",
                page::sign_up(state, theme, "", 1, &one, refused),
            ),
            ("sign-in", page::sign_in(state, theme, &next, 2, &out, ok)),
            (
                "sign-in-mismatch",
                page::sign_in(state, theme, &next, 0, &mismatch, refused),
            ),
            (
                "sign-in-wait",
                page::sign_in(state, theme, "", 0, &wait, StatusCode::TOO_MANY_REQUESTS),
            ),
            (
                "second-factor-code",
                page::second_factor_code(state, theme, &next, &none, ok),
            ),
            (
                "second-factor-code-fault",
                page::second_factor_code(state, theme, &next, &code, refused),
            ),
            (
                "forgot",
                page::forgot_password(state, theme, true, &none, ok),
            ),
            (
                "forgot-no-mail",
                page::forgot_password(state, theme, false, &none, ok),
            ),
            ("forgot-sent", page::forgot_password_sent(state, theme)),
            (
                "reset",
                page::reset_password(state, theme, "0123abcd", &short, refused),
            ),
            (
                "verify",
                page::verify_email(state, theme, "0123abcd", &email, &none, ok),
            ),
            ("expired-reset", page::expired_link(state, theme, true)),
            ("expired-verify", page::expired_link(state, theme, false)),
        ]
    }

    fn account_pages(&self) -> Vec<(&'static str, Response)> {
        let (state, theme, ok, odd) = (self.state, self.theme, StatusCode::OK, self.odd);
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        let zone = "Europe/Berlin";
        let none = FormState::default();
        let account = page::AccountData {
            name: self.words("Maximiliane Wolkenstein-Überschär"),
            email: self.words("maximiliane.wolkenstein@long-department.example.org"),
            email_verified_at: Some(START),
            level: Some("senior".to_owned()),
            interview_on: Some("2026-03-01".to_owned()),
            hours_a_week: Some(6),
            time_zone: self.words("Europe/Berlin"),
            theme: "auto".to_owned(),
            created_at: START,
            sessions: 3,
            second_factor_on: true,
            administrator: true,
            mail_on: true,
        };
        let plain = page::AccountData {
            email_verified_at: None,
            level: None,
            interview_on: None,
            hours_a_week: None,
            sessions: 1,
            second_factor_on: false,
            administrator: false,
            ..account.clone()
        };
        let no_mail = page::AccountData {
            mail_on: false,
            ..plain.clone()
        };
        let made = FormState::default().with_notice(Some(Notice::SignedUp { claimed: 3 }));
        let profile = form(
            "profile",
            &[
                (
                    "hours_a_week",
                    "Hours a week are a whole number from 1 to 80.",
                ),
                (
                    "time_zone",
                    "There is no such time zone. Choose one of the list.",
                ),
                ("level", "The level is mid, senior or staff."),
            ],
            odd,
        );
        let email = form("email", &[("password", "This is not your password.")], odd);
        let sessions = [
            page::SessionRow {
                id: "a1".to_owned(),
                device: self.words("Firefox on Linux"),
                seen_at: START,
                signed_in_at: Some(START - 3 * DAY),
                current: true,
            },
            page::SessionRow {
                id: "b2".to_owned(),
                device: self
                    .words("Mobile Safari on iPhone with a very long name that goes on and on"),
                seen_at: START - DAY,
                signed_in_at: Some(START - 40 * DAY),
                current: false,
            },
            page::SessionRow {
                id: "c3".to_owned(),
                seen_at: START - 2 * DAY,
                ..page::SessionRow::default()
            },
        ];
        let qr = "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"41\" height=\"41\" viewBox=\"0 0 41 41\">\
                  <path d=\"M0 0h41v41H0z\" fill=\"#fff\"/><path d=\"M4 4h7v7H4zM30 4h7v7h-7zM4 30h7v7H4zM14 14h13v13H14z\" fill=\"#000\"/></svg>";
        let codes: Vec<String> = (0..10)
            .map(|number| format!("k7mq2-{number}xw9t"))
            .collect();
        let on = page::SecondFactor {
            confirmed_at: Some(START),
            recovery_codes_left: 2,
            required: false,
        };
        let held = page::SecondFactor {
            recovery_codes_left: 9,
            required: true,
            ..on.clone()
        };
        let off = form(
            "off",
            &[
                ("password", "This is not your password."),
                ("code", "This code is wrong."),
            ],
            odd,
        );
        let wrong = form("", &[("code", "This code is wrong.")], odd);
        let data = page::DataPage {
            email: account.email.clone(),
            attempts: 12,
            second_factor_on: true,
            report: None,
        };
        let failed = page::DataPage {
            attempts: 1,
            second_factor_on: false,
            report: Some(page::ArchiveReport {
                faults: (0..40)
                    .map(|number| {
                        self.words(&format!(
                            "attempts[{number}].level: there is no level “god”"
                        ))
                    })
                    .collect(),
                ..page::ArchiveReport::default()
            }),
            ..data.clone()
        };
        let brought = page::DataPage {
            report: Some(page::ArchiveReport {
                added: 1,
                already: 11,
                warnings: vec![self.words("attempts[3].mood: not known here, left out")],
                faults: Vec::new(),
            }),
            ..data.clone()
        };
        let delete = form(
            "delete",
            &[
                ("confirm", "This is not the address of your account."),
                ("password", "This is not your password."),
            ],
            odd,
        );
        vec![
            ("account", page::account(state, theme, &account, &none, ok)),
            (
                "account-new",
                page::account(state, theme, &plain, &made, ok),
            ),
            (
                "account-no-mail",
                page::account(state, theme, &no_mail, &none, ok),
            ),
            (
                "account-profile-faults",
                page::account(state, theme, &account, &profile, refused),
            ),
            (
                "account-email-fault",
                page::account(state, theme, &account, &email, refused),
            ),
            (
                "sessions",
                page::sessions(state, theme, &sessions, zone, &none, ok),
            ),
            (
                "sessions-one",
                page::sessions(state, theme, &sessions[..1], zone, &none, ok),
            ),
            (
                "factor-off",
                page::second_factor(
                    state,
                    theme,
                    &page::SecondFactor {
                        required: true,
                        ..page::SecondFactor::default()
                    },
                    zone,
                    &none,
                    ok,
                ),
            ),
            (
                "factor-enroll",
                page::enroll_second_factor(
                    state,
                    theme,
                    qr,
                    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                    &wrong,
                    refused,
                ),
            ),
            (
                "factor-codes",
                page::recovery_codes(state, theme, &codes, "/account/second-factor"),
            ),
            (
                "factor-on",
                page::second_factor(state, theme, &on, zone, &off, refused),
            ),
            (
                "factor-held",
                page::second_factor(state, theme, &held, zone, &none, ok),
            ),
            ("data", page::data(state, theme, &data, &none, ok)),
            (
                "data-import-failed",
                page::data(state, theme, &failed, &none, refused),
            ),
            (
                "data-imported",
                page::data(state, theme, &brought, &none, ok),
            ),
            (
                "data-delete-faults",
                page::data(state, theme, &data, &delete, refused),
            ),
        ]
    }

    fn administration_pages(&self) -> Vec<(&'static str, Response)> {
        let (state, theme, ok, odd) = (self.state, self.theme, StatusCode::OK, self.odd);
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        let zone = "Europe/Berlin";
        let none = FormState::default();
        let account = |number: i64| admin::AccountRow {
            id: format!("0198-{number}"),
            name: self.words(
                [
                    "Ada Example",
                    "Maximiliane Wolkenstein-Überschär von und zu Langenname",
                    "Li",
                ][usize::try_from(number % 3).unwrap_or(0)],
            ),
            email: self.words(&format!("person{number}@example.org")),
            verified: number % 4 != 0,
            roles: match number % 5 {
                0 => vec!["mentor".to_owned(), "administrator".to_owned()],
                1 => vec!["mentor".to_owned()],
                _ => Vec::new(),
            },
            disabled: number % 7 == 3,
            created_at: START - number * DAY,
            seen_at: (number % 2 == 0).then_some(START),
        };
        let accounts = admin::AccountList {
            rows: (0..12).map(account).collect(),
            q: self.words("exam"),
            found: 62,
            page: 2,
            pages: 6,
        };
        let nobody = admin::AccountList {
            q: self.words("nobody"),
            page: 1,
            ..admin::AccountList::default()
        };
        let row = |action: &str, detail: &str| admin::AuditRow {
            at: START,
            actor: self.words("ada@example.org"),
            actor_id: Some("0198-1".to_owned()),
            action: action.to_owned(),
            subject: self.words("person7@example.org"),
            subject_id: Some("0198-7".to_owned()),
            detail: self.words(detail),
            address: "2001:db8:85a3::8a2e:370:7334".to_owned(),
        };
        let rows = vec![
            row("role-granted", "mentor"),
            row(
                "account-disabled",
                "wrote the same comment under every review for three weeks and did not answer",
            ),
            row("sign-in-refused", ""),
            admin::AuditRow {
                actor: "the command line".to_owned(),
                actor_id: None,
                subject: String::new(),
                subject_id: None,
                address: String::new(),
                ..row("sessions-flushed", "14 sessions")
            },
        ];
        let detail = admin::AccountDetail {
            id: "0198-7".to_owned(),
            name: self.words("Maximiliane Wolkenstein-Überschär"),
            email: self.words("maximiliane.wolkenstein@long-department.example.org"),
            email_verified_at: Some(START),
            mentor: true,
            sessions: 2,
            attempts: 31,
            created_at: START,
            seen_at: Some(START),
            audit: rows.clone(),
            reset_link: Some(
                "https://headroom.example/reset-password/0123456789abcdef0123456789abcdef"
                    .to_owned(),
            ),
            ..admin::AccountDetail::default()
        };
        let disabled = admin::AccountDetail {
            disabled_at: Some(START),
            disabled_by: Some(self.words("ada@example.org")),
            sessions: 0,
            audit: Vec::new(),
            reset_link: None,
            ..detail.clone()
        };
        let own = admin::AccountDetail {
            own: true,
            administrator: true,
            second_factor_on: true,
            ..disabled.clone()
        };
        let reason = form(
            "disable",
            &[("reason", "Say why: it is what the log will tell.")],
            odd,
        );
        let log = admin::AuditList {
            rows,
            filter: admin::AuditFilter {
                action: "sign-in-refused".to_owned(),
                account: self.words("person7@example.org"),
                from: "2025-12-01".to_owned(),
                to: String::new(),
            },
            actions: ["role-granted", "sign-in-refused", "account-disabled"]
                .map(ToOwned::to_owned)
                .to_vec(),
            found: 4,
            page: 1,
            pages: 2,
        };
        let day = form("", &[("from", "Write the day as 2026-01-31.")], odd);
        let message = |kind: &str, tries: i64| admin::OutboxRow {
            id: format!("m{tries}"),
            kind: kind.to_owned(),
            recipient: self.words("maximiliane.wolkenstein@long-department.example.org"),
            created_at: START,
            tries,
            next_try_at: START + MINUTE,
            last_error: (tries > 0).then(|| self.words("connection refused")),
            ..admin::OutboxRow::default()
        };
        let outbox = admin::OutboxList {
            rows: vec![
                message("verify-address", 0),
                message("reset-password", 3),
                admin::OutboxRow {
                    failed_at: Some(START),
                    ..message("new-sign-in", 24)
                },
                admin::OutboxRow {
                    sent_at: Some(START),
                    ..message("password-changed", 1)
                },
            ],
            waiting: 2,
            sent: 1,
            failed: 1,
            page: 1,
            pages: 1,
            mail_on: true,
            shown: "all".to_owned(),
        };
        let health = admin::Health {
            now: START,
            version: "0.3.0".to_owned(),
            revision: Some("f0ad28e".to_owned()),
            started_at: START - 3 * DAY,
            schema_version: 2,
            schema_known: 3,
            engine: "SQLite 3.51.3".to_owned(),
            database_bytes: Some(48_300_000),
            pool_in_use: 16,
            pool_idle: 0,
            pool_most: 16,
            accounts: 62,
            guests: 1204,
            attempts: 903,
            sessions: 88,
            mail_on: true,
            mail_waiting: 2,
            mail_failed: 1,
            mail_oldest_at: Some(START - 90 * MINUTE),
            disk_free: Some(400_000_000),
        };
        vec![
            (
                "admin",
                admin::accounts(state, theme, &accounts, zone, &none, ok),
            ),
            (
                "admin-nobody",
                admin::accounts(state, theme, &nobody, zone, &none, ok),
            ),
            (
                "admin-account",
                admin::account(state, theme, &detail, zone, &reason, refused),
            ),
            (
                "admin-account-disabled",
                admin::account(state, theme, &disabled, zone, &none, ok),
            ),
            (
                "admin-account-own",
                admin::account(state, theme, &own, zone, &none, ok),
            ),
            (
                "admin-audit",
                admin::audit(state, theme, &log, zone, &none, ok),
            ),
            (
                "admin-audit-empty",
                admin::audit(
                    state,
                    theme,
                    &admin::AuditList {
                        filter: log.filter.clone(),
                        ..admin::AuditList::default()
                    },
                    zone,
                    &day,
                    refused,
                ),
            ),
            (
                "admin-outbox",
                admin::outbox(state, theme, &outbox, zone, &none, ok),
            ),
            (
                "admin-outbox-empty",
                admin::outbox(
                    state,
                    theme,
                    &admin::OutboxList {
                        shown: "given-up".to_owned(),
                        ..admin::OutboxList::default()
                    },
                    zone,
                    &none,
                    ok,
                ),
            ),
            (
                "admin-health",
                admin::health(state, theme, &health, zone, &none, ok),
            ),
            ("admin-closed", admin::without_second_factor(state, theme)),
        ]
    }

    fn all(&self) -> Vec<(&'static str, Response)> {
        let mut pages = self.entry_pages();
        pages.extend(self.account_pages());
        pages.extend(self.administration_pages());
        pages
    }
}

async fn text(response: Response) -> String {
    let bytes = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    String::from_utf8(bytes.to_vec()).expect("is text")
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    page.select(&selector).collect()
}

#[tokio::test]
async fn every_page_is_whole_and_takes_nothing_as_markup() {
    let app = TestApp::new().await;
    for odd in ["", HOSTILE] {
        let sample = Sample {
            state: &app.state,
            theme: Theme::Auto,
            odd,
        };
        let mut rendered = 0;
        for (name, response) in sample.all() {
            rendered += 1;
            assert_eq!(
                response.headers()["cache-control"],
                "private, no-store",
                "{name}"
            );
            let html = text(response).await;
            let page = Html::parse_document(&html);
            assert_eq!(select(&page, "h1").len(), 1, "{name}");
            assert_eq!(
                select(&page, "meta[name=robots][content=noindex]").len(),
                1,
                "{name}"
            );
            assert!(
                select(&page, "script, [style], [onclick], a[href^='javascript:']").is_empty(),
                "{name}"
            );
            assert!(!html.contains(SECRET), "{name} shows a secret");
            // Every id stands once, and whatever points to one finds it.
            let ids: Vec<&str> = select(&page, "[id]")
                .iter()
                .filter_map(|element| element.attr("id"))
                .collect();
            let known: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), known.len(), "{name}: {ids:?}");
            for attribute in ["for", "aria-describedby", "aria-labelledby", "list"] {
                for element in select(&page, &format!("[{attribute}]")) {
                    for id in element.attr(attribute).unwrap_or_default().split(' ') {
                        assert!(known.contains(id), "{name}: {attribute}={id} leads nowhere");
                    }
                }
            }
            for link in select(&page, "a[href^='#']") {
                let to = link
                    .attr("href")
                    .unwrap_or_default()
                    .trim_start_matches('#');
                assert!(known.contains(to), "{name}: #{to} leads nowhere");
            }
            // Every field has a name that is read out, and every form says where it goes.
            for field in select(
                &page,
                "main input:not([type=hidden], [hidden], [type=radio], [type=search])",
            ) {
                let id = field.attr("id").unwrap_or_default();
                assert_eq!(
                    select(&page, &format!("label[for='{id}']")).len(),
                    1,
                    "{name}: {id}"
                );
            }
            for form in select(&page, "form") {
                assert!(
                    form.attr("action")
                        .is_some_and(|action| action.starts_with('/')),
                    "{name}"
                );
            }
            for password in select(&page, "input[type=password]") {
                assert!(password.attr("value").is_none(), "{name}");
            }
        }
        assert!(rendered > 40, "{rendered}");
    }
}

#[tokio::test]
async fn faults_stand_beside_their_fields() {
    let app = TestApp::new().await;
    let sample = Sample {
        state: &app.state,
        theme: Theme::Auto,
        odd: "",
    };
    for (name, fields, focused) in [
        (
            "sign-up-faults",
            &["name", "email", "password"][..],
            "faults",
        ),
        ("sign-up-fault", &["email"], "email"),
        ("sign-in-mismatch", &[], "faults"),
        (
            "account-profile-faults",
            &["profile-hours_a_week", "profile-time_zone", "profile-level"],
            "faults",
        ),
        ("account-email-fault", &["email-password"], "email-password"),
        ("factor-on", &["off-password", "off-code"], "faults"),
        (
            "data-delete-faults",
            &["delete-confirm", "delete-password"],
            "faults",
        ),
        ("admin-account", &["disable-reason"], "disable-reason"),
    ] {
        let (_, response) = sample
            .all()
            .into_iter()
            .find(|(known, _)| *known == name)
            .expect("a page");
        assert_eq!(
            response.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}"
        );
        let page = Html::parse_document(&text(response).await);
        for field in fields {
            let message = format!("{field}-fault");
            assert_eq!(
                select(&page, &format!("#{message}")).len(),
                1,
                "{name}: {message}"
            );
            let described = select(&page, &format!("#{field}"))[0]
                .attr("aria-describedby")
                .unwrap_or_default()
                .to_owned();
            assert!(
                described.split(' ').any(|id| id == message),
                "{name}: {described}"
            );
            if fields.len() > 1 {
                assert_eq!(
                    select(&page, &format!("#faults a[href='#{field}']")).len(),
                    1,
                    "{name}: {field}"
                );
            }
        }
        let shown = select(&page, ".field .fault").len();
        assert_eq!(shown, fields.len(), "{name}");
        let focus: Vec<_> = select(&page, "[autofocus]")
            .iter()
            .filter_map(|element| element.attr("id"))
            .collect();
        assert!(focus.contains(&focused), "{name}: {focus:?}");
    }
}

#[tokio::test]
async fn what_was_typed_comes_back() {
    let app = TestApp::new().await;
    let sample = Sample {
        state: &app.state,
        theme: Theme::Auto,
        odd: HOSTILE,
    };
    let (_, response) = sample.entry_pages().swap_remove(1);
    let page = Html::parse_document(&text(response).await);
    assert_eq!(
        select(&page, "#email")[0].attr("value"),
        Some(format!("typed email {HOSTILE}").as_str())
    );
    let next = select(&page, "input[name=next]")[0].attr("value");
    assert_eq!(
        next,
        Some(format!("/prompts/payments-processor?level=mid&x=1{HOSTILE}").as_str())
    );
}
