//! Subordinate uids: subuid(5) lends them to a user, who may act as any of them in namespaces of his own.

use std::path::Path;

use super::secure_file::read_published;

/// Where they are lent.
const PATH: &str = "/etc/subuid";
/// Enough for tens of thousands of users, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// To whom a uid is lent, in the words of subuid(5): a name, or a number. `None` where it is lent to nobody,
/// and where the file is not root's own.
pub fn borrower_of(uid: u32) -> Option<String> {
    let text = read_published(Path::new(PATH), LONGEST).ok()?;
    borrower_in(&text, uid).map(str::to_owned)
}

fn borrower_in(text: &str, uid: u32) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let borrower = fields.next()?;
        let first: u32 = fields.next()?.parse().ok()?;
        let count: u32 = fields.next()?.parse().ok()?;
        let place = uid.checked_sub(first)?;
        (place < count).then_some(borrower)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_uid_has_one_borrower() {
        let text = "alice:100000:65536\n# no line\nbad:1\nbob:165536:65536\n1002:4294967295:9\n:\nroot:x:y\n";
        for (uid, borrower) in [
            (0, None),
            (99_999, None),
            (100_000, Some("alice")),
            (165_535, Some("alice")),
            (165_536, Some("bob")),
            (231_071, Some("bob")),
            (231_072, None),
            (u32::MAX, Some("1002")),
        ] {
            assert_eq!(borrower_in(text, uid), borrower, "{uid}");
        }
    }
}
