//! Tests of the widget's addresses.

use super::{baked, is_origin, pinned_loader, widget_router};
use axum::body::{Body, to_bytes};
use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, VARY};
use http::{Request, Response, StatusCode};
use serde_json::json;
use std::io::Read;
use switchboard_model::Widget;
use tower::ServiceExt;

fn shop() -> Widget {
    Widget {
        key: "shop_7Hq2".to_owned(),
        origins: vec!["https://www.shop.test".to_owned(), "https://shop.test:8443".to_owned()],
        socket: "/channels/shop_chat/socket".to_owned(),
        settings: json!({
            "slug": "shop_chat", "cookie": {"name": "sb_shop_7Hq2", "days": 30},
            "look": {"color": "#1f5fbf", "side_px": 12, "preview": false, "sound": true, "greeting": {"en": "</script><b>Hi</b>"}},
        }),
    }
}

async fn ask(widgets: Vec<Widget>, path: &str, tag: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(tag) = tag {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let request = request.body(Body::empty()).expect("a valid request");
    widget_router(widgets).oneshot(request).await.expect("routers do not fail")
}

async fn body(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn the_loader_carries_its_settings_and_is_asked_for_anew_after_five_minutes() {
    let response = ask(vec![shop()], "/sb/shop_7Hq2.js", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=300");
    assert_eq!(response.headers()["cross-origin-resource-policy"], "cross-origin");
    let tag = response.headers()[ETAG].to_str().expect("text").to_owned();
    let script = body(response).await;
    assert!(script.contains(r##""color":"#1f5fbf""##) && script.contains(r#""widgetKey":"shop_7Hq2""#), "{script}");
    assert_eq!(ask(vec![shop()], "/sb/shop_7Hq2.js", Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
    let other = Widget { settings: json!({"look": {"color": "#000000"}}), ..shop() };
    assert_eq!(ask(vec![other], "/sb/shop_7Hq2.js", Some(&tag)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn loader_and_page_come_compressed_where_that_is_understood() {
    for path in ["/sb/shop_7Hq2.js", "/w/shop_7Hq2"] {
        let plain = ask(vec![shop()], path, None).await;
        assert_eq!((&plain.headers()[VARY], plain.headers().get(CONTENT_ENCODING)), (&"accept-encoding".parse().unwrap(), None));
        let tag = plain.headers()[ETAG].clone();
        let plain = body(plain).await;
        for (accepted, is_compressed) in [("br, GZIP;q=0.5", true), ("gzip", true), ("br", false), ("gzip;q=0", false)] {
            let request = Request::get(path).header(ACCEPT_ENCODING, accepted).body(Body::empty()).expect("a valid request");
            let response = widget_router(vec![shop()]).oneshot(request).await.expect("routers do not fail");
            assert_eq!((&response.headers()[VARY], &response.headers()[ETAG]), (&"accept-encoding".parse().unwrap(), &tag));
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), is_compressed, "{accepted}");
            let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
            let mut text = String::new();
            if is_compressed {
                GzDecoder::new(bytes.as_ref()).read_to_string(&mut text).expect("gzip of text");
            } else {
                text = String::from_utf8(bytes.to_vec()).expect("text");
            }
            assert_eq!(text, plain, "{path} {accepted}");
        }
    }
}

#[tokio::test]
async fn the_page_in_the_frame_may_be_shown_by_the_listed_origins_only() {
    let response = ask(vec![shop()], "/w/shop_7Hq2", None).await;
    let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(policy.ends_with("frame-ancestors https://www.shop.test https://shop.test:8443"), "{policy}");
    assert!(!policy.contains("unsafe") && !response.headers().contains_key("x-frame-options"));
    assert!(!response.headers().contains_key("cross-origin-embedder-policy"));
    let page = body(response).await;
    assert!(page.contains("/channels/shop_chat/socket") && !page.contains("</script><b>"), "{page}");

    let nobody = ask(vec![Widget { origins: Vec::new(), ..shop() }], "/w/shop_7Hq2", None).await;
    assert!(nobody.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").ends_with("frame-ancestors 'none'"));

    let app = Widget { origins: vec!["capacitor://localhost".to_owned()], settings: json!({"web_views": true}), ..shop() };
    let app = ask(vec![app], "/w/shop_7Hq2", None).await;
    let policy = app.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.ends_with("frame-ancestors capacitor://localhost file:"), "{policy}");
    let files_alone = Widget { origins: Vec::new(), settings: json!({"web_views": true}), ..shop() };
    let files_alone = ask(vec![files_alone], "/w/shop_7Hq2", None).await;
    assert!(files_alone.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").ends_with("frame-ancestors file:"));

    let isolated = Widget { settings: json!({"credentialless": true}), ..shop() };
    let isolated = ask(vec![isolated], "/w/shop_7Hq2", None).await;
    assert_eq!(isolated.headers()["cross-origin-embedder-policy"], "credentialless");
}

#[tokio::test]
async fn a_key_that_no_widget_has_is_not_found() {
    for path in ["/sb/other.js", "/sb/shop_7Hq2", "/w/other", "/w/shop_7Hq2/x", "/sb/frame/none.js", "/sb/loader-000000000000.js"]
    {
        assert_eq!(ask(vec![shop()], path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let bad = Widget { key: "a/b".to_owned(), ..shop() };
    let huge = Widget { settings: json!({"look": {"launcher": {"en": "x".repeat(40_000)}}}), ..shop() };
    for widget in [bad, huge] {
        assert_eq!(ask(vec![widget], "/sb/shop_7Hq2.js", None).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_pinned_loader_is_kept_for_good_and_readable_for_the_check_of_its_digest() {
    // Nothing to pin until the widget is built.
    let Some(pinned) = pinned_loader() else { return };
    assert!(pinned.integrity.starts_with("sha256-") && pinned.path.starts_with("/sb/loader-"), "{pinned:?}");
    let response = ask(vec![shop()], &pinned.path, None).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert!(!body(response).await.contains("shop_7Hq2"));
}

#[test]
fn only_what_the_loader_needs_is_baked_in() {
    assert_eq!(
        baked(&shop()),
        json!({"widgetKey": "shop_7Hq2", "cookie": "sb_shop_7Hq2", "cookieDays": 30, "color": "#1f5fbf", "sidePx": 12, "preview": false, "sound": true})
    );
}

#[test]
fn an_origin_cannot_end_the_directive() {
    assert!(is_origin("https://a.test") && !is_origin("https://a.test; script-src *") && !is_origin("'self'"));
}
