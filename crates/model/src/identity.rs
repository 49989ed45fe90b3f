//! Who a contact is on a channel, and how text is folded for search and comparison.

use crate::kind::words;
use serde::{Deserialize, Serialize};

words! {
    /// What an identity is made of.
    IdentityKind {
        /// An email address, compared in lower case.
        Email = "email",
        /// A telephone number in E.164.
        Phone = "phone",
        /// A WhatsApp id.
        Whatsapp = "whatsapp",
        /// A Messenger page-scoped id.
        Messenger = "messenger",
        /// A chat or form cookie.
        Cookie = "cookie",
        /// An id of a custom channel.
        Custom = "custom",
        /// A site's own id of somebody who signed in there, vouched for by the site.
        Account = "account",
    }
}

words! {
    /// How the channel knows that the sender is the contact (ROUTING 7.3).
    Proof {
        /// Nothing: the sender typed an address into a form.
        Typed = "typed",
        /// The channel's own proof: sender address, platform id, number.
        Channel = "channel",
        /// The channel's cookie.
        Cookie = "cookie",
    }
}

/// One way to recognise a contact. Construct with [`Identity::new`], which normalises the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Identity {
    /// What the value is.
    pub kind: IdentityKind,
    /// The normalised value.
    pub value: String,
}

impl Identity {
    /// An identity with its value trimmed, and in lower case for email addresses.
    #[must_use]
    pub fn new(kind: IdentityKind, value: &str) -> Self {
        let value = value.trim();
        let value = if kind == IdentityKind::Email { value.to_lowercase() } else { value.to_owned() };
        Self { kind, value }
    }

    /// An email identity.
    #[must_use]
    pub fn email(address: &str) -> Self {
        Self::new(IdentityKind::Email, address)
    }
}

/// Folds text for search: lower case, letters without marks, æ as `ae`, ø and ö as `o`, å and aa as `a`,
/// ß as `ss`, everything that is neither letter nor digit as one space. Queries and stored text go
/// through the same function, so `Ødegård` finds `oedegaard`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'æ' | 'ä' => folded.push_str("ae"),
            'ø' | 'ö' | 'œ' => folded.push_str("oe"),
            'å' => folded.push_str("aa"),
            'ß' => folded.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'ð' | 'ď' | 'đ' => folded.push('d'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' => folded.push('i'),
            'ł' | 'ľ' => folded.push('l'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ő' => folded.push('o'),
            'ř' => folded.push('r'),
            'ś' | 'š' | 'ş' => folded.push('s'),
            'ť' | 'ţ' => folded.push('t'),
            'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            'þ' => folded.push_str("th"),
            letter if letter.is_alphanumeric() => folded.push(letter),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    // `å`, `aa` and `a` are spelled for one another, and so are `ø`, `oe` and `o`.
    folded.truncate(folded.trim_end().len());
    folded.replace("aa", "a").replace("oe", "o")
}

#[cfg(test)]
mod tests {
    use super::{Identity, fold};

    #[test]
    fn nordic_letters_fold_to_their_plain_spellings() {
        for (one, other) in [("Ødegård", "oedegaard"), ("Ødegård", "odegard"), ("Ærlig", "aerlig"), ("Ålesund", "Aalesund")]
        {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn whatever_is_no_letter_or_digit_folds_to_one_space() {
        assert_eq!(fold("  Pakke #8841 -- mangler!\n"), "pakke 8841 mangler");
    }

    #[test]
    fn email_identities_are_compared_in_lower_case() {
        assert_eq!(Identity::email(" Kari@Eksempel.NO "), Identity::email("kari@eksempel.no"));
    }
}
