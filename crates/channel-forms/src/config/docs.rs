//! Every setting of a form, for the configuration reference.

use switchboard_channel::SettingDoc;

const TEXT: &str = "text, or a text per language such as { en = \"Name\", nb = \"Navn\" }";

/// Every setting below `[channels.SLUG]`.
pub(crate) const SETTINGS: &[SettingDoc] = &[
    doc("title", TEXT, Some(""), "Heading of the page, and subject of messages without one; the slug when absent."),
    doc("title.*", "text", Some(""), "The title in one language, by language tag."),
    doc("intro", TEXT, Some(""), "A paragraph above the fields; blank lines part paragraphs."),
    doc("intro.*", "text", Some(""), "The intro in one language."),
    doc("thanks", TEXT, Some(""), "What the thank-you page says; a standard sentence when absent."),
    doc("thanks.*", "text", Some(""), "The thanks in one language."),
    doc("submit_label", TEXT, Some(""), "Text on the button; a standard word when absent."),
    doc("submit_label.*", "text", Some(""), "The button's text in one language."),
    doc("fields", "list of tables, 1 to 100", None, "The fields, in the order shown."),
    doc(
        "fields.*.name",
        "1 to 64 of a-z, 0-9 and _, unique",
        None,
        "Name of the field in submissions and in rules (`form.NAME`).",
    ),
    doc(
        "fields.*.kind",
        "text, textarea, email, phone, number, select, checkbox, date, file",
        Some("\"text\""),
        "How the field is filled in and checked.",
    ),
    doc("fields.*.label", TEXT, Some(""), "What the visitor reads; made from the name when absent."),
    doc("fields.*.label.*", "text", Some(""), "The label in one language."),
    doc("fields.*.hint", TEXT, Some(""), "A line of help below the label."),
    doc("fields.*.hint.*", "text", Some(""), "The hint in one language."),
    doc("fields.*.required", "true or false", Some("false"), "Whether it must be filled in; a checkbox must then be ticked."),
    doc(
        "fields.*.max_length",
        "characters, 1 to 1000000; text, textarea, email, phone",
        Some(""),
        "Longest value; 255, for textarea 20000, email 254, phone 40 when absent.",
    ),
    doc("fields.*.min", "number, or date such as 2027-05-17", Some(""), "Least number or earliest date."),
    doc("fields.*.max", "number, or date such as 2027-05-17", Some(""), "Greatest number or latest date."),
    doc(
        "fields.*.options",
        "list of texts or of { value = \"x\", label = \"X\" }",
        Some(""),
        "What a select offers; a select needs at least one.",
    ),
    doc("fields.*.options.*.value", "text", None, "The value that is stored."),
    doc("fields.*.options.*.label", TEXT, Some(""), "What the visitor reads; the value when absent."),
    doc("fields.*.options.*.label.*", "text", Some(""), "The choice's label in one language."),
    doc(
        "fields.*.accept",
        "list of extensions and media types, such as [\".pdf\", \"image/*\"]",
        Some("[]"),
        "Which files are taken, by name and by the type that the sender declares; all when empty.",
    ),
    doc("fields.*.max_bytes", "bytes, 1 to max_body_bytes", Some(""), "Largest file; max_body_bytes when absent."),
    doc("fields.*.max_files", "1 to 100", Some("10"), "Most files."),
    doc(
        "fields.*.role",
        "name, email, phone, subject, message, none",
        Some(""),
        "What the field means to Switchboard; taken from the usual names when absent, each role at most once.",
    ),
    doc("fields.*.autocomplete", "autocomplete token of HTML", Some(""), "What browsers fill in; follows the role when absent."),
    doc("redirect", "address, http or https", Some("\"\""), "Where browsers go after success; the thank-you page when empty."),
    doc(
        "origins",
        "list of exact origins, such as [\"https://www.example.org\"]",
        Some("[]"),
        "Sites whose scripts may submit and whose pages may frame the form; when not empty, plain forms on any other site are refused.",
    ),
    doc("language", "language tag", Some("\"en\""), "Language of visitors who ask for none, and of embedded submissions."),
    doc("honeypot", "field name", Some("\"website\""), "Hidden field that people leave empty; empty switches it off."),
    doc(
        "min_seconds",
        "seconds, 0 to 3600",
        Some("2"),
        "Shortest time between the hosted page and its submission; 0 switches it off.",
    ),
    doc("max_body_bytes", "bytes, 1024 to 1073741824", Some("10485760"), "Largest submission, files included."),
    doc("max_parts", "1 to 10000", Some("200"), "Most values and files in a submission."),
    doc("read_timeout_seconds", "seconds, 1 to 3600", Some("60"), "Longest time in which a submission must have arrived."),
    doc("max_concurrent", "1 to 10000", Some("64"), "Most submissions being read at once; further ones are told to come back."),
    doc("rate_per_minute", "0 to 1000000", Some("20"), "Submissions per minute and client address; 0 switches it off."),
    doc("burst", "1 to 1000000", Some("10"), "Submissions of one client address that may come at once."),
    doc(
        "trusted_proxies",
        "list of addresses and networks",
        Some("[]"),
        "Proxies whose word about the client's address is taken.",
    ),
    doc(
        "client_ip_header",
        "header name, such as \"x-forwarded-for\"",
        Some("\"\""),
        "Header in which those proxies name the client; off when empty.",
    ),
];

const fn doc(key: &'static str, values: &'static str, default: Option<&'static str>, about: &'static str) -> SettingDoc {
    SettingDoc { key, values, default, about }
}
