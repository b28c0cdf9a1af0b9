//! How a user changes his own enrolment: begin, confirm, remove, new recovery codes.
//!
//! A change of an enrolment that there is costs a code or recovery code; a first one, and the removal of the
//! last device, need a proof of the password. Root needs neither. What is begun is in memory, and gone with
//! the connection.

use serde_json::Value;

use super::interface::{Desk, Refusal, Told, given, understood};
use super::journal::{self, Change};
use super::password::Running;
use crate::backend::{self, KernelEntropy, NoEntropy};
use crate::credential::record::is_id;
use crate::credential::{Credential, CredentialStore as _, StoreError};
use crate::enrol::{self, DeviceProblem, KeepError, Pending, Purpose, RecoveryCodes, Wanted};
use crate::otp::uri::{Label, is_label};
use crate::otp::{Passcode, RecoveryCode};
use crate::password::PasswordProven;
use crate::sys;
use crate::user::User;
use crate::verifier::{Typed, VerifierError};
use crate::wire::AboutUser;
use crate::wire::enrolment::{
    BeginParameters, BegunReply, ChangeParameters, ConfirmParameters, ConfirmedReply, RecoveryCodesReply,
    RemovedReply,
};

/// What one caller has begun.
#[derive(Default)]
pub(super) struct Begun {
    pub(super) running: Option<Running>,
    pub(super) proven: Option<PasswordProven>,
    pending: Option<(Pending, Option<Credential>)>,
    wrong: u32,
}

impl Begun {
    fn require_password_of(&self, desk: &Desk, target: &User) -> Result<(), Refusal> {
        let is_his = self.proven.as_ref().is_some_and(|proven| *proven.user() == target.name);
        if is_his || desk.caller.is_root() { Ok(()) } else { Err(Refusal::refused("password_needed")) }
    }
}

impl From<NoEntropy> for Refusal {
    fn from(NoEntropy(error): NoEntropy) -> Self {
        StoreError::system("get random bytes", error).into()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        VerifierError::Store(error).into()
    }
}

impl From<KeepError> for Refusal {
    fn from(error: KeepError) -> Self {
        Self::refused(match error {
            KeepError::Store(StoreError::AlreadyEnrolled) => "already_enrolled",
            KeepError::Store(error) => return error.into(),
            KeepError::NotEnrolled => "not_enrolled",
            KeepError::Device(DeviceProblem::NameTaken) => "name_taken",
            KeepError::Device(DeviceProblem::Unknown) => "unknown_device",
            KeepError::Device(DeviceProblem::SpentCode) => "spent_code",
            // Only secrets that come from outside can be the same, and only root confirms what was put off.
            KeepError::Device(
                DeviceProblem::SameSecret
                | DeviceProblem::NonePending
                | DeviceProblem::WhichPending
                | DeviceProblem::WrongCode,
            ) => return Self::BadParameters,
            KeepError::Device(DeviceProblem::TooMany) => "too_many_devices",
            KeepError::Device(DeviceProblem::Last) => "password_needed",
            KeepError::Device(DeviceProblem::ChangedMeanwhile) => "changed_meanwhile",
        })
    }
}

/// `BeginDevice`
pub(super) fn begin(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let parameters: BeginParameters = understood(parameters)?;
    let mut begun = desk.begun();
    begun.pending = None;
    let purpose = Purpose::from(parameters.purpose);
    if !is_id(&parameters.device) {
        return Err(Refusal::refused("bad_device_name"));
    }
    let wanted = wanted(&parameters)?;
    let former = credential_of(target)?;
    // What would be refused in the end is refused before a code is spent for it.
    let pending = enrol::begin(target.clone(), &parameters.device, purpose, wanted, &mut KernelEntropy)?;
    match (&former, purpose) {
        (Some(_), Purpose::First) => return Err(Refusal::refused("already_enrolled")),
        (None, Purpose::First) => begun.require_password_of(desk, target)?,
        (None, _) => return Err(Refusal::refused("not_enrolled")),
        (Some(former), _) => {
            pending.fits(former).map_err(KeepError::Device)?;
            desk.spend(target, parameters.passcode.as_deref().map(String::as_str))?;
        }
    }
    desk.give_time();
    let account = parameters.label.as_deref().unwrap_or(target.name.as_str());
    let label = Label { issuer: &parameters.issuer, account };
    let reply = BegunReply { uri: pending.otpauth_uri(&label), key: pending.key_in_groups() };
    (begun.pending, begun.wrong) = (Some((pending, former)), 0);
    given(reply)
}

/// What is asked for, if it can be. The secret is always made here: one that a user brings may be known to
/// others.
fn wanted(parameters: &BeginParameters) -> Result<Wanted, Refusal> {
    if !is_label(&parameters.issuer) || !parameters.label.as_deref().is_none_or(is_label) {
        return Err(Refusal::refused("bad_label"));
    }
    let asked = parameters.parameters.clone().unwrap_or_default();
    Ok(Wanted { parameters: asked.understood().ok_or(Refusal::BadParameters)?, ..Wanted::default() })
}

/// `ConfirmDevice`
pub(super) fn confirm(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let parameters: ConfirmParameters = understood(parameters)?;
    let mut begun = desk.begun();
    let pending = begun.pending.as_ref().filter(|(pending, _)| pending.user() == target);
    let (pending, _) = pending.ok_or(Refusal::refused("nothing_begun"))?;
    let now = now()?;
    let confirmed = match Passcode::parse(parameters.code.as_bytes()) {
        Some(Passcode::Code(code)) => pending.confirm(&code, now),
        _ => None,
    };
    let Some(confirmed) = confirmed else {
        begun.wrong = begun.wrong.saturating_add(1);
        if begun.wrong >= enrol::MOST_FIRST_CODES {
            begun.pending = None;
            return Err(Refusal::refused("too_many_tries"));
        }
        return given(ConfirmedReply { confirmed: false, recovery_codes: Vec::new() });
    };
    let former = begun.pending.take().and_then(|(_, former)| former);
    enrol::keep(&backend::store(), &confirmed, former.as_ref(), now)?;
    desk.note(confirmed.purpose.into(), target, Some(confirmed.id()));
    given(ConfirmedReply { confirmed: true, recovery_codes: texts(&confirmed.codes) })
}

/// `CancelDevice`
pub(super) fn cancel(desk: &Desk, _: &User, parameters: Value) -> Result<Value, Refusal> {
    let AboutUser { .. } = understood(parameters)?;
    desk.begun().pending = None;
    Ok(Value::Object(serde_json::Map::new()))
}

/// `RemoveDevice`
pub(super) fn remove(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let parameters: ChangeParameters = understood(parameters)?;
    let device = parameters.device.ok_or(Refusal::BadParameters)?;
    let former = credential_of(target)?.ok_or(Refusal::refused("not_enrolled"))?;
    if !former.authenticators.iter().any(|known| known.id == device) {
        return Err(Refusal::refused("unknown_device"));
    }
    let is_last = !former.can_spare(&device);
    if is_last {
        desk.begun().require_password_of(desk, target)?;
    }
    desk.spend(target, parameters.passcode.as_deref().map(String::as_str))?;
    if is_last {
        let unreadable = enrol::remove_all(&backend::store(), target, &former)?;
        let _ = journal::note_removed(target, desk.caller.uid, &unreadable);
    } else {
        enrol::remove_device(&backend::store(), target, &device, Some(&former), now()?)?;
        desk.note(Change::DeviceRemoved, target, Some(&device));
    }
    given(RemovedReply { enrolled: !is_last })
}

/// `NewRecoveryCodes`
pub(super) fn new_recovery_codes(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let parameters: ChangeParameters = understood(parameters)?;
    if parameters.device.is_some() {
        return Err(Refusal::BadParameters);
    }
    let former = credential_of(target)?.ok_or(Refusal::refused("not_enrolled"))?;
    desk.spend(target, parameters.passcode.as_deref().map(String::as_str))?;
    let made = RecoveryCodes::make(&mut KernelEntropy)?;
    enrol::keep_recovery_codes(&backend::store(), target, &made.to_set(), Some(&former), now()?)?;
    desk.note(Change::RecoveryRenewed, target, None);
    given(RecoveryCodesReply { recovery_codes: texts(made.codes()) })
}

/// `ForgetLogins`: no code is asked for, for nothing is weakened by it.
pub(super) fn forget_logins(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let AboutUser { .. } = understood(parameters)?;
    let had_some = backend::forget_logins(target)?.ok_or(Refusal::refused("not_enrolled"))?;
    if had_some {
        desk.note(Change::LoginsForgotten, target, None);
    }
    desk.tire();
    Ok(Value::Object(serde_json::Map::new()))
}

impl Desk {
    /// Has the caller spend a code or recovery code of the user, which is judged like that of a login.
    fn spend(&self, target: &User, passcode: Option<&str>) -> Result<(), Refusal> {
        if self.caller.is_root() {
            return Ok(());
        }
        let passcode = passcode.ok_or(Refusal::refused("passcode_needed"))?;
        let typed = Passcode::parse(passcode.as_bytes()).map(|passcode| Typed { passcode, previous: None });
        let denied =
            self.judge(target, typed, Told::default(), |judged| judged.verdict.as_ref().err().copied())?;
        denied.map_or(Ok(()), |denial| Err(Refusal::of_denial(denial)))
    }

    /// Writes down a change that was made. It stands even where the log is away.
    fn note(&self, change: Change, target: &User, device: Option<&str>) {
        let _ = journal::note(change, target, self.caller.uid, device);
    }
}

fn credential_of(user: &User) -> Result<Option<Credential>, Refusal> {
    match backend::store().read(user) {
        Ok(found) => Ok(found),
        // The first enrolment of a machine makes the store.
        Err(StoreError::NoStore) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn now() -> Result<u64, Refusal> {
    sys::clock::now().ok_or(VerifierError::Clock.into())
}

fn texts(codes: &[RecoveryCode]) -> Vec<zeroize::Zeroizing<String>> {
    codes.iter().map(RecoveryCode::to_text).collect()
}
