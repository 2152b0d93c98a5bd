//! `exec-env`: a command with the values of a sealed file as its variables. They lie on no disk.

use std::ffi::OsString;

use zeroize::Zeroizing;

use super::context::Context;
use super::exec::ExecArgs;
use crate::document::{Format, Item};
use crate::sops::door::text_of;
use crate::sops::sealed::parse_document;
use crate::ui::Failure;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal exec-env secrets.yaml 'psql \"$DATABASE_URL\"'
  git seal exec-env --pristine secrets.env env

Only values at the top level can be variables; comments are passed over. The exit status is the command's.";

/// Arguments of `exec-env`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    exec: ExecArgs,
    /// Give the command the file's variables and no others
    #[arg(long)]
    pristine: bool,
    /// Become the command instead of waiting for it
    #[arg(long)]
    same_process: bool,
}

/// One variable.
type Variable = (String, Zeroizing<Vec<u8>>);

/// Runs the command.
///
/// # Errors
/// With SOPS's exit codes; the command was not started then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    if args.same_process && args.exec.background {
        return Err(Failure::new("--same-process and --background contradict each other").code(1));
    }
    let plain = args.exec.plain(context)?;
    let variables =
        variables(args.exec.format(), &plain).map_err(|failure| failure.code(1).at(args.exec.file.display()))?;

    let mut command = args.exec.shell(&args.exec.command)?;
    if args.pristine {
        command.env_clear();
    }
    for (name, value) in &variables {
        command.env(name, os_value(value)?);
    }
    if args.same_process {
        return Err(become_it(command));
    }
    args.exec.run(&mut command)
}

/// The variables of a file: what stands at the top level of its first document.
fn variables(format: Format, content: &[u8]) -> Result<Vec<Variable>, Failure> {
    if format == Format::Binary {
        return one("data", content).map(|variable| vec![variable]);
    }
    let (text, _) = text_of(format, content)?;
    let document = parse_document(format, &text)?;
    let mut variables = Vec::new();
    let first = document
        .items
        .iter()
        .skip(1)
        .take_while(|item| !matches!(item, Item::Begin(_)));
    for item in first {
        match item {
            Item::Leaf(leaf) => {
                let name = leaf.key.as_ref().map(|key| key.name.as_ref()).unwrap_or_default();
                variables.push(one(name, &leaf.value.flat_bytes())?);
            }
            Item::Enter(container) => {
                let name = container.key.as_ref().map(|key| key.name.as_ref()).unwrap_or_default();
                return Err(
                    Failure::new(format!("`{name}` is a map or list, which no variable can hold"))
                        .hint("use exec-file, or decrypt --extract"),
                );
            }
            Item::Comment(_) | Item::Begin(_) | Item::Leave => {}
        }
    }
    Ok(variables)
}

fn one(name: &str, value: &[u8]) -> Result<Variable, Failure> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Failure::new(format!(
            "the key {name:?} can't be the name of a variable"
        )));
    }
    if value.contains(&0) {
        return Err(Failure::new(format!(
            "the value of `{name}` holds a zero byte, which no variable can"
        )));
    }
    Ok((name.to_owned(), Zeroizing::new(value.to_vec())))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems need text")]
fn os_value(value: &[u8]) -> Result<OsString, Failure> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(value.to_vec()))
}

#[cfg(not(unix))]
fn os_value(value: &[u8]) -> Result<OsString, Failure> {
    let text = std::str::from_utf8(value);
    text.map(OsString::from)
        .map_err(|_| Failure::new("a value is not UTF-8").code(1))
}

/// Lets the command take the place of this process; comes back only when that fails.
#[cfg(unix)]
fn become_it(mut command: std::process::Command) -> Failure {
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    Failure::new(format!("the command can't be run: {error}")).code(1)
}

#[cfg(not(unix))]
fn become_it(_: std::process::Command) -> Failure {
    Failure::new("--same-process is for Unix").code(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn what_can_be_no_variable_is_refused() {
        #[track_caller]
        fn case(format: Format, text: &[u8], message: &str) {
            assert_eq!(variables(format, text).unwrap_err().message, message);
        }
        let nested = "`b` is a map or list, which no variable can hold";
        case(Format::Yaml, b"a: 1\nb: {}\n", nested);
        case(Format::Json, b"{\"b\": []}", nested);
        case(
            Format::Yaml,
            b"a=b: 1\n",
            "the key \"a=b\" can't be the name of a variable",
        );
        case(
            Format::Json,
            b"{\"\": 1}",
            "the key \"\" can't be the name of a variable",
        );
        let zero = "the value of `a` holds a zero byte, which no variable can";
        case(Format::Yaml, b"a: \"\\0\"\n", zero);
    }

    #[test]
    fn values_have_their_flat_form() {
        let text = b"# c\na: x y\nb: 1.50\nc: ~\nd: |\n  l\n  m\n---\ne: other\n";
        let found = variables(Format::Yaml, text).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(found, ["a=x y", "b=1.5", "c=<nil>", "d=l\nm\n"]);
    }
}
