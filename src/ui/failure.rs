//! A failure as a person reads it: the fact with its place, the way out, and the exit code.

use crate::{crypt, document, filter, git, policy, sops, vault};

/// The exit code of SOPS for a path or a value that can't be set.
const BAD_PATH: u8 = 7;

/// Why a command ends without having done its work.
#[derive(Debug)]
pub struct Failure {
    /// The fact, one sentence, with its place in front.
    pub message: String,
    /// What can be done, a sentence each.
    pub hints: Vec<String>,
    /// The exit code: 2, or the one that SOPS has for the same failure.
    pub code: u8,
}

impl Failure {
    /// A failure with the general exit code.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
            code: 2,
        }
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub const fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Puts the place in front.
    #[must_use]
    pub fn at(mut self, place: impl std::fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// A failure of the system at a file.
    #[must_use]
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            std::io::ErrorKind::IsADirectory => "is a folder, not a file".to_owned(),
            std::io::ErrorKind::StorageFull => "no space left on the device".to_owned(),
            _ => error.to_string(),
        };
        Self::new(reason).at(path.display())
    }
}

impl From<sops::Error> for Failure {
    fn from(error: sops::Error) -> Self {
        use sops::Error as E;
        let message = error.to_string();
        let (code, hint) = match &error {
            E::Document(document) => return Self::from_document(document),
            E::NotUtf8 => (2, "give --input-type binary to seal it as a whole"),
            E::NotSealed => (1, "it can be sealed with `git seal encrypt`"),
            E::Reserved => (
                203,
                "it may be sealed already; to change it use `git seal edit`, otherwise rename the entry",
            ),
            E::Metadata(_) => (1, "take the file from an older commit, or seal its plain form anew"),
            E::TwoSelections { .. } => (8, "leave one of them"),
            E::Regex { .. } => (1, "correct the pattern; SOPS would silently seal nothing with it"),
            E::NoIdentity => (128, "`git seal doctor` shows where identities are looked for"),
            E::ValueInTheClear { .. } => (25, "seal it again with `git seal encrypt --in-place`"),
            E::Value { .. } | E::Content { .. } => (25, "take the file from an older commit"),
            E::NoMac | E::MacMismatch => (
                51,
                "take the file from an older commit; --ignore-mac opens it without this proof",
            ),
            E::CommentMatchesSealed { .. } => (23, "choose a pattern that no sealed text can match"),
            E::NoRecipient => (1, "name recipients with --age, or in a rule of .sops.yaml"),
            E::ForeignKey { .. } => (1, "seal it with sops, or give the rule age recipients only"),
            E::NoSuchPlace { .. } => return Self::new(message).code(1),
            E::Inexpressible { .. } => (4, "choose another --output-type"),
            E::Crypt(error) => return error.clone().into(),
        };
        Self::new(message).code(code).hint(hint)
    }
}

impl Failure {
    fn from_document(error: &document::Error) -> Self {
        let code = match error.fault {
            document::Fault::Empty => 92,
            document::Fault::KeyIsNotText | document::Fault::IntegerTooLarge => 23,
            _ => 2,
        };
        Self::new(error.to_string()).code(code)
    }
}

impl From<document::Error> for Failure {
    fn from(error: document::Error) -> Self {
        Self::from_document(&error)
    }
}

impl From<document::change::Error> for Failure {
    fn from(error: document::change::Error) -> Self {
        use document::change::Error as E;
        let failure = Self::new(error.to_string());
        match error {
            E::Document(error) => Self::from_document(&error),
            E::NotFound(_) => failure.code(1),
            E::Layout => failure.code(4).hint("change it with `git seal edit`"),
            E::Inexpressible { .. } => failure.code(4),
            _ => failure.code(BAD_PATH),
        }
    }
}

impl From<document::key_path::PathError> for Failure {
    fn from(error: document::key_path::PathError) -> Self {
        let failure = Self::new(format!("the path: {error}")).code(BAD_PATH);
        failure.hint(r#"a path looks like '["key"]["list"][0]'"#)
    }
}

impl From<crypt::Error> for Failure {
    fn from(error: crypt::Error) -> Self {
        use crypt::{Error as E, PluginFault};
        let failure = Self::new(error.to_string()).code(1);
        match error {
            E::NoTerminal => failure.hint("run it in a terminal, or use a key without a passphrase"),
            E::Plugin {
                ref plugin,
                fault: PluginFault::Missing,
            } => failure.hint(format!("install age-plugin-{plugin} into a folder on PATH")),
            E::Plugin {
                fault: PluginFault::NobodyAsked | PluginFault::NoTerminal,
                ..
            } => failure.hint("run `git seal encrypt` or `git seal decrypt` in a terminal"),
            E::SecretKeyAsRecipient => {
                failure.hint("put the public key there, and replace the secret one: it may be known")
            }
            _ => failure,
        }
    }
}

impl From<policy::Error> for Failure {
    fn from(error: policy::Error) -> Self {
        Self::new(error.to_string()).at(".sops.yaml").code(1)
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Self {
        match error {
            vault::Error::Sops(error) => error.into(),
            vault::Error::NoRule => Self::new(error.to_string())
                .code(1)
                .hint("add a creation rule for it to .sops.yaml, or give --age"),
            vault::Error::Policy(_) | vault::Error::Recipient(_) | vault::Error::Entry(_) => {
                Self::new(error.to_string()).code(1)
            }
        }
    }
}

impl From<filter::Error> for Failure {
    fn from(error: filter::Error) -> Self {
        match error {
            filter::Error::Vault(error) => error.into(),
            other => Self::new(other.to_string())
                .hint("add a creation rule for it to .sops.yaml, or take it out of .gitattributes"),
        }
    }
}

impl From<git::Error> for Failure {
    fn from(error: git::Error) -> Self {
        use git::Error as E;
        let failure = Self::new(error.to_string());
        match error {
            E::GitMissing(_) => failure.hint("install git and see that it is on PATH"),
            E::NoRepository => failure.hint("change into a repository, or make one with `git init`"),
            E::MissingObject { .. } => {
                failure.hint("fetch it: `git fetch --unshallow`, or `git fetch --refetch` in a partial clone")
            }
            _ => failure,
        }
    }
}

impl From<crate::guard::Error> for Failure {
    fn from(error: crate::guard::Error) -> Self {
        let crate::guard::Error::Git(error) = error;
        error.into()
    }
}
