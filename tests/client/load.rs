//! Loads and unloads a module many times, as a long-lived application does, and shows what stayed.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(unsafe_code, reason = "the dynamic linker is a C interface")]

use std::ffi::{CStr, CString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::script::say;

/// Rounds before the first measurement, in which allocators and caches settle.
const WARM_UP: u32 = 100;

/// Loads `module` so many times and prints what it cost.
pub(crate) fn check(module: &Path, rounds: u32) -> Result<(), String> {
    let path = fs::canonicalize(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    repeat(&c_path, WARM_UP)?;
    let before = Usage::now()?;
    repeat(&c_path, rounds)?;
    let after = Usage::now()?;
    say(&format!("descriptors {} {}", before.descriptors, after.descriptors));
    say(&format!("threads {} {}", before.threads, after.threads));
    say(&format!("memory_kb {} {}", before.memory_kb, after.memory_kb));
    let maps = fs::read("/proc/self/maps").map_err(|error| error.to_string())?;
    let name = path.as_os_str().as_bytes();
    let mapped = maps.split(|&byte| byte == b'\n').any(|line| line.ends_with(name));
    say(if mapped { "mapped yes" } else { "mapped no" });
    Ok(())
}

fn repeat(path: &CStr, rounds: u32) -> Result<(), String> {
    (0..rounds).try_for_each(|_| load_once(path))
}

fn load_once(path: &CStr) -> Result<(), String> {
    // SAFETY: the path ends in NUL. The initialisers of the module run: that is what is tested.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    if library.is_null() {
        return Err(linker_error());
    }
    // SAFETY: `library` was opened above and is closed only below.
    let symbol = unsafe { libc::dlsym(library, c"pam_sm_authenticate".as_ptr()) };
    let found = if symbol.is_null() { Err(linker_error()) } else { Ok(()) };
    // SAFETY: `library` was opened above, and nothing of it is used after this.
    if unsafe { libc::dlclose(library) } != 0 {
        return Err(linker_error());
    }
    found
}

fn linker_error() -> String {
    // SAFETY: `dlerror` may be called at any time.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the dynamic linker gave no reason".to_owned();
    }
    // SAFETY: a text of `dlerror` ends in NUL and is valid until the next call.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

struct Usage {
    descriptors: usize,
    threads: usize,
    memory_kb: u64,
}

impl Usage {
    fn now() -> Result<Self, String> {
        let entries = |path| fs::read_dir(path).map(Iterator::count).map_err(|error| error.to_string());
        let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
        let memory_kb = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|number| number.trim().parse().ok())
            .ok_or("no VmRSS in /proc/self/status")?;
        Ok(Self {
            // Less the one that counts them.
            descriptors: entries("/proc/self/fd")? - 1,
            threads: entries("/proc/self/task")?,
            memory_kb,
        })
    }
}
