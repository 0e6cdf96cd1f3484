//! One criterion of a rubric to rate one's own work by: four anchors to choose from, and the evidence.
//!
//! Must never know what is rated, nor where the form goes.

use leptos::prelude::*;

use crate::domain::content::{Anchor, SourceRef};
use crate::domain::level::Rating;
use crate::domain::scorecard::{DraftEntry, Fault};

use super::text_area::TextArea;

/// The fields are named `rating.SLUG` and `evidence.SLUG`. `aim` is the rating that meets the level aimed at.
#[component]
pub fn CriterionField<'a>(
    slug: &'static str,
    title: &'a str,
    /// In the order of [`Rating::ALL`].
    anchors: &'a [Anchor; 4],
    /// What counts as evidence.
    looked_for: &'a [String],
    aim: Rating,
    entry: Option<&'a DraftEntry>,
    fault: Option<Fault>,
) -> impl IntoView {
    let chosen = entry.and_then(|entry| entry.rating);
    let evidence = entry
        .map(|entry| entry.evidence.clone())
        .unwrap_or_default();
    let levels = Rating::ALL
        .into_iter()
        .zip(anchors)
        .map(|(rating, anchor)| {
            let source = match &anchor.source {
                SourceRef::Ours => "ours".to_owned(),
                // The demand is the source's; what it says of this one prompt is ours.
                SourceRef::Cited(id) => format!("after {id}"),
            };
            view! {
                <label class="anchor-choice">
                    <input type="radio" name=format!("rating.{slug}") value=rating.slug() data-digit=rating.digit() checked=chosen == Some(rating)/>
                    <span class="level"><kbd>{rating.digit()}</kbd>" "{rating.title()}{(rating == aim).then(|| view! { <span class="tag">"your aim"</span> })}</span>
                    <span class="text">{anchor.text.clone()}<span class="eyebrow">{format!(" {source}")}</span></span>
                </label>
            }
        })
        .collect_view();
    let looked = looked_for
        .iter()
        .map(|line| view! { <li>{line.clone()}</li> })
        .collect_view();
    let message = fault.map(Fault::message);
    let described = format!("fault-{slug}");
    view! {
        <fieldset id=format!("criterion-{slug}") data-criterion=slug class:faulty=message.is_some() aria-describedby=message.map(|_| described.clone())>
            <legend>{title.to_owned()}</legend>
            {message.map(|message| view! { <p class="fault" id=described.clone()>{message}</p> })}
            <div class="anchors">{levels}</div>
            <details class="fold"><summary>"What counts as evidence"</summary><ul>{looked}</ul></details>
            <label class="eyebrow" for=format!("evidence-{slug}")>"Evidence: a quotation or a sentence"</label>
            <TextArea id=format!("evidence-{slug}") name=format!("evidence.{slug}") text=evidence rows=3 invalid=message.is_some()/>
        </fieldset>
    }
}
