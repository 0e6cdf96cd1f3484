//! What nobody should send: it is the sender's fault, in words, and never ours.

use serde_json::{Value, json};

use super::app::{Attempt, PROMPT, TestApp, scorecard};
use super::engines::on_each_engine;

const FUNCTIONS: [&str; 6] = [
    "save_section",
    "pulse",
    "preview",
    "search",
    "calculate",
    "calculate_beside",
];

/// Whatever came back, the server neither failed nor took it.
#[track_caller]
fn refused(what: &str, reply: &super::app::Reply) {
    assert!(
        reply.status.is_client_error(),
        "{what}: {} {}",
        reply.status,
        reply.text().chars().take(300).collect::<String>()
    );
}

async fn unharmed(attempt: &Attempt) {
    attempt.get("api").await.expect(200);
    let sections = attempt.get("export/attempt.json").await.expect(200).json()["sections"].clone();
    assert_eq!(sections, json!([]), "something was saved");
}

#[tokio::test]
async fn arguments_that_do_not_read_are_refused() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let id = &attempt.id;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<Vec<u8>> = [
        "",
        "{",
        "null",
        "[]",
        "\"text\"",
        "{}",
        "{\"attempt\": 1}",
        "{\"attempt\": \"\\ud800\", \"section\": \"api\", \"markdown\": \"\\ud800\"}",
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"body\":\"x\",\"base\":\"0\",\"key\":\"k\"}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"body\":\"x\",\"base\":1e99,\"key\":\"k\"}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"body\":\"x\",\"base\":9223372036854775808,\"key\":\"k\"}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"body\":\"x\",\"base\":0.5,\"key\":\"k\"}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"body\":\"x\",\"body\":\"y\",\"base\":0,\"key\":\"k\"}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"body\":[\"x\"],\"base\":0,\"key\":\"k\"}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"known\":[1]}}"),
        &format!("{{\"attempt\":\"{id}\",\"section\":\"api\",\"known\":{{\"api\":\"1\"}}}}"),
        &format!("{{\"attempt\":{deep},\"markdown\":{deep}}}"),
        &deep,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([b"\xff\xfe{}".to_vec(), b"{\"markdown\": \"\xc3\x28\"}".to_vec(), vec![0; 1000]])
    .collect();
    for function in FUNCTIONS {
        for body in &bodies {
            let what = format!(
                "{function} {}",
                String::from_utf8_lossy(&body[..body.len().min(80)])
            );
            refused(&what, &attempt.guest.call_raw(function, body.clone()).await);
        }
        let body =
            json!({ "attempt": id, "section": "api", "known": {}, "markdown": "x" }).to_string();
        for path in [
            format!("{function}/more"),
            format!("{function}?x=%"),
            function.to_uppercase(),
            format!("./{function}"),
        ] {
            let reply = attempt.guest.call_raw(&path, body.clone()).await;
            assert!(!reply.status.is_server_error(), "{path}: {}", reply.status);
        }
    }
    for function in [
        "",
        "/",
        "nothing",
        "drop_table",
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "%ff",
        "🦀".repeat(500).as_str(),
    ] {
        let path = format!("/api/{}", function.chars().map(escaped).collect::<String>());
        refused(
            &path,
            &attempt
                .guest
                .post_raw(&path, "application/json", "{}")
                .await,
        );
    }
    unharmed(&attempt).await;
}

fn escaped(character: char) -> String {
    if character.is_ascii_graphic() {
        return character.to_string();
    }
    let mut bytes = [0; 4];
    character
        .encode_utf8(&mut bytes)
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

#[tokio::test]
async fn sound_arguments_of_nonsense_are_refused() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let attempt = app.guided().await;
        let sound = json!({ "attempt": attempt.id, "section": "api", "body": "x", "base": 0, "key": "k", "known": {} });
        let changed = |field: &str, value: Value| {
            let mut arguments = sound.clone();
            arguments[field] = value;
            arguments
        };
        let long = "n".repeat(1024 * 1024);
        let longest = "n".repeat(10 * 1024 * 1024);
        for field in ["attempt", "section", "key", "body"] {
            attempt.guest.call("save_section", &changed(field, json!(longest))).await.expect(413);
        }
        let odd = ["", "\0", "a\0b", "%00", "..", "../..", "' OR 1=1 --", "🦀", "\u{202e}", "\n", long.as_str()];
        for text in odd {
            for field in ["attempt", "section"] {
                for function in ["save_section", "pulse"] {
                    let reply = attempt.guest.call(function, &changed(field, json!(text))).await;
                    assert_eq!(reply.status, 404, "{function} {field} {:?}", &text[..text.len().min(40)]);
                }
            }
        }
        for key in ["", "\0", "a\0", "k\n", long.as_str()] {
            attempt.guest.call("save_section", &changed("key", json!(key))).await.expect(422);
        }
        for base in [i64::MIN, -1, 1, i64::MAX] {
            attempt.guest.call("save_section", &changed("base", json!(base))).await.expect(409);
        }
        unharmed(&attempt).await;
        // What was known need not be true.
        let known = json!({ "api": i64::MAX, "": -1, "nothing\0": 3, "🦀": i64::MIN });
        attempt.guest.call("pulse", &changed("known", known)).await.expect(200);
        // A text is cleaned of what no database takes, not refused.
        attempt.guest.call("save_section", &changed("body", json!("a\0b\r\nc\rd"))).await.expect(200);
        let saved = attempt.get("export/attempt.json").await.json();
        assert_eq!(saved["sections"][0]["body"], "ab\ncd");
    })
    .await;
}

#[tokio::test]
async fn forms_of_nonsense_are_refused_or_cleaned() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let attempt = app.guided().await;
        let form = "application/x-www-form-urlencoded";
        let posts = [
            "api",
            "worksheet",
            "hints",
            "score",
            "api/restore",
            "curveball-key-reused",
        ];
        let bodies: [&[u8]; 12] = [
            b"",
            b"&&&===&",
            b"%",
            b"%zz=%f&body=%",
            b"body=%ff%fe&key=%ff&base=%ff&row=%ff&text=%00&score=%ff&revision=%ff",
            b"body=%00&key=%00&base=%00&row=%00a&text=%00&score=%00&revision=%00",
            b"body=a&body=b&key=k1&key=k2&base=0&base=7&revision=1&revision=2&score=x&score=y",
            b"\xff\xfe\x00body=x",
            b"base=99999999999999999999&key=k&body=x&revision=99999999999999999999",
            b"base=-1&key=k&body=x&row=&text=&row=a&row=b&text=1&text=2",
            b"base=0&key=k&row=a%0Ab&text=1%0Ac:%202&revision=NaN",
            b"rating.requirements=senior&rating.requirements=mid&evidence.requirements=%00",
        ];
        for post in posts {
            for body in bodies {
                let reply = attempt
                    .guest
                    .post_raw(&attempt.path(post), form, body)
                    .await;
                let what = format!("{post} {}", String::from_utf8_lossy(body));
                assert!(
                    reply.status.is_client_error() || reply.status == 303,
                    "{what}: {} {}",
                    reply.status,
                    reply.text()
                );
            }
            for kind in [
                "text/plain",
                "application/json",
                "multipart/form-data; boundary=x",
                "",
            ] {
                let reply = attempt
                    .guest
                    .post_raw(&attempt.path(post), kind, "body=x&key=k&base=0")
                    .await;
                assert!(
                    reply.status.is_client_error()
                        && reply.header("content-type").starts_with("text/html"),
                    "{post} {kind}: {}",
                    reply.status
                );
            }
        }
        // Evidence and rows with what no database takes.
        let rows = [
            ("base", "0"),
            ("key", "rows"),
            ("row", "a\0"),
            ("text", "1\0"),
        ];
        let reply = attempt.post("worksheet", &rows).await;
        assert!(!reply.status.is_server_error(), "{}", reply.text());
        let mut card = scorecard("mid", "said\0 so\r\n");
        card.push(("score".to_owned(), "\0".to_owned()));
        attempt.commit(&card).await.expect(303);
        let evidence =
            attempt.get("export/attempt.json").await.json()["scores"][0]["entries"][0]["evidence"]
                .clone();
        assert_eq!(evidence, "said so");
        attempt
            .guest
            .post_form(&format!("/prompts/{PROMPT}/attempts"), &[("way", "\0")])
            .await
            .expect(422);
    })
    .await;
}

#[tokio::test]
async fn odd_addresses_lead_nowhere() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let attempt = app.guided().await;
        let odd = [
            "%00",
            "%ff",
            "%2e%2e",
            "..",
            "%2F",
            "%F0%9F%A6%80",
            "a%0d%0aSet-Cookie:x=y",
            "'",
            "%25",
            "{id}",
            "*",
            "%E2%80%AE",
        ];
        let long = "a".repeat(60_000);
        for id in odd.into_iter().chain([long.as_str()]) {
            for path in [
                format!("/prompts/{id}"),
                format!("/attempts/{id}"),
                format!("/attempts/{id}/api"),
                format!("/attempts/{id}/result"),
                format!("/attempts/{id}/export/attempt.md"),
                format!("/attempts/{}/{id}", attempt.id),
                format!("/attempts/{}/{id}/history", attempt.id),
                format!("/attempts/{}/export/{id}", attempt.id),
                format!("/assets/{id}"),
                format!("/{id}"),
            ] {
                let reply = attempt.guest.get(&path).await;
                assert!(
                    [400, 404].contains(&reply.status.as_u16()),
                    "{}: {}",
                    &path[..path.len().min(80)],
                    reply.status
                );
                assert!(!reply.headers.contains_key("set-cookie"));
            }
        }
        for query in [
            "revision=%00",
            "revision=x",
            "revision=1e9",
            "revision=9223372036854775808",
            "revision=-1",
            "saved=%00",
            "panel=%00",
            "panel=%3Cscript%3E",
            "%",
            "revision=1&revision=2",
        ] {
            for page in ["api/history", "api"] {
                let reply = attempt.get(&format!("{page}?{query}")).await;
                assert!(
                    reply.status == 200 || reply.status.is_client_error(),
                    "{page} {query}: {}",
                    reply.status
                );
            }
            attempt
                .guest
                .get(&format!(
                    "/prompts/{PROMPT}?level={query}&minutes={query}&way={query}&focus={query}"
                ))
                .await
                .expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn markdown_of_nonsense_is_answered_quickly() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let started = std::time::Instant::now();
    for piece in [
        ">",
        "[",
        "*",
        "_a",
        "![",
        "|",
        "<",
        "`",
        "- ",
        "#",
        "\n",
        "&",
        "\\",
        "[^a]",
        "http://a ",
        "\u{e000}",
        "é",
        "~",
    ] {
        // html5ever's serializer looks through the rest of the text at each ampersand: quick as built for people, slow
        // without optimization.
        let bytes = if piece == "&" { 8 * 1024 } else { 64 * 1024 };
        let text = piece.repeat(bytes / piece.len());
        let reply = attempt
            .guest
            .call("preview", &json!({ "markdown": text }))
            .await
            .expect(200);
        assert!(reply.json().is_string(), "{piece}");
    }
    let too_long = "word ".repeat(20_000);
    attempt
        .guest
        .call("preview", &json!({ "markdown": too_long }))
        .await
        .expect(422);
    // Not a figure, only the difference between linear and quadratic.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
