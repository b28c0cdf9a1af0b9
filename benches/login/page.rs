//! The page: what was seen, and the targets beside it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::counted::Counted;
use crate::figures::{Middle, Series, milliseconds};
use crate::ground::{Ground, PEOPLE};
use crate::module::Module;
use crate::{ROUNDS, Seen};

/// What the figures depend on.
pub(crate) struct Machine {
    processors: usize,
    file_system: String,
    versions: Vec<String>,
    needs: Vec<String>,
}

impl Machine {
    pub(crate) fn of(ground: &Ground) -> Self {
        let version =
            |package| ground.machine.must(&["dpkg-query", "-W", "-f=${Package} ${Version}", package]);
        let module =
            ground.machine.must(&["sh", "-c", "cat /usr/lib/*/security/pam_countersign.so | base64 -w0"]);
        Self {
            processors: std::thread::available_parallelism().expect("a number of processors").get(),
            file_system: file_system_of(ground.machine.directory()),
            versions: Module::ALL.iter().filter_map(|module| module.package()).map(version).collect(),
            needs: needs(&data_encoding::BASE64.decode(module.trim_end().as_bytes()).expect("base64")),
        }
    }
}

fn file_system_of(path: &Path) -> String {
    let found = Command::new("findmnt").args(["-n", "-o", "FSTYPE", "--target"]).arg(path).output();
    String::from_utf8_lossy(&found.expect("findmnt").stdout).trim().to_owned()
}

/// The libraries that a module names.
fn needs(module: &[u8]) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), module).expect("a copy of the module");
    let said = Command::new("readelf").arg("--dynamic").arg(file.path()).output().expect("readelf");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let names = said.lines().filter(|line| line.contains("(NEEDED)"));
    names.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']').to_owned())).collect()
}

/// The whole page.
pub(crate) fn of(seen: &Seen) -> String {
    let Machine { processors, file_system, versions, .. } = &seen.machine;
    format!(
        "<!-- Written by `make bench`; do not edit. -->\n\
         # How long a login takes\n\n\
         The same program (`tests/client/pam_client.rs`) logs in by a right code with each of three modules, in turn, in a booted Debian\n\
         12 with {processors} processors, on {file_system}: {ROUNDS} times for each figure, in a process of its own each time, as root. The stack has that\n\
         module alone. {PEOPLE} people log in, with devices that count, for those have any number of codes; the others who are enrolled have no\n\
         account, because looking names up in `/etc/passwd` is not what is measured. `permit` asks nothing: it is what libpam and the program cost.\n\
         The last row of each table is what no login can do without that makes a code good once: 4096 bytes of a file that is there, written\n\
         and flushed (`pwrite`, `fdatasync`), on the same file system and in the same turn.\n\n\
         Compared: {}.\n\n\
         *whole*: from `pam_start` to the end of `pam_end`. *verdict*: from the typed code to the end of `pam_authenticate`, which\n\
         includes what libpam and the module write to the log. Times are milliseconds.\n\n\
         {}\n\
         ![p50 of a whole login by the number of enrolled users](benchmarks.svg)\n\n\
         ## While another program writes\n\n\
         The same with the last number of users, while another program appends 16 KiB to a file and flushes it, again and again.\n\n\
         {HEAD}{}\n\
         ## Many at once\n\n\
         {PEOPLE} processes log in at once, each with a user of its own, while 100,000 are enrolled.\n\n\
         {}\n\
         ## What can be counted\n\n\
         Of one process that logs in once. What the program itself needs is in it: compare with `permit`.\n\n\
         {}\n\
         ## Targets\n\n\
         {}\n\
         What was tried for those that are missed, and why they are, is in [benchmarks-targets.md](benchmarks-targets.md).\n\n\
         Beside this: a code by the files and by the service in [benchmarks-service.md](benchmarks-service.md), a list of 100,000 users in\n\
         [benchmarks-list.md](benchmarks-list.md); `cargo bench --bench core` measures the rules alone.\n",
        versions.join(", "),
        times(seen),
        rows(&seen.busy),
        together(seen),
        counted(seen),
        targets(seen),
    )
}

const HEAD: &str = "| | whole p50 | whole p99 | verdict p50 | verdict p99 |\n|---|---|---|---|---|\n";

fn times(seen: &Seen) -> String {
    let mut text = String::new();
    for (size, series) in &seen.sizes {
        let _ = writeln!(text, "{size} enrolled:\n\n{HEAD}{}", rows(series));
    }
    text
}

fn rows(series: &Series) -> String {
    let mut text = String::new();
    for module in Module::ALL {
        let whole = pair(series.whole(module));
        let verdict = match module {
            Module::Permit => "| ".to_owned(),
            _ => pair(series.verdict(module)),
        };
        let _ = writeln!(text, "| {} | {whole} | {verdict} |", module.name());
    }
    let _ = writeln!(text, "| *a write and its flush* | {} | | |", pair(series.floor()));
    text
}

fn pair(middle: Middle) -> String {
    format!("{} | {}", milliseconds(middle.p50), milliseconds(middle.p99))
}

fn together(seen: &Seen) -> String {
    let mut text = "| | logins a second | right codes refused |\n|---|---|---|\n".to_owned();
    for (module, together) in &seen.together {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {} of {} |",
            module.name(),
            together.a_second,
            together.refused,
            together.tried
        );
    }
    text
}

fn counted(seen: &Seen) -> String {
    let mut text = "| | instructions | system calls | flushes | renames | bytes written | loading, processor time p50 | most memory p50 | size |\n\
                    |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let (_, series) = &seen.sizes[0];
    for (module, counted) in &seen.counted {
        let Counted { instructions, system_calls, flushes, renames, bytes_written, size } = counted;
        let _ = writeln!(
            text,
            "| {} | {instructions} | {system_calls} | {flushes} | {renames} | {bytes_written} | {} ms | {} KiB | {} KiB |",
            module.name(),
            milliseconds(series.loaded(*module).p50),
            series.peak_kilobytes(*module),
            size / 1024,
        );
    }
    text
}

/// A target, what was seen, and whether that meets it.
struct Target(&'static str, String, bool);

fn targets(seen: &Seen) -> String {
    let mut text = "| target | seen | |\n|---|---|---|\n".to_owned();
    for Target(target, figure, is_met) in all_targets(seen) {
        let _ = writeln!(text, "| {target} | {figure} | {} |", if is_met { "met" } else { "**missed**" });
    }
    text
}

fn all_targets(seen: &Seen) -> Vec<Target> {
    let (first, last) = (&seen.sizes[0].1, &seen.sizes[seen.sizes.len() - 1].1);
    let verdict = |series: &Series| series.verdict(Module::Countersign).p50;
    let above_floor: Vec<f64> =
        seen.sizes.iter().map(|(_, series)| ratio(verdict(series), series.floor().p50)).collect();
    let growth = ratio(verdict(last), verdict(first));
    let ours = counted_of(seen, Module::Countersign);
    let loading = more(first.loaded(Module::Countersign).p50, first.loaded(Module::Permit).p50);
    let memory =
        first.peak_kilobytes(Module::Countersign).saturating_sub(first.peak_kilobytes(Module::Permit));
    let needs = &seen.machine.needs;
    let wanted = ["libpam.so.0", "libgcc_s.so.1", "libc.so.6"];
    vec![
        Target(
            "the verdict takes at most 1.2 times the write and its flush, p50",
            format!("{} times, by the number of users", listed(&above_floor)),
            above_floor.iter().all(|times| *times <= 1.2),
        ),
        Target("one data flush a login", ours.flushes.to_string(), ours.flushes == 1),
        Target(
            "the verdict is flat from 10 to 100,000 users",
            format!("{growth:.2} times, p50"),
            growth <= 1.2,
        ),
        faster(seen, "the whole is faster than both others, p50", |middle| middle.p50),
        faster(seen, "the whole is faster than both others, p99", |middle| middle.p99),
        Target(
            "the same while another program writes, p50",
            if is_faster(&seen.busy, |middle| middle.p50) { "yes" } else { "no" }.to_owned(),
            is_faster(&seen.busy, |middle| middle.p50),
        ),
        Target("at most 640 KiB, stripped", format!("{} KiB", ours.size / 1024), ours.size <= 640 * 1024),
        Target(
            "needs libpam, libgcc_s and libc only",
            needs.join(", "),
            needs.iter().all(|name| wanted.contains(&name.as_str())),
        ),
        Target(
            "loads in less than 1 ms of processor time more than pam_permit.so, p50",
            format!("{} ms more", milliseconds(loading)),
            loading < Duration::from_millis(1),
        ),
        Target(
            "at most 2 MiB more memory than pam_permit.so, p50",
            format!("{memory} KiB more"),
            memory <= 2048,
        ),
    ]
}

fn is_faster(series: &Series, of: fn(Middle) -> Duration) -> bool {
    let time = |module| of(series.whole(module));
    let others = [Module::GoogleAuthenticator, Module::Oath];
    others.iter().all(|other| time(Module::Countersign) < time(*other))
}

fn faster(seen: &Seen, target: &'static str, of: fn(Middle) -> Duration) -> Target {
    let word = |is_so| if is_so { "yes" } else { "no" };
    let told: Vec<String> =
        seen.sizes.iter().map(|(size, series)| format!("{size}: {}", word(is_faster(series, of)))).collect();
    let all = seen.sizes.iter().all(|(_, series)| is_faster(series, of));
    Target(target, told.join(", "), all)
}

fn counted_of(seen: &Seen, wanted: Module) -> Counted {
    let found = seen.counted.iter().find(|(module, _)| *module == wanted);
    found.expect("it is counted").1
}

fn ratio(time: Duration, other: Duration) -> f64 {
    time.as_secs_f64() / other.as_secs_f64()
}

fn more(time: Duration, other: Duration) -> Duration {
    time.saturating_sub(other)
}

fn listed(numbers: &[f64]) -> String {
    let texts: Vec<String> = numbers.iter().map(|number| format!("{number:.2}")).collect();
    texts.join(", ")
}
