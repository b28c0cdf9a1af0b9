//! What a person is told about a verdict.

use crate::config::texts::filled;
use crate::config::{Config, Tell, Texts};
use crate::policy::Denial;
use crate::policy::recovery::FEW_CODES;

/// What a person is told about a refusal. Whoever is not who he says learns nothing from it: the
/// words are the same for a wrong code, a wrong shape, a disabled, unknown or unenrolled user.
pub(super) fn for_denial(denial: Denial, config: &Config) -> String {
    let texts = &config.texts;
    if config.tell == Tell::Never {
        return texts.wrong.clone();
    }
    match denial {
        Denial::SpentCode => texts.spent.clone(),
        Denial::ClockWentBack => texts.clock_went_back.clone(),
        Denial::BackedOff { seconds } => filled(&texts.wait, &[("seconds", &seconds.to_string())]),
        Denial::Capped => texts.capped.clone(),
        Denial::SpentRecoveryCode => texts.spent_recovery.clone(),
        Denial::UnknownUser
        | Denial::NotEnrolled
        | Denial::Disabled
        | Denial::Malformed
        | Denial::WrongCode
        | Denial::WrongRecoveryCode
        | Denial::SecondRecoveryCode
        | Denial::UnvouchedRecoveryCodes
        | Denial::NoUsableAuthenticator => texts.wrong.clone(),
    }
}

/// What a person is told whom a recovery code has let in.
pub(super) fn for_recovery(left: usize, texts: &Texts) -> String {
    match left {
        0 => texts.recovery_last.clone(),
        1 => texts.recovery_one.clone(),
        left if left < FEW_CODES => filled(&texts.recovery_few, &[("left", &left.to_string())]),
        left => filled(&texts.recovery_taken, &[("left", &left.to_string())]),
    }
}
