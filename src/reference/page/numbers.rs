//! The sheet of numbers: what to start from, the range that is met, and where both come from.

use leptos::prelude::*;

use super::conflict;
use crate::domain::content::Source;
use crate::domain::content::shelf::Numbers;
use crate::domain::content::shelf::numbers::{Number, Value};
use crate::ui::sources::Cite;

pub fn numbers(data: &Numbers, sources: &[Source]) -> AnyView {
    let groups = data
        .groups
        .iter()
        .map(|group| {
            let id = format!("group-{}", group.id);
            let heading = id.clone();
            let rows = data.of_group(group).map(|number| row(number, sources, true)).collect_view();
            view! {
                <section aria-labelledby=id.clone()>
                    <h3 id=heading>{group.title.clone()}</h3>
                    {table(&format!("{}: what to start from, and the range that is met", group.title), rows.into_any())}
                </section>
            }
        })
        .collect_view();
    let conflicts = data
        .conflicts
        .iter()
        .map(|declared| {
            let rows = declared
                .about
                .iter()
                .filter_map(|id| data.number(id))
                .map(|number| row(number, sources, false))
                .collect_view();
            let caption = format!("{}, as each source has it", declared.title);
            conflict(declared, table(&caption, rows.into_any()))
        })
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="sheet-of-numbers">
                <h2 id="sheet-of-numbers">"The sheet"</h2>
                {groups}
            </section>
            <section aria-labelledby="conflicts">
                <h2 id="conflicts">"Where the sources differ"</h2>
                {conflicts}
            </section>
        </div>
    }
    .into_any()
}

fn table(caption: &str, rows: AnyView) -> AnyView {
    view! {
        <table class="stacks sheet-numbers">
            <caption>{caption.to_owned()}</caption>
            <thead><tr>
                <th scope="col">"Item"</th><th scope="col" class="n">"Start from"</th><th scope="col" class="n">"Range"</th><th scope="col">"Source"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// `linked` gives the row its id, which a page has once.
fn row(number: &Number, sources: &[Source], linked: bool) -> AnyView {
    let value = match &number.value {
        Value::Quantity(figure) => figure.text.clone(),
        Value::Rule(rule) => rule.clone(),
    };
    let range = match &number.range {
        Some((low, high)) => {
            let words = format!("{} to {}", low.text, high.text);
            view! { <td data-label="Range" class="n"><span>{words}</span></td> }.into_any()
        }
        None => view! { <td class="n none"><span aria-hidden="true">"–"</span><span class="hidden">"not stated"</span></td> }.into_any(),
    };
    view! {
        <tr id=linked.then(|| format!("number-{}", number.id))>
            <th scope="row">{number.item.clone()}{number.note.clone().map(|note| view! { <p class="small">{note}</p> })}</th>
            <td data-label="Start from" class="n"><span>{value}</span></td>
            {range}
            <td data-label="Source"><span><Cite basis=&number.basis sources=sources/></span></td>
        </tr>
    }
    .into_any()
}
