//! Writes HTML anew, properly nested, so that parsing it costs what its size says.
//!
//! A parser of HTML repairs bad nesting as browsers do: it moves what stands wrongly in tables, reopens formatting
//! after every block, and looks through all open elements again and again. Each of these lets a small text cost the
//! square of its size. Here elements are closed where a browser would close them, formatting ends with its block, what
//! stands between cells gets a cell of its own, and nothing nests deeper than [`MAX_OPEN`], so the parser has nothing
//! left to repair. Unknown elements go and their content stays; what could act goes with its content.

use super::tokens::{Tag, Token, Tokens};
use super::{ATTRIBUTES, ATTRIBUTES_OF_ALL, DROPPED_WITH_CONTENT, MAX_ATTRIBUTE_BYTES, TAGS};

/// HTML beyond this many tags that open, or that close, is cut off.
const MAX_TAGS: usize = 20_000;
/// Elements within this many others are left out and their content stays.
const MAX_OPEN: usize = 256;

/// Elements whose content is no markup.
const UNPARSED: &[&str] = &["iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp"];
/// Elements that have no content and no end.
const VOID: &[&str] = &["br", "col", "hr", "img"];
/// Elements whose end also ends the blocks that were opened within them.
const FORMATTING: &[&str] = &["a", "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"];
/// Formatting that changes nothing within the same formatting.
const IDEMPOTENT: &[&str] = &["b", "code", "em", "font", "i", "s", "strike", "strong", "tt", "u"];
/// Elements that do not go on across the end of an inline element, nor an item's end across them.
const SPECIAL: &[&str] =
    &["blockquote", "center", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "ul"];
/// Elements that we do not keep and that begin a new paragraph all the same.
const UNKNOWN_BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "details",
    "dialog",
    "dir",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "header",
    "hgroup",
    "main",
    "menu",
    "nav",
    "search",
    "section",
    "summary",
    "listing",
];
const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];
const TABLE_PARTS: &[&str] = &["caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"];
const SECTIONS: &[&str] = &["table", "tbody", "tfoot", "thead"];
/// Elements that nothing within them reaches out of.
const CELLS: &[&str] = &["caption", "table", "td", "th"];

/// HTML as described above.
pub(super) fn rewrite(html: &str) -> String {
    let mut writer = Writer { written: String::with_capacity(html.len() + 64), open: Vec::new(), hiding: 0 };
    let mut tokens = Tokens::new(html);
    let (mut opened, mut closed) = (0, 0);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => writer.text(text),
            Token::Open(tag) => {
                opened += 1;
                if opened > MAX_TAGS {
                    break;
                }
                if UNPARSED.contains(&tag.name.as_str()) {
                    if !(tag.closes_itself && writer.is_within_drawing()) {
                        tokens.skip_content(&tag.name);
                    }
                } else {
                    writer.open_tag(&tag);
                }
            }
            Token::Close(name) => {
                closed += 1;
                if closed > MAX_TAGS {
                    break;
                }
                writer.close_tag(&name);
            }
        }
    }
    writer.close_from(0);
    writer.written
}

/// An element that is open.
struct Open {
    name: &'static str,
    /// What was written behind its name; kept for formatting only.
    attributes: String,
    /// Whether it stands in the result.
    is_written: bool,
    /// Whether its content is dropped.
    hides: bool,
}

struct Writer {
    written: String,
    open: Vec<Open>,
    /// How many open elements hide their content.
    hiding: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.hiding > 0 {
            return;
        }
        if self.is_between_cells() {
            if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
                return;
            }
            self.begin_cell();
        }
        push_escaped(&mut self.written, text, &[('<', "&lt;")]);
    }

    fn open_tag(&mut self, tag: &Tag<'_>) {
        let known = |names: &'static [&'static str]| names.iter().copied().find(|name| *name == tag.name);
        if let Some(name) = known(DROPPED_WITH_CONTENT) {
            self.hide(name, tag);
        } else if let Some(name) = known(TAGS) {
            self.keep(name, tag);
        } else if known(UNKNOWN_BLOCKS).is_some() {
            self.close_within("p", CELLS);
        }
    }

    /// Opens an element whose content is dropped.
    fn hide(&mut self, name: &'static str, tag: &Tag<'_>) {
        let drawing_ends = matches!(name, "svg" | "math") && tag.closes_itself;
        // A form around rows is empty for a browser too, and documents' heads and frames hold what counts.
        let is_transparent = matches!(name, "embed" | "frame" | "head") || (name == "form" && self.is_between_cells());
        if drawing_ends || is_transparent || self.open.len() >= MAX_OPEN {
            return;
        }
        if name == "option" {
            self.close_within("option", CELLS);
        }
        self.hiding += 1;
        self.open.push(Open { name, attributes: String::new(), is_written: false, hides: true });
    }

    /// Opens an element that is kept.
    fn keep(&mut self, name: &'static str, tag: &Tag<'_>) {
        if !self.make_room(name) {
            return;
        }
        let attributes = kept_attributes(name, &tag.attributes);
        if VOID.contains(&name) {
            self.push_tag(name, &attributes);
            return;
        }
        let formats = FORMATTING.contains(&name);
        if self.open.len() >= MAX_OPEN && !TABLE_PARTS.contains(&name) {
            return;
        }
        let repeats = IDEMPOTENT.contains(&name)
            && self.open.iter().rev().find(|open| open.name == name).is_some_and(|open| open.attributes == attributes);
        let says_nothing = name == "a" && attributes.is_empty();
        let is_written = self.hiding == 0 && !repeats && !says_nothing;
        if is_written {
            self.push_tag(name, &attributes);
        }
        let attributes = if formats { attributes } else { String::new() };
        self.open.push(Open { name, attributes, is_written, hides: false });
    }

    /// Closes what a browser closes before it opens an element; `false` where the element cannot be.
    fn make_room(&mut self, name: &'static str) -> bool {
        if TABLE_PARTS.contains(&name) || name == "col" {
            return self.make_room_in_table(name);
        }
        if self.is_between_cells() {
            self.begin_cell();
        }
        match name {
            "a" => {
                let earlier = self.find(|open| open.name == "a" && open.is_written, |open| CELLS.contains(&open.name));
                earlier.into_iter().for_each(|at| self.close_from(at));
            }
            "dd" | "dt" | "li" => {
                let ends = |open: &Open| open.name == name || (name != "li" && matches!(open.name, "dd" | "dt"));
                let stops = |open: &Open| {
                    open.hides
                        || CELLS.contains(&open.name)
                        || (SPECIAL.contains(&open.name) && !matches!(open.name, "div" | "p"))
                };
                self.find(ends, stops).into_iter().for_each(|at| self.close_from(at));
                self.close_within("p", CELLS);
            }
            "hr" | "table" => self.close_within("p", CELLS),
            name if SPECIAL.contains(&name) => {
                self.close_within("p", CELLS);
                if HEADINGS.contains(&name) && self.open.last().is_some_and(|open| HEADINGS.contains(&open.name)) {
                    self.close_from(self.open.len() - 1);
                }
            }
            _ => {}
        }
        true
    }

    fn make_room_in_table(&mut self, name: &'static str) -> bool {
        let parents: &[&str] = match name {
            "td" | "th" => &["table", "tbody", "tfoot", "thead", "tr"],
            "tr" => SECTIONS,
            "col" => &["colgroup", "table"],
            _ => &["table"],
        };
        let parent = self.find(|open| parents.contains(&open.name), |_| false);
        let Some(at) = parent else { return false };
        self.close_from(at + 1);
        if matches!(name, "td" | "th") && self.open[at].name != "tr" {
            self.push_part("tr");
        }
        true
    }

    fn close_tag(&mut self, name: &str) {
        if name == "br" {
            self.keep("br", &Tag { name: String::from("br"), attributes: Vec::new(), closes_itself: false });
            return;
        }
        let is_part = name == "table" || TABLE_PARTS.contains(&name);
        let is_inline =
            !is_part && !FORMATTING.contains(&name) && !SPECIAL.contains(&name) && !DROPPED_WITH_CONTENT.contains(&name);
        let is_heading = HEADINGS.contains(&name);
        let ends = |open: &Open| open.name == name || (is_heading && HEADINGS.contains(&open.name));
        let stops = |open: &Open| match open.name {
            "table" => true,
            "caption" | "td" | "th" => !is_part,
            inner => is_inline && SPECIAL.contains(&inner),
        };
        if let Some(at) = self.find(ends, stops) {
            self.close_from(at);
        }
    }

    /// The innermost open element that fits, unless one that stops the search stands within it.
    fn find(&self, fits: impl Fn(&Open) -> bool, stops: impl Fn(&Open) -> bool) -> Option<usize> {
        for (at, open) in self.open.iter().enumerate().rev() {
            if fits(open) {
                return Some(at);
            }
            if stops(open) {
                return None;
            }
        }
        None
    }

    /// Closes the innermost element of a name, unless it stands outside of a hidden element or of one named here.
    fn close_within(&mut self, name: &str, bounds: &[&str]) {
        let found = self.find(|open| open.name == name, |open| open.hides || bounds.contains(&open.name));
        found.into_iter().for_each(|at| self.close_from(at));
    }

    /// Closes the element at this place and all within it.
    fn close_from(&mut self, at: usize) {
        for open in self.open.drain(at..).rev() {
            self.hiding -= usize::from(open.hides);
            if open.is_written {
                self.written.extend(["</", open.name, ">"]);
            }
        }
    }

    fn is_between_cells(&self) -> bool {
        self.open.last().is_some_and(|open| SECTIONS.contains(&open.name) || matches!(open.name, "colgroup" | "tr"))
    }

    /// Opens the row and the cell that a table lacks around its content.
    fn begin_cell(&mut self) {
        if self.open.last().is_some_and(|open| open.name == "colgroup") {
            self.close_from(self.open.len() - 1);
        }
        if self.open.last().is_some_and(|open| open.name != "tr") {
            self.push_part("tr");
        }
        self.push_part("td");
    }

    fn push_part(&mut self, name: &'static str) {
        self.push_tag(name, "");
        self.open.push(Open { name, attributes: String::new(), is_written: self.hiding == 0, hides: false });
    }

    fn is_within_drawing(&self) -> bool {
        self.open.iter().any(|open| matches!(open.name, "svg" | "math"))
    }

    fn push_tag(&mut self, name: &str, attributes: &str) {
        if self.hiding == 0 {
            self.written.extend(["<", name, attributes, ">"]);
        }
    }
}

/// The attributes that the cleaner keeps, each once, as they are written behind a name. A remote `src` becomes
/// `data-remote-src`; a mistake here costs a hidden picture, because the cleaner drops every other `src` anyway.
fn kept_attributes(element: &str, attributes: &[(&str, &str)]) -> String {
    let own = ATTRIBUTES.iter().find(|(name, _)| *name == element).map_or(&[][..], |(_, names)| *names);
    let mut written = String::new();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in attributes {
        let known = own.iter().chain(ATTRIBUTES_OF_ALL).find(|known| name.eq_ignore_ascii_case(known));
        let Some(name) = known.filter(|known| !seen.contains(known) && value.len() <= MAX_ATTRIBUTE_BYTES) else { continue };
        seen.push(name);
        let remote = element == "img" && *name == "src" && is_remote(value);
        if remote && seen.contains(&"data-remote-src") {
            continue;
        }
        let name = if remote { "data-remote-src" } else { name };
        seen.push(name);
        written.extend([" ", name, "=\""]);
        push_escaped(&mut written, value, &[('"', "&quot;"), ('<', "&lt;"), ('>', "&gt;")]);
        written.push('"');
    }
    written
}

fn is_remote(source: &str) -> bool {
    let source = source.trim_start();
    ["http:", "https:"].iter().any(|scheme| source.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn push_escaped(written: &mut String, text: &str, escapes: &[(char, &str)]) {
    for letter in text.chars() {
        match escapes.iter().find(|(escaped, _)| *escaped == letter) {
            Some((_, escape)) => written.push_str(escape),
            None => written.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    fn check(html: &str, expected: &str) {
        assert_eq!(rewrite(html), expected, "{html}");
    }

    #[test]
    fn well_formed_html_stays_as_it_is() {
        for html in [
            "<p>a <b>b</b> &amp; c<br>d</p><ul><li>e</li><li>f<ol><li>g</li></ol></li></ul>",
            "<table border=\"1\"><caption>x</caption><colgroup><col span=\"2\"></colgroup><tbody><tr><td>a<table><tr><th>b</th></tr></table></td></tr></tbody></table>",
            "<font color=\"red\">a<font color=\"blue\">b<font color=\"red\">c</font></font></font>",
            "<small>a<small>b</small></small>",
        ] {
            check(html, html);
        }
    }

    #[test]
    fn what_is_left_open_is_closed_where_a_browser_would() {
        check("<p>a<p>b<div>c", "<p>a</p><p>b</p><div>c</div>");
        check("<ul><li>a<li>b<ul><li>c</ul>d</ul>e", "<ul><li>a</li><li>b<ul><li>c</li></ul>d</li></ul>e");
        check("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>");
        check("<table><tr><td>a<td>b<tr><th>c</table>d", "<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>d");
        check("<h1>a<h2>b</h1>c", "<h1>a</h1><h2>b</h2>c");
        check("<p>a<section>b</section>", "<p>a</p>b");
        check("<a href=x>a<a href=y>b", "<a href=\"x\">a</a><a href=\"y\">b</a>");
    }

    #[test]
    fn tags_that_cross_end_with_the_outer_one() {
        check("<b><p>a</b>b</p>c", "<b><p>a</p></b>bc");
        check("<p><i>a</p>b</i>", "<p><i>a</i></p>b");
        check("<span><div>a</span>b</div>", "<span><div>ab</div></span>");
        check("<b><table><tr><td>a</b></div>b</td></tr></table>c</b>", "<b><table><tr><td>ab</td></tr></table>c</b>");
        check("a</p></td></b>b</br>c", "ab<br>c");
    }

    #[test]
    fn what_stands_between_cells_gets_a_cell() {
        check("<table> a<tr> <td>b", "<table><tr><td> a</td></tr><tr><td>b</td></tr></table>");
        check("<table><tbody><b>a</b><td>b", "<table><tbody><tr><td><b>a</b></td><td>b</td></tr></tbody></table>");
        check("<table><form><tr><td>a</form></table>", "<table><tr><td>a</td></tr></table>");
        check("<tr><td>a</td></tr>", "a");
    }

    #[test]
    fn repeated_formatting_and_mute_anchors_are_left_out() {
        check("<b>a<b>b</b>c</b>d", "<b>abc</b>d");
        check("<a name=top>a<div>b<a href=x>c</a></div>", "a<div>b<a href=\"x\">c</a></div>");
    }

    #[test]
    fn text_that_is_no_markup_is_skipped() {
        check("a<style><p></style>b<script>'</scripted>'</SCRIPT >c", "abc");
        check("a<!-- > <p> -->b<!--->c<!-->d<![if x]>e<?x?>f</>g<!-- h --!>i<!-- k", "abcdefgi");
        check("a<svg><title/><p>b</svg>c<svg/>d<select><option>e<option>f</select>g", "acdg");
        check("1 < 2 <3<p", "1 &lt; 2 &lt;3");
    }

    #[test]
    fn attributes_are_read_as_browsers_read_them() {
        check("<td title=\"a>b\"TITLE='c'>x", "x");
        check("<p/title=\"a>b\"TITLE='c'lang = no dir>x", "<p title=\"a&gt;b\" lang=\"no\" dir=\"\">x</p>");
        check("<p =title=x title='\"<' >x", "<p title=\"&quot;&lt;\">x</p>");
        check("<p ø=1 title=å\u{a0}>x</p ø>", "<p title=\"å\u{a0}\">x</p>");
        check("<a href=https://x.test/>x</a>", "<a href=\"https://x.test/\">x</a>");
        check("<IMG src=cid:a SRC=http://x>", "<img src=\"cid:a\">");
    }
}
