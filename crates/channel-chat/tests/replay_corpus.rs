//! Replays the corpus of the fuzz targets, and mutates it a little, on any compiler.
#![allow(clippy::disallowed_methods, reason = "a seed to repeat a run with comes from the environment")]

use std::fs;
use std::path::Path;
use switchboard_channel_chat::fuzzing;

/// How many mutations of each seed are tried.
const MUTATIONS: u64 = 60;

/// A small generator (SplitMix64), so that a printed seed repeats a run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// The bytes with a few of them changed, cut out or repeated.
fn mutated(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + random.below(64)).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => bytes.insert(at, [0, b'\n', b':', b'"', b'{', 0xff][random.below(6)]),
        }
    }
    bytes
}

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpus is committed");
    let mut seeds: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} holds nothing", folder.display());
    let start = std::env::var("SWITCHBOARD_SEED").ok().and_then(|seed| seed.parse().ok());
    let start: u64 = start.unwrap_or_else(|| u64::from(std::process::id()) << 20);
    println!("{target}: {} seeds, {MUTATIONS} mutations each; SWITCHBOARD_SEED={start} repeats them", seeds.len());
    let mut random = Random(start);
    for path in seeds {
        let seed = fs::read(&path).expect("a seed");
        run(&seed);
        for _ in 0..MUTATIONS {
            run(&mutated(&seed, &mut random));
        }
    }
}

#[test]
fn any_bytes_are_read_as_a_frame() {
    replay("frame", fuzzing::frame);
}
