//! The cookie that carries a login, and nothing else does.
//!
//! `__Host-` makes browsers refuse it from anywhere but this very origin; that needs `Secure`, which
//! browsers grant to `localhost` too. Only a site that is served without TLS under another name gets
//! the plain form.

use http::{HeaderMap, HeaderValue, header};
use portico_core::Secret;

use crate::{config::Config, entropy, error::Error};

/// Characters of a login's secret.
const SECRET_LENGTH: usize = 52;

/// Name and attributes, as the configuration wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Host,
    Plain,
}

impl Form {
    fn of(config: &Config) -> Self {
        let url = &config.public_url;
        if url.is_https() || url.is_local() { Self::Host } else { Self::Plain }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Host => "__Host-portico",
            Self::Plain => "portico",
        }
    }

    const fn attributes(self) -> &'static str {
        match self {
            Self::Host => "Path=/; HttpOnly; SameSite=Lax; Secure",
            Self::Plain => "Path=/; HttpOnly; SameSite=Lax",
        }
    }
}

/// A new login's secret.
#[must_use]
pub(crate) fn new_secret() -> Secret {
    Secret::new(entropy::secret_text())
}

/// `Set-Cookie` for a new login; the browser forgets it when it is closed or after `seconds`.
#[must_use]
pub(crate) fn set(config: &Config, secret: &Secret, seconds: i64) -> HeaderValue {
    let form = Form::of(config);
    let text = format!("{}={}; {}; Max-Age={seconds}", form.name(), secret.expose(), form.attributes());
    let mut value = HeaderValue::from_str(&text).expect("letters, digits and attributes make a header");
    value.set_sensitive(true);
    value
}

/// `Set-Cookie` that removes it.
#[must_use]
pub fn clear(config: &Config) -> HeaderValue {
    let form = Form::of(config);
    HeaderValue::from_str(&format!("{}=; {}; Max-Age=0", form.name(), form.attributes()))
        .expect("attributes make a header")
}

/// The secret among a request's cookies. What cannot be one of ours is not looked at further.
///
/// # Errors
/// [`Error::BadRequest`] when there are two of that name: one of them was tossed in by somebody else.
pub(crate) fn read(config: &Config, headers: &HeaderMap) -> Result<Option<Secret>, Error> {
    let name = Form::of(config).name();
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = found.next();
    if found.next().is_some() {
        let text = "the browser sent two sign-in cookies; delete this site's cookies and sign in again";
        return Err(Error::BadRequest(text.to_owned()));
    }
    Ok(first.filter(|value| is_secret(value)).map(Secret::new))
}

fn is_secret(value: &str) -> bool {
    value.len() == SECRET_LENGTH && value.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'2'..=b'7'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().expect("a header"));
        }
        headers
    }

    #[test]
    fn a_cookie_survives_the_way_to_the_browser_and_back() {
        let config = Config::default();
        let secret = new_secret();
        let set = set(&config, &secret, 60);
        let line = set.to_str().expect("text");
        assert!(line.starts_with("__Host-portico=") && line.contains("; Secure"), "{line}");
        let pair = line.split(';').next().expect("a pair");
        let read = read(&config, &headers(&["other=1", pair])).expect("one").expect("ours");
        assert!(read.matches(secret.expose()));
    }

    #[test]
    fn two_of_them_are_refused_and_foreign_ones_ignored() {
        let config = Config::default();
        assert!(read(&config, &headers(&["__Host-portico=a; __Host-portico=b"])).is_err());
        assert!(read(&config, &headers(&["__Host-portico=a", "__Host-portico=b"])).is_err());
        for line in ["portico=a", "__Host-portico=short", "", ";;=;", "__host-portico=x"] {
            assert!(read(&config, &headers(&[line])).expect("none").is_none(), "{line}");
        }
    }
}
