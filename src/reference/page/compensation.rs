//! Pay: sortable tables and charts of ranges, two offers side by side, and every conflict drawn.

use std::cmp::Ordering;

use leptos::prelude::*;

use super::chart::{Axis, Bar, Line, ranges};
use super::{chosen, conflict, notices, query, select};
use crate::domain::content::Source;
use crate::domain::content::shelf::compensation::{Adjustment, Band, Pay, Row};
use crate::domain::content::shelf::{Basis, Compensation, Conflict, Currency, Money, Range, Rung};
use crate::server::form::Fields;
use crate::ui::sources::Cite;

const PAGE: &str = "/reference/compensation";
/// What stands for the place that the row itself names.
const AS_STATED: &str = "stated";

/// How the rows are sorted, and which two offers stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayChoice {
    sort: Sort,
    descending: bool,
    one: Offer,
    other: Offer,
    /// What of the address was not understood, for the person.
    pub unknown: Vec<String>,
    /// The query that is the same as none.
    usual: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Company,
    Level,
    Base,
    Total,
}

/// A company at a level in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    company: String,
    level: Rung,
    /// The id of an adjustment, or [`AS_STATED`].
    place: String,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Company, Self::Level, Self::Base, Self::Total];

    fn slug(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Level => "level",
            Self::Base => "base",
            Self::Total => "total",
        }
    }

    fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.slug() == slug)
    }

    fn is_money(self) -> bool {
        matches!(self, Self::Base | Self::Total)
    }
}

impl PayChoice {
    /// From an address such as `?sort=total&order=desc&company=google&level=senior&place=remote&with=stripe`.
    pub fn read(data: &Compensation, fields: &Fields) -> Self {
        let usual = Self::usual(data);
        let mut unknown = Vec::new();
        let sort = chosen(fields, "sort", "column", &mut unknown, Sort::from_slug);
        let descending = chosen(
            fields,
            "order",
            "order",
            &mut unknown,
            |order| match order {
                "asc" => Some(false),
                "desc" => Some(true),
                _ => None,
            },
        );
        let mut offer = |names: [&'static str; 3], usual: &Offer| {
            let [company, level, place] = names;
            let company = chosen(fields, company, "company", &mut unknown, |id| {
                data.company(id).map(|company| company.id.clone())
            });
            let level = chosen(fields, level, "level", &mut unknown, |slug| {
                Rung::from_slug(slug).filter(|rung| data.levels().contains(rung))
            });
            let place = chosen(fields, place, "place", &mut unknown, |id| {
                let known = id == AS_STATED || adjustment(data, id).is_some();
                known.then(|| id.to_owned())
            });
            Offer {
                company: company.unwrap_or_else(|| usual.company.clone()),
                level: level.unwrap_or(usual.level),
                place: place.unwrap_or_else(|| usual.place.clone()),
            }
        };
        let one = offer(["company", "level", "place"], &usual.one);
        let other = offer(["with", "with-level", "with-place"], &usual.other);
        Self {
            sort: sort.unwrap_or(usual.sort),
            descending: descending.unwrap_or(usual.descending),
            one,
            other,
            unknown,
            usual: usual.usual,
        }
    }

    /// The first company at the highest level, where it is and elsewhere.
    fn usual(data: &Compensation) -> Self {
        let offer = |place: &str| Offer {
            company: data
                .companies
                .first()
                .map_or_else(String::new, |company| company.id.clone()),
            level: data.levels().last().copied().unwrap_or(Rung::Senior),
            place: place.to_owned(),
        };
        let elsewhere = data
            .adjustments
            .first()
            .map_or(AS_STATED, |adjustment| adjustment.id.as_str());
        let mut usual = Self {
            sort: Sort::Level,
            descending: false,
            one: offer(AS_STATED),
            other: offer(elsewhere),
            unknown: Vec::new(),
            usual: String::new(),
        };
        usual.usual = usual.written();
        usual
    }

    /// The one query of this choice, with its question mark; empty for the usual one.
    pub fn query(&self) -> String {
        let written = self.written();
        if written == self.usual {
            String::new()
        } else {
            written
        }
    }

    fn written(&self) -> String {
        let order = if self.descending { "desc" } else { "asc" };
        query(&[
            ("sort", self.sort.slug().to_owned()),
            ("order", order.to_owned()),
            ("company", self.one.company.clone()),
            ("level", self.one.level.slug().to_owned()),
            ("place", self.one.place.clone()),
            ("with", self.other.company.clone()),
            ("with-level", self.other.level.slug().to_owned()),
            ("with-place", self.other.place.clone()),
        ])
    }

    /// The address when the heading of a column is followed: the other way round if it is sorted by already.
    fn sorted_by(&self, sort: Sort) -> String {
        let descending = if sort == self.sort {
            !self.descending
        } else {
            sort.is_money()
        };
        let choice = Self {
            sort,
            descending,
            ..self.clone()
        };
        format!("{PAGE}{}#pay", choice.query())
    }
}

fn adjustment<'d>(data: &'d Compensation, id: &str) -> Option<&'d Adjustment> {
    data.adjustments
        .iter()
        .find(|adjustment| adjustment.id == id)
}

fn dollars(amount: u32) -> String {
    Currency::Usd.sum(amount)
}

fn company_name<'d>(data: &'d Compensation, id: &'d str) -> &'d str {
    data.company(id).map_or(id, |company| company.name.as_str())
}

pub fn compensation(data: &Compensation, sources: &[Source], choice: &PayChoice) -> AnyView {
    let conflicts = data
        .conflicts
        .iter()
        .map(|declared| drawn_conflict(data, sources, declared))
        .collect_view();
    view! {
        <div class="shelf">
            <section aria-labelledby="pay">
                <h2 id="pay">"Pay by company and level"</h2>
                {pay(data, sources, choice)}
            </section>
            <section aria-labelledby="compare">
                <h2 id="compare">"Two offers side by side"</h2>
                {comparison(data, sources, choice)}
            </section>
            <section aria-labelledby="bands">
                <h2 id="bands">"Bands by level"</h2>
                {bands(data, sources)}
            </section>
            <section aria-labelledby="conflicts">
                <h2 id="conflicts">"Where the sources differ"</h2>
                <p class="quiet">"Found by comparing the figures: two bands for the same thing, and rows outside the band of their own source."</p>
                {conflicts}
            </section>
        </div>
    }
    .into_any()
}

fn sorted<'d>(data: &'d Compensation, choice: &PayChoice) -> Vec<&'d Row> {
    let ends = |range: &Range| (range.high, range.low);
    let mut rows: Vec<&Row> = data.rows.iter().collect();
    rows.sort_by(|one, other| {
        let names = || company_name(data, &one.company).cmp(company_name(data, &other.company));
        let order = match choice.sort {
            Sort::Company => names(),
            Sort::Level => one.level.cmp(&other.level),
            Sort::Base => ends(&one.base).cmp(&ends(&other.base)),
            Sort::Total => ends(&one.total).cmp(&ends(&other.total)),
        };
        let order = if choice.descending {
            order.reverse()
        } else {
            order
        };
        order
            .then_with(names)
            .then_with(|| one.level.cmp(&other.level))
    });
    rows
}

fn pay(data: &Compensation, sources: &[Source], choice: &PayChoice) -> AnyView {
    let rows = sorted(data, choice);
    let head = |sort: Sort, title: &'static str| {
        let current = sort == choice.sort;
        let (sorted, arrow) = match (current, choice.descending) {
            (false, _) => (None, ""),
            (true, false) => (Some("ascending"), " ↑"),
            (true, true) => (Some("descending"), " ↓"),
        };
        view! {
            <th scope="col" class=sort.is_money().then_some("n") aria-sort=sorted>
                <a href=choice.sorted_by(sort)>{title}</a><span aria-hidden="true">{arrow}</span>
            </th>
        }
    };
    // Where the table folds, its headings are not there to be followed.
    let orders = [
        (Sort::Company, "company"),
        (Sort::Level, "level"),
        (Sort::Base, "base"),
        (Sort::Total, "total"),
    ]
    .map(|(sort, title)| {
        let current = (sort == choice.sort).then_some("true");
        view! { <a href=choice.sorted_by(sort) aria-current=current>{title}</a>" " }
    })
    .collect_view();
    let lines = rows
        .iter()
        .map(|row| {
            view! {
                <tr id=format!("row-{}", row.id())>
                    <th scope="row">
                        {company_name(data, &row.company).to_owned()}
                        {row.inferred.clone().map(|why| view! { <p class="small"><span class="tag">"inferred"</span>" "{why}</p> })}
                    </th>
                    <td data-label="Level"><span>{row.level.title()}" "<span class="quiet">{row.grade.clone()}</span></span></td>
                    <td data-label="Base" class="n"><span>{Money::dollars(row.base).to_string()}</span></td>
                    <td data-label="Total" class="n"><span>{Money::dollars(row.total).to_string()}</span></td>
                    <td data-label="Where"><span>{row.place.clone()}</span></td>
                    <td data-label="Source"><span><Cite basis=&row.basis sources=sources/></span></td>
                </tr>
            }
        })
        .collect_view();
    let chart: Vec<Line> = rows
        .iter()
        .map(|row| Line {
            label: format!(
                "{} {} · {}",
                company_name(data, &row.company),
                row.grade,
                row.level.title().to_lowercase()
            ),
            words: Money::dollars(row.total).to_string(),
            bars: vec![hollow(row.base), solid(row.total)],
        })
        .collect();
    let highest = rows.iter().map(|row| row.total.high).max();
    let axis = Axis::up_to(highest.unwrap_or_default(), dollars);
    view! {
        <p class="quiet">"US dollars a year. Base is salary alone; total adds stock and bonus. Columns of money sort by their upper end."</p>
        <p class="orders">"Sort by "{orders}</p>
        <table class="stacks pay">
            <caption>"What the sources state, one row a company and level"</caption>
            <thead><tr>
                {head(Sort::Company, "Company")}
                {head(Sort::Level, "Level")}
                {head(Sort::Base, "Base")}
                {head(Sort::Total, "Total")}
                <th scope="col">"Where"</th>
                <th scope="col">"Source"</th>
            </tr></thead>
            <tbody>{lines}</tbody>
        </table>
        {ranges(&pay_sentence(data), &axis, &chart)}
        <p class="small quiet">"Hollow bars are base, full bars total. An arrow says that the source names more than the end. The table above says the same."</p>
    }
    .into_any()
}

/// What the chart shows, in one sentence.
fn pay_sentence(data: &Compensation) -> String {
    let ends = |row: &&Row| (row.total.low, row.total.high);
    let top = data.rows.iter().max_by_key(ends);
    let bottom = data.rows.iter().min_by_key(ends);
    match (top, bottom) {
        (Some(top), Some(bottom)) => {
            let words = |row: &Row| {
                format!(
                    "{} at {}, {}",
                    company_name(data, &row.company),
                    row.level.title().to_lowercase(),
                    Money::dollars(row.total)
                )
            };
            format!(
                "The highest range is {}, the lowest {}.",
                words(top),
                words(bottom)
            )
        }
        _ => String::new(),
    }
}

fn hollow(range: Range) -> Bar {
    Bar {
        range,
        shape: "hollow",
    }
}

fn solid(range: Range) -> Bar {
    Bar {
        range,
        shape: "solid",
    }
}

/// An offer as the sources give it, where they do.
struct Found {
    title: String,
    place: String,
    base: Range,
    total: Range,
    /// How the total was worked out, where it was.
    working: Option<String>,
    /// What holds for the base and the place besides.
    remarks: Vec<String>,
    basis: Basis,
}

fn find(data: &Compensation, offer: &Offer) -> Option<Found> {
    let row = data.row(&offer.company, offer.level)?;
    let title = format!(
        "{} {}, {}",
        company_name(data, &row.company),
        row.grade,
        row.level.title().to_lowercase()
    );
    let adjusted = adjustment(data, &offer.place).filter(|found| found.of == Pay::Total);
    let Some(adjusted) = adjusted else {
        return Some(Found {
            title,
            place: row.place.clone(),
            base: row.base,
            total: row.total,
            working: None,
            remarks: row.inferred.clone().into_iter().collect(),
            basis: row.basis.clone(),
        });
    };
    let (most, least) = adjusted.left();
    let total = adjusted.applied(&row.total);
    let open = if row.total.open { ", or more" } else { "" };
    let working = format!(
        "{} x 0.{most:02} = {}; {} x 0.{least:02} = {}{open}",
        dollars(row.total.low),
        dollars(total.low),
        dollars(row.total.high),
        dollars(total.high),
    );
    let mut remarks = vec![format!(
        "{} % off the total; of the base the source says nothing, so it stands as it is.",
        adjusted.percent
    )];
    if row.basis != adjusted.basis {
        remarks.push(
            "The row is of another source, which does not say which cities it is for: that it is for the same ones is our assumption."
                .to_owned(),
        );
    }
    remarks.extend(row.inferred.clone());
    Some(Found {
        title,
        place: adjusted.title.clone(),
        base: row.base,
        total,
        working: Some(working),
        remarks,
        basis: adjusted.basis.clone(),
    })
}

fn comparison(data: &Compensation, sources: &[Source], choice: &PayChoice) -> AnyView {
    let side = |names: [&'static str; 3], legend: &'static str, offer: &Offer| {
        let [company, level, place] = names;
        let companies = data
            .companies
            .iter()
            .map(|company| {
                (
                    company.id.clone(),
                    company.name.clone(),
                    company.id == offer.company,
                )
            })
            .collect();
        let levels = data
            .levels()
            .into_iter()
            .map(|level| {
                (
                    level.slug().to_owned(),
                    level.title().to_owned(),
                    level == offer.level,
                )
            })
            .collect();
        let stated = (
            AS_STATED.to_owned(),
            "As stated".to_owned(),
            offer.place == AS_STATED,
        );
        let places = std::iter::once(stated)
            .chain(data.adjustments.iter().map(|adjustment| {
                (
                    adjustment.id.clone(),
                    adjustment.title.clone(),
                    adjustment.id == offer.place,
                )
            }))
            .collect();
        view! {
            <fieldset>
                <legend>{legend}</legend>
                {select(company, "Company", companies)}
                {select(level, "Level", levels)}
                {select(place, "Place", places)}
            </fieldset>
        }
    };
    let order = if choice.descending { "desc" } else { "asc" };
    let offers = [&choice.one, &choice.other].map(|offer| (offer, find(data, offer)));
    let rows = offers
        .iter()
        .map(|(offer, found)| offer_row(data, sources, offer, found.as_ref()))
        .collect_view();
    let found: Vec<&Found> = offers
        .iter()
        .filter_map(|(_, found)| found.as_ref())
        .collect();
    let chart = match found[..] {
        [one, other] => {
            let lines: Vec<Line> = [one, other]
                .into_iter()
                .map(|found| Line {
                    label: format!("{}: {}", found.title, found.place),
                    words: Money::dollars(found.total).to_string(),
                    bars: vec![hollow(found.base), solid(found.total)],
                })
                .collect();
            let highest = one.total.high.max(other.total.high);
            let axis = Axis::up_to(highest, dollars);
            ranges(&overlap(&one.total, &other.total), &axis, &lines)
        }
        _ => ().into_any(),
    };
    view! {
        <form class="filter offers" method="get" action=format!("{PAGE}#compare") aria-label="Choose two offers">
            <input type="hidden" name="sort" value=choice.sort.slug()/>
            <input type="hidden" name="order" value=order/>
            {side(["company", "level", "place"], "One", &choice.one)}
            {side(["with", "with-level", "with-place"], "The other", &choice.other)}
            <button class="btn">"Compare"</button>
        </form>
        {notices(&choice.unknown)}
        <table class="stacks offers-found">
            <caption>"US dollars a year"</caption>
            <thead><tr>
                <th scope="col">"Offer"</th><th scope="col">"Where"</th><th scope="col" class="n">"Base"</th>
                <th scope="col" class="n">"Total"</th><th scope="col">"How"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
        {chart}
    }
    .into_any()
}

fn offer_row(
    data: &Compensation,
    sources: &[Source],
    offer: &Offer,
    found: Option<&Found>,
) -> AnyView {
    let Some(found) = found else {
        return view! {
            <tr>
                <th scope="row">{format!("{}, {}", company_name(data, &offer.company), offer.level.title().to_lowercase())}</th>
                <td colspan="4" data-label="Found"><span>"The sources give no figure for this company at this level. Choose another of the two."</span></td>
            </tr>
        }
        .into_any();
    };
    let remarks = found
        .remarks
        .iter()
        .map(|remark| view! { <p class="small quiet">{remark.clone()}</p> })
        .collect_view();
    let how = match &found.working {
        Some(working) => view! { <p><span class="figure">{working.clone()}</span></p> }.into_any(),
        None => view! { <p>"As stated."</p> }.into_any(),
    };
    let row_basis = data
        .row(&offer.company, offer.level)
        .map(|row| row.basis.clone())
        .filter(|basis| *basis != found.basis);
    view! {
        <tr>
            <th scope="row">{found.title.clone()}</th>
            <td data-label="Where"><span>{found.place.clone()}</span></td>
            <td data-label="Base" class="n"><span>{Money::dollars(found.base).to_string()}</span></td>
            <td data-label="Total" class="n"><span>{Money::dollars(found.total).to_string()}</span></td>
            <td data-label="How"><div>
                {how}
                {remarks}
                <p><Cite basis=&found.basis sources=sources/>{row_basis.map(|basis| view! { " "<Cite basis=&basis sources=sources/> })}</p>
            </div></td>
        </tr>
    }
    .into_any()
}

/// How two totals lie to each other.
fn overlap(one: &Range, other: &Range) -> String {
    if one == other {
        return "The two totals are the same range.".to_owned();
    }
    let low = one.low.max(other.low);
    if one.overlaps(other) {
        let high = match (one.open, other.open) {
            (true, true) => return format!("The totals overlap from {} up.", dollars(low)),
            (true, false) => other.high,
            (false, true) => one.high,
            (false, false) => one.high.min(other.high),
        };
        return format!(
            "The totals overlap from {} to {}.",
            dollars(low),
            dollars(high)
        );
    }
    let end = match one.low.cmp(&other.low) {
        Ordering::Less | Ordering::Equal => one.high,
        Ordering::Greater => other.high,
    };
    format!(
        "The totals do not overlap: {} lie between {} and {}.",
        dollars(low - end),
        dollars(end),
        dollars(low)
    )
}

fn band_line(band: &Band) -> String {
    format!(
        "{}, {}, {}",
        band.level.title(),
        band.tier.title(),
        band.pay.title().to_lowercase()
    )
}

fn bands(data: &Compensation, sources: &[Source]) -> AnyView {
    let rows = data
        .bands
        .iter()
        .map(|band| {
            view! {
                <tr id=format!("band-{}", band.id)>
                    <th scope="row">{band.level.title()}{band.note.clone().map(|note| view! { <p class="small">{note}</p> })}</th>
                    <td data-label="Companies"><span>{band.tier.title()}</span></td>
                    <td data-label="Of"><span>{band.pay.title()}</span></td>
                    <td data-label="A year" class="n"><span>{band.money.to_string()}</span></td>
                    <td data-label="Source"><span><Cite basis=&band.basis sources=sources/></span></td>
                </tr>
            }
        })
        .collect_view();
    let drawn: Vec<&Band> = data
        .bands
        .iter()
        .filter(|band| band.money.currency == Currency::Usd)
        .collect();
    let lines: Vec<Line> = drawn
        .iter()
        .map(|band| Line {
            label: band_line(band),
            words: band.money.to_string(),
            bars: vec![if band.pay == Pay::Base {
                hollow(band.money.range)
            } else {
                solid(band.money.range)
            }],
        })
        .collect();
    let highest = drawn.iter().map(|band| band.money.range.high).max();
    let axis = Axis::up_to(highest.unwrap_or_default(), dollars);
    let tiers = data
        .companies
        .iter()
        .map(|company| {
            view! { <li>{company.name.clone()}": "{company.tier.title()}" "<Cite basis=&company.basis sources=sources/></li> }
        })
        .collect_view();
    view! {
        <table class="stacks bands">
            <caption>"What the sources give for a level as a whole"</caption>
            <thead><tr>
                <th scope="col">"Level"</th><th scope="col">"Companies"</th><th scope="col">"Of"</th>
                <th scope="col" class="n">"A year"</th><th scope="col">"Source"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
        {ranges(&bands_sentence(&drawn), &axis, &lines)}
        <details class="fold">
            <summary>"Which company is in which tier"</summary>
            <ul>{tiers}</ul>
        </details>
    }
    .into_any()
}

/// What the chart shows, in one sentence.
fn bands_sentence(drawn: &[&Band]) -> String {
    let totals = || drawn.iter().filter(|band| band.pay == Pay::Total);
    let lowest = totals().min_by_key(|band| band.money.range.low);
    let highest = totals().max_by_key(|band| band.money.range.high);
    match (lowest, highest) {
        (Some(lowest), Some(highest)) => format!(
            "Totals go from {} for {} to {} for {}.",
            lowest.money,
            lowest.level.title().to_lowercase(),
            highest.money,
            highest.level.title().to_lowercase()
        ),
        _ => String::new(),
    }
}

fn drawn_conflict(data: &Compensation, sources: &[Source], declared: &Conflict) -> AnyView {
    let claims: Vec<_> = declared
        .about
        .iter()
        .filter_map(|id| data.claim(id))
        .collect();
    let rows = claims
        .iter()
        .map(|claim| {
            view! {
                <tr>
                    <th scope="row">{claim.label.clone()}</th>
                    <td data-label="A year" class="n"><span>{claim.money.to_string()}</span></td>
                    <td data-label="Source"><span><Cite basis=&claim.basis sources=sources/></span></td>
                </tr>
            }
        })
        .collect_view();
    let lines: Vec<Line> = claims
        .iter()
        .map(|claim| Line {
            label: format!(
                "{} · {}",
                claim.label,
                claim.basis.source().unwrap_or("ours")
            ),
            words: claim.money.to_string(),
            bars: vec![solid(claim.money.range)],
        })
        .collect();
    let highest = claims.iter().map(|claim| claim.money.range.high).max();
    let axis = Axis::up_to(highest.unwrap_or_default(), dollars);
    let sentence = format!("{}: the ranges on one axis.", declared.title);
    let caption = format!("{}, as each source has it", declared.title);
    let said = view! {
        {ranges(&sentence, &axis, &lines)}
        <table class="stacks">
            <caption>{caption}</caption>
            <thead><tr><th scope="col">"What"</th><th scope="col" class="n">"A year"</th><th scope="col">"Source"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    };
    conflict(declared, said.into_any())
}
