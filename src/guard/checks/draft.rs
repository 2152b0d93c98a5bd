//! A file was sealed whole, because it could not be read as a document.
//!
//! # What it finds
//! A draft: what `git add` makes of a ruled file with broken syntax or conflict markers. Nothing in it is readable, and opening it
//! gives back every byte; but no program that expects a sealed file of its format can use it.
//!
//! # Why
//! Drafts keep Git working while a file is half-written, and keep its content out of the history. They are not meant to stay.
//!
//! # How to mend
//! Open the file in the work tree, correct what its format does not allow (resolve the conflict, if it is one), then `git add` it.

use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::Subject;
use crate::guard::words::shell_word;

/// GS104.
#[derive(Debug)]
pub struct Draft;

impl Check for Draft {
    fn id(&self) -> &'static str {
        "GS104"
    }

    fn name(&self) -> &'static str {
        "draft"
    }

    fn source(&self) -> &'static str {
        include_str!("draft.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        if subject.sealed().is_none_or(|sealed| !sealed.metadata.draft) {
            return;
        }
        let path = shell_word(subject.path());
        let format = subject.format().name();
        let message = format!("this is a draft: when it was added, it was not valid {format} and was sealed whole");
        let help = [
            "correct the file in the work tree".to_owned(),
            format!("git add {path}"),
        ];
        findings.add(subject, Remark::new(message).help(help));
    }
}

#[cfg(test)]
mod tests {
    use crate::guard::testing::Scene;

    #[test]
    fn a_draft_is_refused_and_nothing_else_is_said() {
        let scene = Scene::ruled("^s/");
        for path in ["s/a.json", "s/a.yaml"] {
            scene.told(path, &scene.seal("s/a.json", b"<<<<<<< half-written"), &["GS104"]);
        }
        scene.told("s/a.json", &scene.seal("s/a.json", b"{}"), &[]);
    }
}
