//! Two guests: nothing of one is reached by the other, by any route of an attempt, whatever its id.

use http::Method;

use super::app::{Attempt, Guest, Reply, TestApp};
use crate::app::{Access, Route, routes};
use crate::domain::attempt::Way;
use crate::domain::level::Level;
use crate::server::clock::new_id;

/// The routes below an attempt, by their method and with every parameter but the id filled in.
fn routes_of_an_attempt(id: &str) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for Route {
        method,
        path,
        access,
        ..
    } in routes()
    {
        if !path.starts_with("/attempts/{id}") {
            continue;
        }
        assert_eq!(access, Access::Owner, "{path}");
        let path = path.replace("{id}", id);
        let sections = if path.contains("{section}") {
            &["api", "worksheet", "curveball-key-reused"][..]
        } else {
            &[""]
        };
        let formats = if path.contains("{format}") {
            &["attempt.md", "attempt.json"][..]
        } else {
            &[""]
        };
        for section in sections {
            for format in formats {
                let path = path
                    .replace("{section}", section)
                    .replace("{format}", format);
                assert!(
                    !path.contains('{'),
                    "{path} has a parameter that this test does not know"
                );
                found.push((method.clone(), path));
            }
        }
    }
    assert!(found.len() >= 15, "{found:?}");
    found
}

/// Every way of reaching into an attempt, with what a form of it would send.
async fn try_everything(guest: &Guest, id: &str) -> Vec<(String, Reply)> {
    let key = new_id(0);
    let mut form = vec![
        ("body", "mine"),
        ("base", "0"),
        ("key", "k"),
        ("revision", "1"),
        ("back", "api"),
        ("score", key.as_str()),
    ];
    let criteria: Vec<_> = super::app::published()
        .prompt
        .rubric
        .criteria
        .iter()
        .map(|criterion| criterion.id.slug())
        .collect();
    let names: Vec<_> = criteria
        .iter()
        .flat_map(|slug| [format!("rating.{slug}"), format!("evidence.{slug}")])
        .collect();
    form.extend(names.iter().map(|name| (name.as_str(), "senior")));
    let mut replies = Vec::new();
    for (method, path) in routes_of_an_attempt(id) {
        let reply = if method == Method::POST {
            guest.post_form(&path, &form).await
        } else {
            guest.get(&path).await
        };
        replies.push((format!("{method} {}", path.replace(id, "ID")), reply));
    }
    for (function, arguments) in [
        (
            "save_section",
            serde_json::json!({ "attempt": id, "section": "api", "body": "mine", "base": 0, "key": "k" }),
        ),
        (
            "pulse",
            serde_json::json!({ "attempt": id, "section": "api", "known": {} }),
        ),
    ] {
        replies.push((function.to_owned(), guest.call(function, &arguments).await));
    }
    replies
}

/// What the owner can see of it.
async fn seen_by_owner(attempt: &Attempt) -> Vec<String> {
    let mut seen = Vec::new();
    for rest in ["export/attempt.json", "api/history"] {
        seen.push(attempt.get(rest).await.text());
    }
    seen
}

#[tokio::test]
async fn an_attempt_is_its_guests_alone() {
    let app = TestApp::new().await;
    let (open, scored) = (app.interview().await, app.interview().await);
    for attempt in [&open, &scored] {
        attempt
            .save("api", 0, "k1", "the secret of the first guest")
            .await
            .expect(200);
    }
    scored.score("mid").await.expect(303);
    let before = (seen_by_owner(&open).await, seen_by_owner(&scored).await);
    let (other, nobody) = (
        app.attempt(Way::Guided, Level::Mid, None).await.guest,
        app.guest(),
    );
    let unknown = new_id(app.now());

    for guest in [other, nobody.clone()] {
        let expected = try_everything(&guest, &unknown).await;
        for attempt in [&open, &scored] {
            for ((what, reply), (_, same)) in try_everything(&guest, &attempt.id)
                .await
                .into_iter()
                .zip(&expected)
            {
                let reply = reply.expect(404);
                assert_eq!(same.status, 404, "{what}");
                assert_eq!(
                    reply.text(),
                    same.text(),
                    "{what}: another's attempt is told apart from none"
                );
                let names = |reply: &Reply| {
                    reply
                        .headers
                        .iter()
                        // Every answer has an id of its own.
                        .filter(|(name, _)| *name != "x-request-id")
                        .map(|(name, value)| format!("{name}: {value:?}"))
                        .collect::<Vec<_>>()
                };
                assert_eq!(names(&reply), names(same), "{what}");
                assert!(
                    !reply.text().contains("secret") && !reply.text().contains(&attempt.id),
                    "{what}"
                );
            }
        }
    }
    // Nothing was changed, and who has nothing was given nothing.
    assert_eq!(
        (seen_by_owner(&open).await, seen_by_owner(&scored).await),
        before
    );
    assert!(nobody.cookies.lock().expect("sound").is_empty());
    let list = nobody.get("/attempts").await.expect(200).text();
    assert!(!list.contains(&open.id));
}

/// The test above is worth something only if the owner gets through.
#[tokio::test]
async fn the_same_requests_of_the_owner_are_answered() {
    let app = TestApp::new().await;
    let attempt = app.attempt(Way::Interview, Level::Staff, Some(45)).await;
    attempt.save("api", 0, "k1", "one").await.expect(200);
    attempt.save("worksheet", 0, "k2", "a: 1").await.expect(200);
    app.advance(60);
    attempt
        .save("curveball-key-reused", 0, "k3", "refuse it")
        .await
        .expect(200);
    for (what, reply) in try_everything(&attempt.guest, &attempt.id).await {
        assert!(
            reply.status != 404 && !reply.status.is_server_error(),
            "{what}: {} {}",
            reply.status,
            reply.text()
        );
    }
}

#[tokio::test]
async fn a_preview_is_for_guests_who_have_something() {
    let app = TestApp::new().await;
    let arguments = serde_json::json!({ "markdown": "# Hello" });
    app.guest().call("preview", &arguments).await.expect(404);
    let html = app
        .interview()
        .await
        .guest
        .call("preview", &arguments)
        .await
        .expect(200)
        .json();
    assert!(
        html.as_str()
            .expect("text")
            .contains("id=\"preview-hello\""),
        "{html}"
    );
}
