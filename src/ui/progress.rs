//! How far a long work is, in one line on stderr that goes away again; only where a person looks at it.

use std::time::{Duration, Instant};

use console::Term;

/// Work that is shorter than this is not worth a line.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the line changes.
const STEP: Duration = Duration::from_millis(100);

/// The line.
pub struct Progress {
    term: Term,
    total: usize,
    done: usize,
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// A line for `total` steps; it shows nothing where stderr is no terminal.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let term = Term::stderr();
        let next = term.is_term().then(|| Instant::now() + PATIENCE);
        Self {
            term,
            total,
            done: 0,
            next,
            shown: false,
        }
    }

    /// One step is done; `name` is what it was about.
    pub fn step(&mut self, name: &str) {
        self.done += 1;
        if self.next.is_none_or(|next| Instant::now() < next) {
            return;
        }
        self.next = Some(Instant::now() + STEP);
        let width = usize::from(self.term.size().1);
        let line = line(self.done, self.total, name, width);
        // A terminal that takes no line is no reason to stop the work.
        self.term.clear_line().and_then(|()| self.term.write_str(&line)).ok();
        self.shown = true;
    }

    /// Takes the line away, so that something else can be said.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            self.term.clear_line().ok();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The line, cut to a width.
fn line(done: usize, total: usize, name: &str, width: usize) -> String {
    const BAR: usize = 20;
    let full = (BAR * done).checked_div(total).unwrap_or(BAR).min(BAR);
    let bar = "#".repeat(full) + &".".repeat(BAR - full);
    let text = format!("[{bar}] {done}/{total} {name}");
    console::truncate_str(&text, width.saturating_sub(1), "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_its_width() {
        #[track_caller]
        fn case(done: usize, total: usize, width: usize, expected: &str) {
            assert_eq!(line(done, total, "a/b.yaml", width), expected);
        }
        case(0, 4, 80, "[....................] 0/4 a/b.yaml");
        case(1, 4, 80, "[#####...............] 1/4 a/b.yaml");
        case(4, 4, 80, "[####################] 4/4 a/b.yaml");
        case(9, 4, 80, "[####################] 9/4 a/b.yaml");
        case(0, 0, 30, "[####################] 0/0 a…");
        case(1, 1, 4, "[#…");
    }
}
