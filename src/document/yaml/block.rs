//! Block scalars: `|` and `>`.

use std::borrow::Cow;

use super::cursor::{Mark, is_blank};
use super::scanner::Scanner;
use super::token::{Kind, Load, Scalar, Step, Stop, Token};
use crate::document::{StandIn, Style};
use crate::text::Span;

/// What becomes of the line breaks at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// The header of a block scalar.
struct Header {
    style: Style,
    chomping: Chomping,
    /// The indentation indicator; 0 when there is none.
    indicator: usize,
    /// Where the indicators end.
    end: usize,
    /// Where the sign of the chomping stands; empty where one could stand.
    sign: Span,
    comment: bool,
}

/// The text of a block scalar in the making.
struct Lines {
    style: Style,
    text: String,
    /// The break behind the last line with content.
    break_after: &'static str,
    /// The breaks of the empty lines below it.
    empty: String,
    /// Whether that line began with a blank, which keeps a folded scalar from being folded there.
    indented: bool,
}

impl Lines {
    /// Adds a line with content.
    fn add(&mut self, line: &str) {
        let indented = line.bytes().next().is_some_and(is_blank);
        if self.style == Style::Folded && !self.indented && !indented && self.break_after == "\n" {
            if self.empty.is_empty() {
                self.text.push(' ');
            }
        } else {
            self.text.push_str(self.break_after);
        }
        self.text.push_str(&self.empty);
        self.empty.clear();
        self.indented = indented;
        self.text.push_str(line);
    }

    /// The text with its end chomped.
    fn finish(mut self, chomping: Chomping) -> String {
        if chomping != Chomping::Strip {
            self.text.push_str(self.break_after);
        }
        if chomping == Chomping::Keep {
            self.text.push_str(&self.empty);
        }
        self.text
    }
}

impl Scanner<'_> {
    /// Makes a token of the block scalar that starts here.
    pub(super) fn fetch_block_scalar(&mut self) -> Step<()> {
        let start = self.cursor.mark();
        let header = self.scan_header(start)?;
        self.skip_line_end();
        let mut lines = Lines {
            style: header.style,
            text: String::new(),
            break_after: "",
            empty: String::new(),
            indented: false,
        };
        // Empty lines at the end are not part of the body, also where they count: they stay as they are. One that counts because
        // it has more blanks than the indentation can't stay below other content: then no body can be exchanged.
        let (mut end, mut ends_blank) = (header.end, true);
        let below = self.cursor.at;
        let mut indent = if header.indicator > 0 {
            self.indent() + header.indicator
        } else {
            0
        };
        self.skip_empty_lines(&mut indent, &mut lines.empty)?;
        while self.cursor.column == indent && !self.cursor.is_end() {
            let line = self.cursor.rest_of_line();
            ends_blank = line.bytes().all(is_blank);
            if !ends_blank || line.contains('\t') {
                // A line with a tab can't stay either.
                end = self.cursor.at;
            }
            lines.add(line);
            lines.break_after = self.skip_line_end();
            self.skip_empty_lines(&mut indent, &mut lines.empty)?;
        }
        self.stand_in_at_the_end(&header, &lines);
        let text = lines.finish(header.chomping);
        if ends_blank && !text.is_empty() && start.column < self.floor() {
            // Nothing else can stand in this column, so that it could not be sealed.
            return Err(Stop::syntax(
                start.at,
                "a block scalar without content stands left of its key",
            ));
        }
        let scalar = Scalar {
            text: Cow::Owned(text),
            style: header.style,
            body: if ends_blank {
                Span::default()
            } else {
                Span::new(below, end)
            },
            indent,
            header_comment: header.comment,
        };
        self.push_token(Token {
            kind: Kind::Scalar,
            start,
            end,
            load: Load::Scalar(scalar),
        });
        Ok(())
    }

    /// Reads the line of the indicator.
    fn scan_header(&mut self, start: Mark) -> Step<Header> {
        let style = if self.cursor.byte(0) == b'|' {
            Style::Literal
        } else {
            Style::Folded
        };
        self.cursor.skip();
        let mut header = Header {
            style,
            chomping: Chomping::Clip,
            indicator: 0,
            end: 0,
            sign: Span::default(),
            comment: false,
        };
        let (mut chomped, mut indicated) = (false, false);
        loop {
            match self.cursor.byte(0) {
                sign @ (b'+' | b'-') if !chomped => {
                    header.chomping = if sign == b'+' { Chomping::Keep } else { Chomping::Strip };
                    chomped = true;
                    header.sign = Span::new(self.cursor.at, self.cursor.at + 1);
                }
                b'0' if !indicated => {
                    return Err(Stop::syntax(start.at, "found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if !indicated => {
                    header.indicator = usize::from(digit - b'0');
                    indicated = true;
                }
                _ => break,
            }
            self.cursor.skip();
        }
        header.end = self.cursor.at;
        if !chomped {
            header.sign = Span::new(header.end, header.end);
        }
        self.cursor.skip_blanks();
        if self.cursor.byte(0) == b'#' {
            self.scan_line_comment(start.at);
            header.comment = true;
        }
        if !self.cursor.is_break_or_end(0) {
            return Err(Stop::syntax(start.at, "did not find expected comment or line break"));
        }
        Ok(header)
    }

    /// Passes a line break. The last line of a document ends in any case, if the entry that sealing appends will follow.
    fn skip_line_end(&mut self) -> &'static str {
        if self.is_unended_line() {
            self.cursor.end_line();
            return "";
        }
        self.cursor.skip_break()
    }

    /// Whether the text ends here without a line break, and gets one when it is sealed.
    fn is_unended_line(&self) -> bool {
        self.cursor.is_end() && self.cursor.column > 0 && self.appends_at().is_some()
    }

    /// Says what keeps the value of a block scalar that a text ends with when its last line gets a line break: no further one counts.
    fn stand_in_at_the_end(&mut self, header: &Header, lines: &Lines) {
        if header.chomping == Chomping::Strip || !self.cursor.is_end() || self.appends_at().is_none() {
            return;
        }
        let end = self.cursor.text.len();
        let blanks = end - self.cursor.text.trim_end_matches(' ').len();
        if !lines.text.is_empty() && lines.break_after.is_empty() {
            self.stand_ins.push(StandIn {
                span: header.sign,
                text: "-",
            });
        } else if header.chomping == Chomping::Keep && blanks > 0 {
            self.stand_ins.push(StandIn {
                span: Span::new(end - blanks, end),
                text: "",
            });
        }
    }

    /// Passes indentation and empty lines. An `indent` of 0 is not known yet; then the deepest of these lines decides.
    fn skip_empty_lines(&mut self, indent: &mut usize, breaks: &mut String) -> Step<()> {
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.cursor.column < *indent) && self.cursor.byte(0) == b' ' {
                self.cursor.skip();
            }
            deepest = deepest.max(self.cursor.column);
            if (*indent == 0 || self.cursor.column < *indent) && self.cursor.byte(0) == b'\t' {
                return Err(Stop::syntax(
                    self.cursor.at,
                    "found a tab character where an indentation space is expected",
                ));
            }
            if !self.cursor.is_break() {
                if self.cursor.is_end() {
                    breaks.push_str(self.skip_line_end());
                }
                break;
            }
            breaks.push_str(self.cursor.skip_break());
        }
        if *indent == 0 {
            *indent = deepest.max(self.floor()).max(1);
        }
        Ok(())
    }
}
