//! sshd: whether it takes a configuration, what it makes of it, and having it read its own again.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Problem, clock};
use crate::sys::{self, secure_file::read_published};

/// The daemon.
const SSHD: &str = "/usr/sbin/sshd";
/// What its unit is called, on one system or another.
const UNITS: [&str; 2] = ["ssh.service", "sshd.service"];
/// Where it writes its number, where no systemd looks after it.
const PID_FILE: &str = "/run/sshd.pid";

/// What a program of the system prints, which must succeed.
pub(super) fn run(program: &'static str, arguments: &[&str]) -> Result<String, Problem> {
    let failed = |problem| Problem::Program(program, problem);
    sys::program::output(program, arguments).map_err(|error| failed(error.to_string()))?.map_err(failed)
}

/// What sshd would go by for a login of this user, by its configuration or by another one; fails where it does not
/// take it.
pub fn settings(user: &str, configuration: Option<&Path>) -> Result<String, Problem> {
    // With a name and an address sshd also looks into what stands under Match.
    let who = format!("user={user},host=localhost,addr=127.0.0.1");
    let path = configuration.map(|path| path.to_string_lossy().into_owned());
    let mut words = vec!["-T", "-C", &who];
    words.extend(path.iter().flat_map(|path| ["-f", path]));
    run(SSHD, &words)
}

/// Whether sshd takes its configuration.
pub fn check() -> Result<(), Problem> {
    run(SSHD, &["-t"]).map(drop)
}

/// Has a running sshd read its configuration again. One that is started for each connection does so anyway.
pub fn reload() -> Result<(), Problem> {
    if !clock::has_systemd() {
        let number =
            read_published(Path::new(PID_FILE), 16).ok().and_then(|text| text.trim_end().parse().ok());
        if let Some(number) = number {
            kill(Pid::from_raw(number), Signal::SIGHUP)
                .map_err(|error| Problem::Program("sshd", error.to_string()))?;
        }
        return Ok(());
    }
    let is_active = |unit: &&&str| run("systemctl", &["is-active", "--quiet", unit]).is_ok();
    match UNITS.iter().find(is_active) {
        Some(unit) => run("systemctl", &["reload", unit]).map(drop),
        None => Ok(()),
    }
}
