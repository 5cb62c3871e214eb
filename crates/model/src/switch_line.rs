//! The lines that switch a scheduler inside the kernel on and off.

/// One line `echo VALUE > FILE`, understood as a shell would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchLine {
    /// What is written, without the newline that `echo` adds.
    pub value: String,
    /// The file: an absolute path.
    pub file: String,
}

/// A line that is not of the one form there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{line}` is not of the form `echo VALUE > /FILE`, the only one there is: {why}")]
pub struct SwitchLineError {
    /// The line.
    pub line: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl SwitchLine {
    /// Reads a line. The value may be in single or double quotes. Nothing else that a shell knows is understood, and
    /// what a shell would do something about is refused.
    ///
    /// # Errors
    /// When it is no such line.
    pub fn parse(line: &str) -> Result<Self, SwitchLineError> {
        read(line).map_err(|why| SwitchLineError { line: line.to_owned(), why })
    }
}

const BLANKS: [char; 2] = [' ', '\t'];
/// What shells give a meaning to, outside quotes or inside double ones.
const SPECIAL: [char; 21] = [
    '\'', '"', '$', '`', '\\', '|', '&', ';', '<', '>', '*', '?', '#', '(', ')', '{', '}', '[', ']', '~', '!',
];

fn read(line: &str) -> Result<SwitchLine, &'static str> {
    if line.contains(|letter: char| letter.is_control() && letter != '\t') {
        return Err("it has control characters");
    }
    let rest = line.trim_matches(BLANKS).strip_prefix("echo ").ok_or("it does not begin with `echo `")?;
    let (value, file) = rest.rsplit_once('>').ok_or("it has no `>`")?;
    let file = file.trim_matches(BLANKS);
    if !file.starts_with('/') || file.contains(SPECIAL) || file.contains(char::is_whitespace) {
        return Err("what follows `>` is not one plain absolute path");
    }
    // `1>` is no value 1 but the number of a descriptor.
    let last_word = value.rsplit(BLANKS).next().unwrap_or_default();
    if !last_word.is_empty() && last_word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a number right before `>` names a descriptor; put a blank between them");
    }
    let value = value_of(value.trim_matches(BLANKS))?;
    match is_option(&value) {
        true => Err("options of `echo` are not possible"),
        false => Ok(SwitchLine { value, file: file.to_owned() }),
    }
}

fn value_of(text: &str) -> Result<String, &'static str> {
    // In some shells `echo` itself reads `\n` and the like.
    if text.contains('\\') {
        return Err("shells do not agree on what `\\` means there");
    }
    let quoted = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    match (quoted('\''), quoted('"')) {
        (Some(inside), _) if !inside.contains('\'') => Ok(inside.to_owned()),
        (_, Some(inside)) if !inside.contains(['"', '$', '`', '!']) => Ok(inside.to_owned()),
        (None, None) if text.is_empty() => Err("there is no value; write '' for an empty one"),
        (None, None) if !text.contains(SPECIAL) => {
            Ok(text.split(BLANKS).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        }
        _ => Err("the value needs a shell; only plain words or one quoted text are possible"),
    }
}

/// Whether `echo` would take the value's first word for options.
fn is_option(value: &str) -> bool {
    let letters = value.split(' ').next().and_then(|word| word.strip_prefix('-')).unwrap_or_default();
    !letters.is_empty() && letters.chars().all(|letter| "neE".contains(letter))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_plain_and_quoted_values() {
        for (line, value) in [
            ("echo 1 > /sys/x", "1"),
            ("  echo  -1  >/sys/x ", "-1"),
            ("echo NO_GENTLE   mode > /sys/x", "NO_GENTLE mode"),
            ("echo v1> /sys/x", "v1"),
            ("echo 'a  b; > c' > /sys/x", "a  b; > c"),
            ("echo \"it's\" > /sys/x", "it's"),
            ("echo '1'>/sys/x", "1"),
            ("echo '' > /sys/x", ""),
        ] {
            let wanted = SwitchLine { value: value.into(), file: "/sys/x".into() };
            assert_eq!(SwitchLine::parse(line), Ok(wanted), "{line}");
        }
    }

    #[test]
    fn refuses_what_needs_a_shell_and_names_the_line() {
        for line in [
            "",
            "cat /sys/x",
            "echo 1",
            "echo > /sys/x",
            "echo 1 >> /sys/x",
            "echo 1 > x",
            "echo 1> /sys/x",
            "echo 1 > /sys/x; reboot",
            "echo 1 > /sys/x /sys/y",
            "echo $HOME > /sys/x",
            "echo \"$HOME\" > /sys/x",
            "echo 'a' 'b' > /sys/x",
            "echo 'a > /sys/x",
            "echo a\\nb > /sys/x",
            "echo 'a\\nb' > /sys/x",
            "echo -n 1 > /sys/x",
            "echo -ne 1 > /sys/x",
            "echo ~ > /sys/x",
            "echo 1 > /sys/*",
            "echo 1 2>&1 > /sys/x",
        ] {
            let error = SwitchLine::parse(line).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{line}` is not of the form")), "{error}");
        }
        assert!(SwitchLine::parse("echo 1\nreboot > /sys/x").is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(line: String) {
            drop(SwitchLine::parse(&line));
        }

        /// What is accepted does in a shell what we do without one.
        #[test]
        fn a_shell_agrees(value in r#"[-a1nE '"$\\~*>;(){}\[\]!#&=%./\t]{0,8}"#, blank in "[ ]?") {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("file");
            let line = format!("echo {value}{blank}> {}", file.display());
            if let Ok(read) = SwitchLine::parse(&line) {
                let status = Command::new("sh").args(["-c", &line]).current_dir(&folder).status().unwrap();
                prop_assert!(status.success(), "{}", line);
                prop_assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{}\n", read.value), "{}", line);
                prop_assert_eq!(read.file, file.display().to_string());
            }
        }
    }
}
