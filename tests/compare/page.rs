//! `docs/comparison.md`: how it was made, the table, and what it does not say.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cell::{Cell, Verdict};
use crate::ground::Ground;
use crate::row::Row;
use crate::subject::Subject;

/// What each step showed of each module.
pub(crate) type Table = BTreeMap<(Row, Subject), Cell>;

/// The page.
pub(crate) fn page(ground: &Ground, table: &Table) -> String {
    let mut page = introduction(ground);
    page.push_str(&rows(table));
    page.push_str(CLOSING);
    page
}

/// The table alone. A step that was not made stops the program.
pub(crate) fn rows(table: &Table) -> String {
    let names = Subject::ALL.map(Subject::name).join(" | ");
    let mut text = format!("| step | {names} |\n|---|---|---|---|\n");
    for row in Row::ALL {
        let cells = Subject::ALL.map(|subject| table[&(row, subject)].to_string().replace('|', "\\|"));
        let _ = writeln!(text, "| {} | {} |", row.title(), cells.join(" | "));
    }
    text
}

/// The rows that countersign claims and does not hold.
pub(crate) fn broken_claims(table: &Table) -> Vec<Row> {
    let holds = |row| table[&(row, Subject::Countersign)].verdict == Verdict::Holds;
    Row::ALL.into_iter().filter(|row| row.is_claimed() && !holds(*row)).collect()
}

fn introduction(ground: &Ground) -> String {
    let mut text = OPENING.to_owned();
    for subject in Subject::ALL {
        let version = subject.package().map_or_else(
            || format!("countersign {}", env!("CARGO_PKG_VERSION")),
            |package| {
                let show = ["dpkg-query", "--show", "--showformat=${Package} ${Version}", package];
                ground.machine.must(&show)
            },
        );
        let _ = writeln!(text, "| {} | {version} | `{}` |", subject.name(), subject.line());
    }
    text + CONDITIONS
}

const OPENING: &str = "\
<!-- Written by `make compare`; do not edit. -->
# Who holds what

The same steps with three modules, in one Debian 12 machine, through real libpam, by `make compare`. Every cell is what
that run saw; nothing is taken from anybody's documentation. `tests/compare/` has the steps.

| module | version | line of the service |
|---|---|---|
";

const CONDITIONS: &str = "
- One user has the same secret with all three; the codes are `oathtool`'s. All accept the code before and after the present one.
- google-authenticator's file is what its setup tool writes with `--time-based --disallow-reuse --rate-limit=3
  --rate-time=30 --window-size=3`: in the user's home, 0400, the user's. That limit counts good logins too.
- oath's `users.oath` is root's, 0600, in a directory of its own, so that it can be on a small disk;
  `window=1` makes it take the same three codes as the others.
- countersign has its defaults, but asks once in a login (`attempts=1`), as the others do; where used codes are
  typed again later, and where a phone's clock is off, it asks three times.
- Each round of a step begins with a new enrolment. Another time is told by libfaketime, a failing system call is
  injected by strace (EIO), a full disk is an ext4 of 16 MiB.

";

const CLOSING: &str = "
Where countersign does not hold, that is known. Whoever guesses from the owner's own address, or from very many, can
keep codes from being judged there, or at a place where she has never logged in; a recovery code lets her in. A phone that
is off by more than ten minutes is not followed: who holds a code of hours ago could else use it. What cannot be written
cannot be spent, so on a read-only disk nobody gets in.

To read it rightly: oath keeps no owner out because it counts nothing. Only root can put a link or a FIFO where oath and
countersign look, but the user too where google-authenticator looks. After a kill oath's lock file stays, and refuses
everyone until somebody removes it. The times are from one machine with other work on it: compare them with one another,
not with yours.
";
