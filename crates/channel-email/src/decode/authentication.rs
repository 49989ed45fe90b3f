//! Whether the sender's domain vouches for a mail, as a server that we trust wrote down (RFC 8601).
//!
//! Anybody can put an `Authentication-Results` into a mail, so one counts only under a configured name, and only the
//! topmost of those names: a server of ours writes above whatever came in, and what stands below may be a stranger's,
//! whatever name it bears. The header is read from its bytes, because
//! encoded words in it could otherwise turn into syntax.

use crate::config::{AuthenticationConfig, ProofRule};
use switchboard_model::{Authentication, CheckResult, Proof};

/// How far into a mail headers are looked for, in bytes.
const MAX_HEAD_BYTES: usize = 262_144;
/// The longest header that is read, in bytes.
const MAX_VALUE_BYTES: usize = 16_384;
/// The most results of one header.
const MAX_RESULTS: usize = 50;

/// What trusted servers wrote, where they wrote anything; `domain` is that of the sender.
pub(super) fn claimed(raw: &[u8], config: &AuthenticationConfig, domain: &str) -> Option<Authentication> {
    if config.trust.is_empty() {
        return None;
    }
    let mut headers = fields(raw)
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"authentication-results"))
        .filter_map(|(_, value)| Results::read(&String::from_utf8_lossy(&value[..value.len().min(MAX_VALUE_BYTES)])));
    let topmost = headers.find(|header| config.trust.contains(&header.server))?;
    let of = |method: &str| topmost.of(method, domain).unwrap_or(CheckResult::None);
    let (spf, dkim, dmarc, arc) = (of("spf"), of("dkim"), of("dmarc"), of("arc"));
    Some(Authentication { by: Some(topmost.server), spf, dkim, dmarc, arc })
}

/// Whether the address in `From` proves who wrote. A check that came to no end (`dmarc` = error) proves nothing, because a
/// sender can bring that about.
pub(crate) fn proof(authentication: Option<&Authentication>, rule: ProofRule) -> Proof {
    let dmarc = authentication.map_or(CheckResult::None, |authentication| authentication.dmarc);
    let proven = match rule {
        ProofRule::UnlessFailed => !matches!(dmarc, CheckResult::Fail | CheckResult::Error),
        ProofRule::OnlyPassed => dmarc == CheckResult::Pass,
    };
    if proven { Proof::Channel } else { Proof::Typed }
}

/// The header fields at the top, in their order, values as they are folded.
pub(crate) fn fields(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = &raw[..raw.len().min(MAX_HEAD_BYTES)];
    std::iter::from_fn(move || {
        loop {
            let mut end = line_end(rest);
            if rest[..end].iter().all(u8::is_ascii_whitespace) {
                return None;
            }
            while rest.get(end).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                end += line_end(&rest[end..]);
            }
            let (field, after) = rest.split_at(end);
            rest = after;
            if let Some(colon) = field.iter().position(|byte| *byte == b':') {
                return Some((field[..colon].trim_ascii(), &field[colon + 1..]));
            }
        }
    })
}

fn line_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1)
}

/// One header: who wrote it, and what came of each check.
struct Results {
    server: String,
    checks: Vec<Check>,
}

struct Check {
    method: String,
    result: CheckResult,
    /// The domain that the check was about, where it says so.
    domain: Option<String>,
}

impl Results {
    /// Reads `authserv-id [version]; method=result [reason=…] [property=value …]; …`.
    fn read(value: &str) -> Option<Self> {
        let mut clauses = clauses(value).into_iter();
        let server = clauses.next()?.into_iter().next()?.to_ascii_lowercase();
        let checks = clauses.take(MAX_RESULTS).filter_map(Check::read).collect();
        Some(Self { server, checks })
    }

    /// The result of a method; of several the best, because one signature that holds is enough. What is said of the domain
    /// of another sender says nothing about this one.
    fn of(&self, method: &str, domain: &str) -> Option<CheckResult> {
        let stated = self.checks.iter().filter(|check| check.method == method);
        let about = stated
            .filter(|check| method != "dmarc" || check.domain.as_deref().is_none_or(|about| about.eq_ignore_ascii_case(domain)));
        about.map(|check| check.result).max_by_key(|result| match result {
            CheckResult::Pass => 3,
            CheckResult::Fail => 2,
            CheckResult::Error => 1,
            CheckResult::None => 0,
        })
    }
}

impl Check {
    fn read(words: Vec<String>) -> Option<Self> {
        let mut words = words.into_iter();
        let first = words.next()?;
        let (method, result) = first.split_once('=')?;
        let method = method.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let result = match result.to_ascii_lowercase().as_str() {
            "pass" => CheckResult::Pass,
            "fail" | "hardfail" | "softfail" | "policy" => CheckResult::Fail,
            "temperror" | "permerror" => CheckResult::Error,
            _ => CheckResult::None,
        };
        let domain = words.find_map(|word| {
            let (property, value) = word.split_once('=')?;
            property.eq_ignore_ascii_case("header.from").then(|| {
                let value = value.trim_matches('"');
                value.rsplit_once('@').map_or(value, |(_, domain)| domain).to_ascii_lowercase()
            })
        });
        Some(Self { method, result, domain })
    }
}

/// The words of each clause, comments left out, blanks around `=` closed up.
fn clauses(value: &str) -> Vec<Vec<String>> {
    let mut clauses = vec![vec![String::new()]];
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for letter in value.chars() {
        let words = clauses.last_mut().expect("there is a first clause");
        let follows = words.len() > 1;
        let word = words.last_mut().expect("every clause begins with a word");
        match letter {
            _ if escaped => {
                escaped = false;
                if depth == 0 {
                    word.push(letter);
                }
            }
            '\\' if quoted || depth > 0 => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            // What is quoted is one word, whatever stands in it, so that no sender writes syntax.
            _ if quoted => word.push(if letter.is_whitespace() || letter == ';' { '_' } else { letter }),
            ';' => clauses.push(vec![String::new()]),
            '=' if word.is_empty() && follows => {
                words.pop();
                words.last_mut().expect("there was a word before").push('=');
            }
            letter if letter.is_whitespace() => {
                if !word.is_empty() && !word.ends_with('=') {
                    words.push(String::new());
                }
            }
            letter => word.push(letter),
        }
    }
    clauses.into_iter().map(|words| words.into_iter().filter(|word| !word.is_empty()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{claimed, fields, proof};
    use crate::config::{AuthenticationConfig, ProofRule};
    use switchboard_model::{Authentication, CheckResult, Proof};

    fn read(raw: &str, trust: &[&str]) -> Option<Authentication> {
        let trust = trust.iter().map(|id| (*id).to_owned()).collect();
        claimed(raw.as_bytes(), &AuthenticationConfig { trust, ..AuthenticationConfig::default() }, "kim.test")
    }

    fn check(value: &str, expected: [CheckResult; 4]) {
        let found = read(&format!("Authentication-Results: {value}\nFrom: a@kim.test\n\nx"), &["mx.shop.test"]).expect("trusted");
        assert_eq!([found.spf, found.dkim, found.dmarc, found.arc], expected, "{value}");
        assert_eq!(found.by.as_deref(), Some("mx.shop.test"));
    }

    const NONE: CheckResult = CheckResult::None;
    const PASS: CheckResult = CheckResult::Pass;
    const FAIL: CheckResult = CheckResult::Fail;
    const ERROR: CheckResult = CheckResult::Error;

    #[test]
    fn results_are_read_however_they_are_written() {
        check("mx.shop.test; none", [NONE; 4]);
        check(
            "MX.shop.test 1; spf=pass smtp.mailfrom=kim.test; dkim=pass header.d=kim.test; dmarc=pass",
            [PASS, PASS, PASS, NONE],
        );
        check(
            "mx.shop.test (it; dmarc=fail) ;\r\n\tdkim/1 = fail (bad \\) signature; dmarc=fail)\r\n reason=\"no; dmarc=fail\" header.d=x;\r\n dmarc = pass (p=reject) header.from=kim.test; arc=pass",
            [NONE, FAIL, PASS, PASS],
        );
        check("mx.shop.test; spf=softfail; dkim=temperror; dmarc=permerror", [FAIL, ERROR, ERROR, NONE]);
        check("mx.shop.test; dkim=fail header.d=list.test; dkim=pass header.d=kim.test; spf=neutral", [NONE, PASS, NONE, NONE]);
    }

    #[test]
    fn what_a_sender_writes_into_a_quoted_value_is_no_result() {
        check("mx.shop.test; spf=fail smtp.mailfrom=\"a; dmarc=pass b\"@evil.test", [FAIL, NONE, NONE, NONE]);
        check(
            "mx.shop.test; spf=fail smtp.mailfrom==?utf-8?q?=3B_dmarc=3Dpass?=@evil.test; dmarc=fail",
            [FAIL, NONE, FAIL, NONE],
        );
    }

    #[test]
    fn a_pass_for_another_domain_is_none_for_this_one() {
        check("mx.shop.test; dmarc=pass header.from=evil.test", [NONE; 4]);
        check("mx.shop.test; dmarc=pass header.from=\"x@Kim.test\"", [NONE, NONE, PASS, NONE]);
    }

    #[test]
    fn only_the_topmost_of_a_trusted_name_counts() {
        let forged = "Authentication-Results: mx.shop.test; dmarc=pass; arc=pass\nFrom: a@kim.test\n\nx";
        let ours = "Received: from somewhere\nAuthentication-Results: mx.shop.test; dmarc=fail\n";
        let other = "Authentication-Results: mx.elsewhere.test; dmarc=pass\n";
        let found = read(&format!("{other}{ours}{forged}"), &["mx.shop.test"]).expect("trusted");
        assert_eq!((found.dmarc, found.arc), (FAIL, NONE));
        assert_eq!(read(&format!("{other}\nbody"), &["mx.shop.test"]), None, "nobody that is trusted has checked");
        assert_eq!(read(forged, &[]), None, "nobody is trusted");
        let within = format!("From: a@kim.test\n\n{forged}");
        assert_eq!(read(&within, &["mx.shop.test"]), None, "the body is no header");
    }

    #[test]
    fn results_of_two_trusted_names_are_never_combined() {
        let mail =
            "Authentication-Results: mx.shop.test; dkim=fail\nAuthentication-Results: mx.host.test; dkim=pass; dmarc=pass\n\nx";
        for trust in [["mx.shop.test", "mx.host.test"], ["mx.host.test", "mx.shop.test"]] {
            let found = read(mail, &trust).expect("trusted");
            assert_eq!((found.by.as_deref(), found.dkim, found.dmarc), (Some("mx.shop.test"), FAIL, NONE), "{trust:?}");
        }
    }

    #[test]
    fn an_address_is_proof_as_the_setting_says() {
        let with = |dmarc| Some(Authentication { by: None, spf: NONE, dkim: NONE, dmarc, arc: NONE });
        for (found, unless_failed, only_passed) in [
            (None, Proof::Channel, Proof::Typed),
            (with(NONE), Proof::Channel, Proof::Typed),
            (with(PASS), Proof::Channel, Proof::Channel),
            (with(FAIL), Proof::Typed, Proof::Typed),
            (with(ERROR), Proof::Typed, Proof::Typed),
        ] {
            assert_eq!(proof(found.as_ref(), ProofRule::UnlessFailed), unless_failed, "{found:?}");
            assert_eq!(proof(found.as_ref(), ProofRule::OnlyPassed), only_passed, "{found:?}");
        }
    }

    #[test]
    fn fields_end_where_the_body_begins() {
        let names =
            |raw: &str| fields(raw.as_bytes()).map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>();
        assert_eq!(names("A: b\r\n folded\r\nnonsense\r\nC : d\r\n\r\nE: f"), ["A", "C"]);
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("A: b"), ["A"]);
    }
}
