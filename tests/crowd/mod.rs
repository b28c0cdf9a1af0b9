//! Many logins at the same moment, each in a process of its own, by `pam-crowd`.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::sandbox::{Sandbox, example};

/// How many rounds a test has: a few where it runs with all others, all of them under `make soak`.
pub fn rounds(usual: u32, soak: u32) -> u32 {
    if std::env::var_os("COUNTERSIGN_SOAK").is_some() { soak } else { usual }
}

/// A program that starts crowds.
pub struct Crowd {
    service: String,
    user: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// How many came to each end.
#[derive(Debug, Default)]
pub struct Ends(Vec<(usize, String)>);

impl Crowd {
    /// Starts the program in a sandbox, where it logs in at the service `door`.
    pub fn in_sandbox(sandbox: &Sandbox) -> Self {
        Self::of(sandbox.command(example("pam-crowd")), "door")
    }

    /// The same, with the service listening in the sandbox, which then judges all of them.
    pub fn through_the_service(sandbox: &Sandbox, countersign: &str) -> Self {
        const BOTH: &str = r#"
            setpriv --pdeathsig KILL "$1" serve --listen "$3" 2>/dev/null &
            while [ ! -S "$3" ]; do sleep 0.05; done
            "$2"
            kill $!
        "#;
        let mut command = sandbox.command("sh");
        command.args(["-c", BOTH, "sh", countersign]).arg(example("pam-crowd"));
        command.arg(pam_countersign::wire::SOCKET);
        Self::of(command, "door")
    }

    /// Starts the program by this command; it logs in at this service.
    pub fn of(mut command: Command, service: &str) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("what pam-crowd is started by is installed");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { service: service.to_owned(), user: "alice".to_owned(), child, input, output }
    }

    /// Who logs in, instead of alice; where it holds `{}`, each time another.
    pub fn of_user(mut self, user: &str) -> Self {
        user.clone_into(&mut self.user);
        self
    }

    /// Alice logs in so many times at once, from one address, or where it holds `{}`, each time
    /// from another.
    pub fn log_in(&mut self, count: usize, rhost: &str, reply: &str) -> Ends {
        self.log_in_and_die(count, Duration::ZERO, rhost, reply)
    }

    /// The same, but all are killed so long after they were released; at no time if that is zero.
    pub fn log_in_and_die(&mut self, count: usize, after: Duration, rhost: &str, reply: &str) -> Ends {
        let (after, service, user) = (after.as_micros(), &self.service, &self.user);
        writeln!(self.input, "{count} {after} {service} {user} {rhost} {reply}").expect("it reads on");
        let mut ends = Ends::default();
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).expect("it tells the ends");
            assert!(length > 0, "pam-crowd ended");
            if line == "done\n" {
                assert_eq!(ends.of("").len(), ends.0.len());
                return ends;
            }
            let (count, end) = line.trim_end().split_once(' ').expect("a count and an end");
            ends.0.push((count.parse().expect("a count"), end.to_owned()));
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ends {
    fn of(&self, text: &str) -> Vec<usize> {
        self.0.iter().filter(|(_, end)| end.contains(text)).map(|(count, _)| *count).collect()
    }

    /// How many ends hold this text.
    pub fn with(&self, text: &str) -> usize {
        self.of(text).into_iter().sum()
    }

    /// How many were let in.
    pub fn accepted(&self) -> usize {
        self.with("PAM_SUCCESS")
    }
}
