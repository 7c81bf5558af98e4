//! Where to go after signing in: a path of ours, whatever was asked for.

use percent_encoding::percent_decode_str;

/// Longest path that is kept.
const MAX_LENGTH: usize = 1000;

/// A path of this Portico that is safe to redirect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    /// Takes what was asked for when it is a plain path of ours, else the home page.
    #[must_use]
    pub fn of(asked: Option<&str>) -> Self {
        Self(asked.filter(|asked| is_safe(asked)).unwrap_or("/").to_owned())
    }

    /// The path, perhaps with a query; begins with exactly one slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Printable ASCII, one slash first, and no second slash, backslash or dot segment behind it even
/// after decoding it twice: nothing that any browser could read as another host.
fn is_safe(asked: &str) -> bool {
    if asked.len() > MAX_LENGTH || !asked.is_ascii() || !is_plain(asked) {
        return false;
    }
    let path = asked.split(['?', '#']).next().unwrap_or_default();
    let once = percent_decode_str(path).decode_utf8_lossy();
    let twice = percent_decode_str(&once).decode_utf8_lossy();
    [path, &*once, &*twice].iter().all(|path| is_plain(path) && !has_dots(path))
}

fn is_plain(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && !text.contains('\\')
        && !text.bytes().any(|byte| byte <= b' ' || byte == 0x7f)
}

fn has_dots(path: &str) -> bool {
    path.contains("//") || path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_paths_are_kept() {
        for path in
            ["/", "/workloads", "/workloads/01j?tab=log&x=1", "/admin/users?q=a%20b#end", "/a?u=http://e/"]
        {
            assert_eq!(Next::of(Some(path)).as_str(), path);
        }
    }

    #[test]
    fn nothing_leads_to_another_host() {
        for path in [
            "//e",
            "///e",
            "\\\\e",
            "/\\e",
            "\\/e",
            "%2f%2fe",
            "/%2fe",
            "/%2f%2fe",
            "/%252fe",
            "/%5ce",
            "/%255ce",
            "javascript:alert(1)",
            "https://e",
            "HTTPS://e/",
            "http:e",
            "http://localhost:8080//e",
            "http://localhost:8080@e/",
            "//localhost:8080@e",
            "e",
            "@e",
            ":80",
            "/\t/e",
            "/\n/e",
            "\t//e",
            " //e",
            "/ /e",
            "/%09/e",
            "/%0a/e",
            "/\u{0}/e",
            "/a/..//e",
            "/..//e",
            "/.//e",
            "/%2e%2e//e",
            "/x//e",
            "//e?x",
            "//e#x",
            "?next=//e",
            "#//e",
            "",
            "/é",
            "data:text/html,x",
            "/\u{2028}/e",
        ] {
            let next = Next::of(Some(path));
            assert_eq!(next.as_str(), "/", "{path:?}");
        }
        assert_eq!(Next::of(Some(&format!("/{}", "a".repeat(2000)))).as_str(), "/");
        assert_eq!(Next::of(None).as_str(), "/");
    }
}
