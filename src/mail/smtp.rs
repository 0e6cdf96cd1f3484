//! One letter to one mail server: who the server is, and the conversation with it.
//!
//! The conversation is held command by command, so that a server which takes a letter and then falls silent is not sent
//! it again, and so that a refusal of the letter is told apart from trouble with the server. Must never know the outbox.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::Uri;
use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use tokio::time::timeout;

use super::SettingsFault;
use super::store::Refusal;

/// How long a farewell may take: the letter is already sent, or refused.
const FAREWELL: Duration = Duration::from_secs(2);

/// A mail server.
#[derive(Clone)]
pub struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    /// What we call ourselves.
    hello: ClientId,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Why a letter was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    pub refusal: Refusal,
    /// For an operator. It may repeat what the mail server said.
    pub reason: String,
}

impl NotTaken {
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self {
            refusal: Refusal::ForNow,
            reason: reason.into(),
        }
    }

    pub fn for_good(reason: impl Into<String>) -> Self {
        Self {
            refusal: Refusal::ForGood,
            reason: reason.into(),
        }
    }
}

impl Server {
    /// Reads `smtps://[USER:PASSWORD@]HOST[:PORT]`, `smtp://…?tls=required`, or `smtp://…` for a server on this machine.
    pub fn read(url: &str, public_url: &str) -> Result<Self, SettingsFault> {
        let uri: Uri = url.parse().map_err(|_| SettingsFault::Url)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(SettingsFault::Url);
        };
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let host = without_brackets(authority.host()).to_owned();
        let port = match place.strip_prefix(authority.host()) {
            _ if host.is_empty() => return Err(SettingsFault::Url),
            Some("") => None,
            _ => Some(authority.port_u16().ok_or(SettingsFault::Url)?),
        };
        if !matches!(uri.path(), "" | "/") {
            return Err(SettingsFault::Options);
        }
        let tls_is_required = match uri.query() {
            None => false,
            Some("tls=required") => true,
            Some(_) => return Err(SettingsFault::Options),
        };
        let trust = || {
            TlsParameters::new(host.clone()).map_err(|error| SettingsFault::Tls(error.to_string()))
        };
        let (tls, usual_port) = match scheme {
            "smtps" => (Tls::Wrapper(trust()?), SUBMISSIONS_PORT),
            "smtp" if tls_is_required => (Tls::Required(trust()?), SUBMISSION_PORT),
            "smtp" if is_this_machine(&host) => (Tls::None, SMTP_PORT),
            "smtp" => return Err(SettingsFault::Plaintext(host)),
            _ => return Err(SettingsFault::Scheme),
        };
        let credentials = user
            .map(|user| {
                let (user, password) = user.split_once(':')?;
                let (user, password) = (decoded(user)?, decoded(password)?);
                let is_whole = !user.is_empty() && !password.is_empty();
                is_whole.then(|| Credentials::new(user, password))
            })
            .map(|credentials| credentials.ok_or(SettingsFault::Credentials))
            .transpose()?;
        Ok(Self {
            port: port.unwrap_or(usual_port),
            host,
            tls,
            credentials,
            hello: own_name(public_url),
        })
    }

    /// Hands a letter over. Takes at most twice `patience` and the time of a farewell.
    pub async fn hand_over(&self, letter: &Message, patience: Duration) -> Result<(), NotTaken> {
        let mut connection = match timeout(patience, self.connect(patience)).await {
            Ok(Ok(connection)) => connection,
            // Not the letter's fault, whatever the server says: who runs this server can mend it.
            Ok(Err(error)) => return Err(NotTaken::for_now(in_words(&error))),
            Err(_) => return Err(silent(patience)),
        };
        let outcome = timeout(patience, converse(&mut connection, letter))
            .await
            .unwrap_or_else(|_| Err(silent(patience)));
        // What was taken stays taken, whether or not the server says goodbye.
        let _ = timeout(FAREWELL, connection.abort()).await;
        outcome
    }

    async fn connect(&self, patience: Duration) -> Result<AsyncSmtpConnection, Error> {
        let wrapped = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(patience),
            &self.hello,
            wrapped,
            None,
        )
        .await?;
        if let Tls::Required(parameters) = &self.tls {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

async fn converse(connection: &mut AsyncSmtpConnection, letter: &Message) -> Result<(), NotTaken> {
    let envelope = letter.envelope();
    let bytes = letter.formatted();
    let mut options = Vec::new();
    // Texts are encoded in ASCII: only an address can bring in other letters.
    if !bytes.is_ascii() {
        for extension in [Extension::SmtpUtfEight, Extension::EightBitMime] {
            if !connection.server_info().supports_feature(extension) {
                return Err(NotTaken::for_good(
                    "The mail server takes only addresses in plain letters (it lacks SMTPUTF8).",
                ));
            }
        }
        options.push(MailParameter::SmtpUtfEight);
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let refused = |error: Error| {
        // What asks for other credentials is trouble with the server.
        let is_about_us = error
            .status()
            .is_some_and(|code| [530, 534, 535, 538].contains(&u16::from(code)));
        let reason = in_words(&error);
        if error.is_permanent() && !is_about_us {
            NotTaken::for_good(reason)
        } else {
            NotTaken::for_now(reason)
        }
    };
    connection
        .command(Mail::new(envelope.from().cloned(), options))
        .await
        .map_err(refused)?;
    for recipient in envelope.to() {
        connection
            .command(Rcpt::new(recipient.clone(), Vec::new()))
            .await
            .map_err(refused)?;
    }
    connection.command(Data).await.map_err(refused)?;
    connection.message(&bytes).await.map_err(refused)?;
    Ok(())
}

fn silent(patience: Duration) -> NotTaken {
    NotTaken::for_now(format!(
        "The mail server did not answer within {} seconds.",
        patience.as_secs_f32()
    ))
}

fn in_words(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    match (error.status(), source) {
        (Some(code), said) => {
            format!(
                "The mail server answered {code} {}",
                said.unwrap_or_default()
            )
        }
        (None, Some(source)) => format!("The mail server cannot be used: {source}"),
        (None, None) => format!("The mail server cannot be used: {error}"),
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Our name in the greeting: the host at which people reach us.
fn own_name(public_url: &str) -> ClientId {
    let uri: Option<Uri> = public_url.parse().ok();
    let host = uri
        .as_ref()
        .and_then(Uri::host)
        .map_or("localhost", without_brackets);
    match host.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

/// Text with `%XX` in it, decoded.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Server, SettingsFault> {
        Server::read(url, "https://practice.example:8443/here")
    }

    #[test]
    fn urls_of_mail_servers() {
        for (url, host, port, tls, user) in [
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, "None", false),
            ("smtp://localhost", "localhost", 25, "None", false),
            ("smtp://[::1]:26/", "::1", 26, "None", false),
            ("smtp://127.8.0.1", "127.8.0.1", 25, "None", false),
            (
                "smtp://ada:p%40ss%3aw@mail.example.org?tls=required",
                "mail.example.org",
                587,
                "Required",
                true,
            ),
            (
                "smtps://ada%40example.org:secret@mail.example.org",
                "mail.example.org",
                465,
                "Wrapper",
                true,
            ),
            (
                "smtps://mail.example.org:4650",
                "mail.example.org",
                4650,
                "Wrapper",
                false,
            ),
        ] {
            let server = read(url).unwrap_or_else(|fault| panic!("{url}: {fault}"));
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
            let kind = match server.tls {
                Tls::None => "None",
                Tls::Required(_) => "Required",
                Tls::Wrapper(_) => "Wrapper",
                Tls::Opportunistic(_) => "Opportunistic",
            };
            assert_eq!(kind, tls, "{url}");
            assert_eq!(server.credentials.is_some(), user, "{url}");
            let shown = format!("{server:?}");
            assert!(
                !["secret", "p%40", "p@ss"]
                    .iter()
                    .any(|part| shown.contains(part)),
                "{shown}"
            );
            assert_eq!(server.hello.to_string(), "practice.example");
        }
        assert_eq!(
            read("smtp://ada:p%40ss%3aw@localhost")
                .expect("reads")
                .credentials,
            Some(Credentials::new("ada".to_owned(), "p@ss:w".to_owned()))
        );
    }

    #[test]
    fn urls_that_are_refused() {
        let plain = |host: &str| SettingsFault::Plaintext(host.to_owned());
        for (url, fault) in [
            ("", SettingsFault::Url),
            ("localhost:25", SettingsFault::Url),
            ("/path", SettingsFault::Url),
            ("smtp://", SettingsFault::Url),
            ("smtp://localhost:port", SettingsFault::Url),
            ("smtp://localhost:99999", SettingsFault::Url),
            ("smtp://localhost:", SettingsFault::Url),
            ("smtp://local host", SettingsFault::Url),
            ("smtp://localhost\r\nX", SettingsFault::Url),
            ("http://localhost", SettingsFault::Scheme),
            ("smtp://mail.example.org", plain("mail.example.org")),
            ("smtp://192.0.2.7:25", plain("192.0.2.7")),
            (
                "smtp://localhost.example.org",
                plain("localhost.example.org"),
            ),
            (
                "smtp://a:secret@localhost@mail.example.org",
                plain("mail.example.org"),
            ),
            (
                "smtp://mail.example.org?tls=opportunistic",
                SettingsFault::Options,
            ),
            ("smtps://mail.example.org/name", SettingsFault::Options),
            ("smtp://ada@localhost", SettingsFault::Credentials),
            ("smtp://ada:@localhost", SettingsFault::Credentials),
            ("smtp://ada:%zz@localhost", SettingsFault::Credentials),
            ("smtp://ada:%f@localhost", SettingsFault::Credentials),
            ("smtp://ada:%ff@localhost", SettingsFault::Credentials),
        ] {
            let found = read(url).expect_err(url);
            assert_eq!(found, fault, "{url}");
            assert!(!found.to_string().contains("secret"), "{found}");
        }
    }

    #[test]
    fn what_we_call_ourselves() {
        for (public_url, name) in [
            ("http://127.0.0.1:3000", "[127.0.0.1]"),
            ("http://[::1]:3000", "[IPv6:::1]"),
            ("nonsense here", "localhost"),
        ] {
            assert_eq!(own_name(public_url).to_string(), name);
        }
    }
}
