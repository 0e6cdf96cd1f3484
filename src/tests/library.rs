//! The library as a reader walks through it: every page, every link, every place that a link names.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::app::{Guest, Page, Reply, TestApp, library};
use crate::domain::calculator;
use crate::server::glossary::address;

/// The most bytes of a prompt's page over the wire, in brotli (the aim that the benchmark measures against).
const PROMPT_BYTES: usize = 30_000;
/// The most bytes of any other page to read.
const PAGE_BYTES: usize = 30_000;

/// A page that the walk came to.
struct Seen {
    reply: Reply,
    page: Page,
    /// The fragments that links name, with the page that has the link.
    fragments: BTreeMap<String, String>,
    /// Where the first link to it stands.
    from: String,
}

/// Whether a path is a page of the library, from which the walk goes on.
fn is_library(path: &str) -> bool {
    ["/prompts", "/reference", "/calculators"]
        .iter()
        .any(|start| path == *start || path.starts_with(&format!("{start}/")))
        || path == "/"
}

/// The place of ours that a link leads to: its path with its query, and its fragment.
fn place_of(href: &str, on: &str) -> Option<(String, String)> {
    let (path, fragment) = href.split_once('#').unwrap_or((href, ""));
    let path = match path {
        "" => on.to_owned(),
        query if query.starts_with('?') => {
            format!("{}{query}", on.split('?').next().unwrap_or_default())
        }
        path if path.starts_with('/') && !path.starts_with("//") => path.to_owned(),
        _ => return None,
    };
    Some((path, fragment.to_owned()))
}

/// Everything that is reached from the home page by links. Pages of the library are followed; what an address with a query
/// shows is looked at, and its links are not followed further.
async fn walk(guest: &Guest) -> BTreeMap<String, Seen> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut to_do: VecDeque<(String, String, String)> = VecDeque::new();
    to_do.push_back(("/".to_owned(), String::new(), "the start".to_owned()));
    while let Some((path, fragment, from)) = to_do.pop_front() {
        if !seen.contains_key(&path) {
            let reply = guest.get(&path).await;
            let page = reply.page();
            if is_library(&path) {
                for link in page.all("a[href]") {
                    let href = link.attr("href").unwrap_or_default();
                    to_do.extend(
                        place_of(href, &path).map(|(to, fragment)| (to, fragment, path.clone())),
                    );
                }
            }
            let found = Seen {
                reply,
                page,
                fragments: BTreeMap::new(),
                from: from.clone(),
            };
            seen.insert(path.clone(), found);
        }
        if let (Some(found), false) = (seen.get_mut(&path), fragment.is_empty()) {
            found.fragments.entry(fragment).or_insert(from);
        }
    }
    seen
}

#[tokio::test]
async fn every_page_is_reached_and_every_link_leads_to_its_place() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let seen = walk(&guest).await;

    let mut wanted: BTreeSet<String> = [
        "/",
        "/prompts",
        "/reference",
        "/reference/glossary",
        "/calculators",
    ]
    .map(ToOwned::to_owned)
    .into();
    let prompts = library().prompts.iter();
    wanted.extend(prompts.map(|published| format!("/prompts/{}", published.prompt.slug)));
    let pages = library().pages.iter();
    wanted.extend(pages.map(|published| format!("/reference/{}", published.page.slug)));
    let terms = library().glossary.terms.iter();
    wanted.extend(terms.map(|term| address(&term.id)));
    wanted.extend(
        calculator::all()
            .iter()
            .map(|one| format!("/calculators/{}", one.slug)),
    );
    let missed: Vec<_> = wanted
        .iter()
        .filter(|path| !seen.contains_key(*path))
        .collect();
    assert!(missed.is_empty(), "no link leads to {missed:?}");

    let mut faults = Vec::new();
    for (path, found) in &seen {
        let status = found.reply.status.as_u16();
        // A form to sign in stands where an account is needed.
        let expected = if path.starts_with("/account") || path.starts_with("/sign-in") {
            [200, 303]
        } else {
            [200, 200]
        };
        if !expected.contains(&status) {
            faults.push(format!("{} links to {path}, which is {status}", found.from));
            continue;
        }
        for (fragment, from) in &found.fragments {
            if found.page.all(&format!("[id=\"{fragment}\"]")).len() != 1 {
                faults.push(format!(
                    "{from} links to {path}#{fragment}, which is not there"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let fragments: usize = seen.values().map(|found| found.fragments.len()).sum();
    assert!(
        seen.len() > 200 && fragments > 200,
        "{} {fragments}",
        seen.len()
    );

    let mut titles: BTreeMap<String, &str> = BTreeMap::new();
    for (path, found) in seen.iter().filter(|(path, _)| is_library(path)) {
        let page = &found.page;
        super::pages::well_formed(path, page);
        assert_eq!(page.all("h1").len(), 1, "{path}");
        assert!(!page.text("main h1").is_empty(), "{path}");
        let title = page.text("head > title");
        assert!(title.contains("Headroom"), "{path}: {title}");
        let levels: Vec<u8> = page
            .all("main h1, main h2, main h3, main h4, main h5, main h6")
            .iter()
            .map(|heading| heading.value().name().as_bytes()[1] - b'0')
            .collect();
        assert!(
            levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
            "{path} leaves a level of headings out: {levels:?}"
        );
        if !path.contains('?') {
            let before = titles.insert(title.clone(), path);
            assert_eq!(before, None, "{path} has the title {title} of another page");
        }
        let is_island = path.starts_with("/calculators/");
        assert_eq!(page.all("script").is_empty(), !is_island, "{path}");
        let policy = found.reply.header("content-security-policy");
        assert_eq!(
            policy.contains("script-src 'none'"),
            !is_island,
            "{path}: {policy}"
        );
        assert!(
            page.all("main img, main iframe, main object").is_empty(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn pages_to_read_are_cached_and_small() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let seen = walk(&guest).await;
    let own = ["/reference/roadmap", "/reference/reading"];
    let mut checked = 0;
    for path in seen.keys() {
        let is_cached = is_library(path)
            && !path.contains('?')
            && !path.starts_with("/calculators/")
            && !own.contains(&path.as_str());
        if !is_cached {
            continue;
        }
        let first = guest
            .get_with(path, &[("accept-encoding", "br")])
            .await
            .expect(200);
        assert_eq!(first.header("content-encoding"), "br", "{path}");
        let most = if path.starts_with("/prompts/") {
            PROMPT_BYTES
        } else {
            PAGE_BYTES
        };
        assert!(
            first.body.len() <= most,
            "{path} has {} bytes",
            first.body.len()
        );
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        let again = guest
            .get_with(path, &[("if-none-match", &tag), ("accept-encoding", "br")])
            .await
            .expect(304);
        assert!(again.body.is_empty(), "{path}");
        let other = guest
            .get_with(path, &[("if-none-match", "\"other\"")])
            .await
            .expect(200);
        assert_eq!(other.header("etag"), tag, "{path}");
        checked += 1;
    }
    assert!(checked > 200, "{checked}");
    // What is a person's own is kept by nobody.
    for path in own {
        let reply = guest.get(path).await.expect(200);
        assert_eq!(reply.header("cache-control"), "private, no-store", "{path}");
    }
}

#[tokio::test]
async fn a_term_is_linked_where_it_is_first_used() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut linked = BTreeSet::new();
    let mut paths: Vec<String> = library()
        .pages
        .iter()
        .map(|published| format!("/reference/{}", published.page.slug))
        .collect();
    let prompts = library().prompts.iter();
    paths.extend(prompts.map(|published| format!("/prompts/{}", published.prompt.slug)));
    for path in paths {
        let page = guest.get(&path).await.expect(200).page();
        let mut once = BTreeSet::new();
        for link in page.all("a.term") {
            let href = link.attr("href").unwrap_or_default();
            let id = href
                .strip_prefix("/reference/glossary/")
                .unwrap_or_default();
            let term = library()
                .glossary
                .term(id)
                .unwrap_or_else(|| panic!("{path}: {href}"));
            // Hover and focus show the attribute, a screen reader and no script follow the link.
            assert_eq!(
                link.attr("data-def"),
                Some(&*term.definition.replace('`', "")),
                "{path}"
            );
            assert!(once.insert(id.to_owned()), "{path} links {id} twice");
            linked.insert(id.to_owned());
        }
        assert!(
            page.all("h1 a.term, h2 a.term, h3 a.term, h4 a.term, h5 a.term, h6 a.term, code a.term, pre a.term, a a.term")
                .is_empty(),
            "{path}"
        );
        // What it is used on is named at the term, where that is in the text.
        let in_text = page.all("article.prose a.term");
        let in_text: BTreeSet<_> = in_text
            .iter()
            .filter_map(|link| link.attr("href"))
            .collect();
        for id in &once {
            let term = guest.get(&address(id)).await.expect(200).page();
            if path.starts_with("/reference/") && in_text.contains(&*address(id)) {
                assert_eq!(
                    term.all(&format!("main li a[href='{path}']")).len(),
                    1,
                    "{id}: {path}"
                );
            }
        }
    }
    assert!(linked.len() > 80, "{} terms are linked", linked.len());
}

#[tokio::test]
async fn a_term_page_says_all_that_there_is_to_say() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let plain = |text: &str| super::app::squeezed(&text.replace('`', ""));
    let list = guest.get("/reference/glossary").await.expect(200).page();
    assert!(library().glossary.terms.len() >= 80);
    for term in &library().glossary.terms {
        let path = address(&term.id);
        let page = guest.get(&path).await.expect(200).page();
        assert_eq!(page.text("h1"), term.term);
        let text = page.text("main");
        for part in [&term.definition, &term.why, &term.question, &term.answer] {
            assert!(text.contains(&plain(part)), "{path}: no {part}");
        }
        // The answer is closed until asked for.
        assert!(page.all("details[open]").is_empty(), "{path}");
        assert!(
            page.text("details").contains(&plain(&term.answer)),
            "{path}"
        );
        for other in &term.see {
            assert_eq!(
                page.all(&format!("main li a[href='{}']", address(other)))
                    .len(),
                1,
                "{path}"
            );
        }
        assert_eq!(list.text(&format!("#{}", term.id)), term.term);
        assert_eq!(list.attribute(&format!("#{} a", term.id), "href"), path);
    }
}

#[tokio::test]
async fn what_is_not_published_is_not_there() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for path in [
        "/reference/nothing",
        "/reference/Levels",
        "/reference/levels.md",
        "/reference/..%2Fsources.toml",
        "/reference/%00",
        "/reference/glossary/nothing",
        "/reference/glossary/quorum/more",
        "/reference/glossary/Quorum",
        "/prompts/nothing",
    ] {
        let reply = guest.get(path).await.expect(404);
        assert_eq!(reply.page().text("h1"), "There is nothing here", "{path}");
    }
    // A slash at the end is no other page, and leads nowhere else.
    for (path, there) in [
        ("/reference/levels/", "/reference/levels"),
        ("/prompts//?level=mid", "/prompts?level=mid"),
    ] {
        assert_eq!(guest.get(path).await.expect(308).header("location"), there);
    }
    for path in ["//evil.example/", "/\\evil.example/"] {
        guest.get(path).await.expect(404);
    }
    // What an address asks for that there is not is said, on a page that is there.
    for (path, said) in [
        ("/reference/levels?a=intern", "There is no level “intern”"),
        (
            "/reference/compensation?company=initech",
            "There is no company “initech”",
        ),
        ("/reference/loops?level=%3Cb%3E", "There is no level “<b>”"),
    ] {
        let page = guest.get(path).await.expect(200).page();
        assert!(page.text(".notice").starts_with(said), "{path}");
    }
    for path in [
        "/reference/levels?%ff",
        "/reference/levels?a",
        "/reference?x=1",
        "/reference/glossary?q=1",
    ] {
        guest.get(path).await.expect(200);
    }
}
