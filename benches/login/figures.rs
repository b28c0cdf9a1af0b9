//! What one login took, and many.

use std::time::Duration;

use crate::module::Module;

/// One login.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// From `pam_start` to the end of `pam_end`.
    pub(crate) whole: Duration,
    /// From the reply to the end of `pam_authenticate`; nothing where nobody asked.
    pub(crate) verdict: Option<Duration>,
    /// Processor time of `pam_start`, which loads the module.
    pub(crate) loaded: Duration,
    /// The most memory of the process.
    pub(crate) peak_kilobytes: u64,
}

impl Figures {
    /// What `pam-client --timing` printed.
    pub(crate) fn read(printed: &str) -> Self {
        let number = |word: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(word));
            line.map(|number| number.trim().parse::<u64>().expect("a number"))
        };
        let time = |word: &str| number(word).map(Duration::from_nanos);
        Self {
            whole: time("whole ").expect("the time of a transaction"),
            verdict: time("verdict "),
            loaded: time("loaded ").expect("the time of pam_start"),
            peak_kilobytes: number("peak_kb ").expect("the memory"),
        }
    }
}

/// The logins at one size, and what a write took meanwhile.
#[derive(Clone, Default)]
pub(crate) struct Series {
    logins: [Vec<Figures>; Module::ALL.len()],
    pub(crate) floor: Vec<Duration>,
}

impl Series {
    pub(crate) fn put(&mut self, module: Module, figures: Figures) {
        self.logins[module as usize].push(figures);
    }

    pub(crate) fn whole(&self, module: Module) -> Middle {
        Middle::of(self.logins[module as usize].iter().map(|login| login.whole))
    }

    pub(crate) fn verdict(&self, module: Module) -> Middle {
        Middle::of(self.logins[module as usize].iter().filter_map(|login| login.verdict))
    }

    pub(crate) fn loaded(&self, module: Module) -> Middle {
        Middle::of(self.logins[module as usize].iter().map(|login| login.loaded))
    }

    pub(crate) fn floor(&self) -> Middle {
        Middle::of(self.floor.iter().copied())
    }

    /// The middle of the most memory that the processes had.
    pub(crate) fn peak_kilobytes(&self, module: Module) -> u64 {
        let mut peaks: Vec<u64> =
            self.logins[module as usize].iter().map(|login| login.peak_kilobytes).collect();
        peaks.sort_unstable();
        peaks[peaks.len() / 2]
    }
}

/// The middle of many times, and the 99th hundredth.
#[derive(Clone, Copy)]
pub(crate) struct Middle {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Middle {
    fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<Duration> = times.collect();
        times.sort_unstable();
        Self { p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
    }
}

/// Milliseconds with two digits.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
