//! The ladder, and any two levels side by side.

use leptos::prelude::*;

use super::{chosen, conflict, notices, query, select, statements};
use crate::domain::content::Source;
use crate::domain::content::shelf::levels::{Level, Promotion, Share, Years};
use crate::domain::content::shelf::{Levels, Rung};
use crate::server::form::Fields;
use crate::ui::sources::Cite;

/// Which two levels stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelsChoice {
    pub a: Rung,
    pub b: Rung,
    /// What of the address was not understood, for the person.
    pub unknown: Vec<String>,
}

impl Default for LevelsChoice {
    fn default() -> Self {
        Self {
            a: Rung::Mid,
            b: Rung::Senior,
            unknown: Vec::new(),
        }
    }
}

impl LevelsChoice {
    /// From an address such as `?a=mid&b=senior`.
    pub fn read(fields: &Fields) -> Self {
        let usual = Self::default();
        let mut unknown = Vec::new();
        let mut level = |name| chosen(fields, name, "level", &mut unknown, Rung::from_slug);
        let (a, b) = (level("a"), level("b"));
        Self {
            a: a.unwrap_or(usual.a),
            b: b.unwrap_or(usual.b),
            unknown,
        }
    }

    /// The one query of this choice, with its question mark; empty for the usual one.
    pub fn query(&self) -> String {
        let usual = Self::default();
        if (self.a, self.b) == (usual.a, usual.b) {
            return String::new();
        }
        query(&[
            ("a", self.a.slug().to_owned()),
            ("b", self.b.slug().to_owned()),
        ])
    }
}

pub fn levels(data: &Levels, sources: &[Source], choice: &LevelsChoice) -> AnyView {
    let rows = data
        .levels
        .iter()
        .map(|level| ladder_row(level, sources))
        .collect_view();
    let conflicts = data
        .conflicts
        .iter()
        .map(|declared| {
            let said = data.levels.iter().filter(|level| {
                declared
                    .about
                    .iter()
                    .any(|id| id.split(':').next() == Some(level.rung.slug()))
            });
            let said = said
                .map(|level| view! { <div class="said">{level.rung.title()}": "{years(&level.years, sources)}</div> })
                .collect_view();
            conflict(declared, said.into_any())
        })
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="ladder">
                <h2 id="ladder">"The ladder"</h2>
                <table class="stacks ladder">
                    <caption>"Every level with its years of experience, what is owned, and how long the next step takes"</caption>
                    <thead><tr>
                        <th scope="col">"Level"</th><th scope="col">"Years"</th><th scope="col">"Owns"</th><th scope="col">"To the next level"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
                {conflicts}
            </section>
            <section aria-labelledby="compare">
                <h2 id="compare">"Two levels side by side"</h2>
                {comparison(data, sources, choice)}
            </section>
        </div>
    }
    .into_any()
}

fn ladder_row(level: &Level, sources: &[Source]) -> impl IntoView + use<> {
    let grades = level
        .grades
        .iter()
        .map(|grades| view! { <p class="small">{grades.text.clone()}" "<Cite basis=&grades.basis sources=sources/></p> })
        .collect_view();
    view! {
        <tr>
            <th scope="row">{level.rung.title()}{grades}</th>
            <td data-label="Years"><div>{years(&level.years, sources)}</div></td>
            <td data-label="Owns"><div>{statements(level.scope.get(..1).unwrap_or_default(), sources)}</div></td>
            <td data-label="Next level"><div>{steps(&level.promotion, sources)}</div></td>
        </tr>
    }
}

fn comparison(data: &Levels, sources: &[Source], choice: &LevelsChoice) -> AnyView {
    let options = |chosen: Rung| {
        Rung::ALL
            .map(|rung| {
                (
                    rung.slug().to_owned(),
                    rung.title().to_owned(),
                    rung == chosen,
                )
            })
            .to_vec()
    };
    let (Some(a), Some(b)) = (data.level(choice.a), data.level(choice.b)) else {
        return ().into_any();
    };
    let row = |aspect: &'static str, show: &dyn Fn(&Level) -> AnyView| {
        view! {
            <tr>
                <th scope="row">{aspect}</th>
                <td data-label=a.rung.title()><div>{show(a)}</div></td>
                <td data-label=b.rung.title()><div>{show(b)}</div></td>
            </tr>
        }
    };
    let rows = [
        row("Years of experience", &|level| years(&level.years, sources)),
        row("Grades", &|level| statements(&level.grades, sources)),
        row("Owns", &|level| statements(&level.scope, sources)),
        row("The design round asks", &|level| {
            statements(&level.round, sources)
        }),
        row("Working time", &|level| split(&level.split, sources)),
        row("Design documents", &|level| {
            statements(&level.documents, sources)
        }),
        row("On-call", &|level| statements(&level.on_call, sources)),
        row("Mentoring and hiring", &|level| {
            statements(&level.mentoring, sources)
        }),
        row("To the next level", &|level| {
            promotion(&level.promotion, sources)
        }),
    ]
    .collect_view();
    let same = (a.rung == b.rung)
        .then(|| view! { <p class="notice">"Both sides are the same level. Choose another for one of them."</p> });
    view! {
        <form class="filter" method="get" action="/reference/levels#compare" aria-label="Choose two levels">
            {select("a", "One level", options(choice.a))}
            {select("b", "The other", options(choice.b))}
            <button class="btn">"Compare"</button>
        </form>
        {notices(&choice.unknown)}
        {same}
        <table class="stacks versus">
            <caption>{format!("{} and {}, as the sources describe them", a.rung.title(), b.rung.title())}</caption>
            <thead><tr>
                <th scope="col"><span class="hidden">"Aspect"</span></th>
                <th scope="col">{a.rung.title()}</th>
                <th scope="col">{b.rung.title()}</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn not_said() -> AnyView {
    view! { <span class="quiet">"The sources do not say."</span> }.into_any()
}

/// The sources' ranges; those that agree stand together.
fn years(all: &[Years], sources: &[Source]) -> AnyView {
    let mut ranges: Vec<_> = Vec::new();
    for years in all {
        if !ranges.contains(&years.range) {
            ranges.push(years.range);
        }
    }
    if ranges.is_empty() {
        return view! { <span class="quiet">"not stated"</span> }.into_any();
    }
    ranges
        .into_iter()
        .map(|range| {
            let cites = all
                .iter()
                .filter(|years| years.range == range)
                .map(|years| view! { " "<Cite basis=&years.basis sources=sources/> })
                .collect_view();
            view! { <p><span class="figure">{format!("{range} years")}</span>{cites}</p> }
        })
        .collect_view()
        .into_any()
}

fn split(all: &[Share], sources: &[Source]) -> AnyView {
    if all.is_empty() {
        return not_said();
    }
    all.iter()
        .map(|share| {
            view! {
                <p><span class="figure">{format!("{} %", share.share)}</span>" "{share.activity.clone()}" "<Cite basis=&share.basis sources=sources/></p>
            }
        })
        .collect_view()
        .into_any()
}

/// Only how long it takes.
fn steps(all: &[Promotion], sources: &[Source]) -> AnyView {
    let timed: Vec<Years> = all
        .iter()
        .filter_map(|step| {
            Some(Years {
                range: step.years?,
                basis: step.basis.clone(),
            })
        })
        .collect();
    years(&timed, sources)
}

fn promotion(all: &[Promotion], sources: &[Source]) -> AnyView {
    if all.is_empty() {
        return not_said();
    }
    all.iter()
        .map(|step| {
            let years = step
                .years
                .map(|years| view! { <span class="figure">{format!("{years} years. ")}</span> });
            view! { <p>{years}{step.text.clone()}" "<Cite basis=&step.basis sources=sources/></p> }
        })
        .collect_view()
        .into_any()
}
