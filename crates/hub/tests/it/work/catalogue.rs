//! Files of the catalogue while it runs.

use std::{fs, path::Path};

use portico_core::ports::SpawnError;
use portico_hub::{
    Config, auth::Actor, catalogue::Origin, config::CatalogueConfig, live::Availability, service,
};
use portico_spawn::fake::Method;
use tempfile::TempDir;

use super::yard::{Yard, app};

const GOOD: &str = "title = \"One\"\nengine = \"fake\"\ngrant = [\"everyone\"]\n[run]\ncommand = [\"app\"]\n[entry.main]\nlisten = \"tcp\"\n";

async fn yard(directory: &Path) -> Yard {
    let catalogue = CatalogueConfig { directory: Some(directory.to_owned()), ..CatalogueConfig::default() };
    Yard::with(Config { catalogue, ..Config::default() }).await
}

impl Yard {
    async fn titles(&self) -> Vec<String> {
        let offers = service::app::list(&self.hub, &self.alice()).await.expect("a list");
        offers.into_iter().map(|offer| offer.entry.app.title).collect()
    }

    async fn until_titles(&self, wanted: &[&str]) {
        let what = format!("the catalogue {wanted:?}");
        self.eventually(&what, async || (self.titles().await == wanted).then_some(())).await;
    }

    fn mistakes(&self) -> Vec<String> {
        let console = Actor::console(self.hub.now());
        let mistakes = service::app::mistakes(&self.hub, &console).expect("may");
        mistakes.iter().map(portico_hub::catalogue::FileMistake::tell).collect()
    }
}

#[tokio::test]
async fn files_come_change_break_and_go_while_it_runs() {
    let directory = TempDir::new().expect("a directory");
    let yard = yard(directory.path()).await;
    let file = directory.path().join("one.toml");
    yard.until_titles(&[]).await;
    fs::write(&file, GOOD).expect("written");
    yard.until_titles(&["One"]).await;
    fs::write(&file, GOOD.replace("One", "Another")).expect("written");
    yard.until_titles(&["Another"]).await;

    fs::write(&file, "title = \"x\"\nengine = local\n").expect("written");
    let told = yard.eventually("the mistake", async || yard.mistakes().first().cloned()).await;
    assert!(told.starts_with(&format!("{}:2:10: ", file.display())), "{told}");
    assert_eq!(yard.titles().await, ["Another"]);
    assert!(service::app::mistakes(&yard.hub, &yard.alice()).is_err());

    fs::remove_file(&file).expect("removed");
    yard.until_titles(&[]).await;
    assert!(yard.mistakes().is_empty());
}

#[tokio::test]
async fn two_definitions_of_one_name_are_told() {
    let directory = TempDir::new().expect("a directory");
    let yard = yard(directory.path()).await;
    yard.add(app("one", &["app"])).await;
    yard.until_titles(&["The one"]).await;
    fs::write(directory.path().join("one.toml"), GOOD).expect("written");
    yard.until_titles(&["One"]).await;
    assert!(yard.mistakes()[0].contains("was also made on a page"), "{:?}", yard.mistakes());

    let console = Actor::console(yard.hub.now());
    let refused = service::app::put(&yard.hub, &console, app("one", &["app"])).await.expect_err("a file's");
    assert_eq!(refused.status(), 409);
    fs::write(directory.path().join("two.toml"), format!("name = \"one\"\n{GOOD}")).expect("written");
    yard.eventually("the second mistake", async || {
        yard.mistakes().iter().any(|told| told.contains("is already defined in")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_becomes_a_hint_and_goes_away_by_itself() {
    let yard = Yard::open().await;
    yard.engine.fail_next(Method::Check, SpawnError::ImageMissing("portico/desktop:latest".to_owned()));
    yard.add(app("app", &["app"])).await;
    let name = "app".parse().expect("a name");
    let offer = service::app::get(&yard.hub, &yard.alice(), &name).await.expect("an app");
    let Availability::Unavailable { hint, .. } = offer.availability else {
        panic!("{:?}", offer.availability)
    };
    assert_eq!(hint, "An administrator can build it: `portico image build desktop`.");
    // Whoever launches has it looked for again.
    yard.launch("app").await.expect("accepted");
    let offer = service::app::get(&yard.hub, &yard.alice(), &name).await.expect("an app");
    assert_eq!(offer.availability, Availability::Available);
}

#[tokio::test]
async fn stored_apps_survive_a_restart_and_go_with_their_grants() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app"])).await;
    let again = yard.start_again().await;
    let name = "app".parse().expect("a name");
    let entry = again.catalogue.now().entries.get(&name).cloned().expect("an app");
    assert!(matches!(entry.origin, Origin::Stored { version: 1, .. }));
    let console = Actor::console(yard.hub.now());
    service::app::delete(&yard.hub, &console, &name).await.expect("deleted");
    assert!(yard.titles().await.is_empty());
}
