//! Long-lived `git cat-file` children: objects of repositories that libgit2 can't open.
//!
//! Each question is one line, answered by one header line and, where content was asked for, by the content and a line
//! break. A child finds objects and refs that were written after it was started, but is never asked for index entries:
//! those it remembers.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::command::Git;
use super::error::Error;
use super::oid::Oid;

const OUTPUT: Error = Error::Output { what: "git cat-file" };

/// The four kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// What is known of an object without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) oid: Oid,
    pub(super) kind: Kind,
    /// In bytes.
    pub(super) size: u64,
}

impl Header {
    /// Reads `OID KIND SIZE`; nothing when the line says that there is no such object.
    pub(super) fn parse(line: &[u8]) -> Result<Option<Self>, Error> {
        let mut words = line.split(|byte| *byte == b' ');
        if let (Some(oid), Some(kind), Some(size), None) = (words.next(), words.next(), words.next(), words.next()) {
            let kind = match kind {
                b"blob" => Kind::Blob,
                b"tree" => Kind::Tree,
                b"commit" => Kind::Commit,
                b"tag" => Kind::Tag,
                _ => return Err(OUTPUT),
            };
            let size = std::str::from_utf8(size)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .ok_or(OUTPUT)?;
            return Ok(Some(Self {
                oid: Oid::from_hex(oid)?,
                kind,
                size,
            }));
        }
        if line.ends_with(b" missing") {
            Ok(None)
        } else {
            Err(OUTPUT)
        }
    }
}

/// Reads one line without its end; nothing at the end of the output.
pub(super) fn line(output: &mut dyn BufRead) -> Result<Option<Vec<u8>>, Error> {
    let mut line = Vec::new();
    output.read_until(b'\n', &mut line).map_err(|_| OUTPUT)?;
    Ok(match line.pop() {
        None => None,
        Some(b'\n') => Some(line),
        Some(_) => return Err(OUTPUT),
    })
}

/// Reads the `size` bytes of content that follow a header, and the line break behind them.
pub(super) fn content(output: &mut dyn BufRead, size: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    // Not reserved at once: the size is a claim of the repository until the bytes are here.
    output
        .take(size.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|_| OUTPUT)?;
    if bytes.len() as u64 != size.saturating_add(1) || bytes.pop() != Some(b'\n') {
        return Err(OUTPUT);
    }
    Ok(bytes)
}

/// One running child.
#[derive(Debug)]
struct Pipe {
    child: Child,
    // An option only so that it can be closed before the child is waited for.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Pipe {
    fn start(git: &Git, mode: &str) -> Result<Self, Error> {
        let mut child = git
            .command()
            .args(["cat-file", mode])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Nobody reads along; a full pipe would stop the child.
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::GitMissing)?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or(OUTPUT)?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// Asks; nothing when the child is gone.
    fn ask(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let question = format!("{name}\n");
        let Some(stdin) = self.stdin.as_mut() else {
            return Ok(None);
        };
        if stdin.write_all(question.as_bytes()).is_err() {
            return Ok(None);
        }
        line(&mut self.stdout)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // The end of its input ends it, unless it is stuck in the middle of an answer that nobody wants.
        self.stdin = None;
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Two children, each started when first needed and again if it died.
#[derive(Debug, Default)]
pub(super) struct Batch {
    contents: Option<Pipe>,
    headers: Option<Pipe>,
}

impl Batch {
    /// Kind and size of what `name` (a name of an object, or an expression like `HEAD^{tree}`) stands for.
    pub(super) fn header(&mut self, git: &Git, name: &str) -> Result<Option<Header>, Error> {
        let (_, line) = ask(&mut self.headers, git, "--batch-check", name)?;
        Header::parse(&line)
    }

    /// The same, with the content.
    pub(super) fn object(&mut self, git: &Git, name: &str) -> Result<Option<(Header, Vec<u8>)>, Error> {
        let (pipe, line) = ask(&mut self.contents, git, "--batch", name)?;
        let answer = match Header::parse(&line) {
            Ok(None) => return Ok(None),
            Ok(Some(header)) => content(&mut pipe.stdout, header.size).map(|bytes| Some((header, bytes))),
            Err(error) => Err(error),
        };
        if answer.is_err() {
            // Where the next answer would begin is unknown.
            self.contents = None;
        }
        answer
    }
}

/// Puts one question to the child of `slot`, once more to a new one if it had died, and returns its answer line.
fn ask<'a>(slot: &'a mut Option<Pipe>, git: &Git, mode: &str, name: &str) -> Result<(&'a mut Pipe, Vec<u8>), Error> {
    for _ in 0..2 {
        let mut pipe = match slot.take() {
            Some(pipe) => pipe,
            None => Pipe::start(git, mode)?,
        };
        if let Some(line) = pipe.ask(name)? {
            return Ok((slot.insert(pipe), line));
        }
    }
    Err(OUTPUT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn answers_without_the_documented_shape_are_errors() {
        let oid = "a".repeat(40);
        for bad in [
            "",
            "missing",
            "x blob 3",
            &format!("{oid} blob"),
            &format!("{oid} blob -1"),
            &format!("{oid} ape 1"),
        ] {
            assert!(Header::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(Header::parse(b"HEAD^{tree} missing").unwrap(), None);
        let header = Header::parse(format!("{oid} tag 12").as_bytes()).unwrap().unwrap();
        assert_eq!((header.kind, header.size), (Kind::Tag, 12));
    }

    #[test]
    fn content_ends_where_its_size_says() {
        for bad in ["", "ab", "abc", "abcd"] {
            assert!(content(&mut bad.as_bytes(), 3).is_err(), "{bad}");
        }
        assert!(content(&mut b"abc".as_slice(), u64::MAX).is_err());
        assert_eq!(content(&mut b"abc\nrest".as_slice(), 3).unwrap(), b"abc");
    }
}
