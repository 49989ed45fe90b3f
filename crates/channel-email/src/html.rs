//! Cleans HTML from strangers, and turns it into text.
//!
//! Cleaning keeps a fixed list of elements and attributes, drops scripts, styles, forms, SVG and MathML with
//! their content, keeps only harmless link schemes, and moves the address of every remote image to
//! `data-remote-src`, so that reading a message tells its sender nothing until a person asks for the images.
//! The parser's cost grows with the square of attributes, of open elements and of misplaced ones, so the input is
//! written anew before it is parsed: bounded, properly nested, and of known elements and attributes only.

mod balance;
mod tokens;

use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// HTML beyond this many bytes is cut off before it is parsed.
const MAX_INPUT_BYTES: usize = 1_048_576;
/// Clean HTML that nests deeper than this is not shown as HTML; its text is.
const MAX_DEPTH: usize = 128;
/// An attribute beyond this many bytes is dropped.
const MAX_ATTRIBUTE_BYTES: usize = 8_192;
/// How many columns text made from HTML has; lines are not wrapped below it.
const TEXT_COLUMNS: usize = 2_000;

/// What a piece of HTML becomes.
pub(crate) struct Cleaned {
    /// Safe to show in a sandboxed frame; `None` when it nests too deep to be laid out.
    pub(crate) html: Option<String>,
    /// The same as text.
    pub(crate) text: String,
}

/// Cleans HTML and makes text of it.
pub(crate) fn clean(html: &str) -> Cleaned {
    let cleaned = sanitize(&CLEANER, &balance::rewrite(bounded(html)));
    if depth(&cleaned) > MAX_DEPTH {
        return Cleaned { html: None, text: flat_text(&cleaned) };
    }
    let text = html2text::config::plain_no_decorate()
        .no_table_borders()
        .allow_width_overflow()
        .string_from_read(sanitize(&TEXT_CLEANER, &cleaned).as_bytes(), TEXT_COLUMNS)
        .unwrap_or_else(|_| flat_text(&cleaned));
    Cleaned { html: Some(cleaned), text: tidy(&text) }
}

/// Runs a cleaner. Its writer looks through the rest of a text at every character that it escapes, so a long text
/// in one piece would cost the square of its length.
fn sanitize(cleaner: &Builder<'_>, html: &str) -> String {
    cleaner.clean(&split_text(html)).to_string()
}

/// The HTML with long texts split by an element that no cleaner keeps.
fn split_text(html: &str) -> String {
    const SPLIT: &str = "<wbr>";
    const MAX_RUN_BYTES: usize = 250;
    let (mut split, mut run) = (String::with_capacity(html.len() + html.len() / 200), 0);
    for (nth, piece) in html.split('<').enumerate() {
        let opens = nth > 0 && piece.starts_with(|letter: char| letter.is_ascii_alphabetic());
        let is_tag = opens || (nth > 0 && piece.starts_with(['/', '!', '?']));
        if opens {
            run = 0;
        }
        if nth > 0 {
            if !is_tag && run >= MAX_RUN_BYTES {
                split.push_str(SPLIT);
                run = 0;
            }
            split.push('<');
        }
        let (tag, text) = piece.split_at(if is_tag { piece.find('>').map_or(piece.len(), |at| at + 1) } else { 0 });
        split.push_str(tag);
        for letter in text.chars() {
            if run >= MAX_RUN_BYTES && matches!(letter, '&' | '>' | ' ' | '\u{a0}') {
                split.push_str(SPLIT);
                run = 0;
            }
            split.push(letter);
            run += letter.len_utf8();
        }
    }
    split
}

/// Plain text as HTML, for mail that mixes both.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    html.push_str("<pre>");
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            letter => html.push(letter),
        }
    }
    html.push_str("</pre>");
    html
}

const TAGS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];
const DROPPED_WITH_CONTENT: &[&str] = &[
    "applet", "audio", "button", "canvas", "embed", "form", "frame", "frameset", "head", "iframe", "math", "noembed", "noframes",
    "noscript", "object", "option", "script", "select", "style", "svg", "template", "textarea", "title", "video", "xmp",
];
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("a", &["href"]),
    ("blockquote", &["type"]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("font", &["color", "face", "size"]),
    ("img", &["alt", "data-remote-src", "height", "src", "width"]),
    ("li", &["value"]),
    ("ol", &["start", "type"]),
    ("table", &["border", "cellpadding", "cellspacing"]),
    ("td", &["colspan", "rowspan"]),
    ("th", &["colspan", "rowspan"]),
];
const ATTRIBUTES_OF_ALL: &[&str] = &["align", "bgcolor", "dir", "lang", "title", "valign"];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: HashMap<&str, HashSet<&str>> =
        ATTRIBUTES.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect();
    let mut cleaner = Builder::empty();
    cleaner
        .tags(TAGS.iter().copied().collect())
        .clean_content_tags(DROPPED_WITH_CONTENT.iter().copied().collect())
        .tag_attributes(attributes)
        .generic_attributes(ATTRIBUTES_OF_ALL.iter().copied().collect())
        .url_schemes(["http", "https", "mailto", "tel", "cid"].into())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true)
        .attribute_filter(filter_attribute);
    cleaner
});

/// Removes what would only clutter text: rulers, images, and the brackets around links.
static TEXT_CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner.tags(TAGS.iter().copied().filter(|tag| !matches!(*tag, "a" | "font" | "hr" | "img")).collect()).link_rel(None);
    cleaner
});

/// Images may come from the message itself only. Angle brackets in attributes go, so that every `<` of the
/// result begins a tag.
fn filter_attribute<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let link = value.trim_start().get(..4).map(str::to_ascii_lowercase);
    match (element, attribute) {
        _ if value.len() > MAX_ATTRIBUTE_BYTES => None,
        ("img", "src") if link.as_deref() != Some("cid:") => None,
        ("a", "href") if link.as_deref() == Some("cid:") => None,
        ("img", "data-remote-src") if link.as_deref() != Some("http") => None,
        _ if value.contains(['<', '>']) => Some(value.replace(['<', '>'], "").into()),
        _ => Some(value.into()),
    }
}

/// The part of the input that is read.
fn bounded(html: &str) -> &str {
    let mut end = html.len().min(MAX_INPUT_BYTES);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    &html[..end]
}

/// How deep clean HTML nests. Clean HTML is well formed and has `<` nowhere but in tags.
fn depth(clean: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for piece in clean.split('<').skip(1) {
        let name = piece.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '/').next().unwrap_or_default();
        match name {
            "br" | "col" | "hr" | "img" => {}
            name if name.starts_with('/') => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The text of clean HTML without any layout but line breaks at blocks.
fn flat_text(clean: &str) -> String {
    let mut text = String::with_capacity(clean.len() / 2);
    let mut pieces = clean.split('<');
    push_unescaped(&mut text, pieces.next().unwrap_or_default());
    for piece in pieces {
        let (tag, content) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        let within_line = matches!(name, "a" | "b" | "i" | "em" | "strong" | "span" | "font" | "u" | "s" | "small" | "code");
        if !within_line && !text.ends_with('\n') {
            text.push('\n');
        }
        push_unescaped(&mut text, content);
    }
    tidy(&text)
}

fn push_unescaped(text: &mut String, escaped: &str) {
    let plain = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&nbsp;", " ");
    text.push_str(&plain.replace("&amp;", "&"));
}

/// Without trailing spaces and with no more than one empty line in a row.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Cleaned, clean, escape};
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    fn check(html: &str, expected: &str) {
        assert_eq!(clean(html).html.as_deref(), Some(expected), "{html}");
    }

    #[test]
    fn what_could_act_is_dropped_with_its_content() {
        check("<p onclick=\"x()\">hi<script>alert(1)</script></p>", "<p>hi</p>");
        check("a<style>p{color:red}</style><svg><script>1</script></svg><math><mi>x</mi></math>b", "ab");
        check("<form action=\"https://x.test\">a<input name=q><button>go</button></form>b", "b");
        check("<iframe src=\"https://x.test\"></iframe><object data=x></object>c", "c");
        check("<base href=\"https://x.test\"><meta http-equiv=refresh content=0><link rel=stylesheet href=x>d", "d");
        check("<p style=\"position:fixed\" class=\"x\" id=\"y\">e</p>", "<p>e</p>");
    }

    #[test]
    fn links_keep_harmless_schemes_only() {
        let rel = "rel=\"noopener noreferrer nofollow\"";
        check("<a href=\"https://shop.test/?a=1&b=2\">x</a>", &format!("<a href=\"https://shop.test/?a=1&amp;b=2\" {rel}>x</a>"));
        check("<a href=\"java\nscript:alert(1)\">x</a>", &format!("<a {rel}>x</a>"));
        check("<a href=\" data:text/html,x\">x</a>", &format!("<a {rel}>x</a>"));
        check("<a href=\"/admin\">x</a>", &format!("<a {rel}>x</a>"));
        check("<a href=\"cid:part1\">x</a>", &format!("<a {rel}>x</a>"));
    }

    #[test]
    fn images_of_the_message_stay_and_remote_ones_wait_to_be_asked_for() {
        check("<img src=\"cid:logo@shop.test\" alt=\"logo\">", "<img src=\"cid:logo@shop.test\" alt=\"logo\">");
        check("<IMG width=1 SRC='https://spy.test/p.gif'>", "<img width=\"1\" data-remote-src=\"https://spy.test/p.gif\">");
        check("<img src=\"data:image/png;base64,AAAA\">", "<img>");
        check("<img srcset=\"https://spy.test/a 2x\" src=\"//spy.test/p.gif\">", "<img>");
        check("<im\u{fffd}>a", "a");
        check("<img\u{e5} src=cid:a>a", "a");
        check("<img/src=\"https://spy.test/p.gif\">", "<img data-remote-src=\"https://spy.test/p.gif\">");
        check("<img alt='<b>' src=\"cid:a\">", "<img alt=\"b\" src=\"cid:a\">");
    }

    #[test]
    fn text_keeps_words_and_layout_and_leaves_link_targets_out() {
        let html = "<h1>Order</h1><p>Hello &amp; welcome,<br>see <a href=\"https://shop.test\">the shop</a>.</p>\
                    <ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table><hr>";
        insta::assert_snapshot!(clean(html).text, @r"
        # Order

        Hello & welcome,
        see the shop.
        * one
        * two

        a b
        ");
    }

    #[test]
    fn text_put_into_html_comes_out_as_it_was() {
        assert_eq!(clean(&escape("1 < 2 & \"3\" > <b>")).text, "1 < 2 & \"3\" > <b>");
    }

    #[test]
    fn deep_nesting_is_shown_as_text() {
        let cleaned = clean(&format!("{}deep{}", "<div>".repeat(3_000), "</div>".repeat(3_000)));
        assert_eq!((cleaned.html, cleaned.text.as_str()), (None, "deep"));
    }

    #[test]
    fn elements_that_multiply_stay_bounded() {
        let opened: String = (0..2_000).map(|nth| format!("<b id={nth}>")).collect();
        let html = format!("<p>{opened}{}", "</p><p>x".repeat(2_000));
        let cleaned = clean(&html);
        let shown = cleaned.html.expect("flat HTML");
        assert!(shown.len() < 4 * html.len(), "{} bytes from {}", shown.len(), html.len());
    }

    #[test]
    fn long_html_is_cut_and_not_refused() {
        let cleaned = clean(&format!("<p>start</p>{}", "<br>ø".repeat(300_000)));
        assert!(cleaned.text.starts_with("start"));
    }

    /// Cleans and fails when it takes longer than anybody could wait for. Unoptimised builds on busy machines are
    /// slow, so the bound is far above what it takes and far below what growth with the square of the size would take.
    #[allow(clippy::disallowed_methods, reason = "this measures how long the machine takes")]
    fn clean_in_time(name: &str, html: &str) -> Cleaned {
        let begun = std::time::Instant::now();
        let cleaned = clean(html);
        let taken = begun.elapsed();
        assert!(taken < std::time::Duration::from_secs(20), "{name}: {} bytes took {taken:?}", html.len());
        cleaned
    }

    #[test]
    fn html_made_to_cost_time_is_cleaned_in_time() {
        for (piece, times) in [
            ("&amp;", 100_000),
            ("& ", 25_000),
            ("< ", 50_000),
            ("a</q>", 50_000),
            ("<div>", 200_000),
            ("<b>", 300_000),
            ("<font>x", 100_000),
            ("<small><p>", 100_000),
            ("<table><b>", 100_000),
            ("<table>x<b>", 90_000),
            ("<b id=1>x<table>", 60_000),
            ("<table></q>x", 80_000),
            ("<a href=http://x>", 60_000),
            ("<a href=http://x><p>", 50_000),
            ("<table><tr><td>x</td><td>", 40_000),
            ("<td colspan=65000>x", 50_000),
            ("<p><b><i><u>", 80_000),
            ("<li><dd>", 120_000),
            ("<select><option>", 60_000),
            ("<form><div>", 90_000),
            ("<svg><p>", 120_000),
            ("<script></script>", 60_000),
            ("<title>", 150_000),
            ("<!--", 100_000),
            ("<!-- --", 100_000),
            ("<img src=http://a/", 50_000),
            ("word ", 200_000),
            ("x", 1_000_000),
            ("\u{a0}", 50_000),
            ("> ", 50_000),
            ("&amp;</q>", 25_000),
            ("<p title='&amp;&amp;&amp;", 20_000),
        ] {
            clean_in_time(piece, &piece.repeat(times));
        }
    }

    #[test]
    fn very_many_attributes_are_read_in_time() {
        let attributes = |from: u32| (from..from + 100_000).map(|nth| format!(" a{nth}=1")).collect::<String>();
        let cleaned = clean_in_time("opening", &format!("before<p{}>within</p>", attributes(0)));
        assert_eq!(cleaned.html.as_deref(), Some("before<p>within</p>"));
        let cleaned = clean_in_time("closing", &format!("<p>within</p{}>after", attributes(0)));
        assert_eq!(cleaned.html.as_deref(), Some("<p>within</p>after"));
        clean_in_time("hidden from a careless eye", &format!("<!-- <a b=\"--><p{}>", attributes(0)));
        clean_in_time("unclosed", &format!("<p{}", attributes(0)));
    }

    #[test]
    fn distinct_elements_left_open_are_cleaned_in_time() {
        for piece in ["<font size=N>", "<font size=N>x<p>", "<table><font size=N>", "<p><b title=N>", "<span title=N><table>x"] {
            let html: String = (0..30_000).map(|nth| piece.replace('N', &nth.to_string())).collect();
            clean_in_time(piece, &html);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn nothing_that_acts_survives(pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "<", ">", "\"", "'", " ", "=", "/", "script", "<script>", "</script>", "<svg>", "<math>", "<style>", "<img ",
                "src", "onerror", "javascript:", "https://x.test/", "<a href=", "<!--", "-->", "<title>", "<p>", "</p>",
                "<table>", "<select>", "<template>", "]]>", "<![CDATA[", "&lt;", "x", "<noscript>", "<xmp>",
            ]), 0..40))
        {
            let html = clean(&pieces.concat()).html.unwrap_or_default();
            for piece in html.split('<').skip(1) {
                let tag = piece.split('>').next().unwrap_or_default();
                let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(super::TAGS.contains(&name.as_str()), "{html}");
                prop_assert!(!tag.contains(" on"), "{html}");
                prop_assert!(!tag.contains(" src=") || tag.contains(" src=\"cid:"), "{html}");
            }
        }
    }
}
