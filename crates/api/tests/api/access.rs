//! Signing in and out, other sites, bodies, problems, headers.

use crate::house::{House, PASSWORD, email};
use axum::body::Body;
use http::Method;
use serde_json::json;
use switchboard_api::{ApiOptions, RateLimits};

#[tokio::test]
async fn signing_in_gives_a_cookie_and_says_who_one_is() {
    let house = House::new().await;
    house.give_password("liv").await;
    let wish = json!({"email": "LIV@example.test", "password": PASSWORD});
    let answer = house.stranger().post("/session", wish).await.is(200);
    let cookie = answer.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("sb_session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    assert_eq!(answer.body["user"]["name"], "Liv");
    assert_eq!(
        answer.body["permissions"],
        json!(["read", "write", "assign", "own_status", "colleague_status", "route", "rules"])
    );
    assert_eq!(answer.body["settings"]["channels"]["mail"]["reply"], true);
    let me = house.sign_in("liv").await.get("/me").await.is(200);
    assert_eq!(me.body, answer.body);
    house.close().await;
}

#[tokio::test]
async fn over_https_the_cookie_is_secure_and_browsers_are_told_to_stay() {
    let house = House::with(ApiOptions { public_url: Some("https://desk.example.test".into()), ..ApiOptions::default() }).await;
    house.give_password("ada").await;
    let wish = json!({"email": email("ada"), "password": PASSWORD});
    let answer = house.stranger().post("/session", wish).await.is(200);
    assert!(answer.headers["set-cookie"].to_str().expect("text").contains("Secure"));
    assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
    house.close().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_are_answered_alike() {
    let house = House::new().await;
    house.give_password("ada").await;
    let wrong = house.stranger().post("/session", json!({"email": email("ada"), "password": "not this one"})).await;
    let unknown = house.stranger().post("/session", json!({"email": email("nobody"), "password": PASSWORD})).await;
    let (wrong, unknown) = (wrong.problem(401, "unauthenticated"), unknown.problem(401, "unauthenticated"));
    assert_eq!(wrong.body, unknown.body);
    assert!(!wrong.headers.contains_key("set-cookie"));
    house.close().await;
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let rates = RateLimits { sign_in_per_minute_and_email: 2, ..RateLimits::default() };
    let house = House::with(ApiOptions { rates, ..ApiOptions::default() }).await;
    let guess = json!({"email": email("ada"), "password": "a guess"});
    for _ in 0..2 {
        house.stranger().post("/session", guess.clone()).await.is(401);
    }
    let answer = house.stranger().post("/session", guess).await.problem(429, "rate_limited");
    let seconds: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    house.close().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_and_twice_is_the_same_as_once() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    client.get("/me").await.is(200);
    let answer = client.delete("/session").await.is(204);
    assert!(answer.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    client.get("/me").await.problem(401, "unauthenticated");
    client.delete("/session").await.is(204);
    house.close().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let house = House::new().await;
    let (one, other) = (house.sign_in("ada").await, house.sign_in("ada").await);
    let sessions = one.get("/sessions").await.is(200).body;
    let sessions = sessions.as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
    let foreign = sessions.iter().find(|session| session["current"] == false).expect("the other one");
    let id = foreign["id"].as_str().expect("an id");
    house.sign_in("bo").await.delete(&format!("/sessions/{id}")).await.problem(404, "not_found");
    one.delete(&format!("/sessions/{id}")).await.is(204);
    other.get("/me").await.is(401);
    one.get("/me").await.is(200);
    house.close().await;
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let house = House::new().await;
    let (one, other) = (house.sign_in("ada").await, house.sign_in("ada").await);
    one.put("/me/password", json!({"current": "wrong", "new": "another long password"})).await.problem(422, "invalid");
    one.put("/me/password", json!({"current": PASSWORD, "new": "another long password"})).await.is(204);
    other.get("/me").await.is(401);
    let again = json!({"email": email("ada"), "password": "another long password"});
    house.stranger().post("/session", again).await.is(200);
    house.close().await;
}

#[tokio::test]
async fn a_language_is_chosen_among_those_there_are() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    client.put("/me/language", json!({"language": "da"})).await.is(204);
    assert_eq!(client.get("/me").await.is(200).body["user"]["language"], "da");
    client.put("/me/language", json!({"language": "tlh"})).await.problem(422, "invalid");
    client.put("/me/language", json!({})).await.problem(422, "invalid");
    house.close().await;
}

#[tokio::test]
async fn another_site_may_not_use_the_cookie() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    let body = json!({"language": "nl"});
    for headers in [
        &[("origin", "https://evil.test")][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://evil.desk.test")],
    ] {
        client.send(Method::PUT, "/me/language", Some(body.clone()), headers).await.problem(403, "forbidden");
    }
    let own = [("sec-fetch-site", "same-origin"), ("origin", "http://desk.test")];
    client.send(Method::PUT, "/me/language", Some(body), &own).await.is(204);
    let sign_in = json!({"email": email("ada"), "password": PASSWORD});
    let cross = [("sec-fetch-site", "cross-site")];
    house.stranger().send(Method::POST, "/session", Some(sign_in), &cross).await.problem(403, "forbidden");
    client.send(Method::DELETE, "/session", None, &cross).await.problem(403, "forbidden");
    client.get("/me").await.is(200);
    house.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_body_has_a_status_of_its_own() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    let json = &[("content-type", "application/json")][..];
    let put = |body: &str, headers| client.send_raw(Method::PUT, "/me/language", Body::from(body.to_owned()), headers);
    let answer = put("{\n\"language\": }", json).await.problem(400, "bad_json");
    assert_eq!((answer.number("line"), answer.number("column")), (2, 13));
    put("language=nl", &[("content-type", "application/x-www-form-urlencoded")][..]).await.problem(415, "unsupported_media_type");
    let answer = put("{\"langauge\":\"nl\"}", json).await.problem(422, "invalid");
    assert_eq!(answer.body["errors"][0]["key"], "langauge");
    put(&format!("{{\"language\":\"{}\"}}", "x".repeat(300_000)), json).await.problem(413, "too_large");
    house.close().await;
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems_and_carry_the_security_headers() {
    let house = House::new().await;
    let client = house.sign_in("ada").await;
    for path in ["/nothing", "/items/7/nothing", "/api/nothing"] {
        client.get(path).await.problem(404, "not_found");
    }
    client.get("/items/seven").await.problem(404, "not_found");
    let answer = client.delete("/items/7/messages").await.problem(405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "GET, POST");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-request-id"].len(), 36);
    house.close().await;
}

#[tokio::test]
async fn one_address_that_asks_too_often_is_slowed_down() {
    let rates = RateLimits { address_per_second: 2, burst_seconds: 1, ..RateLimits::default() };
    let house = House::with(ApiOptions { rates, ..ApiOptions::default() }).await;
    let stranger = house.stranger();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(stranger.get("/me").await.status.as_u16());
    }
    assert_eq!(statuses[..2], [401, 401]);
    assert!(statuses[2..].contains(&429), "{statuses:?}");
    house.close().await;
}
