//! What to do next about one workload: a pure function of its row and of what its engine shows.
//!
//! The row says what is wished, the engine what is. The answer is one step towards agreement; after it
//! both are looked at again. Since nothing else is remembered, a hub that died between two steps, or in
//! the middle of one, goes on by asking the same question.

use std::collections::BTreeMap;

use portico_core::{
    Timestamp,
    names::EntryPointName,
    ports::{Instance, InstanceStatus},
    route::Upstream,
    workload::{Afterwards, Exit, Failure, State},
};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// They agree, or only time or somebody else can change something.
    Rest,
    /// Waits for room; admission is decided over all workloads of the engine at once.
    AwaitRoom,
    /// Give it to the engine, which finds what it already made.
    Launch,
    /// Wait for its answer until then, asking at least once.
    Probe { until: Timestamp },
    /// It answers elsewhere than was written.
    Move(BTreeMap<EntryPointName, Upstream>),
    /// It ended by itself: keep its log, write how it ended.
    RecordEnd(Exit),
    /// It was ready and is not there any more.
    RecordLoss(Failure),
    /// End it: grace, then force; keep its log; forget it.
    End,
    /// It was to be stopped and nothing is left of it: write what follows.
    Conclude(Afterwards),
    /// Its row has ended and something is left of it: keep its log, forget it.
    ClearAway,
}

/// Decides the next step for a row in `state` whose present instance is `seen`.
pub(crate) fn decide(state: &State, seen: Option<&Instance>) -> Action {
    use InstanceStatus::{Created, Ended, Running};
    let status = seen.map(|instance| instance.status);
    match (state, status) {
        (State::Requested | State::Queued { .. }, None) => Action::AwaitRoom,
        // An instance of a generation that was not started yet is nobody's wish.
        (State::Requested | State::Queued { .. }, Some(_)) => Action::ClearAway,

        (State::Starting { .. }, None | Some(Created)) => Action::Launch,
        (State::Starting { deadline, .. }, Some(Running)) => Action::Probe { until: *deadline },
        (State::Starting { .. } | State::Ready { .. }, Some(Ended(exit))) => Action::RecordEnd(exit),

        (State::Ready { .. }, None) => Action::RecordLoss(Failure::Vanished),
        (State::Ready { .. }, Some(Created)) => Action::Rest,
        (State::Ready { doors, .. }, Some(Running)) => match seen {
            Some(instance) if !instance.doors.is_empty() && instance.doors != *doors => {
                Action::Move(instance.doors.clone())
            }
            _ => Action::Rest,
        },

        (State::Stopping { .. }, Some(_)) => Action::End,
        (State::Stopping { then, .. }, None) => Action::Conclude(*then),

        (State::Stopped { .. } | State::Failed { .. }, Some(_)) => Action::ClearAway,
        (State::Stopped { .. } | State::Failed { .. }, None) => Action::Rest,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use portico_core::{
        ids::WorkloadId,
        names::{InstanceName, Label},
        workload::StopCause,
    };
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn door(port: u16) -> BTreeMap<EntryPointName, Upstream> {
        let main = "main".parse().expect("a name");
        BTreeMap::from([(main, Upstream::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port))))])
    }

    fn instance(status: InstanceStatus) -> Instance {
        let label = Label::random([1; 13]);
        let realm = "test".parse().expect("a name");
        Instance {
            name: InstanceName::new(&realm, &label, 0),
            workload: WorkloadId::new(NOW, [1; 10]),
            label,
            native: "1".to_owned(),
            status,
            doors: door(1),
            mounts: Vec::new(),
        }
    }

    fn states() -> Vec<State> {
        let stopping = |then| State::Stopping { since: NOW, cause: StopCause::Asked, then };
        vec![
            State::Requested,
            State::Queued { place: Some(1) },
            State::Starting { since: NOW, deadline: NOW },
            State::Ready { since: NOW, doors: door(1) },
            stopping(Afterwards::Rest),
            stopping(Afterwards::Restart),
            stopping(Afterwards::Delete),
            State::Stopped { at: NOW, cause: StopCause::Asked, exit_code: None },
            State::Failed { at: NOW, failure: Failure::Vanished },
        ]
    }

    #[test]
    fn the_table_of_all_cases_is_as_written() {
        use Action as A;
        let exit = Exit::Code(3);
        let probe = A::Probe { until: NOW };
        // state; nothing there, created, running, ended
        let expected = [
            [A::AwaitRoom, A::ClearAway, A::ClearAway, A::ClearAway],
            [A::AwaitRoom, A::ClearAway, A::ClearAway, A::ClearAway],
            [A::Launch, A::Launch, probe, A::RecordEnd(exit)],
            [A::RecordLoss(Failure::Vanished), A::Rest, A::Rest, A::RecordEnd(exit)],
            [A::Conclude(Afterwards::Rest), A::End, A::End, A::End],
            [A::Conclude(Afterwards::Restart), A::End, A::End, A::End],
            [A::Conclude(Afterwards::Delete), A::End, A::End, A::End],
            [A::Rest, A::ClearAway, A::ClearAway, A::ClearAway],
            [A::Rest, A::ClearAway, A::ClearAway, A::ClearAway],
        ];
        let seen = [
            None,
            Some(instance(InstanceStatus::Created)),
            Some(instance(InstanceStatus::Running)),
            Some(instance(InstanceStatus::Ended(exit))),
        ];
        for (state, row) in states().iter().zip(expected) {
            for (seen, action) in seen.iter().zip(row) {
                assert_eq!(decide(state, seen.as_ref()), action, "{state:?} with {seen:?}");
            }
        }
    }

    #[test]
    fn a_ready_workload_follows_its_doors() {
        let mut moved = instance(InstanceStatus::Running);
        moved.doors = door(2);
        let state = State::Ready { since: NOW, doors: door(1) };
        assert_eq!(decide(&state, Some(&moved)), Action::Move(door(2)));
    }

    /// An engine of one instance, and what each action does to row and engine in the worst order: a
    /// crash may come between the effect on the engine and the row.
    struct World {
        state: State,
        seen: Option<InstanceStatus>,
        launches: u32,
    }

    impl World {
        fn step(&mut self, crash_before_row: bool) {
            let seen = self.seen.map(instance);
            let action = decide(&self.state, seen.as_ref());
            let state = self.state.clone();
            let mut next = None;
            match action {
                Action::Rest | Action::Move(_) => {}
                Action::AwaitRoom => next = state.start(NOW, NOW).ok(),
                Action::Launch => {
                    // Idempotent by name: only what is not there is made.
                    if self.seen.is_none() {
                        self.launches += 1;
                    }
                    self.seen = Some(InstanceStatus::Running);
                }
                Action::Probe { .. } => next = state.ready(NOW, door(1)).ok(),
                Action::RecordEnd(exit) => next = state.ended(NOW, exit, 1).ok(),
                Action::RecordLoss(failure) => next = state.fail(NOW, failure).ok(),
                Action::End | Action::ClearAway => self.seen = None,
                Action::Conclude(_) => next = state.ended(NOW, Exit::Unknown, 1).ok(),
            }
            if let Some(next) = next.filter(|_| !crash_before_row) {
                self.state = next;
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_crashes_a_stop_leaves_nothing_and_no_run_starts_twice(
            crashes in prop::collection::vec(any::<bool>(), 0..12),
            stop_at in 0_usize..12,
        ) {
            let mut world = World { state: State::Requested, seen: None, launches: 0 };
            for (number, crash) in crashes.iter().enumerate() {
                if number == stop_at
                    && let Ok(state) = world.state.clone().stop(NOW, StopCause::Asked, Afterwards::Rest)
                {
                    world.state = state;
                }
                world.step(*crash);
            }
            if let Ok(state) = world.state.clone().stop(NOW, StopCause::Asked, Afterwards::Rest) {
                world.state = state;
            }
            for _ in 0..3 {
                world.step(false);
            }
            prop_assert!(world.state.phase().is_ended());
            prop_assert_eq!(world.seen, None);
            prop_assert!(world.launches <= 1);
        }
    }
}
