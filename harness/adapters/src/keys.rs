//! What a driver exports: lines of a key file (design, section 6), in its session's folder and nowhere else.
//!
//! Invariant: nothing outside of the folder is read, whatever name is given, and no message quotes a line.

use std::path::Path;

use crate::protocol::Keys;

/// Reads what a driver exported, without comments and empty lines.
///
/// # Errors
/// What is wrong, in one phrase that quotes no key.
pub fn exported(keys: &Keys, folder: &Path) -> Result<Vec<String>, String> {
    let file = Path::new(&keys.file);
    if file.file_name().is_none_or(|name| name != file.as_os_str()) {
        return Err("the file of its keys is not in the session's folder".to_owned());
    }
    let path = folder.join(file);
    // A link could lead anywhere.
    let plain = std::fs::symlink_metadata(&path).map(|found| found.is_file());
    match plain {
        Ok(true) => {}
        Ok(false) => return Err("what it names as the file of its keys is no plain file".to_owned()),
        Err(why) => return Err(format!("the file of its keys cannot be read ({why})")),
    }
    let text = std::fs::read_to_string(path)
        .map_err(|why| format!("the file of its keys cannot be read ({})", why.kind()))?;
    lines(text.lines())
}

/// The lines that hold keys.
fn lines<'t>(lines: impl Iterator<Item = &'t str>) -> Result<Vec<String>, String> {
    let mut keys = Vec::new();
    for (number, line) in lines.enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !is_key(line) {
            return Err(format!("line {} of its keys is no line of a key file", number + 1));
        }
        keys.push(line.to_owned());
    }
    Ok(keys)
}

/// Whether a line has the shape of one of a key file.
fn is_key(line: &str) -> bool {
    let fields: Vec<&str> = line
        .split_whitespace()
        .filter(|field| !field.starts_with("owner=") && !field.starts_with("ssrc="))
        .collect();
    let hex = |text: &&str| {
        !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match fields.as_slice() {
        ["SRTP", profile, key] => profile.starts_with("SRTP_") && hex(key),
        ["SFRAME", suite, id, key] => number(suite) && number(id) && hex(key),
        ["AGREE", call, secret] => call.len() == 32 && hex(call) && hex(secret),
        [label, random, secret] => {
            let label =
                label.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
            label && hex(random) && hex(secret)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("CLIENT_RANDOM 00ff 0a0b owner=alice")]
    #[case("SRTP SRTP_AES128_CM_HMAC_SHA1_80 00ff ssrc=00000001")]
    #[case("SFRAME 4 2 00112233445566778899aabbccddeeff")]
    #[case("AGREE 000102030405060708090a0b0c0d0e0f 0011")]
    fn lines_of_a_key_file_are_taken(#[case] line: &str) {
        assert_eq!(lines([line, "", "# nothing"].into_iter()), Ok(vec![line.to_owned()]));
    }

    #[rstest]
    #[case::words("a key of mine")]
    #[case::no_hex("CLIENT_RANDOM 00ff secret")]
    #[case::half_a_byte("SFRAME 4 2 001")]
    #[case::no_suite("SFRAME 00ff")]
    #[case::short_call("AGREE 0001 0011")]
    #[case::lower_case("client_random 00ff 00ff")]
    fn other_lines_are_refused_and_never_quoted(#[case] line: &str) {
        let why = lines(["# head", line].into_iter()).expect_err("refused");
        assert_eq!(why, "line 2 of its keys is no line of a key file");
    }

    #[rstest]
    #[case::above("../keys")]
    #[case::absolute("/etc/hostname")]
    #[case::below("sub/keys")]
    #[case::nothing("")]
    #[case::folder(".")]
    #[case::not_there("keys")]
    #[case::link("link")]
    fn nothing_outside_of_the_folder_is_read(#[case] name: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("sub")).expect("a folder");
        std::fs::write(folder.path().join("sub/keys"), "").expect("written");
        std::os::unix::fs::symlink(folder.path().join("sub/keys"), folder.path().join("link"))
            .expect("a link");
        assert!(exported(&Keys { file: name.to_owned() }, folder.path()).is_err());
    }

    #[test]
    fn a_file_of_the_folder_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("k"), "# mine\nSFRAME 4 0 00ff\n").expect("written");
        let keys = exported(&Keys { file: "k".to_owned() }, folder.path());
        assert_eq!(keys, Ok(vec!["SFRAME 4 0 00ff".to_owned()]));
    }
}
