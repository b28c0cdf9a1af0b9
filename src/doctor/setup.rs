//! What `countersign setup` has changed, and whether that still stands as it was made.

use super::machine::{Machine, Setup};
use super::{Finding, Severity};

/// Where setup keeps what it needs for the way back.
const PLACE: &str = "/var/lib/countersign/setup";

/// What is to be said of it.
pub(super) fn examine(machine: &Machine) -> Vec<Finding> {
    match &machine.setup {
        Setup::None => Vec::new(),
        Setup::Pending(left) => {
            let what = format!("a setup is not confirmed: in {left} s all is put back");
            let mend = "log in a second time and run: countersign setup --confirm";
            vec![Finding::new(Severity::Warning, "setup_pending", PLACE, what, mend)]
        }
        Setup::Confirmed(changed) => {
            let finding = |path: &String| {
                let what = "this file was changed since countersign setup wrote it";
                let mend =
                    "nothing, if you meant it; countersign setup --undo takes out setup's own lines alone";
                Finding::new(Severity::Note, "setup_changed", path, what, mend)
            };
            changed.iter().map(finding).collect()
        }
        Setup::Unreadable(problem) => {
            let what = format!("what countersign setup needs for the way back cannot be used: {problem}");
            let mend = "put the directory back from a backup, or take the module's lines out by hand";
            vec![Finding::new(Severity::Warning, "setup_unreadable", PLACE, what, mend)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(setup: Setup) -> Vec<(&'static str, String)> {
        let machine = Machine { setup, ..Machine::default() };
        examine(&machine).into_iter().map(|finding| (finding.code, finding.place)).collect()
    }

    #[test]
    fn a_setup_that_waits_or_was_changed_is_told() {
        assert!(codes(Setup::None).is_empty());
        assert!(codes(Setup::Confirmed(Vec::new())).is_empty());
        assert_eq!(codes(Setup::Pending(7)), [("setup_pending", PLACE.to_owned())]);
        let changed = Setup::Confirmed(vec!["/etc/pam.d/sshd".to_owned()]);
        assert_eq!(codes(changed), [("setup_changed", "/etc/pam.d/sshd".to_owned())]);
        assert_eq!(codes(Setup::Unreadable("x".to_owned())), [("setup_unreadable", PLACE.to_owned())]);
    }
}
