//! The released module in a C program under valgrind: it loads, calls and unloads it for every kind of
//! login. No bad access, and nothing lost.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at surprises")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use planting::{Phone, Planted, RECOVERY_CODES};
use sandbox::{Sandbox, module};

/// The status of libpam for a login that was granted, and for one that was not.
const SUCCESS: &str = "0";
const AUTH_ERR: &str = "7";
const AUTHINFO_UNAVAIL: &str = "9";
const SERVICE_ERR: &str = "3";

struct Host {
    sandbox: Sandbox,
    alice: Planted,
    phone: Phone,
    program: PathBuf,
}

impl Host {
    fn new(arguments: &str) -> Self {
        let sandbox = Sandbox::new();
        let (alice, phone) = Planted::new("alice", 1000);
        alice.put_into(&sandbox.store());
        sandbox.service("door", &format!("auth required {} {arguments}\n", module().display()));
        let program = sandbox.path().join("host");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client/host.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-g", "-Wall", "-Wextra", "-Werror", source, "-o"]).arg(&program).arg("-lpam");
        let output = compiler.output().expect("cc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { sandbox, alice, phone, program }
    }

    /// A transaction for each reply, all in one process; their results.
    fn run(&self, user: &str, replies: &[&str]) -> Vec<String> {
        let log = self.sandbox.path().join("valgrind.log");
        let mut command = self.sandbox.command("valgrind");
        command.args([
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
        ]);
        // Optimised code looks at a value before it looks at whether there is one, and throws the former away:
        // valgrind cannot tell that from a use of it. Miri can, and looks at the rules.
        command.args(["--undef-value-errors=no", &format!("--log-file={}", log.display())]);
        command.arg(&self.program).args(["door", user]).args(replies);
        let output = command.output().expect("valgrind");
        let log = fs::read_to_string(&log).unwrap_or_default();
        assert!(output.status.success(), "{}\n{log}", String::from_utf8_lossy(&output.stderr));
        assert!(log.contains("ERROR SUMMARY: 0 errors"), "{log}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

#[test]
fn every_kind_of_login_is_clean_under_valgrind() {
    let host = Host::new("attempts=1");
    let code = host.phone.code(0);
    let wrong = host.phone.wrong_code();
    let replies = [&wrong, "", "correct horse", &code, &code, RECOVERY_CODES[0], RECOVERY_CODES[0], "0000-"];
    let results = host.run("alice", &replies);
    let expected = [AUTH_ERR, AUTH_ERR, AUTH_ERR, SUCCESS, AUTH_ERR, SUCCESS, AUTH_ERR, AUTH_ERR];
    assert_eq!(results, expected);
    assert_eq!(host.run("nobody-of-that-name", &[&code, RECOVERY_CODES[0]]), [AUTH_ERR, AUTH_ERR]);
    assert_eq!(host.run("bob", &[&code]), [AUTH_ERR]);
}

#[test]
fn refusals_by_an_error_are_clean_under_valgrind() {
    let host = Host::new("attempts=1 debug");
    let directory = host.alice.directory(&host.sandbox.store());
    let code = host.phone.code(0);
    planting::write(&directory.join("state"), b"damaged");
    assert_eq!(host.run("alice", &[&code]), [AUTHINFO_UNAVAIL]);
    fs::remove_file(directory.join("state")).expect("the state");
    assert_eq!(host.run("alice", &[&code, RECOVERY_CODES[0]]), [AUTH_ERR, AUTH_ERR]);
    planting::write(&directory.join("credential.toml"), b"format = 1\nuser = \"alice\"\nsecret = \"");
    assert_eq!(host.run("alice", &[&code]), [AUTHINFO_UNAVAIL]);
    assert_eq!(Host::new("no such argument").run("alice", &["000000"]), [SERVICE_ERR]);
}
