//! Playing a stack through, as libpam's dispatcher does (`_pam_dispatch_aux` of Linux-PAM 1.7).

use super::stack::{Action, Entry, Module};

/// What a module returns, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Success,
    Ignore,
    Failure,
}

/// How a stack ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Played<'a> {
    /// Whether the person was let in.
    pub(super) succeeds: bool,
    /// The modules that were called, in order.
    pub(super) called: Vec<&'a Module>,
}

impl<'a> Played<'a> {
    /// The last module that was called: where it was decided.
    pub(super) fn last(&self) -> Option<&'a Module> {
        self.called.last().copied()
    }
}

/// What counts so far: nothing, or whether it is success.
type Impression = Option<bool>;

/// Plays a stack through with modules that return what `returns` says.
pub(super) fn play<'a>(stack: &'a [Entry], returns: &impl Fn(&Module) -> Returned) -> Played<'a> {
    let mut called = Vec::new();
    let mut impression = None;
    walk(stack, returns, &mut impression, &mut called);
    Played { succeeds: impression == Some(true), called }
}

fn walk<'a>(
    stack: &'a [Entry],
    returns: &impl Fn(&Module) -> Returned,
    impression: &mut Impression,
    called: &mut Vec<&'a Module>,
) {
    let before = *impression;
    let mut skipped = 0;
    for entry in stack {
        if skipped > 0 {
            skipped -= 1;
            continue;
        }
        let module = match entry {
            Entry::Substack(inner) => {
                walk(inner, returns, impression, called);
                continue;
            }
            Entry::Module(module) => module,
        };
        called.push(module);
        let action = match returns(module) {
            Returned::Success => module.control.success,
            Returned::Ignore => module.control.ignore,
            Returned::Failure => module.control.failure,
        };
        let counts_as = returns(module) == Returned::Success;
        match action {
            Action::Ignore => {}
            Action::Ok | Action::Done => {
                if *impression != Some(false) {
                    *impression = Some(counts_as);
                }
                // A failure that counts as done ends nothing once something has failed.
                if action == Action::Done && *impression == Some(true) {
                    return;
                }
            }
            Action::Bad => *impression = Some(false),
            Action::Die => {
                *impression = Some(false);
                return;
            }
            Action::Reset => *impression = before,
            Action::Jump(count) => skipped = count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stack::{PamFiles, stack_of};
    use super::*;

    /// Whether the stack lets in when the modules named here succeed, those named `ignore` ignore, and all
    /// others fail.
    fn lets_in(lines: &str, succeed: &[&str]) -> bool {
        let mut files = PamFiles::default();
        files.insert("x", "x", lines.to_owned());
        files.insert("inner", "inner", "auth sufficient a.so\nauth required b.so\n".to_owned());
        let stack = stack_of(&files, "x", "auth").unwrap();
        let returns = |module: &Module| match module.name() {
            "ignore" => Returned::Ignore,
            name if succeed.contains(&name) => Returned::Success,
            _ => Returned::Failure,
        };
        play(&stack, &returns).succeeds
    }

    #[test]
    fn controls_decide_as_in_pam_conf() {
        let both = "auth required a.so\nauth required b.so\n";
        assert!(lets_in(both, &["a.so", "b.so"]));
        assert!(!lets_in(both, &["a.so"]) && !lets_in(both, &["b.so"]));
        let either = "auth sufficient a.so\nauth required b.so\n";
        assert!(lets_in(either, &["a.so"]) && lets_in(either, &["b.so"]) && !lets_in(either, &[]));
        // A failure before it keeps a sufficient module from letting in.
        assert!(!lets_in("auth required a.so\nauth sufficient b.so\n", &["b.so"]));
        assert!(!lets_in("auth required ignore\n", &[]), "nothing but ignore lets nobody in");
        assert!(!lets_in("", &[]));
        assert!(lets_in("auth optional a.so\nauth required ignore\n", &["a.so"]));
        assert!(lets_in("auth optional a.so\nauth required b.so\n", &["b.so"]));
    }

    #[test]
    fn jumps_and_substacks_are_followed() {
        let debian =
            "auth [success=1 default=ignore] a.so\nauth requisite deny.so\nauth required permit.so\n";
        assert!(lets_in(debian, &["a.so", "permit.so"]));
        assert!(!lets_in(debian, &["permit.so"]));
        let skips = "auth [success=2 default=ignore] a.so\nauth requisite deny.so\nauth required b.so\nauth required permit.so\n";
        assert!(lets_in(skips, &["a.so", "permit.so"]), "the jump goes over b.so");
        let inner = "auth substack inner\nauth required c.so\n";
        assert!(lets_in(inner, &["a.so", "c.so"]));
        assert!(!lets_in(inner, &["a.so"]), "what is done in a substack is not done outside of it");
        assert!(!lets_in(inner, &["c.so"]));
        assert!(lets_in("auth required a.so\nauth [default=reset] b.so\nauth required c.so\n", &["c.so"]));
    }
}
