//! A process filter that copies: what Git's own side of a filtered checkout or add costs, to hold git-seal against.

use std::io::{self, BufReader};
use std::process::ExitCode;

use git_seal::git::filter_handler::{Answer, Handler, SmudgeRequest};
use git_seal::git::filter_process::serve;

struct Copy;

impl Handler for Copy {
    fn clean(&mut self, _path: &[u8], content: Vec<u8>) -> Answer {
        Answer::Content(content)
    }

    fn smudge(&mut self, _request: &SmudgeRequest, content: Vec<u8>) -> Answer {
        Answer::Content(content)
    }
}

fn main() -> ExitCode {
    // Git sees an exit code other than 0 only as a failed filter, and says so itself.
    serve(BufReader::new(io::stdin().lock()), io::stdout().lock(), &mut Copy)
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
