//! What is shown when: the reference, the estimates and the curveballs' answers after scoring and never before, the
//! curveballs at their minute.

use std::fmt::Write as _;

use http::Method;
use serde_json::json;

use super::app::{Attempt, TestApp, library, published};
use crate::app::routes;
use crate::domain::attempt::{MINUTE, Terms, Way};
use crate::domain::calculator;
use crate::domain::level::Level;
use crate::server::content_library::PublishedPrompt;

/// The runs of plain text in a piece of Markdown: they stand in the page exactly so, however the rest is marked up.
pub(super) fn plain_runs(markdown: &str) -> impl Iterator<Item = &str> {
    let marks = |c: char| "\n*_`[]|<>()#&\"'\\{}~^!".contains(c);
    let numbers = |c: char| c.is_ascii_digit() || " .-".contains(c);
    markdown
        .split(marks)
        .map(move |run| run.trim_start_matches(numbers).trim())
        .filter(|run| run.chars().count() >= 28)
}

/// What nobody may read before scoring: the parts of the answer that the prompt and its rubric do not say themselves.
fn secrets(published: &PublishedPrompt) -> Vec<String> {
    let prompt = &published.prompt;
    let mut open = format!(
        "{} {} {} {}",
        prompt.situation, prompt.functional, prompt.quality, prompt.out_of_scope
    );
    let _ = write!(
        open,
        "{:?} {:?} {:?} {:?}",
        prompt.rubric, prompt.hints, prompt.scale, published.sources
    );
    for ball in &prompt.curveballs {
        let _ = write!(open, "{} {}", ball.title, ball.question);
    }
    // What the shelf and the glossary teach is no secret of one prompt's.
    for published in &library().pages {
        open.push_str(&published.page.body);
    }
    for term in &library().glossary.terms {
        let _ = write!(
            open,
            "{} {} {} {}",
            term.definition, term.why, term.question, term.answer
        );
    }
    for estimate in &prompt.estimates.estimates {
        let _ = write!(open, "{} {}", estimate.label, estimate.feeds);
    }
    let mut answers: Vec<&str> = crate::domain::phase::Phase::ALL
        .iter()
        .map(|phase| prompt.reference.section(*phase))
        .collect();
    answers.push(&prompt.reference.staff);
    answers.extend(prompt.curveballs.iter().map(|ball| ball.answer.as_str()));
    answers.extend(
        prompt
            .estimates
            .estimates
            .iter()
            .map(|estimate| estimate.working.as_str()),
    );
    let mut secrets: Vec<String> = answers
        .into_iter()
        .flat_map(plain_runs)
        .map(ToOwned::to_owned)
        .collect();
    for estimate in &prompt.estimates.estimates {
        secrets.push(format!("{} to {}", estimate.low.text, estimate.high.text));
        if estimate.expression.len() >= 12 && !estimate.expression.contains(['<', '&', '"', '\'']) {
            secrets.push(estimate.expression.clone());
        }
    }
    secrets.retain(|secret| !open.contains(secret.as_str()));
    secrets
}

/// The body of every GET route there is for this attempt, and of every way of writing that answers with a page or data.
pub(super) async fn everything_that_is_answered(attempt: &Attempt) -> Vec<(String, String)> {
    let guest = &attempt.guest;
    let mut sections: Vec<String> = super::app::phases().map(ToOwned::to_owned).collect();
    sections.push("worksheet".to_owned());
    sections.extend(
        published()
            .prompt
            .curveballs
            .iter()
            .map(|ball| format!("curveball-{}", ball.id)),
    );
    let slugs: Vec<String> = library()
        .prompts
        .iter()
        .map(|published| published.prompt.slug.clone())
        .collect();
    let pages: Vec<String> = library()
        .pages
        .iter()
        .map(|published| published.page.slug.clone())
        .collect();
    let terms: Vec<String> = library()
        .glossary
        .terms
        .iter()
        .map(|term| term.id.clone())
        .collect();
    let calculators: Vec<String> = calculator::all()
        .iter()
        .map(|calculator| calculator.slug.to_owned())
        .collect();
    // Who has a link sees no more than who wrote it.
    let made = attempt.post("shares", &[]).await.expect(200).page();
    let address = made.attribute("#made", "value");
    let token = address.rsplit('/').next().expect("a secret").to_owned();
    assert!(guest.get(&format!("/shared/{token}")).await.status == 200);
    let mut paths = Vec::new();
    for route in routes() {
        if route.method != Method::GET {
            continue;
        }
        let path = route.path.replace("{id}", &attempt.id);
        let mut filled = vec![path.replace("{token}", &token)];
        for (name, values) in [
            ("{section}", &sections),
            ("{slug}", &slugs),
            (
                "{format}",
                &vec!["attempt.md".to_owned(), "attempt.json".to_owned()],
            ),
            ("{*file}", &vec!["headroom.css".to_owned()]),
            ("{name}", &calculators),
            ("{page}", &pages),
            ("{term}", &terms),
        ] {
            filled = filled
                .into_iter()
                .flat_map(|path| fill(&path, name, values))
                .collect();
        }
        paths.extend(filled);
    }
    assert!(paths.iter().all(|path| !path.contains('{')), "{paths:?}");
    let mut bodies = Vec::new();
    for path in paths {
        bodies.push((path.clone(), guest.get(&path).await.text()));
    }
    for section in &sections {
        for base in ["0", "77"] {
            let fields = [
                ("body", "mine"),
                ("base", base),
                ("key", &format!("{section} {base}")),
                ("row", "a"),
                ("text", "1"),
            ];
            bodies.push((
                format!("POST {section} {base}"),
                attempt.post(section, &fields).await.text(),
            ));
            let key = format!("f {section} {base}");
            let saved = attempt
                .save(section, base.parse().expect("a number"), &key, "other")
                .await;
            bodies.push((format!("save {section} {base}"), saved.text()));
        }
        bodies.push((
            format!("pulse {section}"),
            attempt.pulse(section, &json!({})).await.text(),
        ));
    }
    for _ in 0..12 {
        attempt.post("hints", &[]).await.expect(303);
    }
    bodies.push(("with all hints".to_owned(), attempt.get("api").await.text()));
    bodies.push(("POST score".to_owned(), attempt.score("").await.text()));
    bodies
}

fn fill(path: &str, name: &str, values: &[String]) -> Vec<String> {
    if path.contains(name) {
        values
            .iter()
            .map(|value| path.replace(name, value))
            .collect()
    } else {
        vec![path.to_owned()]
    }
}

#[tokio::test]
async fn the_answers_are_on_no_page_before_scoring_and_on_the_result_after() {
    let app = TestApp::new().await;
    let secrets = secrets(published());
    assert!(
        secrets.len() > 100,
        "{} runs of text to look for",
        secrets.len()
    );
    for (way, level) in [(Way::Guided, Level::Staff), (Way::Interview, Level::Staff)] {
        let attempt = app.attempt(way, level, Some(60)).await;
        app.advance(59);
        let bodies = everything_that_is_answered(&attempt).await;
        assert!(bodies.len() > 60);
        for (what, body) in bodies {
            for secret in &secrets {
                assert!(
                    !body.contains(secret.as_str()),
                    "{way:?}: {what} says “{secret}” before scoring"
                );
            }
        }
        attempt.score("below").await.expect(303);
        // The page marks up code and entities; its text is compared.
        let result = attempt.get("result").await.expect(200);
        let text = result.page().whole_text();
        let missing: Vec<_> = secrets
            .iter()
            .filter(|secret| !text.contains(&super::app::squeezed(secret)))
            .collect();
        assert!(
            missing.is_empty(),
            "{} of {} are not in the result: {:#?}",
            missing.len(),
            secrets.len(),
            &missing[..missing.len().min(5)]
        );
    }
}

#[tokio::test]
async fn without_a_score_there_is_no_result() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let reply = attempt.get("result").await.expect(303);
    assert_eq!(reply.location(), attempt.path("score"));
    assert!(reply.body.is_empty());
}

/// Ids of the curveballs of the prompt that have arrived by a minute, by its own text.
fn due(terms: Terms, minute: i64) -> Vec<&'static str> {
    let balls = published().prompt.curveballs.iter();
    balls
        .filter(|ball| terms.way == Way::Interview && ball.level <= terms.level)
        .filter(|ball| {
            i64::from(ball.minute) * i64::from(terms.minutes.unwrap_or(60)) <= minute * 60
        })
        .map(|ball| ball.id.as_str())
        .collect()
}

#[tokio::test]
async fn curveballs_arrive_at_their_minute() {
    let app = TestApp::new().await;
    for way in Way::ALL {
        for level in Level::ALL {
            for minutes in [Some(45), Some(60), Some(90), None] {
                let terms = Terms {
                    way,
                    level,
                    minutes,
                };
                let attempt = app.attempt(way, level, minutes).await;
                let started = app.now();
                let mut seen = 0;
                for minute in (0..=90).step_by(6) {
                    let pulse = attempt.pulse("api", &json!({})).await.expect(200);
                    let arrived: Vec<_> = pulse.json()["curveballs"]
                        .as_array()
                        .expect("a list")
                        .iter()
                        .map(|ball| ball["id"].clone())
                        .collect();
                    assert_eq!(arrived, due(terms, minute), "{terms:?} at minute {minute}");
                    seen = arrived.len();
                    // The next one is announced by its time alone.
                    let next = pulse.json()["next_curveball_at"].as_i64();
                    assert!(next.is_none_or(|at| at > app.now()
                        && due(terms, (at - started).div_euclid(MINUTE) + 1).len() > seen));
                    for ball in &published().prompt.curveballs {
                        let early = way == Way::Interview && !arrived.contains(&json!(ball.id));
                        assert!(
                            !early || !pulse.text().contains(&ball.title),
                            "{terms:?}: {} at minute {minute}",
                            ball.id
                        );
                    }
                    app.advance(6);
                }
                let all = published()
                    .prompt
                    .curveballs
                    .iter()
                    .filter(|ball| ball.level <= level)
                    .count();
                assert_eq!(
                    seen,
                    if way == Way::Interview { all } else { 0 },
                    "{terms:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_curveball_is_a_page_of_its_own_once_it_is_there() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let ball = &published().prompt.curveballs[0];
    let section = format!("curveball-{}", ball.id);
    let question: Vec<_> = plain_runs(&ball.question).collect();
    assert!(!question.is_empty());
    app.advance(i64::from(ball.minute) - 1);
    // A minute too early it has no page, and its text is nowhere in the workspace.
    attempt.get(&section).await.expect(404);
    let workspace = attempt.get("api").await.expect(200).text();
    assert!(
        !workspace.contains(&ball.title) && question.iter().all(|run| !workspace.contains(run))
    );
    app.advance(1);
    let page = attempt.get(&section).await.expect(200);
    assert_eq!(page.page().text("main h1"), ball.title);
    assert!(
        question
            .iter()
            .all(|run| page.page().text(".question").contains(run))
    );
    attempt
        .save_form(&section, "Once, by its key.")
        .await
        .expect(303);
    let again = attempt.get(&section).await.expect(200);
    assert_eq!(
        again.form(&attempt.path(&section))["body"],
        "Once, by its key."
    );
    // One that this prompt does not have, and one of a level above.
    let above = published()
        .prompt
        .curveballs
        .iter()
        .find(|ball| ball.level == Level::Staff)
        .expect("one");
    app.advance(600);
    attempt.get("curveball-nothing").await.expect(404);
    attempt
        .get(&format!("curveball-{}", above.id))
        .await
        .expect(404);
    attempt
        .save("curveball-nothing", 0, "k", "x")
        .await
        .expect(404);
    assert!(!attempt.get("api").await.text().contains(&above.title));
}
