//! What this machine is called.

/// The name of the host; `countersign` where it has none that can be read.
pub fn name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "countersign".to_owned())
}

/// A name for the present run of the machine, which another start changes.
pub fn boot() -> std::io::Result<String> {
    let path = std::path::Path::new("/proc/sys/kernel/random/boot_id");
    let told = super::secure_file::read_published(path, 64);
    let told = told.map_err(|error| std::io::Error::other(format!("{}: {error:?}", path.display())))?;
    Ok(told.trim_end().to_owned())
}
