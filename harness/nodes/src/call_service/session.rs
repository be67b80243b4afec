//! Connections of the call service, as queues.

use std::sync::Arc;

use model::identity::Node;
use tokio::sync::mpsc;

use super::{Dial, Input};
use crate::journal::Journal;

/// Carries one device's messages.
pub(super) fn device(number: u64, socket: net::WebSocket, inputs: mpsc::UnboundedSender<Input>) {
    let (outbox, queue) = mpsc::unbounded_channel();
    let _ = inputs.send(Input::Opened(number, outbox));
    let last = inputs.clone();
    carry(
        socket,
        queue,
        move |text| inputs.send(Input::Text(number, text)).is_ok(),
        move || {
            let _ = last.send(Input::Closed(number));
        },
    );
}

/// Carries one media node's messages over a connection that is made for the first of them; what is no message of ours
/// is ignored.
pub(super) fn node(
    node: Node,
    dial: Dial,
    journal: Arc<Journal>,
    inputs: mpsc::UnboundedSender<Input>,
) -> mpsc::UnboundedSender<String> {
    let (outbox, mut queue) = mpsc::unbounded_channel::<String>();
    let deliver = move |text: String| {
        serde_json::from_str(&text).map_or(true, |message| inputs.send(Input::Node(node, message)).is_ok())
    };
    tokio::spawn(async move {
        let Some(first) = queue.recv().await else { return };
        let opened = async {
            let mut socket = dial().await?;
            socket.send(&first).await?;
            Ok::<_, std::io::Error>(socket)
        };
        match opened.await {
            Ok(socket) => carry(socket, queue, deliver, || {}),
            Err(error) => journal.remark(node.word(), format!("the call service cannot reach it ({error})")),
        }
    });
    outbox
}

/// Carries texts both ways until either end is gone.
pub(crate) fn carry(
    socket: net::WebSocket,
    mut queue: mpsc::UnboundedReceiver<String>,
    mut deliver: impl FnMut(String) -> bool + Send + 'static,
    closed: impl FnOnce() + Send + 'static,
) {
    let (mut sender, mut receiver) = socket.split();
    tokio::spawn(async move {
        while let Some(text) = queue.recv().await {
            if sender.send(&text).await.is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok(Some(text)) = receiver.recv().await {
            if !deliver(text) {
                return;
            }
        }
        closed();
    });
}
