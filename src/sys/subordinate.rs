//! Subordinate uids: subuid(5) lends them to a user, who may act as any of them in namespaces of their own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::secure_file::read_published;

/// Where they are lent.
const PATH: &str = "/etc/subuid";
/// Enough for tens of thousands of users, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// What subuid(5) lends to whom, read again only when the file has changed.
#[derive(Debug)]
pub struct Borrowers {
    path: PathBuf,
    version: Option<Version>,
    lent: Lent,
}

/// By what a file is known to be as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// To whom uids are lent from one uid on until the next that is named, in the order of the uids.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lent(Vec<(u32, Option<String>)>);

/// What a line lends: the first uid, the last one, and the place of the line, by which earlier lines go first.
type Range = (u32, u32, usize);

impl Borrowers {
    /// What the file of this machine lends.
    pub fn of_this_machine() -> Self {
        Self { path: PathBuf::from(PATH), version: None, lent: Lent::default() }
    }

    /// To whom a uid is lent, in the words of subuid(5): a name, or a number. `None` where it is lent to no user,
    /// and where the file is not root's own.
    pub fn of(&mut self, uid: u32) -> Option<&str> {
        // Before it is read: a file that is replaced meanwhile is read again at the next question.
        let version = Version::of(&self.path);
        if version.is_none() || version != self.version {
            let text = read_published(&self.path, LONGEST);
            self.lent = text.map_or_else(|_| Lent::default(), |text| Lent::of(&text));
            self.version = version;
        }
        self.lent.borrower_of(uid)
    }
}

impl Version {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl Lent {
    /// Of lines that lend the same uid the first counts. Those that are not as subuid(5) says are passed over.
    fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut ranges: Vec<Range> =
            lines.iter().enumerate().filter_map(|(place, line)| range_in(line, place)).collect();
        ranges.sort_unstable();
        let ends = ranges.iter().filter_map(|(_, last, _)| last.checked_add(1));
        let mut bounds: Vec<u32> = ranges.iter().map(|(first, ..)| *first).chain(ends).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let borrower = |place: usize| lines.get(place)?.split(':').next().map(str::to_owned);
        let (mut ranges, mut open) = (ranges.into_iter().peekable(), BinaryHeap::new());
        let from = |bound: u32| {
            while let Some((_, last, place)) = ranges.next_if(|(first, ..)| *first <= bound) {
                open.push(Reverse((place, last)));
            }
            while open.peek().is_some_and(|Reverse((_, last))| *last < bound) {
                open.pop();
            }
            (bound, open.peek().and_then(|Reverse((place, _))| borrower(*place)))
        };
        Self(bounds.into_iter().map(from).collect())
    }

    fn borrower_of(&self, uid: u32) -> Option<&str> {
        let next = self.0.partition_point(|(from, _)| *from <= uid);
        let (_, borrower) = self.0.get(next.checked_sub(1)?)?;
        borrower.as_deref()
    }
}

fn range_in(line: &str, place: usize) -> Option<Range> {
    let mut fields = line.split(':').skip(1);
    let first: u32 = fields.next()?.parse().ok()?;
    let count: u32 = fields.next()?.parse().ok()?;
    Some((first, first.saturating_add(count.checked_sub(1)?), place))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "those rules are for the module")]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_lent_uid_has_one_borrower() {
        let text = "alice:100000:65536\n# no line\nbad:1\nbob:165536:65536\n1002:4294967295:9\n:\nroot:x:y\nnone:5:0\n";
        let lent = Lent::of(text);
        for (uid, borrower) in [
            (0, None),
            (5, None),
            (99_999, None),
            (100_000, Some("alice")),
            (165_535, Some("alice")),
            (165_536, Some("bob")),
            (231_071, Some("bob")),
            (231_072, None),
            (u32::MAX, Some("1002")),
        ] {
            assert_eq!(lent.borrower_of(uid), borrower, "{uid}");
        }
    }

    #[test]
    fn of_lines_that_overlap_the_first_counts() {
        let lines = ["b:10:5", "a:5:20", "c:0:3", "d:0:40", "e:12:1"];
        let lent = Lent::of(&lines.join("\n"));
        let slowly = |uid: u32| {
            lines.iter().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let (first, count): (u32, u32) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
                (first..first + count).contains(&uid).then(|| fields[0].to_owned())
            })
        };
        for uid in 0..50 {
            assert_eq!(lent.borrower_of(uid).map(str::to_owned), slowly(uid), "{uid}");
        }
    }

    #[test]
    #[ignore = "needs root: a file of root"]
    fn the_file_is_read_again_only_when_it_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("subuid");
        let mut borrowers = Borrowers { path: path.clone(), version: None, lent: Lent::default() };
        assert_eq!(borrowers.of(100_000), None);
        fs::write(&path, "alice:100000:65536\n").unwrap();
        assert_eq!(borrowers.of(100_000), Some("alice"));
        // What is known of it is not asked of the file again.
        borrowers.lent = Lent::of("kept:100000:65536\n");
        assert_eq!(borrowers.of(100_000), Some("kept"));
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
        assert_eq!(borrowers.of(100_000), Some("alice"));
        let other = directory.path().join("other");
        fs::write(&other, "bobby:100000:65536\n").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(borrowers.of(100_000), Some("bobby"));
        fs::remove_file(&path).unwrap();
        assert_eq!(borrowers.of(100_000), None);
    }
}
