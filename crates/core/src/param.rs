//! Typed launch parameters: what the form asks, and what an answer must be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::names::ParamName;

/// One question of the launch form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: ParamName,
    pub title: String,
    #[serde(default)]
    pub hint: String,
    #[serde(flatten)]
    pub kind: ParameterKind,
}

/// The type of an answer, with its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ParameterKind {
    /// One line of text without control characters.
    Text {
        #[serde(default)]
        default: String,
        #[serde(default = "default_max_length")]
        max_length: usize,
        /// Whether an empty answer is refused.
        #[serde(default)]
        presence: Presence,
    },
    /// A whole number.
    Number {
        default: i64,
        min: i64,
        max: i64,
    },
    Choice {
        default: String,
        options: Vec<Choice>,
    },
    Boolean {
        #[serde(default)]
        default: bool,
    },
    /// Screen size in pixels, written `1280x800`.
    Resolution {
        #[serde(default = "default_resolution")]
        default: String,
    },
}

const fn default_max_length() -> usize {
    200
}

fn default_resolution() -> String {
    "1280x800".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    #[default]
    Optional,
    Required,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub value: String,
    #[serde(default)]
    pub title: String,
}

/// A definition that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidParameter {
    #[error("the title is empty")]
    Title,
    #[error("min is greater than max")]
    Bounds,
    #[error("there are no options, or one is there twice")]
    Options,
    #[error("the default is refused: {0}")]
    Default(InvalidAnswer),
}

/// An answer that is refused; the text is shown beside the field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidAnswer {
    #[error("an answer is needed")]
    Missing,
    #[error("at most {0} characters")]
    TooLong(usize),
    #[error("control characters are not allowed")]
    Control,
    #[error("a whole number from {min} to {max}")]
    Number { min: i64, max: i64 },
    #[error("choose one of: {0}")]
    Choice(String),
    #[error("true or false")]
    Boolean,
    #[error("a width and height such as 1280x800, each from 320 to 7680")]
    Resolution,
    #[error("this app has no such parameter")]
    Unknown,
}

impl Parameter {
    /// Whether the definition makes sense, its default included.
    ///
    /// # Errors
    /// What contradicts itself.
    pub fn check(&self) -> Result<(), InvalidParameter> {
        if self.title.trim().is_empty() {
            return Err(InvalidParameter::Title);
        }
        match &self.kind {
            ParameterKind::Number { min, max, .. } if min > max => {
                return Err(InvalidParameter::Bounds);
            }
            ParameterKind::Choice { options, .. } => {
                let mut values: Vec<_> = options.iter().map(|option| &option.value).collect();
                values.sort();
                values.dedup();
                if values.is_empty() || values.len() != options.len() {
                    return Err(InvalidParameter::Options);
                }
            }
            _ => {}
        }
        if matches!(&self.kind, ParameterKind::Text { default, .. } if default.is_empty()) {
            return Ok(());
        }
        self.accept(&self.default_answer()).map(|_| ()).map_err(InvalidParameter::Default)
    }

    /// The default in text form.
    #[must_use]
    pub fn default_answer(&self) -> String {
        match &self.kind {
            ParameterKind::Text { default, .. }
            | ParameterKind::Choice { default, .. }
            | ParameterKind::Resolution { default } => default.clone(),
            ParameterKind::Number { default, .. } => default.to_string(),
            ParameterKind::Boolean { default } => default.to_string(),
        }
    }

    /// Checks an answer and gives its canonical text.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn accept(&self, answer: &str) -> Result<String, InvalidAnswer> {
        let answer = answer.trim();
        match &self.kind {
            ParameterKind::Text { max_length, presence, .. } => accept_text(answer, *max_length, *presence),
            ParameterKind::Number { min, max, .. } => match answer.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => Ok(number.to_string()),
                _ => Err(InvalidAnswer::Number { min: *min, max: *max }),
            },
            ParameterKind::Choice { options, .. } => {
                if options.iter().any(|option| option.value == answer) {
                    Ok(answer.to_owned())
                } else {
                    let values: Vec<_> = options.iter().map(|option| option.value.as_str()).collect();
                    Err(InvalidAnswer::Choice(values.join(", ")))
                }
            }
            ParameterKind::Boolean { .. } => match answer {
                "true" | "on" | "yes" | "1" => Ok("true".to_owned()),
                "false" | "off" | "no" | "0" | "" => Ok("false".to_owned()),
                _ => Err(InvalidAnswer::Boolean),
            },
            ParameterKind::Resolution { .. } => {
                let size = |text: &str| text.parse::<u32>().ok().filter(|side| (320..=7680).contains(side));
                match answer.split_once('x').map(|(width, height)| (size(width), size(height))) {
                    Some((Some(width), Some(height))) => Ok(format!("{width}x{height}")),
                    _ => Err(InvalidAnswer::Resolution),
                }
            }
        }
    }
}

fn accept_text(answer: &str, max_length: usize, presence: Presence) -> Result<String, InvalidAnswer> {
    if answer.is_empty() && presence == Presence::Required {
        Err(InvalidAnswer::Missing)
    } else if answer.chars().count() > max_length {
        Err(InvalidAnswer::TooLong(max_length))
    } else if answer.chars().any(char::is_control) {
        Err(InvalidAnswer::Control)
    } else {
        Ok(answer.to_owned())
    }
}

/// Checks all answers of a form. Questions without an answer get their default.
///
/// # Errors
/// Every refused answer under its name, so that a form shows all at once.
pub fn accept_all(
    parameters: &[Parameter],
    answers: &BTreeMap<String, String>,
) -> Result<BTreeMap<ParamName, String>, BTreeMap<String, InvalidAnswer>> {
    let mut accepted = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for parameter in parameters {
        let name = parameter.name.as_str();
        let default = parameter.default_answer();
        match parameter.accept(answers.get(name).unwrap_or(&default)) {
            Ok(answer) => drop(accepted.insert(parameter.name.clone(), answer)),
            Err(problem) => drop(refused.insert(name.to_owned(), problem)),
        }
    }
    for name in answers.keys() {
        if !parameters.iter().any(|parameter| parameter.name.as_str() == name) {
            refused.insert(name.clone(), InvalidAnswer::Unknown);
        }
    }
    if refused.is_empty() { Ok(accepted) } else { Err(refused) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: ParameterKind) -> Parameter {
        Parameter { name: "it".parse().expect("a name"), title: "It".to_owned(), hint: String::new(), kind }
    }

    #[test]
    fn a_number_keeps_its_bounds() {
        let cores = parameter(ParameterKind::Number { default: 2, min: 1, max: 4 });
        assert_eq!(cores.accept(" 4 ").as_deref(), Ok("4"));
        for answer in ["0", "5", "two", "", "1e9", "99999999999999999999"] {
            assert_eq!(cores.accept(answer), Err(InvalidAnswer::Number { min: 1, max: 4 }), "{answer}");
        }
    }

    #[test]
    fn a_resolution_has_two_sides() {
        let screen = parameter(ParameterKind::Resolution { default: default_resolution() });
        assert_eq!(screen.accept("01920x1080").as_deref(), Ok("1920x1080"));
        for answer in ["1920", "x", "1920x", "1x1", "1920x1080;reboot", "9999x9999"] {
            assert_eq!(screen.accept(answer), Err(InvalidAnswer::Resolution), "{answer}");
        }
    }

    #[test]
    fn an_unknown_answer_is_refused() {
        let answers = BTreeMap::from([("__proto__".to_owned(), "x".to_owned())]);
        let refused = accept_all(&[], &answers).expect_err("refused");
        assert_eq!(refused.get("__proto__"), Some(&InvalidAnswer::Unknown));
    }

    #[test]
    fn a_definition_with_a_refused_default_is_refused() {
        let broken = parameter(ParameterKind::Number { default: 9, min: 1, max: 4 });
        assert!(matches!(broken.check(), Err(InvalidParameter::Default(_))));
    }
}
