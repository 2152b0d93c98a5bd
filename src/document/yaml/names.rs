//! Which keys a map has had so far: few are searched in order, many are hashed.

use std::collections::HashSet;

/// The keys of a map so far.
#[derive(Default)]
pub(super) struct Names {
    few: Vec<String>,
    many: HashSet<String>,
}

impl Names {
    /// Notes a name and says whether it was there before.
    pub(super) fn is_known(&mut self, name: &str) -> bool {
        const FEW: usize = 16;
        if self.many.is_empty() {
            if self.few.iter().any(|known| known == name) {
                return true;
            }
            self.few.push(name.to_owned());
            if self.few.len() > FEW {
                self.many = self.few.drain(..).collect();
            }
            return false;
        }
        !self.many.insert(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_the_second_time() {
        let mut names = Names::default();
        for round in [false, true] {
            for number in 0..40 {
                assert_eq!(names.is_known(&number.to_string()), round, "{number}");
            }
        }
    }
}
