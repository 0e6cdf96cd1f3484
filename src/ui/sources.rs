//! The sources that a prompt cites, as its citations point to them.

use leptos::prelude::*;

use crate::domain::content::Source;

#[component]
pub fn Sources(sources: Vec<Source>) -> impl IntoView {
    let rows = sources
        .into_iter()
        .map(|source| {
            let title = match &source.url {
                Some(url) => view! { <a href=url.clone() rel="noopener noreferrer">{source.title.clone()}</a> }.into_any(),
                None => source.title.clone().into_any(),
            };
            view! {
                <li id=format!("source-{}", source.id)>
                    <b class="mono">{source.id.clone()}</b>" "{title}", "{source.publisher.clone()}", "{source.date.clone()}"."
                    {source.note.clone().map(|note| format!(" {note}"))}
                </li>
            }
        })
        .collect_view();
    view! {
        <ul class="source-list">{rows}</ul>
        <p class="small quiet">"Figures and anchors without a source are ours: chosen for the exercise or by our own judgement."</p>
    }
}
