//! `password-client`: plays the service that asks the password process for a proof, for the tests.
//!
//! It prints one line a step. Started with `prove-password` it is the password process itself, as the
//! service is whose child that process is.

use std::io::{BufRead as _, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};
use nix::unistd::{Uid, seteuid};
use pam_countersign::password::{Proof, Route, Step};
use pam_countersign::user::UserName;

#[derive(Parser)]
#[command(name = "password-client")]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Asks for a proof, and gives these answers in turn
    Ask {
        /// The socket in place of the usual one
        #[arg(long)]
        socket: Option<PathBuf>,
        /// Prints `held` and waits for a line of input before each answer
        #[arg(long)]
        hold: bool,
        /// Drops the proof after so many steps
        #[arg(long)]
        leave_after: Option<usize>,
        user: String,
        answers: Vec<String>,
    },
    /// Listens on a socket and claims that everything is proven
    Claim { socket: PathBuf },
    /// Starts the command as its child, with a socket that this uid has made, and asks for a proof
    Foreign { uid: u32, program: PathBuf, user: String, answer: String },
    /// The password process
    ProvePassword,
}

fn main() -> ExitCode {
    match Arguments::parse().role {
        Role::ProvePassword => return pam_countersign::cli::main(),
        Role::Ask { socket, hold, leave_after, user, answers } => {
            let mut route = Route::default();
            route.socket = socket.unwrap_or(route.socket);
            ask(&route, &user, answers, hold, leave_after.unwrap_or(usize::MAX));
        }
        Role::Claim { socket } => claim(&socket),
        Role::Foreign { uid, program, user, answer } => foreign(uid, &program, &user, &answer),
    }
    ExitCode::SUCCESS
}

fn ask(route: &Route, user: &str, answers: Vec<String>, hold: bool, steps: usize) {
    let user = UserName::new(user.as_bytes()).expect("a name");
    let mut proof = match Proof::start_by(route, &user) {
        Ok(proof) => proof,
        Err(error) => return say(&format!("error {:?}", error.kind())),
    };
    let mut answers = answers.into_iter();
    for _ in 0..steps {
        let step = proof.next();
        say(&shown(&step));
        match step {
            Step::Ask { .. } => {
                if hold {
                    say("held");
                    let _ = std::io::stdin().lock().read_line(&mut String::new());
                }
                let Some(answer) = answers.next() else { break };
                proof.answer(answer.as_bytes()).expect("an answer that can be one");
            }
            Step::Tell { .. } => {}
            Step::Proven(_) | Step::Refused | Step::Unavailable => break,
        }
    }
    say(&format!("{:?}", proof.ended()));
}

fn shown(step: &Step) -> String {
    match step {
        Step::Ask { prompt, echo: false } => format!("ask hidden {prompt}"),
        Step::Ask { prompt, echo: true } => format!("ask seen {prompt}"),
        Step::Tell { text, error: false } => format!("tell info {text}"),
        Step::Tell { text, error: true } => format!("tell error {text}"),
        Step::Proven(proven) => format!("proven {}", proven.user()),
        Step::Refused => "refused".to_owned(),
        Step::Unavailable => "unavailable".to_owned(),
    }
}

fn claim(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket");
    say("listening");
    let (mut stream, _) = listener.accept().expect("a caller");
    let _ = stream.write_all(b"{\"end\":\"proven\"}\0");
    let _ = stream.read_to_end(&mut Vec::new());
}

fn foreign(uid: u32, program: &Path, user: &str, answer: &str) {
    seteuid(Uid::from_raw(uid)).expect("another uid");
    let (mut service, process) = UnixStream::pair().expect("a pair");
    seteuid(Uid::from_raw(0)).expect("root's uid");
    let mut child = Command::new(program)
        .arg("prove-password")
        .stdin(Stdio::from(OwnedFd::from(process)))
        .spawn()
        .expect("the command");
    let said = format!("{{\"user\":\"{user}\"}}\0{{\"answer\":\"{answer}\"}}\0");
    let _ = service.write_all(said.as_bytes());
    let mut heard = String::new();
    let _ = service.read_to_string(&mut heard);
    for message in heard.split_terminator('\0') {
        say(message);
    }
    say(&format!("exit {:?}", child.wait().expect("it ends").code()));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A test that has seen enough may be gone.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
