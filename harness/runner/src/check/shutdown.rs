//! Probes of the end: in time, with 0, and with nothing left behind.

use super::Probe;
use super::bench::{Bench, Trouble, Wish};

const OPENS: &[&str] = &["handshake/introduces-itself", "honesty/declared-profiles"];

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "shutdown/exits",
        asked: "`shutdown` with an open session is answered, and the process exits with 0 within two seconds",
        hint: "answer, then end every thread and timer and exit with 0",
        needs: OPENS,
        deed: |bench| Box::pin(exits(bench)),
    },
    Probe {
        id: "shutdown/end-of-input",
        asked: "at the end of its input the process exits with 0 within two seconds",
        hint: "treat the end of standard input as `shutdown`, so that no driver outlives a harness that is gone",
        needs: OPENS,
        deed: |bench| Box::pin(end_of_input(bench)),
    },
    Probe {
        id: "shutdown/leaves-nothing",
        asked: "no process that the driver started runs on after it",
        hint: "end what you start, browsers and their assistants included, before you exit",
        needs: &["shutdown/exits"],
        deed: |bench| Box::pin(leaves_nothing(bench)),
    },
];

async fn exits(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    bench.driver()?.shut_down(bench.patience).await?;
    bench.dismiss().await;
    Ok("an answer, and 0".to_owned())
}

async fn end_of_input(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let with_0 = bench.driver()?.end_input().await?;
    let how = bench.driver()?.ended().await;
    bench.dismiss().await;
    if with_0 { Ok(how) } else { Err(Trouble::Wrong(how)) }
}

async fn leaves_nothing(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let driver = bench.driver()?;
    driver.shut_down(bench.patience).await?;
    let left = driver.left_behind().await;
    bench.dismiss().await;
    match left.is_empty() {
        true => Ok("nothing runs on".to_owned()),
        false => Err(Trouble::Wrong(format!("these run on: {}", left.join(", ")))),
    }
}
