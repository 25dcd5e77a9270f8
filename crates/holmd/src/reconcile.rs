//! The loop: decide, look, compare, act, look again. Everything that changes the machine passes through here.

mod failures;
mod publish;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use holm_core::{
    decide::{Decision, decide},
    diff::diff,
    intent::CoreImages,
    model::Image,
    name::ServiceId,
    observed::Observed,
    plan::{Plan, Planned, Step},
    target::Wanted,
};
use holm_host::Host;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::{
    db::{Db, Loaded},
    view::View,
};
use failures::Failures;

/// A settled machine is looked at this often even when no event came (L1, fault 69).
const LEVEL: Duration = Duration::from_secs(30);
/// While something is under way an event that was lost costs no more than this.
const UNDERWAY: Duration = Duration::from_secs(3);
/// Looks in a row, each of which changed something, before the loop takes a breath: a plan that never empties
/// must not burn a core.
const LOOKS: u32 = 20;
/// A purged service's addresses are given to nobody for this long.
const REST_SECONDS: i64 = 3600;

/// What the loop is made of.
pub struct Reconciler<H> {
    /// The machine.
    pub host: Arc<H>,
    /// Intent in, target out.
    pub db: Db,
    /// Digests of the core's images.
    pub images: CoreImages,
    /// Where what is known is published.
    pub view: watch::Sender<View>,
    /// Told when the intent changed.
    pub wake: Arc<Notify>,
    /// Unix seconds.
    pub clock: crate::Clock,
}

/// A pull that ended: whose, of what, and how.
type Pulled = (Option<ServiceId>, Image, Result<(), String>);

/// One pass of the loop, as it left things.
enum Passed {
    /// Something was changed: look again at once.
    Changed,
    /// Nothing to do before this long has gone by or an event comes.
    Rest(Duration),
}

struct Running<H> {
    parts: Reconciler<H>,
    failures: Failures,
    pulls: JoinSet<Pulled>,
    pulling: BTreeSet<String>,
}

impl<H: Host> Reconciler<H> {
    /// Runs until `stop` is told. A step under way is finished first; every step is safe to do again.
    pub async fn run(self, stop: Arc<Notify>) {
        let mut running = Running {
            parts: self,
            failures: Failures::default(),
            pulls: JoinSet::new(),
            pulling: BTreeSet::new(),
        };
        loop {
            let rest = running.look_until_rest().await;
            let parts = &running.parts;
            tokio::select! {
                () = parts.wake.notified() => {}
                () = parts.host.changed() => {}
                Some(pulled) = running.pulls.join_next() => running.pulled(pulled),
                () = tokio::time::sleep(rest) => running.rested(rest).await,
                () = stop.notified() => return,
            }
        }
    }
}

impl<H: Host> Running<H> {
    async fn look_until_rest(&mut self) -> Duration {
        for _ in 0..LOOKS {
            match self.pass().await {
                Passed::Changed => {}
                Passed::Rest(rest) => return rest,
            }
        }
        tracing::warn!("{LOOKS} looks in a row each found something to change; waiting before the next");
        UNDERWAY
    }

    /// Nothing happened for as long as `rest`. Restarts are forgotten only when all runs as decided.
    async fn rested(&self, rest: Duration) {
        let settled = self.parts.view.borrow().settled;
        if rest >= LEVEL
            && settled
            && let Err(error) = self.parts.host.steady().await
        {
            tracing::warn!("{error}");
        }
    }

    async fn pass(&mut self) -> Passed {
        let loaded = match self.parts.db.load() {
            Ok(loaded) => loaded,
            Err(error) => return self.blind(&format!("reading the state failed: {error}")),
        };
        let Some(intent) = &loaded.intent else {
            return Passed::Rest(LEVEL);
        };
        let resting: Vec<_> = loaded
            .rests
            .iter()
            .filter(|rest| rest.until > (self.parts.clock)())
            .map(|rest| rest.block)
            .collect();
        let decision = decide(intent, loaded.target.as_ref(), &resting, &self.parts.images);
        self.failures
            .forget_changed(loaded.target.as_ref(), &decision.target);
        if loaded.target.as_ref() != Some(&decision.target)
            && let Err(error) = self.parts.db.save_target(&decision.target, loaded.revision)
        {
            return self.blind(&format!(
                "storing generation {} failed: {error}",
                decision.target.generation
            ));
        }
        let observed = match self.parts.host.observe().await {
            Ok(observed) => observed,
            Err(error) => return self.blind(&error.to_string()),
        };
        self.failures.saw();
        let plan = diff(&decision.target, &observed);
        self.failures.forget_settled(&plan);
        self.publish(&loaded, &decision, &observed, &plan);
        let applied = self.apply(&plan).await;
        if applied.failed {
            self.publish(&loaded, &decision, &observed, &plan);
        }
        self.close(&loaded, &decision, &plan);
        if applied.changed {
            Passed::Changed
        } else {
            Passed::Rest(self.rest(&plan))
        }
    }

    /// The machine or the state could not be seen: what was known stays, with its age.
    fn blind(&mut self, reason: &str) -> Passed {
        let now = (self.parts.clock)();
        tracing::error!("{reason}");
        let failing = self.failures.blind(reason.to_owned(), now);
        self.parts.view.send_modify(|view| {
            view.settled = false;
            view.core.failing = Some(failing.clone());
        });
        Passed::Rest(Duration::from_secs(
            u64::try_from(failing.retry_at - now).unwrap_or(1),
        ))
    }

    async fn apply(&mut self, plan: &Plan) -> Applied {
        let mut applied = Applied::default();
        let mut broken = BTreeSet::new();
        let mut reloaded = false;
        for planned in &plan.steps {
            let resting = self
                .failures
                .resting(planned.owner.as_ref(), (self.parts.clock)());
            if resting || broken.contains(&planned.owner) {
                continue;
            }
            // One reload serves all whose units changed before it.
            if reloaded && planned.step == Step::Reload {
                continue;
            }
            if let Step::Pull(image) = &planned.step {
                self.pull(planned, image);
                continue;
            }
            tracing::info!(step = %planned.step, "apply");
            match self.parts.host.apply(&planned.step).await {
                Ok(()) => {
                    applied.changed = true;
                    reloaded = planned.step == Step::Reload;
                }
                Err(error) => {
                    applied.failed = true;
                    self.failed(planned.owner.clone(), error.to_string());
                    broken.insert(planned.owner.clone());
                }
            }
        }
        applied
    }

    /// A pull may take minutes, so it runs beside the loop: no other service waits for it.
    fn pull(&mut self, planned: &Planned, image: &Image) {
        if !self.pulling.insert(image.pinned()) {
            return;
        }
        let (host, owner, image) = (Arc::clone(&self.parts.host), planned.owner.clone(), image.clone());
        tracing::info!(%image, "pull");
        self.pulls.spawn(async move {
            let result = host
                .apply(&Step::Pull(image.clone()))
                .await
                .map_err(|error| error.to_string());
            (owner, image, result)
        });
    }

    fn pulled(&mut self, pulled: Result<Pulled, tokio::task::JoinError>) {
        match pulled {
            Ok((owner, image, result)) => {
                self.pulling.remove(&image.pinned());
                if let Err(reason) = result {
                    self.failed(owner, reason);
                }
            }
            // A panic in a pull names no image; the next pass starts it again.
            Err(error) => {
                tracing::error!("a pull ended without an answer: {error}");
                self.pulling.clear();
            }
        }
    }

    fn failed(&mut self, owner: Option<ServiceId>, reason: String) {
        tracing::warn!(
            owner = owner.as_ref().map_or("core", ServiceId::as_str),
            "{reason}"
        );
        self.failures.add(owner, reason, (self.parts.clock)());
    }

    /// Ends operations that are seen to be done, and forgets services of which nothing is left.
    fn close(&self, loaded: &Loaded, decision: &Decision, plan: &Plan) {
        let settled = |owner: Option<&ServiceId>| {
            !self.failures.failing(owner)
                && owner.is_none_or(|id| !decision.refused.contains_key(id))
                && !plan.steps.iter().any(|step| step.owner.as_ref() == owner)
                && !plan.waits.iter().any(|wait| wait.owner.as_ref() == owner)
        };
        // A service's work is not done while the core's own part of it (its leg, its policy) is not.
        let done = |owner: Option<&ServiceId>| settled(owner) && settled(None);
        // Forgotten first: who is told that a purge is done may install at once.
        let mut result = Ok(());
        for (id, service) in &decision.target.services {
            if service.wanted == Wanted::Purged && done(Some(id)) {
                let until = (self.parts.clock)() + REST_SECONDS;
                result = result.and_then(|()| self.parts.db.forget(id, service.lease.block, until));
                self.parts.wake.notify_one();
            }
        }
        let result = result.and_then(|()| self.parts.db.finish_operations(loaded.revision, done));
        if let Err(error) = result {
            tracing::error!("recording what is done failed: {error}; it is done again in the next pass");
        }
        self.parts.view.send_modify(|_| {});
    }

    fn rest(&self, plan: &Plan) -> Duration {
        let now = (self.parts.clock)();
        let usual = if plan.settled() { LEVEL } else { UNDERWAY };
        self.failures.next(now).map_or(usual, |at| usual.min(at))
    }

    fn publish(&self, loaded: &Loaded, decision: &Decision, observed: &Observed, plan: &Plan) {
        let now = (self.parts.clock)();
        let view = publish::view(loaded.revision, decision, observed, plan, &self.failures, now);
        self.parts.view.send_replace(view);
    }
}

#[derive(Default)]
struct Applied {
    changed: bool,
    failed: bool,
}
