//! A host for tests: programs whose words are written down, and a person whose answers are.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use age::secrecy::SecretString;

use super::error::{Error, PluginFault};
use super::host::{Conversation, Host, Machine, Question};

/// What a program says, and what a person answers.
#[derive(Default)]
pub(super) struct Scripted {
    /// All that the program says; `None` for one that can't be found.
    pub says: Option<Vec<u8>>,
    /// What happens when it has said that.
    pub then: Option<io::ErrorKind>,
    /// The person's answers, in order. Without one nobody is there.
    pub answers: Mutex<VecDeque<Result<&'static str, Error>>>,
    /// What was asked and told.
    pub heard: Mutex<Vec<String>>,
    /// What the program was sent.
    pub sent: Arc<Mutex<Vec<u8>>>,
    /// Whether the program was let end by itself.
    pub finished: Arc<Mutex<bool>>,
}

impl Scripted {
    /// A host whose programs say this.
    pub fn program(says: &str) -> Self {
        Self {
            says: Some(says.as_bytes().to_vec()),
            ..Self::default()
        }
    }

    /// This host with a person who answers.
    pub fn answering(self, answers: &[Result<&'static str, Error>]) -> Self {
        *self.answers.lock().unwrap() = answers.iter().cloned().collect();
        self
    }

    /// What was asked and told.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// What the program was sent.
    pub fn sent(&self) -> String {
        String::from_utf8(self.sent.lock().unwrap().clone()).unwrap()
    }

    fn hear(&self, text: String) {
        self.heard.lock().unwrap().push(text);
    }
}

impl Host for Scripted {
    fn start(&self, _: &str, _: Machine) -> Result<Box<dyn Conversation>, PluginFault> {
        let says = self.says.clone().ok_or(PluginFault::Missing)?;
        Ok(Box::new(Program {
            says: says.into(),
            then: self.then,
            sent: Arc::clone(&self.sent),
            finished: Arc::clone(&self.finished),
        }))
    }

    fn patience(&self) -> u64 {
        60
    }

    fn ask(&self, question: Question<'_>) -> Result<SecretString, Error> {
        self.hear(match question {
            Question::Passphrase { source, again } => format!("passphrase of {source}, again {again}"),
            Question::Plain { plugin, text } => format!("{plugin} asks {text}"),
            Question::Secret { plugin, text } => format!("{plugin} asks secretly {text}"),
            Question::Choice { plugin, text, yes, no } => format!("{plugin} asks {text} {yes} {no:?}"),
        });
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or(Err(Error::ProtectedIdentity)).map(Into::into)
    }

    fn tell(&self, plugin: &str, text: &str) {
        self.hear(format!("{plugin} tells {text}"));
    }
}

struct Program {
    says: VecDeque<u8>,
    then: Option<io::ErrorKind>,
    sent: Arc<Mutex<Vec<u8>>>,
    finished: Arc<Mutex<bool>>,
}

impl Read for Program {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.says.is_empty(), self.then) {
            (true, Some(error)) => Err(error.into()),
            // Small pieces, as a pipe may give them.
            _ => self.says.read(&mut buffer[..7]),
        }
    }
}

impl Write for Program {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Conversation for Program {
    fn finish(self: Box<Self>) {
        *self.finished.lock().unwrap() = true;
    }
}
