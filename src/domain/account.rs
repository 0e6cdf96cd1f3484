//! An account: its roles, and the rules for what a person types about themselves.
//!
//! Must never know how a password is hashed or where an account is kept.

/// What a text of one line may be at most, in characters.
pub const NAME_CHARACTERS: usize = 100;
/// RFC 5321, section 4.5.3.1.3: a path has at most 256 octets, of which two are the angle brackets.
pub const EMAIL_BYTES: usize = 254;
/// OWASP ASVS 5.0, 6.2.1: at least 8 characters, 15 are advised.
pub const PASSWORD_CHARACTERS: usize = 8;
/// Far above what a person types; hashing takes the same time for all of these.
pub const LONGEST_PASSWORD_BYTES: usize = 4096;

/// Hours a week that somebody can have for practising.
pub const HOURS_A_WEEK: std::ops::RangeInclusive<i64> = 1..=80;

/// What is granted to an account beyond what everybody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reviews what others submit.
    Mentor,
    /// Looks after accounts and the service.
    Administrator,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Mentor, Self::Administrator];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Mentor => "mentor",
            Self::Administrator => "administrator",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Mentor => "Mentor",
            Self::Administrator => "Administrator",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.slug() == slug)
    }
}

/// A name as it is kept: without space around it and without double spaces, or what is wrong with it.
pub fn name(typed: &str) -> Result<String, String> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if !name.chars().any(char::is_alphanumeric) {
        return Err(
            "Type the name that others should see, with a letter or a digit in it.".to_owned(),
        );
    }
    if name.chars().count() > NAME_CHARACTERS {
        return Err(format!("A name has at most {NAME_CHARACTERS} characters."));
    }
    if name.chars().any(is_unprintable) {
        return Err("A name has no control characters.".to_owned());
    }
    Ok(name)
}

/// Control characters, and marks that turn the direction of the text around them.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An address for mail as it is kept, or what is wrong with it. Only a mail can tell whether it works: what is checked is
/// that it can be written to.
pub fn email(typed: &str) -> Result<String, String> {
    let email = typed.trim();
    if email.is_empty() {
        return Err("Type your email address.".to_owned());
    }
    if email.len() > EMAIL_BYTES {
        return Err(format!("An address has at most {EMAIL_BYTES} characters."));
    }
    let broken = email.chars().any(|character| {
        character.is_whitespace()
            || is_unprintable(character)
            || "<>()[],;:\\\"".contains(character)
    });
    let (local, domain) = email.rsplit_once('@').unwrap_or_default();
    let labels_hold = !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if broken || local.is_empty() || local.len() > 64 || local.contains('@') || !labels_hold {
        return Err("This does not read as an address. It looks like name@example.org.".to_owned());
    }
    Ok(email.to_owned())
}

/// What two spellings of one address have in common. Providers take upper and lower case alike.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What is wrong with a new password, apart from being a common one. Nothing else is asked of it: any characters, and its
/// length is what protects.
pub fn password_fault(password: &str, name: &str, email: &str) -> Option<String> {
    let characters = password.chars().count();
    if characters < PASSWORD_CHARACTERS {
        return Some(format!(
            "A password has at least {PASSWORD_CHARACTERS} characters; 15 or more are better. This one has {characters}."
        ));
    }
    if password.len() > LONGEST_PASSWORD_BYTES {
        return Some(format!(
            "A password has at most {LONGEST_PASSWORD_BYTES} bytes. Choose a shorter one."
        ));
    }
    let lowered = password.to_lowercase();
    let first = lowered.chars().next();
    if lowered.chars().all(|character| Some(character) == first) {
        return Some("This is one character again and again. Choose another password.".to_owned());
    }
    let email = email_key(email);
    let local = email.split('@').next().unwrap_or_default();
    let own = [email.as_str(), local, &name.trim().to_lowercase()];
    if own.iter().any(|own| *own == lowered) {
        return Some("This is your name or your address. Choose another password.".to_owned());
    }
    None
}

/// Browser and system in a few words, from what the browser says of itself. What it says is not to be trusted; it only
/// helps a person to recognize their own.
pub fn device_words(user_agent: &str) -> String {
    let has = |part: &str| user_agent.contains(part);
    let browser = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]
    .into_iter()
    .find(|(part, _)| has(part))
    .map_or("A browser", |(_, name)| name);
    let system = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find(|(part, _)| has(part));
    system.map_or_else(
        || browser.to_owned(),
        |(_, system)| format!("{browser} on {system}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_printable() {
        assert_eq!(name("  Ada   Lovelace "), Ok("Ada Lovelace".to_owned()));
        assert_eq!(name("李小龍"), Ok("李小龍".to_owned()));
        for refused in [
            "",
            "  \t",
            "a\0b",
            "a\u{202e}b",
            "\u{200b}",
            "...",
            &"x".repeat(101),
        ] {
            assert!(name(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn addresses_can_be_written_to() {
        for taken in [
            "a@b",
            "ada.lovelace+x@example.org",
            "ünï@exämple.org",
            "o'neil@x-y.example",
            " a@b.c ",
        ] {
            assert_eq!(email(taken).as_deref(), Ok(taken.trim()), "{taken:?}");
        }
        let long = format!("{}@example.org", "x".repeat(65));
        for refused in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c.d",
            "a@b\r\nBcc: x@y",
            "a@.b",
            "a@b..c",
            "a@-b.c",
            "<a@b.c>",
            "a@b.c,d@e.f",
            &long,
        ] {
            assert!(email(refused).is_err(), "{refused:?}");
        }
        assert_eq!(email_key(" Ada@Example.ORG"), "ada@example.org");
    }

    #[test]
    fn a_password_is_long_and_not_ones_own_name() {
        let fault =
            |password: &str| password_fault(password, "Ada Lovelace", "ada.lovelace@example.org");
        for taken in [
            "12345 67",
            "grün ist grün",
            "🦀🦀🦀🦀🦀🦀🦀x",
            &"long ".repeat(100),
        ] {
            assert_eq!(fault(taken), None, "{taken:?}");
        }
        for refused in [
            "",
            "seven77",
            "🦀🦀🦀🦀🦀🦀🦀",
            "aaaaaaaaaaaa",
            "Ada Lovelace",
            "ADA.LOVELACE",
            "ada.lovelace@example.org",
            &"x y".repeat(2000),
        ] {
            assert!(fault(refused).is_some(), "{refused:?}");
        }
    }

    #[test]
    fn devices_are_recognized() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("", "A browser"),
            ("\u{1b}[31m<script>", "A browser"),
        ] {
            assert_eq!(device_words(agent), words);
        }
    }
}
