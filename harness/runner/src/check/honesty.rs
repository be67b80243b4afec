//! Probes of what a driver declares: it can do that, and nothing else.

use adapters::protocol::{Ask, ErrorKind};

use super::Probe;
use super::bench::{ALLOWED, Bench, NO_METHOD, OTHER, Trouble, Wish, due_refusal};

const INTRODUCED: &[&str] = &["handshake/introduces-itself"];
const PROFILES: [&str; 3] = ["frames", "dtls", "own"];

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "honesty/unknown-method",
        asked: "a method that the protocol does not have is refused as `unknown-method`",
        hint: "look a method up among those that you know before you read its parameters",
        needs: INTRODUCED,
        deed: |bench| Box::pin(unknown_method(bench)),
    },
    Probe {
        id: "honesty/declared-profiles",
        asked: "a session of each profile that the client declares is opened",
        hint: "declare in `hello` only the profiles for which `open` succeeds",
        needs: INTRODUCED,
        deed: |bench| Box::pin(declared_profiles(bench)),
    },
    Probe {
        id: "honesty/undeclared-profiles",
        asked: "a session of each profile that the client does not declare is refused as `unsupported`",
        hint: "compare `profile` in `open` with what `hello` declared",
        needs: INTRODUCED,
        deed: |bench| Box::pin(undeclared_profiles(bench)),
    },
    Probe {
        id: "honesty/undeclared-media",
        asked: "a call with a kind of media that the client does not declare is refused as `unsupported`",
        hint: "compare `media` in `place` with what `hello` declared",
        needs: &["handshake/introduces-itself", "honesty/declared-profiles"],
        deed: |bench| Box::pin(undeclared_media(bench)),
    },
];

async fn unknown_method(bench: &mut Bench) -> Result<String, Trouble> {
    bench.greeted().await?;
    let answer = bench.driver()?.request_unknown(NO_METHOD, bench.patience).await?;
    due_refusal(&answer, ErrorKind::UnknownMethod)
}

async fn declared_profiles(bench: &mut Bench) -> Result<String, Trouble> {
    let mut opened = Vec::new();
    for profile in PROFILES.into_iter().filter(|profile| bench.has(profile)).collect::<Vec<_>>() {
        bench.closed().await?;
        let ask = bench.opening(Wish::default(), profile)?;
        match bench.ask(ask).await? {
            Ok(_) => opened.push(profile),
            Err(refusal) => {
                let (kind, message) = (refusal.kind.word(), refusal.message);
                let text = format!("`{profile}` is declared and refused as `{kind}` ({message})");
                return Err(Trouble::Wrong(text));
            }
        }
        bench.note_open(true);
    }
    Ok(format!("opened: {}", opened.join(", ")))
}

async fn undeclared_profiles(bench: &mut Bench) -> Result<String, Trouble> {
    let others: Vec<&str> = PROFILES.into_iter().filter(|profile| !bench.has(profile)).collect();
    if others.is_empty() {
        return Err(Trouble::NotTried("the client declares every profile".to_owned()));
    }
    for profile in &others {
        bench.closed().await?;
        let ask = bench.opening(Wish::default(), profile)?;
        let answer = bench.ask(ask).await?;
        bench.note_open(answer.is_ok());
        if let Err(Trouble::Wrong(came)) = due_refusal(&answer, ErrorKind::Unsupported) {
            return Err(Trouble::Wrong(format!("for `{profile}`, {came}")));
        }
    }
    Ok(format!("refused: {}", others.join(", ")))
}

async fn undeclared_media(bench: &mut Bench) -> Result<String, Trouble> {
    let others: Vec<model::Kind> =
        model::Kind::ALL.iter().copied().filter(|kind| !bench.has(kind.word())).collect();
    if others.is_empty() {
        return Err(Trouble::NotTried("the client declares every kind of media".to_owned()));
    }
    bench.session(Wish::default()).await?;
    for kind in &others {
        let ask = Ask::Place {
            to: vec![OTHER.to_owned()],
            media: vec![*kind],
            kind: "unscheduled".to_owned(),
            policy: ALLOWED.to_owned(),
        };
        let answer = bench.ask(ask).await?;
        if let Err(Trouble::Wrong(came)) = due_refusal(&answer, ErrorKind::Unsupported) {
            return Err(Trouble::Wrong(format!("for `{kind}`, {came}")));
        }
    }
    let words: Vec<&str> = others.iter().map(|kind| kind.word()).collect();
    Ok(format!("refused: {}", words.join(", ")))
}
