//! Dissectors, one protocol a file.
//!
//! Invariant: any byte string dissects without panic, and what is not understood is `None`.

pub mod av1;
pub mod dtls;
pub mod framed;
pub mod red;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod stun;
pub mod turn;
pub mod vp8;
pub mod vp9;
pub mod zrtp;
