//! A command that is given a secret: what `exec-env` and `exec-file` have in common.
//!
//! The command goes through the shell, because that is what SOPS promises. Its exit status becomes ours.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use zeroize::Zeroizing;

use super::context::Context;
use super::decryption_order::DecryptionOrder;
use super::files;
use super::filtered::filtered;
use super::in_out::{NO_FILE, format_of};
use super::paths::git_path;
use super::unopened::{no_data_key, unreadable};
use crate::document::Format;
use crate::sops::open::{MacCheck, open_content};
use crate::sops::{self, Sealed};
use crate::ui::Failure;
use crate::ui::child;

/// The file and the command.
#[derive(Debug, clap::Args)]
pub struct ExecArgs {
    /// The sealed file
    pub file: PathBuf,
    /// The command, for `/bin/sh -c`
    pub command: String,
    /// Read as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    pub input_type: Option<Format>,
    /// Run the command as this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Leave the command running and return at once
    #[arg(long, hide = true)]
    pub background: bool,
    #[command(flatten)]
    order: DecryptionOrder,
}

impl ExecArgs {
    /// The file's format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.input_type
            .unwrap_or_else(|| Format::of_path(&git_path(&self.file)))
    }

    /// The file's plain content. One that lies readable in the work tree, because Git's filter seals it, is taken as it is.
    ///
    /// # Errors
    /// With SOPS's exit codes.
    pub fn plain(&self, context: &Context) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.order.check()?;
        let format = self.format();
        let content = files::read(Some(&self.file)).map_err(|failure| {
            if self.file.exists() {
                failure
            } else {
                failure.code(NO_FILE)
            }
        })?;
        let at = |failure: Failure| failure.at(self.file.display());
        let sealed = Sealed::parse(format, &content);
        if matches!(sealed, Err(sops::Error::NotSealed)) && filtered(&self.file).is_some() {
            return Ok(content);
        }
        let sealed = sealed.map_err(|error| at(unreadable(error, format, || sops::Error::NotSealed.into())))?;
        let found = context.found();
        let key = sealed.metadata.data_key(&found.keyring);
        let key = key.map_err(|error| at(no_data_key(error, &sealed, found)))?;
        let content = open_content(format, sealed, key, MacCheck::Verify);
        content.map_err(|error| at(error.into()))
    }

    /// User and group that the command runs as, where that is another user.
    ///
    /// # Errors
    /// For a user who is not there.
    pub fn owner(&self) -> Result<Option<(u32, u32)>, Failure> {
        self.user.as_deref().map(ids_of).transpose()
    }

    /// The shell with a command, as the user it is for.
    ///
    /// # Errors
    /// For a user who is not there.
    pub fn shell(&self, line: &str) -> Result<Command, Failure> {
        let mut command = if cfg!(windows) {
            let mut command = Command::new("cmd.exe");
            command.args(["/C", line]);
            command
        } else {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", line]);
            command
        };
        #[cfg(unix)]
        if let Some((uid, gid)) = self.owner()? {
            std::os::unix::process::CommandExt::uid(&mut command, uid);
            std::os::unix::process::CommandExt::gid(&mut command, gid);
        }
        Ok(command)
    }

    /// Runs the command to its end; its exit code.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn run(&self, command: &mut Command) -> Result<u8, Failure> {
        let cant = |error: &std::io::Error| Failure::new(format!("the command can't be run: {error}")).code(1);
        if self.background {
            return command.spawn().map(|_| 0).map_err(|error| cant(&error));
        }
        child::run(command).map(code).map_err(|error| cant(&error))
    }
}

/// The exit code of a shell for what became of a command.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().map_or(1, |code| u8::try_from(code & 0xff).unwrap_or(1))
}

#[cfg(unix)]
fn ids_of(name: &str) -> Result<(u32, u32), Failure> {
    let list = Path::new("/etc/passwd");
    let users = std::fs::read_to_string(list).map_err(|error| Failure::io(list, &error))?;
    ids(&users, name).ok_or_else(|| Failure::new(format!("there is no user {name}")).code(1))
}

#[cfg(not(unix))]
fn ids_of(_: &str) -> Result<(u32, u32), Failure> {
    Err(Failure::new("--user is for Unix").code(1))
}

/// User and group of a name in the lines of `/etc/passwd`.
#[cfg(unix)]
fn ids(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let mut numbers = fields.skip(1).map(|field| field.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbob:x:1001:1002::/:/bin/sh\nbad:x:y:z::\n";
        assert_eq!(ids(users, "bob"), Some((1001, 1002)));
        for name in ["", "bo", "bad", "x"] {
            assert_eq!(ids(users, name), None, "{name}");
        }
    }
}
