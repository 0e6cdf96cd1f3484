//! `numbers.toml`: latencies, throughputs, limits and prices to estimate with, each with its range.
//!
//! Values are quantities that can be calculated with. Must never know how units are read: that is
//! [`crate::domain::quantity`].

use super::super::diagnostic::{Report, unknown};
use super::super::estimates::Figure;
use super::super::fields::{Fields, Table};
use super::basis::read_conflicts;
use super::{Basis, Conflict, Ids, differing, some, text};
use crate::domain::quantity::Quantity;

/// The sheet of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    pub groups: Vec<Group>,
    pub numbers: Vec<Number>,
    pub conflicts: Vec<Conflict>,
}

/// What stands together on the sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    pub title: String,
}

/// One row of the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    pub id: String,
    /// The id of its [`Group`].
    pub group: String,
    pub item: String,
    pub value: Value,
    /// From the lowest to the highest that is met, both ends included.
    pub range: Option<(Figure, Figure)>,
    pub note: Option<String>,
    /// Numbers of one claim answer the same question, and may answer it differently.
    pub claim: Option<String>,
    pub basis: Basis,
}

/// What to start from.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Quantity(Figure),
    /// A rule by which it is found.
    Rule(String),
}

impl Number {
    /// The lowest and the highest value that it stands for, in base units.
    fn span(&self) -> Option<(f64, f64)> {
        match (&self.range, &self.value) {
            (Some((low, high)), _) => Some((low.quantity.value(), high.quantity.value())),
            (None, Value::Quantity(figure)) => {
                Some((figure.quantity.value(), figure.quantity.value()))
            }
            (None, Value::Rule(_)) => None,
        }
    }

    fn contradicts(&self, other: &Self) -> bool {
        let spans = self.span().zip(other.span());
        self.claim.is_some()
            && self.claim == other.claim
            && spans.is_some_and(|(one, other)| one.1 < other.0 || other.1 < one.0)
    }
}

impl Numbers {
    pub fn number(&self, id: &str) -> Option<&Number> {
        self.numbers.iter().find(|number| number.id == id)
    }

    /// The rows of a group, in their order.
    pub fn of_group(&self, group: &Group) -> impl Iterator<Item = &Number> {
        self.numbers
            .iter()
            .filter(move |number| number.group == group.id)
    }
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Numbers {
    let fields = root.open(report, &["group", "number"], &["conflict"]);
    let mut ids = Ids::default();
    let groups = some(report, &fields, "group", |report, table| {
        let fields = table.open(report, &["id", "title"], &[]);
        let id = ids.read(report, &fields);
        let title = text(report, &fields, "title");
        Some(Group {
            id: id?,
            title: title?,
        })
    });
    let known = ids.0;
    let mut ids = Ids::default();
    let numbers = some(report, &fields, "number", |report, table| {
        read_number(report, table, &known, &mut ids)
    });
    let pairs = differing(&numbers, |number| number.id.clone(), Number::contradicts);
    let conflicts = read_conflicts(report, &fields, &pairs);
    Numbers {
        groups,
        numbers,
        conflicts,
    }
}

fn read_number(
    report: &mut Report<'_>,
    table: Table<'_>,
    groups: &[String],
    ids: &mut Ids,
) -> Option<Number> {
    let fields = table.open(
        report,
        &["id", "group", "item", "source"],
        &["value", "rule", "low", "high", "note", "claim", "working"],
    );
    let id = ids.read(report, &fields);
    let group = fields.string(report, "group");
    if let Some(group) = group
        .as_ref()
        .filter(|group| !groups.contains(&group.value))
    {
        let known: Vec<&str> = groups.iter().map(String::as_str).collect();
        report.at(group.offset, unknown("group", &group.value, &known));
    }
    let item = text(report, &fields, "item");
    let value = figure(report, &fields, "value");
    let rule = text(report, &fields, "rule");
    if fields.has("value") == fields.has("rule") {
        report.absent(fields.header, "either a value or a rule is expected");
    }
    let low = figure(report, &fields, "low");
    let high = figure(report, &fields, "high");
    if fields.has("low") != fields.has("high") {
        report.absent(fields.header, "a range has both low and high");
    }
    check_order(
        report,
        &fields,
        [("low", &low), ("value", &value), ("high", &high)],
    );
    let note = text(report, &fields, "note");
    let claim = text(report, &fields, "claim");
    let basis = Basis::read(report, &fields);
    Some(Number {
        id: id?,
        group: group?.value,
        item: item?,
        value: match (value, rule) {
            (Some(figure), _) => Value::Quantity(figure),
            (None, rule) => Value::Rule(rule?),
        },
        range: low.zip(high),
        note,
        claim,
        basis: basis?,
    })
}

/// Low, value and high measure the same and ascend.
fn check_order(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    figures: [(&str, &Option<Figure>); 3],
) {
    let read: Vec<(&str, &Figure)> = figures
        .into_iter()
        .filter_map(|(key, figure)| Some((key, figure.as_ref()?)))
        .collect();
    for pair in read.windows(2) {
        let [(_, one), (key, other)] = pair else {
            continue;
        };
        if one.quantity.dimension() != other.quantity.dimension() {
            report.at(
                fields.place(key),
                format!(
                    "{:?} and {:?} do not measure the same",
                    one.text, other.text
                ),
            );
        } else if one.quantity.value() > other.quantity.value() {
            report.at(
                fields.place(key),
                format!("{:?} is below {:?}", other.text, one.text),
            );
        }
    }
}

fn figure(report: &mut Report<'_>, fields: &Fields<'_>, key: &str) -> Option<Figure> {
    let text = fields.string(report, key)?;
    match Quantity::parse(&text.value) {
        Ok(quantity) => Some(Figure {
            text: text.value,
            quantity,
        }),
        Err(error) => {
            report.at(text.position(error.span.start), error.message);
            None
        }
    }
}
