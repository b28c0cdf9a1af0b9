//! The rows of the comparison, and which of them countersign claims to hold. It must not depend on
//! anything else: the program that fills the table and the test that reads it share this file.
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]

/// One step, tried with each module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    RightCode,
    RightCodeSpaced,
    PhoneMinutesOff,
    PhoneHoursOff,
    EightPeople,
    TwoAtOnce,
    EightAtOnce,
    RecoveryAtOnce,
    UsedAgain,
    ClockBack,
    UsedAsSkewed,
    ClockNeverSet,
    ParallelGuesses,
    GuessesFromOneAddress,
    GuessesFromManyAddresses,
    OwnerKnown,
    OwnerKnownUnderMany,
    OwnerNew,
    OwnerNewUnderMany,
    OwnerSameAddress,
    RefusedDoNotExtend,
    SecretUntouched,
    Flushed,
    KillsLeaveNothing,
    KillsLockNobodyOut,
    FullDisk,
    FullDiskOnce,
    ReadOnlyDenies,
    ReadOnlyLetsIn,
    FifoDenies,
    LinkDenies,
    FaultsGrantNothing,
    FaultsLoseNothing,
    FaultsEndNoProcess,
    SecretUnreadable,
    SecretUnchangeable,
    SamePrompts,
    Logged,
    Time,
}

impl Row {
    /// All, in the order of the table.
    pub const ALL: [Row; 39] = [
        Row::RightCode,
        Row::RightCodeSpaced,
        Row::PhoneMinutesOff,
        Row::PhoneHoursOff,
        Row::EightPeople,
        Row::TwoAtOnce,
        Row::EightAtOnce,
        Row::RecoveryAtOnce,
        Row::UsedAgain,
        Row::ClockBack,
        Row::UsedAsSkewed,
        Row::ClockNeverSet,
        Row::ParallelGuesses,
        Row::GuessesFromOneAddress,
        Row::GuessesFromManyAddresses,
        Row::OwnerKnown,
        Row::OwnerKnownUnderMany,
        Row::OwnerNew,
        Row::OwnerNewUnderMany,
        Row::OwnerSameAddress,
        Row::RefusedDoNotExtend,
        Row::SecretUntouched,
        Row::Flushed,
        Row::KillsLeaveNothing,
        Row::KillsLockNobodyOut,
        Row::FullDisk,
        Row::FullDiskOnce,
        Row::ReadOnlyDenies,
        Row::ReadOnlyLetsIn,
        Row::FifoDenies,
        Row::LinkDenies,
        Row::FaultsGrantNothing,
        Row::FaultsLoseNothing,
        Row::FaultsEndNoProcess,
        Row::SecretUnreadable,
        Row::SecretUnchangeable,
        Row::SamePrompts,
        Row::Logged,
        Row::Time,
    ];

    /// What is said to hold, as it stands in the table.
    pub fn title(self) -> &'static str {
        match self {
            Row::RightCode => "A right code lets in",
            Row::RightCodeSpaced => "A right code lets in with a space in it, as phones show it",
            Row::PhoneMinutesOff => "A phone that is 5 minutes ahead lets in after three codes at most",
            Row::PhoneHoursOff => "A phone that is 2 hours ahead lets in after three codes at most",
            Row::EightPeople => "8 people with right codes at once all get in",
            Row::TwoAtOnce => "One code in 2 processes at once lets exactly one in",
            Row::EightAtOnce => "One code in 8 processes at once lets exactly one in",
            Row::RecoveryAtOnce => "One recovery code in 8 processes at once lets exactly one in",
            Row::UsedAgain => "A used code is refused, also with a space in it",
            Row::ClockBack => "A used code is refused after the clock went back ten minutes",
            Row::UsedAsSkewed => {
                "Used codes, typed again in their order later, are not taken for a skewed clock"
            }
            Row::ClockNeverSet => "A clock that was never set (1970) denies",
            Row::ParallelGuesses => "20 wrong guesses at once: each that is judged is charged",
            Row::GuessesFromOneAddress => "Of guesses from one address at most 100 are judged (SP 800-63B)",
            Row::GuessesFromManyAddresses => "Of guesses from two hundred addresses at most 100 are judged",
            Row::OwnerKnown => {
                "After 10 wrong guesses by somebody else, the owner gets in from a place known to be hers"
            }
            Row::OwnerKnownUnderMany => {
                "After another 400 from two hundred addresses, she gets in from there"
            }
            Row::OwnerNew => "After 10 wrong guesses by somebody else, the owner gets in from a new place",
            Row::OwnerNewUnderMany => {
                "After another 400 from two hundred addresses, she gets in from a new place"
            }
            Row::OwnerSameAddress => {
                "After 10 wrong guesses from her own address, the owner gets in from there"
            }
            Row::RefusedDoNotExtend => "Refused attempts do not extend the wait",
            Row::SecretUntouched => "A login does not rewrite the file with the secret",
            Row::Flushed => "That a code is used is on the disk before it lets in",
            Row::KillsLeaveNothing => "200 logins killed: no file is left lying about",
            Row::KillsLockNobodyOut => "200 logins killed: the next right code lets in",
            Row::FullDisk => "A right code lets in on a full disk",
            Row::FullDiskOnce => "No code lets in twice on a full disk",
            Row::ReadOnlyDenies => "No code lets in twice on a read-only disk",
            Row::ReadOnlyLetsIn => "A right code lets in on a read-only disk",
            Row::FifoDenies => "A FIFO in place of a file denies within 5 s",
            Row::LinkDenies => "A symbolic link in place of a file is not followed",
            Row::FaultsGrantNothing => "One failing system call: no code lets in that lets in again",
            Row::FaultsLoseNothing => "One failing system call: the next right code lets in",
            Row::FaultsEndNoProcess => "One failing system call: the calling program goes on",
            Row::SecretUnreadable => "A program of the user cannot read the secret",
            Row::SecretUnchangeable => "A program of the user cannot replace the file with the secret",
            Row::SamePrompts => "Unknown, unenrolled and enrolled users see the same before a refusal",
            Row::Logged => "The log has a refusal with its reason and its address",
            Row::Time => "Time of pam_authenticate for a right code",
        }
    }

    /// Whether countersign claims it. What it does not claim stands in the table all the same.
    pub fn is_claimed(self) -> bool {
        let not_claimed = [
            Row::PhoneHoursOff,
            Row::OwnerNewUnderMany,
            Row::OwnerSameAddress,
            Row::ReadOnlyLetsIn,
            Row::Time,
        ];
        !not_claimed.contains(&self)
    }
}
