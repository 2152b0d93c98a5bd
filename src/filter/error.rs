//! The one reason for which clean refuses: nothing says for whom to seal. All else is sealed, if need be as a draft.

/// A refusal of clean.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No rule of the policy is for the path.
    #[error("no rule of .sops.yaml is for it, so there is nobody to seal it for")]
    NoRule,
    /// There is no policy.
    #[error("there is no .sops.yaml at the top of the repository, so there is nobody to seal it for")]
    NoPolicy,
    /// The policy can't be used.
    #[error("{0}")]
    BadPolicy(String),
    /// The recipients can't be sealed for.
    #[error(transparent)]
    Vault(#[from] crate::vault::Error),
}
