//! Undoes `format=flowed` (RFC 3676): joins the lines that a mail program broke for width.

/// The text with its paragraphs joined. `delete_space` is the parameter `DelSp=yes`: the space that marks a
/// soft break belongs to the break and not to the text.
pub(crate) fn unflow(text: &str, delete_space: bool) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut open_depth = None;
    for line in text.lines() {
        let unquoted = line.trim_start_matches('>');
        let depth = line.len() - unquoted.len();
        let content = unquoted.strip_prefix(' ').unwrap_or(unquoted);
        let signature = content == "-- ";
        if open_depth.is_some() && (open_depth != Some(depth) || signature) {
            joined.push('\n');
            open_depth = None;
        }
        if open_depth.is_none() && depth > 0 {
            joined.extend(std::iter::repeat_n('>', depth));
            joined.push(' ');
        }
        if content.ends_with(' ') && !signature {
            joined.push_str(if delete_space { &content[..content.len() - 1] } else { content });
            open_depth = Some(depth);
        } else {
            joined.push_str(content);
            joined.push('\n');
            open_depth = None;
        }
    }
    joined.truncate(joined.trim_end_matches('\n').len());
    joined
}

#[cfg(test)]
mod tests {
    use super::unflow;

    fn check(text: &str, expected: &str) {
        assert_eq!(unflow(text, false), expected, "{text:?}");
    }

    #[test]
    fn soft_breaks_join_and_hard_breaks_stay() {
        check("My parcel \nis late.\nBye", "My parcel is late.\nBye");
        check("one \r\ntwo\r\n", "one two");
        check("", "");
    }

    #[test]
    fn quotes_join_within_their_depth_only() {
        check("> a \n> b\n>> c \nmine", "> a b\n>> c \nmine");
        check("> soft \nanswer", "> soft \nanswer");
    }

    #[test]
    fn stuffed_spaces_go_and_the_signature_line_stands_alone() {
        check(" From here\nend \n-- \nKari", "From here\nend \n-- \nKari");
    }

    #[test]
    fn with_delsp_the_marking_space_goes_too() {
        assert_eq!(unflow("half \nword", true), "halfword");
    }
}
