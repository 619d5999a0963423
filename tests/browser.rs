//! The practice in a real browser, through WebDriver alone: move the clock, type YES on a phone, read "confirmed" on the board.

use crate::common::Binary;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Ended(Child);
impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the driver on a free port.
fn driver() -> (Ended, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is not installed: run tests/run, which installs Chromium and its driver; this test does not skip");
    (Ended(child), format!("http://127.0.0.1:{port}"))
}

async fn browser(url: &str, profile: &std::path::Path, width: u32) -> Client {
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &format!("--window-size={width},1000"),
        &format!("--user-data-dir={}", profile.display()),
    ]
    .map(str::to_owned);
    let capabilities = json!({ "goog:chromeOptions": { "args": args, "binary": "/usr/bin/chromium" } }).as_object().unwrap().clone();
    for _ in 0..100 {
        if let Ok(c) = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new()).capabilities(capabilities.clone()).connect(url).await {
            return c;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the browser does not start");
}

/// Waits until the element's text holds `part`.
async fn reads(c: &Client, css: &str, part: &str) -> String {
    let mut last = String::new();
    for _ in 0..200 {
        if let Ok(e) = c.find(Locator::Css(css)).await
            && let Ok(text) = e.text().await
        {
            if text.contains(part) {
                return text;
            }
            last = text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{css} never reads {part:?}; it reads {last:?}");
}

/// Starts a practice; gives its process and the address of its phones.
fn practice(b: &Binary) -> (Ended, String) {
    let mut child = b.command(&["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let phones = out.lines().map_while(Result::ok).find_map(|l| l.strip_prefix("phones ").map(str::to_owned)).expect("the practice says where its phones are");
    (Ended(child), phones)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_on_a_phone_is_confirmed_on_the_board() {
    let b = Binary::new("");
    let (_practice, phones) = practice(&b);
    let (_driver, driver_url) = driver();
    let c = browser(&driver_url, &b.dir.path().join("profile"), 1400).await;
    c.goto(&phones).await.unwrap();
    let phone = "[data-testid='phone-+447700900101']";
    reads(&c, &format!("{phone} h2"), "Siobhán O'Connell").await;
    c.find(Locator::Css("[data-testid='clock-to']")).await.unwrap().send_keys("2026-11-26T10:00\u{e007}").await.unwrap();
    reads(&c, &format!("{phone} .thread"), "your visit is Sat 28 Nov, 9:45am").await;
    c.find(Locator::Css(&format!("{phone} [data-testid='phone-input']"))).await.unwrap().send_keys("Yes").await.unwrap();
    c.find(Locator::Css(&format!("{phone} [data-testid='phone-send']"))).await.unwrap().click().await.unwrap();
    let row = "[data-testid='board-row-BRK-0101-2026-11-28T10:00']";
    reads(&c, &format!("{row} [data-testid='answer-resident']"), "confirmed").await;
    reads(&c, &format!("{phone} .thread"), "You have confirmed Sat 28 Nov").await;
    assert_eq!(reads(&c, &format!("{row} [data-testid='answer-contact']"), "asked").await, "asked");
    // The same on the board's own page, live, without a script's error.
    c.goto(&phones.replace("/phones", "/")).await.unwrap();
    reads(&c, &format!("{row} [data-testid='answer-resident']"), "confirmed").await;
    c.close().await.unwrap();
}
