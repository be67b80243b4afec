//! Probes of calls whose other side the harness only makes up, message by message: no media flow.

use adapters::protocol::{Ask, Event, Placed};
use model::record::Claimed;
use serde_json::{Value, json};

use super::Probe;
use super::bench::{ALLOWED, Bench, OTHER, PARTY, Trouble, Wish};

pub(super) const REGISTERED: &[&str] = &["handshake/introduces-itself", "session/registers"];

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "calls/offer",
        asked: "`place` sends the message `offer` with all its parts and the call id of the answer",
        hint: "send call, from, to, media, kind, profile, intent, suites and commit; the answer to `place` has the same call id of 32 hex digits",
        needs: REGISTERED,
        deed: |bench| Box::pin(offer(bench)),
    },
    Probe {
        id: "calls/another-id",
        asked: "the next call, and the next one of another session, have other ids and another commitment",
        hint: "draw call id, key and nonce anew for each call from the system's source of randomness",
        needs: &["calls/offer", "session/opens-again"],
        deed: |bench| Box::pin(another_id(bench)),
    },
    Probe {
        id: "calls/rings",
        asked: "an `offer` from another device makes it ring: the claim `ringing` and the message `ringing`",
        hint: "print the claim and the message as soon as the offer was read",
        needs: REGISTERED,
        deed: |bench| Box::pin(rings(bench)),
    },
    Probe {
        id: "calls/answer",
        asked: "`answer` sends the message `answer`, with the intent 0 where the offer's is 0",
        hint: "send `answer` only when the person accepts; its intent is 1 only where the offer's is",
        needs: &["calls/rings"],
        deed: |bench| Box::pin(answer(bench)),
    },
    Probe {
        id: "calls/decline",
        asked: "`decline` sends the message `decline` and ends the call",
        hint: "print the claim `ended` with the reason `declined`",
        needs: &["calls/rings"],
        deed: |bench| Box::pin(decline(bench)),
    },
    Probe {
        id: "calls/hang-up",
        asked: "`hang-up` sends the message `hang-up` and ends the call as the device's own doing",
        hint: r#"print the claim {"ended":{"reason":null,"own":true}}"#,
        needs: &["calls/offer"],
        deed: |bench| Box::pin(hang_up(bench)),
    },
];

/// Places a call; gives its id and the offer.
pub(super) async fn placed(bench: &mut Bench, policy: &str) -> Result<(String, Value), Trouble> {
    let media = bench.media().parse().map_err(|why| Trouble::Harness(format!("{why}")))?;
    let ask = Ask::Place {
        to: vec![OTHER.to_owned()],
        media: vec![media],
        kind: "unscheduled".to_owned(),
        policy: policy.to_owned(),
    };
    let answer = bench.done(ask).await?;
    let Placed { call } = serde_json::from_value(answer)
        .map_err(|why| Trouble::Wrong(format!("an answer to `place` without a call id ({why})")))?;
    let offer = bench.signalled("offer", Some(&call)).await?;
    Ok((call, offer))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

async fn offer(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let (call, offer) = placed(bench, ALLOWED).await?;
    if !is_hex(&call, 32) {
        return Err(Trouble::Wrong(format!(
            "a call id of {} characters that is not 32 hex digits",
            call.len()
        )));
    }
    let due = [
        ("from", json!(PARTY)),
        ("to", json!([OTHER])),
        ("media", json!([bench.media()])),
        ("kind", json!("unscheduled")),
        ("profile", json!(bench.profile())),
    ];
    if let Some((field, due)) = due.iter().find(|(field, due)| offer[*field] != *due) {
        return Err(Trouble::Wrong(format!("`{field}` is {} in `offer`, not {due}", offer[*field])));
    }
    if !offer["intent"].is_u64() {
        return Err(Trouble::Wrong("an `offer` without `intent`".to_owned()));
    }
    let sealed = offer["intent"] == 1 && bench.profile() == "frames";
    let suites = offer["suites"].as_array().map_or(0, Vec::len);
    let committed = offer["commit"].as_str().is_some_and(|commit| is_hex(commit, 64));
    if sealed && (suites == 0 || !committed) {
        let text = "an `offer` of intent 1 without `suites` or without a `commit` of 64 hex digits";
        return Err(Trouble::Wrong(text.to_owned()));
    }
    Ok(format!("offer, intent {}", offer["intent"]))
}

async fn another_id(bench: &mut Bench) -> Result<String, Trouble> {
    let mut seen: Vec<(String, Value)> = Vec::new();
    for calls in [2, 1] {
        bench.session(Wish::default()).await?;
        for _ in 0..calls {
            let (call, offer) = placed(bench, ALLOWED).await?;
            let commit = offer["commit"].clone();
            if seen.iter().any(|(earlier, _)| *earlier == call) {
                return Err(Trouble::Wrong("the call id of an earlier call".to_owned()));
            }
            if commit.as_str().is_some_and(|text| !text.is_empty())
                && seen.iter().any(|(_, earlier)| *earlier == commit)
            {
                return Err(Trouble::Wrong("the commitment of an earlier call".to_owned()));
            }
            seen.push((call, commit));
        }
    }
    Ok(format!("{} calls, {} ids", seen.len(), seen.len()))
}

/// Lets another device call; gives the call id when it rings here.
pub(super) async fn ringing(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let call = bench.next_call();
    let message = json!({
        "type": "offer", "call": call, "from": OTHER, "to": [PARTY], "media": [bench.media()],
        "kind": "unscheduled", "profile": bench.profile(), "intent": 0, "suites": [], "commit": "",
    });
    bench.done(Ask::Signal { message, policy: Some(ALLOWED.to_owned()) }).await?;
    claimed(bench, &call, "ringing", |claim| *claim == Claimed::Ringing).await?;
    Ok(call)
}

/// The same, and the person takes it.
pub(super) async fn answered(bench: &mut Bench) -> Result<String, Trouble> {
    let call = ringing(bench).await?;
    bench.done(Ask::Answer { call: call.clone(), policy: ALLOWED.to_owned() }).await?;
    bench.signalled("answer", Some(&call)).await?;
    Ok(call)
}

/// Waits for a claim of a call.
pub(super) async fn claimed(
    bench: &mut Bench,
    call: &str,
    word: &str,
    wanted: impl Fn(&Claimed) -> bool,
) -> Result<(), Trouble> {
    bench
        .event(&format!("the claim `{word}`"), |event| match event {
            Event::Claim { call: its, claim } if its == call && wanted(claim) => Some(()),
            _ => None,
        })
        .await
}

async fn rings(bench: &mut Bench) -> Result<String, Trouble> {
    // Claim and message may stand in either order, and both are waited for.
    bench.session(Wish::default()).await?;
    let call = bench.next_call();
    let message = json!({
        "type": "offer", "call": call, "from": OTHER, "to": [PARTY], "media": [bench.media()],
        "kind": "unscheduled", "profile": bench.profile(), "intent": 0, "suites": [], "commit": "",
    });
    bench.done(Ask::Signal { message, policy: Some(ALLOWED.to_owned()) }).await?;
    let (mut claim, mut signal) = (false, false);
    while !(claim && signal) {
        let missing = if claim { "the signalling message `ringing`" } else { "the claim `ringing`" };
        let came = bench.event(missing, |event| match event {
            Event::Claim { call: its, claim: Claimed::Ringing } if *its == call => Some(true),
            Event::Signal { message } if message["type"] == "ringing" && message["call"] == *call => {
                Some(false)
            }
            _ => None,
        });
        match came.await? {
            true => claim = true,
            false => signal = true,
        }
    }
    Ok("claim and message".to_owned())
}

async fn answer(bench: &mut Bench) -> Result<String, Trouble> {
    let call = ringing(bench).await?;
    bench.done(Ask::Answer { call: call.clone(), policy: ALLOWED.to_owned() }).await?;
    let message = bench.signalled("answer", Some(&call)).await?;
    match message["intent"].as_u64().unwrap_or_default() {
        0 => Ok("answer, intent 0".to_owned()),
        other => Err(Trouble::Wrong(format!("the intent {other} in answer to an offer of intent 0"))),
    }
}

async fn decline(bench: &mut Bench) -> Result<String, Trouble> {
    let call = ringing(bench).await?;
    bench.done(Ask::Decline { call: call.clone() }).await?;
    ends(bench, &call, "decline").await
}

async fn hang_up(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let (call, _) = placed(bench, ALLOWED).await?;
    bench.done(Ask::HangUp { call: call.clone() }).await?;
    ends(bench, &call, "hang-up").await
}

/// Waits for the message `word` and the claim that the call is over as the device's own doing, in either order.
async fn ends(bench: &mut Bench, call: &str, word: &str) -> Result<String, Trouble> {
    let (mut signal, mut claim) = (false, false);
    while !(claim && signal) {
        let missing = if signal { "the claim `ended`".to_owned() } else { format!("the message `{word}`") };
        let came = bench.event(&missing, |event| match event {
            Event::Claim { call: its, claim: Claimed::Ended { own, .. } } if its == call => Some(Some(*own)),
            Event::Signal { message } if message["type"] == word && message["call"] == call => Some(None),
            _ => None,
        });
        match came.await? {
            Some(true) => claim = true,
            Some(false) => {
                return Err(Trouble::Wrong(
                    "`own` is false in the claim `ended`, of its own doing".to_owned(),
                ));
            }
            None => signal = true,
        }
    }
    Ok(format!("message `{word}` and claim `ended`"))
}
