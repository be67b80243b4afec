//! A device's signalling connection, as two queues.

use tokio::sync::mpsc;

use super::Input;
use crate::signalling::Message;

/// Carries messages both ways until either end is gone; gives the queue of what is to be sent.
pub(super) fn carry(
    signalling: net::WebSocket,
    inputs: mpsc::UnboundedSender<Input>,
) -> mpsc::UnboundedSender<Message> {
    let (mut sender, mut receiver) = signalling.split();
    let (outbox, mut queue) = mpsc::unbounded_channel::<Message>();
    tokio::spawn(async move {
        while let Some(message) = queue.recv().await {
            if sender.send(&message.text()).await.is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok(Some(text)) = receiver.recv().await {
            // What is no message of ours is ignored, as an unknown field is.
            let Ok(message) = serde_json::from_str(&text) else { continue };
            if inputs.send(Input::Signal(message)).is_err() {
                return;
            }
        }
        let _ = inputs.send(Input::SignallingLost);
    });
    outbox
}

/// Hands messages on from a queue that somebody else fills, until its other end is gone.
pub(super) fn take(mut inbox: mpsc::UnboundedReceiver<Message>, inputs: mpsc::UnboundedSender<Input>) {
    tokio::spawn(async move {
        while let Some(message) = inbox.recv().await {
            if inputs.send(Input::Signal(message)).is_err() {
                return;
            }
        }
        let _ = inputs.send(Input::SignallingLost);
    });
}
