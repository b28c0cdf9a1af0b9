//! Enrolling inside of a login, by this process: it is root, or it enrols nobody.

use zeroize::Zeroizing;

use super::{KernelEntropy, NoEntropy, store};
use crate::credential::StoreError;
use crate::enrol::{self, FIRST_DEVICE, Pending, Purpose, Wanted};
use crate::login::{Enrolled, Enroller, NewDevice, OWN_SERVICE};
use crate::otp::uri::Label;
use crate::otp::{Code, RecoveryCode};
use crate::qr;
use crate::sys;
use crate::sys::pam_client::{self, Conversation, Verdict};
use crate::user::User;
use crate::verifier::VerifierError;

/// Columns of the terminals that nobody asks for their size.
const COLUMNS: usize = 80;

/// The device of the person who enrols, until a code has proven it.
#[derive(Default)]
pub struct AtLogin {
    pending: Option<Pending>,
}

impl Enroller for AtLogin {
    fn prove_password(&mut self, user: &User, password: &[u8]) -> Result<bool, VerifierError> {
        if !sys::user::is_root() {
            return Ok(false);
        }
        let mut person = Typed { password: Some(Zeroizing::new(password.to_vec())) };
        match pam_client::prove(OWN_SERVICE, &user.name, &mut person) {
            Verdict::Proven => Ok(true),
            Verdict::Refused => Ok(false),
            Verdict::Unavailable => Err(VerifierError::Password),
        }
    }

    fn begin(&mut self, user: &User) -> Result<Option<NewDevice>, VerifierError> {
        if !sys::user::is_root() {
            return Ok(None);
        }
        let begun =
            enrol::begin(user.clone(), FIRST_DEVICE, Purpose::First, Wanted::default(), &mut KernelEntropy);
        let pending = begun.map_err(|NoEntropy(error)| StoreError::system("get random bytes", error))?;
        let host = sys::host::name();
        let label = Label { issuer: &host, account: user.name.as_str() };
        let qr = qr::Code::of(&pending.otpauth_uri(&label)).and_then(|code| code.as_plain_text(COLUMNS));
        let device = NewDevice { qr, key: pending.key_in_groups() };
        self.pending = Some(pending);
        Ok(Some(device))
    }

    fn confirm(&mut self, code: &Code) -> Result<Option<Enrolled>, VerifierError> {
        let now = sys::clock::now().ok_or(VerifierError::Clock)?;
        let confirmed = self.pending.as_ref().and_then(|pending| pending.confirm(code, now));
        let Some(confirmed) = confirmed else { return Ok(None) };
        let accepted = enrol::keep_at_login(&store(), &confirmed, now)?;
        self.pending = None;
        let recovery_codes = confirmed.codes.iter().map(RecoveryCode::to_text).collect();
        Ok(Some(Enrolled { accepted, recovery_codes }))
    }
}

/// The person behind a password that was typed: it is given once, and nothing else is known of him.
struct Typed {
    password: Option<Zeroizing<Vec<u8>>>,
}

impl Conversation for Typed {
    fn ask(&mut self, _: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>> {
        if echo { None } else { self.password.take() }
    }

    fn tell(&mut self, _: &str, _: bool) {}
}
