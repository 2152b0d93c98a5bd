//! `doctor`: what is wrong with the set-up, and the command that mends it.

use std::collections::BTreeSet;

use super::context::{Context, POLICY};
use super::helper;
use super::identities::{State, counted};
use crate::crypt::Need;
use crate::git::Repo;
use crate::git::attributes::{AttrValue, AttributeSource, Attributes, check_from_top};
use crate::git::config_inspect::{Hazard, inspect};
use crate::git::hook_place::{HookPlan, plan};
use crate::git::hook_script::{Author, Event, author};
use crate::git::snapshot::Snapshot;
use crate::policy::is_exempt;
use crate::ui::{Failure, Terminal};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// What the doctor found so far.
struct Chart {
    terminal: Terminal,
    bad: usize,
}

impl Chart {
    fn good(&self, text: &str) {
        self.terminal.err_text(&format!("  ok    {text}\n"));
    }

    fn bad(&mut self, text: &str, mend: &str) {
        self.bad += 1;
        self.terminal
            .err_text(&format!("  BAD   {text}\n        mend: {mend}\n"));
    }

    fn note(&self, text: &str) {
        self.terminal.err_text(&format!("  note  {text}\n"));
    }
}

/// Looks at identities, policy, attributes, drivers and hooks. The exit code is 1 when something is wrong.
///
/// # Errors
/// When there is no repository, or Git can't be asked.
pub fn run(_: &Args, context: &Context) -> Result<u8, Failure> {
    let mut chart = Chart {
        terminal: context.terminal,
        bad: 0,
    };
    let repo = context.repo()?;

    keys(context, &mut chart);
    let filtered = attributes(context, repo, &mut chart)?;
    drivers(repo, filtered, &mut chart)?;
    hooks(repo, &mut chart)?;
    leaks(repo, filtered, &mut chart)?;
    Ok(u8::from(chart.bad > 0))
}

fn keys(context: &Context, chart: &mut Chart) {
    let found = context.found();
    let mut some = false;
    for place in &found.places {
        match &place.state {
            State::Absent => {}
            State::Found(needs) => {
                some |= !needs.is_empty();
                chart.good(&format!("{}: {}", place.name, counted(needs)));
                remark(&place.name, needs, chart);
            }
            State::Command => {
                some = true;
                chart.good(&format!(
                    "{}: a command, run when no other identity opens a file",
                    place.name
                ));
            }
            State::Unusable(reason) => chart.note(&format!("{}: {reason}", place.name)),
        }
    }
    if !some {
        let places: Vec<&str> = found.places.iter().map(|place| place.name.as_str()).collect();
        chart.note(&format!(
            "no identity at hand: sealed files stay sealed; looked at {}",
            places.join(", ")
        ));
    }
}

/// What is to be known about identities that take more than a key.
fn remark(place: &str, needs: &[Need], chart: &mut Chart) {
    if needs.contains(&Need::Passphrase) {
        chart.note(&format!(
            "{place}: Git can't ask for its passphrase, so what only it opens stays sealed in the work tree; `git seal decrypt` and \
             `git seal edit` ask"
        ));
    }
    let mut plugins: BTreeSet<&str> = BTreeSet::new();
    for need in needs {
        if let Need::Plugin(name) = need {
            plugins.insert(name);
        }
    }
    for plugin in plugins {
        if !helper::has_plugin(plugin) {
            chart.bad(
                &format!("{place}: age-plugin-{plugin} is not on PATH, so its identities open nothing"),
                &format!("install age-plugin-{plugin}"),
            );
        }
    }
}

/// The policy and the attributes of the tracked files; tells whether any file goes through the filter.
fn attributes(context: &Context, repo: &Repo, chart: &mut Chart) -> Result<bool, Failure> {
    let policy = match context.work_tree_policy() {
        Err(reason) => {
            chart.bad(&reason, &format!("correct {POLICY}"));
            None
        }
        Ok(None) => {
            chart.bad(
                &format!("there is no {POLICY} at the top of the work tree"),
                "git seal init",
            );
            None
        }
        Ok(Some(policy)) => {
            policy.check().iter().for_each(|problem| {
                chart.bad(
                    &format!("{POLICY}: rule {}: {}", problem.rule + 1, problem.fault),
                    &format!("correct {POLICY}"),
                );
            });
            policy.unknown_keys().iter().for_each(|unknown| {
                let meant = unknown
                    .suggestion
                    .map(|name| format!("; did you mean `{name}`?"))
                    .unwrap_or_default();
                chart.note(&format!(
                    "{POLICY}:{}: SOPS ignores `{}`{meant}",
                    unknown.position, unknown.key
                ));
            });
            Some(policy)
        }
    };
    let index = Snapshot::index(repo)?;
    let paths: Vec<&[u8]> = index
        .iter()
        .filter(|(_, entry)| entry.is_file())
        .map(|(path, _)| path)
        .collect();
    let found = check_from_top(repo, AttributeSource::WorkTree, paths.iter().copied())?;
    let any = found.iter().any(|attributes| attributes.filter.is("git-seal"));
    let mut told = BTreeSet::new();
    for (path, attributes) in paths.iter().zip(&found).filter(|(path, _)| !is_exempt(path)) {
        let ours = attributes.filter.is("git-seal");
        let ruled = match policy.as_ref().map(|policy| policy.rule_for(path)) {
            Some(Ok(rule)) => rule.is_some(),
            _ => continue,
        };
        let name = String::from_utf8_lossy(path);
        if ruled && !ours && any && told.insert("unfiltered") {
            chart.bad(
                &format!("{name}: a rule seals it, but it does not go through the filter"),
                "git seal init",
            );
        }
        if ours && !ruled && told.insert("unruled") {
            chart.bad(
                &format!("{name}: it goes through the filter, but no rule says for whom"),
                &format!("add a rule to {POLICY}"),
            );
        }
        if ours
            && let Some(what) = converts(attributes)
            && told.insert(what)
        {
            chart.bad(
                &format!("{name}: the attribute `{what}` changes sealed text"),
                "add `-text` to its line in .gitattributes",
            );
        }
    }
    if any && chart.bad == 0 {
        chart.good(&format!("{POLICY} and .gitattributes agree"));
    }
    Ok(any)
}

/// The attribute by which Git would convert the text, if one is in force.
fn converts(attributes: &Attributes) -> Option<&'static str> {
    let named = [
        ("eol", &attributes.eol),
        ("working-tree-encoding", &attributes.working_tree_encoding),
        ("ident", &attributes.ident),
    ];
    if attributes.text != AttrValue::Unset {
        return Some("text");
    }
    named
        .into_iter()
        .find(|(_, value)| matches!(value, AttrValue::Set | AttrValue::Value(_)))
        .map(|(name, _)| name)
}

fn drivers(repo: &Repo, filtered: bool, chart: &mut Chart) -> Result<(), Failure> {
    let path = std::env::var_os("PATH");
    let drivers = inspect(repo.git(), path.as_deref())?;
    let none = drivers.effective("filter.git-seal.process").is_none();
    if none && !filtered {
        chart.note("no filter is set up; files stay sealed in the work tree");
        return Ok(());
    }
    if drivers.hazards.is_empty() {
        chart.good("filter, diff and merge driver are set");
    }
    for hazard in &drivers.hazards {
        match hazard {
            Hazard::Missing { key } => chart.bad(
                &format!("{key} is not set: Git may store plain text"),
                "git seal install",
            ),
            Hazard::EmptyProcess => chart.bad(
                "filter.git-seal.process is empty: Git runs no filter at all",
                "git config --unset-all filter.git-seal.process && git seal install",
            ),
            Hazard::NotRequired => chart.bad(
                "filter.git-seal.required is not true: Git stores plain text when the filter fails",
                "git seal install",
            ),
            Hazard::CachedTextconv => chart.bad(
                "diff.git-seal.cachetextconv is on: Git stores plain text in refs/notes/textconv/git-seal",
                "git config --unset-all diff.git-seal.cachetextconv && git update-ref -d refs/notes/textconv/git-seal",
            ),
            Hazard::NoProgram { key, program } => chart.bad(
                &format!("{key} names {}, which can't be run", program.display()),
                "put git-seal on PATH, or run `git seal install` with the program where it is to stay",
            ),
        }
    }
    if let Some(process) = drivers
        .effective("filter.git-seal.process")
        .and_then(|setting| setting.value.as_deref())
        && !process.is_empty()
        && drivers.hazards.is_empty()
    {
        handshake(repo, process, chart);
    }
    Ok(())
}

/// Asks the filter that Git would start for its greeting: a wrapper that prints anything else breaks every checkout.
fn handshake(repo: &Repo, process: &[u8], chart: &mut Chart) {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let shell = Command::new("sh")
        .arg("-c")
        .arg(super::paths::os_path(process))
        .current_dir(repo.work_tree().unwrap_or(repo.git_dir()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = shell else { return };
    if let Some(mut stdin) = child.stdin.take() {
        // It may have gone already; what it printed tells.
        stdin
            .write_all(b"0016git-filter-client\n000eversion=2\n00000015capability=clean\n0000")
            .ok();
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(64).read_to_end(&mut answer).ok();
    }
    child.wait().ok();
    if !answer.starts_with(b"0016git-filter-server\n") {
        chart.bad(
            "filter.git-seal.process does not speak Git's filter protocol: something else prints on its output",
            "look at the wrapper or profile script it runs through, or run `git seal install`",
        );
    }
}

fn hooks(repo: &Repo, chart: &mut Chart) -> Result<(), Failure> {
    match plan(repo.git(), &Event::GATES)? {
        HookPlan::Write { folder } => {
            for event in Event::GATES {
                let path = folder.join(event.name());
                let ours = std::fs::read(&path).is_ok_and(|bytes| !matches!(author(event, &bytes), Author::Other));
                if ours {
                    chart.good(&format!("hook {} is installed", event.name()));
                } else {
                    chart.bad(&format!("hook {} is not installed", event.name()), "git seal install");
                }
            }
        }
        HookPlan::Leave(obstacle) if obstacle.advice.is_empty() => chart.good("hooks run git-seal"),
        HookPlan::Leave(obstacle) => {
            let ways: Vec<String> = obstacle
                .advice
                .iter()
                .flat_map(|advice| advice.commands.clone())
                .collect();
            let way = if ways.is_empty() {
                "git seal install shows the lines".to_owned()
            } else {
                ways.join(" ; ")
            };
            chart.bad(
                &format!("hooks in {} do not run git-seal", obstacle.folder.display()),
                &way,
            );
        }
    }
    Ok(())
}

/// Places of Git's own where plain text can come to lie.
fn leaks(repo: &Repo, filtered: bool, chart: &mut Chart) -> Result<(), Failure> {
    if !filtered {
        return Ok(());
    }
    let (code, value, _) = repo
        .git()
        .exit(&["config", "--type=bool", "--get", "rerere.enabled"], b"")?;
    if code == Some(0) && value.starts_with(b"true") {
        chart.note("rerere.enabled: recorded resolutions lie in the clear in .git/rr-cache");
    }
    let (code, _, _) = repo.git().exit(
        &["rev-parse", "--verify", "--quiet", "refs/notes/textconv/git-seal"],
        b"",
    )?;
    if code == Some(0) {
        chart.bad(
            "refs/notes/textconv/git-seal holds plain text",
            "git update-ref -d refs/notes/textconv/git-seal",
        );
    }
    Ok(())
}
