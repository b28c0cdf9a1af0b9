//! The time of day where the machine is, as /etc/localtime says (localtime(5)).
//!
//! Never the environment: TZ belongs to the caller of su.

use std::io::Read as _;
use std::path::Path;

use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use tz::TimeZone;

use super::secure_file::above_standard;

const PATH: &str = "/etc/localtime";
/// Zones have a few kilobytes.
const LONGEST: u64 = 1 << 16;

/// The day of the week, 0 being Monday, and the minutes since midnight. `None` where the zone cannot be read.
pub fn weekday_and_minute(now: u64) -> Option<(u8, u16)> {
    let now = i64::try_from(now).ok()?;
    let offset = match read(Path::new(PATH)) {
        Ok(zone) => i64::from(zone.find_local_time_type(now).ok()?.ut_offset()),
        // localtime(5): without the file it is UTC.
        Err(Unread::Absent) => 0,
        Err(Unread::Unusable) => return None,
    };
    Some(of_local_seconds(now.checked_add(offset)?))
}

/// 1970 began on a Thursday.
fn of_local_seconds(seconds: i64) -> (u8, u16) {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let weekday = (days + 3).rem_euclid(7);
    (u8::try_from(weekday).unwrap_or(0), u16::try_from(second / 60).unwrap_or(0))
}

#[derive(Debug, PartialEq, Eq)]
enum Unread {
    Absent,
    Unusable,
}

/// The file is a link to one of the zones, so links are followed; what is at the end must be root's own.
fn read(path: &Path) -> Result<TimeZone, Unread> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let descriptor = match openat(AT_FDCWD, path, flags, Mode::empty()) {
        Ok(descriptor) => above_standard(descriptor).map_err(|_| Unread::Unusable)?,
        Err(nix::errno::Errno::ENOENT) => return Err(Unread::Absent),
        Err(_) => return Err(Unread::Unusable),
    };
    let stat = fstat(&descriptor).map_err(|_| Unread::Unusable)?;
    let is_file = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
    let is_writable = stat.st_mode & (Mode::S_IWGRP | Mode::S_IWOTH).bits() != 0;
    if !is_file || is_writable || stat.st_uid != 0 {
        return Err(Unread::Unusable);
    }
    let mut bytes = Vec::new();
    let mut file = std::fs::File::from(descriptor).take(LONGEST);
    file.read_to_end(&mut bytes).map_err(|_| Unread::Unusable)?;
    TimeZone::from_tz_data(&bytes).map_err(|_| Unread::Unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_counted_from_monday_midnight() {
        assert_eq!(of_local_seconds(0), (3, 0), "a Thursday");
        assert_eq!(of_local_seconds(4 * 86_400 - 1), (6, 1439));
        assert_eq!(of_local_seconds(4 * 86_400), (0, 0));
        assert_eq!(of_local_seconds(-1), (2, 1439));
    }

    #[test]
    fn a_zone_of_the_system_is_read_and_what_is_none_is_not() {
        let summer = 1_782_561_600;
        if let Ok(zone) = read(Path::new("/usr/share/zoneinfo/Europe/Berlin")) {
            assert_eq!(zone.find_local_time_type(summer).unwrap().ut_offset(), 7200);
        }
        assert_eq!(read(Path::new("/etc/passwd")).unwrap_err(), Unread::Unusable);
        assert_eq!(read(Path::new("/etc/no-such-zone")).unwrap_err(), Unread::Absent);
        assert_eq!(read(Path::new("/etc")).unwrap_err(), Unread::Unusable);
    }
}
