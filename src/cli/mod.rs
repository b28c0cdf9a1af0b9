//! The command: what an administrator runs to enrol people and to look after them.
//!
//! One verb a file. No verb decides anything about codes: that is `policy` and `enrol`.
#![forbid(unsafe_code)]

mod admin_args;
mod adopt;
mod args;
mod audit;
mod bulk;
mod bulk_args;
mod callers;
mod check_config;
mod completions;
mod confirm;
mod device;
mod device_args;
mod disable;
mod doctor;
mod enroll;
mod error;
mod error_of;
mod explain;
mod export;
mod forget;
mod import;
mod import_args;
mod importing;
mod interruption;
mod json;
mod list;
mod locale;
mod man_pages;
mod new_device;
mod own;
mod page;
mod pages;
mod private_screen;
mod progress;
mod prove_password;
mod qr;
mod recovery;
mod recovery_file;
mod refused;
mod remove;
mod repair;
mod saved_file;
mod serve;
mod setup;
mod setup_args;
mod status;
mod terminal;
mod test;
mod told_args;
mod unlock;
mod who;

use clap::Parser as _;

use args::{Arguments, Verb};
pub use error::{Error, ExitCode};
use terminal::Terminal;

/// Runs the command and says how it ended.
pub fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap knows where each belongs.
            let _ = error.print();
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Success };
            return code.into();
        }
    };
    let mut terminal = Terminal::of_this_process();
    let done = match arguments.verb {
        Verb::Setup(options) => setup::run(&options, &mut terminal),
        Verb::Enroll(options) => enroll::run(&options, &mut terminal),
        Verb::List(options) => list::run(&options, &mut terminal),
        Verb::Status(options) => status::run(&options, &mut terminal),
        Verb::Add(options) => device::add(&options, &mut terminal),
        Verb::Replace(options) => device::replace(&options, &mut terminal),
        Verb::Confirm(options) => confirm::run(&options, &mut terminal),
        Verb::Recovery(options) => recovery::run(&options, &mut terminal),
        Verb::Remove(options) => remove::run(&options, &mut terminal),
        Verb::Test(options) => test::run(&options, &mut terminal),
        Verb::Doctor(options) => doctor::run(&options, &mut terminal),
        Verb::Explain(options) => explain::run(&options, &mut terminal),
        Verb::CheckConfig(options) => check_config::run(&options, &mut terminal),
        Verb::Disable(options) => disable::disable(&options, &mut terminal),
        Verb::Enable(options) => disable::enable(&options, &mut terminal),
        Verb::Unlock(options) => unlock::run(&options, &mut terminal),
        Verb::Forget(options) => forget::run(&options, &mut terminal),
        Verb::Repair(options) => repair::run(&options, &mut terminal),
        Verb::Import(options) => import::run(&options, &mut terminal),
        Verb::Export(options) => export::run(&options, &mut terminal),
        Verb::Serve(options) => serve::run(&options, &mut terminal),
        Verb::Adopt(options) => adopt::run(&options, &mut terminal),
        Verb::Completions(options) => completions::run(&options, &mut terminal),
        Verb::ManPages(options) => man_pages::run(&options),
        Verb::RollBack(options) => setup::roll_back(&options, &mut terminal),
        Verb::ProvePassword => prove_password::run(),
        Verb::Callers(options) => callers::run(&options, &mut terminal),
    };
    let code = done.unwrap_or_else(|error| {
        terminal.complain(&error);
        error.exit_code()
    });
    code.into()
}
