//! A step fails, once at every place of every story: the end is the same, and a person sees why it takes longer.

use holm_core::observed::Observed;
use holm_host::Fails;

use crate::cell::{Cell, Wish};

/// What came before, and the wish during which things go wrong.
pub type Story = (&'static [Wish], Wish);

pub const INSTALL: Story = (&[Wish::Init], Wish::Install("notes"));
pub const STOP: Story = (&[Wish::Init, Wish::Install("notes")], Wish::Stop("notes"));
pub const RECONFIGURE: Story = (
    &[Wish::Init, Wish::Install("notes")],
    Wish::Retitle("notes", "Ours"),
);
pub const REMOVE: Story = (&[Wish::Init, Wish::Install("notes")], Wish::Remove("notes"));
pub const PURGE: Story = (&[Wish::Init, Wish::Install("notes")], Wish::Purge("notes"));
pub const INIT: Story = (&[], Wish::Init);

/// The machine at the end of a story in which nothing fails, and how many steps the wish took.
pub async fn smooth((before, wish): Story) -> (Observed, u64) {
    let mut cell = Cell::after(before).await;
    let steps = cell.machine.history().len();
    let operation = cell.ask(wish).unwrap();
    cell.settle().await;
    cell.done(&operation).await;
    let took = cell.machine.history().len() - steps;
    cell.end().await;
    (cell.machine.look(), took as u64)
}

async fn every_step_may_fail(story: Story) {
    let (expected, steps) = smooth(story).await;
    assert!(steps >= 4, "{steps}");
    let mut told = 0;
    for nth in 1..=steps {
        for fails in [Fails::Before, Fails::After] {
            let mut cell = Cell::after(story.0).await;
            let (looks, since) = (cell.machine.looks(), cell.now());
            cell.machine.fail_at(nth, fails);
            let operation = cell.ask(story.1).unwrap();
            let shown = cell.settle().await;
            cell.done(&operation).await;
            let history = cell.machine.history();
            let failed = history.iter().find(|step| step.ends_with(" (failed)"));
            let case = format!("{:?}, {fails:?} {failed:?}", story.1);
            assert!(failed.is_some(), "{case}");
            assert_eq!(cell.machine.look(), expected, "{case}");
            let (looks, seconds) = (cell.machine.looks() - looks, cell.now() - since);
            assert!(looks < 30 && seconds < 20, "{case}: {looks} looks in {seconds} s");
            // Who has to wait is told why. What was done without anybody hearing of it is seen to be done, and a
            // reload that another one follows is made good at once: there is nothing to wait for.
            if seconds > 0 {
                let reason = |failing: &holmd::view::Failing| failing.reason.contains("told to fail");
                assert!(shown.iter().any(reason), "{case}: nobody was told; {shown:?}");
                told += 1;
            }
            let view = cell.view();
            let settled = view.core.settled() && view.services.values().all(|seen| seen.owner.settled());
            assert!(settled, "{case}: over, and still shown: {view:#?}");
            cell.end().await;
        }
    }
    assert!(told + 2 >= steps, "{told} of {steps} failures were waited for");
}

#[tokio::test(start_paused = true)]
async fn any_step_of_init_may_fail() {
    every_step_may_fail(INIT).await;
}

#[tokio::test(start_paused = true)]
async fn any_step_of_an_install_may_fail() {
    every_step_may_fail(INSTALL).await;
}

#[tokio::test(start_paused = true)]
async fn any_step_of_a_stop_may_fail() {
    every_step_may_fail(STOP).await;
}

#[tokio::test(start_paused = true)]
async fn any_step_of_a_reconfiguration_may_fail() {
    every_step_may_fail(RECONFIGURE).await;
}

#[tokio::test(start_paused = true)]
async fn any_step_of_a_removal_may_fail() {
    every_step_may_fail(REMOVE).await;
}

#[tokio::test(start_paused = true)]
async fn any_step_of_a_purge_may_fail() {
    every_step_may_fail(PURGE).await;
}
