//! What PAM is told of an outcome: one table, the same as in `pam_countersign(8)`.

use pam::constants::PamResultCode;

use crate::login::Outcome;

/// The PAM code of an outcome. Without a wildcard: a new outcome must be given its code here.
///
/// Whoever is not let in for his own doing gets one and the same code. Behind a first factor that is
/// `required` a second one would tell whether the password was right
/// (`docs/decisions/0003-one-code-for-all-denials.md`).
pub(super) fn result_code(outcome: &Outcome) -> PamResultCode {
    match outcome {
        Outcome::Accepted(_) | Outcome::FirstFactorProven => PamResultCode::PAM_SUCCESS,
        Outcome::NotEnrolledAllowed | Outcome::Exempt { .. } => PamResultCode::PAM_IGNORE,
        Outcome::Denied(_)
        | Outcome::FirstFactorMissing
        | Outcome::FirstPassMissing
        | Outcome::OtherUser
        | Outcome::CallerUnknown
        | Outcome::EnrolmentImpossible
        | Outcome::EnrolmentKept
        | Outcome::NeverConfirmed
        | Outcome::BadName(_) => PamResultCode::PAM_AUTH_ERR,
        Outcome::Unavailable(_) | Outcome::AccountsUnreadable(_) => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Outcome::ConversationFailed => PamResultCode::PAM_CONV_ERR,
        Outcome::OwnService | Outcome::BadArguments(_) | Outcome::BadPolicy(_) => {
            PamResultCode::PAM_SERVICE_ERR
        }
    }
}

/// What [`guarded`](super::entry) returns after a panic.
pub(super) const AFTER_A_PANIC: PamResultCode = PamResultCode::PAM_ABORT;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ArgumentError;
    use crate::login::Denial;
    use crate::user::BadName;
    use crate::verifier::VerifierError;

    /// `PAM_IGNORE` and `PAM_SUCCESS` are doors: everything that is no positive decision denies.
    #[test]
    fn every_error_denies() {
        let mut outcomes = vec![
            Outcome::FirstFactorMissing,
            Outcome::OtherUser,
            Outcome::ConversationFailed,
            Outcome::Unavailable(VerifierError::Clock),
            Outcome::OwnService,
            Outcome::FirstPassMissing,
            Outcome::CallerUnknown,
            Outcome::EnrolmentImpossible,
            Outcome::NeverConfirmed,
            Outcome::BadPolicy("line 1".to_owned()),
            Outcome::BadArguments(ArgumentError::NotUtf8),
            Outcome::BadName(BadName::Empty),
            Outcome::AccountsUnreadable(std::io::ErrorKind::TimedOut.into()),
        ];
        outcomes.extend(Denial::ALL.map(Outcome::Denied));
        for outcome in outcomes {
            let code = result_code(&outcome);
            assert_ne!(code, PamResultCode::PAM_SUCCESS, "{outcome:?}");
            assert_ne!(code, PamResultCode::PAM_IGNORE, "{outcome:?}");
        }
        for denial in Denial::ALL {
            assert_eq!(result_code(&Outcome::Denied(denial)), PamResultCode::PAM_AUTH_ERR, "{denial}");
        }
        assert_eq!(result_code(&Outcome::FirstFactorProven), PamResultCode::PAM_SUCCESS);
        assert_eq!(result_code(&Outcome::NotEnrolledAllowed), PamResultCode::PAM_IGNORE);
        assert_eq!(result_code(&Outcome::Exempt { rule: "1".to_owned() }), PamResultCode::PAM_IGNORE);
    }
}
