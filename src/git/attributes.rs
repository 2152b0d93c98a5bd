//! What Git's attributes say about paths: asked of Git, because nobody else reads all the places that they come from.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;

use super::command::Git;
use super::error::Error;
use super::oid::Oid;
use super::repo::Repo;
use super::version::Version;

/// The attributes that are asked for, in the order of the fields of [`Attributes`].
const NAMES: [&str; 8] = [
    "filter",
    "diff",
    "merge",
    "text",
    "eol",
    "crlf",
    "working-tree-encoding",
    "ident",
];

/// Whose `.gitattributes` files count. `info/attributes` and the user's own file always do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeSource {
    /// Those of the work tree, where there are none those of the index: what `git add` goes by.
    WorkTree,
    /// Those of the index alone.
    Index,
    /// Those of a commit or tree. Git before 2.40 gets them through a temporary index.
    Commit(Oid),
}

/// The state of one attribute for one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AttrValue {
    /// `name`: true.
    Set,
    /// `-name`: false.
    Unset,
    /// Not mentioned, or `!name`.
    #[default]
    Unspecified,
    /// `name=value`.
    Value(Vec<u8>),
}

impl AttrValue {
    /// Whether this is `name=value` with this very value.
    #[must_use]
    pub fn is(&self, value: &str) -> bool {
        matches!(self, Self::Value(found) if found == value.as_bytes())
    }

    fn parse(word: &[u8]) -> Self {
        match word {
            b"set" => Self::Set,
            b"unset" => Self::Unset,
            b"unspecified" => Self::Unspecified,
            value => Self::Value(value.to_vec()),
        }
    }
}

/// The attributes of one path that matter for sealing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The filter driver.
    pub filter: AttrValue,
    /// The diff driver.
    pub diff: AttrValue,
    /// The merge driver.
    pub merge: AttrValue,
    /// Whether line ends are converted.
    pub text: AttrValue,
    /// The line ends of the work tree.
    pub eol: AttrValue,
    /// The old name of `text`.
    pub crlf: AttrValue,
    /// The encoding of the work tree.
    pub working_tree_encoding: AttrValue,
    /// Whether `$Id$` is expanded.
    pub ident: AttrValue,
}

/// Asks for the attributes of `paths`, and answers in their order. Paths are relative to the folder that `git` runs in; they
/// need not exist.
///
/// # Errors
/// Those of [`Git::run`]; [`Error::MissingObject`] when a `.gitattributes` file of the index or commit is not in this
/// repository; [`Error::Output`] when Git's list can't be read; [`Error::Io`] when no temporary file can be made.
pub fn check<'a, I>(git: &Git, source: AttributeSource, paths: I) -> Result<Vec<Attributes>, Error>
where
    I: IntoIterator<Item = &'a [u8]>,
{
    let mut paths = paths.into_iter().peekable();
    if paths.peek().is_none() {
        return Ok(Vec::new());
    }
    require_files(git, source)?;
    check_readable(git, source, paths)
}

/// A question about the index's attributes whose paths are not known yet. Git reads the whole index before it answers, which in a
/// large repository takes longer than anything else a hook does: so it begins early.
#[derive(Debug)]
pub struct Early {
    child: std::process::Child,
}

impl Early {
    /// Has Git begin to read the index.
    ///
    /// # Errors
    /// [`Error::GitMissing`] when it can't be started.
    pub fn begin(git: &Git) -> Result<Self, Error> {
        let args: Vec<&str> = ["check-attr", "--stdin", "-z", "--cached"]
            .into_iter()
            .chain(NAMES)
            .collect();
        Ok(Self {
            child: git.spawn(&args)?,
        })
    }

    /// Asks for the attributes of `paths`, as [`check_readable`].
    ///
    /// # Errors
    /// As [`check_readable`].
    pub fn ask<'a>(mut self, paths: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Attributes>, Error> {
        let (input, count) = lines(paths);
        let stdin = self.child.stdin.take();
        let output = std::thread::scope(|scope| {
            // A writer of its own: Git answers while it is still being asked.
            scope.spawn(move || stdin.map(|mut stdin| std::io::Write::write_all(&mut stdin, &input)));
            self.child.wait_with_output()
        });
        let output = output.map_err(Error::Pipe)?;
        if !output.status.success() {
            return Err(Error::GitFailed {
                command: "check-attr --cached".to_owned(),
                code: output.status.code(),
                stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        parse(&output.stdout, count)
    }

    /// Ends the question unasked.
    pub fn forget(mut self) {
        drop(self.child.stdin.take());
        // It has nothing to say, and nothing depends on how it ends.
        self.child.wait().ok();
    }
}

/// Paths as Git takes them on stdin, and their number.
fn lines<'a>(paths: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, usize) {
    let mut input = Vec::new();
    let mut count = 0;
    for path in paths {
        input.extend_from_slice(path);
        input.push(0);
        count += 1;
    }
    (input, count)
}

/// As [`check`], for a caller who knows that the attribute files above these paths can be read: it costs one child of Git.
///
/// # Errors
/// As [`check`], but for a missing attribute file, which counts as empty.
pub fn check_readable<'a, I>(git: &Git, source: AttributeSource, paths: I) -> Result<Vec<Attributes>, Error>
where
    I: IntoIterator<Item = &'a [u8]>,
{
    let (input, count) = lines(paths);
    let mut args = ["check-attr", "--stdin", "-z"].map(str::to_owned).to_vec();
    let output = match source {
        AttributeSource::Commit(oid) if Version::of(git)? < Version::ATTRIBUTES_OF_A_TREE => {
            return parse(&through_an_index(git, oid, &input)?, count);
        }
        AttributeSource::Commit(oid) => {
            args.push(format!("--source={oid}"));
            args
        }
        AttributeSource::Index => {
            args.push("--cached".to_owned());
            args
        }
        AttributeSource::WorkTree => args,
    };
    let args: Vec<&str> = output.iter().map(String::as_str).chain(NAMES).collect();
    parse(&git.run_with_input(&args, &input)?, count)
}

/// As [`check`], for paths relative to the top, wherever below it the repository was opened.
///
/// # Errors
/// As [`check`].
pub fn check_from_top<'a, I>(repo: &Repo, source: AttributeSource, paths: I) -> Result<Vec<Attributes>, Error>
where
    I: IntoIterator<Item = &'a [u8]>,
{
    let asked: Vec<Vec<u8>> = paths.into_iter().map(|path| repo.from_top(path)).collect();
    check(repo.git(), source, asked.iter().map(Vec::as_slice))
}

/// Makes sure that every `.gitattributes` file of an index or commit can be read: for one that is missing, as in a partial
/// clone, or a commit that is, Git answers "unspecified" and tells nobody.
fn require_files(git: &Git, source: AttributeSource) -> Result<(), Error> {
    let list = match source {
        AttributeSource::WorkTree => return Ok(()),
        AttributeSource::Index => git.run(&["ls-files", "--stage", "-z", "--full-name", "--", ":/"])?,
        AttributeSource::Commit(oid) => git.run(&["ls-tree", "-r", "-z", "--full-tree", &oid.to_string()])?,
    };
    let mut oids = Vec::new();
    for entry in list.split(|&byte| byte == 0) {
        let mut halves = entry.splitn(2, |&byte| byte == b'\t');
        let (Some(facts), Some(path)) = (halves.next(), halves.next()) else {
            continue;
        };
        if path == b".gitattributes" || path.ends_with(b"/.gitattributes") {
            // MODE OID STAGE in an index, MODE TYPE OID in a tree.
            let oid = facts
                .split(|&byte| byte == b' ')
                .find_map(|fact| Oid::from_hex(fact).ok());
            oids.push(oid.ok_or(Error::Output {
                what: "list of attribute files",
            })?);
        }
    }
    if oids.is_empty() {
        return Ok(());
    }
    let input: Vec<String> = oids.iter().map(|oid| format!("{oid}\n")).collect();
    let kinds = git.run_with_input(&["cat-file", "--batch-check=%(objecttype)"], input.concat().as_bytes())?;
    let mut lines = kinds.split(|&byte| byte == b'\n');
    match oids.into_iter().find(|_| lines.next() != Some(b"blob")) {
        Some(oid) => Err(Error::MissingObject { oid }),
        None => Ok(()),
    }
}

/// Reads a tree into an index of its own and asks by that.
fn through_an_index(git: &Git, oid: Oid, input: &[u8]) -> Result<Vec<u8>, Error> {
    let temp = tempfile::tempdir().map_err(|source| Error::Io {
        path: "temporary folder".into(),
        source,
    })?;
    let index = temp.path().join("index");
    with_index(git, &index, &["read-tree", &oid.to_string()], &[])?;
    let args: Vec<&str> = ["check-attr", "--stdin", "-z", "--cached"]
        .into_iter()
        .chain(NAMES)
        .collect();
    with_index(git, &index, &args, input)
}

/// As [`Git::run_with_input`] with another index.
fn with_index(git: &Git, index: &Path, args: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
    let io = |source| Error::Io {
        path: index.to_owned(),
        source,
    };
    let path = index.with_extension("paths");
    let mut stdin = fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(io)?;
    stdin.write_all(input).map_err(io)?;
    stdin.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut command = git.command();
    command
        .args(args)
        .env("GIT_INDEX_FILE", index)
        .stdin(Stdio::from(stdin));
    let output = command.output().map_err(Error::GitMissing)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::GitFailed {
        command: args.join(" "),
        code: output.status.code(),
        stderr,
    })
}

/// Reads `PATH NUL ATTRIBUTE NUL STATE NUL`, eight times a path.
fn parse(output: &[u8], count: usize) -> Result<Vec<Attributes>, Error> {
    let bad = || Error::Output { what: "check-attr" };
    let mut fields = output.split(|&byte| byte == 0);
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let mut states: [AttrValue; NAMES.len()] = Default::default();
        for (name, state) in NAMES.iter().zip(&mut states) {
            let (_path, attribute) = (fields.next(), fields.next().ok_or_else(bad)?);
            if attribute != name.as_bytes() {
                return Err(bad());
            }
            *state = AttrValue::parse(fields.next().ok_or_else(bad)?);
        }
        let [filter, diff, merge, text, eol, crlf, working_tree_encoding, ident] = states;
        all.push(Attributes {
            filter,
            diff,
            merge,
            text,
            eol,
            crlf,
            working_tree_encoding,
            ident,
        });
    }
    // After the last NUL there is nothing.
    if fields.next() != Some(b"") || fields.next().is_some() {
        return Err(bad());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use super::*;
    use crate::git::testing::{Sandbox, hermetic};

    #[test]
    fn other_output_is_refused() {
        let record = |name: &str| format!("p\0{name}\0unset\0").into_bytes();
        let whole: Vec<u8> = NAMES.iter().flat_map(|name| record(name)).collect();
        assert_eq!(parse(&whole, 1).unwrap()[0].ident, AttrValue::Unset);
        let cases = [
            (whole.clone(), 0),
            (whole.clone(), 2),
            (whole[1..].to_vec(), 2),
            (whole[..whole.len() - 1].to_vec(), 1),
            ([&record("diff")[..], &whole[record("filter").len()..]].concat(), 1),
            (Vec::new(), 1),
        ];
        for (output, count) in cases {
            assert!(matches!(parse(&output, count), Err(Error::Output { .. })), "{count}");
        }
    }

    #[test]
    fn each_source_has_its_own_answer() {
        hermetic(module_path!(), "each_source_has_its_own_answer", sources);
    }

    fn head(git: &Git) -> Oid {
        Oid::from_hex(git.run(&["rev-parse", "HEAD"]).unwrap().trim_ascii()).unwrap()
    }

    fn sources(sandbox: &Sandbox) {
        let git = &sandbox.git;
        sandbox.write(
            "deep/.gitattributes",
            b"*.y filter=deep -text eol=lf working-tree-encoding=UTF-16LE ident\n",
        );
        sandbox.write(".gitattributes", b"a filter=committed merge diff=x\n");
        sandbox.commit();
        let commit = head(git);
        sandbox.write(".gitattributes", b"a filter=staged !merge -diff\n");
        git.run(&["add", "."]).unwrap();
        sandbox.write(".gitattributes", b"a crlf=input\n");
        let value = |text: &str| AttrValue::Value(text.into());
        let paths = ["a", "deep/x \n\".y", "none", "deep/\u{e4}.y", "a"].map(str::as_bytes);
        let committed = Attributes {
            filter: value("committed"),
            merge: AttrValue::Set,
            diff: value("x"),
            ..Attributes::default()
        };
        let staged = Attributes {
            filter: value("staged"),
            diff: AttrValue::Unset,
            ..Attributes::default()
        };
        let worktree = Attributes {
            crlf: value("input"),
            ..Attributes::default()
        };
        let deep = Attributes {
            filter: value("deep"),
            text: AttrValue::Unset,
            eol: value("lf"),
            working_tree_encoding: value("UTF-16LE"),
            ident: AttrValue::Set,
            ..Attributes::default()
        };
        sandbox.with_peer(&["clone", "--quiet", "--bare", ".", "../bare"]);
        let cases = [
            (git.clone(), AttributeSource::Commit(commit), &committed),
            (sandbox.git_in("bare"), AttributeSource::Commit(commit), &committed),
            (git.clone(), AttributeSource::Index, &staged),
            (git.clone(), AttributeSource::WorkTree, &worktree),
        ];
        for (git, source, first) in cases {
            let all = check(&git, source, paths).unwrap();
            let expected = [
                first.clone(),
                deep.clone(),
                Attributes::default(),
                deep.clone(),
                first.clone(),
            ];
            assert_eq!(all, expected, "{source:?}");
            assert_eq!(check(&git, source, []).unwrap(), []);
        }
        let input = b"a\0".to_vec();
        let through = parse(&through_an_index(git, commit, &input).unwrap(), 1).unwrap();
        assert_eq!(through, [committed]);
        assert!(staged.filter.is("staged") && !staged.filter.is("set") && !staged.diff.is("unset"));
    }

    #[test]
    fn what_git_refuses_is_an_error() {
        hermetic(module_path!(), "what_git_refuses_is_an_error", |sandbox| {
            let nowhere = Oid::from_bytes(&[7; 20]).unwrap();
            let paths = || ["a"].map(str::as_bytes);
            for (git, source) in [
                (sandbox.git.clone(), AttributeSource::Commit(nowhere)),
                (sandbox.git_in("."), AttributeSource::WorkTree),
            ] {
                assert!(
                    matches!(check(&git, source, paths()), Err(Error::GitFailed { .. })),
                    "{source:?}"
                );
            }
            let outside = check(&sandbox.git, AttributeSource::WorkTree, [&b"../a"[..]]);
            assert!(matches!(outside, Err(Error::GitFailed { .. })));
        });
    }

    #[test]
    fn a_missing_attributes_file_is_an_error() {
        hermetic(module_path!(), "a_missing_attributes_file_is_an_error", |sandbox| {
            sandbox.write("deep/.gitattributes", b"* filter=git-seal\n");
            sandbox.write("sub/file", b"");
            sandbox.commit();
            let blob = sandbox.git.run(&["rev-parse", ":deep/.gitattributes"]).unwrap();
            let oid = Oid::from_hex(blob.trim_ascii()).unwrap();
            let name = oid.to_string();
            std::fs::remove_file(sandbox.path(format!(".git/objects/{}/{}", &name[..2], &name[2..]))).unwrap();
            let sub = sandbox.git_in("repo/sub");
            for source in [AttributeSource::Index, AttributeSource::Commit(head(&sandbox.git))] {
                let result = check(&sub, source, [&b"../deep/a"[..]]);
                assert!(
                    matches!(result, Err(Error::MissingObject { oid: missing }) if missing == oid),
                    "{source:?}"
                );
            }
            let there = check(&sub, AttributeSource::WorkTree, [&b"../deep/a"[..]]).unwrap();
            assert!(there[0].filter.is("git-seal"));
        });
    }

    #[test]
    fn thousands_of_paths_are_one_question() {
        hermetic(module_path!(), "thousands_of_paths_are_one_question", |sandbox| {
            sandbox.write(".gitattributes", b"*7 filter=x\n");
            let paths: Vec<String> = (0..20_000).map(|number| format!("folder/file{number}")).collect();
            let all = check(
                &sandbox.git,
                AttributeSource::WorkTree,
                paths.iter().map(String::as_bytes),
            )
            .unwrap();
            let sealed = all.iter().filter(|attributes| attributes.filter.is("x")).count();
            assert_eq!((all.len(), sealed), (20_000, 2_000));
        });
    }
}
