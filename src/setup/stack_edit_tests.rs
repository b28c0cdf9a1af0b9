//! The files of Debian 12 and 13 as they are installed, and of Fedora as authselect lays them out.

use std::fs;
use std::path::Path;

use super::*;
use crate::doctor::{Machine, Severity, Sshd, examine};
use crate::setup::FirstFactor;
use crate::setup::plan::{FileEdit, plan};
use crate::setup::put_back::{Step, Versions, step};

const DISTRIBUTIONS: [&str; 3] = ["bookworm", "trixie", "fedora"];

#[allow(clippy::disallowed_methods, reason = "those rules are for the module")]
fn files_of(distribution: &str) -> PamFiles {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/pam.d").join(distribution);
    let mut files = PamFiles::default();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        files.insert(&name, &format!("/etc/pam.d/{name}"), text);
    }
    files
}

fn all(ssh: FirstFactor) -> Choices {
    Choices { services: Service::ALL.to_vec(), ssh, lets_unenrolled_in: false }
}

fn added(edit: &FileEdit) -> Vec<String> {
    let block = crate::setup::diff::block(edit.before.as_deref().unwrap(), &edit.after);
    block.added.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

fn edit<'a>(edits: &'a [FileEdit], path: &str) -> &'a FileEdit {
    edits.iter().find(|edit| edit.path == path).unwrap()
}

/// The doctor plays the stacks through: nobody gets in without a code, and everybody does who has all.
#[test]
fn every_stack_of_each_distribution_asks_for_a_code_and_is_well() {
    for distribution in DISTRIBUTIONS {
        for ssh in [FirstFactor::Password, FirstFactor::Key] {
            let mut files = files_of(distribution);
            plan(&mut files, &all(ssh)).unwrap();
            for service in Service::ALL {
                for stack in service.stacks().iter().filter(|stack| files.get(stack).is_some()) {
                    assert!(asks_for_code(&files, stack), "{distribution} {stack}");
                }
            }
            let methods = if ssh == FirstFactor::Key { "publickey," } else { "" };
            let settings = format!(
                "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\n\
                 authenticationmethods {methods}keyboard-interactive:pam\n"
            );
            let machine = Machine {
                pam: files,
                module: Some("/lib/security/pam_countersign.so".to_owned()),
                sshd: Some(Sshd { settings: Ok(settings), matches: Vec::new() }),
                now: Some(1_800_000_000),
                ..Machine::default()
            };
            let findings = examine(&machine);
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            assert_eq!(errors.collect::<Vec<_>>(), Vec::<&crate::doctor::Finding>::new(), "{distribution}");
        }
    }
}

#[test]
fn on_debian_the_line_stands_behind_the_password_and_each_stack_of_its_own_gets_one() {
    for distribution in ["bookworm", "trixie"] {
        let edits = plan(&mut files_of(distribution), &all(FirstFactor::Password)).unwrap();
        let mut paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
        paths.sort_unstable();
        let expected = ["login", "sshd", "su", "sudo", "sudo-i"].map(|name| format!("/etc/pam.d/{name}"));
        assert_eq!(paths, expected);
        for edit in &edits {
            assert_eq!(added(edit), [NOTE, "auth    required    pam_countersign.so"], "{}", edit.path);
            let above = edit.after.lines().take_while(|line| *line != NOTE).last();
            assert_eq!(above, Some("@include common-auth"), "{}", edit.path);
        }
    }
}

#[test]
fn on_fedora_an_included_password_becomes_a_substack_so_that_the_line_is_reached() {
    let edits = plan(&mut files_of("fedora"), &all(FirstFactor::Password)).unwrap();
    let paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
    // sudo-i and su-l include the others.
    assert_eq!(paths, ["sshd", "login", "remote", "sudo", "su"].map(|name| format!("/etc/pam.d/{name}")));
    let code = "auth    required    pam_countersign.so";
    assert_eq!(added(edit(&edits, "/etc/pam.d/sshd")), [NOTE, code]);
    assert_eq!(added(edit(&edits, "/etc/pam.d/sudo")), ["auth       substack      system-auth", NOTE, code]);
}

#[test]
fn with_a_key_the_two_lines_stand_in_place_of_the_password() {
    for (distribution, password) in
        [("trixie", "@include common-auth"), ("fedora", "auth       substack     password-auth")]
    {
        let choices =
            Choices { services: vec![Service::Sshd], ssh: FirstFactor::Key, lets_unenrolled_in: true };
        let edits = plan(&mut files_of(distribution), &choices).unwrap();
        let [edit] = edits.as_slice() else { panic!("{edits:?}") };
        assert_eq!(
            added(edit),
            [
                NOTE,
                "auth    requisite   pam_countersign.so first_factor=publickey",
                "auth    required    pam_countersign.so nullok"
            ]
        );
        assert!(!edit.after.lines().any(|line| line == password), "{}", edit.after);
    }
}

#[test]
fn what_is_guarded_is_put_back_byte_for_byte_and_guarded_once() {
    for distribution in DISTRIBUTIONS {
        for ssh in [FirstFactor::Password, FirstFactor::Key] {
            let mut files = files_of(distribution);
            for edit in plan(&mut files, &all(ssh)).unwrap() {
                let before = edit.before.as_deref().unwrap();
                let versions = Versions { before: Some(before.as_bytes()), after: edit.after.as_bytes() };
                let changed = format!("{}# by somebody else\n", edit.after);
                let expected = Step::Write(format!("{before}# by somebody else\n"));
                assert_eq!(step(versions, Some(changed.as_bytes())), expected, "{}", edit.path);
            }
            assert_eq!(plan(&mut files, &all(ssh)), Ok(Vec::new()), "a second time");
        }
    }
}

#[test]
fn a_file_of_the_distribution_stays_and_one_in_etc_counts_before_it() {
    let mut files = files_of("trixie");
    files.insert("su", "/usr/lib/pam.d/su", "@include common-auth\n".to_owned());
    let choices =
        Choices { services: vec![Service::Su], ssh: FirstFactor::Password, lets_unenrolled_in: false };
    let edits = plan(&mut files, &choices).unwrap();
    let [edit] = edits.as_slice() else { panic!("{edits:?}") };
    assert_eq!((edit.path.as_str(), edit.before.as_ref()), ("/etc/pam.d/su", None));
    assert!(edit.after.starts_with("@include common-auth\n"), "{}", edit.after);
}

#[test]
fn a_stack_of_another_kind_is_left_alone() {
    for (text, why) in [
        ("auth required pam_unix.so\n", Unfit::OddLine(1)),
        ("auth required pam_env.so\n", Unfit::NoOnePlace),
        ("@include common-auth\nauth required pam_ldap.so\n", Unfit::NoOnePlace),
        ("@include nothing\n", Unfit::Unreadable("there is no nothing".to_owned())),
        ("auth include \\\n  common-auth\n", Unfit::OddLine(1)),
        // Four lines further is one that refuses; with another line in between it is one that lets in.
        (
            "auth [success=4 default=ignore] pam_listfile.so file=/etc/kept-out sense=allow item=user\n\
             @include common-auth\nauth [default=1] pam_warn.so\nauth requisite pam_deny.so\n",
            Unfit::Jump(1),
        ),
    ] {
        let mut files = files_of("trixie");
        files.insert("sshd", "/etc/pam.d/sshd", text.to_owned());
        let found = guarded(&files, Service::Sshd, "sshd", &all(FirstFactor::Password));
        assert_eq!(found, Err(why), "{text}");
    }
}

#[test]
fn with_a_key_nothing_goes_but_the_password() {
    let mut files = files_of("trixie");
    let all_of_it = "@include common-auth\n@include common-account\naccount required pam_access.so\n";
    files.insert("common-login", "/etc/pam.d/common-login", all_of_it.to_owned());
    files.insert("sshd", "/etc/pam.d/sshd", "@include common-login\n".to_owned());
    let with_key = guarded(&files, Service::Sshd, "sshd", &all(FirstFactor::Key));
    assert_eq!(with_key, Err(Unfit::BringsMore(1)));
    let with_password = guarded(&files, Service::Sshd, "sshd", &all(FirstFactor::Password));
    assert!(with_password.unwrap().unwrap().starts_with("@include common-login\n"));
}
