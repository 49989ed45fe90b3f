//! What settings are taken, and what is said about those that are not.

use super::{Accept, Form, Kind, Role, SETTINGS};
use switchboard_channel_testkit::settings;

fn check(text: &str, expected: &[&str]) {
    let faults = Form::read(&settings("contact", text)).err().unwrap_or_default();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected, "for\n{text}");
}

#[test]
fn the_least_form_has_sensible_defaults() {
    let form = Form::read(&settings("contact", "[[fields]]\nname = \"order_number\"")).expect("good settings");
    let field = &form.fields[0];
    assert_eq!(form.title.in_language("en"), "contact");
    assert_eq!(field.label.in_language("nb"), "Order number");
    assert_eq!((field.kind, field.max_length, field.required, field.role), (Kind::Text, 255, false, None));
    assert_eq!((form.honeypot.as_str(), form.language.as_str()), ("website", "en"));
    let limits = form.limits;
    assert_eq!((limits.body_bytes, limits.min_seconds, limits.rate_per_minute, limits.burst), (10_485_760, 2, 20, 10));
    assert!(form.trusted_proxies.is_empty() && form.client_ip_header.is_none() && form.origins.is_empty());
}

#[test]
fn documented_defaults_are_the_real_ones() {
    let lines = SETTINGS.iter().filter(|setting| !setting.key.contains('*'));
    let stated =
        lines.filter_map(|setting| Some(format!("{} = {}\n", setting.key, setting.default.filter(|text| !text.is_empty())?)));
    let stated = stated.collect::<String>() + "[[fields]]\nname = \"x\"";
    let stated = Form::read(&settings("contact", &stated)).expect("the documented defaults are allowed");
    let silent = Form::read(&settings("contact", "[[fields]]\nname = \"x\"")).expect("good settings");
    assert_eq!(format!("{stated:?}"), format!("{silent:?}"));
}

#[test]
fn roles_and_autocomplete_follow_the_usual_names() {
    let fields = [("name", "text"), ("email", "email"), ("phone", "phone"), ("subject", "text"), ("message", "textarea")];
    let text: String = fields.iter().map(|(name, kind)| format!("[[fields]]\nname = \"{name}\"\nkind = \"{kind}\"\n")).collect();
    let form = Form::read(&settings("contact", &text)).expect("good settings");
    let found: Vec<(Option<Role>, Option<&str>)> =
        form.fields.iter().map(|field| (field.role, field.autocomplete.as_deref())).collect();
    assert_eq!(
        found,
        [
            (Some(Role::Name), Some("name")),
            (Some(Role::Email), Some("email")),
            (Some(Role::Phone), Some("tel")),
            (Some(Role::Subject), None),
            (Some(Role::Message), None),
        ]
    );
}

#[test]
fn accept_takes_extensions_types_and_groups() {
    let text = "[[fields]]\nname = \"x\"\nkind = \"file\"\naccept = [\".PDF\", \"image/*\", \"text/plain\"]";
    let form = Form::read(&settings("contact", text)).expect("good settings");
    let expected =
        [Accept::Extension(".pdf".into()), Accept::MediaGroup("image/".into()), Accept::MediaType("text/plain".into())];
    assert_eq!(form.fields[0].accept, expected);
}

#[test]
fn a_form_without_fields_is_refused() {
    check("title = \"Contact\"", &["channels.contact.fields: missing; it is list of tables, 1 to 100"]);
    check("fields = []", &["channels.contact.fields: found 0; a form has 1 to 100 fields"]);
    check("fields = 3", &["channels.contact.fields: found `3`; it is a list of tables, [[channels.SLUG.fields]]"]);
}

#[test]
fn every_fault_of_the_form_comes_at_once() {
    check(
        "tilte = 1\nredirect = \"/thanks\"\norigins = [\"https://x.test/\"]\nlanguage = \"norsk språk\"\nburst = 0\n\
         max_parts = \"many\"\nhoneypot = \"a b\"\ntrusted_proxies = [\"proxy\"]\nclient_ip_header = \"a b\"\n\
         [intro]\nen = 3\n[[fields]]\nname = \"message\"",
        &[
            "channels.contact.tilte: unknown setting `tilte`; did you mean `title`?",
            "channels.contact.max_parts: found `\"many\"`; it is a whole number from 1 to 10000",
            "channels.contact.burst: found `0`; it is a whole number from 1 to 1000000",
            "channels.contact.honeypot: found `a b`; it is at most 64 letters, digits, _ and -",
            "channels.contact.intro.en: it is a language tag with a text, such as nb = \"Navn\"",
            "channels.contact.redirect: found `/thanks`; it is a full address that starts with http:// or https://",
            "channels.contact.origins: found `https://x.test/`; an origin is scheme, host and port without a path, such as \
             https://www.example.org",
            "channels.contact.language: found `norsk språk`; it is a language tag such as en, nl, nb or da",
            "channels.contact.trusted_proxies: found `proxy`; it is an address or a network, such as 10.0.0.5 or 10.0.0.0/8",
            "channels.contact.client_ip_header: found `a b`; it is a header name such as x-forwarded-for",
        ],
    );
}

#[test]
fn every_fault_of_the_fields_comes_at_once() {
    check(
        r#"
        [[fields]]
        label = "No name"
        [[fields]]
        name = "Bad-Name"
        [[fields]]
        name = "x"
        kind = "colour"
        [[fields]]
        name = "website"
        [[fields]]
        name = "email"
        kind = "email"
        required = "yes"
        [[fields]]
        name = "email"
        role = "email"
        [[fields]]
        name = "topic"
        kind = "select"
        [[fields]]
        name = "size"
        kind = "select"
        options = ["s", "s", 3]
        max = 4
        [[fields]]
        name = "count"
        kind = "number"
        min = 5
        max = 1
        [[fields]]
        name = "day"
        kind = "date"
        min = "tomorrow"
        [[fields]]
        name = "paper"
        kind = "file"
        accept = ["pdf"]
        max_bytes = 99999999
        "#,
        &[
            "channels.contact.fields.0.name: missing; it is a name of a-z, 0-9 and _",
            "channels.contact.fields.1.name: found `Bad-Name`; it is 1 to 64 of a-z, 0-9 and _",
            "channels.contact.fields.2.kind: found `colour`; it is one of text, textarea, email, phone, number, select, checkbox, \
             date, file",
            "channels.contact.fields.3.name: `website` is a hidden field of the form itself; choose another name",
            "channels.contact.fields.4.required: found `\"yes\"`; it is true or false",
            "channels.contact.fields.5.role: `email` does not fit a field of kind `text`",
            "channels.contact.fields.5.name: there are two fields `email`",
            "channels.contact.fields.5.role: `email` is the role of `email` already; give one of them role = \"none\"",
            "channels.contact.fields.6.options: missing; a select needs a list of at least one text or { value = \"x\", label = \
             \"X\" }",
            "channels.contact.fields.7.max: means nothing for kind `select`, only for number, date",
            "channels.contact.fields.7.options: offers `s` twice",
            "channels.contact.fields.7.options.2: found `3`; it is a text or { value = \"x\", label = \"X\" }",
            "channels.contact.fields.8.min: lies above `max`",
            "channels.contact.fields.9.min: found `\"tomorrow\"`; it is a date such as 2027-05-17",
            "channels.contact.fields.10.accept: found `pdf`; it is .pdf, application/pdf or image/*",
            "channels.contact.fields.10.max_bytes: found `99999999`; it is a whole number from 1 to 10485760",
        ],
    );
}

#[test]
fn a_client_header_without_trusted_proxies_is_refused() {
    check(
        "client_ip_header = \"x-real-ip\"\n[[fields]]\nname = \"message\"",
        &["channels.contact.client_ip_header: is read from trusted proxies only; name them in `trusted_proxies`"],
    );
}
