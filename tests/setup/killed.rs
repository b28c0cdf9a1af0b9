//! Setup and undo, killed at every system call that changes something, and setup where such a call fails.

use crate::ground::{Ground, MADE};
use crate::injection::{self, Step};
use crate::installed::password_of;

/// The same as of the comparison, so that there is one image.
const PACKAGES: [&str; 4] = ["libpam-google-authenticator", "libpam-oath", "libfaketime", "strace"];
/// What changes something, or makes it durable. What is written is in no place that counts until it is renamed.
const CALLS: [&str; 14] = [
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "fchmod",
    "fchown",
];
const STACKS: [&str; 2] = ["/etc/pam.d/sudo", "/etc/pam.d/sudo-i"];
const SETUP: &str = "countersign setup --yes --user=alice --service=sudo --wait 1h";
const UNDO: &str = "countersign setup --undo --yes";
/// The directory of what is kept.
const KEPT: &str = "/var/lib/countersign/setup";

/// Runs setup under these words until the change is made, and ends it then as the power would; false where it ended
/// before that.
fn setup(ground: &Ground, before: &str) -> bool {
    ground.take_back_unused_codes();
    let typed = format!("{}\n{}\n", password_of("alice"), ground.code());
    let line = format!(
        "rm -f /run/said; cat >/run/typed\n{before} {SETUP} </run/typed >/run/said 2>&1 &\n\
         until grep -qs '{MADE}' /run/said; do kill -0 $! || exit 9; sleep 0.05; done\n\
         pkill -KILL -x countersign --parent $! || kill -KILL $!; wait"
    );
    let done = ground.run_with_input(&["sh", "-c", &line], typed.as_bytes());
    assert!([0, 9, 137].contains(&done.status), "{done:#?}\n{}", ground.read("/run/said"));
    done.status != 9
}

/// The steps of what strace has written down in the machine that change something.
fn steps(ground: &Ground) -> Vec<Step> {
    let copy = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(copy.path(), ground.read("/run/calls")).expect("a copy");
    let steps = injection::steps(copy.path(), "execve(", "no such words");
    steps.into_iter().filter(|step| step.is_one_of(&CALLS)).collect()
}

fn strace(options: &[String]) -> String {
    let quoted: Vec<String> = options.iter().map(|word| format!("'{word}'")).collect();
    format!("strace {}", quoted.join(" "))
}

fn recording() -> String {
    strace(&injection::recording_to("/run/calls".as_ref()))
}

/// Each stack is as it was or as it becomes, whole.
fn must_be_old_or_new(ground: &Ground, old: &[String; 2], step: &Step) {
    for (path, old) in STACKS.iter().zip(old) {
        let now = ground.read(path);
        let is_new = now.contains("@include common-auth\n# by countersign setup")
            && now.contains("\nauth    required    pam_countersign.so nullok\n@include common-account\n");
        assert!(now == *old || is_new, "{path} after a kill at {step}:\n{now}");
    }
}

fn must_be_undone(ground: &Ground, before: &str, step: &Step) {
    let undone = ground.run(&["sh", "-c", UNDO]);
    assert_eq!(undone.status, 0, "after a kill at {step}: {undone:#?}");
    assert_eq!(ground.snapshot(), before, "after a kill at {step}");
    assert_eq!(ground.rollback_units(), "", "after a kill at {step}");
    // There is nothing in it any more; the next setup makes it, as the first one did.
    let remove = ground.run(&["sh", "-c", &format!("test ! -e {KEPT} || rmdir {KEPT}")]);
    assert_eq!(remove.status, 0, "after a kill at {step}: {remove:#?}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_setup_or_an_undo_that_is_killed_or_fails_at_any_call_is_taken_back_whole() {
    let ground = Ground::boot_with("bookworm", &PACKAGES);
    let before = ground.snapshot();
    let old = STACKS.map(|path| ground.read(path));

    // The first login of a machine leaves something in /run that the next ones find.
    assert!(setup(&ground, ""));
    ground.must(&["sh", "-c", UNDO]);
    ground.must(&["rmdir", KEPT]);
    assert!(setup(&ground, &recording()));
    assert_ne!(ground.snapshot(), before);
    let of_setup = steps(&ground);
    ground.must(&["sh", "-c", &format!("{} {UNDO}", recording())]);
    assert_eq!(ground.snapshot(), before);
    ground.must(&["rmdir", KEPT]);
    let of_undo = steps(&ground);
    assert!(of_setup.len() > 30 && of_undo.len() > 15, "{of_setup:#?}\n{of_undo:#?}");

    for step in &of_setup {
        assert!(!setup(&ground, &strace(&step.killing())), "not killed at {step}");
        must_be_old_or_new(&ground, &old, step);
        must_be_undone(&ground, &before, step);
    }
    // Nor does a call that fails leave half of anything: what was made is taken back, or all of it is made.
    for step in &of_setup {
        let is_made = setup(&ground, &strace(&step.failing_with("ENOSPC")));
        let stacks = STACKS.map(|path| ground.read(path));
        assert!(is_made || stacks == old, "{step} failed and left:\n{stacks:?}");
        assert!(!is_made || (0..STACKS.len()).all(|place| stacks[place] != old[place]), "{step} failed");
        must_be_undone(&ground, &before, step);
    }
    for step in &of_undo {
        assert!(setup(&ground, ""), "before {step}: {}", ground.read("/run/said"));
        assert_ne!(ground.snapshot(), before);
        let killed = ground.run(&["sh", "-c", &format!("{} {UNDO}; exit $?", strace(&step.killing()))]);
        assert_eq!(killed.status, 137, "not killed at {step}: {killed:#?}");
        must_be_old_or_new(&ground, &old, step);
        must_be_undone(&ground, &before, step);
    }
}
