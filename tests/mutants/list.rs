//! Faults that a test must notice: each changes one line of `src`, and names the test that fails then.
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]

/// A fault, and the test that fails where it is made.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// What goes wrong.
    pub what: &'static str,
    /// The file below `src`.
    pub file: &'static str,
    /// A part of it that stands there once.
    pub line: &'static str,
    /// What stands in its place.
    pub becomes: &'static str,
    /// `lib` for the tests beside the code, or the name of a test file.
    pub target: &'static str,
    /// The whole name of the test.
    pub test: &'static str,
}

const fn mutant(
    what: &'static str,
    (file, line, becomes): (&'static str, &'static str, &'static str),
    (target, test): (&'static str, &'static str),
) -> Mutant {
    Mutant { what, file, line, becomes, target, test }
}

/// All of them, by file.
pub const MUTANTS: &[Mutant] = &[
    // What a code is worth.
    mutant(
        "only the first authenticator is looked at",
        (
            "policy/decide.rs",
            "for Usable { authenticator, record } in usable {",
            "for Usable { authenticator, record } in usable.iter().take(1) {",
        ),
        ("lib", "policy::decide::tests::each_of_two_authenticators_has_its_own_record"),
    ),
    mutant(
        "a device that no first code has proven lets in",
        ("policy/decide.rs", "if authenticator.confirmed.is_none() {", "if false {"),
        ("lib", "policy::decide::tests::an_authenticator_that_was_never_proven_is_not_accepted"),
    ),
    mutant(
        "a wrong code is not charged",
        ("policy/decide.rs", "        charge(state, source, now);\n", "\n"),
        ("lib", "policy::decide::tests::a_wrong_code_is_charged_to_its_source"),
    ),
    mutant(
        "an accepted code is not spent",
        ("policy/decide.rs", "spend(record, *candidate);", ""),
        ("lib", "policy::decide::tests::a_code_is_refused_the_second_time"),
    ),
    mutant(
        "a spent code is accepted",
        ("policy/decide.rs", "if !is_fresh(record, *candidate) {", "if false {"),
        ("lib", "policy::decide::tests::a_code_is_refused_the_second_time"),
    ),
    mutant(
        "a disabled user is let in",
        ("policy/decide.rs", "if credential.disabled {", "if false {"),
        ("lib", "policy::decide::tests::a_disabled_credential_refuses_whatever_was_typed"),
    ),
    mutant(
        "codes are judged while their source waits",
        ("policy/decide.rs", "    standing(state, source, now).admits()?;\n", "\n"),
        ("lib", "policy::decide::tests::refused_attempts_do_not_extend_the_wait"),
    ),
    mutant(
        "a key without a record starts with a fresh window",
        (
            "policy/decide.rs",
            "let record = burned(*key, authenticator.kind, now)?;",
            "let record = KeyRecord { key: *key, next: 0, drift: 0, lean: 0 };",
        ),
        ("lib", "policy::decide::tests::a_counter_moves_past_the_code_that_was_used"),
    ),
    mutant(
        "a recovery code alone brings records from the future back",
        (
            "policy/decide.rs",
            "if !matches_of(&usable, std::slice::from_ref(code), now).iter().any(vouches) {",
            "if false {",
        ),
        ("lib", "policy::decide::tests::a_recovery_code_alone_brings_nothing_back"),
    ),
    mutant(
        "failures dated ahead are waited for",
        ("policy/decide.rs", "    forget_future(state, now);\n", "\n"),
        ("lib", "policy::decide::tests::a_failure_that_is_dated_ahead_is_waited_for_from_now_on"),
    ),
    mutant(
        "a state that was changed keeps its date",
        ("policy/decide.rs", "        state.written = now;\n", "\n"),
        ("lib", "enrol::tests::adopting_burns_the_window_once_and_vouches_for_the_codes"),
    ),
    mutant(
        "the last code is good again",
        (
            "policy/replay.rs",
            "candidate.factor >= record.next",
            "candidate.factor >= record.next.saturating_sub(1)",
        ),
        ("lib", "policy::replay::tests::a_burned_window_leaves_nothing_good_until_it_has_passed"),
    ),
    mutant(
        "an older code makes later ones good again",
        (
            "policy/replay.rs",
            "record.next = record.next.max(candidate.factor.saturating_add(1));",
            "record.next = candidate.factor.saturating_add(1);",
        ),
        ("lib", "policy::replay::tests::spending_uses_up_everything_before"),
    ),
    mutant(
        "a burned window leaves the next code good",
        (
            "policy/replay.rs",
            "period.step_at(now).saturating_add(u64::from(MOST_DRIFT)).saturating_add_signed(i64::from(WINDOW));",
            "period.step_at(now);",
        ),
        ("lib", "policy::replay::tests::a_burned_window_leaves_nothing_good_until_it_has_passed"),
    ),
    mutant(
        "the window is two steps wide",
        ("policy/window.rs", "pub const WINDOW: i8 = 1;", "pub const WINDOW: i8 = 2;"),
        ("lib", "policy::window::tests::one_step_to_either_side_of_the_drifted_time_is_taken"),
    ),
    mutant(
        "eleven counters are looked at",
        ("policy/window.rs", "pub const LOOK_AHEAD: u64 = 10;", "pub const LOOK_AHEAD: u64 = 11;"),
        (
            "lib",
            "policy::window::tests::ten_counters_from_the_next_one_on_are_looked_at_and_the_last_used_one",
        ),
    ),
    mutant(
        "one code teaches a drift",
        ("policy/window.rs", "if offset == 0 || offset != record.lean {", "if offset == 0 {"),
        ("lib", "policy::window::tests::drift_needs_two_codes_to_the_same_side_for_each_step"),
    ),
    mutant(
        "used codes resynchronise",
        (
            "policy/resync.rs",
            "(step.saturating_sub(MOST_STEPS).max(record.next), step.saturating_add(MOST_STEPS))",
            "(step.saturating_sub(MOST_STEPS), step.saturating_add(MOST_STEPS))",
        ),
        ("lib", "policy::decide::tests::what_is_no_pair_does_not_resynchronise"),
    ),
    mutant(
        "one code of two resynchronises",
        (
            "policy/resync.rs",
            "if bool::from(first & generator.code(second).ct_eq(codes.1)) {",
            "if bool::from(first) {",
        ),
        ("lib", "enrol::repair::tests::a_counter_needs_two_consecutive_codes_of_its_own"),
    ),
    // How often may be guessed.
    mutant(
        "each counter of strangers has a cap of its own",
        (
            "policy/throttle.rs",
            "None => (counter(state, source), count_of_strangers(state)),",
            "None => (counter(state, source), counter(state, source).count),",
        ),
        ("lib", "policy::throttle::tests::a_known_source_is_not_kept_out_by_strangers"),
    ),
    mutant(
        "strangers use up the budget of known sources",
        (
            "policy/throttle.rs",
            "Some(place) => (place.failures, place.failures.count),",
            "Some(place) => (place.failures, count_of_strangers(state)),",
        ),
        ("lib", "policy::throttle::tests::a_hundred_failures_of_a_known_source_cap_it"),
    ),
    mutant(
        "a hundred and one failures are needed for the cap",
        ("policy/throttle.rs", "if counted >= CAP {", "if counted > CAP {"),
        ("lib", "policy::throttle::tests::a_hundred_failures_of_a_known_source_cap_it"),
    ),
    mutant(
        "six failures are free",
        ("policy/throttle.rs", "pub const FREE_FAILURES: u32 = 5;", "pub const FREE_FAILURES: u32 = 6;"),
        ("lib", "policy::throttle::tests::a_wait_runs_from_the_last_failure_and_ends"),
    ),
    mutant(
        "a login of a stranger forgives all strangers",
        (
            "policy/throttle.rs",
            "if let Some(counter) = state.counters.get_mut(number) {\n            *counter",
            "let _ = number;\n        for counter in &mut state.counters {\n            *counter",
        ),
        ("lib", "policy::throttle::tests::a_success_clears_its_own_failures_and_nothing_else"),
    ),
    mutant(
        "a used recovery code is good again",
        ("policy/recovery.rs", "if vouched.used.contains(&digest.name()) {", "if false {"),
        ("lib", "policy::decide::tests::recovery_codes_work_once"),
    ),
    mutant(
        "a set of recovery codes that is put back is good",
        ("policy/recovery.rs", "state.recovery.set_mut(set.name())", "state.recovery.sets.first_mut()"),
        ("lib", "policy::decide::tests::a_former_set_that_is_put_back_brings_back_no_used_code"),
    ),
    mutant(
        "a wrong recovery code is not charged",
        ("policy/recovery.rs", "        charge(state, source, now);\n", "\n"),
        ("lib", "policy::decide::tests::wrong_recovery_codes_back_off_and_are_charged_to_their_source"),
    ),
    mutant(
        "wrong recovery codes never wait",
        ("policy/recovery.rs", "        standing(state, source, now).admits()?;\n", "\n"),
        ("lib", "policy::decide::tests::wrong_recovery_codes_back_off_and_are_charged_to_their_source"),
    ),
    // Remembered logins and rules.
    mutant(
        "a login is remembered a second longer",
        ("policy/remembered.rs", "(age < lifetime)", "(age <= lifetime)"),
        ("lib", "policy::remembered::tests::the_same_place_is_not_asked_again_until_its_time_is_over"),
    ),
    mutant(
        "a login is remembered at any place of its source",
        (
            "policy/remembered.rs",
            "source.remembered.iter().find(|login| login.place == name)?",
            "source.remembered.first()?",
        ),
        ("lib", "policy::remembered::tests::eight_are_remembered_and_the_oldest_makes_room"),
    ),
    mutant(
        "a login outlives a restart",
        ("policy/remembered.rs", "state.booted.abs_diff(moment.booted) <= SAME_START", "true"),
        ("lib", "policy::remembered::tests::a_clock_that_was_set_or_a_restart_ends_it"),
    ),
    mutant(
        "an item that is unknown counts as one that does not match",
        ("policy/rules/condition.rs", "None => told = None,", "None => {}"),
        (
            "lib",
            "policy::rules::tests::a_first_factor_that_sshd_has_not_told_matches_neither_an_item_nor_an_exception",
        ),
    ),
    mutant(
        "a rule with an unknown condition exempts",
        (
            "policy/rules/mod.rs",
            "(Fit::No(_), _) | (Fit::Unknown(_), Then::Exempt) => None,",
            "(Fit::No(_), _) => None,\n            (Fit::Unknown(_), Then::Exempt) => Some(Ruling::of(number, self)),",
        ),
        (
            "lib",
            "policy::rules::tests::a_first_factor_that_sshd_has_not_told_matches_neither_an_item_nor_an_exception",
        ),
    ),
    mutant(
        "sshd that tells no method has seen none completed",
        ("policy/source.rs", "told.filter(|told| !told.trim().is_empty())", "told"),
        (
            "lib",
            "policy::rules::tests::a_first_factor_that_sshd_has_not_told_matches_neither_an_item_nor_an_exception",
        ),
    ),
    mutant(
        "any service is believed about methods",
        ("policy/source.rs", ".filter(|_| facts.service == \"sshd\");\n    told", ";\n    told"),
        ("lib", "login::tests::a_public_key_counts_only_when_sshd_has_seen_it_proven"),
    ),
    mutant(
        "a zone is left out behind any address",
        (
            "policy/source.rs",
            "(address.is_unicast_link_local() && is_zone(zone)).then_some(",
            "is_zone(zone).then_some(",
        ),
        ("lib", "policy::source::tests::a_zone_is_left_out_behind_a_link_local_address_alone"),
    ),
    // The login and its result.
    mutant(
        "a login by a recovery code is remembered",
        (
            "verifier/mod.rs",
            "if verdict.as_ref().is_ok_and(|accepted| matches!(accepted.proof(), Proof::Code { .. })) {",
            "if verdict.is_ok() {",
        ),
        ("lib", "login::tests::a_wrong_code_and_a_recovery_code_are_not_remembered"),
    ),
    mutant(
        "the clock is read before the lock is had",
        (
            "verifier/mod.rs",
            "        let updated = self.store.update(user, |credential, state| {\n            let moment = self.moment()?;",
            "        let moment = self.moment();\n        let updated = self.store.update(user, |credential, state| {\n            let moment = moment?;",
        ),
        ("clock", "a_code_is_judged_by_the_time_at_which_the_lock_is_had"),
    ),
    mutant(
        "who becomes another user at the prompt is judged",
        ("login/judging.rs", "if !self.conversation.is_still_about(&self.request.user) {", "if false {"),
        ("lib", "login::tests::another_user_after_the_prompt_denies_and_spends_nothing"),
    ),
    mutant(
        "a refusal takes as long as it takes",
        ("login/judging.rs", "            self.request.world.wait_until(earliest);\n", "\n"),
        ("lib", "login::tests::every_refusal_waits_for_the_same_time_after_the_answer"),
    ),
    mutant(
        "the number of prompts tells who is enrolled",
        ("login/session.rs", "let in_vain = self.config.tell != Tell::Never", "let in_vain = true"),
        ("lib", "login::tests::with_tell_never_every_refused_user_sees_as_many_prompts"),
    ),
    mutant(
        "a caller from afar is asked for the code of a user who is named",
        (
            "login/session.rs",
            "uid.filter(|_| !is_remote).ok_or(Outcome::CallerUnknown)?",
            "uid.ok_or(Outcome::CallerUnknown)?",
        ),
        ("lib", "login::tests::the_caller_s_code_is_asked_for_where_a_rule_says_so"),
    ),
    mutant(
        "an empty PAM_RHOST is a remote host",
        ("login/session.rs", "is_some_and(|host| !host.is_empty())", "is_some()"),
        ("lib", "login::tests::the_caller_s_code_is_asked_for_where_a_rule_says_so"),
    ),
    mutant(
        "a caller who is not enrolled is let in",
        (
            "login/session.rs",
            "            return Unenrolled::Deny;\n",
            "            return self.config.unenrolled;\n",
        ),
        ("lib", "login::tests::the_caller_s_code_is_asked_for_where_a_rule_says_so"),
    ),
    mutant(
        "an unreadable store lets pass",
        (
            "pam/result.rs",
            "Outcome::Unavailable(_) | Outcome::AccountsUnreadable(_) => PamResultCode::PAM_AUTHINFO_UNAVAIL,",
            "Outcome::Unavailable(_) | Outcome::AccountsUnreadable(_) => PamResultCode::PAM_IGNORE,",
        ),
        ("lib", "pam::result::tests::every_error_denies"),
    ),
    mutant(
        "a first code that is used up proves a device",
        ("enrol/keeping.rs", "if !is_fresh(&record, matched) {", "if false {"),
        ("lib", "enrol::keeping::tests::a_first_code_that_comes_late_counts_once"),
    ),
    // The store.
    mutant(
        "nobody waits for the lock",
        (
            "store/state_file.rs",
            "if !lock::take(&self.file).map_err(system(\"lock the state\"))? {",
            "if false {",
        ),
        ("race", "one_code_in_many_processes_lets_exactly_one_in"),
    ),
    mutant(
        "files that were replaced while the lock was waited for are written",
        ("store/state_file.rs", "Ok(false) => Ok(None),", "Ok(false) => action(&Locked(self)).map(Some),"),
        (
            "put_back",
            "files_that_are_replaced_while_a_login_waits_for_their_lock_are_the_ones_it_is_judged_by",
        ),
    ),
    mutant(
        "a verdict is told before it is on disk",
        ("sys/slots.rs", "&raw const part, 1, offset, libc::RWF_DSYNC)", "&raw const part, 1, offset, 0)"),
        ("footprint", "a_login_writes_and_flushes_the_state_in_one_call"),
    ),
    mutant(
        "a write overwrites the only whole slot",
        ("store/state_file.rs", "current.place.other().offset()", "current.place.offset()"),
        ("pam_returns", "a_torn_slot_costs_nothing_and_the_log_says_so"),
    ),
    mutant(
        "a state that is put back is believed",
        ("store/state_file.rs", "last.filter(|last| sequenced.sequence < *last)", "last.filter(|_| false)"),
        ("put_back", "an_old_state_put_back_makes_no_spent_code_good_and_the_log_says_so"),
    ),
    mutant(
        "an account that was made anew has the enrolment of the former one",
        (
            "store/files.rs",
            "if credential.user != user.name || credential.uid != user.uid {",
            "if credential.user != user.name {",
        ),
        ("pam_returns", "a_renamed_and_a_recreated_account_are_not_taken_for_unenrolled"),
    ),
    mutant(
        "an account is enrolled because another of its uid is",
        (
            "store/by_uid.rs",
            "found.is_some_and(|account| account.name == name && account.uid == Some(uid))",
            "false",
        ),
        ("shared_uid", "an_account_is_not_enrolled_because_another_of_its_uid_is"),
    ),
    mutant(
        "a renamed account has never enrolled",
        (
            "store/by_uid.rs",
            "found.is_some_and(|account| account.name == name && account.uid == Some(uid))",
            "true",
        ),
        ("shared_uid", "an_account_that_shared_its_uid_and_was_renamed_is_still_refused"),
    ),
    mutant(
        "a torn slot is taken for a whole one",
        (
            "credential/slot.rs",
            "if bytes.len() != SIZE || digest != digest_of(user, format, sequence, rest) {",
            "if bytes.len() != SIZE {",
        ),
        ("lib", "credential::slot::tests::a_slot_torn_at_any_byte_is_not_taken"),
    ),
    mutant(
        "the state of another user is taken",
        (
            "credential/slot.rs",
            "for part in [user.as_str(), format, sequence] {",
            "for part in [&user.as_str()[..0], format, sequence] {",
        ),
        ("lib", "credential::slot::tests::a_slot_of_another_user_is_not_taken"),
    ),
    // Who may ask, and what is believed of an answer.
    mutant(
        "anybody may ask about an owner's enrolment",
        ("service/permission.rs", "Who::Owner => is_owner(),", "Who::Owner => true,"),
        ("lib", "service::permission::tests::who_may_ask_whom"),
    ),
    mutant(
        "owners may ask what only root may",
        ("service/permission.rs", "Who::Root => false,", "Who::Root => is_owner(),"),
        ("lib", "service::permission::tests::who_may_ask_whom"),
    ),
    mutant(
        "an account without a uid is everyone's own",
        (
            "service/permission.rs",
            "target.uid == Some(caller.uid)",
            "target.uid.is_none_or(|uid| uid == caller.uid)",
        ),
        ("lib", "service::permission::tests::who_may_ask_whom"),
    ),
    mutant(
        "a group of the number of a verifier's uid is a verifier",
        (
            "service/permission.rs",
            "caller.groups.iter().any(|gid| verifiers.gids.contains(gid))",
            "caller.groups.iter().any(|gid| verifiers.uids.contains(gid))",
        ),
        ("lib", "service::permission::tests::who_may_ask_whom"),
    ),
    mutant(
        "a service that is not root is believed",
        ("remote.rs", "if peer.uid != 0 {", "if false {"),
        ("lib", "remote::tests::a_service_that_is_not_root_is_not_believed"),
    ),
    mutant(
        "an answer that accepts and denies accepts",
        ("wire/mod.rs", "(Some(proven), None) => Ok(", "(Some(proven), _) => Ok("),
        ("lib", "wire::tests::a_reply_that_is_not_wholly_understood_is_none"),
    ),
    mutant(
        "a list is taken for an answer",
        ("wire/reply.rs", "if !value.is_object() {", "if false {"),
        ("lib", "wire::reply::tests::what_is_no_answer_is_an_error"),
    ),
    mutant(
        "one question holds many guesses",
        (
            "wire/mod.rs",
            "let is_one_guess = lengths.len() == codes.len() && lengths.is_sorted();",
            "let is_one_guess = true;",
        ),
        ("lib", "wire::tests::nobody_tries_two_codes_of_one_length_at_once"),
    ),
    // What the doctor reads.
    mutant(
        "a line with a dash in front is not read",
        ("doctor/stack.rs", "first.strip_prefix('-').unwrap_or(first)", "first"),
        ("lib", "doctor::stack::tests::files_are_put_together_as_libpam_does"),
    ),
    mutant(
        "a line that goes on is two",
        ("doctor/stack.rs", "Some(line) => (line, true),", "Some(line) => (line, false),"),
        ("lib", "doctor::stack::tests::files_are_put_together_as_libpam_does"),
    ),
    mutant(
        "files that are included are not read",
        ("doctor/stack.rs", "\"include\" => entries.extend(included(third)?),", "\"include\" => {}"),
        ("lib", "doctor::stack::tests::files_are_put_together_as_libpam_does"),
    ),
    mutant(
        "a failure before it does not hold back a sufficient module",
        ("doctor/dispatch.rs", "if *impression != Some(false) {", "if true {"),
        ("lib", "doctor::dispatch::tests::controls_decide_as_in_pam_conf"),
    ),
    mutant(
        "a jump goes nowhere",
        ("doctor/dispatch.rs", "Action::Jump(count) => skipped = count,", "Action::Jump(_) => skipped = 0,"),
        ("lib", "doctor::dispatch::tests::jumps_and_substacks_are_followed"),
    ),
];
