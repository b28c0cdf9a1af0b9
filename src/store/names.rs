//! The names of directories, made of user names so that no name leads anywhere else.

use crate::credential::StoreError;
use crate::user::UserName;

/// The longest name of a file on Linux, in bytes.
const LONGEST: usize = 255;

/// The name of a user's directory: percent-encoded outside `[A-Za-z0-9_@+-]`; a dot is kept after the
/// first character, so that no directory of a user is hidden or leads upwards.
pub(super) fn directory_of(user: &UserName) -> Result<String, StoreError> {
    let mut name = String::with_capacity(user.as_str().len());
    for byte in user.as_str().bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"_@+-".contains(&byte);
        if plain || (byte == b'.' && !name.is_empty()) {
            name.push(char::from(byte));
        } else {
            name.push('%');
            name.push(hex_digit(byte >> 4));
            name.push(hex_digit(byte & 0x0f));
        }
    }
    if name.len() > LONGEST {
        return Err(StoreError::NameTooLong);
    }
    Ok(name)
}

/// The user whose directory has this name; none where no user's has.
pub(super) fn user_of(directory: &[u8]) -> Option<UserName> {
    let mut name = Vec::with_capacity(directory.len());
    let mut rest = directory;
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            name.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            name.push(*byte);
            rest = after;
        }
    }
    let user = UserName::new(&name).ok()?;
    // A name that leads elsewhere is nobody's, such as one that is encoded though it need not be.
    directory_of(&user).is_ok_and(|own| own.as_bytes() == directory).then_some(user)
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(name: &str) -> String {
        directory_of(&UserName::new(name.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn no_name_leads_anywhere_else() {
        assert_eq!(encoded("alice"), "alice");
        assert_eq!(encoded("alice.b@example.org"), "alice.b@example.org");
        assert_eq!(encoded(".."), "%2E.");
        assert_eq!(encoded("../root"), "%2E.%2Froot");
        assert_eq!(encoded("DOM\\alice"), "DOM%5Calice");
        assert_eq!(encoded("a%2Fb"), "a%252Fb");
        assert_eq!(encoded("zoë"), "zo%C3%AB");
    }

    #[test]
    fn a_directory_leads_back_to_its_user_and_a_strange_one_to_nobody() {
        for name in ["alice", "..", "../root", "DOM\\alice", "a%2Fb", "zoë", "a b", "%"] {
            assert_eq!(user_of(encoded(name).as_bytes()).unwrap().as_str(), name);
        }
        let strange: [&[u8]; 10] =
            [b"", b".new-0011", b"a b", b"%2e.", b"%61lice", b"%", b"a%2", b"%+1", "zoë".as_bytes(), b"%0A"];
        for name in strange {
            assert!(user_of(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_fits_no_directory_is_refused() {
        assert!(directory_of(&UserName::new(&[b'/'; 86]).unwrap()).is_err());
        assert!(directory_of(&UserName::new(&[b'a'; 255]).unwrap()).is_ok());
    }
}
