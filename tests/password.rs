//! Proofs of passwords by Debian's own libpam and modules: by the units and by a child of the service.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

#[path = "container/mod.rs"]
mod container;
#[path = "installed/mod.rs"]
mod installed;
#[path = "planting/mod.rs"]
mod planting;

#[path = "password/accounts.rs"]
mod accounts;
#[path = "password/deaths.rs"]
mod deaths;
#[path = "password/ground.rs"]
mod ground;
#[path = "password/peers.rs"]
mod peers;
#[path = "password/stacks.rs"]
mod stacks;
