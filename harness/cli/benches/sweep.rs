//! The sweep of a sealed call against the crypto libraries alone on the same windows (design, section 7).
//!
//! The sweep is measured as it is: encodings undone, windows that were tried before left out. The libraries get the
//! list of those same windows, with every lock prepared, and make of each what the key schedule makes of it.

#[path = "ratios/alone.rs"]
mod alone;
#[path = "ratios/call.rs"]
mod call;
#[path = "ratios/clock.rs"]
mod clock;
#[path = "ratios/median.rs"]
mod median;
#[path = "ratios/plan.rs"]
mod plan;
#[path = "ratios/session.rs"]
mod session;
#[path = "ratios/table.rs"]
mod table;

use std::collections::HashSet;
use std::path::Path;

use alone::{Alone, LENGTHS};
use audit::evidence::{Ears, Evidence};
use audit::free::{Free, Piece};
use audit::sweep::encoding::layers;
use audit::sweep::{Locks, Sweeper};
use clock::timed;
use median::median;
use model::outcome::Listener;
use model::plan::Profile;
use model::record::Line;

/// Times that either side is measured.
const ROUNDS: usize = 15;

fn main() {
    table::head();
    let folder = tempfile::tempdir().expect("a folder");
    let called = call::run(&plan::plan(Profile::Frames, 1_000), folder.path(), [6; 32]);
    call::demand(&call::judge(&called), 50);
    let world = called.record.lines.iter().find_map(|line| match line {
        Line::World(world) => Some(world),
        _ => None,
    });
    let evidence = Evidence::gather(folder.path(), world.expect("a world in the record"));
    let locks = Locks::of(&evidence);
    for secret in secrets(&folder.path().join("keys/opt-in_measured.parties.keys"), &Alone::new(&locks)) {
        assert!(
            Alone::new(&locks).opens(&secret),
            "the libraries open with a right key of {} bytes",
            secret.len()
        );
        let name = "a right key".into();
        let right = Piece { ears: Ears::ALL, bytes: secret, name, packet: None, writer: None };
        assert!(Sweeper::new(&locks).finds(&right), "and so does the sweep");
    }
    let mut pieces = Free::of(&evidence).pieces;
    // To the parties themselves a sweep would tell nothing.
    pieces.retain(|piece| !piece.ears.without(Ears::of(Listener::Parties)).is_none());
    let (windows, mut alone) = (windows(&pieces), Alone::new(&locks));
    let count = windows.iter().map(|(length, windows)| windows.len() / length).sum::<usize>();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (ours, swept) = timed(|| sweep(&locks, &pieces));
        assert_eq!(swept, count as u64, "both sides try the same windows");
        let (library, opened) = timed(|| opened(&mut alone, &windows));
        assert_eq!(opened, 0, "no window opens anything");
        rounds.push((count as f64 / ours, count as f64 / library));
    }
    let of = |figure: fn(&(f64, f64)) -> f64| median(rounds.iter().map(figure).collect());
    let what = format!("the sweep of a sealed call, {count} windows");
    table::row(&what, &rate(of(|r| r.0)), &rate(of(|r| r.1)), of(|r| r.0 / r.1), 0.8..);
}

fn rate(per_second: f64) -> String {
    format!("{:.2} M/s", per_second / 1e6)
}

/// Sweeps the pieces and says how many windows were tried.
fn sweep(locks: &Locks, pieces: &[Piece]) -> u64 {
    let mut sweeper = Sweeper::new(locks);
    let found = pieces.iter().filter(|piece| sweeper.finds(piece)).count();
    assert_eq!(found, 0, "no key lies about");
    sweeper.windows
}

/// Windows of one length, one after the other.
type Windows = (usize, Vec<u8>);

/// Every window once, in the order in which it first stands in the pieces.
fn windows(pieces: &[Piece]) -> Vec<Windows> {
    let mut windows = LENGTHS.map(|length| (length, Vec::new(), HashSet::new()));
    for layer in pieces.iter().flat_map(|piece| layers(&piece.bytes)) {
        for (length, windows, known) in &mut windows {
            let fresh = layer.bytes.windows(*length).filter(|window| known.insert(window.to_vec()));
            fresh.for_each(|window| windows.extend_from_slice(window));
        }
    }
    windows.into_iter().map(|(length, windows, _)| (length, windows)).collect()
}

fn opened(alone: &mut Alone, windows: &[Windows]) -> usize {
    let of_length = |(length, windows): &Windows| {
        windows.chunks_exact(*length).filter(|window| alone.opens(window)).count()
    };
    windows.iter().map(of_length).sum()
}

/// A right key of each length.
fn secrets(file: &Path, alone: &Alone) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(file).expect("the keys of the parties");
    let last = |start: &str, at: usize| {
        let line = text.lines().find(|line| line.starts_with(start)).expect("a key of this kind");
        hex::decode(line.split(' ').nth(at).expect("a key")).expect("hex")
    };
    let master = last("CLIENT_RANDOM ", 2);
    let [client, server] = alone.exported(&master).map(Vec::from);
    vec![last("SFRAME 4 ", 3), last("AGREE ", 2), client, server, master]
}
