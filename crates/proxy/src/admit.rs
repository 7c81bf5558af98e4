//! The decision who may pass, as pure functions.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, header, request::Parts};
use jiff::Timestamp;
use portico_core::{
    Secret,
    names::Label,
    pass::{Pass, PassKey, Unacceptable},
    route::{Published, Route},
};

use crate::{
    cookie::{CookieName, Found},
    live::lock,
    refuse::{Asks, Refused},
};

/// A request that bears a valid pass for its workload.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) pass: Pass,
    /// Missing when the workload has ended.
    pub(crate) route: Option<Arc<Route>>,
}

/// The pass that a connection brought last. Its signature needs no second check, since neither text
/// nor key change; its expiry and revocation do.
#[derive(Debug, Default)]
pub(crate) struct Checked(Mutex<Option<(Secret, Pass)>>);

impl Checked {
    fn verify(&self, text: &str, key: &PassKey, now: Timestamp) -> Result<Pass, Unacceptable> {
        let mut last = lock(&self.0);
        if let Some((_, pass)) = last.as_ref().filter(|(known, _)| known.matches(text)) {
            return if now < pass.expires { Ok(pass.clone()) } else { Err(Unacceptable::Expired) };
        }
        let pass = Pass::verify(text, key, now)?;
        *last = Some((Secret::new(text), pass.clone()));
        Ok(pass)
    }
}

/// Checks the pass in the cookie: signature, expiry, revocation, and that it is for this workload.
pub(crate) fn admit(
    headers: &HeaderMap,
    cookie: &CookieName,
    label: &Label,
    published: &Published,
    (key, checked): (&PassKey, &Checked),
    now: Timestamp,
) -> Result<Admitted, Refused> {
    let text = match cookie.find(headers) {
        Found::One(text) => text,
        Found::None => return Err(Refused::NO_PASS),
        Found::Several => return Err(Refused::TWO_PASSES),
    };
    let pass = checked.verify(text, key, now).map_err(|_| Refused::NO_PASS)?;
    let route = published.routes.get(label).cloned();
    let another = route.as_ref().is_some_and(|route| route.workload != pass.workload);
    if another || published.revocations.cover(&pass) {
        return Err(Refused::NO_PASS);
    }
    Ok(Admitted { pass, route })
}

/// Whether a page of another origin is behind the request, in a way that links are not.
pub(crate) fn is_foreign(parts: &Parts, asks: Asks, origin: &str) -> bool {
    let safe = matches!(parts.method.as_str(), "GET" | "HEAD" | "OPTIONS");
    let upgrade = parts.headers.contains_key(header::UPGRADE);
    if !safe || upgrade {
        let others = |value: &http::HeaderValue| !value.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
        if parts.headers.get_all(header::ORIGIN).iter().any(others) {
            return true;
        }
    }
    asks == Asks::Data
        && parts
            .headers
            .get_all("sec-fetch-site")
            .iter()
            .any(|site| matches!(site.as_bytes(), b"cross-site" | b"same-site"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use portico_core::ids::{LoginId, UserId, WorkloadId};

    fn foreign(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        is_foreign(&parts, Asks::of(&parts), "http://wa.localhost:8080")
    }

    #[test]
    fn a_pass_checked_before_still_expires_and_stands_for_itself_only() {
        let (key, checked) = (PassKey::new([7; 32]), Checked::default());
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let pass = Pass {
            workload: WorkloadId::new(at(0), [1; 10]),
            user: UserId::new(at(0), [2; 10]),
            login: LoginId::new(at(0), [3; 10]),
            issued: at(10),
            expires: at(20),
        };
        let text = pass.sign(&key);
        for _ in 0..2 {
            assert_eq!(checked.verify(&text, &key, at(19)), Ok(pass.clone()));
        }
        assert_eq!(checked.verify(&text, &key, at(20)), Err(Unacceptable::Expired));
        for other in [&text[..text.len() - 1], "", &format!("{text}x")] {
            assert_eq!(checked.verify(other, &key, at(19)), Err(Unacceptable::Forged), "{other}");
        }
    }

    #[test]
    fn other_origins_may_link_and_nothing_else() {
        let navigate = ("sec-fetch-mode", "navigate");
        assert!(!foreign("GET", &[navigate, ("sec-fetch-site", "cross-site")]));
        for site in ["cross-site", "same-site"] {
            for mode in ["cors", "no-cors", "same-origin", "websocket", "Navigate"] {
                assert!(
                    foreign("GET", &[("sec-fetch-mode", mode), ("sec-fetch-site", site)]),
                    "{mode} {site}"
                );
            }
            assert!(foreign("POST", &[navigate, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!foreign("GET", &[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]));
        assert!(!foreign("POST", &[]), "a program without a browser's words");
    }

    #[test]
    fn origins_are_compared_whole() {
        for origin in [
            "null",
            "http://wa.localhost",
            "https://wa.localhost:8080",
            "http://wb.localhost:8080",
            "http://localhost:8080",
            "http://wa.localhost:8080.evil.example",
            "http://evil.example/http://wa.localhost:8080",
            "",
            "http://wa--api.localhost:8080",
            "http://xwa.localhost:8080",
        ] {
            assert!(foreign("POST", &[("origin", origin)]), "{origin}");
            assert!(foreign("GET", &[("upgrade", "websocket"), ("origin", origin)]), "{origin}");
        }
        assert!(!foreign("GET", &[("upgrade", "websocket"), ("origin", "http://WA.localhost:8080")]));
        assert!(foreign("POST", &[("origin", "http://wa.localhost:8080"), ("origin", "null")]));
    }
}
