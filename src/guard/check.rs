//! What a check is: a name, a page for people, and a look at one subject.

use super::finding::Severity;
use super::findings::Findings;
use super::subject::Subject;

/// The ids of all checks, for those who must know them without knowing the checks.
pub const IDS: [&str; 12] = [
    "GS101", "GS102", "GS103", "GS104", "GS105", "GS106", "GS107", "GS108", "GS201", "GS401", "GS402", "GS403",
];

/// What a check has to have to say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The content alone.
    Nothing,
    /// `.sops.yaml`.
    Policy,
    /// An identity; without one the part that needs it is left out, and the outcome says so.
    Keys,
    /// Git's attributes.
    Attributes,
}

/// One check. Its page is the module doc of its own file, so that text and code can't drift apart.
pub trait Check: Sync {
    /// `GS` and three digits; never given to another check.
    fn id(&self) -> &'static str;

    /// The name in words, joined by hyphens.
    fn name(&self) -> &'static str;

    /// The source of the file that the check is in.
    fn source(&self) -> &'static str;

    /// What it has to have.
    fn needs(&self) -> Needs;

    /// How bad a finding is unless `.git-seal.yaml` says otherwise.
    fn severity(&self) -> Severity {
        Severity::Error
    }

    /// Looks at one subject.
    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings);

    /// The page for people, in Markdown.
    fn explain(&self) -> String {
        let lines = self.source().lines().map_while(|line| line.strip_prefix("//!"));
        let text: String = lines
            .flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"])
            .collect();
        format!("# {} {}\n\n{text}", self.id(), self.name())
    }
}
