//! Numbers of things for people.
//!
//! Invariant: one thing is never told as several.

/// `count` with the word for one of them, or for several.
pub fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_none_are_several() {
        let told = |count| counted(count, "packet has", "packets have");
        assert_eq!([told(0), told(1), told(2)], ["0 packets have", "1 packet has", "2 packets have"]);
    }
}
