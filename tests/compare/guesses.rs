//! Steps about guessing: how much of it is judged and charged, and whom it keeps out.

use std::time::{Duration, Instant};

use crate::attempt::{Attempt, HOME};
use crate::cell::Cell;
use crate::crowd::Ends;
use crate::ground::Ground;
use crate::planting::now;
use crate::row::Row;
use crate::subject::Subject;

/// How many guess together.
const CROWD: usize = 200;
/// How long guessing from one place goes on.
const GUESSING: Duration = Duration::from_secs(10);
/// How many failures on one account SP 800-63B allows before it is blocked.
const BOUND: usize = 100;
/// One address of a guesser, and as many as there are guessers.
const ONE: &str = "198.51.100.200";
const MANY: &str = "198.51.{}";
/// Where the owner has never been.
const NEW_PLACE: &str = "203.0.113.9";

pub(crate) fn tell(ground: &Ground, subject: Subject) -> Vec<(Row, Cell)> {
    vec![
        (Row::ParallelGuesses, parallel(ground, subject)),
        (Row::GuessesFromOneAddress, bounded(ground, subject, ONE)),
        (Row::GuessesFromManyAddresses, bounded(ground, subject, MANY)),
        (Row::OwnerKnown, owner_gets_in(ground, subject, Guessers::One(ONE), HOME)),
        (Row::OwnerKnownUnderMany, owner_gets_in(ground, subject, Guessers::Many, HOME)),
        (Row::OwnerNew, owner_gets_in(ground, subject, Guessers::One(ONE), NEW_PLACE)),
        (Row::OwnerNewUnderMany, owner_gets_in(ground, subject, Guessers::Many, NEW_PLACE)),
        (Row::OwnerSameAddress, owner_gets_in(ground, subject, Guessers::One(HOME), HOME)),
        (Row::RefusedDoNotExtend, refused_do_not_extend(ground, subject)),
    ]
}

/// Who guesses.
#[derive(Clone, Copy)]
enum Guessers {
    /// Ten times, one after the other, from this address.
    One(&'static str),
    /// Four hundred times from two hundred addresses, and ten times from one.
    Many,
}

/// Guesses whose verdict was given, by what the module told or logged. pam_oath does neither, and
/// judges whatever it is asked.
fn judged(ground: &Ground, subject: Subject, guess: impl FnOnce() -> Vec<Ends>) -> usize {
    let cursor = ground.machine.cursor();
    let ends = guess();
    let with = |text| ends.iter().map(|ends| ends.with(text)).sum();
    match subject {
        Subject::Countersign => with("Wrong code."),
        Subject::GoogleAuthenticator => {
            let log = ground.log_since(&cursor);
            log.iter().filter(|line| line.contains("Invalid verification code")).count()
        }
        Subject::Oath => with("PAM_AUTH_ERR"),
    }
}

fn parallel(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let wrong = ground.phone.wrong_code();
    let judged = judged(ground, subject, || vec![ground.crowd(subject, 0).log_in(20, HOME, &wrong)]);
    match ground.charged(subject) {
        Some(charged) => {
            Cell::holds_if(charged == judged, format!("{judged} of 20 judged, {charged} charged"))
        }
        None => Cell::holds_if(false, format!("{judged} of 20 judged, none charged")),
    }
}

/// Crowds that come one after the other.
fn bounded(ground: &Ground, subject: Subject, rhost: &str) -> Cell {
    ground.renew(subject);
    let wrong = ground.phone.wrong_code();
    let mut crowd = ground.crowd(subject, 0);
    let mut made = 0;
    let judged = judged(ground, subject, || {
        let begun = Instant::now();
        let mut ends = Vec::new();
        while begun.elapsed() < GUESSING {
            ends.push(crowd.log_in(CROWD, rhost, &wrong));
            made += CROWD;
        }
        ends
    });
    let figure = format!("{judged} of {made} guesses judged in {} s", GUESSING.as_secs());
    Cell::holds_if(judged <= BOUND, figure)
}

/// Alice has logged in an hour before; then come the guessers, and then she.
fn owner_gets_in(ground: &Ground, subject: Subject, guessers: Guessers, place: &str) -> Cell {
    const HOUR: u64 = 3600;
    ground.renew(subject);
    let before = Attempt::new(subject, &ground.phone.code(0)).run(ground);
    assert!(before.let_in(), "{subject:?} lets the owner in: {}", before.0.raw);
    let wrong = ground.phone.code_at(1);
    let mut crowd = ground.crowd(subject, HOUR);
    if let Guessers::Many = guessers {
        for _ in 0..2 {
            crowd.log_in(CROWD, MANY, &wrong);
        }
    }
    // Last, since those of a crowd may be charged as one.
    for _ in 0..10 {
        crowd.log_in(1, if let Guessers::One(rhost) = guessers { rhost } else { ONE }, &wrong);
    }
    let time = now() + HOUR + 1;
    let she = Attempt::new(subject, &ground.phone.code_at(time)).from(place).at(time).run(ground);
    Cell::holds_if(she.let_in(), format!("the owner is {}", she.outcome()))
}

/// Ten wrong guesses at once make a wait of 30 s; three more come in it. Is it over when it would have been?
fn refused_do_not_extend(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let start = now();
    let wrong = ground.phone.code_at(1);
    let type_at = |time, reply: &str| Attempt::new(subject, reply).at(time).run(ground);
    for _ in 0..10 {
        type_at(start, &wrong);
    }
    if type_at(start + 1, &ground.phone.code_at(start + 1)).let_in() {
        return Cell::has_none("no wait");
    }
    for _ in 0..3 {
        type_at(start + 20, &wrong);
    }
    let after = type_at(start + 40, &ground.phone.code_at(start + 40));
    Cell::holds_if(after.let_in(), format!("after the wait the right code is {}", after.outcome()))
}
