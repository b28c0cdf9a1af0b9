//! The word that was meant by one that is not known.

/// The known word that differs least from what was written, if it differs little. Only what stands before
/// `=` is compared.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (distance(known.split_inclusive('=').next().unwrap_or(known), written), known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known)
}

/// How many letters must be changed, added or left out to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut behind = line + 1;
        for (right, above) in other.chars().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *above;
            behind = changed.min(diagonal + 1).min(behind + 1);
            *above = behind;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
