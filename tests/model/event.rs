//! What can happen to a user, made of any four bytes.

use super::recovery::RECOVERY_CODES;

/// One thing that happens, written in four bytes.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Some seconds later, the code of a device, so many steps or counters from its present one.
    Code { later: u64, device: u8, steps: i64, source: u8 },
    /// Two codes in one conversation, the second so many steps after the first.
    Pair { device: u8, steps: i64, apart: i64, source: u8 },
    /// What was typed last is typed again.
    Again { source: u8 },
    /// Codes that are nobody's, each from the next of so many sources and so many seconds later.
    Wrong { times: u8, sources: u8, seconds: u64, source: u8 },
    /// A recovery code, of the credential's set or of another one; some are none.
    Recovery { set: Option<u8>, code: u8, source: u8 },
    /// A device's code and, where that is refused, a recovery code in the same conversation.
    CodeAndRecovery { device: u8, steps: i64, code: u8, source: u8 },
    /// The clock moves, forward or back.
    Clock(i64),
    /// The clock moves to the end of the source's wait, or a second to either side.
    WaitOut { source: u8, seconds: i64 },
    /// Thirty days after the last login from a known place, or a second to either side, a device's
    /// present code comes from a source.
    AgeOut { place: u8, seconds: i64, device: u8, source: u8 },
    /// `countersign unlock`.
    Unlock,
    /// `countersign repair`, with no counter found and no new recovery codes.
    Repair,
    /// The credential is disabled, or enabled.
    Disable(bool),
    /// A device is put into the credential or removed from it.
    Enrol { device: u8, there: bool },
    /// A device's first code is known or not.
    Confirm { device: u8, known: bool },
    /// The credential has the recovery codes of a set; the state vouches for them or does not.
    NewSet { set: u8, vouched: bool },
    /// The state is lost and made anew.
    LoseState,
}

impl Event {
    /// Any four bytes are an event.
    pub fn read([kind, a, b, source]: [u8; 4]) -> Self {
        let either = |seconds: i64| if a % 2 == 0 { seconds } else { -seconds };
        let (steps, far) = (nearby(b), i64::from(b % 64) - 28);
        match kind % 32 {
            0..14 => Self::Code { later: u64::from(a / 8) * 3, device: a, steps, source },
            14..16 => Self::Pair { device: a, steps: far, apart: 1, source },
            16 => Self::Pair { device: a, steps: far, apart: i64::from(b / 64) - 1, source },
            17 => Self::Again { source },
            18..20 => Self::Wrong { times: 1 + a % 4, sources: 1, seconds: 0, source },
            21 => Self::Wrong { times: a % 48, sources: 1 + b % 32, seconds: u64::from(b / 32) * 45, source },
            22 => Self::Recovery { set: None, code: b % (RECOVERY_CODES + 1), source },
            20 | 23 => Self::CodeAndRecovery { device: a, steps, code: source % RECOVERY_CODES, source },
            24 => Self::Recovery { set: Some(a % 5), code: b % (RECOVERY_CODES + 1), source },
            25 => Self::Clock(either(i64::from(b))),
            26 => Self::Clock(either(i64::from(b) << (source % 16))),
            27 => Self::Clock(i64::from(b) << (source % 16)),
            28 => Self::WaitOut { source, seconds: i64::from(a % 4) - 1 },
            29 => Self::AgeOut { place: b, seconds: i64::from(a % 4) - 1, device: a / 4, source },
            _ => Self::administration(a, b),
        }
    }

    fn administration(a: u8, b: u8) -> Self {
        match a % 16 {
            0 => Self::Unlock,
            1 => Self::Repair,
            2..5 => Self::Disable(b < 64),
            5..8 => Self::Enrol { device: b, there: b >= 64 },
            8..11 => Self::Confirm { device: b, known: b >= 64 },
            11..15 => Self::NewSet { set: b % 5, vouched: b >= 64 },
            _ => Self::LoseState,
        }
    }
}

/// Mostly within the window, sometimes a little outside of it.
fn nearby(byte: u8) -> i64 {
    match byte % 16 {
        0..6 => 0,
        6..9 => 1,
        9..12 => -1,
        12 => -2,
        further => i64::from(further) * 4 - 50,
    }
}
