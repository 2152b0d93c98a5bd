//! `keygen`: a new age key, or the public keys of an identity file, as age's own tool does it.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::context::Context;
use super::{clock, files};
use crate::crypt::{ExposeSecret, Identity, Need};
use crate::ui::Failure;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal keygen -o ~/.config/sops/age/keys.txt    make a key where sops and git-seal look for it
  git seal keygen --pq -o keys.txt                  make one that withstands quantum computers
  git seal keygen -y ~/.config/sops/age/keys.txt    print its public key

A file is made for its owner alone (mode 0600) and never overwritten.";

/// Arguments of `keygen`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Make a key that withstands quantum computers
    #[arg(long = "pq", conflicts_with = "public")]
    pub post_quantum: bool,
    /// Print the public keys of an identity file (stdin without one) instead of making a key
    #[arg(short = 'y')]
    pub public: bool,
    /// The identity file for -y
    #[arg(value_name = "FILE", requires = "public")]
    pub input: Option<PathBuf>,
}

/// Makes a key, or prints public keys.
///
/// # Errors
/// When the output is there already or can't be written, or the input holds no identity.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let (text, public) = if args.public {
        public_keys(args)?
    } else if args.post_quantum {
        new_key(&Identity::generate_hybrid()?)?
    } else {
        new_key(&Identity::generate())?
    };
    match &args.output {
        Some(path) => files::create_private(path, text.as_bytes()).map_err(|failure| failure.code(1))?,
        None => {
            files::put(context, text.as_bytes())?;
        }
    }
    // Whoever sends the key to a file still has to know whom others seal for.
    if let Some(public) = public.filter(|_| args.output.is_some() || !context.terminal.stdout_is_terminal()) {
        context.terminal.err_text(&format!("Public key: {public}\n"));
    }
    Ok(0)
}

/// The text of a new identity file, and its public key.
fn new_key(identity: &Identity) -> Result<(Zeroizing<String>, Option<String>), Failure> {
    let public = identity
        .public()
        .ok_or_else(|| Failure::new("the new key has no public half"))?
        .text()
        .to_owned();
    let secret = identity.secret_text();
    let text = format!(
        "# created: {}\n# public key: {public}\n{}\n",
        clock::now(),
        secret.expose_secret()
    );
    Ok((Zeroizing::new(text), Some(public)))
}

fn public_keys(args: &Args) -> Result<(Zeroizing<String>, Option<String>), Failure> {
    let input = args.input.as_deref().filter(|input| input.as_os_str() != "-");
    let name = input.map_or_else(|| "stdin".to_owned(), |input| input.display().to_string());
    let content = files::read(input).map_err(|failure| failure.code(1))?;
    let lines = public_lines(&content).map_err(|failure| failure.code(1).at(&name))?;
    Ok((Zeroizing::new(lines), None))
}

/// The public keys of an identity file, one a line.
fn public_lines(content: &[u8]) -> Result<String, Failure> {
    let identities = Identity::parse_file(content)?;
    let mut lines = String::new();
    for identity in &identities {
        let public = identity.public().ok_or_else(|| match identity.need() {
            Need::Plugin(plugin) => {
                Failure::new(format!("only age-plugin-{plugin} knows the public key of an identity"))
                    .hint("its own documentation says how to show it")
            }
            Need::Passphrase => Failure::new("it is protected by a passphrase")
                .hint("`age -d FILE | git seal keygen -y` shows its public key"),
            Need::Nothing => Failure::new("the public key of one of its identities is not known"),
        })?;
        lines.push_str(public.text());
        lines.push('\n');
    }
    if lines.is_empty() {
        return Err(Failure::new("it holds no identity"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn what_holds_no_identity_is_refused() {
        for text in ["", "# nothing\n", "nonsense\n", "AGE-SECRET-KEY-1\n"] {
            assert!(public_lines(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_new_key_names_its_public_half() {
        let (text, public) = new_key(&Identity::generate()).unwrap();
        let public = public.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("# created: 2") && lines[2].starts_with("AGE-SECRET-KEY-1"));
        assert_eq!(lines[1], format!("# public key: {public}"));
        assert_eq!(public_lines(text.as_bytes()).unwrap(), format!("{public}\n"));
    }
}
