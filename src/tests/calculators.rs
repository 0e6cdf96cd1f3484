//! The calculators on the web: each page's numbers are the domain's, whatever is typed comes back, and rows reach a worksheet.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::app::{Attempt, Guest, Page, Reply, TestApp, published, squeezed, urlencoded};
use super::engines::on_each_engine;
use crate::calculators::api::Calculation;
use crate::domain::attempt::Way;
use crate::domain::calculator::{self, Calculator, Inputs, Worked};
use crate::domain::level::Level;
use crate::domain::quantity::Quantity;
use crate::domain::worksheet::{Outcome, Sheet, evaluate};
use crate::practice::api::Beside;
use crate::ui::calculation::words;

type Pairs<'a> = [(&'a str, &'a str)];

fn address(calculator: &Calculator, pairs: &Pairs<'_>) -> String {
    format!("/calculators/{}?{}", calculator.slug, urlencoded(pairs))
}

fn inputs(calculator: &'static Calculator, pairs: &Pairs<'_>) -> Inputs {
    Inputs::from_query(calculator, pairs.iter().copied())
}

fn work(calculator: &'static Calculator, pairs: &Pairs<'_>) -> Worked {
    inputs(calculator, pairs)
        .work()
        .unwrap_or_else(|faults| panic!("{} {pairs:?}: {faults:?}", calculator.slug))
}

async fn calculate(guest: &Guest, name: &str, pairs: &Pairs<'_>) -> Reply {
    let arguments = json!({ "name": name, "inputs": pairs });
    guest.call("calculate", &arguments).await
}

/// What stands in the fields, by name.
fn typed(page: &Page) -> BTreeMap<String, String> {
    let fields = page.all(".calculator input[name]:not([type='hidden'])");
    let value =
        |field: &scraper::ElementRef<'_>, name| field.attr(name).unwrap_or_default().to_owned();
    fields
        .iter()
        .map(|field| (value(field, "name"), value(field, "value")))
        .collect()
}

/// Each input with its default, and with another usual value.
fn other_values(calculator: &'static Calculator) -> Vec<(&'static str, &'static str)> {
    let inputs = calculator.inputs.iter();
    inputs
        .map(|input| (input.id, input.typical.to))
        .filter(|pair| inputs_take(calculator, pair))
        .collect()
}

fn inputs_take(calculator: &'static Calculator, pair: &(&'static str, &'static str)) -> bool {
    inputs(calculator, &[*pair]).work().is_ok()
}

/// That the page shows what the domain worked out.
fn assert_shows(page: &Page, worked: &Worked, what: &str) {
    let shown: Vec<String> = worked
        .main()
        .map(|answer| squeezed(&format!("{}{}", answer.output.label, answer.text)))
        .collect();
    assert_eq!(page.texts(".calc-answers > div"), shown, "{what}");
    let steps = page.texts(".calc-steps > li");
    assert_eq!(steps.len(), worked.steps().len(), "{what}");
    for (text, step) in steps.iter().zip(worked.steps()) {
        for part in [step.output.label, &step.formula, &step.shown] {
            assert!(text.contains(&squeezed(part)), "{what}: {text}: no {part}");
        }
    }
    let text = page.text("main");
    for part in worked.warnings() {
        assert!(text.contains(&squeezed(part)), "{what}: no {part}");
    }
    for part in [&*worked.at_ten_times(), worked.inputs.calculator.assumption] {
        assert!(text.contains(&squeezed(part)), "{what}: no {part}");
    }
    let chart = worked.chart();
    assert_eq!(page.text("figcaption"), squeezed(&chart.sentence), "{what}");
    // The table twin says what is drawn.
    assert!(page.all("figure table tbody tr").len() >= 8, "{what}");
    assert_eq!(page.all("figure table th[scope='col']").len(), 2, "{what}");
    for wrong in ["NaN", "inf ", "Infinity"] {
        assert!(!text.contains(wrong), "{what} says {wrong}");
    }
}

#[tokio::test]
async fn each_page_shows_what_the_domain_works_out() {
    let app = TestApp::new().await;
    let guest = app.guest();
    assert!(calculator::all().len() >= 12);
    let list = guest.get("/calculators").await.expect(200).page();
    for calculator in calculator::all() {
        let path = format!("/calculators/{}", calculator.slug);
        assert_eq!(
            list.all(&format!("main a[href='{path}']")).len(),
            1,
            "{path}"
        );
        let page = guest.get(&path).await.expect(200).page();
        super::pages::well_formed(&path, &page);
        assert_eq!(page.text("h1"), calculator.title);
        assert_eq!(page.text("p.lead"), squeezed(calculator.summary));
        assert_shows(&page, &work(calculator, &[]), &path);
        let fields = typed(&page);
        assert_eq!(fields.len(), calculator.inputs.len(), "{path}");
        for input in calculator.inputs {
            assert_eq!(fields[input.id], input.default, "{path}");
            let id = format!("in-{}", input.id);
            assert_eq!(page.text(&format!("label[for='{id}']")), input.label);
            let help = page.text(&format!("#{id}-help"));
            for part in [input.default, &input.source.to_string(), input.help] {
                assert!(help.contains(&squeezed(part)), "{path}: {help}: no {part}");
            }
            assert!(page.all("[aria-invalid='true']").is_empty(), "{path}");
        }
        // Not kept for somebody else, and with no form for an attempt.
        assert!(
            page.all("form[action^='/attempts'], [formaction]")
                .is_empty(),
            "{path}"
        );

        // With other values the address is the state: the same answer each time, the same as the island gets.
        let pairs = other_values(calculator);
        assert!(!pairs.is_empty(), "{path}");
        let reply = guest.get(&address(calculator, &pairs)).await;
        // All together they may contradict each other; then each is tried alone.
        let pairs = if inputs(calculator, &pairs).work().is_ok() {
            reply.expect(200);
            pairs
        } else {
            reply.expect(422);
            vec![pairs[0]]
        };
        let path = address(calculator, &pairs);
        let page = guest.get(&path).await.expect(200).page();
        let worked = work(calculator, &pairs);
        assert_shows(&page, &worked, &path);
        for (id, text) in &pairs {
            assert_eq!(typed(&page)[*id], *text, "{path}");
        }
        let again: Vec<(String, String)> = typed(&page).into_iter().collect();
        let again: Vec<_> = again.iter().map(|(id, text)| (&**id, &**text)).collect();
        let page = guest
            .get(&address(calculator, &again))
            .await
            .expect(200)
            .page();
        assert_shows(&page, &worked, &path);
        let answer: Calculation = serde_json::from_value(
            calculate(&guest, calculator.slug, &pairs)
                .await
                .expect(200)
                .json(),
        )
        .expect("a calculation");
        let alone = Page(scraper::Html::parse_document(&format!(
            "<main>{}</main>",
            answer.results
        )));
        assert_shows(&alone, &worked, &path);
        assert_eq!(answer.faults.len(), calculator.inputs.len());
        assert!(
            answer.faults.iter().all(|(_, fault)| fault.is_empty()),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn what_does_not_read_is_named_beside_its_field_and_kept() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let long = "9".repeat(10_000);
    for calculator in calculator::all() {
        for input in calculator.inputs {
            for text in [
                "",
                " ",
                "-5",
                "1e308",
                "-1e308",
                "1e999",
                "NaN",
                "inf",
                "5 TB*s",
                "5 furlongs",
                "1,2,3",
                "= ",
                "= 1 / 0",
                "= nothing * 2",
                "<script>alert(1)</script>",
                "\"><b>",
                "\u{0}",
                "🚲",
                long.as_str(),
            ] {
                let pairs = [(input.id, text)];
                let read = inputs(calculator, &pairs);
                let field = read.fields.iter().find(|field| field.input.id == input.id);
                let field = field.expect("the input");
                let what: String = format!("{} {}={text}", calculator.slug, input.id)
                    .chars()
                    .take(80)
                    .collect();
                let status = if read.work().is_ok() { 200 } else { 422 };
                let page = guest
                    .get(&address(calculator, &pairs))
                    .await
                    .expect(status)
                    .page();
                // A document has no NUL.
                let shown = text.replace('\0', "\u{fffd}");
                assert_eq!(typed(&page)[input.id], shown, "{what}");
                let beside = page.text(&format!("[data-fault='{}']", input.id));
                let expected = field.reading.as_ref().err().map(words).unwrap_or_default();
                assert_eq!(beside, squeezed(&expected), "{what}");
                let marked = page.all(&format!("input[name='{}'][aria-invalid='true']", input.id));
                assert_eq!(marked.len(), usize::from(field.reading.is_err()), "{what}");
                assert_eq!(
                    page.all("main script:not([nonce]), main b[onclick]").len(),
                    0,
                    "{what}"
                );
                if status == 422 {
                    assert!(page.all(".calc-answers").is_empty(), "{what}");
                    let notice = page.text(".calc-results .notice");
                    assert!(
                        notice.contains("What you typed is kept."),
                        "{what}: {notice}"
                    );
                    assert!(
                        notice.contains(input.label) && !expected.is_empty(),
                        "{what}: {notice}"
                    );
                }
                let answer = calculate(&guest, calculator.slug, &pairs)
                    .await
                    .expect(200)
                    .json();
                let faults = answer["faults"].as_array().expect("a list").clone();
                assert!(
                    faults.contains(&json!([input.id, expected])),
                    "{what}: {faults:?}"
                );
            }
        }
        // These are refused by every input that is a plain quantity of its dimension.
        let refused = |text: &str| {
            calculator
                .inputs
                .iter()
                .all(|input| inputs(calculator, &[(input.id, text)]).work().is_err())
        };
        for text in ["", "1e308", "-1e308", "= 1 / 0", &long] {
            let what: String = text.chars().take(20).collect();
            assert!(
                refused(text),
                "{}: {what:?} is taken somewhere",
                calculator.slug
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_dimension_is_told_from_a_wrong_number() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for calculator in calculator::all() {
        for input in calculator.inputs {
            let own = Quantity::parse(input.default).expect("reads").dimension();
            // A size and a rate of money: at most one of them is what is asked for.
            let others = ["5 GB", "$7/h"].into_iter();
            let wrong: Vec<_> = others
                .filter(|text| Quantity::parse(text).expect("reads").dimension() != own)
                .collect();
            assert!(!wrong.is_empty());
            for text in wrong {
                let pairs = [(input.id, text)];
                let page = guest
                    .get(&address(calculator, &pairs))
                    .await
                    .expect(422)
                    .page();
                let said = page.text(&format!("[data-fault='{}']", input.id));
                assert!(
                    said.contains("Expected: "),
                    "{} {}: {said}",
                    calculator.slug,
                    input.id
                );
                assert_eq!(typed(&page)[input.id], text);
            }
        }
    }
}

#[tokio::test]
async fn keys_that_no_input_has_are_named() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for calculator in calculator::all() {
        let first = calculator.inputs[0].id;
        for (pairs, said) in [
            (vec![("colour", "red")], "`colour` is no input"),
            (vec![("<b>x</b>", "1")], "`<b>x</b>` is no input"),
            (
                vec![(first, calculator.inputs[0].default), (first, "= 1 + 1")],
                "more than once",
            ),
            (vec![("", "")], "`` is no input"),
        ] {
            let page = guest
                .get(&address(calculator, &pairs))
                .await
                .expect(422)
                .page();
            let text = page.text("main");
            assert!(text.contains(said), "{} {pairs:?}: {text}", calculator.slug);
            assert!(page.all("main b:not(li > b)").is_empty(), "{pairs:?}");
        }
    }
    // Far too many, what is no pair at all, and no such calculator.
    let many: Vec<(String, String)> = (0..500)
        .map(|number| (format!("k{number}"), "1".to_owned()))
        .collect();
    let many: Vec<_> = many.iter().map(|(key, value)| (&**key, &**value)).collect();
    guest
        .get(&address(&calculator::all()[0], &many))
        .await
        .expect(422);
    for (path, status) in [
        ("/calculators/traffic?%ff", 422),
        ("/calculators/traffic?", 200),
        ("/calculators/traffic?&&", 200),
        ("/calculators/traffic?dau", 422),
        ("/calculators/Traffic", 404),
        ("/calculators/nothing", 404),
        ("/calculators/%00", 404),
        ("/calculators/traffic/more", 404),
    ] {
        let reply = guest.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        reply.page().text("h1");
    }
    calculate(&guest, "nothing", &[]).await.expect(404);
    let arguments = json!({ "name": "nothing", "inputs": [], "taken": [] });
    guest.call("calculate_beside", &arguments).await.expect(404);
    for function in ["calculate", "calculate_beside"] {
        for wrong in [
            "",
            "{}",
            "{\"name\":\"traffic\",\"inputs\":{}}",
            "{\"name\":7,\"inputs\":[],\"taken\":[]}",
        ] {
            guest.call_raw(function, wrong).await.expect(400);
        }
    }
}

#[tokio::test]
async fn overload_is_an_answer() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut seen = 0;
    for calculator in calculator::all() {
        // The load as high as it may be.
        let load = calculator.input(calculator.load).expect("an input");
        let text = format!("{:e} {}", load.max, load.unit);
        let pairs = [(load.id, text.as_str())];
        if inputs(calculator, &pairs).work().is_err() {
            continue;
        }
        let page = guest
            .get(&address(calculator, &pairs))
            .await
            .expect(200)
            .page();
        let worked = work(calculator, &pairs);
        assert_shows(&page, &worked, calculator.slug);
        seen += usize::from(page.text(".calc-results").contains("grows without bound"));
    }
    assert!(seen >= 2, "{seen} calculators know of overload");
}

#[tokio::test]
async fn the_state_survives_a_change_of_the_theme() {
    let app = TestApp::new().await;
    let page = app
        .guest()
        .get("/calculators/traffic?dau=20M%20users&actions=7")
        .await
        .expect(200);
    assert_eq!(
        page.form("/theme")["back"],
        "/calculators/traffic?dau=20M%20users&actions=7"
    );
    // What would lead elsewhere is no way back.
    for odd in [
        "/calculators/traffic?dau=%5C",
        "/calculators/traffic?a=//evil.example",
    ] {
        let back = app.guest().get(odd).await.form("/theme")["back"].clone();
        assert!(back.starts_with("/calculators/traffic"), "{back}");
    }
}

/// The rows of an attempt's worksheet.
async fn sheet(attempt: &Attempt) -> (Sheet, String) {
    let export = attempt.get("export/attempt.json").await.expect(200).json();
    let sections = export["sections"].as_array().expect("a list").clone();
    let body = sections
        .iter()
        .find(|section| section["name"] == "worksheet")
        .map_or("", |section| section["body"].as_str().expect("text"));
    let (sheet, faults) = Sheet::parse(body);
    assert_eq!(faults, [], "{body}");
    (sheet, body.to_owned())
}

/// What the rows of a sheet come to, by name.
fn values(sheet: &Sheet) -> BTreeMap<String, f64> {
    let estimates = &published().prompt.estimates;
    let givens: Vec<_> = estimates
        .givens
        .iter()
        .map(|given| (given.id.clone(), given.value.quantity))
        .collect();
    evaluate(sheet, &givens, &[])
        .into_iter()
        .map(|row| match row.outcome {
            Outcome::Value { quantity, .. } => (row.id, quantity.value()),
            other => panic!("{}: {other:?}", row.id),
        })
        .collect()
}

#[tokio::test]
async fn the_rows_that_are_inserted_come_to_the_same_numbers() {
    on_each_engine(async |database| {
        let app = TestApp::on(database, "http://headroom.test");
        let guest = app.guest();
        for calculator in calculator::all() {
            let slug = calculator.slug;
            let attempt = guest.start(Way::Guided, Level::Senior, Some(60)).await;
            let id = &published().prompt.estimates.estimates[0].id;
            attempt
                .save("worksheet", 0, "k", &format!("{id}: 7\nmine: = 2 * 3"))
                .await
                .expect(200);
            let worked = work(calculator, &[]);
            // Every input, every answer, and what an answer calculates with.
            let value_of = |id: &str| {
                let mut fields = worked.inputs.fields.iter();
                let field = fields.find(|field| field.input.id == id);
                let mut steps = worked.steps().iter();
                let step = steps.find(|step| step.output.id == id);
                field
                    .map(|field| *field.reading.as_ref().expect("reads"))
                    .or_else(|| step?.answer.value())
                    .expect("an input or an answer")
                    .value()
            };
            let rows = worked.rows(|_| false);
            let wanted: Vec<f64> = rows.iter().map(|row| value_of(&row.id)).collect();
            assert!(wanted.len() >= worked.inputs.fields.len() + worked.main().count().min(1));

            // Pressed twice, they stand there twice, each by a name of its own.
            for times in 1..=2 {
                let reply = attempt
                    .post(&format!("calculators/{slug}"), &[])
                    .await
                    .expect(303);
                assert_eq!(reply.location(), attempt.path("worksheet?saved=worksheet"));
                guest.get(reply.location()).await.expect(200);
                let (sheet, body) = sheet(&attempt).await;
                let names: Vec<&str> = body
                    .lines()
                    .filter_map(|line| line.split_once(':').map(|(name, _)| name))
                    .collect();
                let distinct: std::collections::BTreeSet<_> = names.iter().collect();
                assert_eq!(distinct.len(), names.len(), "{slug}: {body}");
                assert_eq!(names.len(), 2 + times * wanted.len(), "{slug}: {body}");
                assert!(
                    body.starts_with(&format!("{id}: 7\nmine: = 2 * 3\n")),
                    "{slug}: {body}"
                );
                let values = values(&sheet);
                assert_eq!(values["mine"], 6.0);
                let found: Vec<f64> = names[2 + (times - 1) * wanted.len()..]
                    .iter()
                    .map(|name| values[*name])
                    .collect();
                assert_eq!(found, wanted, "{slug}: {body}");
            }
            app.advance(1);
        }
    })
    .await;
}

#[tokio::test]
async fn inserting_is_for_the_owner_of_an_open_attempt_and_for_what_reads() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    attempt
        .save("worksheet", 0, "k", "mine: 7\nnot a row")
        .await
        .expect(200);
    let body = async || {
        let export = attempt.get("export/attempt.json").await.json();
        export["sections"][0]["body"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    let long = "9".repeat(10_000);
    for pairs in [
        [("dau", "5 GB")],
        [("dau", "1e308")],
        [("dau", "")],
        [("dau", &*long)],
        [("dau", "= nothing * 2")],
    ] {
        let page = attempt
            .post("calculators/traffic", &pairs)
            .await
            .expect(422)
            .page();
        let said = page.text("main");
        assert!(
            said.contains("Nothing was inserted.") && said.contains("Go back"),
            "{said}"
        );
        assert_eq!(body().await, "mine: 7\nnot a row");
    }
    attempt.post("calculators/nothing", &[]).await.expect(404);
    let path = attempt.path("calculators/traffic");
    for stranger in [app.guest(), app.interview().await.guest] {
        stranger.post_form(&path, &[]).await.expect(404);
    }
    app.guest()
        .post_form("/attempts/nothing/calculators/traffic", &[])
        .await
        .expect(404);
    assert_eq!(body().await, "mine: 7\nnot a row");

    // What is no row stays where it was, and new rows follow.
    attempt
        .post("calculators/traffic", &[("dau", "3M users")])
        .await
        .expect(303);
    let after = body().await;
    assert!(
        after.starts_with("mine: 7\nnot a row\ndau: 3M users\n"),
        "{after}"
    );
    // As many as fit: then nothing is taken and nothing is lost.
    let room = crate::domain::attempt::SECTION_BYTES - after.len() - 10;
    let full = format!("{after}\nlast: 1 {}", " ".repeat(room));
    let export = attempt.get("export/attempt.json").await.json();
    let base = export["sections"][0]["revision"]
        .as_i64()
        .expect("a number");
    let full = full.trim_end().to_owned() + &"0".repeat(room);
    attempt
        .save("worksheet", base, "full", &full)
        .await
        .expect(200);
    let reply = attempt.post("calculators/traffic", &[]).await;
    assert!(reply.status.is_client_error(), "{}", reply.status);
    assert_eq!(body().await, full);

    let scored = app.guided().await;
    scored
        .save("worksheet", 0, "k", "mine: 7")
        .await
        .expect(200);
    scored.score("mid").await.expect(303);
    let page = scored
        .post("calculators/traffic", &[])
        .await
        .expect(422)
        .page();
    assert!(
        page.text("main").contains("scored"),
        "{}",
        page.text("main")
    );
    let (_, kept) = sheet(&scored).await;
    assert_eq!(kept, "mine: 7");
}

#[tokio::test]
async fn without_a_script_one_calculates_and_inserts_for_an_attempt() {
    let app = TestApp::new().await;
    let attempt = app.guided().await;
    let guest = &attempt.guest;
    let numbers = attempt.get("worksheet").await.expect(200).page();
    let links = numbers.all(".calc-links a");
    assert_eq!(links.len(), calculator::all().len());
    let link = format!("/calculators/traffic?for={}", attempt.id);
    assert!(links.iter().any(|found| found.attr("href") == Some(&link)));

    // From the link through a calculation: the attempt is not forgotten on the way, and no stray input.
    let page = guest.get(&link).await.expect(200);
    let form = page.form("/calculators/traffic");
    assert_eq!(form["for"], attempt.id);
    let calculated = address(
        calculator::find("traffic").expect("one"),
        &[("for", &attempt.id), ("dau", "3M users")],
    );
    let page = guest.get(&calculated).await.expect(200);
    let insert = page
        .page()
        .attribute("button[formmethod='post']", "formaction");
    assert_eq!(insert, attempt.path("calculators/traffic"));
    let form = page.form("/calculators/traffic");
    assert_eq!((&*form["for"], &*form["dau"]), (&*attempt.id, "3M users"));
    assert_eq!(
        page.page().attribute("p.notice a", "href"),
        attempt.path("worksheet")
    );
    let fields: Vec<_> = form
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    guest.post_form(&insert, &fields).await.expect(303);
    let (_, body) = sheet(&attempt).await;
    assert!(body.starts_with("dau: 3M users\n"), "{body}");
    // What is no attempt's name is no place to insert into.
    for wrong in ["", "x", "../../account", "javascript:alert(1)", "\"><b>"] {
        let path = address(calculator::find("traffic").expect("one"), &[("for", wrong)]);
        let page = guest.get(&path).await.expect(200).page();
        assert!(
            page.all("[formaction], input[name='for']").is_empty(),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn beside_the_worksheet_the_names_that_are_taken_are_left_alone() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for calculator in calculator::all() {
        let worked = work(calculator, &[]);
        let names: Vec<String> = worked
            .rows(|_| false)
            .into_iter()
            .map(|row| row.id)
            .collect();
        for taken in [Vec::new(), vec![names[0].clone()], names.clone()] {
            let arguments = json!({ "name": calculator.slug, "inputs": [], "taken": taken });
            let reply = guest.call("calculate_beside", &arguments).await.expect(200);
            let beside: Beside = serde_json::from_value(reply.json()).expect("an answer");
            let expected: Vec<(String, String)> = worked
                .rows(|id| taken.iter().any(|other| other == id))
                .into_iter()
                .map(|row| (row.id, row.text))
                .collect();
            assert_eq!(beside.rows, expected, "{}", calculator.slug);
            assert!(beside.rows.iter().all(|(id, _)| !taken.contains(id)));
            assert_eq!(beside.title, calculator.title);
            let page = Page(scraper::Html::parse_document(&format!(
                "<main><div class=\"calculator\">{}</div>{}</main>",
                beside.form, beside.results
            )));
            assert_shows(&page, &worked, calculator.slug);
            assert_eq!(typed(&page).len(), calculator.inputs.len());
        }
        // With a fault there are no rows, and the fault is there.
        let wrong = [(calculator.inputs[0].id, "1e308")];
        let arguments = json!({ "name": calculator.slug, "inputs": wrong, "taken": [] });
        let answer = guest
            .call("calculate_beside", &arguments)
            .await
            .expect(200)
            .json();
        assert_eq!(answer["rows"], Value::Array(Vec::new()));
        assert_ne!(answer["faults"][0][1], "");
    }
}
