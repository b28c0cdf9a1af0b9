//! The rollback clock: a process that takes a change back at its deadline, whoever has logged out meanwhile, and a
//! unit that does so after a restart of the machine, before anybody can log in.
//!
//! Both run `countersign roll-back`, which looks at the record: what is confirmed or gone it leaves alone, and the
//! unit also what a clock still runs for. So starting them twice does nothing.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::Problem;
use super::sshd::run;
use crate::sys::new;
use crate::sys::program;
use crate::sys::secure_file::OpenError;
use crate::sys::system_file::{self, SystemFile};

/// The process, as a unit of systemd's own making.
const CLOCK: &str = "countersign-setup-clock.service";
/// The unit for the next start of the machine, and the link that has it started.
const AT_BOOT: &str = "/etc/systemd/system/countersign-setup-rollback.service";
const WANTS: &str = "/etc/systemd/system/sysinit.target.wants";
const WANTED: &str = "/etc/systemd/system/sysinit.target.wants/countersign-setup-rollback.service";

/// Whether systemd runs this machine (sd_booted(3)).
pub fn has_systemd() -> bool {
    fs::symlink_metadata("/run/systemd/system").is_ok_and(|found| found.is_dir())
}

/// The unit for the next start. Before sysinit.target nobody can log in: sshd, getty and all else come after it.
fn unit(command: &Path) -> String {
    // A unit has spaces between words and % before what systemd fills in.
    let command = command.to_string_lossy().replace('\\', "\\\\").replace('%', "%%").replace(' ', "\\x20");
    format!(
        "# by countersign setup, until it is confirmed\n\
         [Unit]\n\
         Description=Put logins back that nobody has confirmed (countersign setup)\n\
         Documentation=man:countersign-setup(1)\n\
         DefaultDependencies=no\n\
         After=local-fs.target systemd-remount-fs.service\n\
         Before=sysinit.target shutdown.target\n\
         Conflicts=shutdown.target\n\
         RequiresMountsFor=/var/lib/countersign /usr\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={command} roll-back --at-boot\n"
    )
}

/// Where this command is: what the clock runs.
fn command() -> Result<PathBuf, Problem> {
    let failed = |error: io::Error| Problem::Program("countersign", error.to_string());
    let path = std::env::current_exe().map_err(failed)?;
    // An upgrade may have put another in its place meanwhile, and then the name is of none.
    fs::symlink_metadata(&path).map_err(failed)?;
    Ok(path)
}

/// Starts the clock. Nothing may be changed before this has succeeded.
pub fn start() -> Result<(), Problem> {
    let command = command()?;
    if !has_systemd() {
        return start_detached(&command);
    }
    let failed = |error| Problem::File(AT_BOOT.into(), error);
    // Before the file beside it, whose durability is that of the directory's name too.
    let made = new::directories(Path::new(WANTS), 0o755);
    made.map_err(|error| failed(OpenError::System(error)))?;
    system_file::replace(Path::new(AT_BOOT), &SystemFile::new(unit(&command).into_bytes()))
        .map_err(failed)?;
    want().map_err(|error| failed(OpenError::System(error)))?;
    // One that an earlier setup has left has nothing to do any more.
    let _ = run("systemctl", &["stop", CLOCK]);
    let path = command.to_string_lossy();
    let unit = format!("--unit={CLOCK}");
    let what = "--description=Puts logins back unless countersign setup is confirmed";
    let properties =
        ["--property=Restart=on-failure", "--property=RestartSec=1", "--property=StartLimitIntervalSec=0"];
    let words =
        [&["--quiet", "--collect", &unit, what][..], &properties, &["--", &path, "roll-back"]].concat();
    run("systemd-run", &words).map(drop)
}

/// Whether the clock of systemd runs.
pub fn is_running() -> bool {
    run("systemctl", &["is-active", "--quiet", CLOCK]).is_ok()
}

fn want() -> io::Result<()> {
    match symlink("../countersign-setup-rollback.service", WANTED) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::options().read(true).open(WANTS)?.sync_all(),
    }
}

/// A process of its own session, whose parent does not wait for it: a terminal that hangs up does not reach it.
fn start_detached(command: &Path) -> Result<(), Problem> {
    let failed = |problem: String| Problem::Program("setsid", problem);
    let status = program::alone("setsid")
        .arg("--fork")
        .arg(command)
        .arg("roll-back")
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
}

/// Ends what [`start`] has started, when there is nothing to take back any more. A clock without systemd sees
/// that itself within a second.
pub fn stop() -> Result<(), Problem> {
    forget_the_next_start()?;
    if has_systemd() {
        let _ = run("systemctl", &["stop", CLOCK]);
    }
    Ok(())
}

/// Takes away the unit for the next start.
pub fn forget_the_next_start() -> Result<(), Problem> {
    for path in [WANTED, AT_BOOT] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Problem::File(path.into(), OpenError::System(error)));
            }
            _ => {}
        }
    }
    match system_file::remove_unfinished(Path::new(AT_BOOT)) {
        // Where there is no such directory there is no such unit.
        Ok(()) | Err(OpenError::Absent) => Ok(()),
        Err(error) => Err(Problem::File(AT_BOOT.into(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_runs_before_anybody_can_log_in() {
        let unit = unit(Path::new("/opt/bin/countersign"));
        assert!(unit.contains("\nBefore=sysinit.target "), "{unit}");
        assert!(unit.contains("\nDefaultDependencies=no\n"), "{unit}");
        assert!(unit.ends_with("\nExecStart=/opt/bin/countersign roll-back --at-boot\n"), "{unit}");
        let odd = super::unit(Path::new("/opt/50% off/countersign"));
        assert!(odd.ends_with("\nExecStart=/opt/50%%\\x20off/countersign roll-back --at-boot\n"), "{odd}");
    }
}
