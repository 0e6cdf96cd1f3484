//! `headroom config check`: every setting, its value and where that came from.

use std::process::ExitCode;

use crate::server::config::Config;

/// Prints the settings as a table. Nothing secret is in it.
pub fn run(config: &Config) -> ExitCode {
    let lines: Vec<_> = config.lines().collect();
    let key = lines.iter().map(|line| line.key.len()).max().unwrap_or(0);
    // One long value does not push everything else away.
    let value = lines
        .iter()
        .map(|line| line.value.chars().count().min(40))
        .max()
        .unwrap_or(0);
    for line in &lines {
        println!("{:key$}  {:value$}  {}", line.key, line.value, line.place);
    }
    ExitCode::SUCCESS
}
