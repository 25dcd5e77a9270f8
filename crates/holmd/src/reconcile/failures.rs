//! Failures by owner, each with the time of its next try: a failed step is a state, not the end.

use std::{collections::BTreeMap, time::Duration};

use holm_core::{name::ServiceId, plan::Plan, target::Target};

use crate::view::Failing;

/// Longest time between two tries, in seconds.
const LONGEST: i64 = 60;

/// Whose step fails, and when it is tried again.
#[derive(Default)]
pub(super) struct Failures {
    owners: BTreeMap<Option<ServiceId>, (u32, Failing)>,
    blind: u32,
}

impl Failures {
    /// Records a failure; the next try is after 1, 2, 4 ... 60 seconds.
    pub fn add(&mut self, owner: Option<ServiceId>, reason: String, now: i64) {
        let tries = self.owners.get(&owner).map_or(0, |(tries, _)| *tries);
        self.owners.insert(
            owner,
            (
                tries.saturating_add(1),
                Failing {
                    reason,
                    retry_at: now + delay(tries),
                },
            ),
        );
    }

    /// The machine could not be seen.
    pub fn blind(&mut self, reason: String, now: i64) -> Failing {
        let failing = Failing {
            reason,
            retry_at: now + delay(self.blind),
        };
        self.blind = self.blind.saturating_add(1);
        failing
    }

    /// The machine was seen.
    pub fn saw(&mut self) {
        self.blind = 0;
    }

    /// Not to be tried before a later time.
    pub fn resting(&self, owner: Option<&ServiceId>, now: i64) -> bool {
        self.get(owner).is_some_and(|failing| failing.retry_at > now)
    }

    /// Its last step failed.
    pub fn failing(&self, owner: Option<&ServiceId>) -> bool {
        self.get(owner).is_some()
    }

    /// The last failure of an owner.
    pub fn get(&self, owner: Option<&ServiceId>) -> Option<&Failing> {
        self.owners.get(&owner.cloned()).map(|(_, failing)| failing)
    }

    /// Owners for which nothing is left to do have no failure any more.
    pub fn forget_settled(&mut self, plan: &Plan) {
        self.owners
            .retain(|owner, _| plan.steps.iter().any(|step| step.owner == *owner));
    }

    /// Whoever is to be otherwise than before is tried at once: the next try was that of another wish.
    pub fn forget_changed(&mut self, last: Option<&Target>, target: &Target) {
        let same = |id: &ServiceId| last.and_then(|last| last.services.get(id)) == target.services.get(id);
        self.owners.retain(|owner, _| owner.as_ref().is_none_or(same));
    }

    /// How long until the next try of anything.
    pub fn next(&self, now: i64) -> Option<Duration> {
        let first = self.owners.values().map(|(_, failing)| failing.retry_at).min()?;
        Some(Duration::from_secs(
            u64::try_from(first - now).unwrap_or(0).max(1),
        ))
    }
}

fn delay(tries: u32) -> i64 {
    1i64.checked_shl(tries).unwrap_or(LONGEST).clamp(1, LONGEST)
}
