//! Instants as RFC 3339 writes them, in UTC with milliseconds: `2026-03-01T09:30:00.250Z`.

use crate::domain::attempt::UnixMillis;

const DAY: i64 = 86_400_000;
/// What is before or after these years is no time of an attempt.
const YEARS: std::ops::Range<i64> = 1970..2200;

/// The instant in UTC. A year with more than four digits is written out, which no reader of RFC 3339 takes.
pub fn format(at: UnixMillis) -> String {
    let (year, month, day) = date(at);
    let rest = at.rem_euclid(DAY);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The day in UTC: `2026-03-01`.
pub fn format_day(at: UnixMillis) -> String {
    let (year, month, day) = date(at);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads what [`format`] writes, for the years 1970 to 2199; the fraction may have fewer digits or be left out.
pub fn parse(text: &str) -> Option<UnixMillis> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let days = parse_day(day)?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let (hour, rest) = whole.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    // A leap second has no Unix time of its own.
    if hour > 23 || minute > 59 || second > 59 || fraction.len() > 3 {
        return None;
    }
    let millis = digits(&format!("{fraction:0<3}"), 3)?;
    Some(days * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// Reads a day such as `2026-03-01` as days since 1970-01-01.
pub fn parse_day(text: &str) -> Option<i64> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    if !YEARS.contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_since_1970(year, month, day);
    // 30 February is another day when it is counted.
    (date(days * DAY) == (year, month, day)).then_some(days)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March, so that the leap day is their
/// last, in eras of 400 years, which have 146097 days. After H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of an instant in UTC, by the same source.
fn date(at: UnixMillis) -> (i64, i64, i64) {
    let days = at.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
