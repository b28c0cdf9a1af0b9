//! `countersign status` and `countersign test` of somebody who was enrolled from a list: who may look, what is told,
//! and that looking spends nothing.

use crate::Place;
use crate::planting::Phone;
use crate::users::by;

#[test]
#[ignore = "needs root: boots a container"]
fn a_code_of_a_handed_out_page_is_tested_lets_in_by_ssh_and_is_then_spent() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    guarded.write("/root/list", 0o644, "user,email\nbob,bob@example.org\nalice\n");
    let many = guarded.run(&["countersign", "enroll", "--from", "/root/list", "--into", "/root/pages"]);
    assert_eq!(many.status, 0, "{many:?}");
    assert!(many.stderr.starts_with("1 enrolled, 1 enrolled already, 0 named twice, 0 refused"), "{many:?}");
    let page = guarded.read("/root/pages/bob.html");
    let key = page.split("<code>").nth(1).and_then(|text| text.split('<').next()).expect("a key");
    let phone = Phone::new(&key.replace(' ', ""));
    let code = phone.code(0);

    let status =
        |before: &[&str], words: &[&str]| guarded.run(&[before, &["countersign", "status"], words].concat());
    let of_root = status(&[], &["bob"]);
    assert_eq!(of_root.status, 0, "{of_root:?}");
    assert!(of_root.stdout.starts_with("bob: enrolled\n"), "{of_root:?}");
    assert_eq!(status(&by("bob"), &[]).stdout, of_root.stdout, "he sees of himself what root sees");
    let of_another = status(&by("bob"), &["alice"]);
    assert_eq!((of_another.status, of_another.stdout.as_str()), (3, ""), "{of_another:?}");

    let test = |before: &[&str]| {
        let words = [before, &["countersign", "test", "bob", "--json"]].concat();
        guarded.run_with_input(&words, format!("{code}\n").as_bytes())
    };
    for _ in 0..2 {
        let good = test(&[]);
        assert_eq!(good.status, 0, "{good:?}");
        assert!(good.stdout.contains("\"accepted\":true") && !good.stdout.contains(&code), "{good:?}");
    }
    let of_himself = test(&by("bob"));
    assert_eq!((of_himself.status, of_himself.stdout.as_str()), (3, ""), "for root alone: {of_himself:?}");

    guarded.guard_ssh("sshd-password-and-code");
    guarded.by_ssh("bob").code(&code).must_get_in();
    let spent = test(&[]);
    assert_eq!(spent.status, 3, "{spent:?}");
    assert!(spent.stdout.contains("\"accepted\":false,\"reason\":\"spent_code\""), "{spent:?}");
    guarded.by_ssh("bob").code(&code).must_be_refused("spent_code");
    let after = status(&by("bob"), &["--json"]);
    assert!(after.stdout.contains("\"state\":\"enrolled\""), "{after:?}");
    assert_ne!(status(&[], &["bob"]).stdout, of_root.stdout, "the last code is told");
}
