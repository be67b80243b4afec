//! Packet numbers as evidence: the first hundred, and how many there are.

use model::audit::LISTED_PACKETS;

/// Numbers of packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The first ones, counting up.
    pub numbers: Vec<u64>,
    /// How many there are.
    pub total: u64,
}

impl Listed {
    /// Adds one.
    pub fn push(&mut self, number: u64) {
        self.total += 1;
        if self.numbers.len() < LISTED_PACKETS {
            self.numbers.push(number);
        }
    }

    /// A Wireshark display filter that shows the listed packets.
    pub fn filter(&self) -> String {
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for number in &self.numbers {
            match spans.last_mut() {
                Some((_, last)) if *last + 1 == *number => *last = *number,
                _ => spans.push((*number, *number)),
            }
        }
        let span = |(first, last): &(u64, u64)| {
            if first == last { format!("{first}") } else { format!("{first}..{last}") }
        };
        format!("frame.number in {{{}}}", spans.iter().map(span).collect::<Vec<_>>().join(", "))
    }
}

impl FromIterator<u64> for Listed {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut listed = Self::default();
        numbers.into_iter().for_each(|number| listed.push(number));
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_are_listed_and_all_are_counted() {
        let listed: Listed = (1..=250).collect();
        assert_eq!((listed.numbers.len(), listed.total), (100, 250));
    }

    #[test]
    fn neighbours_share_a_span_of_the_filter() {
        let listed: Listed = [3, 4, 5, 9, 11, 12].into_iter().collect();
        assert_eq!(listed.filter(), "frame.number in {3..5, 9, 11..12}");
    }
}
