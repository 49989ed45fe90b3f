//! The corpora of fuzz targets, replayed and mutated a little.

use std::fs;
use std::path::Path;

/// How many mutations of each seed are tried.
const MUTATIONS: u64 = 60;
/// Bytes that mean something to one decoder or another.
const PUNCTUATION: [u8; 8] = [0, b'\n', b':', b'-', b'=', b'"', b'{', 0xff];

/// Runs a target over the seeds in `fuzz/corpus/TARGET` of an adapter's folder, `env!("CARGO_MANIFEST_DIR")`, and over
/// sixty mutations of each: what a fuzzer found is looked at on any compiler. The number printed, given as
/// `SWITCHBOARD_SEED`, repeats the mutations.
///
/// # Panics
/// When the target does, and when there are no seeds: replaying nothing would prove nothing.
#[allow(clippy::disallowed_methods, reason = "a seed to repeat a run with comes from the environment")]
pub fn replay_corpus(adapter: impl AsRef<Path>, target: &str, run: fn(&[u8])) {
    let folder = adapter.as_ref().join("fuzz/corpus").join(target);
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
        usize::try_from(self.next() % end.max(1) as u64).expect("it is below a length")
    }
}

/// The bytes with a few of them changed, cut out or repeated.
fn mutated(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 if !bytes.is_empty() => bytes[at] = random.next().to_le_bytes()[0],
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + random.below(64)).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => bytes.insert(at, PUNCTUATION[random.below(PUNCTUATION.len())]),
        }
    }
    bytes
}
