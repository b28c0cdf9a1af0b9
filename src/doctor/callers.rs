//! The lines by which libpam would come to call the module, whatever service is asked for: without the module each of them denies.
//!
//! A removal of the module goes by this, so it finds one line too many rather than one too few.

use std::collections::BTreeSet;
use std::fmt;

use super::stack::{logical_lines, names_us, words};

/// Where libpam looks for the file of a service, and for one that another file includes; the first one counts.
pub const DIRECTORIES: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d"];
/// What libpam reads where there is none of these directories.
pub const CONF: &str = "/etc/pam.conf";

/// A line that calls the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The path of its file.
    pub path: String,
    /// Its number, from 1.
    pub line: usize,
}

impl fmt::Display for Caller {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.path, self.line)
    }
}

/// All lines that call the module in the files of these services, and in what they include. `read` returns the text under a path, `None`
/// where there is no file, or why it cannot tell, which ends the search.
pub fn callers<E>(
    services: impl IntoIterator<Item = String>,
    read: impl Fn(&str) -> Result<Option<String>, E>,
) -> Result<Vec<Caller>, E> {
    let mut search = Search { read, seen: BTreeSet::new(), found: Vec::new() };
    for service in services {
        search.look_into(&service)?;
    }
    Ok(search.found)
}

struct Search<Read> {
    read: Read,
    seen: BTreeSet<String>,
    found: Vec<Caller>,
}

impl<E, Read: Fn(&str) -> Result<Option<String>, E>> Search<Read> {
    /// Looks into the file that has this name for libpam: a path, or the name of a file in one of the directories.
    fn look_into(&mut self, name: &str) -> Result<(), E> {
        let Some((path, text)) = self.find(name)? else { return Ok(()) };
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        for (line, text) in logical_lines(&text) {
            if names_us(&text) {
                self.found.push(Caller { path: path.clone(), line });
            }
            for included in included_by(&text) {
                self.look_into(&included)?;
            }
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Option<(String, String)>, E> {
        if name.starts_with('/') {
            return Ok((self.read)(name)?.map(|text| (name.to_owned(), text)));
        }
        for directory in DIRECTORIES {
            let path = format!("{directory}/{name}");
            if let Some(text) = (self.read)(&path)? {
                return Ok(Some((path, text)));
            }
        }
        Ok(None)
    }
}

/// What a line may include, be it one of a service or of [`CONF`], where the name of the service comes first.
fn included_by(line: &str) -> Vec<String> {
    let words = words(line);
    let includes =
        |word: &str| ["@include", "include", "substack"].iter().any(|known| known.eq_ignore_ascii_case(word));
    let followers = words.iter().zip(words.iter().skip(1));
    followers.filter(|(word, _)| includes(word)).map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The lines that are found in these files, of these services.
    fn found(services: &[&str], files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<&str, &str> = files.iter().copied().collect();
        let read = |path: &str| Ok::<_, ()>(files.get(path).map(|text| (*text).to_owned()));
        let services = services.iter().map(|name| (*name).to_owned());
        callers(services, read).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_is_found_however_it_names_the_module() {
        for line in [
            "auth required pam_countersign.so",
            "-auth\trequired\tpam_countersign.so nullok",
            "auth [success=1 default=ignore] /usr/lib/x86_64-linux-gnu/security/pam_countersign.so",
            "auth required \\\n  pam_countersign.so",
            "session optional pam_countersign.so # told after a login",
            "auth requird pam_countersign.so",
        ] {
            assert_eq!(found(&["sshd"], &[("/etc/pam.d/sshd", line)]), ["/etc/pam.d/sshd:1"], "{line}");
        }
        for line in
            ["# auth required pam_countersign.so", "auth required pam_deny.so # not pam_countersign.so", ""]
        {
            assert_eq!(found(&["sshd"], &[("/etc/pam.d/sshd", line)]), [""; 0], "{line}");
        }
    }

    #[test]
    fn what_is_included_is_looked_into_wherever_it_is() {
        let ours = "# ours\nauth required pam_countersign.so\n";
        for (line, path) in [
            ("@include common-auth", "/etc/pam.d/common-auth"),
            ("auth include common-auth", "/usr/lib/pam.d/common-auth"),
            ("auth SUBSTACK common-auth", "/usr/share/pam.d/common-auth"),
            ("-auth include /etc/ours", "/etc/ours"),
            ("auth include ours/lines", "/etc/pam.d/ours/lines"),
            ("auth include ../ours", "/etc/pam.d/../ours"),
        ] {
            let files = [("/etc/pam.d/sshd", line), (path, ours)];
            assert_eq!(found(&["sshd"], &files), [format!("{path}:2")], "{line}");
        }
        let round =
            [("/etc/pam.d/a", "auth include b"), ("/etc/pam.d/b", "auth include a\nauth include nowhere")];
        assert_eq!(found(&["a", "b"], &round), [""; 0]);
        assert_eq!(
            found(&[CONF], &[(CONF, "sshd auth include ours"), ("/etc/pam.d/ours", ours)]),
            ["/etc/pam.d/ours:2"]
        );
    }

    #[test]
    fn a_file_that_another_one_hides_is_not_read() {
        let files = [
            ("/etc/pam.d/sudo", "auth required pam_unix.so"),
            ("/usr/lib/pam.d/sudo", "auth required pam_countersign.so"),
        ];
        assert_eq!(found(&["sudo"], &files), [""; 0]);
        assert_eq!(found(&["sudo"], &files[1..]), ["/usr/lib/pam.d/sudo:1"]);
    }

    #[test]
    fn a_file_that_cannot_be_read_ends_the_search() {
        let read = |path: &str| {
            if path.ends_with("/b") { Err("a broken disk") } else { Ok(Some("@include b".to_owned())) }
        };
        assert_eq!(callers(["a".to_owned()], read), Err("a broken disk"));
    }
}
