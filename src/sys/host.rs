//! What this machine is called.

/// The name of the host; `countersign` where it has none that can be read.
pub fn name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "countersign".to_owned())
}
