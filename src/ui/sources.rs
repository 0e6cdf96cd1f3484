//! The sources that a page cites, and the citations that point to them.

use leptos::prelude::*;

use crate::domain::content::Source;
use crate::domain::content::shelf::Basis;

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
        <p class="small quiet">"Figures and anchors without a source are ours: chosen for the exercise or by our own judgement. What is derived is worked out here from figures that are cited."</p>
    }
}

/// What a figure rests on, beside it: the source's short id, linked to the foot of the page, with the source's date; or
/// that it is ours; or the working that it follows from.
#[component]
pub fn Cite<'a>(basis: &'a Basis, sources: &'a [Source]) -> AnyView {
    match basis {
        Basis::Cited(id) => {
            let source = sources.iter().find(|source| source.id == *id);
            let date = source.map(|source| format!(" {}", source.date));
            view! { <span class="cite"><a href=format!("#source-{id}")>{id.clone()}</a>{date}</span> }
                .into_any()
        }
        Basis::Ours => view! { <span class="cite">"ours"</span> }.into_any(),
        Basis::Derived(working) => {
            view! { <span class="cite working">{format!("derived: {working}")}</span> }.into_any()
        }
    }
}
