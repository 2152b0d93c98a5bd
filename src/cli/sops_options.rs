//! The options of SOPS 3.13, and what each is to us.

/// What an option of SOPS is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The root form does this verb.
    Verb(&'static str),
    /// `--set`.
    Set,
    /// Ours has the same name.
    Same,
    /// It is about something that does not happen here.
    Nothing,
    /// It is about keys that only SOPS can use, or has somebody else use keys.
    Foreign,
}

/// An option of SOPS 3.13.
pub(super) struct Known {
    /// Its long name, without dashes.
    pub(super) long: &'static str,
    /// Its short name.
    pub(super) short: Option<char>,
    /// Whether a value belongs to it.
    pub(super) takes_value: bool,
    /// What it is to us.
    pub(super) meaning: Meaning,
}

const fn flag(long: &'static str, short: Option<char>, meaning: Meaning) -> Known {
    Known {
        long,
        short,
        takes_value: false,
        meaning,
    }
}

const fn value(long: &'static str, short: Option<char>, meaning: Meaning) -> Known {
    Known {
        long,
        short,
        takes_value: true,
        meaning,
    }
}

const OPTIONS: &[Known] = &[
    flag("decrypt", Some('d'), Meaning::Verb("decrypt")),
    flag("encrypt", Some('e'), Meaning::Verb("encrypt")),
    flag("rotate", Some('r'), Meaning::Verb("rotate")),
    value("set", None, Meaning::Set),
    flag("background", None, Meaning::Same),
    flag("idempotent", None, Meaning::Same),
    flag("ignore-mac", None, Meaning::Same),
    flag("in-place", Some('i'), Meaning::Same),
    flag("mac-only-encrypted", None, Meaning::Same),
    flag("no-fifo", None, Meaning::Same),
    flag("pristine", None, Meaning::Same),
    flag("same-process", None, Meaning::Same),
    flag("show-master-keys", Some('s'), Meaning::Same),
    flag("value-file", None, Meaning::Same),
    flag("value-stdin", None, Meaning::Same),
    flag("yes", Some('y'), Meaning::Same),
    value("add-age", None, Meaning::Same),
    value("age", Some('a'), Meaning::Same),
    value("config", None, Meaning::Same),
    value("decryption-order", None, Meaning::Same),
    value("encrypted-comment-regex", None, Meaning::Same),
    value("encrypted-regex", None, Meaning::Same),
    value("encrypted-suffix", None, Meaning::Same),
    value("extract", None, Meaning::Same),
    value("file", Some('f'), Meaning::Same),
    value("filename", None, Meaning::Same),
    value("filename-override", None, Meaning::Same),
    value("indent", None, Meaning::Same),
    value("input-type", None, Meaning::Same),
    value("output", None, Meaning::Same),
    value("output-type", None, Meaning::Same),
    value("rm-age", None, Meaning::Same),
    value("shamir-secret-sharing-threshold", None, Meaning::Same),
    value("unencrypted-comment-regex", None, Meaning::Same),
    value("unencrypted-regex", None, Meaning::Same),
    value("unencrypted-suffix", None, Meaning::Same),
    value("user", None, Meaning::Same),
    flag("check-for-updates", None, Meaning::Nothing),
    flag("disable-version-check", None, Meaning::Nothing),
    flag("enable-local-keyservice", None, Meaning::Nothing),
    flag("verbose", None, Meaning::Nothing),
    value("aws-profile", None, Meaning::Nothing),
    value("encryption-context", None, Meaning::Nothing),
    value("add-azure-kv", None, Meaning::Foreign),
    value("add-gcp-kms", None, Meaning::Foreign),
    value("add-hc-vault-transit", None, Meaning::Foreign),
    value("add-hckms", None, Meaning::Foreign),
    value("add-kms", None, Meaning::Foreign),
    value("add-pgp", None, Meaning::Foreign),
    value("azure-kv", None, Meaning::Foreign),
    value("gcp-kms", None, Meaning::Foreign),
    value("hc-vault-transit", None, Meaning::Foreign),
    value("hckms", None, Meaning::Foreign),
    value("keyservice", None, Meaning::Foreign),
    value("kms", Some('k'), Meaning::Foreign),
    value("pgp", Some('p'), Meaning::Foreign),
    value("rm-azure-kv", None, Meaning::Foreign),
    value("rm-gcp-kms", None, Meaning::Foreign),
    value("rm-hc-vault-transit", None, Meaning::Foreign),
    value("rm-hckms", None, Meaning::Foreign),
    value("rm-kms", None, Meaning::Foreign),
    value("rm-pgp", None, Meaning::Foreign),
];

impl Meaning {
    /// Whether an option makes a command line the root form.
    pub(super) const fn is_root(self) -> bool {
        matches!(self, Self::Verb(_) | Self::Set)
    }
}

/// The option with this name, long or short, without dashes.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    let mut letters = name.chars();
    let short = letters.next().filter(|_| letters.next().is_none());
    OPTIONS
        .iter()
        .find(|known| known.long == name || short.is_some() && known.short == short)
}
