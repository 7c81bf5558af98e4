//! What every engine must do, as functions over a [`Fixture`].
//!
//! An engine's own test module implements [`Fixture`] and calls [`conformance!`] once; each behaviour
//! then becomes a test of its own. What only one engine promises is tested beside that fixture.

mod behaviours;
mod plan;

pub(crate) use behaviours::*;
pub(crate) use plan::{app, grace, plan, serve_entry};

use std::{sync::Arc, sync::Mutex};

use async_trait::async_trait;
use portico_core::{
    launch::LaunchPlan,
    ports::{Progress, Spawner, Step},
};

/// What the app of a plan does. Every app prints `started` first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Answers HTTP on `main`: `200 ok` to every path.
    Serve,
    /// Serves, and prints these lines to its log.
    Print(Vec<&'static str>),
    /// Ends at once with this code.
    Exit(i32),
    /// Takes memory until it is ended. The plan allows 64 MiB.
    Allocate,
    /// Serves, and ignores the polite request to end.
    Deaf,
}

/// An engine under test, and plans that fit it.
#[async_trait]
pub(crate) trait Fixture: Send + Sync {
    /// The engine. Every call gives another object over the same place, as a restarted hub has it.
    async fn engine(&self) -> Arc<dyn Spawner>;

    /// A plan with a label of its own, run 0. See [`plan()`] for the parts that all engines share.
    fn plan(&self, deed: Deed) -> LaunchPlan;

    /// A plan whose program or image does not exist.
    fn missing(&self) -> LaunchPlan;

    /// Ends and removes everything that was made, and checks that nothing is left.
    async fn clean(&self);
}

/// Makes one test of each behaviour. `$fixture` is an expression of `Option<impl Fixture>`, awaited in
/// each test; `None` skips (a component is missing, and the fixture has said which).
macro_rules! conformance {
    ($fixture:expr) => {
        $crate::conformance::conformance!($fixture;
            a_launched_app_answers_at_its_door
            a_second_launch_finds_the_first
            a_new_engine_object_finds_what_runs
            a_launch_tells_its_steps
            an_exit_code_is_told
            an_app_over_its_memory_is_told_so
            a_polite_app_stops_within_its_grace
            a_deaf_app_is_ended_by_force
            stop_and_remove_may_be_repeated
            a_removed_instance_is_gone
            a_log_is_read_from_the_beginning
            a_followed_log_ends_with_its_instance
            an_unknown_instance_is_no_instance
            a_missing_program_is_named
            usage_is_told_while_it_runs
            an_end_is_announced
            health_says_what_isolates);
    };
    ($fixture:expr; $($behaviour:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $behaviour() {
            let Some(fixture) = $fixture.await else { return };
            $crate::conformance::$behaviour(&fixture).await;
            $crate::conformance::Fixture::clean(&fixture).await;
        }
    )*};
}
pub(crate) use conformance;

/// Keeps the steps it is told.
#[derive(Default)]
pub(crate) struct Steps(pub(crate) Mutex<Vec<Step>>);

impl Progress for Steps {
    fn step(&self, step: Step) {
        self.0.lock().expect("not poisoned").push(step);
    }
}
