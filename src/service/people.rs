//! Whom a question is about, and who may judge for others: what the name service and the policy say.

use serde_json::Value;

use super::interface::Refusal;
use super::permission::Verifiers;
use crate::backend::{self, PolicyError};
use crate::credential::StoreError;
use crate::policy::rules::Person;
use crate::sys;
use crate::user::{User, UserName};
use crate::verifier::VerifierError;
use crate::wire::{AboutUser, Failure};

/// Whom a question is about. The rest of it is looked at by who answers.
pub(super) fn about(parameters: &Value) -> Option<AboutUser> {
    let user = parameters.get("user")?.as_str()?.to_owned();
    let uid = match parameters.get("uid") {
        None | Some(Value::Null) => None,
        Some(uid) => Some(u32::try_from(uid.as_u64()?).ok()?),
    };
    Some(AboutUser { user, uid })
}

/// The account, as this service knows it: the caller may have asked before it was another one.
pub(super) fn account(about: &AboutUser) -> Result<User, Refusal> {
    let name = UserName::new(about.user.as_bytes()).map_err(|_| Refusal::BadParameters)?;
    let found = sys::user::by_name(&name).map_err(|error| {
        Refusal::Failed(Failure {
            reason: "accounts_unreadable".to_owned(),
            cause: error.to_string(),
            mend: "look at the name service, see nsswitch.conf(5)".to_owned(),
        })
    })?;
    let user = found.unwrap_or(User { name, uid: None });
    if about.uid.is_some() && about.uid != user.uid {
        return Err(VerifierError::Store(StoreError::OtherAccount).into());
    }
    Ok(user)
}

/// The verifiers that the policy names. A name that cannot be looked up is nobody's.
pub(super) fn verifiers() -> Result<Verifiers, PolicyError> {
    let mut verifiers = Verifiers::default();
    let policy = backend::policy_file()?;
    for name in &policy.service.verifiers {
        match name {
            Person::User(name) => {
                let found = sys::user::by_name(name).ok().flatten();
                verifiers.uids.extend(found.and_then(|user| user.uid));
            }
            Person::Group(name) => {
                verifiers.gids.extend(sys::user::group_by_name(name).ok().flatten());
            }
        }
    }
    Ok(verifiers)
}
