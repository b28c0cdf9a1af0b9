//! What a person is told once he is in: codes that others have guessed, recovery codes that run low, and from when on a
//! second factor is needed.
//!
//! Pure. It tells nobody anything about others.
#![forbid(unsafe_code)]

use crate::config::texts::filled;
use crate::config::{Config, Texts, Unenrolled};
use crate::credential::format::datetime_of;
use crate::policy::recovery::FEW_CODES;
use crate::status::{RefusedStatus, Status};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// What to tell a user, a line each. `status` is nothing where he is not enrolled.
pub fn notices(status: Option<&Status>, config: &Config, now: u64) -> Vec<String> {
    if !config.notices {
        return Vec::new();
    }
    match status {
        Some(status) => of_enrolled(status, &config.texts),
        None => of_unenrolled(config, now).into_iter().collect(),
    }
}

fn of_enrolled(status: &Status, texts: &Texts) -> Vec<String> {
    let refused = status.records.as_ref().and_then(|records| records.refused_before.as_ref());
    let few = status.recovery_codes_made > 0 && status.recovery_codes_left < FEW_CODES;
    let left = status.recovery_codes_left.to_string();
    let of_codes = few.then(|| filled(&texts.notice_few_codes, &[("left", &left)]));
    refused.map(|refused| of_refused(refused, texts)).into_iter().chain(of_codes).collect()
}

fn of_refused(refused: &RefusedStatus, texts: &Texts) -> String {
    let RefusedStatus { count, first, last_from } = refused;
    let since = datetime_of(*first).map_or_else(|| first.to_string(), |moment| moment.to_string());
    let from = last_from.split_once(':').map_or(last_from.as_str(), |(kind, name)| match kind {
        "addr" | "tty" => name,
        _ => last_from,
    });
    if *count == 1 {
        return filled(&texts.notice_refused_one, &[("since", &since), ("from", from)]);
    }
    filled(&texts.notice_refused, &[("count", &count.to_string()), ("since", &since), ("from", from)])
}

/// Before the day from which on he is denied.
fn of_unenrolled(config: &Config, now: u64) -> Option<String> {
    let day = config.required_from.filter(|day| config.unenrolled == Unenrolled::Allow && *day > now)?;
    let date = datetime_of(day)?.to_string();
    let date = date.split('T').next()?;
    let days = day.saturating_sub(now).div_ceil(DAY).to_string();
    Some(filled(&config.texts.notice_required, &[("date", date), ("days", &days)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PolicyFile, RawArguments, resolve::resolve};
    use crate::credential::record::tests::alice;
    use crate::credential::{RecoverySet, Refused, SourceName, State};
    use crate::otp::{RecoveryDigest, RecoverySalt};

    const NOW: u64 = 1_800_000_000;

    fn config(file: &str) -> Config {
        resolve(RawArguments::default(), PolicyFile::parse(file).unwrap())
    }

    fn status(count: u32) -> Status {
        let mut state = State::new([1; 16], NOW);
        let last_from = SourceName::new("addr:198.51.100.4".to_owned()).unwrap();
        state.refused_before = Refused { count, first: NOW - 90_000, last_from };
        Status::of(&alice(), Some(&state), Some(NOW))
    }

    #[test]
    fn wrong_codes_of_others_are_told_with_where_they_came_from() {
        let told = |count| notices(Some(&status(count)), &config(""), NOW);
        assert_eq!(told(3), ["3 wrong codes since 2027-01-14T07:00:00Z, the last one from 198.51.100.4."]);
        assert_eq!(told(1), ["A wrong code at 2027-01-14T07:00:00Z, from 198.51.100.4."]);
        assert!(told(0).is_empty());
        assert!(notices(Some(&status(3)), &config("notices = false\n"), NOW).is_empty());
        let german = config("[texts]\nnotice_refused = \"{count} falsche\"\n");
        assert_eq!(notices(Some(&status(3)), &german, NOW), ["3 falsche"]);
    }

    #[test]
    fn few_recovery_codes_are_told_and_none_that_were_never_made() {
        let mut credential = alice();
        assert!(notices(Some(&Status::of(&credential, None, None)), &config(""), NOW).is_empty());
        credential.recovery =
            Some(RecoverySet { salt: RecoverySalt([9; 16]), digests: vec![RecoveryDigest([1; 32])] });
        let status = Status::of(&credential, None, None);
        let told = notices(Some(&status), &config(""), NOW);
        assert_eq!(told, ["Recovery codes left: 0. Make new ones with `countersign recovery`."]);
    }

    #[test]
    fn who_is_not_enrolled_is_told_how_long_that_goes_on() {
        let until = "unenrolled = \"allow\"\nrequired_from = 2027-01-20\n";
        let told = notices(None, &config(until), NOW);
        assert_eq!(
            told,
            [
                "From 2027-01-20 on this login needs a second factor (5 days left). Enrol with `countersign enroll`."
            ]
        );
        assert!(notices(None, &config(until), NOW + 30 * DAY).is_empty());
        assert!(notices(None, &config("unenrolled = \"allow\"\n"), NOW).is_empty());
        assert!(notices(None, &config("required_from = 2027-01-20\n"), NOW).is_empty());
    }
}
