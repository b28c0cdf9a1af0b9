//! The limits and the surroundings that a caller of su chooses: files that may not grow, no
//! descriptors, no memory, closed streams, a terrible environment. There is never a success without its
//! trace nor a "Wrong code" without its charge, both files stay whole, and the next login works.

use std::time::Duration;

use crate::caller::{Caller, End, PROGRAM, SU};
use crate::troubled::{Door, Others, rounds};

/// What changes nothing: codes are judged as ever.
const HARMLESS: [(&str, &str); 15] = [
    ("a file of just the size", "prlimit --fsize=69632"),
    ("no core", "prlimit --core=0"),
    ("no locked memory", "prlimit --memlock=0"),
    ("no pending signals", "prlimit --sigpending=0"),
    ("no message queues", "prlimit --msgqueue=0"),
    ("a second of the processor", "prlimit --cpu=1"),
    ("twelve descriptors", "prlimit --nofile=12"),
    ("last in the queue", "nice -n 19"),
    ("only when idle", "chrt --idle 0"),
    ("one processor", "taskset --cpu-list 0"),
    ("no inherited capabilities", "setpriv --inh-caps=-all"),
    ("deaf to signals", "perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(1 .. 31)); exec @ARGV'"),
    ("a session of its own", "setsid --wait"),
    ("an empty environment", "env -i PATH=/usr/bin"),
    ("odd variables", "env LD_PRELOAD=/nowhere LANG=xx TZ=:/dev/zero RUST_BACKTRACE=1 TMPDIR=/nowhere"),
];

/// Shell before su that changes nothing either.
const HARMLESS_SCRIPTS: [(&str, &str); 6] = [
    ("a umask of everything", "umask 0777"),
    ("signals ignored", "trap '' HUP INT QUIT PIPE ALRM TERM CHLD XFSZ XCPU USR1 USR2 TTOU TTIN"),
    ("a working directory that is gone", "mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone"),
    (
        "megabytes of environment",
        "big=$(head -c 120000 /dev/zero | tr '\\0' x); for i in 1 2 3 4 5 6 7 8 9 10 11 12; do export V$i=$big; done",
    ),
    ("more open files", "for i in 3 4 5 6 7 8 9; do eval \"exec $i</etc/passwd\"; done"),
    ("no standard output but errors", "exec >&2"),
];

/// Streams that are closed: what su tells is seen in part or not at all.
const CLOSED: [&str; 7] = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"];

/// Bob's su under one setting, and everybody else's after it.
struct Trial {
    door: Door,
    carol: Others,
    calm: Caller,
}

/// What was told to a good code and to a wrong one.
struct Verdicts {
    good: End,
    wrong: End,
}

impl Trial {
    fn new() -> Self {
        let door = Door::new();
        let carol = Others::of(&door.guarded);
        let calm = Caller::at_a_pipe(&door.guarded, "bob", SU);
        Self { door, carol, calm }
    }

    /// Bob starts su by this script with a good code and with a wrong one.
    fn of_script(&mut self, name: &str, script: &str) -> Verdicts {
        let bob = Caller::at_a_pipe(&self.door.guarded, "bob", script);
        self.of(name, bob)
    }

    /// Bob starts su through this program.
    fn of_program(&mut self, name: &str, program: &str) -> Verdicts {
        let su = SU.trim_start_matches("exec ");
        self.of_script(name, &format!("exec {program} {su}"))
    }

    /// Whatever bob's su is, and whether it comes to a verdict or not.
    fn of(&mut self, name: &str, mut bob: Caller) -> Verdicts {
        self.door.renew();
        bob.call(Duration::ZERO, "early", &self.door.wrong_code());
        let wrong = bob.end();
        let traces = self.door.traces();
        assert!(!wrong.is_wrong() || traces.charges == 1, "{name}: told and not charged: {wrong:?}");
        assert!(!wrong.is_in() && traces.codes == 0 && traces.writes <= 1, "{name}: {wrong:?} {traces:?}");

        bob.call(Duration::ZERO, "early", &self.door.code(0));
        let good = bob.end();
        let traces = self.door.traces();
        assert!(!good.is_in() || traces.codes == 1, "{name}: told and not on disk: {good:?}");
        assert!(traces.writes <= 1 && traces.writes == traces.codes, "{name}: {good:?} {traces:?}");
        assert!([&good, &wrong].iter().all(|end| end.told != "silent"), "{name}: {good:?} {wrong:?}");

        self.door.state_is_clean();
        self.door.others_get_in(&mut self.carol);
        let end = self.calm.calls(&self.door.code(0));
        assert!(end.is_in(), "bob, after {name}: {end:?}");
        assert_eq!(self.door.traces().codes, 1);
        self.door.state_is_clean();
        println!("{name}: {} {}", good.told, wrong.told);
        Verdicts { good, wrong }
    }
}

impl Verdicts {
    fn are_as_ever(&self) {
        assert!(self.good.is_in() && self.wrong.is_wrong(), "{:?} {:?}", self.good, self.wrong);
    }

    fn nobody_is_in(&self) {
        assert!(!self.good.is_in(), "{:?}", self.good);
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_surrounds_a_su_changes_no_verdict() {
    let mut trial = Trial::new();
    for (name, program) in HARMLESS {
        trial.of_program(name, program).are_as_ever();
    }
    for (name, script) in HARMLESS_SCRIPTS {
        trial.of_script(name, &format!("{script}; {SU}")).are_as_ever();
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_member_of_a_thousand_groups_is_judged_as_ever() {
    let mut trial = Trial::new();
    let groups: Vec<String> = (20_000..21_500).map(|number| number.to_string()).collect();
    let groups = format!("--groups={}", groups.join(","));
    let uid = format!("--reuid={}", trial.door.guarded.uid_of("bob"));
    let command = ["setpriv", &uid, "--regid=65534", &groups, PROGRAM, "sh", "-c", SU];
    let bob = Caller::start(&trial.door.guarded, &command);
    trial.of("1500 groups", bob).are_as_ever();
}

/// A state that may not be written lets nobody in and kills nobody by SIGXFSZ.
#[test]
#[ignore = "needs root: boots a container"]
fn where_files_may_not_grow_nobody_gets_in_and_nothing_is_torn() {
    let mut trial = Trial::new();
    for size in ["0", "1000"] {
        trial.of_program(&format!("files of {size}"), &format!("prlimit --fsize={size}")).nobody_is_in();
        let deaf = format!("trap '' XFSZ; exec prlimit --fsize={size} su alice -c 'echo in as alice.'");
        trial.of_script(&format!("files of {size}, deaf"), &deaf).nobody_is_in();
    }
    // One of the two slots can be written.
    for size in ["66000", "69631"] {
        trial.of_program(&format!("files of {size}"), &format!("prlimit --fsize={size}"));
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn without_descriptors_or_processes_there_is_no_success_without_a_trace() {
    let mut trial = Trial::new();
    for number in 3..=7 {
        trial.of_program(&format!("{number} descriptors"), &format!("prlimit --nofile={number}"));
    }
    for number in 8..=10 {
        let verdicts =
            trial.of_program(&format!("{number} descriptors"), &format!("prlimit --nofile={number}"));
        verdicts.are_as_ever();
    }
    for number in 0..=2 {
        trial.of_program(&format!("{number} processes"), &format!("prlimit --nproc={number}"));
    }
    trial.of_program("no time of the processor", "prlimit --cpu=0");
    // Under the lock it may be ended by this one, for there it is first in turn.
    trial.of_program("no real time", "prlimit --rttime=1");
}

/// Limits from one with which su cannot even start to one with which all is as ever.
fn from_too_little_to_enough(trial: &mut Trial, what: &str, kilobytes: &[u64]) {
    let step = usize::try_from(rounds(4, 1)).expect("a small number");
    let mut last = None;
    for number in kilobytes.iter().rev().step_by(step) {
        let limit = format!("prlimit --{what}={}", number * 1024);
        let verdicts = trial.of_program(&format!("{number} kB of {what}"), &limit);
        if last.is_none() {
            verdicts.are_as_ever();
        }
        last = Some(verdicts);
    }
    last.expect("a limit").nobody_is_in();
}

#[test]
#[ignore = "needs root: boots a container"]
fn without_memory_there_is_no_success_without_a_trace() {
    let mut trial = Trial::new();
    let address_space: Vec<u64> = (1024..20_481).step_by(512).collect();
    from_too_little_to_enough(&mut trial, "as", &address_space);
    let data = [0, 128, 256, 384, 512, 576, 640, 704, 768, 832, 896, 1024, 2048];
    from_too_little_to_enough(&mut trial, "data", &data);
    let stack = [4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 256];
    from_too_little_to_enough(&mut trial, "stack", &stack);
}

/// The state is never opened as one of the streams that su writes to.
#[test]
#[ignore = "needs root: boots a container"]
fn with_closed_streams_nothing_is_written_into_the_state() {
    let mut trial = Trial::new();
    for streams in CLOSED {
        trial.of_script(&format!("closed: {streams}"), &format!("{SU} {streams}"));
    }
}
