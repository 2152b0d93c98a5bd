//! Every check, in the order of their ids.

use super::check::Check;
use super::checks::{
    bad_policy, broken_seal, draft, filter_without_rule, missing_filter, nothing_sealed, private_key, recipient_drift,
    unmerged_path, unsealed_file, unsealed_value, weaker_policy,
};

/// All checks.
pub const CHECKS: &[&dyn Check] = &[
    &unsealed_file::UnsealedFile,
    &unsealed_value::UnsealedValue,
    &broken_seal::BrokenSeal,
    &draft::Draft,
    &recipient_drift::RecipientDrift,
    &weaker_policy::WeakerPolicy,
    &unmerged_path::UnmergedPath,
    &nothing_sealed::NothingSealed,
    &private_key::PrivateKey,
    &missing_filter::MissingFilter,
    &filter_without_rule::FilterWithoutRule,
    &bad_policy::BadPolicy,
];

/// The check with this id, or this name.
#[must_use]
pub fn find(word: &str) -> Option<&'static dyn Check> {
    CHECKS
        .iter()
        .copied()
        .find(|check| check.id().eq_ignore_ascii_case(word) || check.name() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        for pair in CHECKS.windows(2) {
            assert!(pair[0].id() < pair[1].id(), "{}", pair[1].id());
        }
        for check in CHECKS {
            let digits = check.id().strip_prefix("GS").unwrap_or_default();
            assert!(
                digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()),
                "{}",
                check.id()
            );
            assert_eq!(find(&check.id().to_lowercase()).map(Check::name), Some(check.name()));
            assert_eq!(find(check.name()).map(Check::id), Some(check.id()));
        }
        assert!(find("GS999").is_none());
    }

    #[test]
    fn every_id_is_known_without_its_check() {
        assert!(CHECKS.iter().map(|check| check.id()).eq(crate::guard::check::IDS));
    }

    #[test]
    fn every_check_has_a_page() {
        for check in CHECKS {
            let page = check.explain();
            let mut rest = page.as_str();
            for heading in ["# What it finds\n", "# Why\n", "# How to mend\n"] {
                let (_, after) = rest.split_once(heading).unwrap_or_default();
                let section = after.split("\n# ").next().unwrap_or_default();
                assert!(section.trim().len() > 40, "{}: {heading}", check.id());
                rest = after;
            }
        }
    }
}
