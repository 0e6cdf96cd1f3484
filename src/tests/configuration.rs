//! The configuration: which level wins, what is refused and where, and that nothing secret is shown.

use std::fs;
use std::path::Path;

use clap::{CommandFactory as _, Parser};
use tempfile::TempDir;

use crate::server::config::{Config, ConfigFlags, LogFormat, SETTINGS, Shown, without_password};

/// A folder with a `headroom.toml`.
fn folder(toml: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if !toml.is_empty() {
        write(&folder, "headroom.toml", toml);
    }
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("is written");
}

fn load_in(
    folder: &Path,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, Vec<String>> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let flags = ConfigFlags {
        file: None,
        values: flags.iter().map(own).collect(),
    };
    Config::load(&flags, variables.iter().map(own), folder)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn load(
    toml: &str,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, Vec<String>> {
    load_in(folder(toml).path(), variables, flags)
}

fn line(config: &Config, key: &str) -> (String, String) {
    let line = config.lines().find(|line| line.key == key).expect("a line");
    (line.value, line.place)
}

#[test]
fn every_default_can_be_read() {
    let config = load("", &[], &[]).expect("no fault");
    assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
    assert_eq!(config.database_url, "sqlite:data/headroom.db");
    assert_eq!(config.public_url(), "http://127.0.0.1:3000");
    assert_eq!((config.drain_seconds, config.database_connections), (2, 16));
    assert_eq!(config.max_connections, 4096);
    assert!(!config.dev && config.content.is_none() && config.metrics_addr.is_none());
    assert!(config.trusted_proxies.is_empty() && config.smtp_url.is_none());
    assert_eq!(config.lines().count(), SETTINGS.len());
    for line in config.lines() {
        assert_eq!(line.place, "default", "{}", line.key);
    }
}

#[test]
fn the_highest_level_wins() {
    let toml = "addr = \"127.0.0.1:1\"\nlog = \"warn\"\n\n[signups]\nper_hour = 7\n";
    let variable = ("HEADROOM_ADDR", "127.0.0.1:2");
    let flag = ("addr", "127.0.0.1:3");
    let cases: [(&str, &[_], &[_], &str, &str); 4] = [
        ("", &[], &[], "127.0.0.1:3000", "default"),
        (toml, &[], &[], "127.0.0.1:1", "headroom.toml:1:8"),
        (
            toml,
            &[variable],
            &[],
            "127.0.0.1:2",
            "environment HEADROOM_ADDR",
        ),
        (toml, &[variable], &[flag], "127.0.0.1:3", "flag --addr"),
    ];
    for (toml, variables, flags, value, place) in cases {
        let config = load(toml, variables, flags).expect("no fault");
        assert_eq!(line(&config, "addr"), (value.to_owned(), place.to_owned()));
        assert_eq!(config.addr.to_string(), value);
        // What a level does not say comes from the one below.
        let log = if toml.is_empty() { "info" } else { "warn" };
        assert_eq!(config.log, log);
    }
    let config = load(toml, &[], &[]).expect("no fault");
    assert_eq!(config.signups_per_hour, 7);
    assert_eq!(line(&config, "signups_per_hour").1, "headroom.toml:5:12");
}

#[test]
fn every_form_of_a_value_is_taken() {
    let toml = "dev = true\ntrusted_proxies = [\"10.0.0.7\", \"fd00::/8\"]\nlog_format = \"json\"\n\
                smtp.url = \"smtps://a:b@mail.example\"\nmail.from = \"Headroom <h@example.org>\"\n\
                metrics_addr = \"127.0.0.1:9464\"\npublic_url = \"https://headroom.example/\"\nmax_connections = 0x10\n";
    let from_file = load(toml, &[], &[]).expect("no fault");
    let from_variables = load(
        "",
        &[
            ("HEADROOM_DEV", "1"),
            ("HEADROOM_TRUSTED_PROXIES", "10.0.0.7, fd00::/8"),
            ("HEADROOM_LOG_FORMAT", "json"),
            ("HEADROOM_SMTP_URL", "smtps://a:b@mail.example"),
            ("HEADROOM_MAIL_FROM", "Headroom <h@example.org>"),
            ("HEADROOM_METRICS_ADDR", "127.0.0.1:9464"),
            ("HEADROOM_PUBLIC_URL", "https://headroom.example/"),
            ("HEADROOM_MAX_CONNECTIONS", "16"),
        ],
        &[],
    )
    .expect("no fault");
    for config in [from_file, from_variables] {
        assert!(config.dev);
        let proxies: Vec<String> = config
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(proxies, ["10.0.0.7/32", "fd00::/8"]);
        assert_eq!(config.log_format, Some(LogFormat::Json));
        assert_eq!(config.smtp_url.as_deref(), Some("smtps://a:b@mail.example"));
        assert_eq!(
            config.metrics_addr.map(|address| address.port()),
            Some(9464)
        );
        assert_eq!(config.public_url(), "https://headroom.example");
        assert_eq!(config.max_connections, 16);
    }
    // An empty text switches off what a lower level switched on; an empty variable says nothing.
    let config = load(toml, &[], &[("metrics_addr", "")]).expect("no fault");
    assert_eq!(config.metrics_addr, None);
    let config = load(toml, &[("HEADROOM_METRICS_ADDR", "")], &[]).expect("no fault");
    assert!(config.metrics_addr.is_some());
}

#[test]
fn a_bad_value_is_named_with_its_place_and_what_was_expected() {
    let cases = [
        (
            "addr = \"here\"",
            "headroom.toml:1:8: addr is \"here\"; expected an address with a port",
        ),
        (
            "\n  addr = 3000",
            "headroom.toml:2:10: addr is \"3000\"; expected an address",
        ),
        (
            "dev = \"true\"",
            "headroom.toml:1:7: dev is \"true\"; expected true or false",
        ),
        (
            "max_connections = 0",
            "max_connections is \"0\"; expected a whole number from 1",
        ),
        ("max_connections = \"10\"", "expected a whole number"),
        ("max_connections = -1", "expected a whole number"),
        (
            "max_connections = 99999999999999999999",
            "expected a whole number",
        ),
        ("max_connections = 1.5", "expected a whole number"),
        ("max_connections = 1979-05-27", "expected a whole number"),
        (
            "drain_seconds = 301",
            "expected a whole number of seconds from 0 to 300",
        ),
        (
            "public_url = \"headroom.example\"",
            "expected http:// or https://",
        ),
        (
            "public_url = \"https://headroom.example/path\"",
            "nothing after it",
        ),
        (
            "public_url = \"https://a:b@headroom.example\"",
            "nothing after it",
        ),
        (
            "public_url = \"ftp://headroom.example\"",
            "expected http:// or https://",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "trusted_proxies is \"10.0.0.0/33\"; expected addresses or networks",
        ),
        (
            "trusted_proxies = [7]",
            "trusted_proxies: expected addresses or networks",
        ),
        ("log = \"headroom=loud\"", "expected a log filter"),
        ("log_format = \"xml\"", "expected pretty or json"),
        (
            "otlp_endpoint = \"https://collector.example\"",
            "expected the http:// address of a collector",
        ),
        (
            "mail_from = \"nobody\"",
            "expected an address, as in Headroom",
        ),
        (
            "database_url = \"mysql://u:hidden@h/d\"",
            "headroom.toml:1:16: database_url: expected sqlite:PATH",
        ),
        (
            "smtp_url = \"http://u:hidden@h\"",
            "headroom.toml:1:12: smtp_url: expected smtp://",
        ),
        (
            "smtp_url = \"smtp://u:hidden@h\"",
            "mail_from must say who the mail is from",
        ),
        ("metrics_addr = \"127.0.0.1:3000\"", "choose another port"),
        ("addr = ", "headroom.toml:1:"),
        (
            "addr = \"127.0.0.1:1\"\naddr = \"127.0.0.1:2\"",
            "headroom.toml:2:1: duplicate key",
        ),
        (
            "database_url = \"sqlite:a\"\n[database]\nurl = \"sqlite:b\"",
            "database_url is given twice",
        ),
    ];
    for (toml, expected) in cases {
        let faults = load(toml, &[], &[]).expect_err(toml);
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{toml}: {faults:#?}"
        );
        assert!(
            !faults.iter().any(|fault| fault.contains("hidden")),
            "{toml}: {faults:#?}"
        );
    }
    let faults = load(
        "",
        &[("HEADROOM_DEV", "maybe")],
        &[("max_connections", "many")],
    )
    .expect_err("two faults");
    assert_eq!(
        faults,
        [
            "environment HEADROOM_DEV: dev is \"maybe\"; expected true or false",
            "flag --max-connections: max_connections is \"many\"; expected a whole number from 1 to 1000000",
        ]
    );
}

#[test]
fn all_faults_are_told_at_once() {
    let toml = "adr = \"127.0.0.1:1\"\nlog_format = \"xml\"\ndrain_seconds = \"2\"\n";
    let faults = load(
        toml,
        &[
            ("HEADROOM_DATABSE_URL", "sqlite:x"),
            ("HEADROOM_LOG", "headroom=loud"),
        ],
        // It wins over the fault in the file, which is one all the same.
        &[("log_format", "json"), ("addr", "nowhere")],
    )
    .expect_err("faults");
    assert_eq!(faults.len(), 6, "{faults:#?}");
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    let cases = [
        (
            "adress = 1",
            &[][..],
            "headroom.toml:1:1: there is no setting adress; did you mean addr?",
        ),
        (
            "\n[databse]\nurl = 1",
            &[],
            "headroom.toml:3:1: there is no setting databse.url; did you mean database_url?",
        ),
        (
            "zebra = 1",
            &[],
            "there is no setting zebra; `headroom config check` lists all",
        ),
        ("addr-ess = 1", &[], "did you mean addr?"),
        (
            "log_format_file = \"x\"",
            &[],
            "there is no setting log_format_file",
        ),
        (
            "",
            &[("HEADROOM_ADRESS", "x")],
            "environment HEADROOM_ADRESS: there is no setting HEADROOM_ADRESS; did you mean HEADROOM_ADDR?",
        ),
        (
            "",
            &[("HEADROOM_SMTP_URL_FIL", "x")],
            "did you mean HEADROOM_SMTP_URL_FILE?",
        ),
    ];
    for (toml, variables, expected) in cases {
        let faults = load(toml, variables, &[]).expect_err(expected);
        assert!(
            faults.len() == 1 && faults[0].contains(expected),
            "{expected}: {faults:#?}"
        );
    }
    // Others use the same beginning.
    let foreign = [
        ("HEADROOM_TEST_POSTGRES", "postgres://x"),
        ("HEADROOM_BIN", "x"),
        ("HEADROOM_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("HEADROOM_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "x"),
        ("OTHER_ADDR", "x"),
    ];
    load("", &foreign, &[]).expect("no fault");
}

#[test]
fn a_secret_can_stand_in_a_file() {
    let here = folder("database_url_file = \"database\"\n");
    write(&here, "database", "postgres://u:p@h/d\r\n");
    write(&here, "mail", "smtp://u:hidden@h:587?tls=required\n");
    let from = ("HEADROOM_MAIL_FROM", "h@example.org");
    let by_file = ("HEADROOM_SMTP_URL_FILE", "mail");
    let config = load_in(here.path(), &[from, by_file], &[]).expect("no fault");
    assert_eq!(config.database_url, "postgres://u:p@h/d");
    assert_eq!(
        config.smtp_url.as_deref(),
        Some("smtp://u:hidden@h:587?tls=required")
    );
    assert_eq!(
        line(&config, "smtp_url"),
        (
            "set".to_owned(),
            "environment HEADROOM_SMTP_URL_FILE".to_owned()
        )
    );
    // A higher level may name the value itself.
    let flag = ("database_url", "sqlite:x");
    let config = load_in(here.path(), &[], &[flag]).expect("no fault");
    assert_eq!(config.database_url, "sqlite:x");

    write(&here, "empty", "\n");
    write(&here, "wrong", "hidden\n");
    fs::write(here.path().join("binary"), [0xff, 0xfe]).expect("is written");
    fs::write(here.path().join("large"), vec![b'x'; 300_000]).expect("is written");
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[by_file, ("HEADROOM_SMTP_URL", "smtp://u:hidden@h"), from],
            "smtp_url is given twice, also by environment HEADROOM_SMTP_URL",
        ),
        (
            &[("HEADROOM_SMTP_URL_FILE", "nowhere")],
            "HEADROOM_SMTP_URL_FILE: nowhere cannot be read: ",
        ),
        (&[("HEADROOM_SMTP_URL_FILE", ".")], "cannot be read: "),
        (&[("HEADROOM_SMTP_URL_FILE", "empty")], "empty is empty"),
        (
            &[("HEADROOM_SMTP_URL_FILE", "wrong")],
            "what stands in wrong is not smtp://",
        ),
        (&[("HEADROOM_SMTP_URL_FILE", "binary")], "is not UTF-8"),
        (&[("HEADROOM_SMTP_URL_FILE", "large")], "is larger than"),
    ];
    for (variables, expected) in cases {
        let faults = load_in(here.path(), variables, &[]).expect_err(expected);
        assert!(
            faults.iter().any(|fault| fault.contains(expected))
                && !faults.concat().contains("hidden"),
            "{expected}: {faults:#?}"
        );
    }
}

#[test]
fn the_file_can_be_named() {
    let here = folder("log = \"warn\"\n");
    write(&here, "other.toml", "log = \"debug\"\n");
    let named = |file: Option<&str>, variables: &[(&str, &str)]| {
        let flags = ConfigFlags {
            file: file.map(Into::into),
            values: Vec::new(),
        };
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(&flags, variables, here.path()).map(|config| line(&config, "log"))
    };
    let other = ("debug".to_owned(), "other.toml:1:7".to_owned());
    let usual = ("warn".to_owned(), "headroom.toml:1:7".to_owned());
    assert_eq!(named(None, &[]), Ok(usual.clone()));
    assert_eq!(
        named(None, &[("HEADROOM_CONFIG", "other.toml")]),
        Ok(other.clone())
    );
    assert_eq!(named(Some("other.toml"), &[]), Ok(other));
    assert_eq!(
        named(Some("headroom.toml"), &[("HEADROOM_CONFIG", "other.toml")]),
        Ok(usual)
    );
    let faults = named(Some("missing.toml"), &[]).expect_err("a fault");
    assert!(
        faults[0]
            .to_string()
            .starts_with("flag --config: missing.toml cannot be read")
    );
}

#[test]
fn nothing_secret_is_shown() {
    let cases = [
        ("sqlite:data/headroom.db", "sqlite:data/headroom.db"),
        (
            "postgres://user:hidden@host:5432/name",
            "postgres://…@host:5432/name",
        ),
        (
            "postgres://user:hid@den@host/name",
            "postgres://…@host/name",
        ),
        (
            "postgres://host/name?user=a&password=hidden",
            "postgres://host/name?…",
        ),
        (
            "postgres://user:hid?den@host/name",
            "postgres://…@host/name",
        ),
    ];
    for (url, shown) in cases {
        assert_eq!(without_password(url), shown);
    }
    let config = load(
        "",
        &[
            ("HEADROOM_DATABASE_URL", "postgres://user:hidden@host/name"),
            ("HEADROOM_SMTP_URL", "smtp://user:hidden@mail.example"),
            ("HEADROOM_MAIL_FROM", "h@example.org"),
        ],
        &[],
    )
    .expect("no fault");
    assert!(
        config
            .smtp_url
            .as_deref()
            .is_some_and(|url| url.contains("hidden"))
    );
    assert_eq!(line(&config, "smtp_url").0, "set");
    let shown = format!("{config:?}{:?}", config.lines().collect::<Vec<_>>());
    assert!(!shown.contains("hidden"), "{shown}");
    let secret: Vec<&str> = SETTINGS
        .iter()
        .filter(|setting| setting.shown != Shown::Whole)
        .map(|setting| setting.key)
        .collect();
    assert_eq!(secret, ["database_url", "smtp_url"]);
}

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    _command: Option<Command>,
    #[command(flatten)]
    flags: ConfigFlags,
}

#[derive(clap::Subcommand)]
enum Command {
    Serve,
}

#[test]
fn the_command_line_has_a_flag_for_each_setting() {
    Cli::command().debug_assert();
    let help = Cli::command().render_long_help().to_string();
    for setting in SETTINGS {
        assert!(
            help.contains(&format!("--{}", setting.flag())),
            "{}",
            setting.key
        );
        assert!(
            help.contains(&format!("[env: {}]", setting.variable())),
            "{}",
            setting.key
        );
        if !setting.default.is_empty() {
            let default = format!("[default: {}]", setting.default);
            assert!(help.contains(&default), "{}: {default}", setting.key);
        }
        assert!((setting.takes)(setting.default), "{}", setting.key);
    }
    // Before and behind the command; a switch with and without a value.
    let arguments = [
        "headroom",
        "--log",
        "warn",
        "serve",
        "--addr=127.0.0.1:9",
        "--dev",
        "--smtp-url-file",
        "x",
        "--max-connections",
        "9",
    ];
    let flags = Cli::try_parse_from(arguments).expect("is taken").flags;
    let mut values = flags.values.clone();
    values.sort();
    let expected = [
        ("addr", "127.0.0.1:9"),
        ("dev", "true"),
        ("log", "warn"),
        ("max_connections", "9"),
        ("smtp_url_file", "x"),
    ];
    assert_eq!(
        values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect::<Vec<_>>(),
        expected
    );
    let flags = Cli::try_parse_from(["headroom", "serve", "--dev=false"])
        .expect("is taken")
        .flags;
    assert_eq!(flags.values, [("dev".to_owned(), "false".to_owned())]);
    assert!(Cli::try_parse_from(["headroom", "serve", "--adr", "x"]).is_err());
}
