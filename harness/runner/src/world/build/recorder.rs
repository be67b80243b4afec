//! The recorder of a world whose plan can ask for one, and the media nodes' connections to it.

use std::net::SocketAddr;
use std::sync::Arc;

use model::Plan;
use model::identity::Node;
use model::plan::Verb;
use model::release::Feature;
use net::{AccessLink, accept_tls, accept_websocket};
use nodes::journal::Owner;
use nodes::reading::RecorderLink;
use nodes::recorder::Recorder;

use super::{BuildError, NODE_LINK, Yard, dial};

/// A recorder that runs.
pub(super) struct Recording {
    pub(super) recorder: Recorder,
    address: SocketAddr,
}

/// Whether anybody asks for work that ends at the recorder, with success or without.
fn wanted(plan: &Plan) -> bool {
    let reads = |feature| matches!(feature, Feature::Recording | Feature::Transcription);
    let invoked = |verb: &Verb| matches!(verb, Verb::Invoke { feature, .. } if reads(*feature));
    plan.service.automatic_recording || plan.steps.iter().any(|step| invoked(&step.verb))
}

impl Yard<'_> {
    pub(super) async fn recorder(&mut self) -> Result<(), BuildError> {
        if !wanted(&self.job.plan) {
            return Ok(());
        }
        let link = self.link(Node::Recorder.word());
        let tls = self.authority.server(Node::Recorder.word(), self.journal.keys(Owner::Service))?;
        let mut listener = link.listen(self.port()).await?;
        let address = listener.local();
        let recorder = Recorder::default();
        self.recorder = Some(Recording { recorder: recorder.clone(), address });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (recorder, tls) = (recorder.clone(), tls.clone());
                tokio::spawn(async move {
                    let Ok(stream) = accept_tls(&tls, stream).await else { return };
                    if let Ok(socket) = accept_websocket(NODE_LINK, stream).await {
                        recorder.serve(socket);
                    }
                });
            }
        });
        Ok(())
    }

    /// The connection of a media node of the service to the recorder, where there is one.
    pub(super) async fn recorder_link(
        &self,
        node: Node,
        from: &Arc<dyn AccessLink>,
    ) -> Result<Option<RecorderLink>, BuildError> {
        let Some(recording) = self.recorder.as_ref().filter(|_| node != Node::Mallory) else {
            return Ok(None);
        };
        let socket = dial(&self.trust, from, Node::Recorder.word(), NODE_LINK, recording.address).await?;
        Ok(Some(RecorderLink::new(socket)))
    }
}
