//! One ordinary call: its legs in the order in which they came, and the telephone that may be in it.

use std::collections::VecDeque;

use super::leg::Leg;
use super::number::Number;
use crate::bridge::Ground;
use crate::engine::{EngineError, Incoming};
use crate::reading::Reading;
use crate::service_link::HandedKey;

/// One ordinary call.
#[derive(Default)]
pub(super) struct Call {
    pub(super) legs: Vec<Leg>,
    pub(super) number: Option<Number>,
    /// The reading that a feature asked for.
    reading: Option<Reading>,
}

impl Call {
    /// Offers for the legs that do not hear everybody yet, by the name of the leg.
    ///
    /// # Errors
    /// When the engine refuses.
    pub(super) async fn introduce(&mut self) -> Result<Vec<(String, String)>, EngineError> {
        let names = self.legs.iter().map(|leg| leg.name.clone());
        let sources: Vec<String> = names.chain(self.number.iter().map(|n| n.leg.clone())).collect();
        let mut offers = Vec::new();
        for leg in &mut self.legs {
            if let Some(offer) = leg.introduce(&sources).await? {
                offers.push((leg.name.clone(), offer));
            }
        }
        Ok(offers)
    }

    /// Sends what came from one leg to all the others, and what the telephone says to that as well.
    pub(super) async fn pass(&mut self, ground: &Ground, from: &str, packet: &Incoming) {
        let mut waiting = VecDeque::from([(from.to_owned(), packet.clone())]);
        while let Some((from, packet)) = waiting.pop_front() {
            if let Some(reading) = &mut self.reading {
                reading.packet(ground.net.now(), &from, &packet);
            }
            if let Some(number) = self.number.as_mut().filter(|number| number.leg != from) {
                let talks = self.legs.first().is_some_and(|leg| leg.name == from);
                let said = number.hears(ground, &from, &packet, talks);
                waiting.extend(said.into_iter().map(|packet| (number.leg.clone(), packet)));
            }
            for leg in self.legs.iter().filter(|leg| leg.name != from) {
                if let Err(reason) = leg.send(&from, &packet).await {
                    let by = ground.dropped_by;
                    ground.journal.dropped(by, &from, &leg.name, &packet.payload, reason);
                }
            }
        }
    }

    /// Begins the work of a feature that reads what passes, in a world that has a recorder.
    pub(super) fn reads(&mut self, ground: &Ground, call: &str, feature: &str, keys: &[HandedKey]) {
        let Some(recorder) = ground.recorder.clone() else { return };
        let reading = self.reading.get_or_insert_with(|| Reading::new(call, recorder));
        reading.begin(feature, ground.net.now(), keys);
    }

    /// A leg leaves; the others go on.
    pub(super) async fn leave(&mut self, name: &str) {
        let Some(at) = self.legs.iter().position(|leg| leg.name == name) else { return };
        self.legs.remove(at).close().await;
    }

    /// Ends every hop.
    pub(super) async fn close(self) {
        if let Some(reading) = self.reading {
            reading.end();
        }
        for leg in &self.legs {
            leg.close().await;
        }
    }
}
