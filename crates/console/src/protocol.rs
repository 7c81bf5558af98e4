//! The control messages of `docs/terminal-protocol.md`.

use serde::Serialize;
use serde_json::Value;

/// Longest control message of a page, in bytes.
pub(crate) const LONGEST_MESSAGE: usize = 4 * 1024;
/// Longest run of terminal bytes that a page may send at once: a large paste.
pub(crate) const LONGEST_INPUT: usize = 4 << 20;

/// Close codes.
pub(crate) const DONE: u16 = 1000;
pub(crate) const MISUNDERSTOOD: u16 = 1007;
pub(crate) const TOO_LONG: u16 = 1009;
pub(crate) const CUT_OFF: u16 = 1011;

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

/// What a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FromPage {
    Resize(Size),
    /// Something newer than this server.
    Unknown,
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ToPage<'a> {
    Hello { cols: u16, rows: u16, title: &'a str },
    Replay { bytes: usize },
    Exit { code: Option<i32> },
}

impl ToPage<'_> {
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts can always be written")
    }
}

/// Reads a control message, or gives the close code that answers it.
pub(crate) fn read(text: &str) -> Result<FromPage, u16> {
    if text.len() > LONGEST_MESSAGE {
        return Err(TOO_LONG);
    }
    let message: Value = serde_json::from_str(text).map_err(|_| MISUNDERSTOOD)?;
    let kind = message.get("type").and_then(Value::as_str).ok_or(MISUNDERSTOOD)?;
    if kind != "resize" {
        return Ok(FromPage::Unknown);
    }
    let whole = |name: &str| -> Result<u16, u16> {
        let number = message.get(name).and_then(Value::as_i64).ok_or(MISUNDERSTOOD)?;
        Ok(u16::try_from(number.clamp(1, 1000)).expect("at most 1000"))
    };
    Ok(FromPage::Resize(Size { cols: whole("cols")?, rows: whole("rows")? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_clamped() {
        let read = |text| read(text).expect("understood");
        let size = |cols, rows| FromPage::Resize(Size { cols, rows });
        assert_eq!(read(r#"{"type":"resize","cols":120,"rows":40}"#), size(120, 40));
        assert_eq!(read(r#"{"type":"resize","cols":0,"rows":-5}"#), size(1, 1));
        assert_eq!(read(r#"{"type":"resize","cols":99999999,"rows":1001,"more":[]}"#), size(1000, 1000));
    }

    #[test]
    fn a_newer_message_is_ignored_and_a_broken_one_refused() {
        assert_eq!(read(r#"{"type":"dance"}"#), Ok(FromPage::Unknown));
        for broken in ["", "[]", "7", "{", r#"{"type":7}"#, r#"{"type":"resize","cols":"a","rows":1}"#] {
            assert_eq!(read(broken), Err(MISUNDERSTOOD), "{broken}");
        }
        let deep = "[".repeat(4000);
        assert_eq!(read(&deep), Err(MISUNDERSTOOD));
        assert_eq!(read(&" ".repeat(LONGEST_MESSAGE + 1)), Err(TOO_LONG));
    }

    #[test]
    fn messages_are_written_as_agreed() {
        let hello = ToPage::Hello { cols: 80, rows: 24, title: "T" }.text();
        assert_eq!(hello, r#"{"type":"hello","cols":80,"rows":24,"title":"T"}"#);
        assert_eq!(ToPage::Replay { bytes: 5 }.text(), r#"{"type":"replay","bytes":5}"#);
        assert_eq!(ToPage::Exit { code: None }.text(), r#"{"type":"exit","code":null}"#);
    }
}
