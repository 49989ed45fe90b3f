//! Paths named in Markdown files must exist, as links and as code.

use super::Finding;
use std::path::Path;

/// Every path that a document names and that is not there.
pub fn check(root: &Path, path: &Path, text: &str) -> Vec<Finding> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    let mut is_fenced = false;
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        if is_fenced {
            continue;
        }
        for target in links(text) {
            if !root.join(folder).join(target).exists() {
                findings.push(Finding::new(path, line, format!("the link to `{target}` leads nowhere")));
            }
        }
        for named in code_spans(text).filter(|span| is_path(span) && !is_made(span)) {
            let named = without_line(named);
            let first = named.split('/').next().unwrap_or_default();
            // A path counts from the document's folder or from the workspace, whichever has its first part.
            let bases: Vec<_> =
                [root.join(folder), root.to_owned()].into_iter().filter(|base| base.join(first).exists()).collect();
            if !bases.is_empty() && !bases.iter().any(|base| base.join(named).exists()) {
                findings.push(Finding::new(path, line, format!("`{named}` does not exist")));
            }
        }
    }
    findings
}

/// Targets of links within the tree, without their fragment.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let file = target.split('#').next()?;
        (!file.is_empty() && !file.contains("://") && !file.starts_with("mailto:")).then_some(file)
    })
}

fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether a code span can only be a path: one word with a slash, without placeholders.
fn is_path(span: &str) -> bool {
    let is_plain = span.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':'));
    let has_placeholder = span.split(['/', '-', '.']).any(|part| matches!(part, "NAME" | "SLUG"));
    is_plain && span.contains('/') && !span.starts_with('/') && !span.contains("://") && !has_placeholder
}

/// Whether the path is made by running something, so that a fresh checkout has none of it.
fn is_made(path: &str) -> bool {
    ["target/", "data/"].iter().any(|folder| path.starts_with(folder))
}

fn without_line(path: &str) -> &str {
    path.split(':').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::check;
    use std::fs;
    use std::path::Path;

    #[test]
    fn paths_and_links_that_lead_nowhere_are_named_and_all_else_is_left_alone() {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(root.path().join("crates/a/src")).expect("a folder");
        fs::write(root.path().join("crates/a/src/lib.rs"), "").expect("a file");
        let text = "\
See [the library](src/lib.rs#top) and [nothing](src/none.rs), [site](https://example.test/a).\n\
`crates/a/src/lib.rs:12` is there, `src/lib.rs` too; `crates/b/src/lib.rs` and `src/none.rs` are not.\n\
```\n`crates/none`\n```\n\
`application/json`, `/channels/contact/`, `crates/channel-NAME/src`, `and/or`, `cargo xtask run`, `target/bench/COMMIT.json`.\n";
        let found: Vec<String> =
            check(root.path(), Path::new("crates/a/README.md"), text).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "crates/a/README.md:1: the link to `src/none.rs` leads nowhere",
                "crates/a/README.md:2: `crates/b/src/lib.rs` does not exist",
                "crates/a/README.md:2: `src/none.rs` does not exist",
            ]
        );
    }
}
