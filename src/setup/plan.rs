//! All that setup changes, as texts: the stacks of the chosen services and a file of sshd's own.

use super::choices::{Choices, Service};
use super::stack_edit::{Unfit, guarded};
use crate::doctor::PamFiles;

/// Where the stacks are that count before all others.
const PAM: &str = "/etc/pam.d";

/// A file and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// Its path.
    pub path: String,
    /// Its text; `None` where there is no such file yet.
    pub before: Option<String>,
    /// What its text becomes.
    pub after: String,
}

/// A file that cannot be changed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The path.
    pub path: String,
    /// Why.
    pub why: Unfit,
}

/// What the files of the chosen services become. The stacks are put into `files` as they will be.
pub fn plan(files: &mut PamFiles, choices: &Choices) -> Result<Vec<FileEdit>, Obstacle> {
    let mut edits = Vec::new();
    for service in &choices.services {
        for stack in service.stacks() {
            let Some((path, text)) = files.get(stack) else { continue };
            let (found_at, text) = (path.to_owned(), text.to_owned());
            let after = guarded(files, *service, stack, choices)
                .map_err(|why| Obstacle { path: found_at.clone(), why })?;
            let Some(after) = after else { continue };
            // A file of the distribution is not changed: one of the same name in /etc counts before it.
            let path = format!("{PAM}/{stack}");
            let before = (path == found_at).then_some(text);
            files.insert(stack, &path, after.clone());
            edits.push(FileEdit { path, before, after });
        }
    }
    Ok(edits)
}

/// The services of this machine.
pub fn present(files: &PamFiles) -> Vec<Service> {
    Service::ALL.into_iter().filter(|service| files.get(service.name()).is_some()).collect()
}
