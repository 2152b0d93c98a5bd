//! The streams: the only place that prints. Everything for a person goes to stderr with the program's name in front.

use std::io::{self, IsTerminal, Write};

use console::Style;

use super::failure::Failure;

/// The streams of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Terminal {
    /// Writes bytes to stdout.
    ///
    /// # Errors
    /// What the system says, except for a reader that went away: that is its good right.
    pub fn out(self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Says something that is no complaint.
    pub fn say(self, text: &str) {
        self.line(None, text);
    }

    /// Says something that should be looked at.
    pub fn warn(self, text: &str) {
        self.line(Some(("warning", Style::new().yellow().bold())), text);
    }

    /// Says what went wrong.
    pub fn error(self, text: &str) {
        self.line(Some(("error", Style::new().red().bold())), text);
    }

    /// Says what to do about it.
    pub fn hint(self, text: &str) {
        self.line(Some(("hint", Style::new().cyan().bold())), text);
    }

    /// Says why something failed, and the ways out.
    pub fn failure(self, failure: &Failure) {
        self.error(&failure.message);
        failure.hints.iter().for_each(|hint| self.hint(hint));
    }

    /// Writes a text to stderr as it is.
    pub fn err_text(self, text: &str) {
        // Nobody is left to tell that stderr is gone.
        io::stderr().lock().write_all(text.as_bytes()).ok();
    }

    /// Whether a person reads stdout.
    #[must_use]
    pub fn stdout_is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether stdout takes colour.
    #[must_use]
    pub fn stdout_coloured(self) -> bool {
        console::colors_enabled()
    }

    /// Whether stderr takes colour.
    #[must_use]
    pub fn coloured(self) -> bool {
        console::colors_enabled_stderr()
    }

    fn line(self, word: Option<(&str, Style)>, text: &str) {
        let word = word.map(|(word, style)| format!("{}: ", style.for_stderr().apply_to(word)));
        self.err_text(&format!("git-seal: {}{text}\n", word.unwrap_or_default()));
    }
}
