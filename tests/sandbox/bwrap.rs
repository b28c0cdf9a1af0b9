//! What is shown inside the sandbox, as arguments of bwrap.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{module, profile_directory};

/// Of the machine's `/etc`, what the dynamic linker and ordinary programs need.
const ETC_OF_THE_MACHINE: [&str; 5] =
    ["/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/login.defs"];

/// Directories at the top that are made anew instead of being shown.
const NOT_SHOWN: [&str; 10] =
    ["dev", "etc", "home", "lost+found", "proc", "root", "run", "sys", "tmp", "var"];

/// Everything between `bwrap` and the program. The new root is a tmpfs of bwrap, so that `/`,
/// `/etc` and `/var/lib` belong to uid 0 inside even when an ordinary user runs the tests.
pub fn arguments(root: &Path) -> Vec<OsString> {
    let mut arguments = Arguments::default();
    // bwrap leaves uid 0 without capabilities when an ordinary user starts it.
    arguments.add(["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]);
    arguments.add(["--die-with-parent", "--chdir", "/"]);
    for path in ["/etc", "/root", "/run", "/var", "/var/lib"] {
        arguments.add(["--dir", path]);
    }
    arguments.show_top_level();
    arguments.add(["--dev", "/dev", "--dev-bind", "/proc", "/proc", "--bind", "/tmp", "/tmp"]);
    for path in ETC_OF_THE_MACHINE {
        arguments.add(["--ro-bind-try", path, path]);
    }
    // These may lie below a directory that is not shown, such as /home or /var.
    let released = std::env::var_os("COUNTERSIGN_MODULE").map(|_| module());
    for path in [Some(profile_directory()), released].into_iter().flatten() {
        arguments.bind("--ro-bind", &path, &path);
    }
    for name in ["passwd", "group", "shadow", "nsswitch.conf", "pam.d", "security"] {
        arguments.bind("--ro-bind", &root.join(name), &Path::new("/etc").join(name));
    }
    arguments.bind("--bind", root, root);
    arguments.bind("--bind", &root.join("var-lib-countersign"), Path::new("/var/lib/countersign"));
    arguments.bind("--bind", &root.join("run"), Path::new("/run"));
    arguments.bind("--bind", &root.join("log"), Path::new("/dev/log"));
    arguments.add(["--"]);
    arguments.0
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }

    fn bind(&mut self, kind: &str, from: &Path, to: &Path) {
        self.0.extend([kind.into(), from.into(), to.into()]);
    }

    /// `/usr` and whatever else is at the top, read-only.
    fn show_top_level(&mut self) {
        for entry in fs::read_dir("/").expect("the root directory").filter_map(Result::ok) {
            let path = entry.path();
            if NOT_SHOWN.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            match fs::read_link(&path) {
                Ok(target) => self.bind("--symlink", &target, &path),
                Err(_) if path.is_dir() => self.bind("--ro-bind-try", &path, &path),
                Err(_) => {}
            }
        }
    }
}
