//! Programs of the system, run by root: they see nothing of the environment that a caller of sudo has brought.

use std::io;
use std::process::{Command, Stdio};

/// A program with an environment of its own and nothing on its standard input.
pub fn alone(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    command
}

/// What it prints; or, where it fails, what it complains of. An error where it cannot be started.
pub fn output(program: &str, arguments: &[&str]) -> io::Result<Result<String, String>> {
    let output = alone(program).args(arguments).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_sees_no_environment_but_a_path_and_says_why_it_fails() {
        assert_eq!(output("env", &[]).unwrap(), Ok("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n".to_owned()));
        assert_eq!(output("sh", &["-c", "echo no >&2; exit 1"]).unwrap(), Err("no\n".to_owned()));
        assert!(output("/nowhere/at-all", &[]).is_err());
    }
}
