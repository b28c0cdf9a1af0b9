//! Login sessions, told apart by numbers that the kernel or systemd-logind gives each login anew.

use std::fs;
use std::path::Path;

/// The session of this process; nothing where it belongs to no login, or where that cannot be told.
pub fn own() -> Option<String> {
    of(Path::new("/proc/self"))
}

/// All sessions in which something runs now.
pub fn all() -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_process = |name: &str| name.bytes().all(|letter| letter.is_ascii_digit());
    let paths = processes.filter(|entry| entry.file_name().to_str().is_some_and(is_process));
    let mut sessions: Vec<String> = paths.filter_map(|entry| of(&entry.path())).collect();
    sessions.sort_unstable();
    sessions.dedup();
    sessions
}

fn of(process: &Path) -> Option<String> {
    audit(process).or_else(|| of_logind(process))
}

/// The audit session (sessionid in proc(5)), where the stack of the login has pam_loginuid.
fn audit(process: &Path) -> Option<String> {
    let text = proc_file(&process.join("sessionid"))?;
    let number: u32 = text.trim_end().parse().ok().filter(|number| *number != u32::MAX)?;
    Some(format!("audit:{number}"))
}

/// The session of systemd-logind, whose processes are in a scope of its name.
fn of_logind(process: &Path) -> Option<String> {
    let text = proc_file(&process.join("cgroup"))?;
    let scope =
        text.split(['/', '\n']).find_map(|part| part.strip_prefix("session-")?.strip_suffix(".scope"))?;
    Some(format!("logind:{scope}"))
}

/// A file of /proc, which is no link; it belongs to whoever the process runs as, and only the kernel writes it.
fn proc_file(path: &Path) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the kernel's own file, whoever it belongs to")]
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_session_is_among_all() {
        if let Some(own) = own() {
            assert!(all().contains(&own), "{own}");
        }
    }
}
