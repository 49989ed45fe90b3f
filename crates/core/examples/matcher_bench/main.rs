//! How fast the router decides, by the number of people and of items that wait.
//!
//! `cargo run --release -p switchboard-core --example matcher_bench` measures a matrix of sizes and prints a table;
//! `--json` prints the rows of `cargo xtask bench` instead, `--quick` runs shorter, and `--agents N --waiting N` measures
//! one size. Everybody stands in the rules of five of fifty channels, and a skill is demanded of a quarter of the work.
//! One decision is one item that finds its owner: somebody closes an item, the first of all that wait goes to whoever is
//! free, and a new item arrives and waits; where nothing waits, the new item goes to somebody at once. Inputs are made
//! outside the clock. Each size runs in a process of its own, so that its memory is its own.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock and starts processes; the router does not")]

mod centre;
mod clock;
mod directory;
mod instructions;
mod matrix;
mod row;
mod size;

use size::Size;

/// What the command line says.
struct Options {
    quick: bool,
    json: bool,
    /// Run so many rounds at the size and print nothing, for a tool that counts.
    count: Option<usize>,
    /// One size only.
    size: Option<Size>,
}

fn main() {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(2);
        }
    };
    let rows = match (&options.size, options.count) {
        (Some(size), Some(rounds)) => return size.run(rounds),
        (Some(size), None) => size.rows(options.quick),
        (None, _) => matrix::rows(options.quick),
    };
    if options.json {
        println!("{}", serde_json::Value::from(rows.iter().map(row::Row::to_json).collect::<Vec<_>>()));
    } else {
        for row in rows {
            println!("{}", row.line());
        }
    }
}

fn options(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { quick: false, json: false, count: None, size: None };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        let number = |text: String| text.replace('_', "").parse().map_err(|_| format!("{text} is no number"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--json" => options.json = true,
            "--count" => options.count = Some(number(value()?)?),
            "--agents" => options.size.get_or_insert_default().agents = number(value()?)?,
            "--waiting" => options.size.get_or_insert_default().waiting = number(value()?)?,
            "--kind" => options.size.get_or_insert_default().kind = value()?.parse()?,
            _ => return Err(format!("{argument} is unknown; there are --quick --json --agents --waiting --kind --count")),
        }
    }
    Ok(options)
}
