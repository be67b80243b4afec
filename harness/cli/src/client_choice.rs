//! `--client caller=NAME` and `--client callee=cmd:COMMAND`: who takes which side.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use model::Role;
use runner::Outsider;

/// The client inside the harness.
pub const REFERENCE: &str = "reference";

/// One side and its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientChoice {
    role: Role,
    name: String,
}

impl FromStr for ClientChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!("`{text}` is no choice of a client; write caller=NAME, callee=NAME or callee=cmd:COMMAND")
        };
        let (role, name) = text.split_once('=').ok_or_else(wrong)?;
        let role = role.parse().map_err(|_| wrong())?;
        if name.is_empty() || name == "cmd:" {
            return Err(wrong());
        }
        Ok(Self { role, name: name.to_owned() })
    }
}

impl fmt::Display for ClientChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.role, self.name)
    }
}

/// Whether any side is taken by a client made by others.
pub fn others(choices: &[ClientChoice]) -> bool {
    choices.iter().any(|choice| choice.name != REFERENCE)
}

/// The client made by others that `name` means, looked up in `known`; none where it means the one inside the harness.
///
/// # Errors
/// When the name is unknown.
pub fn outsider(name: &str, known: &BTreeMap<String, String>) -> Result<Option<Outsider>, String> {
    let command = match (name.strip_prefix("cmd:"), known.get(name)) {
        _ if name == REFERENCE => return Ok(None),
        (Some(command), _) => command,
        (None, Some(command)) => command.as_str(),
        (None, None) => {
            let names: Vec<&str> =
                std::iter::once(REFERENCE).chain(known.keys().map(String::as_str)).collect();
            return Err(format!(
                "there is no client `{name}`; use one of {}, write cmd:COMMAND, or add it under `clients` in overheard.yaml",
                names.join(", ")
            ));
        }
    };
    Ok(Some(Outsider { name: name.to_owned(), command: adapters::Command::of_shell(command) }))
}

/// The clients made by others, by side; names are looked up in `known`.
///
/// # Errors
/// When a name is unknown or a side is given twice.
pub fn outsiders(
    choices: &[ClientChoice],
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<Role, Outsider>, String> {
    let mut sides: BTreeMap<Role, Option<Outsider>> = BTreeMap::new();
    for ClientChoice { role, name } in choices {
        let outsider = outsider(name, known)?;
        if sides.insert(*role, outsider).is_some() {
            return Err(format!("--client names the {role} twice; name each side once"));
        }
    }
    Ok(sides.into_iter().filter_map(|(role, outsider)| Some((role, outsider?))).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn chosen(choices: &[&str]) -> Result<Vec<String>, String> {
        let choices: Result<Vec<ClientChoice>, String> =
            choices.iter().map(|choice| choice.parse()).collect();
        let known = BTreeMap::from([("aiortc".to_owned(), "python3 driver.py".to_owned())]);
        let sides = outsiders(&choices?, &known)?;
        Ok(sides.iter().map(|(role, outsider)| format!("{role} {:?}", outsider.command.words[2])).collect())
    }

    #[rstest]
    #[case(&["caller=cmd:./it --fast"], &["caller \"./it --fast\""])]
    #[case(&["callee=aiortc", "caller=reference"], &["callee \"python3 driver.py\""])]
    #[case(&[], &[])]
    fn sides_get_their_commands(#[case] choices: &[&str], #[case] expected: &[&str]) {
        assert_eq!(chosen(choices).expect("chosen"), expected);
    }

    #[rstest]
    #[case(&["cmd:x"], "no choice of a client")]
    #[case(&["bystander=reference"], "no choice of a client")]
    #[case(&["caller="], "no choice of a client")]
    #[case(&["caller=cmd:"], "no choice of a client")]
    #[case(&["caller=nobody"], "one of reference, aiortc")]
    #[case(&["caller=aiortc", "caller=reference"], "twice")]
    fn what_is_no_choice_is_told(#[case] choices: &[&str], #[case] told: &str) {
        let error = chosen(choices).expect_err("no choice");
        assert!(error.contains(told), "{error}");
    }
}
