//! The daemon is killed, with or without the machine, after each step of every story: what was answered is done.

use crate::{
    cell::{Cell, Wish},
    faults::{INIT, INSTALL, PURGE, RECONFIGURE, REMOVE, STOP, Story, smooth},
};

/// How the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Alone; what runs goes on.
    Killed,
    /// With the whole machine.
    Reboot,
}

async fn any_moment_may_be_the_last(story: Story) {
    let (expected, steps) = smooth(story).await;
    for done in 0..=steps {
        for ends in [Ends::Killed, Ends::Reboot] {
            let mut cell = Cell::after(story.0).await;
            cell.port().die_after(done);
            let operation = cell.ask(story.1).unwrap();
            cell.over().await;
            // As much as the loop does before it looks at the machine again is done too.
            tokio::task::yield_now().await;
            cell.end().await;
            if ends == Ends::Reboot {
                cell.machine.reboot();
            }
            let (looks, since) = (cell.machine.looks(), cell.now());
            cell.begin();
            cell.settle().await;
            cell.done(&operation).await;
            let case = format!("{:?}, {ends:?} after {done} steps", story.1);
            assert_eq!(cell.machine.look(), expected, "{case}");
            let (looks, seconds) = (cell.machine.looks() - looks, cell.now() - since);
            assert!(looks < 30 && seconds < 20, "{case}: {looks} looks in {seconds} s");
            cell.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_moment_of_init_may_be_the_last() {
    any_moment_may_be_the_last(INIT).await;
}

#[tokio::test(start_paused = true)]
async fn any_moment_of_an_install_may_be_the_last() {
    any_moment_may_be_the_last(INSTALL).await;
}

#[tokio::test(start_paused = true)]
async fn any_moment_of_a_stop_may_be_the_last() {
    any_moment_may_be_the_last(STOP).await;
}

#[tokio::test(start_paused = true)]
async fn any_moment_of_a_reconfiguration_may_be_the_last() {
    any_moment_may_be_the_last(RECONFIGURE).await;
}

#[tokio::test(start_paused = true)]
async fn any_moment_of_a_removal_may_be_the_last() {
    any_moment_may_be_the_last(REMOVE).await;
}

#[tokio::test(start_paused = true)]
async fn any_moment_of_a_purge_may_be_the_last() {
    any_moment_may_be_the_last(PURGE).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_is_done_though_the_loop_never_heard_of_it() {
    for story in [INIT, INSTALL, STOP, REMOVE, PURGE] {
        let (expected, _) = smooth(story).await;
        let mut cell = Cell::after(story.0).await;
        let operation = cell.ask_the_dying(story.1).await;
        cell.end().await;
        cell.begin();
        cell.settle().await;
        cell.done(&operation).await;
        assert_eq!(cell.machine.look(), expected, "{:?}", story.1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_needs_no_daemon() {
    let mut cell = Cell::after(&[Wish::Init, Wish::Install("notes"), Wish::Install("wiki")]).await;
    cell.ask(Wish::Stop("wiki")).unwrap();
    cell.settle().await;
    let (expected, steps) = (cell.machine.look(), cell.machine.history().len());
    cell.end().await;
    cell.machine.reboot();
    cell.machine.settle();
    assert_eq!(cell.machine.look(), expected);
    cell.begin();
    cell.settle().await;
    assert_eq!(
        cell.machine.history().len(),
        steps,
        "there was nothing left to do"
    );
}
