//! From a catalogue entry and answers to what an engine is told.
//!
//! [`LaunchSpec`] is the stored part: a copy of everything the app said at that moment, so that later
//! changes of the catalogue do not reach into running work. [`LaunchPlan`] adds the identity of one
//! run. Placeholders: `{param.NAME}` (and `{param.NAME.width}` and `.height` of a resolution), `{user}`, `{origin}`, `{base_path}` and `{label}` are expanded
//! here; `{port}`, `{socket}`, `{workspace}` and `{portico}` by the engine through [`expand`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    app::{App, EntryPoint, Image, Mount, Network, Program, Readiness},
    ids::{UserId, WorkloadId},
    names::{EntryPointName, InstanceName, Label, ParamName, Slug},
    param::ParameterKind,
    quota::Limits,
};

/// What to run, complete and self-contained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchSpec {
    pub program: Program,
    pub env: BTreeMap<String, String>,
    pub parameters: BTreeMap<ParamName, String>,
    pub entry_points: BTreeMap<EntryPointName, EntryPoint>,
    pub ready: Readiness,
    pub mounts: Vec<Mount>,
    pub network: Network,
    pub limits: Limits,
    pub grace_seconds: u32,
}

/// Whose work it is, as engines need to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user: UserId,
    pub slug: Slug,
    /// [`crate::user::User::number`].
    pub number: u32,
}

/// One run of a workload, for an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchPlan {
    pub instance: InstanceName,
    pub workload: WorkloadId,
    pub label: Label,
    pub owner: Owner,
    pub spec: LaunchSpec,
}

/// What the placeholders known to the hub stand for.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub label: &'a Label,
    pub owner: &'a Slug,
    /// Origin of the workload as a browser sees it, without a slash at the end.
    pub origin: &'a str,
    /// `/` where the workload has its own origin, else the path it lives under, with slashes around.
    pub base_path: &'a str,
}

impl LaunchSpec {
    /// Combines an app with accepted answers (see [`crate::param::accept_all`]).
    #[must_use]
    pub fn new(
        app: &App,
        parameters: BTreeMap<ParamName, String>,
        limits: Limits,
        place: &Place<'_>,
    ) -> Self {
        let mut values: BTreeMap<String, String> =
            parameters.iter().map(|(name, answer)| (format!("param.{name}"), answer.clone())).collect();
        for (name, answer) in &parameters {
            if let Some((width, height)) = sides(app, name, answer) {
                values.insert(format!("param.{name}.width"), width.to_owned());
                values.insert(format!("param.{name}.height"), height.to_owned());
            }
        }
        values.insert("label".to_owned(), place.label.to_string());
        values.insert("user".to_owned(), place.owner.to_string());
        values.insert("origin".to_owned(), place.origin.to_owned());
        values.insert("base_path".to_owned(), place.base_path.to_owned());
        let fill = |text: &String| expand(text, &values);
        let program = match &app.program {
            Program::Command(run) => {
                Program::Command(crate::app::Command { command: run.command.iter().map(fill).collect() })
            }
            Program::Image(run) => {
                Program::Image(Image { command: run.command.iter().map(fill).collect(), ..run.clone() })
            }
        };
        let mut env: BTreeMap<_, _> = app.env.iter().map(|(name, text)| (name.clone(), fill(text))).collect();
        for (name, value) in
            [("USER", "user"), ("LABEL", "label"), ("ORIGIN", "origin"), ("BASE_PATH", "base_path")]
        {
            env.insert(format!("PORTICO_{name}"), values[value].clone());
        }
        Self {
            program,
            env,
            parameters,
            entry_points: app.entry_points.clone(),
            ready: app.ready.clone(),
            mounts: app.mounts.clone(),
            network: app.network,
            limits,
            grace_seconds: app.grace_seconds,
        }
    }
}

/// Width and height of an answer to a question for a resolution.
fn sides<'a>(app: &App, name: &ParamName, answer: &'a str) -> Option<(&'a str, &'a str)> {
    let parameter = app.parameters.iter().find(|parameter| parameter.name == *name)?;
    match parameter.kind {
        ParameterKind::Resolution { .. } => answer.split_once('x'),
        _ => None,
    }
}

/// Replaces `{name}` by its value. Unknown names and lone braces stay as they are, and values are not
/// expanded again, so that an answer which holds a placeholder stays plain text.
#[must_use]
pub fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        expanded.push_str(&rest[..open]);
        let tail = &rest[open..];
        let known = tail.find('}').and_then(|close| values.get(&tail[1..close]).map(|value| (close, value)));
        if let Some((close, value)) = known {
            expanded.push_str(value);
            rest = &tail[close + 1..];
        } else {
            expanded.push('{');
            rest = &tail[1..];
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_expanded_once() {
        let values = BTreeMap::from([("a".to_owned(), "{b}".to_owned()), ("b".to_owned(), "no".to_owned())]);
        assert_eq!(expand("x{a}y{unknown}{", &values), "x{b}y{unknown}{");
        assert_eq!(expand("{{a}}", &values), "{{b}}");
    }
}
