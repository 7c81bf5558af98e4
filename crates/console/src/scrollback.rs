//! The newest output of the shell, for pages that come later.
//!
//! Bounded; what is dropped ends at the end of a line where there is one nearby, so that a replay does
//! not begin inside an escape sequence or a letter. Whether the dropped part had switched to the
//! alternate screen (an editor, a pager) is remembered and said again.

use std::collections::VecDeque;

/// Most bytes that are kept.
const MOST: usize = 256 * 1024;
/// Dropped at once, so that dropping is rare.
const SLICE: usize = 16 * 1024;
/// How far a line's end is looked for.
const LINE: usize = 16 * 1024;

const ENTER_ALTERNATE: &[u8] = b"\x1b[?1049h";
const LEAVE_ALTERNATE: &[u8] = b"\x1b[?1049l";

#[derive(Debug, Default)]
pub(crate) struct Scrollback {
    bytes: VecDeque<u8>,
    /// Whether the alternate screen was on where the kept part begins.
    alternate: bool,
}

impl Scrollback {
    pub(crate) fn push(&mut self, output: &[u8]) {
        self.bytes.extend(output);
        if self.bytes.len() > MOST {
            self.drop_oldest();
        }
    }

    /// Everything that is kept, ready to be written to an empty screen.
    pub(crate) fn replay(&self) -> Vec<u8> {
        let mut replay = Vec::with_capacity(self.bytes.len() + ENTER_ALTERNATE.len());
        if self.alternate {
            replay.extend_from_slice(ENTER_ALTERNATE);
        }
        replay.extend(&self.bytes);
        replay
    }

    fn drop_oldest(&mut self) {
        let least = self.bytes.len() - MOST + SLICE;
        let line = self.bytes.range(least..).take(LINE).position(|byte| *byte == b'\n');
        let end = match line {
            Some(line) => least + line + 1,
            // No line ends here: at least do not begin inside a letter.
            None => {
                let inside = self.bytes.range(least..).take_while(|byte| **byte & 0xc0 == 0x80).count();
                least + inside
            }
        };
        let dropped: Vec<u8> = self.bytes.drain(..end).collect();
        let last = |sequence: &[u8]| dropped.windows(sequence.len()).rposition(|seen| seen == sequence);
        match (last(ENTER_ALTERNATE), last(LEAVE_ALTERNATE)) {
            (None, None) => {}
            (entered, left) => self.alternate = entered > left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_begins_with_a_line() {
        let mut scrollback = Scrollback::default();
        for number in 0..100_000 {
            scrollback.push(format!("line {number} \u{e9}\r\n").as_bytes());
            assert!(scrollback.bytes.len() <= MOST + 32);
        }
        let text = String::from_utf8(scrollback.replay()).expect("whole letters");
        assert!(text.starts_with("line ") && text.ends_with("line 99999 \u{e9}\r\n"));
        assert!(text.len() > MOST - 2 * SLICE);
    }

    #[test]
    fn without_lines_it_begins_with_a_whole_letter() {
        let mut scrollback = Scrollback::default();
        scrollback.push("\u{20ac}".repeat(MOST).as_bytes());
        assert!(String::from_utf8(scrollback.replay()).is_ok());
    }

    #[test]
    fn the_alternate_screen_is_remembered() {
        let mut scrollback = Scrollback::default();
        scrollback.push(b"\x1b[?1049h\n");
        scrollback.push(&b"x\n".repeat(MOST));
        assert!(scrollback.replay().starts_with(ENTER_ALTERNATE));
        scrollback.push(b"\x1b[?1049l\n");
        scrollback.push(&b"x\n".repeat(MOST));
        assert!(scrollback.replay().starts_with(b"x\n"));
    }
}
