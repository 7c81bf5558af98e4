//! Pages of long lists, and the texts of their filters.
//!
//! A page is found by the id of the last item seen, not by counting, so that rows which come or go
//! while somebody pages neither repeat nor hide others.

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Whether more follow after the last item.
    pub more: bool,
}

/// Most items of a page.
pub const MAX_ITEMS: u32 = 500;

/// Longest filter text that is looked for, in characters.
const MAX_FILTER: usize = 100;

/// How much of each text a filter looks in, in characters.
const MAX_SEARCHED: usize = 150;

/// What the statement is asked for: one more than the page holds tells whether more follow.
pub(crate) fn fetch(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MAX_ITEMS)) + 1
}

impl<T> Page<T> {
    pub(crate) fn cut(mut items: Vec<T>, limit: u32) -> Self {
        let room = usize::try_from(limit.clamp(1, MAX_ITEMS)).unwrap_or(usize::MAX);
        let more = items.len() > room;
        items.truncate(room);
        Self { items, more }
    }
}

/// What a filter looks in: lower case, so that both databases compare alike.
pub(crate) fn searchable(parts: &[&str]) -> String {
    let cut: Vec<String> = parts.iter().map(|part| part.chars().take(MAX_SEARCHED).collect()).collect();
    cut.join("\n").to_lowercase()
}

/// A `LIKE` pattern (escape character `\`) for texts that contain what was typed.
pub(crate) fn containing(typed: &str) -> Option<String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    Some(format!("%{}%", escaped(typed)))
}

/// A `LIKE` pattern for texts that begin with `prefix`.
pub(crate) fn beginning(prefix: &str) -> Option<String> {
    if prefix.is_empty() { None } else { Some(format!("{}%", escaped(prefix))) }
}

fn escaped(typed: &str) -> String {
    let mut pattern = String::new();
    for c in typed.to_lowercase().chars().take(MAX_FILTER).filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(containing(" 50%_\\ "), Some("%50\\%\\_\\\\%".to_owned()));
        assert_eq!(containing("  "), None);
        assert_eq!(beginning("User."), Some("user.%".to_owned()));
    }

    #[test]
    fn one_more_than_asked_means_more() {
        assert_eq!(fetch(0), 2);
        assert_eq!(Page::cut(vec![1, 2, 3], 2), Page { items: vec![1, 2], more: true });
        assert_eq!(Page::cut(vec![1, 2], 2), Page { items: vec![1, 2], more: false });
    }
}
