//! Writes `crates/api/openapi.json` anew: `cargo run -p switchboard-api --example openapi`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let text = switchboard_api::openapi().to_pretty_json().map_err(std::io::Error::other)? + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    std::fs::write(&path, text)?;
    println!("wrote {}", path.display());
    Ok(())
}
