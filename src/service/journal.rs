//! The log of the command and the service: facility AUTHPRIV, one logger a line.
//!
//! A logger that is kept would not notice when the daemon restarts.

use syslog::{Facility, Formatter3164};

use crate::log::{Level, Line};

/// Writes one line.
pub fn write(line: &Line) -> Result<(), syslog::Error> {
    let formatter = Formatter3164 {
        facility: Facility::LOG_AUTHPRIV,
        hostname: None,
        process: "countersign".to_owned(),
        pid: std::process::id(),
    };
    let mut logger = syslog::unix(formatter)?;
    match line.level {
        Level::Info => logger.info(&line.text),
        Level::Notice => logger.notice(&line.text),
        Level::Error => logger.err(&line.text),
    }
}
