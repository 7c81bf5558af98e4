//! Local passwords: what may be one, and how one is kept and checked.
//!
//! Kept as argon2id in the usual text form, so that each hash carries its own parameters. Memory is
//! configured, the number of passes is calibrated once to a duration. Checks run on a bounded number of
//! threads of their own: a hundred people who sign in at once wait for each other, and nobody else waits.

use std::{sync::Arc, time::Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use portico_core::Secret;
use subtle::ConstantTimeEq;
use tokio::sync::{OnceCell, Semaphore};

use crate::{config::PasswordConfig, entropy, error::Error};

const SALT: usize = 16;
const OUTPUT: usize = 32;
/// Longest password that is looked at, in bytes; a longer one is refused before any work.
pub const MAX_LENGTH: usize = 512;
/// Fewest passes, whatever the calibration says; with 19 MiB the floor that OWASP names.
const MIN_PASSES: u32 = 2;
const MAX_PASSES: u32 = 16;
/// Checks that may wait for their turn; more are turned away.
const MAX_WAITING: usize = 256;

/// A hash in text form, `$argon2id$v=19$m=..,t=..,p=1$salt$hash`.
#[derive(Clone)]
pub struct PasswordHash {
    cost: Cost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

/// What one check costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
}

/// Hashes and checks passwords.
pub struct Passwords {
    config: PasswordConfig,
    cost: OnceCell<Cost>,
    turns: Arc<Semaphore>,
    waiting: Semaphore,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but kept at a lower cost than today's: hash again and keep that.
    RightButOutdated,
}

impl Passwords {
    #[must_use]
    pub fn new(config: PasswordConfig) -> Self {
        let turns = usize::try_from(config.parallel.clamp(1, 64)).unwrap_or(1);
        Self {
            config,
            cost: OnceCell::new(),
            turns: Arc::new(Semaphore::new(turns)),
            waiting: Semaphore::new(MAX_WAITING),
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn hash(&self, password: &Secret) -> Result<Secret, Error> {
        let cost = self.cost().await?;
        let salt = entropy::bytes::<SALT>().to_vec();
        let output = self.derive(password.clone(), salt.clone(), cost).await?;
        Ok(Secret::new(PasswordHash { cost, salt, output }.to_text()))
    }

    /// Checks a password against what is kept; `None` (no such account, or no password) costs the same.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already; [`Error::Internal`] when the kept text is damaged.
    pub async fn verify(&self, password: &Secret, kept: Option<&str>) -> Result<Verdict, Error> {
        let now = self.cost().await?;
        let hash = kept.map(PasswordHash::parse).transpose()?;
        let (salt, cost) = match &hash {
            Some(hash) => (hash.salt.clone(), hash.cost),
            None => (vec![0; SALT], now),
        };
        let output = self.derive(password.clone(), salt, cost).await?;
        let Some(hash) = hash else { return Ok(Verdict::Wrong) };
        let right: bool = hash.output.ct_eq(&output).into();
        Ok(match right {
            false => Verdict::Wrong,
            true if hash.cost == now => Verdict::Right,
            true => Verdict::RightButOutdated,
        })
    }

    /// The cost of new hashes, measured at the first use.
    async fn cost(&self) -> Result<Cost, Error> {
        let measured = self.cost.get_or_try_init(|| async {
            let memory_kib = self.config.memory_mib.clamp(19, 256) * 1024;
            let one = Cost { memory_kib, passes: 1 };
            let began = Instant::now();
            self.derive(Secret::new("calibration"), vec![0; SALT], one).await?;
            let took = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX).max(1);
            let passes = (self.config.milliseconds / took).clamp(MIN_PASSES, MAX_PASSES);
            Ok::<_, Error>(Cost { memory_kib, passes })
        });
        measured.await.copied()
    }

    async fn derive(&self, password: Secret, salt: Vec<u8>, cost: Cost) -> Result<Vec<u8>, Error> {
        let _place = self
            .waiting
            .try_acquire()
            .map_err(|full| Error::Unavailable { what: "the password check", source: Box::new(full) })?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Error::internal)?;
        let work = tokio::task::spawn_blocking(move || {
            let output = derive(password.expose().as_bytes(), &salt, cost);
            drop(turn);
            output
        });
        work.await.map_err(Error::internal)?
    }
}

fn derive(password: &[u8], salt: &[u8], cost: Cost) -> Result<Vec<u8>, Error> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(OUTPUT)).map_err(damaged)?;
    let mut output = vec![0; OUTPUT];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut output)
        .map_err(damaged)?;
    Ok(output)
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("a password hash cannot be computed: {error}"))
}

impl PasswordHash {
    fn to_text(&self) -> String {
        let Cost { memory_kib, passes } = self.cost;
        let (salt, output) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.output));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${output}")
    }

    fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| Error::internal("a stored password hash is damaged"))
    }

    fn read(text: &str) -> Option<Self> {
        let (params, rest) = text.strip_prefix("$argon2id$v=19$m=")?.split_once(",p=1$")?;
        let (memory, passes) = params.split_once(",t=")?;
        let (salt, output) = rest.split_once('$')?;
        let cost = Cost { memory_kib: memory.parse().ok()?, passes: passes.parse().ok()? };
        let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok()?;
        let output = BASE64_NOPAD.decode(output.as_bytes()).ok()?;
        let sane = salt.len() == SALT && output.len() == OUTPUT && cost.memory_kib <= 1024 * 1024;
        (sane && cost.passes <= 64).then_some(Self { cost, salt, output })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::new(PasswordConfig { memory_mib: 19, milliseconds: 1, parallel: 2 })
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let passwords = cheap();
        let kept = passwords.hash(&Secret::new("correct horse")).await.expect("hashes");
        let check = async |text: &str| {
            passwords.verify(&Secret::new(text), Some(kept.expose())).await.expect("checks")
        };
        assert_eq!(check("correct horse").await, Verdict::Right);
        assert_eq!(check("correct horsf").await, Verdict::Wrong);
        assert_eq!(check("").await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_right_but_outdated() {
        let cost = Cost { memory_kib: 64, passes: 1 };
        let salt = vec![1; SALT];
        let output = derive(b"correct horse", &salt, cost).expect("derives");
        let kept = PasswordHash { cost, salt, output }.to_text();
        let verdict = cheap().verify(&Secret::new("correct horse"), Some(&kept)).await.expect("checks");
        assert_eq!(verdict, Verdict::RightButOutdated);
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let passwords = cheap();
        let one = passwords.hash(&Secret::new("same")).await.expect("hashes");
        let other = passwords.hash(&Secret::new("same")).await.expect("hashes");
        assert!(!one.matches(other.expose()));
    }

    #[test]
    fn a_damaged_hash_is_told() {
        for text in ["", "plain", "$argon2id$v=19$m=1,t=1,p=1$", "$argon2id$v=19$m=99999999,t=1,p=1$AA$AA"] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
        }
    }
}
