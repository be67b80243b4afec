//! Drivers of one line of the shell that do what no driver may.

use std::io::Read;
use std::path::Path;

use rstest::rstest;

use super::*;

const SOON: Duration = Duration::from_secs(5);

/// A driver of one line of the shell: it reads the first request and then does as it likes.
async fn asked(script: &str, deadline: Duration) -> Result<Answer, Fault> {
    let command = Command::of_shell(&format!("read -r request; {script}"));
    let (driver, _happenings) = Driver::start(&command, Path::new("/")).expect("started");
    let answer = driver.request(&Ask::Keys {}, deadline).await;
    if let Err(fault) = &answer {
        assert_eq!(driver.fault().as_ref(), Some(fault));
        // Nothing counts any more.
        assert_eq!(driver.request(&Ask::Keys {}, deadline).await, Err(fault.clone()));
    }
    driver.kill().await;
    answer
}

#[rstest]
#[case::good(r#"echo '{"id":1,"result":{"file":"k"}}'; read -r more"#, true)]
#[case::refuses(r#"echo '{"id":1,"error":{"kind":"unsupported"}}'; read -r more"#, true)]
#[case::prints_logs(r"echo 'started'; read -r more", false)]
#[case::exits("exit 3", false)]
#[case::closes("exec >&-; read -r more", false)]
#[case::answers_another(r#"echo '{"id":99,"result":{}}'; read -r more"#, false)]
#[case::long_line("head -c 1100000 /dev/zero | tr '\\0' 'x'; read -r more", false)]
#[case::floods(r#"yes '{"event":"log","params":{"text":"x"}}'"#, false)]
#[tokio::test]
async fn whatever_a_driver_does_the_request_ends(#[case] script: &str, #[case] answers: bool) {
    let answer = asked(script, SOON).await;
    assert_eq!(answer.is_ok(), answers, "{answer:?}");
}

#[tokio::test]
async fn each_fault_has_a_name_and_a_next_step() {
    let fault = asked("exit 3", SOON).await.expect_err("a fault");
    assert!(matches!(fault, Fault::Ended(_)) && fault.to_string().contains("; keep it running"), "{fault}");
    let fault = asked("cat >/dev/null", Duration::from_millis(1)).await.expect_err("a fault");
    assert_eq!(fault, Fault::Silent { method: "keys", ms: 1 });
    let fault = asked("echo '{}'; read -r more", SOON).await.expect_err("a fault");
    assert!(matches!(fault, Fault::Garbage(_)), "{fault}");
}

#[tokio::test]
async fn events_arrive_in_order_before_the_fault() {
    let line = |text: &str| format!(r#"{{"event":"log","params":{{"text":"{text}"}}}}"#);
    let script = format!("echo '{}'; echo '{}'; echo oops", line("a"), line("b"));
    let (driver, mut happenings) =
        Driver::start(&Command::of_shell(&script), Path::new("/")).expect("started");
    let log = |text: &str| Happening::Event(Event::Log { text: text.to_owned() });
    assert_eq!(happenings.recv().await, Some(log("a")));
    assert_eq!(happenings.recv().await, Some(log("b")));
    assert!(matches!(happenings.recv().await, Some(Happening::Fault(Fault::Garbage(_)))));
    driver.kill().await;
}

#[tokio::test]
async fn what_a_driver_started_ends_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = folder.path().join("held");
    // Whoever reads the other end sees its end only when the last process that holds it is gone.
    let script = format!("mkfifo '{0}'; (echo x; exec sleep 600) > '{0}' & echo oops; wait", held.display());
    let (driver, mut happenings) =
        Driver::start(&Command::of_shell(&script), Path::new("/")).expect("started");
    assert!(happenings.recv().await.is_some());
    let (first, opened) = tokio::sync::oneshot::channel();
    let reading = tokio::task::spawn_blocking(move || {
        let mut held = std::fs::File::open(held)?;
        let mut byte = [0];
        held.read_exact(&mut byte)?;
        let _ = first.send(byte);
        let mut rest = Vec::new();
        held.read_to_end(&mut rest).map(|_| rest)
    });
    // Killed only once it holds the pipe: one that dies before it opens its end never closes it.
    assert_eq!(opened.await.expect("it holds the pipe"), *b"x");
    driver.kill().await;
    assert_eq!(reading.await.expect("read").expect("the end"), b"\n");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let command = Command { words: vec!["/nowhere/at-all".into()] };
    assert!(matches!(Driver::start(&command, Path::new("/")), Err(Fault::NotStarted(_))));
}
