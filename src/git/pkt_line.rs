//! Git's packet lines: four hexadecimal digits of length, then the data; `0000` ends a list.
//!
//! The end of the input is an answer and not an error, wherever it comes: a Git that was killed leaves half a packet behind,
//! and whoever talks to it has to go quietly.

use std::io::{self, BufReader, BufWriter, Read, Write};

use super::error::Error;

/// The most data that one packet carries, in bytes: 65,520 with its length digits.
pub const MAX_DATA: usize = 65_516;

/// The length digits count themselves.
const DIGITS: usize = 4;

/// Enough for one packet and its digits, so that a full packet is one system call.
const BUFFER: usize = DIGITS + MAX_DATA;

/// What stands in front of the data of a packet, or instead of it.
enum Head {
    /// This many bytes of data follow.
    Data(usize),
    /// The end of a list or of a content.
    Flush,
    /// The other side is gone.
    End,
}

/// Reads packets from a stream.
#[derive(Debug)]
pub struct Reader<R> {
    input: BufReader<R>,
}

impl<R: Read> Reader<R> {
    /// Packets as they come from `input`.
    pub fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
        }
    }

    /// The text packets up to the next flush, each without its final LF; `None` when the input ends before the flush.
    ///
    /// Only one LF goes: a path may end in another one.
    ///
    /// # Errors
    /// [`Error::Packet`] for a length that is none, [`Error::Pipe`] when reading fails.
    pub fn texts(&mut self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let mut texts = Vec::new();
        loop {
            let len = match self.head()? {
                Head::Data(len) => len,
                Head::Flush => return Ok(Some(texts)),
                Head::End => return Ok(None),
            };
            let mut text = Vec::new();
            if !self.append(&mut text, len)? {
                return Ok(None);
            }
            if text.last() == Some(&b'\n') {
                text.pop();
            }
            texts.push(text);
        }
    }

    /// The data of all packets up to the next flush as one; `None` when the input ends before the flush.
    ///
    /// # Errors
    /// As [`Reader::texts`].
    pub fn content(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut content = Vec::new();
        loop {
            match self.head()? {
                Head::Data(len) => {
                    if !self.append(&mut content, len)? {
                        return Ok(None);
                    }
                }
                Head::Flush => return Ok(Some(content)),
                Head::End => return Ok(None),
            }
        }
    }

    /// Reads the length digits of the next packet.
    fn head(&mut self) -> Result<Head, Error> {
        let mut digits = [0; DIGITS];
        if !self.fill(&mut digits)? {
            return Ok(Head::End);
        }
        let value = digits.iter().try_fold(0, |value, &byte| {
            Some(value * 16 + (byte as char).to_digit(16)? as usize)
        });
        match value {
            Some(0) => Ok(Head::Flush),
            // 1 to 3 are the delimiters of another protocol version.
            Some(len @ DIGITS..=BUFFER) => Ok(Head::Data(len - DIGITS)),
            _ => Err(Error::Packet {
                what: "length out of range",
            }),
        }
    }

    /// Appends `len` bytes of input to `buffer`; false when the input ends before.
    fn append(&mut self, buffer: &mut Vec<u8>, len: usize) -> Result<bool, Error> {
        let start = buffer.len();
        buffer.resize(start + len, 0);
        self.fill(&mut buffer[start..])
    }

    /// Fills all of `buffer`; false when the input ends before.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, Error> {
        match self.input.read_exact(buffer) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(Error::Pipe(error)),
        }
    }
}

/// Writes packets to a stream, buffered until [`Writer::send`].
#[derive(Debug)]
pub struct Writer<W: Write> {
    output: BufWriter<W>,
}

impl<W: Write> Writer<W> {
    /// Packets as they go to `output`.
    pub fn new(output: W) -> Self {
        Self {
            output: BufWriter::with_capacity(BUFFER, output),
        }
    }

    /// One text packet; the LF at its end is added here.
    ///
    /// # Errors
    /// [`Error::Packet`] for a text longer than a packet, [`Error::Pipe`] when writing fails.
    pub fn text(&mut self, text: &[u8]) -> Result<(), Error> {
        if text.len() >= MAX_DATA {
            return Err(Error::Packet {
                what: "text longer than a packet",
            });
        }
        self.head(text.len() + 1)?;
        self.raw(text)?;
        self.raw(b"\n")
    }

    /// A content of any length in full packets, and its flush. An empty content is the flush alone.
    ///
    /// # Errors
    /// [`Error::Pipe`] when writing fails.
    pub fn content(&mut self, content: &[u8]) -> Result<(), Error> {
        for data in content.chunks(MAX_DATA) {
            self.head(data.len())?;
            self.raw(data)?;
        }
        self.flush()
    }

    /// The packet that ends a list.
    ///
    /// # Errors
    /// [`Error::Pipe`] when writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.raw(b"0000")
    }

    /// Hands everything written so far to the other side.
    ///
    /// # Errors
    /// [`Error::Pipe`] when writing fails.
    pub fn send(&mut self) -> Result<(), Error> {
        self.output.flush().map_err(Error::Pipe)
    }

    fn head(&mut self, len: usize) -> Result<(), Error> {
        write!(self.output, "{:04x}", len + DIGITS).map_err(Error::Pipe)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.output.write_all(bytes).map_err(Error::Pipe)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use super::*;

    fn written(content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.content(content).unwrap();
        writer.send().unwrap();
        drop(writer);
        out
    }

    #[test]
    fn malformed_lengths_are_errors() {
        for bytes in [
            &b"0001"[..],
            b"0002",
            b"0003",
            b"fff1",
            b"ffff",
            b"00g0",
            b"+005a",
            b" 005a",
            b"hell",
            b"0005a0001",
        ] {
            for read in [
                |bytes| Reader::new(bytes).content().map(drop),
                |bytes| Reader::new(bytes).texts().map(drop),
            ] {
                assert!(
                    matches!(read(bytes), Err(Error::Packet { .. })),
                    "{}",
                    String::from_utf8_lossy(bytes)
                );
            }
        }
    }

    #[test]
    fn an_early_end_is_no_error_and_no_content() {
        let whole = b"0009hello0006a\n0000";
        for cut in 0..whole.len() {
            assert!(
                Reader::new(&whole[..cut]).content().unwrap().is_none(),
                "content cut at {cut}"
            );
            assert!(
                Reader::new(&whole[..cut]).texts().unwrap().is_none(),
                "texts cut at {cut}"
            );
        }
        assert_eq!(Reader::new(&whole[..]).content().unwrap().unwrap(), b"helloa\n");
    }

    #[test]
    fn one_line_feed_goes() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"0006a\n0000", b"a"),
            (b"0005a0000", b"a"),
            (b"0007a\n\n0000", b"a\n"),
            (b"0007a\r\n0000", b"a\r"),
            (b"0005\n0000", b""),
            (b"00040000", b""),
        ];
        for (bytes, text) in cases {
            assert_eq!(
                Reader::new(bytes).texts().unwrap().unwrap(),
                [text],
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
        assert_eq!(
            Reader::new(&b"0000"[..]).texts().unwrap().unwrap(),
            Vec::<Vec<u8>>::new()
        );
    }

    #[test]
    fn contents_are_cut_at_the_limit() {
        let cases: [(usize, &[&str]); 6] = [
            (0, &[]),
            (1, &["0005"]),
            (65_515, &["ffef"]),
            (65_516, &["fff0"]),
            (65_517, &["fff0", "0005"]),
            (131_033, &["fff0", "fff0", "0005"]),
        ];
        for (len, heads) in cases {
            let content: Vec<u8> = (0..=250).cycle().take(len).collect();
            let bytes = written(&content);
            let mut rest = &bytes[..];
            for head in heads {
                assert_eq!(&rest[..4], head.as_bytes(), "{len} bytes");
                rest = &rest[usize::from_str_radix(head, 16).unwrap()..];
            }
            assert_eq!(rest, b"0000", "{len} bytes");
            assert_eq!(Reader::new(&bytes[..]).content().unwrap().unwrap(), content);
        }
    }

    #[test]
    fn texts_fit_one_packet() {
        let long = vec![b'a'; MAX_DATA];
        let mut writer = Writer::new(Vec::new());
        assert!(matches!(writer.text(&long), Err(Error::Packet { .. })));
        writer.text(&long[1..]).unwrap();
        writer.flush().unwrap();
        writer.send().unwrap();
        let bytes = writer.output.into_inner().unwrap();
        assert_eq!(Reader::new(&bytes[..]).texts().unwrap().unwrap(), [&long[1..]]);
    }
}
