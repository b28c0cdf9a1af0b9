//! The processes of machines as the host's /proc shows them.

use std::fs;

/// The child of nspawn, itself the child of unshare, that is the first process of its own world and
/// has become systemd.
pub(super) fn leader_below(unshare: u32) -> Option<u32> {
    let nspawn = children(unshare);
    let mut below = nspawn.into_iter().flat_map(children);
    below.find(|&pid| is_first_process(pid) && status(pid, "Name") == "systemd")
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| status(pid, "PPid") == parent.to_string())
        .collect()
}

/// Whether this process of the host is process 1 of a container.
pub(super) fn is_first_process(pid: u32) -> bool {
    status(pid, "NSpid").ends_with("\t1")
}

/// A field of proc(5)'s `status`; empty when there is no such process.
pub(super) fn status(pid: u32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut fields = status.lines().filter_map(|line| line.split_once(":\t"));
    fields.find(|(name, _)| *name == field).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// The capabilities that no program of the machine can go beyond, as setpriv(1) reads them.
pub(super) fn bounding_set(leader: u32) -> String {
    let set = status(leader, "CapBnd");
    let set = u64::from_str_radix(&set, 16)
        .unwrap_or_else(|error| panic!("the capabilities of {leader} are {set:?}: {error}"));
    let kept = (0..u64::BITS).filter(|bit| set >> bit & 1 == 1);
    kept.fold("-all".to_owned(), |list, bit| format!("{list},+cap_{bit}"))
}
