//! What is written last, and what its readers see.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::tests::{drain, event, item, landed, ms, taken, value};
use super::*;
use crate::publish::wanted::WriteOutcome;

fn workspace() -> Target {
    Target::MapItem("m".into(), "WORKSPACE".into())
}

fn outbox_with_a_last_item() -> Outbox {
    let mut outbox = Outbox::default();
    outbox.write_last([workspace()].into());
    outbox
}

#[test]
fn what_is_written_last_waits_for_the_others_to_be_acknowledged() {
    let now = Instant::now();
    let mut outbox = outbox_with_a_last_item();
    (0..3).for_each(|n| outbox.want(&item(n), value(1, 0), None, now));
    outbox.want(&workspace(), value(1, 0), event(), now);
    assert_eq!(drain(&mut outbox, now), [item(0), item(1), item(2)]);
    outbox.ended(&item(0), landed(), now);
    outbox.ended(&item(1), WriteOutcome::Failed(None), now);
    assert!(drain(&mut outbox, now).is_empty(), "one is still under way");
    outbox.ended(&item(2), landed(), now);
    assert_eq!(drain(&mut outbox, now), [workspace()], "what failed is given up for now");
    outbox.ended(&workspace(), landed(), now);
    let later = now + ms(1_000);
    assert_eq!(drain(&mut outbox, later), [item(1)]);
    outbox.ended(&item(1), landed(), later);
    assert_eq!(drain(&mut outbox, later), [workspace()], "once more, for what its readers saw too old");
    outbox.ended(&workspace(), landed(), later);
    assert!(outbox.is_empty());
}

#[test]
fn what_is_written_last_delays_nothing_and_waits_for_five_seconds_at_most() {
    let now = Instant::now();
    let mut outbox = outbox_with_a_last_item();
    let other = Target::Document("d".into());
    outbox.want(&item(0), value(1, 0), None, now);
    outbox.want(&workspace(), value(1, 0), None, now);
    outbox.want(&other, value(1, 0), None, now);
    assert_eq!(drain(&mut outbox, now).len(), 2, "an item and the Document");
    let later = now + LONGEST_HOLD;
    assert_eq!(outbox.wake_at(now), Some(later));
    assert_eq!(drain(&mut outbox, later), [workspace()]);
    outbox.ended(&workspace(), landed(), later);
    outbox.ended(&item(0), landed(), later);
    assert_eq!(drain(&mut outbox, later), [workspace()], "and is written again after them");
}

proptest! {
    /// A reader that looks at all items when the last one changes sees none that is older than it says.
    #[test]
    fn a_reader_that_waits_for_the_last_item_sees_no_older_ones(
        steps in prop::collection::vec((0..4_usize, 0..5_usize, 1..400_u64), 1..60),
    ) {
        let mut outbox = outbox_with_a_last_item();
        let mut now = Instant::now();
        let (mut wanted, mut held) = ([0_usize; 5], [0_usize; 5]);
        let mut flying: VecDeque<(Target, usize)> = VecDeque::new();
        let mut round = 0;
        // In the end everything lands.
        let rest = std::iter::repeat_n((3, 0, 400), 80);
        for (step, n, wait) in steps.into_iter().chain(rest) {
            now += ms(wait);
            match step {
                0 => {
                    round += 1;
                    wanted[n] = round;
                    outbox.want(&item(n), value(round, 0), None, now);
                    outbox.want(&workspace(), value(round, 0), None, now);
                }
                1 => flying.rotate_left(n.min(flying.len())),
                _ => {
                    if let Some((target, value)) = flying.pop_front() {
                        if target == workspace() {
                            let older = (0..5).find(|n| wanted[*n] <= value && held[*n] < wanted[*n]);
                            let since = outbox.owed.contains_key(&target);
                            prop_assert!(older.is_none() || since, "{older:?} is older than the last item says");
                        } else {
                            let n = (0..5).find(|n| item(*n) == target).unwrap();
                            held[n] = value;
                        }
                        outbox.ended(&target, landed(), now);
                    }
                }
            }
            while let Some(write) = outbox.take(now) {
                let (target, body) = taken(Some(write));
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                flying.push_back((target, usize::try_from(body["pending"].as_u64().unwrap()).unwrap()));
            }
        }
        prop_assert_eq!(held, wanted);
        prop_assert!(outbox.is_empty() && outbox.owed.is_empty(), "nothing is left to be said");
    }
}
