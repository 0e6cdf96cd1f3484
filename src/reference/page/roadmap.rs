//! The roadmap's phases with milestones to tick, the ladder of scope, and promotion packets.

use leptos::prelude::*;

use super::our_reading;
use super::tick::{Ticks, progress, tickable};
use crate::domain::content::Source;
use crate::domain::content::shelf::{Basis, Roadmap, Shelf};
use crate::ui::sources::Cite;

/// `ticks` is what a signed-in person has reached; without it the page says how to keep track.
pub fn roadmap(shelf: &Shelf, sources: &[Source], ticks: Option<&Ticks>) -> AnyView {
    let data = &shelf.roadmap;
    let items: Vec<_> = shelf.tick_items("roadmap").collect();
    let mut left = items.iter();
    let phases = data
        .phases
        .iter()
        .map(|phase| {
            let milestones = phase
                .milestones
                .iter()
                .zip(left.by_ref())
                .map(|(milestone, item)| {
                    let body = view! { <p>{milestone.text.clone()}</p> }.into_any();
                    tickable(item, ticks, "reached", &milestone.text, body)
                })
                .collect_view();
            let id = format!("phase-{}", phase.id);
            let heading = id.clone();
            view! {
                <li aria-labelledby=id.clone()>
                    <h3 id=heading>{phase.title.clone()}</h3>
                    <p class="quiet">
                        <span class="figure">{format!("about {} months", phase.months)}</span>" · "{phase.skills.join(", ")}" "
                        <Cite basis=&phase.basis sources=sources/>
                    </p>
                    <p>{phase.why.clone()}</p>
                    <ul class="ticks" aria-label=format!("Milestones of {}", phase.title)>{milestones}</ul>
                </li>
            }
        })
        .collect_view();
    let steps = data
        .steps
        .iter()
        .map(|step| {
            view! {
                <li>
                    <b>{step.title.clone()}</b>" "<span class="tag">{step.stands_for.clone()}</span>
                    <p>{step.text.clone()}" "<Cite basis=&step.basis sources=sources/></p>
                </li>
            }
        })
        .collect_view();
    let packets = data
        .packets
        .iter()
        .map(|packet| {
            let items = packet
                .items
                .iter()
                .map(|item| view! { <li>{item.clone()}</li> })
                .collect_view();
            view! {
                <section>
                    <h3>{packet.title.clone()}" "<Cite basis=&packet.basis sources=sources/></h3>
                    <ul>{items}</ul>
                </section>
            }
        })
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="phases">
                <h2 id="phases">"Phases and milestones"</h2>
                {progress(&items, ticks, "reached")}
                {pace(data, sources)}
                <ol class="stretches">{phases}</ol>
            </section>
            <section aria-labelledby="scope-ladder">
                <h2 id="scope-ladder">"The ladder of scope"</h2>
                <ol class="rungs">{steps}</ol>
            </section>
            <section aria-labelledby="packets">
                <h2 id="packets">"What a case for promotion holds"</h2>
                <div class="signals">{packets}</div>
            </section>
        </div>
    }
    .into_any()
}

/// How long it all takes, and what the source's two answers come to in hours.
fn pace(data: &Roadmap, sources: &[Source]) -> AnyView {
    let (hours, months) = (&data.hours_a_week, &data.months);
    let of_phases = data.months_of_phases();
    let working = |months: u32| {
        let weeks = months * 52 / 12;
        format!(
            "{months} months x 52 / 12 = {weeks} weeks; {weeks} x {} h = {} h",
            hours.value,
            thousands(weeks * hours.value)
        )
    };
    let [stated, added] = [months.value, of_phases].map(|months| Basis::Derived(working(months)));
    let differs = data.conflict.as_deref().map(|reading| {
        view! {
            <section class="conflict">
                <h3>{format!("{} months or {of_phases}", months.value)}" "<span class="tag">"one source, two answers"</span></h3>
                <table class="stacks">
                    <caption>"What the source's two answers come to"</caption>
                    <thead><tr><th scope="col">"Answer"</th><th scope="col" class="n">"Months"</th><th scope="col">"Hours"</th></tr></thead>
                    <tbody>
                        <tr>
                            <th scope="row">"The whole, as stated "<Cite basis=&months.basis sources=sources/></th>
                            <td data-label="Months" class="n"><span>{months.value}</span></td>
                            <td data-label="Hours"><div><Cite basis=&stated sources=sources/></div></td>
                        </tr>
                        <tr>
                            <th scope="row">{format!("The {} phases together", data.phases.len())}</th>
                            <td data-label="Months" class="n"><span>{of_phases}</span></td>
                            <td data-label="Hours"><div><Cite basis=&added sources=sources/></div></td>
                        </tr>
                    </tbody>
                </table>
                {our_reading(reading)}
            </section>
        }
    });
    view! {
        <p>
            "The source plans with "<span class="figure">{format!("{} hours a week", hours.value)}</span>" "
            <Cite basis=&hours.basis sources=sources/>" and "<span class="figure">{format!("{} months", months.value)}</span>" "
            <Cite basis=&months.basis sources=sources/>"."
        </p>
        {differs}
    }
    .into_any()
}

/// `1,040`
fn thousands(number: u32) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{},{:03}", thousands(number / 1_000), number % 1_000)
}
