//! Incidents and code reviews: from the list to the result, with everything that a person can do wrong in between.

use http::Method;

use super::app::{
    CODE_REVIEW, Guest, INCIDENT, PASSWORD, Reply, START, TestApp, library, squeezed,
};
use super::engines::{Database, on_each_engine};
use crate::accounts::store::archive::{bring_in, collect};
use crate::accounts::store::{self as accounts, NewAccount};
use crate::app::routes;
use crate::domain::archive::{Archive, ArchivedTick, parse};
use crate::domain::attempt::UnixMillis;
use crate::domain::content::exercise::{CodeReview, Incident};
use crate::domain::exercise::{ANSWER_BYTES, COMMENT_BYTES, Kind, Work};
use crate::domain::level::Level;
use crate::error::AppError;
use crate::exercises::store;
use crate::server::clock::new_id;
use crate::server::database::{Db, StoreError};
use crate::server::exercise_library::PublishedIncident;
use crate::server::extract::Theme;
use crate::server::store::insert_owner;
use crate::server::zip_archive::{JSON_BYTES, account_zip, read_upload, titles};
use crate::{affected, on, transact};

const FILE: &str = "internal/export/handler.go";

fn incident() -> &'static PublishedIncident {
    library().exercises.incident(INCIDENT).expect("published")
}

/// Begins an incident and a code review, and writes these words into both.
pub(super) async fn begin(guest: &Guest, words: &str) -> [String; 2] {
    let level = [("level", "senior")];
    let mut ids = Vec::new();
    for (kind, slug) in [("debugging", INCIDENT), ("code-review", CODE_REVIEW)] {
        let path = format!("/exercises/{kind}/{slug}/work");
        let started = guest.post_form(&path, &level).await.expect(303);
        let id = started.location().rsplit('/').next().expect("an id");
        ids.push(id.to_owned());
    }
    let [incident, review] = <[String; 2]>::try_from(ids).expect("two");
    let answer = [("step", "first-look"), ("base", "0"), ("body", words)];
    let path = format!("/exercises/work/{incident}/step");
    guest.post_form(&path, &answer).await.expect(303);
    let comment = [
        ("do", "save"),
        ("file", "internal/export/handler.go"),
        ("first", "31"),
        ("last", "31"),
        ("kind", "security"),
        ("severity", "blocking"),
        ("body", words),
    ];
    let path = format!("/exercises/work/{review}/comments");
    guest.post_form(&path, &comment).await.expect(303);
    [incident, review]
}

/// Work under way, with the browser of who does it.
struct Exercise {
    guest: Guest,
    id: String,
}

impl Exercise {
    async fn start(guest: Guest, kind: Kind, slug: &str, level: &str) -> Self {
        let path = format!("/exercises/{}/{slug}/work", kind.slug());
        let started = guest.post_form(&path, &[("level", level)]).await;
        let started = started.expect(303);
        let id = started.location().rsplit('/').next().expect("an id");
        Self {
            id: id.to_owned(),
            guest,
        }
    }

    async fn incident(app: &TestApp) -> Self {
        Self::start(app.guest(), Kind::Debugging, INCIDENT, "senior").await
    }

    async fn review(app: &TestApp) -> Self {
        Self::start(app.guest(), Kind::CodeReview, CODE_REVIEW, "senior").await
    }

    fn path(&self, rest: &str) -> String {
        format!("/exercises/work/{}{rest}", self.id)
    }

    async fn get(&self, rest: &str) -> Reply {
        self.guest.get(&self.path(rest)).await
    }

    async fn post(&self, rest: &str, fields: &[(&str, &str)]) -> Reply {
        self.guest.post_form(&self.path(rest), fields).await
    }

    /// The step's form as the page has it, with a text.
    async fn answer(&self, then: &str, text: &str) -> Reply {
        let form = self.get("").await.expect(200).form(&self.path("/step"));
        self.step(&form["step"], &form["base"], then, text).await
    }

    async fn step(&self, step: &str, base: &str, then: &str, text: &str) -> Reply {
        let fields = [
            ("step", step),
            ("base", base),
            ("then", then),
            ("body", text),
        ];
        self.post("/step", &fields).await
    }

    async fn comment(&self, first: &str, last: &str, how: (&str, &str), text: &str) -> Reply {
        let fields = [
            ("do", "save"),
            ("file", FILE),
            ("first", first),
            ("last", last),
            ("kind", how.0),
            ("severity", how.1),
            ("body", text),
        ];
        self.post("/comments", &fields).await
    }

    /// Rates everything alike.
    async fn rate(&self, rating: &str) -> Reply {
        let page = self.get("/score").await.expect(200).page();
        let mut fields = Vec::new();
        for field in page.all("fieldset[data-criterion]") {
            let slug = field.attr("data-criterion").expect("a slug");
            fields.push((format!("rating.{slug}"), rating.to_owned()));
            fields.push((format!("evidence.{slug}"), "It says so.".to_owned()));
        }
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post("/score", &fields).await
    }
}

#[tokio::test]
async fn the_list_leads_to_each_exercise() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let prompts = guest.get("/prompts").await.expect(200).page();
    assert!(!prompts.all("main a[href='/exercises']").is_empty());
    let list = guest.get("/exercises").await.expect(200);
    assert!(list.header("etag").len() > 4, "it is cached");
    let page = list.page();
    assert!(!page.all("main a[href='/prompts']").is_empty());
    let mut seen = 0;
    for kind in Kind::ALL {
        for (slug, front) in library().exercises.of_kind(kind) {
            let path = format!("/exercises/{}/{slug}", kind.slug());
            let links = page.texts(&format!("main a[href='{path}']"));
            assert_eq!(links, [squeezed(&front.title)]);
            let about = guest.get(&path).await.expect(200);
            assert_eq!(about.page().text("main h1"), squeezed(&front.title));
            assert!(about.header("etag").len() > 4, "it is cached");
            assert_eq!(
                about.page().all("form#start input[name=level]").len(),
                front.levels.len()
            );
            seen += 1;
        }
        let path = format!("/exercises/{}/nothing", kind.slug());
        guest.get(&path).await.expect(404);
        guest
            .post_form(&format!("{path}/work"), &[("level", "mid")])
            .await
            .expect(404);
        let path = format!("/exercises/{}/{}/work", kind.slug(), slug_of(kind));
        for level in ["", "principal"] {
            guest
                .post_form(&path, &[("level", level)])
                .await
                .expect(422);
        }
    }
    assert!(seen >= 2);
    assert_eq!(guest.session(), None, "looking makes nobody");
}

fn slug_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Debugging => INCIDENT,
        Kind::CodeReview => CODE_REVIEW,
    }
}

#[tokio::test]
async fn an_incident_is_debugged_step_by_step() {
    let app = TestApp::new().await;
    let work = Exercise::incident(&app).await;
    let steps = &incident().incident.steps;
    for (number, step) in steps.iter().enumerate() {
        app.advance(3);
        let reply = work.get("").await.expect(200);
        let page = reply.page();
        assert_eq!(page.all("section.step").len(), number + 2, "with the page");
        assert!(page.text("main").contains(&squeezed(&step.question)));
        for later in &steps[number + 1..] {
            assert!(!reply.text().contains(&later.title));
            assert!(!reply.text().contains(&later.question));
        }
        assert!(
            page.text("main")
                .contains(&format!("{} min since", 3 * (number + 1)))
        );
        work.answer("commit", " \n").await.expect(422);
        // What is only saved can still change and is there after a reload.
        let kept = work.answer("save", "first thought").await.expect(303);
        assert_eq!(kept.location(), work.path(&format!("#step-{}", step.id)));
        let page = work.get("").await.expect(200).page();
        assert_eq!(
            page.textarea("body").trim_start_matches('\n'),
            "first thought"
        );
        let form = work.get("").await.form(&work.path("/step"));
        let text = format!("conclusion {number} </textarea><b>");
        let committed = work.answer("commit", &text).await.expect(303);
        // Sent twice it reveals one step.
        let again = work.step(&step.id, &form["base"], "commit", &text).await;
        assert_eq!(again.expect(303).location(), committed.location());
    }
    work.get("").await.expect(303);
    assert_eq!(work.get("").await.location(), work.path("/score"));
    assert_eq!(
        work.get("/result").await.expect(303).location(),
        work.path("/score")
    );
    let score = work.get("/score").await.expect(200);
    assert!(
        score
            .page()
            .text(".mine")
            .contains("conclusion 3 </textarea><b>")
    );
    let refused = work
        .post(
            "/score",
            &[("rating.triage", "mid"), ("evidence.triage", "typed")],
        )
        .await;
    assert_eq!(
        refused
            .expect(422)
            .page()
            .textarea("evidence.triage")
            .trim(),
        "typed"
    );
    assert_eq!(
        work.rate("mid").await.expect(303).location(),
        work.path("/result")
    );
    // The first ratings stand.
    assert_eq!(
        work.get("/score").await.expect(303).location(),
        work.path("/result")
    );
    work.post("/score", &[("rating.triage", "staff")])
        .await
        .expect(303);
    let result = work.get("/result").await.expect(200);
    let text = result.page().whole_text();
    for part in [
        "meet senior on 0 of 5 criteria",
        "conclusion 0 </textarea><b>",
        "A strong responder",
        "Root cause",
        "What a post-mortem says",
        "~ one step below",
        "You rated every criterion alike.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!result.text().contains("</textarea><b>"), "markup is text");
    let next = result.page().attribute(".next a.btn", "href");
    assert!(
        next.starts_with("/exercises/") && !next.ends_with(INCIDENT),
        "{next}"
    );
    assert_eq!(steps.len(), 4);
}

#[tokio::test]
async fn nothing_that_was_answered_is_lost() {
    let app = TestApp::new().await;
    let work = Exercise::incident(&app).await;
    work.answer("save", "of one tab").await.expect(303);
    // A tab that was opened before.
    for then in ["save", "commit"] {
        let stale = work.step("first-look", "0", then, "of another tab").await;
        let page = stale.expect(409).page();
        assert_eq!(
            page.textarea("body").trim_start_matches('\n'),
            "of another tab"
        );
        assert!(page.text("[role=alert]").contains("of one tab"));
    }
    // From the page with both, it is taken.
    let base = work.get("").await.form(&work.path("/step"))["base"].clone();
    work.step("first-look", &base, "commit", "of both")
        .await
        .expect(303);
    let late = work.step("first-look", &base, "commit", "too late").await;
    let shown = late.expect(409).page().text("[role=alert]");
    assert!(
        shown.contains("of both") && shown.contains("too late"),
        "{shown}"
    );
    let early = work.step("after-restart", "2", "commit", "too early").await;
    assert!(
        early
            .expect(409)
            .page()
            .text("[role=alert]")
            .contains("too early")
    );
    let long = "long ".repeat(ANSWER_BYTES / 5 + 1);
    for then in ["save", "commit"] {
        let page = work.answer(then, &long).await.expect(422).page();
        assert_eq!(page.textarea("body").trim(), long.trim());
    }
    // To an exercise that is not there.
    let nowhere = format!("/exercises/work/{}/step", new_id(START));
    let lost = work
        .guest
        .post_form(&nowhere, &[("step", "x"), ("body", "my words")])
        .await;
    assert!(lost.expect(404).page().text("main").contains("my words"));
    assert!(work.get("").await.page().text("main").contains("of both"));
}

#[tokio::test]
async fn an_answer_to_an_incident_that_grew_after_it_was_finished_comes_back() {
    let app = TestApp::new().await;
    let work = Exercise::incident(&app).await;
    // Finished while it had no step that is still open.
    let mut writer = app.db.begin().await.expect("a writer");
    let conn = &mut writer.conn();
    let finished = affected!(conn, |c| sqlx::query(
        "UPDATE exercise SET finished_at = started_at WHERE id = $1"
    )
    .bind(&work.id)
    .execute(c));
    assert_eq!(finished.expect("finished"), 1);
    writer.commit().await.expect("committed");
    for then in ["save", "commit"] {
        let late = work.step("first-look", "0", then, "my words").await;
        let shown = late.expect(422).page().text("main");
        assert!(
            shown.contains("Not saved") && shown.contains("my words"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_change_is_reviewed_line_by_line() {
    let app = TestApp::new().await;
    let work = Exercise::review(&app).await;
    let page = work.get("").await.expect(200).page();
    assert_eq!(page.all("section.changed").len(), 3);
    let lines = page.all("a[data-line]").len();
    assert_eq!(page.all(".diff tr.added").len(), 54);
    assert!(lines > 54, "context can be commented on too");
    assert!(
        page.all(".diff tr.added .hl-keyword").len() > 3,
        "the code is highlighted"
    );
    // A line's number leads to a form at that line.
    let link = page.attribute(&format!("a[data-line='{FILE}:44']"), "href");
    assert_eq!(link, work.path(&format!("?line={FILE}:44#l0-44")));
    let at_line = work.get(&format!("?line={FILE}:44")).await.expect(200);
    let form = at_line.form(&work.path("/comments"));
    assert_eq!(
        (form["file"].as_str(), form["first"].as_str()),
        (FILE, "44")
    );
    for odd in [
        "?line=nothing:1",
        "?line=x",
        &format!("?line={FILE}:999999"),
        "?comment=9",
        "?comment=x",
    ] {
        work.get(odd).await.expect(200);
    }

    for (first, last, how, text) in [
        ("44", "44", ("correctness", "important"), " "),
        ("44", "44", ("", "important"), "no kind"),
        ("44", "44", ("correctness", ""), "no severity"),
        ("44", "43", ("correctness", "minor"), "backwards"),
        ("20", "44", ("correctness", "minor"), "not shown"),
        ("x", "44", ("correctness", "minor"), "no number"),
        ("44", "56", ("correctness", "minor"), "thirteen lines"),
    ] {
        let page = work
            .comment(first, last, how, text)
            .await
            .expect(422)
            .page();
        assert_eq!(
            page.textarea("body").trim_start_matches('\n'),
            text,
            "it comes back"
        );
        assert_eq!(
            page.attribute("form.comment-form input[name=first]", "value"),
            first
        );
    }
    let wide = work.comment("44", "56", ("data", "minor"), "wide").await;
    let said = wide.expect(422).page().text(".notice.fault");
    assert!(said.contains("12 lines at most"), "{said}");
    let long = "long ".repeat(COMMENT_BYTES / 5 + 1);
    let page = work
        .comment("44", "44", ("data", "minor"), &long)
        .await
        .expect(422)
        .page();
    assert_eq!(page.textarea("body").trim(), long.trim());
    let elsewhere = [
        ("do", "save"),
        ("file", "other.go"),
        ("first", "1"),
        ("last", "1"),
        ("kind", "data"),
        ("severity", "minor"),
        ("body", "kept"),
    ];
    let page = work.post("/comments", &elsewhere).await.expect(422).page();
    assert_eq!(page.textarea("body").trim(), "kept");
    assert_eq!(work.get("").await.page().all("article.comment").len(), 0);

    let taken = work
        .comment(
            "44",
            "44",
            ("correctness", "important"),
            "the error is dropped",
        )
        .await;
    assert_eq!(taken.expect(303).location(), work.path("#l0-44"));
    // Sent twice it is one comment.
    work.comment(
        "44",
        "44",
        ("correctness", "important"),
        "the error is dropped",
    )
    .await
    .expect(303);
    let page = work.get("").await.page();
    assert_eq!(
        page.texts("article.comment .words"),
        ["the error is dropped"]
    );
    assert!(
        page.text("article.comment")
            .contains("Correctness, important, line 44")
    );

    // Another text for it, in two tabs.
    let form = work.get("?comment=1").await.form(&work.path("/comments"));
    let change = |base: &str, text: &str| {
        let fields = [
            ("do", "save"),
            ("comment", "1"),
            ("base", base),
            ("file", FILE),
            ("first", "44"),
            ("last", "45"),
            ("kind", "reliability"),
            ("severity", "blocking"),
            ("body", text),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let send = async |fields: &[(String, String)]| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        work.post("/comments", &fields).await
    };
    send(&change(&form["base"], "of one tab")).await.expect(303);
    let stale = send(&change(&form["base"], "of another tab"))
        .await
        .expect(409)
        .page();
    assert_eq!(stale.textarea("body").trim(), "of another tab");
    assert!(stale.text("[role=alert]").contains("of one tab"));
    let delete = |base: &str| {
        [("do", "delete"), ("comment", "1"), ("base", base)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let stale = send(&delete(&form["base"])).await.expect(409).page();
    assert!(stale.text("[role=alert]").contains("of one tab"));
    let base = work.get("?comment=1").await.form(&work.path("/comments"))["base"].clone();
    send(&delete(&base)).await.expect(303);
    send(&delete(&base)).await.expect(303);
    let gone = send(&change(&base, "of a third tab")).await.expect(409);
    assert_eq!(gone.page().textarea("body").trim(), "of a third tab");
    assert!(
        !gone.form(&work.path("/comments")).contains_key("comment"),
        "saving makes a new one"
    );
    assert_eq!(work.get("").await.page().all("article.comment").len(), 0);
}

#[tokio::test]
async fn a_review_is_told_what_it_found_and_missed() {
    let app = TestApp::new().await;
    let work = Exercise::review(&app).await;
    for (line, how, text) in [
        ("36", ("security", "blocking"), "anyone may read it"),
        ("44", ("reliability", "important"), "the error is dropped"),
        ("45", ("performance", "blocking"), "a query for each"),
        ("56", ("correctness", "important"), "this nil is odd"),
        ("59", ("correctness", "minor"), "why quoted"),
        ("27", ("correctness", "blocking"), "taste"),
    ] {
        work.comment(line, line, how, text).await.expect(303);
    }
    assert_eq!(
        work.post("/finish", &[]).await.expect(303).location(),
        work.path("/score")
    );
    // Nothing changes any more, and what was typed comes back.
    let late = work
        .comment("31", "31", ("data", "minor"), "too late")
        .await
        .expect(422);
    assert!(late.page().text("main").contains("too late"));
    work.post("/finish", &[]).await.expect(303);
    work.rate("senior").await.expect(303);
    let result = work.get("/result").await.expect(200);
    let page = result.page();
    assert_eq!(page.text("main h1"), "Found 3 of 7, 2 false alarms");
    let text = page.whole_text();
    for part in [
        "By your own rating you meet senior on every criterion.",
        "3 found of 7 faults.",
        "3 found of 5 comments that claim a fault.",
        "60 %",
        "43 %",
        "8 of 18",
        "✓ found",
        "~ found, named differently",
        "✕ missed",
        "✕ a false alarm",
        "a note",
        "Why it is fine",
        "What a good review says",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(page.all("article.planted").len(), 7);
    let beside = page.text("article#fault-swallowed-error");
    assert!(
        beside.contains("the error is dropped") && beside.contains("Return the error"),
        "{beside}"
    );
    assert!(
        page.text("article#fault-unbounded-memory")
            .contains("You have no comment here.")
    );

    // It was about something else, and then it was not.
    let meant = |value| [("comment", "1"), ("meant", value)];
    let told = work.post("/meant", &meant("otherwise")).await.expect(303);
    assert_eq!(told.location(), work.path("/result#comment-1"));
    let page = work.get("/result").await.expect(200).page();
    assert_eq!(page.text("main h1"), "Found 2 of 7, 3 false alarms");
    assert!(
        page.text("article#comment-1")
            .contains("It did mean the fault")
    );
    work.post("/meant", &meant("this")).await.expect(303);
    work.post("/meant", &[("comment", "77"), ("meant", "otherwise")])
        .await
        .expect(303);
    let page = work.get("/result").await.expect(200).page();
    assert_eq!(page.text("main h1"), "Found 3 of 7, 2 false alarms");
}

/// The runs of plain text in a piece of Markdown: they stand in the page exactly so, however the rest is marked up.
fn plain_runs(markdown: &str) -> impl Iterator<Item = &str> {
    let marks = |c: char| "\n*_`[]|<>()#&\"'\\{}~^!".contains(c);
    let bullets = |c: char| c.is_ascii_digit() || " .-".contains(c);
    let runs = markdown.split(marks);
    let runs = runs.map(move |run| run.trim_start_matches(bullets).trim());
    runs.filter(|run| run.chars().count() >= 28)
}

/// What nobody may read before rating: the runs of the answer that what is shown does not say itself.
fn secrets(told: &[&str], shown: &str) -> Vec<String> {
    let runs = told.iter().flat_map(|text| plain_runs(text));
    let runs = runs.filter(|run| !shown.contains(run));
    runs.map(ToOwned::to_owned).collect()
}

fn secrets_of_incident(incident: &Incident) -> Vec<String> {
    let mut told = vec![
        incident.root_cause.as_str(),
        &incident.mitigation,
        &incident.follow_ups,
        &incident.post_mortem,
    ];
    told.extend(incident.steps.iter().map(|step| step.answer.as_str()));
    let steps = incident.steps.iter();
    let evidence: String = steps
        .map(|step| format!("{}\n{}\n", step.evidence, step.question))
        .collect();
    let shown = format!(
        "{}\n{}\n{evidence}{:?}",
        incident.situation, incident.page, incident.rubric
    );
    secrets(&told, &shown)
}

fn secrets_of_review(review: &CodeReview) -> Vec<String> {
    let mut told = vec![review.good_review.as_str()];
    for fault in &review.faults {
        told.extend([fault.explanation.as_str(), &fault.fix]);
    }
    told.extend(review.traps.iter().map(|trap| trap.explanation.as_str()));
    let shown = format!("{}{:?}{:?}", review.context, review.change, review.rubric);
    let mut secrets = secrets(&told, &shown);
    let titles = review.faults.iter().map(|fault| fault.title.clone());
    secrets.extend(titles.filter(|title| title.len() > 12 && !shown.contains(title.as_str())));
    secrets
}

/// The body of every page of an exercise, and of every answer to what is sent.
async fn everything_that_is_answered(
    work: &Exercise,
    kind: Kind,
    slug: &str,
) -> Vec<(String, String)> {
    let mut bodies = Vec::new();
    for route in routes() {
        if route.method != Method::GET || !route.path.starts_with("/exercises") {
            continue;
        }
        let of_other_kind = Kind::ALL
            .into_iter()
            .any(|other| other != kind && route.path.contains(&format!("/{}/", other.slug())));
        if !of_other_kind {
            let path = route.path.replace("{id}", &work.id).replace("{slug}", slug);
            bodies.push((path.clone(), work.guest.get(&path).await.text()));
        }
    }
    for (rest, fields) in [
        (
            "/step",
            [
                ("step", "none"),
                ("body", "mine"),
                ("then", "commit"),
                ("base", "0"),
            ],
        ),
        (
            "/comments",
            [
                ("file", "none"),
                ("body", "mine"),
                ("do", "save"),
                ("base", "0"),
            ],
        ),
        (
            "/comments",
            [
                ("comment", "1"),
                ("body", "mine"),
                ("do", "delete"),
                ("base", "77"),
            ],
        ),
        (
            "/score",
            [
                ("rating.triage", "staff"),
                ("rating.tone", "staff"),
                ("body", ""),
                ("base", "0"),
            ],
        ),
        (
            "/meant",
            [
                ("comment", "1"),
                ("meant", "otherwise"),
                ("body", ""),
                ("base", "0"),
            ],
        ),
    ] {
        bodies.push((
            format!("POST {rest}"),
            work.post(rest, &fields).await.text(),
        ));
    }
    for path in ["/attempts", "/exercises", "/account/data"] {
        bodies.push((path.to_owned(), work.guest.get(path).await.text()));
    }
    bodies
}

#[track_caller]
fn none_is_said(secrets: &[String], bodies: &[(String, String)]) {
    for (what, body) in bodies {
        for secret in secrets {
            assert!(
                !body.contains(secret.as_str()),
                "{what} says “{secret}” before rating"
            );
        }
    }
}

/// Every published exercise, and those of the tests.
#[tokio::test]
async fn the_answers_are_on_no_page_before_rating_and_on_the_result_after() {
    let app = TestApp::new().await;
    for kind in Kind::ALL {
        for (slug, front) in library().exercises.of_kind(kind) {
            let level = front.levels[0].slug();
            let work = Exercise::start(app.guest(), kind, slug, level).await;
            let secrets = match kind {
                Kind::Debugging => {
                    let published = library().exercises.incident(slug).expect("published");
                    secrets_of_incident(&published.incident)
                }
                Kind::CodeReview => {
                    let published = library().exercises.code_review(slug).expect("published");
                    secrets_of_review(&published.review)
                }
            };
            assert!(
                secrets.len() > 12,
                "{slug}: {} runs of text to look for",
                secrets.len()
            );
            none_is_said(
                &secrets,
                &everything_that_is_answered(&work, kind, slug).await,
            );
            while kind == Kind::Debugging && work.get("").await.status == 200 {
                work.answer("commit", "I look further.").await.expect(303);
                none_is_said(
                    &secrets,
                    &everything_that_is_answered(&work, kind, slug).await,
                );
            }
            if let Some(published) = library()
                .exercises
                .code_review(slug)
                .filter(|_| kind == Kind::CodeReview)
            {
                // What only looks wrong is explained to who took it for a fault.
                for trap in published.review.decoys() {
                    let (file, line) = (trap.file.as_str(), trap.lines.first.to_string());
                    let fields = [
                        ("do", "save"),
                        ("file", file),
                        ("first", &line),
                        ("last", &line),
                        ("kind", "data"),
                        ("severity", "blocking"),
                        ("body", "is this right?"),
                    ];
                    work.post("/comments", &fields).await.expect(303);
                }
                none_is_said(
                    &secrets,
                    &everything_that_is_answered(&work, kind, slug).await,
                );
                work.post("/finish", &[]).await.expect(303);
            }
            none_is_said(
                &secrets,
                &everything_that_is_answered(&work, kind, slug).await,
            );
            work.rate("below").await.expect(303);
            let text = work.get("/result").await.expect(200).page().whole_text();
            let missing: Vec<_> = secrets
                .iter()
                .filter(|secret| !text.contains(&squeezed(secret)))
                .collect();
            assert!(
                missing.is_empty(),
                "{slug}: not in the result: {missing:#?}"
            );
        }
    }
}

#[tokio::test]
async fn ones_exercises_are_among_ones_attempts_and_come_along_to_an_account() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let [incident, review] = begin(&guest, "words").await;
    let rows = |page: &super::app::Page| page.texts("[aria-labelledby=exercises] tbody tr");
    let before = rows(&guest.get("/attempts").await.expect(200).page());
    assert_eq!(before.len(), 2);
    assert!(
        before.iter().any(|row| row.contains("open, at step 1")),
        "{before:?}"
    );
    assert!(
        before.iter().any(|row| row.contains("open, 1 comment")),
        "{before:?}"
    );
    guest.sign_up("ada@example.org").await.expect(303);
    assert_eq!(
        rows(&guest.get("/attempts").await.expect(200).page()),
        before
    );
    let there = app.signed_in("ada@example.org").await;
    for id in [incident, review] {
        there
            .get(&format!("/exercises/work/{id}"))
            .await
            .expect(200);
    }
    // Another guest who signs in brings theirs.
    let other = app.guest();
    begin(&other, "more words").await;
    let signed_in = other.sign_in("ada@example.org", PASSWORD).await.expect(303);
    assert_eq!(signed_in.location(), "/attempts?done=signed-in-2");
    assert_eq!(
        rows(&other.get("/attempts").await.expect(200).page()).len(),
        4
    );
}

/// One person's exercises in a database, without a server around them.
struct Shelf {
    db: Db,
    owner: String,
    account: String,
}

impl Shelf {
    async fn new(database: &Database) -> Self {
        let shelf = Self {
            db: database.db.clone(),
            owner: new_id(START),
            account: new_id(START),
        };
        let email = format!("{}@example.org", shelf.account);
        transact!(shelf.db, |conn| {
            insert_owner(conn, &shelf.owner, START).await?;
            let new = NewAccount {
                id: &shelf.account,
                owner_id: &shelf.owner,
                name: "Ada",
                email: &email,
                password_hash: "",
                theme: Theme::Auto,
            };
            accounts::create(conn, &new, START).await
        })
        .expect("an account");
        shelf
    }

    async fn start(&self, kind: Kind, most: i64, now: UnixMillis) -> Result<String, AppError> {
        let id = new_id(now);
        let start = store::Start {
            id: &id,
            kind,
            slug: slug_of(kind),
            level: Level::Mid,
        };
        let outcome = transact!(self.db, |conn| store::start(
            conn,
            &self.owner,
            most,
            start,
            now
        )
        .await);
        outcome.map(|()| id).map_err(AppError::from)
    }

    async fn tick(&self, item: &str, at: UnixMillis) {
        let done: Result<u64, StoreError> =
            transact!(self.db, |conn| affected!(conn, |c| sqlx::query(
                "INSERT INTO tick (owner_id, item, ticked_at) VALUES ($1, $2, $3)"
            )
            .bind(&self.owner)
            .bind(item)
            .bind(at)
            .execute(c)));
        done.expect("ticked");
    }

    async fn collect(&self) -> Archive {
        let mut reader = self.db.read().await.expect("a reader");
        let conn = &mut reader.conn();
        let permit = accounts::permit(conn, Some(&self.account))
            .await
            .expect("a permit");
        collect(conn, &permit, START).await.expect("collected")
    }

    async fn bring_in(&self, archive: &Archive) -> Result<(usize, usize), AppError> {
        let outcome = transact!(self.db, |conn| {
            let permit = accounts::permit(conn, Some(&self.account)).await?;
            bring_in(conn, &permit, archive, START + 5).await
        });
        let report = outcome.map_err(AppError::from)?;
        Ok((report.imported, report.already_there))
    }
}

#[tokio::test]
async fn an_exercise_is_held_while_it_is_written() {
    on_each_engine(async |database| {
        let shelf = Shelf::new(database).await;
        let id = shelf
            .start(Kind::Debugging, 1, START)
            .await
            .expect("started");
        let full = shelf.start(Kind::CodeReview, 1, START).await;
        assert!(matches!(full, Err(AppError::TooMany(_))), "{full:?}");
        // Twelve at once, each of which adds to what it finds.
        let adds = (0..12).map(async |number: i64| {
            let outcome: Result<(), StoreError> = transact!(shelf.db, |conn| {
                let held = store::hold(conn, Some(&shelf.owner), &id).await?;
                let Work::Debugging(mut notes) = held.exercise().work.clone() else {
                    panic!("an incident");
                };
                notes.open.push('x');
                store::write(
                    conn,
                    &held,
                    &Work::Debugging(notes),
                    1,
                    None,
                    START + number,
                )
                .await
            });
            outcome.expect("written");
        });
        futures(adds).await;
        let mut reader = shelf.db.read().await.expect("a reader");
        let conn = &mut reader.conn();
        let permit = store::permit(conn, Some(&shelf.owner), &id)
            .await
            .expect("a permit");
        let found = permit.exercise().clone();
        assert_eq!(found.revision, 12);
        assert!(matches!(&found.work, Work::Debugging(notes) if notes.open == "x".repeat(12)));
        for (owner, id) in [
            (None, id.as_str()),
            (Some(shelf.account.as_str()), &id),
            (Some(&shelf.owner), "no id"),
            (Some(&shelf.owner), "\0"),
        ] {
            let refused = store::permit(conn, owner, id).await;
            assert!(
                matches!(refused, Err(StoreError::App(AppError::NotFound))),
                "{owner:?} {id}"
            );
        }
        drop(reader);
        // A finished one takes no writing, and its ratings only then.
        let outcome: Result<(), StoreError> = transact!(shelf.db, |conn| {
            let held = store::hold(conn, Some(&shelf.owner), &id).await?;
            store::write(conn, &held, &found.work, 1, Some(START), START).await
        });
        outcome.expect("done");
        let outcome: Result<(), StoreError> = transact!(shelf.db, |conn| {
            let held = store::hold(conn, Some(&shelf.owner), &id).await?;
            store::write(conn, &held, &Work::new(Kind::Debugging), 1, None, START).await
        });
        assert_eq!(outcome.map_err(AppError::from), Err(store::finished()));
        let mut reader = shelf.db.read().await.expect("a reader");
        let all = store::exercises(&mut reader.conn(), &shelf.owner)
            .await
            .expect("reads");
        assert_eq!(
            (all.len(), &all[0].work, all[0].finished_at),
            (1, &found.work, Some(START))
        );
    })
    .await;
}

/// Runs all of them at once.
async fn futures(all: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(move |context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

#[tokio::test]
async fn an_archive_brings_exercises_and_ticks_back_as_they_were() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let person = app.person("ada@example.org").await;
        let work = Exercise::start(person.clone(), Kind::Debugging, INCIDENT, "staff").await;
        for number in 0..4 {
            app.advance(1);
            work.answer("commit", &format!("“{number}” 'x' | \u{1b} 🦀"))
                .await
                .expect(303);
        }
        work.rate("senior").await.expect(303);
        app.advance(1);
        let review = Exercise::start(person.clone(), Kind::CodeReview, CODE_REVIEW, "mid").await;
        review
            .comment("36", "40", ("security", "blocking"), "line\nline")
            .await
            .expect(303);
        review.post("/finish", &[]).await.expect(303);
        review.rate("below").await.expect(303);
        review
            .post("/meant", &[("comment", "1"), ("meant", "otherwise")])
            .await
            .expect(303);
        app.advance(1);
        begin(&person, "under way").await;

        let shelf = Shelf {
            db: app.db.clone(),
            account: app.account_id("ada@example.org").await,
            owner: owner_of(&app, &work.id).await,
        };
        shelf.tick("roadmap/first-round", START).await;
        shelf.tick("reading/dynamo", START + 1).await;
        let before = shelf.collect().await;
        assert_eq!((before.exercises.len(), before.ticks.len()), (4, 2));
        assert_eq!(before.exercises[0].id, work.id, "the first one first");
        let zip = account_zip(&before, &titles(library())).expect("is packed");
        let text = read_upload(&zip).expect("is unpacked");
        let (travelled, faults) = parse(&text, JSON_BYTES);
        assert_eq!(faults, []);
        let travelled = travelled.expect("reads");
        assert_eq!(travelled, before);

        // Beside the first account ids are taken; once it is gone, they are free.
        let second = Shelf::new(database).await;
        assert_eq!(second.bring_in(&travelled).await, Ok((4, 0)));
        let copy = second.collect().await;
        assert!(
            copy.exercises
                .iter()
                .all(|one| before.exercises.iter().all(|other| other.id != one.id))
        );
        assert_eq!(copy.ticks, before.ticks);
        let outcome: Result<(), StoreError> = transact!(shelf.db, |conn| {
            let permit = accounts::permit(conn, Some(&shelf.account)).await?;
            accounts::delete(conn, &permit).await
        });
        outcome.expect("deleted");
        let third = Shelf::new(database).await;
        third.tick("reading/dynamo", START + 7).await;
        assert_eq!(third.bring_in(&travelled).await, Ok((4, 0)));
        let after = third.collect().await;
        assert_eq!(after.exercises, before.exercises);
        let ticked = |item: &str, ticked_at| ArchivedTick {
            item: item.to_owned(),
            ticked_at,
        };
        assert_eq!(
            after.ticks,
            [
                ticked("reading/dynamo", START + 7),
                ticked("roadmap/first-round", START)
            ]
        );
        // A second time there is nothing to do.
        assert_eq!(third.bring_in(&travelled).await, Ok((0, 4)));
        assert_eq!(third.collect().await.exercises, before.exercises);
    })
    .await;
}

async fn owner_of(app: &TestApp, exercise: &str) -> String {
    let mut reader = app.db.read().await.expect("a reader");
    let conn = &mut reader.conn();
    let row = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT owner_id FROM exercise WHERE id = $1"
    )
    .bind(exercise)
    .fetch_one(c));
    row.expect("reads").0
}

#[tokio::test]
async fn exercises_of_a_guest_come_along() {
    on_each_engine(async |database| {
        let (shelf, guest) = (Shelf::new(database).await, new_id(START));
        transact!(shelf.db, |conn| insert_owner(conn, &guest, START).await).expect("a guest");
        let of_guest = Shelf {
            db: shelf.db.clone(),
            owner: guest.clone(),
            account: String::new(),
        };
        of_guest
            .start(Kind::Debugging, 9, START)
            .await
            .expect("started");
        let claimed = transact!(shelf.db, |conn| accounts::claim(conn, &guest, &shelf.owner)
            .await);
        assert_eq!(claimed.expect("claimed"), 1);
        assert_eq!(shelf.collect().await.exercises.len(), 1);
        // The same guest again, who is gone: a second browser tab that signs in.
        let again = transact!(shelf.db, |conn| accounts::claim(conn, &guest, &shelf.owner)
            .await);
        assert_eq!(again.expect("none left"), 0);
    })
    .await;
}
