//! Every setting as one row: its key, its type, its default, how it is read and how it is shown.
//!
//! Flags, environment variables, the keys of the TOML file, the help and `config check` all follow from these rows.
//! Must never know where a value comes from.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use http::Uri;
use ipnet::IpNet;

/// What a value looks like in TOML; flags and the environment hold text that is read in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    WholeNumber,
    /// `true` or `false`; a flag without a value is `true`.
    Switch,
    /// Texts without commas; one text with commas between them where there are no lists.
    List,
}

/// How much of a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Whole,
    /// A URL that may hold a password, which is left out. It can be read from a file.
    WithoutPassword,
    /// Only whether it is set. It can be read from a file.
    Never,
}

/// A row of the table of settings.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub key: &'static str,
    /// Sentences for the help, each after a space.
    pub help: &'static str,
    /// As it would be given. Empty where the setting is off until it is given.
    pub default: &'static str,
    pub form: Form,
    /// Completes "expected …".
    pub expected: &'static str,
    pub shown: Shown,
    pub takes: fn(&str) -> bool,
}

impl Setting {
    /// `HEADROOM_DATABASE_URL`
    pub fn variable(&self) -> String {
        variable(self.key)
    }

    /// `database-url`, which stands behind two dashes.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The key under which a file is named that holds the value: for what is secret.
    pub fn file_key(&self) -> Option<String> {
        (self.shown != Shown::Whole).then(|| format!("{}_file", self.key))
    }

    /// A value as it may be shown to anybody.
    pub fn show(&self, value: &str) -> String {
        match self.shown {
            _ if value.is_empty() => "not set".to_owned(),
            Shown::Whole => value.to_owned(),
            Shown::WithoutPassword => without_password(value),
            Shown::Never => "set".to_owned(),
        }
    }
}

/// The environment variable of a key.
pub fn variable(key: &str) -> String {
    format!("HEADROOM_{}", key.to_uppercase())
}

/// A URL without what may be secret: the user, the password, and the parameters of a server's URL.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (user, place) = rest
        .rsplit_once('@')
        .map_or(("", rest), |(_, place)| ("…@", place));
    let (place, parameters) = place
        .split_once('?')
        .map_or((place, ""), |(place, _)| (place, "?…"));
    format!("{scheme}://{user}{place}{parameters}")
}

/// How a text becomes a value.
pub(super) struct Reader<T> {
    pub form: Form,
    pub expected: &'static str,
    pub read: fn(&str) -> Option<T>,
}

pub(super) const ADDRESS: Reader<SocketAddr> = Reader {
    form: Form::Text,
    expected: "an address with a port, as in 127.0.0.1:3000",
    read: |text| text.parse().ok(),
};

pub(super) const ADDRESS_OR_OFF: Reader<Option<SocketAddr>> = Reader {
    form: Form::Text,
    expected: "an address with a port, as in 127.0.0.1:9464, or nothing",
    read: |text| or_off(text, |text| text.parse().ok()),
};

pub(super) const DATABASE: Reader<String> = Reader {
    form: Form::Text,
    expected: "sqlite:PATH or postgres://USER@HOST/NAME",
    read: |text| {
        ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| {
                text.strip_prefix(scheme)
                    .is_some_and(|rest| !rest.is_empty())
            })
            .then(|| text.to_owned())
    },
};

pub(super) const SITE: Reader<Option<String>> = Reader {
    form: Form::Text,
    expected: "http:// or https:// with a host and nothing after it, as in https://headroom.example",
    read: |text| {
        or_off(text, |text| {
            let uri: Uri = text.parse().ok()?;
            let plain = matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.path() == "/"
                && uri.query().is_none()
                && !text.contains(['@', '#']);
            plain.then(|| text.trim_end_matches('/').to_owned())
        })
    },
};

pub(super) const COLLECTOR: Reader<Option<String>> = Reader {
    form: Form::Text,
    expected: "the http:// address of a collector, as in http://127.0.0.1:4318 (not https: let a collector beside the server forward)",
    read: |text| {
        or_off(text, |text| {
            let uri: Uri = text.parse().ok()?;
            let plain = uri.scheme_str() == Some("http")
                && uri.host().is_some_and(|host| !host.is_empty())
                && !text.contains(['@', '#']);
            plain.then(|| text.to_owned())
        })
    },
};

pub(super) const MAIL_SERVER: Reader<Option<String>> = Reader {
    form: Form::Text,
    expected: "smtp://USER:PASSWORD@HOST:587?tls=required or smtps://USER:PASSWORD@HOST",
    read: |text| {
        or_off(text, |text| {
            lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::from_url(text)
                .is_ok()
                .then(|| text.to_owned())
        })
    },
};

pub(super) const SENDER: Reader<Option<String>> = Reader {
    form: Form::Text,
    expected: "an address, as in Headroom <headroom@example.org>",
    read: |text| {
        or_off(text, |text| {
            text.parse::<lettre::message::Mailbox>()
                .is_ok()
                .then(|| text.to_owned())
        })
    },
};

pub(super) const FOLDER: Reader<Option<PathBuf>> = Reader {
    form: Form::Text,
    expected: "a folder",
    read: |text| or_off(text, |text| Some(PathBuf::from(text))),
};

pub(super) const SWITCH: Reader<bool> = Reader {
    form: Form::Switch,
    expected: "true or false",
    read: |text| match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    },
};

pub(super) const PLACES: Reader<usize> = Reader {
    form: Form::WholeNumber,
    expected: "a whole number from 1 to 1000000",
    read: |text| {
        text.parse()
            .ok()
            .filter(|number| (1..=1_000_000).contains(number))
    },
};

pub(super) const COUNT: Reader<u32> = Reader {
    form: Form::WholeNumber,
    expected: "a whole number from 1 to 1000000",
    read: |text| {
        text.parse()
            .ok()
            .filter(|number| (1..=1_000_000).contains(number))
    },
};

pub(super) const CONNECTIONS: Reader<u32> = Reader {
    form: Form::WholeNumber,
    expected: "a whole number from 2 to 1000",
    read: |text| {
        text.parse()
            .ok()
            .filter(|number| (2..=1000).contains(number))
    },
};

pub(super) const SECONDS: Reader<u32> = Reader {
    form: Form::WholeNumber,
    expected: "a whole number of seconds from 0 to 300",
    read: |text| text.parse().ok().filter(|seconds| *seconds <= 300),
};

pub(super) const NETWORKS: Reader<Vec<IpNet>> = Reader {
    form: Form::List,
    expected: "addresses or networks, as in 10.0.0.7 and 10.1.0.0/16",
    read: |text| {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                part.parse::<IpNet>()
                    .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                    .ok()
            })
            .collect()
    },
};

pub(super) const FILTER: Reader<String> = Reader {
    form: Form::Text,
    expected: "a log filter, as in info or warn,headroom=debug",
    read: |text| {
        let sound =
            !text.is_empty() && tracing_subscriber::EnvFilter::builder().parse(text).is_ok();
        sound.then(|| text.to_owned())
    },
};

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Pretty,
    /// A JSON object a line.
    Json,
}

pub(super) const LOG_FORMAT: Reader<Option<LogFormat>> = Reader {
    form: Form::Text,
    expected: "pretty or json",
    read: |text| {
        or_off(text, |text| match text {
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            _ => None,
        })
    },
};

/// An empty text switches a setting off.
#[expect(
    clippy::option_option,
    reason = "whether the text can be read, and whether it says off"
)]
fn or_off<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() {
        Some(None)
    } else {
        read(text).map(Some)
    }
}

macro_rules! settings {
    ($($(#[doc = $help:literal])+ $key:ident: $type:ty = $default:literal, $reader:ident, $shown:ident;)+) => {
        /// Every setting, in the order in which they are listed.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: stringify!($key),
            help: concat!($($help),+),
            default: $default,
            form: $reader.form,
            expected: $reader.expected,
            shown: Shown::$shown,
            takes: |text| ($reader.read)(text).is_some(),
        }),+];

        /// What an operator settled, checked and typed.
        #[derive(Clone)]
        pub struct Config {
            $($(#[doc = $help])+ pub $key: $type,)+
            pub(super) given: Vec<super::Given>,
        }

        impl Config {
            /// `None` when a setting lacks a value that its row takes.
            pub(super) fn from_given(given: Vec<super::Given>) -> Option<Self> {
                let text = |key| given.iter().find(|one| one.setting.key == key).map(|one| one.value.as_str());
                Some(Self {
                    $($key: ($reader.read)(text(stringify!($key))?)?,)+
                    given,
                })
            }
        }
    };
}

settings! {
    /// Address to listen on.
    addr: SocketAddr = "127.0.0.1:3000", ADDRESS, Whole;

    /// Where everything is kept: sqlite:PATH or postgres://USER@HOST/NAME.
    database_url: String = "sqlite:data/headroom.db", DATABASE, WithoutPassword;

    /// Most connections to Postgres that this node keeps. SQLite has one writer and six readers.
    database_connections: u32 = "16", CONNECTIONS, Whole;

    /// Where people reach this server; links and the cookie's security follow from it. Without it: http://ADDR.
    public_url: Option<String> = "", SITE, Whole;

    /// Content directory to serve instead of the one inside the program.
    content: Option<PathBuf> = "", FOLDER, Whole;

    /// For writing content: pick up edits without a restart, show faults in the page, reload pages after a rebuild.
    dev: bool = "false", SWITCH, Whole;

    /// Most connections at one time; further ones wait.
    max_connections: usize = "4096", PLACES, Whole;

    /// Proxies in front of this server, whose X-Forwarded-For is believed: addresses or networks, with commas between.
    trusted_proxies: Vec<IpNet> = "", NETWORKS, Whole;

    /// Address on which Prometheus reads /metrics, as in 127.0.0.1:9464. Keep it off the public network.
    metrics_addr: Option<SocketAddr> = "", ADDRESS_OR_OFF, Whole;

    /// Which log lines are written, as in info or warn,headroom=debug.
    log: String = "info", FILTER, Whole;

    /// How log lines are written: pretty or json. Without it: pretty on a terminal, else json.
    log_format: Option<LogFormat> = "", LOG_FORMAT, Whole;

    /// Where traces are sent by OTLP over HTTP, as in http://127.0.0.1:4318.
    otlp_endpoint: Option<String> = "", COLLECTOR, Whole;

    /// Seconds for which a server that was told to stop still takes requests while /readyz says no, so that a load
    /// balancer turns away from it.
    drain_seconds: u32 = "2", SECONDS, Whole;

    /// Server that sends the mail, as in smtp://USER:PASSWORD@HOST:587?tls=required.
    smtp_url: Option<String> = "", MAIL_SERVER, Never;

    /// Who the mail is from, as in Headroom <headroom@example.org>.
    mail_from: Option<String> = "", SENDER, Whole;

    /// Most guests that one address may become in an hour.
    guests_per_hour: u32 = "1000", COUNT, Whole;

    /// Most accounts that one address may make in an hour.
    signups_per_hour: u32 = "20", COUNT, Whole;

    /// Most failed sign-ins to one account from one address in a quarter of an hour.
    signins_per_quarter_hour: u32 = "5", COUNT, Whole;

    /// Most failed sign-ins from one address in a quarter of an hour, whatever the account.
    signins_per_address: u32 = "50", COUNT, Whole;
}

impl Config {
    /// The address that links and the cookie's flags are made from, without a slash at the end.
    pub fn public_url(&self) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.addr))
    }
}
