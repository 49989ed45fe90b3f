//! Sees to it that a release build embeds the real desk: it stops when `npm run build` has not run.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=package.json");
    #[allow(clippy::disallowed_methods, reason = "cargo tells build scripts about the profile through the environment only")]
    let debug = std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some();
    if debug {
        return;
    }
    println!("cargo:rerun-if-changed=dist");
    assert!(
        Path::new("dist/index.html").exists(),
        "the desk is not built: run `npm ci && npm run build` in crates/web before a release build (`cargo xtask run` does it)"
    );
}
