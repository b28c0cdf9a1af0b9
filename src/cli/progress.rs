//! How far a long run has come, in one line that fits the terminal.

/// What a bar takes besides its own length.
const AROUND_A_BAR: usize = 3;
/// The longest bar, in columns.
const LONGEST_BAR: usize = 40;
/// The shortest one that says anything.
const SHORTEST_BAR: usize = 10;

/// The line, which ends before the last column: beyond it terminals begin a new line. `part` is of `whole`, where
/// that is known.
pub(super) fn line(part: u64, whole: Option<u64>, users: u64, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    let percent = whole.map(|whole| part.saturating_mul(100).checked_div(whole).unwrap_or(100).min(100));
    let Some(percent) = percent else { return format!("{users} users").chars().take(room).collect() };
    let text = format!("{percent:>3} %  {users} users");
    let length = room.saturating_sub(text.len() + AROUND_A_BAR).min(LONGEST_BAR);
    if length < SHORTEST_BAR {
        return text.chars().take(room).collect();
    }
    let filled = length * usize::try_from(percent).unwrap_or(0) / 100;
    format!("[{:-<length$}] {text}", "#".repeat(filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_the_terminal_and_has_a_bar_where_there_is_room() {
        assert_eq!(line(1, Some(4), 7, 40), "[#####-----------------]  25 %  7 users");
        assert_eq!(line(5, Some(4), 10_000, 20), "100 %  10000 users");
        assert_eq!(line(1, None, 7, 80), "7 users");
        assert_eq!(line(0, Some(0), 0, 20), "100 %  0 users");
        for columns in 0..200 {
            assert!(line(u64::MAX, Some(3), u64::MAX, columns).len() <= columns.saturating_sub(1));
        }
    }
}
