//! Keys without `?`: only the colon behind them tells that they are keys, so the places where one may begin are noted.

use super::cursor::Mark;
use super::scanner::Scanner;
use super::token::{Step, Stop};

/// Characters within which the colon of a key without `?` must follow.
const KEY_REACH: usize = 1024;

/// A place at which a key without `?` may have begun.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PossibleKey {
    pub(super) possible: bool,
    /// Whether nothing but a key may stand there.
    required: bool,
    /// Number of its first token.
    pub(super) token: usize,
    pub(super) start: Mark,
    /// Offset in characters.
    characters: usize,
}

impl Scanner<'_> {
    /// Whether the first token in the queue may still turn out to be a key.
    pub(super) fn first_may_be_key(&mut self) -> Step<bool> {
        let first = self.taken_count;
        match self.keys.iter().position(|key| key.possible && key.token == first) {
            Some(level) => self.is_key_in_reach(level),
            None => Ok(false),
        }
    }

    /// Whether a colon at the cursor would make a key of the place noted at `level`.
    pub(super) fn is_key_in_reach(&mut self, level: usize) -> Step<bool> {
        let (line, characters) = (self.cursor.line, self.cursor.characters());
        let Some(key) = self.keys.get_mut(level).filter(|key| key.possible) else {
            return Ok(false);
        };
        if key.start.line < line || key.characters + KEY_REACH < characters {
            if key.required {
                return Err(Stop::syntax(key.start.at, "could not find expected ':'"));
            }
            key.possible = false;
        }
        Ok(key.possible)
    }

    /// Notes that a key may begin here.
    pub(super) fn note_key(&mut self) -> Step<()> {
        if !self.key_allowed {
            return Ok(());
        }
        self.drop_key()?;
        let key = PossibleKey {
            possible: true,
            required: !self.in_flow() && self.floor() == self.cursor.column + 1,
            token: self.taken_count + self.queue.len(),
            start: self.cursor.mark(),
            characters: self.cursor.characters(),
        };
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    /// Forgets the possible key of the current level.
    pub(super) fn drop_key(&mut self) -> Step<()> {
        match self.keys.last_mut() {
            Some(key) if key.possible && key.required => Err(Stop::syntax(key.start.at, "could not find expected ':'")),
            Some(key) => {
                key.possible = false;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
