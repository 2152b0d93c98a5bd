//! From text to tokens, with the grammar and the limits of go-yaml 3, the YAML library of SOPS.
//!
//! The grammar is YAML 1.1 in libyaml's reading. Tokens are made only as far ahead as go-yaml makes them, because which
//! comments a token takes depends on how much has been read when the parser looks at it.
//!
//! Sealing appends an entry `sops` to the root map. When the root is a block map without one, the scanner acts as if it
//! stood at the end of the document already: otherwise comments there would belong elsewhere in the sealed file.

use std::collections::VecDeque;

use super::comments::{Comments, Role};
use super::cursor::{Cursor, Mark, is_blank};
use super::keys::PossibleKey;
use super::token::{Kind, Load, Step, Stop, Token};
use crate::document::StandIn;

/// The scanner.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    pub(super) cursor: Cursor<'t>,
    pub(super) comments: Comments,
    pub(super) queue: VecDeque<Token<'t>>,
    /// The two tokens taken last, the newest first.
    taken: [(Kind, usize); 2],
    /// Number of tokens taken.
    pub(super) taken_count: usize,
    /// The first column that belongs to a deeper level than the current block: its indentation + 1, 0 outside.
    floor: usize,
    /// The floors of the blocks around.
    floors: Vec<usize>,
    /// One place for the block context and one for each open flow collection.
    pub(super) keys: Vec<PossibleKey>,
    /// Whether a key may begin here.
    pub(super) key_allowed: bool,
    /// Column of a block root map that lacks the entry that sealing appends; 0 behind `---` while there is no root.
    open_root: Option<usize>,
    /// What stands in for what can't stay as it is written.
    pub(super) stand_ins: Vec<StandIn>,
}

impl<'t> Scanner<'t> {
    /// A scanner at the start of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        let cursor = Cursor::new(text);
        let start = Token {
            kind: Kind::StreamStart,
            start: cursor.mark(),
            end: cursor.at,
            load: Load::Nothing,
        };
        Self {
            cursor,
            comments: Comments::default(),
            queue: VecDeque::from([start]),
            taken: [(Kind::StreamStart, 0); 2],
            taken_count: 0,
            floor: 0,
            floors: Vec::new(),
            keys: vec![PossibleKey::default()],
            key_allowed: true,
            open_root: None,
            stand_ins: Vec::new(),
        }
    }

    /// The next token, read but not taken.
    pub(super) fn peek(&mut self) -> Step<&Token<'t>> {
        while self.queue.len() <= 2 || self.first_may_be_key()? {
            self.fetch()?;
        }
        let at = self.cursor.at;
        self.queue.front().ok_or_else(|| Stop::syntax(at, "unexpected end"))
    }

    /// Takes the token that was peeked last.
    pub(super) fn take(&mut self) -> Option<Token<'t>> {
        let token = self.queue.pop_front()?;
        self.taken = [(token.kind, token.start.at), self.taken[0]];
        self.taken_count += 1;
        Some(token)
    }

    /// Kind and offset of the token made last (`back` 0) or before it (1).
    pub(super) fn nth_last(&self, back: usize) -> (Kind, usize) {
        match self
            .queue
            .len()
            .checked_sub(back + 1)
            .and_then(|index| self.queue.get(index))
        {
            Some(token) => (token.kind, token.start.at),
            None => self.taken[(back - self.queue.len()).min(1)],
        }
    }

    /// Kind of the token taken last.
    pub(super) const fn last_taken(&self) -> Kind {
        self.taken[0].0
    }

    /// Columns that the current block is indented by; 0 outside of blocks too.
    pub(super) const fn indent(&self) -> usize {
        self.floor.saturating_sub(1)
    }

    /// The first column that a value of the current block may stand in.
    pub(super) const fn floor(&self) -> usize {
        self.floor
    }

    /// Whether a flow collection is open.
    pub(super) fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// Lets a key begin at the cursor, because a scalar ended with its line.
    pub(super) fn allow_key(&mut self) {
        self.key_allowed = true;
    }

    /// The column in which the appended entry is to be imagined at the end of this document.
    pub(super) fn appends_at(&self) -> Option<usize> {
        self.open_root.filter(|_| !self.in_flow())
    }

    /// Whether the start of a line ends the document.
    pub(super) fn ends_document_at(&self, at: usize) -> bool {
        at >= self.cursor.text.len() || self.cursor.byte_at(at) == b'%' || self.cursor.document_marker_at(at)
    }

    /// Adds a token that ends at the cursor.
    pub(super) fn push(&mut self, kind: Kind, start: Mark, load: Load<'t>) {
        self.queue.push_back(Token {
            kind,
            start,
            end: self.cursor.at,
            load,
        });
    }

    /// Opens a block at `start` if it is deeper than the current one. `index` is the place of its token in the queue.
    fn open_block(&mut self, kind: Kind, start: Mark, index: usize) {
        if self.in_flow() || self.floor > start.column {
            return;
        }
        if self.floors.is_empty() {
            self.open_root = (kind == Kind::BlockMap).then_some(start.column);
        }
        self.floors.push(self.floor);
        self.floor = start.column + 1;
        self.queue.insert(
            index,
            Token {
                kind,
                start,
                end: start.at,
                load: Load::Nothing,
            },
        );
    }

    /// Closes the blocks whose floor lies above `floor`.
    ///
    /// A block ends before the comments below it that stand in its own column: they are the feet of the block around it.
    fn close_blocks(&mut self, floor: usize, search_start: Mark) {
        if self.in_flow() {
            return;
        }
        let mut end = Mark {
            at: search_start.at.saturating_sub(1),
            ..search_start
        };
        while self.floor > floor {
            let mut stop = end.at;
            for comment in self.comments.pending.iter().rev() {
                if comment.end < stop {
                    break;
                }
                if comment.start.column + 1 == self.floor {
                    end = comment.start;
                }
                stop = comment.searched_from;
            }
            self.queue.push_back(Token {
                kind: Kind::BlockEnd,
                start: end,
                end: end.at,
                load: Load::Nothing,
            });
            self.floor = self.floors.pop().unwrap_or(0);
        }
    }

    /// Makes one more token, or several that belong together.
    fn fetch(&mut self) -> Step<()> {
        let search_start = self.cursor.mark();
        self.skip_to_token(search_start);
        let ends = self.cursor.is_end() || self.cursor.column == 0 && self.ends_document_at(self.cursor.at);
        if let Some(column) = self.appends_at().filter(|_| ends) {
            return self.fetch_appended(column, search_start);
        }
        self.close_blocks(self.cursor.column + 1, search_start);
        if self.cursor.is_end() {
            return self.fetch_end();
        }
        if self.cursor.column == 0 && self.cursor.byte(0) == b'%' {
            self.end_document()?;
            return self.fetch_directive();
        }
        if self.cursor.is_document_marker() {
            return self.fetch_document_marker();
        }
        let mut taken_from = self.cursor.at;
        let joins = if self.in_flow() { b',' } else { b':' };
        if self.cursor.byte(0) == joins {
            taken_from = self.nth_last(0).1;
        }
        self.fetch_content()?;
        // A comment behind a dash heads what follows it.
        if self.nth_last(0).0 != Kind::Dash {
            self.scan_line_comment(taken_from);
        }
        Ok(())
    }

    /// Makes a token of what stands here: no marker of documents, no directive, no end.
    fn fetch_content(&mut self) -> Step<()> {
        if self.floors.is_empty() {
            // The root is here; if it is a block map, `open_block` will see.
            self.open_root = None;
        }
        let in_flow = self.in_flow();
        let byte = self.cursor.byte(0);
        let alone = self.cursor.is_white_or_end(1);
        match byte {
            b'[' => self.open_flow(Kind::FlowList),
            b'{' => self.open_flow(Kind::FlowMap),
            b']' => self.close_flow(Kind::FlowListEnd),
            b'}' => self.close_flow(Kind::FlowMapEnd),
            b',' => self.fetch_comma(),
            b'-' if alone => self.fetch_dash(),
            b'?' if in_flow || alone => self.fetch_key(),
            b':' if in_flow || alone => self.fetch_value(),
            b'*' => self.fetch_name(Kind::Alias),
            b'&' => self.fetch_name(Kind::Anchor),
            b'!' => {
                self.note_key()?;
                self.key_allowed = false;
                self.fetch_tag()
            }
            b'|' | b'>' if !in_flow => {
                self.drop_key()?;
                self.key_allowed = true;
                self.fetch_block_scalar()
            }
            b'\'' | b'"' => {
                self.note_key()?;
                self.key_allowed = false;
                self.fetch_quoted_scalar()
            }
            b' ' | b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => Err(Stop::syntax(
                self.cursor.at,
                "found character that cannot start any token",
            )),
            _ => {
                self.note_key()?;
                self.key_allowed = false;
                self.fetch_plain_scalar()
            }
        }
    }

    /// Passes blanks, line breaks and comments.
    fn skip_to_token(&mut self, search_start: Mark) {
        loop {
            let tabs = self.in_flow() || !self.key_allowed;
            while self.cursor.byte(0) == b' ' || tabs && is_blank(self.cursor.byte(0)) {
                self.cursor.skip();
            }
            self.turn_line_comment_into_head();
            if self.cursor.byte(0) == b'#' {
                self.scan_comments(search_start);
            }
            if !self.cursor.is_break() {
                return;
            }
            self.cursor.skip_break();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    /// A comment in the line before the first dash of a list heads the list's first element.
    fn turn_line_comment_into_head(&mut self) {
        if self.nth_last(0).0 != Kind::Dash || self.nth_last(1).0 != Kind::BlockList || self.cursor.is_break() {
            return;
        }
        let here = self.cursor.mark();
        if let Some(comment) = self
            .comments
            .pending
            .back_mut()
            .filter(|comment| comment.role == Role::Line)
        {
            comment.role = Role::Head;
            if comment.start.line + 1 == here.line {
                comment.taken_from = here.at;
            }
        }
    }

    /// Makes the tokens of the entry that sealing appends.
    fn fetch_appended(&mut self, column: usize, search_start: Mark) -> Step<()> {
        self.close_blocks(column + 1, search_start);
        self.drop_key()?;
        self.key_allowed = true;
        let start = Mark {
            column,
            ..self.cursor.mark()
        };
        self.open_block(Kind::BlockMap, start, self.queue.len());
        self.open_root = None;
        for (kind, load) in [
            (Kind::Key, Load::Nothing),
            (Kind::Scalar, Load::Appended),
            (Kind::Value, Load::Nothing),
            (Kind::Scalar, Load::Appended),
        ] {
            self.push(kind, start, load);
        }
        Ok(())
    }

    /// Ends all blocks, as directives and markers do.
    fn end_document(&mut self) -> Step<()> {
        self.close_blocks(0, self.cursor.mark());
        self.drop_key()?;
        self.key_allowed = false;
        self.open_root = None;
        Ok(())
    }

    fn fetch_end(&mut self) -> Step<()> {
        if self.cursor.column != 0 {
            self.cursor.column = 0;
            self.cursor.line += 1;
        }
        self.end_document()?;
        self.push(Kind::StreamEnd, self.cursor.mark(), Load::Nothing);
        Ok(())
    }

    fn fetch_document_marker(&mut self) -> Step<()> {
        self.end_document()?;
        let kind = if self.cursor.byte(0) == b'-' {
            Kind::DocumentStart
        } else {
            Kind::DocumentEnd
        };
        let start = self.cursor.mark();
        self.cursor.skip_many(3);
        self.push(kind, start, Load::Nothing);
        self.open_root = (kind == Kind::DocumentStart).then_some(0);
        Ok(())
    }

    fn open_flow(&mut self, kind: Kind) -> Step<()> {
        self.note_key()?;
        self.keys.push(PossibleKey::default());
        self.key_allowed = true;
        self.fetch_indicator(kind);
        Ok(())
    }

    fn close_flow(&mut self, kind: Kind) -> Step<()> {
        self.drop_key()?;
        if self.in_flow() {
            self.keys.pop();
        }
        self.key_allowed = false;
        self.fetch_indicator(kind);
        Ok(())
    }

    fn fetch_comma(&mut self) -> Step<()> {
        self.drop_key()?;
        self.key_allowed = true;
        self.fetch_indicator(Kind::Comma);
        Ok(())
    }

    fn fetch_dash(&mut self) -> Step<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(Stop::syntax(
                    self.cursor.at,
                    "block sequence entries are not allowed in this context",
                ));
            }
            self.open_block(Kind::BlockList, self.cursor.mark(), self.queue.len());
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.fetch_indicator(Kind::Dash);
        Ok(())
    }

    fn fetch_key(&mut self) -> Step<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(Stop::syntax(
                    self.cursor.at,
                    "mapping keys are not allowed in this context",
                ));
            }
            self.open_block(Kind::BlockMap, self.cursor.mark(), self.queue.len());
        }
        self.drop_key()?;
        self.key_allowed = !self.in_flow();
        self.fetch_indicator(Kind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Step<()> {
        let level = self.keys.len() - 1;
        if self.is_key_in_reach(level)? {
            let key = self.keys.get(level).copied().unwrap_or_default();
            let index = key.token.saturating_sub(self.taken_count).min(self.queue.len());
            let is_sops = matches!(self.queue.get(index).map(|token| &token.load),
                Some(Load::Scalar(scalar)) if scalar.text == "sops");
            let token = Token {
                kind: Kind::Key,
                start: key.start,
                end: key.start.at,
                load: Load::Nothing,
            };
            self.queue.insert(index, token);
            self.open_block(Kind::BlockMap, key.start, index);
            if is_sops && !self.in_flow() && self.floors.len() == 1 {
                // A sealed text is read as it stands.
                self.open_root = None;
            }
            if let Some(key) = self.keys.last_mut() {
                key.possible = false;
            }
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return Err(Stop::syntax(
                        self.cursor.at,
                        "mapping values are not allowed in this context",
                    ));
                }
                self.open_block(Kind::BlockMap, self.cursor.mark(), self.queue.len());
            }
            self.key_allowed = !self.in_flow();
        }
        self.fetch_indicator(Kind::Value);
        Ok(())
    }

    fn fetch_name(&mut self, kind: Kind) -> Step<()> {
        self.note_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark();
        let name = self.scan_name()?;
        self.push(kind, start, Load::Name(name));
        Ok(())
    }

    fn fetch_indicator(&mut self, kind: Kind) {
        let start = self.cursor.mark();
        self.cursor.skip();
        self.push(kind, start, Load::Nothing);
    }

    /// Adds a token.
    pub(super) fn push_token(&mut self, token: Token<'t>) {
        self.queue.push_back(token);
    }
}
