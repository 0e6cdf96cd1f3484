//! Attempts at a variant of a prompt: what it changes is what is asked, calculated with and judged by, and its answer comes
//! with the reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::app::{Attempt, Guest, PROMPT, Reply, TestApp, library, published, settings, squeezed};
use super::engines::on_each_engine;
use super::reveal::{everything_that_is_answered, plain_runs};
use crate::domain::attempt::Way;
use crate::domain::content::Variant;
use crate::server::content_library::{Library, Origin, PublishedPrompt};
use crate::server::zip_archive::read_upload;

/// The variant that changes the most numbers, and one that changes none.
fn variants() -> (&'static Variant, &'static Variant) {
    let as_it_stands = &published().prompt.estimates;
    let changed = |variant: &&Variant| variant.estimates.givens != as_it_stands.givens;
    let all = &published().prompt.variants;
    let with = all.iter().find(changed).expect("one with other numbers");
    let without = all.iter().find(|variant| !changed(variant));
    (with, without.expect("one with another constraint"))
}

async fn begin(guest: &Guest, way: Way, variant: &str) -> Reply {
    let fields = [
        ("way", way.slug()),
        ("level", "senior"),
        ("minutes", "60"),
        ("variant", variant),
    ];
    guest
        .post_form(&format!("/prompts/{PROMPT}/attempts"), &fields)
        .await
}

async fn start(guest: &Guest, way: Way, variant: &str) -> Attempt {
    let reply = begin(guest, way, variant).await.expect(303);
    let id = reply
        .location()
        .split('/')
        .nth(2)
        .expect("an id")
        .to_owned();
    Attempt {
        guest: guest.clone(),
        id,
    }
}

/// The rows of the scale in the panel beside the text.
fn scale(reply: &Reply) -> BTreeMap<String, String> {
    let page = reply.page();
    let text = |row: &scraper::ElementRef<'_>, selector: &str| {
        let selector = scraper::Selector::parse(selector).expect("a selector");
        let found = row.select(&selector).next();
        found.map_or_else(String::new, |cell| {
            squeezed(&cell.text().collect::<String>())
        })
    };
    page.all("[data-panel='prompt'] table.facts tbody tr")
        .iter()
        .map(|row| (text(row, "th"), text(row, "td")))
        .collect()
}

#[tokio::test]
async fn a_variant_is_chosen_at_the_prompt() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for published in &library().prompts {
        let prompt = &published.prompt;
        assert!((2..=3).contains(&prompt.variants.len()), "{}", prompt.slug);
        let path = format!("/prompts/{}", prompt.slug);
        let page = guest.get(&path).await.expect(200).page();
        let titles: Vec<String> = prompt
            .variants
            .iter()
            .map(|variant| squeezed(&variant.title))
            .collect();
        let mut options = vec!["As it stands".to_owned()];
        options.extend(titles.clone());
        assert_eq!(page.texts("select[name='variant'] option"), options);
        assert!(page.all("option[selected]").is_empty());
        let text = page.text("section[aria-labelledby='variants']");
        for (variant, title) in prompt.variants.iter().zip(&titles) {
            assert!(text.contains(title.as_str()), "{path}");
            let settled = format!("{path}?variant={}", variant.id);
            let page = guest.get(&settled).await.expect(200).page();
            assert_eq!(page.attribute("option[selected]", "value"), variant.id);
        }
        let page = guest
            .get(&format!("{path}?variant=nothing"))
            .await
            .expect(200)
            .page();
        assert!(page.all("option[selected]").is_empty());
    }
}

#[tokio::test]
async fn a_variant_is_what_is_asked_and_calculated_with() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for way in Way::ALL {
        for variant in &published().prompt.variants {
            let attempt = start(&guest, way, &variant.id).await;
            let page = attempt.get("requirements").await.expect(200);
            let expected: BTreeMap<String, String> = variant
                .scale
                .iter()
                .map(|row| (squeezed(&row.label), squeezed(&row.value)))
                .collect();
            assert_eq!(scale(&page), expected, "{}", variant.id);
            let panel = page.page().text("[data-panel='prompt'] section.variant");
            assert!(panel.contains(&squeezed(&variant.title)), "{panel}");
            for run in plain_runs(&variant.changes) {
                assert!(panel.contains(&squeezed(run)), "{}: no {run}", variant.id);
            }
            assert!(squeezed(&page.text()).contains(&variant.title.replace('&', "&amp;")));
            // Its givens are those of the worksheet, and a row calculates with them.
            let given = &variant.estimates.givens[0];
            let body = format!("mine: = 2 * {}", given.id);
            attempt.save("worksheet", 0, "k", &body).await.expect(200);
            let page = attempt.get("worksheet").await.expect(200).page();
            let text = page.text("form.worksheet");
            for given in &variant.estimates.givens {
                assert!(
                    text.contains(&squeezed(&given.value.text)),
                    "{}: {text}",
                    given.id
                );
            }
        }
        // As it stands, nothing of a variant is there.
        let attempt = start(&guest, way, "").await;
        let page = attempt.get("requirements").await.expect(200);
        assert!(
            page.page()
                .all("[data-panel='prompt'] section.variant")
                .is_empty()
        );
        assert!(attempt.get("export/attempt.json").await.json()["variant"].is_null());
    }
}

#[tokio::test]
async fn an_attempt_is_graded_by_its_variants_numbers() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let (with, _) = variants();
    let plain = &published().prompt.estimates.estimates;
    // In the middle of the range of the one, for a number whose ranges do not meet.
    let (at, varied) = with
        .estimates
        .estimates
        .iter()
        .enumerate()
        .find(|(at, one)| one.low.quantity.value() > 10.0 * plain[*at].high.quantity.value())
        .or_else(|| {
            with.estimates
                .estimates
                .iter()
                .enumerate()
                .find(|(at, one)| one.low.quantity.value() > plain[*at].high.quantity.value())
        })
        .expect("a number that differs");
    for (variant, own, other) in [
        (with.id.as_str(), varied, &plain[at]),
        ("", &plain[at], varied),
    ] {
        for (value, graded) in [(own, "✓ full"), (other, "✕")] {
            let attempt = start(&guest, Way::Guided, variant).await;
            let body = format!("{}: {}", own.id, value.low.text);
            attempt.save("worksheet", 0, "k", &body).await.expect(200);
            attempt.score("mid").await.expect(303);
            let page = attempt.get("result").await.expect(200).page();
            let row = &page.texts("section[aria-labelledby='estimates'] tbody tr")[at];
            if graded == "✓ full" {
                assert!(row.contains("✓ full"), "{variant} {body}: {row}");
            } else {
                assert!(!row.contains("✓ full"), "{variant} {body}: {row}");
            }
            let range = format!("{} to {}", own.low.text, own.high.text);
            assert!(row.contains(&squeezed(&range)), "{row}");
            assert_eq!(
                row.contains("With this variant: "),
                !variant.is_empty(),
                "{row}"
            );
        }
    }
}

#[tokio::test]
async fn a_variants_answer_comes_with_the_reference_and_not_before() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut open = String::new();
    for variant in &published().prompt.variants {
        open.push_str(&variant.changes);
    }
    let secrets: Vec<&str> = published()
        .prompt
        .variants
        .iter()
        .flat_map(|variant| plain_runs(&variant.answer))
        .filter(|run| !open.contains(run))
        .collect();
    assert!(secrets.len() >= 20, "{}", secrets.len());
    let (with, without) = variants();
    for (way, variant) in [(Way::Guided, with), (Way::Interview, without)] {
        let attempt = start(&guest, way, &variant.id).await;
        app.advance(59);
        for (what, body) in everything_that_is_answered(&attempt).await {
            for secret in &secrets {
                assert!(
                    !body.contains(secret),
                    "{what} says “{secret}” before scoring"
                );
            }
        }
        attempt.score("below").await.expect(303);
        let page = attempt.get("result").await.expect(200).page();
        super::pages::well_formed("result", &page);
        let section = page.text("section[aria-labelledby='variant']");
        for run in plain_runs(&variant.answer) {
            assert!(section.contains(&squeezed(run)), "{}: no {run}", variant.id);
        }
        let whole = page.whole_text();
        for other in &published().prompt.variants {
            let shown = plain_runs(&other.answer).all(|run| whole.contains(&squeezed(run)));
            assert_eq!(shown, other.id == variant.id, "{}", other.id);
        }
        // The others are offered, until they were taken.
        let offered: Vec<String> = page
            .all("section.next li a")
            .into_iter()
            .filter_map(|link| link.attr("href").map(ToOwned::to_owned))
            .collect();
        assert!(
            offered
                .iter()
                .all(|link| !link.contains(&format!("variant={}#", variant.id))),
            "{offered:?}"
        );
        let left = published().prompt.variants.len() - if variant.id == with.id { 1 } else { 2 };
        assert_eq!(offered.len(), left, "{offered:?}");
        for link in &offered {
            let page = guest.get(link.split('#').next().unwrap_or_default()).await;
            assert!(!page.expect(200).page().all("option[selected]").is_empty());
        }
    }
    let plain = start(&guest, Way::Guided, "").await;
    plain.score("mid").await.expect(303);
    let page = plain.get("result").await.expect(200).page();
    assert!(page.all("section[aria-labelledby='variant']").is_empty());
}

#[tokio::test]
async fn lists_exports_and_shares_name_the_variant() {
    let app = TestApp::new().await;
    let guest = app.person("ada@example.org").await;
    let (with, _) = variants();
    let attempt = start(&guest, Way::Guided, &with.id).await;
    attempt.save("api", 0, "k", "text").await.expect(200);
    let named = format!("{} · {}", published().prompt.title, with.title);
    let list = guest.get("/attempts").await.expect(200).page();
    assert_eq!(list.texts("main tbody th"), std::slice::from_ref(&named));
    for rest in ["requirements", "score", "api/history", "share"] {
        let text = attempt.get(rest).await.expect(200).page().whole_text();
        assert!(text.contains(&squeezed(&named)), "{rest}");
    }
    let made = attempt.post("shares", &[]).await.expect(200).page();
    let token = made.attribute("#made", "value");
    let token = token.rsplit('/').next().expect("a secret");
    let shared = app
        .guest()
        .get(&format!("/shared/{token}"))
        .await
        .expect(200);
    assert!(shared.page().whole_text().contains(&squeezed(&named)));
    let json = attempt.get("export/attempt.json").await.expect(200).json();
    assert_eq!(json["variant"], json!(with.id));
    let markdown = attempt.get("export/attempt.md").await.expect(200).text();
    let line = format!("Variant: {}.", with.id.replace('-', " "));
    assert!(markdown.contains(&line), "{markdown}");
    attempt.score("mid").await.expect(303);
    for rest in ["result", "score", "api/history"] {
        let text = attempt.get(rest).await.expect(200).page().whole_text();
        assert!(text.contains(&squeezed(&named)), "{rest}");
    }
}

#[tokio::test]
async fn the_archive_brings_the_variant_back() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let ada = app.person("ada@example.org").await;
        let (with, without) = variants();
        for id in [with.id.as_str(), without.id.as_str(), ""] {
            start(&ada, Way::Guided, id).await;
            app.advance(1);
        }
        let before = ada
            .get("/attempts")
            .await
            .expect(200)
            .page()
            .texts("main tbody th");
        assert_eq!(before.len(), 3);
        let zip = ada.get("/account/export").await.expect(200);
        let text = read_upload(&zip.body).expect("an archive");
        assert_eq!(text.matches("\"variant\"").count(), 2, "{text}");

        let grace = app.person("grace@example.org").await;
        let reply = super::accounts::import(&grace, "archive", &zip.body).await;
        assert!(
            reply.status.is_success() || reply.status.is_redirection(),
            "{}: {}",
            reply.status,
            reply.text()
        );
        let after = grace
            .get("/attempts")
            .await
            .expect(200)
            .page()
            .texts("main tbody th");
        assert_eq!(after, before);
    })
    .await;
}

#[tokio::test]
async fn a_variant_that_does_not_exist_is_refused_in_words() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let other = library()
        .prompts
        .iter()
        .find(|other| other.prompt.slug != PROMPT)
        .expect("another prompt");
    let foreign = &other.prompt.variants[0].id;
    for wrong in [
        "nothing",
        foreign,
        "../x",
        " ",
        "<b>",
        "'; DROP TABLE attempt; --",
        "\u{0}",
    ] {
        let page = begin(&guest, Way::Guided, wrong).await.expect(422).page();
        let said = page.text("main");
        assert!(
            said.contains("This prompt has no such variant any more."),
            "{wrong}: {said}"
        );
    }
    // No attempt was made, and nobody became a guest.
    assert!(guest.cookies.lock().expect("sound").is_empty());
}

/// The published library without the variants of the prompt.
fn without_variants() -> Library {
    let shared = library();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    // Read anew: what is published is not to be copied.
    let mut read = Library::read(&Origin::Directory(folder)).expect("reads");
    for published in &mut read.prompts {
        let published = Arc::get_mut(published).expect("nobody else has it");
        withdraw(published);
    }
    read.version = format!("{}-later", shared.version);
    read
}

fn withdraw(published: &mut PublishedPrompt) {
    published.prompt.variants.clear();
    published.changes.clear();
    published.variant_answers.clear();
}

#[tokio::test]
async fn a_variant_that_was_withdrawn_takes_nothing_with_it() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let guest = app.guest();
        let (with, _) = variants();
        let given = &with.estimates.givens[0].id;
        let (open, scored) = (
            start(&guest, Way::Interview, &with.id).await,
            start(&guest, Way::Guided, &with.id).await,
        );
        for attempt in [&open, &scored] {
            attempt
                .save("api", 0, "k", "what I wrote")
                .await
                .expect(200);
            let body = format!("mine: = 2 * {given}");
            attempt.save("worksheet", 0, "w", &body).await.expect(200);
        }
        scored.score("mid").await.expect(303);

        let later = TestApp::serving(
            database,
            settings("http://headroom.test"),
            Origin::Program,
            without_variants(),
        );
        let browser = later.guest();
        *browser.cookies.lock().expect("sound") = guest.cookies.lock().expect("sound").clone();
        let of = |attempt: &Attempt| Attempt {
            guest: browser.clone(),
            id: attempt.id.clone(),
        };
        let (open, scored) = (of(&open), of(&scored));
        let named = format!(
            "{} · {}",
            published().prompt.title,
            with.id.replace('-', " ")
        );
        let list = browser.get("/attempts").await.expect(200).page();
        let all = list.texts("section[aria-labelledby='all'] tbody th");
        assert_eq!(all, [named.clone(), named.clone()]);
        for rest in [
            "requirements",
            "api",
            "worksheet",
            "score",
            "api/history",
            "share",
        ] {
            let text = open.get(rest).await.expect(200).page().whole_text();
            assert!(text.contains(&squeezed(&named)), "{rest}");
        }
        assert!(open.get("api").await.text().contains("what I wrote"));
        open.save("api", 1, "k2", "what I wrote, and more")
            .await
            .expect(200);
        open.pulse("api", &json!({})).await.expect(200);
        open.post("calculators/traffic", &[]).await.expect(303);
        for attempt in [&open, &scored] {
            assert_eq!(
                attempt.get("export/attempt.json").await.expect(200).json()["variant"],
                json!(with.id)
            );
            attempt.get("export/attempt.md").await.expect(200);
        }
        open.score("mid").await.expect(303);
        for attempt in [&open, &scored] {
            let page = attempt.get("result").await.expect(200).page();
            assert!(page.whole_text().contains("what I wrote"));
            assert!(page.all("section[aria-labelledby='variant']").is_empty());
        }
        begin(&browser, Way::Guided, &with.id).await.expect(422);
    })
    .await;
}
