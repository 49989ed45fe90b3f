//! What sections are good, and what is said about those that are not.

use super::{Config, FilesAllowed, IdentityMode, ScannerAddress};
use secrecy::ExposeSecret;
use switchboard_channel_testkit::settings;

fn check(text: &str, expected: &[&str]) {
    let faults = Config::read(&settings("chat", text)).expect_err("faulty settings");
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected);
}

#[test]
fn a_key_is_enough() {
    let config = Config::read(&settings("chat", "key = \"shop\"")).expect("good settings");
    assert_eq!((config.identity.mode, config.files.allowed), (IdentityMode::Off, FilesAllowed::Identified));
    assert_eq!((config.limits.frame_bytes, config.limits.text_length, config.cookie_days), (65_536, 10_000, 180));
    assert_eq!((config.identity.realm.as_str(), config.locale.as_str()), ("chat", "en"));
}

#[test]
fn answers_show_themselves_and_sound_unless_that_is_switched_off() {
    let told = |text: &str| {
        let config = Config::read(&settings("chat", &format!("key = \"shop\"\n{text}"))).expect("good settings");
        let look = crate::encode::widget(&config).settings["look"].clone();
        (look["preview"].clone(), look["sound"].clone())
    };
    assert_eq!(told(""), (true.into(), true.into()));
    assert_eq!(told("[look]\npreview = false"), (false.into(), true.into()));
    assert_eq!(told("[look]\nsound = false"), (true.into(), false.into()));
}

#[test]
fn secrets_are_a_list_or_the_lines_of_a_file() {
    for text in
        ["secrets = [\"0123456789abcdef\", \"fedcba9876543210\"]", "secrets = \"\"\"0123456789abcdef\n\nfedcba9876543210\n\"\"\""]
    {
        let config = Config::read(&settings("chat", &format!("key = \"shop\"\n[identity]\n{text}"))).expect("good settings");
        let secrets: Vec<&str> = config.identity.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["0123456789abcdef", "fedcba9876543210"]);
        assert!(!format!("{config:?}").contains("0123456789abcdef"));
    }
}

#[test]
fn every_fault_comes_at_once() {
    check(
        r##"
        key = "a b"
        origins = ["https://shop.test/"]
        locale = "norsk språk"
        cookie_days = 0
        blocked_addresses = ["203.0.113.7", "203.0.113.0/33"]
        client_ip_header = "x-real-ip"
        topics = ["one", "one"]
        [identity]
        mode = "required"
        secrets = ["short"]
        realm = "a/b"
        [[prechat]]
        name = "topic"
        [[prechat]]
        name = "email"
        topics = ["two"]
        [[prechat]]
        name = "size"
        kind = "list"
        [look]
        color = "blue"
        [files]
        types = ["pdf", ".heic"]
        memory_bytes = 5
        image_pixels = 1
        scanner = "clamd:localhost"
        [limits]
        text_length = 100000
        proof_of_work_bits = 25
        idle_seconds = 5
        "##,
        &[
            "channels.chat.topics: offers `one` twice",
            "channels.chat.key: found `a b`; it is 4 to 64 letters, digits, _ and -",
            "channels.chat.origins: found `https://shop.test/`; an origin is scheme, host and port without a path, such as \
             https://www.example.org",
            "channels.chat.locale: found `norsk språk`; it is a language tag such as en, nl, nb or da",
            "channels.chat.cookie_days: found `0`; it is a whole number from 1 to 400",
            "channels.chat.identity.secrets: one is too short; each has at least 16 bytes",
            "channels.chat.identity.realm: found `a/b`; it is at most 64 letters, digits, _, - and .",
            "channels.chat.prechat.0.name: `topic` is a field of the channel itself; choose another name",
            "channels.chat.prechat.1.kind: found `text`; the field `email` is of kind `email`",
            "channels.chat.prechat.1.topics: unknown topic `two`; known are one, one",
            "channels.chat.prechat.2.options: a field of kind `list` has them, and no other",
            "channels.chat.look.color: found `blue`; it is a colour such as #1f5fbf",
            "channels.chat.files.memory_bytes: must be at least `files.bytes`",
            "channels.chat.files.types: found `pdf`; it is .pdf, application/pdf or image/*",
            "channels.chat.files.types: found `.heic`; with `files.reencode_images` pictures are JPEG, PNG, GIF and WebP",
            "channels.chat.files.image_pixels: found `1`; it is a whole number from 10000 to 400000000",
            "channels.chat.files.scanner: found `clamd:localhost`; it is clamd:/PATH/OF/SOCKET or clamd:HOST:PORT",
            "channels.chat.limits.proof_of_work_bits: found `25`; it is a whole number from 0 to 24",
            "channels.chat.blocked_addresses: found `203.0.113.0/33`; it is an address or a network, such as 10.0.0.5 or 10.0.0.0/8",
            "channels.chat.client_ip_header: is read from trusted proxies only; name them in `trusted_proxies`",
            "channels.chat.limits.frame_bytes: found `65536`; with this `text_length` it is at least 404096",
            "channels.chat.limits.idle_seconds: must be more than `ping_seconds`",
        ],
    );
    check(
        "key = \"shop\"\n[identity]\nmode = \"optional\"",
        &["channels.chat.identity.secrets: missing; mode `optional` needs one"],
    );
}

#[test]
fn apps_have_origins_of_their_own_where_web_views_are_let_in() {
    let origins = "origins = [\"https://www.shop.test\", \"capacitor://localhost\", \"app://shop\"]";
    let config = Config::read(&settings("chat", &format!("key = \"shop\"\nweb_views = true\n{origins}"))).expect("good settings");
    assert_eq!(config.origins, ["https://www.shop.test", "capacitor://localhost", "app://shop"]);
    let needs = |origin: &str| {
        format!("channels.chat.origins: found `{origin}`; origins of apps, other than http and https, need `web_views`")
    };
    check(&format!("key = \"shop\"\n{origins}"), &[&needs("capacitor://localhost"), &needs("app://shop")]);
    let hint = "an origin is scheme, host and port without a path, such as https://www.example.org";
    for wrong in ["file://", "file://shop", "data://shop", "javascript://shop", "null", "capacitor:", "app://shop/"] {
        let fault = format!("channels.chat.origins: found `{wrong}`; {hint}");
        check(&format!("key = \"shop\"\nweb_views = true\norigins = [\"{wrong}\"]"), &[&fault]);
    }
}

#[test]
fn the_types_of_pictures_are_those_that_can_be_written_anew() {
    let types = |text: &str| {
        let section = format!("key = \"shop\"\n[files]\n{text}");
        Config::read(&settings("chat", &section)).expect("good settings").files.types
    };
    let pictures = ["image/jpeg", "image/png", "image/gif", "image/webp"];
    assert_eq!(types(""), [pictures.as_slice(), &["application/pdf", "text/plain"]].concat());
    assert_eq!(types("types = [\"image/*\", \".heic\"]\nreencode_images = false"), ["image/*", ".heic"]);
    assert_eq!(types("types = [\".svg\", \"image/svg+xml\", \".jfif\"]"), [".svg", "image/svg+xml", ".jfif"]);
}

#[test]
fn a_scanner_listens_in_the_file_system_or_on_the_network() {
    let scanner = |text: &str| {
        let section = format!("key = \"shop\"\n[files]\nscanner = \"{text}\"");
        Config::read(&settings("chat", &section)).map(|config| config.files.scanner)
    };
    let network = |text: &str| Ok(Some(ScannerAddress::Network(text.to_owned())));
    assert_eq!(scanner(""), Ok(None));
    assert_eq!(scanner("clamd:/run/clamav/clamd.ctl"), Ok(Some(ScannerAddress::Path("/run/clamav/clamd.ctl".into()))));
    assert_eq!(scanner("clamd:scan.internal:3310"), network("scan.internal:3310"));
    assert_eq!(scanner("clamd:[::1]:3310"), network("[::1]:3310"));
    for wrong in
        ["/run/clamd.ctl", "clamd:", "clamd:run/clamd.ctl", "clamd::3310", "clamd:host:0", "clamd:host:99999", "clamd:a b:1"]
    {
        assert!(scanner(wrong).is_err(), "{wrong}");
    }
}
