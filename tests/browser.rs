//! The simulator in a real browser, through WebDriver alone: move the clock, type YES on a phone,
//! read "confirmed" on the board; press the buttons of a chat, also on a screen as narrow as a
//! phone.

use crate::common::{BIRCHFIELD, Binary, On, SAMPLE, TestDb, at, settings};
use courtesy::app::{self, Purpose, Running, Start};
use courtesy::clock::Clock;
use courtesy::domain::centre::Centre;
use courtesy::flows::import::options::ImportOptions;
use courtesy::flows::import::{self};
use courtesy::simulator::pages::Pages;
use courtesy::simulator::sms_service::SmsService;
use courtesy::simulator::telegram::TelegramService;
use courtesy::simulator::{ACCOUNT, BOT_TOKEN, BOT_USERNAME, OUR_NUMBER, TOKEN};
use courtesy::store::centres;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use teloxide::Bot;
use teloxide::payloads::{AnswerCallbackQuerySetters, EditMessageTextSetters, SendMessageSetters};
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, InlineKeyboardButton, InlineKeyboardMarkup, UpdateKind};

struct Ended(Child);
impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the driver on a free port.
fn driver() -> (Ended, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect(
            "chromedriver is not installed: run tests/run, which installs Chromium and its \
                 driver; this test does not skip",
        );
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
    let mut options = json!({ "args": args, "binary": "/usr/bin/chromium" });
    if width < 500 {
        // A browser window cannot be that narrow; a phone is.
        options["mobileEmulation"] =
            json!({ "deviceMetrics": { "width": width, "height": 1000, "pixelRatio": 1 } });
    }
    let capabilities = json!({ "goog:chromeOptions": options })
        .as_object()
        .unwrap()
        .clone();
    for _ in 0..100 {
        if let Ok(c) = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities.clone())
            .connect(url)
            .await
        {
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

/// Starts a simulator; returns its process and the address of its phones.
fn demo(b: &Binary) -> (Ended, String) {
    let mut child = b
        .command(&["demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let phones = out
        .lines()
        .map_while(Result::ok)
        .find_map(|l| l.strip_prefix("phones ").map(str::to_owned))
        .expect("the demo prints the address of its phones");
    (Ended(child), phones)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_on_a_phone_is_confirmed_on_the_board() {
    let b = Binary::new("");
    let (_demo, phones) = demo(&b);
    let (_driver, driver_url) = driver();
    let c = browser(&driver_url, &b.dir.path().join("profile"), 1400).await;
    c.goto(&phones).await.unwrap();
    let phone = "[data-testid='phone-+447700900101']";
    reads(&c, &format!("{phone} h2"), "Siobhán O'Connell").await;
    c.find(Locator::Css("[data-testid='clock-to']"))
        .await
        .unwrap()
        .send_keys("2026-11-26T10:00\u{e007}")
        .await
        .unwrap();
    reads(
        &c,
        &format!("{phone} .thread"),
        "your visit is Sat 28 Nov, 9:45am",
    )
    .await;
    c.find(Locator::Css(&format!(
        "{phone} [data-testid='phone-input']"
    )))
    .await
    .unwrap()
    .send_keys("Yes")
    .await
    .unwrap();
    c.find(Locator::Css(&format!("{phone} [data-testid='phone-send']")))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    let row = "[data-testid='board-row-BRK-0101-2026-11-28T10:00']";
    reads(
        &c,
        &format!("{row} [data-testid='answer-resident']"),
        "confirmed",
    )
    .await;
    reads(
        &c,
        &format!("{phone} .thread"),
        "You have confirmed Sat 28 Nov",
    )
    .await;
    assert_eq!(
        reads(
            &c,
            &format!("{row} [data-testid='answer-contact']"),
            "asked"
        )
        .await,
        "asked"
    );
    // The same on the board's own page, live and without a script error.
    c.goto(&phones.replace("/phones", "/")).await.unwrap();
    reads(
        &c,
        &format!("{row} [data-testid='answer-resident']"),
        "confirmed",
    )
    .await;
    c.close().await.unwrap();
}

/// The app with the simulator's pages, and a Telegram service without a bot.
async fn pages_alone(db: &TestDb) -> (Running, Arc<TelegramService>) {
    let now = at("2026-11-26T10:00");
    let store = db.open().await;
    let mut tx = store.begin().await.unwrap();
    centres::save(
        &mut tx,
        &Centre::parse(BIRCHFIELD).unwrap(),
        BIRCHFIELD,
        now,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let sample: Vec<&str> = SAMPLE.lines().filter(|l| !l.starts_with("LIF")).collect();
    assert!(
        import::import(
            &store,
            sample.join("\n").as_bytes(),
            &ImportOptions::default(),
            now
        )
        .await
        .unwrap()
        .counts
        .is_some()
    );
    let chats = TelegramService::start(BOT_TOKEN, BOT_USERNAME)
        .await
        .unwrap();
    chats.set_clock(Clock::simulated(now));
    for (chat, ..) in courtesy::store::cases::simulator_chats(&store)
        .await
        .unwrap()
    {
        chats.open(chat);
    }
    store.close().await;
    let provider = SmsService::start(ACCOUNT, TOKEN, &[OUR_NUMBER])
        .await
        .unwrap();
    let pages = Pages::new(provider.clone(), chats.clone());
    let how = Start {
        serve: true,
        more_desk: Some(pages.router()),
        clock: Clock::simulated(now),
        purpose: Purpose::Simulator,
        scheduled: false,
    };
    let running = app::start(&settings(&db.url, db.dir.path(), provider.url()), how)
        .await
        .unwrap();
    pages.ready(running.svc.clone(), running.stopping());
    (running, chats)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_a_chat_are_pressed_on_a_narrow_screen() {
    const CHAT: ChatId = ChatId(5_500_100_104);
    let db = TestDb::new(On::Sqlite).await;
    let (running, chats) = pages_alone(&db).await;
    let bot = Bot::new(BOT_TOKEN).set_api_url(reqwest::Url::parse(chats.url()).unwrap());
    let (_driver, driver_url) = driver();
    let c = browser(&driver_url, &db.dir.path().join("profile"), 420).await;
    c.goto(&format!("http://{}/phones", running.desk.unwrap()))
        .await
        .unwrap();

    // One person with a number and a chat: both are shown together and labelled.
    let phone = "[data-testid='phone-5500100104']";
    let click = async |css: &str| {
        c.find(Locator::Css(&format!("{phone} {css}")))
            .await
            .unwrap()
            .click()
            .await
            .unwrap()
    };
    reads(
        &c,
        ".pair [data-testid='phone-+447700900104'] .line",
        "Text messages",
    )
    .await;
    reads(&c, &format!(".pair {phone} .line"), "Telegram").await;
    reads(&c, &format!("{phone} h2"), "Łukasz Wójcik").await;

    c.find(Locator::Css("[data-testid='find']"))
        .await
        .unwrap()
        .send_keys("wojcik 0102")
        .await
        .unwrap();
    let shown = c
        .execute(
            "return [...document.querySelectorAll('.phone')].filter((p) => \
                           p.offsetParent).map((p) => p.dataset.testid)",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(
        shown,
        json!([
            "phone-+447700900103",
            "phone-+447700900104",
            "phone-5500100104"
        ])
    );

    // A message with its buttons, a press, its answer, and the message as it stands afterwards.
    let keys = InlineKeyboardMarkup::new([[
        InlineKeyboardButton::callback("Yes, I am coming", "yes"),
        InlineKeyboardButton::callback("I cannot come", "no"),
    ]]);
    let sent = bot
        .send_message(
            CHAT,
            "<b>Birchfield</b>: your visit is Sat 28 Nov, 10am. Are you coming?",
        )
        .reply_markup(keys)
        .await
        .unwrap();
    reads(
        &c,
        &format!("{phone} .thread"),
        "<b>Birchfield</b>: your visit",
    )
    .await;
    click("[data-testid='phone-button'][data-data='yes']").await;
    reads(&c, &format!("{phone} .word"), "pressed: Yes, I am coming").await;
    let UpdateKind::CallbackQuery(press) = bot.get_updates().await.unwrap().remove(0).kind else {
        panic!("a press came as something else")
    };
    assert_eq!(press.data.as_deref(), Some("yes"));
    bot.answer_callback_query(press.id)
        .text("You are confirmed")
        .await
        .unwrap();
    reads(&c, &format!("{phone} .word"), "You are confirmed").await;
    let undo = InlineKeyboardMarkup::new([[InlineKeyboardButton::callback(
        "I cannot come after all",
        "no",
    )]]);
    bot.edit_message_text(CHAT, sent.id, "You have confirmed Sat 28 Nov.")
        .reply_markup(undo)
        .await
        .unwrap();
    reads(&c, &format!("{phone} .thread"), "You have confirmed").await;
    assert_eq!(
        c.find_all(Locator::Css(&format!(
            "{phone} [data-testid='phone-button']"
        )))
        .await
        .unwrap()
        .len(),
        1
    );

    // Writing; blocking the bot; writing again unblocks it.
    click("[data-testid='phone-block']").await;
    reads(
        &c,
        &format!("{phone} [data-testid='phone-block']"),
        "Unblock the bot",
    )
    .await;
    assert_eq!(chats.blocked(), [CHAT.0]);
    c.find(Locator::Css(&format!(
        "{phone} [data-testid='phone-input']"
    )))
    .await
    .unwrap()
    .send_keys("is there parking?\u{e007}")
    .await
    .unwrap();
    reads(&c, &format!("{phone} .thread"), "is there parking?").await;
    reads(
        &c,
        &format!("{phone} [data-testid='phone-block']"),
        "Block the bot",
    )
    .await;
    assert!(chats.blocked().is_empty());

    let wide = c
        .execute("return document.documentElement.scrollWidth", vec![])
        .await
        .unwrap();
    assert_eq!(wide, 420, "nothing stands out at the side");
    c.close().await.unwrap();
    running.stop().await.unwrap();
}
