//! Who may ask about whom: pure, decided from what the kernel says of the caller.

use std::collections::BTreeSet;

use crate::user::User;

/// Who asks, as the kernel noted it when the connection was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) uid: u32,
    /// The group and the supplementary groups.
    pub(super) groups: Vec<u32>,
}

impl Caller {
    pub(super) fn is_root(&self) -> bool {
        self.uid == 0
    }
}

/// Whose questions of a kind are answered, besides those of root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// None.
    Root,
    /// Those about the caller himself.
    Owner,
    /// Those, and those of the verifiers that the policy names.
    OwnerOrVerifier,
}

/// The verifiers that the policy names, as the name service knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verifiers {
    pub(super) uids: BTreeSet<u32>,
    pub(super) gids: BTreeSet<u32>,
}

/// Whether a question of this kind about `target` is answered. Whoever has no account is nobody's self.
pub(super) fn may_ask(caller: &Caller, who: Who, target: &User, verifiers: &Verifiers) -> bool {
    let is_verifier = || {
        verifiers.uids.contains(&caller.uid) || caller.groups.iter().any(|gid| verifiers.gids.contains(gid))
    };
    let is_owner = || target.uid == Some(caller.uid);
    caller.is_root()
        || match who {
            Who::Root => false,
            Who::Owner => is_owner(),
            Who::OwnerOrVerifier => is_owner() || is_verifier(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::UserName;

    #[test]
    fn who_may_ask_whom() {
        let verifiers = Verifiers { uids: BTreeSet::from([900]), gids: BTreeSet::from([50]) };
        let caller = |uid, groups: &[u32]| Caller { uid, groups: groups.to_vec() };
        let target = |uid| User { name: UserName::new(b"alice").unwrap(), uid };
        let (alice, root, nobody) = (target(Some(1000)), target(Some(0)), target(None));
        // Caller, target, whether he may ask as its owner only, whether as a verifier too.
        let table = [
            (caller(0, &[0]), &alice, true, true),
            (caller(0, &[0]), &root, true, true),
            (caller(0, &[0]), &nobody, true, true),
            (caller(1000, &[1000]), &alice, true, true),
            (caller(1000, &[1000]), &root, false, false),
            (caller(1000, &[1000]), &nobody, false, false),
            (caller(1001, &[1001]), &alice, false, false),
            (caller(1001, &[1001, 0, 1000]), &alice, false, false),
            (caller(900, &[900]), &alice, false, true),
            (caller(900, &[900]), &root, false, true),
            (caller(900, &[900]), &nobody, false, true),
            (caller(901, &[901, 50]), &alice, false, true),
            (caller(50, &[900]), &alice, false, false),
            // The overflow uid, which stands for all users of other namespaces.
            (caller(65_534, &[65_534]), &alice, false, false),
            (caller(u32::MAX, &[u32::MAX]), &nobody, false, false),
        ];
        for (caller, target, as_owner, as_verifier) in table {
            let asked = |who| may_ask(&caller, who, target, &verifiers);
            assert_eq!(asked(Who::Owner), as_owner, "{caller:?} {target:?}");
            assert_eq!(asked(Who::OwnerOrVerifier), as_verifier, "{caller:?} {target:?}");
            assert_eq!(asked(Who::Root), caller.uid == 0, "{caller:?} {target:?}");
        }
    }
}
