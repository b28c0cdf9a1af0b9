//! AppArmor's abstractions, read by its parser in profiles that include them. Whether a kernel that enforces them lets
//! the module work is not shown here: containers have no AppArmor of their own.

use super::guesses::PACKAGES;
use super::installed::Guarded;
use super::made::deb;

fn profile(included: &[&str]) -> String {
    let lines: Vec<String> = included.iter().map(|name| format!("  include <abstractions/{name}>")).collect();
    format!("include <tunables/global>\nprofile somebody /usr/sbin/somebody {{\n{}\n}}\n", lines.join("\n"))
}

#[test]
#[ignore = "needs root: boots a container"]
fn profiles_that_include_the_abstractions_are_taken_by_the_parser() {
    let guarded = Guarded::boot_without("bookworm", &PACKAGES);
    super::debian::install(&guarded, &deb());
    let parsed = |included: &[&str]| {
        guarded.write("/root/profile", 0o600, profile(included));
        // Everything but giving it to the kernel.
        guarded.run(&["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--debug", "/root/profile"])
    };
    for included in [
        &["base", "countersign"][..],
        &["base", "countersign", "countersign-store"],
        &["base", "authentication", "nameservice", "countersign", "countersign-store"],
    ] {
        let done = parsed(included);
        assert_eq!(done.status, 0, "{included:?}: {done:#?}");
        let told = done.stdout + &done.stderr;
        assert!(told.contains("run/countersign/io.countersign"), "{included:?}: {told}");
        let has_store = told.contains("/var/lib/countersign/**");
        assert_eq!(has_store, included.contains(&"countersign-store"), "{included:?}: {told}");
    }
    assert_ne!(parsed(&["base", "no-such-abstraction"]).status, 0, "the parser notices what is wrong");
}
