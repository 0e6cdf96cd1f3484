//! Interview loops as a table and as a drawn timeline, by level and company.

use std::fmt::Write as _;

use leptos::prelude::*;

use super::chart::{Axis, TOP};
use super::{chosen, conflict, notices, query, select};
use crate::domain::content::Source;
use crate::domain::content::shelf::loops::{Loop, Round, RoundKind};
use crate::domain::content::shelf::{Loops, Range, Rung};
use crate::server::form::Fields;
use crate::ui::sources::Cite;

/// How long a round is drawn whose length no source gives, in minutes.
const DRAWN_AS: u32 = 60;
/// What stands for the loops that are of no one company.
const IN_GENERAL: &str = "general";

/// Which loops are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoopsChoice {
    pub level: Option<Rung>,
    /// A company in lower case, or `general`.
    pub company: Option<String>,
    /// What of the address was not understood, for the person.
    pub unknown: Vec<String>,
}

impl LoopsChoice {
    /// From an address such as `?level=mid&company=google`.
    pub fn read(data: &Loops, fields: &Fields) -> Self {
        let mut unknown = Vec::new();
        let level = chosen(fields, "level", "level", &mut unknown, |slug| {
            Rung::from_slug(slug).filter(|rung| levels(data).contains(rung))
        });
        let company = chosen(fields, "company", "company", &mut unknown, |slug| {
            companies(data)
                .into_iter()
                .map(|(slug, _)| slug)
                .find(|known| known == slug)
        });
        Self {
            level,
            company,
            unknown,
        }
    }

    /// The one query of this choice, with its question mark; empty for all loops.
    pub fn query(&self) -> String {
        let level = self.level.map(|level| ("level", level.slug().to_owned()));
        let company = self.company.clone().map(|company| ("company", company));
        let pairs: Vec<_> = level.into_iter().chain(company).collect();
        query(&pairs)
    }

    fn takes(&self, found: &Loop) -> bool {
        self.level.is_none_or(|level| found.level == level)
            && self
                .company
                .as_ref()
                .is_none_or(|company| slug(found) == *company)
    }
}

fn slug(found: &Loop) -> String {
    found
        .company
        .as_ref()
        .map_or_else(|| IN_GENERAL.to_owned(), |company| company.to_lowercase())
}

fn levels(data: &Loops) -> Vec<Rung> {
    let has = |rung: &Rung| data.loops.iter().any(|found| found.level == *rung);
    Rung::ALL.into_iter().filter(has).collect()
}

/// The companies that there are loops of, as (slug, name), and first what is of none.
fn companies(data: &Loops) -> Vec<(String, String)> {
    let mut all = vec![(IN_GENERAL.to_owned(), "In general".to_owned())];
    for found in &data.loops {
        if let Some(company) = &found.company {
            let pair = (slug(found), company.clone());
            if !all.contains(&pair) {
                all.push(pair);
            }
        }
    }
    all
}

pub fn loops(data: &Loops, sources: &[Source], choice: &LoopsChoice) -> AnyView {
    let shown: Vec<&Loop> = data
        .loops
        .iter()
        .filter(|found| choice.takes(found))
        .collect();
    let any = |text: &str, chosen: bool| (String::new(), text.to_owned(), chosen);
    let level_options = [any("Any level", choice.level.is_none())]
        .into_iter()
        .chain(levels(data).into_iter().map(|level| {
            (
                level.slug().to_owned(),
                level.title().to_owned(),
                choice.level == Some(level),
            )
        }))
        .collect();
    let company_options = [any("Any company", choice.company.is_none())]
        .into_iter()
        .chain(companies(data).into_iter().map(|(slug, name)| {
            let chosen = choice.company.as_ref() == Some(&slug);
            (slug, name, chosen)
        }))
        .collect();
    let narrowed = choice.level.is_some() || choice.company.is_some();
    let found = if shown.is_empty() {
        view! {
            <p class="empty">"The sources describe no such loop. Leave one of the two open, or "<a href="/reference/loops#loops">"show all loops"</a>"."</p>
        }
        .into_any()
    } else {
        view! {
            {timeline(data, &shown)}
            {table(&shown, sources)}
        }
        .into_any()
    };
    let conflicts = data
        .conflicts
        .iter()
        .map(|declared| {
            let said = data
                .loops
                .iter()
                .filter(|found| declared.about.contains(&found.id))
                .map(|found| design_rounds(found, sources))
                .collect_view();
            conflict(declared, view! { <ul>{said}</ul> }.into_any())
        })
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="loops">
                <h2 id="loops">"Loops, round by round"</h2>
                <form class="filter" method="get" action="/reference/loops#loops" aria-label="Filter the loops">
                    {select("level", "Level", level_options)}
                    {select("company", "Company", company_options)}
                    <button class="btn">"Show"</button>
                    {narrowed.then(|| view! { <a href="/reference/loops#loops">"Show all"</a> })}
                </form>
                {notices(&choice.unknown)}
                <p class="quiet count">{format!("{} of {} loops", shown.len(), data.loops.len())}</p>
                {found}
            </section>
            <section aria-labelledby="conflicts">
                <h2 id="conflicts">"Where the sources differ"</h2>
                {conflicts}
            </section>
        </div>
    }
    .into_any()
}

fn design_rounds(found: &Loop, sources: &[Source]) -> AnyView {
    found
        .rounds
        .iter()
        .filter(|round| round.kind == RoundKind::Design)
        .map(|round| {
            view! {
                <li>
                    {found.title.clone()}": "<span class="figure">{format!("{} x {}", round.count, minutes_words(round))}</span>" "
                    <Cite basis=&round.basis sources=sources/>
                </li>
            }
        })
        .collect_view()
        .into_any()
}

fn minutes_words(round: &Round) -> String {
    round.minutes.map_or_else(
        || "length not stated".to_owned(),
        |minutes| format!("{minutes} min"),
    )
}

/// `5–7 rounds, 5–6 by the source's own count; 210–390 min where stated`
fn sum_words(found: &Loop) -> String {
    let counted = found.counted();
    let rounds = if counted == Range::exactly(1) {
        "round"
    } else {
        "rounds"
    };
    let mut words = format!("{counted} {rounds}");
    if let Some(stated) = found.stated.filter(|stated| *stated != counted) {
        // Writing to a string does not fail.
        let _ = write!(words, " as listed, {stated} by the source's own count");
    }
    let minutes = found.minutes();
    if minutes.high > 0 {
        let _ = write!(words, "; {minutes} min");
        if !found.is_timed() {
            words.push_str(" without the rounds whose length is not stated");
        }
    } else {
        words.push_str("; length not stated");
    }
    words
}

fn table(shown: &[&Loop], sources: &[Source]) -> AnyView {
    let bodies = shown
        .iter()
        .map(|found| {
            let rounds = found
                .rounds
                .iter()
                .map(|round| {
                    view! {
                        <tr>
                            <th scope="row"><span class="code" aria-hidden="true">{code(round.kind)}</span>" "{round.kind.title()}</th>
                            <td data-label="How many" class="n"><span>{round.count.to_string()}</span></td>
                            <td data-label="Minutes each" class="n"><span>{round.minutes.map_or_else(|| "not stated".to_owned(), |minutes| minutes.to_string())}</span></td>
                            <td data-label="What it asks"><div>
                                {round.asks.clone()}" "<Cite basis=&round.basis sources=sources/>
                                {round.note.clone().map(|note| view! { <p class="small quiet">{note}</p> })}
                            </div></td>
                        </tr>
                    }
                })
                .collect_view();
            view! {
                <tbody id=format!("loop-{}", found.id)>
                    <tr class="group">
                        <th scope="rowgroup" colspan="4">
                            <b>{found.title.clone()}</b>" "<span class="quiet">{sum_words(found)}</span>" "
                            <Cite basis=&found.basis sources=sources/>
                            {found.covers.clone().map(|covers| view! { <p class="small">{covers}</p> })}
                            {found.decision.clone().map(|decision| view! { <p class="small">{decision}</p> })}
                        </th>
                    </tr>
                    {rounds}
                </tbody>
            }
        })
        .collect_view();
    view! {
        <table class="stacks loops">
            <caption>"The rounds of each loop in their order"</caption>
            <thead><tr>
                <th scope="col">"Round"</th><th scope="col" class="n">"How many"</th><th scope="col" class="n">"Minutes each"</th><th scope="col">"What it asks"</th>
            </tr></thead>
            {bodies}
        </table>
    }
    .into_any()
}

/// Two letters that stand for a kind of round in the drawing.
fn code(kind: RoundKind) -> &'static str {
    match kind {
        RoundKind::Screen => "Sc",
        RoundKind::Algorithms => "Al",
        RoundKind::Coding => "Co",
        RoundKind::TakeHome => "Ta",
        RoundKind::Design => "De",
        RoundKind::DeepDive => "Dd",
        RoundKind::Debugging => "Db",
        RoundKind::CodeReview => "Cr",
        RoundKind::Behavioral => "Be",
        RoundKind::Other => "?",
    }
}

/// A round as it is drawn: one bar for each that may be held.
struct Drawn {
    kind: RoundKind,
    /// The shortest and the longest, in minutes.
    low: u32,
    high: u32,
    stated: bool,
    /// Not held in every loop.
    maybe: bool,
}

fn drawn(found: &Loop) -> Vec<Drawn> {
    let one = |round: &Round, number: u32| {
        let minutes = round.minutes.unwrap_or(Range::exactly(DRAWN_AS));
        Drawn {
            kind: round.kind,
            low: minutes.low,
            high: minutes.high,
            stated: round.minutes.is_some(),
            maybe: number >= round.count.low,
        }
    };
    found
        .rounds
        .iter()
        .flat_map(|round| (0..round.count.high).map(move |number| one(round, number)))
        .collect()
}

const TEXT: u32 = 17;
const BAR: u32 = 24;
const BELOW: u32 = 12;

fn timeline(data: &Loops, shown: &[&Loop]) -> AnyView {
    // One scale for all loops, whichever are shown.
    let lengths = data
        .loops
        .iter()
        .map(|found| drawn(found).iter().map(|round| round.high).sum::<u32>());
    let axis = Axis::up_to(lengths.max().unwrap_or_default(), |minutes| {
        format!("{minutes} min")
    });
    let mut top = TOP;
    let lines = shown
        .iter()
        .map(|found| {
            let (text, bar) = (top + TEXT - 4, top + TEXT);
            top += TEXT + BAR + BELOW;
            let mut start = 0;
            let rounds = drawn(found)
                .iter()
                .map(|round| {
                    let view = segment(round, start, bar, &axis);
                    start += round.high;
                    view
                })
                .collect_view();
            view! {
                <text x="0" y=text.to_string()>{found.title.clone()}</text>
                {rounds}
            }
        })
        .collect_view();
    let height = top;
    let sentence = sentence(shown);
    let kinds = RoundKind::ALL
        .into_iter()
        .filter(|kind| {
            shown
                .iter()
                .any(|found| found.rounds.iter().any(|round| round.kind == *kind))
        })
        .map(|kind| view! { <li><span class="code">{code(kind)}</span>" "{kind.title()}</li> })
        .collect_view();
    view! {
        <figure class="chart">
            <figcaption>{sentence.clone()}</figcaption>
            <svg class="ranges timeline" width="100%" height=height.to_string() role="img" aria-label=sentence>
                {axis.drawn(height)}
                {lines}
            </svg>
            <ul class="legend">{kinds}</ul>
            <p class="small quiet">
                "Rounds from left to right in minutes, to one scale. The shade reaches to the shortest that a source gives, the edge to the longest. "
                "A dashed edge is a round that not every loop holds. A dotted edge is one without a stated length, drawn as "
                {DRAWN_AS}" minutes: our choice. The table below says the same."
            </p>
        </figure>
    }
    .into_any()
}

fn segment(round: &Drawn, start: u32, y: u32, axis: &Axis) -> AnyView {
    let kind = if round.kind == RoundKind::Design {
        "design"
    } else {
        "other"
    };
    let edge = match (round.stated, round.maybe) {
        (false, _) => "unstated",
        (true, true) => "maybe",
        (true, false) => "held",
    };
    let share = format!(
        "{:.2}%",
        f64::from(round.low) * 100.0 / f64::from(round.high.max(1))
    );
    view! {
        <svg class=format!("round {kind} {edge}") x=axis.at(start) y=y.to_string() width=axis.at(round.high) height=BAR.to_string()>
            {round.stated.then(|| view! { <rect class="short" width=share height="100%"/> })}
            <rect class="edge" x="1" y="1" width="100%" height=(BAR - 2).to_string()/>
            <text x="5" y="16">{code(round.kind)}</text>
        </svg>
    }
    .into_any()
}

/// What is to be seen, in one sentence.
fn sentence(shown: &[&Loop]) -> String {
    let longest = shown.iter().max_by_key(|found| found.minutes().high);
    let Some(longest) = longest.filter(|found| found.minutes().high > 0) else {
        return "The length of these rounds is not stated.".to_owned();
    };
    format!(
        "Of the minutes that are stated, the most are in “{}”: {}.",
        longest.title,
        minutes_range(longest.minutes())
    )
}

fn minutes_range(minutes: Range) -> String {
    format!("{minutes} minutes")
}
