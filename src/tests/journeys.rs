//! An attempt from its start to its export, by the requests that a browser sends.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use super::app::{Guest, PROMPT, TestApp, phases, scorecard, squeezed};
use crate::domain::attempt::{SECTION_BYTES, Way};
use crate::domain::level::Level;
use crate::server::database::Db;

#[tokio::test]
async fn a_section_is_saved_by_its_form() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let fields = [("way", "guided"), ("level", "staff"), ("minutes", "45")];
    let started = guest
        .post_form(&format!("/prompts/{PROMPT}/attempts"), &fields)
        .await
        .expect(303);
    let page = guest.get(started.location()).await.expect(200);
    assert!(started.location().ends_with("/requirements"));
    assert!(squeezed(&page.text()).contains("guided · staff · 45 min"));

    let attempt = started.location().trim_end_matches("/requirements");
    let path = format!("{attempt}/requirements");
    let form = page.form(&path);
    assert_eq!(form["base"], "0");
    let text = "Charge once.\r\n\r\n- 0 duplicates & < 4 s";
    let fields = [
        ("base", form["base"].as_str()),
        ("key", &form["key"]),
        ("body", text),
        ("then", "estimates"),
    ];
    let saved = guest.post_form(&path, &fields).await.expect(303);
    assert_eq!(
        saved.location(),
        format!("{attempt}/estimates?saved=requirements")
    );
    assert!(
        guest
            .get(saved.location())
            .await
            .expect(200)
            .page()
            .text("p.notice")
            .starts_with("Requirements saved")
    );

    let page = guest.get(&path).await.expect(200);
    assert_eq!(
        page.form(&path)["body"].trim_start_matches('\n'),
        "Charge once.\n\n- 0 duplicates & < 4 s"
    );
    assert_eq!(page.form(&path)["base"], "1");
    // The attempt's own address leads to where the person was last.
    assert_eq!(guest.get(attempt).await.expect(303).location(), path);
}

#[tokio::test]
async fn an_attempt_starts_at_the_phase_to_work_on() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let path = format!("/prompts/{PROMPT}/attempts");
    let start = async |fields: &[(&str, &str)]| guest.post_form(&path, fields).await;
    let terms = [("way", "guided"), ("level", "mid"), ("minutes", "untimed")];
    let with_focus = |focus| [&terms[..], &[("focus", focus)]].concat();
    assert!(
        start(&with_focus("failure-modes"))
            .await
            .expect(303)
            .location()
            .ends_with("/failure-modes")
    );
    assert!(
        start(&with_focus("nothing"))
            .await
            .expect(303)
            .location()
            .ends_with("/requirements")
    );
    for wrong in [
        &[][..],
        &[("way", "guided"), ("level", "mid")],
        &[("way", "guided"), ("level", "principal"), ("minutes", "60")],
        &[("way", "both"), ("level", "mid"), ("minutes", "60")],
        &[("way", "guided"), ("level", "mid"), ("minutes", "61")],
    ] {
        let page = start(wrong).await.expect(422);
        assert!(page.text().contains("Choose a way"), "{wrong:?}");
    }
    guest
        .post_form("/prompts/nothing/attempts", &terms)
        .await
        .expect(404);
    let list = guest.get("/attempts").await.expect(200).page();
    assert_eq!(list.all("main tbody tr").len(), 2);
}

#[tokio::test]
async fn a_section_is_saved_by_the_island() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    assert_eq!(
        attempt
            .save("api", 0, "k1", "POST /charges")
            .await
            .expect(200)
            .json(),
        json!({ "revision": 1, "saved_at": app.now() })
    );
    app.advance(2);
    assert_eq!(
        attempt
            .save("api", 1, "k2", "POST /charges\r\n201")
            .await
            .expect(200)
            .json(),
        json!({ "revision": 2, "saved_at": app.now() })
    );
    let page = attempt.get("api").await.expect(200);
    assert_eq!(
        page.form(&attempt.path("api"))["body"],
        "\nPOST /charges\n201".trim_start_matches('\n')
    );

    let pulse = attempt
        .pulse("api", &json!({ "api": 1 }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        pulse["changed"],
        json!([{ "name": "api", "body": "POST /charges\n201", "revision": 2, "saved_at": app.now() }])
    );
    assert_eq!(
        (pulse["now"].as_i64(), pulse["closed"].as_bool()),
        (Some(app.now()), Some(false))
    );
    assert_eq!(
        attempt
            .pulse("api", &json!({ "api": 2 }))
            .await
            .expect(200)
            .json()["changed"],
        json!([])
    );
}

#[tokio::test]
async fn two_pages_of_one_section_lose_nothing() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let path = attempt.path("data-model");
    let first = attempt.get("data-model").await.form(&path);
    attempt
        .save("data-model", 0, "island", "theirs: charge(id, key)")
        .await
        .expect(200);
    app.advance(1);

    let fields = [
        ("base", first["base"].as_str()),
        ("key", &first["key"]),
        ("body", "mine: payment(id)"),
    ];
    let page = attempt.guest.post_form(&path, &fields).await.expect(409);
    assert_eq!(page.page().textarea("body"), "mine: payment(id)");
    assert_eq!(page.page().textarea("theirs"), "theirs: charge(id, key)");

    // What is sent from that page is what counts, and what was there before can be found again.
    let form = page.form(&path);
    let merged = [
        ("base", form["base"].as_str()),
        ("key", &form["key"]),
        ("body", "both"),
    ];
    attempt.guest.post_form(&path, &merged).await.expect(303);
    assert_eq!(
        attempt.get("data-model").await.page().all("main h1").len(),
        1
    );
    let history = attempt.get("data-model/history").await.expect(200);
    assert_eq!(
        history.page().texts("main tbody th"),
        ["Revision 2", "Revision 1"]
    );
    let old = attempt
        .get("data-model/history?revision=1")
        .await
        .expect(200);
    assert!(
        old.page()
            .text("article .prose")
            .contains("theirs: charge(id, key)")
    );

    // To the island the current text is told.
    let stale = attempt
        .save("data-model", 1, "late", "from another device")
        .await
        .expect(409)
        .json();
    assert_eq!(
        stale,
        json!({ "conflict": { "revision": 2, "body": "both", "saved_at": app.now() } })
    );
}

#[tokio::test]
async fn a_stale_worksheet_comes_back_as_rows() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    attempt
        .save("worksheet", 0, "island", "dau: 1M")
        .await
        .expect(200);
    let rows = [
        ("base", "0"),
        ("key", "form"),
        ("row", "dau"),
        ("text", "2M"),
        ("row", "peak"),
        ("text", "= dau * 6 / 86400"),
    ];
    let page = attempt.post("worksheet", &rows).await.expect(409).page();
    let values = |name: &str| {
        let fields = page.all(&format!("form.pair input[name='{name}']"));
        fields
            .into_iter()
            .filter_map(|field| field.attr("value"))
            .collect::<Vec<_>>()
    };
    assert_eq!(values("row")[..2], ["dau", "peak"]);
    assert_eq!(values("text")[..2], ["2M", "= dau * 6 / 86400"]);
    assert_eq!(page.textarea("theirs"), "dau: 1M");
}

#[tokio::test]
async fn a_worksheet_is_saved_with_its_faults_named() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let rows = [
        ("base", "0"),
        ("key", "one"),
        ("row", "dau"),
        ("text", "5M"),
        ("row", ""),
        ("text", " "),
        ("row", "size"),
        ("text", "300 KB"),
    ];
    let saved = attempt.post("worksheet", &rows).await.expect(303);
    assert_eq!(saved.location(), attempt.path("worksheet?saved=worksheet"));
    let page = attempt.get("worksheet").await.expect(200).page();
    assert_eq!(page.all("main h1").len(), 1);
    let values = page.all("input[name='text'], input[name='row']");
    let values: Vec<_> = values
        .into_iter()
        .filter_map(|field| field.attr("value"))
        .collect();
    assert!(
        values.contains(&"dau") && values.contains(&"300 KB"),
        "{values:?}"
    );
    let rows = [
        ("base", "1"),
        ("key", "two"),
        ("row", "not a name"),
        ("text", "5M"),
    ];
    let page = attempt.post("worksheet", &rows).await.expect(422);
    assert!(page.page().text("p.notice").starts_with("Saved, but: "));
    assert!(
        page.page()
            .all("input[name='row']")
            .iter()
            .any(|field| field.attr("value") == Some("not a name"))
    );
    let export = attempt.get("export/attempt.json").await.json();
    assert_eq!(export["sections"][0]["body"], "not a name: 5M");
}

#[tokio::test]
async fn a_repeated_save_is_harmless() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let path = attempt.path("api");
    let form = attempt.get("api").await.form(&path);
    let fields = [
        ("base", form["base"].as_str()),
        ("key", &form["key"]),
        ("body", "once"),
    ];
    for _ in 0..3 {
        attempt.guest.post_form(&path, &fields).await.expect(303);
    }
    let first = attempt
        .save("api", 1, "k", "twice")
        .await
        .expect(200)
        .json();
    app.advance(3);
    assert_eq!(
        attempt
            .save("api", 1, "k", "twice")
            .await
            .expect(200)
            .json(),
        first
    );
    let other = attempt
        .save("api", 1, "k", "another text")
        .await
        .expect(422)
        .json();
    assert_eq!(other["invalid"][0]["field"], "key");
    let export = attempt.get("export/attempt.json").await.json();
    assert_eq!(
        export["sections"],
        json!([{
            "name": "api", "title": "API", "revision": 2, "saved_at": "2026-01-01T00:00:00Z", "overtime": false, "body": "twice",
        }])
    );
}

#[tokio::test]
async fn an_old_revision_becomes_the_newest() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    for (base, text) in ["first", "second"].into_iter().enumerate() {
        attempt
            .save("api", base as i64, text, text)
            .await
            .expect(200);
        app.advance(2);
    }
    let page = attempt.get("api/history?revision=1").await.expect(200);
    let form = page.form(&attempt.path("api/restore"));
    let fields: Vec<_> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // Sent twice by an impatient hand, it is one restoring.
    for _ in 0..2 {
        assert_eq!(
            attempt
                .post("api/restore", &fields)
                .await
                .expect(303)
                .location(),
            attempt.path("api?saved=api")
        );
    }
    assert_eq!(
        attempt.get("api").await.form(&attempt.path("api"))["body"],
        "first"
    );
    assert_eq!(
        attempt
            .get("api/history")
            .await
            .page()
            .texts("main tbody th"),
        ["Revision 3", "Revision 2", "Revision 1"]
    );
    for wrong in ["0", "99", "-1", "one", ""] {
        attempt
            .post("api/restore", &[("revision", wrong), ("key", "k")])
            .await
            .expect(404);
    }
    attempt.get("api/history?revision=99").await.expect(404);
    assert!(
        attempt
            .get("trade-offs/history")
            .await
            .expect(200)
            .text()
            .contains("Nothing was saved")
    );
}

#[tokio::test]
async fn the_clock_is_the_servers() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let clock = async |guest: &Guest| {
        let page = guest.get(&attempt.path("api")).await.expect(200).page();
        (
            page.text(".clock b"),
            page.text(".clock .eyebrow"),
            page.attribute(".clock", "data-tone"),
        )
    };
    app.advance(10);
    // Another tab, or another device with the same session.
    let second = attempt.guest.elsewhere();
    let shown = clock(&attempt.guest).await;
    assert_eq!(
        (shown.0.as_str(), shown.1.as_str(), shown.2.as_str()),
        ("50:00", "left of 60 minutes", "calm")
    );
    assert_eq!(clock(&second).await, shown);
    // Over the phase's target, then over the round.
    app.advance(9);
    assert_eq!(clock(&second).await.2, "amber");
    app.advance(42);
    let shown = clock(&attempt.guest).await;
    assert_eq!(
        (shown.0.as_str(), shown.1.as_str(), shown.2.as_str()),
        ("+1:00", "overtime after 60 minutes", "red")
    );

    let untimed = app.attempt(Way::Guided, Level::Mid, None).await;
    app.advance(500);
    let page = untimed.get("api").await.expect(200).page();
    assert_eq!(
        (page.text(".clock b"), page.text(".clock .eyebrow")),
        ("8:20:00".to_owned(), "untimed".to_owned())
    );
}

#[tokio::test]
async fn what_was_written_in_overtime_is_marked() {
    let app = TestApp::new().await;
    let attempt = app.attempt(Way::Interview, Level::Senior, Some(45)).await;
    app.advance(44);
    attempt.save("api", 0, "a", "in time").await.expect(200);
    app.advance(2);
    attempt
        .save("trade-offs", 0, "b", "too late")
        .await
        .expect(200);
    attempt.score("mid").await.expect(303);
    let page = attempt.get("result").await.expect(200).page();
    let late: Vec<_> = page
        .texts("table.minutes tbody tr")
        .into_iter()
        .filter(|row| row.contains("changed in overtime"))
        .collect();
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].starts_with("Trade-offs and rollout"), "{late:?}");
}

#[tokio::test]
async fn minutes_are_counted_by_phase() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    for (phase, minutes) in [("requirements", 4), ("estimates", 7), ("api", 3)] {
        attempt.get(phase).await.expect(200);
        app.advance(minutes);
    }
    attempt.get("consistency").await.expect(200);
    let export = attempt.get("export/attempt.json").await.json();
    let minutes = |phase: &str| {
        let rows = export["minutes_by_phase"].as_array().expect("a list");
        assert_eq!(rows.len(), 8);
        let row = rows.iter().find(|row| row["phase"] == phase);
        row.and_then(|row| row["minutes"].as_f64())
            .expect("a number")
    };
    assert_eq!(
        (
            minutes("requirements"),
            minutes("estimates"),
            minutes("api"),
            minutes("consistency")
        ),
        (4.0, 7.0, 3.0, 0.0)
    );
}

#[tokio::test]
async fn hints_are_asked_for_and_recorded() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let hints = &super::app::published().prompt.hints;
    let shown = async || attempt.get("api").await.page().texts("#hints summary");
    assert!(shown().await.is_empty());
    let asked = attempt.post("hints", &[("back", "api")]).await.expect(303);
    assert_eq!(asked.location(), attempt.path("api?panel=hints#hints"));
    attempt.guest.get(asked.location()).await.expect(200);
    attempt.post("hints", &[("back", "api")]).await.expect(303);
    let now = shown().await;
    assert_eq!(now.len(), 2);
    assert!(
        now[0].ends_with(&hints[0].title) && now[1].ends_with(&hints[1].title),
        "{now:?}"
    );
    for _ in 0..hints.len() + 2 {
        attempt
            .post("hints", &[("back", "nowhere")])
            .await
            .expect(303);
    }
    assert_eq!(shown().await.len(), hints.len());
    assert_eq!(
        attempt.get("export/attempt.json").await.json()["hints_asked"],
        hints.len()
    );
    attempt.score("below").await.expect(303);
    assert!(
        attempt
            .get("result")
            .await
            .text()
            .contains(&format!("{} hints were asked for.", hints.len()))
    );
    // In a guided attempt they are at hand, and none is recorded.
    let guided = app.guided().await;
    assert_eq!(
        guided.get("api").await.page().texts("#hints summary").len(),
        hints.len()
    );
    assert_eq!(
        guided.get("export/attempt.json").await.json()["hints_asked"],
        0
    );
}

#[tokio::test]
async fn an_attempt_leaves_whole() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    for (number, phase) in phases().enumerate() {
        attempt
            .save(
                phase,
                0,
                phase,
                &format!("# Heading {number}\n\ntext of {phase} | with a bar"),
            )
            .await
            .expect(200);
    }
    attempt
        .save(
            "worksheet",
            0,
            "numbers",
            "dau: 5M\npeak: = dau * 6 / 86400",
        )
        .await
        .expect(200);
    app.advance(8);
    let fields = scorecard("senior", "a | b\nc");
    attempt.commit(&fields).await.expect(303);

    let json = attempt.get("export/attempt.json").await.expect(200);
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(
        json.header("content-disposition"),
        format!("attachment; filename=\"{PROMPT}-attempt.json\"")
    );
    assert_eq!(json.header("cache-control"), "private, no-store");
    let value = json.json();
    assert_eq!(
        (&value["format"], &value["id"], &value["way"]),
        (
            &json!("headroom-attempt-1"),
            &json!(attempt.id),
            &json!("interview")
        )
    );
    assert_eq!(
        (&value["level"], &value["minutes"], &value["started_at"]),
        (&json!("senior"), &json!(60), &json!("2026-01-01T00:00:00Z"))
    );
    let names: Vec<_> = value["sections"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|section| section["name"].as_str().expect("text"))
        .collect();
    assert_eq!(names[..3], ["requirements", "worksheet", "estimates"]);
    assert_eq!(names.len(), 9);
    assert_eq!(value["scores"][0]["entries"][0]["evidence"], "a | b\nc");

    let markdown = attempt.get("export/attempt.md").await.expect(200);
    assert!(markdown.header("content-type").starts_with("text/markdown"));
    let text = markdown.text();
    for phase in phases() {
        assert!(
            text.contains(&format!("text of {phase} | with a bar")),
            "{phase}"
        );
    }
    for part in [
        "## Numbers\n\n```text\ndau: 5M\npeak: = dau * 6 / 86400\n```",
        "## Score 1, ",
        "| a \\| b c |",
        "Interview attempt, aimed at senior, 60 minutes",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    attempt.get("export/attempt.pdf").await.expect(404);
}

#[tokio::test]
async fn a_section_that_is_too_long_comes_back_whole() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let long = "a line with <b>markup</b> & more\n".repeat(SECTION_BYTES / 32 + 40);
    let page = attempt.save_form("api", &long).await.expect(422);
    assert!(
        page.page()
            .text("p.notice")
            .starts_with("This section has 68 KB"),
        "{}",
        page.page().text("p.notice")
    );
    assert_eq!(page.form(&attempt.path("api"))["body"], long);
    let refused = attempt.save("api", 0, "k", &long).await.expect(422).json();
    assert_eq!(refused["invalid"][0]["field"], "body");
    // At the limit it is taken, by either way.
    let whole = "é".repeat(SECTION_BYTES / 2);
    attempt.save_form("api", &whole).await.expect(303);
    attempt
        .save("data-model", 0, "k2", &whole)
        .await
        .expect(200);
    assert_eq!(
        attempt.get("export/attempt.json").await.json()["sections"][0]["body"],
        whole
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_words() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let huge = "x".repeat(5 * 1024 * 1024);
    let page = attempt
        .post("api", &[("base", "0"), ("key", "k"), ("body", &huge)])
        .await
        .expect(413);
    assert!(
        page.page()
            .text("main")
            .contains("More arrived in one request than is taken")
    );
    attempt.save("api", 0, "k", &huge).await.expect(413);
    // Also when its length is not said beforehand.
    let unsized_body = |path: &str, kind: &str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", kind);
        request
            .body(Body::from(format!("body={huge}")))
            .expect("a request")
    };
    attempt
        .guest
        .send(unsized_body(
            &attempt.path("api"),
            "application/x-www-form-urlencoded",
        ))
        .await
        .expect(413);
    attempt
        .guest
        .send(unsized_body("/api/save_section", "application/json"))
        .await
        .expect(400);
    assert_eq!(
        attempt.get("export/attempt.json").await.json()["sections"],
        json!([])
    );
}

#[tokio::test]
async fn the_last_attempt_is_told_so() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for _ in 0..200 {
        guest.start(Way::Guided, Level::Mid, None).await;
    }
    let fields = [("way", "guided"), ("level", "mid"), ("minutes", "60")];
    let page = guest
        .post_form(&format!("/prompts/{PROMPT}/attempts"), &fields)
        .await
        .expect(429);
    assert!(page.page().text("main").contains("You have 200 attempts"));
    assert_eq!(
        guest
            .get("/attempts")
            .await
            .expect(200)
            .page()
            .all("main tbody tr")
            .len(),
        200
    );
    // Another browser is not concerned.
    app.guided().await;
}

#[tokio::test]
async fn a_guest_exists_from_the_first_thing_they_keep() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for path in [
        "/",
        "/prompts",
        "/attempts",
        "/attempts/nothing",
        &format!("/prompts/{PROMPT}"),
    ] {
        guest.get(path).await;
    }
    assert!(guest.cookies.lock().expect("sound").is_empty());
    let list = guest.get("/attempts").await.expect(200).page().text("main");
    assert!(list.contains("Choose a first prompt"));
    guest.start(Way::Guided, Level::Mid, None).await;
    assert_eq!(guest.cookies.lock().expect("sound").len(), 1);
}

#[tokio::test]
async fn a_form_gone_back_to_and_changed_is_another_save() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let path = attempt.path("api");
    let form = attempt.get("api").await.form(&path);
    let send = async |body: &str| {
        let fields = [
            ("base", &*form["base"]),
            ("key", &*form["key"]),
            ("body", body),
        ];
        attempt.guest.post_form(&path, &fields).await
    };
    send("first").await.expect(303);
    // The browser's back button brings the form with its old key and base: nothing is lost, both are shown.
    let both = send("first, and more").await.expect(409).page();
    assert_eq!(
        (both.textarea("body"), both.textarea("theirs")),
        ("first, and more".to_owned(), "first".to_owned())
    );
}

#[tokio::test]
async fn a_form_that_nobody_can_save_comes_back_to_be_copied() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let text = "typed while the session ended <b>& was lost</b>";
    let fields = [("base", "0"), ("key", "k"), ("body", text)];
    // Without its session, and when the database fails.
    let page = app
        .guest()
        .post_form(&attempt.path("api"), &fields)
        .await
        .expect(404);
    assert_eq!(page.page().textarea("body"), text);
    app.db.close().await;
    let page = attempt.post("api", &fields).await;
    assert!(page.status.is_server_error(), "{}", page.status);
}

#[tokio::test]
async fn a_prompt_that_is_gone_takes_nothing_with_it() {
    let app = TestApp::new().await;
    let (open, scored) = (app.interview().await, app.interview().await);
    for attempt in [&open, &scored] {
        attempt
            .save("api", 0, "k", "what I wrote")
            .await
            .expect(200);
    }
    scored.score("mid").await.expect(303);
    let Db::Sqlite { write, .. } = &app.db else {
        unreachable!()
    };
    sqlx::query("UPDATE attempt SET prompt = 'no-longer-published'")
        .execute(write)
        .await
        .expect("updates");

    assert!(
        open.get("api")
            .await
            .expect(200)
            .text()
            .contains("what I wrote")
    );
    open.save("api", 1, "k2", "what I wrote, and more")
        .await
        .expect(200);
    open.pulse("api", &json!({})).await.expect(200);
    open.post("hints", &[]).await.expect(303);
    open.get("score").await.expect(404);
    let result = scored.get("result").await.expect(200).page();
    assert!(
        result.text("main").contains("what I wrote")
            && result.text("main").contains("It says so in the text.")
    );
    for attempt in [&open, &scored] {
        attempt.get("api/history").await.expect(200);
        let list = attempt.guest.get("/attempts").await.expect(200).page();
        assert!(list.text("main").contains("no longer published"));
        for format in ["attempt.md", "attempt.json"] {
            assert!(
                attempt
                    .get(&format!("export/{format}"))
                    .await
                    .expect(200)
                    .text()
                    .contains("what I wrote")
            );
        }
    }
}
