//! Names: what people type, and what machines may be given.
//!
//! A name from outside (a login name of an identity provider, say) is kept for display as it is and
//! mapped to a [`Slug`] that is safe in paths, container names and DNS. The map is injective: two
//! different names never share a slug, whatever letters, case or Unicode form they use.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// A text that cannot be used as a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidName {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {0} characters")]
    TooLong(usize),
    #[error("the name contains a control or invisible character")]
    Control,
    #[error(
        "expected lower-case letters, digits and single dashes, starting with a letter, at most {0} characters"
    )]
    NotSafe(usize),
}

/// A name as a person wrote it: NFC, trimmed, 1 to 128 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(String);

impl DisplayName {
    /// Longest accepted name, in characters.
    pub const MAX: usize = 128;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which two spellings count as the same name: NFKC, lower case, blanks folded.
    ///
    /// Accounts are unique by this key, so that no look-alike of an existing account can be made.
    #[must_use]
    pub fn key(&self) -> String {
        let folded: String = self.0.nfkc().flat_map(char::to_lowercase).collect();
        let folded: String = folded.nfkc().collect();
        folded.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The safe form of this name; see [`Slug`].
    #[must_use]
    pub fn slug(&self) -> Slug {
        Slug::of(self)
    }
}

impl FromStr for DisplayName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name: String = text.nfc().collect::<String>().trim().to_owned();
        if name.is_empty() {
            return Err(InvalidName::Empty);
        }
        if name.chars().count() > Self::MAX {
            return Err(InvalidName::TooLong(Self::MAX));
        }
        if name.chars().any(is_invisible) {
            return Err(InvalidName::Control);
        }
        Ok(Self(name))
    }
}

/// Control characters, and format characters that change how text around them is shown.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A safe, unique form of a [`DisplayName`]: `[a-z][a-z0-9]*(-[a-z0-9]+)*`, at most 40 characters.
///
/// A name that is already of that form, has at most 24 characters and does not end like a digest is
/// its own slug. Every other name becomes a readable prefix, `-x`, and 12 characters (60 bits) of the
/// SHA-256 of its key. The forms cannot meet, since a plain name of the second form is hashed too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    const MAX: usize = 40;
    const PLAIN_MAX: usize = 24;
    const DIGEST: usize = 12;

    fn of(name: &DisplayName) -> Self {
        let key = name.key();
        if is_safe(&key, Self::PLAIN_MAX) && !Self::ends_like_digest(&key) {
            return Self(key);
        }
        let digest = BASE32_NOPAD.encode(&Sha256::digest(key.as_bytes())).to_ascii_lowercase();
        let prefix = readable_prefix(&key, Self::PLAIN_MAX);
        Self(format!("{prefix}-x{}", &digest[..Self::DIGEST]))
    }

    fn ends_like_digest(text: &str) -> bool {
        text.rsplit_once("-x").is_some_and(|(_, tail)| tail.len() == Self::DIGEST)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn readable_prefix(key: &str, max: usize) -> String {
    let mut prefix = String::new();
    for c in key.nfd() {
        if prefix.len() >= max {
            break;
        }
        match c {
            'a'..='z' => prefix.push(c),
            '0'..='9' if !prefix.is_empty() => prefix.push(c),
            _ if c.is_alphanumeric() || prefix.is_empty() || prefix.ends_with('-') => {}
            '\u{300}'..='\u{36f}' => {}
            _ => prefix.push('-'),
        }
    }
    let prefix = prefix.trim_end_matches('-');
    if prefix.is_empty() { "u".to_owned() } else { prefix.to_owned() }
}

fn is_safe(text: &str, max: usize) -> bool {
    text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

macro_rules! text_form {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

macro_rules! safe_names {
    ($($(#[$doc:meta])* $name:ident: $max:literal)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_safe(text, $max) { Ok(Self(text.to_owned())) } else { Err(InvalidName::NotSafe($max)) }
            }
        }

        text_form!($name);
    )*};
}

text_form!(DisplayName);
text_form!(Slug);

impl FromStr for Slug {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_safe(text, Self::MAX) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::NotSafe(Self::MAX))
        }
    }
}

safe_names! {
    /// Key of a catalogue entry, as in `apps.d/<name>.toml`.
    AppName: 40
    /// Key of an engine in the configuration.
    EngineName: 40
    /// A named door of a workload; the first one is `main` by custom.
    EntryPointName: 20
    /// Key of a launch parameter.
    ParamName: 40
    /// Tells apart several Porticos that share one engine.
    Realm: 20
    /// First DNS label of a workload's origin: random, unique, never used again.
    Label: 40
}

impl Label {
    /// A fresh label from 100 bits of the system's generator (13 bytes, the last four bits unused).
    #[must_use]
    pub fn random(entropy: [u8; 13]) -> Self {
        let text = BASE32_NOPAD.encode(&entropy).to_ascii_lowercase();
        Self(format!("w{}", &text[..20]))
    }
}

/// What an engine calls one run of a workload: `portico-<realm>-<label>-<generation>`.
///
/// It is a function of stored facts only, so that a hub which died between "created" and "recorded"
/// finds its work again, and a restart (next generation) is never mistaken for the run before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceName(String);

impl InstanceName {
    #[must_use]
    pub fn new(realm: &Realm, label: &Label, generation: u32) -> Self {
        Self(format!("portico-{realm}-{label}-{generation}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_safe(text, 90) && text.starts_with("portico-") {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName::NotSafe(90))
        }
    }
}

text_form!(InstanceName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> DisplayName {
        text.parse().expect("a name")
    }

    #[test]
    fn a_plain_name_is_its_own_slug() {
        assert_eq!(name("alice").slug().as_str(), "alice");
        assert_eq!(name(" Alice ").slug().as_str(), "alice");
    }

    #[test]
    fn a_foreign_name_keeps_a_readable_part() {
        assert!(name("José O'Neill@example.org").slug().as_str().starts_with("jose-o-neill-example-org-x"));
        assert!(name("李").slug().as_str().starts_with("u-x"));
    }

    #[test]
    fn look_alikes_share_a_key() {
        for (one, other) in [("alice", "ＡＬＩＣＥ"), ("josé", "jose\u{301}"), ("a b", "A  b")] {
            assert_eq!(name(one).key(), name(other).key());
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        for text in ["a\u{202e}b", "a\nb", "a\0", "a\u{200b}b"] {
            assert_eq!(text.parse::<DisplayName>(), Err(InvalidName::Control), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_imitates_a_slug_gets_another_one() {
        let target = name("José").slug();
        assert_ne!(name(target.as_str()).slug(), target);
    }

    proptest! {
        #[test]
        fn slugs_are_safe_and_injective(one in "\\PC{1,40}", other in "[a-zA-Z0-9 @'._-]{1,40}") {
            let parsed = (one.parse::<DisplayName>(), other.parse::<DisplayName>());
            if let (Ok(one), Ok(other)) = parsed {
                prop_assert!(is_safe(one.slug().as_str(), Slug::MAX));
                prop_assert_eq!(one.slug() == other.slug(), one.key() == other.key());
            }
        }
    }
}
