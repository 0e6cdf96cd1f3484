//! The reference shelf: its views of the published data, and what a person ticks.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;
use scraper::Html;

use super::app::{Guest, Page, START, TestApp, library};
use super::engines::on_each_engine;
use crate::accounts::store::permit;
use crate::domain::content::shelf::{Rung, SHELF_PAGES, Shelf};
use crate::reference::page::{
    LevelsChoice, LoopsChoice, PayChoice, Ticks, compensation, levels, loops, numbers, reading,
    roadmap, scorecard,
};
use crate::reference::store;
use crate::server::form::Fields;

fn shelf() -> &'static Shelf {
    library().shelf.as_deref().expect("the shelf is published")
}

fn fields(query: &str) -> Fields {
    let query = query.trim_start_matches('?');
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').expect("a pair");
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn html(view: impl FnOnce() -> AnyView) -> Page {
    let text = Owner::new().with(|| view().to_html());
    Page(Html::parse_document(&text))
}

/// A page of the shelf as an address asks for it, for somebody with these ticks.
fn page(name: &str, query: &str, ticks: Option<&Ticks>) -> Page {
    let (shelf, sources, fields) = (shelf(), &library().sources, fields(query));
    html(|| match name {
        "levels" => levels(&shelf.levels, sources, &LevelsChoice::read(&fields)),
        "loops" => {
            let choice = LoopsChoice::read(&shelf.loops, &fields);
            loops(&shelf.loops, sources, &choice)
        }
        "compensation" => {
            let choice = PayChoice::read(&shelf.compensation, &fields);
            compensation(&shelf.compensation, sources, &choice)
        }
        "scorecard" => scorecard(&shelf.scorecard, sources),
        "roadmap" => roadmap(shelf, sources, ticks),
        "reading" => reading(shelf, sources, ticks),
        "numbers" => numbers(&shelf.numbers, sources),
        other => panic!("no page {other}"),
    })
}

fn ticks(items: &[&str]) -> Ticks {
    let when = items.iter().map(|item| ((*item).to_owned(), START));
    Ticks {
        when: when.collect(),
        zone: jiff::tz::TimeZone::UTC,
    }
}

#[test]
fn every_page_cites_what_it_shows_and_can_be_read_in_any_way() {
    let some = ticks(&["roadmap/on-call", "reading/ddia", "reading/gone"]);
    for name in SHELF_PAGES {
        for ticks in [None, Some(&some)] {
            let page = page(name, "", ticks);
            let cited = shelf().cited(name);
            let mut found = BTreeSet::new();
            for link in page.all(".cite a") {
                let id = link.attr("href").unwrap_or_default();
                let id = id.strip_prefix("#source-").expect("a source");
                let source = library().sources.iter().find(|source| source.id == id);
                let date = &source
                    .unwrap_or_else(|| panic!("{name}: no source {id}"))
                    .date;
                let around: String = link.parent().map_or_else(String::new, |parent| {
                    scraper::ElementRef::wrap(parent)
                        .expect("an element")
                        .text()
                        .collect()
                });
                assert_eq!(around, format!("{id} {date}"), "{name}");
                found.insert(id.to_owned());
            }
            // What the page's foot lists is what its data cite.
            assert!(
                found.iter().all(|id| cited.contains(id)),
                "{name}: {found:?}"
            );
            assert!(!found.is_empty(), "{name}");
            for table in page.all("table") {
                let inside = |selector: &str| {
                    table
                        .select(&scraper::Selector::parse(selector).expect("a selector"))
                        .count()
                };
                assert_eq!(inside("caption"), 1, "{name}: a table without a caption");
                assert_eq!(
                    inside("th:not([scope])"),
                    0,
                    "{name}: a heading without scope"
                );
            }
            for chart in page.all("figure > svg") {
                assert_eq!(chart.attr("role"), Some("img"), "{name}");
                assert!(
                    chart
                        .attr("aria-label")
                        .is_some_and(|label| label.len() > 20),
                    "{name}"
                );
            }
            for refused in ["script", "[style]", "[onclick]", "img", "iframe"] {
                assert!(page.all(refused).is_empty(), "{name}: {refused}");
            }
            let ids: Vec<_> = page
                .all("[id]")
                .iter()
                .map(|element| element.attr("id"))
                .collect();
            let unique: BTreeSet<_> = ids.iter().collect();
            assert_eq!(
                ids.len(),
                unique.len(),
                "{name}: an id stands twice: {ids:?}"
            );
            for named in page.all("[aria-labelledby]") {
                assert!(ids.contains(&named.attr("aria-labelledby")), "{name}");
            }
        }
    }
}

#[test]
fn any_two_levels_stand_side_by_side() {
    for a in Rung::ALL {
        for b in Rung::ALL {
            let query = format!("a={}&b={}", a.slug(), b.slug());
            let choice = LevelsChoice::read(&fields(&query));
            assert_eq!((choice.a, choice.b), (a, b));
            assert_eq!(LevelsChoice::read(&fields(&choice.query())), choice);
            let page = page("levels", &query, None);
            assert_eq!(page.texts(".versus thead th")[1..], [a.title(), b.title()]);
            assert_eq!(page.all(".versus tbody tr").len(), 9);
            assert_eq!(page.texts("option[selected]"), [a.title(), b.title()]);
            assert_eq!(page.all(".notice").len(), usize::from(a == b));
        }
    }
    let page = page("levels", "a=intern&b=staff", None);
    assert_eq!(
        page.texts(".notice"),
        ["There is no level “intern”, so it is left out."]
    );
    assert!(LevelsChoice::default().query().is_empty());
    let senior = "5–8 years S0 2026 S1 2026";
    assert!(page.texts(".ladder tr td p").contains(&senior.to_owned()));
}

#[test]
fn loops_are_filtered_by_level_and_company() {
    let all = shelf().loops.loops.len();
    for (query, shown, notices) in [
        ("", all, 0),
        ("level=mid", 6, 0),
        ("level=mid&company=stripe", 1, 0),
        ("company=general", 6, 0),
        ("level=senior&company=stripe", 0, 0),
        ("level=principal", all, 1),
        ("company=initech&level=lord", all, 2),
    ] {
        let choice = LoopsChoice::read(&shelf().loops, &fields(query));
        let again = LoopsChoice::read(&shelf().loops, &fields(&choice.query()));
        assert_eq!((again.level, again.company), (choice.level, choice.company));
        let page = page("loops", query, None);
        assert_eq!(
            page.text(".count"),
            format!("{shown} of {all} loops"),
            "{query}"
        );
        assert_eq!(page.all(".loops tbody").len(), shown, "{query}");
        assert_eq!(
            page.all(".timeline").len(),
            usize::from(shown > 0),
            "{query}"
        );
        assert_eq!(page.all(".notice").len(), notices, "{query}");
        assert_eq!(page.all(".empty").len(), usize::from(shown == 0), "{query}");
    }
    let page = page("loops", "", None);
    let senior = page.text("#loop-senior .group");
    assert!(
        senior.contains("5–7 rounds as listed, 5–6 by the source's own count"),
        "{senior}"
    );
    // Three design rounds of which two are always held, and four without a stated length.
    let bars = page.all(".timeline .round");
    let of = |class: &str| {
        bars.iter()
            .filter(|bar| {
                bar.attr("class")
                    .is_some_and(|classes| classes.contains(class))
            })
            .count()
    };
    let stated: u32 = shelf()
        .loops
        .loops
        .iter()
        .map(|found| found.counted().high)
        .sum();
    assert_eq!(bars.len(), stated as usize);
    assert_eq!(of("maybe"), 1);
    assert!(of("unstated") > 4 && of("held") > 20);
}

#[test]
fn pay_is_sorted_by_any_column() {
    let first = |query: &str| page("compensation", query, None).text(".pay tbody tr");
    for (query, sorted, direction, expected) in [
        ("", "Level", "ascending", "AmazonMid SDE II"),
        (
            "sort=company&order=asc",
            "Company",
            "ascending",
            "AmazonMid SDE II",
        ),
        (
            "sort=company&order=desc",
            "Company",
            "descending",
            "StripeMid L2",
        ),
        (
            "sort=base&order=desc",
            "Base",
            "descending",
            "AnthropicSenior MTS",
        ),
        (
            "sort=total&order=asc",
            "Total",
            "ascending",
            "SnowflakeMid IC3",
        ),
        (
            "sort=total&order=desc",
            "Total",
            "descending",
            "AnthropicSenior MTS",
        ),
    ] {
        assert!(
            first(query).starts_with(expected),
            "{query}: {}",
            first(query)
        );
        let page = page("compensation", query, None);
        let heads = page.all("th[aria-sort]");
        assert_eq!(heads.len(), 1, "{query}");
        assert_eq!(heads[0].attr("aria-sort"), Some(direction), "{query}");
        assert!(page.text("th[aria-sort]").starts_with(sorted), "{query}");
        assert_eq!(
            page.all(".pay tbody tr").len(),
            shelf().compensation.rows.len()
        );
    }
    // Following a column's heading twice turns its order around, and keeps the comparison.
    let begun = page("compensation", "with=stripe&with-place=stated", None);
    let mut links = Vec::new();
    let mut at = begun;
    for _ in 0..2 {
        let link = at.attribute(".pay thead th:nth-child(4) a", "href");
        let query = link.split(['?', '#']).nth(1).expect("a query").to_owned();
        assert!(query.contains("with=stripe"), "{query}");
        at = page("compensation", &query, None);
        links.push(query);
    }
    assert!(links[0].contains("sort=total&order=desc"), "{links:?}");
    assert!(links[1].contains("sort=total&order=asc"), "{links:?}");
    let inferred = page("compensation", "", None).text("#row-google-mid .small");
    assert!(inferred.starts_with("inferred"), "{inferred}");
}

#[test]
fn two_offers_are_compared_with_their_working() {
    for (query, expected) in [
        (
            "",
            vec![
                "$360k x 0.75 = $270k; $510k x 0.90 = $459k",
                "The totals overlap from $360k to $459k.",
            ],
        ),
        (
            "company=anthropic&place=remote&with=stripe&with-place=stated",
            vec![
                "$580k x 0.75 = $435k; $900k x 0.90 = $810k, or more",
                "$435k–$810k+",
                "The totals overlap from $435k to $560k.",
            ],
        ),
        (
            "company=snowflake&level=mid&with=anthropic&with-place=stated",
            vec!["The totals do not overlap: $220k lie between $360k and $580k."],
        ),
        (
            "company=meta&level=mid&place=remote",
            vec![
                "$300k x 0.75 = $225k; $420k x 0.90 = $378k",
                "is our assumption",
            ],
        ),
        (
            "company=google&place=stated&with=apple&with-place=stated",
            vec!["The two totals are the same range."],
        ),
        (
            "company=snowflake&level=senior",
            vec!["The sources give no figure for this company at this level."],
        ),
        (
            "place=moon",
            vec!["There is no place “moon”, so it is left out."],
        ),
        (
            "company=%3Cscript%3E",
            vec!["There is no company “%3Cscript%3E”, so it is left out."],
        ),
        (
            "sort=salary&order=up",
            vec!["There is no column “salary”", "There is no order “up”"],
        ),
    ] {
        let page = page("compensation", query, None);
        let text = page.whole_text();
        for expected in expected {
            assert!(text.contains(expected), "{query}: no {expected}");
        }
        let choice = PayChoice::read(&shelf().compensation, &fields(query));
        let again = PayChoice::read(&shelf().compensation, &fields(&choice.query()));
        assert_eq!(again.query(), choice.query(), "{query}");
    }
    // Every company at every level in every place has an answer.
    let data = &shelf().compensation;
    for company in &data.companies {
        for level in data.levels() {
            for place in ["stated", "remote"] {
                let query = format!(
                    "company={}&level={}&place={place}",
                    company.id,
                    level.slug()
                );
                let page = page("compensation", &query, None);
                assert_eq!(page.all(".offers-found tbody tr").len(), 2, "{query}");
            }
        }
    }
}

#[test]
fn each_conflict_is_shown_as_one() {
    let shelf = shelf();
    for (name, count) in [
        ("levels", shelf.levels.conflicts.len()),
        ("loops", shelf.loops.conflicts.len()),
        ("compensation", shelf.compensation.conflicts.len()),
        ("roadmap", 1),
        ("numbers", shelf.numbers.conflicts.len()),
    ] {
        let page = page(name, "", None);
        assert!(count > 0, "{name}");
        assert_eq!(page.all(".conflict").len(), count, "{name}");
        for text in page.texts(".conflict") {
            assert!(
                text.contains("Our reading.") && text.ends_with("ours"),
                "{name}: {text}"
            );
        }
    }
    let page = page("compensation", "", None);
    assert_eq!(
        page.all(".conflict svg.ranges").len(),
        shelf.compensation.conflicts.len()
    );
}

#[test]
fn what_is_ticked_is_counted_and_others_are_told_how() {
    for (name, item, all) in [("roadmap", "on-call", 9), ("reading", "ddia", 12)] {
        let out = page(name, "", None);
        assert!(out.all("form[method=post]").is_empty());
        let sign_in = out.attribute(".progress a", "href");
        assert_eq!(sign_in, format!("/sign-in?next=/reference/{name}"));
        assert_eq!(out.all(".tickable").len(), all);

        let ticked = format!("{name}/{item}");
        // What is no longer published does not count.
        let page = page(
            name,
            "",
            Some(&ticks(&[&ticked, "roadmap/gone", "reading/gone"])),
        );
        assert!(page.text(".progress").starts_with(&format!("1 of {all}")));
        assert_eq!(page.all("form[action='/reference/ticks']").len(), all);
        let form = format!("#{name}-{item}");
        assert_eq!(
            page.attribute(&format!("{form} input[name=on]"), "value"),
            "0"
        );
        assert_eq!(
            page.attribute(&format!("{form} input[name=item]"), "value"),
            ticked
        );
        assert_eq!(
            page.attribute(&format!("{form} button"), "aria-pressed"),
            "true"
        );
        assert!(page.text(&form).contains("1 Jan 2026"));
        assert_eq!(page.all("button[aria-pressed=true]").len(), 1);
        assert_eq!(page.all("input[name=on][value='1']").len(), all - 1);
    }
}

async fn kept(app: &TestApp, email: &str) -> BTreeMap<String, i64> {
    let id = app.account_id(email).await;
    let mut reader = app.db.read().await.expect("a reader");
    let conn = &mut reader.conn();
    let permit = permit(conn, Some(&id)).await.expect("a permit");
    store::ticks(conn, &permit).await.expect("reads")
}

async fn tick(browser: &Guest, item: &str, on: &str) -> super::app::Reply {
    let fields = [("item", item), ("on", on)];
    browser.post_form("/reference/ticks", &fields).await
}

#[tokio::test]
async fn ticks_are_set_and_taken_back_however_often_they_are_sent() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let (email, other) = ("reader@example.org", "other@example.org");
        let reader = app.person(email).await;
        let tab = reader.elsewhere();
        let second = app.person(other).await;

        for browser in [&reader, &tab, &reader] {
            let reply = tick(browser, "roadmap/on-call", "1").await.expect(303);
            assert_eq!(reply.location(), "/reference/roadmap#roadmap-on-call");
            app.advance(1);
        }
        // The first of several keeps its time.
        assert_eq!(
            kept(&app, email).await,
            [("roadmap/on-call".to_owned(), START)].into()
        );
        assert!(kept(&app, other).await.is_empty());

        tick(&second, "roadmap/on-call", "1").await.expect(303);
        let reply = tick(&reader, "reading/ddia", "1").await.expect(303);
        assert_eq!(reply.location(), "/reference/reading#reading-ddia");
        for browser in [&tab, &reader] {
            tick(browser, "roadmap/on-call", "0").await.expect(303);
        }
        assert_eq!(
            kept(&app, email).await.into_keys().collect::<Vec<_>>(),
            ["reading/ddia"]
        );
        assert_eq!(kept(&app, other).await.len(), 1);

        for (item, on) in [
            ("roadmap/gone", "1"),
            ("levels/senior", "1"),
            ("", "1"),
            ("reading/ddia", ""),
            ("reading/ddia", "2"),
            ("reading/ddia'; DROP TABLE tick; --", "1"),
        ] {
            let reply = tick(&reader, item, on).await.expect(422);
            assert!(reply.text().contains("Go back"), "{item} {on}");
        }
        assert_eq!(kept(&app, email).await.len(), 1);

        // Both at once.
        let (one, two) = tokio::join!(
            tick(&reader, "reading/sre", "1"),
            tick(&tab, "reading/sre", "1")
        );
        one.expect(303);
        two.expect(303);
        assert_eq!(kept(&app, email).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_back_to_the_page() {
    let app = TestApp::new().await;
    for (item, page) in [
        ("reading/ddia", "reading"),
        ("roadmap/on-call", "roadmap"),
        ("//evil.example", "roadmap"),
    ] {
        let reply = tick(&app.guest(), item, "1").await.expect(303);
        assert_eq!(reply.location(), format!("/sign-in?next=/reference/{page}"));
    }
}

#[tokio::test]
async fn ticks_go_with_their_account() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let (email, other) = ("leaver@example.org", "stayer@example.org");
        let leaver = app.person(email).await;
        tick(&leaver, "reading/ddia", "1").await.expect(303);
        let stayer = app.person(other).await;
        tick(&stayer, "reading/ddia", "1").await.expect(303);
        let fields = [("confirm", email), ("password", super::app::PASSWORD)];
        leaver
            .post_form("/account/delete", &fields)
            .await
            .expect(303);
        let rows = super::migrations::everything(&app.db).await;
        let left: Vec<_> = rows
            .iter()
            .filter(|row| row.starts_with("tick: "))
            .collect();
        assert_eq!(left.len(), 1, "{left:?}");
    })
    .await;
}
