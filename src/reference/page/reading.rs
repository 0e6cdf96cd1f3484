//! The reading list in its order, with what was read.

use leptos::prelude::*;

use super::statements;
use super::tick::{Ticks, progress, tickable};
use crate::domain::content::Source;
use crate::domain::content::shelf::Shelf;
use crate::domain::content::shelf::reading::Beside;
use crate::ui::sources::Cite;

/// `ticks` is what a signed-in person has read; without it the page says how to keep track.
pub fn reading(shelf: &Shelf, sources: &[Source], ticks: Option<&Ticks>) -> AnyView {
    let data = &shelf.reading;
    let items: Vec<_> = shelf.tick_items("reading").collect();
    let works = data
        .works
        .iter()
        .zip(&items)
        .map(|(work, item)| {
            let made: Vec<String> = [
                Some(work.about.author.clone()),
                work.publisher.clone(),
                work.year.map(|year| year.to_string()),
            ]
            .into_iter()
            .flatten()
            .collect();
            let read = work
                .read
                .clone()
                .map(|read| view! { <p><b>"Read: "</b>{read}"."</p> });
            let body = view! {
                <h3>{title(&work.about)}</h3>
                <p class="quiet">{made.join(", ")}</p>
                {read}
                <p>{work.about.purpose.clone()}" "<Cite basis=&work.about.basis sources=sources/></p>
            }
            .into_any();
            tickable(item, ticks, "read", &work.about.title, body)
        })
        .collect_view();
    let beside = data
        .beside
        .iter()
        .map(|work| {
            view! {
                <li>
                    <b>{title(work)}</b>", "{work.author.clone()}". "{work.purpose.clone()}" "
                    <Cite basis=&work.basis sources=sources/>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="list">
                <h2 id="list">"The list, in its order"</h2>
                {progress(&items, ticks, "read")}
                <ol class="ticks works">{works}</ol>
            </section>
            <section aria-labelledby="pace">
                <h2 id="pace">"How fast"</h2>
                {statements(&data.pace, sources)}
            </section>
            <section aria-labelledby="beside">
                <h2 id="beside">"Named outside of the list"</h2>
                <ul>{beside}</ul>
            </section>
        </div>
    }
    .into_any()
}

fn title(work: &Beside) -> AnyView {
    match &work.url {
        Some(url) => {
            view! { <a href=url.clone() rel="noopener noreferrer">{work.title.clone()}</a> }
                .into_any()
        }
        None => work.title.clone().into_any(),
    }
}
