//! Reading what the doctor looks at: files, settings, and what other programs say of this machine.
//!
//! Nothing is changed. What cannot be read is either a finding of its own or left out where it is not there.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FsType, XFS_SUPER_MAGIC, statfs};

use super::units;
use crate::backend;
use crate::backup;
use crate::cli::check_config;
use crate::config::file;
use crate::credential::StoreError;
use crate::doctor::callers::DIRECTORIES;
use crate::doctor::{Account, Enrolment, Machine, PamFiles, Setup, Sshd, WrongFile};
use crate::remote::Service;
use crate::setup::Phase;
use crate::status::Status;
use crate::store::{self, Entry};
use crate::sys;
use crate::user::{User, UserName};
use crate::wire;

/// Where libpam looks for modules, on one system or another.
const MODULES: [&str; 5] =
    ["/usr/lib/security", "/usr/lib64/security", "/lib/security", "/lib64/security", "/usr/lib"];
const MODULE: &str = "pam_countersign.so";
const SSHD: &str = "/usr/sbin/sshd";
const SSHD_CONFIG: &str = "/etc/ssh/sshd_config";
/// Where denials of SELinux and AppArmor are written.
const KERNEL_LOGS: [&str; 2] = ["/var/log/audit/audit.log", "/var/log/kern.log"];
/// How much of the end of a log is looked at, in bytes.
const END_OF_LOG: u64 = 1 << 20;
/// How many denials are shown.
const MOST_DENIALS: usize = 3;
/// How the shells end of those who cannot log in.
const NO_SHELLS: [&str; 5] = ["nologin", "false", "sync", "halt", "shutdown"];
/// The first and the last number of a person's account (login.defs(5)).
const PEOPLE: std::ops::Range<u32> = 1000..65_534;

/// All that is looked at.
pub(in crate::cli) fn machine() -> Machine {
    let (pam, mut wrong_files) = pam_files();
    let daemons = units::not_root(&pam);
    let module = module();
    let others = module.iter().map(String::as_str).chain([SSHD_CONFIG]);
    wrong_files.extend(others.filter_map(|path| wrong_file(Path::new(path))));
    let (policy, unknown_names) = check_config::read(None);
    let (store_problem, enrolments) = enrolments();
    Machine {
        pam,
        module,
        sshd: sshd(),
        wrong_files,
        policy,
        is_policy_closed: fs::metadata(file::PATH).is_ok_and(|found| found.mode() & 0o004 == 0),
        unknown_names,
        is_synchronised: sys::clock::is_synchronised(),
        now: sys::clock::now(),
        accounts: accounts(),
        store_problem,
        enrolments,
        daemons,
        has_service: listens_at(wire::SOCKET),
        has_service_for_root: listens_at(wire::ROOT_SOCKET),
        odd_filesystem: odd_filesystem(),
        denials: denials(),
        setup: setup(),
    }
}

/// Whether the service listens at a socket.
fn listens_at(socket: &str) -> bool {
    Service::connect(Path::new(socket)).is_ok_and(|service| service.is_some())
}

fn pam_files() -> (PamFiles, Vec<WrongFile>) {
    let (mut files, mut wrong) = (PamFiles::default(), Vec::new());
    for directory in DIRECTORIES.iter().rev() {
        for path in files_of(directory) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let Some(text) = text_of(&path) else { continue };
            if !is_leftover(&name) {
                files.insert(&name, &path.to_string_lossy(), text);
                wrong.extend(wrong_file(&path));
            }
        }
    }
    (files, wrong)
}

/// Whether a name is of what packages and editors leave beside a file, which is not a service.
pub(in crate::cli) fn is_leftover(name: &str) -> bool {
    name.starts_with('.')
        || [".dpkg-", ".ucf-", ".pam-", ".rpm"].iter().any(|part| name.contains(part))
        || name.ends_with('~')
}

/// The files of a directory, in the order of their names; none where there is no such directory.
fn files_of(directory: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// The text of a file of PAM, sshd or libc, as they read it: links are followed.
#[expect(clippy::disallowed_methods, reason = "it is read as those read it who go by it")]
pub(in crate::cli) fn text_of(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// A file that others than root could change.
fn wrong_file(path: &Path) -> Option<WrongFile> {
    let found = fs::metadata(path).ok()?;
    let shown = path.to_string_lossy().into_owned();
    let wrong =
        |problem: &str, mend| Some(WrongFile { path: shown.clone(), problem: problem.to_owned(), mend });
    if found.uid() != 0 {
        return wrong("it does not belong to root", format!("chown root {shown}"));
    }
    if found.mode() & 0o022 != 0 {
        return wrong("others than root may write to it", format!("chmod go-w {shown}"));
    }
    None
}

fn module() -> Option<String> {
    // Debian has a directory for each architecture.
    let of_architectures = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let of_architectures = of_architectures.map(|entry| entry.path().join("security"));
    let directories = MODULES.iter().map(PathBuf::from).chain(of_architectures);
    let mut paths = directories.map(|directory| directory.join(MODULE));
    paths.find(|path| path.is_file()).map(|path| path.to_string_lossy().into_owned())
}

/// sshd, if it is there and its directory too: without it, it cannot run.
fn sshd() -> Option<Sshd> {
    let told = sys::program::output(SSHD, &["-T"]).ok()?;
    let settings = told.map_err(|problem| problem.lines().last().unwrap_or_default().trim().to_owned());
    if settings.as_ref().is_err_and(|problem| problem.starts_with("Missing privilege separation directory")) {
        return None;
    }
    let included = files_of("/etc/ssh/sshd_config.d");
    let texts = [PathBuf::from(SSHD_CONFIG)].into_iter().chain(included).filter_map(|path| text_of(&path));
    let is_match = |line: &str| line.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("match "));
    let matches = texts
        .flat_map(|text| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>())
        .filter(|line| is_match(line))
        .collect();
    Some(Sshd { settings, matches })
}

/// Who could log in: people, and root where he has a password.
fn accounts() -> Vec<Account> {
    let listed = sys::accounts::all().unwrap_or_default().into_iter();
    let may_come = |account: &sys::home_file::Account| {
        let shell = account.shell.as_os_str().as_bytes();
        let has_shell = !NO_SHELLS.iter().any(|end| shell.ends_with(end.as_bytes()));
        has_shell
            && if account.uid == 0 { has_password(&account.name) } else { PEOPLE.contains(&account.uid) }
    };
    let account = |found: sys::home_file::Account| Account {
        name: String::from_utf8_lossy(&found.name).into_owned(),
        uid: found.uid,
    };
    listed.filter(may_come).map(account).collect()
}

fn has_password(name: &[u8]) -> bool {
    password_told(name).unwrap_or(false)
}

/// Whether an account has a password that could be right; `None` where its password is not kept here.
pub(in crate::cli) fn password_told(name: &[u8]) -> Option<bool> {
    let told = sys::program::output("/usr/bin/getent", &["shadow", &String::from_utf8_lossy(name)]);
    let Ok(Ok(line)) = told else { return None };
    line.split(':').nth(1).map(|password| !password.starts_with(['!', '*']))
}

type Problem = (String, String);

fn enrolments() -> (Option<Problem>, Vec<Enrolment>) {
    let problem = |error: &StoreError| (error.to_string(), error.mend().to_owned());
    let listing = match backend::store().listing() {
        Ok(listing) => listing,
        Err(error) => return (Some(problem(&error)), Vec::new()),
    };
    let names = match listing.names() {
        Ok(names) => names.flatten(),
        Err(error) => return (Some(problem(&error)), Vec::new()),
    };
    let now = sys::clock::now();
    let enrolments = names.filter_map(|name| match listing.look_at(&name) {
        Entry::Kept(kept) => {
            let (credential, state) = *kept;
            let status = as_a_login_finds(&credential.user, credential.uid)
                .map(|()| Status::of(&credential, state.as_ref(), now))
                .map_err(|error| problem(&error));
            Some(Enrolment {
                user: credential.user.to_string(),
                status,
                has_account: !matches!(sys::user::by_name(&credential.user), Ok(None)),
            })
        }
        Entry::Unreadable(user, error) => Some(Enrolment {
            user: user.to_string(),
            status: Err(problem(&error)),
            has_account: !matches!(sys::user::by_name(&user), Ok(None)),
        }),
        Entry::Strange | Entry::Nothing => None,
    });
    (None, enrolments.collect())
}

/// A credential that was made for another account denies.
fn as_a_login_finds(name: &UserName, uid: Option<u32>) -> Result<(), StoreError> {
    match sys::user::by_name(name) {
        Ok(Some(User { uid: now, .. })) if uid.is_some() && now != uid => Err(StoreError::OtherAccount),
        _ => Ok(()),
    }
}

/// The kind of filesystem that the store is on, where a full disk may matter.
fn odd_filesystem() -> Option<String> {
    let kind = statfs(store::files::PATH).ok()?.filesystem_type();
    if [EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC].contains(&kind) {
        return None;
    }
    Some(match kind {
        FsType(0x0102_1994) => "tmpfs, which a restart empties".to_owned(),
        FsType(0x794c_7630) => "overlayfs".to_owned(),
        FsType(0x6969) => "NFS".to_owned(),
        FsType(0x2fc1_2fc1) => "ZFS".to_owned(),
        FsType(0xf2f5_2010) => "F2FS".to_owned(),
        FsType(other) => format!("a filesystem of kind {other:#x}"),
    })
}

/// How a change by `countersign setup` stands.
fn setup() -> Setup {
    let record = match backup::look() {
        Ok(None) => return Setup::None,
        Ok(Some(record)) => record,
        Err(problem) => return Setup::Unreadable(problem.to_string()),
    };
    match record.phase {
        Phase::Confirmed => Setup::Confirmed(backup::changed_since(&record)),
        Phase::Pending => {
            let (boot, now) =
                (sys::host::boot().unwrap_or_default(), sys::clock::since_boot().unwrap_or(u64::MAX));
            Setup::Pending(record.left(&boot, now).unwrap_or(0))
        }
    }
}

/// The last lines in which the kernel denied something to countersign.
fn denials() -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for path in KERNEL_LOGS {
        let Ok(end) = end_of(Path::new(path)) else { continue };
        let end = String::from_utf8_lossy(&end);
        let is_denial =
            |line: &&str| line.to_ascii_lowercase().contains("denied") && line.contains("countersign");
        found.extend(end.lines().filter(is_denial).map(str::to_owned));
    }
    found.split_off(found.len().saturating_sub(MOST_DENIALS))
}

/// The end of a log, which may be long.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut log = fs::File::options().read(true).open(path)?;
    log.seek(SeekFrom::Start(log.metadata()?.len().saturating_sub(END_OF_LOG)))?;
    let mut end = Vec::new();
    log.take(END_OF_LOG).read_to_end(&mut end)?;
    Ok(end)
}
