//! Machines of images, whose `/var` is empty at each start or at the first one.

use super::debian::{Owner, enable, gets_in_by_both, gets_in_by_password_alone, install, machine};
use super::installed::Guarded;
use super::made::deb;

/// Takes everything out of `/var` and starts the machine again, as an image without one starts.
pub(super) fn start_with_an_empty_var(guarded: &mut Guarded) {
    guarded.must(&["sh", "-c", "find /var -mindepth 1 -delete 2>/dev/null; test -z \"$(ls -A /var/lib)\""]);
    guarded.cut_power_and_start();
}

/// The store is there with its modes, and root's.
pub(super) fn must_have_a_store(guarded: &Guarded) {
    for path in ["/var/lib/countersign", "/var/lib/countersign/users", "/var/lib/countersign/by-uid"] {
        assert_eq!(guarded.must(&["stat", "-c", "%a %U %G", path]), "700 root root\n", "{path}");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_machine_that_starts_with_an_empty_var_has_a_store_and_logins_go_on() {
    let mut guarded = machine("bookworm");
    install(&guarded, &deb());
    enable(&guarded);
    start_with_an_empty_var(&mut guarded);

    must_have_a_store(&guarded);
    gets_in_by_password_alone(&mut guarded, "bob", Some("event=ignored reason=not_enrolled"));
    let alice = Owner::enrolled(&guarded, "alice");
    gets_in_by_both(&mut guarded, "alice", &alice);
    assert!(!guarded.journal().contains("store_missing"));
}
