//! Probes of a session: one device, from `open` to `close`.

use adapters::protocol::{Ask, ErrorKind};

use super::Probe;
use super::bench::{Bench, PARTY, Trouble, Wish};

const OPENS: &[&str] = &["handshake/introduces-itself", "honesty/declared-profiles"];

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "session/registers",
        asked: "after `open` the message `register` tells who and what the device is",
        hint: "send `register` with party, device, platform, version and e2ee of the session, as the design's section 1.8 has it",
        needs: OPENS,
        deed: |bench| Box::pin(registers(bench)),
    },
    Probe {
        id: "session/opens-again",
        asked: "after `close` the next `open` is another session, which registers as well",
        hint: "forget in `close` everything that belongs to the session, its calls included",
        needs: &["session/registers"],
        deed: |bench| Box::pin(opens_again(bench)),
    },
    Probe {
        id: "session/opens-once",
        asked: "a second `open` without `close` is refused as `wrong-state`",
        hint: "remember that a session is open",
        needs: OPENS,
        deed: |bench| Box::pin(opens_once(bench)),
    },
    Probe {
        id: "session/toggle",
        asked: "`toggle` sends the message `preference` with the new value",
        hint: "send `preference` with `e2ee`, and use the value in the next call",
        needs: OPENS,
        deed: |bench| Box::pin(toggle(bench)),
    },
];

async fn registers(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let message = bench.signalled("register", None).await?;
    for (field, due) in [("party", PARTY), ("device", ""), ("platform", "windows"), ("version", "current")] {
        if message[field] != due {
            return Err(Trouble::Wrong(format!(
                "`{field}` is {} in `register`, not \"{due}\"",
                message[field]
            )));
        }
    }
    match message["e2ee"] == true {
        true => Ok("register".to_owned()),
        false => Err(Trouble::Wrong(format!("`e2ee` is {} in `register`, not true", message["e2ee"]))),
    }
}

async fn opens_again(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    bench.signalled("register", None).await?;
    bench.session(Wish { e2ee: false, ..Wish::default() }).await?;
    let message = bench.signalled("register", None).await?;
    match message["e2ee"] == false {
        true => Ok("register, once per session".to_owned()),
        false => {
            Err(Trouble::Wrong("the second session registers with the preference of the first".to_owned()))
        }
    }
}

async fn opens_once(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let ask = bench.opening(Wish::default(), bench.profile())?;
    bench.refuses(ask, ErrorKind::WrongState).await
}

async fn toggle(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    bench.done(Ask::Toggle { e2ee: false }).await?;
    let message = bench.signalled("preference", None).await?;
    match message["e2ee"] == false {
        true => Ok("preference".to_owned()),
        false => Err(Trouble::Wrong(format!("`e2ee` is {} in `preference`, not false", message["e2ee"]))),
    }
}
