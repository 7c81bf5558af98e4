//! How a fake app behaves, told by the words of its command.

use portico_core::{app::Program, ports::SpawnError, workload::Exit};

/// The behaviour. Words may be combined: `["app", "print=hello", "after=50"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Act {
    /// `print=TEXT`: a line of the log, at start.
    pub print: Vec<String>,
    /// `exit=N`, `signal=N`, `oom`: ends at once, so.
    pub exit: Option<Exit>,
    /// `after=MILLIS`: answers only then.
    pub after_millis: u64,
    /// `slow=MILLIS`: the launch itself takes so long.
    pub slow_millis: u64,
    /// `never`: accepts connections but never answers.
    pub never: bool,
    /// `deaf`: ends only by force.
    pub deaf: bool,
}

impl Act {
    /// Reads the words. The first word is the program; one named `missing` is not found, as is an
    /// image of that name.
    ///
    /// # Errors
    /// When the program or image is `missing`.
    pub fn of(program: &Program) -> Result<Self, SpawnError> {
        let words = match program {
            Program::Image(run) if run.image == "missing" => {
                return Err(SpawnError::ImageMissing(run.image.clone()));
            }
            Program::Image(run) => &run.command,
            Program::Command(run) => &run.command,
        };
        if words.first().is_some_and(|word| word == "missing") {
            return Err(SpawnError::ProgramMissing("missing".to_owned()));
        }
        let mut act = Self::default();
        for word in words {
            match word.split_once('=') {
                Some(("print", text)) => act.print.push(text.to_owned()),
                Some(("exit", code)) => act.exit = code.parse().ok().map(Exit::Code),
                Some(("signal", number)) => act.exit = number.parse().ok().map(Exit::Signal),
                Some(("after", millis)) => act.after_millis = millis.parse().unwrap_or(0),
                Some(("slow", millis)) => act.slow_millis = millis.parse().unwrap_or(0),
                None if word == "oom" => act.exit = Some(Exit::OutOfMemory),
                None if word == "never" => act.never = true,
                None if word == "deaf" => act.deaf = true,
                _ => {}
            }
        }
        Ok(act)
    }
}
