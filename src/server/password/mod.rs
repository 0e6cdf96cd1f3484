//! Passwords: hashed with Argon2id off the threads that serve, a few at a time.
//!
//! Parameters: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet; RFC 9106 for the function). A hash that
//! was made with less is made anew when its owner signs in. Must never log or keep a password.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use crate::error::AppError;

use super::clock::random_bytes;

/// Most hashings that wait for their turn; whoever comes after is asked to come again.
const WAITING: usize = 200;
/// The longest that one waits.
const PATIENCE: Duration = Duration::from_secs(15);
/// Common passwords of at least eight characters, in lower case, from the frequency lists of the zxcvbn project (MIT).
const COMMON: &str = include_str!("common.txt");

/// Hashes and verifies.
#[derive(Clone, Debug)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    memory: Arc<Memory>,
}

/// The memory of earlier hashings, 19 MiB each, for the next ones: given back to the allocator, it would be kept for each
/// thread that ever hashed.
#[derive(Debug, Default)]
struct Memory(Mutex<Vec<Vec<Block>>>);

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let spare = self.0.lock().ok().and_then(|mut spare| spare.pop());
        let mut blocks =
            spare.unwrap_or_else(|| vec![Block::default(); Params::default().block_count()]);
        let outcome = work(&mut blocks);
        if let Ok(mut spare) = self.0.lock() {
            spare.push(blocks);
        }
        outcome
    }
}

/// What came of comparing a password with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub matches: bool,
    /// The hash was made with weaker parameters than today's.
    pub outdated: bool,
}

impl Passwords {
    /// Hashes on at most half of the cores, so that a flood of sign-ins leaves room for pages.
    pub fn for_cores(cores: usize) -> Self {
        Self {
            at_once: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: Arc::new(Semaphore::new(WAITING)),
            memory: Arc::default(),
        }
    }

    /// A new password as a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, AppError> {
        let (password, memory) = (password.to_owned(), self.memory.clone());
        self.run(move || {
            new_hash(password.as_bytes(), random_bytes(), &memory).map_err(AppError::internal)
        })
        .await?
    }

    /// Compares a password with an account's hash. Without an account it takes as long, against a hash that nothing
    /// matches.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, AppError> {
        let (password, hash) = (password.to_owned(), hash.map(ToOwned::to_owned));
        let memory = self.memory.clone();
        self.run(move || match hash {
            Some(hash) => compare(&password, &hash, &memory),
            None => {
                let verdict = compare(&password, nobodys_hash(&memory), &memory);
                Verdict {
                    matches: false,
                    ..verdict
                }
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let busy = || {
            AppError::too_many(
                "Many people are signing in at this moment. Nothing was changed; try again in a little while.",
                10,
            )
        };
        // Both go with the work, which goes on when the request is given up.
        let place = self
            .waiting
            .clone()
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let turn = tokio::time::timeout(PATIENCE, self.at_once.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(AppError::internal)?;
        tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop((turn, place));
            outcome
        })
        .await
        .map_err(AppError::internal)
    }
}

/// A PHC string under today's parameters.
fn new_hash(
    password: &[u8],
    salt: [u8; 16],
    memory: &Memory,
) -> Result<String, argon2::password_hash::Error> {
    let argon2 = Argon2::default();
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    memory
        .with(|blocks| argon2.hash_password_into_with_memory(password, &salt, &mut out, blocks))?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(Salt::new(&salt)?),
        hash: Some(Output::new(&out)?),
    };
    Ok(hash.to_string())
}

fn compare(password: &str, hash: &str, memory: &Memory) -> Verdict {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return Verdict {
            matches: false,
            outdated: false,
        };
    };
    let password = password.as_bytes();
    let outdated = is_outdated(&parsed);
    let matches = match (&parsed.salt, &parsed.hash, Params::try_from(&parsed)) {
        // Of today's size: the memory that is there serves.
        (Some(salt), Some(expected), Ok(params))
            if !outdated && params.block_count() == Params::default().block_count() =>
        {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut out = [0; Output::MAX_LENGTH];
            let out = &mut out[..expected.len()];
            memory
                .with(|blocks| argon2.hash_password_into_with_memory(password, salt, out, blocks))
                .is_ok()
                // Compares in constant time.
                && Output::new(out).is_ok_and(|out| out == *expected)
        }
        _ => Argon2::default().verify_password(password, &parsed).is_ok(),
    };
    Verdict { matches, outdated }
}

fn is_outdated(hash: &PasswordHash) -> bool {
    let today = Params::default();
    Algorithm::try_from(hash.algorithm.as_str()) != Ok(Algorithm::Argon2id)
        || Params::try_from(hash).map_or(true, |params| {
            params.m_cost() < today.m_cost() || params.t_cost() < today.t_cost()
        })
}

fn nobodys_hash(memory: &Memory) -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let password: [u8; 32] = random_bytes();
        new_hash(&password, random_bytes(), memory).unwrap_or_default()
    })
}

/// Whether the password is one that many people use.
pub fn is_common(password: &str) -> bool {
    static SET: OnceLock<HashSet<&'static str>> = OnceLock::new();
    SET.get_or_init(|| COMMON.lines().collect())
        .contains(password.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher as _;

    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_hash_alone() {
        let passwords = Passwords::for_cores(2);
        let long = format!("{}a", "é".repeat(1000));
        for password in [
            "correct horse battery",
            "  spaces  ",
            "\u{1f980} crab",
            &long,
        ] {
            let hash = passwords.hash(password).await.expect("hashes");
            assert!(
                hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
                "{hash}"
            );
            assert!(!hash.contains(password));
            let same = passwords
                .verify(password, Some(&hash))
                .await
                .expect("compares");
            assert_eq!((same.matches, same.outdated), (true, false));
            // Nothing is cut off or folded.
            for other in [
                &format!("{password}x"),
                password.trim_end_matches('a'),
                &password.to_uppercase(),
            ] {
                if other != password {
                    let other = passwords
                        .verify(other, Some(&hash))
                        .await
                        .expect("compares");
                    assert!(!other.matches);
                }
            }
        }
        assert!(
            !passwords
                .verify("anything", None)
                .await
                .expect("compares")
                .matches
        );
        assert!(
            !passwords
                .verify("anything", Some("not a hash"))
                .await
                .expect("compares")
                .matches
        );
    }

    #[tokio::test]
    async fn a_weak_hash_is_outdated() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            argon2::Version::default(),
            Params::new(8 * 1024, 1, 1, None).expect("parameters"),
        )
        .hash_password_with_salt(b"correct horse battery", &[7; 16])
        .expect("hashes")
        .to_string();
        let verdict = Passwords::for_cores(2)
            .verify("correct horse battery", Some(&weak))
            .await
            .expect("compares");
        assert_eq!((verdict.matches, verdict.outdated), (true, true));
    }

    #[test]
    fn common_passwords_are_known() {
        for common in ["password1", "PASSWORD", "12345678", "iloveyou", "1q2w3e4r"] {
            assert!(is_common(common), "{common}");
        }
        assert!(COMMON.lines().filter(|line| line.len() >= 8).count() >= 3000);
        assert!(!is_common("correct horse battery"));
    }
}
