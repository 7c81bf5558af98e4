//! The fake passes what the real engines pass.

use std::sync::Arc;

use async_trait::async_trait;
use portico_core::{
    app::{Command, Listen, Program},
    launch::LaunchPlan,
    names::Realm,
    ports::{Condition, SpawnError, Spawner},
};
use portico_spawn::fake::{Fake, Method};

use crate::conformance::{Deed, Fixture, Steps, conformance, plan};

#[derive(Default)]
struct Memory {
    engine: Fake,
}

async fn memory() -> Option<Memory> {
    Some(Memory::default())
}

fn words(words: &[String]) -> LaunchPlan {
    let realm: Realm = "test".parse().expect("a realm");
    let command = Command { command: words.to_vec() };
    plan(&realm, Program::Command(command), Listen::Tcp { port: None })
}

#[async_trait]
impl Fixture for Memory {
    async fn engine(&self) -> Arc<dyn Spawner> {
        Arc::new(self.engine.clone())
    }

    fn plan(&self, deed: Deed) -> LaunchPlan {
        let mut told = vec!["app".to_owned(), "print=started".to_owned()];
        match deed {
            Deed::Serve => {}
            Deed::Print(lines) => told.extend(lines.iter().map(|line| format!("print={line}"))),
            Deed::Exit(code) => told.push(format!("exit={code}")),
            Deed::Allocate => told.push("oom".to_owned()),
            Deed::Deaf => told.push("deaf".to_owned()),
        }
        words(&told)
    }

    fn missing(&self) -> LaunchPlan {
        words(&["missing".to_owned()])
    }

    async fn clean(&self) {}
}

conformance!(memory());

#[tokio::test]
async fn failures_happen_in_the_order_they_were_planned() {
    let (engine, plan) = (Fake::default(), words(&["app".to_owned()]));
    engine.fail_next(Method::Launch, SpawnError::Unreachable("down".to_owned()));
    let refused = engine.launch(&plan, &Steps::default()).await;
    assert_eq!(refused, Err(SpawnError::Unreachable("down".to_owned())));
    engine.launch(&plan, &Steps::default()).await.expect("works again");
    assert_eq!(engine.calls(), [Method::Launch, Method::Launch]);
}

#[tokio::test]
async fn a_lost_instance_is_not_found() {
    let (engine, plan) = (Fake::default(), words(&["app".to_owned()]));
    engine.launch(&plan, &Steps::default()).await.expect("launched");
    engine.vanish(&plan.instance);
    assert_eq!(engine.inspect(&plan.instance).await, Ok(None));
    let problem = Condition::Limited { problem: "odd".to_owned(), advice: "none".to_owned() };
    engine.set_condition(problem.clone());
    assert_eq!(engine.health().await.condition, problem);
}
