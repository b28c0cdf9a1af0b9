//! The file of sshd's own that goes with its stack: what it says, where it must be included, what must come of it.

use super::choices::FirstFactor;
use super::example;

/// Where it is. The first value that sshd reads counts, and the names of this directory are read in order.
pub const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-countersign.conf";
/// The directory and its name in the main file, which may say it in two ways.
const INCLUDED: [&str; 2] = ["/etc/ssh/sshd_config.d/*.conf", "sshd_config.d/*.conf"];

/// The text of the file.
pub fn drop_in(ssh: FirstFactor) -> String {
    let mut text = "# by countersign setup; countersign setup --undo takes it out again\n".to_owned();
    for line in example::sshd_settings(ssh) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The main file as it would be read with another file before all of the directory: for `sshd -t`, before anything
/// is changed. `None` where it does not include the directory for everybody.
pub fn staged(main: &str, drop_in: &str) -> Option<String> {
    let mut staged = String::with_capacity(main.len() + drop_in.len() + 16);
    let mut is_included = false;
    for line in main.split_inclusive('\n') {
        let mut words = line.split_whitespace();
        let keyword = words.next().unwrap_or_default();
        if keyword.eq_ignore_ascii_case("match") && !is_included {
            return None;
        }
        if keyword.eq_ignore_ascii_case("include")
            && !is_included
            && words.any(|word| INCLUDED.contains(&word.trim_matches('"')))
        {
            staged.push_str("Include ");
            staged.push_str(drop_in);
            staged.push('\n');
            is_included = true;
        }
        staged.push_str(line);
    }
    is_included.then_some(staged)
}

/// The settings of the file that are not in force, by what `sshd -T` prints.
pub fn not_in_force(told: &str, ssh: FirstFactor) -> Vec<&'static str> {
    let is_told = |setting: &&str| told.lines().any(|line| line.eq_ignore_ascii_case(setting));
    example::sshd_settings(ssh).into_iter().filter(|setting| !is_told(setting)).collect()
}

/// The value of a keyword in what `sshd -T` prints.
pub fn value<'a>(told: &'a str, keyword: &str) -> Option<&'a str> {
    told.lines()
        .find_map(|line| line.split_once(' ').filter(|(name, _)| *name == keyword))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_staged_where_the_directory_is_included() {
        let main = "# x\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\nMatch User bob\n";
        assert_eq!(
            staged(main, "/tmp/x").unwrap(),
            "# x\nInclude /tmp/x\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\nMatch User bob\n"
        );
        for main in [
            "Port 22\n",
            "#Include /etc/ssh/sshd_config.d/*.conf\n",
            "Match User bob\nInclude /etc/ssh/sshd_config.d/*.conf\n",
            "Include /etc/ssh/other.d/*.conf\n",
        ] {
            assert_eq!(staged(main, "/tmp/x"), None, "{main}");
        }
    }

    #[test]
    fn what_is_not_in_force_is_named() {
        let told = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication yes\n\
                    authenticationmethods publickey,keyboard-interactive:pam\n";
        assert_eq!(not_in_force(told, FirstFactor::Key), ["PasswordAuthentication no"]);
        assert_eq!(value(told, "usepam"), Some("yes"));
    }

    #[test]
    fn what_is_written_says_whose_it_is() {
        assert_eq!(
            drop_in(FirstFactor::Password),
            "# by countersign setup; countersign setup --undo takes it out again\nUsePAM yes\n\
             KbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
             AuthenticationMethods keyboard-interactive:pam\n"
        );
    }
}
