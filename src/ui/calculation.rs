//! A calculator's fields, and what comes of them: the answers, the working, the chart.
//!
//! Must never know where it stands, nor how it is worked out.

use std::fmt::Write as _;

use leptos::prelude::*;

use crate::domain::calculator::{
    Calculator, Chart, Fault, Field, Inputs, Point, Scale, Weight, Worked,
};
use crate::domain::markup::escape;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 12.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 30.0;

/// The fields of a calculator as they were typed, each with its fault, its default and the source of that.
/// `prefix` keeps their ids apart from others on the page.
pub fn fields(inputs: &Inputs, prefix: &str) -> AnyView {
    let rows = inputs
        .fields
        .iter()
        .map(|field| field_row(field, prefix))
        .collect_view();
    let strays = inputs
        .faults()
        .into_iter()
        .filter(|fault| inputs.calculator.input(&fault.key).is_none())
        .map(|fault| view! { <p class="fault" role="alert">{fault.message}</p> })
        .collect_view();
    view! { <div class="calc-fields">{strays}{rows}</div> }.into_any()
}

fn field_row(field: &Field, prefix: &str) -> impl IntoView + use<> {
    let input = field.input;
    let id = format!("{prefix}-{}", input.id);
    let (fault, help) = (format!("{id}-fault"), format!("{id}-help"));
    let message = field.reading.as_ref().err().map(words).unwrap_or_default();
    let invalid = field.reading.is_err();
    view! {
        <div class="calc-field">
            <label for=id.clone()>{input.label}</label>
            <input class="mono" id=id.clone() name=input.id value=field.text.clone() aria-describedby=format!("{fault} {help}")
                aria-invalid=invalid.then_some("true") autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200"/>
            // As HTML: an empty text would still be a node, and the paragraph not empty.
            <p class="fault" id=fault data-fault=input.id inner_html=escape(&message)></p>
            <p class="note small quiet" data-note=input.id inner_html=escape(field.note.as_deref().unwrap_or_default())></p>
            <details class="small quiet" id=help>
                <summary>{format!("Default {}, {}", input.default, input.source)}</summary>
                <p>{input.help}{format!(" Usually {} to {} ({}).", input.typical.from, input.typical.to, input.typical.source)}</p>
            </details>
        </div>
    }
}

/// A fault in one line, with what is expected.
pub fn words(fault: &Fault) -> String {
    match &fault.expected {
        Some(expected) => format!("{} Expected: {expected}.", fault.message),
        None => fault.message.clone(),
    }
    .replace('`', "")
    .replace("the row asks for", "asked for is")
}

/// What comes of the inputs, or what stands in the way.
pub fn results(calculator: &'static Calculator, worked: &Result<Worked, Vec<Fault>>) -> AnyView {
    match worked {
        Ok(worked) => answers(calculator, worked),
        Err(faults) => {
            let list = faults
                .iter()
                .map(|fault| {
                    let label = calculator
                        .input(&fault.key)
                        .map_or_else(|| fault.key.clone(), |input| input.label.to_owned());
                    view! { <li><b>{label}</b>": "{words(fault)}</li> }
                })
                .collect_view();
            view! {
                <div class="notice" role="status">
                    <p>"There is no result yet. What you typed is kept."</p>
                    <ul>{list}</ul>
                </div>
            }
            .into_any()
        }
    }
}

fn answers(calculator: &'static Calculator, worked: &Worked) -> AnyView {
    let main = worked
        .main()
        .map(|shown| {
            view! { <div><dt>{shown.output.label}</dt><dd class="mono">{shown.text.to_owned()}</dd></div> }
        })
        .collect_view();
    let warnings = worked
        .warnings()
        .iter()
        .map(|warning| view! { <p class="notice">{warning.clone()}</p> })
        .collect_view();
    let steps = worked
        .steps()
        .iter()
        .map(|step| {
            let detail = step.output.weight == Weight::Detail;
            let numbers = (step.numbers != step.formula)
                .then(|| view! { <code>{format!("= {}", step.numbers)}</code> });
            view! {
                <li class:quiet=detail>
                    <b>{step.output.label}</b>
                    <code>{format!("= {}", step.formula)}</code>
                    {numbers}
                    <code class="result">{format!("= {}", step.shown)}</code>
                </li>
            }
        })
        .collect_view();
    let citations = calculator
        .citations
        .iter()
        .map(|citation| view! { <li><code>{citation.formula}</code>": "{citation.source}</li> })
        .collect_view();
    view! {
        <dl class="calc-answers">{main}</dl>
        {warnings}
        {chart(worked.chart())}
        <h2>"The working"</h2>
        <ol class="calc-steps">{steps}</ol>
        <div class="calc-notes">
            <section><h2>"The assumption that matters most"</h2><p>{calculator.assumption}</p></section>
            <section><h2>"What fails first at 10x"</h2><p>{worked.at_ten_times()}</p></section>
        </div>
        <details class="fold small"><summary>"Where the formulas come from"</summary><ul>{citations}</ul></details>
    }
    .into_any()
}

/// A line of the output over the input, the present point marked, the stretches without a value shaded.
fn chart(chart: &Chart) -> AnyView {
    let rows = chart
        .points
        .iter()
        .enumerate()
        .filter(|(at, _)| at.is_multiple_of((chart.points.len() / 12).max(1)) || *at == chart.marked)
        // A neighbor that reads like the present point, rounded, would look like a second value for it.
        .filter(|(at, point)| *at == chart.marked || chart.points.get(chart.marked).is_none_or(|marked| marked.x_text != point.x_text))
        .map(|(at, point)| {
            let here = (at == chart.marked).then_some("here");
            view! { <tr class=here><td class="n">{point.x_text.clone()}</td><td class="n">{point.y_text.clone()}</td></tr> }
        })
        .collect_view();
    let svg = svg(chart);
    view! {
        <figure class="chart">
            <figcaption>{chart.sentence.clone()}</figcaption>
            {svg.map(|svg| view! { <div aria-hidden="true" inner_html=svg></div> })}
            <details class="fold small">
                <summary>"The chart as a table"</summary>
                <table>
                    <thead><tr><th scope="col">{chart.input.label}</th><th scope="col">{chart.output.label}</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </figure>
    }
    .into_any()
}

/// Where a value stands between two others, from 0 to 1.
fn share(value: f64, low: f64, high: f64, scale: Scale) -> f64 {
    let place = |value: f64| match scale {
        Scale::Linear => value,
        Scale::Log => value.max(f64::MIN_POSITIVE).ln(),
    };
    let (low, high) = (place(low), place(high));
    if high > low {
        ((place(value) - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

fn svg(chart: &Chart) -> Option<String> {
    let (first, last) = (chart.points.first()?, chart.points.last()?);
    let across = |value: f64| {
        LEFT + share(value, first.x.value(), last.x.value(), chart.x) * (WIDTH - LEFT - RIGHT)
    };
    let drawn: Vec<(&Point, f64)> = chart
        .points
        .iter()
        .filter_map(|point| Some((point, point.y?.value())))
        .collect();
    let lowest = drawn
        .iter()
        .min_by(|one, other| one.1.total_cmp(&other.1))?;
    let highest = drawn
        .iter()
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    let floor = match chart.y {
        Scale::Linear => lowest.1.min(0.0),
        Scale::Log => lowest.1,
    };
    let up = |value: f64| {
        HEIGHT - BOTTOM - share(value, floor, highest.1, chart.y) * (HEIGHT - TOP - BOTTOM)
    };
    let mut out =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" focusable=\"false\">");
    for (from, to) in &chart.overload {
        let (from, to) = (across(from.value()), across(to.value()));
        let _ = write!(
            out,
            "<rect class=\"overload\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            (to - from).max(2.0),
            HEIGHT - TOP - BOTTOM
        );
    }
    let base = HEIGHT - BOTTOM;
    let _ = write!(
        out,
        "<path class=\"axis\" d=\"M{LEFT} {base}H{:.1}\"/>",
        WIDTH - RIGHT
    );
    // A stretch without a value breaks the line.
    let mut path = String::new();
    let mut pen = 'M';
    for point in &chart.points {
        match point.y {
            Some(y) => {
                let _ = write!(
                    path,
                    "{pen}{:.1} {:.1}",
                    across(point.x.value()),
                    up(y.value())
                );
                pen = 'L';
            }
            None => pen = 'M',
        }
    }
    let _ = write!(out, "<path class=\"line\" d=\"{path}\"/>");
    let mut text = |x: f64, y: f64, anchor: &str, class: &str, words: &str| {
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
            escape(words)
        );
    };
    text(LEFT, 14.0, "start", "name", chart.output.label);
    text(
        WIDTH - RIGHT,
        14.0,
        "end",
        "",
        &format!("up to {}", highest.0.y_text),
    );
    let below = HEIGHT - 10.0;
    let marked = chart.points.get(chart.marked)?;
    let at = across(marked.x.value());
    // The ends are named where the marked point's name leaves room.
    if at > WIDTH * 0.3 {
        text(LEFT, below, "start", "", &first.x_text);
    }
    if at < WIDTH * 0.7 {
        text(WIDTH - RIGHT, below, "end", "", &last.x_text);
    }
    let anchor = match at {
        at if at < WIDTH * 0.15 => "start",
        at if at > WIDTH * 0.85 => "end",
        _ => "middle",
    };
    text(at, below, anchor, "here", &marked.x_text);
    match marked.y {
        Some(y) => {
            let y = up(y.value());
            text(
                at,
                (y - 10.0).max(TOP + 8.0),
                anchor,
                "here",
                &marked.y_text,
            );
            let _ = write!(
                out,
                "<path class=\"drop\" d=\"M{at:.1} {y:.1}V{base}\"/><circle class=\"here\" cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"4\"/>"
            );
        }
        None => {
            text(at, TOP + 20.0, anchor, "here", &marked.y_text);
            let _ = write!(out, "<path class=\"drop\" d=\"M{at:.1} {TOP}V{base}\"/>");
        }
    }
    out.push_str("</svg>");
    Some(out)
}
