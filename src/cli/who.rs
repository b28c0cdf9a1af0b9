//! Whom a verb is about.

use super::error::Error;
use crate::sys;
use crate::user::{User, UserName};

/// Fails unless root runs the command.
pub(super) fn require_root() -> Result<(), Error> {
    if sys::user::is_root() { Ok(()) } else { Err(Error::NotRoot) }
}

/// The account of that name; without a name, the one that called sudo, else the caller's own.
pub(super) fn account(name: Option<&str>) -> Result<User, Error> {
    let Some(name) = name else { return caller() };
    known_or_not(name)
        .and_then(|user| if user.is_known() { Ok(user) } else { Err(Error::NoAccount(name.to_owned())) })
}

/// The account of that name, or the bare name where the account is gone.
pub(super) fn known_or_not(name: &str) -> Result<User, Error> {
    let name = UserName::new(name.as_bytes()).map_err(Error::BadName)?;
    let account = sys::user::by_name(&name).map_err(Error::Accounts)?;
    Ok(account.unwrap_or(User { name, uid: None }))
}

fn caller() -> Result<User, Error> {
    #[expect(clippy::disallowed_methods, reason = "sudo writes it, and only root is believed")]
    let of_sudo = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    let uid = of_sudo.filter(|_| sys::user::is_root()).unwrap_or_else(sys::user::real_uid);
    sys::user::by_uid(uid).map_err(Error::Accounts)?.ok_or_else(|| Error::NoAccount(uid.to_string()))
}
