//! What the rules of the policy ask of this machine: who belongs to which groups, and what time it is.

use std::cell::OnceCell;
use std::io;

use crate::login::World;
use crate::policy::rules::{LocalTime, Surroundings};
use crate::sys;
use crate::user::{User, UserName};

/// This machine, for one login: the groups of its user are looked up once, and only where a rule asks.
#[derive(Debug, Default)]
pub struct Here {
    groups: OnceCell<(UserName, Option<Vec<u32>>)>,
}

impl Surroundings for Here {
    fn is_member(&self, user: &User, group: &UserName) -> Option<bool> {
        let gid = sys::user::group_by_name(group).ok().flatten()?;
        let groups_of = |name: &UserName| sys::user::groups_of(name).ok().flatten();
        let (known, groups) = self.groups.get_or_init(|| (user.name.clone(), groups_of(&user.name)));
        if *known == user.name {
            return groups.as_ref().map(|groups| groups.contains(&gid));
        }
        groups_of(&user.name).map(|groups| groups.contains(&gid))
    }

    fn local_time(&self) -> Option<LocalTime> {
        let (weekday, minute) = sys::zone::weekday_and_minute(sys::clock::now()?)?;
        Some(LocalTime { weekday, minute })
    }
}

impl World for Here {
    fn now(&self) -> Option<u64> {
        sys::clock::now()
    }

    fn account(&self, uid: u32) -> io::Result<Option<User>> {
        sys::user::by_uid(uid)
    }
}
