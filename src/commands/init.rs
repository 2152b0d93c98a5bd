//! `init`: the maintainer's once. A key where there is none, a policy, attributes, and the installation. Overwrites nothing.

use std::path::Path;

use super::context::{Context, POLICY, read_policy};
use super::{files, identities, install};
use crate::crypt::{ExposeSecret, Identity, Recipient};
use crate::git::attribute_lines::{add_lines, our_patterns};
use crate::git::attribute_patterns::patterns_for;
use crate::policy::{NamedRecipient, PathPattern, Policy, new_policy_text};
use crate::ui::Failure;

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  git seal init                        everything below secrets/ is sealed\n  \
                        git seal init --path '\\.secret\\.yaml$'   files that end so are sealed\n  \
                        git seal init --age age1…            for another recipient too\n  \
                        git seal init --guard-only           files stay sealed in the work tree; hooks watch"
)]
pub struct Args {
    /// Paths to seal: a `path_regex` of SOPS. May be given several times.
    #[arg(long, value_name = "REGEX", default_value = "^secrets/")]
    pub path: Vec<String>,
    /// Further recipients: age or SSH public keys, separated by commas.
    #[arg(long, short = 'a', value_name = "RECIPIENTS")]
    pub age: Vec<String>,
    /// Install the hooks only, no filter: files stay sealed in the work tree.
    #[arg(long)]
    pub guard_only: bool,
}

/// Sets up git-seal in a repository.
///
/// # Errors
/// When there is no work tree, a recipient is malformed, or a file can't be written.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let top = context.top()?.to_owned();
    let own = own_recipient(args, context)?;
    let policy = policy(args, context, &top, &own)?;
    if !args.guard_only {
        attributes(context, &top, &policy)?;
    }
    let code = install::run(
        &install::Args {
            global: false,
            guard_only: args.guard_only,
        },
        context,
    )?;
    let new = if args.guard_only {
        POLICY
    } else {
        ".sops.yaml .gitattributes"
    };
    context
        .terminal
        .say(&format!("commit the set-up: git add {new} && git commit"));
    Ok(code)
}

/// The public key of the identity at hand; a new one is made where there is none. An identity that does not tell its own is taken to
/// be that of the first key given.
fn own_recipient(args: &Args, context: &Context) -> Result<Recipient, Failure> {
    let found = context.found();
    let known: Vec<&Recipient> = found.keyring.public_recipients().collect();
    // An age key is shorter to read than an SSH one and made for this.
    let best = known
        .iter()
        .find(|key| key.text().starts_with("age1"))
        .or(known.first());
    if let Some(best) = best {
        context.terminal.say(&format!("your public key: {}", best.text()));
        return Ok((*best).clone());
    }
    let path = identities::default_file()
        .ok_or_else(|| Failure::new("there is no home folder to keep a key in").hint("set SOPS_AGE_KEY_FILE"))?;
    if path.exists() {
        // A plugin's identity, or one behind a passphrase.
        let given = args.age.iter().map(|list| Recipient::parse_list(list)).next();
        let given = given.transpose()?.and_then(|list| list.into_iter().next());
        return given.ok_or_else(|| {
            Failure::new("it holds no identity whose public key can be told")
                .at(path.display())
                .hint("give your own public key with --age")
        });
    }
    let identity = Identity::generate();
    let public = identity
        .public()
        .cloned()
        .ok_or_else(|| Failure::new("the new key has no public half"))?;
    let text = format!(
        "# public key: {}\n{}\n",
        public.text(),
        identity.secret_text().expose_secret()
    );
    files::create_private(&path, text.as_bytes())?;
    context.terminal.say(&format!(
        "new key made: {} (keep a copy of it in a safe place)",
        path.display()
    ));
    context.terminal.say(&format!("your public key: {}", public.text()));
    Ok(public)
}

/// The policy that is there, or a new one.
fn policy(args: &Args, context: &Context, top: &Path, own: &Recipient) -> Result<Policy, Failure> {
    let path = top.join(POLICY);
    if let Some(policy) = read_policy(&path).map_err(Failure::new)? {
        context
            .terminal
            .say(&format!("{POLICY} is there already; left as it is"));
        return Ok(policy);
    }
    let mut recipients = vec![named(own)];
    for list in &args.age {
        for recipient in Recipient::parse_list(list)? {
            if !recipient.same_key(own) {
                recipients.push(named(&recipient));
            }
        }
    }
    let patterns: Vec<&str> = args.path.iter().map(String::as_str).collect();
    let text = new_policy_text(&recipients, &patterns);
    let policy = Policy::parse(text.as_bytes())?;
    if let Some(problem) = policy.check().first() {
        return Err(Failure::new(format!("--path: {}", problem.fault)));
    }
    files::create_new(&path, text.as_bytes())?;
    context.terminal.say(&format!(
        "{POLICY} written: {} sealed for {}",
        args.path.join(", "),
        recipients.len()
    ));
    Ok(policy)
}

fn named(recipient: &Recipient) -> NamedRecipient {
    NamedRecipient {
        name: recipient.comment().map(str::to_owned).unwrap_or_default(),
        recipient: recipient.text().to_owned(),
    }
}

/// Attribute lines for the rules' paths, beside what is there.
fn attributes(context: &Context, top: &Path, policy: &Policy) -> Result<(), Failure> {
    let path = top.join(".gitattributes");
    let old = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Failure::io(&path, &error)),
    };
    let mut wanted = Vec::new();
    for rule in policy.rules() {
        let patterns = match &rule.path {
            PathPattern::Everything => None,
            PathPattern::Regex(regex) => patterns_for(regex.as_str()),
            PathPattern::Invalid(_) => continue,
        };
        match patterns {
            Some(patterns) => wanted.extend(patterns),
            None => {
                context.terminal.warn(&format!(
                    "rule {} of {POLICY}: its paths can't be put into .gitattributes by itself; add a line like \
                     `PATTERN filter=git-seal diff=git-seal merge=git-seal -text`",
                    rule.index + 1
                ));
            }
        }
    }
    let known = our_patterns(&old);
    wanted.retain(|pattern| !known.iter().any(|known| known == pattern.as_bytes()));
    if wanted.is_empty() {
        return Ok(());
    }
    let new = add_lines(&old, &wanted)?;
    files::replace(&path, &new)?;
    context
        .terminal
        .say(&format!(".gitattributes: {} through the filter", wanted.join(", ")));
    Ok(())
}
