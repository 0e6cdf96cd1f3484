//! Scoring: what is missing is named beside what was filled in, and what is committed stays.

use super::app::{TestApp, published, scorecard, squeezed};
use crate::domain::attempt::Way;
use crate::domain::level::{Level, Rating};

#[tokio::test]
async fn a_scorecard_with_faults_comes_back_as_it_was_filled_in() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let mut fields = scorecard("senior", "because <it> says so");
    // The first criterion without a level, the second without evidence, the third with too much of it.
    let long = "x".repeat(5000);
    fields.retain(|(name, _)| *name != format!("rating.{}", criterion(0)));
    for (name, value) in &mut fields {
        if *name == format!("evidence.{}", criterion(1)) {
            value.clear();
        } else if *name == format!("evidence.{}", criterion(2)) {
            value.clone_from(&long);
        }
    }
    let reply = attempt.commit(&fields).await.expect(422);
    let page = reply.page();
    assert_eq!(page.all("fieldset.faulty").len(), 3);
    let message = |number| page.text(&format!("#fault-{}", criterion(number)));
    assert_eq!(message(0), "Choose a level.");
    assert!(message(1).starts_with("Say what in the attempt shows this level"));
    assert!(message(2).starts_with("This is over 4 KB."));
    assert_eq!(page.all("[role='alert'] li").len(), 3);
    assert_eq!(
        page.textarea(&format!("evidence.{}", criterion(0))),
        "because <it> says so"
    );
    assert_eq!(page.textarea(&format!("evidence.{}", criterion(2))), long);
    let chosen = |number: usize| {
        page.all(&format!(
            "input[name='rating.{}'][checked]",
            criterion(number)
        ))
        .len()
    };
    assert_eq!((chosen(0), chosen(1), chosen(2), chosen(3)), (0, 1, 1, 1));
    // Nothing was committed.
    assert_eq!(
        attempt.get("result").await.expect(303).location(),
        attempt.path("score")
    );
    attempt.save("api", 0, "k", "still open").await.expect(200);
}

fn criterion(number: usize) -> &'static str {
    published().prompt.rubric.criteria[number].id.slug()
}

#[tokio::test]
async fn ratings_that_do_not_exist_are_none() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    for wrong in ["", "5", "Senior", "principal"] {
        let page = attempt.score(wrong).await.expect(422).page();
        assert_eq!(
            page.all("fieldset.faulty").len(),
            published().prompt.rubric.criteria.len(),
            "{wrong}"
        );
    }
    attempt.commit(&[]).await.expect(422);
    for wrong in ["", "1", "not-an-id", "' OR 1=1"] {
        let mut fields = scorecard("mid", "x");
        wrong.clone_into(&mut fields[0].1);
        attempt.commit(&fields).await.expect(422);
    }
    assert_eq!(
        attempt.get("result").await.expect(303).location(),
        attempt.path("score")
    );
}

#[tokio::test]
async fn a_score_is_committed_once_and_another_stands_beside_it() {
    let app = TestApp::new().await;
    let attempt = app.interview().await;
    let first = scorecard("mid", "first evidence");
    assert_eq!(
        attempt.commit(&first).await.expect(303).location(),
        attempt.path("result")
    );
    // Sent again, with other ratings even: nothing changes.
    let mut again = scorecard("staff", "other evidence");
    again[0] = first[0].clone();
    assert_eq!(
        attempt.commit(&again).await.expect(303).location(),
        attempt.path("result")
    );
    let scores = async || attempt.get("export/attempt.json").await.json()["scores"].clone();
    let only = scores().await;
    assert_eq!(only.as_array().expect("a list").len(), 1);
    assert_eq!(only[0]["entries"][0]["evidence"], "first evidence");

    app.advance(5);
    let page = attempt.get("score").await.expect(200).page();
    assert!(
        page.text(".intro .lead")
            .starts_with("You have seen the reference")
    );
    attempt.score("staff").await.expect(303);
    let both = scores().await;
    assert_eq!(
        (
            &both[0],
            both[1]["number"].as_i64(),
            both[1]["entries"][0]["rating"].as_str()
        ),
        (&only[0], Some(2), Some("staff"))
    );
    let result = attempt.get("result").await.expect(200).page();
    assert!(
        result.text("h1").starts_with("0 of "),
        "the first score counts"
    );
    assert!(
        result
            .text("section[aria-labelledby='again']")
            .contains("Score 2")
    );
}

#[tokio::test]
async fn a_score_of_one_attempt_is_not_taken_for_another() {
    let app = TestApp::new().await;
    let (one, other) = (app.interview().await, app.interview().await);
    let fields = scorecard("mid", "mine");
    one.commit(&fields).await.expect(303);
    // The same id, from somebody else: refused or taken, never acknowledged and lost.
    let reply = other.commit(&fields).await;
    let scored = other.get("export/attempt.json").await.json()["scores"]
        .as_array()
        .expect("a list")
        .len();
    assert!(
        reply.status != 303 || scored == 1,
        "{}: {scored} scores",
        reply.status
    );
    assert_eq!(
        one.get("export/attempt.json").await.json()["scores"]
            .as_array()
            .expect("a list")
            .len(),
        1
    );
}

#[tokio::test]
async fn after_the_score_nothing_is_written_and_nothing_typed_is_lost() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let path = attempt.path("api");
    let form = attempt.get("api").await.form(&path);
    attempt.save("api", 0, "k0", "before").await.expect(200);
    attempt
        .save("api", 1, "apart-k1", "what was scored")
        .await
        .expect(200);
    attempt.score("below").await.expect(303);

    let fields = [
        ("base", "2"),
        ("key", &*form["key"]),
        ("body", "typed a moment too late"),
    ];
    let page = attempt.post("api", &fields).await.expect(422);
    assert!(page.page().text("p.notice").contains("has been scored"));
    assert_eq!(page.form(&path)["body"], "typed a moment too late");
    let refused = attempt
        .save("api", 2, "k2", "too late")
        .await
        .expect(422)
        .json();
    assert!(
        refused["invalid"][0]["message"]
            .as_str()
            .expect("text")
            .contains("has been scored")
    );
    assert_eq!(
        attempt
            .pulse("api", &serde_json::json!({}))
            .await
            .expect(200)
            .json()["closed"],
        true
    );
    attempt
        .post("api/restore", &[("revision", "1"), ("key", "k3")])
        .await
        .expect(422);
    assert_eq!(
        attempt.get("api").await.expect(303).location(),
        attempt.path("result")
    );
    assert_eq!(
        attempt.get("export/attempt.json").await.json()["sections"][0]["body"],
        "what was scored"
    );
    assert_eq!(
        attempt
            .guest
            .get(&format!("/attempts/{}", attempt.id))
            .await
            .expect(303)
            .location(),
        attempt.path("result")
    );
}

#[tokio::test]
async fn the_result_says_what_to_do_next() {
    let app = TestApp::new().await;
    let attempt = app.attempt(Way::Interview, Level::Senior, Some(60)).await;
    attempt
        .save(
            "api",
            0,
            "k",
            "POST /charges takes an Idempotency-Key header and answers 201.",
        )
        .await
        .expect(200);
    let mut fields = scorecard("senior", "> takes an idempotency-key header");
    for (name, value) in &mut fields {
        if *name == format!("rating.{}", criterion(3)) {
            "below".clone_into(value);
        }
    }
    attempt.commit(&fields).await.expect(303);
    let page = attempt.get("result").await.expect(200).page();
    let all = published().prompt.rubric.criteria.len();
    let weakest = &published().prompt.rubric.criteria[3];
    assert_eq!(
        page.text("h1"),
        format!("{} of {all} criteria meet senior", all - 1)
    );
    assert_eq!(
        page.text(".intro .lead"),
        format!("The gap is {}.", weakest.title)
    );
    let rows = page.texts("table.criteria tbody tr");
    assert_eq!(rows.len(), all);
    assert!(rows[3].contains("✕ 2 steps below"), "{}", rows[3]);
    assert!(
        rows[3].contains(&squeezed(&weakest.anchor(Rating::Mid).text)),
        "{}",
        rows[3]
    );
    assert!(rows[0].contains("Quoted from API."), "{}", rows[0]);
    // One next thing: the weakest criterion's phase, on another prompt, and the link leads there.
    let links = page.all("section.next .actions a");
    assert_eq!(links.len(), 1);
    // And this prompt again, changed.
    let variants = page.texts("section.next li");
    let titles: Vec<_> = published()
        .prompt
        .variants
        .iter()
        .map(|variant| squeezed(&variant.title))
        .collect();
    assert_eq!(variants, titles);
    let link = links[0].attr("href").expect("a link");
    assert!(
        link.contains(&format!("focus={}", weakest.phase.slug())) && !link.contains("payments"),
        "{link}"
    );
    let prompt = attempt
        .guest
        .get(link.split('#').next().unwrap_or_default())
        .await
        .expect(200)
        .page();
    assert_eq!(
        prompt.attribute("form.start input[name='focus']", "value"),
        weakest.phase.slug()
    );
}

#[tokio::test]
async fn each_criterion_is_shown_over_time() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for rating in ["below", "mid", "staff"] {
        let attempt = guest.start(Way::Guided, Level::Mid, None).await;
        attempt.score(rating).await.expect(303);
        // A later score knows the reference and is not charted.
        attempt.score("staff").await.expect(303);
        app.advance(60);
    }
    guest.start(Way::Guided, Level::Mid, None).await;
    let page = guest.get("/attempts").await.expect(200).page();
    let criteria = published().prompt.rubric.criteria.len();
    assert_eq!(page.all("svg.trend").len(), criteria);
    assert_eq!(
        page.all("svg.trend")[0]
            .select(&scraper::Selector::parse("circle").expect("a selector"))
            .count(),
        3
    );
    assert!(
        page.attribute("svg.trend", "aria-label")
            .ends_with("from below the bar to staff")
    );
    // The table twin says the same.
    let rows = page.texts(".scroll tbody tr");
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows.iter()
            .map(|row| row.matches("Below the bar").count())
            .collect::<Vec<_>>(),
        [criteria, 0, 0]
    );
    let states = page.texts("section[aria-labelledby='all'] tbody td[data-label='State']");
    assert_eq!(states.len(), 4);
    assert_eq!(
        states
            .iter()
            .filter(|state| state.starts_with("open, at"))
            .count(),
        1
    );
}

#[tokio::test]
async fn estimates_are_graded_beside_the_reference() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let estimates = &published().prompt.estimates.estimates;
    assert!(estimates.len() >= 4);
    // Right, three times off, unreadable, and left out.
    let right = estimates[0].low.text.clone();
    let sheet = format!("{}: {right}\n{}: = 1 +\n", estimates[0].id, estimates[1].id);
    attempt.save("worksheet", 0, "k", &sheet).await.expect(200);
    attempt.score("below").await.expect(303);
    let rows = attempt
        .get("result")
        .await
        .expect(200)
        .page()
        .texts("section[aria-labelledby='estimates'] tbody tr");
    assert_eq!(rows.len(), estimates.len());
    assert!(rows[0].contains("✓ full"), "{}", rows[0]);
    assert!(rows[1].contains("✕ no value"), "{}", rows[1]);
    assert!(rows[2].contains("✕ not estimated"), "{}", rows[2]);
    assert!(
        rows[2].contains(&format!(
            "{} to {}",
            estimates[2].low.text, estimates[2].high.text
        )),
        "{}",
        rows[2]
    );
}
