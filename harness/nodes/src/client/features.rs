//! Features of a call: shown or not, asked for, answered.

use model::UserId;
use model::release::Feature;
use tokio::sync::oneshot;

use super::{Body, Invoked};
use crate::signalling::Message;

impl Body {
    pub(super) fn invoke(
        &mut self,
        call: &str,
        feature: Feature,
        with: Option<UserId>,
        answer: oneshot::Sender<Invoked>,
    ) {
        let Some(state) = self.calls.get(call).filter(|c| c.answered && !c.over) else {
            let _ = answer.send(Invoked {
                shown: false,
                result: "refused".to_owned(),
                reason: "no-call".to_owned(),
            });
            return;
        };
        // Asked for all the same where the control is absent: it is the service that refuses, on the wire.
        let withheld = state.sealed() && self.setup.release.withholds(feature);
        if withheld && feature == Feature::Recording && self.deviation.lets_record() {
            let data = state.base_keys.join(" ");
            self.send(Message::Opaque { call: call.to_owned(), data });
        }
        self.pending.insert((call.to_owned(), feature), (!withheld, answer));
        self.send(Message::Invoke {
            call: call.to_owned(),
            feature: feature.to_string(),
            with: with.map(|user| user.to_string()).unwrap_or_default(),
        });
    }

    pub(super) fn invoked(&mut self, call: &str, feature: &str, result: String, reason: String) {
        let Ok(feature) = feature.parse::<Feature>() else { return };
        if let Some((shown, answer)) = self.pending.remove(&(call.to_owned(), feature)) {
            let _ = answer.send(Invoked { shown, result, reason });
        }
    }
}
