//! `compensation.toml`: pay by company and level, bands by level, and where the sources do not agree with each other or with
//! themselves.
//!
//! All sums are for a year. Must never know how they are sorted or drawn.

use super::super::diagnostic::{Report, unknown};
use super::super::fields::{Fields, Table};
use super::basis::read_conflicts;
use super::range::range;
use super::{
    Basis, Conflict, Currency, Ids, Money, Range, Rung, differing, each, pick, some, text,
};

/// Pay as the sources state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compensation {
    pub companies: Vec<Company>,
    pub rows: Vec<Row>,
    pub bands: Vec<Band>,
    pub adjustments: Vec<Adjustment>,
    pub conflicts: Vec<Conflict>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// A slug.
    pub id: String,
    pub name: String,
    pub tier: Tier,
    /// Who puts it into this tier.
    pub basis: Basis,
}

/// The kinds of company that bands are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Faang,
    Saas,
    /// The source does not tell companies apart.
    Any,
}

/// What a company pays at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The id of its [`Company`].
    pub company: String,
    pub level: Rung,
    /// What the company calls the level.
    pub grade: String,
    /// Salary alone, US dollars.
    pub base: Range,
    /// With stock and bonus, US dollars.
    pub total: Range,
    /// Where, as the source says.
    pub place: String,
    /// What of the row is not in the source, and why we read it so.
    pub inferred: Option<String>,
    pub basis: Basis,
}

/// What is paid at a level as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    pub id: String,
    pub level: Rung,
    pub tier: Tier,
    pub pay: Pay,
    pub money: Money,
    pub note: Option<String>,
    pub basis: Basis,
}

/// What a sum is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pay {
    /// Salary alone.
    Base,
    /// With stock and bonus.
    Total,
    /// The source does not say.
    Unstated,
}

/// How much less is paid elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub id: String,
    /// Where.
    pub title: String,
    /// Percent off.
    pub percent: Range,
    /// Off what.
    pub of: Pay,
    pub basis: Basis,
}

/// A range that a conflict is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub label: String,
    pub money: Money,
    pub basis: Basis,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Faang, Self::Saas, Self::Any];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Faang => "faang",
            Self::Saas => "saas",
            Self::Any => "any",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Faang => "FAANG tier",
            Self::Saas => "SaaS and AI-lab tier",
            Self::Any => "companies in general",
        }
    }
}

impl Pay {
    pub const ALL: [Self; 3] = [Self::Base, Self::Total, Self::Unstated];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Total => "total",
            Self::Unstated => "unstated",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Base => "Base",
            Self::Total => "Total",
            Self::Unstated => "Not stated",
        }
    }
}

impl Row {
    /// What a conflict calls it: `google-mid`.
    pub fn id(&self) -> String {
        format!("{}-{}", self.company, self.level.slug())
    }
}

impl Band {
    /// Whether the two would have to be the same, were the sources of one mind.
    fn answers_the_same_as(&self, other: &Self) -> bool {
        let tiers = self.tier == other.tier || self.tier == Tier::Any || other.tier == Tier::Any;
        let pays = self.pay == other.pay
            || [self.pay, other.pay] == [Pay::Unstated, Pay::Total]
            || [self.pay, other.pay] == [Pay::Total, Pay::Unstated];
        self.level == other.level
            && tiers
            && pays
            && self.money.currency == other.money.currency
            && self.basis != other.basis
    }
}

impl Adjustment {
    /// A range with this much off: the most off its lower end, the least off its upper.
    pub fn applied(&self, range: &Range) -> Range {
        let (most, least) = self.left();
        range.scaled((most, least))
    }

    /// The percent that are left of the lower and of the upper end.
    pub fn left(&self) -> (u32, u32) {
        (
            100 - self.percent.high.min(100),
            100 - self.percent.low.min(100),
        )
    }
}

impl Compensation {
    pub fn company(&self, id: &str) -> Option<&Company> {
        self.companies.iter().find(|company| company.id == id)
    }

    pub fn row(&self, company: &str, level: Rung) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.company == company && row.level == level)
    }

    /// The levels that there are rows of, ascending.
    pub fn levels(&self) -> Vec<Rung> {
        let has = |rung: &Rung| self.rows.iter().any(|row| row.level == *rung);
        Rung::ALL.into_iter().filter(has).collect()
    }

    /// The range that a conflict names: a band by its id, a row as `google-mid`.
    pub fn claim(&self, id: &str) -> Option<Claim> {
        if let Some(band) = self.bands.iter().find(|band| band.id == id) {
            return Some(Claim {
                label: format!("{}, {}", band.level.title(), band.tier.title()),
                money: band.money,
                basis: band.basis.clone(),
            });
        }
        let row = self.rows.iter().find(|row| row.id() == id)?;
        Some(Claim {
            label: format!("{} {}", self.company(&row.company)?.name, row.grade),
            money: Money::dollars(row.total),
            basis: row.basis.clone(),
        })
    }

    /// Each two that do not agree: bands of two sources for the same thing, and a row outside of the band that its own
    /// source gives for its level and tier.
    pub fn disagreements(&self) -> Vec<(String, String)> {
        let mut pairs = differing(
            &self.bands,
            |band| band.id.clone(),
            |one, other| one.answers_the_same_as(other) && one.money != other.money,
        );
        for row in &self.rows {
            let tier = self.company(&row.company).map(|company| company.tier);
            for band in &self.bands {
                let same = band.level == row.level
                    && Some(band.tier) == tier
                    && band.pay == Pay::Total
                    && band.basis == row.basis
                    && band.money.currency == Currency::Usd;
                if same && !band.money.range.contains(&row.total) {
                    pairs.push((band.id.clone(), row.id()));
                }
            }
        }
        pairs
    }
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Compensation {
    let fields = root.open(
        report,
        &["company", "row", "band", "adjustment"],
        &["conflict"],
    );
    let mut ids = Ids::default();
    let companies = some(report, &fields, "company", |report, table| {
        let fields = table.open(report, &["id", "name", "tier", "source"], &["working"]);
        let id = ids.read(report, &fields);
        let name = text(report, &fields, "name");
        let tier = pick(report, &fields, "tier", &Tier::ALL, Tier::slug);
        let basis = Basis::read(report, &fields);
        Some(Company {
            id: id?,
            name: name?,
            tier: tier?,
            basis: basis?,
        })
    });
    let known = ids.0;
    let mut ids = Ids::default();
    let rows = some(report, &fields, "row", |report, table| {
        read_row(report, table, &known, &mut ids)
    });
    let bands = some(report, &fields, "band", |report, table| {
        read_band(report, table, &mut ids)
    });
    let adjustments = each(report, &fields, "adjustment", |report, table| {
        read_adjustment(report, table, &mut ids)
    });
    let mut compensation = Compensation {
        companies,
        rows,
        bands,
        adjustments,
        conflicts: Vec::new(),
    };
    compensation.conflicts = read_conflicts(report, &fields, &compensation.disagreements());
    compensation
}

fn read_row(
    report: &mut Report<'_>,
    table: Table<'_>,
    companies: &[String],
    ids: &mut Ids,
) -> Option<Row> {
    let required = [
        "company", "level", "grade", "base", "total", "place", "source",
    ];
    let fields = table.open(report, &required, &["inferred", "working"]);
    let company = fields.string(report, "company");
    if let Some(company) = company
        .as_ref()
        .filter(|company| !companies.contains(&company.value))
    {
        let known: Vec<&str> = companies.iter().map(String::as_str).collect();
        report.at(company.offset, unknown("company", &company.value, &known));
    }
    let level = pick(report, &fields, "level", &Rung::ALL, Rung::slug);
    let grade = text(report, &fields, "grade");
    let base = range(report, &fields, "base");
    let total = range(report, &fields, "total");
    if let (Some(base), Some(total)) = (base, total)
        && (base.low > total.low || base.high > total.high)
    {
        report.at(fields.place("total"), "the total is below the base");
    }
    let place = text(report, &fields, "place");
    let inferred = text(report, &fields, "inferred");
    let basis = Basis::read(report, &fields);
    let row = Row {
        company: company?.value,
        level: level?,
        grade: grade?,
        base: base?,
        total: total?,
        place: place?,
        inferred,
        basis: basis?,
    };
    ids.take(report, fields.header, &row.id());
    Some(row)
}

fn read_band(report: &mut Report<'_>, table: Table<'_>, ids: &mut Ids) -> Option<Band> {
    let fields = table.open(
        report,
        &["id", "level", "tier", "pay", "range", "source"],
        &["currency", "note", "working"],
    );
    let id = ids.read(report, &fields);
    let level = pick(report, &fields, "level", &Rung::ALL, Rung::slug);
    let tier = pick(report, &fields, "tier", &Tier::ALL, Tier::slug);
    let pay = pick(report, &fields, "pay", &Pay::ALL, Pay::slug);
    let currency = pick(report, &fields, "currency", &Currency::ALL, Currency::code);
    let range = range(report, &fields, "range");
    let note = text(report, &fields, "note");
    let basis = Basis::read(report, &fields);
    Some(Band {
        id: id?,
        level: level?,
        tier: tier?,
        pay: pay?,
        money: Money {
            range: range?,
            currency: currency.unwrap_or_default(),
        },
        note,
        basis: basis?,
    })
}

fn read_adjustment(report: &mut Report<'_>, table: Table<'_>, ids: &mut Ids) -> Option<Adjustment> {
    let fields: Fields<'_> = table.open(
        report,
        &["id", "title", "percent", "of", "source"],
        &["working"],
    );
    let id = ids.read(report, &fields);
    let title = text(report, &fields, "title");
    let percent = range(report, &fields, "percent");
    if percent.is_some_and(|percent| percent.high > 100 || percent.open) {
        report.at(
            fields.place("percent"),
            "at most 100 percent can be taken off",
        );
    }
    let of = pick(report, &fields, "of", &Pay::ALL, Pay::slug);
    let basis = Basis::read(report, &fields);
    Some(Adjustment {
        id: id?,
        title: title?,
        percent: percent?,
        of: of?,
        basis: basis?,
    })
}
