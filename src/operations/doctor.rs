//! `headroom doctor`: looks at an installation and says what is wrong and what to do.
//!
//! It works when the database is missing, unreachable or newer than the program; each check stands by itself. Must never
//! change anything, and never show a secret or what people wrote.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use crate::accounts::store::audit::Action;
use crate::domain::attempt::UnixMillis;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::content_library::{Library, Origin};
use crate::server::database::{Conn, StoreError};

use super::in_words;
use super::partial_file::folder_of;
use super::place::{Link, Place, beside, explain, explained, look_at};
use super::schema::{State, program_version};
use super::store;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Refused sign-ins in a day that are worth a look.
const MANY_FAILED_SIGN_INS: i64 = 200;
/// Below this saves may soon fail.
const DISK_PROBLEM: u64 = 256_000_000;
const DISK_WARNING: u64 = 2_000_000_000;
/// SQLite moves its log into the database at 4 MB, unless a reader keeps it from doing so.
const LOG_WARNING: u64 = 64_000_000;
/// 2025-01-01: this program is younger.
const BEFORE_THE_PROGRAM: UnixMillis = 1_735_689_600_000;
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the installation that the configuration describes; exit 1 when there is a problem.
pub async fn run(config: &Config) -> ExitCode {
    let installation = Installation {
        database_url: config.database_url.clone(),
        public_url: config.public_url(),
        addr: config.addr,
        content: config
            .content
            .clone()
            .map_or(Origin::Program, Origin::Directory),
        smtp_url: config.smtp_url.clone(),
        trusted_proxies: config.trusted_proxies.len(),
    };
    let examination = doctor(&installation, &Clock::System).await;
    say!("{examination}");
    if examination.has_problems() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Installation {
    pub database_url: String,
    /// Where people reach the server.
    pub public_url: String,
    /// Where it listens.
    pub addr: SocketAddr,
    pub content: Origin,
    pub smtp_url: Option<String>,
    /// How many proxies, or networks of them, are trusted to tell the client's address.
    pub trusted_proxies: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Ok,
    /// It works, and may not for long or not for everybody.
    Warning,
    /// It does not work, or is not safe.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// What was looked at, in a word: `database`, `clock`.
    pub about: &'static str,
    /// How it is.
    pub what: String,
    /// What to do; empty when all is well.
    pub advice: String,
}

/// All that was looked at.
#[derive(Debug)]
pub struct Examination {
    pub findings: Vec<Finding>,
}

impl Examination {
    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Whether the command ends with an error.
    pub fn has_problems(&self) -> bool {
        self.count(Severity::Problem) > 0
    }

    fn ok(&mut self, about: &'static str, what: impl Into<String>) {
        self.findings.push(Finding {
            severity: Severity::Ok,
            about,
            what: what.into(),
            advice: String::new(),
        });
    }

    fn warn(&mut self, about: &'static str, what: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding {
            severity: Severity::Warning,
            about,
            what: what.into(),
            advice: advice.into(),
        });
    }

    fn problem(&mut self, about: &'static str, what: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding {
            severity: Severity::Problem,
            about,
            what: what.into(),
            advice: advice.into(),
        });
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let severity = match finding.severity {
                Severity::Ok => "ok",
                Severity::Warning => "warning",
                Severity::Problem => "PROBLEM",
            };
            writeln!(f, "{severity:<8} {:<10} {}", finding.about, finding.what)?;
            if !finding.advice.is_empty() {
                writeln!(f, "{:<19} → {}", "", finding.advice)?;
            }
        }
        write!(
            f,
            "{} ok, {} warnings, {} problems",
            self.count(Severity::Ok),
            self.count(Severity::Warning),
            self.count(Severity::Problem)
        )
    }
}

/// Looks at everything, and changes nothing.
pub async fn doctor(installation: &Installation, clock: &Clock) -> Examination {
    let mut found = Examination {
        findings: Vec::new(),
    };
    let now = clock.now();
    match Place::of(&installation.database_url) {
        Ok(place) => database(&mut found, &place, now, installation.smtp_url.is_some()).await,
        Err(error) => found.problem(
            "database",
            error.to_string(),
            "Set database_url; `headroom config check` shows where it comes from.",
        ),
    }
    if now < BEFORE_THE_PROGRAM {
        found.problem(
            "clock",
            "the clock of this machine is years behind",
            "Set it, and let it be kept right (NTP): sessions and links end by it.",
        );
    }
    addresses(&mut found, installation);
    mail(&mut found, installation.smtp_url.as_deref()).await;
    content(&mut found, &installation.content);
    found
}

async fn database(found: &mut Examination, place: &Place, now: UnixMillis, mail_is_on: bool) {
    if let Place::Sqlite(path) = place {
        if !path.exists() && std::fs::symlink_metadata(path).is_err() {
            found.problem(
                "database",
                format!("there is no file {}", path.display()),
                "A first `headroom serve` or `headroom migrate` makes it; if there was one, the path is wrong or it is gone: \
                 look at database_url, or restore a backup.",
            );
            disk(found, path);
            return;
        }
        if let Err(fault) = look_at(path) {
            found.problem(
                "database",
                format!("{place}: {fault}"),
                "Set database_url to the file that the server uses.",
            );
            return;
        }
    }
    let mut link = match place.open_to_read().await {
        Ok(link) => link,
        Err(error) => {
            let advice = match place {
                Place::Sqlite(_) => {
                    "If the file is damaged, restore a backup: `headroom restore --from FILE --force` keeps the damaged one beside."
                }
                Place::Postgres(_) => {
                    "Look at database_url, at the server's log, and at what is between."
                }
            };
            found.problem("database", format!("{place}: {}", explain(&error)), advice);
            if let Place::Sqlite(path) = place {
                file(found, path, now);
                disk(found, path);
            }
            return;
        }
    };
    let version = store::engine_version(&mut link.conn()).await;
    let state = State::of(&mut link.conn()).await;
    match version.and_then(|version| Ok((version, state?))) {
        Ok((version, state)) => {
            let version = version.split(" on ").next().unwrap_or_default();
            found.ok("database", format!("{place} answers: {version}"));
            schema(found, place, state);
            if let Link::Sqlite(connection) = &mut link {
                integrity(found, connection).await;
            }
            // The questions are put to the tables of this program's version.
            if state == State::At(program_version()) {
                rows(found, &mut link.conn(), now, mail_is_on).await;
            }
        }
        Err(error) => {
            found.problem(
                "database",
                format!("{place}: {}", explained(error)),
                "If the file is damaged, restore a backup: `headroom restore --from FILE --force` keeps the damaged one beside.",
            );
        }
    }
    if let Link::Postgres(connection) = &mut link {
        postgres(found, connection, now).await;
    }
    link.close().await;
    if let Place::Sqlite(path) = place {
        file(found, path, now);
        disk(found, path);
    }
}

fn schema(found: &mut Examination, place: &Place, state: State) {
    let program = program_version();
    match state {
        State::At(version) if version == program => {
            found.ok("schema", format!("version {version}, as this program's"));
        }
        State::At(version) if version < program => found.warn(
            "schema",
            format!("version {version}; this program has {program}"),
            "Make a backup, then run `headroom migrate` or start the server, which does it.",
        ),
        State::At(version) => found.problem(
            "schema",
            format!("version {version} is newer than this program's, {program}"),
            "Use the program that made it, or a newer one.",
        ),
        State::Nothing => found.warn(
            "schema",
            format!("{place} holds no tables"),
            "A first `headroom serve` or `headroom migrate` makes them.",
        ),
        other => {
            let why = match other.understood(&place.to_string()) {
                Err(error) => error.to_string(),
                Ok(version) => format!("version {version}"),
            };
            found.problem("schema", why, "Look at database_url, or restore a backup.");
        }
    }
}

async fn integrity(found: &mut Examination, connection: &mut sqlx::SqliteConnection) {
    let faults = match store::quick_faults(connection).await {
        Ok(faults) => faults,
        Err(error) => vec![explained(error).to_string()],
    };
    match faults.first() {
        None => found.ok("integrity", "the file passes its quick check"),
        Some(first) => found.problem(
            "integrity",
            format!("the file is damaged; the first fault: {first}"),
            "Stop the server, keep the file, restore the last backup; look at the disk's health.",
        ),
    }
    // Whether a commit waits for the disk is set by the server on each of its connections; it is not a property of the
    // file, so that only the journal mode can be wrong here.
    match store::journal_mode(connection).await {
        Ok(mode) if mode == "wal" => found.ok("journal", "write-ahead log"),
        Ok(mode) => found.warn(
            "journal",
            format!("mode {mode} instead of wal"),
            "The server sets it at its next start; nothing to do if it has not run since a restore.",
        ),
        Err(error) => found.warn(
            "journal",
            format!("cannot be told: {}", explained(error)),
            "Look at who may read the file and its folder.",
        ),
    }
}

/// The file of SQLite as the file system sees it.
fn file(found: &mut Examination, path: &Path, now: UnixMillis) {
    let Ok(seen) = std::fs::metadata(path) else {
        return;
    };
    let folder_is_open =
        std::fs::metadata(folder_of(path)).is_ok_and(|folder| folder.mode() & 0o001 != 0);
    if seen.mode() & 0o007 != 0 && folder_is_open {
        found.warn(
            "file",
            format!(
                "every user of this machine may read {} (mode {:o})",
                path.display(),
                seen.mode() & 0o777
            ),
            format!("chmod 600 {0} {0}-wal {0}-shm", path.display()),
        );
    } else {
        found.ok(
            "file",
            format!("{}, kept from other users", in_words(seen.len())),
        );
    }
    let log = beside(path, "-wal");
    let log_size = std::fs::metadata(&log).map_or(0, |log| log.len());
    if log_size > LOG_WARNING {
        found.warn(
            "log",
            format!("the write-ahead log has grown to {}", in_words(log_size)),
            "Something reads for very long, and the log cannot be emptied: look for programs that have the file open, or restart the server.",
        );
    }
    let newest = [path, log.as_path()]
        .iter()
        .filter_map(|path| std::fs::metadata(path).ok()?.modified().ok())
        .filter_map(|time| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok())
        .max();
    if let Some(ahead) = newest
        .map(|newest| newest - now)
        .filter(|ahead| *ahead > MINUTE)
    {
        found.problem(
            "clock",
            format!(
                "the database was written {} from now: the clock is behind, or was ahead",
                span(ahead)
            ),
            "Set the clock, and let it be kept right (NTP): sessions and links end by it.",
        );
    }
}

fn disk(found: &mut Examination, path: &Path) {
    let folder = folder_of(path);
    let Ok(seen) = rustix::fs::statvfs(&folder) else {
        found.problem(
            "disk",
            format!("the folder {} is not there", folder.display()),
            "Make it, or set database_url.",
        );
        return;
    };
    let free = seen.f_bavail.saturating_mul(seen.f_frsize);
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    let what = format!("{} free in {}", in_words(free), folder.display());
    if seen.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        found.problem(
            "disk",
            format!("{} is on a disk that cannot be written", folder.display()),
            "Mount it for writing; a disk that became read-only by itself is failing.",
        );
    } else if free < DISK_PROBLEM {
        found.problem(
            "disk",
            what,
            "Make room now: saves fail when the disk is full.",
        );
    } else if free < DISK_WARNING.max(size) {
        found.warn(
            "disk",
            what,
            "Make room: a backup or a restore here needs as much as the database has.",
        );
    } else {
        found.ok("disk", what);
    }
}

async fn postgres(found: &mut Examination, connection: &mut sqlx::PgConnection, now: UnixMillis) {
    match store::postgres_now(connection).await {
        Ok(theirs) => {
            let apart = (theirs - now).abs();
            let what = format!("the database's clock is {} from ours", span(apart));
            let advice = "Let the clocks of all machines be kept right (NTP).";
            match apart {
                0..2_000 => found.ok("clock", "agrees with the database's"),
                2_000..120_000 => found.warn("clock", what, advice),
                _ => found.problem("clock", what, advice),
            }
        }
        Err(error) => found.warn(
            "clock",
            format!("the database's clock cannot be read: {}", explained(error)),
            "Nothing to do if this engine has no such function.",
        ),
    }
    match store::postgres_durability(connection).await {
        Ok((commit, fsync)) if commit == "off" || fsync == "off" => found.problem(
            "durability",
            format!(
                "synchronous_commit is {commit}, fsync is {fsync}: what was saved can be lost when the power goes"
            ),
            "Set both to on in postgresql.conf.",
        ),
        Ok(_) => found.ok("durability", "commits wait for the disk"),
        // The distributed engines have no such settings.
        Err(error) => tracing::debug!(%error, "durability cannot be told"),
    }
}

/// What the tables tell.
async fn rows(found: &mut Examination, conn: &mut Conn<'_>, now: UnixMillis, mail_is_on: bool) {
    if let Err(error) = ask(found, conn, now, mail_is_on).await {
        found.problem(
            "tables",
            format!("cannot be read: {}", explained(error)),
            "Restore a backup if the message speaks of damage; else grant the rights that it names.",
        );
    }
}

async fn ask(
    found: &mut Examination,
    conn: &mut Conn<'_>,
    now: UnixMillis,
    mail_is_on: bool,
) -> Result<(), StoreError> {
    let (administrators, without_factor) = store::administrators(conn).await?;
    if administrators == 0 {
        found.warn(
            "accounts",
            "there is no administrator",
            "Make one: `headroom admin create --email EMAIL`, or `headroom admin grant EMAIL administrator`.",
        );
    } else if without_factor > 0 {
        found.warn(
            "accounts",
            format!("{without_factor} of {administrators} administrators have no second factor"),
            "They set it up at /account/second-factor; until then the pages of administration are closed to them.",
        );
    } else {
        found.ok(
            "accounts",
            format!("{administrators} administrators, all with a second factor"),
        );
    }

    let (waiting, oldest, failed) = store::outbox(conn).await?;
    let age = oldest.map_or(0, |oldest| now - oldest);
    let advice = if mail_is_on {
        "Look at the mail server and at the last error in /admin/outbox."
    } else {
        "No mail server is set: set smtp_url, or hand out links with `headroom admin reset-password`."
    };
    let stuck = format!("{waiting} mails wait, the oldest for {}", span(age));
    if age > DAY {
        found.problem("outbox", stuck, advice);
    } else if age > 15 * MINUTE {
        found.warn("outbox", stuck, advice);
    } else {
        found.ok("outbox", format!("{waiting} mails wait"));
    }
    if failed > 0 {
        found.warn(
            "outbox",
            format!("{failed} mails were given up"),
            "Look at why in /admin/outbox, and try them again there.",
        );
    }

    // The server removes them every hour.
    let ended = store::sessions_ended_before(conn, now - 3 * HOUR).await?;
    if ended > 0 {
        found.warn(
            "sessions",
            format!("{ended} sessions ended over three hours ago and are still there"),
            "The server removes them every hour while it runs; if it runs, look in its log for why not.",
        );
    } else {
        found.ok("sessions", "those that ended are removed");
    }

    let refused = store::audited_since(conn, Action::SignInRefused.slug(), now - DAY).await?;
    let what = format!("{refused} sign-ins were refused in the last 24 hours");
    if refused >= MANY_FAILED_SIGN_INS {
        found.warn(
            "sign-ins",
            what,
            "Somebody may be guessing passwords: look in /admin/audit for the addresses, and refuse them in front of the server.",
        );
    } else {
        found.ok("sign-ins", what);
    }
    Ok(())
}

fn addresses(found: &mut Examination, installation: &Installation) {
    let url = installation.public_url.as_str();
    let parsed = url.parse::<http::Uri>().ok();
    let parts = parsed
        .as_ref()
        .and_then(|uri| Some((uri.scheme_str()?, uri.host()?)));
    let Some((scheme @ ("http" | "https"), host)) = parts else {
        found.problem(
            "address",
            format!("public_url is {url}, which is not an address of the web"),
            "Set it to what people type: https://NAME.",
        );
        return;
    };
    let is_loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if scheme == "https" && installation.trusted_proxies == 0 {
        found.warn(
            "address",
            "public_url is https, so a proxy is in front, and no proxy is trusted to tell the client's address",
            "Set trusted_proxies to the proxy's address: without it all people count as one when sign-ins are limited.",
        );
    } else if scheme == "http" && !(is_loopback && installation.addr.ip().is_loopback()) {
        found.problem(
            "address",
            format!(
                "people reach {url} over plain http, and the server listens on {}: passwords and sessions can be read on the way",
                installation.addr
            ),
            "Put a proxy with a certificate in front, listen on 127.0.0.1, and set public_url to https://NAME.",
        );
    } else {
        found.ok(
            "address",
            format!("{url}, listening on {}", installation.addr),
        );
    }
    if scheme == "https" && is_loopback {
        found.warn(
            "address",
            format!("public_url is {url}, which leads each person to their own machine"),
            "Set it to what people type: https://NAME.",
        );
    }
}

async fn mail(found: &mut Examination, smtp_url: Option<&str>) {
    let Some(url) = smtp_url else {
        found.warn(
            "mail",
            "no mail server is set: addresses are not verified, nobody can reset a password alone, and no notices are sent",
            "Set smtp_url; until then `headroom admin reset-password EMAIL` prints the link.",
        );
        return;
    };
    // The URL holds a password: nothing of it but host and port is shown.
    let Some((host, port)) = mail_server(url) else {
        found.problem(
            "mail",
            "smtp_url cannot be read",
            "It looks like smtp://USER:PASSWORD@HOST:587?tls=required or smtps://USER:PASSWORD@HOST.",
        );
        return;
    };
    let connecting = tokio::net::TcpStream::connect((host.as_str(), port));
    let why = match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(_)) => {
            found.ok("mail", format!("the server {host}:{port} can be reached"));
            return;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer in {} s", PATIENCE.as_secs()),
    };
    found.problem(
        "mail",
        format!("the server {host}:{port} cannot be reached: {why}"),
        "Look at smtp_url, at the server, and at what is between; mail waits in the outbox meanwhile.",
    );
}

/// Host and port of a mail server, with the ports that its schemes stand for.
fn mail_server(url: &str) -> Option<(String, u16)> {
    let uri = url.parse::<http::Uri>().ok()?;
    let wants_tls = uri
        .query()
        .is_some_and(|query| query.split('&').any(|part| part == "tls=required"));
    let port = match uri.scheme_str()? {
        "smtps" => 465,
        "smtp" if wants_tls => 587,
        "smtp" => 25,
        _ => return None,
    };
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some((
        host.trim_matches(['[', ']']).to_owned(),
        uri.port_u16().unwrap_or(port),
    ))
}

fn content(found: &mut Examination, origin: &Origin) {
    let place = match origin {
        Origin::Program => "inside the program".to_owned(),
        Origin::Directory(folder) => format!("in {}", folder.display()),
    };
    match Library::read(origin) {
        Ok(library) => match library.diagnostics.first() {
            None => found.ok(
                "content",
                format!("{} prompts {place}, no faults", library.prompts.len()),
            ),
            Some(first) => found.problem(
                "content",
                format!(
                    "{} faults in the content {place}; the first: {first}",
                    library.diagnostics.len()
                ),
                "The server does not start with them: `headroom content check` prints them all.",
            ),
        },
        Err(error) => found.problem(
            "content",
            format!("the content {place} cannot be read: {error}"),
            "Look at the setting content, and at who may read the folder.",
        ),
    }
}

/// A length of time in its largest fitting unit.
fn span(millis: i64) -> String {
    match millis.unsigned_abs() {
        millis if millis < 2 * MINUTE.unsigned_abs() => format!("{} s", millis / 1000),
        millis if millis < 2 * HOUR.unsigned_abs() => format!("{} minutes", millis / 60_000),
        millis if millis < 2 * DAY.unsigned_abs() => format!("{} hours", millis / 3_600_000),
        millis => format!("{} days", millis / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses_of(public_url: &str, addr: &str, trusted_proxies: usize) -> Severity {
        let installation = Installation {
            database_url: String::new(),
            public_url: public_url.to_owned(),
            addr: addr.parse().expect("an address"),
            content: Origin::Program,
            smtp_url: None,
            trusted_proxies,
        };
        let mut found = Examination {
            findings: Vec::new(),
        };
        addresses(&mut found, &installation);
        found
            .findings
            .iter()
            .map(|finding| finding.severity)
            .max()
            .expect("a finding")
    }

    #[test]
    fn addresses_are_judged_together() {
        use Severity::{Ok, Problem, Warning};
        for (url, addr, proxies, expected) in [
            ("http://127.0.0.1:3000", "127.0.0.1:3000", 0, Ok),
            ("http://localhost:3000", "[::1]:3000", 0, Ok),
            ("http://[::1]:3000", "[::1]:3000", 0, Ok),
            ("http://127.0.0.1:3000", "0.0.0.0:3000", 0, Problem),
            ("http://practice.example", "127.0.0.1:3000", 0, Problem),
            ("https://practice.example", "127.0.0.1:3000", 1, Ok),
            ("https://practice.example", "127.0.0.1:3000", 0, Warning),
            ("https://localhost", "127.0.0.1:3000", 1, Warning),
            ("ftp://practice.example", "127.0.0.1:3000", 1, Problem),
            ("practice.example", "127.0.0.1:3000", 1, Problem),
            ("", "127.0.0.1:3000", 1, Problem),
            ("https://\u{0}", "127.0.0.1:3000", 1, Problem),
        ] {
            assert_eq!(addresses_of(url, addr, proxies), expected, "{url} {addr}");
        }
    }

    #[test]
    fn mail_servers_are_read_from_their_url() {
        let server = |host: &str, port| Some((host.to_owned(), port));
        for (url, expected) in [
            ("smtp://mail.example", server("mail.example", 25)),
            (
                "smtp://me:pass%40word@mail.example?tls=required",
                server("mail.example", 587),
            ),
            (
                "smtps://me:secret@mail.example",
                server("mail.example", 465),
            ),
            (
                "smtp://mail.example:2525/?a=b",
                server("mail.example", 2525),
            ),
            ("smtp://[::1]:25", server("::1", 25)),
            ("http://mail.example", None),
            ("mail.example", None),
            ("smtp://", None),
            ("", None),
        ] {
            assert_eq!(mail_server(url), expected, "{url}");
        }
    }

    #[test]
    fn lengths_of_time_read_well() {
        for (millis, expected) in [
            (1_500, "1 s"),
            (10 * MINUTE, "10 minutes"),
            (-5 * HOUR, "5 hours"),
            (400 * DAY, "400 days"),
            (i64::MIN, "106751991167 days"),
        ] {
            assert_eq!(span(millis), expected);
        }
    }
}
