//! A time as it is written: a number of seconds, or a number with its unit.

/// The seconds of a text such as `3600`, `90m`, `12h` or `30d`. Nothing where it is none, or zero.
pub(super) fn seconds_in(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit: u64 = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_or_are_seconds() {
        for (text, seconds) in [("3600", 3600), ("1s", 1), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000)]
        {
            assert_eq!(seconds_in(text), Some(seconds), "{text}");
        }
        for text in
            ["", "0", "0h", "h", "-1", "+1", "1.5h", "1 h", "1H", "12hh", "99999999999999999999", "\u{663}h"]
        {
            assert_eq!(seconds_in(text), None, "{text}");
        }
        assert_eq!(seconds_in("18446744073709551615d"), None);
    }
}
