//! Our own stack, which proves passwords to the service and must not ask for a code.

use super::dispatch::{Returned, play};
use super::guarded::{flattened, is_ours, proves, success_if};
use super::machine::Machine;
use super::stack::{Module, stack_of};
use super::{Finding, Severity};
use crate::login::OWN_SERVICE;

/// What is wrong with it.
pub(super) fn examine(machine: &Machine) -> Vec<Finding> {
    let Some((path, _)) = machine.pam.get(OWN_SERVICE) else {
        let what = "without this file nobody can prove his password, so nobody enrols himself";
        let missing = Finding::new(
            Severity::Error,
            "own_stack_missing",
            "/etc/pam.d/countersign",
            what,
            "install it again: it comes with countersign",
        );
        return if machine.has_service { vec![missing] } else { Vec::new() };
    };
    let problem = match stack_of(&machine.pam, OWN_SERVICE, "auth") {
        Err(bad) => Some((bad.place, bad.problem)),
        Ok(stack) => {
            let modules = flattened(&stack);
            let ours = modules.iter().find(|module| is_ours(module));
            let takes = |proven| {
                let returns = |module: &Module| match module.name() {
                    "pam_permit.so" => Returned::Success,
                    _ if proves(module) => success_if(proven),
                    "pam_deny.so" => Returned::Failure,
                    _ => Returned::Ignore,
                };
                play(&stack, &returns).succeeds
            };
            match ours {
                Some(module) => {
                    Some((module.place.clone(), "it asks for the code that is being set up".to_owned()))
                }
                None if takes(false) => Some((path.to_owned(), "it takes any password for right".to_owned())),
                None if !takes(true) => Some((path.to_owned(), "it takes no password for right".to_owned())),
                None => None,
            }
        }
    };
    let finding = problem.map(|(place, problem)| {
        let what = format!("the stack that proves passwords cannot be used: {problem}");
        Finding::new(Severity::Error, "own_stack", place, what, "put back the one that came with countersign")
    });
    finding.into_iter().collect()
}
