//! What may be a password: long enough, not the name, not one that everybody tries first.
//!
//! No rule about kinds of characters, which make passwords worse; the list holds the commonest texts
//! of at least ten characters only, because shorter ones are refused anyway.

use portico_core::{Secret, names::DisplayName};

use super::password::MAX_LENGTH;
use crate::error::Error;

/// Fewest characters.
pub const MIN_CHARACTERS: usize = 10;

/// Compared in lower case.
const COMMONEST: &[&str] = &[
    "0123456789",
    "0987654321",
    "1029384756",
    "1111111111",
    "1122334455",
    "1123581321",
    "11111111111",
    "12341234123",
    "1234512345",
    "12345678910",
    "123456789a",
    "123456789q",
    "1234567890",
    "12345678901",
    "123456789012",
    "1234567890q",
    "1234567891",
    "123123123123",
    "123qweasdzxc",
    "147258369",
    "1472583690",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "2222222222",
    "3333333333",
    "5555555555",
    "7777777777",
    "789456123",
    "9876543210",
    "987654321a",
    "9999999999",
    "aaaaaaaaaa",
    "abc123456789",
    "abcdefghij",
    "adminadmin",
    "admin12345",
    "admin123456",
    "administrator",
    "asdfasdfasdf",
    "asdfghjkl1",
    "asdfghjkl;",
    "asdfghjklz",
    "basketball",
    "changeme12",
    "changeme123",
    "changemenow",
    "correcthorse",
    "correcthorsebatterystaple",
    "football12",
    "iloveyou12",
    "iloveyou123",
    "iloveyou1234",
    "jupyterhub",
    "letmein123",
    "letmein1234",
    "letmeinnow",
    "liverpool1",
    "manchester",
    "passw0rd12",
    "passw0rd123",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "password123456",
    "password1!",
    "password12!",
    "password123!",
    "passwordpassword",
    "p@ssw0rd12",
    "p@ssw0rd123",
    "p@ssword123",
    "portico123",
    "porticoportico",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertyuiop1",
    "qwertyuiop123",
    "qwertyuiop[]",
    "qwertyuiopasdfghjklzxcvbnm",
    "sunshine12",
    "superman12",
    "test123456",
    "testtest12",
    "testtesttest",
    "unbelievable",
    "welcome123",
    "welcome1234",
    "welcome2024",
    "welcome2025",
    "welcome2026",
    "winter2025",
    "winter2026",
    "summer2025",
    "summer2026",
    "zaq12wsxcde",
    "zxcvbnm123",
    "zxcvbnm1234",
    "zxcvbnmasdf",
];

/// Checks a new password of the account with this name.
///
/// # Errors
/// [`Error::Invalid`] for the field `password`, with the rule.
pub fn check(password: &Secret, name: &DisplayName) -> Result<(), Error> {
    let text = password.expose();
    if text.len() > MAX_LENGTH {
        return Err(refuse("is longer than 512 bytes; choose a shorter one"));
    }
    if text.chars().count() < MIN_CHARACTERS {
        return Err(refuse("has fewer than 10 characters; a few unrelated words are easy to remember"));
    }
    let lower = text.to_lowercase();
    let name = name.key();
    if lower.trim() == name || lower == name.repeat(2) {
        return Err(refuse("is the name of the account; choose something that others cannot know"));
    }
    let mut characters = lower.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) || COMMONEST.contains(&lower.as_str()) {
        return Err(refuse("is one of those that everybody tries first; choose another one"));
    }
    Ok(())
}

fn refuse(rule: &str) -> Error {
    Error::field("password", rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(password: &str) -> bool {
        check(&Secret::new(password), &"Alice Example".parse().expect("a name")).is_ok()
    }

    #[test]
    fn a_few_words_are_welcome() {
        assert!(accepts("seven green bicycles"));
        assert!(accepts("ünïcödé passt auch"));
    }

    #[test]
    fn what_everybody_tries_is_refused() {
        for password in
            ["", "short", "Password123", "alice example", "ALICE EXAMPLE", "zzzzzzzzzzzz", "qwertyuiop"]
        {
            assert!(!accepts(password), "{password}");
        }
        assert!(!accepts(&"x1".repeat(400)));
    }
}
