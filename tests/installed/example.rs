//! The examples in `pam.d/`, put in place as their own comments say.

use super::Guarded;
use std::fs;
use std::path::Path;

/// Where the services of Debian are kept as they were.
pub(super) const PRISTINE: &str = "/root/pam.d";

/// A file of `pam.d/`, read as an administrator reads it.
#[derive(Debug)]
pub struct Example {
    text: String,
}

impl Example {
    /// The example of this name.
    pub fn read(name: &str) -> Example {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pam.d").join(name);
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
        Example { text }
    }

    /// The one command in its comments that puts the lines in place.
    fn command(&self) -> &str {
        let mut commands = self.in_comments().filter(|line| line.starts_with("sudo sed "));
        let command = commands.next().expect("the comments give a command");
        assert_eq!(commands.next(), None, "the comments give one command");
        command.trim_start_matches("sudo ")
    }

    /// The lines for sshd in its comments.
    pub fn sshd_config(&self) -> String {
        let lines = self.in_comments().filter(|line| line.starts_with(|first: char| first.is_uppercase()));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// What the comments show as to be typed or written: it is indented.
    fn in_comments(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| line.strip_prefix("#    "))
    }
}

impl Guarded {
    /// Puts the lines of an example into the services that its comments name, in place of what an
    /// earlier example put there.
    pub fn guard(&self, example: &str) {
        let example = Example::read(example);
        self.must(&["sh", "-c", &format!("cp -a {PRISTINE}/. /etc/pam.d/")]);
        self.must(&["sh", "-ec", example.command()]);
    }

    /// Adds the lines of an example to services that no earlier example has touched.
    pub fn guard_also(&self, example: &str) {
        self.must(&["sh", "-ec", Example::read(example).command()]);
    }

    /// Sets sshd up as an example says, both its service and its configuration.
    pub fn guard_ssh(&self, example: &str) {
        self.guard(example);
        self.sshd_config(&Example::read(example).sshd_config());
    }

    /// Takes the lines marked `#auth` of a service in place of the others, as the comments offer.
    pub fn hide_wrong_passwords(&self, service: &str) {
        self.edit_service(service, |text| {
            let (before, after) = text.split_once("@include common-auth\n").expect("an example's lines");
            let (ours, after) = after.split_once('\n').expect("the module's line");
            assert!(ours.contains("pam_countersign.so") && after.contains("\n#auth"), "{text}");
            format!("{before}{}", after.replace("\n#auth", "\nauth"))
        });
    }

    /// Adds an argument to the last line of a service that calls the module.
    pub fn add_argument(&self, service: &str, argument: &str) {
        self.edit_service(service, |text| {
            let is_ours = |line: &str| line.starts_with("auth") && line.contains("pam_countersign.so");
            let last = text.lines().rfind(|line| is_ours(line)).expect("a line of the module");
            text.replace(&format!("\n{last}\n"), &format!("\n{last} {argument}\n"))
        });
    }

    fn edit_service(&self, service: &str, edit: impl FnOnce(&str) -> String) {
        let path = format!("/etc/pam.d/{service}");
        let before = self.read(&path);
        let after = edit(&before);
        assert_ne!(before, after, "{path} is not changed");
        self.write(&path, 0o644, after);
    }
}
