//! What a person typed into a calculator: kept as it is, read as a whole, with every fault.
//!
//! The fields are read as the rows of a worksheet are, so that whatever a row takes, an input takes too: a literal, a formula, a
//! formula that names another input. Must never know where the pairs came from.

use std::sync::OnceLock;

use super::working::{Worked, Working};
use super::{Calculator, Input, measure, show_in};
use crate::domain::quantity::{Quantity, Unit, nearest};
use crate::domain::worksheet::{Outcome, Sheet, evaluate};

/// The most pairs that are read: twice as many as any calculator has inputs, and then some.
const MOST_PAIRS: usize = 60;

/// Why a pair cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key that it was given under.
    pub key: String,
    /// What is wrong, in a sentence or two.
    pub message: String,
    /// What may be typed there: `1 req/s to 1 bn req/s, as in …`; none for a key that does not exist.
    pub expected: Option<String>,
}

/// One input with what stands in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub input: &'static Input,
    /// As it was typed; the default where nothing was.
    pub text: String,
    /// Whether somebody typed it.
    pub given: bool,
    /// What it comes to.
    pub reading: Result<Quantity, Fault>,
    /// What was assumed in reading it: `taken as 90 %`.
    pub note: Option<String>,
}

/// A calculator's inputs, as somebody filled them in.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    pub calculator: &'static Calculator,
    /// In the order of the declaration, one for each input.
    pub fields: Vec<Field>,
    /// Pairs that count for nothing, as they came: of an unknown key, or overruled by a later one of the same key.
    pub strays: Vec<(String, String)>,
}

impl Inputs {
    /// Everything at its default.
    pub fn defaults(calculator: &'static Calculator) -> Self {
        Self::from_query(calculator, std::iter::empty::<(&str, &str)>())
    }

    /// Reads decoded pairs, as many as `MOST_PAIRS`. An input that is not named has its default; one that is named twice
    /// takes the last, with a fault.
    pub fn from_query<K: AsRef<str>, V: AsRef<str>>(
        calculator: &'static Calculator,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let mut texts: Vec<Option<String>> = vec![None; calculator.inputs.len()];
        let mut strays = Vec::new();
        let mut overruled = Vec::new();
        for (key, value) in pairs.into_iter().take(MOST_PAIRS) {
            let (key, value) = (key.as_ref(), value.as_ref());
            match calculator.inputs.iter().position(|input| input.id == key) {
                None => strays.push((key.to_owned(), value.to_owned())),
                Some(position) => {
                    if let Some(earlier) = texts[position].replace(value.to_owned())
                        && earlier != value
                    {
                        overruled.push((position, earlier));
                    }
                }
            }
        }
        // Ordered by input, so that a round trip gives the same order.
        overruled.sort_by_key(|(position, _)| *position);
        let overruled = overruled.into_iter().map(|(position, earlier)| {
            let key = calculator.inputs[position].id.to_owned();
            (key, earlier)
        });
        strays.extend(overruled);
        let mut inputs = Self {
            calculator,
            fields: Vec::new(),
            strays,
        };
        inputs.read(texts);
        inputs
    }

    /// The pairs that [`Self::from_query`] reads back to the same inputs: what was typed, not encoded.
    pub fn to_query(&self) -> Vec<(String, String)> {
        let given = self.fields.iter().filter(|field| field.given);
        let given = given.map(|field| (field.input.id.to_owned(), field.text.clone()));
        self.strays.iter().cloned().chain(given).collect()
    }

    /// Types a text into an input; false when there is no such input.
    pub fn set(&mut self, id: &str, text: &str) -> bool {
        let Some(position) = self.fields.iter().position(|field| field.input.id == id) else {
            return false;
        };
        self.strays.retain(|(key, _)| key != id);
        let texts = self.fields.iter().enumerate().map(|(index, field)| {
            if index == position {
                Some(text.to_owned())
            } else {
                field.given.then(|| field.text.clone())
            }
        });
        let texts = texts.collect();
        self.read(texts);
        true
    }

    /// A text about each field, by its id; empty where there is nothing to say.
    pub fn of_each(&self, text: impl Fn(&Field) -> Option<String>) -> Vec<(String, String)> {
        self.fields
            .iter()
            .map(|field| (field.input.id.to_owned(), text(field).unwrap_or_default()))
            .collect()
    }

    /// Every fault, in the order of the inputs, then those of keys.
    pub fn faults(&self) -> Vec<Fault> {
        let fields = self.fields.iter();
        let faults = fields.filter_map(|field| field.reading.clone().err());
        let strays = self.strays.iter().map(|(key, _)| Fault {
            key: key.clone(),
            message: match self.calculator.input(key) {
                Some(_) => {
                    format!("`{key}` is given more than once, and not always the same: leave one.")
                }
                None => unknown(self.calculator, key),
            },
            expected: None,
        });
        faults.chain(strays).collect()
    }

    /// Works everything out, or says every fault.
    pub fn work(&self) -> Result<Worked, Vec<Fault>> {
        let faults = self.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        let values = self.fields.iter().filter_map(|field| {
            let value = field.reading.as_ref().ok()?;
            Some((field.input, *value))
        });
        let working = Working::new(self.calculator, values.collect());
        Ok(Worked {
            inputs: self.clone(),
            working,
            chart: OnceLock::new(),
        })
    }

    fn read(&mut self, texts: Vec<Option<String>>) {
        let calculator = self.calculator;
        let mut sheet = Sheet::default();
        let mut wanted = Vec::new();
        for (input, text) in calculator.inputs.iter().zip(&texts) {
            sheet.set(input.id, text.as_deref().unwrap_or(input.default));
            if let Ok(unit) = Unit::parse(input.unit) {
                wanted.push((input.id.to_owned(), unit));
            }
        }
        let evaluated = evaluate(&sheet, &[], &wanted);
        let fields = calculator.inputs.iter().zip(texts).zip(evaluated);
        self.fields = fields
            .map(|((input, text), row)| {
                let given = text.is_some();
                let text = text.unwrap_or_else(|| input.default.to_owned());
                let (reading, note) = match row.outcome {
                    Outcome::Value { quantity, note, .. } => (check(input, quantity), note),
                    Outcome::Empty => (Err("Nothing stands here.".to_owned()), None),
                    Outcome::Error { message, .. } => (Err(message), None),
                };
                Field {
                    input,
                    text,
                    given,
                    reading: reading.map_err(|message| Fault {
                        key: input.id.to_owned(),
                        message,
                        expected: Some(input.expected()),
                    }),
                    note,
                }
            })
            .collect();
    }
}

/// The value, when it lies in the hard range.
fn check(input: &Input, quantity: Quantity) -> Result<Quantity, String> {
    let (factor, _) = measure(input.unit);
    // Decimal fractions are not exact: the ends of the range take a last digit of slack.
    let slack = 1e-12;
    let value = quantity.value() / factor;
    if value < input.min - input.min.abs() * slack {
        let least = show_in(input.min, input.unit);
        return Err(format!(
            "This is {}; the least that is calculated here is {least}.",
            input.show(quantity)
        ));
    }
    if value > input.max + input.max.abs() * slack {
        let most = show_in(input.max, input.unit);
        return Err(format!(
            "This is {}; the most that is calculated here is {most}.",
            input.show(quantity)
        ));
    }
    if input.whole && value.fract() != 0.0 {
        return Err(format!(
            "This is {}; only a whole number makes sense here.",
            input.show(quantity)
        ));
    }
    Ok(quantity)
}

/// What is said of a key that no input has.
fn unknown(calculator: &Calculator, key: &str) -> String {
    // What somebody may send is long; what is compared and shown is not.
    let shown: String = key.chars().take(40).collect();
    let ids = calculator.inputs.iter().map(|input| input.id);
    match nearest(&shown, ids.clone()) {
        Some(near) => format!(
            "`{shown}` is no input of `{}`: did you mean `{near}`?",
            calculator.slug
        ),
        None => {
            let ids: Vec<String> = ids.map(|id| format!("`{id}`")).collect();
            format!(
                "`{shown}` is no input of `{}`, which has {}.",
                calculator.slug,
                ids.join(", ")
            )
        }
    }
}
