//! Search: what is found and how it is shown, whose attempts, and that no answer is found by its words.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::json;

use super::app::{Guest, Page, TestApp, library, scorecard, settings};
use super::engines::{Database, on_each_engine};
use crate::domain::attempt::Way;
use crate::domain::calculator;
use crate::domain::level::Level;
use crate::domain::phase::Phase;
use crate::search::api::{Hit, QUERY_LENGTH, Results};
use crate::server::content_library::{Library, Origin, PublishedPrompt};
use crate::server::glossary::address;
use crate::server::state::Settings;

/// As the island asks.
async fn search(guest: &Guest, query: &str) -> Results {
    let reply = guest.call("search", &json!({ "query": query })).await;
    serde_json::from_value(reply.expect(200).json()).expect("results")
}

/// The page of results, as without a script.
async fn results_page(guest: &Guest, query: &str) -> Page {
    let query = super::app::urlencoded(&[("q", query)]);
    let reply = guest.get(&format!("/search?{query}")).await;
    reply.expect(200).page()
}

fn paths(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.path.as_str()).collect()
}

/// A title or an excerpt without its marks and entities.
fn text_of(html: &str) -> String {
    scraper::Html::parse_fragment(html)
        .root_element()
        .text()
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// That each of the paths leads to a page, and its fragment to a place there.
async fn lead_somewhere(guest: &Guest, paths: impl IntoIterator<Item = String>) {
    let mut by_page: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in paths {
        let (page, fragment) = path.split_once('#').unwrap_or((&path, ""));
        by_page
            .entry(page.to_owned())
            .or_default()
            .insert(fragment.to_owned());
    }
    for (path, fragments) in by_page {
        let page = guest.get(&path).await.expect(200).page();
        for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
            let found = page.all(&format!("[id=\"{fragment}\"]"));
            assert_eq!(found.len(), 1, "{path}#{fragment}");
        }
    }
}

#[tokio::test]
async fn whatever_is_published_is_found_by_its_name() {
    let app = TestApp::new().await;
    let guest = app.guest();
    // What is looked for, the kind that it is shown as, and where it stands.
    let mut wanted: Vec<(String, &str, String)> = Vec::new();
    for published in &library().prompts {
        let prompt = &published.prompt;
        let path = format!("/prompts/{}", prompt.slug);
        wanted.push((prompt.title.clone(), "Prompt", path));
    }
    for term in &library().glossary.terms {
        wanted.push((term.term.clone(), "Term", address(&term.id)));
    }
    for published in &library().pages {
        let page = &published.page;
        let path = format!("/reference/{}", page.slug);
        for section in &page.sections {
            let words = format!("{} {section}", page.title).replace('`', "");
            wanted.push((words, "Reference", format!("{path}#")));
        }
        wanted.push((page.title.clone(), "Reference", path));
    }
    for one in calculator::all() {
        let path = format!("/calculators/{}", one.slug);
        wanted.push((one.title.to_owned(), "Calculator", path));
    }
    wanted.push((
        "glossary".to_owned(),
        "Reference",
        "/reference/glossary".to_owned(),
    ));
    let mut missed = Vec::new();
    let mut found = BTreeSet::new();
    for (name, kind, path) in &wanted {
        let results = search(&guest, name).await;
        let at = results.hits.iter().position(|hit| {
            hit.kind == *kind
                && if path.ends_with('#') {
                    hit.path.starts_with(path.as_str())
                } else {
                    hit.path == *path
                }
        });
        if at.is_none_or(|at| at > 2) || results.taken_as.is_some() {
            missed.push(format!(
                "{name}: {path} at {at:?}, taken as {:?}, of {:?}",
                results.taken_as,
                paths(&results.hits)
            ));
        }
        assert!(results.own.is_empty(), "{name}");
        found.extend(results.hits.into_iter().map(|hit| hit.path));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(wanted.len() > 250 && found.len() > 250);
    lead_somewhere(&guest, found).await;
}

#[tokio::test]
async fn what_fits_best_comes_first_however_it_is_typed() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for (query, first, taken_as) in [
        (
            "idempotency key",
            "/reference/glossary/idempotency-key",
            None,
        ),
        (
            "IDEMPOTENCY   KEY!",
            "/reference/glossary/idempotency-key",
            None,
        ),
        // A slip, two in a long word, letters the wrong way round; a beginning; another form of the word.
        (
            "idempotncy key",
            "/reference/glossary/idempotency-key",
            Some("idempotency key"),
        ),
        (
            "baclpresure",
            "/reference/glossary/backpressure",
            Some("backpressure"),
        ),
        ("qourum", "/reference/glossary/quorum", Some("quorum")),
        ("backpress", "/reference/glossary/backpressure", None),
        ("tombstoning", "/reference/glossary/tombstone", None),
        // Other names of a term.
        ("2PC", "/reference/glossary/two-phase-commit", None),
        ("TTFT", "/reference/glossary/time-to-first-token", None),
        (
            "rendezvous hashing",
            "/reference/glossary/consistent-hashing",
            None,
        ),
        ("url shortener", "/prompts/url-shortener", None),
        ("shortner", "/prompts/url-shortener", Some("shortener")),
        ("ride dispatch", "/prompts/ride-dispatch", None),
    ] {
        let results = search(&guest, query).await;
        assert_eq!(
            paths(&results.hits).first(),
            Some(&first),
            "{query}: {:?}",
            paths(&results.hits)
        );
        assert_eq!(results.taken_as.as_deref(), taken_as, "{query}");
        assert_eq!(results.query, query);
    }
    // What a candidate is likely to ask for leads somewhere.
    for query in [
        "L5",
        "staff",
        "Stripe",
        "p99",
        "Che's approximation",
        "60 minutes",
    ] {
        let results = search(&guest, query).await;
        assert!(
            !results.hits.is_empty() && results.taken_as.is_none(),
            "{query}: {results:?}"
        );
    }
    // Not all of the words in one place: any of them. None at all: nothing, and no guess.
    let any = search(&guest, "tombstone shortener").await;
    for path in ["/reference/glossary/tombstone", "/prompts/url-shortener"] {
        assert!(paths(&any.hits).contains(&path), "{any:?}");
    }
    let none = search(&guest, "xylophonist qqqqqqqq").await;
    assert_eq!((none.hits.len(), none.taken_as), (0, None));
}

#[tokio::test]
async fn what_was_found_is_marked_and_stays_text() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let guest = &attempt.guest;
    let hits = search(guest, "quorum").await.hits;
    assert_eq!(hits[0].title, "<mark>Quorum</mark>");
    // Where it is only a name, the excerpt has no mark.
    for hit in &hits {
        let marked = format!("{} {}", hit.title, hit.excerpt);
        let also = library()
            .glossary
            .terms
            .iter()
            .any(|term| address(&term.id) == hit.path && !term.also.is_empty());
        assert!(marked.contains("<mark>") || also, "{hit:?}");
    }

    let body = "zebrafish <img src=x onerror=alert(1)> & \"zebrafish\" </mark><script>alert(1)</script> \u{2}odd\u{3}\u{3} zebrafish";
    attempt.save("api", 0, "k", body).await.expect(200);
    let results = search(guest, "zebrafish").await;
    assert_eq!(results.own.len(), 1);
    let excerpt = &results.own[0].excerpt;
    assert_eq!(
        excerpt.matches("<mark>zebrafish</mark>").count(),
        3,
        "{excerpt}"
    );
    let unmarked = excerpt.replace("<mark>", "").replace("</mark>", "");
    assert!(
        !unmarked.contains(['<', '>', '"', '\u{2}', '\u{3}']),
        "{excerpt}"
    );
    assert!(text_of(excerpt).contains("<img src=x onerror=alert(1)> & \"zebrafish\""));
    assert_eq!(
        excerpt.matches("<mark>").count(),
        excerpt.matches("</mark>").count(),
        "{excerpt}"
    );
    // So does the query itself, on the page too.
    for query in [
        "<script>alert(1)</script>",
        "\"><img src=x>",
        "zebrafish </textarea>",
    ] {
        let page = results_page(guest, query).await;
        assert!(
            page.all("main img, main script, main textarea").is_empty(),
            "{query}"
        );
        assert_eq!(page.attribute("#q", "value"), query);
    }
}

#[tokio::test]
async fn attempts_are_found_by_their_owner_alone() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let ada = app.person("ada@example.org").await;
        let attempt = ada.start(Way::Interview, Level::Senior, Some(60)).await;
        attempt
            .save(
                "api",
                0,
                "k",
                "POST /charges, the Quokka_Guard checks 100% of them",
            )
            .await
            .expect(200);
        attempt
            .save("worksheet", 0, "w", "wombat_rate: 5k req/s")
            .await
            .expect(200);
        let guest = app.guest();
        guest.start(Way::Guided, Level::Mid, None).await;
        let other = app.person("other@example.org").await;
        let elsewhere = app.signed_in("ada@example.org").await;

        let path = format!("/attempts/{}", attempt.id);
        for query in [
            "quokka",
            "QUOKKA guard",
            "quok",
            "wombat_rate",
            "100% quokka",
        ] {
            for browser in [&ada, &elsewhere] {
                let results = search(browser, query).await;
                assert_eq!(paths(&results.own), [&path], "{query}");
                assert_eq!(results.own[0].kind, "interview · senior");
                assert!(results.own[0].excerpt.contains("<mark>"), "{results:?}");
            }
            for stranger in [&guest, &other, &app.guest()] {
                let results = search(stranger, query).await;
                assert!(results.own.is_empty(), "{query}: {results:?}");
                let text = results_page(stranger, query).await.whole_text();
                assert!(!text.contains("Quokka_Guard"), "{query}");
            }
        }
        // By the prompt's title without a word of one's own; then each has theirs.
        for (browser, own) in [(&ada, 1), (&guest, 1), (&other, 0)] {
            assert_eq!(search(browser, "payments processor").await.own.len(), own);
        }
        // What a pattern of the database's would fit is not found.
        for query in [
            "%",
            "_",
            "q_okka",
            "%okka",
            "quokka%guard",
            "\\",
            "'; DROP TABLE attempt; --",
        ] {
            let own = search(&ada, query).await.own;
            let fits = query == "quokka%guard";
            assert_eq!(own.len(), usize::from(fits), "{query}: {own:?}");
        }
        // A text that was replaced is found no more, and neither is what one had before signing out.
        attempt.save("api", 1, "k2", "nothing").await.expect(200);
        assert!(search(&ada, "quokka").await.own.is_empty());
        ada.post_form("/sign-out", &[]).await.expect(303);
        assert!(search(&ada, "wombat_rate").await.own.is_empty());
    })
    .await;
}

/// The words of a prompt's answers: reference, curveballs, estimates, anchors, variants.
fn words_of_answers(published: &PublishedPrompt) -> BTreeSet<String> {
    let prompt = &published.prompt;
    let mut texts: Vec<&str> = Phase::ALL
        .iter()
        .map(|phase| prompt.reference.section(*phase))
        .collect();
    texts.push(&prompt.reference.staff);
    texts.extend(prompt.curveballs.iter().map(|ball| ball.answer.as_str()));
    texts.extend(
        prompt
            .variants
            .iter()
            .map(|variant| variant.answer.as_str()),
    );
    texts.extend(
        prompt
            .estimates
            .estimates
            .iter()
            .map(|estimate| estimate.working.as_str()),
    );
    for criterion in &prompt.rubric.criteria {
        texts.extend(criterion.anchors.iter().map(|anchor| anchor.text.as_str()));
        texts.extend(
            criterion
                .pitfalls
                .iter()
                .map(|pitfall| pitfall.text.as_str()),
        );
    }
    texts
        .into_iter()
        .flat_map(words)
        .filter(|word| word.chars().count() >= 6 && word.chars().all(char::is_alphabetic))
        .collect()
}

#[tokio::test]
async fn no_answer_is_found_by_its_words() {
    let app = TestApp::new().await;
    let guest = app.guest();
    // Everything that anybody can read, before an attempt or without one.
    let mut paths: Vec<String> = vec!["/prompts".to_owned(), "/reference/glossary".to_owned()];
    let slugs = library().prompts.iter();
    paths.extend(slugs.map(|published| format!("/prompts/{}", published.prompt.slug)));
    let slugs = library().pages.iter();
    paths.extend(slugs.map(|published| format!("/reference/{}", published.page.slug)));
    let terms = library().glossary.terms.iter();
    paths.extend(terms.map(|term| address(&term.id)));
    let all = calculator::all().iter();
    paths.extend(all.map(|one| format!("/calculators/{}", one.slug)));
    let exercises = guest.get("/exercises").await.expect(200).page();
    let links = exercises.all("main a[href^='/exercises/']");
    paths.extend(
        links
            .iter()
            .filter_map(|link| link.attr("href").map(ToOwned::to_owned)),
    );
    let mut public: HashSet<String> = HashSet::new();
    for path in paths {
        // With spaces between blocks, so that no two words become one.
        let html = guest.get(&path).await.expect(200).text().replace('<', " <");
        let page = Page(scraper::Html::parse_document(&html));
        public.extend(words(&page.whole_text()));
    }
    let mut asked = 0;
    for published in &library().prompts {
        let secrets: Vec<String> = words_of_answers(published)
            .into_iter()
            .filter(|word| !public.contains(word))
            .collect();
        assert!(
            secrets.len() >= 20,
            "{}: {} words stand only in its answers",
            published.prompt.slug,
            secrets.len()
        );
        for secret in secrets.iter().step_by(secrets.len() / 20) {
            let results = search(&guest, secret).await;
            for hit in &results.hits {
                let shown = format!("{} {}", text_of(&hit.title), text_of(&hit.excerpt));
                assert!(
                    words(&shown).all(|word| word != *secret),
                    "{secret}: {hit:?}"
                );
            }
            asked += 1;
        }
    }
    assert!(asked >= 20 * library().prompts.len());
    // After scoring, one's own words are found, and the reference still is not.
    let attempt = app.guided().await;
    attempt
        .commit(&scorecard("mid", "a telltale"))
        .await
        .expect(303);
    let secrets = words_of_answers(super::app::published());
    let secret = secrets.iter().find(|word| !public.contains(*word));
    let results = search(&attempt.guest, secret.expect("one")).await;
    assert!(results.own.is_empty(), "{results:?}");
}

#[tokio::test]
async fn awkward_queries_are_answered_like_any_other() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    attempt
        .save("api", 0, "k", "a queue; 100% of 🚲 rides AND b_c NOT d\"e*")
        .await
        .expect(200);
    let guest = &attempt.guest;
    let long = "queue ".repeat(1_700);
    let letters = "q".repeat(10_000);
    let many: String = (0..40).map(|number| format!("word{number} ")).collect();
    for query in [
        "",
        " ",
        "\t\n",
        "!?.,;:-–—()[]{}\"'`",
        "*",
        "\"",
        "\"queue",
        "queue\" OR \"",
        "AND",
        "NOT queue",
        "queue NEAR/2 lag",
        "title:queue",
        "{title body}: queue",
        "^queue*",
        "queue OR 1=1",
        "(queue",
        "queue + lag",
        "'; DROP TABLE document; --",
        "%",
        "_",
        "100%",
        "b_c",
        "🚲",
        "\u{0}",
        "que\u{0}ue",
        "que\u{ad}ue \u{200b} \u{202e}",
        "Ünïcödé été ß İ ǅ",
        "数据库 キュー",
        "a\u{301}\u{301}\u{301}",
        "\u{2}\u{3}",
        &many,
        &long,
        &letters,
    ] {
        let what: String = query.chars().take(40).collect();
        let results = search(guest, query).await;
        let page = results_page(guest, query).await;
        // By both ways the same.
        let shown: Vec<String> = page
            .all(".hits a.hit")
            .into_iter()
            .filter_map(|link| link.attr("href").map(ToOwned::to_owned))
            .collect();
        let found = [paths(&results.own), paths(&results.hits)].concat();
        assert_eq!(shown, found, "{what:?}");
        assert_eq!(page.attribute("#q", "value"), results.query, "{what:?}");
        assert!(results.query.chars().count() <= QUERY_LENGTH, "{what:?}");
        assert!(!results.query.contains(char::is_control), "{what:?}");
        assert_eq!(page.all("h1").len(), 1, "{what:?}");
        let all = results.own.iter().chain(&results.hits);
        let distinct: HashSet<_> = all.map(|hit| (&hit.path, text_of(&hit.title))).collect();
        assert_eq!(distinct.len(), found.len(), "{what:?}: {found:?}");
    }
    // Words of the query language are words.
    assert!(!search(guest, "NOT queue").await.hits.is_empty());
    assert_eq!(search(guest, "title:queue").await.taken_as, None);
    assert!(!search(guest, &long).await.hits.is_empty());
    // What is no text, or nothing at all, is an empty query.
    for address in [
        "/search",
        "/search?",
        "/search?q",
        "/search?%",
        "/search?p=queue",
    ] {
        let page = guest.get(address).await.expect(200).page();
        assert!(
            page.text("p.empty").starts_with("Prompts, the reference"),
            "{address}"
        );
    }
    // The first of two.
    let page = guest.get("/search?q=lag&q=b").await.expect(200).page();
    assert_eq!(page.attribute("#q", "value"), "lag");
    results_page(guest, "\u{fffd}").await;
    guest.get("/search?q=%ff").await.expect(200);
    for wrong in ["", "{", "{}", "[]", "{\"query\":7}", "{\"query\":null}"] {
        guest.call_raw("search", wrong).await.expect(400);
    }
}

#[tokio::test]
async fn the_page_is_whole_without_a_script() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let page = guest
        .get("/search?q=idempotancy+key&x=1")
        .await
        .expect(200)
        .page();
    super::pages::well_formed("/search", &page);
    let form = page.all("form.search-form");
    assert_eq!(
        (form[0].attr("action"), form[0].attr("method")),
        (Some("/search"), None)
    );
    assert_eq!(page.attribute("#q", "value"), "idempotancy key");
    let count = page.text(".count");
    let hits = page.all(".hits li").len();
    assert!(hits > 3 && count == format!("{hits} results"), "{count}");
    assert!(
        page.whole_text()
            .contains("No text has “idempotancy key”. Shown for “idempotency key”.")
    );
    for hit in page.all(".hits li") {
        let html = hit.inner_html();
        assert!(
            html.contains("<mark>") && html.contains("class=\"eyebrow\""),
            "{html}"
        );
    }
    // Nothing found is said, with where else to look.
    let page = results_page(&guest, "xylophonist").await;
    assert_eq!(page.text(".count"), "Nothing fits “xylophonist”.");
    assert_eq!(page.all("p.empty a").len(), 3);
    // Another theme is chosen without losing the query.
    let page = guest.get("/search?q=queue%20lag").await.expect(200);
    assert_eq!(page.form("/theme")["back"], "/search?q=queue%20lag");
    // A page of a person's own, which no cache keeps.
    assert_eq!(page.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn the_box_is_on_every_page() {
    let app = TestApp::new().await;
    let person = app.person("reader@example.org").await;
    let attempt = person.start(Way::Guided, Level::Mid, None).await;
    for path in [
        "/",
        "/prompts",
        "/prompts/payments-processor",
        "/reference",
        "/reference/levels",
        "/reference/roadmap",
        "/reference/glossary",
        "/reference/glossary/quorum",
        "/calculators",
        "/calculators/traffic",
        "/search",
        "/attempts",
        "/account",
        "/nothing",
        &attempt.path("score"),
        &attempt.path("api/history"),
    ] {
        let page = person.get(path).await.page();
        let found = page.all("header form[role='search'][action='/search'] input[name='q']");
        assert_eq!(found.len(), 1, "{path}");
        assert!(found[0].attr("aria-label").is_some(), "{path}");
    }
}

#[tokio::test]
async fn the_index_follows_the_library() {
    let folder = tempfile::tempdir().expect("a folder");
    let content = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    copy(&content, folder.path());
    let origin = Origin::Directory(folder.path().to_owned());
    let read = Library::read(&origin).expect("reads");
    let database = Database::sqlite().await;
    let settings = Settings {
        dev: true,
        ..settings("http://headroom.test")
    };
    let app = TestApp::serving(&database, settings, origin, read);
    let guest = app.guest();
    assert!(search(&guest, "zebrafish").await.hits.is_empty());

    let file = folder.path().join("glossary/storage.toml");
    let text = std::fs::read_to_string(&file).expect("reads");
    let named = text.replacen("term = \"Tombstone\"", "term = \"Zebrafish\"", 1);
    assert_ne!(named, text);
    std::fs::write(&file, named).expect("writes");
    assert_eq!(
        paths(&search(&guest, "zebrafish").await.hits),
        [address("tombstone")]
    );
    std::fs::write(&file, text).expect("writes");
    assert!(search(&guest, "zebrafish").await.hits.is_empty());
    database.discard().await;
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("reads") {
        let path = entry.expect("reads").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copies");
        }
    }
}
