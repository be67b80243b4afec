//! The reference client's own scheme for calls of the profile `own`: each device sends its X25519 public key in the field
//! that the service carries without reading it, and frames are SFrame under what follows.
//!
//! Invariant: it is an example of a vendor's scheme and no good one: without a commitment, whoever sits in the service can
//! search for equal codes, and nothing is confirmed.

use model::Role;
use model::outcome::Reason;
use model::plan::Profile;
use model::record::Claimed;

use super::Body;
use super::agree::bytes;
use crate::agreement::{Half, Plain};
use crate::signalling::Message;

impl Body {
    /// Makes this device's half, where it wants the call sealed, and sends the public part.
    pub(super) fn own_half(&mut self, call: &str) {
        let wants = |state: &&mut super::Call| state.profile == Profile::Own && state.own_intent == 1;
        let Some(state) = self.calls.get_mut(call).filter(wants) else { return };
        let half = Half::fresh(&self.setup.entropy);
        let data = hex::encode(half.public);
        state.agreement.half = Some(half);
        self.send(Message::Opaque { call: call.to_owned(), data });
    }

    /// The other device's public key; the first that is one counts.
    pub(super) async fn opaque(&mut self, call: &str, data: &str) {
        let own = |state: &&mut super::Call| state.profile == Profile::Own && !state.over;
        let Some(state) = self.calls.get_mut(call).filter(own) else { return };
        state.agreement.theirs = state.agreement.theirs.or_else(|| bytes(data));
        self.own_agrees(call).await;
    }

    /// Once both have answered for sealing and each has the other's key: keys, lock, code, media.
    pub(super) async fn own_agrees(&mut self, call: &str) {
        let ready = |state: &&mut super::Call| state.profile == Profile::Own && state.sealed() && !state.over;
        let Some(state) = self.calls.get_mut(call).filter(ready) else { return };
        let (Some(theirs), role, id) = (state.agreement.theirs, state.role, state.id) else { return };
        let Some(half) = state.agreement.half.take() else { return };
        let Ok(agreed) = Plain::on(&id, role, half, &theirs) else {
            return self.leave(call, Some(Reason::LowOrderKey)).await;
        };
        if self.seal_with(call, |sender: Role, kind| agreed.base_key(sender, kind)).is_err() {
            return self.leave(call, Some(Reason::ClientFailed)).await;
        }
        if let Some(state) = self.calls.get_mut(call) {
            state.agreement.confirmed = true;
        }
        self.claim(call, Claimed::Lock(true));
        self.claim(call, Claimed::Code(agreed.code().to_owned()));
        self.media_may_flow(call).await;
    }
}
