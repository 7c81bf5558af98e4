//! The hand-over: a ticket in the address becomes a pass in a cookie, once.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::Mutex,
    time::{Duration, Instant},
};

use http::{Method, Response, header, request::Parts};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use crate::{
    address::Entrance,
    admit::{Checked, admit},
    body::Answer,
    cookie::CookieName,
    front::Door,
    live::lock,
    peer::{Peer, RequestId},
    refuse::{Asks, Refused, redirect},
};

/// Longest address to go on to.
const LONGEST_NEXT: usize = 4096;
/// How soon after a cookie was set its absence means that the browser does not keep it.
const ARRIVAL: Duration = Duration::from_secs(15);
/// Most hand-overs remembered; beyond, a browser without cookies is sent round once more.
const MOST_ARRIVALS: usize = 10_000;

/// Answers `/.portico/…` at a workload's origin.
pub(crate) async fn answer(
    door: &Door,
    entrance: &Entrance,
    rest: &str,
    parts: &Parts,
    peer: Peer,
    id: &RequestId,
) -> Response<Answer> {
    if rest != "ticket" {
        return Refused::NO_PATH.answer(door, Asks::Data, id);
    }
    if parts.method != Method::GET {
        return Refused::METHOD.answer(door, Asks::Data, id);
    }
    let query = parts.uri.query().unwrap_or_default();
    let next = parameter(query, "next");
    let next = safe_next(next.as_deref(), &entrance.base);
    let location = format!("{}{next}", entrance.origin);
    let cookie = CookieName::at(entrance, &door.addresses);
    let redeemed = match parameter(query, "t") {
        Some(ticket) => door.gate.redeem(&ticket, &entrance.label).await.ok(),
        None => None,
    };
    let now = Timestamp::now();
    let published = door.published.borrow().clone();
    let Some(signed) = redeemed else {
        // The back button leads here again: whoever is inside already just goes on.
        let keys = (&door.key, &Checked::default());
        let inside = admit(&parts.headers, &cookie, &entrance.label, &published, keys, now);
        return match inside {
            Ok(_) => redirect(&location, id),
            Err(_) => Refused::VOID_TICKET.answer(door, Asks::Page, id),
        };
    };
    let seconds = signed.pass.expires.as_second().saturating_sub(now.as_second());
    let mut response = redirect(&location, id);
    let Some(set) = cookie.set(&signed.text, seconds) else {
        return Refused::VOID_TICKET.answer(door, Asks::Page, id);
    };
    response.headers_mut().insert(header::SET_COOKIE, set);
    door.arrivals.expect(parts, peer, entrance);
    response
}

/// A path of this very origin below `base`, or `base` itself when `next` is anything else.
fn safe_next<'a>(next: Option<&'a str>, base: &'a str) -> &'a str {
    let Some(next) = next else { return base };
    let visible = next.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\');
    let decoded: Vec<u8> = percent_decode_str(next).collect();
    let one_slash = |text: &[u8]| text.first() == Some(&b'/') && !matches!(text.get(1), Some(b'/' | b'\\'));
    let inside = next.strip_prefix(base).is_some_and(|rest| !rest.starts_with(".portico"));
    let safe =
        next.len() <= LONGEST_NEXT && visible && one_slash(next.as_bytes()) && one_slash(&decoded) && inside;
    if safe { next } else { base }
}

/// The one value of a query parameter, decoded; `None` when it is missing, there twice, or no text.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut values = query.split('&').filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let value = value.replace('+', " ");
    percent_decode_str(&value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Browsers that were just given a pass. One that comes back without it keeps no cookies and would be
/// sent round for ever; it gets a page that says so instead.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    hasher: RandomState,
    expected: Mutex<HashMap<u64, Instant>>,
}

impl Arrivals {
    fn expect(&self, parts: &Parts, peer: Peer, entrance: &Entrance) {
        let key = self.key(parts, peer, entrance);
        let mut expected = lock(&self.expected);
        if expected.len() < MOST_ARRIVALS {
            expected.insert(key, Instant::now());
        }
    }

    /// Whether this browser was given a pass a moment ago. Says so once.
    pub(crate) fn missed(&self, parts: &Parts, peer: Peer, entrance: &Entrance) -> bool {
        let key = self.key(parts, peer, entrance);
        lock(&self.expected).remove(&key).is_some_and(|at| at.elapsed() < ARRIVAL)
    }

    /// Notes that this browser brought its pass.
    pub(crate) fn arrived(&self, parts: &Parts, peer: Peer, entrance: &Entrance) {
        let mut expected = lock(&self.expected);
        if !expected.is_empty() {
            expected.remove(&self.key(parts, peer, entrance));
        }
    }

    pub(crate) fn forget_old(&self) {
        lock(&self.expected).retain(|_, at| at.elapsed() < ARRIVAL);
    }

    fn key(&self, parts: &Parts, peer: Peer, entrance: &Entrance) -> u64 {
        let agent = parts.headers.get(header::USER_AGENT).map(|agent| agent.as_bytes());
        self.hasher.hash_one((peer, agent, &entrance.label, &entrance.entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_of_this_origin_are_followed() {
        for next in ["/", "/lab?x=1&y=/z", "/a%20b#part", "/a//b", "/?next=//e", "/@e", "/a:b"] {
            assert_eq!(safe_next(Some(next), "/"), next);
        }
        assert_eq!(safe_next(Some("/w/wa/x"), "/w/wa/"), "/w/wa/x");
    }

    #[test]
    fn anything_else_leads_to_the_start() {
        for next in [
            "",
            "//e",
            "///e",
            "/\\e",
            "\\\\e",
            "\\/e",
            "/%2f%2fe",
            "/%2fe",
            "%2f%2fe",
            "/%5ce",
            "javascript:alert(1)",
            "http://e/",
            "https:e",
            "HOST//e",
            "u@e",
            "/\te",
            "/a\nb",
            "\t//e",
            " //e",
            "/a b",
            "/a\\b",
            "é",
            "/é",
            "?x",
            "#x",
            ".",
            "..",
            "/.portico/ticket?t=1",
            "/.portico",
            "data:text/html,x",
            "//localhost:8080/x",
            "http:/\\e",
        ] {
            assert_eq!(safe_next(Some(next), "/"), "/", "{next:?}");
        }
        assert_eq!(safe_next(None, "/"), "/");
        assert_eq!(safe_next(Some("/w/wb/x"), "/w/wa/"), "/w/wa/");
        assert_eq!(safe_next(Some(&format!("/{}", "a".repeat(LONGEST_NEXT))), "/"), "/");
    }

    #[test]
    fn a_parameter_stands_once_and_is_decoded() {
        assert_eq!(parameter("t=a%2Bb&next=/x+y", "t").as_deref(), Some("a+b"));
        assert_eq!(parameter("t=a%2Bb&next=/x+y", "next").as_deref(), Some("/x y"));
        for query in ["", "t", "tt=1", "t=1&t=2", "t=%ff"] {
            assert_eq!(parameter(query, "t"), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn a_next_never_leaves_the_origin(next in "[/\\\\%2f5cCF@:a-z.\\t\\n ?#]{0,12}") {
            let next = safe_next(Some(&next), "/");
            let url = http::Uri::try_from(format!("http://wa.localhost:8080{}", next.split('#').next().unwrap_or("")));
            let url = url.expect("a url");
            prop_assert_eq!(url.host(), Some("wa.localhost"));
            prop_assert!(next.starts_with('/') && !next.starts_with("//") && !next.contains('\\'));
        }
    }
}
