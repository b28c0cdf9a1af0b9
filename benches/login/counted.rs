//! What can be counted of one login, and is the same each time.

use crate::container::Machine;
use crate::ground::Ground;
use crate::module::Module;

/// The counts of one process that logs in once; those of `pam_permit.so` are in all of them.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) instructions: u64,
    pub(crate) system_calls: usize,
    pub(crate) flushes: usize,
    pub(crate) renames: usize,
    /// What is written below the directory of the module.
    pub(crate) bytes_written: u64,
    /// The sizes of the files that are loaded.
    pub(crate) size: u64,
}

impl Counted {
    pub(crate) fn of(ground: &mut Ground, module: Module) -> Self {
        // The first login makes what later ones find.
        ground.log_in(module);
        let login = ground.login(module, 1);
        let instructions =
            run(&ground.machine, &["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"], &login);
        let login = ground.login(module, 1);
        let calls = run(&ground.machine, &["strace", "-f", "-y", "-s", "0"], &login);
        let calls: Vec<&str> =
            calls.lines().filter(|line| line.contains(") = ") || line.contains(") ")).collect();
        let count = |is: fn(&str) -> bool| calls.iter().filter(|line| is(line)).count();
        Self {
            instructions: collected(&instructions),
            system_calls: calls.len(),
            flushes: count(|line| {
                ["fsync(", "fdatasync(", "sync(", "syncfs("].iter().any(|call| line.starts_with(call))
                    || ["RWF_DSYNC", "RWF_SYNC"].iter().any(|flag| line.contains(flag))
            }),
            renames: count(|line| line.starts_with("rename")),
            bytes_written: calls.iter().filter_map(|line| written(line, module.directory())).sum(),
            size: module.files().iter().map(|file| size(&ground.machine, file)).sum(),
        }
    }
}

/// What a program says of a login on its standard error.
fn run(machine: &Machine, tool: &[&str], login: &[String]) -> String {
    let words: Vec<&str> = tool.iter().copied().chain(login.iter().map(String::as_str)).collect();
    let finished = machine.run(&words);
    assert!(finished.status == 0, "{words:?}: {finished:#?}");
    finished.stderr
}

fn collected(said: &str) -> u64 {
    let line = said.lines().find_map(|line| line.split_once("Collected :"));
    line.expect("a count").1.trim().parse().expect("a number")
}

/// The bytes of a line such as `pwrite64(3</var/lib/x>, ""..., 4096, 0) = 4096`, where it is one.
fn written(line: &str, directory: &str) -> Option<u64> {
    let (call, arguments) = line.split_once('(')?;
    let is_write = ["write", "pwrite64", "writev", "pwritev", "pwritev2"].contains(&call);
    let path = arguments.split_once('<')?.1.split_once('>')?.0;
    let bytes = line.rsplit_once("= ")?.1.split_whitespace().next()?.parse().ok()?;
    (is_write && path.starts_with(directory)).then_some(bytes)
}

fn size(machine: &Machine, pattern: &str) -> u64 {
    let printed = machine.must(&["sh", "-c", &format!("stat -L -c %s {pattern}")]);
    printed.trim_end().parse().expect("a size")
}
