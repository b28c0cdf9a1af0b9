//! What the rules of the policy ask of this machine: who belongs to which groups, and what time it is.

use std::io;
use std::time::Duration;

use crate::login::World;
use crate::policy::rules::{LocalTime, Surroundings};
use crate::sys;
use crate::user::{User, UserName};

/// How long the last part of a wait is.
const LAST_PART: Duration = Duration::from_millis(50);

/// This machine. It is asked only where a rule needs to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

impl Surroundings for Here {
    fn is_member(&self, user: &User, group: &UserName) -> Option<bool> {
        sys::user::is_member(&user.name, group).ok().flatten()
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

    fn moment(&self) -> Duration {
        sys::clock::moment()
    }

    /// In two parts. A process that has computed for long before it sleeps wakes later on a busy machine: before the
    /// second part each has done as little as any other.
    fn wait_until(&self, moment: Duration) {
        for until in [moment.saturating_sub(LAST_PART), moment] {
            std::thread::sleep(until.saturating_sub(sys::clock::moment()));
        }
    }

    fn account(&self, uid: u32) -> io::Result<Option<User>> {
        sys::user::by_uid(uid)
    }
}
