//! A strict reader in front of the HTTP parser.
//!
//! Parsers forgive some of what request smuggling lives on: a bare line feed, `Content-Length` beside
//! `Transfer-Encoding`, the same length twice, folded lines. The guard follows the framing of every
//! request as its bytes come in and lets nothing ambiguous through: it hands the parser a byte that no
//! request may hold instead, so that the answer is 400 and the connection ends. It copies nothing and
//! keeps at most one short line.
//!
//! After a request that asks for an upgrade everything passes unread; the dispatcher closes such a
//! connection unless the upgrade took place.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::listen::Slot;

/// What is handed on instead of an ambiguous request: an invalid head.
const REFUSED: &[u8] = b"\0\r\n\r\n";
/// Longest part of a line that is looked at; the lines of interest are shorter.
const LINE: usize = 128;

/// A connection from outside: its socket, its place in the count of connections, and the strict reader.
#[derive(Debug)]
pub(crate) struct Guarded {
    stream: TcpStream,
    framing: Framing,
    slot: Slot,
}

impl Guarded {
    pub(crate) fn new(stream: TcpStream, slot: Slot) -> Self {
        Self { stream, framing: Framing::default(), slot }
    }

    /// The socket, for a tunnel. The slot counts it as long as it is kept.
    pub(crate) fn into_parts(self) -> (TcpStream, Slot) {
        (self.stream, self.slot)
    }
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled {
            let ambiguous = this.framing.follow(&buf.filled()[before..]).err();
            if ambiguous.is_some() {
                buf.set_filled(before);
                let room = buf.remaining().min(REFUSED.len());
                buf.put_slice(&REFUSED[..room]);
            }
        }
        polled
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Two readers could see different requests in these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ambiguous;

/// Where in the stream of requests we are.
#[derive(Debug, Default)]
struct Framing {
    place: Place,
    /// The line being read, without its end, cut to [`LINE`] bytes.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return.
    after_cr: bool,
    head: Head,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    RequestLine,
    Header,
    /// That many bytes of a body follow.
    Body(u64),
    ChunkSize,
    /// That many bytes of a chunk follow, then an empty line.
    Chunk(u64),
    ChunkEnd,
    Trailer,
    /// No HTTP any more.
    Beyond,
    Refused,
}

/// What the head read so far says about the body.
#[derive(Debug, Default, Clone, Copy)]
struct Head {
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
}

impl Framing {
    fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Ambiguous> {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Beyond => return Ok(()),
                Place::Refused => return Err(Ambiguous),
                Place::Body(left) => self.skip(bytes, left, Place::Body, Place::RequestLine),
                Place::Chunk(left) => self.skip(bytes, left, Place::Chunk, Place::ChunkEnd),
                _ => match self.line(bytes) {
                    Ok(rest) => rest,
                    Err(ambiguous) => {
                        self.place = Place::Refused;
                        return Err(ambiguous);
                    }
                },
            };
        }
        Ok(())
    }

    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, on: fn(u64) -> Place, done: Place) -> &'a [u8] {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        self.place = if left == 0 { done } else { on(left) };
        &bytes[count..]
    }

    /// Reads up to the end of a line, which is CR LF and nothing else.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Ambiguous> {
        if self.after_cr {
            if bytes[0] != b'\n' {
                return Err(Ambiguous);
            }
            self.after_cr = false;
            self.place = self.next_place()?;
            self.line.clear();
            return Ok(&bytes[1..]);
        }
        let end = bytes.iter().position(|b| matches!(b, b'\r' | b'\n' | 0));
        let text = &bytes[..end.unwrap_or(bytes.len())];
        let room = LINE.saturating_sub(self.line.len()).min(text.len());
        self.line.extend_from_slice(&text[..room]);
        match end {
            None => Ok(&[]),
            Some(end) if bytes[end] == b'\r' => {
                self.after_cr = true;
                Ok(&bytes[end + 1..])
            }
            Some(_) => Err(Ambiguous),
        }
    }

    fn next_place(&mut self) -> Result<Place, Ambiguous> {
        match self.place {
            Place::RequestLine if self.line.is_empty() => Err(Ambiguous),
            Place::RequestLine => {
                self.head = Head::default();
                Ok(Place::Header)
            }
            Place::Header if self.line.is_empty() => Ok(self.head.body()),
            Place::Header => self.head.read(&self.line).map(|()| Place::Header),
            Place::ChunkSize => chunk_size(&self.line),
            Place::ChunkEnd if self.line.is_empty() => Ok(Place::ChunkSize),
            Place::Trailer if self.line.is_empty() => Ok(Place::RequestLine),
            Place::Trailer if !self.line[0].is_ascii_whitespace() => Ok(Place::Trailer),
            _ => Err(Ambiguous),
        }
    }
}

impl Head {
    fn read(&mut self, line: &[u8]) -> Result<(), Ambiguous> {
        let colon = line.iter().position(|b| *b == b':');
        let Some(colon) = colon else {
            // Too long to be a name of interest, or no header at all, which the parser refuses.
            return if line.len() == LINE && !line[0].is_ascii_whitespace() {
                Ok(())
            } else {
                Err(Ambiguous)
            };
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return Err(Ambiguous);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = number(value.trim_ascii(), 10).ok_or(Ambiguous)?;
            if self.chunked || self.length.replace(length).is_some() {
                return Err(Ambiguous);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let single = value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if !single || self.length.is_some() || std::mem::replace(&mut self.chunked, true) {
                return Err(Ambiguous);
            }
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.upgrade = true;
        }
        Ok(())
    }

    fn body(self) -> Place {
        match (self.chunked, self.length) {
            (true, _) => Place::ChunkSize,
            (false, Some(1..)) => Place::Body(self.length.unwrap_or_default()),
            (false, Some(0) | None) if self.upgrade => Place::Beyond,
            (false, Some(0) | None) => Place::RequestLine,
        }
    }
}

/// Size of the chunk; extensions are passed over.
fn chunk_size(line: &[u8]) -> Result<Place, Ambiguous> {
    let digits = line.split(|b| *b == b';').next().unwrap_or_default();
    match number(digits.trim_ascii_end(), 16).ok_or(Ambiguous)? {
        0 => Ok(Place::Trailer),
        size => Ok(Place::Chunk(size)),
    }
}

/// Digits and nothing else, without signs and separators.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(text).ok().filter(|text| (1..=16).contains(&text.len()))?;
    if text.chars().all(|c| c.is_digit(radix)) { u64::from_str_radix(text, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn follow(bytes: &[u8], piece: usize) -> Result<Place, Ambiguous> {
        let mut framing = Framing::default();
        for piece in bytes.chunks(piece) {
            framing.follow(piece)?;
        }
        Ok(framing.place)
    }

    fn both(text: &str) -> Result<Place, Ambiguous> {
        let whole = follow(text.as_bytes(), usize::MAX);
        assert_eq!(whole, follow(text.as_bytes(), 1), "{text:?}");
        whole
    }

    #[test]
    fn clear_requests_follow_each_other() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let sized = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb";
        let chunked =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\na\rb\r\n0\r\nT: 1\r\n\r\n";
        assert_eq!(both(&[get, sized, chunked, get].concat()), Ok(Place::RequestLine));
        assert_eq!(both(&format!("{sized}{get}x\ny")), Err(Ambiguous), "the framing was not lost");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for head in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding:\r\n chunked\r\n",
            "A: b\n",
            "A: b\rC: d\r\n",
            " A: b\r\n",
            "A: b\r\n\tc\r\n",
            "A\r\n",
            "A: \0\r\n",
            "Content-Length: 0x1\r\n",
            "Content-Length: 99999999999999999\r\n",
            ": x\r\n",
        ] {
            assert_eq!(both(&format!("POST / HTTP/1.1\r\n{head}\r\n")), Err(Ambiguous), "{head:?}");
        }
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "3\nabc\r\n",
            "3\r\nabcd\r\n",
            "-1\r\n",
            "0x3\r\n",
            "3 3\r\n",
            "\r\n",
            "3\r\nabc\n",
            "0\r\n x\r\n",
        ] {
            assert_eq!(both(&format!("{chunked}{body}")), Err(Ambiguous), "{body:?}");
        }
    }

    #[test]
    fn an_upgrade_ends_the_reading() {
        assert_eq!(both("GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n\n\0\r"), Ok(Place::Beyond));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), any::<u8>()], 0..200), piece in 1_usize..20) {
            let mut text = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            text.extend(bytes);
            prop_assert_eq!(follow(&text, usize::MAX), follow(&text, piece));
        }
    }
}
