//! The questions of a setup, each with an option that answers it, and the answer of who presses Enter.

use super::people::{self, Keys, Means, Others, means_of};
use super::{Error, Stop, Terminal};
use crate::cli::setup_args::{First, Guarded, Setup, Unenrolled};
use crate::doctor::{Machine, asks_for_code};
use crate::setup::{Choices, FirstFactor, Service, plan, sshd};
use crate::user::User;

/// How many names are shown at once.
const MOST_SHOWN: usize = 10;

impl From<Guarded> for Service {
    fn from(guarded: Guarded) -> Self {
        match guarded {
            Guarded::Sshd => Self::Sshd,
            Guarded::Login => Self::Login,
            Guarded::Sudo => Self::Sudo,
            Guarded::Su => Self::Su,
        }
    }
}

/// What is to become of the machine. Nothing where nothing is left to be guarded.
pub(super) fn choices(
    options: &Setup,
    user: &User,
    machine: &Machine,
    terminal: &mut Terminal,
) -> Result<Option<Choices>, Error> {
    let keys = Keys::of(machine);
    let means = means_of(user.name.as_str(), &keys);
    if !means.password && !means.key {
        let what = format!("{} has neither a password nor a key, so no login can be tried", user.name);
        return Err(Stop::said(what, "passwd USER, or name somebody else with --user"));
    }
    let services = services(options, means, machine, terminal)?;
    if services.is_empty() {
        return Ok(None);
    }
    let asks = !options.yes && !options.dry_run;
    let ssh = if services.contains(&Service::Sshd) {
        let others = Others::of(machine, &keys, user);
        let ssh = first_factor(options, means, &others, asks, terminal)?;
        must_be_able_to(user, means, ssh, machine)?;
        tell_who_cannot(ssh, machine, &keys, &others, terminal);
        ssh
    } else {
        FirstFactor::Password
    };
    if let Some(service) = services.iter().find(|service| **service != Service::Sshd && !means.password) {
        let what = format!("{} has no password, so no login by {} can be tried", user.name, service.name());
        return Err(Stop::said(what, "leave it out, or give a password first: passwd USER"));
    }
    let lets_unenrolled_in = unenrolled(options, user, machine, asks, terminal)?;
    Ok(Some(Choices { services, ssh, lets_unenrolled_in }))
}

/// What is to be guarded: ssh, unless somebody says more. The console stays a way in for who has lost his phone,
/// and whoever has his password there stands before the machine.
fn services(
    options: &Setup,
    means: Means,
    machine: &Machine,
    terminal: &mut Terminal,
) -> Result<Vec<Service>, Error> {
    let is_there = |service: Service| {
        plan::present(&machine.pam).contains(&service) && (service != Service::Sshd || machine.sshd.is_some())
    };
    let mut named: Vec<Service> = options.services.iter().copied().map(Service::from).collect();
    if let Some(missing) = named.iter().find(|service| !is_there(**service)) {
        let what = format!("this machine has no {}, or PAM no stack for it", missing.name());
        return Err(Stop::said(what, "name what there is: sshd, login, sudo, su"));
    }
    let asks = !options.yes && !options.dry_run && named.is_empty();
    if named.is_empty() {
        let mut there = Service::ALL.into_iter().filter(|service| is_there(*service));
        let usual = if is_there(Service::Sshd) { Some(Service::Sshd) } else { there.clone().next() };
        named = if asks {
            let mut chosen = Vec::new();
            for service in there {
                if service != Service::Sshd && !means.password {
                    continue;
                }
                let question = format!("guard {}?", words_for(service));
                if !asks_for_code(&machine.pam, service.name())
                    && ask(&question, Some(service) == usual, terminal)?
                {
                    chosen.push(service);
                }
            }
            chosen
        } else {
            usual.or_else(|| there.next()).into_iter().collect()
        };
    }
    named.sort_unstable();
    named.dedup();
    named.retain(|service| {
        let is_guarded = asks_for_code(&machine.pam, service.name());
        if is_guarded {
            terminal.say(format_args!("{} asks for a code already", service.name()));
        }
        !is_guarded
    });
    Ok(named)
}

fn words_for(service: Service) -> &'static str {
    match service {
        Service::Sshd => "ssh",
        Service::Login => "the console (login)",
        Service::Sudo => "sudo",
        Service::Su => "su",
    }
}

/// What is said, or what the person has; where he has both, what keeps nobody out.
fn first_factor(
    options: &Setup,
    means: Means,
    others: &Others<'_>,
    asks: bool,
    terminal: &mut Terminal,
) -> Result<FirstFactor, Error> {
    match options.ssh {
        Some(First::Key) => return Ok(FirstFactor::Key),
        Some(First::Password) => return Ok(FirstFactor::Password),
        None => {}
    }
    let usual = match (means.key, means.password) {
        (false, _) => return Ok(FirstFactor::Password),
        (true, false) => return Ok(FirstFactor::Key),
        (true, true) => others.usual(),
    };
    if !asks {
        return Ok(usual);
    }
    let question = "ssh with key and code? (no: with password and code)";
    let by_key = ask(question, usual == FirstFactor::Key, terminal)?;
    Ok(if by_key { FirstFactor::Key } else { FirstFactor::Password })
}

/// The person must have what would be asked for, and be somebody whom sshd asks.
fn must_be_able_to(user: &User, means: Means, ssh: FirstFactor, machine: &Machine) -> Result<(), Error> {
    let (has, thing, mend) = match ssh {
        FirstFactor::Key => (means.key, "key (authorized_keys)", "put one there, or choose --ssh password"),
        FirstFactor::Password => (means.password, "password", "passwd USER, or choose --ssh key"),
    };
    if !has {
        return Err(Stop::said(format!("{} has no {thing} to log in with", user.name), mend));
    }
    if user.uid == Some(0) && !root_is_asked(machine) {
        return Err(Stop::said(
            "sshd asks root for nothing but a key (PermitRootLogin), so root would be kept out",
            "run it by sudo as somebody else, or name him with --user",
        ));
    }
    Ok(())
}

/// Whether sshd would ask root for a code.
fn root_is_asked(machine: &Machine) -> bool {
    root_login(machine).is_none_or(|value| value == "yes")
}

fn root_login(machine: &Machine) -> Option<&str> {
    sshd::value(machine.sshd.as_ref()?.settings.as_deref().ok()?, "permitrootlogin")
}

/// Names those who get in by ssh now and would not any more.
fn tell_who_cannot(
    ssh: FirstFactor,
    machine: &Machine,
    keys: &Keys,
    others: &Others<'_>,
    terminal: &mut Terminal,
) {
    let names = others.kept_out_by(ssh);
    if !names.is_empty() {
        let thing = if ssh == FirstFactor::Key { "key" } else { "password" };
        terminal.say(format_args!("no longer by ssh, for want of a {thing}: {}", listed(&names)));
    }
    if !root_is_asked(machine) && root_login(machine) != Some("no") && means_of("root", keys).key {
        terminal.say("no longer by ssh: root with his key (PermitRootLogin allows him no code)");
    }
}

/// Whether who is not enrolled gets in without a code: yes, where that would keep people out who get in now.
fn unenrolled(
    options: &Setup,
    user: &User,
    machine: &Machine,
    asks: bool,
    terminal: &mut Terminal,
) -> Result<bool, Error> {
    let names = people::unenrolled(machine, user.name.as_str());
    if !names.is_empty() {
        terminal.say(format_args!("not enrolled yet: {}", listed(&names)));
    }
    let are_more = !people::are_all_listed();
    if are_more {
        terminal
            .say("not looked at: people whom a directory knows and does not list (passwd in nsswitch.conf)");
    }
    match options.unenrolled {
        Some(Unenrolled::Allow) => return Ok(true),
        Some(Unenrolled::Refuse) => return Ok(false),
        None => {}
    }
    let keeps_out = are_more || !names.is_empty();
    if !keeps_out || !asks {
        return Ok(keeps_out);
    }
    ask("let them in without a code until they are enrolled? (no: keep them out)", true, terminal)
}

fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_SHOWN);
    let shown = names.iter().take(MOST_SHOWN).map(|name| name.escape_debug().to_string()).collect::<Vec<_>>();
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{and_more}", shown.join(", "))
}

/// Asks for yes or no; Enter is the usual one.
fn ask(question: &str, usual: bool, terminal: &mut Terminal) -> Result<bool, Error> {
    let answers = if usual { "[Y/n]" } else { "[y/N]" };
    let answer = terminal.ask(&format!("{question} {answers} "))?.ok_or(Error::GivenUp)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "" => Ok(usual),
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(Error::GivenUp),
    }
}
