//! The entry points that libpam calls. Each only gathers what there is, hands it on and answers.

use std::ffi::{CStr, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pam::constants::{PAM_SILENT, PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

use super::conversation::PamConversation;
use super::handle::{Handle, Style};
use super::result::{AFTER_A_PANIC, result_code};
use crate::backend::{self, Here, PolicyError};
use crate::config::{Config, PolicyFile, RawArguments, resolve::resolve};
use crate::log::line;
use crate::login::{Facts, Outcome, Report, Request, login};
use crate::notice::notices;
use crate::policy::rules::{Circumstances, Then, rule_on};
use crate::sys;
use crate::user::{User, UserName};

/// How long a failure should take, in microseconds: as with pam_unix.
const FAILURE_DELAY: u32 = 2_000_000;

/// The module `pam_countersign.so`.
struct Countersign;

pam::pam_hooks!(Countersign);

impl PamHooks for Countersign {
    /// pam_sm_authenticate(3)
    fn sm_authenticate(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        let mut handle = Handle::new(handle);
        guarded(&mut handle, |handle| authenticate(handle, &arguments, flags & PAM_SILENT != 0))
    }

    /// pam_sm_open_session(3): tells what a person should know once he is in. Nothing of it keeps anybody out.
    fn sm_open_session(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        let mut handle = Handle::new(handle);
        guarded(&mut handle, |handle| {
            if flags & PAM_SILENT == 0 {
                tell_notices(handle, &arguments);
            }
            PamResultCode::PAM_IGNORE
        })
    }

    /// pam_sm_setcred(3): there are no credentials to set. PAM_IGNORE would make pam_setcred(3) fail
    /// where this module stands alone.
    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }
}

/// Runs `action`, answering a panic with PAM_ABORT and one line in the log.
fn guarded(handle: &mut Handle<'_>, action: impl FnOnce(&mut Handle<'_>) -> PamResultCode) -> PamResultCode {
    // The default hook would write to the standard error of the host process. This one holds nothing,
    // so it leaves nothing behind.
    std::panic::set_hook(Box::new(|_| {}));
    catch_unwind(AssertUnwindSafe(|| action(handle))).unwrap_or_else(|_| {
        handle.log(libc::LOG_CRIT, "event=error reason=panic mend=\"report this as a bug\"");
        AFTER_A_PANIC
    })
}

fn authenticate(handle: &mut Handle<'_>, arguments: &[&CStr], silent: bool) -> PamResultCode {
    let service = handle.service();
    let typed_name = handle.user().unwrap_or_default();
    let report = match RawArguments::parse(arguments.iter().map(|argument| argument.to_bytes())) {
        Ok(raw) => {
            #[cfg(feature = "deliberate-panic")]
            assert!(!raw.panic, "asked for by the argument panic");
            match policy_for(&raw) {
                Ok(file) => run(handle, &service, &typed_name, &resolve(raw, file), silent),
                Err(error) => Report::early(Outcome::BadPolicy(error.to_string())),
            }
        }
        Err(error) => Report::early(Outcome::BadArguments(error)),
    };
    handle.write(&line(&report, &service, &typed_name));
    let code = result_code(&report.outcome);
    if !matches!(code, PamResultCode::PAM_SUCCESS | PamResultCode::PAM_IGNORE) {
        handle.delay_failure(FAILURE_DELAY);
    }
    code
}

/// What cannot be read is not told: the login before this has said it in the log.
fn tell_notices(handle: &mut Handle<'_>, arguments: &[&CStr]) {
    let raw = RawArguments::parse(arguments.iter().map(|argument| argument.to_bytes()));
    let Some((raw, file)) = raw.ok().and_then(|raw| policy_for(&raw).ok().map(|file| (raw, file))) else {
        return;
    };
    let config = resolve(raw, file);
    let service = handle.service();
    let Ok(user) = account_of(&handle.user().unwrap_or_default()) else { return };
    let (facts, here) = (facts(handle, &service), Here);
    let circumstances = Circumstances { user: &user, facts: &facts, surroundings: &here };
    let is_exempt = rule_on(&config.rules, &circumstances).then == Then::Exempt;
    let (Ok(status), Some(now)) = (backend::status(&user), sys::clock::now()) else { return };
    if status.is_none() && is_exempt {
        return;
    }
    for text in notices(status.as_ref(), &config, now) {
        handle.show(Style::Info, &text);
    }
}

/// The file that the line names, or that of the machine.
fn policy_for(raw: &RawArguments) -> Result<PolicyFile, PolicyError> {
    match &raw.conf {
        Some(path) => backend::policy_file_at(Path::new(path)),
        None => backend::policy_file(),
    }
}

fn run(handle: &mut Handle<'_>, service: &str, typed_name: &[u8], config: &Config, silent: bool) -> Report {
    let user = match account_of(typed_name) {
        Ok(user) => user,
        Err(outcome) => return Report::early(outcome),
    };
    let here = Here;
    let request = Request { user, facts: facts(handle, service), world: &here };
    if config.debug {
        let rules = config.rules.len();
        handle.log(LOG_DEBUG, &format!("debug: rules={rules} {:?}", request.facts));
    }
    let mut conversation = PamConversation::new(handle, service, typed_name, silent);
    login(&request, config, &backend::ThisMachine, &mut backend::AtLogin::default(), &mut conversation)
}

/// How debug lines are marked.
const LOG_DEBUG: c_int = libc::LOG_DEBUG;

/// The account that a typed name leads to, under the name service's own name for it. Where there is
/// none, the typed name is the user.
fn account_of(typed_name: &[u8]) -> Result<User, Outcome> {
    let name = UserName::new(typed_name).map_err(Outcome::BadName)?;
    let account = sys::user::by_name(&name).map_err(Outcome::AccountsUnreadable)?;
    Ok(account.unwrap_or(User { name, uid: None }))
}

/// What PAM and the kernel say about where the attempt comes from.
fn facts(handle: &mut Handle<'_>, service: &str) -> Facts {
    let ruser = handle.ruser().and_then(|name| UserName::new(&name).ok());
    let ruser = ruser.and_then(|name| sys::user::by_name(&name).ok().flatten());
    Facts {
        service: service.to_owned(),
        rhost: handle.rhost(),
        tty: handle.tty(),
        ssh_connection: handle.environment(c"SSH_CONNECTION"),
        ssh_auth_info: handle.environment(c"SSH_AUTH_INFO_0"),
        real_uid: sys::user::real_uid(),
        ruser_uid: ruser.and_then(|user| user.uid),
        audit_session: sys::user::audit_session(),
    }
}
