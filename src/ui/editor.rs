//! A secret laid out for the user's editor, in a private folder.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use zeroize::Zeroizing;

use super::failure::Failure;
use super::private::PrivateFolder;

/// The exit code of SOPS for an editor that is missing or fails.
const EDITOR_FAILED: u8 = 201;
/// What is tried where the user names no editor.
const USUAL_EDITORS: [&str; 3] = ["vim", "nano", "vi"];

/// A private copy of a file, for as long as it is edited.
pub struct Desk {
    folder: PrivateFolder,
    file: PathBuf,
}

impl Desk {
    /// Lays out `content` under the base name `name`: editors choose their colours by it.
    ///
    /// # Errors
    /// When the temporary folder can't be written to.
    pub fn lay(name: &OsStr, content: &[u8]) -> Result<Self, Failure> {
        let folder = PrivateFolder::make()?;
        let file = folder.put(name, content)?;
        Ok(Self { folder, file })
    }

    /// Has the user edit the file: with `SOPS_EDITOR`, else `EDITOR`, else the first of a few that is there.
    ///
    /// # Errors
    /// Exit code 201 when the editor can't be started or fails.
    pub fn edit(&self) -> Result<(), Failure> {
        let chosen = ["SOPS_EDITOR", "EDITOR"].iter().find_map(|name| {
            std::env::var_os(name)
                .filter(|line| !line.is_empty())
                .map(|line| (*name, line))
        });
        let choices = match chosen {
            Some((name, line)) => vec![words(name, &line)?],
            None => USUAL_EDITORS.iter().map(|name| vec![(*name).to_owned()]).collect(),
        };
        for choice in choices {
            let Some((program, arguments)) = choice.split_first() else {
                continue;
            };
            let status = self
                .folder
                .while_busy(|| Command::new(program).args(arguments).arg(&self.file).status());
            match status {
                Ok(status) if status.success() => return Ok(()),
                Ok(status) => return Err(failed(format!("the editor {program} failed ({status})"))),
                Err(error) if error.kind() == io::ErrorKind::NotFound && chosen_by_us(program) => {}
                Err(error) => {
                    return Err(failed(format!(
                        "the editor {program} can't be started: {}",
                        error.kind()
                    )));
                }
            }
        }
        Err(failed(format!(
            "there is no editor: none of {} is on PATH",
            USUAL_EDITORS.join(", ")
        ))
        .hint("set EDITOR"))
    }

    /// The file as the user left it.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn content(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let read = fs::read(&self.file).map(Zeroizing::new);
        read.map_err(|error| Failure::io(&self.file, &error).code(EDITOR_FAILED))
    }
}

/// Waits until the user presses Enter; tells whether there was anybody to press it.
#[must_use]
pub fn wait_for_enter() -> bool {
    let mut line = String::new();
    io::stdin().read_line(&mut line).is_ok_and(|read| read > 0)
}

fn failed(message: String) -> Failure {
    Failure::new(message).code(EDITOR_FAILED)
}

fn chosen_by_us(program: &str) -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|line: OsString| !line.is_empty());
    USUAL_EDITORS.contains(&program) && !named("SOPS_EDITOR") && !named("EDITOR")
}

/// The words of a command line, split as a shell would and run without one.
fn words(name: &str, line: &OsStr) -> Result<Vec<String>, Failure> {
    let line = line.to_str().ok_or_else(|| failed(format!("{name} is not text")))?;
    let words = shlex::split(line).ok_or_else(|| failed(format!("the quotes in {name} are not closed")))?;
    if words.is_empty() {
        return Err(failed(format!("{name} names no editor")));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn a_command_line_that_is_none_is_refused() {
        for line in ["", "  ", "vim '"] {
            assert_eq!(
                words("EDITOR", OsStr::new(line)).unwrap_err().code,
                EDITOR_FAILED,
                "{line}"
            );
        }
        assert_eq!(
            words("EDITOR", OsStr::new("code --wait 'a b'")).unwrap(),
            ["code", "--wait", "a b"]
        );
    }
}
