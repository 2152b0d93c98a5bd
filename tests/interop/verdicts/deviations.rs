//! Where a verdict of ours differs from SOPS's on purpose, and why.

use super::Mutant;

/// One reason for which verdicts may differ.
pub struct Deviation {
    /// What it is, with the issue of getsops/sops where there is one.
    pub reason: &'static str,
    /// Whether it is that.
    applies: fn(&Mutant<'_>) -> bool,
}

impl Deviation {
    /// Whether a difference has this reason.
    pub fn fits(&self, mutant: &Mutant<'_>) -> bool {
        (self.applies)(mutant)
    }
}

pub const DEVIATIONS: [Deviation; 0] = [];
