//! What every page has, and what the list of prompts shows for each filter.

use scraper::Selector;

use super::app::{PROMPT, Reply, TestApp, library, phases, published};
use crate::domain::attempt::{LENGTHS, Way};
use crate::domain::level::Level;

/// A page of each kind, those of failures included.
async fn every_page(app: &TestApp) -> Vec<(String, Reply)> {
    let guest = app.guest();
    let mut pages = Vec::new();
    let mut paths: Vec<String> = [
        "/",
        "/prompts",
        "/prompts?level=senior&topic=money",
        "/prompts?level=none",
        "/attempts",
        "/nothing",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    paths.extend(
        library()
            .prompts
            .iter()
            .map(|published| format!("/prompts/{}", published.prompt.slug)),
    );
    paths.push(format!(
        "/prompts/{PROMPT}?level=staff&minutes=45&way=interview&focus=api"
    ));
    for path in paths {
        pages.push((path.clone(), guest.get(&path).await));
    }
    let attempt = app.attempt(Way::Interview, Level::Staff, Some(45)).await;
    attempt
        .save(
            "api",
            0,
            "k",
            "# POST /charges\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        )
        .await
        .expect(200);
    app.advance(50);
    let ball = format!("curveball-{}", published().prompt.curveballs[0].id);
    let before: Vec<String> = phases()
        .map(ToOwned::to_owned)
        .chain([
            ball,
            "api/history".to_owned(),
            "data-model/history".to_owned(),
            "score".to_owned(),
        ])
        .collect();
    for rest in before {
        pages.push((rest.clone(), attempt.get(&rest).await));
    }
    let stale = [("base", "0"), ("key", "k0"), ("body", "other")];
    let long = "x".repeat(70_000);
    pages.push((
        "409".to_owned(),
        attempt.post("api", &stale).await.expect(409),
    ));
    pages.push((
        "422".to_owned(),
        attempt
            .post("api", &[("base", "1"), ("key", "k1"), ("body", &long)])
            .await
            .expect(422),
    ));
    pages.push(("422 score".to_owned(), attempt.score("").await.expect(422)));
    pages.push((
        "guided".to_owned(),
        app.guided().await.get("estimates").await,
    ));
    attempt.score("mid").await.expect(303);
    for rest in ["result", "score", "api/history"] {
        pages.push((format!("{rest} after"), attempt.get(rest).await));
    }
    pages.push((
        "/attempts after".to_owned(),
        attempt.guest.get("/attempts").await,
    ));
    let huge = "x".repeat(5 * 1024 * 1024);
    pages.push((
        "413".to_owned(),
        attempt.post("api", &[("body", &huge)]).await.expect(413),
    ));
    pages.push((
        "405".to_owned(),
        attempt.guest.post_form("/prompts", &[]).await.expect(405),
    ));
    pages.push((
        "403".to_owned(),
        guest
            .send(
                super::app::request(http::Method::POST, "/theme")
                    .body(axum::body::Body::empty())
                    .expect("a request"),
            )
            .await
            .expect(403),
    ));
    pages
}

#[tokio::test]
async fn every_page_says_what_it_is() {
    let app = TestApp::at("https://practice.example").await;
    let pages = every_page(&app).await;
    assert!(pages.len() > 30);
    for (what, reply) in pages {
        assert!(
            reply.header("content-type").starts_with("text/html"),
            "{what}: {} {}",
            reply.status,
            reply.header("content-type")
        );
        let page = reply.page();
        let one = |selector: &str| {
            let found = page.all(selector);
            assert_eq!(found.len(), 1, "{what} has {} {selector}", found.len());
            found[0]
        };
        assert!(reply.text().starts_with("<!DOCTYPE html>"), "{what}");
        assert_eq!(one("html").attr("lang"), Some("en"), "{what}");
        let title = one("head > title").text().collect::<String>();
        assert!(
            title.contains("Headroom") && (title == "Headroom") == (what == "/"),
            "{what}: {title}"
        );
        assert!(
            one("meta[name='description']")
                .attr("content")
                .is_some_and(|text| text.len() > 10),
            "{what}"
        );
        assert!(
            one("meta[name='viewport']").attr("content").is_some(),
            "{what}"
        );
        let canonical = one("link[rel='canonical']")
            .attr("href")
            .unwrap_or_default();
        assert!(
            canonical.starts_with("https://practice.example/"),
            "{what}: {canonical}"
        );
        for property in [
            "og:title",
            "og:description",
            "og:url",
            "og:image",
            "og:type",
        ] {
            assert!(
                one(&format!("meta[property='{property}']"))
                    .attr("content")
                    .is_some_and(|text| !text.is_empty()),
                "{what}"
            );
        }
        let main = one("main");
        assert_eq!(main.attr("id"), Some("main"), "{what}");
        one("a.skip[href='#main']");
        let heading = one("h1");
        assert!(
            main.select(&Selector::parse("h1").expect("a selector"))
                .count()
                == 1,
            "{what}: the heading is not in main"
        );
        assert!(
            !heading.text().collect::<String>().trim().is_empty(),
            "{what}"
        );
        // What a search engine may show is what everybody can read.
        let private = page.all("meta[name='robots'][content='noindex']").len() == 1;
        let public = reply.status == 200
            && (what == "/" || what.starts_with("/prompts"))
            && what != "/prompts?level=none";
        assert!(private != public || what == "/prompts?level=none", "{what}");
        well_formed(&what, &page);
    }
}

/// Each id once, each label and description leads to something, every field has a name to be called by.
pub(super) fn well_formed(what: &str, page: &super::app::Page) {
    let mut ids: Vec<&str> = page
        .all("[id]")
        .into_iter()
        .filter_map(|element| element.attr("id"))
        .collect();
    ids.sort_unstable();
    let twice: Vec<_> = ids
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .collect();
    assert!(twice.is_empty(), "{what} has these ids twice: {twice:?}");
    for name in ["for", "aria-labelledby", "aria-describedby"] {
        for element in page.all(&format!("[{name}]")) {
            let target = element.attr(name).unwrap_or_default();
            assert!(
                target.split(' ').all(|id| ids.binary_search(&id).is_ok()),
                "{what}: {name}={target} leads nowhere"
            );
        }
    }
    for link in page.all("a[href^='#']") {
        let target = link
            .attr("href")
            .unwrap_or_default()
            .trim_start_matches('#');
        assert!(
            ids.binary_search(&target).is_ok(),
            "{what}: #{target} leads nowhere"
        );
    }
    assert!(
        page.all("[style], [onclick], [onload]").is_empty(),
        "{what} has inline style or code"
    );
}

#[tokio::test]
async fn the_canonical_address_comes_from_configuration() {
    let app = TestApp::at("https://practice.example").await;
    let guest = app.guest();
    for host in ["evil.example", "localhost", "practice.example:8443"] {
        let request = http::Request::builder()
            .uri("/prompts")
            .header("host", host)
            .header("x-forwarded-host", host);
        let text = guest
            .send(request.body(axum::body::Body::empty()).expect("a request"))
            .await
            .expect(200)
            .text();
        assert!(
            !text.contains(host) && text.contains("https://practice.example/prompts"),
            "{host}"
        );
    }
}

#[tokio::test]
async fn the_list_shows_what_fits_the_filter() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut topics: Vec<&str> = library()
        .prompts
        .iter()
        .flat_map(|published| published.prompt.topics.iter().map(String::as_str))
        .collect();
    topics.sort_unstable();
    topics.dedup();
    let levels: Vec<&str> = Level::ALL
        .iter()
        .map(|level| level.slug())
        .chain(["", "principal"])
        .collect();
    let lengths: Vec<String> = LENGTHS
        .iter()
        .flatten()
        .map(ToString::to_string)
        .chain(["", "61", "untimed", "x"].map(ToOwned::to_owned))
        .collect();
    for level in &levels {
        for topic in topics.iter().chain(&["", "unheard-of"]) {
            for minutes in &lengths {
                let path = format!("/prompts?level={level}&topic={topic}&minutes={minutes}");
                let page = guest.get(&path).await.expect(200).page();
                let level_known = Level::from_slug(level);
                let topic_known = topics.contains(topic);
                let minutes_known = minutes
                    .parse::<u32>()
                    .ok()
                    .filter(|minutes| LENGTHS.contains(&Some(*minutes)));
                let expected: Vec<String> = library()
                    .prompts
                    .iter()
                    .map(|published| &published.prompt)
                    .filter(|prompt| level_known.is_none_or(|level| prompt.levels.contains(&level)))
                    .filter(|prompt| {
                        !topic_known || prompt.topics.iter().any(|known| known == topic)
                    })
                    .filter(|prompt| {
                        minutes_known.is_none_or(|minutes| prompt.minutes.contains(&minutes))
                    })
                    .map(|prompt| prompt.title.clone())
                    .collect();
                assert_eq!(page.texts("table.prompts tbody th a"), expected, "{path}");
                let unknown = [
                    !level.is_empty() && level_known.is_none(),
                    !topic.is_empty() && !topic_known,
                    !minutes.is_empty() && minutes_known.is_none(),
                ];
                assert_eq!(
                    page.all("p.notice").len(),
                    unknown.iter().filter(|unknown| **unknown).count(),
                    "{path}"
                );
                // What is chosen stays chosen.
                let chosen: Vec<_> = page
                    .all("select option[selected]")
                    .into_iter()
                    .filter_map(|option| option.attr("value"))
                    .collect();
                let known = [level_known.is_some(), topic_known, minutes_known.is_some()];
                assert_eq!(
                    chosen.len(),
                    known.iter().filter(|known| **known).count(),
                    "{path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_filter_is_text_whatever_it_says() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let page = guest
        .get("/prompts?level=%3Cscript%3Ealert(1)%3C/script%3E&level=mid&topic=%00&other=1")
        .await;
    assert!(page.status == 200, "{}", page.status);
    assert!(!page.text().contains("<script"));
    for odd in [
        "/prompts?level=%ff",
        "/prompts?%",
        "/prompts?level",
        "/prompts?=&&=&",
        "/prompts?level=%F0%9F%91%8D",
    ] {
        guest.get(odd).await.expect(200);
    }
}

#[tokio::test]
async fn a_theme_is_kept_and_leads_back() {
    let app = TestApp::new().await;
    let guest = app.guest();
    assert!(
        guest
            .get("/")
            .await
            .page()
            .all("html[data-theme]")
            .is_empty()
    );
    assert_eq!(
        guest
            .post_form(
                "/theme",
                &[("theme", "dark"), ("back", "/prompts?level=mid")]
            )
            .await
            .expect(303)
            .location(),
        "/prompts?level=mid"
    );
    assert_eq!(
        guest.get("/").await.page().attribute("html", "data-theme"),
        "dark"
    );
    assert_eq!(
        guest
            .get("/nothing")
            .await
            .page()
            .attribute("html", "data-theme"),
        "dark"
    );
    guest
        .post_form("/theme", &[("theme", "auto")])
        .await
        .expect(303);
    assert!(
        guest
            .get("/")
            .await
            .page()
            .all("html[data-theme]")
            .is_empty()
    );
    for wrong in [&[("theme", "blue")][..], &[("theme", "")]] {
        guest.post_form("/theme", wrong).await.expect(422);
    }
    guest
        .post_form("/theme", &[("back", "/")])
        .await
        .expect(422);
    // Another theme is another page for the cache.
    assert!(
        guest
            .get_with("/", &[("cookie", "theme=light")])
            .await
            .text()
            .contains("data-theme=\"light\"")
    );
    assert!(
        guest
            .get_with("/", &[("cookie", "theme=\"><b>")])
            .await
            .page()
            .all("html[data-theme]")
            .is_empty()
    );
}
