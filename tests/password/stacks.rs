//! Other stacks than the one that is installed.

use crate::ground::{Ground, STACK, Way};
use crate::installed::password_of;

#[test]
#[ignore = "needs root: boots a container"]
fn two_prompts_and_their_messages_are_relayed_in_turn() {
    let ground = Ground::boot("bookworm");
    ground.install_questions();
    ground.stack(
        "auth required pam_unix.so\n\
         auth required pam_questions.so [info=Hello, \"you\".] [seen=Colour? |green] error=Hm. [hidden=Again: |x]\n\
         account required pam_unix.so\n",
    );
    let expected = [
        "ask hidden Password: ",
        "tell info Hello, \"you\".",
        "ask seen Colour? ",
        "tell error Hm.",
        "ask hidden Again: ",
    ];
    for way in [Way::Unit, Way::Child] {
        ground.go(way);
        let right = password_of("alice");
        let steps = ground.prove("alice", &[&right, "green", "x"]);
        assert_eq!(steps[..5], expected, "{way:?}");
        assert_eq!(steps[5..], ["proven alice", "Proven"], "{way:?}");
        for answers in [["wrong", "green", "x"], [&right, "red", "x"], [&right, "green", "y"]] {
            let steps = ground.prove("alice", &answers);
            assert_eq!(steps[steps.len() - 2..], ["refused", "Failed"], "{way:?} {answers:?}");
        }
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_message_that_is_no_text_fails_and_the_module_is_told() {
    let ground = Ground::boot("bookworm");
    ground.install_questions();
    ground.go(Way::Child);
    let with = |arguments: &str| {
        ground
            .stack(&format!("auth required pam_questions.so {arguments}\naccount required pam_permit.so\n"));
        ground.prove("alice", &["x"])
    };
    assert_eq!(with("binary hidden=P:|x"), ["ask hidden P:", "proven alice", "Proven"]);
    assert_eq!(with("hidden=P:|x"), ["ask hidden P:", "proven alice", "Proven"]);
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_other_services_ask_for_proves_nothing() {
    let ground = Ground::boot("bookworm");
    let open = "auth required pam_permit.so\naccount required pam_permit.so\n";
    for way in [Way::Unit, Way::Child] {
        ground.go(way);
        ground.stack(open);
        assert_eq!(ground.prove("alice", &[]), ["proven alice", "Proven"], "{way:?}");
        ground.machine.must(&["rm", STACK]);
        ground.machine.write("/etc/pam.d/other", 0o644, open);
        assert_eq!(ground.prove("alice", &[]), ["unavailable", "Unasked"], "{way:?}");
        // Where a distribution ships services.
        ground.machine.write("/usr/lib/pam.d/countersign", 0o644, "auth required pam_deny.so\n");
        assert_eq!(ground.prove("alice", &[]), ["refused", "Failed"], "{way:?}");
        ground.machine.must(&["rm", "/usr/lib/pam.d/countersign"]);
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_module_of_codes_refuses_to_stand_in_our_own_stack() {
    let ground = Ground::boot("bookworm");
    let (_, phone) = ground.machine.plant("alice");
    ground.stack("auth required pam_countersign.so\naccount required pam_permit.so\n");
    ground.go(Way::Child);
    assert_eq!(ground.prove("alice", &[&phone.code(0)]), ["unavailable", "Unasked"]);
}
