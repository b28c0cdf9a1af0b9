//! The pages: what they show is what is in force, and no page is lost or overwritten.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use crate::command::{log_in, machine, nothing_is_kept, recovery_codes_on, run};
use crate::planting::{self, Phone, Planted};
use crate::sandbox::Sandbox;
use crate::{
    WORDS, all_have_their_pages, enroll, enroll_again, key_on, list, names, pages, screen, with_input,
};

/// What the QR code of a page says, as a camera reads it from what a browser or printer draws.
fn qr_code_on(sandbox: &Sandbox, page: &str) -> String {
    let (_, after) = page.split_once("<svg ").expect("a drawing");
    let (drawing, _) = after.split_once("</svg>").expect("its end");
    let path = sandbox.path().join("drawing.svg");
    fs::write(&path, format!("<svg {drawing}</svg>")).expect("the drawing");
    screen::read_svg(&path)
}

#[test]
fn a_page_logs_its_user_in_by_qr_code_key_and_recovery_codes() {
    let sandbox = machine();
    list(&sandbox, "user,email\nalice,alice@example.org\nbob\n");
    let said = crate::Said::of(&run(&sandbox, &[&WORDS[..], &["--issuer", "web1.example.org"]].concat()));
    assert_eq!((said.status, said.out.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(
        said.errors,
        "2 enrolled, 0 enrolled already, 0 named twice, 0 refused, 0 failed\n\
         the pages are in /run/pages: each is a secret of its user, so hand it to nobody else, and remove it then\n"
    );
    all_have_their_pages(&sandbox, &["alice", "bob"]);
    let mode = |path| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!((mode(pages(&sandbox)), mode(pages(&sandbox).join("alice.html"))), (0o700, 0o600));

    let page = fs::read_to_string(pages(&sandbox).join("alice.html")).expect("the page");
    let key = key_on(&page);
    let uri = format!("otpauth://totp/web1.example.org:alice?secret={key}&issuer=web1.example.org");
    assert_eq!(qr_code_on(&sandbox, &page), uri);
    assert!(page.contains("<p>To: alice@example.org</p>") && page.contains("This page is a secret."));
    let phone = Phone::new(&key);
    let code = phone.code(0);
    let tested = with_input(&sandbox, &["test", "alice"], format!("{code}\n").as_bytes());
    assert_eq!(tested.out, "alice: this would be accepted, as a code of phone\n", "{tested:?}");
    assert_eq!(log_in(&sandbox, &code), "PAM_SUCCESS", "at the first login, without more");
    assert_eq!(log_in(&sandbox, &code), "PAM_AUTH_ERR", "once");
    let codes = recovery_codes_on(&page);
    assert_eq!(codes.len(), 10);
    assert_eq!(log_in(&sandbox, &codes[9]), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &codes[9]), "PAM_AUTH_ERR");
    let log = sandbox.log_lines().join("\n");
    for user in ["alice", "bob"] {
        assert!(log.contains(&format!("event=enrolled by=uid:0 user=\"{user}\"")), "{log}");
    }
    for secret in [&key, &codes[0], &code] {
        assert!(!log.contains(secret.as_str()) && !said.errors.contains(secret.as_str()));
    }
}

#[test]
fn a_page_is_made_of_nothing_but_what_is_in_it() {
    let sandbox = machine();
    let passwd = sandbox.path().join("passwd");
    let text = fs::read_to_string(&passwd).expect("the accounts");
    fs::write(&passwd, text + "<b>&\"../x:x:1003:1003::/:/bin/sh\n").expect("the accounts");
    let said = enroll(&sandbox, "\"<b>&\"\"../x\",\"<i>@x\"\n");
    assert_eq!(said.counts(), [1, 0, 0, 0, 0], "{said:?}");
    assert_eq!(names(&pages(&sandbox)), ["<b>&\"..%2Fx.html"]);
    let page = fs::read_to_string(pages(&sandbox).join("<b>&\"..%2Fx.html")).expect("the page");
    assert!(page.contains("codes of &lt;b&gt;&amp;&quot;../x on ") && !page.contains("<b>"), "{page}");
    assert!(page.contains("<p>To: &lt;i&gt;@x</p>"));
    for call in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
        let without_namespace = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!without_namespace.contains(call), "{call}");
    }
    assert!(qr_code_on(&sandbox, &page).contains(":%3Cb%3E%26%22..%2Fx?secret="));
}

#[test]
fn other_devices_are_asked_for_as_for_one_user_and_the_page_says_how_to_type_them() {
    let sandbox = machine();
    list(&sandbox, "alice\n");
    let words = [&WORDS[..], &["--algorithm", "sha256", "--digits", "8", "--period", "60"]].concat();
    let said = crate::Said::of(&run(&sandbox, &words));
    assert_eq!(said.status, Some(0), "{said:?}");
    for option in ["algorithm", "digits", "period"] {
        let warning =
            format!("warning: many apps ignore --{option} and show codes that are not taken; the first");
        assert!(said.errors.contains(&warning), "{said:?}");
    }
    let page = fs::read_to_string(pages(&sandbox).join("alice.html")).expect("the page");
    assert!(page.contains("</code> (SHA256, 8 digits, every 60 seconds)"), "{page}");
    assert!(qr_code_on(&sandbox, &page).ends_with("&algorithm=SHA256&digits=8&period=60"));
}

#[test]
fn a_directory_that_is_not_for_root_alone_gets_no_page_and_nobody_is_enrolled() {
    let sandbox = machine();
    list(&sandbox, "alice\n");
    let refused = |why: &str| {
        let said = enroll_again(&sandbox);
        assert_eq!((said.status, said.out.as_str()), (Some(1), ""), "{said:?}");
        assert!(said.errors.starts_with(&format!("countersign: cannot write /run/pages: {why}")), "{said:?}");
        assert!(nothing_is_kept(&sandbox));
    };
    let elsewhere = sandbox.path().join("run/elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o700)).expect("its mode");
    symlink("/run/elsewhere", pages(&sandbox)).expect("a link");
    refused("it must be a directory for root alone");
    fs::remove_file(pages(&sandbox)).expect("away");
    fs::write(pages(&sandbox), "").expect("a file");
    refused("it must be a directory for root alone");
    fs::remove_file(pages(&sandbox)).expect("away");
    fs::create_dir(pages(&sandbox)).expect("a directory");
    for mode in [0o755, 0o750, 0o701, 0o777] {
        fs::set_permissions(pages(&sandbox), Permissions::from_mode(mode)).expect("its mode");
        refused("it must be a directory for root alone");
    }
    assert!(names(&pages(&sandbox)).is_empty() && names(&elsewhere).is_empty());
    let nowhere = run(&sandbox, &["enroll", "--from", "/run/list", "--into", "/run/a/b"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn one_run_at_a_time_writes_to_a_directory() {
    let sandbox = machine();
    list(&sandbox, "alice\n");
    fs::create_dir(pages(&sandbox)).expect("a directory");
    fs::set_permissions(pages(&sandbox), Permissions::from_mode(0o700)).expect("its mode");
    let other = fs::File::open(pages(&sandbox)).expect("the directory");
    other.lock().expect("another run");
    let said = enroll_again(&sandbox);
    assert_eq!(said.status, Some(1));
    assert!(said.errors.starts_with("countersign: cannot write /run/pages: another run writes to it\n"));
    assert!(nothing_is_kept(&sandbox));
    drop(other);
    assert_eq!(enroll_again(&sandbox).counts(), [1, 0, 0, 0, 0]);
}

#[test]
fn what_is_there_and_no_page_is_never_overwritten() {
    let sandbox = machine();
    fs::create_dir(pages(&sandbox)).expect("a directory");
    fs::set_permissions(pages(&sandbox), Permissions::from_mode(0o700)).expect("its mode");
    fs::write(sandbox.path().join("run/victim"), "precious").expect("a file");
    planting::write(&pages(&sandbox).join("alice.html"), b"hers");
    symlink("/run/victim", pages(&sandbox).join("bob.html")).expect("a link");
    list(&sandbox, "alice\nbob\ncarol\n");
    let told = "line 1: alice: not enrolled: /run/pages/alice.html is there already\n\
                line 2: bob: not enrolled: /run/pages/bob.html is there already\n";
    let dry = crate::Said::of(&run(&sandbox, &[&WORDS[..], &["--dry-run"]].concat()));
    assert_eq!((dry.status, dry.out.as_str(), dry.counts()), (Some(3), told, [1, 0, 0, 2, 0]));
    let said = enroll_again(&sandbox);
    assert_eq!((said.status, said.out.as_str(), said.counts()), (Some(3), told, [1, 0, 0, 2, 0]));
    assert_eq!(fs::read(pages(&sandbox).join("alice.html")).expect("hers"), b"hers");
    assert_eq!(fs::read(sandbox.path().join("run/victim")).expect("the file"), b"precious");
    assert_eq!(names(&sandbox.store().join("users")), ["carol"]);
}

#[test]
fn a_page_of_a_device_that_is_not_in_force_is_replaced_or_told() {
    let sandbox = machine();
    assert_eq!(enroll(&sandbox, "alice\nbob\n").counts(), [2, 0, 0, 0, 0]);
    let page = |name: &str| fs::read_to_string(pages(&sandbox).join(name)).expect("a page");
    let (former, kept) = (page("alice.html"), page("bob.html"));
    // As a run leaves it that is killed between page and enrolment.
    crate::command::must(&sandbox, &["remove", "alice", "--yes"]);
    assert_eq!(enroll_again(&sandbox).counts(), [1, 1, 0, 0, 0]);
    all_have_their_pages(&sandbox, &["alice", "bob"]);
    assert_ne!(key_on(&page("alice.html")), key_on(&former));
    assert_eq!(page("bob.html"), kept);

    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let stale = page("alice.html");
    let said = enroll_again(&sandbox);
    assert_eq!((said.status, said.counts()), (Some(0), [0, 2, 0, 0, 0]));
    assert_eq!(
        said.out,
        "line 1: alice: is enrolled already, but /run/pages/alice.html is of a device that is not in force: \
         remove it\n"
    );
    assert_eq!(page("alice.html"), stale);
}
