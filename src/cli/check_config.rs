//! `countersign check-config`: whether the policy file can be used, and what in it is hardly meant.

use std::path::Path;

use super::args::CheckConfig;
use super::doctor;
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use crate::backend;
use crate::config::PolicyFile;
use crate::config::file::PATH;
use crate::doctor::{Policy, policy};
use crate::policy::rules::Person;
use crate::sys;

/// Looks at a policy file, by default that of the machine, and changes nothing.
pub(super) fn run(options: &CheckConfig, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let (read, unknown) = read(options.file.as_deref());
    let path = options.file.as_deref().unwrap_or(Path::new(PATH));
    let findings = policy::examine(&path.display().to_string(), read.as_ref(), &unknown);
    doctor::report("check-config", findings, options.json, terminal)
}

/// The policy file, and the users and groups in it whom nobody knows.
pub(super) fn read(path: Option<&Path>) -> (Policy, Vec<Person>) {
    match path.map_or_else(backend::policy_file, backend::policy_file_at) {
        Ok(policy) => {
            let unknown = names_in(&policy).filter(is_unknown).collect();
            (Policy(Ok(policy)), unknown)
        }
        Err(problem) => (Policy(Err(problem.to_string())), Vec::new()),
    }
}

fn names_in(policy: &PolicyFile) -> impl Iterator<Item = Person> {
    let of_rules = policy.rules.iter().flat_map(|rule| rule.users.any_of.iter().chain(&rule.users.none_of));
    policy.service.verifiers.iter().chain(of_rules).cloned().collect::<Vec<_>>().into_iter()
}

fn is_unknown(name: &Person) -> bool {
    match name {
        Person::User(name) => matches!(sys::user::by_name(name), Ok(None)),
        Person::Group(name) => matches!(sys::user::group_by_name(name), Ok(None)),
    }
}
