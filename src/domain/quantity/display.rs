//! Display: a quantity in the unit that reads best, with three significant digits.
//!
//! What is shown can be typed again: up to an aside in brackets, it parses to the same quantity within half a percent.

use super::unit::Style;
use super::vocabulary::{DAY, MONTH, YEAR};
use super::{Dimension, Quantity, Unit};

/// Decimal sizes, ascending.
const SIZES: [(f64, &str); 7] = [
    (1.0, "B"),
    (1e3, "KB"),
    (1e6, "MB"),
    (1e9, "GB"),
    (1e12, "TB"),
    (1e15, "PB"),
    (1e18, "EB"),
];

/// Durations, ascending, each with the number from which the next one reads better.
const DURATIONS: [(f64, &str, f64); 8] = [
    (1e-9, "ns", 1000.0),
    (1e-6, "µs", 1000.0),
    (1e-3, "ms", 1000.0),
    (1.0, "s", 120.0),
    (60.0, "min", 120.0),
    (3600.0, "h", 48.0),
    (DAY, "days", 730.0),
    (YEAR, "years", f64::INFINITY),
];

/// What a rate is counted per, ascending.
const PERIODS: [(f64, &str); 6] = [
    (1.0, "/s"),
    (60.0, "/min"),
    (3600.0, "/h"),
    (DAY, "/day"),
    (MONTH, "/month"),
    (YEAR, "/year"),
];

impl Quantity {
    /// In the most readable unit: `833 /s`, `300 KB`, `400 KB/s (34.6 GB/day)`, `2.4 s`, `$1,200`, `12 M`, `0.25 (25 %)`.
    pub fn normalized(self) -> String {
        let main = self.in_readable_unit();
        match self.aside() {
            Some(aside) => format!("{main} ({aside})"),
            None => main,
        }
    }

    /// Measured in `unit`, with its label: `830 req/s`, `$1,200/month`. Normalized when the unit measures something else.
    pub fn display_in(self, unit: &Unit) -> String {
        let Some(value) = self.value_in(unit) else {
            return self.normalized();
        };
        let label = unit.label();
        match unit.style() {
            Style::Percent => format!("{} {label}", percent(value / 100.0)),
            Style::Dollars => format!("{}{}", dollars(value), &label[1..]),
            Style::Count => match label.strip_prefix('1').unwrap_or(label) {
                "" => count(value),
                label => format!("{} {label}", count(value)),
            },
            Style::Measured => {
                let shown = format!("{} {label}", plain(value));
                if value == 0.0 || (0.01..1e6).contains(&value.abs()) {
                    shown
                } else {
                    format!("{shown} ({})", self.in_readable_unit())
                }
            }
        }
    }

    fn in_readable_unit(self) -> String {
        let value = self.value();
        let dimension = self.dimension();
        match (dimension.data, dimension.time, dimension.money) {
            (0, 0, 0) => plain_number(value),
            (0, -1, 0) => {
                let (period, label) = PERIODS
                    .into_iter()
                    .find(|(period, _)| rounded(value * period).abs() >= 1.0)
                    .unwrap_or(if value == 0.0 { PERIODS[0] } else { PERIODS[5] });
                format!("{} {label}", count(value * period))
            }
            (1, 0, 0) => size(value),
            (1, -1, 0) => {
                let (period, label) = [PERIODS[0], PERIODS[3]]
                    .into_iter()
                    .find(|(period, _)| value == 0.0 || rounded(value * period).abs() >= 1.0)
                    .unwrap_or(PERIODS[5]);
                format!("{}{label}", size(value * period))
            }
            (0, 1, 0) => duration(value),
            (0, 0, 1) => dollars(value),
            (0, -1, 1) => format!("{}/month", dollars(value * MONTH)),
            (-1, 0, 1) => format!("{}/GB", dollars(value * 1e9)),
            (-1, -1, 1) => format!("{}/GB-month", dollars(value * 1e9 * MONTH)),
            (-1, 0, 0) => format!("{} /GB", count(value * 1e9)),
            _ => format!("{} {}", plain(value), dimension.label()),
        }
    }

    /// The second way to put it, where people think in both.
    fn aside(self) -> Option<String> {
        let magnitude = rounded(self.value()).abs();
        match self.dimension() {
            Dimension::NONE if (1e-4..1.0).contains(&self.value().abs()) => {
                Some(format!("{} %", percent(self.value())))
            }
            Dimension::BANDWIDTH if magnitude >= 1.0 => {
                Some(format!("{}/day", size(self.value() * DAY)))
            }
            _ => None,
        }
    }
}

/// To three significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// Three significant digits, with commas from a thousand on: `1,230`, `0.023`, `1.2e-7`, `3e9`.
fn plain(value: f64) -> String {
    let value = rounded(value);
    if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) {
        let scientific = format!("{value:.2e}");
        return match scientific.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", without_zeros(digits)),
            None => scientific,
        };
    }
    let exponent = if value == 0.0 {
        0
    } else {
        value.abs().log10().floor() as i32
    };
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    with_commas(without_zeros(&format!("{value:.decimals$}")))
}

/// Drops zeros at the end of a fraction.
fn without_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

fn with_commas(number: &str) -> String {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let whole = unsigned.split('.').next().unwrap_or(unsigned).len();
    let mut shown = String::from(if unsigned.len() < number.len() {
        "-"
    } else {
        ""
    });
    for (index, letter) in unsigned.chars().enumerate() {
        if index > 0 && index < whole && (whole - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(letter);
    }
    shown
}

/// A count with its magnitude from a million on: `12,300`, `12 M`, `1.2 bn`.
fn count(value: f64) -> String {
    let rounded = rounded(value);
    for (factor, suffix) in [(1e12, "tn"), (1e9, "bn"), (1e6, "M")] {
        if (factor..1e15).contains(&rounded.abs()) {
            return format!("{} {suffix}", plain(rounded / factor));
        }
    }
    plain(value)
}

/// A plain number; between 0.99 and 1 with as many digits as its nines need.
fn plain_number(value: f64) -> String {
    match nines(value) {
        Some(decimals) => without_zeros(&format!("{value:.decimals$}")).to_owned(),
        None => count(value),
    }
}

/// A fraction in percent, without the sign: 0.9995 is `99.95`.
fn percent(fraction: f64) -> String {
    match nines(fraction) {
        Some(decimals) => {
            without_zeros(&format!("{:.*}", decimals - 2, fraction * 100.0)).to_owned()
        }
        None => plain(fraction * 100.0),
    }
}

/// The decimals that keep two digits of what is missing to 1, for a fraction just under 1: availability must not round to 100 %.
fn nines(fraction: f64) -> Option<usize> {
    let missing = 1.0 - fraction;
    (1e-12..=0.01)
        .contains(&missing)
        .then(|| 1 + (-missing.log10()).ceil() as usize)
}

fn size(bytes: f64) -> String {
    let (factor, label) = SIZES
        .into_iter()
        .find(|(factor, _)| rounded(bytes / factor).abs() < 1000.0)
        .unwrap_or(SIZES[6]);
    format!("{} {label}", plain(bytes / factor))
}

fn duration(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    let (factor, label, _) = DURATIONS
        .into_iter()
        .find(|(factor, _, limit)| rounded(seconds / factor).abs() < *limit)
        .unwrap_or(DURATIONS[7]);
    format!("{} {label}", plain(seconds / factor))
}

/// `$1,200`, `$12.30`, `-$5`, `$1.2 M`.
fn dollars(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let mut number = count(value.abs());
    // Dimes are written as cents.
    if let Some((_, fraction)) = number.split_once('.')
        && fraction.len() == 1
    {
        number.push('0');
    }
    format!("{sign}${number}")
}
