//! What the service refuses a user, in words for people.

/// What it is.
pub(super) fn words(reason: &str, seconds: Option<u64>) -> String {
    match (reason, seconds) {
        ("wait" | "backed_off", Some(seconds)) => format!("too many failures; try again in {seconds} s"),
        ("wait" | "backed_off" | "capped", _) => "too many failures".to_owned(),
        ("spent_code" | "spent_recovery_code", _) => "this code was already used".to_owned(),
        ("clock_went_back", _) => "the clock of this machine went back".to_owned(),
        ("disabled", _) => "this enrolment is disabled".to_owned(),
        ("password_needed", _) => "the password was not proven".to_owned(),
        ("passcode_needed" | "malformed", _) => "that is neither a code nor a recovery code".to_owned(),
        ("already_enrolled", _) => "you are enrolled already".to_owned(),
        ("not_enrolled", _) => "you are not enrolled".to_owned(),
        ("name_taken", _) => "there is a device of that name already".to_owned(),
        ("unknown_device", _) => "there is no device of that name".to_owned(),
        ("too_many_devices", _) => "there are as many devices as there can be".to_owned(),
        ("changed_meanwhile", _) => "somebody else has changed this enrolment meanwhile".to_owned(),
        ("bad_device_name", _) => "this cannot be the name of a device".to_owned(),
        ("bad_label", _) => "this cannot be an issuer or a label".to_owned(),
        ("nothing_begun", _) => "it took too long, and what was begun is gone".to_owned(),
        ("too_many_tries", _) => "no code was right".to_owned(),
        ("proof_running", _) => "your password is being proven elsewhere".to_owned(),
        ("busy", _) => "too many people are proving their passwords".to_owned(),
        // Whoever is not who he says learns nothing more from it.
        _ => "that is not a code of yours".to_owned(),
    }
}

/// What to do about it.
pub(super) fn hint(reason: &str) -> &'static str {
    match reason {
        "spent_code" => "wait for the next one",
        "wait" | "backed_off" | "busy" | "proof_running" => "nothing was changed; try again later",
        "capped" | "clock_went_back" => "use a recovery code, or ask your administrator",
        "disabled" => "ask your administrator",
        "already_enrolled" => {
            "for a second device: countersign add NAME; for a new phone: countersign replace NAME"
        }
        "not_enrolled" => "enrol with: countersign enroll",
        "name_taken" => "for a new one in its place: countersign replace NAME",
        "unknown_device" | "too_many_devices" => "`countersign status` lists the devices by their names",
        "bad_device_name" => "use up to 32 letters, digits, dots, dashes and underscores",
        "bad_label" => "use up to 64 characters, but no colon, and no space at either end",
        "too_many_tries" => "nothing was changed; is the clock of the phone right, and of this machine?",
        _ => "nothing was changed; try again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_how_long() {
        assert_eq!(words("backed_off", Some(30)), "too many failures; try again in 30 s");
        assert_eq!(words("wrong_code", None), words("no_usable_authenticator", None));
    }
}
