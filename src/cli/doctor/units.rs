//! As whom systemd runs the programs that ask PAM.

use crate::doctor::{Daemon, PamFiles};
use crate::sys;

/// The services of PAM whose unit of the same name is not run by root. None where there is no systemd.
pub(super) fn not_root(pam: &PamFiles) -> Vec<Daemon> {
    let is_plain =
        |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let units: Vec<String> = pam.services().filter(is_plain).map(|name| format!("{name}.service")).collect();
    let asked = ["show", "--property=Id,User,DynamicUser", "--"];
    let arguments: Vec<&str> = asked.into_iter().chain(units.iter().map(String::as_str)).collect();
    match sys::program::output("/usr/bin/systemctl", &arguments) {
        Ok(Ok(told)) => told.split("\n\n").filter_map(daemon).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// A unit of which systemctl(1) shows that it is run by somebody else than root.
fn daemon(properties: &str) -> Option<Daemon> {
    let value = |name: &str| properties.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let service = value("Id")?.strip_suffix(".service")?;
    let user = match value("User").unwrap_or_default() {
        // systemd makes an account of the name of the unit.
        "" if value("DynamicUser") == Some("yes") => service,
        user => user,
    };
    let is_somebody = !["", "root", "0"].contains(&user);
    is_somebody.then(|| Daemon { service: service.to_owned(), user: user.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_a_unit_is_read_from_what_systemctl_shows() {
        let of = |text| daemon(text).map(|daemon| (daemon.service, daemon.user));
        let owned = |service: &str, user: &str| Some((service.to_owned(), user.to_owned()));
        assert_eq!(of("Id=radiusd.service\nUser=freerad\nDynamicUser=no\n"), owned("radiusd", "freerad"));
        assert_eq!(of("User=\nDynamicUser=yes\nId=x.service\n"), owned("x", "x"));
        assert_eq!(of("User=\nDynamicUser=no\nId=cron.service\n"), None);
        assert_eq!(of("User=root\nDynamicUser=no\nId=cups.service\n"), None);
        assert_eq!(of(""), None);
    }
}
