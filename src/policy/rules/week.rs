//! Times of the week, such as `Mon-Fri 08:00-18:00`.

use core::fmt;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// The minutes of a day.
const DAY: u16 = 24 * 60;

/// A moment of the week, by the clocks of the place where the machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// 0 is Monday.
    pub weekday: u8,
    /// Since midnight.
    pub minute: u16,
}

impl LocalTime {
    /// Of a text such as `Mon 08:30`.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, time) = text.split_once(' ')?;
        let minute = minute_of(time).filter(|minute| *minute < DAY)?;
        Some(Self { weekday: u8::try_from(day_of(day)?).ok()?, minute })
    }
}

/// A time of some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// On which days it begins, Monday first.
    days: [bool; 7],
    /// The first minute of the day.
    from: u16,
    /// The first minute that no longer belongs to it; at or before `from` it is one of the next day.
    to: u16,
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSpan;

impl fmt::Display for BadSpan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a time is such as \"Mon-Fri 08:00-18:00\", \"Sat,Sun\" or \"22:00-06:00\"")
    }
}

impl Span {
    /// Of days (`Mon-Fri`, `Sat,Sun`; none are all), a time (`08:00-18:00`; none is all day), or both.
    pub fn parse(text: &str) -> Result<Self, BadSpan> {
        let (days, time) = match text.split_once(' ') {
            Some((days, time)) => (Some(days), Some(time)),
            None if text.contains(':') => (None, Some(text)),
            None => (Some(text), None),
        };
        let days = days.map_or(Some([true; 7]), days_of).ok_or(BadSpan)?;
        let (from, to) = time.map_or(Some((0, DAY)), times_of).ok_or(BadSpan)?;
        Ok(Self { days, from, to })
    }

    fn begins_on(&self, weekday: u8) -> bool {
        self.days.get(usize::from(weekday)).copied().unwrap_or(false)
    }

    fn covers(&self, now: LocalTime) -> bool {
        let LocalTime { weekday, minute } = now;
        if self.from < self.to {
            return self.begins_on(weekday) && (self.from..self.to).contains(&minute);
        }
        let yesterday = if weekday == 0 { 6 } else { weekday - 1 };
        (self.begins_on(weekday) && minute >= self.from) || (self.begins_on(yesterday) && minute < self.to)
    }
}

/// Whether a moment is in any of these.
pub(super) fn covers(spans: &[Span], now: LocalTime) -> bool {
    spans.iter().any(|span| span.covers(now))
}

fn days_of(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (day_of(first)?, day_of(last)?);
        loop {
            *days.get_mut(day)? = true;
            if day == last {
                break;
            }
            day = (day + 1) % DAYS.len();
        }
    }
    Some(days)
}

fn day_of(text: &str) -> Option<usize> {
    DAYS.iter().position(|day| day.eq_ignore_ascii_case(text))
}

fn times_of(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute_of(from)?, minute_of(to)?);
    (from < DAY && from != to).then_some((from, to))
}

/// `24:00` is the end of a day.
fn minute_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let minute = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, weekday: u8, time: &str) -> bool {
        let span = Span::parse(text).unwrap_or_else(|BadSpan| panic!("{text}"));
        span.covers(LocalTime { weekday, minute: minute_of(time).unwrap() })
    }

    #[test]
    fn a_time_begins_at_its_first_minute_and_ends_before_its_last() {
        assert!(!at("Mon-Fri 08:00-18:00", 0, "07:59") && at("Mon-Fri 08:00-18:00", 0, "08:00"));
        assert!(at("Mon-Fri 08:00-18:00", 4, "17:59") && !at("Mon-Fri 08:00-18:00", 4, "18:00"));
        assert!(!at("Mon-Fri 08:00-18:00", 5, "12:00"));
        assert!(at("Sat,Sun", 6, "23:59") && !at("Sat,Sun", 0, "00:00"));
        assert!(at("sat-mon", 0, "12:00") && at("Sat-Mon", 6, "12:00") && !at("Sat-Mon", 1, "12:00"));
        assert!(at("20:00-24:00", 3, "23:59") && !at("20:00-24:00", 4, "00:00"));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        assert!(at("Fri 22:00-06:00", 4, "22:00") && at("Fri 22:00-06:00", 5, "05:59"));
        assert!(!at("Fri 22:00-06:00", 4, "05:59") && !at("Fri 22:00-06:00", 5, "06:00"));
        assert!(at("Sun 22:00-06:00", 0, "01:00"));
        assert!(at("22:00-06:00", 2, "03:00") && !at("22:00-06:00", 2, "12:00"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            " ",
            "Mon ",
            " 08:00-09:00",
            "Mo",
            "Mon-",
            "Mon-Fri-Sat",
            "Mon,,Tue",
            "8:00-9:00",
            "08:00",
            "08:00-25:00",
            "24:00-06:00",
            "08:60-09:00",
            "08:00-08:00",
            "Mon 08:00-09:00 UTC",
            "08:00-24:01",
            "Mon  08:00-09:00",
            "+8:00-09:00",
        ] {
            assert!(Span::parse(text).is_err(), "{text:?}");
        }
    }
}
