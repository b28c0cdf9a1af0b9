//! The packages in booted machines: installed, enabled, upgraded, removed and purged by dpkg and rpm, with logins by
//! real programs after each step, and what fail2ban and AppArmor make of what they bring.
//!
//! They are what `make deb rpm` made of the build, in `dist/` or `$COUNTERSIGN_PACKAGES`.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "packaged/confined.rs"]
mod confined;
#[path = "container/mod.rs"]
mod container;
#[path = "packaged/contents.rs"]
mod contents;
#[path = "packaged/debian.rs"]
mod debian;
#[path = "packaged/empty_var.rs"]
mod empty_var;
#[path = "packaged/files.rs"]
mod files;
#[path = "packaged/guesses.rs"]
mod guesses;
#[path = "packaged/guided.rs"]
mod guided;
#[path = "installed/mod.rs"]
mod installed;
#[path = "packaged/made.rs"]
mod made;
#[path = "planting/mod.rs"]
mod planting;
#[path = "packaged/redhat.rs"]
mod redhat;
#[path = "packaged/refusing.rs"]
mod refusing;
