//! Instructions of a decision, which do not depend on who else uses the machine.
//!
//! Counted by valgrind, where it is installed: a run with some rounds is taken from one with twice as many, so that
//! making the centre does not count. Making the inputs does.

use crate::size::Size;
use std::process::Command;

/// How many rounds the shorter run has.
const ROUNDS: u64 = 2_000;

/// Instructions of one round at a size.
///
/// # Errors
/// Why they could not be counted, for the reader.
pub(crate) fn per_decision(size: &Size) -> Result<f64, String> {
    let (once, twice) = (count(size, ROUNDS)?, count(size, 2 * ROUNDS)?);
    Ok(twice.saturating_sub(once) as f64 / ROUNDS as f64)
}

fn count(size: &Size, rounds: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program is not to be found: {error}"))?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    command.args(size.arguments()).args(["--count", &rounds.to_string()]);
    let output = command.output().map_err(|_| "valgrind is not installed (Debian package valgrind)".to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let counted = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    counted.ok_or_else(|| format!("valgrind counted nothing: {}", said.lines().last().unwrap_or_default()))
}
