//! A small disk of its own below a module, which can be full or read-only.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use crate::attempt::Attempt;
use crate::cell::Cell;
use crate::disk::{Below, Kind, LoopDevice};
use crate::ground::Ground;
use crate::row::Row;
use crate::subject::Subject;

const DEVICE: &str = "/dev/small-disk";

pub(crate) fn tell(ground: &Ground, subject: Subject) -> Vec<(Row, Cell)> {
    let mut cells = Vec::new();
    let disk = Disk::below(ground, subject);
    disk.fill();
    let (lets_in, once) = twice(ground, subject);
    cells.extend([(Row::FullDisk, lets_in), (Row::FullDiskOnce, once)]);
    drop(disk);

    let disk = Disk::below(ground, subject);
    disk.change(&["mount", "-o", "remount,ro", subject.directory()]);
    let (lets_in, once) = twice(ground, subject);
    cells.extend([(Row::ReadOnlyLetsIn, lets_in), (Row::ReadOnlyDenies, once)]);
    cells
}

/// A right code, and the same once more: whether it lets in, and whether not twice.
fn twice(ground: &Ground, subject: Subject) -> (Cell, Cell) {
    let code = ground.phone.code(0);
    let first = Attempt::new(subject, &code).run(ground);
    let second = Attempt::new(subject, &code).run(ground);
    let both = format!("{}, then {}", first.outcome(), second.outcome());
    (
        Cell::holds_if(first.let_in(), first.outcome()),
        Cell::holds_if(!(first.let_in() && second.let_in()), both),
    )
}

/// An ext4 of 16 MiB in place of the module's directory, with alice enrolled on it.
struct Disk<'a> {
    ground: &'a Ground,
    subject: Subject,
    _device: LoopDevice,
}

impl<'a> Disk<'a> {
    fn below(ground: &'a Ground, subject: Subject) -> Self {
        let image = tempfile::tempfile_in(ground.machine.directory()).expect("an image");
        image.set_len(Kind::Ext4.least_size()).expect("its size");
        let device = LoopDevice::over(&image, Below::Cached);
        Kind::Ext4.make_on(device.path());
        let number = std::fs::metadata(device.path()).expect("the device").rdev();
        let disk = Self { ground, subject, _device: device };
        let (major, minor) = (nix::sys::stat::major(number), nix::sys::stat::minor(number));
        disk.change(&["mknod", DEVICE, "b", &major.to_string(), &minor.to_string()]);
        disk.change(&["mount", "-t", "ext4", DEVICE, subject.directory()]);
        ground.renew(subject);
        disk
    }

    /// Mounts need more than root inside has.
    fn change(&self, command: &[&str]) {
        let leader = self.ground.machine.leader().to_string();
        let entered =
            Command::new("nsenter").args(["--target", &leader, "--mount", "--"]).args(command).output();
        let entered = entered.expect("nsenter is installed");
        assert!(entered.status.success(), "{command:?}: {}", String::from_utf8_lossy(&entered.stderr));
    }

    /// Writes until not a byte more fits.
    fn fill(&self) {
        let path = self.ground.path(self.subject.directory()).join("filling");
        let mut file = File::create(path).expect("a file");
        for piece in [&[0; 1 << 14][..], &[0; 1 << 10], &[0]] {
            loop {
                match file.write_all(piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("filling the disk: {error}"),
                }
            }
        }
        file.sync_all().expect("a full disk can be flushed");
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        self.change(&["umount", self.subject.directory()]);
        self.change(&["rm", DEVICE]);
    }
}
