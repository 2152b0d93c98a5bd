//! Questions to the person at the terminal: to the terminal itself, since stdin and stdout may be pipes.
//!
//! While a secret is typed, the terminal shows nothing and sends no signals: Ctrl-C arrives as a letter, so that the echo is
//! always turned on again.

use std::io;

use zeroize::Zeroizing;

/// Whether what is typed is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It is seen.
    On,
    /// It is not.
    Off,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// There is no terminal.
    NoTerminal,
    /// It was cancelled: Ctrl-C, Ctrl-D or the end of the terminal.
    Cancelled,
}

/// Bytes that an answer may have.
const LONGEST: usize = 4096;

/// Asks, and gives what is typed, without the line's end.
///
/// # Errors
/// [`NoAnswer`].
pub fn ask(question: &str, echo: Echo) -> Result<Zeroizing<String>, NoAnswer> {
    let answer = terminal::ask(question, echo)?;
    let text = String::from_utf8(answer.to_vec()).map_err(|_| NoAnswer::Cancelled)?;
    Ok(Zeroizing::new(text))
}

/// A line as it is typed, letter by letter.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
}

/// What a typed byte does.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    More,
    Done,
    Cancelled,
}

impl Line {
    fn new() -> Self {
        // Growing would leave copies behind.
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(LONGEST)),
        }
    }

    fn take(&mut self, byte: u8) -> Typed {
        match byte {
            b'\n' | b'\r' => return Typed::Done,
            // Ctrl-C.
            3 => return Typed::Cancelled,
            // Ctrl-D.
            4 if self.bytes.is_empty() => return Typed::Cancelled,
            4 => return Typed::Done,
            // Backspace takes a whole letter away.
            8 | 127 => while self.bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            21 => self.bytes.clear(),
            _ if byte < 32 && byte != b'\t' => {}
            _ if self.bytes.len() < LONGEST => self.bytes.push(byte),
            _ => {}
        }
        Typed::More
    }
}

#[cfg(unix)]
mod terminal {
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    use super::{Echo, Line, NoAnswer, Typed};

    /// The terminal as it was, put back when this goes.
    struct Quiet<'t> {
        terminal: &'t File,
        before: Termios,
    }

    impl<'t> Quiet<'t> {
        fn new(terminal: &'t File) -> Option<Self> {
            let before = tcgetattr(terminal).ok()?;
            let mut quiet = before.clone();
            quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ISIG | LocalModes::ICANON);
            quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
            quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(terminal, OptionalActions::Flush, &quiet).ok()?;
            Some(Self { terminal, before })
        }
    }

    impl Drop for Quiet<'_> {
        fn drop(&mut self) {
            // A terminal that is gone needs no echo.
            tcsetattr(self.terminal, OptionalActions::Flush, &self.before).ok();
        }
    }

    pub(super) fn ask(question: &str, echo: Echo) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let mut terminal = &terminal.map_err(|_| NoAnswer::NoTerminal)?;
        let quiet = match echo {
            Echo::On => None,
            Echo::Off => Some(Quiet::new(terminal).ok_or(NoAnswer::NoTerminal)?),
        };
        terminal
            .write_all(question.as_bytes())
            .map_err(|_| NoAnswer::NoTerminal)?;
        let mut line = Line::new();
        let mut byte = Zeroizing::new([0]);
        let typed = loop {
            match terminal.read(byte.as_mut_slice()) {
                Ok(1) => match line.take(byte[0]) {
                    Typed::More => {}
                    typed => break typed,
                },
                Err(error) if error.kind() == super::io::ErrorKind::Interrupted => {}
                _ => break Typed::Cancelled,
            }
        };
        if quiet.is_some() {
            // The person's own line end was not shown.
            terminal.write_all(b"\n").ok();
        }
        match typed {
            Typed::Cancelled => Err(NoAnswer::Cancelled),
            _ => Ok(line.bytes),
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    use console::Term;
    use zeroize::Zeroizing;

    use super::{Echo, Line, NoAnswer};

    pub(super) fn ask(question: &str, echo: Echo) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let terminal = Term::stderr();
        if !terminal.is_term() {
            return Err(NoAnswer::NoTerminal);
        }
        terminal.write_str(question).map_err(|_| NoAnswer::NoTerminal)?;
        let answer = match echo {
            Echo::On => terminal.read_line(),
            Echo::Off => terminal.read_secure_line(),
        };
        let answer = Zeroizing::new(answer.map_err(|_| NoAnswer::Cancelled)?);
        let mut line = Line::new();
        answer.bytes().for_each(|byte| drop(line.take(byte)));
        Ok(line.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(typed: &[u8], last: Typed, text: &str) {
        let mut line = Line::new();
        let mut state = Typed::More;
        for byte in typed {
            assert_eq!(state, Typed::More);
            state = line.take(*byte);
        }
        assert_eq!((state, line.bytes.as_slice()), (last, text.as_bytes()));
    }

    #[test]
    fn what_is_typed() {
        case(b"ab\x03", Typed::Cancelled, "ab");
        case(b"\x04", Typed::Cancelled, "");
        case(b"ab\x04", Typed::Done, "ab");
        case(b"a b\tc\r", Typed::Done, "a b\tc");
        case(b"ab\x7fc\n", Typed::Done, "ac");
        case("a\u{e4}\u{1f600}\x08b\n".as_bytes(), Typed::Done, "a\u{e4}b");
        case(b"\x7f\x7fa\n", Typed::Done, "a");
        case(b"wrong\x15right\n", Typed::Done, "right");
        case(b"a\x1b\x00b", Typed::More, "ab");
        case(&[b'x'; LONGEST + 9], Typed::More, &"x".repeat(LONGEST));
    }
}
