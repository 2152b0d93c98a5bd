//! Where comments belong: the queue between the scanner that finds them and the parser that attaches them.
//!
//! SOPS encrypts a comment under the path of the container that go-yaml attaches it to, so every decision here is
//! go-yaml's: a comment heads what follows it, ends a line, or is the foot of what stands before it. Which one depends on
//! columns, blank lines and the token before. Distances that look arbitrary (512 characters) are its limits too.

use std::collections::VecDeque;

use super::cursor::{Mark, is_blank};
use super::scanner::Scanner;
use super::token::Kind;
use crate::text::Span;

/// Lines of comments in order: indices into the scanner's list, `None` for blank lines between them.
pub(super) type Lines = Vec<Option<usize>>;

/// How far a comment is looked for.
const REACH: usize = 512;

/// What a comment is to the content around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It stands above what it belongs to.
    Head,
    /// It stands in the line of what it belongs to.
    Line,
    /// It stands below what it belongs to.
    Foot,
}

/// A comment that no token has taken yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) role: Role,
    pub(super) lines: Lines,
    /// The first token that starts here or later takes it.
    pub(super) taken_from: usize,
    /// Where it starts.
    pub(super) start: Mark,
    /// Where the search that found it began.
    pub(super) searched_from: usize,
    /// Where that search stood when the comment was complete; 0 for [`Role::Line`].
    pub(super) end: usize,
}

/// All comments found so far.
#[derive(Debug, Default)]
pub(super) struct Comments {
    /// Those that no token has taken, in order.
    pub(super) pending: VecDeque<Pending>,
    /// The text of every line of comment, behind the comment character.
    pub(super) found: Vec<Span>,
}

/// A search through a run of comments.
struct Run {
    lines: Lines,
    /// Where the comment that `lines` holds starts.
    start: Mark,
    taken_from: usize,
    searched_from: usize,
    /// Columns that the current block is indented by.
    indent: usize,
    /// Whether the line before was blank.
    after_blank: bool,
    /// Whether no blank line has been seen yet.
    unbroken: bool,
    /// The line in which a comment must start to be the foot of the token before; `None` at the start of the text.
    foot_line: Option<usize>,
    /// Whether the token before is a colon, which has no foot.
    after_colon: bool,
    /// Line and column of the character that is looked at.
    line: usize,
    column: usize,
}

/// What the search sees ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ahead {
    Blank,
    Break,
    End,
    /// The bracket that closes the flow collection around.
    Close,
    Comment,
    Content,
}

impl Scanner<'_> {
    /// Takes a comment in the rest of this line, if nothing else stands there.
    pub(super) fn scan_line_comment(&mut self, taken_from: usize) {
        if self.cursor.newlines > 0 {
            return;
        }
        let Some(blanks) = (0..REACH).find(|&ahead| !is_blank(self.cursor.byte(ahead))) else {
            return;
        };
        if self.cursor.byte(blanks) != b'#' {
            return;
        }
        self.cursor.skip_many(blanks);
        let start = self.cursor.mark();
        let line = self.read_comment();
        let lines = vec![Some(line)];
        self.comments.pending.push_back(Pending {
            role: Role::Line,
            lines,
            taken_from,
            start,
            searched_from: 0,
            end: 0,
        });
    }

    /// Takes the run of comments that starts here, blank lines between them included, and divides it into feet of what
    /// stands before and the head of what follows. `search_start` is where the search for the next token began.
    pub(super) fn scan_comments(&mut self, search_start: Mark) {
        let mut run = self.start_run(search_start);
        let mut ahead = 0;
        while ahead < REACH {
            let seen = self.look(ahead, &mut run);
            match seen {
                Ahead::Blank => {}
                Ahead::Break | Ahead::End | Ahead::Close => {
                    self.end_line(&mut run, seen, ahead);
                    if seen != Ahead::Break {
                        break;
                    }
                    run.unbroken = false;
                    run.after_blank = true;
                    run.column = 0;
                    run.line += 1;
                    ahead += 1;
                    continue;
                }
                Ahead::Comment | Ahead::Content => {
                    if run.column < run.indent && run.column != run.start.column {
                        // Another, smaller indentation: what stands above belongs to the data before.
                        self.push_foot(&mut run, ahead);
                    }
                    if seen == Ahead::Content {
                        break;
                    }
                    self.take_line(&mut run, ahead);
                    // The line break behind the comment is passed without a look, as in go-yaml. Of CR LF it passes the
                    // first byte only, so that there a comment seems to be followed by a blank line.
                    ahead = 1;
                    continue;
                }
            }
            run.column += 1;
            ahead += 1;
        }
        if !run.lines.is_empty() {
            let end = (self.cursor.at + ahead).saturating_sub(1);
            self.comments.pending.push_back(Pending {
                role: Role::Head,
                lines: run.lines,
                taken_from: run.start.at,
                start: run.start,
                searched_from: run.searched_from,
                end,
            });
        }
    }

    /// The state in which a search begins.
    fn start_run(&self, search_start: Mark) -> Run {
        let before = match self.nth_last(0) {
            (Kind::Comma, _) => self.nth_last(1),
            last => last,
        };
        let cursor = &self.cursor;
        // Below content of the current line, the foot is one line further down.
        let shared = cursor.newlines == 0 && cursor.column > 1;
        Run {
            lines: Lines::new(),
            start: Mark::default(),
            taken_from: before.1,
            searched_from: search_start.at,
            indent: self.indent(),
            after_blank: false,
            unbroken: cursor.newlines <= 1,
            foot_line: (search_start.line > 0)
                .then(|| (cursor.line + 1 + usize::from(shared)).saturating_sub(cursor.newlines)),
            after_colon: before.0 == Kind::Value,
            line: cursor.line,
            column: cursor.column,
        }
    }

    /// What stands `ahead`. Where the appended entry goes, its key is seen instead of the end of the document.
    fn look(&self, ahead: usize, run: &mut Run) -> Ahead {
        let at = self.cursor.at + ahead;
        if let Some(column) = self.appends_at()
            && (at >= self.cursor.text.len() || run.column == 0 && self.ends_document_at(at))
        {
            if run.column > 0 {
                return Ahead::Break;
            }
            run.column = column;
            return Ahead::Content;
        }
        match self.cursor.byte_at(at) {
            b' ' | b'\t' => Ahead::Blank,
            b'#' => Ahead::Comment,
            b']' | b'}' if self.in_flow() => Ahead::Close,
            0 => Ahead::End,
            _ if self.cursor.break_at(at) > 0 => Ahead::Break,
            _ => Ahead::Content,
        }
    }

    /// A line without comment: the first one may make a foot of what has been collected.
    fn end_line(&mut self, run: &mut Run, seen: Ahead, ahead: usize) {
        if run.lines.is_empty() || (seen != Ahead::Close && run.after_blank) {
            return;
        }
        let dedented = run.start.column < run.indent;
        let is_foot = seen == Ahead::Close
            || run.unbroken && (run.foot_line == Some(run.start.line) && !run.after_colon || dedented);
        if is_foot {
            if dedented {
                run.taken_from = run.start.at;
            }
            self.push_foot(run, ahead);
        } else if seen == Ahead::Break {
            run.lines.push(None);
        }
    }

    /// Hands over what has been collected as a foot.
    fn push_foot(&mut self, run: &mut Run, ahead: usize) {
        if run.lines.is_empty() {
            return;
        }
        let end = self.cursor.at + ahead;
        self.comments.pending.push_back(Pending {
            role: Role::Foot,
            lines: std::mem::take(&mut run.lines),
            taken_from: run.taken_from,
            start: run.start,
            searched_from: run.searched_from,
            end,
        });
        run.searched_from = end;
        run.taken_from = end;
    }

    /// Adds the comment that starts `ahead` and moves behind it.
    fn take_line(&mut self, run: &mut Run, ahead: usize) {
        if run.lines.is_empty() {
            run.start = Mark {
                at: self.cursor.at + ahead,
                line: run.line,
                column: run.column,
            };
        }
        run.after_blank = false;
        let target = self.cursor.at + ahead;
        while self.cursor.at < target {
            if self.cursor.is_break() {
                self.cursor.skip_break();
            } else {
                self.cursor.skip();
            }
        }
        let line = self.read_comment();
        run.lines.push(Some(line));
        run.line = self.cursor.line;
        run.column = 0;
        run.indent = self.indent();
    }

    /// Reads the comment that starts here and gives its index.
    pub(super) fn read_comment(&mut self) -> usize {
        self.cursor.skip();
        let start = self.cursor.at;
        self.cursor.rest_of_line();
        self.comments.found.push(Span::new(start, self.cursor.at));
        self.comments.found.len() - 1
    }
}
