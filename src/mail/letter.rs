//! The letters that we write, and their texts.
//!
//! Short and plain: whose account, what happened, when, and what to do about it. A subject holds no text of a person's.
//! Must never know the outbox, a mail server, or a password.

use serde::{Deserialize, Serialize};

use crate::accounts::store::token::Purpose;
use crate::domain::attempt::UnixMillis;

/// The most characters that a letter repeats of what somebody else wrote, as the name of a device.
const LONGEST_QUOTE: usize = 200;

/// What a letter says. What a link needs is no part of it: that is made when the letter is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "kebab-case")]
pub enum Letter {
    /// Asks whether `email` is the account's, with a link. Goes to `email`.
    VerifyAddress {
        email: String,
    },
    /// Gives a link to choose a new password.
    ResetPassword,
    /// Tells of a sign-in from a device that was not seen before.
    NewSignIn {
        device: String,
        address: String,
        at: UnixMillis,
    },
    PasswordChanged {
        at: UnixMillis,
    },
    /// Goes to the address that was replaced.
    AddressChanged {
        new_email: String,
    },
    SecondFactorChanged {
        on: bool,
        at: UnixMillis,
    },
}

/// What a text needs to know besides its letter.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    pub recipient: &'a str,
    /// When the letter was asked for.
    pub at: UnixMillis,
    /// The whole address of the link; empty for a letter without one.
    pub link: &'a str,
    pub public_url: &'a str,
}

impl Letter {
    /// The name of its kind in the outbox.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::VerifyAddress { .. } => "verify-address",
            Self::ResetPassword => "reset-password",
            Self::NewSignIn { .. } => "new-sign-in",
            Self::PasswordChanged { .. } => "password-changed",
            Self::AddressChanged { .. } => "address-changed",
            Self::SecondFactorChanged { .. } => "second-factor-changed",
        }
    }

    /// What its text names, as JSON.
    pub fn detail(&self) -> String {
        let whole = serde_json::to_value(self).unwrap_or_default();
        whole
            .get("detail")
            .unwrap_or(&serde_json::Value::Null)
            .to_string()
    }

    /// The letter that [`kind`](Self::kind) and [`detail`](Self::detail) were taken from.
    pub fn read(kind: &str, detail: &str) -> Option<Self> {
        let detail: serde_json::Value = serde_json::from_str(detail).ok()?;
        serde_json::from_value(serde_json::json!({ "kind": kind, "detail": detail })).ok()
    }

    /// What its link is for.
    pub fn link(&self) -> Option<Purpose> {
        match self {
            Self::VerifyAddress { .. } => Some(Purpose::VerifyEmail),
            Self::ResetPassword => Some(Purpose::ResetPassword),
            _ => None,
        }
    }

    pub fn subject(&self) -> &'static str {
        match self {
            Self::VerifyAddress { .. } => "Headroom: confirm your address",
            Self::ResetPassword => "Headroom: choose a new password",
            Self::NewSignIn { .. } => "Headroom: a new sign-in to your account",
            Self::PasswordChanged { .. } => "Headroom: your password was changed",
            Self::AddressChanged { .. } => "Headroom: your address was changed",
            Self::SecondFactorChanged { on: true, .. } => {
                "Headroom: two-step sign-in was turned on"
            }
            Self::SecondFactorChanged { on: false, .. } => {
                "Headroom: two-step sign-in was turned off"
            }
        }
    }

    /// The text, with LF at the ends of its lines.
    pub fn text(&self, occasion: &Occasion<'_>) -> String {
        let Occasion {
            recipient,
            at: asked_at,
            link,
            public_url,
        } = *occasion;
        let account = quoted(recipient);
        let paragraphs = match self {
            Self::VerifyAddress { email } => vec![
                format!(
                    "On {}, this address was given\nfor an account: {}",
                    moment(asked_at),
                    quoted(email)
                ),
                "Open this page to confirm that it is yours:".to_owned(),
                link.to_owned(),
                "The link works once, and for 7 days.".to_owned(),
                "If it was not you, ignore this mail.".to_owned(),
            ],
            Self::ResetPassword => vec![
                format!(
                    "On {}, a new password was asked\nfor the account of {account}.",
                    moment(asked_at)
                ),
                "Open this page to choose one:".to_owned(),
                link.to_owned(),
                "The link works once, and for one hour.".to_owned(),
                "If it was not you, ignore this mail. Your password stays as it is.".to_owned(),
            ],
            Self::NewSignIn {
                device,
                address,
                at,
            } => vec![
                format!("There was a new sign-in to the account of {account}."),
                format!(
                    "When: {}\nDevice: {}\nAddress: {}",
                    moment(*at),
                    quoted(device),
                    quoted(address)
                ),
                "If it was you, there is nothing to do.".to_owned(),
                "If it was not you, change your password at once. That ends every session."
                    .to_owned(),
            ],
            Self::PasswordChanged { at } => vec![
                format!(
                    "On {}, the password was changed\nfor the account of {account}.",
                    moment(*at)
                ),
                "If it was you, there is nothing to do.".to_owned(),
                "If it was not you, choose a new password at once: the page where you sign in\n\
                 mails you a link for it."
                    .to_owned(),
            ],
            Self::AddressChanged { new_email } => vec![
                format!(
                    "On {}, the address of your account was changed.",
                    moment(asked_at)
                ),
                format!("Before: {account}\nNow: {}", quoted(new_email)),
                "If it was you, there is nothing to do. Mail goes to the new address.".to_owned(),
                "If it was not you, tell the people who run this server at once. They can give\n\
                 the account back to you."
                    .to_owned(),
            ],
            Self::SecondFactorChanged { on, at } => vec![
                format!(
                    "On {}, two-step sign-in was turned {}\nfor the account of {account}.",
                    moment(*at),
                    if *on { "on" } else { "off" }
                ),
                "If it was you, there is nothing to do.".to_owned(),
                "If it was not you, change your password at once. That ends every session."
                    .to_owned(),
            ],
        };
        format!("{}\n\nHeadroom\n{public_url}\n", paragraphs.join("\n\n"))
    }
}

/// A moment in UTC: `1 March 2026 at 09:05 UTC`.
fn moment(at: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(
        |_| "an unknown day".to_owned(),
        |at| at.strftime("%-d %B %Y at %H:%M UTC").to_string(),
    )
}

/// What somebody wrote, on one line and not too long, so that it cannot pass for a line of ours.
fn quoted(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() <= LONGEST_QUOTE {
        return line;
    }
    let mut short: String = line.chars().take(LONGEST_QUOTE).collect();
    short.push_str("...");
    short
}

/// A text without line breaks, other control characters and marks that turn the direction of writing; each run of those
/// and of spaces becomes one space.
pub(super) fn one_line(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.split(is_hidden)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> Vec<Letter> {
        let at = 1_772_355_900_000;
        vec![
            Letter::VerifyAddress {
                email: "new@example.org".to_owned(),
            },
            Letter::ResetPassword,
            Letter::NewSignIn {
                device: "Firefox on Linux".to_owned(),
                address: "192.0.2.7".to_owned(),
                at,
            },
            Letter::PasswordChanged { at },
            Letter::AddressChanged {
                new_email: "new@example.org".to_owned(),
            },
            Letter::SecondFactorChanged { on: true, at },
            Letter::SecondFactorChanged { on: false, at },
        ]
    }

    fn text(letter: &Letter) -> String {
        letter.text(&Occasion {
            recipient: "ada@example.org",
            at: 1_772_355_900_000,
            link: "https://practice.example/the-link",
            public_url: "https://practice.example",
        })
    }

    #[test]
    fn a_letter_comes_back_from_its_row() {
        for letter in every() {
            let tag = serde_json::to_value(&letter).expect("encodes")["kind"].clone();
            assert_eq!(tag, letter.kind());
            assert_eq!(
                Letter::read(letter.kind(), &letter.detail()),
                Some(letter.clone()),
                "{}",
                letter.detail()
            );
        }
        for (kind, detail) in [
            ("verify-address", "{}"),
            ("verify-address", "not json"),
            ("unheard-of", "null"),
            ("new-sign-in", "null"),
        ] {
            assert_eq!(Letter::read(kind, detail), None, "{kind} {detail}");
        }
    }

    #[test]
    fn every_text_says_when_and_ends_with_the_address_of_the_server() {
        for letter in every() {
            let text = text(&letter);
            assert!(text.contains("1 March 2026 at 09:05 UTC"), "{text}");
            assert!(
                text.ends_with("\nHeadroom\nhttps://practice.example\n"),
                "{text}"
            );
            assert!(text.contains("If it was not you, "), "{text}");
            assert!(
                text.contains("ada@example.org") != matches!(letter, Letter::VerifyAddress { .. }),
                "{text}"
            );
            assert_eq!(text.contains("the-link"), letter.link().is_some(), "{text}");
            assert!(
                text.lines().all(|line| line.chars().count() <= 78),
                "{text}"
            );
        }
    }

    #[test]
    fn the_texts() {
        insta::assert_snapshot!(
            every()
                .iter()
                .map(|letter| format!("Subject: {}\n\n{}", letter.subject(), text(letter)))
                .collect::<Vec<_>>()
                .join("----\n"),
            @r"
            Subject: Headroom: confirm your address

            On 1 March 2026 at 09:05 UTC, this address was given
            for an account: new@example.org

            Open this page to confirm that it is yours:

            https://practice.example/the-link

            The link works once, and for 7 days.

            If it was not you, ignore this mail.

            Headroom
            https://practice.example
            ----
            Subject: Headroom: choose a new password

            On 1 March 2026 at 09:05 UTC, a new password was asked
            for the account of ada@example.org.

            Open this page to choose one:

            https://practice.example/the-link

            The link works once, and for one hour.

            If it was not you, ignore this mail. Your password stays as it is.

            Headroom
            https://practice.example
            ----
            Subject: Headroom: a new sign-in to your account

            There was a new sign-in to the account of ada@example.org.

            When: 1 March 2026 at 09:05 UTC
            Device: Firefox on Linux
            Address: 192.0.2.7

            If it was you, there is nothing to do.

            If it was not you, change your password at once. That ends every session.

            Headroom
            https://practice.example
            ----
            Subject: Headroom: your password was changed

            On 1 March 2026 at 09:05 UTC, the password was changed
            for the account of ada@example.org.

            If it was you, there is nothing to do.

            If it was not you, choose a new password at once: the page where you sign in
            mails you a link for it.

            Headroom
            https://practice.example
            ----
            Subject: Headroom: your address was changed

            On 1 March 2026 at 09:05 UTC, the address of your account was changed.

            Before: ada@example.org
            Now: new@example.org

            If it was you, there is nothing to do. Mail goes to the new address.

            If it was not you, tell the people who run this server at once. They can give
            the account back to you.

            Headroom
            https://practice.example
            ----
            Subject: Headroom: two-step sign-in was turned on

            On 1 March 2026 at 09:05 UTC, two-step sign-in was turned on
            for the account of ada@example.org.

            If it was you, there is nothing to do.

            If it was not you, change your password at once. That ends every session.

            Headroom
            https://practice.example
            ----
            Subject: Headroom: two-step sign-in was turned off

            On 1 March 2026 at 09:05 UTC, two-step sign-in was turned off
            for the account of ada@example.org.

            If it was you, there is nothing to do.

            If it was not you, change your password at once. That ends every session.

            Headroom
            https://practice.example
            "
        );
    }

    #[test]
    fn what_others_wrote_stays_on_its_line() {
        let letter = |device: &str| Letter::NewSignIn {
            device: device.to_owned(),
            address: "192.0.2.7".to_owned(),
            at: 0,
        };
        let lines = text(&letter("Firefox")).lines().count();
        for device in [
            "Firefox\r\n\r\nOpen this page: bad",
            "a\rb\nc",
            "a\u{2028}b\u{85}c",
            "\0\u{1b}[2J\u{202e}x",
            &"long ".repeat(500),
        ] {
            let text = text(&letter(device));
            assert_eq!(text.lines().count(), lines, "{text:?}");
            assert!(
                !text.contains(['\r', '\0', '\u{1b}', '\u{202e}', '\u{2028}', '\u{85}']),
                "{text:?}"
            );
            assert!(text.lines().all(|line| line.chars().count() < 220));
        }
    }

    #[test]
    fn any_time_has_words() {
        for at in [i64::MIN, i64::MAX, -1] {
            let letter = Letter::PasswordChanged { at };
            assert!(text(&letter).starts_with("On "));
        }
    }
}
