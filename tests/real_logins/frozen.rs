//! What files cannot meet (`SECURITY.md`): a user with a control group of his own may freeze his su
//! while it holds the lock of another's state. Others are then refused, not let in, and do not hang.
//! Where the service judges, his su holds nothing of others.

use std::time::Duration;

use crate::caller::{Caller, PROGRAM, Report};
use crate::troubled::{BOUND, Door, Others, random_below};

/// A control group of bob's, as systemd delegates one to every user, and one in it that he freezes.
const GROUPS: &str = r#"
    for top in /sys/fs/cgroup/unified /sys/fs/cgroup; do
        [ -e "$top/cgroup.procs" ] || continue
        mkdir "$top/of-bob" "$top/of-bob/frozen"
        chown bob: "$top/of-bob" "$top/of-bob/cgroup.procs" "$top/of-bob/frozen" "$top/of-bob/frozen"/*
        printf %s "$top/of-bob"
        exit
    done
    exit 1
"#;
/// How long su waits for a lock.
const WAIT: Duration = Duration::from_secs(3);
/// The moment is met in two of five rounds or so.
const MOST_ROUNDS: u32 = 200;

/// Bob in his control group, whose su enters the one that he freezes.
fn bob(door: &Door, groups: &str) -> Caller {
    let su = format!("echo $$ >{groups}/frozen/cgroup.procs; exec su alice -c 'echo in as alice.'");
    let enter = format!("echo $$ >{groups}/cgroup.procs; exec runuser -u bob -- \"$@\"");
    Caller::start(&door.guarded, &["sh", "-ec", &enter, "sh", PROGRAM, "sh", "-ec", &su])
}

/// Nobody comes to alice, but soon learns so; everybody else is not kept out.
fn alice_is_out_of_reach(door: &mut Door, carol: &mut Others) {
    let before = door.guarded.cursor();
    let end = carol.to_alice.calls(&door.code(1));
    assert_eq!(end.told, "refused", "{end:?}");
    assert!((WAIT..BOUND).contains(&end.took), "{end:?}");
    let log = door.guarded.log_since(&before);
    assert!(log.len() == 1 && log[0].contains("reason=store_busy "), "{log:?}");
    door.dave_gets_in(carol);
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_frozen_under_the_lock_keeps_alice_out_until_it_thaws_and_lets_nobody_in() {
    let mut door = Door::new();
    let groups = door.guarded.must(&["sh", "-ec", GROUPS]);
    let mut bob = bob(&door, &groups);
    let mut carol = Others::of(&door.guarded);
    let usual = bob.calls(&door.code(0));
    assert!(usual.is_in() && door.traces().codes == 1, "{usual:?}");
    let usual = u32::try_from(usual.took.as_micros()).expect("a short time");

    let mut met = 0;
    let mut round = 0;
    while met < 2 {
        round += 1;
        assert!(round < MOST_ROUNDS, "never frozen under the lock");
        let code = if met == 0 { door.code(0) } else { door.wrong_code() };
        bob.call(
            Duration::from_micros(u64::from(random_below(usual))),
            &format!("freeze:{groups}/frozen"),
            &code,
        );
        assert!(matches!(bob.report(), Report::Stopped), "bob may not freeze his own control group");
        let is_met = door.is_locked();
        if is_met {
            alice_is_out_of_reach(&mut door, &mut carol);
        }
        bob.go_on();
        let end = bob.end();
        let traces = door.traces();
        assert!(traces.codes == 1 || !end.is_in(), "told and not on disk: {end:?}");
        assert!(traces.charges == 1 || !end.is_wrong(), "told and not charged: {end:?}");
        if is_met {
            assert_eq!(end.told, ["in", "wrong"][met], "{end:?}");
            met += 1;
        }
        door.others_get_in(&mut carol);
        door.renew();
    }
    println!("met twice in {round} rounds");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_frozen_while_the_service_judges_keeps_nobody_out_and_tells_its_verdict_when_it_thaws() {
    let mut door = Door::new();
    door.guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
    let groups = door.guarded.must(&["sh", "-ec", GROUPS]);
    let mut bob = bob(&door, &groups);
    let mut carol = Others::of(&door.guarded);
    let line_of_bob = format!("door=socket caller={} ", door.guarded.uid_of("bob"));
    let before = door.guarded.cursor();
    let usual = bob.calls(&door.code(0));
    assert!(usual.is_in() && door.traces().codes == 1, "{usual:?}");
    assert!(door.guarded.log_since(&before).concat().contains(&line_of_bob), "he is judged otherwise");
    let usual = u32::try_from(usual.took.as_micros()).expect("a short time");

    let mut met = 0;
    let mut round = 0;
    while met < 2 {
        round += 1;
        assert!(round < MOST_ROUNDS, "never frozen while it waited for its verdict");
        let before = door.guarded.cursor();
        let after = Duration::from_micros(u64::from(random_below(usual)));
        bob.call(after, &format!("freeze:{groups}/frozen"), &door.code(0));
        assert!(matches!(bob.report(), Report::Stopped), "bob may not freeze his own control group");
        // The one after bob's, which may be judged now or when he thaws.
        let end = carol.to_alice.calls(&door.code(1));
        assert!(end.is_in() && end.took < WAIT, "{end:?}");
        door.dave_gets_in(&mut carol);
        let traces = door.traces();
        assert_eq!(traces.codes, 2, "of bob and carol, or carol's, which spends both");
        let is_judged = traces.writes == 2;
        let is_told = door.guarded.log_since(&before).concat().contains(&line_of_bob);
        bob.go_on();
        let end = bob.end();
        assert_eq!(end.is_in(), is_judged, "{end:?}");
        assert_eq!((door.traces().codes, door.traces().charges), (0, 0));
        met += u32::from(is_judged && !is_told);
    }
    println!("met twice in {round} rounds");
}
