//! Commands of age's plugin protocol as bytes: a stanza each way at a time.

use std::io;

use age_core::format::Stanza;
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::error::PluginFault;
use super::host::Conversation;

/// Characters of base64 in a full line of a stanza's body.
const COLUMNS: usize = 64;
/// Bytes that one command of a plugin may have. Real ones have some hundred; post-quantum stanzas two thousand.
const LONGEST: usize = 1 << 20;

/// The way to a running program.
pub(super) struct Wire {
    program: Box<dyn Conversation>,
    patience: u64,
    /// Bytes that came and were not looked at yet.
    pending: Zeroizing<Vec<u8>>,
}

fn garbled(what: &'static str) -> PluginFault {
    PluginFault::Garbled(what)
}

impl Wire {
    /// The way to a program that may be silent for so many seconds.
    pub(super) fn new(program: Box<dyn Conversation>, patience: u64) -> Self {
        Self {
            program,
            patience,
            pending: Zeroizing::default(),
        }
    }

    /// Lets the program end by itself.
    pub(super) fn finish(self) {
        self.program.finish();
    }

    /// Sends a command.
    pub(super) fn send(&mut self, words: &[&str], body: &[u8]) -> Result<(), PluginFault> {
        let mut text = Zeroizing::new(format!("-> {}\n", words.join(" ")));
        let encoded = Zeroizing::new(BASE64_NOPAD.encode(body));
        let mut rest = encoded.as_str();
        // A line that is not full ends the body, so a full last one is followed by an empty one.
        loop {
            let (line, after) = rest.split_at(rest.len().min(COLUMNS));
            text.push_str(line);
            text.push('\n');
            if line.len() < COLUMNS {
                break;
            }
            rest = after;
        }
        let sent = self
            .program
            .write_all(text.as_bytes())
            .and_then(|()| self.program.flush());
        sent.map_err(|error| self.fault(&error))
    }

    /// The program's next command.
    pub(super) fn receive(&mut self) -> Result<Stanza, PluginFault> {
        let head = self.line()?;
        let words = head
            .strip_prefix("-> ")
            .ok_or_else(|| garbled("a line that is no command"))?;
        let mut words = words.split(' ').map(str::to_owned);
        let tag = words.next().unwrap_or_default();
        let args: Vec<String> = words.collect();
        let sound = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        if !sound(&tag) || !args.iter().all(sound) {
            return Err(garbled("a command with unfit words"));
        }
        let mut encoded = Zeroizing::new(String::new());
        loop {
            let line = self.line()?;
            encoded.push_str(&line);
            if line.len() > COLUMNS || encoded.len() > LONGEST {
                return Err(garbled("a body of too many letters"));
            }
            if line.len() < COLUMNS {
                break;
            }
        }
        let body = BASE64_NOPAD.decode(encoded.as_bytes());
        let body = body.map_err(|_| garbled("a body that is not base64"))?;
        Ok(Stanza { tag, args, body })
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<Zeroizing<String>, PluginFault> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.pending.iter().skip(searched).position(|byte| *byte == b'\n') {
                let rest = self.pending.split_off(searched + end + 1);
                let mut line = std::mem::replace(&mut self.pending, Zeroizing::new(rest));
                line.pop();
                let text = String::from_utf8(std::mem::take(&mut *line));
                return text.map(Zeroizing::new).map_err(|_| garbled("a line that is not text"));
            }
            searched = self.pending.len();
            if searched > LONGEST {
                return Err(garbled("a line without end"));
            }
            let mut chunk = Zeroizing::new([0; 4096]);
            match self.program.read(chunk.as_mut_slice()) {
                Ok(0) => return Err(PluginFault::Died),
                Ok(length) => self.pending.extend(chunk.iter().take(length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(&error)),
            }
        }
    }

    fn fault(&self, error: &io::Error) -> PluginFault {
        match error.kind() {
            io::ErrorKind::TimedOut => PluginFault::Silent(self.patience),
            _ => PluginFault::Died,
        }
    }
}
