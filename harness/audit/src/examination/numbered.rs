//! Numbers the streams that no relay carries, in the order of their first packets.
//!
//! Invariant: a stream has one number, whatever is asked for beside it. Several packets ask together: of a capture of
//! many calls each finds its stream cold, and one wait for memory does for all of them.

use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::quality::RandomState;

use super::name::Name;

/// Packets that ask together.
pub const TOGETHER: usize = 16;
/// Places of an empty table; a power of two, as every number of them.
const PLACES: usize = 1 << 10;

/// A place of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The upper half of the hash of the name.
    hash: u32,
    /// The number and one; 0 where the place is free.
    number: u32,
}

/// The streams so far, up to a bound.
pub struct Numbered {
    hashes: RandomState,
    most: usize,
    /// Open addressing with linear probing, at most half full.
    places: Vec<Place>,
    names: Vec<Name>,
    /// Names that were asked for, with their hashes.
    asked: Vec<(Name, u64)>,
}

impl Numbered {
    /// No stream yet, of at most `most`.
    pub fn new(hashes: RandomState, most: usize) -> Self {
        let places = vec![Place::default(); PLACES];
        Self { hashes, most, places, names: Vec::new(), asked: Vec::with_capacity(TOGETHER) }
    }

    /// Asks for the number of a stream; true when so many have asked that they should be told.
    pub fn ask(&mut self, name: Name) -> bool {
        self.asked.push((name, self.hashes.hash_one(name)));
        self.asked.len() >= TOGETHER
    }

    /// Tells those who asked, in their order: each number, none past the bound, and whether it is a new one.
    pub fn tell(&mut self, mut each: impl FnMut(&Name, Option<u32>, bool)) {
        let mut asked = std::mem::take(&mut self.asked);
        // Reading all places and then all names brings them near, without one waiting for the other.
        let places = asked.iter().map(|(_, hash)| self.places.get(self.home(*hash)).copied());
        let near: [Option<Place>; TOGETHER] = first(places.map(Option::unwrap_or_default));
        let numbers = near.into_iter().flatten().filter_map(|place| place.number.checked_sub(1));
        let names = numbers.filter_map(|number| self.names.get(number as usize));
        black_box(names.map(Name::fetch).fold(0, |all, one| all ^ one));
        for (name, hash) in asked.drain(..) {
            let before = self.names.len();
            let number = self.number(&name, hash);
            each(&name, number, self.names.len() > before);
        }
        self.asked = asked;
    }

    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    fn number(&mut self, name: &Name, hash: u64) -> Option<u32> {
        let (mut at, upper) = (self.home(hash), (hash >> 32) as u32);
        loop {
            let place = *self.places.get(at)?;
            let Some(number) = place.number.checked_sub(1) else { break };
            if place.hash == upper && self.names.get(number as usize) == Some(name) {
                return Some(number);
            }
            at = (at + 1) & (self.places.len() - 1);
        }
        if self.names.len() >= self.most {
            return None;
        }
        let number = u32::try_from(self.names.len()).ok()?;
        *self.places.get_mut(at)? = Place { hash: upper, number: number.checked_add(1)? };
        self.names.push(*name);
        if self.names.len() * 2 > self.places.len() {
            self.grow();
        }
        Some(number)
    }

    /// Makes a table of twice as many places.
    fn grow(&mut self) {
        self.places = vec![Place::default(); self.places.len() * 2];
        for (number, name) in (1..).zip(&self.names) {
            let hash = self.hashes.hash_one(name);
            let mut at = self.home(hash);
            while self.places.get(at).is_some_and(|place| place.number != 0) {
                at = (at + 1) & (self.places.len() - 1);
            }
            if let Some(place) = self.places.get_mut(at) {
                *place = Place { hash: (hash >> 32) as u32, number };
            }
        }
    }
}

fn first<T: Copy>(mut values: impl Iterator<Item = T>) -> [Option<T>; TOGETHER] {
    [(); TOGETHER].map(|()| values.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examination::stream::Way;

    fn name(ssrc: u32) -> Name {
        let address = |text: &str| text.parse().expect("an address");
        let way = Way {
            interface: 0,
            source: address("10.0.0.1:5000"),
            destination: address("10.0.0.2:6000"),
            through: None,
            behind: 0,
        };
        Name::of(&way, 0, ssrc)
    }

    /// What is told when these streams ask, so many together.
    fn told(asked: impl IntoIterator<Item = u32>, together: usize, most: usize) -> Vec<(Option<u32>, bool)> {
        let mut numbered = Numbered::new(RandomState::default(), most);
        let mut told = Vec::new();
        for (at, ssrc) in (1..).zip(asked) {
            let full = numbered.ask(name(ssrc));
            if full || at % together == 0 {
                numbered.tell(|_, number, new| told.push((number, new)));
            }
        }
        numbered.tell(|_, number, new| told.push((number, new)));
        told
    }

    #[rstest::rstest]
    fn streams_are_numbered_by_their_first_packets(#[values(1, 3, 16)] together: usize) {
        let told = told([7, 9, 7, 7, 8, 9], together, 10);
        let expected = [(0, true), (1, true), (0, false), (0, false), (2, true), (1, false)];
        assert_eq!(told, expected.map(|(number, new)| (Some(number), new)));
    }

    #[test]
    fn numbers_stay_when_the_table_grows() {
        let streams = 5_000;
        let told = told((0..streams).chain(0..streams), 16, 50_000);
        let expected = (0..streams).map(|n| (Some(n), true)).chain((0..streams).map(|n| (Some(n), false)));
        assert!(told.into_iter().eq(expected));
    }

    #[test]
    fn past_the_bound_nothing_is_new_and_what_is_known_is_told() {
        let expected = [(Some(0), true), (Some(1), true), (None, false), (Some(1), false), (None, false)];
        assert_eq!(told([5, 6, 7, 6, 7], 16, 2), expected);
    }
}
