//! A new device, as whoever enrols it sees it: what was asked for, the QR code, the key, the first code.

use std::path::Path;

use zeroize::Zeroizing;

use super::device_args::{Hash, Making, SecretForm, Showing};
use super::error::Error;
use super::locale;
use super::qr::{Code, Drawing};
use super::saved_file::{Unkept, must_be_free};
use super::terminal::Terminal;
use crate::credential::{CodeParameters, Kind};
use crate::enrol::{Confirmed, MOST_FIRST_CODES, Pending, Purpose, Wanted};
use crate::otp::secret::BadSecret;
use crate::otp::uri::{Label, is_label};
use crate::otp::{Algorithm, Digits, Passcode, Period, SharedSecret};
use crate::sys;
use crate::user::User;

/// What is asked for until the device is proven.
pub(super) const FIRST_CODE: &str = "code that the app shows: ";
/// What stands before the key.
const KEY: &str = "key for typing in:";
/// Bits below which RFC 4226 §4 R6 does not allow a secret.
const FEW_BITS: usize = 128;

impl Making {
    /// How the codes are to be made. Says which of it many apps ignore.
    pub(super) fn parameters(&self, terminal: &mut Terminal) -> CodeParameters {
        let parameters = self.code_parameters();
        for ignored in parameters.ignored_by_apps() {
            terminal.say(format_args!(
                "warning: many apps ignore --{ignored} and show codes that are not taken; a wrong first code tells"
            ));
        }
        parameters
    }

    /// How the codes are to be made.
    pub(super) fn code_parameters(&self) -> CodeParameters {
        let usual = CodeParameters::default();
        CodeParameters {
            kind: if self.hotp {
                Kind::Hotp
            } else {
                self.period.and_then(Period::new).map_or(usual.kind, Kind::Totp)
            },
            algorithm: self.algorithm.map_or(usual.algorithm, Algorithm::from),
            digits: self.digits.and_then(Digits::new).unwrap_or(usual.digits),
        }
    }

    /// The issuer that is shown, once it and the label are known to be ones.
    pub(super) fn issuer(&self) -> Result<String, Error> {
        match [&self.issuer, &self.label].into_iter().flatten().find(|text| !is_label(text)) {
            Some(text) => Err(Error::BadLabel(text.clone())),
            None => Ok(self.issuer.clone().unwrap_or_else(sys::host::name)),
        }
    }

    /// What the app is to call the codes of a user.
    pub(super) fn label<'a>(&'a self, issuer: &'a str, user: &'a User) -> Label<'a> {
        Label { issuer, account: self.label.as_deref().unwrap_or(user.name.as_str()) }
    }

    /// What root asks for; a secret that the device has already is read here.
    pub(super) fn wanted(&self, terminal: &mut Terminal) -> Result<Wanted, Error> {
        let parameters = self.parameters(terminal);
        let secret = self.secret_stdin.map(|form| read_secret(form, terminal)).transpose()?;
        Ok(Wanted { parameters, secret, counter: self.counter.unwrap_or(0) })
    }

    /// Fails where something was asked for that only root may.
    pub(super) fn require_of_users(&self) -> Result<(), Error> {
        let is_for_root = self.secret_stdin.is_some() || self.no_confirm || self.counter.is_some();
        if is_for_root { Err(Error::NotRoot) } else { Ok(()) }
    }
}

impl From<Hash> for Algorithm {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Sha1 => Self::Sha1,
            Hash::Sha256 => Self::Sha256,
            Hash::Sha512 => Self::Sha512,
        }
    }
}

fn read_secret(form: SecretForm, terminal: &mut Terminal) -> Result<SharedSecret, Error> {
    let line = terminal.ask_in_secret("secret of the device: ")?.ok_or(Error::GivenUp)?;
    let secret = match form {
        SecretForm::Base32 => SharedSecret::from_base32(line.trim()),
        SecretForm::Hex => SharedSecret::from_hex(line.trim()),
    };
    let secret = secret.map_err(Error::BadSecret)?;
    let bits = secret.as_bytes().len() * 8;
    if bits < FEW_BITS {
        terminal
            .say(format_args!("warning: this secret has {bits} bits; {FEW_BITS} are the least to be safe"));
    }
    Ok(secret)
}

/// What to do about a secret that is none.
pub(super) fn secret_hint(problem: BadSecret) -> &'static str {
    match problem {
        BadSecret::NotBase32 => "for a secret in hex: --secret-stdin=hex; nothing was changed",
        BadSecret::NotHex => "for a secret in base32: --secret-stdin; nothing was changed",
        BadSecret::TooShort | BadSecret::TooLong => "it takes 80 to 1024 bits; nothing was changed",
    }
}

impl Showing {
    /// Fails early where something that was asked for cannot be.
    pub(super) fn check(&self, terminal: &Terminal) -> Result<(), Error> {
        if self.private && !terminal.is_a_terminal_both_ways() {
            return Err(Error::NoPrivateScreen);
        }
        self.files().try_for_each(must_be_free)
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.png, &self.svg].into_iter().flatten().map(AsRef::as_ref)
    }

    /// Shows a new device: on the screen, and in the files that were asked for. They go again when what is returned
    /// is dropped.
    pub(super) fn present(
        &self,
        uri: &str,
        key: &str,
        user: &User,
        terminal: &mut Terminal,
    ) -> Result<Unkept, Error> {
        let files = self.save(uri, terminal)?;
        self.show_code(uri, key, user, terminal)?;
        terminal.show(&in_lines(key, terminal.size().columns))?;
        Ok(files)
    }

    /// Saves the QR code where that was asked for, and enters the screen where what follows is to be shown.
    pub(super) fn save(&self, uri: &str, terminal: &mut Terminal) -> Result<Unkept, Error> {
        let mut files = Unkept::default();
        if self.files().next().is_some() {
            terminal.hold_signals()?;
        }
        if let Some(path) = &self.png {
            files.write(path, &Code::of(uri).ok_or(Error::LongUri)?.to_png())?;
        }
        if let Some(path) = &self.svg {
            files.write(path, Code::of(uri).ok_or(Error::LongUri)?.to_svg().as_bytes())?;
        }
        if self.private {
            terminal.enter_private_screen()?;
        }
        Ok(files)
    }

    fn show_code(&self, uri: &str, key: &str, user: &User, terminal: &mut Terminal) -> Result<(), Error> {
        let drawing = Drawing { ascii: self.ascii || !locale::is_utf8(), coloured: terminal.is_terminal() };
        // The key and the question; whatever scrolls the code off the screen leaves nothing to scan.
        let lines_below = |columns: usize| in_lines(key, columns).lines().count() + 1;
        let size = terminal.size();
        match Code::of(uri).ok_or(Error::LongUri)?.fitting(size, lines_below(size.columns), drawing) {
            Ok(code) => {
                terminal.say(format_args!("scan this with the authenticator app of {}:", user.name));
                terminal.show(code.trim_end_matches('\n'))
            }
            Err(least) => {
                terminal.say(format_args!(
                    "the terminal is too small for the QR code, which takes {} columns and {} lines: \
                     make it larger, save it with --png FILE or --svg FILE, or type the key",
                    least.columns,
                    least.lines + lines_below(least.columns)
                ));
                Ok(())
            }
        }
    }
}

/// Fails where the proof is put off of a device that takes the place of those in force.
pub(super) fn must_be_proven_first(purpose: Purpose, making: &Making) -> Result<(), Error> {
    let takes_a_place = matches!(purpose, Purpose::InPlaceOfAll | Purpose::InPlaceOfOne);
    if takes_a_place && making.no_confirm { Err(Error::ReplaceUnproven) } else { Ok(()) }
}

/// Shows a new device, unless whoever enrols it has its secret already, and has it proven, unless that is put off.
pub(super) fn prove(
    pending: &Pending,
    label: &Label<'_>,
    making: &Making,
    showing: &Showing,
    terminal: &mut Terminal,
) -> Result<(Unkept, Confirmed), Error> {
    let uri = pending.otpauth_uri(label);
    let files = if making.secret_stdin.is_some() {
        showing.save(&uri, terminal)?
    } else {
        showing.present(&uri, &pending.key_in_groups(), pending.user(), terminal)?
    };
    let confirmed =
        if making.no_confirm { pending.unproven() } else { ask_for_first_code(pending, terminal)? };
    Ok((files, confirmed))
}

/// Says how a device comes into force that is not.
pub(super) fn tell_if_unproven(confirmed: &Confirmed, user: &User, terminal: &mut Terminal) {
    if !confirmed.is_proven() {
        let (id, name) = (confirmed.id(), &user.name);
        terminal
            .say(format_args!("{id} of {name} is refused until its first code: countersign confirm {name}"));
    }
}

/// Says where the QR code stays.
pub(super) fn keep(files: Unkept, terminal: &mut Terminal) {
    for path in files.keep() {
        terminal.say(format_args!(
            "the QR code is in {}: whoever reads it has the secret, so remove it once it is scanned",
            path.display()
        ));
    }
}

/// The key on one line, or in whole groups below one another on a terminal that is too narrow.
fn in_lines(key: &str, columns: usize) -> Zeroizing<String> {
    let mut lines = Zeroizing::new(String::with_capacity(KEY.len() + key.len() * 2 + 2));
    lines.push_str(KEY);
    let is_narrow = KEY.len() + 1 + key.len() > columns;
    let mut used = if is_narrow { columns } else { KEY.len() };
    for group in key.split(' ') {
        let starts_line = is_narrow && used + 1 + group.len() > columns;
        lines.push(if starts_line { '\n' } else { ' ' });
        used = if starts_line { group.len() } else { used + 1 + group.len() };
        lines.push_str(group);
    }
    lines
}

/// Asks until a code proves the device.
pub(super) fn ask_for_first_code(pending: &Pending, terminal: &mut Terminal) -> Result<Confirmed, Error> {
    for _ in 0..MOST_FIRST_CODES {
        let Some(typed) = terminal.ask(FIRST_CODE)? else {
            terminal.say("");
            return Err(Error::GivenUp);
        };
        let now = sys::clock::now().ok_or(Error::Clock)?;
        let confirmed = match Passcode::parse(typed.as_bytes()) {
            Some(Passcode::Code(code)) => pending.confirm(&code, now),
            _ => None,
        };
        match confirmed {
            Some(confirmed) => return Ok(confirmed),
            None => terminal.say("that is not the code; wait for the next one and try again"),
        }
    }
    Err(Error::NeverConfirmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_broken_between_its_groups_where_the_terminal_is_narrow() {
        let key = "AEBA GBAF AYDQ QCIK BMGA 2DQP CAIR EEYU";
        assert_eq!(*in_lines(key, 58), format!("{KEY} {key}"));
        let narrow = in_lines(key, 20);
        assert_eq!(*narrow, format!("{KEY}\nAEBA GBAF AYDQ QCIK\nBMGA 2DQP CAIR EEYU"));
        assert!(in_lines(key, 1).lines().skip(1).all(|line| line.len() == 4));
    }
}
