//! What the locale says of the terminal, as locale(7) has it.

/// Whether the terminal can show more than ASCII. A locale that is not set says nothing, and most terminals can.
pub(super) fn is_utf8() -> bool {
    says_utf8(["LC_ALL", "LC_CTYPE", "LANG"].map(variable))
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "it is the caller's own terminal that is drawn on")]
    std::env::var(name).ok()
}

/// The first that is set and not empty counts.
fn says_utf8(variables: [Option<String>; 3]) -> bool {
    let first = variables.into_iter().flatten().find(|value| !value.is_empty());
    first.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_says_it() {
        let says = |variables: [&str; 3]| says_utf8(variables.map(|value| Some(value.to_owned())));
        assert!(says(["", "", "de_DE.UTF-8"]));
        assert!(says(["C.utf8", "C", "C"]));
        assert!(!says(["", "de_DE.ISO-8859-1", "de_DE.UTF-8"]));
        assert!(!says(["POSIX", "", "de_DE.UTF-8"]));
        assert!(says_utf8([None, None, None]));
    }
}
