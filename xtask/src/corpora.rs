//! `cargo xtask corpora`: brings mails that other projects test with into the target folder, for the tests of intake.
//!
//! Nothing of it is committed. The mail parser's own mails are in its crate; the others are in Debian packages, or in the
//! sources of those. Where the tests of the other project say what it expects of its mails, they come along.

use crate::{process, tools, tree};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the tests look, when it is somewhere else than in the target folder; set, it also makes them insist.
pub const VARIABLE: &str = "SWITCHBOARD_CORPORA";

/// Fetches what is not there yet and answers with the folder.
pub fn fetch(root: &Path) -> Result<PathBuf> {
    let folder = tree::metadata(root)?.target_directory.join("corpora");
    fs::create_dir_all(&folder)?;
    once(&folder, "mail-parser", |to| copy_mails_of_parser(root, to))?;
    if ["python", "flufl-bounce", "bounceparser"].iter().any(|name| !folder.join(name).is_dir()) {
        tools::update_package_lists().context("cannot fetch mails from Debian packages, which root can")?;
    }
    once(&folder, "python", |to| {
        let package = package_named("libpython3.", "-testsuite")?;
        let unpacked = unpack(to, &package)?;
        copy_matching(&unpacked, to, "test_email/data", "txt")
    })?;
    once(&folder, "flufl-bounce", |to| {
        let unpacked = unpack(to, "python3-flufl.bounce")?;
        let expectations = copy_matching(&unpacked, to, "bounce/testing", "py")?;
        let mails = copy_matching(&unpacked, to, "bounce/tests/data", "txt")?;
        Ok(if expectations == 0 { 0 } else { mails })
    })?;
    once(&folder, "bounceparser", |to| {
        let unpacked = unpack_source(to, "libmail-deliverystatus-bounceparser-perl")?;
        Ok(copy_matching(&unpacked, to, "t/corpus", "msg")?.min(copy_matching(&unpacked, to, "/t/", "t")?))
    })?;
    println!("mails to test with are in {}", folder.display());
    Ok(folder)
}

/// Fills a folder, unless that was done before.
fn once(folder: &Path, name: &str, fill: impl Fn(&Path) -> Result<usize>) -> Result<()> {
    let (target, partial) = (folder.join(name), folder.join(format!("{name}.partial")));
    if target.is_dir() {
        return Ok(());
    }
    if partial.is_dir() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    let count = fill(&partial).with_context(|| format!("cannot fetch the mails `{name}`"))?;
    if count == 0 {
        bail!("the source of the mails `{name}` holds none");
    }
    for entry in fs::read_dir(&partial)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path)?;
        }
    }
    fs::rename(&partial, &target)?;
    Ok(())
}

/// The mails that the parser's crate is tested with, with what it expects of each beside them.
fn copy_mails_of_parser(root: &Path, to: &Path) -> Result<usize> {
    let output = process::output(process::cargo(root).args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&output)?;
    let packages = metadata["packages"].as_array().context("cargo lists no packages")?;
    let parser = packages.iter().find(|package| package["name"] == "mail-parser").context("nothing uses mail-parser")?;
    let manifest = Path::new(parser["manifest_path"].as_str().context("a package without a manifest")?);
    let mails = manifest.with_file_name("resources").join("eml");
    Ok(copy_matching(&mails, to, "", "eml")?.min(copy_matching(&mails, to, "", "json")?))
}

/// The package of this release of the system whose name begins and ends so; Python's carries its version.
fn package_named(prefix: &str, suffix: &str) -> Result<String> {
    let names = process::output(Command::new("apt-cache").args(["pkgnames", prefix]))?;
    let found = names.lines().map(str::trim).filter(|name| name.ends_with(suffix)).max();
    found.map(str::to_owned).with_context(|| format!("no package is named `{prefix}…{suffix}`"))
}

fn unpack(folder: &Path, package: &str) -> Result<PathBuf> {
    let (packed, unpacked) = (folder.join("packed"), folder.join("unpacked"));
    fs::create_dir_all(&packed)?;
    process::announce(Command::new("apt-get").current_dir(&packed).args([
        "download",
        "--quiet",
        "-o",
        tools::DOWNLOAD_RETRIES,
        package,
    ]))?;
    for entry in fs::read_dir(&packed)? {
        process::run(Command::new("dpkg-deb").arg("-x").arg(entry?.path()).arg(&unpacked))?;
    }
    Ok(unpacked)
}

/// The source of a package as its authors released it. Which sources there are is read into the folder, so that the lists of
/// the system stay as they are; that the file is the right one, apt checks as ever.
fn unpack_source(folder: &Path, package: &str) -> Result<PathBuf> {
    let (packed, unpacked, known) = (folder.join("packed"), folder.join("unpacked"), folder.join("known"));
    for made in [&packed, &unpacked, &known.join("lists/partial")] {
        fs::create_dir_all(made)?;
    }
    fs::write(known.join("sources.list"), source_lines()?)?;
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.current_dir(&packed).arg("--quiet");
        for option in [
            format!("Dir::Etc::SourceList={}", known.join("sources.list").display()),
            String::from("Dir::Etc::SourceParts=-"),
            format!("Dir::State::Lists={}", known.join("lists").display()),
            String::from("Dir::Cache::pkgcache="),
            String::from("Dir::Cache::srcpkgcache="),
            // The user that apt otherwise downloads as need not be allowed to write here.
            String::from("APT::Sandbox::User=root"),
            tools::DOWNLOAD_RETRIES.to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    };
    tools::update(|| {
        let mut command = apt_get();
        command.arg("update");
        command
    })?;
    process::announce(apt_get().args(["source", "--download-only", "--tar-only", package]))?;
    for entry in fs::read_dir(&packed)? {
        process::run(Command::new("tar").arg("-C").arg(&unpacked).arg("-xf").arg(entry?.path()))?;
    }
    Ok(unpacked)
}

/// Where the sources of this system's packages are, as apt reads it.
fn source_lines() -> Result<String> {
    const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let signed = if Path::new(KEYRING).is_file() { format!("[signed-by={KEYRING}] ") } else { String::new() };
    let format = format!("deb-src {signed}$(REPO_URI) $(RELEASE) $(COMPONENT)");
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", &format, "Created-By: Packages", "Origin: Debian"]);
    let found = process::output(&mut command)?;
    let mut lines: Vec<&str> = found.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    if lines.is_empty() {
        bail!("apt knows no packages of Debian");
    }
    Ok(lines.join("\n") + "\n")
}

/// Copies the files below a folder whose path has `within` in it; names tell where each was.
fn copy_matching(from: &Path, to: &Path, within: &str, extension: &str) -> Result<usize> {
    let (mut folders, mut count) = (vec![from.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            let is_wanted = path.extension().is_some_and(|found| found == extension) && path.to_string_lossy().contains(within);
            if path.is_dir() {
                folders.push(path);
            } else if is_wanted {
                let place = folder.file_name().unwrap_or_default().to_string_lossy();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                fs::copy(&path, to.join(format!("{place}-{name}")))?;
                count += 1;
            }
        }
    }
    Ok(count)
}
