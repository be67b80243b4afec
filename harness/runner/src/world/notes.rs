//! Ends a world and puts its notes together.

use std::path::Path;

use model::record::{Blamed, CallRecord, Drop, DroppedBy, Held, WorldRecord, Written};

use nodes::recorder::Recorder;

use super::build::World;
use super::build::outside::blamed;
use super::calls::ANSWERS_WITHIN;
use super::{Job, write_keys};

impl World {
    /// Ends the capture, writes the key files and makes the record.
    pub(super) async fn finish(mut self, job: &Job) -> WorldRecord {
        let ended_ns = self.journal.now_ns();
        self.take_holdings().await;
        self.dismiss_outsiders().await;
        self.clients.clear();
        if let Err(error) = self.net.finish() {
            let file = job.files().capture;
            self.stumble(Blamed::Harness, unwritten(&file, &error));
        }
        let database = match self.policy_server.database() {
            Ok(rows) => rows,
            Err(error) => {
                self.stumble(
                    Blamed::Harness,
                    format!("the policy server's database could not be read ({error})"),
                );
                Vec::new()
            }
        };
        let files = job.files();
        let mut notes = std::mem::take(&mut *self.journal.notes());
        self.stumbles.append(&mut notes.stumbles);
        self.stumbles.sort_by_key(|stumble| stumble.at_ns);
        notes.held.extend(self.recorder.iter().flat_map(Recorder::held));
        let calls = self.call_records(job);
        name_calls(&mut notes.held, &calls);
        for (file, heading, lines) in [
            (&files.parties, "what the two devices held", &notes.parties),
            (&files.service, "what the service held", &notes.service),
        ] {
            if let Err(error) = write_keys(&job.folder.join(Path::new(file)), heading, lines) {
                self.stumble(Blamed::Harness, unwritten(file, &error));
            }
        }
        let mut drops: Vec<Drop> = self.net.drops().iter().map(dropped).collect();
        drops.extend(notes.drops);
        drops.sort_by_key(|drop| drop.at_ns);
        WorldRecord {
            world: job.world,
            id: job.id.clone(),
            plan: job.plan.clone(),
            net: job.net,
            files,
            written: Written {
                packets: self.net.packets(),
                parties: notes.parties.len() as u64,
                service: notes.service.len() as u64,
            },
            twin: job.twin.clone(),
            epoch_ns: self.net.epoch_ns(),
            ended_ns,
            schedule: self.net.schedule(),
            calls,
            links: self.links,
            ledger: notes.ledger,
            claims: notes.claims,
            drops,
            deeds: notes.deeds,
            steps: self.steps,
            database,
            held: notes.held,
            drivers: self.outside.iter().map(|outside| outside.told()).collect(),
            stumbles: self.stumbles,
            log: notes.log,
        }
    }

    /// Asks every device and node what it still holds. Of a world that did not come to its end nobody has hung up, and
    /// nobody is asked.
    async fn take_holdings(&mut self) {
        if !self.stumbles.is_empty() {
            return;
        }
        let told = tokio::time::timeout(ANSWERS_WITHIN, self.journal.take_holdings()).await;
        if told != Ok(0) {
            let text = "a node did not say what it still holds; run the scenario again";
            self.stumble(Blamed::Harness, text.to_owned());
        }
    }

    /// Takes the last keys of clients made by others and ends their sessions; a fault at the very end is one as well.
    async fn dismiss_outsiders(&mut self) {
        for outside in &self.outside {
            if outside.driver.fault().is_some() {
                continue;
            }
            outside.take_keys(&self.journal).await;
            if let Err(fault) = outside.driver.shut_down(ANSWERS_WITHIN).await {
                self.journal.stumble(Blamed::Driver, blamed(&outside.record.device, &fault));
            }
            outside.driver.kill().await;
        }
    }

    fn call_records(&self, job: &Job) -> Vec<CallRecord> {
        let named = job.plan.calls.iter().zip(&self.calls);
        let record = |(name, placed): (&String, &Option<super::calls::Placed>)| {
            let placed = placed.as_ref()?;
            Some(CallRecord {
                name: name.clone(),
                call: placed.id.clone(),
                caller: placed.caller.device().clone(),
                callee: placed.callee(),
                placed_ns: placed.placed_ns,
                connected_ns: placed.connected_ns,
                ended_ns: placed.ended_ns,
            })
        };
        named.filter_map(record).collect()
    }
}

/// A call id is another one in each run; the name of the call says the same.
fn name_calls(held: &mut [Held], calls: &[CallRecord]) {
    for held in held {
        for call in calls.iter().filter(|call| !call.call.is_empty()) {
            held.what = held.what.replace(&call.call, &call.name);
        }
    }
}

fn unwritten(file: &str, error: &std::io::Error) -> String {
    format!("`{file}` could not be written whole ({}); make room or choose another folder", error.kind())
}

fn dropped(drop: &net::DroppedDatagram) -> Drop {
    Drop {
        at_ns: u64::try_from(drop.at.as_nanos()).unwrap_or(u64::MAX),
        by: DroppedBy::Network,
        source: drop.source.to_string(),
        destination: drop.destination.to_string(),
        sha256: hex::encode(drop.sha256),
        reason: drop.reason.to_owned(),
    }
}
