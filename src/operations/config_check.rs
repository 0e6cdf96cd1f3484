//! `headroom config check`: every setting, its value and where that came from.

use std::process::ExitCode;

use crate::mail::{MailSettings, UNNAMED};
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
        say!("{:key$}  {:value$}  {}", line.key, line.value, line.place);
    }
    let mail = MailSettings::new(
        config.smtp_url.as_deref(),
        config.mail_from.as_deref().unwrap_or(UNNAMED),
        &config.public_url(),
    );
    if let Err(fault) = mail {
        eprintln!("headroom: smtp_url and mail_from: {fault}");
        return ExitCode::FAILURE;
    }
    if let Some(address) = config.metrics_addr
        && !address.ip().is_loopback()
    {
        eprintln!(
            "headroom: warning: whoever reaches {address} reads the metrics; metrics_addr is best on loopback"
        );
    }
    ExitCode::SUCCESS
}
