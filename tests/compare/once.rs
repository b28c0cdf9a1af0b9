//! Steps about a code that is good once: in races, a second time, and when the clock is not what it was.

use crate::attempt::{Attempt, HOME};
use crate::cell::Cell;
use crate::ground::{BESIDE, BESIDE_ALICE, Ground, THREE_QUESTIONS};
use crate::planting::now;
use crate::row::Row;
use crate::subject::Subject;

const ROUNDS: usize = 300;
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

pub(crate) fn tell(ground: &Ground, subject: Subject) -> Vec<(Row, Cell)> {
    vec![
        (Row::RightCode, right_code(ground, subject)),
        (Row::RightCodeSpaced, right_code_spaced(ground, subject)),
        (Row::PhoneMinutesOff, phone_ahead(ground, subject, 5 * MINUTE)),
        (Row::PhoneHoursOff, phone_ahead(ground, subject, 2 * HOUR)),
        (Row::EightPeople, eight_people(ground, subject)),
        (Row::TwoAtOnce, at_once(ground, subject, 2, None)),
        (Row::EightAtOnce, at_once(ground, subject, 8, None)),
        (Row::RecoveryAtOnce, recovery_at_once(ground, subject)),
        (Row::UsedAgain, used_again(ground, subject)),
        (Row::ClockBack, clock_back(ground, subject)),
        (Row::UsedAsSkewed, used_as_skewed(ground, subject)),
        (Row::ClockNeverSet, clock_never_set(ground, subject)),
    ]
}

fn right_code(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let ended = Attempt::new(subject, &ground.phone.code(0)).run(ground);
    Cell::holds_if(ended.let_in(), ended.outcome())
}

fn right_code_spaced(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let ended = Attempt::new(subject, &spaced(&ground.phone.code(0))).run(ground);
    Cell::holds_if(ended.let_in(), ended.outcome())
}

/// As phones show it.
fn spaced(code: &str) -> String {
    let (head, tail) = code.split_at(3);
    format!("{head} {tail}")
}

/// Three logins half a minute apart, with what the phone shows then.
fn phone_ahead(ground: &Ground, subject: Subject, ahead: u64) -> Cell {
    ground.renew(subject);
    let times = [0, 30, 60].map(|seconds| now() + seconds);
    let codes = times.map(|time| ground.phone.code_at(time + ahead));
    let figure = match type_all(ground, subject, &codes, times) {
        Some(number) => format!("let in at login {number}"),
        None => "denied".to_owned(),
    };
    Cell::holds_if(figure != "denied", figure.clone())
}

/// A login at each time, and the first of them that lets in. countersign looks for a skewed clock within
/// one login, and only where it asks more than once; there the codes that follow are typed too.
fn type_all(ground: &Ground, subject: Subject, codes: &[String; 3], times: [u64; 3]) -> Option<usize> {
    let service = if subject == Subject::Countersign { THREE_QUESTIONS } else { &subject.service() };
    (0..codes.len()).find_map(|number| {
        let login = Attempt::of_replies(service, &codes[number..]).at(times[number]);
        login.run(ground).let_in().then_some(number + 1)
    })
}

/// Each with an own enrolment, and all with the same code.
fn eight_people(ground: &Ground, subject: Subject) -> Cell {
    let mut crowd = ground.crowd(subject, 0).of_user(&format!("{BESIDE}{{}}"));
    let mut let_in = 0;
    for _ in 0..ROUNDS {
        ground.renew_all(subject);
        let_in += crowd.log_in(BESIDE_ALICE, HOME, &ground.phone.code(0)).accepted();
    }
    let all = ROUNDS * BESIDE_ALICE;
    Cell::holds_if(let_in == all, format!("{} of {all} refused", all - let_in))
}

/// The reply, or the present code, in so many processes that type it together.
fn at_once(ground: &Ground, subject: Subject, processes: usize, reply: Option<&str>) -> Cell {
    let mut crowd = ground.crowd(subject, 0);
    let (mut several, mut none) = (0, 0);
    for _ in 0..ROUNDS {
        ground.renew(subject);
        let reply = reply.map_or_else(|| ground.phone.code(0), str::to_owned);
        match crowd.log_in(processes, HOME, &reply).accepted() {
            0 => none += 1,
            1 => {}
            _ => several += 1,
        }
    }
    let nobody = if none > 0 { format!("; nobody in {none}") } else { String::new() };
    Cell::holds_if(
        several == 0 && none == 0,
        format!("more than one let in in {several} of {ROUNDS} rounds{nobody}"),
    )
}

fn recovery_at_once(ground: &Ground, subject: Subject) -> Cell {
    match Ground::recovery_code(subject) {
        Some(code) => at_once(ground, subject, 8, Some(code)),
        None => Cell::has_none("no recovery codes"),
    }
}

fn used_again(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let code = ground.phone.code(0);
    let first = Attempt::new(subject, &code).run(ground);
    let again = Attempt::new(subject, &code).run(ground);
    let spaced = Attempt::new(subject, &spaced(&code)).run(ground);
    let figure = format!("{}, then {}; with a space {}", first.outcome(), again.outcome(), spaced.outcome());
    Cell::holds_if(first.let_in() && !again.let_in() && !spaced.let_in(), figure)
}

/// A login, another ten minutes later, and then it is as early again as at first.
fn clock_back(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let start = now();
    let log_in = |time| Attempt::new(subject, &ground.phone.code_at(time)).at(time).run(ground);
    let fresh = log_in(start).let_in() && log_in(start + 10 * MINUTE).let_in();
    let back = log_in(start);
    Cell::holds_if(fresh && !back.let_in(), format!("the used code is {}", back.outcome()))
}

/// Three logins half a minute apart. Later somebody who saw the codes types them half a minute apart.
fn used_as_skewed(ground: &Ground, subject: Subject) -> Cell {
    let shown = |later| match replayed(ground, subject, later) {
        Some(number) => format!("let in at login {number}"),
        None => "denied".to_owned(),
    };
    let (soon, late) = (shown(5 * MINUTE), shown(2 * HOUR));
    let denied = soon == "denied" && late == "denied";
    Cell::holds_if(denied, format!("after 5 minutes {soon}, after 2 hours {late}"))
}

/// Which of three logins with used codes lets in, so many seconds later.
fn replayed(ground: &Ground, subject: Subject, later: u64) -> Option<usize> {
    ground.renew(subject);
    let start = now();
    let times = [0, 30, 60].map(|seconds| start + seconds);
    let codes = times.map(|time| ground.phone.code_at(time));
    for (code, time) in codes.iter().zip(times) {
        assert!(Attempt::new(subject, code).at(time).run(ground).let_in(), "{subject:?} takes right codes");
    }
    type_all(ground, subject, &codes, times.map(|time| time + later))
}

fn clock_never_set(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let ended = Attempt::new(subject, &ground.phone.code_at(HOUR)).at(HOUR).run(ground);
    Cell::holds_if(!ended.let_in(), format!("the code of that time is {}", ended.outcome()))
}
