//! Portico's own cookie at a workload's origin, and keeping apps and Portico out of each other's.
//!
//! Pure functions over header values. Cookie headers are treated as bytes, since apps may put anything
//! into theirs.

use http::{HeaderMap, HeaderValue, header};

use crate::address::{Addresses, Entrance};

/// How the pass's cookie is called and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CookieName {
    name: String,
    path: String,
    secure: bool,
}

/// The pass's cookie in a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    None,
    One(&'a str),
    /// Two of one name: one of them is not ours, and no browser says which.
    Several,
}

impl CookieName {
    /// At an origin of its own the name is `__Host-portico-pass`, which no other host can set; over
    /// plain HTTP, where browsers keep no `Secure` cookie, `portico-pass`. In path mode the name bears
    /// the label and the cookie is confined to the path.
    pub(crate) fn at(entrance: &Entrance, addresses: &Addresses) -> Self {
        let secure = addresses.keeps_secure_cookies();
        let name = match (addresses.is_path_mode(), secure) {
            (false, true) => "__Host-portico-pass".to_owned(),
            (false, false) => "portico-pass".to_owned(),
            (true, true) => format!("__Secure-portico-pass-{}", entrance.label),
            (true, false) => format!("portico-pass-{}", entrance.label),
        };
        Self { name, path: entrance.base.clone(), secure }
    }

    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap) -> Found<'a> {
        let mut found = Found::None;
        for line in headers.get_all(header::COOKIE) {
            for pair in line.as_bytes().split(|b| *b == b';') {
                let (name, value) = split_pair(pair);
                if name != self.name.as_bytes() {
                    continue;
                }
                let Found::None = found else { return Found::Several };
                // A value that is no text is no pass either; the empty one verifies as forged.
                found = Found::One(std::str::from_utf8(value).unwrap_or_default());
            }
        }
        found
    }

    /// The `Set-Cookie` that keeps a pass for `seconds`.
    pub(crate) fn set(&self, value: &str, seconds: i64) -> Option<HeaderValue> {
        let Self { name, path, secure } = self;
        let secure = if *secure { "; Secure" } else { "" };
        let seconds = seconds.max(0);
        let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(text).ok()
    }
}

/// Takes every cookie of Portico's out of a request.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    if !headers.get_all(header::COOKIE).iter().any(|line| pairs(line).any(is_ours)) {
        return;
    }
    let header::Entry::Occupied(lines) = headers.entry(header::COOKIE) else { return };
    let (name, lines) = lines.remove_entry_mult();
    let kept: Vec<HeaderValue> = lines.filter_map(|line| without_ours(&line)).collect();
    for line in kept {
        headers.append(name.clone(), line);
    }
}

/// Confines the cookies that an app sets: none with Portico's names or without a name, none for a
/// whole domain, and with `base` other than `/` none outside of it.
pub(crate) fn confine_response(headers: &mut HeaderMap, base: &str) {
    let header::Entry::Occupied(lines) = headers.entry(header::SET_COOKIE) else { return };
    let (name, lines) = lines.remove_entry_mult();
    let kept: Vec<HeaderValue> = lines.filter_map(|line| confined(&line, base)).collect();
    for line in kept {
        headers.append(name.clone(), line);
    }
}

fn confined(line: &HeaderValue, base: &str) -> Option<HeaderValue> {
    let mut parts = line.as_bytes().split(|b| *b == b';');
    let pair = parts.next()?;
    let (name, _) = split_pair(pair);
    if name.is_empty() || is_reserved(name) {
        return None;
    }
    let mut text = pair.trim_ascii().to_vec();
    let mut path = None;
    for attribute in parts {
        let (key, value) = split_pair(attribute);
        if key.eq_ignore_ascii_case(b"domain") {
            continue;
        }
        if base != "/" && key.eq_ignore_ascii_case(b"path") {
            path = Some(value);
            continue;
        }
        text.extend_from_slice(b"; ");
        text.extend_from_slice(attribute.trim_ascii());
    }
    if base != "/" {
        let inside = path.filter(|path| path.starts_with(base.as_bytes()));
        text.extend_from_slice(b"; Path=");
        text.extend_from_slice(inside.unwrap_or(base.as_bytes()));
    }
    HeaderValue::from_bytes(&text).ok()
}

fn without_ours(line: &HeaderValue) -> Option<HeaderValue> {
    let kept: Vec<&[u8]> = pairs(line).filter(|pair| !is_ours(pair) && !pair.is_empty()).collect();
    if kept.is_empty() { None } else { HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok() }
}

fn pairs(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|b| *b == b';').map(<[u8]>::trim_ascii)
}

fn is_ours(pair: &[u8]) -> bool {
    let (name, value) = split_pair(pair);
    // A cookie without a name is sent as its bare value, which can look like ours.
    is_reserved(name) || (name.is_empty() && is_reserved(value))
}

/// Names that belong to Portico, whatever case and browser prefix.
fn is_reserved(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix(b"__host-").or_else(|| name.strip_prefix(b"__secure-")).unwrap_or(&name);
    name.starts_with(b"portico")
}

/// Name and value of `name=value`; without `=` all is value.
fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|b| *b == b'=') {
        Some(at) => (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()),
        None => {
            let pair = pair.trim_ascii();
            if is_reserved(pair) || pair.eq_ignore_ascii_case(b"domain") || pair.eq_ignore_ascii_case(b"path")
            {
                (pair, b"")
            } else {
                (b"", pair)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ours() -> CookieName {
        CookieName { name: "__Host-portico-pass".to_owned(), path: "/".to_owned(), secure: true }
    }

    fn headers(name: header::HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).expect("a value"))).collect()
    }

    fn stripped(lines: &[&str]) -> Vec<String> {
        let mut headers = headers(header::COOKIE, lines);
        strip_request(&mut headers);
        headers.get_all(header::COOKIE).iter().map(|v| v.to_str().expect("text").to_owned()).collect()
    }

    fn set_by_app(line: &str, base: &str) -> Option<String> {
        let mut headers = headers(header::SET_COOKIE, &[line]);
        confine_response(&mut headers, base);
        headers.get(header::SET_COOKIE).map(|v| v.to_str().expect("text").to_owned())
    }

    #[test]
    fn the_cookie_is_found_once_or_refused() {
        let find = |lines: &[&str]| format!("{:?}", ours().find(&headers(header::COOKIE, lines)));
        assert_eq!(find(&["a=b; __Host-portico-pass=x.y; c=d"]), r#"One("x.y")"#);
        assert_eq!(find(&["a=b", "__host-portico-pass=x", "x__Host-portico-pass=1"]), "None");
        assert_eq!(find(&["__Host-portico-pass=x; __Host-portico-pass=x"]), "Several");
        assert_eq!(find(&["__Host-portico-pass=x", "__Host-portico-pass=y"]), "Several");
    }

    #[test]
    fn an_app_sees_its_own_cookies_only() {
        assert_eq!(stripped(&["a=b; __Host-portico-pass=x; c=\"d e\""]), ["a=b; c=\"d e\""]);
        assert_eq!(stripped(&["__HOST-PORTICO-login=x", "b=1"]), ["b=1"]);
        assert_eq!(stripped(&["portico=1; Portico_x=2; __Secure-portico-pass-wa=3"]), [""; 0]);
        assert_eq!(stripped(&["=__Host-portico-pass=x; __Host-portico-pass"]), [""; 0]);
        assert_eq!(stripped(&["notportico=1; _xsrf=2|3"]), ["notportico=1; _xsrf=2|3"]);
    }

    #[test]
    fn an_app_sets_its_own_cookies_only() {
        assert_eq!(set_by_app("a=b; Domain=example.org; HttpOnly", "/").as_deref(), Some("a=b; HttpOnly"));
        assert_eq!(set_by_app("a=b;domain=.x;Path=/;PATH=/y", "/").as_deref(), Some("a=b; Path=/; PATH=/y"));
        for line in [
            "__Host-portico-pass=x",
            "PORTICO=1; Path=/",
            "=__Host-portico-pass=x",
            "nameless",
            "portico",
            "=x",
        ] {
            assert_eq!(set_by_app(line, "/"), None, "{line}");
        }
    }

    #[test]
    fn in_path_mode_cookies_stay_below_the_path() {
        for (line, kept) in [
            ("a=b; Path=/", "a=b; Path=/w/wa/"),
            ("a=b", "a=b; Path=/w/wa/"),
            ("a=b; Path=/w/wa/sub; Secure", "a=b; Secure; Path=/w/wa/sub"),
            ("a=b; Path=/w/wab", "a=b; Path=/w/wa/"),
            ("a=b; path=/w/wb/; path=/w/wa/x", "a=b; Path=/w/wa/x"),
        ] {
            assert_eq!(set_by_app(line, "/w/wa/").as_deref(), Some(kept), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_request_cookie_of_ours_is_left(text in "[ -~]{0,60}", around in "[ -~]{0,20}") {
            let line = format!("{around};{text};__Host-portico-pass=x;{text}");
            let left = stripped(&[&line]).join(";");
            for pair in left.split(';') {
                prop_assert!(!is_ours(pair.trim().as_bytes()), "{}", left);
            }
        }

        #[test]
        fn no_domain_is_left_in_what_apps_set(text in "[ -~]{0,60}") {
            if let Some(kept) = set_by_app(&format!("a=b;{text};Domain=x"), "/") {
                for part in kept.split(';').skip(1) {
                    prop_assert!(!part.split('=').next().unwrap_or("").trim().eq_ignore_ascii_case("domain"));
                }
            }
        }
    }
}
