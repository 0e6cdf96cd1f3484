//! What a page says was done before it was opened.

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
            Self::MailQueued => "The message will be tried again within two minutes.",
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

/// `1 attempt`, `3 attempts`.
pub fn counted(count: impl Into<i64>, one: &str, many: &str) -> String {
    match count.into() {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
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
}
