//! The command `countersign`: see `countersign --help` and the module `cli`.

fn main() -> std::process::ExitCode {
    pam_countersign::cli::main()
}
