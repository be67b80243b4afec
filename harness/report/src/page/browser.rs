//! Has pages opened by a real browser, headless Chromium.
//!
//! Skipped where `chromium` is missing, unless OVERHEARD_REQUIRE_PEERS is 1.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::{audit, html, matrix, sample};

/// Pixels of a narrow phone.
const PHONE: u32 = 360;

#[expect(clippy::print_stderr, reason = "a skip is loud")]
fn chromium_is_there() -> bool {
    if Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert_ne!(
        std::env::var("OVERHEARD_REQUIRE_PEERS").as_deref(),
        Ok("1"),
        "chromium is missing; install it"
    );
    eprintln!("SKIPPED: chromium is missing, no browser has opened the pages; install it");
    false
}

/// The document as the browser holds it once it is loaded, and what it said on its console.
fn opened(folder: &Path, file: &str) -> (String, Vec<String>) {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", folder.join(file).display()))
        .output()
        .expect("it is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), console)
}

fn audited() -> String {
    let options = crate::Options { command: "overheard audit call.pcap".to_owned(), ..sample::options() };
    (audit::html::FORMAT.render)(&audit::sample::audit(), &options).expect("renders")
}

fn run() -> String {
    (html::FORMAT.render)(&sample::mixed(), &sample::options()).expect("renders")
}

fn pairs() -> String {
    (matrix::html::FORMAT.render)(&matrix::sample::matrix(), &matrix::MatrixOptions::default())
        .expect("renders")
}

#[rstest]
#[case::matrix(pairs(), "Some pair failed")]
#[case::audit(audited(), "Somebody beside the two ends can read or forge media")]
#[case::run(run(), "Some variant did not behave as expected")]
fn a_browser_shows_the_answer_and_complains_of_nothing(#[case] page: String, #[case] answer: &str) {
    if !chromium_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("page.html"), page).expect("written");
    let (document, console) = opened(folder.path(), "page.html");
    assert!(document.contains(answer), "{document}");
    assert_eq!(console, [""; 0]);
}

#[rstest]
#[case::audit(audited())]
#[case::run(run())]
#[case::matrix(pairs())]
fn no_page_is_wider_than_a_narrow_phone(#[case] page: String) {
    if !chromium_is_there() {
        return;
    }
    // A copy that may run one script tells its width to a page that shows it in a frame as wide as a phone.
    let told =
        "<script>parent.postMessage(innerWidth+' '+document.documentElement.scrollWidth,'*')</script></body>";
    let policy = "default-src 'none'; script-src 'unsafe-inline';";
    let copy = page.replace("default-src 'none';", policy).replace("</body>", told);
    assert!(copy.contains(policy) && copy.contains(told));
    let frame = format!(
        "<!DOCTYPE html><title>phone</title><p id=\"measured\">nothing</p><script>addEventListener('message', \
         e => document.getElementById('measured').textContent = e.data)</script>\
         <iframe src=\"copy.html\" width=\"{PHONE}\" height=\"800\" style=\"border:0\"></iframe>"
    );
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("copy.html"), copy).expect("written");
    std::fs::write(folder.path().join("phone.html"), frame).expect("written");
    let (document, _) = opened(folder.path(), "phone.html");
    let measured = document.split("id=\"measured\">").nth(1).and_then(|rest| rest.split('<').next());
    let (inner, scroll) = measured.and_then(|text| text.split_once(' ')).expect("a measure");
    assert_eq!(inner, PHONE.to_string());
    assert!(scroll.parse::<u32>().expect("a number") <= PHONE, "{scroll} pixels wide");
}

#[test]
fn nothing_that_slips_into_a_page_reaches_the_network_or_runs() {
    if !chromium_is_there() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let slipped = format!(
        "<img src=\"http://127.0.0.1:{port}/i\"><link rel=\"stylesheet\" href=\"http://127.0.0.1:{port}/c\">\
         <script src=\"http://127.0.0.1:{port}/s\"></script><script>document.title='ran'</script></body>"
    );
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("page.html"), audited().replace("</body>", &slipped)).expect("written");
    let (document, console) = opened(folder.path(), "page.html");
    assert!(document.contains("/i\">") && !document.contains("<title>ran"), "{document}");
    assert!(
        console.iter().filter(|line| line.contains("Content Security Policy")).count() >= 4,
        "{console:?}"
    );
    assert_eq!(listener.accept().map_err(|why| why.kind()).err(), Some(std::io::ErrorKind::WouldBlock));
}
