//! What a person writes is text on every page that shows it, whatever it looks like.

use scraper::Selector;

use super::app::{Attempt, Reply, TestApp, phases, published, scorecard};
use crate::domain::attempt::Way;
use crate::domain::level::Level;

/// Each tries to become markup or code in another place: as an element, in an attribute, in a textarea, in Markdown,
/// in the data that an island is sent.
const ATTACKS: [&str; 12] = [
    "<script>pwned(1)</script>",
    "</textarea><script>pwned(2)</script><img src=x onerror=pwned(3)>",
    "\"><svg onload=pwned(4)>",
    "' onmouseover='pwned(5)' x='",
    "</title><script>pwned(6)</script>",
    "--><iframe srcdoc='<script>pwned(7)</script>'></iframe><!--",
    "[link](javascript:pwned(8)) ![image](javascript:pwned(9)) <javascript:pwned(10)>",
    "[link][r]\n\n[r]: data:text/html,<script>pwned(11)</script>",
    "</script><script>pwned(12)</script>",
    "\u{2028}\\u003cscript>pwned(13)</script>\\\"}",
    "```html\n<script>pwned(14)</script>\n```\n<base href=//evil.example><meta http-equiv=refresh content=0>",
    "&lt;script&gt;pwned(15)&lt;/script&gt; <form action=//evil.example><button formaction=javascript:pwned(16)>",
];

fn attack() -> String {
    ATTACKS.join("\n\n")
}

/// As the browser reads the page: no element, attribute or address is of the attacker's making.
fn is_harmless(what: &str, reply: &Reply) {
    let page = reply.page();
    for element in page.0.select(&Selector::parse("*").expect("a selector")) {
        let name = element.value().name();
        if name == "script" {
            let text: String = element.text().collect();
            assert!(
                element.attr("nonce").is_some() && !text.contains("pwned"),
                "{what} runs {text}"
            );
        }
        assert!(
            !["iframe", "img", "object", "embed", "base", "frame", "math"].contains(&name),
            "{what} has <{name}>"
        );
        assert!(
            name != "meta" || element.attr("http-equiv").is_none(),
            "{what}"
        );
        assert!(
            name != "form"
                || element
                    .attr("action")
                    .is_none_or(|action| action.starts_with('/') && !action.starts_with("//")),
            "{what}"
        );
        for (attribute, value) in element.value().attrs() {
            assert!(!attribute.starts_with("on"), "{what}: <{name} {attribute}>");
            assert!(
                !["srcdoc", "formaction", "style"].contains(&attribute),
                "{what}: <{name} {attribute}>"
            );
            if ["href", "src", "action", "xlink:href"].contains(&attribute) {
                let scheme = value.trim().to_lowercase();
                assert!(
                    !scheme.starts_with("javascript:") && !scheme.starts_with("data:"),
                    "{what}: {attribute}={value}"
                );
            }
        }
    }
}

/// Writes the attack wherever a person can write.
async fn attacked(app: &TestApp) -> Attempt {
    let attempt = app.attempt(Way::Interview, Level::Staff, Some(45)).await;
    app.advance(46);
    for phase in phases() {
        attempt.save_form(phase, &attack()).await.expect(303);
    }
    let ball = format!("curveball-{}", published().prompt.curveballs[0].id);
    attempt.save_form(&ball, &attack()).await.expect(303);
    let rows: Vec<(&str, &str)> = [("base", "0"), ("key", "numbers")]
        .into_iter()
        .chain(
            ATTACKS
                .iter()
                .flat_map(|attack| [("row", *attack), ("text", *attack)]),
        )
        .collect();
    attempt.post("worksheet", &rows).await.expect(422);
    attempt
}

#[tokio::test]
async fn markup_stays_text() {
    let app = TestApp::new().await;
    let attempt = attacked(&app).await;
    let ball = format!("curveball-{}", published().prompt.curveballs[0].id);
    let sections: Vec<String> = phases().map(ToOwned::to_owned).chain([ball]).collect();
    for section in &sections {
        let page = attempt.get(section).await.expect(200);
        is_harmless(section, &page);
        // Whole, and exactly as it was typed.
        assert_eq!(
            page.form(&attempt.path(section))["body"].trim_start_matches('\n'),
            attack(),
            "{section}"
        );
        let history = attempt.get(&format!("{section}/history")).await.expect(200);
        is_harmless(&format!("{section}/history"), &history);
        assert!(
            history
                .page()
                .text("article .prose")
                .contains("<script>pwned(1)</script>"),
            "{section}"
        );
    }
    is_harmless(
        "worksheet/history",
        &attempt.get("worksheet/history").await.expect(200),
    );
    let conflict = attempt
        .post(
            "api",
            &[
                ("base", "0"),
                ("key", "stale"),
                ("body", &format!("{} mine", attack())),
            ],
        )
        .await
        .expect(409);
    is_harmless("conflict", &conflict);
    assert!(
        conflict
            .page()
            .textarea("body")
            .contains("<script>pwned(2)</script>")
    );
    let sheet = [
        ("base", "0"),
        ("key", "stale sheet"),
        ("row", ATTACKS[2]),
        ("text", ATTACKS[3]),
    ];
    is_harmless(
        "worksheet conflict",
        &attempt.post("worksheet", &sheet).await.expect(409),
    );

    let score = attempt.get("score").await.expect(200);
    is_harmless("score", &score);
    assert!(
        score
            .page()
            .texts("pre.written")
            .iter()
            .any(|text| text.contains("</textarea><script>pwned(2)"))
    );
    let faulty = attempt.commit(&scorecard("", &attack())).await.expect(422);
    is_harmless("score with faults", &faulty);
    assert_eq!(
        faulty
            .page()
            .textarea(&format!(
                "evidence.{}",
                published().prompt.rubric.criteria[0].id.slug()
            ))
            .trim_start_matches('\n'),
        attack()
    );
    attempt
        .commit(&scorecard("mid", &attack()))
        .await
        .expect(303);
    let result = attempt.get("result").await.expect(200);
    is_harmless("result", &result);
    assert!(
        result
            .page()
            .text("blockquote.evidence")
            .contains("<script>pwned(1)</script>")
    );
    is_harmless(
        "attempts",
        &attempt.guest.get("/attempts").await.expect(200),
    );

    // What leaves as a file is never a page of ours.
    for (format, kind) in [
        ("attempt.md", "text/markdown; charset=utf-8"),
        ("attempt.json", "application/json"),
    ] {
        let file = attempt.get(&format!("export/{format}")).await.expect(200);
        assert_eq!(
            (
                file.header("content-type"),
                file.header("x-content-type-options")
            ),
            (kind, "nosniff")
        );
        assert!(
            file.header("content-disposition")
                .starts_with("attachment; ")
        );
        assert!(
            file.header("content-security-policy")
                .contains("default-src 'none'")
        );
        assert!(file.text().contains("pwned(1)"));
    }
}

#[tokio::test]
async fn what_server_functions_answer_is_data_or_clean() {
    let app = TestApp::new().await;
    let attempt = attacked(&app).await;
    let html = attempt
        .guest
        .call("preview", &serde_json::json!({ "markdown": attack() }))
        .await
        .expect(200);
    assert_eq!(html.header("content-type"), "application/json");
    let page = Reply {
        body: html.json().as_str().expect("text").to_owned().into(),
        ..html
    };
    is_harmless("preview", &page);
    let pulse = attempt
        .pulse("api", &serde_json::json!({}))
        .await
        .expect(200);
    assert_eq!(pulse.header("content-type"), "application/json");
    let stale = attempt.save("api", 0, "stale", "mine").await.expect(409);
    assert_eq!(stale.header("content-type"), "application/json");
    assert_eq!(stale.header("x-content-type-options"), "nosniff");
}
