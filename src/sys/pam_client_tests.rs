use super::super::pam_trial::pam_start_confdir;
use super::*;
use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

/// Nobody: nothing in these stacks asks.
struct Nobody;

impl Conversation for Nobody {
    fn ask(&mut self, prompt: &str, _: bool) -> Option<Zeroizing<Vec<u8>>> {
        panic!("asked {prompt}")
    }

    fn tell(&mut self, _: &str, _: bool) {}
}

fn start_in(directory: &Path, name: &CStr, functions: *const Functions, handle: *mut *mut Handle) -> c_int {
    let directory = CString::new(directory.to_str().unwrap()).unwrap();
    // SAFETY: the strings end with a NUL and libpam copies them; `handle` is a place for one pointer.
    unsafe { pam_start_confdir(c"proof".as_ptr(), name.as_ptr(), functions, directory.as_ptr(), handle) }
}

/// What comes of a stack of these lines.
fn verdict(stack: &str) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proof"), stack).unwrap();
    let alice = UserName::new(b"alice").unwrap();
    prove_by(&alice, &mut Nobody, |name, functions, handle| start_in(folder.path(), name, functions, handle))
}

/// What comes of these answers of the two calls.
fn verdict_of(auth: &str, acct: &str) -> Verdict {
    verdict(&format!(
        "auth [default=die success=done] pam_debug.so auth={auth}\n\
         account [default=die success=done] pam_debug.so acct={acct}\n"
    ))
}

#[test]
fn both_calls_must_succeed() {
    assert_eq!(verdict_of("success", "success"), Verdict::Proven);
    assert_eq!(verdict_of("auth_err", "success"), Verdict::Refused);
    assert_eq!(verdict_of("success", "acct_expired"), Verdict::Refused);
    assert_eq!(verdict_of("success", "perm_denied"), Verdict::Refused);
}

#[test]
fn an_expired_password_is_no_proof() {
    assert_eq!(verdict_of("success", "new_authtok_reqd"), Verdict::Refused);
    assert_eq!(verdict_of("new_authtok_reqd", "success"), Verdict::Refused);
}

#[test]
fn what_is_nobodys_fault_refuses_nobody() {
    for code in ["service_err", "system_err", "buf_err", "authinfo_unavail", "cred_err", "abort", "ignore"] {
        let of_auth = verdict_of(code, "success");
        let expected = if code == "ignore" { Verdict::Refused } else { Verdict::Unavailable };
        assert_eq!(of_auth, expected, "{code}");
        assert_ne!(verdict_of("success", code), Verdict::Proven, "{code}");
    }
}

#[test]
fn a_stack_that_is_not_there_or_cannot_be_loaded_proves_nothing() {
    assert_ne!(verdict(""), Verdict::Proven);
    assert_ne!(verdict("auth required pam_absent.so\naccount required pam_permit.so\n"), Verdict::Proven);
    assert_ne!(verdict("auth required pam_permit.so\n"), Verdict::Proven);
    assert_eq!(verdict("auth required pam_permit.so\naccount required pam_permit.so\n"), Verdict::Proven);
}

#[test]
fn a_transaction_that_does_not_start_proves_nothing() {
    let alice = UserName::new(b"alice").unwrap();
    assert_eq!(prove_by(&alice, &mut Nobody, |_, _, _| 26), Verdict::Unavailable);
    assert_eq!(prove_by(&alice, &mut Nobody, |_, _, _| 0), Verdict::Unavailable);
}

#[test]
fn a_proof_of_another_account_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let stack = "auth required pam_permit.so\naccount required pam_permit.so\n";
    fs::write(folder.path().join("proof"), stack).unwrap();
    let run = |asked: &CStr, current: &CStr| {
        let mut nobody = Nobody;
        let mut person = Person::new(&mut nobody);
        let functions = Functions::of(&mut person);
        let mut handle = ptr::null_mut();
        assert_eq!(start_in(folder.path(), current, &raw const functions, &raw mut handle), 0);
        Transaction { handle: NonNull::new(handle).unwrap(), status: 0 }.run(asked)
    };
    assert_eq!(run(c"alice", c"alice"), Verdict::Proven);
    assert_eq!(run(c"alice", c"bob"), Verdict::Unavailable);
    assert_eq!(run(c"alice", c"ALICE"), Verdict::Unavailable);
}
