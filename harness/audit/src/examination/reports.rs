//! RTCP in the clear on one way: its packets, and what kinds of reports they hold.
//!
//! Invariant: only what is read is counted; of names nothing is kept here.

use std::collections::BTreeMap;

use super::listed::Listed;
use crate::dissect::rtcp::{Kind, packets};

/// Reports so far.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    /// The packets.
    pub packets: Listed,
    kinds: BTreeMap<Kind, u64>,
}

impl Reports {
    /// Takes in a datagram that RTCP packets tile.
    pub fn take(&mut self, number: u64, datagram: &[u8]) {
        self.packets.push(number);
        for packet in packets(datagram) {
            *self.kinds.entry(packet.kind).or_default() += 1;
        }
    }

    /// The kinds with their counts, such as `SR 3, SDES 3, other 1`.
    pub fn told(&self) -> String {
        let told: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_in_the_order_of_their_numbers() {
        let mut reports = Reports::default();
        let sources = [0x81, 202, 0, 1, 1, 2, 3, 4];
        reports.take(7, &[&[0x80, 201, 0, 1, 1, 2, 3, 4][..], &sources].concat());
        reports.take(9, &[&[0x80, 199, 0, 1, 1, 2, 3, 4][..], &[0x80, 200, 0, 1, 1, 2, 3, 4]].concat());
        assert_eq!(
            (reports.told().as_str(), reports.packets.numbers.as_slice()),
            ("SR 1, RR 1, SDES 1, other 1", &[7, 9][..])
        );
    }
}
