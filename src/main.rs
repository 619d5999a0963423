//! The `courtesy` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    courtesy::cli::main()
}
