//! The report as text, JSON and a page.

use crate::house::{case, chats, directory, generated, house};
use serde_json::json;
use switchboard_simulator::report::Report;
use switchboard_simulator::{Options, compare};

const NASTY: &str = "<img src=x onerror=alert(1)> & \"Co\" 'x'\u{1b}[31m\n</script>";

/// A comparison with names that would like to be more than names.
fn nasty() -> Report {
    let mut value = house();
    value["users"][0]["name"] = json!(NASTY);
    value["channels"][0]["name"] = json!(NASTY);
    value["workspaces"][0]["name"] = json!(NASTY);
    let wanted = json!({"kind": "language", "language": "nb"});
    value["workspaces"][0]["skill_rules"] = json!([{"demands": [{"wanted": wanted, "required": false}]}]);
    let mut draft = value.clone();
    case(&mut draft, 0)["distribution"] = json!("round_robin");
    let options = Options { seeds: 3, ..Options::default() };
    compare(&directory(value), &directory(draft), &generated(2, chats(60.0)), &options, &mut |_| {}).expect("a comparison")
}

#[test]
fn r13_3_the_report_survives_json() {
    let report = nasty();
    let text = report.to_json().unwrap();
    let read: Report = serde_json::from_str(&text).unwrap();
    assert!(read == report, "what was written is not what is read");
    assert_eq!(read.draft.people.len(), 4);
}

#[test]
fn r13_3_the_page_stands_by_itself_and_escapes_every_name() {
    let page = nasty().to_html();
    for forbidden in
        ["<img", "<script", "onerror=alert(1)>", "\u{1b}", "http://", "https://", "src=\"", "url(", "@import", "NaN", "inf"]
    {
        assert!(!page.contains(forbidden), "the page holds `{forbidden}`");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Co&quot; &#39;x&#39;"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("default-src 'none'"));
    assert_eq!(page.matches("<svg").count(), 3, "waits of all and of the channel, and people");
    for tag in ["svg", "table", "tr", "td", "th", "h2", "p", "ul", "li", "span", "small", "text", "title", "div"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "every {tag} is closed");
    }
}

#[test]
fn r13_3_the_table_keeps_control_characters_from_the_terminal() {
    let table = nasty().to_text();
    assert!(!table.chars().any(|letter| letter.is_control() && letter != '\n'));
    for part in ["All channels", "(chat)", "mean wait", "within 60 s", "Pooling", "skill demands", "People, draft"] {
        assert!(table.contains(part), "the table lacks `{part}`:\n{table}");
    }
}
