//! Ranges as sources state them: whole numbers with both ends included, open upwards where the source says so.
//!
//! Must never know what is counted: years, minutes, rounds, percent or money all read alike.

use std::fmt;

use super::super::diagnostic::Report;
use super::super::fields::{Fields, Text};

/// `5-8` is 5 to 8, `5` is exactly 5, `12-20+` is 12 to 20 or more, `210k+` is 210,000 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub low: u32,
    /// The highest number that is named; not below `low`.
    pub high: u32,
    /// There may be more than `high`.
    pub open: bool,
}

/// What a sum of money is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Currency {
    /// US dollars
    #[default]
    Usd,
    /// Indian rupees
    Inr,
}

/// Money for a year of work, in whole units of the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    pub range: Range,
    pub currency: Currency,
}

impl Range {
    pub fn exactly(number: u32) -> Self {
        Self {
            low: number,
            high: number,
            open: false,
        }
    }

    /// Reads `5-8`, `5`, `12-20+`; with `k` and `M` for thousands and millions.
    pub fn parse(text: &str) -> Option<Self> {
        let (text, open) = match text.strip_suffix('+') {
            Some(closed) => (closed, true),
            None => (text, false),
        };
        let (low, high) = match text.split_once('-') {
            Some((low, high)) => (whole(low)?, whole(high)?),
            None => (whole(text)?, whole(text)?),
        };
        (low <= high).then_some(Self { low, high, open })
    }

    /// Whether a number can be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let reaches = |one: &Self, other: &Self| one.open || one.high >= other.low;
        reaches(self, other) && reaches(other, self)
    }

    /// Whether every number of `other` is in this one.
    pub fn contains(&self, other: &Self) -> bool {
        self.low <= other.low && (self.open || (!other.open && other.high <= self.high))
    }

    /// Each end times a number of percent: `(75, 90)` takes 25 % off the lower end and 10 % off the upper.
    #[must_use]
    pub fn scaled(&self, (low, high): (u32, u32)) -> Self {
        let part = |number: u32, percent: u32| {
            u32::try_from(u64::from(number) * u64::from(percent) / 100).unwrap_or(u32::MAX)
        };
        Self {
            low: part(self.low, low),
            high: part(self.high, high),
            open: self.open,
        }
    }

    /// The sum of one number of each.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            high: self.high.saturating_add(other.high),
            open: self.open || other.open,
        }
    }

    /// The product of one number of each.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self {
            low: self.low.saturating_mul(other.low),
            high: self.high.saturating_mul(other.high),
            open: self.open || other.open,
        }
    }

    fn written(&self, number: impl Fn(u32) -> String) -> String {
        let open = if self.open { "+" } else { "" };
        if self.low == self.high {
            format!("{}{open}", number(self.low))
        } else {
            format!("{}–{}{open}", number(self.low), number(self.high))
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written(|number| number.to_string()))
    }
}

impl Currency {
    pub const ALL: [Self; 2] = [Self::Usd, Self::Inr];

    pub fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Inr => "INR",
        }
    }

    /// A sum, rounded to what can be said in three digits: `$185k`, `$1.5M`, `₹6.5M`.
    pub fn sum(self, amount: u32) -> String {
        let sign = match self {
            Self::Usd => '$',
            Self::Inr => '₹',
        };
        if amount >= 1_000_000 {
            let hundredths = (amount + 5_000) / 10_000;
            let number = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{sign}{number}M")
        } else if amount >= 1_000 {
            format!("{sign}{}k", (amount + 500) / 1_000)
        } else {
            format!("{sign}{amount}")
        }
    }
}

impl Money {
    pub fn dollars(range: Range) -> Self {
        Self {
            range,
            currency: Currency::Usd,
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.range.written(|amount| self.currency.sum(amount)))
    }
}

/// Digits, then `k` or `M` if any; a fraction only before one of them.
fn whole(text: &str) -> Option<u32> {
    let (number, unit) = match text.strip_suffix('k') {
        Some(number) => (number, 1_000),
        None => match text.strip_suffix('M') {
            Some(number) => (number, 1_000_000),
            None => (text, 1),
        },
    };
    let (digits, fraction) = number.split_once('.').unwrap_or((number, ""));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(digits) || (number.contains('.') && !plain(fraction)) || fraction.len() > 6 {
        return None;
    }
    let mut value = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        if place % 10 != 0 {
            return None;
        }
        place /= 10;
        value = value.checked_add(u64::from(digit - b'0') * place)?;
    }
    u32::try_from(value).ok()
}

/// The range under a key; what is no range is a fault.
pub(super) fn range(report: &mut Report<'_>, fields: &Fields<'_>, key: &str) -> Option<Range> {
    let text = fields.string(report, key)?;
    accept(report, &text)
}

fn accept(report: &mut Report<'_>, text: &Text) -> Option<Range> {
    let found = Range::parse(&text.value);
    if found.is_none() {
        report.at(
            text.position(0),
            format!(
                "{:?} is no range; write 5-8, 5, 12-20+, 180k-230k or 750k-1.5M+, the lower end first",
                text.value
            ),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for (text, low, high, open, shown) in [
            ("5", 5, 5, false, "5"),
            ("5-8", 5, 8, false, "5–8"),
            ("12-20+", 12, 20, true, "12–20+"),
            ("0-3", 0, 3, false, "0–3"),
            ("210k+", 210_000, 210_000, true, "210000+"),
            ("4294967295", u32::MAX, u32::MAX, false, "4294967295"),
        ] {
            let range = Range { low, high, open };
            assert_eq!(Range::parse(text), Some(range), "{text}");
            assert_eq!(range.to_string(), shown);
        }
        for text in [
            "",
            "-",
            "+",
            "5-",
            "-5",
            "8-5",
            "5 - 8",
            "5–8",
            "5--8",
            "5++",
            "1.5",
            "1.M",
            ".5M",
            "1.2345k",
            "4294967296",
            "5G",
            "k",
            "5kk",
            "99999999999999999999M",
            "٣",
            "1e3",
        ] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn money_is_read_and_written() {
        for (text, shown) in [
            ("180k-230k", "$180k–$230k"),
            ("580k-900k+", "$580k–$900k+"),
            ("750k-1.5M+", "$750k–$1.5M+"),
            ("210k+", "$210k+"),
            ("999", "$999"),
            ("2M", "$2M"),
            ("1.255M", "$1.26M"),
        ] {
            let range = Range::parse(text).expect("a range");
            assert_eq!(Money::dollars(range).to_string(), shown);
        }
    }

    #[test]
    fn ranges_are_compared() {
        let of = |text: &str| Range::parse(text).expect("a range");
        for (one, other, overlaps, contains) in [
            ("5-8", "5-8", true, true),
            ("5-8", "8-12", true, false),
            ("5-8", "9", false, false),
            ("5+", "9", true, true),
            ("6-10+", "5-8", true, false),
            ("1", "2-3", false, false),
            ("1-9", "2-3+", true, false),
            ("1+", "2-3+", true, true),
        ] {
            assert_eq!(of(one).overlaps(&of(other)), overlaps, "{one} {other}");
            assert_eq!(of(other).overlaps(&of(one)), overlaps, "{other} {one}");
            assert_eq!(of(one).contains(&of(other)), contains, "{one} {other}");
        }
        assert_eq!(of("400k-560k+").scaled((75, 90)), of("300k-504k+"));
        assert_eq!(of("4294967295").scaled((75, 90)).low, 3_221_225_471);
        assert_eq!(of("2-3").times(&of("60-90")).plus(&of("45")), of("165-315"));
    }
}
