//! Where a text stops saying anything new: at its signature, or where it repeats earlier mails.
//!
//! The text itself stays whole; whoever shows it may fold what follows. A repetition counts only at the end, because
//! answers written between quoted lines would otherwise be hidden, and a forwarded mail is what its sender wants read.
//! Eight languages: English, Dutch, Norwegian, Danish, Swedish, German, French, Spanish.

/// How many lines of a text are looked at.
const MAX_LINES: usize = 20_000;
/// An introduction may be wrapped over this many lines.
const INTRODUCTION_LINES: usize = 4;
/// The longest introduction in bytes.
const MAX_INTRODUCTION_BYTES: usize = 400;
/// The most lines of a signature.
const SIGNATURE_LINES: usize = 15;
/// Within how many lines the fields of an old header stand.
const HEADER_LINES: usize = 8;

/// What introductions say of whoever wrote.
const WROTE: [&str; 8] = ["wrote", "schreef", "het volgende geschreven", "skrev", "schrieb", "a écrit", "escribió", "a ecrit"];
/// What introductions begin with, and the first words of dates in Norwegian, Danish and Swedish.
const BEGINNINGS: [&str; 32] = [
    "on", "op", "den", "am", "le", "el", "på", "kl.", "man.", "tir.", "ons.", "tor.", "fre.", "lør.", "søn.", "mandag",
    "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag", "tirs.", "tors.", "mån", "tis", "ons", "tors", "fre", "lör",
    "sön", "vid",
];
/// Rules above an old mail: what stands between the dashes.
const ORIGINAL: [&str; 15] = [
    "original message",
    "original mail",
    "original email",
    "reply message",
    "oorspronkelijk bericht",
    "origineel bericht",
    "opprinnelig melding",
    "oprindelig meddelelse",
    "original besked",
    "ursprungligt meddelande",
    "originalmeddelande",
    "ursprüngliche nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
];
/// What stands above a mail that somebody passes on.
const FORWARDED: [&str; 14] = [
    "forwarded message",
    "doorgestuurd bericht",
    "doorgestuurde bericht",
    "videresendt melding",
    "videresendt meddelelse",
    "videresendte meldingen",
    "vidarebefordrat meddelande",
    "vidarebefordrat mejl",
    "weitergeleitete nachricht",
    "weitergeleiteten nachricht",
    "message transféré",
    "message réexpédié",
    "mensaje reenviado",
    "mensaje reexpedido",
];
/// What subjects of forwarded mails begin with.
const FORWARDING: [&str; 9] = ["fw:", "fwd:", "vs:", "vb:", "wg:", "tr:", "rv:", "doorst:", "i:"];
/// Words of old headers, in small letters: who sent it, when, and about what.
const FROM: [&str; 7] = ["from", "van", "fra", "från", "von", "de", "mittente"];
const SENT: [&str; 15] = [
    "sent",
    "date",
    "verzonden",
    "datum",
    "sendt",
    "dato",
    "skickat",
    "gesendet",
    "envoyé",
    "enviado",
    "enviado el",
    "fecha",
    "date d'envoi",
    "envoyé le",
    "verzonden op",
];
const SUBJECT: [&str; 7] = ["subject", "onderwerp", "emne", "ämne", "betreff", "objet", "asunto"];
/// What telephones and mail programs write below a mail, in small letters.
const MOBILE: [&str; 38] = [
    "sent from my ",
    "sent from mail for windows",
    "sent from outlook",
    "sent from yahoo mail",
    "sent from proton mail",
    "sent via the samsung",
    "get outlook for ",
    "verzonden vanaf mijn ",
    "verstuurd vanaf mijn ",
    "verzonden met mijn ",
    "verzonden vanuit mail voor windows",
    "outlook voor ios downloaden",
    "outlook voor android downloaden",
    "outlook downloaden voor ",
    "download outlook voor ",
    "sendt fra min ",
    "sendt fra mail for windows",
    "sendt fra outlook",
    "hent outlook for ",
    "få outlook for ",
    "last ned outlook for ",
    "skaff deg outlook for ",
    "skickat från min ",
    "skickat från mail",
    "skickades från mail",
    "skaffa outlook för ",
    "hämta outlook för ",
    "von meinem ",
    "gesendet von meinem ",
    "gesendet von mail für windows",
    "gesendet von outlook",
    "outlook für ",
    "holen sie sich outlook",
    "envoyé de mon ",
    "envoyé à partir de ",
    "télécharger outlook pour ",
    "enviado desde mi ",
    "obtener outlook para ",
];

/// The line, counted from 0, from which on there is nothing but a signature and a repetition; `None` when there is
/// neither, or nothing else. What somebody forwards is never folded.
pub(super) fn folded_from(text: &str, subject: Option<&str>) -> Option<u32> {
    let subject = subject.unwrap_or_default().trim_start().to_lowercase();
    if FORWARDING.iter().any(|start| subject.starts_with(start)) {
        return None;
    }
    let lines: Vec<&str> = text.split('\n').take(MAX_LINES + 1).collect();
    if lines.len() > MAX_LINES {
        return None;
    }
    let repeated = repetition(&lines).unwrap_or(lines.len());
    let from = signature(&lines[..repeated]).unwrap_or(repeated);
    let says_something = lines[..from].iter().any(|line| !line.trim().is_empty());
    if from == lines.len() || !says_something {
        return None;
    }
    u32::try_from(from).ok()
}

/// Where a repetition begins that goes on to the end.
fn repetition(lines: &[&str]) -> Option<usize> {
    let trailing = trailing_quote(lines);
    for (at, line) in lines.iter().enumerate() {
        if is_forwarded(line) {
            return None;
        }
        if is_original_rule(line) || (is_line(line) && header_follows(lines, at + 1)) || is_header(lines, at) {
            return Some(at);
        }
        if let Some(end) = introduction_end(lines, at) {
            let next = (end..lines.len()).find(|line| !lines[*line].trim().is_empty());
            let quoted = next.is_some_and(|next| is_quoted(lines[next]));
            if (quoted && trailing.is_some_and(|from| next.is_some_and(|next| from <= next)))
                || (!quoted && next.is_some() && is_dated(lines, at, end))
            {
                return Some(at);
            }
        }
        if trailing == Some(at) {
            return Some(at);
        }
    }
    None
}

/// The first line of an unbroken run of quoted lines at the end; a signature below it belongs to the run.
fn trailing_quote(lines: &[&str]) -> Option<usize> {
    let mut end = lines.len();
    if let Some(signed) = signature(lines) {
        end = signed;
    }
    let mut from = end;
    while from > 0 && (is_quoted(lines[from - 1]) || lines[from - 1].trim().is_empty()) {
        from -= 1;
    }
    let first = (from..end).find(|at| is_quoted(lines[*at]))?;
    Some(first)
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// The line after an introduction such as `On … wrote:` that begins at a line and may be wrapped.
fn introduction_end(lines: &[&str], at: usize) -> Option<usize> {
    let first = plain(lines[at]);
    if first.is_empty() || is_quoted(lines[at]) {
        return None;
    }
    let mut joined = String::new();
    for (nth, line) in lines[at..].iter().take(INTRODUCTION_LINES).enumerate() {
        let line = plain(line);
        if line.is_empty() || joined.len() + line.len() > MAX_INTRODUCTION_BYTES {
            return None;
        }
        if nth > 0 {
            joined.push(' ');
        }
        joined.push_str(&line);
        // French puts a space before the colon, and some programs leave the colon out behind an address.
        let ended = joined.ends_with(':') || (joined.ends_with('>') && WROTE.iter().any(|word| joined.contains(word)));
        if ended {
            return introduces(&joined).then_some(at + nth + 1);
        }
    }
    None
}

/// Whether a line in small letters says that somebody wrote something at some time.
fn introduces(joined: &str) -> bool {
    let wrote = WROTE.iter().any(|word| has_word(joined, word));
    let first = joined.split_whitespace().next().unwrap_or_default().trim_end_matches(',');
    let begins = BEGINNINGS.contains(&first) || first.starts_with(|letter: char| letter.is_ascii_digit());
    // `Kari Berg <kari@…> skrev (22. november):`, `Kim schrieb am …:`.
    let named = joined.contains('@') || joined.bytes().any(|byte| byte.is_ascii_digit());
    wrote && (begins || named)
}

/// Whether the words stand in the text on their own.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// An introduction without quoted lines below counts when it has a year or a time, as mail programs write them.
fn is_dated(lines: &[&str], at: usize, end: usize) -> bool {
    let joined = lines[at..end].join(" ");
    let first = plain(lines[at]);
    let first = first.split_whitespace().next().unwrap_or_default().trim_end_matches(',');
    let begins = BEGINNINGS.contains(&first);
    let bytes = joined.as_bytes();
    let time = bytes.windows(5).any(|piece| {
        piece[0].is_ascii_digit()
            && piece[1].is_ascii_digit()
            && matches!(piece[2], b':' | b'.')
            && piece[3].is_ascii_digit()
            && piece[4].is_ascii_digit()
    }) || bytes
        .windows(4)
        .any(|piece| piece[0].is_ascii_digit() && piece[1] == b':' && piece[2].is_ascii_digit() && piece[3].is_ascii_digit());
    let year = bytes
        .windows(4)
        .any(|piece| (piece.starts_with(b"20") || piece.starts_with(b"19")) && piece[2..].iter().all(u8::is_ascii_digit));
    ((begins || joined.contains('@')) && (time || year)) || (time && year)
}

/// `-----Original Message-----` in any of the languages.
fn is_original_rule(line: &str) -> bool {
    let line = plain(line);
    let inner = line.trim_matches(['-', '_', ' ']);
    line.starts_with("--") && line.ends_with("--") && ORIGINAL.contains(&inner)
}

/// `---------- Forwarded message ---------`, `Begin forwarded message:` in any of the languages.
fn is_forwarded(line: &str) -> bool {
    let line = plain(line);
    (line.starts_with("--") || line.ends_with(':')) && FORWARDED.iter().any(|words| line.contains(words))
}

/// A line drawn across the page.
fn is_line(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 10 && (line.bytes().all(|byte| byte == b'_') || line.bytes().all(|byte| byte == b'-'))
}

fn header_follows(lines: &[&str], from: usize) -> bool {
    let next = (from..lines.len()).take(3).find(|at| !lines[*at].trim().is_empty());
    next.is_some_and(|next| is_header(lines, next))
}

/// Whether an old header begins at a line: who, when and about what, close together.
fn is_header(lines: &[&str], at: usize) -> bool {
    if !names(lines[at], &FROM) {
        return false;
    }
    let near = &lines[at + 1..(at + HEADER_LINES).min(lines.len())];
    near.iter().any(|line| names(line, &SENT)) && near.iter().any(|line| names(line, &SUBJECT))
}

fn names(line: &str, fields: &[&str]) -> bool {
    let line = plain(line);
    line.split_once(':').is_some_and(|(name, value)| !value.is_empty() && fields.contains(&name.trim_matches(['*', ' '])))
}

/// A line in small letters without emphasis, with single spaces.
fn plain(line: &str) -> String {
    let words = line.split(|letter: char| letter.is_whitespace() || letter == '\u{a0}' || letter == '\u{202f}');
    let joined = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase();
    joined.trim_matches(['*', ' ']).replace('’', "'")
}

/// Where a signature begins that goes on to the end of these lines.
fn signature(lines: &[&str]) -> Option<usize> {
    let end = lines.iter().rposition(|line| !line.trim().is_empty())? + 1;
    let marked = (end.saturating_sub(SIGNATURE_LINES + 1)..end).find(|at| matches!(lines[*at], "-- " | "--" | "--\u{a0}" | "—"));
    let mobile = (end.saturating_sub(3)..end).find(|at| {
        let line = plain(lines[*at]);
        line.len() <= 100 && MOBILE.iter().any(|start| line.starts_with(start))
    });
    match (marked, mobile) {
        (Some(marked), Some(mobile)) => Some(marked.min(mobile)),
        (found, None) | (None, found) => found,
    }
}

#[cfg(test)]
mod tests {
    use super::folded_from;

    /// The part that is shown, with what follows folded.
    fn shown(text: &str) -> String {
        let line = folded_from(text, None).map_or(usize::MAX, |line| line as usize);
        text.split('\n').take(line).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    const INTRODUCTIONS: [&str; 27] = [
        "On Tue, 3 Mar 2026 at 10:02, Kari Berg <kari@berg.test> wrote:",
        "On 03/03/2026 10:02, Kari Berg wrote:",
        "On Mar 3, 2026, at 10:02 AM, Kari Berg <kari@berg.test> wrote:",
        "Kari Berg <kari@berg.test> wrote on 3 March 2026:",
        "Op di 3 mrt 2026 om 10:02 schreef Kari Berg <kari@berg.test>:",
        "Op 3 mrt. 2026 om 10:02 heeft Kari Berg <kari@berg.test> het volgende geschreven:",
        "Kari Berg schreef op 2026-03-03 10:02:",
        "tir. 3. mars 2026 kl. 10:02 skrev Kari Berg <kari@berg.test>:",
        "Den 3. mars 2026 kl. 10:02 skrev Kari Berg:",
        "Den tir. 3. mar. 2026 kl. 10.02 skrev Kari Berg <kari@berg.test>:",
        "Den 03-03-2026 kl. 10:02 skrev Kari Berg:",
        "Kari Berg <kari@berg.test> skrev den 3. marts 2026 kl. 10.02:",
        "Den tis 3 mars 2026 kl 10:02 skrev Kari Berg <kari@berg.test>:",
        "3 mars 2026 kl. 10:02 skrev Kari Berg <kari@berg.test>:",
        "Am Di., 3. März 2026 um 10:02 Uhr schrieb Kari Berg <kari@berg.test>:",
        "Am 03.03.26 um 10:02 schrieb Kari Berg:",
        "Kari Berg <kari@berg.test> schrieb am 3. März 2026 um 10:02:",
        "Le mar. 3 mars 2026 à 10:02, Kari Berg <kari@berg.test> a écrit :",
        "Le 03/03/2026 à 10:02, Kari Berg a écrit\u{a0}:",
        "Le mardi 3 mars 2026, Kari Berg <kari@berg.test> a écrit\u{202f}:",
        "El mar, 3 mar 2026 a las 10:02, Kari Berg (<kari@berg.test>) escribió:",
        "El 3/3/26 a las 10:02, Kari Berg escribió:",
        "El martes, 3 de marzo de 2026, Kari Berg <kari@berg.test> escribió:",
        "On Tue, 3 Mar 2026 at 10:02, Kari Berg <kari@berg.test>\nwrote:",
        "Am Di., 3. März 2026 um 10:02 Uhr schrieb Kari Berg\n<kari@berg.test>:",
        "Le mar. 3 mars 2026 à 10:02, Kari Berg\n<kari@berg.test> a\nécrit :",
        "> Den 3. mars 2026 skrev Kari Berg:",
    ];

    #[test]
    fn introductions_in_eight_languages_fold_what_they_introduce() {
        for introduction in INTRODUCTIONS {
            let text = format!("Thank you!\n\n{introduction}\n> Where is it?\n>\n> Kari\n");
            assert_eq!(shown(&text), "Thank you!", "{introduction}");
        }
    }

    #[test]
    fn an_introduction_with_a_date_needs_no_marks_below_it() {
        for introduction in INTRODUCTIONS.iter().take(26) {
            let text = format!("Thank you!\n\n{introduction}\n\nWhere is it?\n");
            assert_eq!(shown(&text), "Thank you!", "{introduction}");
        }
    }

    #[test]
    fn old_headers_in_eight_languages_are_folded() {
        for header in [
            "From: Kari Berg <kari@berg.test>\nSent: Tuesday, March 3, 2026 10:02 AM\nTo: Support\nSubject: Parcel",
            "Van: Kari Berg <kari@berg.test>\nVerzonden: dinsdag 3 maart 2026 10:02\nAan: Support\nOnderwerp: Pakket",
            "Fra: Kari Berg <kari@berg.test>\nSendt: tirsdag 3. mars 2026 10:02\nTil: Support\nEmne: Pakke",
            "Fra: Kari Berg\nDato: tirsdag den 3. marts 2026 kl. 10.02\nTil: Support\nEmne: Pakke",
            "Från: Kari Berg <kari@berg.test>\nSkickat: den 3 mars 2026 10:02\nTill: Support\nÄmne: Paket",
            "Von: Kari Berg <kari@berg.test>\nGesendet: Dienstag, 3. März 2026 10:02\nAn: Support\nBetreff: Paket",
            "De : Kari Berg <kari@berg.test>\nEnvoyé : mardi 3 mars 2026 10:02\nÀ : Support\nObjet : Colis",
            "De: Kari Berg <kari@berg.test>\nEnviado el: martes, 3 de marzo de 2026 10:02\nPara: Support\nAsunto: Paquete",
            "*From:* Kari Berg\n*Date:* Tuesday, 3 March 2026 at 10:02\n*To:* Support\n*Cc:* Bo\n*Subject:* Parcel",
        ] {
            for rule in ["", "________________________________\n", "-----------------------\n\n"] {
                let text = format!("Thank you!\n\n{rule}{header}\n\nWhere is it?\n");
                assert_eq!(shown(&text), "Thank you!", "{rule}{header}");
            }
        }
    }

    #[test]
    fn rules_above_the_original_are_folded() {
        for rule in [
            "-----Original Message-----",
            "----- Original message -----",
            "-----Oorspronkelijk bericht-----",
            "-----Opprinnelig melding-----",
            "-----Oprindelig meddelelse-----",
            "-----Ursprungligt meddelande-----",
            "-----Ursprüngliche Nachricht-----",
            "-----Message d’origine-----",
            "-----Mensaje original-----",
        ] {
            assert_eq!(shown(&format!("Thanks\n{rule}\nWhere is it?")), "Thanks", "{rule}");
        }
    }

    #[test]
    fn signatures_are_folded_with_and_without_a_repetition() {
        assert_eq!(shown("Hello\n\n-- \nKari Berg\nShop AS"), "Hello");
        assert_eq!(shown("Hello\n\n-- \nKari Berg\n\nOn 3 Mar 2026, Bo wrote:\n> Hi"), "Hello");
        assert_eq!(shown("Hello\n\nOn 3 Mar 2026, Bo wrote:\n> Hi\n\n-- \nKari Berg"), "Hello");
        for line in [
            "Sent from my iPhone",
            "Get Outlook for iOS<https://aka.ms/x>",
            "Verzonden vanaf mijn iPhone",
            "Sendt fra min iPhone",
            "Skickat från min iPhone",
            "Von meinem iPhone gesendet",
            "Envoyé de mon iPhone",
            "Enviado desde mi iPhone",
        ] {
            assert_eq!(shown(&format!("Hello\n\n{line}\n")), "Hello", "{line}");
        }
    }

    #[test]
    fn answers_between_quoted_lines_stay_in_sight() {
        for text in [
            "On 3 Mar 2026, Bo wrote:\n> One?\nYes.\n> Two?\nNo.",
            "Hi\nOn 3 Mar 2026, Bo wrote:\n> One?\n\nYes, one.\n",
            "> One?\nYes.",
        ] {
            assert_eq!(folded_from(text, None), None, "{text}");
        }
        assert_eq!(shown("On 3 Mar 2026, Bo wrote:\n> One?\nYes.\n\n> old\n> older"), "On 3 Mar 2026, Bo wrote:\n> One?\nYes.");
    }

    #[test]
    fn plain_words_are_left_alone() {
        for text in [
            "",
            "Plain words.",
            "> only a quote",
            "On Tuesday my colleague wrote:\nplease call",
            "From: the heart\nThank you",
            "We wrote down: three things",
            "See below:\n__________\nnothing",
            "-- \nonly a signature",
        ] {
            assert_eq!(folded_from(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_forwarded_mail_stays_in_sight() {
        let header = "From: Bo <bo@b.test>\nDate: 3 March 2026\nSubject: Parcel\nTo: Kari\n\nWhere is it?";
        for rule in
            ["---------- Forwarded message ---------", "Begin forwarded message:", "-------- Weitergeleitete Nachricht --------"]
        {
            assert_eq!(folded_from(&format!("Can you help?\n\n{rule}\n{header}"), None), None, "{rule}");
        }
        let outlook = format!("Can you help?\n\n________________________________\n{header}");
        assert_eq!(folded_from(&outlook, Some("FW: Parcel")), None);
        assert_eq!(folded_from(&outlook, Some("RE: Parcel")), Some(2));
    }
}
