//! What a person sees while we work: each step with its time, and the record of how long the two main
//! commands took (`target/times.tsv`).

use std::fs::{self, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::project::{Profile, Project};

/// Announces a step, runs it and says how long it took. `detail` is what is run, in short.
pub fn step<T>(name: &str, detail: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (bold, plain) = if std::io::stdout().is_terminal() {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    println!("{bold}==> {name} …{plain} ({detail})");
    let start = Instant::now();
    let result = work();
    let end = if result.is_ok() {
        "done in"
    } else {
        "FAILED after"
    };
    println!("    {end} {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// One run of `serve` or `test`, timed from the moment that the person pressed Enter, as nearly as we can tell.
pub struct Timing {
    command: &'static str,
    start: Instant,
    /// What cargo spent on compiling `xtask` itself before we started; known only in a cold run.
    before: Duration,
    cold: bool,
    record: PathBuf,
}

impl Timing {
    /// Starts the clock. The run is cold when nothing of Headroom has been built yet.
    pub fn start(command: &'static str, project: &Project) -> Self {
        let record = project.target.join("times.tsv");
        let built = [
            project.target.join("web"),
            project.target.join("web-debian"),
            project.binary(Profile::Debug),
            project.binary(Profile::Release),
        ];
        let cold = !record.exists() && !built.iter().any(|path| path.exists());
        Self {
            command,
            start: Instant::now(),
            before: if cold {
                own_compile_time(&project.target)
            } else {
                Duration::ZERO
            },
            cold,
            record,
        }
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.before + self.start.elapsed()
    }

    /// Writes the run down: command, cold or warm, seconds, date.
    pub fn write_down(&self) -> Result<()> {
        let warmth = if self.cold { "cold" } else { "warm" };
        let seconds = self.elapsed().as_secs_f64();
        #[expect(clippy::disallowed_methods, reason = "a record of when a command ran")]
        let date = iso_date(SystemTime::now());
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.record)
            .with_context(|| format!("cannot write {}", self.record.display()))?;
        writeln!(file, "{}\t{warmth}\t{seconds:.1}\t{date}", self.command)
            .with_context(|| format!("cannot write {}", self.record.display()))
    }
}

/// From the first thing that cargo writes into a new target directory to this program's link.
fn own_compile_time(target: &Path) -> Duration {
    let written = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let program = std::env::current_exe().ok();
    program
        .and_then(|program| written(&program))
        .zip(written(&target.join("CACHEDIR.TAG")))
        .and_then(|(end, begin)| end.duration_since(begin).ok())
        .unwrap_or_default()
}

/// The latest recorded run of each command, cold and warm, as lines to print.
pub fn latest_times(project: &Project) -> Vec<String> {
    let text = fs::read_to_string(project.target.join("times.tsv")).unwrap_or_default();
    latest(&text)
}

fn latest(record: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for command in ["serve", "test"] {
        for warmth in ["cold", "warm"] {
            let run = record.lines().rev().find_map(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                match fields[..] {
                    [of, how, seconds, date] if of == command && how == warmth => {
                        Some(format!("{seconds} s ({date})"))
                    }
                    _ => None,
                }
            });
            let run = run.unwrap_or_else(|| "not recorded".to_owned());
            lines.push(format!("cargo xtask {command}, {warmth}: {run}"));
        }
    }
    lines
}

/// `2026-01-31T08:05:09Z`. Days to civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// civil_from_days, for dates from 1970 on.
fn iso_date(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    // Years are counted from March, so that the leap day comes last; eras have 400 years.
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        let at = |seconds| iso_date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(at(1_735_689_600), "2025-01-01T00:00:00Z");
    }

    #[test]
    fn the_latest_run_of_each_kind_is_shown() {
        let record = "serve\tcold\t400.0\ta\nserve\twarm\t9.0\tb\nserve\twarm\t8.0\tc\nbroken\n";
        insta::assert_snapshot!(latest(record).join("\n"), @r"
        cargo xtask serve, cold: 400.0 s (a)
        cargo xtask serve, warm: 8.0 s (c)
        cargo xtask test, cold: not recorded
        cargo xtask test, warm: not recorded
        ");
    }
}
