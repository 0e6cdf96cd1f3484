//! Mail: what has to go out waits in the outbox, a table, until a mail server has taken it.
//!
//! A feature puts a [`Letter`](store::Letter) into the outbox with [`store::enqueue`] in the transaction that gives rise
//! to it; [`worker::run`] sends it by SMTP. A dead mail server delays letters and loses none. Must never know why a
//! letter is written, nor keep a secret in the outbox.

pub mod letter;
pub mod smtp;
pub mod store;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use tokio::sync::Notify;

use smtp::Server;

/// Wakes the worker of this node, so that a letter goes out at once: call `notify_one` after the transaction that
/// enqueued it has been committed.
pub type Wake = Arc<Notify>;

/// Where mail goes out, and in whose name.
#[derive(Clone, Debug)]
pub struct MailSettings {
    server: Option<Server>,
    from: Mailbox,
    public_url: String,
    /// How long the mail server may take to connect, and again to take one letter.
    pub patience: Duration,
    /// How often the outbox is looked at when nobody wakes the worker.
    pub poll: Duration,
}

/// Why settings cannot be taken. Never holds the URL, which may carry a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    #[error(
        "The URL of the mail server does not read. Write smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST?tls=required, \
         or smtp://localhost:25."
    )]
    Url,
    #[error("The URL of the mail server starts with smtps:// or smtp://.")]
    Scheme,
    #[error(
        "The URL of the mail server may end with ?tls=required; it takes no other option and no path."
    )]
    Options,
    #[error(
        "The URL of the mail server names a user without a password, or either is not well encoded. Write special characters as \
         %XX."
    )]
    Credentials,
    #[error("Mail would go to {0} unencrypted. Write smtps://, or add ?tls=required.")]
    Plaintext(String),
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    #[error("The sender of mail is not an address. Write it like: Headroom <headroom@example.org>")]
    From,
}

/// Who mail is from while nobody is named.
pub const UNNAMED: &str = "headroom@localhost";

impl MailSettings {
    /// Takes the settings of an operator: the URL of the mail server or none, the sender as `Name <address>` or as the
    /// bare address, and the address at which people reach this server.
    pub fn new(
        smtp_url: Option<&str>,
        from: &str,
        public_url: &str,
    ) -> Result<Self, SettingsFault> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        if from.chars().any(char::is_control) {
            return Err(SettingsFault::From);
        }
        Ok(Self {
            server: smtp_url
                .map(|url| Server::read(url, &public_url))
                .transpose()?,
            from: from.parse().map_err(|_| SettingsFault::From)?,
            public_url,
            patience: Duration::from_secs(20),
            poll: Duration::from_secs(5),
        })
    }

    /// Whether mail can go out at all. While it cannot, enqueue nothing and say so to the person.
    pub fn is_on(&self) -> bool {
        self.server.is_some()
    }
}
