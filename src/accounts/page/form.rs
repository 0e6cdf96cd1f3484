//! What a form of these pages comes back with, and what a page says was done.
//!
//! Must never hold a secret: what was typed into a password or a code is dropped on the way in.

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::error::{FieldFault, Wait};
use crate::ui::field::Entry;

use super::{counted, wait_words};

/// Fields whose value is never kept: a password, a code, the address that is typed to confirm a deletion.
const NEVER_SHOWN: [&str; 4] = ["password", "current", "code", "confirm"];

/// What was typed into a form, what is wrong with it, and what was done before the page was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormState {
    /// Which form of the page was sent; empty where the page has one.
    form: &'static str,
    values: BTreeMap<String, String>,
    faults: Vec<FieldFault>,
    notice: Option<Notice>,
    wait: Option<Wait>,
}

impl FormState {
    /// A form that was sent, with its values. `form` names it on a page that has several: the last part of the
    /// address that it posts to.
    pub fn of(
        form: &'static str,
        values: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(name, _)| !NEVER_SHOWN.contains(&name.as_str()))
            .collect();
        Self {
            form,
            values,
            ..Self::default()
        }
    }

    /// A fault of a field that the page does not have, such as "", is told at the top of the page.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<FieldFault>) -> Self {
        self.faults = faults;
        self
    }

    #[must_use]
    pub fn with_notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }

    /// A limit is reached: the form was not looked at.
    #[must_use]
    pub fn with_wait(mut self, wait: Wait) -> Self {
        self.wait = Some(wait);
        self
    }

    /// The seconds to wait before another try; 0 when there is no need, or it does not help.
    pub(super) fn wait_seconds(&self) -> u32 {
        self.wait.as_ref().map_or(0, |wait| wait.seconds)
    }

    /// What was typed into a field; empty for what was not sent.
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// What is wrong with a field; the first of several faults.
    pub fn fault(&self, field: &str) -> Option<&str> {
        self.faults
            .iter()
            .find(|fault| fault.field == field)
            .map(|fault| fault.message.as_str())
    }

    /// A field of a page with one form.
    pub(super) fn entry(&self, name: &'static str, stored: &str) -> Entry {
        self.part("").entry(name, stored)
    }

    /// One form of a page with several.
    pub(super) fn part(&self, name: &'static str) -> Part<'_> {
        Part { form: self, name }
    }

    fn id(form: &str, field: &str) -> String {
        if form.is_empty() {
            field.to_owned()
        } else {
            format!("{form}-{field}")
        }
    }

    /// Whether the faults are listed at the top: when there are several, or one has no field to stand beside.
    fn summarized(&self, fields: &[&str]) -> bool {
        self.faults.len() > 1
            || self
                .faults
                .iter()
                .any(|fault| !fields.contains(&fault.field.as_str()))
    }

    /// What stands above the content: what was done, what has to wait, what is wrong.
    pub(super) fn messages(&self, fields: &[&str]) -> AnyView {
        let notice = self
            .notice
            .map(|notice| view! { <p class="notice" role="status">{notice.text()}</p> });
        let wait = self.wait.clone().map(|wait| {
            let again =
                (wait.seconds > 0).then(|| format!(" Try again in {}.", wait_words(wait.seconds)));
            view! { <p class="notice fault" role="alert">{wait.message}{again}</p> }
        });
        let summary = self.summarized(fields).then(|| {
            let lines = self
                .faults
                .iter()
                .map(|fault| {
                    let message = fault.message.clone();
                    if fields.contains(&fault.field.as_str()) {
                        let to = format!("#{}", Self::id(self.form, &fault.field));
                        view! { <li><a href=to>{message}</a></li> }.into_any()
                    } else {
                        view! { <li>{message}</li> }.into_any()
                    }
                })
                .collect_view();
            let told = if let [only] = self.faults.as_slice() {
                view! { <p>{only.message.clone()}</p> }.into_any()
            } else {
                view! {
                    <p><b>{format!("{} things have to change:", self.faults.len())}</b></p>
                    <ul>{lines}</ul>
                }
                .into_any()
            };
            view! { <div class="notice fault" id="faults" role="alert" tabindex="-1" autofocus=true>{told}</div> }
        });
        view! { {notice}{wait}{summary} }.into_any()
    }
}

/// One form of a page: what was sent counts only for the form that sent it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    form: &'a FormState,
    name: &'static str,
}

impl Part<'_> {
    /// A field with what was typed, or with what is stored as long as nothing was.
    pub(super) fn entry(&self, name: &'static str, stored: &str) -> Entry {
        let sent = self.form.form == self.name;
        let shown = !NEVER_SHOWN.contains(&name);
        let typed = self.form.values.get(name).filter(|_| sent);
        let fault = self.form.fault(name).filter(|_| sent);
        Entry {
            id: FormState::id(self.name, name),
            name,
            value: if shown {
                typed.map_or(stored, String::as_str).to_owned()
            } else {
                String::new()
            },
            fault: fault.map(ToOwned::to_owned),
            focus: fault.is_some() && self.form.faults.len() == 1,
        }
    }
}

/// What was done before a page was opened. It travels in the address as `?done=SLUG`, which anybody can write: so the
/// texts are fixed, and only numbers vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    SignedOut,
    /// With how many attempts of the browser's guest the account took over.
    SignedUp {
        claimed: u32,
    },
    SignedIn {
        claimed: u32,
    },
    ProfileSaved,
    PasswordChanged,
    /// By a link; every session was ended.
    PasswordReset,
    EmailChanged,
    VerificationSent,
    EmailVerified,
    SessionEnded,
    SessionsEnded {
        count: u32,
    },
    SecondFactorOn,
    SecondFactorOff,
    Deleted,
    Imported {
        added: u32,
        already: u32,
    },
    ShareRevoked,
    RoleGranted,
    RoleRevoked,
    AccountDisabled,
    AccountEnabled,
    MailQueued,
}

impl Notice {
    const PLAIN: [(&'static str, Self); 17] = [
        ("signed-out", Self::SignedOut),
        ("profile-saved", Self::ProfileSaved),
        ("password-changed", Self::PasswordChanged),
        ("password-reset", Self::PasswordReset),
        ("email-changed", Self::EmailChanged),
        ("verification-sent", Self::VerificationSent),
        ("email-verified", Self::EmailVerified),
        ("session-ended", Self::SessionEnded),
        ("second-factor-on", Self::SecondFactorOn),
        ("second-factor-off", Self::SecondFactorOff),
        ("deleted", Self::Deleted),
        ("share-revoked", Self::ShareRevoked),
        ("role-granted", Self::RoleGranted),
        ("role-revoked", Self::RoleRevoked),
        ("account-disabled", Self::AccountDisabled),
        ("account-enabled", Self::AccountEnabled),
        ("mail-queued", Self::MailQueued),
    ];

    /// As it stands in an address: `signed-in-3` carries a number, `imported-3-1` two.
    pub fn slug(self) -> String {
        match self {
            Self::SignedUp { claimed } => format!("signed-up-{claimed}"),
            Self::SignedIn { claimed } => format!("signed-in-{claimed}"),
            Self::SessionsEnded { count } => format!("sessions-ended-{count}"),
            Self::Imported { added, already } => format!("imported-{added}-{already}"),
            plain => Self::PLAIN
                .into_iter()
                .find(|(_, notice)| *notice == plain)
                .map_or_else(String::new, |(slug, _)| slug.to_owned()),
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        let number = |prefix: &str| slug.strip_prefix(prefix)?.parse().ok();
        if let Some((_, notice)) = Self::PLAIN.into_iter().find(|(known, _)| *known == slug) {
            return Some(notice);
        }
        if let Some(claimed) = number("signed-up-") {
            return Some(Self::SignedUp { claimed });
        }
        if let Some(claimed) = number("signed-in-") {
            return Some(Self::SignedIn { claimed });
        }
        if let Some(count) = number("sessions-ended-") {
            return Some(Self::SessionsEnded { count });
        }
        let (added, already) = slug.strip_prefix("imported-")?.split_once('-')?;
        Some(Self::Imported {
            added: added.parse().ok()?,
            already: already.parse().ok()?,
        })
    }

    /// What was done, for the person.
    pub fn text(self) -> String {
        let fixed = match self {
            Self::SignedUp { claimed } => {
                return format!("Your account is made.{}", claimed_words(claimed));
            }
            Self::SignedIn { claimed } => {
                return format!("You are signed in.{}", claimed_words(claimed));
            }
            Self::SessionsEnded { count: 0 } => "There was no other session to end.",
            Self::SessionsEnded { count } => {
                return format!("{} ended.", counted(count, "session was", "sessions were"));
            }
            Self::Imported { added, already: 0 } => {
                return format!(
                    "{} brought in.",
                    counted(added, "attempt was", "attempts were")
                );
            }
            Self::Imported { added, already } => {
                return format!(
                    "{} brought in. {} here already and stayed as you have it now.",
                    counted(added, "attempt was", "attempts were"),
                    counted(already, "attempt was", "attempts were"),
                );
            }
            Self::SignedOut => "You are signed out.",
            Self::ProfileSaved => "Your profile is saved.",
            Self::PasswordChanged => "Your password is changed. Every other session was ended.",
            Self::PasswordReset => {
                "Your password is changed and every session was ended. Sign in with the new one."
            }
            Self::EmailChanged => "Your email address is changed.",
            Self::VerificationSent => {
                "A message is on its way to you. Open the link in it within 7 days."
            }
            Self::EmailVerified => "Your email address is verified.",
            Self::SessionEnded => "The session was ended.",
            Self::SecondFactorOn => "The second factor is on.",
            Self::SecondFactorOff => "The second factor is off. Your password alone signs you in.",
            Self::Deleted => "Your account and everything in it is deleted.",
            Self::ShareRevoked => "The link is revoked. Nobody can open it any more.",
            Self::RoleGranted => "The role is granted.",
            Self::RoleRevoked => "The role is revoked, and the account's sessions were ended.",
            Self::AccountDisabled => "The account is disabled, and its sessions were ended.",
            Self::AccountEnabled => "The account is enabled. The person can sign in again.",
            Self::MailQueued => "The message will be tried again within a minute.",
        };
        fixed.to_owned()
    }
}

fn claimed_words(claimed: u32) -> String {
    if claimed == 0 {
        String::new()
    } else {
        format!(
            " {} of this browser now {} to it.",
            counted(claimed, "attempt", "attempts"),
            if claimed == 1 { "belongs" } else { "belong" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_reads_back_and_nothing_else_is_one() {
        let counted = [
            Notice::SignedUp { claimed: 0 },
            Notice::SignedIn { claimed: 3 },
            Notice::SessionsEnded { count: 12 },
            Notice::Imported {
                added: 2,
                already: 1,
            },
        ];
        let plain = Notice::PLAIN.into_iter().map(|(_, notice)| notice);
        for notice in plain.chain(counted) {
            assert!(!notice.slug().is_empty() && !notice.text().is_empty());
            assert_eq!(Notice::from_slug(&notice.slug()), Some(notice));
        }
        for slug in [
            "",
            "<script>",
            "signed-up",
            "signed-up-",
            "signed-up--1",
            "signed-up-99999999999",
            "imported-1",
            "imported-1-x",
            "Signed-out",
        ] {
            assert_eq!(Notice::from_slug(slug), None, "{slug}");
        }
    }

    #[test]
    fn secrets_do_not_come_back() {
        let sent = [
            ("email", "a@b.example"),
            ("password", "hunter22"),
            ("current", "hunter21"),
            ("code", "123456"),
            ("confirm", "a@b.example"),
        ];
        let form = FormState::of("", sent);
        assert_eq!(form.value("email"), "a@b.example");
        for secret in NEVER_SHOWN {
            assert_eq!(form.value(secret), "");
            assert_eq!(form.entry(secret, "stored").value, "");
        }
        assert!(!format!("{form:?}").contains("hunter"));
    }

    #[test]
    fn what_was_sent_counts_for_its_own_form() {
        let fault = |field: &str| FieldFault {
            field: field.to_owned(),
            message: format!("{field} is wrong"),
        };
        let form = FormState::of("email", [("email", "typed")]).with_faults(vec![fault("email")]);
        let sent = form.part("email").entry("email", "stored");
        assert_eq!(
            (sent.id.as_str(), sent.value.as_str()),
            ("email-email", "typed")
        );
        assert!(sent.focus && sent.fault.is_some());
        let other = form.part("profile").entry("email", "stored");
        assert_eq!(other.value, "stored");
        assert!(!other.focus && other.fault.is_none());
        // One fault beside its field needs no summary; one without a field does, and so do several.
        assert!(!form.summarized(&["email"]));
        assert!(form.summarized(&["name"]));
        let several = form.with_faults(vec![fault("email"), fault("password")]);
        assert!(several.summarized(&["email", "password"]));
        assert!(!several.part("email").entry("email", "").focus);
    }
}
