//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_seal::cli::run(std::env::args_os())
}
