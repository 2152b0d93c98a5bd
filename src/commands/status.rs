//! `status`: every path that a rule or the filter is for, and how it stands in Git and in the work tree.

use super::context::{Context, POLICY};
use super::paths::{count, os_path};
use crate::document::Format;
use crate::git::Entry;
use crate::git::attributes::{AttributeSource, check_from_top};
use crate::git::snapshot::Snapshot;
use crate::policy::{Policy, is_exempt};
use crate::sops::Sealed;
use crate::ui::Failure;
use crate::vault::Terms;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// How a path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InGit {
    Sealed,
    Plain,
    Draft,
    Broken,
    Empty,
}

/// Shows how the sealed paths stand. The exit code is 1 when one of them is not sealed in Git.
///
/// # Errors
/// When there is no work tree, or Git can't be asked.
pub fn run(_: &Args, context: &Context) -> Result<u8, Failure> {
    let repo = context.repo()?;
    let top = context.top()?.to_owned();
    let policy = context.work_tree_policy().map_err(Failure::new)?;
    let index = Snapshot::index(repo)?;
    let files: Vec<(&[u8], Entry)> = index.iter().filter(|(_, entry)| entry.is_file()).collect();
    let attributes = check_from_top(repo, AttributeSource::WorkTree, files.iter().map(|(path, _)| *path))?;

    let (mut rows, mut bad) = (Vec::new(), 0);
    for ((path, entry), attributes) in files.iter().zip(attributes) {
        let rule = policy
            .as_ref()
            .map(|policy| policy.rule_for(path))
            .transpose()?
            .flatten();
        let filtered = attributes.filter.is("git-seal");
        if (rule.is_none() && !filtered) || is_exempt(path) {
            continue;
        }
        let blob = repo.blob(&entry.oid)?;
        let (in_git, keys) = stored(context, path, &blob, rule.map(Terms::of_rule).transpose()?.as_ref());
        let on_disk = std::fs::read(top.join(os_path(path))).ok();
        let tree = match on_disk {
            None => "absent",
            Some(bytes) if bytes.is_empty() => "empty",
            Some(bytes) if Sealed::parse(Format::of_path(path), &bytes).is_ok() => "sealed",
            Some(_) => "open",
        };
        bad += usize::from(matches!(in_git, InGit::Plain | InGit::Draft | InGit::Broken));
        let word = match in_git {
            InGit::Sealed => "sealed",
            InGit::Plain => "PLAIN IN GIT",
            InGit::Draft => "DRAFT",
            InGit::Broken => "BROKEN",
            InGit::Empty => "empty",
        };
        let mut remarks = Vec::new();
        remarks.extend(keys);
        remarks.extend((rule.is_none()).then(|| "no rule".to_owned()));
        remarks.extend((!filtered && tree == "open").then(|| "not filtered".to_owned()));
        rows.push(format!(
            "{word:<13}{tree:<8}{}  {}\n",
            String::from_utf8_lossy(path),
            remarks.join(", ")
        ));
    }

    let text: String = rows.iter().map(|row| format!("{}\n", row.trim_end())).collect();
    context
        .terminal
        .out(text.as_bytes())
        .map_err(|error| Failure::new(format!("stdout: {error}")))?;
    tell(context, policy.as_ref(), rows.len(), bad);
    Ok(u8::from(bad > 0))
}

/// How a blob is stored, and who can open it.
fn stored(context: &Context, path: &[u8], blob: &[u8], terms: Option<&Terms>) -> (InGit, Option<String>) {
    if blob.is_empty() {
        return (InGit::Empty, None);
    }
    let sealed = match Sealed::parse(Format::of_path(path), blob) {
        Ok(sealed) => sealed,
        Err(crate::sops::Error::Metadata(_)) => return (InGit::Broken, None),
        Err(_) => return (InGit::Plain, None),
    };
    let keyring = &context.found().keyring;
    let opens = sealed.metadata.data_key(keyring).is_ok();
    let mut keys = if opens {
        "you can open it".to_owned()
    } else if keyring.withheld().is_empty() {
        "no key here opens it".to_owned()
    } else {
        "no key here opens it by itself; a plugin or a passphrase may".to_owned()
    };
    if let Some((missing, surplus)) = terms.map(|terms| terms.differences(&sealed.metadata)) {
        if !missing.is_empty() {
            keys.push_str(&format!(", missing {}", missing.join(" ")));
        }
        if !surplus.is_empty() {
            keys.push_str(&format!(", too many {}", surplus.join(" ")));
        }
    }
    let state = match sealed.check_structure() {
        _ if sealed.metadata.draft => InGit::Draft,
        Ok(()) => InGit::Sealed,
        Err(_) => InGit::Broken,
    };
    (state, Some(keys))
}

fn tell(context: &Context, policy: Option<&Policy>, rows: usize, bad: usize) {
    if policy.is_none() {
        context
            .terminal
            .say(&format!("there is no {POLICY} at the top; `git seal init` makes one"));
    } else if rows == 0 {
        context.terminal.say("no tracked file is for a rule or the filter");
    }
    if bad > 0 {
        let files = count(bad, "file");
        context.terminal.warn(&format!(
            "{files} not sealed as it should be; `git seal verify` says how to mend it"
        ));
    }
}
