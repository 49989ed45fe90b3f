//! The hosted page, its notices, the style sheet and the schema over HTTP.

mod site;

use axum::http::Method;
use site::{SETTINGS, Site, header, started, token_in};

/// Everything of a page but the nonce, which is new each time.
fn still(page: &str) -> String {
    page.replace(&token_in(page), "TOKEN")
}

#[tokio::test]
async fn the_page_in_norwegian() {
    let site = Site::of(&started("").await);
    let answer = site.open("/channels/contact?lang=nb", &[]).await;
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!("page_nb", still(&answer.body));
}

#[tokio::test]
async fn the_page_with_errors() {
    let site = Site::of(&started("").await);
    let answer = site.browse("name=&email=kari&message=Hello&items=0&newsletter=true&topic=repair&stranger=1", &[]).await;
    insta::assert_snapshot!("page_errors_en", still(&answer.body));
}

#[tokio::test]
async fn the_schema_in_english() {
    let site = Site::of(&started("").await);
    let answer = site.open("/channels/contact/schema", &[("accept-language", "fr, en;q=0.5")]).await;
    let schema: serde_json::Value = serde_json::from_str(&answer.body).expect("the schema is JSON");
    insta::assert_snapshot!("schema_en", serde_json::to_string_pretty(&schema).expect("JSON can be written"));
}

#[tokio::test]
async fn the_language_is_the_asked_one_then_the_browsers_then_the_configured_one() {
    let harness = started("").await;
    let site = Site::of(&harness);
    for (path, accept, expected) in [
        ("/channels/contact?lang=da", "nl", "da"),
        ("/channels/contact/?lang=nn-NO", "nl", "nb"),
        ("/channels/contact", "nl-BE,fr;q=0.9", "nl"),
        ("/channels/contact", "fr", "en"),
        ("/channels/contact?lang=%3Cscript%3E", "fr", "en"),
        ("/channels/contact/thanks?lang=nl", "da", "nl"),
    ] {
        let answer = site.open(path, &[("accept-language", accept)]).await;
        assert!(answer.body.contains(&format!("<html lang=\"{expected}\">")), "{path} with {accept}");
    }
}

#[tokio::test]
async fn pages_carry_no_script_no_inline_style_and_a_policy_against_both() {
    let harness = started("redirect = \"https://www.example.test/takk\"").await;
    let site = Site::of(&harness);
    for path in ["/channels/contact", "/channels/contact/thanks", "/channels/contact/nowhere"] {
        let answer = site.open(path, &[]).await;
        assert_eq!(
            header(&answer, "content-security-policy"),
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self' https://www.example.test; \
             frame-ancestors 'self'"
        );
        for forbidden in ["<script", "<style", " style=", " onclick", "javascript:"] {
            assert!(!answer.body.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn pages_that_listed_sites_may_frame_carry_one_script_of_ours_that_speaks_to_those_sites() {
    let harness = started("origins = [\"https://shop.test\", \"https://www.shop.test\"]").await;
    let site = Site::of(&harness);
    for (path, state) in
        [("/channels/contact", "form"), ("/channels/contact/thanks", "sent"), ("/channels/contact/nowhere", "failed")]
    {
        let answer = site.open(path, &[]).await;
        assert_eq!(
            header(&answer, "content-security-policy"),
            "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'self' https://shop.test https://www.shop.test"
        );
        assert!(!answer.body.contains("x-frame-options") && answer.body.matches("<script").count() == 1, "{path}");
        let script =
            "<script src=\"/channels/contact/embed.js\" data-origins=\"https://shop.test https://www.shop.test\" defer></script>";
        assert!(answer.body.contains(script), "{path}: {}", answer.body);
        assert!(answer.body.contains(&format!("<main data-state=\"{state}\">")), "{path}");
    }
    let script = site.open("/channels/contact/embed.js", &[]).await;
    assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
    assert!(!script.body.contains("'*'"), "the script speaks to named origins only");
}

#[tokio::test]
async fn every_path_answers_as_it_should() {
    let harness = started("").await;
    let site = Site::of(&harness);
    for (method, path, status) in [
        (Method::GET, "/channels/contact", 200),
        (Method::GET, "/channels/contact/", 200),
        (Method::HEAD, "/channels/contact/", 200),
        (Method::POST, "/channels/contact", 405),
        (Method::GET, "/channels/contact/form.css", 200),
        (Method::GET, "/channels/contact/embed.js", 200),
        (Method::GET, "/channels/contact/thanks", 200),
        (Method::GET, "/channels/contact/schema", 200),
        (Method::GET, "/channels/contact/submit", 303),
        (Method::DELETE, "/channels/contact/submit", 405),
        (Method::GET, "/channels/contact/nowhere", 404),
        (Method::GET, "/channels/contact/%00%ff", 404),
    ] {
        let answer = site.request(method.clone(), path, Vec::new(), &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn texts_of_operator_and_visitor_are_escaped() {
    let settings = SETTINGS.replace("Contact us", "<b>Contact</b> \\\"us\\\" & more");
    let harness = site::started_with(&settings).await;
    let page = Site::of(&harness).browse("name=%22%3E%3Cimg+src%3Dx%3E&message=%3C%2Ftextarea%3E%3Cb%3E", &[]).await;
    assert!(!page.body.contains("<b>") && !page.body.contains("<img"), "{}", page.body);
}

#[tokio::test]
async fn the_page_takes_what_it_shows() {
    let harness = started("").await;
    let site = Site::of(&harness);
    let page = site.open("/channels/contact?lang=nl", &[]).await.body;
    let hidden = |name: &str| {
        let (_, after) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the page has the hidden field");
        after.split('"').next().expect("the attribute ends").to_owned()
    };
    assert!(page.contains("action=\"/channels/contact/submit\" method=\"post\" enctype=\"multipart/form-data\""));
    harness.clock.advance_ms(2_000);
    let (token, language) = (hidden("form_token"), hidden("form_language"));
    let body = format!("form_token={token}&form_language={language}&name=Jan&email=&message=Hoi&topic=&items=&bought=&website=");
    assert_eq!(site.browse(&body, &[]).await.status, 303);
    let message = &harness.inbox.messages()[0];
    assert_eq!(message.language.as_deref(), Some("nl"));
    assert_eq!(message.fields, [("name".to_owned(), "Jan".to_owned()), ("message".to_owned(), "Hoi".to_owned())]);
}
