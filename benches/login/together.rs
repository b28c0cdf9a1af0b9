//! Eight processes at once, each with a user of its own.

use std::process::Stdio;
use std::time::Instant;

use crate::ground::{Ground, PEOPLE};
use crate::module::Module;

/// How many logins each process makes in a round.
const LOGINS: usize = 25;
const ROUNDS: usize = 9;

/// What came of it.
#[derive(Clone, Copy)]
pub(crate) struct Together {
    /// Logins that were let in a second, in the middle round.
    pub(crate) a_second: f64,
    /// Right codes that were refused, of all.
    pub(crate) refused: usize,
    pub(crate) tried: usize,
}

/// All modules that ask for a code, in turn.
pub(crate) fn all(ground: &mut Ground) -> Vec<(Module, Together)> {
    let mut rounds = Module::ASKING.map(|module| (module, Vec::new(), 0));
    for _ in 0..ROUNDS {
        for (module, speeds, refused) in &mut rounds {
            let (speed, let_in) = round(ground, *module);
            speeds.push(speed);
            *refused += PEOPLE * LOGINS - let_in;
        }
    }
    let middle = |mut speeds: Vec<f64>| {
        speeds.sort_by(f64::total_cmp);
        speeds[ROUNDS / 2]
    };
    let tried = ROUNDS * PEOPLE * LOGINS;
    let made = |(module, speeds, refused)| (module, Together { a_second: middle(speeds), refused, tried });
    rounds.map(made).to_vec()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn round(ground: &mut Ground, module: Module) -> (f64, usize) {
    let logins: Vec<Vec<String>> = (0..PEOPLE).map(|_| ground.login(module, LOGINS)).collect();
    let start = Instant::now();
    let processes: Vec<_> = logins
        .iter()
        .map(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            ground.machine.command(&words).stdout(Stdio::piped()).spawn().expect("it starts")
        })
        .collect();
    let printed = processes.into_iter().map(|process| process.wait_with_output().expect("its output").stdout);
    let let_in: usize =
        printed.map(|text| String::from_utf8_lossy(&text).matches("authenticate PAM_SUCCESS").count()).sum();
    (let_in as f64 / start.elapsed().as_secs_f64(), let_in)
}
