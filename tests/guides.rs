//! Every guide of `docs/guides`, followed in a booted machine by its own text (`tests/guide`).
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(dead_code, unreachable_pub, reason = "modules of tests")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

#[path = "container/mod.rs"]
mod container;
#[path = "guide/mod.rs"]
mod guide;
#[path = "installed/mod.rs"]
mod installed;
#[path = "planting/mod.rs"]
mod planting;

use guide::Follower;

fn follow(guide: &str) {
    Follower::new().follow(guide);
}

macro_rules! guides {
    ($($test:ident $file:literal)*) => {
        $(
            #[test]
            #[ignore = "boots a machine: needs root"]
            fn $test() {
                follow($file);
            }
        )*

        const ALL: &[&str] = &[$($file),*];
    };
}

guides! {
    ssh_asks_for_password_and_code "password-and-code.md"
    ssh_asks_for_key_and_code "key-and-code.md"
    sudo_alone_asks_for_a_code "sudo.md"
    consoles_ask_for_a_code "consoles.md"
    lockers_ask_by_the_service "lockers.md"
    service_accounts_are_exempt "service-accounts.md"
    people_of_google_authenticator_move "from-google-authenticator.md"
    people_of_pam_oath_move "from-pam-oath.md"
    who_lost_a_phone_gets_in "lost-phone.md"
    who_is_locked_out_gets_in "locked-out.md"
    ansible_sets_it_up "ansible.md"
    images_carry_no_secrets "containers-and-images.md"
}

#[test]
fn every_guide_is_followed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the guides")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    found.sort();
    let mut all = ALL.to_vec();
    all.sort_unstable();
    assert_eq!(found, all);
}
