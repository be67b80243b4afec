//! The way of a client: both directions, no way around, no address for two calls.

use std::sync::Arc;

use net::{LoopbackOptions, loopback};
use tokio::net::UdpSocket;

use super::*;

fn offer(address: SocketAddr) -> String {
    format!("v=0\r\nm=audio 9 X 0\r\na=candidate:1 1 udp 1 {} {} typ host\r\n", address.ip(), address.port())
}

fn address_in(sdp: &str) -> SocketAddr {
    let line = sdp.lines().find(|line| line.starts_with("a=candidate")).expect("a candidate");
    let words: Vec<&str> = line.split(' ').collect();
    format!("{}:{}", words[4], words[5]).parse().expect("an address")
}

#[tokio::test]
async fn datagrams_go_both_ways_and_each_crosses_the_link() {
    let net = loopback(LoopbackOptions::default());
    let (link, far) = (net.add_link("alice"), net.add_link("bob").bind(0).expect("a socket"));
    let access = Access::new(link.clone());
    let client = UdpSocket::bind((CLIENT_ADDRESS, 0)).await.expect("a socket");
    let local = client.local_addr().expect("an address");

    let outside = address_in(&access.outward("a", &offer(local), false).expect("told"));
    assert_eq!(outside.ip(), link.ip());
    let inside = address_in(&access.inward(&offer(far.local()), false).expect("told"));
    assert_eq!(inside.ip(), IpAddr::V4(CLIENT_ADDRESS));

    client.send_to(b"out", inside).await.expect("sent");
    let mut buffer = [0; 16];
    let (length, from) = poll_fn(|cx| far.poll_recv(cx, &mut buffer)).await.expect("received");
    assert_eq!((&buffer[..length], from), (&b"out"[..], outside));
    far.send(from, b"back").expect("sent");
    let (length, from) = client.recv_from(&mut buffer).await.expect("received");
    assert_eq!((&buffer[..length], from), (&b"back"[..], inside));
    assert_eq!(net.drops().len(), 0, "{:?}", net.drops());
}

#[tokio::test]
async fn a_candidate_that_goes_around_the_link_is_not_told() {
    let net = loopback(LoopbackOptions::default());
    let access = Access::new(net.add_link("alice"));
    let elsewhere: SocketAddr = "127.0.0.7:4000".parse().expect("an address");
    assert!(access.outward("a", &offer(elsewhere), false).is_err());
    let client = Arc::new(UdpSocket::bind((CLIENT_ADDRESS, 0)).await.expect("a socket"));
    let both = offer(elsewhere) + &offer(client.local_addr().expect("an address"));
    assert!(!access.outward("a", &both, false).expect("told").contains("127.0.0.7"));
}

#[tokio::test]
async fn no_address_on_the_link_serves_two_calls() {
    let net = loopback(LoopbackOptions::default());
    let access = Access::new(net.add_link("alice"));
    let local: SocketAddr = "127.0.0.1:4000".parse().expect("an address");
    let told = |call: &str| address_in(&access.outward(call, &offer(local), false).expect("told"));
    let (first, again, second) = (told("a"), told("a"), told("b"));
    assert_eq!(first, again);
    assert_ne!(first, second);
}
