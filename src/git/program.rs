//! Our own program as Git is told to call it.

use std::path::PathBuf;

use super::os_path::git_path;

/// Where Git finds our program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// By its name, through `PATH`: outlives an update that moves it.
    OnPath,
    /// At an absolute path.
    At(PathBuf),
}

impl Program {
    /// The name that [`Program::OnPath`] is looked up under.
    pub const NAME: &'static str = "git-seal";

    /// One word of a POSIX shell command.
    #[must_use]
    pub fn word(&self) -> Vec<u8> {
        match self {
            Self::OnPath => Self::NAME.into(),
            Self::At(path) => quoted(&git_path(path)),
        }
    }

    /// As [`Program::word`] for a command in which Git replaces `%` and what follows.
    #[must_use]
    pub fn word_with_placeholders(&self) -> Vec<u8> {
        let mut word = Vec::new();
        for byte in self.word() {
            word.extend(if byte == b'%' {
                &b"%%"[..]
            } else {
                std::slice::from_ref(&byte)
            });
        }
        word
    }
}

/// One word that a POSIX shell takes literally: as it is where that is safe, in single quotes otherwise.
#[must_use]
pub fn quoted(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let mut text = vec![b'\''];
    for &byte in word {
        // Nothing is special between single quotes but their end.
        text.extend(if byte == b'\'' {
            &b"'\\''"[..]
        } else {
            std::slice::from_ref(&byte)
        });
    }
    text.push(b'\'');
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_every_word() {
        let words: [&[u8]; 7] = [
            b"",
            b"git-seal",
            b"/opt/100%/x",
            b"/a b/it's",
            b"$HOME `id` \"x\" \\",
            b"/a\nb\t*?[~#",
            b"'\xff'",
        ];
        for word in words {
            let script = [b"printf %s ", &quoted(word)[..]].concat();
            let output = Command::new("sh")
                .arg("-c")
                .arg(crate::git::os_path::os_path(&script))
                .output()
                .unwrap();
            assert_eq!(output.stdout, word, "{}", String::from_utf8_lossy(word));
        }
    }

    #[test]
    fn a_percent_sign_is_doubled_where_git_replaces() {
        let program = Program::At("/opt/100%/it's".into());
        assert_eq!(program.word(), b"'/opt/100%/it'\\''s'");
        assert_eq!(program.word_with_placeholders(), b"'/opt/100%%/it'\\''s'");
        assert_eq!(Program::OnPath.word_with_placeholders(), b"git-seal");
    }
}
