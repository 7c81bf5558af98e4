//! The catalogue for administrators: definitions, mistakes in files, grants.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use portico_core::{GrantId, grant::Subject, names::AppName};
use serde::Deserialize;

use super::confirm::Confirm;
use crate::{
    auth::{Actor, SignedIn},
    catalogue::{Entry, Origin, parse::parse},
    error::Error,
    http::extract::{At, Form, Query},
    router::{Audience, Pages},
    service::{app, grant, group, user},
    state::Hub,
    ui::{
        frame::{Done, Frame, Section, Tab, render},
        view::{AppView, capital},
    },
};

/// What the editor of a new app begins with.
const BLANK: &str = include_str!("../../../catalogue/files.toml");

pub(super) fn routes() -> Pages {
    Pages::new()
        .get("/admin/apps", Audience::Administrator, list)
        .get("/admin/apps/new", Audience::Administrator, blank)
        .post("/admin/apps/new", Audience::Administrator, create)
        .get("/admin/apps/{app}", Audience::Administrator, show)
        .post("/admin/apps/{app}", Audience::Administrator, change)
        .post("/admin/apps/{app}/grants", Audience::Administrator, add_grant)
        .post("/admin/apps/{app}/grants/{grant}/delete", Audience::Administrator, remove_grant)
        .get("/admin/apps/{app}/delete", Audience::Administrator, confirm_delete)
        .post("/admin/apps/{app}/delete", Audience::Administrator, delete)
}

#[derive(Template)]
#[template(path = "admin/apps.html")]
struct AppsPage {
    frame: Frame,
    tab: Tab,
    mistakes: Vec<String>,
    apps: Vec<Row>,
}

struct Row {
    app: AppView,
    source: String,
    grants: String,
}

#[derive(Template)]
#[template(path = "admin/app.html")]
struct AppPage {
    frame: Frame,
    tab: Tab,
    heading: String,
    source: String,
    base: String,
    /// Whether it was made here, and can be changed and deleted here.
    editable: bool,
    deletable: bool,
    problem: Option<String>,
    /// Asked for a new app only.
    name: Option<String>,
    grants: Option<Vec<GrantView>>,
    /// For definitions that cannot be changed here.
    how_to_change: &'static str,
    toml: String,
}

struct GrantView {
    subject: String,
    /// Absent for what the definition itself says.
    remove_path: Option<String>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    toml: String,
}

#[derive(Deserialize)]
struct TypedGrant {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    subject: String,
}

async fn list(State(hub): State<Hub>, who: SignedIn, Query(done): Query<Done>) -> Result<Response, Error> {
    let mut apps = Vec::new();
    for offer in app::list(&hub, &who.actor).await? {
        let grants = grants(&hub, &who.actor, &offer.entry).await?;
        let subjects: Vec<_> = grants.into_iter().map(|grant| grant.subject).collect();
        let grants = if subjects.is_empty() { "administrators only".to_owned() } else { subjects.join(", ") };
        apps.push(Row { app: AppView::new(&offer), source: source(&offer.entry.origin), grants });
    }
    let mistakes = app::mistakes(&hub, &who.actor)?;
    render(&AppsPage {
        frame: Frame::of(&hub, &who, Section::Administration).after(&done),
        tab: Tab::Apps,
        mistakes: mistakes.iter().map(crate::catalogue::FileMistake::tell).collect(),
        apps,
    })
}

fn source(origin: &Origin) -> String {
    match origin {
        Origin::Example => "comes with Portico".to_owned(),
        Origin::File(file) => format!("file {}", file.display()),
        Origin::Stored { .. } => "made here".to_owned(),
    }
}

/// Who may launch it, by its definition and by grants.
async fn grants(hub: &Hub, actor: &Actor, entry: &Entry) -> Result<Vec<GrantView>, Error> {
    let permit = actor.may_administer()?;
    let name = &entry.app.name;
    let by_definition = entry
        .app
        .grants
        .iter()
        .map(|audience| GrantView { subject: audience.to_string(), remove_path: None });
    let mut views: Vec<_> = by_definition.collect();
    for given in grant::list(hub, &permit, name).await? {
        let subject = match &given.subject {
            Subject::Everyone => "everyone".to_owned(),
            Subject::Group(id) => format!("group {}", group::get(hub, &permit, id).await?.0.name),
            Subject::User(id) => format!("user {}", user::get(hub, &permit, id).await?.0.name),
        };
        views.push(GrantView {
            subject,
            remove_path: Some(format!("/admin/apps/{name}/grants/{}/delete", given.id)),
        });
    }
    Ok(views)
}

async fn blank(State(hub): State<Hub>, who: SignedIn) -> Result<Response, Error> {
    new_page(&hub, &who, String::new(), BLANK.to_owned(), None)
}

fn new_page(
    hub: &Hub,
    who: &SignedIn,
    name: String,
    toml: String,
    problem: Option<String>,
) -> Result<Response, Error> {
    render(&AppPage {
        frame: Frame::of(hub, who, Section::Administration),
        tab: Tab::Apps,
        heading: "Make an app".to_owned(),
        source: "Kept in the database; takes effect at once.".to_owned(),
        base: "/admin/apps/new".to_owned(),
        editable: true,
        deletable: false,
        problem,
        name: Some(name),
        grants: None,
        how_to_change: "",
        toml,
    })
}

async fn create(State(hub): State<Hub>, who: SignedIn, Form(typed): Form<Typed>) -> Result<Response, Error> {
    let taken =
        typed.name.parse::<AppName>().is_ok_and(|name| hub.catalogue.now().entries.contains_key(&name));
    let saved = if taken {
        Err(Error::Conflict(format!("there is an app {} already; choose another short name", typed.name)))
    } else {
        save(&hub, &who.actor, &typed.name, &typed.toml).await
    };
    match saved {
        Ok(name) => Ok(Redirect::to(&format!("/admin/apps/{name}?done=added")).into_response()),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let mut response = new_page(&hub, &who, typed.name, typed.toml, Some(error.in_words()))?;
            *response.status_mut() = error.status();
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

/// Parses, checks and keeps a definition under this name.
async fn save(hub: &Hub, actor: &Actor, name: &str, toml: &str) -> Result<AppName, Error> {
    let name: AppName = name.parse().map_err(|problem| Error::field("name", problem))?;
    let app = parse(name.as_str(), toml).map_err(|mistake| Error::field("toml", mistake.tell("line")))?;
    if app.name != name {
        return Err(Error::field(
            "toml",
            format!("it calls itself {}; remove that line, or use that name", app.name),
        ));
    }
    app::put(hub, actor, app).await?;
    Ok(name)
}

async fn show(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    app_page(&hub, &who, &name, &done, None).await
}

async fn app_page(
    hub: &Hub,
    who: &SignedIn,
    name: &AppName,
    done: &Done,
    draft: Option<(String, String)>,
) -> Result<Response, Error> {
    let entry = hub.catalogue.now().entries.get(name).cloned().ok_or(Error::NotFound)?;
    let stored = matches!(entry.origin, Origin::Stored { .. });
    let written = toml::to_string_pretty(&entry.app).map_err(Error::internal)?;
    let (toml, problem) = draft.map_or((written, None), |(toml, problem)| (toml, Some(problem)));
    render(&AppPage {
        frame: Frame::of(hub, who, Section::Administration).after(done),
        tab: Tab::Apps,
        heading: entry.app.title.clone(),
        source: capital(&source(&entry.origin)),
        base: format!("/admin/apps/{name}"),
        editable: stored,
        deletable: stored,
        problem,
        name: None,
        grants: Some(grants(hub, &who.actor, &entry).await?),
        how_to_change: match entry.origin {
            Origin::File(_) => "It comes from a file: change the file, and it is read again at once.",
            _ => "It comes with Portico: a file of this name in the catalogue's directory takes its place.",
        },
        toml,
    })
}

async fn change(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
    Form(typed): Form<Typed>,
) -> Result<Response, Error> {
    let saved = save(&hub, &who.actor, name.as_str(), &typed.toml).await;
    settle(&hub, &who, &name, saved.map(|_| "saved"), Some(typed.toml)).await
}

/// Back to the app's page: with a word of success, or with what stands against it.
async fn settle(
    hub: &Hub,
    who: &SignedIn,
    name: &AppName,
    outcome: Result<&'static str, Error>,
    toml: Option<String>,
) -> Result<Response, Error> {
    match outcome {
        Ok(done) => Ok(Redirect::to(&format!("/admin/apps/{name}?done={done}")).into_response()),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let entry = hub.catalogue.now().entries.get(name).cloned().ok_or(Error::NotFound)?;
            let toml =
                toml.map_or_else(|| toml::to_string_pretty(&entry.app).map_err(Error::internal), Ok)?;
            let draft = Some((toml, error.in_words()));
            let mut response = app_page(hub, who, name, &Done::default(), draft).await?;
            *response.status_mut() = error.status();
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

async fn add_grant(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
    Form(typed): Form<TypedGrant>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let given = match subject(&hub, &who.actor, &typed).await {
        Ok(subject) => grant::create(&hub, &who.actor, &permit, &name, subject).await.map(|_| "granted"),
        Err(error) => Err(error),
    };
    settle(&hub, &who, &name, given, None).await
}

async fn subject(hub: &Hub, actor: &Actor, typed: &TypedGrant) -> Result<Subject, Error> {
    let permit = actor.may_administer()?;
    let unknown = || Error::Conflict(format!("there is no {} {:?}", typed.kind, typed.subject));
    match typed.kind.as_str() {
        "everyone" => Ok(Subject::Everyone),
        "group" => {
            let wanted = typed.subject.parse::<portico_core::names::DisplayName>().map_err(|_| unknown())?;
            let groups = group::list(hub, &permit).await?;
            let found = groups.into_iter().find(|group| group.name.key() == wanted.key());
            Ok(Subject::Group(found.ok_or_else(unknown)?.id))
        }
        "user" => match user::by_name(hub, &permit, &typed.subject).await {
            Ok(user) => Ok(Subject::User(user.id)),
            Err(Error::NotFound) => Err(unknown()),
            Err(error) => Err(error),
        },
        _ => Err(Error::Conflict("choose whom to grant it to".to_owned())),
    }
}

async fn remove_grant(
    State(hub): State<Hub>,
    who: SignedIn,
    At((name, id)): At<(AppName, GrantId)>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let removed = grant::delete(&hub, &who.actor, &permit, &name, &id).await;
    settle(&hub, &who, &name, removed.map(|()| "revoked"), None).await
}

async fn confirm_delete(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
) -> Result<Response, Error> {
    let entry = hub.catalogue.now().entries.get(&name).cloned().ok_or(Error::NotFound)?;
    render(&Confirm {
        frame: Frame::of(&hub, &who, Section::Administration),
        tab: Tab::Apps,
        heading: format!("Delete the app {}?", entry.app.title),
        lead: "Sessions that run go on. This deletes for good:",
        losses: vec!["the definition", "every grant that was made of it"],
        action: format!("/admin/apps/{name}/delete"),
        button: "Delete for good",
        back: format!("/admin/apps/{name}"),
    })
}

async fn delete(State(hub): State<Hub>, who: SignedIn, At(name): At<AppName>) -> Result<Response, Error> {
    match app::delete(&hub, &who.actor, &name).await {
        Ok(()) => Ok(Redirect::to("/admin/apps?done=deleted").into_response()),
        Err(error) => settle(&hub, &who, &name, Err(error), None).await,
    }
}
