//! Git's long-running filter protocol, version 2: one process for all files of one Git command.
//!
//! Knows requests and not sealing. Git writes a whole request before it reads the answer, so nothing is written before a
//! request has been read to its end; whatever is written else on the output ruins the talk. The facts are those of
//! gitattributes(5), "Long Running Filter Process".

use std::collections::HashSet;
use std::io::{self, Read, Write};

use super::error::Error;
use super::filter_handler::{Answer, Delayed, Handler, SmudgeRequest};
use super::oid::Oid;
use super::pkt_line::{Reader, Writer};

/// Answers Git's requests until it closes its side. The end of the input is quiet wherever it comes, and so is a Git that
/// reads no more.
///
/// # Errors
/// [`Error::Packet`] when what comes is not the protocol, [`Error::Pipe`] when reading or writing fails.
pub fn serve<R: Read, W: Write, H: Handler>(input: R, output: W, handler: &mut H) -> Result<(), Error> {
    let mut talk = Talk {
        input: Reader::new(input),
        output: Writer::new(output),
        queued: HashSet::new(),
    };
    match talk.run(handler) {
        Err(Error::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The keys of one request. Keys that are not listed here are ignored, as the protocol asks.
#[derive(Default)]
struct Request {
    command: Vec<u8>,
    path: Option<Vec<u8>>,
    blob: Option<Oid>,
    treeish: Option<Oid>,
    ref_name: Option<Vec<u8>>,
    can_delay: bool,
}

impl Request {
    fn parse(texts: Vec<Vec<u8>>) -> Self {
        let mut request = Self::default();
        for text in texts {
            // Only the first `=` separates: paths may hold more of them.
            let Some(at) = text.iter().position(|&byte| byte == b'=') else {
                continue;
            };
            let (key, value) = (&text[..at], &text[at + 1..]);
            match key {
                b"command" => request.command = value.to_vec(),
                b"pathname" => request.path = Some(value.to_vec()),
                b"blob" => request.blob = Oid::from_hex(value).ok(),
                b"treeish" => request.treeish = Oid::from_hex(value).ok(),
                b"ref" => request.ref_name = Some(value.to_vec()),
                b"can-delay" => request.can_delay = value == b"1",
                _ => {}
            }
        }
        request
    }
}

/// One conversation with Git.
struct Talk<R, W: Write> {
    input: Reader<R>,
    output: Writer<W>,
    /// The paths whose content is still owed to Git.
    queued: HashSet<Vec<u8>>,
}

impl<R: Read, W: Write> Talk<R, W> {
    fn run<H: Handler>(&mut self, handler: &mut H) -> Result<(), Error> {
        if !self.greet(handler.delays())? {
            return Ok(());
        }
        while let Some(texts) = self.input.texts()? {
            let request = Request::parse(texts);
            if let Some(path) = request.path.clone() {
                let Some(content) = self.input.content()? else {
                    return Ok(());
                };
                self.with_file(path, request, content, handler)?;
            } else {
                self.without_file(&request, handler)?;
            }
            self.output.send()?;
        }
        Ok(())
    }

    /// The handshake; false when Git left in the middle of it.
    fn greet(&mut self, delays: bool) -> Result<bool, Error> {
        let Some(hello) = self.input.texts()? else {
            return Ok(false);
        };
        if hello.first().map(Vec::as_slice) != Some(b"git-filter-client") {
            return Err(Error::Packet {
                what: "no greeting of a filter client",
            });
        }
        if !hello.iter().any(|text| text == b"version=2") {
            return Err(Error::Packet {
                what: "no version 2 offered",
            });
        }
        self.output.text(b"git-filter-server")?;
        self.output.text(b"version=2")?;
        self.output.flush()?;
        self.output.send()?;
        let Some(offered) = self.input.texts()? else {
            return Ok(false);
        };
        for name in [&b"capability=clean"[..], b"capability=smudge", b"capability=delay"] {
            // To name one that was not offered is fatal on Git's side.
            if offered.iter().any(|text| text == name) && (delays || name != b"capability=delay") {
                self.output.text(name)?;
            }
        }
        self.output.flush()?;
        self.output.send()?;
        Ok(true)
    }

    /// A request that names no file, and so has no content.
    fn without_file<H: Handler>(&mut self, request: &Request, handler: &mut H) -> Result<(), Error> {
        if request.command != b"list_available_blobs" {
            return self.status(b"status=error");
        }
        // With nothing owed the empty list is due, and a handler must not be made to wait.
        let ready = if self.queued.is_empty() {
            Vec::new()
        } else {
            handler.available()
        };
        for path in ready {
            self.output.text(&[b"pathname=", &path[..]].concat())?;
        }
        self.output.flush()?;
        self.status(b"status=success")
    }

    fn with_file<H: Handler>(
        &mut self,
        path: Vec<u8>,
        request: Request,
        content: Vec<u8>,
        handler: &mut H,
    ) -> Result<(), Error> {
        match &request.command[..] {
            b"clean" => self.answer(handler.clean(&path, content)),
            b"smudge" => {
                if !request.can_delay && content.is_empty() && self.queued.remove(&path) {
                    return self.answer(handler.collect(&path));
                }
                let Request {
                    blob,
                    treeish,
                    ref_name,
                    can_delay,
                    ..
                } = request;
                let smudge = SmudgeRequest {
                    path,
                    blob,
                    treeish,
                    ref_name,
                };
                if !can_delay || self.queued.contains(&smudge.path) {
                    return self.answer(handler.smudge(&smudge, content));
                }
                let path = smudge.path.clone();
                match handler.smudge_later(smudge, content) {
                    Delayed::Answered(answer) => self.answer(answer),
                    Delayed::Queued => {
                        self.queued.insert(path);
                        self.status(b"status=delayed")
                    }
                }
            }
            _ => self.status(b"status=error"),
        }
    }

    fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        match answer {
            Answer::Refused => self.status(b"status=error"),
            Answer::GivenUp => self.status(b"status=abort"),
            Answer::Content(content) => {
                self.status(b"status=success")?;
                self.output.content(&content)?;
                // The second list may take the success back; empty, it stands.
                self.output.flush()
            }
        }
    }

    fn status(&mut self, status: &[u8]) -> Result<(), Error> {
        self.output.text(status)?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::num::NonZeroUsize;

    use super::*;
    use crate::git::delay::DelayPool;
    use crate::git::pkt_line::MAX_DATA;

    /// Clean turns bytes by one, smudge turns them back; the path says how to behave otherwise.
    struct Toy {
        pool: Option<DelayPool>,
        smudged: Vec<SmudgeRequest>,
        left: usize,
    }

    impl Toy {
        fn new(pool: bool) -> Self {
            let pool = pool.then(|| DelayPool::new(NonZeroUsize::new(2).unwrap()));
            Self {
                pool,
                smudged: Vec::new(),
                left: 0,
            }
        }

        fn turned(content: &[u8], by: u8) -> Vec<u8> {
            content.iter().map(|byte| byte.wrapping_add(by)).collect()
        }
    }

    impl Handler for Toy {
        fn clean(&mut self, path: &[u8], content: Vec<u8>) -> Answer {
            match path {
                b"refuse" => Answer::Refused,
                b"give up" => Answer::GivenUp,
                _ => Answer::Content(Self::turned(&content, 1)),
            }
        }

        fn smudge(&mut self, request: &SmudgeRequest, content: Vec<u8>) -> Answer {
            self.smudged.push(request.clone());
            Answer::Content(Self::turned(&content, 255))
        }

        fn delays(&self) -> bool {
            self.pool.is_some()
        }

        fn smudge_later(&mut self, request: SmudgeRequest, content: Vec<u8>) -> Delayed {
            if request.path == b"at once" {
                return Delayed::Answered(self.smudge(&request, content));
            }
            self.left += 1;
            self.pool
                .as_mut()
                .unwrap()
                .queue(request.path, content, |content| Self::turned(content, 255));
            Delayed::Queued
        }

        fn available(&mut self) -> Vec<Vec<u8>> {
            // All of them at once, in order, so that the answer does not depend on the threads.
            let mut ready = Vec::new();
            while ready.len() < self.left {
                ready.extend(self.pool.as_mut().unwrap().available());
            }
            self.left = 0;
            ready.sort();
            ready
        }

        fn collect(&mut self, path: &[u8]) -> Answer {
            self.pool
                .as_mut()
                .unwrap()
                .collect(path)
                .map_or(Answer::Refused, Answer::Content)
        }
    }

    /// Text packets and a flush.
    fn list(texts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        for text in texts {
            writer.text(text).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        bytes
    }

    /// Data packets and a flush.
    fn data(content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes).content(content).unwrap();
        bytes
    }

    fn hello() -> Vec<u8> {
        let names: [&[u8]; 4] = [
            b"capability=clean",
            b"capability=smudge",
            b"capability=delay",
            b"capability=dream",
        ];
        [list(&[b"git-filter-client", b"version=2"]), list(&names)].concat()
    }

    fn welcome(delays: bool) -> Vec<u8> {
        let mut capabilities = vec![&b"capability=clean"[..], b"capability=smudge"];
        capabilities.extend(delays.then_some(&b"capability=delay"[..]));
        [list(&[b"git-filter-server", b"version=2"]), list(&capabilities)].concat()
    }

    fn request(texts: &[&[u8]], content: &[u8]) -> Vec<u8> {
        [list(texts), data(content)].concat()
    }

    fn success(content: &[u8]) -> Vec<u8> {
        [list(&[b"status=success"]), data(content), list(&[])].concat()
    }

    fn talk(input: &[u8], handler: &mut Toy) -> Result<Vec<u8>, Error> {
        let mut output = Vec::new();
        serve(input, &mut output, handler).map(|()| output)
    }

    #[test]
    fn what_is_not_the_protocol_is_refused() {
        let cases = [
            b"GET / HTTP/1.1\r\n".to_vec(),
            list(&[]),
            list(&[b"git-filter-server", b"version=2"]),
            list(&[b"git-filter-client", b"version=3"]),
            [hello(), b"0003".to_vec()].concat(),
        ];
        for input in cases {
            let result = talk(&input, &mut Toy::new(false));
            assert!(
                matches!(result, Err(Error::Packet { .. })),
                "{}",
                String::from_utf8_lossy(&input)
            );
        }
    }

    #[test]
    fn refusals_reach_git_and_the_talk_goes_on() {
        let error = list(&[b"status=error"]);
        let [clean, polish] = [&b"command=clean"[..], b"command=polish"];
        let cases = [
            (request(&[clean, b"pathname=refuse"], b"x"), error.clone()),
            (request(&[clean, b"pathname=give up"], b"x"), list(&[b"status=abort"])),
            (request(&[polish, b"pathname=a"], b"x"), error.clone()),
            (list(&[polish]), error),
            (
                list(&[b"command=list_available_blobs"]),
                [list(&[]), list(&[b"status=success"])].concat(),
            ),
        ];
        let next = request(&[b"command=clean", b"pathname=next"], b"a");
        for (input, answer) in cases {
            let output = talk(&[hello(), input.clone(), next.clone()].concat(), &mut Toy::new(false)).unwrap();
            assert_eq!(
                output,
                [welcome(false), answer, success(b"b")].concat(),
                "{}",
                String::from_utf8_lossy(&input)
            );
        }
    }

    #[test]
    fn capabilities_are_only_those_offered() {
        let hellos: [&[u8]; 3] = [b"git-filter-client", b"version=1", b"version=2"];
        let input = [list(&hellos), list(&[b"capability=smudge"])].concat();
        let expected = [
            list(&[b"git-filter-server", b"version=2"]),
            list(&[b"capability=smudge"]),
        ]
        .concat();
        assert_eq!(talk(&input, &mut Toy::new(true)).unwrap(), expected);
        assert_eq!(talk(&hello(), &mut Toy::new(false)).unwrap(), welcome(false));
        assert_eq!(talk(&hello(), &mut Toy::new(true)).unwrap(), welcome(true));
    }

    #[test]
    fn contents_of_every_length_come_back() {
        for len in [0, 1, MAX_DATA - 1, MAX_DATA, MAX_DATA + 1, 3 * MAX_DATA, 1_000_000] {
            let content: Vec<u8> = (0..=252).cycle().take(len).collect();
            let input = [hello(), request(&[b"command=clean", b"pathname=a"], &content)].concat();
            let expected = [welcome(false), success(&Toy::turned(&content, 1))].concat();
            assert!(talk(&input, &mut Toy::new(false)).unwrap() == expected, "{len} bytes");
        }
    }

    #[test]
    fn the_metadata_of_a_smudge_arrive() {
        let (oid, long) = ("ab".repeat(20), "cd".repeat(32));
        let (blob, treeish) = (format!("blob={oid}"), format!("treeish={long}"));
        let texts: [&[u8]; 7] = [
            b"command=smudge",
            b"pathname=a=b \xff\n.yaml",
            b"ref=refs/heads/x=y",
            treeish.as_bytes(),
            blob.as_bytes(),
            b"weather=fine",
            b"keyless",
        ];
        let mut toy = Toy::new(false);
        let output = talk(&[hello(), request(&texts, b"b")].concat(), &mut toy).unwrap();
        assert_eq!(output, [welcome(false), success(b"a")].concat());
        let expected = SmudgeRequest {
            path: b"a=b \xff\n.yaml".to_vec(),
            blob: Some(Oid::from_hex(oid.as_bytes()).unwrap()),
            treeish: Some(Oid::from_hex(long.as_bytes()).unwrap()),
            ref_name: Some(b"refs/heads/x=y".to_vec()),
        };
        assert_eq!(toy.smudged, [expected]);
    }

    /// Two files put off, one answered at once, listed, collected, and asked again.
    fn delayed_talk() -> (Vec<u8>, Vec<u8>) {
        let put_off = |path: &[u8], content: &[u8]| request(&[b"command=smudge", path, b"can-delay=1"], content);
        let ask = list(&[b"command=list_available_blobs"]);
        let input = [
            hello(),
            put_off(b"pathname=one", b"2"),
            put_off(b"pathname=at once", b"3"),
            put_off(b"pathname=empty", b""),
            ask.clone(),
            request(&[b"command=smudge", b"pathname=empty"], b""),
            request(&[b"command=smudge", b"pathname=one"], b""),
            ask,
            request(&[b"command=smudge", b"pathname=one"], b""),
        ];
        let output = [
            welcome(true),
            list(&[b"status=delayed"]),
            success(b"2"),
            list(&[b"status=delayed"]),
            list(&[b"pathname=empty", b"pathname=one"]),
            list(&[b"status=success"]),
            success(b""),
            success(b"1"),
            list(&[]),
            list(&[b"status=success"]),
            success(b""),
        ];
        (input.concat(), output.concat())
    }

    #[test]
    fn delayed_files_are_listed_and_collected() {
        let (input, output) = delayed_talk();
        assert_eq!(talk(&input, &mut Toy::new(true)).unwrap(), output);
    }

    #[test]
    fn the_end_is_quiet_at_every_byte() {
        let (input, output) = delayed_talk();
        for cut in 0..=input.len() {
            let written = talk(&input[..cut], &mut Toy::new(true)).unwrap();
            assert!(output.starts_with(&written), "cut at {cut}");
        }
    }

    #[test]
    fn a_git_that_reads_no_more_is_the_end_too() {
        /// Takes so many bytes and no more.
        struct Pipe(usize);
        impl Write for Pipe {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let taken = self.0.min(bytes.len());
                self.0 -= taken;
                if taken == 0 {
                    Err(io::ErrorKind::BrokenPipe.into())
                } else {
                    Ok(taken)
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (input, output) = delayed_talk();
        for left in 0..output.len() {
            serve(&input[..], Pipe(left), &mut Toy::new(true)).unwrap();
        }
    }
}
