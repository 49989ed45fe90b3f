//! Problem documents as programs read them.

use super::{Refusal, problem};
use crate::check::Wrong;
use crate::config::Form;
use crate::decode::FieldFault;
use crate::submission::Unreadable;
use switchboard_channel::InboxErrorKind;
use switchboard_channel_testkit::settings;

fn form() -> Form {
    Form::read(&settings("contact", "[[fields]]\nname = \"email\"\nlabel = { en = \"Email\", da = \"E-mail\" }"))
        .expect("the settings of the test are good")
}

#[test]
fn field_faults_are_named_by_field_code_and_words() {
    let faults = vec![
        FieldFault { field: "email".to_owned(), wrong: Wrong::TooLong { max: 5 } },
        FieldFault { field: "<b>".to_owned(), wrong: Wrong::UnknownField },
    ];
    insta::assert_snapshot!(serde_json::to_string_pretty(&problem(&form(), &Refusal::Fields(faults), "da")).expect("JSON"), @r#"
    {
      "code": "invalid",
      "detail": "Ret følgende",
      "errors": [
        {
          "code": "too_long",
          "field": "email",
          "message": "»E-mail« er for lang. Tilladt antal tegn: 5"
        },
        {
          "code": "unknown_field",
          "field": "<b>",
          "message": "Formularen har ikke noget felt »<b>«"
        }
      ],
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "/api/docs#problem-invalid"
    }
    "#);
}

#[test]
fn every_refusal_has_status_code_and_detail() {
    let json = Unreadable::Json { line: 2, column: 7, message: "expected value".to_owned() };
    for (refusal, expected) in [
        (Refusal::Forbidden, "403 forbidden: This form does not accept messages from that site."),
        (
            Refusal::UnsupportedMediaType,
            "415 unsupported_media_type: This form reads JSON, URL-encoded and multipart submissions.",
        ),
        (Refusal::TooLarge, "413 too_large: What you sent is too large. Size allowed in all: 10 MiB"),
        (Refusal::Timeout, "408 timeout: What you sent did not arrive in time. Please send it again."),
        (Refusal::Unreadable(json), "400 bad_json: line 2, column 7: expected value"),
        (Refusal::Unreadable(Unreadable::Multipart), "400 bad_multipart: What you sent could not be read."),
        (
            Refusal::Unreadable(Unreadable::TooManyParts),
            "413 too_many_parts: What you sent has too many parts. Parts allowed: 200",
        ),
        (Refusal::Inbox(InboxErrorKind::Closed), "410 closed: This form is closed at present. Your message was not stored."),
        (Refusal::Crowded, "503 unavailable: Your message could not be stored just now. Please send it again in a moment."),
    ] {
        let document = problem(&form(), &refusal, "en");
        let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(format!("{} {}: {}", document["status"], text("code"), text("detail")), expected);
    }
}
