//! Probes of the key file: in the session's folder, and for nobody else to read.

use std::path::Path;

use adapters::protocol::{Ask, ErrorKind, Keys};

use super::Probe;
use super::bench::{Bench, Trouble, Wish, due_refusal};

const OPENS: &[&str] = &["handshake/introduces-itself", "honesty/declared-profiles"];

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "keys/in-the-folder",
        asked: "`keys` names a file that stands in the session's folder and holds lines of a key file",
        hint: "write into `folder` of the session and answer with the bare name; a line is `LABEL HEX HEX`, `SRTP …`, `SFRAME …` or `AGREE …`",
        needs: OPENS,
        deed: |bench| Box::pin(in_the_folder(bench)),
    },
    Probe {
        id: "keys/private",
        asked: "no file in the session's folder can be read by other users of the system",
        hint: "create files with the mode 0600",
        needs: &["keys/in-the-folder"],
        deed: |bench| Box::pin(private(bench)),
    },
];

async fn in_the_folder(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    if !bench.has("keys-export") {
        // It may still tell the keys of its frames.
        let answer = bench.ask(Ask::Keys {}).await?;
        return match answer {
            Err(_) => {
                due_refusal(&answer, ErrorKind::Unsupported)?;
                Err(Trouble::NotTried(
                    "the client does not declare `keys-export` and exports none".to_owned(),
                ))
            }
            Ok(answer) => read(bench, answer),
        };
    }
    let answer = bench.done(Ask::Keys {}).await?;
    read(bench, answer)
}

fn read(bench: &Bench, answer: serde_json::Value) -> Result<String, Trouble> {
    let keys: Keys = serde_json::from_value(answer)
        .map_err(|why| Trouble::Wrong(format!("an answer to `keys` that cannot be read ({why})")))?;
    match adapters::keys::exported(&keys, Path::new(&bench.folder()?)) {
        Ok(lines) => Ok(format!("{} keys before the first call", lines.len())),
        Err(why) => Err(Trouble::Wrong(why)),
    }
}

async fn private(bench: &mut Bench) -> Result<String, Trouble> {
    use std::os::unix::fs::PermissionsExt;
    let unreadable =
        |why: std::io::Error| Trouble::Harness(format!("the session's folder cannot be read ({why})"));
    let mut files = 0;
    for entry in std::fs::read_dir(bench.folder()?).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let mode = entry.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            let name = entry.file_name().to_string_lossy().into_owned();
            return Err(Trouble::Wrong(format!("`{name}` has the mode {:04o}", mode & 0o7777)));
        }
        files += 1;
    }
    match files {
        0 => Err(Trouble::NotTried("there is no file in the folder".to_owned())),
        1 => Ok("1 file".to_owned()),
        _ => Ok(format!("{files} files")),
    }
}
