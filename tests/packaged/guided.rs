//! The guided way: from the package to the first login with a code, by the commands of the README, and all the way back.

use super::container::Terminal;
use super::debian::{gets_in_by_password_alone, install, machine};
use super::files::{choices, must_unattended, named, stacks};
use super::installed::{CODE_PROMPT, Guarded, password_of};
use super::made::{deb, older_deb};
use super::planting::Phone;

/// All that setup may change beside the stacks.
pub(super) const SSHD: &str =
    "cd /etc/ssh && find . -type f ! -name 'ssh_host*' -printf '%p %m %u:%g ' -exec sha256sum {} \\; | sort";
const CONFIRMED: &str = "confirmed: the change stays";

/// Answers what ssh and sudo ask until this text comes.
fn answer_until(terminal: &mut Terminal, end: &str, code: &mut dyn FnMut() -> String) {
    loop {
        match terminal.expect_any(&["assword: ", "assword for alice: ", CODE_PROMPT, end]) {
            0 | 1 => terminal.send_line(&password_of("alice")),
            2 => terminal.send_line(&code()),
            _ => return,
        }
    }
}

/// Alice and her phone, and the recovery codes that she has been shown.
pub(super) struct Alice {
    phone: Phone,
    recovery_codes: Vec<String>,
}

impl Alice {
    /// The next code that stands in for one of the app, which would be another one only after half a minute.
    fn recovery_code(&mut self) -> String {
        self.recovery_codes.pop().expect("a code is left")
    }
}

/// `sudo countersign setup`, by Enter wherever it can be, but for the console, which is guarded too.
fn set_up(guarded: &Guarded) -> (Terminal, Alice) {
    let client = guarded.ssh("alice").option("RequestTTY=force");
    let mut terminal = client.command("sudo countersign setup").start();
    for (question, answer) in [
        ("assword: ", password_of("alice").as_str()),
        ("assword for alice: ", &password_of("alice")),
        ("guard ssh? [Y/n] ", ""),
        ("guard the console (login)? [y/N] ", "y"),
        ("guard sudo? [y/N] ", ""),
        ("guard su? [y/N] ", ""),
        ("let them in without a code until they are enrolled?", ""),
        ("make the change if it works? [y/N] ", "y"),
    ] {
        terminal.expect(question);
        terminal.send_line(answer);
    }
    terminal.expect("key for typing in: ");
    let phone = Phone::new(&terminal.expect("\r\n").replace(' ', ""));
    terminal.expect("code that the app shows: ");
    terminal.send_line(&phone.code(0));
    terminal.expect("alice is enrolled.");
    terminal.expect("Keep this page where the phone is not");
    let is_code = |line: &&str| line.len() == 19 && line.matches('-').count() == 3;
    let page = terminal.expect("assword: ");
    let codes: Vec<String> = page.lines().map(str::trim).filter(is_code).map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{page}");
    let mut alice = Alice { phone, recovery_codes: codes };
    // The first trial proves a code of the app; others are recovery codes, so that nobody waits.
    terminal.send_line(&password_of("alice"));
    terminal.expect(CODE_PROMPT);
    terminal.send_line(&alice.phone.code(1));
    let mut next = || alice.recovery_code();
    answer_until(&mut terminal, "It is put back by itself unless you confirm it:", &mut next);
    (terminal, alice)
}

/// The same, and alice confirms it from a second login.
pub(super) fn set_up_and_confirmed(guarded: &Guarded) -> Alice {
    let (mut first, mut alice) = set_up(guarded);
    let client = guarded.ssh("alice").option("RequestTTY=force");
    let mut second = client.command("sudo countersign setup --confirm").start();
    answer_until(&mut second, CONFIRMED, &mut || alice.recovery_code());
    first.expect(CONFIRMED);
    assert_eq!((second.wait(), first.wait()), (0, 0));
    alice
}

/// A login by ssh and one at the console, each with a recovery code, and none without.
pub(super) fn is_guarded(guarded: &mut Guarded, alice: &mut Alice) {
    for code in [alice.recovery_code(), alice.recovery_code()] {
        guarded.by_ssh("alice").code(&code).must_get_in();
        guarded.by_ssh("alice").code(&code).must_be_refused("spent_recovery_code");
    }
    let code = alice.recovery_code();
    guarded.by_console("alice", &code).must_be_in();
    guarded.by_ssh("alice").must_be_refused("malformed");
}

fn from_the_package_to_the_first_login_and_back(suite: &str) {
    let mut guarded = machine(suite);
    // As Debian's sshd comes.
    guarded.must(&["sh", "-c", "rm -f /etc/ssh/sshd_config.d/*; systemctl reload ssh"]);
    let folder = tempfile::tempdir().expect("a directory");
    let (before, chosen) = (stacks(&guarded), choices(&guarded));
    let sshd = guarded.must(&["sh", "-c", SSHD]);

    install(&guarded, &older_deb(folder.path()));
    let mut alice = set_up_and_confirmed(&guarded);
    is_guarded(&mut guarded, &mut alice);

    let guarded_stacks = stacks(&guarded);
    // She is in while the package is replaced, and stays in.
    let mut session = guarded.ssh("alice").start();
    answer_until(&mut session, "alice@localhost:~$ ", &mut || alice.recovery_code());
    install(&guarded, &deb());
    session.send_line("echo still $((40 + 2))");
    session.expect("still 42");
    assert_eq!(stacks(&guarded), guarded_stacks);
    is_guarded(&mut guarded, &mut alice);

    must_unattended(&guarded, &["dpkg", "--remove", "libpam-countersign"]);
    let own = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("./countersign ")).map(str::to_owned).collect()
    };
    assert_eq!(own(&stacks(&guarded)), own(&before));
    assert_eq!(guarded.must(&["sh", "-c", SSHD]), sshd);
    gets_in_by_password_alone(&mut guarded, "alice", None);

    must_unattended(&guarded, &["dpkg", "--purge", "libpam-countersign"]);
    assert_eq!((stacks(&guarded), choices(&guarded)), (before, chosen));
    assert_eq!(named(&guarded), ["/var/lib/countersign"]);
    gets_in_by_password_alone(&mut guarded, "alice", None);
}

#[test]
#[ignore = "needs root: boots a container"]
fn setup_of_the_package_guards_debian_12_and_removing_it_puts_all_back() {
    from_the_package_to_the_first_login_and_back("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn setup_of_the_package_guards_debian_13_and_removing_it_puts_all_back() {
    from_the_package_to_the_first_login_and_back("trixie");
}
