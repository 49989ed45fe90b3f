//! The machine that was measured on: a figure without it says nothing.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// How often the disk is asked to keep something.
const SYNCS: usize = 300;
/// Bytes written before each, as much as a small commit.
const SYNC_BYTES: usize = 4_096;

/// What the operating system says about itself.
pub fn facts() -> Value {
    let cpu = first_value("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory_kib =
        first_value("/proc/meminfo", "MemTotal").and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "cpu": cpu,
        "memory_mib": memory_kib.map(|kib| kib / 1_024),
        "kernel": kernel.trim(),
    })
}

/// The load averages over 1, 5 and 15 minutes; empty where the system keeps none.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// Microseconds that the disk below a folder takes to keep 4 KiB appended to a file (fdatasync): median and 99th
/// percentile.
///
/// # Errors
/// When the folder cannot be written.
pub fn sync_us(folder: &Path) -> Result<(f64, f64)> {
    let path = folder.join("fdatasync");
    let mut file = fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let block = [7_u8; SYNC_BYTES];
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(&path)?;
    Ok((percentile(&mut times, 0.5), percentile(&mut times, 0.99)))
}

/// Resident memory of a process in MiB, and its highest so far.
///
/// # Errors
/// When there is no such process.
pub fn resident_mib(pid: u32) -> Result<(f64, f64)> {
    let file = format!("/proc/{pid}/status");
    let of = |name: &str| {
        let kib = first_value(&file, name).and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1_024.0).with_context(|| format!("{file} has no {name}"))
    };
    Ok((of("VmRSS")?, of("VmHWM")?))
}

/// The value below which this share of all lies; sorts them. 0 without any.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

fn first_value(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| percentile(&mut values, share)), [1.0, 50.0, 99.0, 100.0]);
        assert_eq!(percentile(&mut [3.0], 0.5), 3.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }
}
