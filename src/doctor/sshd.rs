//! sshd beside its stack: which ways into the machine never reach it, and which prompts nobody could answer.

use super::guarded::Guarded;
use super::machine::{Machine, Sshd};
use super::{Finding, Severity};

/// What to tell who has to change sshd.
const FILE: &str = "/etc/ssh/sshd_config";
/// Less time than a person needs for a password and a code, in seconds.
const SHORT_GRACE: u64 = 30;

/// The settings that matter here, as `sshd -T` prints them.
struct Settings<'a>(&'a str);

impl<'a> Settings<'a> {
    /// The value of a keyword; of one that comes several times, all of them.
    fn value(&self, keyword: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| {
            let (name, value) = line.split_once(' ')?;
            name.eq_ignore_ascii_case(keyword).then_some(value.trim())
        })
    }

    fn is_on(&self, keyword: &str) -> bool {
        self.value(keyword).is_some_and(|value| value != "no")
    }

    /// The ways in that `AuthenticationMethods` names, each a list of methods; `None` where any one method
    /// is enough.
    fn ways(&self) -> Option<Vec<Vec<&'a str>>> {
        let value = self.value("authenticationmethods").filter(|value| *value != "any")?;
        Some(value.split_whitespace().map(|way| way.split(',').collect()).collect())
    }
}

/// What is wrong with sshd, where its stack asks for a code.
pub(super) fn examine(machine: &Machine, guarded: &[Guarded]) -> Vec<Finding> {
    let (Some(sshd), Some(stack)) = (&machine.sshd, guarded.iter().find(|guarded| guarded.service == "sshd"))
    else {
        return Vec::new();
    };
    let settings = match &sshd.settings {
        Ok(text) => Settings(text),
        Err(problem) => {
            let what = format!("sshd cannot read its own configuration: {problem}");
            return vec![error("sshd_unreadable", what, "correct it; sshd -t says where")];
        }
    };
    let mut findings = settings_of(&settings);
    findings.extend(ways_of(&settings, stack));
    findings.extend(matches_of(sshd));
    findings
}

fn error(code: &'static str, what: impl Into<String>, mend: &str) -> Finding {
    Finding::new(Severity::Error, code, FILE, what, mend)
}

fn settings_of(settings: &Settings<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !settings.is_on("usepam") {
        let what = "sshd asks PAM for nothing (UsePAM no): passwords are taken without a code";
        findings.push(error("sshd_without_pam", what, "write UsePAM yes"));
    }
    if !settings.is_on("kbdinteractiveauthentication") {
        let what = "nobody can be asked for a code over ssh (KbdInteractiveAuthentication no)";
        findings.push(error("sshd_cannot_ask", what, "write KbdInteractiveAuthentication yes"));
    }
    if settings.is_on("passwordauthentication") {
        let what = "the password method cannot show a second prompt, so it fails for all who need a code";
        let mend = "write PasswordAuthentication no; keyboard-interactive asks for the password too";
        findings.push(Finding::new(Severity::Warning, "sshd_password_method", FILE, what, mend));
    }
    let grace = settings.value("logingracetime").and_then(|seconds| seconds.parse().ok());
    if grace.is_some_and(|seconds: u64| (1..SHORT_GRACE).contains(&seconds)) {
        let what = "sshd hangs up before most people have typed a password and a code (LoginGraceTime)";
        let mend = "write LoginGraceTime 120";
        findings.push(Finding::new(Severity::Warning, "sshd_short_grace", FILE, what, mend));
    }
    findings
}

/// Whether each way in passes through the stack, and can be gone to its end.
fn ways_of(settings: &Settings<'_>, stack: &Guarded) -> Vec<Finding> {
    let needed = if stack.asks_for_key() {
        "write AuthenticationMethods publickey,keyboard-interactive:pam"
    } else {
        "write AuthenticationMethods keyboard-interactive:pam"
    };
    let Some(ways) = settings.ways() else {
        let others = [
            ("pubkeyauthentication", "a key"),
            ("gssapiauthentication", "a Kerberos ticket"),
            ("hostbasedauthentication", "a host's key"),
        ];
        let open = others.into_iter().filter(|(keyword, _)| settings.is_on(keyword));
        return open
            .map(|(_, proof)| {
                let what = format!("{proof} alone lets in over ssh: with it, sshd asks PAM for nothing");
                error("sshd_key_alone", what, needed)
            })
            .collect();
    };
    let mut findings = Vec::new();
    for way in ways {
        let shown = way.join(",");
        let asks = |method: &&str| method.starts_with("keyboard-interactive") || *method == "password";
        match way.iter().position(asks) {
            None => {
                let what = format!("AuthenticationMethods {shown} lets in without a code");
                findings.push(error("sshd_way_without_code", what, needed));
            }
            Some(place) => {
                let before = way.get(..place).unwrap_or_default();
                if stack.asks_for_key() && !before.contains(&"publickey") {
                    let what = format!(
                        "with AuthenticationMethods {shown} no key is proven before the code, so nobody gets in"
                    );
                    findings.push(error("sshd_key_missing", what, needed));
                }
                if way.contains(&"password") {
                    let what = format!(
                        "AuthenticationMethods {shown} has the password method, which cannot show a second prompt"
                    );
                    findings.push(error("sshd_password_way", what, needed));
                }
            }
        }
    }
    findings
}

fn matches_of(sshd: &Sshd) -> Option<Finding> {
    let first = sshd.matches.first()?;
    let what =
        format!("the settings of {} Match blocks were not looked at, such as: {first}", sshd.matches.len());
    let mend = "look at each by sshd -T -C user=…,host=…,addr=…";
    Some(Finding::new(Severity::Note, "sshd_match", FILE, what, mend))
}
