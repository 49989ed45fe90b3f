//! `cargo xtask channel new NAME`: a new adapter that passes its contract test from the first minute on.

use crate::tidy::{HOST_MANIFEST, REGISTRY, registered};
use crate::{process, tree};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What can be done with adapters.
#[derive(clap::Subcommand)]
pub enum Action {
    /// Write a new adapter: its folder, its line in the registry, and its line in the host's manifest.
    New {
        /// Lower-case letters, digits and dashes, such as `chat`; the folder becomes `crates/channel-chat`.
        name: String,
    },
}

/// The files of an adapter: where each goes, and its template.
const TEMPLATES: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("../templates/channel/Cargo.toml.txt")),
    ("README.md", include_str!("../templates/channel/README.md.txt")),
    ("src/lib.rs", include_str!("../templates/channel/src/lib.rs.txt")),
    ("src/config.rs", include_str!("../templates/channel/src/config.rs.txt")),
    ("src/decode.rs", include_str!("../templates/channel/src/decode.rs.txt")),
    ("src/encode.rs", include_str!("../templates/channel/src/encode.rs.txt")),
    ("src/channel.rs", include_str!("../templates/channel/src/channel.rs.txt")),
    ("tests/contract.rs", include_str!("../templates/channel/tests/contract.rs.txt")),
];
/// The captured payload that the adapter starts with.
const FIXTURE: (&str, &str) = ("fixtures/message.json", include_str!("../templates/channel/fixtures/message.json.txt"));
/// What a copy of the workspace leaves out.
const LEFT_OUT: [&str; 2] = [".git", "target"];

/// Runs the subcommand in the workspace.
pub fn run(action: &Action) -> Result<()> {
    let Action::New { name } = action;
    let root = tree::root();
    create(&root, name)?;
    println!("crates/channel-{name} is there, and listed in {REGISTRY} and {HOST_MANIFEST}.");
    println!("Next: cargo nextest run -p switchboard-channel-{name}; then crates/channel/README.md.");
    Ok(())
}

/// Writes an adapter into a workspace; nothing is written when anything is in the way.
pub fn create(root: &Path, name: &str) -> Result<()> {
    check_name(name)?;
    let folder = root.join(format!("crates/channel-{name}"));
    if folder.exists() {
        bail!("crates/channel-{name} is there already");
    }
    let kind = kind(&tree::read(&root.join("crates/model/src/kind.rs"))?, name)?;
    let registry = with_registration(&tree::read(&root.join(REGISTRY))?, name)?;
    let manifest = with_dependency(&tree::read(&root.join(HOST_MANIFEST))?, name)?;
    for (file, template) in TEMPLATES.iter().chain([&FIXTURE]) {
        let text = template.replace("@NAME@", name).replace("@IDENT@", &name.replace('-', "_")).replace("@KIND@", &kind);
        write(&folder.join(file), &text)?;
    }
    write(&root.join(HOST_MANIFEST), &manifest)?;
    write(&root.join(REGISTRY), &registry)?;
    // Where a name sorts among imports, and whether a list fits on one line, depends on the name.
    let sources = [folder.join("src/lib.rs"), folder.join("tests/contract.rs"), root.join(REGISTRY)];
    process::run(Command::new("rustfmt").args(["--edition", "2024", "--config-path"]).arg(root).args(sources))
}

/// Writes an adapter into a copy of the workspace and proves there that clippy has nothing to say about either and,
/// through `run_tests(folder, package, target)`, that it passes its own tests.
pub fn prove_template(root: &Path, run_tests: impl FnOnce(&Path, &str, &Path) -> Result<()>) -> Result<()> {
    let target = tree::metadata(root)?.target_directory;
    let copy = target.join("template-check");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    }
    copy_workspace(root, &copy)?;
    create(&copy, "sample")?;
    let mut clippy = process::cargo(&copy);
    // The whole workspace, because the host takes the adapter in.
    clippy.args(["clippy", "--offline", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]);
    process::announce(clippy.env("CARGO_TARGET_DIR", &target))?;
    run_tests(&copy, "switchboard-channel-sample", &target)?;
    fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {}", copy.display()))
}

/// Copies what belongs to the project.
fn copy_workspace(root: &Path, copy: &Path) -> Result<()> {
    for file in tree::files(root)? {
        let path = file.strip_prefix(root).context("a listed file is within the tree")?;
        if LEFT_OUT.iter().any(|left_out| path.starts_with(left_out)) {
            continue;
        }
        let to = copy.join(path);
        fs::create_dir_all(to.parent().expect("a file has a folder")).with_context(|| format!("cannot make {}", to.display()))?;
        fs::copy(&file, &to).with_context(|| format!("cannot copy to {}", to.display()))?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_plain || !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.ends_with('-') || name.contains("--") {
        bail!("`{name}` is no name for an adapter: lower-case letters, digits and single dashes, a letter first");
    }
    if name == "testkit" {
        bail!("`testkit` is taken by the tests that all adapters share");
    }
    Ok(())
}

/// The kind of channel that a name stands for: its own where the vocabulary has one, else a custom one.
fn kind(vocabulary: &str, name: &str) -> Result<String> {
    let list = vocabulary.split_once("ChannelKind {").and_then(|(_, rest)| rest.split_once('}')).map(|(list, _)| list);
    let list = list.context("crates/model/src/kind.rs lists no ChannelKind")?;
    let of_word =
        |word: &str| list.lines().find_map(|line| Some(line.trim().strip_suffix(&format!(" = \"{word}\","))?.to_owned()));
    of_word(name).or_else(|| of_word("custom")).context("crates/model/src/kind.rs has no custom kind")
}

/// The registry with one more entry, in its place among the others.
fn with_registration(source: &str, name: &str) -> Result<String> {
    let entry = |adapter: &str| format!("switchboard_{}::REGISTRATION", adapter.replace('-', "_"));
    let (wanted, listed) = (format!("channel-{name}"), registered(source));
    let place =
        |adapter: &str| source.find(&entry(adapter)).with_context(|| format!("{REGISTRY} lists `{adapter}` in another form"));
    if let Some((next, _)) = listed.iter().find(|(other, _)| *other > wanted) {
        let at = place(next)?;
        return Ok(format!("{}{}, {}", &source[..at], entry(&wanted), &source[at..]));
    }
    let Some((last, _)) = listed.last() else { bail!("{REGISTRY} lists no adapter to go beside") };
    let at = place(last)? + entry(last).len();
    Ok(format!("{}, {}{}", &source[..at], entry(&wanted), &source[at..]))
}

/// The host's manifest with one more dependency, in its place among the others.
fn with_dependency(manifest: &str, name: &str) -> Result<String> {
    let adapters: Vec<(&str, usize)> = (1..)
        .zip(manifest.lines())
        .filter_map(|(line, text)| Some((text.strip_prefix("switchboard-channel-")?.split(['.', ' ', '=']).next()?, line)))
        .collect();
    let Some((_, last)) = adapters.last() else { bail!("{HOST_MANIFEST} names no adapter to go beside") };
    let at = adapters.iter().find(|(other, _)| *other > name).map_or(last + 1, |(_, line)| *line);
    let new = format!("switchboard-channel-{name} = {{ path = \"../channel-{name}\" }}");
    Ok(with_line(manifest, at, &new))
}

/// Puts a line in, so that it becomes the line of that number.
fn with_line(text: &str, number: usize, new: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(number - 1, new);
    lines.join("\n") + "\n"
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::{check_name, copy_workspace, create, kind, with_dependency, with_registration};
    use crate::{tidy, tree};

    #[test]
    fn lines_are_put_in_where_they_are_sorted() {
        let list = |names: &[&str]| {
            let entries: Vec<String> = names.iter().map(|name| format!("switchboard_channel_{name}::REGISTRATION")).collect();
            format!("//! All.\npub const ALL: &[Registration] = &[{}];\n", entries.join(", "))
        };
        let source = list(&["email", "forms"]);
        let with = |name: &str| with_registration(&source, name).expect("a registry");
        assert_eq!(with("chat"), list(&["chat", "email", "forms"]));
        assert_eq!(with("fax-line"), list(&["email", "fax_line", "forms"]));
        assert_eq!(with("whatsapp"), list(&["email", "forms", "whatsapp"]));

        let manifest =
            "[dependencies]\nswitchboard-channel.workspace = true\nswitchboard-channel-email.workspace = true\nserde = \"1\"\n";
        let changed = |name: &str, number: usize| {
            with_dependency(manifest, name).expect("a manifest").lines().nth(number).map(str::to_owned)
        };
        assert_eq!(changed("chat", 2).as_deref(), Some("switchboard-channel-chat = { path = \"../channel-chat\" }"));
        assert_eq!(changed("forms", 3).as_deref(), Some("switchboard-channel-forms = { path = \"../channel-forms\" }"));
    }

    #[test]
    fn names_that_cannot_be_a_folder_and_a_crate_are_refused() {
        for name in ["chat", "fax-line", "v2"] {
            check_name(name).expect("a good name");
        }
        for name in ["", "Chat", "2v", "a_b", "a/b", "-a", "a-", "a--b", "testkit"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_of_the_vocabulary_gets_its_own_kind_and_all_others_are_custom() {
        let vocabulary = tree::read(&tree::root().join("crates/model/src/kind.rs")).expect("the vocabulary");
        assert_eq!(kind(&vocabulary, "whatsapp").expect("a kind"), "Whatsapp");
        assert_eq!(kind(&vocabulary, "fax").expect("a kind"), "Custom");
    }

    #[test]
    fn a_workspace_with_a_new_adapter_is_tidy_and_a_second_of_its_name_is_refused() {
        let copy = tempfile::tempdir().expect("a temporary folder");
        copy_workspace(&tree::root(), copy.path()).expect("a copy");
        let before = tidy::check(copy.path()).expect("the copy can be read").findings.len();
        create(copy.path(), "sample").expect("a new adapter");
        let report = tidy::check(copy.path()).expect("the copy can be read");
        let about_it: Vec<String> =
            report.findings.iter().map(ToString::to_string).filter(|text| text.contains("sample")).collect();
        assert!(about_it.is_empty(), "\n{}", about_it.join("\n"));
        assert_eq!(report.findings.len(), before, "the new adapter changed what else is found");
        let error = create(copy.path(), "sample").expect_err("it is there already");
        assert_eq!(error.to_string(), "crates/channel-sample is there already");
    }
}
