//! Logins as people do them: the real sshd, login(1), su and sudo of Debian, a real ssh client and a
//! console, with countersign installed and set up by the examples in `pam.d/`.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, reason = "a test stops at what it does not expect")]

#[path = "container/mod.rs"]
mod container;
#[path = "installed/mod.rs"]
mod installed;
#[path = "planting/mod.rs"]
mod planting;

#[path = "real_logins/accounts.rs"]
mod accounts;
#[path = "real_logins/caller.rs"]
mod caller;
#[path = "real_logins/frozen.rs"]
mod frozen;
#[path = "real_logins/interrupted.rs"]
mod interrupted;
#[path = "real_logins/killed.rs"]
mod killed;
#[path = "real_logins/limits.rs"]
mod limits;
#[path = "real_logins/local.rs"]
mod local;
#[path = "real_logins/ssh.rs"]
mod ssh;
#[path = "real_logins/starved.rs"]
mod starved;
#[path = "real_logins/stopped.rs"]
mod stopped;
#[path = "real_logins/troubled.rs"]
mod troubled;
