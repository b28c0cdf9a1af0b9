//! `countersign import`: people go on with the devices that they have.
//!
//! Each source is read to its end before anything is made of it, and never written to.

use std::collections::HashMap;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use super::error::{Error, ExitCode};
use super::import_args::{Homes, Import, OathFile, Source, Uris};
use super::importing::{Importing, Problem};
use super::terminal::Terminal;
use super::who;
use crate::credential::record::MOST_AUTHENTICATORS;
use crate::import::{Found, google_authenticator, oath_users, otpauth_uri};
use crate::sys;
use crate::sys::home_file::{self, Account};
use crate::user::{User, UserName};

/// What the incumbent's file is called.
const GOOGLE_AUTHENTICATOR: &str = ".google_authenticator";

/// Says what would be taken over, or takes it over.
pub(super) fn run(options: &Import, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    match &options.source {
        Source::GoogleAuthenticator(homes) if homes.all => from_all_homes(homes, terminal),
        Source::GoogleAuthenticator(homes) => from_home(homes, terminal),
        Source::Oath(file) => from_oath(file, terminal),
        Source::Uri(uris) => from_uris(uris, terminal),
    }
}

fn from_home(homes: &Homes, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = who::account(homes.user.as_deref())?;
    let account = sys::accounts::by_name(&user.name).map_err(Error::Accounts)?;
    let account = account.ok_or_else(|| Error::NoAccount(user.name.to_string()))?;
    let mut importing = Importing::new(&homes.how, terminal)?;
    importing.take(&user, google_authenticator_of(&account));
    Ok(importing.end_of_one())
}

fn from_all_homes(homes: &Homes, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let accounts = sys::accounts::all().map_err(Error::Accounts)?;
    let mut importing = Importing::new(&homes.how, terminal)?;
    let mut seen = HashSet::new();
    for account in accounts {
        // Two sources of a name service may list the same one; the first is the one that counts.
        if !seen.insert(account.name.clone()) {
            continue;
        }
        match UserName::new(&account.name) {
            Ok(name) => {
                let user = User { name, uid: Some(account.uid) };
                importing.take(&user, google_authenticator_of(&account));
            }
            Err(problem) => {
                let shown = String::from_utf8_lossy(&account.name).escape_debug().to_string();
                importing.refuse(&shown, &Problem::Other(Error::BadName(problem)));
            }
        }
    }
    Ok(importing.end())
}

fn google_authenticator_of(account: &Account) -> Result<Vec<Found>, Problem> {
    let name = OsStr::new(GOOGLE_AUTHENTICATOR);
    let bytes = home_file::read(account, name, crate::import::MOST_BYTES).map_err(Problem::Unreadable)?;
    Ok(vec![google_authenticator::read(&bytes).map_err(Problem::Unfit)?])
}

fn from_oath(options: &OathFile, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let unusable = |problem: Problem| Error::Source(options.file.clone(), problem.to_string());
    let bytes = read_of_root(&options.file).map_err(unusable)?;
    let lines = oath_users::read(&bytes).map_err(|problem| unusable(Problem::Unfit(problem)))?;
    let mut importing = Importing::new(&options.how, terminal)?;
    let mut users: Vec<(UserName, Result<Vec<Found>, Problem>)> = Vec::new();
    let mut places = HashMap::new();
    for line in lines {
        let Some(name) = line.user else {
            let problem = line.found.err().map_or(Problem::NoFile, Problem::Unfit);
            importing.refuse(&format!("line {}", line.number), &problem);
            continue;
        };
        let place = *places.entry(name.clone()).or_insert(users.len());
        if place == users.len() {
            users.push((name, Ok(Vec::new())));
        }
        if let Some((_, all)) = users.get_mut(place) {
            // A user comes whole or not at all.
            match (all.as_mut(), line.found) {
                (Ok(devices), Ok(found)) => devices.push(found),
                (Ok(_), Err(problem)) => *all = Err(Problem::Unfit(problem)),
                (Err(_), _) => {}
            }
        }
    }
    for (name, found) in users {
        match who::account(Some(name.as_str())) {
            Ok(user) => importing.take(&user, found),
            Err(error) => importing.refuse(name.as_str(), &Problem::Other(error)),
        }
    }
    Ok(importing.end())
}

/// A file that root alone may read, wherever it is.
fn read_of_root(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, Problem> {
    let path = std::path::absolute(path).map_err(|error| Problem::Other(Error::System(error)))?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Problem::NoFile);
    };
    let root =
        Account { name: b"root".to_vec(), uid: 0, gid: 0, home: directory.to_owned(), shell: "".into() };
    home_file::read(&root, name, oath_users::MOST_BYTES).map_err(Problem::Unreadable)
}

fn from_uris(options: &Uris, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = who::account(Some(&options.user))?;
    let mut found = Ok(Vec::new());
    let mut count = 0;
    // One more than there can be tells that there are too many.
    while count <= MOST_AUTHENTICATORS
        && let Some(line) = terminal.ask_in_secret("otpauth URI, or an empty line to end: ")?
        && !line.trim().is_empty()
    {
        count += 1;
        let device = otpauth_uri::read(line.as_bytes()).map_err(Problem::Unfit);
        found = found.and_then(|mut devices: Vec<Found>| {
            devices.push(device?);
            Ok(devices)
        });
    }
    if count == 0 {
        return Err(Error::GivenUp);
    }
    let mut importing = Importing::new(&options.how, terminal)?;
    importing.take(&user, found);
    Ok(importing.end_of_one())
}
