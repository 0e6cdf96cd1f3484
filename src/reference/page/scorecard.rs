//! The scorecard as a table, and the signals beside it.

use leptos::prelude::*;

use crate::domain::content::Source;
use crate::domain::content::shelf::Scorecard;
use crate::domain::content::shelf::scorecard::SignalKind;
use crate::ui::sources::Cite;

pub fn scorecard(data: &Scorecard, sources: &[Source]) -> AnyView {
    let rows = data
        .dimensions
        .iter()
        .map(|dimension| {
            let pitfalls = dimension
                .pitfalls
                .iter()
                .map(|pitfall| view! { <li>{pitfall.clone()}</li> })
                .collect_view();
            view! {
                <tr id=format!("dimension-{}", dimension.id)>
                    <th scope="row">{dimension.title.clone()}</th>
                    <td data-label="Meets senior"><div>{dimension.meets.clone()}" "<Cite basis=&dimension.basis sources=sources/></div></td>
                    <td data-label="Pitfalls"><ul>{pitfalls}</ul></td>
                </tr>
            }
        })
        .collect_view();
    let signals = SignalKind::ALL
        .map(|kind| {
            let lines = data
                .signals(kind)
                .map(|signal| view! { <li>{signal.text.clone()}" "<Cite basis=&signal.basis sources=sources/></li> })
                .collect_view();
            let id = format!("signals-{}", kind.slug());
            let heading = id.clone();
            view! {
                <section aria-labelledby=id.clone()>
                    <h3 id=heading>{kind.title()}</h3>
                    <ul>{lines}</ul>
                </section>
            }
        })
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="dimensions">
                <h2 id="dimensions">{format!("The {} dimensions", data.dimensions.len())}</h2>
                <table class="stacks dimensions">
                    <caption>"Each dimension is scored by itself. “Meets senior” is the only level that a source anchors."</caption>
                    <thead><tr><th scope="col">"Dimension"</th><th scope="col">"Meets senior"</th><th scope="col">"Pitfalls"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
            <section aria-labelledby="signals">
                <h2 id="signals">"What is listened for"</h2>
                <div class="signals">{signals}</div>
            </section>
        </div>
    }
    .into_any()
}
