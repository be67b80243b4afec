//! The names of a variant's files; they follow from its id alone, so that a saved run can be found again.

/// The name of the files of the variant `id`: every run of characters outside `A-Za-z0-9.-` becomes one `_`.
pub fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for c in id.chars() {
        if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_keeps_only_what_every_file_system_takes() {
        assert_eq!(file_name("opt-in/table[alice=on,bob=off]"), "opt-in_table_alice_on_bob_off_");
        assert_eq!(file_name("a//b"), "a_b");
    }
}
