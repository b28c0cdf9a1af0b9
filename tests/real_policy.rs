//! The policy through real programs in booted machines: rules, remembered logins, enrolment inside of a login, one
//! prompt for both factors, notices, and the change from other modules.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "container/mod.rs"]
mod container;
#[path = "real_policy/enrolling.rs"]
mod enrolling;
#[path = "installed/mod.rs"]
mod installed;
#[path = "real_policy/moving.rs"]
mod moving;
#[path = "planting/mod.rs"]
mod planting;
#[path = "real_policy/remembered.rs"]
mod remembered;
#[path = "real_policy/ruled.rs"]
mod ruled;
#[path = "screen/mod.rs"]
mod screen;

use installed::Guarded;

/// Writes the policy of a machine.
fn policy(guarded: &Guarded, text: &str) {
    guarded.write("/etc/security/countersign.toml", 0o644, text);
    let checked = guarded.run(&["countersign", "check-config"]);
    assert!([0, 5].contains(&checked.status), "{checked:#?}");
}

/// A machine of a suite with these people, whose ssh asks for password and code.
fn ssh_machine(suite: &str, people: &[&str]) -> Guarded {
    let guarded = Guarded::boot(suite);
    for name in people {
        guarded.add_person(name);
    }
    guarded.guard_ssh("sshd-password-and-code");
    guarded
}
